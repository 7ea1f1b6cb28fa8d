"""How much two columns differ, and how much the columns of one data set hang together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pamtri.columns import Column

_BINS = 24
_COARSE = 6
"""Bins of a number where it is set against words."""


def bin_edges(columns: Sequence[Column], bins: int = _BINS) -> NDArray[np.float64]:
    """(bins + 1,) edges over all numbers of the columns; whole numbers get bins of their own."""
    numbers = np.concatenate([column.numbers() for column in columns])
    low, high = float(numbers.min()), float(numbers.max())
    if (numbers == np.round(numbers)).all() and high - low < 2 * bins:
        step = max(1, round((high - low + 1) / bins))
        return np.arange(low - 0.5, high + step + 0.4, step)
    return np.linspace(low, high if high > low else low + 1, bins + 1)


def shares(column: Column, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """(bins,) share of the column's numbers in each bin."""
    numbers = column.numbers()
    counts = np.histogram(numbers, edges)[0]
    return counts / max(1, len(numbers))


def word_shares(columns: Sequence[Column]) -> dict[str, list[float]]:
    """The share of each word in each column, the most frequent word first."""
    counts = [column.words() for column in columns]
    totals = [max(1, sum(count.values())) for count in counts]
    table = {
        word: [count[word] / total for count, total in zip(counts, totals, strict=True)]
        for word in dict.fromkeys(word for count in counts for word in count)
    }
    return dict(sorted(table.items(), key=lambda item: (-sum(item[1]), item[0])))


def difference(first: Column, second: Column) -> float:
    """Total variation, 0..1: the least share of images that would have to change to be alike."""
    if first.is_numeric and second.is_numeric:
        edges = bin_edges([first, second])
        pairs = np.stack([shares(column, edges) for column in (first, second)])
    else:
        pairs = np.array(list(word_shares([first, second]).values())).T
    return float(np.abs(pairs[0] - pairs[1]).sum() / 2)


def association(first: Column, second: Column) -> float:
    """Cramér's V with Bergsma's correction of bias, 0..1, over the images that have both.

    W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", J. Korean Stat. Soc. 42, 2013.
    Numbers are put into bins of equal counts first.
    """
    pairs = [
        (a, b)
        for a, b in zip(_groups(first), _groups(second), strict=True)
        if a is not None and b is not None
    ]
    if len(pairs) < 2:
        return 0.0
    rows = {a: i for i, a in enumerate(dict.fromkeys(a for a, _ in pairs))}
    columns = {b: i for i, b in enumerate(dict.fromkeys(b for _, b in pairs))}
    counts = np.zeros((len(rows), len(columns)))
    for a, b in pairs:
        counts[rows[a], columns[b]] += 1
    n = len(pairs)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi = ((counts - expected) ** 2 / expected).sum() / n
    r, k = counts.shape
    phi = max(0.0, phi - (r - 1) * (k - 1) / (n - 1))
    smallest = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(phi / smallest)) if smallest > 1e-9 else 0.0


def _groups(column: Column) -> list[str | int | None]:
    """A word or the number of a bin for each image."""
    if not column.is_numeric:
        return [None if v is None else str(v) for v in column.values]
    edges = np.unique(np.quantile(column.numbers(), np.linspace(0, 1, _COARSE + 1)[1:-1]))
    return [None if v is None else int(np.searchsorted(edges, float(v))) for v in column.values]
