"""A picture of what a training drew: ``drawn.png``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from train.history import HISTORY
from train.mixing import Mix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Counts = NDArray[np.int64]
PICTURE = "drawn.png"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Told apart by colour-blind people too (Okabe & Ito)."""


def write_draws(folder: Path, mix: Mix, sizes: Mapping[str, int]) -> None:
    """Draw what the history in ``folder`` tells of a ``mix`` of sources with ``sizes`` images."""
    draws_figure(folder, mix, sizes).savefig(folder / PICTURE)


def draws_figure(folder: Path, mix: Mix, sizes: Mapping[str, int]) -> Figure:
    """The share of each source in the batches beside what was asked for, and how many of its images
    have been seen."""
    from matplotlib.figure import Figure  # only here: it takes a second to load

    steps, drawn, unique = read_draws(folder, mix.sources)
    figure = Figure(figsize=(10, 4), layout="constrained", dpi=100)
    shares, seen = figure.subplots(1, 2)
    asked = np.array([mix.shares(step) for step in range(int(steps[-1]))])
    realised = np.diff(drawn, axis=0, prepend=0)
    realised = realised / realised.sum(axis=1, keepdims=True)
    for i, source in enumerate(mix.sources):
        colour = _COLOURS[i % len(_COLOURS)]
        shares.plot(100 * asked[:, i], color=colour, linewidth=1, linestyle="--")
        shares.plot(steps, 100 * realised[:, i], color=colour, label=source)
        seen.plot(steps, 100 * unique[:, i] / sizes[source], color=colour,
                  label=f"{source}: {unique[-1, i]} of {sizes[source]} images, "
                        f"{drawn[-1, i] / sizes[source]:.1f} epochs")  # fmt: skip
    shares.set(title="share of the batches (dashed: asked for)", xlabel="step", ylabel="%")
    seen.set(title="different images seen so far", xlabel="step", ylabel="% of the source")
    for axes in (shares, seen):
        axes.set_xlim(left=0)
        axes.set_ylim(-3, 103)
        axes.legend(frameon=False)
    return figure


def read_draws(folder: Path, sources: tuple[str, ...]) -> tuple[Counts, Counts, Counts]:
    """Of each training line its step (n,), and of each source (n, s) the images drawn until then
    and how many of them are different."""
    with (folder / HISTORY).open(encoding="utf-8") as file:
        lines = [line for line in map(json.loads, file) if line["kind"] == "train"]
    counts = [
        np.array([[line[key].get(source, 0) for source in sources] for line in lines], np.int64)
        for key in ("drawn", "unique")
    ]
    return np.array([line["step"] for line in lines], np.int64), counts[0], counts[1]
