"""The learning curve: what each arm makes of few and of many real images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from evaluate.config import Task
from evaluate.data import open_source
from evaluate.metrics import Metric
from evaluate.plan import training_source
from evaluate.report.charts import Place, gain_chart, learning_curve
from evaluate.report.tables import ArmTable, Entry, Group, arm_table
from evaluate.results import TASK_NAMES, Results, outcome


@dataclass(frozen=True)
class LearningCurve:
    """One metric over the amounts of real images."""

    metric: str
    means: Markup
    gains: Markup
    table: ArmTable
    sentences: tuple[str, ...]
    """What the second arm brought with each amount."""


def learning_curves(results: Results, folder: Path, task: Task) -> list[LearningCurve]:
    """A curve for each metric of the task; none where all arms got one amount."""
    if len(results.config.real.amounts) < 2:
        return []
    places = amounts_of(results, folder, task)
    return [_curve(results, task, metric, places) for metric in results.metrics(task)]


def amounts_of(results: Results, folder: Path, task: Task) -> list[Place]:
    """How many real training images each amount is."""
    places = []
    for amount in results.config.real.amounts:
        source = training_source(results.config, folder, task, amount)
        places.append(Place(len(open_source(source, source.train)), amount.label))
    return places


def _curve(results: Results, task: Task, metric: Metric, places: Sequence[Place]) -> LearningCurve:
    groups = _groups(results, task, metric, places)
    name = f"{TASK_NAMES[task]}, {metric.label}"
    slug = metric.key.replace("@", "-").replace("_", "-")
    title = f"{name}, by amount of real training images"
    second = [group.entries[1] for group in groups]
    return LearningCurve(
        metric.label,
        learning_curve(metric.label, places, groups),
        gain_chart(metric.label, places, groups),
        arm_table(f"{task}-curve-{slug}", title, "Real images", groups),
        tuple(
            f"With {group.label} ({group.note}) "
            f"{outcome(entry.difference, TASK_NAMES[task], metric.label)}."
            for group, entry in zip(groups, second, strict=True)
        ),
    )


def _groups(results: Results, task: Task, metric: Metric, places: Sequence[Place]) -> list[Group]:
    return [
        Group(
            place.label,
            f"{place.images:,} images",
            tuple(
                Entry(
                    arm.name,
                    results.mean(task, arm.name, metric.key, amount),
                    results.curves[task][amount].get(arm.name, {}).get(metric.key),
                )
                for arm in results.config.arms
            ),
        )
        for amount, place in zip(results.config.real.amounts, places, strict=True)
    ]
