"""Re-identification from configuration to features, with a small network and few steps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from click.testing import CliRunner

from pamtri.config import parse_config
from pamtri.errors import ConfigError, DataError
from pamtri.formats.pose_csv import write_predictions
from pamtri.keypoints import FLIP, INDEX
from train.augment import mirror
from train.checkpoint import load_checkpoint
from train.cli import predict, train
from train.config import AugmentConfig
from train.images import CropCache
from train.reid.config import ReidConfig, ReidModelConfig
from train.reid.data import NO_POSE, augmented_item, load_poses, pose_values, reid_view
from train.reid.loss import UNKNOWN
from train.reid.network import ReidNetwork
from train.reid.task import ReidTask, check_validation, validation_metrics
from train.sources import open_for_prediction

CONFIG = """
data: {real: {path: REAL}, synthetic: {path: SYNTHETIC, splits: null}, validation_fraction: 0.4}
mixing: {synthetic_ratio: 0.5}
model: {backbone: resnet10t, input_size: 32, embedding: [keypoints]}
training: {steps: 3, identities: 4, images_per_identity: 2, validate_every: 2}
"""
IDENTITY = np.eye(3)[:2]


def invoke(group: object, *arguments: object) -> str:
    result = CliRunner().invoke(group, [str(a) for a in arguments], catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, real: Path, synthetic: Path) -> Path:
    folder = tmp_path_factory.mktemp("reid")
    path = folder / "reid.yaml"
    path.write_text(CONFIG.replace("REAL", str(real)).replace("SYNTHETIC", str(synthetic)))
    output = invoke(train, "reid", path, "--output", folder / "run")
    expected = (
        "reid: 9 real images of 3 identities + 20 synthetic images of 5 identities, "
        "6 images to validate"
    )
    assert expected in output
    return folder / "run"


def test_identities_of_different_sources_are_different_classes(trained: Path) -> None:
    checkpoint = load_checkpoint(trained / "best.pt", "reid")
    assert checkpoint.classes is not None
    assert checkpoint.classes["synthetic"] == [0, 1, 2, 3, 4]
    assert len(checkpoint.classes["real"]) == 3
    assert checkpoint.state_dict["identity_head.weight"].shape == (8, 512)


def test_history_has_every_term_and_what_was_drawn(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    (train_line,) = [line for line in lines if line["kind"] == "train"]
    assert train_line["drawn"] == {"real": 12, "synthetic": 12}
    terms = [train_line[name] for name in ("identity", "triplet", "colour", "type")]
    assert train_line["loss"] == pytest.approx(np.dot([1, 1, 0.125, 0.125], terms), rel=1e-5)
    assert {"mAP", "rank1", "colour_accuracy", "type_accuracy"} < set(lines[0])


def test_features_of_a_split(trained: Path, real: Path, tmp_path: Path) -> None:
    csv = tmp_path / "pose.csv"
    write_predictions(
        csv, {s.name: np.full((36, 3), 0.5) for s in open_for_prediction(real, None, ["test"])}
    )
    arguments = ("reid", trained / "best.pt", real, "--split", "test", "--output")
    invoke(predict, *arguments, tmp_path / "labels.npz")
    invoke(predict, *arguments, tmp_path / "csv.npz", "--keypoints", csv)
    with np.load(tmp_path / "labels.npz", allow_pickle=False) as file:
        labels = dict(file)
    assert labels["names"].tolist() == ["05_00.png", "05_01.png", "05_02.png"]
    assert labels["features"].shape == (3, 512)
    assert labels["features"].dtype == np.float32
    assert labels["colour_scores"].sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert labels["type_scores"].shape == (3, 9)
    with np.load(tmp_path / "csv.npz", allow_pickle=False) as file:
        assert np.abs(file["features"] - labels["features"]).max() > 1e-4
    with pytest.raises(DataError, match=rf"^{csv}: has no row for 15 of 18 images, first 00_00"):
        invoke(predict, "reid", trained / "best.pt", real, "--output", "x", "--keypoints", csv)


def test_batches_that_cannot_be_formed_are_refused(real: Path) -> None:
    data = {"real": {"path": str(real)}, "validation_fraction": 0.4}
    config = {"data": data, "mixing": {"synthetic_ratio": 0.0}, "training": {"steps": 1}}
    with pytest.raises(DataError, match="3 identities to train on, expected at least 8"):
        ReidTask(parse_config(config, ReidConfig, "c"), Accelerator(cpu=True))


def test_validation_without_a_match_is_refused(synthetic: Path) -> None:
    samples = open_for_prediction(synthetic)
    one_camera = [
        type(s)(s.path, s.record.model_copy(update={"camera": 3}), s.source) for s in samples
    ]
    check_validation(samples)
    with pytest.raises(DataError, match="none of its 5 identities has two images from different"):
        check_validation(one_camera)


def test_unknown_backbone_has_a_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"timm has no network 'resnet5' \(did you mean 'resnet5"):
        ReidNetwork(ReidModelConfig(backbone="resnet5"), 4)


def test_missing_weights_are_an_error() -> None:
    with pytest.raises(DataError, match=r"^nowhere.pth: no such file of weights$"):
        ReidNetwork(ReidModelConfig(backbone="resnet10t", weights="nowhere.pth"), 4)


@pytest.mark.parametrize(
    ("multitask", "embedding", "keys"),
    [
        (False, (), {"feature", "identity"}),
        (False, ("keypoints",), {"feature", "identity"}),
        (True, ("keypoints",), {"feature", "identity", "colour", "type"}),
    ],
)
def test_network_variants(multitask: bool, embedding: tuple, keys: set[str]) -> None:
    model = ReidModelConfig(backbone="resnet10t", multitask=multitask, embedding=embedding)
    network = ReidNetwork(model, 7).eval()
    images, pose = torch.rand(2, 3, 32, 32), torch.rand(2, 108)
    output = network(images, pose)
    assert set(output) == keys
    assert output["identity"].shape == (2, 7)
    pooled = network.backbone(images).mean(dim=(-2, -1))
    if not multitask and not embedding:
        assert torch.equal(output["feature"], pooled)
    else:
        known = torch.cat([pooled, pose], dim=1) if embedding else pooled
        layer = network.identity_layer
        assert layer is not None
        expected = torch.nn.functional.leaky_relu(layer(known), 0.01)
        assert torch.allclose(output["feature"], expected)


def test_pose_values_by_hand() -> None:
    pose = NO_POSE.copy()
    pose[2] = [16.0, 48.0, 0.9]
    values = pose_values(pose, IDENTITY, False, 64).reshape(36, 3)
    assert values[2] == pytest.approx([-0.25, 0.25, 0.4])
    assert values[3] == pytest.approx([0.0, 0.0, -0.5])
    mirrored = pose_values(pose, mirror(64), True, 64).reshape(36, 3)
    assert mirrored[FLIP[2]] == pytest.approx([0.25, 0.25, 0.4])
    assert mirrored[2] == pytest.approx([0.0, 0.0, -0.5])


def test_the_embedding_is_aligned_with_the_augmented_image(real: Path) -> None:
    """The same change, read off the picture's item and applied to a known point, agrees."""
    sample = open_for_prediction(real)[0]
    view = reid_view(ReidModelConfig(input_size=32), CropCache(2**20))
    pose = NO_POSE.copy()
    pose[INDEX["left_headlight"]] = [12.0, 36.0, 1.0]
    mirrored = AugmentConfig(flip=1)
    item = augmented_item(view, sample, pose, mirrored, np.random.default_rng(0))
    plain = augmented_item(view, sample, pose, AugmentConfig(flip=0), np.random.default_rng(0))
    assert item["image"] == pytest.approx(plain["image"][:, :, ::-1], abs=0.03)
    values = item["pose"].reshape(36, 3)
    assert values[INDEX["right_headlight"]] == pytest.approx([0.25, 0.25, 0.5])


def test_labels_are_known_or_unknown(real: Path) -> None:
    view = reid_view(ReidModelConfig(input_size=32), CropCache(2**20))
    by_name = {s.name: s for s in open_for_prediction(real)}
    rng = np.random.default_rng(0)
    items = [
        augmented_item(view, by_name[n], NO_POSE, AugmentConfig(), rng)
        for n in ("00_00.png", "01_00.png")
    ]
    assert [(i["colour"], i["type"]) for i in items] == [(UNKNOWN, 1), (4, 1)]


def test_labelled_points_that_cannot_be_seen_are_not_known(real: Path) -> None:
    samples = open_for_prediction(real)
    pose = load_poses(samples, "labels", "data.real")[samples[0].path]
    keypoints = samples[0].record.keypoints
    assert keypoints is not None
    assert pose[:, 2].tolist() == [1.0] * 20 + [0.0] * 16
    assert (pose[:, :2] == keypoints.xy_array()).all()
    bare = [type(s)(s.path, s.record.model_copy(update={"keypoints": None}), "") for s in samples]
    with pytest.raises(
        DataError, match=r"^data.real: none of the 18 images has keypoints to embed"
    ):
        load_poses(bare, "labels", "data.real")
    assert (load_poses([*bare[:1], samples[1]], "labels", "d")[bare[0].path] == NO_POSE).all()


def test_validation_ranks_each_image_against_the_others(real: Path) -> None:
    samples = [s for s in open_for_prediction(real) if s.record.identity in (0, 1)]
    ids = np.array([s.record.identity for s in samples])
    right = {"feature": ids[:, None].astype(np.float32)}
    assert validation_metrics(samples, right) == {"mAP": 1.0, "rank1": 1.0}
    colour = np.zeros((6, 10), np.float32)
    colour[:, 4] = [1, 1, 1, 1, 1, 0]  # only identity 1 has a colour, red
    assert validation_metrics(samples, {**right, "colour": colour})["colour_accuracy"] == (
        pytest.approx(2 / 3)
    )
