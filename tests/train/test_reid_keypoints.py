"""Keypoints that a re-identification network learns beside identity."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from pamtri.config import parse_config
from pamtri.dataset import write_native
from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.keypoints import FLIP, NUM_KEYPOINTS
from pamtri.record import Keypoints
from train.reid.config import ReidConfig, ReidLossConfig, ReidModelConfig
from train.reid.data import keypoint_labels
from train.reid.loss import ReidLoss, keypoint_losses
from train.reid.network import ReidNetwork
from train.reid.onnx_file import outputs
from train.reid.task import ReidTask
from train.sources import Sample, open_for_prediction


def losses_in_a_loop(output: np.ndarray, labels: np.ndarray) -> list[float]:
    """Image by image and point by point, of the images that have labels."""
    found = []
    for said, true in zip(output.reshape(len(output), -1, 3), labels, strict=True):
        if np.isnan(true).any():
            found.append(0.0)
            continue
        places, sight = [], []
        for (x, y, score), (tx, ty, seen) in zip(said, true, strict=True):
            chance = 1 / (1 + math.exp(-score))
            sight.append(-math.log(chance if seen else 1 - chance))
            for error in (abs(x - tx), abs(y - ty)):
                near = error**2 / (2 * 0.05) if error < 0.05 else error - 0.05 / 2
                places.append(near * seen)
        found.append(2 * sum(places) / max(1, true[:, 2].sum()) + sum(sight) / len(sight) / 2)
    known = sum(not np.isnan(true).any() for true in labels)
    return [loss * len(labels) / known for loss in found]


def test_losses_against_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    labels = np.concatenate(
        [rng.uniform(-0.5, 0.5, (4, 36, 2)), rng.integers(0, 2, (4, 36, 1))], axis=2
    )
    labels[1, :, 2] = 0  # nothing can be seen
    labels[2] = np.nan  # nothing is known
    output = labels + rng.normal(0, 0.1, labels.shape)
    output[2] = 7
    flat = np.nan_to_num(output).reshape(4, 108)
    got = keypoint_losses(torch.tensor(flat), torch.tensor(labels))
    assert got.tolist() == pytest.approx(losses_in_a_loop(flat, labels))
    assert keypoint_losses(torch.ones(2, 108), torch.full((2, 36, 3), math.nan)).tolist() == [0, 0]


def labelled(sample: Sample, xy: np.ndarray, visibility: str) -> Sample:
    keypoints = Keypoints(xy=xy.tolist(), visibility=visibility)
    return replace(sample, record=sample.record.model_copy(update={"keypoints": keypoints}))


def test_labels_by_hand(real: Path) -> None:
    """Of a 64 pixel image shown in 32, moved 4 pixels to the right."""
    plain = open_for_prediction(real)[0]
    xy = np.zeros((NUM_KEYPOINTS, 2))
    xy[0], xy[1], xy[2] = (16, 48), (10, 10), (60, 32)
    seen = labelled(plain, xy, "vov" + "o" * (NUM_KEYPOINTS - 3))
    to_input = np.array([[0.5, 0, 4], [0, 0.5, 0]])
    got = keypoint_labels(seen, to_input, False, 32)
    assert got[0].tolist() == [12 / 32 - 0.5, 24 / 32 - 0.5, 1]
    assert got[1].tolist() == [0, 0, 0], "hidden"
    assert got[2].tolist() == [0, 0, 0], "moved out of the input"
    unknown = replace(plain, record=plain.record.model_copy(update={"keypoints": None}))
    assert np.isnan(keypoint_labels(unknown, to_input, False, 32)).all()


def test_labels_of_a_mirrored_image_change_sides(real: Path) -> None:
    xy = np.random.default_rng(1).uniform(1, 63, (NUM_KEYPOINTS, 2))
    seen = labelled(open_for_prediction(real)[0], xy, "v" * NUM_KEYPOINTS)
    one = np.array([[1.0, 0, 0], [0, 1, 0]])
    turned = np.array([[-1.0, 0, 64], [0, 1, 0]])
    plain = keypoint_labels(seen, one, False, 64)
    mirrored = keypoint_labels(seen, turned, True, 64)
    assert mirrored == pytest.approx(plain[FLIP] * np.array([-1, 1, 1], np.float32), abs=1e-6)


def test_a_network_learns_where_points_are() -> None:
    """Images of one bright square: the point is in its middle, and seen where there is one."""
    torch.manual_seed(0)
    model = ReidModelConfig(backbone="resnet10t", input_size=32, multitask=False, keypoints=True)
    network = ReidNetwork(model, 2)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    loss = ReidLoss(ReidLossConfig(triplet=0, keypoints=1.0), network.learned)
    generator = torch.Generator().manual_seed(0)
    for step in range(121):
        corner = torch.randint(0, 24, (32, 2), generator=generator)
        there = torch.rand(32, generator=generator) < 0.8
        images = torch.zeros(32, 3, 32, 32)
        for i, (x, y) in enumerate(corner.tolist()):
            images[i, :, y : y + 8, x : x + 8] = float(there[i])
        labels = torch.zeros(32, 36, 3)
        labels[:, 0, :2] = ((corner + 4) / 32 - 0.5) * there[:, None]
        labels[:, 0, 2] = there.float()
        batch = {"identity": torch.full((32,), -100), "keypoints": labels}
        output = network(images)
        if step < 120:
            optimiser.zero_grad()
            loss(output, batch)["loss"].backward()
            optimiser.step()
    found = output["keypoints"].view(32, 36, 3)[:, 0]
    error = (found[:, :2] - labels[:, 0, :2]).norm(dim=1)[there]
    assert error.median() < 0.05
    assert ((found[:, 2] > 0) == there).float().mean() >= 0.95


def test_the_head_is_for_training_alone() -> None:
    model = ReidModelConfig(keypoints=True, azimuth="sin_cos")
    assert outputs(model) == ("feature", "colour", "type", "azimuth")


def test_images_without_keypoints_are_refused(real: Path, tmp_path: Path) -> None:
    dataset = open_dataset(real)
    records = [r.model_copy(update={"keypoints": None}) for r in dataset.records]
    write_native(tmp_path, records, dataset.info)
    (tmp_path / "images").symlink_to(real / "images")
    config = parse_config(
        {
            "data": {"real": {"path": str(tmp_path)}, "validation_fraction": 0.4},
            "mixing": {"synthetic_ratio": 0.0},
            "model": {"backbone": "resnet10t", "input_size": 32, "keypoints": True},
            "training": {"steps": 1, "identities": 2, "images_per_identity": 2},
        },
        ReidConfig,
        "c",
    )
    with pytest.raises(
        DataError,
        match=r"^model.keypoints: none of the 9 images to train on has keypoints; set it to "
        r"false$",
    ):
        ReidTask(config, Accelerator(cpu=True))
