"""The multi-task network of PAMTRI (Tang et al., ICCV 2019), behind any timm backbone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pamtri.attributes import COLOURS, TYPES
from pamtri.keypoints import NUM_KEYPOINTS
from pamtri.segments import NUM_SEGMENTS
from train.reid.backbone import build_backbone, channels_of, feature_map
from train.reid.config import ReidLossConfig, ReidModelConfig
from train.reid.loss import LearnedLoss

POSE_VALUES = 3 * NUM_KEYPOINTS
MAP_CHANNELS = {"heatmaps": NUM_KEYPOINTS, "segments": NUM_SEGMENTS}
"""Input channels of each kind of map, in the order in which they follow red, green and blue."""
MAP_MEAN, MAP_STD = 0.449, 0.226
"""Statistics by which PAMTRI normalises maps of 0..1."""
_ATTRIBUTES = {"colour": len(COLOURS), "type": len(TYPES)}
_ATTRIBUTE_WIDTH = 512
_PLAIN_LOSS = ReidLossConfig()


class ReidNetwork(nn.Module):
    """Images, and what is known of the pose where it is embedded, to features and scores.

    Inputs: ``images`` (n, 3, s, s); ``pose`` (n, 108); ``maps`` (n, c, h, w) of 0..1, or of bytes
    0..255: heatmaps, then segments, of the same crop at any resolution.

    Outputs: ``feature`` (n, d) is what retrieval compares, ``metric`` (n, d) what metric losses
    see; ``identity`` (n, classes) and, of a multi-task network, ``colour`` (n, 10) and ``type``
    (n, 9) are unnormalised scores (of a ``CosineHead``, cosines); ``azimuth`` is a sine and a
    cosine (n, 2), or scores (n, bins); ``keypoints`` (n, 108) are x and y of each point in turn, as
    shares of the input from its middle, and an unnormalised score of being seen.
    A plain network's feature is the pooled backbone feature; with tasks or an embedding there is
    a layer of the same width in between, and one for each attribute.
    """

    def __init__(
        self, config: ReidModelConfig, identities: int, loss: ReidLossConfig = _PLAIN_LOSS
    ) -> None:
        """``loss`` is what the network is trained by: some of its terms learn something too."""
        super().__init__()
        self._config = config
        self.backbone = build_backbone(config, map_channels(config))
        width = channels_of(self.backbone)
        self.pool = GeneralisedMean() if config.pooling == "gem" else None
        self._embeds = "keypoints" in config.embedding
        known = width + POSE_VALUES * self._embeds
        self._has_neck = config.neck == "bnneck"
        has_layer = self._embeds or (config.multitask and not self._has_neck)
        self.identity_layer = nn.Linear(known, width) if has_layer else None
        self.neck = _neck(width) if self._has_neck else None
        self.identity_head = (
            _linear_head(width, identities, self._has_neck)
            if loss.identity_kind == "softmax"
            else CosineHead(width, identities)
        )
        # Not keyed "type", which is a method of every module.
        self.attribute_heads = nn.ModuleDict(
            {f"{name}_head": _attribute_head(known, n) for name, n in attributes(config).items()}
        )
        self.learned = LearnedLoss(loss, identities, width, tuple(attributes(config)))

    def forward(
        self, images: Tensor, pose: Tensor | None = None, maps: Tensor | None = None
    ) -> dict[str, Tensor]:
        """See the class."""
        if map_channels(self._config):
            assert maps is not None
            images = torch.cat([images, normalised_maps(maps, images)], dim=1)
        features = feature_map(self.backbone, images)
        known = features.mean(dim=-1) if self.pool is None else self.pool(features)
        if self._embeds:
            assert pose is not None
            known = torch.cat([known, pose.to(known.dtype)], dim=1)
        metric = known if self.identity_layer is None else F.leaky_relu(self.identity_layer(known))
        feature = metric if self.neck is None else self.neck(metric)
        scores = {
            name.removesuffix("_head"): head(known) for name, head in self.attribute_heads.items()
        }
        return {
            "feature": F.normalize(feature) if self._config.normalise else feature,
            "metric": metric,
            "identity": self.identity_head(feature),
            **scores,
        }


class GeneralisedMean(nn.Module):
    """The p-th root of the mean p-th power, of values that are positive: a mean for p = 1.

    With p learned, from 3 on (Radenovic et al., 2019).
    """

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([3.0]))

    def forward(self, features: Tensor) -> Tensor:
        """(n, c, places) to (n, c)."""
        powers = features.float().clamp(min=1e-6) ** self.p
        return (powers.mean(dim=-1) ** (1 / self.p)).to(features.dtype)


class CosineHead(nn.Module):
    """Cosines (n, classes) between features (n, width) and a direction for each class."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, width))
        nn.init.xavier_normal_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """In full precision: margins are small."""
        with torch.autocast(features.device.type, enabled=False):
            return F.linear(F.normalize(features.float()), F.normalize(self.weight.float()))


def map_channels(config: ReidModelConfig) -> int:
    """Input channels behind red, green and blue."""
    return sum(n for kind, n in MAP_CHANNELS.items() if kind in config.embedding)


def attributes(config: ReidModelConfig) -> dict[str, int]:
    """What is learned beside identity, and how many values are given out for each."""
    tasks = dict(_ATTRIBUTES) if config.multitask else {}
    if config.azimuth != "none":
        tasks["azimuth"] = 2 if config.azimuth == "sin_cos" else config.azimuth_bins
    if config.keypoints:
        tasks["keypoints"] = POSE_VALUES
    return tasks


def normalised_maps(maps: Tensor, images: Tensor) -> Tensor:
    """Maps (n, c, h, w) as input channels of ``images``: their size, PAMTRI's statistics."""
    scaled = maps.to(images.dtype) / 255 if maps.dtype == torch.uint8 else maps.to(images.dtype)
    if scaled.shape[-2:] != images.shape[-2:]:
        scaled = F.interpolate(scaled, size=images.shape[-2:], mode="bilinear")
    return (scaled - MAP_MEAN) / MAP_STD


def _linear_head(width: int, classes: int, after_neck: bool) -> nn.Linear:
    head = nn.Linear(width, classes, bias=not after_neck)
    if after_neck:
        nn.init.normal_(head.weight, std=0.001)
    return head


def _neck(width: int) -> nn.BatchNorm1d:
    neck = nn.BatchNorm1d(width)
    neck.bias.requires_grad_(False)  # classes are told apart by directions from the origin
    return neck


def _attribute_head(width: int, classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(width, _ATTRIBUTE_WIDTH), nn.LeakyReLU(), nn.Linear(_ATTRIBUTE_WIDTH, classes)
    )
