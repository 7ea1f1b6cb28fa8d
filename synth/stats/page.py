"""Puts the page together: one data set, or two side by side, in one HTML file."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from pamtri.attributes import COLOURS, TYPES
from pamtri.column_difference import association, difference
from pamtri.columns import Column, factor_columns, label_columns
from pamtri.dataset import Dataset
from pamtri.formats import open_dataset
from pamtri.page.distribution import distribution
from pamtri.page.pictures import bones, chosen, dots, shot
from pamtri.page.template import environment
from pamtri.progress import progress
from pamtri.record import Record
from pamtri.run_folder import write_atomic
from synth.stats import charts

_SAMPLES = 24
_ENTANGLED = ("split", "camera", "colour", "type", "azimuth, degrees", "elevation, degrees",
              "distance, m", "vehicle's longer side, px", "occlusion", "truncation",
              "visible keypoints")  # fmt: skip
"""Labels whose co-occurrence is looked at."""


@dataclass(frozen=True, eq=False)
class Side:
    """One of the data sets and its columns."""

    name: str
    data: Dataset

    @cached_property
    def labels(self) -> dict[str, Column]:
        """Columns of labels by name."""
        return label_columns(self.data)

    @cached_property
    def factors(self) -> dict[str, Column]:
        """Columns of scene factors by dotted key."""
        return factor_columns(self.data)

    @cached_property
    def letters(self) -> list[str]:
        """The keypoints' states of each record that has keypoints."""
        return [r.keypoints.visibility for r in self.data if r.keypoints is not None]


def write_stats(folders: Sequence[Path], output: Path) -> None:
    """Write the page about one or two data sets, in any layout that can be read.

    Raises DataError when one cannot be read or a sample's image cannot be decoded.
    """
    sides = _sides([open_dataset(folder) for folder in folders])
    page = environment("synth.stats").get_template("template.html").render(_context(sides))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(output, page)


def _sides(datasets: Sequence[Dataset]) -> list[Side]:
    names = [dataset.info.name for dataset in datasets]
    if len(set(names)) < len(names):
        names = [f"{name} ({i})" for i, name in enumerate(names, start=1)]
    return [Side(name, data) for name, data in zip(names, datasets, strict=True)]


def _context(sides: Sequence[Side]) -> dict[str, Any]:
    return {
        "names": [side.name for side in sides],
        "facts": _facts(sides),
        "differences": _differences(sides) if len(sides) > 1 else [],
        "labels": _distributions([side.labels for side in sides]),
        "roses": _roses(sides),
        "keypoints": _keypoints(sides),
        "tables": [_colour_by_type(side) for side in sides],
        "entangled": _entangled(sides),
        "factors": _factors(sides),
        "samples": [(side.name, _samples(side.data)) for side in sides],
    }


def _facts(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """The data sets in numbers, a row a fact."""
    rows = {
        "layout": [side.data.format for side in sides],
        "images": [f"{len(side.data):,}" for side in sides],
        "identities": [_distinct(side.data, "identity") for side in sides],
        "cameras": [_distinct(side.data, "camera") for side in sides],
        "splits": [
            ", ".join(
                f"{k or 'none'} {n:,}" for k, n in Counter(r.split for r in side.data).items()
            )
            for side in sides
        ],
        "images with keypoints": [f"{len(side.letters):,}" for side in sides],
    }
    for name in ("longer side, px", "visible keypoints"):
        rows[f"median {name}"] = [_median(side.labels.get(name)) for side in sides]
    return list(rows.items())


def _distinct(data: Dataset, field: str) -> str:
    values = {v for r in data if (v := getattr(r, field)) is not None}
    return f"{len(values):,}" if values else "not known"


def _median(column: Column | None) -> str:
    return "not known" if column is None else f"{np.median(column.numbers()):g}"


def _differences(sides: Sequence[Side]) -> list[tuple[str, str]]:
    """The labels that both have, those that differ most first, with their share that differs."""
    first, second = (side.labels for side in sides)
    found = {n: difference(first[n], second[n]) for n in first if n in second and n != "split"}
    return [(n, f"{100 * v:.0f} %") for n, v in sorted(found.items(), key=lambda item: -item[1])]


def _distributions(tables: Sequence[Mapping[str, Column]]) -> list[tuple[str, Markup]]:
    """A title and a chart for every column that some data set has."""
    names = list(dict.fromkeys(name for table in tables for name in table))
    with progress(len(names), "charts", unit="chart", disable=not names) as bar:
        made = []
        for name in names:
            made.append((name, distribution(name, [table.get(name) for table in tables])))
            bar.update()
    return made


def _roses(sides: Sequence[Side]) -> list[tuple[str, Markup]]:
    roses = []
    for arm, side in enumerate(sides):
        azimuth = side.labels.get("azimuth, degrees")
        if azimuth is not None:
            elevation = side.labels.get("elevation, degrees")
            chart = charts.rose(f"where the cameras of {side.name} stand", azimuth, elevation, arm)
            roses.append((side.name, chart))
    return roses


def _keypoints(sides: Sequence[Side]) -> dict[str, Any]:
    """Charts of the keypoints' states, and of pairs that are seen together."""
    with_points = [(arm, side) for arm, side in enumerate(sides) if side.letters]
    if not with_points:
        return {}
    return {
        "names": [side.name for _, side in with_points],
        "states": charts.keypoint_states(
            "states of each keypoint", [side.letters for _, side in with_points]
        ),
        "together": [
            (side.name, charts.together(f"keypoints seen together in {side.name}",
                                        np.array([list(w) for w in side.letters]) == "v", arm))
            for arm, side in with_points
        ],
    }  # fmt: skip


def _colour_by_type(side: Side) -> dict[str, Any]:
    """Images of each colour and type; ``shade`` is the share of the fullest cell, percent."""
    counts = Counter((r.colour, r.type) for r in side.data if r.colour and r.type)
    types = [t for t in TYPES if any(t == b for _, b in counts)]
    most = max(counts.values(), default=1)
    rows = [
        (c, [(counts[c, t], round(70 * counts[c, t] / most)) for t in types])
        for c in COLOURS
        if any(c == a for a, _ in counts)
    ]
    return {"name": side.name, "types": types, "rows": rows}


def _entangled(sides: Sequence[Side]) -> list[tuple[str, Markup]]:
    """For each data set, how much its labels hang together."""
    made = []
    for arm, side in enumerate(sides):
        names = [n for n in _ENTANGLED if n in side.labels and len(set(side.labels[n].values)) > 1]
        table = {
            (a, b): association(side.labels[a], side.labels[b])
            for a, b in itertools.combinations(names, 2)
        }
        if table:
            chart = charts.associations(f"labels that go together in {side.name}", table, arm)
            made.append((side.name, chart))
    return made


def _factors(sides: Sequence[Side]) -> list[tuple[str, list[tuple[str, Markup]]]]:
    """The factors' charts by section of the scene; the vehicle's many come last."""
    sections: dict[str, list[tuple[str, Markup]]] = {}
    for name, chart in _distributions([side.factors for side in sides]):
        parts = name.split(".")
        section = ".".join(parts[: 2 if parts[0] == "vehicle" and len(parts) > 2 else 1])
        sections.setdefault(section, []).append((name, chart))
    return sorted(sections.items(), key=lambda item: item[0].startswith("vehicle"))


def _samples(data: Dataset) -> list[Markup]:
    """Images picked by chance, of as many identities as possible, with their labels."""
    rows = chosen([record.identity for record in data], _SAMPLES)
    return [_sample(data, data.records[row]) for row in rows]


def _sample(data: Dataset, record: Record) -> Markup:
    overlay = ""
    if record.box is not None:
        left, top, right, bottom = record.box
        width, height = right - left, bottom - top
        overlay += f'<rect class="box" x="{left}" y="{top}" width="{width}" height="{height}"/>'
    if record.keypoints is not None:
        xy, visible = record.keypoints.xy_array(), record.keypoints.visible_array()
        overlay += bones(xy, visible) + dots(xy, visible)
    label = ", ".join(filter(None, (record.colour, record.type))) or "vehicle"
    return shot(data.image_path(record), label, overlay)
