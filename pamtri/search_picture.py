"""A picture of a search: the query, then what was found, nearest first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pamtri.features import Features
from pamtri.images import read_image
from pamtri.page.pictures import whole_pixels
from pamtri.search import Match, told

COLUMNS = 6
FRAMES = {True: "#00a37a", False: "#e0591b", None: "#8a8f98"}
"""Colours around right, wrong and unknown matches."""
_WORDS = {True: ", right", False: ", wrong", None: ""}
_CELL = 1.9  # inches
_VEIL = 0.65  # opacity of what is hottest

Floats = NDArray[np.float32]


def draw_matches(
    target: Path,
    query: Features,
    query_row: int,
    gallery: Features,
    matches: list[Match],
    heat: Floats | None = None,
) -> None:
    """Write a PNG. Raises DataError when a picture cannot be read.

    ``heat`` (1 + matches, h, w) in 0..1 is laid over what the query and each match show.
    """
    rows = -(-(1 + len(matches)) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * _CELL, rows * 1.35 * _CELL), layout="constrained", dpi=100)
    places = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    shown = [(query, query_row, "query", "#1b1e23")]
    for rank, match in enumerate(matches, start=1):
        title = f"{rank}: {match.distance:.4f}{_WORDS[match.right]}"
        shown.append((gallery, match.row, title, FRAMES[match.right]))
    for i, (place, image) in enumerate(zip(places, shown, strict=False)):
        _draw(place, *image, None if heat is None else heat[i])
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


def _draw(
    axes: Axes, features: Features, row: int, title: str, frame: str, heat: Floats | None
) -> None:
    image = seen_part(features, row)
    axes.imshow(image)
    if heat is not None:
        height, width = image.shape[:2]
        extent = (-0.5, width - 0.5, height - 0.5, -0.5)
        axes.imshow(heat, cmap="turbo", vmin=0, vmax=1, alpha=_VEIL * heat, extent=extent)
    axes.set_title(title, fontsize=9, color=frame)
    words = [words for name in ("colour", "type") if (words := told(features, row, name))]
    axes.set_xlabel("\n".join([_short(features.names[row]), *words]), fontsize=7.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(edgecolor=frame, linewidth=3)


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:12]}…{name[-13:]}"
