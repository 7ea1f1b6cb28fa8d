"""The multi-task loss: who it is, how far vehicles lie apart, and attributes where they are known.

Triplets (Hermans et al., 2017) and circle loss (Sun et al., CVPR 2020) are pytorch-metric-
learning's. Ours are the margins of ArcFace (Deng et al., CVPR 2019) and CosFace (Wang et al., CVPR
2018), since there they smooth no labels; centre loss (Wen et al., ECCV 2016); and attributes
weighted by their learned uncertainty (Kendall et al., CVPR 2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed
import torch.nn.functional as F
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import CircleLoss, TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import DoNothingReducer
from torch import Tensor, nn

from train.reid.config import SOFT, ReidLossConfig

UNKNOWN = -100
"""The label of an identity or attribute that a record does not have."""
ATTRIBUTES = ("colour", "type", "azimuth", "keypoints")
_NEAR = 0.05
"""Share of the input up to which the error of a keypoint counts by its square."""


class LearnedLoss(nn.Module):
    """What the loss itself learns; a part of the network, so that it is trained and saved."""

    centres: Tensor | None

    def __init__(
        self, config: ReidLossConfig, identities: int, width: int, attributes: Sequence[str]
    ) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(identities, width) if config.centre else None)
        self.log_variances = nn.ParameterDict()
        if config.attribute_weights == "learned":
            for name in attributes:
                start = torch.tensor(-math.log(getattr(config, name)))
                self.log_variances[f"{name}_log_variance"] = nn.Parameter(start)


class ReidLoss(nn.Module):
    """Terms of the loss of a batch, and their weighted sum."""

    def __init__(self, config: ReidLossConfig, learned: LearnedLoss | None = None) -> None:
        """``learned`` is the network's own, where ``config`` lets something be learned."""
        super().__init__()
        self._config = config
        self._learned = learned or LearnedLoss(ReidLossConfig(), 0, 0, ())
        # Euclidean distance of features as they are; the mean is over all anchors, also those
        # whose triplet is solved already.
        distance = LpDistance(normalize_embeddings=False)
        soft = config.triplet_margin == SOFT
        self._miner = BatchHardMiner(distance=distance)
        self._triplet = TripletMarginLoss(
            margin=0.0 if soft else config.triplet_margin,
            smooth_loss=soft,
            distance=distance,
            reducer=DoNothingReducer(),
        )
        self._circle = CircleLoss(
            config.circle_margin, config.circle_scale, reducer=DoNothingReducer()
        )

    def forward(self, output: dict[str, Tensor], labels: dict[str, Tensor]) -> dict[str, Tensor]:
        """``loss`` and its terms, scalars, and ``each`` (n,), whose mean the loss is.

        ``labels`` holds (n,) ``identity`` classes, ``colour`` and ``type`` indices, or
        ``UNKNOWN``, ``azimuth`` in radians and ``keypoints`` (n, 36, 3), or NaN. A term is a mean
        over the images that know what it needs; one whose weight is 0 is left out, unless it
        teaches a head.
        """
        config = self._config
        terms = {"identity": self._identity(_exact(output["identity"]), labels["identity"])}
        known = (labels["identity"] != UNKNOWN).nonzero()[:, 0]
        feature, identity = _exact(output["metric"])[known], labels["identity"][known]
        for name, compare in (("triplet", self._hardest), ("circle", self._circle)):
            if getattr(config, name):
                found = compare(feature, identity) if len(identity) else None
                terms[name] = _by_image(found, feature)
        if (centres := self._learned.centres) is not None:
            terms["centre"] = centre_losses(feature, identity, centres)
            move_centres(centres, feature.detach(), identity, config.centre_rate)
        images = len(labels["identity"])
        terms = {
            name: each if name == "identity" else _among_all(each, known, images)
            for name, each in terms.items()
        }
        total = sum((getattr(config, name) * each for name, each in terms.items()), start=0)
        weights: dict[str, Tensor] = {}
        for name in ATTRIBUTES:
            if name in output:
                terms[name] = _attribute_losses(name, _exact(output[name]), labels[name])
                is_known = _is_known(name, labels[name]).any()
                total = total + self._weighted(name, terms[name], is_known, weights)
        means = {name: each.mean() for name, each in terms.items()}
        return {"loss": total.mean(), **means, **weights, "each": total}

    def _hardest(self, feature: Tensor, identity: Tensor) -> dict[str, Any]:
        found: dict[str, Any] = self._triplet(feature, identity, self._miner(feature, identity))
        return found

    def _identity(self, scores: Tensor, labels: Tensor) -> Tensor:
        config = self._config
        if config.identity_kind != "softmax":
            scores = margin_scores(
                scores, labels, config.identity_kind, config.identity_margin, config.identity_scale
            )
        return masked_cross_entropies(scores, labels, config.label_smoothing)

    def _weighted(
        self, name: str, each: Tensor, any_known: Tensor, weights: dict[str, Tensor]
    ) -> Tensor:
        """An attribute's part of the sum; a learned weight goes into ``weights`` to look at."""
        log_variances = self._learned.log_variances
        if f"{name}_log_variance" not in log_variances:
            fixed: Tensor = getattr(self._config, name) * each
            return fixed
        log_variance = log_variances[f"{name}_log_variance"]
        weight = torch.exp(-log_variance)
        weights[f"{name}_weight"] = weight.detach()
        # Where nothing is known the weight has nothing to learn from either.
        return weight * each + log_variance / 2 * any_known


def masked_cross_entropies(scores: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropies (n,) of (n, c) scores, 0 where labels (n,) are ``UNKNOWN``.

    They are scaled so that their mean is that over the known ones.
    """
    each = F.cross_entropy(
        scores, labels, ignore_index=UNKNOWN, reduction="none", label_smoothing=smoothing
    )
    return each * (len(labels) / (labels != UNKNOWN).sum().clamp(min=1))


def margin_scores(
    cosines: Tensor, labels: Tensor, kind: str, margin: float, scale: float
) -> Tensor:
    """Scores (n, c) of cosines to classes, made harder by a margin for the true class.

    ``arcface`` adds ``margin`` radians to its angle (past 180 degrees, where that would make it
    easier again, it takes off what keeps the score falling); ``cosface`` takes ``margin`` off its
    cosine. Rows of ``UNKNOWN`` stay as they are.
    """
    if kind == "cosface":
        harder = cosines - margin
    else:
        sines = (1 - cosines.square()).clamp(min=1e-7).sqrt()
        turned = cosines * math.cos(margin) - sines * math.sin(margin)
        below = cosines > -math.cos(margin)
        harder = torch.where(below, turned, cosines - margin * math.sin(margin))
    classes = torch.arange(cosines.shape[1], device=cosines.device)
    return scale * torch.where(labels[:, None] == classes, harder, cosines)


def centre_losses(features: Tensor, identity: Tensor, centres: Tensor) -> Tensor:
    """Half the squared distances (n,) of features (n, d) from their classes' centres (c, d)."""
    return 0.5 * (features - centres[identity]).square().sum(dim=1)


@torch.no_grad()
def move_centres(centres: Tensor, features: Tensor, identity: Tensor, rate: float) -> None:
    """Move centres (c, d), in place, towards their features (n, d) in all processes' batches.

    By ``rate`` times the sum of the distances over one more than the number of features.
    """
    moves = torch.zeros(len(centres), centres.shape[1] + 1, device=centres.device)
    gap = features - centres[identity]
    moves.index_add_(0, identity, torch.cat([gap, torch.ones_like(gap[:, :1])], dim=1))
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(moves)
    centres += rate * moves[:, :-1] / (1 + moves[:, -1:])


def azimuth_losses(output: Tensor, azimuth: Tensor) -> Tensor:
    """Of azimuths (n,) in radians: losses (n,), 0 of NaN, scaled as ``masked_cross_entropies``.

    ``output`` (n, 2) is compared with (sin, cos) by its squared distance, any other (n, bins) are
    scores of sectors, by cross-entropy.
    """
    if output.shape[1] != 2:
        return masked_cross_entropies(output, azimuth_bin(azimuth, output.shape[1]))
    known = ~azimuth.isnan()
    there = azimuth.nan_to_num()
    apart = (output - torch.stack([there.sin(), there.cos()], dim=1)).square().sum(dim=1)
    return apart * known * (len(known) / known.sum().clamp(min=1))


def azimuth_bin(azimuth: Tensor, bins: int) -> Tensor:
    """The sector of each azimuth in radians: 0 has the front in its middle; ``UNKNOWN`` of NaN."""
    sector = torch.floor(azimuth.nan_to_num() / (2 * math.pi) * bins + 0.5).long() % bins
    return torch.where(azimuth.isnan(), UNKNOWN, sector)


def keypoint_losses(output: Tensor, keypoints: Tensor) -> Tensor:
    """Losses (n,) of keypoints (n, 36, 3), 0 of NaN, scaled as ``masked_cross_entropies``.

    ``output`` (n, 108) is as ``ReidNetwork`` gives it, ``keypoints`` hold x, y and whether the
    point is seen: of those that are, the distance along each axis in input sizes, smoothed near 0;
    of all, half the cross-entropy of being seen.
    """
    known = ~keypoints.isnan().flatten(1).any(dim=1)
    there, found = keypoints.nan_to_num(), output.unflatten(1, (-1, 3))
    seen = there[..., 2]
    apart = F.smooth_l1_loss(found[..., :2], there[..., :2], reduction="none", beta=_NEAR)
    places = (apart.sum(dim=2) * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1)
    sight = F.binary_cross_entropy_with_logits(found[..., 2], seen, reduction="none").mean(dim=1)
    return (2 * places + sight / 2) * known * (len(known) / known.sum().clamp(min=1))


_LOSSES = {"azimuth": azimuth_losses, "keypoints": keypoint_losses}


def _attribute_losses(name: str, output: Tensor, labels: Tensor) -> Tensor:
    return _LOSSES.get(name, masked_cross_entropies)(output, labels)


def _by_image(found: dict[str, Any] | None, features: Tensor) -> Tensor:
    """What a loss of pytorch-metric-learning has for each of the features (k, d), 0 for none.

    A triplet is its anchor's; the mean over images is the mean over triplets.
    """
    nothing = features.sum(dim=1) * 0
    losses = found["loss"]["losses"] if found else None
    if not isinstance(losses, Tensor) or not losses.numel():
        return nothing
    assert found is not None
    indices = found["loss"]["indices"]
    anchors = indices[0] if isinstance(indices, tuple) else indices
    return nothing.index_add(0, anchors, losses.flatten() * (len(features) / len(losses)))


def _among_all(each: Tensor, known: Tensor, images: int) -> Tensor:
    """Losses of the ``known`` (k,) of all images as (n,), 0 of the others, with the same mean."""
    scaled = each * (images / max(1, len(known)))
    return torch.zeros(images, dtype=each.dtype, device=each.device).index_add(0, known, scaled)


def _is_known(name: str, labels: Tensor) -> Tensor:
    return ~labels.isnan() if name in _LOSSES else labels != UNKNOWN


def _exact(values: Tensor) -> Tensor:
    """In no less than single precision."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
