"""Puts the report together: numbers, pictures and words into one HTML file, tables beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluate.config import Task
from evaluate.report.breakdowns import Breakdown, breakdowns
from evaluate.report.charts import GLYPHS, Curve, chart, series, smoothed
from evaluate.report.curve import LearningCurve, learning_curves
from evaluate.report.examples import Examples, examples
from evaluate.report.export import FOLDER, Column, Table, write_tables
from evaluate.report.factors import FactorWorths, factor_worths
from evaluate.report.sheets import DataSheets, data_sheets
from evaluate.report.tables import ArmTable, arm_table, metric_groups
from evaluate.report.training import (
    different_images,
    machine,
    synthetic_share,
    training_table,
)
from evaluate.report.words import arm_words, code_in_ticks, how, limits
from evaluate.results import TASK_NAMES, Results, answer, history
from pamtri.config import dump_config
from pamtri.page.svg import ARMS
from pamtri.page.template import environment
from pamtri.run_folder import provenance, write_atomic

PAGE = "index.html"
History = Sequence[Mapping[str, Any]]
"""The lines of a ``history.jsonl``."""
Points = list[tuple[float, float]]
_VALIDATION: dict[Task, tuple[str, str]] = {"pose": ("pck", "PCK"), "reid": ("mAP", "mAP")}
"""The validation value of ``history.jsonl`` that is drawn, and its name."""


@dataclass(frozen=True)
class Work:
    """What was run: a line to type and the seconds it took, by step title."""

    command: str
    """Repeats the whole comparison."""
    lines: tuple[str, ...]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class TaskPart:
    """What the report shows of one task."""

    key: Task
    name: str
    how: str
    factors: FactorWorths | None
    table: ArmTable
    curves: list[LearningCurve]
    parts: list[Breakdown]
    examples: list[Examples]
    charts: list[Markup]


@dataclass(frozen=True)
class Report:
    """Everything that the page shows and that has a table to take along."""

    tasks: tuple[TaskPart, ...]
    data: DataSheets
    trainings: Table
    times: Table

    @property
    def curved(self) -> bool:
        """Whether there are learning curves."""
        return any(task.curves for task in self.tasks)

    @property
    def parted(self) -> bool:
        """Whether the test images have parts to tell apart."""
        return any(task.parts for task in self.tasks)

    @property
    def tables(self) -> Iterator[Table]:
        """All tables, in the page's order."""
        for task in self.tasks:
            yield from () if task.factors is None else (task.factors.table,)
            yield task.table.take
            yield from (curve.table.take for curve in task.curves)
            yield from (part.table.take for part in task.parts)
        yield from (self.data.facts, self.data.labels, self.trainings, self.times)


def write_report(results: Results, folder: Path, work: Work) -> Path:
    """Write ``folder/report``: ``index.html`` and ``tables/``; returns the page's path."""
    report = Report(
        tuple(_task(results, folder, task) for task in results.config.tasks.named),
        data_sheets(results.config, folder),
        training_table(results, work.seconds),
        _times(work.seconds),
    )
    templates = environment("evaluate.report")
    templates.filters["ticks"] = code_in_ticks
    page = templates.get_template("template.html").render(_context(results, folder, work, report))
    path = folder / "report" / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tables(list(report.tables), path.parent / FOLDER)
    write_atomic(path, page)
    return path


def _context(results: Results, folder: Path, work: Work, report: Report) -> dict[str, Any]:
    return {
        "config": results.config,
        "arms": [arm.name for arm in results.config.arms],
        "colours": len(ARMS),
        "glyphs": GLYPHS,
        "arm_words": arm_words,
        "answer": answer(results),
        "report": report,
        "sections": _sections(report),
        "work": work,
        "machine": machine(),
        "versions": provenance(),
        "configs": _configs(results),
        "limits": limits(results, folder),
    }


def _sections(report: Report) -> dict[str, str]:
    """The page's sections: their names by what links lead to."""
    return {
        **({"factors": "The factors"} if any(task.factors for task in report.tasks) else {}),
        **({"curve": "Few and many real images"} if report.curved else {}),
        "result": "The arms",
        **({"parts": "By class and view"} if report.parted else {}),
        **{f"examples-{t.key}": f"Examples: {t.name}" for t in report.tasks if t.examples},
        "data-sheets": "The images",
        "training": "Training",
        "limits": "Limits",
        "again": "Do it again",
    }


def _task(results: Results, folder: Path, task: Task) -> TaskPart:
    title = f"{TASK_NAMES[task].capitalize()}: the arms compared"
    return TaskPart(
        task,
        TASK_NAMES[task],
        how(results, task),
        factor_worths(results, task),
        arm_table(f"{task}-arms", title, "Metric", metric_groups(results, task)),
        learning_curves(results, folder, task),
        breakdowns(results, task),
        [] if results.config.about == "factors" else examples(results, task),
        _charts(results, task),
    )


def _charts(results: Results, task: Task) -> list[Markup]:
    """How the trainings of the most real images went, by step."""
    key, name = _VALIDATION[task]
    told: dict[str, tuple[Callable[[History], Points], bool]] = {
        "training loss": (lambda lines: series(lines, "train", "loss"), False),
        f"validation {name}": (lambda lines: series(lines, "val", key), True),
        "synthetic images drawn": (synthetic_share, True),
        "different images drawn": (different_images, False),
        "difficulty of what is drawn": (lambda lines: series(lines, "train", "difficulty"), True),
    }
    histories = [
        (number, arm.name, history(trial))
        for number, arm in enumerate(results.config.arms)
        for trial, _ in results.of(task, arm.name)
    ]
    charts = []
    for title, (points_of, percent) in told.items():
        curves = [
            Curve(number, arm, smoothed(points))
            for number, arm, lines in histories
            if (points := points_of(lines))
        ]
        if curves:
            charts.append(chart(title, curves, percent))
    return charts


def _times(seconds: Mapping[str, float]) -> Table:
    rows = (*seconds.items(), ("In all", sum(seconds.values())))
    return Table("times", "Time of every step", (Column("Step"), Column("Seconds")), rows)


def _configs(results: Results) -> dict[str, str]:
    """The resolved configurations: the comparison's, and of each arm one training's."""
    configs = {"Comparison": dump_config(results.config)}
    for task in results.config.tasks.named:
        for arm in results.config.arms:
            trial, _ = results.of(task, arm.name)[0]
            text = (trial.folder / "train" / "config.yaml").read_text(encoding="utf-8")
            configs[f"Training: {trial.label}"] = text
    return configs
