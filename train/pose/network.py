"""HRNet, or a ResNet with deconvolutions, with a heatmap a keypoint; and their losses.

Deep High-Resolution Representation Learning (Sun et al., CVPR 2019); Simple Baselines for Human
Pose Estimation (Xiao et al., ECCV 2018). Backbones are timm's.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pamtri.keypoints import FLIP, NUM_KEYPOINTS
from train.pose.codec import STRIDE
from train.pose.config import PoseModelConfig
from train.pose.visibility import VisibilityHead
from train.weights import create_backbone, load_weights

DECONVOLUTIONS = 3
FIRST_TO_MIDDLE = (STRIDE - 1) / 2
"""From the centre of a heatmap pixel's first input pixel to the middle of all, input pixels."""
_DECONVOLUTION_WIDTH = 256


class PoseNetwork(nn.Module):
    """Images (n, 3, s, s) to heatmaps (n, 36, s / 4, s / 4), and to visibility if asked."""

    def __init__(self, config: PoseModelConfig) -> None:
        super().__init__()
        self._is_hrnet = config.backbone.startswith("hrnet")
        if self._is_hrnet:
            self.backbone = create_backbone(config.backbone, head="")
            # Only the finest of the last module's outputs is looked at.
            last = self.backbone.stage4[-1]
            last.fuse_layers = last.fuse_layers[:1]
            channels = self.backbone.stage4_cfg["num_channels"][0]
        else:
            self.backbone = create_backbone(config.backbone, num_classes=0, global_pool="")
            self.upsample = _deconvolutions(self.backbone.num_features)
            channels = _DECONVOLUTION_WIDTH
        load_weights(self.backbone, config.backbone, config.weights)
        self.head = nn.Conv2d(channels, NUM_KEYPOINTS, kernel_size=1)
        nn.init.normal_(self.head.weight, std=0.001)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)
        self._config = config
        self.visibility = VisibilityHead(channels) if config.visibility else None

    def forward(self, images: Tensor, visibility: bool = False) -> Any:
        """One value a heatmap pixel, unbounded: see ``heatmaps_from``.

        With ``visibility`` a pair: those, and the scores (n, 36, 3) of
        ``train.pose.visibility.STATES``, of a network that learns them.
        """
        features = self.features(images)
        output: Tensor = self.head(features)
        if not visibility:
            return output
        assert self.visibility is not None
        return output, self.visibility(features, heatmaps_from(output.float(), self._config))

    def features(self, images: Tensor) -> Tensor:
        """What heatmaps are made of: (n, channels, s / 4, s / 4)."""
        trunk = self.backbone
        if not self._is_hrnet:
            upsampled: Tensor = self.upsample(trunk(images))
            return upsampled
        stem = trunk.act1(trunk.bn1(trunk.conv1(images)))
        stem = trunk.act2(trunk.bn2(trunk.conv2(stem)))
        finest: Tensor = trunk.stages(stem)[0]
        return finest


def _deconvolutions(channels: int) -> nn.Sequential:
    """From a 32nd of the input to a quarter of it."""
    layers: list[nn.Module] = []
    for i in range(DECONVOLUTIONS):
        layer = nn.ConvTranspose2d(
            _DECONVOLUTION_WIDTH if i else channels,
            _DECONVOLUTION_WIDTH,
            kernel_size=4,
            stride=2,
            padding=1,
            bias=False,
        )
        nn.init.normal_(layer.weight, std=0.001)
        layers += [layer, nn.BatchNorm2d(_DECONVOLUTION_WIDTH), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def mirrored_heatmaps(heatmaps: Tensor) -> Tensor:
    """Heatmaps (n, 36, h, w) of the mirrored images: flipped, left and right points swapped."""
    return heatmaps.flip(-1)[:, torch.from_numpy(FLIP.copy()).to(heatmaps.device)]


def heatmaps_from(output: Tensor, config: PoseModelConfig) -> Tensor:
    """The network's output (n, 36, h, w) as heatmaps; their peaks, 0..1, are confidences.

    A softmax that equals the Gaussian it was taught has peak 1, like one taught by ``mse``.
    Their pixels stand for the points that ``train.pose.codec`` says, whatever the network's do.
    """
    if config.loss == "mse":
        heatmaps = output.clamp(0, 1)
    else:
        softmax = torch.softmax(output.flatten(-2), dim=-1).unflatten(-1, output.shape[-2:])
        heatmaps = (softmax * (2 * math.pi * config.sigma**2)).clamp(max=1)
    return _moved_to_middle(heatmaps) if config.heatmap_pixel == "first" else heatmaps


def target_points(points: Tensor, config: PoseModelConfig) -> Tensor:
    """Where the codec draws points (..., 2), input pixels, for the network's own kind of pixel."""
    return points + FIRST_TO_MIDDLE if config.heatmap_pixel == "first" else points


def _moved_to_middle(heatmaps: Tensor) -> Tensor:
    """Heatmaps (n, k, h, w) whose pixels are first pixels, between which ours lie.

    By cubic interpolation (Keys, 1981), which widens no Gaussian as a linear one would.
    """
    t = FIRST_TO_MIDDLE / STRIDE
    taps = torch.tensor(
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        ],
        dtype=heatmaps.dtype,
        device=heatmaps.device,
    )
    padded = F.pad(heatmaps, (1, 2, 1, 2), mode="replicate").flatten(0, 1)[:, None]
    moved = F.conv2d(F.conv2d(padded, taps.view(1, 1, 4, 1)), taps.view(1, 1, 1, 4))
    return moved[:, 0].unflatten(0, heatmaps.shape[:2]).clamp(0, 1)


def heatmap_losses(output: Tensor, target: Tensor, weight: Tensor, loss: str) -> Tensor:
    """Losses (n,) of heatmaps (n, 36, h, w) where ``weight`` (n, 36) is 1; 0 where nothing is.

    ``mse`` is PAMTRI's 0.5 * squared error, averaged over all keypoints, weighted or not.
    ``softmax`` is the cross-entropy to the normalised Gaussian, averaged the same way.
    """
    if loss == "mse":
        each = 0.5 * (output - target).square().mean(dim=(-2, -1))
    else:
        share = target.flatten(-2)
        share = share / share.sum(dim=-1, keepdim=True).clamp(min=1e-6)
        each = -(share * torch.log_softmax(output.flatten(-2), dim=-1)).sum(dim=-1)
    return (each * weight).mean(dim=1)
