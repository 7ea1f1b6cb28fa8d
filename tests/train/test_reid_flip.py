"""Flip averaging: an image and its mirror image are the same to the network."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from pamtri.keypoints import FLIP
from pamtri.record import Keypoints, Record
from train.checkpoint import Checkpoint, save_checkpoint
from train.reid.config import ReidConfig, ReidModelConfig
from train.reid.network import ReidNetwork
from train.reid.predict import ReidPredictor, between
from train.sources import Sample

SIZE = 64


def mirrored_pair(folder: Path) -> list[Sample]:
    """A made-up picture with keypoints, and its mirror image with theirs."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    xy = rng.uniform(4, SIZE - 4, (36, 2))
    samples = []
    for name, image, points in (
        ("straight.png", pixels, xy),
        ("mirrored.png", pixels[:, ::-1], (xy * [-1, 1] + [SIZE, 0])[FLIP]),
    ):
        PIL.Image.fromarray(image).save(folder / name)
        keypoints = Keypoints(xy=points.tolist(), visibility="v" * 36)
        record = Record(image=name, domain="real", identity=1, keypoints=keypoints)
        samples.append(Sample(folder / name, record, "real"))
    return samples


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> ReidPredictor:
    model = ReidModelConfig(
        backbone="resnet18", weights="none", input_size=SIZE, multitask=True,
        embedding=("keypoints", "heatmaps", "segments"), normalise=True, azimuth="sin_cos",
    )  # fmt: skip
    config = ReidConfig.model_validate(
        {
            "data": {"real": {"path": "x"}},
            "mixing": {"synthetic_ratio": 0},
            "training": {"steps": 1, "identities": 2},
            "model": model.model_dump(),
        }
    )
    torch.manual_seed(0)
    network = ReidNetwork(model, 3)
    path = tmp_path_factory.mktemp("network") / "best.pt"
    kept = Checkpoint(
        "reid", config.model_dump(mode="json"), {"real": [0, 1, 2]}, network.state_dict(), 0.5, 1
    )
    save_checkpoint(path, kept)
    return ReidPredictor(path, torch.device("cpu"))


def test_mirror_images_get_the_same_features(predictor: ReidPredictor, tmp_path: Path) -> None:
    samples = mirrored_pair(tmp_path)
    plain = predictor.predict(samples, "labels")
    flipped = predictor.predict(samples, "labels", flip=True)
    assert np.abs(plain.features[0] - plain.features[1]).max() > 1e-3
    np.testing.assert_allclose(flipped.features[0], flipped.features[1], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(flipped.features, axis=1), 1, rtol=1e-5)
    for scores, means in (
        (plain.colour_scores, flipped.colour_scores),
        (plain.type_scores, flipped.type_scores),
    ):
        assert scores is not None and means is not None
        np.testing.assert_allclose(means, np.tile(scores.mean(axis=0), (2, 1)), atol=1e-5)


def test_a_mirrored_vehicle_is_seen_from_the_other_side(
    predictor: ReidPredictor, tmp_path: Path
) -> None:
    samples = mirrored_pair(tmp_path)
    plain = predictor.predict(samples, "labels").azimuth_deg
    means = predictor.predict(samples, "labels", flip=True).azimuth_deg
    assert plain is not None and means is not None
    straight, mirrored = np.radians(plain.astype(float))
    assert abs(straight + mirrored) % (2 * np.pi) > 0.01  # the network knows nothing of mirrors
    expected = np.angle(np.exp(1j * straight) + np.exp(-1j * mirrored), deg=True) % 360
    np.testing.assert_allclose(means, [expected, 360 - expected], atol=1e-2)


def test_half_way_by_hand() -> None:
    got = between(np.array([[3.0, 0], [1, 0]]), np.array([[0, 1.0], [-1, 0]]))
    np.testing.assert_allclose(got[0], 2 * np.array([3, 1]) / 10**0.5, rtol=1e-6)
    np.testing.assert_allclose(got[1], [0, 0])
