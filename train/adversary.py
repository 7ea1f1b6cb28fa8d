"""Features that do not tell real from rendered: Ganin et al., "Domain-Adversarial Training of
Neural Networks" (JMLR 2016).

A small network learns to tell the domains apart by the features; on the way back its gradient is
reversed, so that the features learn to hide them. It is no part of the network that is kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.mixing_config import SYNTHETIC

_WIDTH = 128
_STEEPNESS = 10.0


class Adversary(nn.Module):
    """Tells rendered from real by the features that go into a layer of ``network``."""

    def __init__(self, network: nn.Module, layer: str, seed: int) -> None:
        """``layer`` is a linear map of features (n, c), or a convolution of them (n, c, h, w).

        The first weights are those of ``seed``; nobody else's random numbers are touched.
        """
        super().__init__()
        reader: Any = network.get_submodule(layer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.head = nn.Sequential(
                nn.Linear(reader.weight.shape[1], _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, 1)
            )
        self._seen: list[Tensor] = []
        reader.register_forward_pre_hook(self._note)

    def _note(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._seen = [inputs[0]]

    def forward(self, strength: float) -> Tensor:
        """Scores (n,) of being rendered, of the images that ``network`` saw last.

        The features' gradient is reversed, and multiplied by ``strength``.
        """
        features = self._seen.pop().float()
        pooled = features.flatten(2).mean(dim=2) if features.ndim > 2 else features
        scores: Tensor = self.head(_Reversed.apply(pooled, strength))[:, 0]
        return scores


class _Reversed(torch.autograd.Function):
    """The identity, with a gradient of the other sign."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradient, None


def strength_at(progress: float) -> float:
    """How much of the reversed gradient counts, 0 at the start of a run and nearly 1 at its end."""
    return 2 / (1 + math.exp(-_STEEPNESS * progress)) - 1


def adversary_terms(scores: Tensor, domains: Sequence[str]) -> dict[str, Tensor]:
    """``adversary``, its loss, and ``adversary_accuracy``, the share of domains it tells right."""
    rendered = torch.tensor([float(d == SYNTHETIC) for d in domains], device=scores.device)
    right = (scores > 0) == (rendered > 0)
    return {
        "adversary": F.binary_cross_entropy_with_logits(scores, rendered),
        "adversary_accuracy": right.float().mean(),
    }
