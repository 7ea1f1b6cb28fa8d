"""A picture of a search: the query, then what was found, nearest first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pamtri.features import Features
from pamtri.images import read_image
from pamtri.page.pictures import whole_pixels
from pamtri.search import Match, told

COLUMNS = 6
FRAMES = {True: "#00a37a", False: "#e0591b", None: "#8a8f98"}
"""Colours around right, wrong and unknown matches."""
_WORDS = {True: ", right", False: ", wrong", None: ""}
_CELL = 1.9  # inches


def draw_matches(
    target: Path, query: Features, query_row: int, gallery: Features, matches: list[Match]
) -> None:
    """Write a PNG. Raises DataError when a picture cannot be read."""
    rows = -(-(1 + len(matches)) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * _CELL, rows * 1.35 * _CELL), layout="constrained", dpi=100)
    places = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    _draw(places[0], query, query_row, "query", "#1b1e23")
    for place, (rank, match) in zip(places[1:], enumerate(matches, start=1), strict=False):
        title = f"{rank}: {match.distance:.4f}{_WORDS[match.right]}"
        _draw(place, gallery, match.row, title, FRAMES[match.right])
    for place in places[1 + len(matches) :]:
        place.set_axis_off()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, format="png", metadata={"Software": None})


def seen_part(features: Features, row: int) -> np.ndarray:
    """The image of a row, (h, w, 3), cut to the vehicle's box where that is known."""
    assert features.paths is not None
    image = read_image(features.paths[row])
    if features.labels is None or np.isnan(features.labels.box[row]).any():
        return image
    part = tuple(features.labels.box[row].tolist())
    left, top, right, bottom = whole_pixels(part, (image.shape[1], image.shape[0]))
    return image[top:bottom, left:right]


def _draw(axes: Axes, features: Features, row: int, title: str, frame: str) -> None:
    axes.imshow(seen_part(features, row))
    axes.set_title(title, fontsize=9, color=frame)
    words = [words for name in ("colour", "type") if (words := told(features, row, name))]
    axes.set_xlabel("\n".join([_short(features.names[row]), *words]), fontsize=7.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(edgecolor=frame, linewidth=3)


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:12]}…{name[-13:]}"
