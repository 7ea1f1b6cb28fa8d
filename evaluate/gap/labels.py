"""The labels of two data sets side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from evaluate.viewpoint import SIDES, sides_of
from pamtri.column_difference import bin_edges, difference, shares, word_shares
from pamtri.columns import Column, Value, label_columns
from pamtri.dataset import Dataset

SIDE = "side seen"
_AZIMUTH = "azimuth, degrees"
_LEFT_OUT = ("split", "camera", "style")
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_MOST_WORDS = 12
_MOST_PANELS_ACROSS = 4
_COLOURS = ("#8a8f98", "#2a6fdb")


@dataclass(frozen=True)
class LabelPair:
    """One label of both data sets; None where a set does not know it."""

    name: str
    first: Column | None
    second: Column | None

    @property
    def both(self) -> tuple[Column, Column] | None:
        """The two columns, where both sets know the label."""
        return None if self.first is None or self.second is None else (self.first, self.second)

    @property
    def difference(self) -> float | None:
        """Total variation, 0..1: the least share of images that would have to change."""
        return None if self.both is None else difference(*self.both)

    def summary(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "difference": self.difference,
            "first": _told(self.first),
            "second": _told(self.second),
        }


def label_pairs(first: Dataset, second: Dataset) -> list[LabelPair]:
    """Every label that one of the sets knows, in a fixed order."""
    columns = [_columns(dataset) for dataset in (first, second)]
    names = dict.fromkeys(name for known in columns for name in known)
    return [LabelPair(name, columns[0].get(name), columns[1].get(name)) for name in names]


def words(column: Column | None, most: int = 3) -> str:
    """A column in a few words: its commonest words, or its median and where four in five lie."""
    if column is None:
        return "not known"
    if not column.is_numeric:
        table = list(word_shares([column]).items())
        told = [f"{word} {100 * share:.0f} %" for word, (share,) in table[:most]]
        return ", ".join(told) + (f", {len(table) - most} more" if len(table) > most else "")
    low, middle, high = np.quantile(column.numbers(), [0.1, 0.5, 0.9])
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def write_chart(path: Path, pairs: Sequence[LabelPair], names: tuple[str, str]) -> None:
    """Write a PNG with a panel for each label: shares of the images, one set beside the other."""
    across = min(_MOST_PANELS_ACROSS, len(pairs))
    down = -(-len(pairs) // across)
    figure = Figure(figsize=(4.2 * across, 2.8 * down + 0.5), layout="constrained", dpi=100)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, pair in zip(panels, pairs, strict=False):
        _panel(axes, pair)
    for axes in panels[len(pairs) :]:
        axes.set_axis_off()
    handles = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white")
        for colour, hatch in zip(_COLOURS, ("", "///"), strict=True)
    ]
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})


def _columns(dataset: Dataset) -> dict[str, Column]:
    columns = {n: c for n, c in label_columns(dataset).items() if n not in _LEFT_OUT}
    if _AZIMUTH in columns:
        columns[SIDE] = Column(SIDE, tuple(map(_side, columns.pop(_AZIMUTH).values)))
    return columns


def _side(azimuth_deg: Value) -> str | None:
    if azimuth_deg is None:
        return None
    return SIDES[int(sides_of(np.array([float(azimuth_deg)]))[0])]


def _told(column: Column | None) -> dict[str, Any] | None:
    if column is None:
        return None
    known = sum(value is not None for value in column.values)
    if not column.is_numeric:
        return {"known": known, "shares": {w: s for w, (s,) in word_shares([column]).items()}}
    numbers = column.numbers()
    return {"known": known, "quantiles": {q: float(np.quantile(numbers, q)) for q in _QUANTILES}}


def _panel(axes: Axes, pair: LabelPair) -> None:
    columns = [c if c is not None else Column(pair.name, ()) for c in (pair.first, pair.second)]
    if all(column.is_numeric for column in columns):
        edges = bin_edges(columns)
        for number, column in enumerate(columns):
            axes.stairs(100 * shares(column, edges), edges, fill=number == 0, linewidth=1.8,
                        color=_COLOURS[number], alpha=1.0 if number else 0.6)  # fmt: skip
        axes.set_ylabel("% of images")
    else:
        _bars(axes, columns)
    axes.spines[["top", "right"]].set_visible(False)
    change = "" if pair.difference is None else f" (differ by {100 * pair.difference:.0f} %)"
    axes.set_title(f"{pair.name}{change}", fontsize=10)


def _bars(axes: Axes, columns: Sequence[Column]) -> None:
    table = word_shares(columns)
    shown = [side for side in SIDES if side in table] or list(table)[:_MOST_WORDS]
    for number, shift in enumerate((-0.2, 0.2)):
        axes.barh(
            np.arange(len(shown)) + shift,
            [100 * table[word][number] for word in shown],
            height=0.38,
            color=_COLOURS[number],
            hatch="///" if number else "",
            edgecolor="white",
        )
    axes.set_yticks(range(len(shown)), shown, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("% of images")
