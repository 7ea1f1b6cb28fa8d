"""HRNet with a heatmap a keypoint, and its losses.

Deep High-Resolution Representation Learning (Sun et al., CVPR 2019). Backbones are timm's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pamtri.keypoints import FLIP, NUM_KEYPOINTS
from train.pose.config import PoseModelConfig
from train.weights import create_backbone, load_weights


class PoseNetwork(nn.Module):
    """Images (n, 3, s, s) to heatmaps (n, 36, s / 4, s / 4)."""

    def __init__(self, config: PoseModelConfig) -> None:
        super().__init__()
        self.backbone = create_backbone(config.backbone, head="")
        # Only the finest of the last module's outputs is looked at.
        last = self.backbone.stage4[-1]
        last.fuse_layers = last.fuse_layers[:1]
        load_weights(self.backbone, config.backbone, config.weights)
        channels = self.backbone.stage4_cfg["num_channels"][0]
        self.head = nn.Conv2d(channels, NUM_KEYPOINTS, kernel_size=1)
        nn.init.normal_(self.head.weight, std=0.001)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        """One value a heatmap pixel, unbounded: see ``heatmaps_from``."""
        trunk = self.backbone
        features = trunk.act1(trunk.bn1(trunk.conv1(images)))
        features = trunk.act2(trunk.bn2(trunk.conv2(features)))
        output: Tensor = self.head(trunk.stages(features)[0])
        return output


def mirrored_heatmaps(heatmaps: Tensor) -> Tensor:
    """Heatmaps (n, 36, h, w) of the mirrored images: flipped, left and right points swapped."""
    return heatmaps.flip(-1)[:, torch.from_numpy(FLIP.copy()).to(heatmaps.device)]


def heatmaps_from(output: Tensor, config: PoseModelConfig) -> Tensor:
    """The network's output (n, 36, h, w) as heatmaps; their peaks, 0..1, are confidences.

    A softmax that equals the Gaussian it was taught has peak 1, like one taught by ``mse``.
    """
    if config.loss == "mse":
        return output.clamp(0, 1)
    softmax = torch.softmax(output.flatten(-2), dim=-1).unflatten(-1, output.shape[-2:])
    return (softmax * (2 * math.pi * config.sigma**2)).clamp(max=1)


def heatmap_loss(output: Tensor, target: Tensor, weight: Tensor, loss: str) -> Tensor:
    """The loss of heatmaps (n, 36, h, w) where ``weight`` (n, 36) is 1; 0 where nothing is.

    ``mse`` is PAMTRI's 0.5 * squared error, averaged over all keypoints, weighted or not.
    ``softmax`` is the cross-entropy to the normalised Gaussian, averaged the same way.
    """
    if loss == "mse":
        each = 0.5 * (output - target).square().mean(dim=(-2, -1))
    else:
        share = target.flatten(-2)
        share = share / share.sum(dim=-1, keepdim=True).clamp(min=1e-6)
        each = -(share * torch.log_softmax(output.flatten(-2), dim=-1)).sum(dim=-1)
    return (each * weight).mean()
