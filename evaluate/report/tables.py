"""The report's tables as plain rows: data sets, results with interval bars, groups, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluate.config import Task
from evaluate.pose import PoseScores
from evaluate.results import Results, points
from evaluate.statistics import Difference, SeedMean
from pamtri import pck


@dataclass(frozen=True)
class Bar:
    """A difference with its interval, placed on a track that is 100 wide with zero at 50."""

    text: str
    interval: str
    verdict: str
    """``higher``, ``lower`` or ``unclear``: the class of its looks."""
    start: float
    width: float
    dot: float


@dataclass(frozen=True)
class Row:
    """A metric: one value an arm, one bar for each arm after the baseline."""

    label: str
    meaning: str
    values: tuple[str, ...]
    bars: tuple[Bar | None, ...]
    intervals: tuple[str, ...] = ()
    """Of the values, over seeds; empty where there is one seed."""


def result_rows(results: Results, task: Task) -> list[Row]:
    """The table of arms of one task; all bars of a task share one scale."""
    arms = [arm.name for arm in results.config.arms]
    found = results.differences[task]
    bounds = [abs(v) for by in found.values() for d in by.values() for v in (d.low, d.high)]
    scale = max(bounds, default=0.0) or 1.0
    rows = []
    for metric in results.metrics(task):
        means = [results.mean(task, arm, metric.key) for arm in arms]
        rows.append(
            Row(
                metric.label,
                metric.meaning,
                tuple(percent(mean.value if mean else None) for mean in means),
                tuple(_bar(found[arm].get(metric.key), scale) for arm in arms[1:]),
                tuple(_interval(mean) for mean in means),
            )
        )
    return rows


def group_rows(results: Results) -> list[Row]:
    """PCK by keypoint group, averaged over seeds; no bars."""
    rows = []
    arms = [arm.name for arm in results.config.arms]
    by_arm = [
        [pck.share_by_group(s.errors) for _, s in results.of("pose", arm)
         if isinstance(s, PoseScores)]
        for arm in arms
    ]  # fmt: skip
    for group in by_arm[0][0]:
        values = [[by_group[group] for by_group in seeds] for seeds in by_arm]
        rows.append(Row(group.replace("_", " "), "", tuple(map(_mean_percent, values)), ()))
    return rows


def data_rows(columns: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Rows (label, one value a data set) from ``evaluate.data.facts``."""
    labels = {
        "images": "Images",
        "identities": "Identities",
        "cameras": "Cameras",
        "with_keypoints": "Images with keypoints",
        "median_size": "Median size, pixels",
        "types": "Body types",
        "colours": "Colours",
    }
    return [(label, [_fact(facts[key]) for facts in columns]) for key, label in labels.items()]


def percent(share: float | None) -> str:
    """A share as in ``71.3``; a dash where there is none."""
    return "–" if share is None else points(share, signed=False)  # noqa: RUF001


def _mean_percent(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return percent(sum(known) / len(known) if known else None)


def _interval(mean: SeedMean | None) -> str:
    """As in ``68.0 to 74.5``."""
    if mean is None or mean.low is None or mean.high is None:
        return ""
    return f"{points(mean.low, signed=False)} to {points(mean.high, signed=False)}"


def _bar(difference: Difference | None, scale: float) -> Bar | None:
    if difference is None:
        return None
    place = {name: 50 + 48 * getattr(difference, name) / scale for name in ("value", "low", "high")}
    verdict = "unclear" if not difference.shown else "higher" if difference.value > 0 else "lower"
    return Bar(
        points(difference.value),
        f"{points(difference.low)} to {points(difference.high)}",
        verdict,
        round(place["low"], 2),
        round(place["high"] - place["low"], 2),
        round(place["value"], 2),
    )


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        shown = [f"{name} {count:,}" for name, count in list(value.items())[:4]]
        return ", ".join(shown) + (f" and {len(value) - 4} more" if len(value) > 4 else "") or "–"  # noqa: RUF001
    if isinstance(value, list):
        return " × ".join(str(v) for v in value)  # noqa: RUF001
    return f"{value:,}" if value else "–"  # noqa: RUF001
