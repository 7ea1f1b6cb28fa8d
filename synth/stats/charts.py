"""The charts of the page: one or two data sets in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pamtri.columns import Column
from pamtri.keypoints import NAMES, NUM_KEYPOINTS, Visibility
from pamtri.page.svg import ARMS, INK, inline_svg

_MOST_DOTS = 1500
_TURN = 24
"""Sectors of the rose."""
_STATES = {
    Visibility.VISIBLE: ("visible", ""),
    Visibility.SELF_OCCLUDED: ("behind the vehicle itself", "////"),
    Visibility.OCCLUDED: ("behind something else", "xxxx"),
    Visibility.TRUNCATED: ("outside the image", "...."),
    Visibility.HIDDEN: ("hidden", "----"),
}
"""Each state's words and hatching, for eyes that see no colours."""


def rose(title: str, azimuth: Column, elevation: Column | None, arm: int) -> Markup:
    """Seen from above, the vehicle's front up: how many cameras stand where.

    Bars are shares by azimuth; dots are cameras, the higher the nearer to the middle.
    """
    turns = np.radians(azimuth.numbers())
    edges = np.linspace(0, 2 * np.pi, _TURN + 1)
    counts = 100 * np.histogram(turns, edges)[0] / max(1, len(turns))

    def draw(figure: Figure) -> None:
        ncols = 1 if elevation is None else 2
        bars, *dots = figure.subplots(
            ncols=ncols, squeeze=False, subplot_kw={"projection": "polar"}
        ).flat
        bars.bar(edges[:-1], counts, width=2 * np.pi / _TURN, align="edge", color=ARMS[arm],
                 alpha=0.6, edgecolor=ARMS[arm])  # fmt: skip
        bars.set_title("% of images by azimuth", fontsize=10.5)
        for place in dots:
            _camera_dots(place, azimuth, elevation, arm)
        for place in (bars, *dots):
            place.set_theta_zero_location("N")
            ticks = {0: "front", 90: "left", 180: "rear", 270: "right"}
            place.set_thetagrids(list(ticks), list(ticks.values()))
            place.tick_params(axis="y", labelsize=7)
            place.grid(alpha=0.25)

    return inline_svg(title, (3.2 if elevation is None else 6.2, 3.3), draw)


def _camera_dots(axes: Axes, azimuth: Column, elevation: Column | None, arm: int) -> None:
    assert elevation is not None
    pairs = zip(azimuth.values, elevation.values, strict=True)
    both = np.array([(a, e) for a, e in pairs if a is not None and e is not None], dtype=float)
    step = max(1, len(both) // _MOST_DOTS)
    turns, heights = both[::step].T
    axes.scatter(np.radians(turns), heights, s=4, color=ARMS[arm], alpha=0.5, linewidths=0)
    lowest, highest = min(0.0, float(heights.min())), max(30.0, float(heights.max()))
    axes.set_rlim(highest + 2, lowest)  # type: ignore[attr-defined]
    axes.set_title("cameras; elevation in degrees", fontsize=10.5)


def keypoint_states(title: str, visibilities: Sequence[Sequence[str]]) -> Markup:
    """For each data set the shares of every keypoint's states, from the records' letters."""

    def draw(figure: Figure) -> None:
        all_axes = figure.subplots(ncols=len(visibilities), sharey=True, squeeze=False)[0]
        for axes, letters in zip(all_axes, visibilities, strict=True):
            _stack(axes, letters)
        all_axes[0].set_yticks(range(NUM_KEYPOINTS), [n.replace("_", " ") for n in NAMES])
        all_axes[0].invert_yaxis()
        handles, labels = all_axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2, frameon=False)

    return inline_svg(title, (3.6 + 2.4 * len(visibilities), 8.6), draw)


def _stack(axes: Axes, letters: Sequence[str]) -> None:
    table = np.array([list(word) for word in letters])
    start = np.zeros(NUM_KEYPOINTS)
    for arm, (state, (words, hatch)) in enumerate(_STATES.items()):
        width = 100 * (table == state.value).mean(axis=0)
        axes.barh(range(NUM_KEYPOINTS), width, left=start, height=0.8, color=ARMS[arm], alpha=0.85,
                  label=words, hatch=hatch, edgecolor=INK, linewidth=0)  # fmt: skip
        start += width
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of images")
    axes.margins(y=0.01)
    axes.spines[["top", "right"]].set_visible(False)


def together(title: str, visible: NDArray[np.bool_], arm: int) -> Markup:
    """(n, 36) visible keypoints: how often each pair is seen in one image, darker for more."""
    share = visible.astype(float).T @ visible / max(1, len(visible))
    return _squares(title, share, [str(i) for i in range(NUM_KEYPOINTS)], arm, (4.6, 4.6))


def associations(title: str, table: Mapping[tuple[str, str], float], arm: int) -> Markup:
    """Cramér's V of each pair of columns, written into its square."""
    names = list(dict.fromkeys(name for pair in table for name in pair))
    square = np.array(
        [[table.get((a, b), table.get((b, a), np.nan)) for b in names] for a in names]
    )
    side = 0.38 * max(8, len(names)) + 2
    return _squares(title, square, names, arm, (side + 0.8, side), write=True)


def _squares(
    title: str,
    values: NDArray[np.float64],
    names: Sequence[str],
    arm: int,
    size: tuple[float, float],
    write: bool = False,
) -> Markup:
    """A square a pair; a value 0..1 is the opacity of the data set's colour."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        shades = np.empty((*values.shape, 4))
        shades[..., :3] = to_rgb(ARMS[arm])
        shades[..., 3] = 0.85 * np.nan_to_num(values)
        axes.pcolormesh(shades)
        for (row, column), value in np.ndenumerate(values if write else np.empty((0, 0))):
            if np.isfinite(value):
                axes.text(column + 0.5, row + 0.5, f"{value:.1f}", ha="center", va="center",
                          fontsize=8)  # fmt: skip
        ticks = range(0, len(names), 1 if write else 3)
        places = [tick + 0.5 for tick in ticks]
        axes.set_xticks(places, [names[i] for i in ticks], rotation=60 if write else 0,
                        ha="right" if write else "center", rotation_mode="anchor")  # fmt: skip
        axes.set_yticks(places, [names[i] for i in ticks])
        axes.set_aspect("equal")
        axes.invert_yaxis()
        axes.spines[:].set_visible(False)

    return inline_svg(title, size, draw)
