"""What the factors of a configuration need of one another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from synth.distributions import (
    DEFAULT,
    Mixture,
    NameByCase,
    NumberByCase,
    ProbabilityByCase,
    inside,
)

Factors = Iterable[tuple[str, Any]]
"""With their keys."""


def check_cases(factors: Factors, cameras: set[str], of_places: tuple[str, ...]) -> None:
    """Raises ValueError for cases that cannot be told: of unknown ``cameras``, by their ids, or of
    the vehicle in the sections ``of_places``, which are drawn once for each camera."""
    for key, factor in factors:
        for part in inside(factor):
            if not isinstance(part, NumberByCase | NameByCase | ProbabilityByCase):
                continue
            if part.fact != "camera" and cameras and key.startswith(of_places):
                raise ValueError(
                    f"{key}: cannot be {part.kind}, as it is the same in all images of a fixed "
                    "camera"
                )
            unknown = sorted(part.cases.keys() - cameras - {DEFAULT})
            if part.fact == "camera" and unknown:
                raise ValueError(f"{key}: cases: no fixed camera has the id {unknown[0]}")


def check_mixtures(factors: Factors) -> None:
    """Raises ValueError for mixtures that go together and have different weights."""
    first: dict[str, tuple[str, list[float]]] = {}
    for key, factor in factors:
        for part in inside(factor):
            if not isinstance(part, Mixture) or part.together is None:
                continue
            weights = np.array(part.weights or [1.0] * len(part.parts))
            shares = (weights / weights.sum()).tolist()
            other, same = first.setdefault(part.together, (key, shares))
            if len(same) != len(shares) or not np.allclose(same, shares):
                raise ValueError(
                    f"{key}: expected the weights of {other}, as both have together: "
                    f"{part.together}"
                )
