"""The re-identification network: its variants, backbones, pooling and neck."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pamtri.errors import ConfigError, DataError
from train.reid.backbone import InstanceBatchNorm, build_backbone, feature_map
from train.reid.config import Embedding, ReidLossConfig, ReidModelConfig
from train.reid.network import MAP_CHANNELS, GeneralisedMean, ReidNetwork, normalised_maps

KINDS: tuple[Embedding, ...] = ("keypoints", "heatmaps", "segments")


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def built(**model: object) -> ReidNetwork:
    torch.manual_seed(0)
    config = ReidModelConfig(**{"backbone": "resnet10t", "input_size": 32, **model})  # type: ignore[arg-type]
    return ReidNetwork(config, 7).eval()


@pytest.mark.parametrize("multitask", [False, True])
@pytest.mark.parametrize(
    "embedding", [c for n in range(4) for c in itertools.combinations(KINDS, n)], ids="+".join
)
def test_every_variant_computes_what_it_says(
    multitask: bool, embedding: tuple[Embedding, ...]
) -> None:
    network = built(multitask=multitask, embedding=embedding)
    channels = sum(MAP_CHANNELS.get(kind, 0) for kind in embedding)
    images, pose, maps = rand(2, 3, 32, 32), rand(2, 108, seed=1), rand(2, channels, 32, 32, seed=2)
    with torch.no_grad():
        output = network(images, pose, maps)
        seen = torch.cat([images, (maps - 0.449) / 0.226], dim=1)
        assert seen.shape[1] == network.backbone.conv1[0].in_channels
        known = network.backbone(seen).mean(dim=(2, 3))
        if "keypoints" in embedding:
            known = torch.cat([known, pose], dim=1)
        layer = network.identity_layer
        assert (layer is not None) == (multitask or "keypoints" in embedding)
        feature = known if layer is None else F.leaky_relu(layer(known), 0.01)
    assert set(output) == {"feature", "metric", "identity"} | (
        {"colour", "type"} if multitask else set()
    )
    assert torch.allclose(output["feature"], feature, atol=1e-6)
    assert torch.equal(output["metric"], output["feature"])
    head = network.identity_head
    assert torch.allclose(output["identity"], feature @ head.weight.T + head.bias, atol=1e-5)
    if multitask:
        (first, _, last) = network.attribute_heads["colour_head"]
        hidden = F.leaky_relu(known @ first.weight.T + first.bias, 0.01)
        assert first.out_features == 512
        assert torch.allclose(output["colour"], hidden @ last.weight.T + last.bias, atol=1e-5)
        assert output["type"].shape == (2, 9)


def test_maps_of_bytes_and_of_another_size_are_brought_to_the_image() -> None:
    images, maps = rand(1, 3, 16, 16), torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    maps[0, 0, 1, 2] = 255
    seen = normalised_maps(maps, images)
    assert seen.shape == (1, 1, 16, 16)
    values = seen[0, 0] * 0.226 + 0.449
    # The byte's four-by-four pixels have its value in their middle, and fall off linearly from it.
    assert float(values[5, 9]) == pytest.approx(0.875**2, abs=1e-6)
    assert float(values[5, 7]) == pytest.approx(0.875 * 0.375, abs=1e-6)
    assert float(values[0, 0]) == pytest.approx(0.0, abs=1e-6)


BACKBONES = ("densenet121", "resnet18", "resnet18_ibn_a", "convnext_atto", "vit_tiny_patch16_224",
             "mobilenetv3_small_050", "swin_tiny_patch4_window7_224", "hrnet_w18_small",
             "efficientnet_lite0")  # fmt: skip


@pytest.mark.parametrize("backbone", BACKBONES)
def test_any_backbone_can_stand_before_the_head(backbone: str) -> None:
    with torch.device("meta"):
        config = ReidModelConfig(backbone=backbone, input_size=96, embedding=("segments",))
        if backbone.startswith("swin"):
            config = config.model_copy(update={"input_size": 224})
        network = ReidNetwork(config, 5).eval()
        size = config.input_size
        output = network(torch.zeros(2, 3, size, size), None, torch.zeros(2, 13, size, size))
        width = network.identity_head.in_features
        assert output["feature"].shape == (2, width)


def test_tokens_that_stand_for_no_place_are_not_pooled() -> None:
    config = ReidModelConfig(backbone="vit_tiny_patch16_224", input_size=32)
    trunk = build_backbone(config, 0).eval()
    images = rand(1, 3, 32, 32)
    with torch.no_grad():
        tokens = trunk(images)
        assert tokens.shape == (1, 5, 192)
        assert torch.equal(feature_map(trunk, images), tokens[:, 1:].transpose(1, 2))


def test_channels_last_of_a_window_network_are_channels() -> None:
    class Window(nn.Module):
        output_fmt = "NHWC"

        def forward(self, images: Tensor) -> Tensor:
            return images.permute(0, 2, 3, 1)

    images = rand(2, 5, 3, 4)
    assert torch.equal(feature_map(Window(), images), images.reshape(2, 5, 12))


def test_generalised_mean_by_hand() -> None:
    pool = GeneralisedMean()
    features = torch.tensor([[[1.0, 2.0, 4.0], [0.0, -5.0, 0.0]]])
    assert float(pool.p.detach()) == 3
    assert pool(features)[0, 0].item() == pytest.approx((73 / 3) ** (1 / 3))
    assert pool(features)[0, 1].item() == pytest.approx(1e-6, rel=1e-3)
    pool.p.data.fill_(1.0)
    assert pool(features)[0, 0].item() == pytest.approx(7 / 3)
    pool(features).sum().backward()
    assert pool.p.grad is not None
    assert torch.isfinite(pool.p.grad).all()
    network = built(pooling="gem")
    images = rand(1, 3, 32, 32)
    with torch.no_grad():
        mapped = network.backbone(images).clamp(min=1e-6)
        expected = mapped.pow(3).mean(dim=(2, 3)).pow(1 / 3)
        got = built(pooling="gem", multitask=False)(images)["feature"]
    assert torch.allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_a_densenet_keeps_its_last_relu_for_the_generalised_mean_only() -> None:
    images = rand(1, 3, 32, 32)
    for pooling, negative in (("mean", True), ("gem", False)):
        config = ReidModelConfig(backbone="densenet121", pooling=pooling)  # type: ignore[arg-type]
        with torch.no_grad():
            features = feature_map(build_backbone(config, 0).eval(), images)
        assert (float(features.min()) < 0) == negative


def test_the_neck_lies_between_metric_losses_and_identity() -> None:
    network = built(neck="bnneck", normalise=True)
    assert network.identity_layer is None
    assert network.neck is not None
    network.neck.running_mean += 0.5
    network.neck.running_var *= 4
    images = rand(3, 3, 32, 32)
    with torch.no_grad():
        output = network(images)
        pooled = network.backbone(images).mean(dim=(2, 3))
    after = (pooled - 0.5) / (4 + 1e-5) ** 0.5
    assert torch.allclose(output["metric"], pooled, atol=1e-6)
    assert torch.allclose(output["identity"], after @ network.identity_head.weight.T, atol=1e-5)
    length = after.norm(dim=1, keepdim=True)
    assert torch.allclose(output["feature"], after / length, atol=1e-5)
    assert network.identity_head.bias is None
    assert not network.neck.bias.requires_grad
    assert built(neck="bnneck", embedding=("keypoints",)).identity_layer is not None


def test_the_azimuth_head() -> None:
    images = rand(1, 3, 32, 32)
    assert built(azimuth="sin_cos")(images)["azimuth"].shape == (1, 2)
    alone = built(azimuth="bins", azimuth_bins=12, multitask=False)(images)
    assert alone["azimuth"].shape == (1, 12)
    assert "colour" not in alone


def test_the_head_of_angles_gives_cosines() -> None:
    torch.manual_seed(0)
    config = ReidModelConfig(backbone="resnet10t", input_size=32)
    network = ReidNetwork(config, 7, ReidLossConfig(identity_kind="arcface")).eval()
    with torch.no_grad():
        output = network(rand(2, 3, 32, 32))
    weight, feature = network.identity_head.weight, output["feature"]
    for i, c in itertools.product(range(2), range(7)):
        cosine = feature[i] @ weight[c] / feature[i].norm() / weight[c].norm()
        assert float(output["identity"][i, c]) == pytest.approx(float(cosine.detach()), abs=1e-5)


@pytest.mark.parametrize("backbone", ["densenet121", "resnet18", "resnet26", "resnet10t"])
def test_a_last_stride_of_one_doubles_the_last_map(backbone: str) -> None:
    images = rand(1, 3, 64, 64)
    trunks = [
        build_backbone(ReidModelConfig(backbone=backbone, last_stride=stride), 0).eval()  # type: ignore[arg-type]
        for stride in (1, 2)
    ]
    trunks[0].load_state_dict(trunks[1].state_dict(), strict=True)
    with torch.no_grad():
        fine, coarse = (trunk(images) for trunk in trunks)
    assert fine.shape[2:] == (4, 4)
    assert coarse.shape[2:] == (2, 2)
    if backbone == "resnet26":
        # Every second output of the first block is what the coarse one has there.
        seen = rand(1, 1024, 4, 4)
        with torch.no_grad():
            first, other = (trunk.layer4[0](seen) for trunk in trunks)  # type: ignore[union-attr, operator, index]
        assert torch.allclose(first[..., ::2, ::2], other, atol=1e-5)


def test_only_some_backbones_can_have_a_last_stride_of_one() -> None:
    config = ReidModelConfig(backbone="convnext_atto", last_stride=1)
    with pytest.raises(ConfigError, match=r"^model.last_stride: expected 2 for .*'convnext_atto'"):
        build_backbone(config, 0)


def test_half_the_channels_are_normalised_by_instance() -> None:
    layer = InstanceBatchNorm(6).eval()
    layer.BN.running_mean += 1
    x = rand(2, 6, 4, 4)
    got = layer(x)
    first = x[:, :3]
    mean = first.mean(dim=(2, 3), keepdim=True)
    variance = first.var(dim=(2, 3), keepdim=True, unbiased=False)
    assert torch.allclose(got[:, :3], (first - mean) / (variance + 1e-5).sqrt(), atol=1e-5)
    assert torch.allclose(got[:, 3:], (x[:, 3:] - 1) / (1 + 1e-5) ** 0.5, atol=1e-6)
    keys = set(build_backbone(ReidModelConfig(backbone="resnet18_ibn_a"), 0).state_dict())
    assert {"layer1.0.bn1.IN.weight", "layer3.1.bn1.BN.running_var", "layer4.0.bn1.weight"} <= keys
    with pytest.raises(ConfigError, match="'densenet121_ibn_a': only a ResNet can end in _ibn_a"):
        build_backbone(ReidModelConfig(backbone="densenet121_ibn_a"), 0)


@pytest.mark.parametrize(
    ("backbone", "first"), [("densenet121", "features.conv0"), ("resnet50", "conv1")]
)
def test_extra_channels_grow_a_trained_first_layer(
    backbone: str, first: str, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    plain = build_backbone(ReidModelConfig(backbone=backbone), 0)
    file = tmp_path / "imagenet.pth"
    torch.save(plain.state_dict(), file)
    config = ReidModelConfig(
        backbone=backbone, weights=str(file), embedding=("heatmaps", "segments")
    )
    grown = ReidNetwork(config, 4).backbone.state_dict()
    weight = grown[f"{first}.weight"]
    assert weight.shape == (64, 52, 7, 7)
    for key, value in plain.state_dict().items():
        assert torch.equal(grown[key][:, :3] if key == f"{first}.weight" else grown[key], value)
    extra = weight[:, 3:]
    assert abs(float(extra.mean())) < 2e-4
    assert float(extra.std()) == pytest.approx(0.02, rel=0.02)
    # A network that has grown already is taken over whole.
    torch.save(grown, file)
    again = ReidNetwork(config, 4).backbone.state_dict()
    assert all(torch.equal(again[key], value) for key, value in grown.items())
    narrow = config.model_copy(update={"embedding": ()})
    with pytest.raises(DataError, match=f"another shape, first '{first}.weight'"):
        ReidNetwork(narrow, 4)


def test_a_backbone_of_several_first_layers_cannot_grow() -> None:
    with pytest.raises(ConfigError, match="'repvgg_a0' has 2 layers that look at the image"):
        build_backbone(ReidModelConfig(backbone="repvgg_a0"), 13)
