"""A chart of one label of one or two data sets: how their images are spread over its values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pamtri.column_difference import bin_edges, shares, word_shares
from pamtri.columns import Column
from pamtri.page.svg import ARMS, inline_svg

_SMALL = (3.4, 2.1)
_MOST_BARS = 14
Columns = Sequence[Column | None]
"""The same column of each data set; None where one lacks it."""


def distribution(title: str, columns: Columns) -> Markup:
    """Shares of the images by value: a histogram of numbers, bars of words."""
    known = [column for column in columns if column is not None]
    if all(column.is_numeric for column in known):
        return _histogram(title, columns)
    return _bars(title, columns)


def _histogram(title: str, columns: Columns) -> Markup:
    edges = bin_edges([column for column in columns if column is not None])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for number, column in enumerate(columns):
            if column is not None:
                values = 100 * shares(column, edges)
                first = number == 0
                axes.stairs(values, edges, fill=first, color=ARMS[number], linewidth=1.8,
                            alpha=0.6 if first else 1.0)  # fmt: skip
        _plain(axes)
        axes.xaxis.set_major_locator(MaxNLocator(5))

    return inline_svg(title, _SMALL, draw)


def _bars(title: str, columns: Columns) -> Markup:
    present = [c if c is not None else Column(title, ()) for c in columns]
    table = word_shares(present)
    words = list(table)[:_MOST_BARS]
    left_out = len(table) - len(words)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        thick = 0.8 / len(columns)
        for number in range(len(columns)):
            places = np.arange(len(words)) + (number - (len(columns) - 1) / 2) * thick
            axes.barh(
                places,
                [100 * table[word][number] for word in words],
                height=thick * 0.9,
                color=ARMS[number],
                hatch="////" if number else "",
                edgecolor=ARMS[number],
                fill=number == 0,
            )
        axes.set_yticks(range(len(words)), words)
        axes.invert_yaxis()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.2)
        axes.set_xlabel(f"% of images; {left_out} more values" if left_out else "% of images")

    return inline_svg(title, (_SMALL[0], 0.75 + 0.24 * max(3, len(words))), draw)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.2)
    axes.set_ylabel("% of images")
    axes.set_ylim(bottom=0)
