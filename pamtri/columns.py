"""A data set as columns: every label and every factor of its scenes, a value an image."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.formats.images import image_size
from pamtri.progress import progress
from pamtri.record import Record

Value = float | str | None
_MOST_WORDS = 40
"""A column of more different words than this tells names, not kinds."""
_LEFT_OUT = ("schema_version", "seed", "index", "split", "rotation", "translation", "identity")
"""Scene keys, by their last part, that are no factors or are told better by a label."""


@dataclass(frozen=True)
class Column:
    """One label or factor; ``values`` are numbers or words, None where an image lacks it."""

    name: str
    values: tuple[Value, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether what is known of it are numbers."""
        return all(isinstance(v, float) for v in self.values if v is not None)

    def numbers(self) -> NDArray[np.float64]:
        """(n,) the known numbers."""
        return np.array([v for v in self.values if v is not None], dtype=float)

    def words(self) -> Counter[str]:
        """How often each known word occurs."""
        return Counter(str(v) for v in self.values if v is not None)


def label_columns(dataset: Dataset) -> dict[str, Column]:
    """The labels of every record by name; reads image headers where sizes are not recorded."""
    with progress(len(dataset), "labels") as bar:

        def rows() -> Iterator[Iterator[tuple[str, Value]]]:
            for record in dataset:
                yield _labels(record, _size(dataset, record))
                bar.update()

        return _columns(rows())


def factor_columns(dataset: Dataset) -> dict[str, Column]:
    """Every factor of the records' scenes by dotted key; those that never vary are left out."""
    columns = _columns(_flat("", record.scene or {}) for record in dataset)
    return {
        name: column
        for name, column in columns.items()
        if len(set(column.values)) > 1 and (column.is_numeric or len(column.words()) <= _MOST_WORDS)
    }


def _columns(rows: Iterable[Iterable[tuple[str, Value]]]) -> dict[str, Column]:
    """A column for each key that some row has a value for, in order of first appearance."""
    table: dict[str, list[Value]] = {}
    count = 0
    for count, row in enumerate(rows, start=1):
        for name, value in row:
            if value is not None:
                values = table.setdefault(name, [])
                values += [None] * (count - 1 - len(values))
                values.append(value)
    columns = {}
    for name, values in table.items():
        values += [None] * (count - len(values))
        if any(isinstance(v, str) for v in values):
            values = [v if v is None or isinstance(v, str) else f"{v:g}" for v in values]
        columns[name] = Column(name, tuple(values))
    return columns


def _size(dataset: Dataset, record: Record) -> tuple[int, int] | None:
    try:
        return image_size(dataset, record)
    except DataError:
        return None


def _labels(record: Record, size: tuple[int, int] | None) -> Iterator[tuple[str, Value]]:
    yield "split", record.split
    yield "camera", None if record.camera is None else str(record.camera)
    yield "colour", record.colour
    yield "type", record.type
    yield "style", record.style
    if size is not None:
        yield "longer side, px", float(max(size))
        yield "width / height", size[0] / size[1]
    if record.box is not None:
        left, top, right, bottom = record.box
        yield "vehicle's longer side, px", max(right - left, bottom - top)
        if size is not None:
            share = (right - left) * (bottom - top) / (size[0] * size[1])
            yield "box's share of the image", share
    yield "occlusion", record.occlusion
    yield "truncation", record.truncation
    if record.viewpoint is not None:
        yield "azimuth, degrees", record.viewpoint.azimuth_deg
        yield "elevation, degrees", record.viewpoint.elevation_deg
        yield "roll, degrees", record.viewpoint.roll_deg
        yield "distance, m", record.viewpoint.distance_m
    if record.keypoints is not None:
        yield "visible keypoints", float(record.keypoints.visible_array().sum())


def _flat(key: str, value: Any) -> Iterator[tuple[str, Value]]:
    """Plain data as (dotted key, value): lists of numbers by place, of things by their kinds."""
    if key.rpartition(".")[2] in _LEFT_OUT or key.endswith("_seed"):
        return
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _flat(f"{key}.{name}" if key else name, below)
    elif isinstance(value, list):
        yield from _flat_list(key, value)
    elif isinstance(value, bool):
        yield key, "yes" if value else "no"
    elif isinstance(value, int | float):
        yield key, float(value) if math.isfinite(value) else None
    elif isinstance(value, str):
        yield key, value


def _flat_list(key: str, items: list[Any]) -> Iterator[tuple[str, Value]]:
    if items and all(isinstance(item, int | float) for item in items):
        for place, item in enumerate(items):
            yield f"{key}.{place}", float(item)
    elif all(isinstance(item, Mapping) for item in items):
        kinds = sorted(str(item["kind"]) for item in items if "kind" in item)
        yield (key, " and ".join(kinds)) if kinds else (f"{key}, number", float(len(items)))
