"""timm's networks as re-identification uses them: what they see, and how finely.

IBN-a is of "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net" (Pan et
al., ECCV 2018); the last stride of 1 of "Bag of Tricks and A Strong Baseline for Deep Person
Re-identification" (Luo et al., CVPRW 2019).
"""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn

from pamtri.errors import ConfigError
from train.reid.config import ReidModelConfig
from train.weights import create_backbone, load_weights

RGB = 3
EXTRA_SPREAD = 0.02
"""Standard deviation of the first layer's new weights for channels beside red, green and blue."""
_IBN = "_ibn_a"


def build_backbone(config: ReidModelConfig, extra: int) -> nn.Module:
    """The configured network without its head, for images of RGB and ``extra`` channels.

    Its first layer keeps the loaded weights of as many channels as those have. Raises ConfigError
    for a network that cannot be had so, DataError for weights that do not fit.
    """
    name = config.backbone
    options = _size_option(name, config.input_size)
    plain = name.removesuffix(_IBN)
    trunk: nn.Module = create_backbone(plain, num_classes=0, global_pool="", **options)
    if plain != name:
        _normalise_instances(trunk, name)
    grown = _grow_first_layer(trunk, name, extra) if extra else None
    load_weights(trunk, name, config.weights, grown, **options)
    if config.last_stride == 1:
        _keep_last_size(trunk, name)
    if config.backbone.startswith("densenet") and config.pooling == "mean":
        trunk.features.norm5.act = nn.Identity()  # type: ignore[union-attr]  # PAMTRI has no ReLU there
    return trunk


def feature_map(trunk: nn.Module, images: Tensor) -> Tensor:
    """What ``trunk`` sees at each place of images: (n, channels, places)."""
    return by_place(trunk, trunk(images))


def by_place(trunk: nn.Module, features: Tensor) -> Tensor:
    """What ``trunk`` gives out, as (n, channels, places), row by row of the image."""
    if features.ndim == 3:  # tokens, the first of which may stand for no place
        return features[:, int(getattr(trunk, "num_prefix_tokens", 0)) :].mT
    if getattr(trunk, "output_fmt", "NCHW") == "NHWC":
        features = features.movedim(-1, 1)
    return features.flatten(2)


def channels_of(trunk: Any) -> int:
    """Channels of ``feature_map``."""
    return int(getattr(trunk, "head_hidden_size", trunk.num_features))


class InstanceBatchNorm(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the rest.

    The names of its parts are those of IBN-Net's published weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._half = channels // 2
        self.IN = nn.InstanceNorm2d(self._half, affine=True)
        self.BN = nn.BatchNorm2d(channels - self._half)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) likewise."""
        first, rest = x.split([self._half, x.shape[1] - self._half], dim=1)
        return torch.cat([self.IN(first.contiguous()), self.BN(rest.contiguous())], dim=1)


def _size_option(name: str, size: int) -> dict[str, int]:
    """timm's option for the input's size, of networks that are made for one."""
    config = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    return {"img_size": size} if config is not None and config.fixed_input_size else {}


def _normalise_instances(trunk: Any, name: str) -> None:
    stages = [getattr(trunk, f"layer{i}", None) for i in (1, 2, 3)]
    if any(stage is None or not hasattr(stage[0], "bn1") for stage in stages):
        raise ConfigError(f"model.backbone: '{name}': only a ResNet can end in {_IBN}")
    for stage in stages:
        for block in stage:  # type: ignore[union-attr]
            block.bn1 = InstanceBatchNorm(block.bn1.num_features)


def _grow_first_layer(trunk: nn.Module, name: str, extra: int) -> str:
    """Let the first layer look at ``extra`` more channels; the key of its weights."""
    first = [
        (key, layer)
        for key, layer in trunk.named_modules()
        if isinstance(layer, nn.Conv2d) and layer.in_channels == RGB
    ]
    if len(first) != 1:
        raise ConfigError(
            f"model.embedding: the backbone '{name}' has {len(first)} layers that look at the "
            "image, expected one that can take heatmaps or segments as well"
        )
    ((key, layer),) = first
    weight = torch.randn_like(layer.weight[:, :1].expand(-1, extra, -1, -1)) * EXTRA_SPREAD
    layer.weight = nn.Parameter(torch.cat([layer.weight.detach(), weight], dim=1))
    layer.in_channels += extra
    return f"{key}.weight"


def _keep_last_size(trunk: Any, name: str) -> None:
    """Take the reduction out of the last stage."""
    if hasattr(trunk, "features") and hasattr(trunk.features, "transition3"):
        trunk.features.transition3.pool = nn.Identity()
        return
    layers = list(trunk.layer4[0].named_modules()) if hasattr(trunk, "layer4") else []
    reducing = [(key, layer) for key, layer in layers if _strides(layer) == 2]
    if not reducing:
        raise ConfigError(
            f"model.last_stride: expected 2 for the backbone '{name}': only a ResNet or a DenseNet "
            "can have 1"
        )
    for key, layer in reducing:
        if isinstance(layer, nn.Conv2d):
            layer.stride = (1, 1)
        else:
            trunk.layer4[0].set_submodule(key, nn.Identity())


def _strides(layer: nn.Module) -> int:
    stride = getattr(layer, "stride", 1) if isinstance(layer, nn.Conv2d | nn.AvgPool2d) else 1
    return stride if isinstance(stride, int) else int(stride[0])
