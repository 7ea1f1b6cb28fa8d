"""Training curves as SVG whose colours are the page's own, in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pamtri.page.svg import ARMS, inline_svg

_STYLES = ("-", (0, (4, 1.5)), (0, (1, 1)), "-.", (0, (6, 2)), ":")
"""Arms differ in line style too, for eyes and printers that see no colours."""


@dataclass(frozen=True)
class Curve:
    """One training: ``arm`` is its arm's position, points are (step, value)."""

    arm: int
    label: str
    points: Sequence[tuple[float, float]]


def chart(title: str, curves: Sequence[Curve], percent: bool = False) -> Markup:
    """Curves over training steps; seeds of one arm share colour and legend entry."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        labelled: set[str] = set()
        for curve in curves:
            axes.plot(
                [step for step, _ in curve.points],
                [100 * value if percent else value for _, value in curve.points],
                color=ARMS[curve.arm % len(ARMS)],
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
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.2)
        axes.legend(frameon=False)

    return inline_svg(title, (4.4, 2.9), draw)


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
