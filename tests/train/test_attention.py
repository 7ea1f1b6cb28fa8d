"""Where a re-ID network looks: Grad-CAM of a similarity, against what it must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from pamtri.features import Features, Labels
from pamtri.record import Record
from pamtri.search import nearest
from train.checkpoint import Checkpoint, save_checkpoint
from train.reid.attention import ReidAttention, likeness_by_place, sample_of
from train.reid.backbone import feature_map
from train.reid.config import ReidConfig, ReidModelConfig
from train.reid.network import ReidNetwork
from train.reid.predict import ReidPredictor
from train.sources import Sample

CPU = torch.device("cpu")
PLAIN = {"backbone": "resnet10t", "input_size": 64, "multitask": False}


def network(**model: object) -> ReidNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return ReidNetwork(ReidModelConfig.model_validate({**PLAIN, **model}), 5).eval()


@pytest.mark.parametrize("backbone", ["resnet10t", "densenet121", "vit_tiny_patch16_224"])
def test_of_a_mean_it_is_the_similarity_place_by_place(backbone: str) -> None:
    model = network(backbone=backbone, pooling="mean")
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        seen = feature_map(model.backbone, images)
        others = torch.randn(2, seen.shape[1], generator=torch.Generator().manual_seed(2))
        places = torch.einsum("ncp,nc->np", seen, others) / seen.shape[2]
        product = (model(images)["feature"] * others).sum(dim=1)
    torch.testing.assert_close(places.sum(dim=1), product, rtol=1e-4, atol=1e-4)
    found = likeness_by_place(model, (images, None, None), others)
    side = round(places.shape[1] ** 0.5)
    expected = places.reshape(2, side, side).clamp(min=0)
    assert expected.max() > 0
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_with_layers_behind_the_mean_it_is_the_gradient_by_differences() -> None:
    model = network(multitask=True, neck="bnneck", pooling="gem").double()
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)).double()
    others = torch.randn(1, 512, generator=torch.Generator().manual_seed(2)).double()
    found = likeness_by_place(model, (images, None, None), others)

    with torch.no_grad():
        seen = feature_map(model.backbone, images)

        def product(features: torch.Tensor) -> float:
            assert model.pool is not None and model.neck is not None
            pooled = model.pool.double()(features)
            return float((model.neck(pooled) * others).sum())

        weights = torch.zeros(seen.shape[1], dtype=torch.float64)
        for channel in range(seen.shape[1]):
            step = torch.zeros_like(seen)
            step[0, channel] = 1e-2  # GeM counts in single precision
            slope = (product(seen + step) - product(seen - step)) / 2e-2
            weights[channel] = slope / seen.shape[2]
        expected = torch.einsum("cp,c->p", seen[0], weights).clamp(min=0)
    torch.testing.assert_close(
        found.flatten(), expected, rtol=0.02, atol=0.02 * float(expected.max())
    )


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A network with features of length 1, that has learned nothing."""
    config = ReidConfig.model_validate(
        {
            "data": {"real": {"path": "nowhere"}},
            "mixing": {"synthetic_ratio": 0},
            "model": {**PLAIN, "normalise": True},
            "training": {
                "steps": 1,
                "identities": 2,
                "images_per_identity": 2,
                "validate_every": 1,
            },
        }
    )
    state = network(normalise=True).state_dict()
    path = tmp_path / "best.pt"
    dump = config.model_dump(mode="json")
    save_checkpoint(path, Checkpoint("reid", dump, {"real": [0, 1, 2, 3, 4]}, state, 0.5, 1))
    return path


def pictures(folder: Path) -> list[Sample]:
    """Pictures that are grey but for one bright corner each."""
    samples = []
    for i, (x, y) in enumerate([(0, 0), (40, 0), (0, 40)]):
        pixels = np.full((64, 64, 3), 90, np.uint8)
        pixels[y : y + 24, x : x + 24] = np.random.default_rng(i).integers(0, 256, (24, 24, 3))
        path = folder / f"{i}.png"
        Image.fromarray(pixels).save(path)
        record = Record(image=path.name, domain="real", box=(0, 0, 64, 64), identity=i)
        samples.append(Sample(path, record, "real"))
    return samples


def test_maps_of_a_search(trained: Path, tmp_path: Path) -> None:
    samples = pictures(tmp_path)
    features = ReidPredictor(trained, CPU).predict(samples, "labels")
    np.testing.assert_allclose(np.linalg.norm(features.features, axis=1), 1, rtol=1e-5)
    matches = nearest(features, 0, features, 5)
    looker = ReidAttention(trained, CPU)
    heat = looker.of_search(features, 0, features, matches, samples, "labels")
    assert heat.shape == (3, 64, 64)
    assert heat.min() >= 0
    np.testing.assert_allclose(heat.max(axis=(1, 2)), 1, rtol=1e-5)

    first = matches[0].row
    pairs = [(0, first), *((match.row, 0) for match in matches)]
    model = network(normalise=False)
    for found, (shown, other) in zip(heat, pairs, strict=True):
        image = np.asarray(Image.open(samples[shown].path), np.float32) / 255
        scaled = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        tensor = torch.from_numpy(scaled.transpose(2, 0, 1)[None]).float()
        with torch.no_grad():
            seen = feature_map(model.backbone, tensor)
        places = (seen[0].T @ torch.from_numpy(features.features[other])).clamp(min=0)
        large = F.interpolate(places.reshape(1, 1, 2, 2), size=64, mode="bilinear")[0, 0]
        np.testing.assert_allclose(found, large / large.max(), atol=2e-3)

    again = looker.of_search(features, 0, features, matches, None, "labels")
    np.testing.assert_allclose(again, heat, atol=1e-5)


def test_the_part_that_is_shown_is_the_features_box(tmp_path: Path) -> None:
    records = [Record(image="a.png", domain="real", box=(1, 2, 30, 40)),
               Record(image="b.png", domain="real")]  # fmt: skip
    features = Features(
        tmp_path / "f.npz", ("a.png", "b.png"), np.zeros((2, 3), np.float32),
        paths=(tmp_path / "x/a.png", tmp_path / "x/b.png"), labels=Labels.of(records),
    )  # fmt: skip
    assert sample_of(features, 0).record.box == (1, 2, 30, 40)
    assert sample_of(features, 0).path == tmp_path / "x/a.png"
    assert sample_of(features, 1).record.box is None
