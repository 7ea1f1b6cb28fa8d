"""The gap between two data sets: distances of their features, and their labels side by side."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluate.gap.classifier import domain_auc
from evaluate.gap.frechet import frechet_distance
from evaluate.gap.kernel import KernelDistance, kernel_distance
from evaluate.gap.labels import LabelPair, label_pairs
from evaluate.gap.matching import Label, labelled, matched
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.features import Features

FEWEST = 4
"""Images of a set below which nothing can be said."""


@dataclass(frozen=True, eq=False)
class Gap:
    """What was measured between ``first`` and ``second``, as they are after matching."""

    first: Dataset
    second: Dataset
    left_out: tuple[int, int]
    """Images of each that matching left out."""
    match: tuple[Label, ...]
    width: int
    """Number of features an image."""
    frechet: float
    kernel: KernelDistance
    auc: float
    labels: list[LabelPair]

    def summary(self) -> dict[str, Any]:
        """Everything as plain data for JSON."""
        sets = zip(("first", "second"), (self.first, self.second), self.left_out, strict=True)
        return {
            **{name: {"data": str(d.root), "images": len(d), "left_out": n} for name, d, n in sets},
            "matched_by": list(self.match),
            "features": self.width,
            "frechet": self.frechet,
            "kernel": asdict(self.kernel),
            "auc": self.auc,
            "labels": {pair.name: pair.summary() for pair in self.labels},
        }


def measure_gap(
    datasets: tuple[Dataset, Dataset],
    features: tuple[Features, Features],
    match: Sequence[Label] = (),
    seed: int = 0,
) -> Gap:
    """Measure the gap between two data sets whose images have features of one network.

    With ``match`` only on selections that are alike in these labels. Raises DataError where an
    image has no feature, the features are of different widths, or there are too few images.
    """
    widths = [f.features.shape[1] for f in features]
    if widths[0] != widths[1]:
        raise DataError(
            f"{features[1].path}: expected {widths[0]} features an image as in {features[0].path}, "
            f"got {widths[1]}; both must come from the same network"
        )
    kept = _matched(datasets, match, seed) if match else datasets
    for dataset in kept:
        if len(dataset) < FEWEST:
            raise DataError(
                f"{dataset.root}: expected at least {FEWEST} images to compare, got {len(dataset)}"
            )
    first, second = (_rows(d, f) for d, f in zip(kept, features, strict=True))
    return Gap(
        first=kept[0],
        second=kept[1],
        left_out=(len(datasets[0]) - len(kept[0]), len(datasets[1]) - len(kept[1])),
        match=tuple(match),
        width=widths[0],
        frechet=frechet_distance(first, second),
        kernel=kernel_distance(first, second, seed),
        auc=domain_auc(first, second, (_groups(kept[0]), _groups(kept[1])), seed),
        labels=label_pairs(*kept),
    )


def _matched(
    datasets: tuple[Dataset, Dataset], match: Sequence[Label], seed: int
) -> tuple[Dataset, Dataset]:
    for dataset in datasets:
        for label in match:
            if not labelled(dataset.records, label):
                raise DataError(f"{dataset.root}: no image has the label '{label}' to match by")
    rows = matched(datasets[0].records, datasets[1].records, match, seed)
    if not len(rows[0]):
        raise DataError(
            f"{datasets[0].root} and {datasets[1].root}: no image of one is like one of the other "
            f"in {', '.join(match)}"
        )
    first, second = (
        replace(d, records=tuple(d.records[i] for i in r))
        for d, r in zip(datasets, rows, strict=True)
    )
    return first, second


def _rows(dataset: Dataset, features: Features) -> NDArray[np.float64]:
    names = [PurePosixPath(record.image).name for record in dataset]
    return features.features[features.rows(names)].astype(np.float64)


def _groups(dataset: Dataset) -> list[Hashable]:
    """The vehicle of each image; each image for itself in a set of a single one or of unknown."""
    identities = {record.identity for record in dataset}
    known = None not in identities and len(identities) > 1
    return [r.identity if known else r.image for r in dataset]
