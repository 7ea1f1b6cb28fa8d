"""The multi-task network of PAMTRI (Tang et al., ICCV 2019), behind any timm backbone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pamtri.attributes import COLOURS, TYPES
from pamtri.keypoints import NUM_KEYPOINTS
from train.reid.config import ReidModelConfig
from train.weights import create_backbone, load_weights

POSE_VALUES = 3 * NUM_KEYPOINTS
_ATTRIBUTES = {"colour": len(COLOURS), "type": len(TYPES)}
_ATTRIBUTE_WIDTH = 512


class ReidNetwork(nn.Module):
    """Images (n, 3, s, s), and pose values (n, 108) where embedded, to features and scores.

    The output's ``feature`` (n, d) is what retrieval compares; ``identity`` (n, classes) and, of a
    multi-task network, ``colour`` (n, 10) and ``type`` (n, 9) are unnormalised scores.
    A plain network's feature is the pooled backbone feature; with tasks or an embedding there is
    a layer of the same width in between, and one for each attribute.
    """

    def __init__(self, config: ReidModelConfig, identities: int) -> None:
        super().__init__()
        self.backbone = create_backbone(config.backbone, num_classes=0, global_pool="")
        load_weights(self.backbone, config.backbone, config.weights)
        if config.backbone.startswith("densenet"):
            self.backbone.features.norm5.act = nn.Identity()  # PAMTRI pools before a ReLU
        width = self.backbone.num_features
        self._embeds = "keypoints" in config.embedding
        known = width + POSE_VALUES * self._embeds
        self.identity_layer = nn.Linear(known, width) if config.multitask or self._embeds else None
        self.identity_head = nn.Linear(width, identities)
        # Not keyed "type", which is a method of every module.
        self.attribute_heads = nn.ModuleDict(
            {f"{name}_head": _attribute_head(known, n) for name, n in _ATTRIBUTES.items()}
            if config.multitask
            else {}
        )

    def forward(self, images: Tensor, pose: Tensor | None = None) -> dict[str, Tensor]:
        """See the class."""
        known = self.backbone(images).mean(dim=(-2, -1))
        if self._embeds:
            assert pose is not None
            known = torch.cat([known, pose.to(known.dtype)], dim=1)
        feature = known if self.identity_layer is None else F.leaky_relu(self.identity_layer(known))
        scores = {
            name.removesuffix("_head"): head(known) for name, head in self.attribute_heads.items()
        }
        return {"feature": feature, "identity": self.identity_head(feature), **scores}


def _attribute_head(width: int, classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(width, _ATTRIBUTE_WIDTH), nn.LeakyReLU(), nn.Linear(_ATTRIBUTE_WIDTH, classes)
    )
