"""The shipped re-ID configurations are what their names say, and their networks can be built."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pamtri.config import load_config
from train.reid.backbone import channels_of
from train.reid.config import ReidConfig
from train.reid.network import ReidNetwork, map_channels

FOLDER = Path(__file__).parents[2] / "configs" / "reid"
PAMTRI = "pamtri_densenet121_"
IDENTITIES = 7


def preset(name: str) -> ReidConfig:
    return load_config(FOLDER / f"{name}.yaml", ReidConfig)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_networks_can_be_built_and_called(name: str) -> None:
    """On the meta device: shapes alone, at the full size."""
    config = preset(name)
    model = config.model.model_copy(update={"weights": "none"})
    size, extra = model.input_size, map_channels(model)
    with torch.device("meta"):
        network = ReidNetwork(model, IDENTITIES, config.loss).eval()
        maps = torch.zeros(2, extra, size // 4, size // 4) if extra else None
        pose = torch.zeros(2, 108) if "keypoints" in model.embedding else None
        output = network(torch.zeros(2, 3, size, size), pose, maps)
    shapes = {key: tuple(value.shape) for key, value in output.items()}
    width = channels_of(network.backbone)
    expected = {"feature": (2, width), "metric": (2, width), "identity": (2, IDENTITIES)}
    heads = {"colour": (2, 10), "type": (2, 9)} if model.multitask else {}
    heads |= {"azimuth": (2, 2)} if model.azimuth == "sin_cos" else {}
    assert shapes == expected | heads


def test_the_original_recipe() -> None:
    config = preset(PAMTRI + "multitask")
    loss, training = config.loss, config.training
    assert config.model.model_dump(exclude={"azimuth_bins", "new_identities"}) == {
        "backbone": "densenet121", "weights": "imagenet", "input_size": 256, "embedding": (),
        "multitask": True, "azimuth": "none", "keypoints": False, "pooling": "mean", "neck": "none",
        "last_stride": 2, "normalise": False,
    }  # fmt: skip
    assert (loss.identity, loss.triplet, loss.triplet_margin) == (1, 1, 0.3)
    assert (loss.colour, loss.type, loss.label_smoothing) == (0.125, 0.125, 0)
    assert (training.optimiser, training.learning_rate, training.weight_decay) == (
        "adam", 3e-4, 5e-4,
    )  # fmt: skip
    assert (training.identities, training.images_per_identity) == (8, 4)
    assert (training.schedule.kind, training.schedule.milestones) == ("steps", (0.25, 0.5))
    assert not training.spread_cameras


def test_the_original_variants_differ_in_nothing_else() -> None:
    """So that a comparison of them is an ablation."""
    variants = {
        "plain": ((), False),
        "multitask": ((), True),
        "keypoints": (("keypoints",), True),
        "heatmaps": (("keypoints", "heatmaps"), True),
        "segments": (("keypoints", "segments"), True),
    }
    assert {path.stem for path in FOLDER.glob(f"{PAMTRI}*.yaml")} == {PAMTRI + v for v in variants}

    def rest(config: ReidConfig) -> dict[str, object]:
        plain = config.model_dump()
        del plain["model"]["embedding"], plain["model"]["multitask"]
        del plain["data"]["real"]["keypoints"]
        return plain

    for name, (embedding, multitask) in variants.items():
        config = preset(PAMTRI + name)
        assert (config.model.embedding, config.model.multitask) == (embedding, multitask)
        assert rest(config) == rest(preset(PAMTRI + "multitask"))


def test_the_strong_baseline_uses_what_its_paper_lists() -> None:
    config = preset("strong_baseline")
    model, loss = config.model, config.loss
    assert (model.last_stride, model.neck, model.normalise) == (1, "bnneck", True)
    assert (loss.label_smoothing, loss.centre) == (0.1, 0.0005)
    assert config.training.schedule.warmup_steps > 0
    assert config.augment.occlusion > 0  # random erasing
    with torch.device("meta"):
        network = ReidNetwork(model.model_copy(update={"weights": "none"}), IDENTITIES, loss)
        features = network.backbone(torch.zeros(1, 3, 256, 256))
    assert features.shape == (1, 2048, 16, 16)
