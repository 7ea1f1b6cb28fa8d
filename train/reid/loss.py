"""The multi-task loss: identity, batch-hard triplets, and attributes where they are known."""

from __future__ import annotations

import torch.nn.functional as F
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor, nn

from train.reid.config import ReidLossConfig

UNKNOWN = -100
"""The label of an attribute that a record does not have."""


class ReidLoss(nn.Module):
    """Terms of the loss of a batch, and their weighted sum."""

    def __init__(self, config: ReidLossConfig) -> None:
        super().__init__()
        self._config = config
        # Euclidean distance of features as they are; the mean is over all anchors, also those
        # whose triplet is solved already (Hermans et al., 2017).
        distance = LpDistance(normalize_embeddings=False)
        self._miner = BatchHardMiner(distance=distance)
        self._triplet = TripletMarginLoss(
            margin=config.triplet_margin, distance=distance, reducer=MeanReducer()
        )

    def forward(self, output: dict[str, Tensor], labels: dict[str, Tensor]) -> dict[str, Tensor]:
        """``loss`` and its terms, scalars.

        ``labels`` holds (n,) ``identity`` classes, and ``colour`` and ``type`` indices or
        ``UNKNOWN``.
        """
        feature, identity = output["feature"].float(), labels["identity"]
        config = self._config
        terms = {
            "identity": F.cross_entropy(
                output["identity"].float(), identity, label_smoothing=config.label_smoothing
            ),
            "triplet": self._triplet(feature, identity, self._miner(feature, identity)),
        }
        for name in ("colour", "type"):
            if name in output:
                terms[name] = masked_cross_entropy(output[name].float(), labels[name])
        total = sum((getattr(config, name) * term for name, term in terms.items()), start=0)
        return {"loss": total, **terms}


def masked_cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of (n, c) scores where labels (n,) are known; 0 where none is."""
    total = F.cross_entropy(scores, labels, ignore_index=UNKNOWN, reduction="sum")
    return total / (labels != UNKNOWN).sum().clamp(min=1)
