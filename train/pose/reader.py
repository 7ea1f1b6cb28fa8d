"""From pictures of vehicles to their keypoints: all of inference as one module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.augment import MEAN, STD
from train.pose.codec import decode
from train.pose.config import PoseModelConfig
from train.pose.network import heatmaps_from, mirrored_heatmaps
from train.pose.visibility import mean_shares

Readings = tuple[Tensor, ...]
"""``points`` (n, 36, 2) in input pixels and ``peak`` (n, 36), their heatmaps' peaks, 0..1; of a
network that learns visibility, ``visibility`` (n, 36, 3) too, the probabilities of
``train.pose.visibility.STATES``."""


class PoseReader(nn.Module):
    """A pose network with what comes before and after it, which a file of it must hold as well.

    The network sees each picture and its mirror image; what it says of the two is averaged.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, model: PoseModelConfig) -> None:
        super().__init__()
        self.network, self._model = network, model
        self.register_buffer("mean", torch.from_numpy(255 * MEAN), persistent=False)
        self.register_buffer("deviation", torch.from_numpy(255 * STD), persistent=False)

    def forward(self, pictures: Tensor) -> Readings:
        """Of RGB pictures (n, s, s, 3), 0..255."""
        images = (pictures.float() - self.mean) / self.deviation
        return self.read(images.permute(0, 3, 1, 2))

    def read(self, images: Tensor) -> Readings:
        """Of normalised images (n, 3, s, s)."""
        both = torch.cat([images, images.flip(-1)])
        if not self._model.visibility:
            return decode(self._averaged(self.network(both)))
        output, scores = self.network(both, True)
        return *decode(self._averaged(output)), mean_shares(scores)

    def _averaged(self, output: Tensor) -> Tensor:
        straight, mirrored = heatmaps_from(output.float(), self._model).chunk(2)
        return (straight + mirrored_heatmaps(mirrored)) / 2
