"""What each factor of randomisation is worth, where a comparison is about that."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from evaluate.config import Task
from evaluate.factors import worths
from evaluate.metrics import METRICS
from evaluate.report.charts import worth_chart
from evaluate.report.export import Column, Table
from evaluate.results import TASK_NAMES, Results


@dataclass(frozen=True)
class FactorWorths:
    """The task's first metric as a chart, all of them as a table."""

    chart: Markup
    table: Table


def factor_worths(results: Results, task: Task) -> FactorWorths | None:
    """The factors of one task, the worthiest in its first metric first; None for other arms."""
    found = worths(results.differences[task])
    first = METRICS[task][0]
    order = sorted(
        (n for n in found if first.key in found[n]), key=lambda n: -found[n][first.key].value
    )
    if results.config.about != "factors" or not order:
        return None
    columns = (
        Column("Metric"),
        Column("Factor"),
        *(Column(f"Worth{part}, points", 1, signed=True) for part in ("", " low", " high")),
        Column("p corrected", 3),
        Column("Shown"),
    )
    rows = tuple(
        (
            metric.label,
            name,
            *(100 * share for share in (d.value, d.low, d.high)),
            d.p if d.p_corrected is None else d.p_corrected,
            "no difference shown" if not d.shown else "helps" if d.value > 0 else "hurts",
        )
        for metric in results.metrics(task)
        for name in order
        if (d := found[name].get(metric.key)) is not None
    )
    title = f"What each factor of randomisation is worth in {TASK_NAMES[task]}"
    return FactorWorths(
        worth_chart(first.label, [(name, found[name][first.key]) for name in order]),
        Table(f"{task}-factors", title, columns, rows),
    )
