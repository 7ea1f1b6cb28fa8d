"""The report's charts as SVG whose colours are the page's own, in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from evaluate.report.tables import Group
from evaluate.statistics import Difference, SeedMean
from pamtri.page.svg import ARMS, INK, inline_svg

_STYLES = ("-", (0, (4, 1.5)), (0, (1, 1)), "-.", (0, (6, 2)))
"""Arms differ in line style too, for eyes and printers that see no colours; as the number of styles
and that of colours have no divisor in common, thirty arms differ in one of them."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_SIZE, _WIDE = (4.4, 2.9), (4.8, 3.2)
"""Inches; a narrow screen shows them at about half of that."""
_LABEL = 0.085
"""Height of a line's name as a share of the chart's."""
_TICK = 8
"""Letters in a line below the axis of amounts."""
GLYPHS = ("●", "■", "▲", "◆", "▼", "✚", "✖", "★")
"""The same markers in running text."""


@dataclass(frozen=True)
class Curve:
    """One training: ``arm`` is its arm's position, points are (step, value)."""

    arm: int
    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Place:
    """A place of the learning curve's axis: how many real images, and what they are called."""

    images: int
    label: str


def chart(title: str, curves: Sequence[Curve], percent: bool = False) -> Markup:
    """Curves over training steps; seeds of one arm share colour and legend entry."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        labelled: set[str] = set()
        for curve in curves:
            axes.plot(
                [step for step, _ in curve.points],
                [100 * value if percent else value for _, value in curve.points],
                color=_colour(curve.arm),
                linestyle=_STYLES[curve.arm % len(_STYLES)],
                linewidth=1.8,
                marker="o" if len(curve.points) < 30 else "",
                markersize=3.5,
                label="" if curve.label in labelled else curve.label,
            )
            labelled.add(curve.label)
        axes.set_xlabel("optimisation step")
        axes.set_ylabel(f"{title}, %" if percent else title)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        _plain(axes)
        figure.legend(loc="outside upper left", ncols=2, frameon=False)

    rows = -(-len({curve.label for curve in curves}) // 2)
    return inline_svg(title, (_SIZE[0], _SIZE[1] - 0.2 + 0.22 * rows), draw)


def learning_curve(metric: str, places: Sequence[Place], groups: Sequence[Group]) -> Markup:
    """Each arm's mean of ``metric`` in percent with its 95 % band over seeds.

    There is a group for each of ``places``.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        ends = {}
        for number, entry in enumerate(groups[0].entries):
            known = [
                (place.images, mean)
                for place, group in zip(places, groups, strict=True)
                if (mean := group.entries[number].mean) is not None
            ]
            if known:
                _band(axes, number, known)
                ends[number] = (entry.arm, 100 * known[-1][1].value)
        _amounts(axes, places)
        axes.set_ylabel(f"{metric}, %")
        _direct_labels(axes, places[-1].images, ends)

    return inline_svg(f"{metric} of each arm by number of real training images", _WIDE, draw)


def gain_chart(metric: str, places: Sequence[Place], groups: Sequence[Group]) -> Markup:
    """Each arm's difference to the first in points of ``metric``, with its 95 % interval."""
    gain = f"{metric}, gain over {groups[0].entries[0].arm}"

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=INK, linewidth=1.2)
        count = len(groups[0].entries)
        ends = {}
        for number, entry in enumerate(groups[0].entries):
            known = [
                (place.images * 1.05 ** (number - (count - 1) / 2), difference)
                for place, group in zip(places, groups, strict=True)
                if (difference := group.entries[number].difference) is not None
            ]
            if not known:
                continue
            x = [where for where, _ in known]
            axes.vlines(x, [100 * d.low for _, d in known], [100 * d.high for _, d in known],
                        color=_colour(number), linewidth=1.6)  # fmt: skip
            _line(axes, number, x, [100 * d.value for _, d in known])
            ends[number] = (entry.arm, 100 * known[-1][1].value)
        _amounts(axes, places)
        axes.set_ylabel(f"{gain}, points")
        _direct_labels(axes, places[-1].images, ends)

    return inline_svg(f"{gain} by number of real training images", _WIDE, draw)


def dot_chart(title: str, groups: Sequence[Group]) -> Markup:
    """Each arm's mean in percent as a mark, a row for each group."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row, group in enumerate(groups):
            shown = [100 * e.mean.value for e in group.entries if e.mean is not None]
            axes.plot([min(shown), max(shown)], [row, row], color=INK, alpha=0.35, linewidth=2)
        for number in range(len(groups[0].entries)):
            means = [(row, g.entries[number].mean) for row, g in enumerate(groups)]
            known = [(100 * mean.value, row) for row, mean in means if mean is not None]
            axes.plot([x for x, _ in known], [row for _, row in known], linestyle="",
                      color=_colour(number), marker=_marker(number), markersize=7)  # fmt: skip
        axes.set_yticks(range(len(groups)), [f"{g.label} ({g.note})" for g in groups])
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set_xlabel("%")
        _plain(axes)
        axes.tick_params(axis="y", length=0)

    return inline_svg(title, (_SIZE[0], 0.8 + 0.28 * len(groups)), draw)


def worth_chart(metric: str, worths: Sequence[tuple[str, Difference]]) -> Markup:
    """Each factor's worth in points of ``metric`` with its 95 % interval, hollow if not shown."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1.2)
        for row, (_, worth) in enumerate(worths):
            axes.plot([100 * worth.low, 100 * worth.high], [row, row], color=ARMS[0], linewidth=2)
            axes.plot([100 * worth.value], [row], "o", color=ARMS[0], markersize=8,
                      fillstyle="full" if worth.shown else "none")  # fmt: skip
        axes.set_yticks(range(len(worths)), [name for name, _ in worths])
        axes.set_ylim(len(worths) - 0.5, -0.5)
        axes.set_xlabel(f"{metric}, points")
        _plain(axes)
        axes.tick_params(axis="y", length=0)

    title = f"{metric}: what each factor of randomisation is worth"
    return inline_svg(title, (_SIZE[0], 0.8 + 0.28 * len(worths)), draw)


def _band(axes: Axes, number: int, known: Sequence[tuple[int, SeedMean]]) -> None:
    x = [images for images, _ in known]
    sure = [(i, 100 * m.low, 100 * m.high) for i, m in known
            if m.low is not None and m.high is not None]  # fmt: skip
    axes.fill_between([i for i, *_ in sure], [low for _, low, _ in sure], [h for *_, h in sure],
                      color=_colour(number), alpha=0.18, linewidth=0)  # fmt: skip
    _line(axes, number, x, [100 * m.value for _, m in known])


def _line(axes: Axes, number: int, x: Sequence[float], y: Sequence[float]) -> None:
    axes.plot(x, y, color=_colour(number), linestyle=_STYLES[number % len(_STYLES)],
              marker=_marker(number), markersize=6, linewidth=2)  # fmt: skip


def _amounts(axes: Axes, places: Sequence[Place]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([place.images for place in places]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{p.images:,}\n{fill(p.label, _TICK)}" for p in places])
    axes.set_xlabel("real training images")
    _plain(axes)


def _direct_labels(axes: Axes, x: float, ends: Mapping[int, tuple[str, float]]) -> None:
    """Each arm's name beside the end of its line, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    order = sorted(ends, key=lambda number: ends[number][1])
    heights = apart([ends[number][1] for number in order], _LABEL * (high - low))
    for number, height in zip(order, heights, strict=True):
        axes.annotate(ends[number][0], (x, height), xytext=(9, 0), textcoords="offset points",
                      color=_colour(number), va="center", annotation_clip=False)  # fmt: skip


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights, each at least ``gap`` above the one before, and on average where it was.

    Only those that are too near to each other move, together with their neighbours.
    """
    clusters: list[list[float]] = []
    for height in heights:
        clusters.append([height])
        while len(clusters) > 1 and _overlap(clusters[-2], clusters[-1], gap):
            last = clusters.pop()
            clusters[-1] += last
    return [place for cluster in clusters for place in _spread(cluster, gap)]


def _overlap(lower: Sequence[float], upper: Sequence[float], gap: float) -> bool:
    return _spread(upper, gap)[0] - _spread(lower, gap)[-1] < gap


def _spread(cluster: Sequence[float], gap: float) -> list[float]:
    middle = sum(cluster) / len(cluster)
    return [middle + (i - (len(cluster) - 1) / 2) * gap for i in range(len(cluster))]


def _colour(number: int) -> str:
    return ARMS[number % len(ARMS)]


def _marker(number: int) -> str:
    return _MARKERS[number % len(_MARKERS)]


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.2)


def smoothed(points: Sequence[tuple[float, float]], count: int = 60) -> list[tuple[float, float]]:
    """At most ``count`` points, each the mean of a stretch."""
    stretch = max(1, -(-len(points) // count))
    pieces = [points[i : i + stretch] for i in range(0, len(points), stretch)]
    return [(piece[-1][0], sum(v for _, v in piece) / len(piece)) for piece in pieces]


def series(lines: Sequence[Mapping[str, object]], kind: str, key: str) -> list[tuple[float, float]]:
    """(step, value) of the ``history.jsonl`` lines of a kind that have a number at ``key``."""
    return [
        (float(line["step"]), float(value))  # type: ignore[arg-type]
        for line in lines
        if line.get("kind") == kind and isinstance(value := line.get(key), (int, float))
    ]
