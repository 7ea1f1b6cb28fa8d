"""The report's tables of arms: each arm's mean, and what it is above the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluate.config import Task
from evaluate.report.export import Cell, Column, Table
from evaluate.results import Results, points
from evaluate.statistics import Difference, SeedMean

DASH = "\N{EN DASH}"


@dataclass(frozen=True)
class Entry:
    """One arm under one heading; the baseline has no difference."""

    arm: str
    mean: SeedMean | None
    difference: Difference | None


@dataclass(frozen=True)
class Group:
    """What is compared (a metric, a part of the test images), arm by arm."""

    label: str
    note: str
    entries: tuple[Entry, ...]


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
    """An arm as the page shows it; ``number`` is its place among the arms."""

    number: int
    arm: str
    value: str
    interval: str
    """Of the value, over seeds; empty where there is one seed."""
    bar: Bar | None


@dataclass(frozen=True)
class ArmTable:
    """Groups of rows on one scale, and the same to take along."""

    heading: str
    groups: tuple[tuple[Group, tuple[Row, ...]], ...]
    take: Table


def arm_table(name: str, title: str, heading: str, groups: Sequence[Group]) -> ArmTable:
    """A table of ``groups``, whose labels stand under ``heading``; all bars share one scale."""
    bounds = [
        abs(bound)
        for group in groups
        for entry in group.entries
        if (d := entry.difference) is not None
        for bound in (d.low, d.high)
    ]
    scale = max(bounds, default=0.0) or 1.0
    shown = tuple((group, _rows(group, scale)) for group in groups)
    return ArmTable(heading, shown, take_along(name, title, heading, groups))


def metric_groups(results: Results, task: Task) -> list[Group]:
    """The metrics of one task, with the most real images."""
    found = results.differences[task]
    return [
        Group(
            metric.label,
            metric.meaning,
            tuple(
                Entry(
                    arm.name,
                    results.mean(task, arm.name, metric.key),
                    found.get(arm.name, {}).get(metric.key),
                )
                for arm in results.config.arms
            ),
        )
        for metric in results.metrics(task)
    ]


def take_along(name: str, title: str, heading: str, groups: Sequence[Group]) -> Table:
    """All numbers of ``groups``, in percent and percentage points."""
    columns = (
        Column(heading),
        Column("Arm"),
        *(Column(f"{what}, %", 1) for what in ("Mean", "Mean low", "Mean high")),
        *(Column(f"Difference{part}, points", 1, signed=True) for part in ("", " low", " high")),
        Column("p", 3),
        Column("p corrected", 3),
        Column("Shown"),
    )
    rows = tuple(_cells(group, entry) for group in groups for entry in group.entries)
    narrow = ("Arm", "Mean, %", "Difference, points", "Shown")
    paper = Table(
        name,
        title,
        tuple(Column(word) for word in (heading, *narrow)),
        tuple(_paper_cells(group, entry) for group in groups for entry in group.entries),
    )
    return Table(name, title, columns, rows, paper)


def percent(share: float | None) -> str:
    """A share as in ``71.3``; a dash where there is none."""
    return DASH if share is None else points(share, signed=False)


def _rows(group: Group, scale: float) -> tuple[Row, ...]:
    return tuple(
        Row(
            number,
            entry.arm,
            percent(entry.mean.value if entry.mean else None),
            _interval(entry.mean),
            _bar(entry.difference, scale),
        )
        for number, entry in enumerate(group.entries)
    )


def _cells(group: Group, entry: Entry) -> tuple[Cell, ...]:
    mean, d = entry.mean, entry.difference
    means = (None,) * 3 if mean is None else (mean.value, mean.low, mean.high)
    differences = (None,) * 3 if d is None else (d.value, d.low, d.high)
    return (
        group.label,
        entry.arm,
        *(None if share is None else 100 * share for share in (*means, *differences)),
        *((None, None, "") if d is None else (d.p, d.p_corrected, "yes" if d.shown else "no")),
    )


def _paper_cells(group: Group, entry: Entry) -> tuple[Cell, ...]:
    """The intervals behind their values, in brackets."""
    mean, d = entry.mean, entry.difference
    value = percent(mean.value if mean is not None else None)
    interval = _interval(mean)
    return (
        group.label,
        entry.arm,
        f"{value} ({interval})" if interval else value,
        None if d is None else f"{points(d.value)} ({points(d.low)} to {points(d.high)})",
        "" if d is None else "yes" if d.shown else "no",
    )


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
