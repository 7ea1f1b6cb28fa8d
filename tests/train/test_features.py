"""Features of images from every kind of network, against the networks called by hand."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from pamtri.config import parse_config
from pamtri.errors import DataError, UserError
from pamtri.images import read_image
from train.augment import denormalise
from train.checkpoint import Checkpoint, save_checkpoint
from train.cli import predict
from train.features import image_features
from train.images import CropCache
from train.pose.config import PoseConfig
from train.pose.data import pose_view
from train.pose.network import PoseNetwork
from train.reid.config import ReidConfig
from train.reid.network import ReidNetwork
from train.reid.predict import ReidPredictor
from train.sources import open_for_prediction

CPU = torch.device("cpu")
POSE = {
    "data": {"real": {"path": "nowhere"}}, "mixing": {"synthetic_ratio": 0.0},
    "model": {"backbone": "hrnet_w4", "input_size": 64}, "training": {"steps": 1},
}  # fmt: skip
REID = {
    "data": {"real": {"path": "nowhere"}}, "mixing": {"synthetic_ratio": 0.0},
    "model": {"backbone": "resnet10t", "input_size": 32, "multitask": False},
    "training": {"steps": 1},
}  # fmt: skip


def checkpoint(path: Path, kind: str, config: object, network: torch.nn.Module) -> Path:
    plain = config.model_dump(mode="json")  # type: ignore[attr-defined]
    classes = {"real": [0, 1, 2]} if kind == "reid" else None
    save_checkpoint(path, Checkpoint(kind, plain, classes, network.state_dict(), 0.5, 1))
    return path


def test_timm_network_from_a_file_of_weights(tmp_path: Path, real: Path) -> None:
    """The pixels in the network's own scale: timm's test_resnet has one of its own."""
    torch.manual_seed(3)
    network = timm.create_model("test_resnet", num_classes=5).eval()
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    samples = open_for_prediction(real)[:3]
    found = image_features(str(tmp_path / "w.safetensors"), "test_resnet", samples, CPU)
    config = timm.get_pretrained_cfg("test_resnet")
    side, mean, std = config.input_size[-1], config.mean, config.std
    assert tuple(np.round(mean, 3)) == (0.5, 0.5, 0.5)  # not ImageNet's: it matters
    for sample, row in zip(samples, found, strict=True):
        image = torch.from_numpy(read_image(sample.path).astype(np.float32) / 255)
        image = torch.nn.functional.interpolate(
            image.permute(2, 0, 1)[None], size=(side, side), mode="bilinear"
        )
        image = (image - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
        with torch.no_grad():
            slow = network.forward_head(network.forward_features(image), pre_logits=True)[0]
        near = np.corrcoef(slow.numpy(), row)[0, 1]
        assert near > 0.999
        np.testing.assert_allclose(row, slow.numpy(), rtol=0.05, atol=0.02)


def test_random_network_is_the_same_every_time_and_touches_nobody_s_chance(real: Path) -> None:
    samples = open_for_prediction(real)[:2]
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    first = image_features("random", "test_resnet", samples, CPU)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(1)
    np.testing.assert_array_equal(image_features("random", "test_resnet", samples, CPU), first)
    assert np.ptp(first, axis=0).max() > 0


def test_pose_checkpoint_gives_the_mean_of_what_heatmaps_are_made_of(
    tmp_path: Path, real: Path
) -> None:
    config = parse_config(POSE, PoseConfig, "pose")
    network = PoseNetwork(config.model).eval()
    path = checkpoint(tmp_path / "best.pt", "pose", config, network)
    samples = open_for_prediction(real)[:2]
    found = image_features(str(path), None, samples, CPU)
    seen: list[torch.Tensor] = []
    network.head.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    view = pose_view(config.model.input_size, config.box_scale, CropCache(0))
    for sample, row in zip(samples, found, strict=True):
        with torch.no_grad():
            network(torch.from_numpy(view.plain(sample)[0]["image"])[None])
        np.testing.assert_allclose(row, seen.pop().mean(dim=(2, 3))[0], rtol=1e-3, atol=1e-5)
    assert denormalise(view.plain(samples[0])[0]["image"]).shape == (64, 64, 3)


def test_reid_checkpoint_gives_its_retrieval_features(tmp_path: Path, real: Path) -> None:
    config = parse_config(REID, ReidConfig, "reid")
    path = checkpoint(tmp_path / "best.pt", "reid", config, ReidNetwork(config.model, 3))
    samples = open_for_prediction(real)[:3]
    expected = ReidPredictor(path, CPU).predict(samples, "labels").features
    np.testing.assert_array_equal(image_features(str(path), None, samples, CPU), expected)
    with pytest.raises(
        UserError, match=r"best.pt: is a reid checkpoint, which needs no --backbone"
    ):
        image_features(str(path), "resnet18", samples, CPU)


def test_what_is_no_network_is_told(tmp_path: Path, real: Path) -> None:
    samples = open_for_prediction(real)[:1]
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    weights = str(tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="say with --backbone which of timm's networks its weights"):
        image_features(weights, None, samples, CPU)
    with pytest.raises(DataError, match="does not hold this backbone"):
        image_features(weights, "test_resnet", samples, CPU)
    with pytest.raises(DataError, match="no such file of weights"):
        image_features(str(tmp_path / "gone.pt"), "test_resnet", samples, CPU)


def test_the_command_writes_a_feature_file(tmp_path: Path, real: Path) -> None:
    output = tmp_path / "features.npz"
    arguments = ["features", "random", str(real), "--backbone", "test_resnet", "--split", "test",
                 "--output", str(output)]  # fmt: skip
    result = CliRunner().invoke(predict, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    samples = open_for_prediction(real, splits=("test",))
    with np.load(output) as file:
        assert file["names"].tolist() == [s.name for s in samples]
        np.testing.assert_array_equal(
            file["features"], image_features("random", "test_resnet", samples, CPU)
        )
    assert f"features of {len(samples)} images" in result.output
