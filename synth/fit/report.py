"""What a fit leaves behind: a configuration, and a page that shows the way to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from markupsafe import Markup
from matplotlib.figure import Figure

from pamtri.page.pictures import shot
from pamtri.page.svg import ARMS, INK, inline_svg
from pamtri.page.template import environment
from pamtri.run_folder import write_atomic
from synth.fit.descent import Fit, Round, Values
from synth.fit.looks import SCALARS, Looks

_PICTURES = 18
_WORDS = {
    "elevation": "elevation, degrees",
    "roll": "roll, degrees",
    "distance": "distance, logarithm of vehicle lengths",
    "margin": "room around the vehicle, share of its size",
    "brightness": "brightness, stops",
    "contrast": "contrast",
    "saturation": "saturation",
    "warmth": "warmth, stops",
    "sharpness": "sharpness",
    "grain": "grain",
}


def write_config(fit: Fit, preset: Path, output: Path) -> None:
    """Write the best round's values as YAML that extends the preset."""
    content: dict[str, Any] = {"extends": os.path.relpath(preset, output.parent)}
    for key, value in fit.best.values.items():
        *sections, last = key.split(".")
        section = content
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = value
    text = yaml.safe_dump(content, sort_keys=False, width=100)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(output, f"# Fitted to {len(fit.target.paths)} images by pamtri synth fit.\n{text}")


def write_page(fit: Fit, preset: Path, config: Path, output: Path) -> None:
    """Write one HTML file: the answer, the path, measurements before and after, pictures."""
    first, best = fit.rounds[0], fit.best
    page = environment("synth.fit").get_template("template.html")
    html = page.render(
        preset=preset.name,
        config=config.name,
        count=len(fit.target.paths),
        first=first,
        best=best,
        best_number=fit.rounds.index(best),
        rounds=fit.rounds,
        names=list(first.distances),
        untold=fit.untold,
        path=_path_chart(fit),
        charts=_charts(fit.target, first, best),
        samples=[
            ("The photographs", _samples(fit.target)),
            (f"Renders of {preset.name}", _samples(first.looks)),
            (f"Renders of {config.name}", _samples(best.looks)),
        ],
        values=_changes(best.values),
    )
    write_atomic(output, html)


def _path_chart(fit: Fit) -> Markup:
    scores = [done.score for done in fit.rounds]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(scores, marker="o", color=ARMS[0])
        axes.set_xlabel("round")
        axes.set_ylabel("mean distance")
        axes.set_ylim(bottom=0)
        axes.set_xticks(range(len(scores)))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.2)

    return inline_svg("Distance by round", (5.0, 2.6), draw)


def _charts(target: Looks, first: Round, best: Round) -> list[tuple[str, Markup]]:
    """Each measurement's spread among photographs, the preset's renders and the fitted ones."""
    columns: list[tuple[str, str, int | None]] = [("azimuth, degrees", "azimuth", None)]
    columns += [(_WORDS[name], "scalars", i) for i, name in enumerate(SCALARS)]
    charts = []
    for title, name, column in columns:
        sides = [getattr(looks, name) for looks in (target, first.looks, best.looks)]
        values = [side if column is None else side[:, column] for side in sides]
        charts.append((title, _histogram(title, [v[np.isfinite(v)] for v in values])))
    return charts


def _histogram(title: str, sides: list[np.ndarray]) -> Markup:
    low, high = np.quantile(np.concatenate(sides), [0.005, 0.995])
    edges = np.linspace(low, high, 19)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        target, before, after = (
            100 * np.histogram(side, edges)[0] / max(len(side), 1) for side in sides
        )
        axes.stairs(target, edges, fill=True, color=INK, alpha=0.18)
        axes.stairs(before, edges, color=ARMS[1], linestyle="--", linewidth=1.6)
        axes.stairs(after, edges, color=ARMS[0], linewidth=2)
        axes.set_ylabel("% of images")
        axes.spines[["top", "right"]].set_visible(False)

    return inline_svg(title, (3.4, 2.1), draw)


def _samples(looks: Looks) -> list[Markup]:
    count = min(_PICTURES, len(looks.paths))
    chosen = [looks.paths[i * len(looks.paths) // count] for i in range(count)]
    return [shot(path, path.name) for path in chosen]


def _changes(values: Values) -> list[tuple[str, str]]:
    return [
        (key, yaml.safe_dump(value, default_flow_style=True, width=10_000).strip())
        for key, value in values.items()
    ]
