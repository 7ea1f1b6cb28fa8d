"""What labels tell of visibility, and that a head learns it without disturbing the rest."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from pamtri.config import parse_config
from pamtri.keypoints import FLIP
from train.augment import move
from train.checkpoint import load_checkpoint
from train.cli import train
from train.config import AugmentConfig
from train.images import CropCache
from train.pose.config import PoseConfig, PoseModelConfig
from train.pose.data import augmented_item, plain_item, pose_view
from train.pose.network import PoseNetwork
from train.pose.predict import PosePredictor
from train.pose.reader import PoseReader
from train.pose.visibility import (
    VisibilityHead,
    count_right,
    outside_is_absent,
    possible_states,
    visibility_losses,
)
from train.sources import Sample, open_for_prediction

VISIBLE, OCCLUDED, ABSENT = [1, 0, 0], [0, 1, 0], [0, 0, 1]


def test_each_letter_leaves_its_states_possible() -> None:
    told = possible_states("vsoth" + "v" * 31).astype(int).tolist()
    assert told[:6] == [VISIBLE, OCCLUDED, OCCLUDED, ABSENT, [0, 1, 1], VISIBLE]
    inside = np.array([False] * 5 + [True] * 31)
    moved = outside_is_absent(told, inside).astype(int).tolist()
    assert moved[:6] == [ABSENT, ABSENT, ABSENT, ABSENT, [0, 1, 1], VISIBLE]


def test_states_follow_their_points_through_mirror_and_crop(real: Path) -> None:
    sample = open_for_prediction(real)[0]
    keypoints = sample.record.keypoints
    assert keypoints is not None
    letters = "v" * 9 + "s" * 9 + "o" * 9 + "h" * 9
    record = sample.record.model_copy(
        update={"keypoints": keypoints.model_copy(update={"visibility": letters})}
    )
    sample = Sample(sample.path, record, "real")
    view = pose_view(64, 1.25, CropCache(2**20))
    lost = 0
    for seed, flip in ((0, 0.0), (1, 1.0), (2, 1.0)):
        change = AugmentConfig(flip=flip, shift=0.5)
        item = augmented_item(view, sample, "all", change, np.random.default_rng(seed))
        _, to_input, _ = view.augmented(sample, change, np.random.default_rng(seed))
        at = move(keypoints.xy_array(), to_input)
        for i, letter in enumerate(letters):
            x, y = at[i]
            gone = not (0 <= x <= 64 and 0 <= y <= 64)
            expected = [0, 1, 1] if letter == "h" else ABSENT if gone else OCCLUDED
            if letter == "v" and not gone:
                expected = VISIBLE
            got = item["possible"][FLIP[i] if flip else i]
            assert got.astype(int).tolist() == expected
            lost += gone and letter != "h"
    assert lost > 5


def test_the_loss_is_the_log_of_what_is_possible() -> None:
    scores = torch.log(torch.tensor([[[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]]))
    possible = torch.tensor([[VISIBLE, [0, 1, 1], [1, 1, 1]]], dtype=torch.bool)
    expected = -(math.log(0.5) + math.log(0.5) + 0.0) / 3
    assert visibility_losses(scores, possible).mean().item() == pytest.approx(expected)
    # Extreme scores stay finite, gradients as well.
    far = (1e4 * torch.tensor([[[1.0, -1.0, 0.0]]])).requires_grad_()
    visibility_losses(far, torch.tensor([[OCCLUDED]], dtype=torch.bool)).mean().backward()
    assert far.grad is not None
    assert far.grad.isfinite().all()


def test_right_answers_are_counted_where_something_is_known() -> None:
    shares = torch.tensor([[[0.6, 0.3, 0.1], [0.1, 0.5, 0.4], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]])
    possible = torch.tensor([[VISIBLE, [0, 1, 1], [0, 1, 1], [1, 1, 1]]], dtype=torch.bool)
    assert count_right(shares.numpy(), possible.numpy()) == (2, 3)


def test_the_head_learns_from_the_features_at_the_peak() -> None:
    """A feature at each point tells its state; elsewhere the same feature is noise."""
    generator = torch.Generator().manual_seed(0)
    n, side = 64, 8
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = VisibilityHead(2)

    def batch() -> tuple[Tensor, Tensor, Tensor]:
        features = torch.randn(n, 2, side, side, generator=generator)
        place = torch.stack([torch.randperm(side * side, generator=generator) for _ in range(n)])
        place = place[:, :36]
        state = torch.randint(0, 3, (n, 36), generator=generator)
        signal = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, -2.0]])[state]
        features.flatten(-2).scatter_(-1, place[:, None].expand(-1, 2, -1), signal.mT)
        heatmaps = torch.zeros(n, 36, side * side).scatter_(-1, place[..., None], 0.8)
        truth = nn.functional.one_hot(state, 3).bool()
        return features, heatmaps.unflatten(-1, (side, side)), truth

    optimiser = torch.optim.Adam(head.parameters(), 3e-3)
    for _ in range(300):
        features, heatmaps, truth = batch()
        optimiser.zero_grad()
        visibility_losses(head(features, heatmaps), truth).mean().backward()
        optimiser.step()
    features, heatmaps, truth = batch()
    scores = head(features, heatmaps).detach()
    right, known = count_right(scores.numpy(), truth.numpy())
    assert known == n * 36
    assert right / known > 0.9


@pytest.fixture(scope="module")
def network() -> PoseNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PoseNetwork(PoseModelConfig(backbone="hrnet_w18_small", visibility=True)).eval()


def test_the_head_leaves_places_as_they_are(network: PoseNetwork) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        without = PoseNetwork(PoseModelConfig(backbone="hrnet_w18_small")).eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    output, scores = network(images, True)
    assert scores.shape == (2, 36, 3)
    assert torch.equal(output, network(images))
    assert torch.equal(output, without(images))
    visibility_losses(
        scores, torch.ones(2, 36, 3).bool() & (torch.arange(3) == 1)
    ).mean().backward()
    taught = {name for name, p in network.named_parameters() if p.grad is not None}
    assert taught == {
        f"visibility.{n}.{p}" for n in ("hidden", "scores") for p in ("weight", "bias")
    }


@torch.no_grad()
def test_a_mirrored_image_has_the_mirrored_states(network: PoseNetwork) -> None:
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    reader = PoseReader(network, PoseModelConfig(visibility=True))
    shares = reader.read(images)[2]
    assert torch.allclose(shares.sum(-1), torch.ones(2, 36))
    assert torch.allclose(reader.read(images.flip(-1))[2], shares[:, FLIP.copy()], atol=1e-5)


def test_a_training_reports_and_keeps_visibility(real: Path, tmp_path: Path) -> None:
    config = tmp_path / "pose.yaml"
    config.write_text(
        f"data: {{real: {{path: {real}}}, validation: {{path: {real}, splits: [test]}}}}\n"
        "mixing: {synthetic_ratio: 0.0}\n"
        "augment: {flip: 0.0}\n"
        "model: {backbone: hrnet_w18_small, input_size: 64, loss: softmax, visibility: true}\n"
        "training: {steps: 20, batch_size: 8, validate_every: 20, learning_rate: 0.003}\n"
    )
    result = CliRunner().invoke(
        train, ["pose", str(config), "--output", str(tmp_path / "run")], catch_exceptions=False
    )
    assert result.exit_code == 0
    lines = [json.loads(x) for x in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    first, *_, last = (line for line in lines if line["kind"] == "train")
    assert last["loss"] == pytest.approx(last["heatmap"] + last["visibility"], rel=1e-4)
    assert last["visibility"] < 0.5 * first["visibility"]
    kept = load_checkpoint(tmp_path / "run" / "best.pt", "pose")
    parsed = parse_config(kept.config, PoseConfig, "kept")
    network = PoseNetwork(parsed.model).eval()
    network.load_state_dict(kept.state_dict)
    view, right = pose_view(parsed.model.input_size, parsed.box_scale, CropCache(0)), 0
    for sample in open_for_prediction(real, splits=("test",)):
        image = torch.from_numpy(plain_item(view, sample)["image"])[None]
        with torch.no_grad():
            here, mirrored = (network(x, True)[1].softmax(-1)[0] for x in (image, image.flip(-1)))
        for i in range(36):  # in the data of these tests, the first 20 points are visible
            states = here[i] + mirrored[(i + 18) % 36]
            right += int(states.argmax()) == (0 if i < 20 else 1)
    assert lines[-1]["visibility"] == pytest.approx(right / (3 * 36))
    PosePredictor(tmp_path / "run" / "best.pt", torch.device("cpu"))
