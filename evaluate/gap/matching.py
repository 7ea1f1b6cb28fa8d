"""Two selections that are alike in azimuth, type and colour, so that a gap is not one of these."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pamtri.record import Record

Label = Literal["azimuth", "type", "colour"]
SECTORS = 12
"""Of the azimuth, each about its middle; the first is the vehicle's front."""

Rows = NDArray[np.int64]


def matched(
    first: Sequence[Record], second: Sequence[Record], labels: Sequence[Label], seed: int = 0
) -> tuple[Rows, Rows]:
    """Rows of both sets, in order: equally many of every combination of ``labels``.

    Images that lack one of the labels are left out, and of the more numerous set's images a random
    choice is kept.
    """
    rng = np.random.default_rng(seed)
    cells = [_cells(records, labels) for records in (first, second)]
    chosen: tuple[list[int], list[int]] = ([], [])
    for cell in sorted(cells[0].keys() & cells[1].keys(), key=str):
        count = min(len(rows[cell]) for rows in cells)
        for rows, into in zip(cells, chosen, strict=True):
            into += rng.permutation(rows[cell])[:count].tolist()
    return np.array(sorted(chosen[0]), dtype=int), np.array(sorted(chosen[1]), dtype=int)


def labelled(records: Sequence[Record], label: Label) -> int:
    """How many records have a label."""
    return sum(_value(record, label) is not None for record in records)


def _cells(
    records: Sequence[Record], labels: Sequence[Label]
) -> dict[tuple[Hashable, ...], list[int]]:
    cells: dict[tuple[Hashable, ...], list[int]] = {}
    for row, record in enumerate(records):
        cell = tuple(_value(record, label) for label in labels)
        if None not in cell:
            cells.setdefault(cell, []).append(row)
    return cells


def _value(record: Record, label: Label) -> Hashable:
    if label != "azimuth":
        return record.type if label == "type" else record.colour
    if record.viewpoint is None:
        return None
    return int(np.floor(record.viewpoint.azimuth_deg / 360 * SECTORS + 0.5)) % SECTORS
