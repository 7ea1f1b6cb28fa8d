"""How much each image's loss counts: by its domain, and by a curriculum of easy images first."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from train.config import TrainConfig
from train.mixing_config import LossWeights


def weighted(
    losses: dict[str, Tensor], domains: Sequence[str], config: TrainConfig, progress: float
) -> dict[str, Tensor]:
    """The terms of a batch's loss, of which ``loss`` is what ``config`` makes of ``each``.

    ``domains`` has one an image; ``progress``, 0..1, is how far the run has come.
    """
    weights, curriculum = config.mixing.loss_weights, config.curriculum
    by_loss = curriculum is not None and curriculum.by == "loss"
    if weights == LossWeights() and not by_loss:
        return losses
    each = losses["each"]
    factors = torch.tensor([getattr(weights, d) for d in domains], device=each.device)
    if curriculum is not None and by_loss:
        factors = factors * easy(each.detach().float(), curriculum.share(progress))
    return {**losses, "loss": (each * factors).mean()}


def easy(losses: Tensor, share: float) -> Tensor:
    """Weights of images with ``losses`` (n,): 0 but for the smallest ``share``, with mean 1."""
    count = max(1, round(share * len(losses)))
    chosen = losses.argsort(stable=True)[:count]
    return torch.zeros_like(losses).index_fill(0, chosen, len(losses) / count)
