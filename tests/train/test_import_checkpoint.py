"""Foreign checkpoints compute here what they computed in the code that wrote them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from original import Weights, imagenet_hrnet, pose_hrnet, pose_resnet50
from torch import Tensor, nn

from pamtri.config import parse_config
from pamtri.errors import ConfigError, DataError
from pamtri.keypoints import FLIP
from train.checkpoint import load_checkpoint, parse_checkpoint_config
from train.cli import import_checkpoint as command
from train.import_checkpoint import import_checkpoint
from train.pose.codec import encode
from train.pose.config import PoseConfig, PoseModelConfig
from train.pose.network import PoseNetwork, target_points
from train.pose.predict import PosePredictor, predict_points
from train.weights import create_backbone, read_state

POSE: dict[str, Callable[[Weights, Tensor], Tensor]] = {
    "hrnet_w32": lambda w, images: pose_hrnet(w, images, 32),
    "hrnet_w8": lambda w, images: pose_hrnet(w, images, 8),
    "resnet50": pose_resnet50,
}


def made(network: Callable[[Weights, Tensor], Tensor], images: Tensor) -> tuple[Any, Tensor]:
    """A random checkpoint of ``network``, and what it answers to ``images``."""
    weights = Weights()
    with torch.no_grad():
        answer = network(weights, images)
    return weights.state, answer


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def small(images: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    return made(POSE["hrnet_w8"], images)


def answer(path: Path, images: Tensor) -> Tensor:
    checkpoint = load_checkpoint(path, "pose")
    config = parse_checkpoint_config(path, checkpoint, PoseConfig)
    network = PoseNetwork(config.model)
    network.load_state_dict(checkpoint.state_dict, strict=True)
    with torch.no_grad():
        result: Tensor = network.eval()(images)
    return result


def difference(got: Tensor, expected: Tensor) -> float:
    assert got.shape == expected.shape
    return float((got - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", POSE)
def test_a_pose_network_answers_as_the_original(name: str, images: Tensor, tmp_path: Path) -> None:
    state, expected = made(POSE[name], images)
    torch.save(state, tmp_path / "model_best.pth")
    result = CliRunner().invoke(
        command, [str(tmp_path / "model_best.pth"), "--output", str(tmp_path / "own.pt")],
        catch_exceptions=False,
    )  # fmt: skip
    kind = "pose_resnet" if name == "resnet50" else "pose_hrnet"
    assert f"own.pt: {kind} on {name}, {len(state)} tensors; use it with: " in result.output
    assert f"pamtri predict pose {tmp_path / 'own.pt'} IMAGES" in result.output
    assert difference(answer(tmp_path / "own.pt", images), expected) < 1e-4
    # No tensor was made up, none forgotten.
    own = load_checkpoint(tmp_path / "own.pt", "pose").state_dict
    assert sorted(t.double().sum().item() for t in own.values()) == sorted(
        t.double().sum().item() for t in state.values()
    )
    config = parse_checkpoint_config(
        tmp_path / "own.pt", load_checkpoint(tmp_path / "own.pt", "pose"), PoseConfig
    )
    assert (config.model.input_size, config.model.loss, config.box_scale) == (256, "mse", 1.25)


def test_an_imagenet_file_answers_as_the_original_and_starts_a_training(
    images: Tensor, tmp_path: Path
) -> None:
    state, expected = made(lambda w, x: imagenet_hrnet(w, x, 8), images)
    torch.save(state, tmp_path / "hrnet.pth")
    imported = import_checkpoint(tmp_path / "hrnet.pth", tmp_path / "own.pt")
    assert (imported.kind, imported.backbone, imported.is_pose) == (
        "ImageNet HRNet", "hrnet_w8", False,
    )  # fmt: skip
    network = create_backbone("hrnet_w8")
    network.load_state_dict(read_state(tmp_path / "own.pt")["state_dict"], strict=True)
    with torch.no_grad():
        assert difference(network.eval()(images), expected) < 1e-4
    for file in ("own.pt", "hrnet.pth"):
        started = PoseNetwork(PoseModelConfig(backbone="hrnet_w8", weights=str(tmp_path / file)))
        last = "stage4.2.fuse_layers.0.3.0.weight"
        assert torch.equal(started.backbone.state_dict()[last], state[last])
    with pytest.raises(DataError, match="is no checkpoint of this program"):
        PosePredictor(tmp_path / "own.pt", torch.device("cpu"))


def test_a_file_of_the_trunk_alone_is_one_of_weights(images: Tensor, tmp_path: Path) -> None:
    state, _ = made(lambda w, x: imagenet_hrnet(w, x, 8), images)
    trunk = {k: v for k, v in state.items() if re.match(r"(conv|bn|layer|transition|stage)\d", k)}
    torch.save(trunk, tmp_path / "trunk.pth")
    imported = import_checkpoint(tmp_path / "trunk.pth", tmp_path / "own.pt")
    assert (imported.kind, imported.tensors) == ("ImageNet HRNet", len(trunk))


def wrapped(state: dict[str, Tensor], way: str) -> dict[str, Any]:
    prefixed = {f"module.{key}": value for key, value in state.items()}
    match way:
        case "prefix":
            return prefixed
        case "without counters":
            return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
        case "checkpoint.pth":
            parameter = nn.Parameter(torch.zeros(3))
            adam = torch.optim.Adam([parameter])
            parameter.sum().backward()
            adam.step()
            return {
                "epoch": 210, "model": "pose_hrnet", "state_dict": prefixed,
                "best_state_dict": state, "perf": np.float64(0.823), "optimizer": adam.state_dict(),
            }  # fmt: skip
        case _:
            return {"state_dict": prefixed, "epoch": 3}


WRAPPINGS = ("prefix", "without counters", "checkpoint.pth", "state_dict")


@pytest.mark.parametrize(
    ("way", "is_zip"), [*((w, True) for w in WRAPPINGS), (WRAPPINGS[2], False)]
)
def test_every_wrapping_is_taken_off(
    way: str, is_zip: bool, small: tuple[dict[str, Tensor], Tensor], images: Tensor, tmp_path: Path
) -> None:
    state, expected = small
    torch.save(wrapped(state, way), tmp_path / "theirs.pth", _use_new_zipfile_serialization=is_zip)
    import_checkpoint(tmp_path / "theirs.pth", tmp_path / "own.pt")
    assert difference(answer(tmp_path / "own.pt", images), expected) < 1e-4
    metric = load_checkpoint(tmp_path / "own.pt", "pose").metric
    assert metric == 0.823 if way == "checkpoint.pth" else np.isnan(metric)
    # A training starts from the file itself as well.
    model = PoseModelConfig(backbone="hrnet_w8", weights=str(tmp_path / "theirs.pth"))
    assert torch.equal(PoseNetwork(model).backbone.conv2.weight, state["conv2.weight"])


def test_a_file_that_does_not_fit_is_refused_with_its_keys(
    small: tuple[dict[str, Tensor], Tensor], tmp_path: Path
) -> None:
    source, target = tmp_path / "theirs.pth", tmp_path / "own.pt"
    state = dict(small[0])
    del state["stage3.1.branches.2.0.conv1.weight"]
    state["bn1.bias"] = torch.zeros(65)
    # The whole last module of an ImageNet file has outputs that a pose network never computes.
    state["stage4.2.fuse_layers.1.0.0.0.weight"] = torch.zeros(16, 8, 3, 3)
    torch.save(state, source)
    with pytest.raises(DataError) as error:
        import_checkpoint(source, target)
    first, *lines = str(error.value).splitlines()
    assert first == f"{source}: looks like a pose_hrnet on hrnet_w8, but 3 keys do not fit:"
    assert [line.strip() for line in lines] == [
        "bn1.bias: expected the shape (64,), got (65,)",
        "stage3.1.branches.2.0.conv1.weight: missing",
        "stage4.2.fuse_layers.1.0.0.0.weight: unknown",
    ]
    assert not target.exists()


def test_a_network_of_other_keypoints_is_pointed_to_model_weights(
    images: Tensor, tmp_path: Path
) -> None:
    state, _ = made(lambda w, x: pose_hrnet(w, x, 8, points=17), images)
    torch.save(state, tmp_path / "people.pth")
    with pytest.raises(DataError) as error:
        import_checkpoint(tmp_path / "people.pth", tmp_path / "own.pt")
    first, *lines = str(error.value).splitlines()
    assert "2 keys do not fit (its head must have 36 heatmaps; to train from its backbone" in first
    assert [line.strip() for line in lines] == [
        "final_layer.weight: expected the shape (36, 8, 1, 1), got (17, 8, 1, 1)",
        "final_layer.bias: expected the shape (36,), got (17,)",
    ]
    PoseNetwork(PoseModelConfig(backbone="hrnet_w8", weights=str(tmp_path / "people.pth")))


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def test_other_files_are_refused_and_nothing_in_them_is_executed(tmp_path: Path) -> None:
    source, target = tmp_path / "theirs.pth", tmp_path / "own.pt"
    for content, sentence in (
        (
            {"base.norm0.weight": torch.zeros(1), 3: 4},
            "got 2 keys such as 'base.norm0.weight', '3'",
        ),
        ({}, "PAMTRI's re-ID network or an ImageNet HRNet, got 0 keys"),
        ({"stage2.0.branches.0.0.conv1.weight": 3}, "looks like an ImageNet HRNet on hrnet_w32"),
        ([1, 2], "expected a dictionary of tensors, got list"),
        ({"state_dict": Trap(tmp_path / "sprung")}, "no plain file of weights: it holds a '"),
        ({"perf": np.array([Trap(tmp_path / "sprung")], dtype=object)[:1]}, "is no plain file"),
    ):
        torch.save(content, source)
        with pytest.raises(DataError, match=re.escape(sentence)):
            import_checkpoint(source, target)
    assert not (tmp_path / "sprung").exists()
    assert not target.exists()


def test_unknown_backbones_are_refused_by_name() -> None:
    data = {"data": {"real": {"path": "x"}}, "mixing": {"synthetic_ratio": 0.0},
            "training": {"steps": 1}}  # fmt: skip
    for name in ("hrnet_w0", "hrnet_w9999", "hrnet", "resnet51", "densenet121", "hrnet_w32x"):
        with pytest.raises(ConfigError, match=f"model.backbone: expected one of .*got '{name}'"):
            parse_config({**data, "model": {"backbone": name}}, PoseConfig, "c")
    with pytest.raises(ConfigError, match=r"\(did you mean 'resnet50'\?\)"):
        parse_config({**data, "model": {"backbone": "resnet-50"}}, PoseConfig, "c")
    with pytest.raises(ConfigError, match="timm has no ImageNet weights of 'hrnet_w20'"):
        PoseNetwork(PoseModelConfig(backbone="hrnet_w20", weights="imagenet"))


class Original(nn.Module):
    """Heatmaps as PAMTRI's networks see points: pixel j stands for the input's 4 j + 0.5."""

    def __init__(self, points: Tensor, size: int) -> None:
        super().__init__()
        mirrored = torch.stack([size - points[..., 0], points[..., 1]], dim=-1)[:, FLIP.copy()]
        at = (torch.cat([points, mirrored]) - 0.5) / 4
        pixels = torch.arange(size // 4)
        x, y = (torch.exp(-((pixels - at[..., i, None]) ** 2) / 8) for i in (0, 1))
        self._maps = y[..., :, None] * x[..., None, :]

    def forward(self, images: Tensor) -> Tensor:
        return self._maps


def test_points_of_an_imported_network_come_back_where_the_original_saw_them() -> None:
    model = PoseModelConfig(input_size=128, heatmap_pixel="first")
    points = 10 + 108 * torch.rand(4, 36, 2, generator=torch.Generator().manual_seed(0))
    batch = {"image": torch.zeros(4, 3, 128, 128), "to_image": torch.eye(3)[:2].repeat(4, 1, 1)}
    got, confidence = predict_points(Original(points, 128), model, [batch])
    assert np.abs(got - points.numpy()).max() < 0.1
    assert confidence.min() > 0.93
    # What a training teaches such a network is what it says.
    taught = encode(target_points(points, model), 32, 2.0)
    assert torch.allclose(taught, Original(points, 128)(points)[:4], atol=1e-5)


@pytest.mark.parametrize("name", ["hrnet_w18_small", "hrnet_w18_small_v2", "hrnet_w18", "resnet18"])
def test_layouts_of_equal_width_are_told_apart(name: str, tmp_path: Path) -> None:
    network = PoseNetwork(PoseModelConfig(backbone=name))
    theirs = {"head.": "final_layer.", "upsample.": "deconv_layers.", "backbone.": ""}
    state = {}
    for key, value in network.state_dict().items():
        ours = next(prefix for prefix in theirs if key.startswith(prefix))
        state[theirs[ours] + key.removeprefix(ours)] = value
    torch.save(state, tmp_path / "theirs.pth")
    assert import_checkpoint(tmp_path / "theirs.pth", tmp_path / "own.pt").backbone == name
