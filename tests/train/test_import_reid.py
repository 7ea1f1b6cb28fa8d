"""PAMTRI's re-ID files compute here what they computed in the code that wrote them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from original import Weights, multitask_network
from torch import Tensor

from pamtri.errors import DataError
from train.checkpoint import load_checkpoint, parse_checkpoint_config
from train.cli import import_checkpoint as command
from train.import_checkpoint import import_checkpoint
from train.reid.config import ReidConfig, ReidModelConfig
from train.reid.network import ReidNetwork
from train.reid.predict import ReidPredictor

CHANNELS = {(): 3, ("heatmaps",): 39, ("segments",): 16, ("heatmaps", "segments"): 52}
VARIANTS = [
    ("densenet121", (), False, False),
    ("densenet121", ("heatmaps",), True, False),
    ("densenet121", ("heatmaps", "segments"), True, True),
    ("resnet50", (), True, True),
    ("resnet50", ("segments",), False, True),
]
"""Each embedding, head and backbone; ``test_reid_network`` computes all their combinations."""


def rand(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def made(
    backbone: str, maps: tuple[str, ...], keypoints: bool, multitask: bool
) -> tuple[dict[str, Tensor], dict[str, Tensor], tuple[Tensor, Tensor]]:
    """A random file's state, what PAMTRI's network answers, and the inputs."""
    channels, values = rand(2, CHANNELS[maps], 32, 32, seed=1), rand(2, 108, seed=2)
    weights = Weights()
    with torch.no_grad():
        answer = multitask_network(
            weights, channels, values if keypoints else None, backbone, multitask
        )
    return weights.state, answer, (channels, values)


def own_answer(path: Path, channels: Tensor, values: Tensor) -> tuple[ReidModelConfig, Any]:
    checkpoint = load_checkpoint(path, "reid")
    config = parse_checkpoint_config(path, checkpoint, ReidConfig)
    assert checkpoint.classes == {"real": list(range(6))}
    assert np.isnan(checkpoint.metric)
    network = ReidNetwork(config.model, 6, config.loss).eval()
    network.load_state_dict(checkpoint.state_dict, strict=True)
    with torch.no_grad():
        return config.model, network(channels[:, :3], values, channels[:, 3:] * 0.226 + 0.449)


@pytest.mark.parametrize(("backbone", "maps", "keypoints", "multitask"), VARIANTS)
def test_every_variant_answers_as_the_original(
    backbone: str, maps: tuple[str, ...], keypoints: bool, multitask: bool, tmp_path: Path
) -> None:
    state, expected, inputs = made(backbone, maps, keypoints, multitask)
    torch.save({"state_dict": state, "rank1": np.float32(0.9), "epoch": 7}, tmp_path / "best.pth")
    imported = import_checkpoint(tmp_path / "best.pth", tmp_path / "own.pt")
    assert (imported.kind, imported.backbone) == ("re-ID network", backbone)
    assert imported.tensors == len(state)
    model, got = own_answer(tmp_path / "own.pt", *inputs)
    assert model.embedding == (("keypoints",) if keypoints else ()) + maps
    assert model.multitask == multitask
    for name, value in expected.items():
        difference = (got[name] - value).abs().max() / value.abs().max()
        assert float(difference) < 1e-4, name
    assert set(got) == {*expected, "metric"}


@pytest.fixture(scope="module")
def plain() -> tuple[dict[str, Tensor], dict[str, Tensor], tuple[Tensor, Tensor]]:
    return made("densenet121", (), False, True)


@pytest.mark.parametrize("way", ["bare", "prefix", "wrapped prefix", "without counters"])
def test_every_wrapping_is_taken_off(way: str, plain: Any, tmp_path: Path) -> None:
    state, expected, inputs = plain
    prefixed = {f"module.{key}": value for key, value in state.items()}
    content: Any = {
        "bare": state,
        "prefix": prefixed,
        "wrapped prefix": {"state_dict": prefixed, "rank1": 0.5, "epoch": 1},
        "without counters": {k: v for k, v in state.items() if "num_batches" not in k},
    }[way]
    torch.save(content, tmp_path / "theirs.pth")
    result = CliRunner().invoke(
        command, [str(tmp_path / "theirs.pth"), "--output", str(tmp_path / "own.pt")],
        catch_exceptions=False,
    )  # fmt: skip
    assert "own.pt: re-ID network on densenet121, " in result.output
    assert f"use it with: pamtri predict reid {tmp_path / 'own.pt'} IMAGES" in result.output
    _, got = own_answer(tmp_path / "own.pt", *inputs)
    assert torch.allclose(got["feature"], expected["feature"], rtol=1e-3, atol=1e-4)
    ReidPredictor(tmp_path / "own.pt", torch.device("cpu"))


def test_a_single_task_head_may_have_either_name(tmp_path: Path) -> None:
    state, expected, inputs = made("densenet121", (), False, False)
    renamed = {k.replace("classifier.", "classifier_vid."): v for k, v in state.items()}
    assert renamed.keys() != state.keys()
    torch.save(renamed, tmp_path / "theirs.pth")
    import_checkpoint(tmp_path / "theirs.pth", tmp_path / "own.pt")
    _, got = own_answer(tmp_path / "own.pt", *inputs)
    assert torch.allclose(got["identity"], expected["identity"], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("backbone", ["densenet121", "resnet50"])
def test_a_file_that_does_not_fit_is_refused_with_its_keys(backbone: str, tmp_path: Path) -> None:
    source, target = tmp_path / "theirs.pth", tmp_path / "own.pt"
    state = made(backbone, (), True, True)[0]
    norm, last = ("norm0", "norm5") if backbone == "densenet121" else ("1", "7.2.bn3")
    del state[f"base.{last}.weight"]
    state[f"base.{norm}.bias"] = torch.zeros(65)
    state["classifier_vcolor.weight"] = torch.zeros(12, 512)  # CityFlow's colours
    del state["classifier_vid.bias"]
    state["base.attention.weight"] = torch.zeros(3)
    torch.save({"state_dict": state}, source)
    with pytest.raises(DataError) as error:
        import_checkpoint(source, target)
    first, *lines = str(error.value).splitlines()
    expected = f"{source}: looks like a re-ID network on {backbone}, but 5 keys do not fit:"
    assert first == expected
    assert sorted(line.strip() for line in lines) == sorted(
        [
            f"base.{norm}.bias: expected the shape (64,), got (65,)",
            f"base.{last}.weight: missing",
            "classifier_vid.bias: missing",
            "classifier_vcolor.weight: expected the shape (10, 512), got (12, 512)",
            "base.attention.weight: unknown",
        ]
    )
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"base.conv0.weight": 3}, "looks like a re-ID network on densenet121, but "),
        ({"base.0.weight": torch.zeros(64)}, "looks like a re-ID network on resnet50, but "),
        ({"base.conv0.weight": torch.zeros(64, 8, 7, 7)}, "(64, 3, 7, 7), got (64, 8, 7, 7)"),
    ],
)
def test_hardly_a_network_is_refused(content: Any, sentence: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "theirs.pth")
    with pytest.raises(DataError, match=re.escape(sentence)):
        import_checkpoint(tmp_path / "theirs.pth", tmp_path / "own.pt")


def test_a_training_starts_from_an_imported_file(plain: Any, tmp_path: Path) -> None:
    state = plain[0]
    torch.save(state, tmp_path / "theirs.pth")
    import_checkpoint(tmp_path / "theirs.pth", tmp_path / "own.pt")
    model = ReidModelConfig(weights=str(tmp_path / "own.pt"), embedding=("segments",))
    started = ReidNetwork(model, 3).backbone.state_dict()
    assert torch.equal(started["features.norm5.bias"], state["base.norm5.bias"])
    assert torch.equal(started["features.conv0.weight"][:, :3], state["base.conv0.weight"])
