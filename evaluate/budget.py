"""What trainings cost, so that arms are compared at the same price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pamtri.errors import DataError

Budget = Literal["steps", "images"]
_NAMES: dict[Budget, str] = {"steps": "optimisation steps", "images": "images to learn from"}


def spent(training: Mapping[str, Any], budget: Budget) -> int | None:
    """Steps, or images drawn in all, of the ``training`` section of a configuration.

    None where the section leaves it to defaults.
    """
    steps = training.get("steps")
    a_step = training.get("batch_size")
    if a_step is None and "identities" in training and "images_per_identity" in training:
        a_step = training["identities"] * training["images_per_identity"]
    factors = (steps,) if budget == "steps" else (steps, a_step)
    product = 1
    for factor in factors:
        if factor is None:
            return None
        product *= int(factor)
    return product


def check_equal(spent_by: Mapping[str, int | None], budget: Budget) -> None:
    """Raise DataError where the trainings, by what a person calls them, cost unequally much.

    Where one is unknown nothing is said.
    """
    different = set(spent_by.values())
    if len(different) > 1 and None not in different:
        listed = "; ".join(f"{label}: {number}" for label, number in spent_by.items())
        raise DataError(f"the trainings do not get the same number of {_NAMES[budget]} ({listed})")
