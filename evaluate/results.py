"""The numbers of a finished comparison: every trial scored, arms compared, the answer worded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from evaluate.amounts import Amount
from evaluate.budget import check_equal, spent
from evaluate.config import CompareConfig, Task
from evaluate.data import open_source
from evaluate.factors import worths
from evaluate.metrics import METRICS, Metric
from evaluate.plan import Trial, real_source, trained_as, trials
from evaluate.pose import PoseScores, score_pose
from evaluate.reid import ReidScores, score_reid
from evaluate.statistics import (
    CHANCE,
    Difference,
    Measure,
    SeedMean,
    corrected,
    mean_over_seeds,
    paired_difference,
)
from pamtri.dataset import Dataset
from pamtri.features import read_features
from pamtri.formats.pose_csv import read_predictions

Scores = PoseScores | ReidScores
_NBSP = "\N{NO-BREAK SPACE}"
_INTERVAL = f"95{_NBSP}% interval "


TASK_NAMES: dict[Task, str] = {"pose": "keypoint accuracy", "reid": "re-identification"}


@dataclass(frozen=True, eq=False)
class Results:
    """Scores of every trial on the real test images, and the differences between arms."""

    config: CompareConfig
    test: dict[Task, Dataset]
    scores: dict[Trial, Scores]
    differences: dict[Task, dict[str, dict[str, Difference]]]
    """Task, arm and metric to that arm less the baseline, with the most real images; where there
    are several arms, corrected for their number, metric by metric."""
    curves: dict[Task, dict[Amount, dict[str, dict[str, Difference]]]]
    """The same with every amount of real images."""

    def of(self, task: Task, arm: str, amount: Amount | None = None) -> list[tuple[Trial, Scores]]:
        """The trials of one arm, a seed each; with the most real images unless said."""
        return _of(self.config, self.scores, task, arm, amount or self.config.real.amounts[-1])

    def mean(
        self, task: Task, arm: str, metric: str, amount: Amount | None = None
    ) -> SeedMean | None:
        """The metric of one arm, averaged over its seeds."""
        scores = [s.measures for _, s in self.of(task, arm, amount)]
        values = [measures[metric].value for measures in scores if metric in measures]
        known = [value for value in values if value is not None]
        return mean_over_seeds(known) if known else None

    def metrics(self, task: Task) -> list[Metric]:
        """The metrics of a task that every trial has a value for."""
        measures = [s.measures for t, s in self.scores.items() if t.task == task]
        return [
            metric
            for metric in METRICS[task]
            if all(metric.key in m and m[metric.key].value is not None for m in measures)
        ]

    def summary(self) -> dict[str, Any]:
        """Everything as plain data: what ``results.json`` holds and the report shows."""
        tasks: dict[str, dict[str, Any]] = {}
        for task in self.config.tasks.named:
            scored = {}
            for arm in self.config.arms:
                means = {m.key: self.mean(task, arm.name, m.key) for m in self.metrics(task)}
                known = {key: mean for key, mean in means.items() if mean is not None}
                scored[arm.name] = {
                    "mean": {key: mean.value for key, mean in known.items()},
                    "interval": {key: [mean.low, mean.high] for key, mean in known.items()},
                    "seeds": {str(t.seed): s.summary() for t, s in self.of(task, arm.name)},
                }
            tasks[task] = {
                "steps": {t.slug: trained_steps(t) for t in self.scores if t.task == task},
                "images": {
                    t.slug: spent(_training(t), "images") for t in self.scores if t.task == task
                },
                "arms": scored,
                "differences": {
                    arm: {key: asdict(d) | {"shown": d.shown} for key, d in by_metric.items()}
                    for arm, by_metric in self.differences[task].items()
                },
                "learning_curve": self._curve(task),
            }
            if self.config.about == "factors":
                tasks[task]["factors"] = {
                    name: {key: asdict(d) | {"shown": d.shown} for key, d in by_metric.items()}
                    for name, by_metric in worths(self.differences[task]).items()
                }
        arms = {arm.name: arm.model_dump(mode="json", exclude={"name"}) for arm in self.config.arms}
        return {"name": self.config.name, "answer": answer(self), "arms": arms, "tasks": tasks}

    def _curve(self, task: Task) -> dict[str, Any]:
        """Means, intervals and differences by amount of real images, where there are several."""
        amounts = self.config.real.amounts
        return {
            amount.label: {
                arm.name: {
                    metric.key: {
                        "mean": asdict(mean) if mean is not None else None,
                        "difference": asdict(d) | {"shown": d.shown} if d is not None else None,
                    }
                    for metric in self.metrics(task)
                    for mean in [self.mean(task, arm.name, metric.key, amount)]
                    for d in [self.curves[task][amount].get(arm.name, {}).get(metric.key)]
                }
                for arm in self.config.arms
            }
            for amount in (amounts if len(amounts) > 1 else ())
        }


def collect(config: CompareConfig, folder: Path) -> Results:
    """Score every trial of the finished comparison in ``folder``.

    Raises DataError where the trials of a task did not get the same budget.
    """
    test: dict[Task, Dataset] = {}
    scores: dict[Trial, Scores] = {}
    for trial in trials(config, folder):
        source = real_source(config, folder, trial.task)
        if trial.task not in test:
            test[trial.task] = open_source(source, source.test)
        scores[trial] = _score(trial, test[trial.task], source.test)
    for task in config.tasks.named:
        check_equal(
            {t.label: spent(_training(t), config.budget) for t in scores if t.task == task},
            config.budget,
        )
    amounts = config.real.amounts
    curves = {
        task: {amount: _differences(config, task, amount, scores) for amount in amounts}
        for task in config.tasks.named
    }
    differences = {task: by_amount[amounts[-1]] for task, by_amount in curves.items()}
    return Results(config, test, scores, differences, curves)


def answer(results: Results) -> str:
    """The comparison's outcome in one plain sentence with its intervals."""
    config = results.config
    if config.about == "factors":
        clauses = [_factors_outcome(results, task) for task in config.tasks.named]
        return f"Of {len(config.arms) - 1} factors of randomisation, {'; '.join(clauses)}."
    # A task that both arms share the training of has no outcome.
    first, second = config.arms[:2]
    tasks = [t for t in config.tasks.named if first.differs_in(t) != second.differs_in(t)]
    if len(config.real.amounts) > 1:
        said, *more = _curve_outcomes(results, tasks)
        told = (
            ". ".join([f"{_change(config)}, {said}", *(m[0].upper() + m[1:] for m in more)]) + "."
        )
        head, mark, rest = told.partition(_INTERVAL)
        return head + mark + rest.replace(_INTERVAL, "")  # said once, it is clear
    clauses = [
        outcome(results.differences[task][second.name].get(m.key), TASK_NAMES[task], m.label)
        for task in tasks
        for m in answered(config, task)
    ]
    return f"{_change(config)}, {'; '.join(clauses)}."


def answered(config: CompareConfig, task: Task) -> list[Metric]:
    """The metrics of a task that the answer is about."""
    chosen = [metric for metric in METRICS[task] if metric.key in config.answer_metrics]
    return chosen if config.answer_metrics else [METRICS[task][0]]


def _change(config: CompareConfig) -> str:
    """What sets the second arm apart from the first."""
    baseline, arm = config.arms[:2]
    if baseline.synthetic_ratio > 0 or baseline.overrides != arm.overrides:
        return f"With '{arm.name}' in place of '{baseline.name}'"
    return f"With {100 * arm.synthetic_ratio:g}{_NBSP}% synthetic images in every training batch"


def _curve_outcomes(results: Results, tasks: Sequence[Task]) -> list[str]:
    """A sentence for each task and metric: what became of it with each amount of real images.

    All differences that are read here, and those of the other arms, are corrected for each other.
    """
    config = results.config
    read = {
        (task, metric, amount, arm): by_metric[metric.key]
        for task in tasks
        for metric in answered(config, task)
        for amount in config.real.amounts
        for arm, by_metric in results.curves[task][amount].items()
        if metric.key in by_metric
    }
    fair, arm = corrected(read), config.arms[1].name
    return [
        curve_outcome(
            {a: fair.get((task, metric, a, arm)) for a in config.real.amounts},
            f"{metric.label} of {TASK_NAMES[task]}",
        )
        for task in tasks
        for metric in answered(config, task)
    ]


def curve_outcome(differences: Mapping[Amount, Difference | None], what: str) -> str:
    """A clause like ``mAP of re-identification rose with 5 an identity by 2.1 points (95 % interval
    0.3 to 4.0); no difference was shown with all (+0.2 points, ...)``."""
    said: dict[str, list[str]] = {}
    for amount, difference in differences.items():
        if difference is None:
            said.setdefault("could not be scored", []).append(f"with {amount.label}")
            continue
        interval = f"{_INTERVAL}{points(difference.low)} to {points(difference.high)}"
        if difference.shown:
            size = points(abs(difference.value), signed=False)
            verb = "rose" if difference.value > 0 else "fell"
            clause = f"with {amount.label} by {size} points ({interval})"
        else:
            verb = "no difference was shown"
            if difference.p < CHANCE:
                interval += ", which does not hold among so many"
            clause = f"with {amount.label} ({points(difference.value)} points, {interval})"
        said.setdefault(verb, []).append(clause)
    clauses = [f"{verb} {' and '.join(found)}" for verb, found in said.items()]
    clauses.sort(key=lambda clause: clause.startswith("no difference"))
    first = clauses[0]
    subject = f"in {what}, " if first.startswith("no difference") else f"{what} "
    return "; ".join([subject + first, *clauses[1:]])


def _factors_outcome(results: Results, task: Task) -> str:
    """A clause that names every factor whose worth is shown, the worthiest first."""
    metric = METRICS[task][0]
    shown = [
        (by_metric[metric.key], name)
        for name, by_metric in worths(results.differences[task]).items()
        if metric.key in by_metric and by_metric[metric.key].shown
    ]
    what = f"{TASK_NAMES[task]} ({metric.label})"
    if not shown:
        return f"none was shown to be worth anything in {what}"
    listed = ", ".join(
        f"{name} {points(d.value)} points ({_INTERVAL}{points(d.low)} to {points(d.high)})"
        for d, name in sorted(shown, key=lambda pair: -pair[0].value)
    )
    return f"{len(shown)} {'is' if len(shown) == 1 else 'are'} shown to matter in {what}: {listed}"


def outcome(difference: Difference | None, task: str, metric: str) -> str:
    """A clause like ``keypoint accuracy (PCK) rose by 2.1 points (95 % interval 0.3 to 4.0)``."""
    if difference is None:
        return f"{task} ({metric}) could not be scored"
    interval = f"{_INTERVAL}{points(difference.low)} to {points(difference.high)}"
    if difference.p < CHANCE and not difference.shown:
        interval += ", which does not hold for so many arms at once"
    if not difference.shown:
        value = points(difference.value)
        return f"no difference was shown in {task} ({metric} {value} points, {interval})"
    verb = "rose" if difference.value > 0 else "fell"
    size = points(abs(difference.value), signed=False)
    return f"{task} ({metric}) {verb} by {size} points ({interval})"


def worth_rows(results: Results, task: Task) -> list[list[str]]:
    """A table of what each factor is worth in the task's first metric, the worthiest first."""
    metric = METRICS[task][0]
    found = [
        (by_metric[metric.key], name)
        for name, by_metric in worths(results.differences[task]).items()
        if metric.key in by_metric
    ]
    rows = [[task, f"{metric.label}, points", "95 % interval", "p, corrected", ""]]
    for d, name in sorted(found, key=lambda pair: -pair[0].value):
        p = d.p if d.p_corrected is None else d.p_corrected
        said = "no difference shown" if not d.shown else "helps" if d.value > 0 else "hurts"
        interval = f"{points(d.low)} to {points(d.high)}"
        rows.append(
            [name, points(d.value), interval, f"{p:.3f}" if p >= 0.001 else "< 0.001", said]
        )
    return rows


def highlights(results: Results, count: int = 3) -> list[str]:
    """The numbers that say most of the second arm: each task's first metric, then the clearest."""
    baseline, arm = (arm.name for arm in results.config.arms[:2])
    rows = [
        (rank, metric, task, difference)
        for task in results.config.tasks.named
        for rank, metric in enumerate(results.metrics(task))
        if (difference := results.differences[task][arm].get(metric.key)) is not None
    ]
    rows.sort(key=lambda row: (row[0] > 0, -abs(row[3].value) / (row[3].high - row[3].low + 1e-9)))
    lines = []
    for _, metric, task, difference in rows[:count]:
        before, after = (
            _mean_points(results.mean(task, name, metric.key)) for name in (baseline, arm)
        )
        lines.append(
            f"{metric.label}: {before} % {baseline}, {after} % {arm} "
            f"({points(difference.value)} points, "
            f"95 % interval {points(difference.low)} to {points(difference.high)})"
        )
    return lines


def points(share: float, signed: bool = True) -> str:
    """A share of 1 in percentage points, with a true minus sign and no negative zero."""
    rounded = round(100 * share, 1) + 0.0
    return f"{rounded:{'+' if signed else ''}.1f}".replace("-", "\N{MINUS SIGN}")


def _mean_points(mean: SeedMean | None) -> str:
    return points(mean.value if mean is not None else 0.0, signed=False)


def trained_steps(trial: Trial) -> int:
    """The optimisation steps that a trial was trained for."""
    return int(_training(trial)["steps"])


def history(trial: Trial) -> list[dict[str, Any]]:
    """The lines of a training's ``history.jsonl``."""
    path = trial.folder / "train" / "history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _score(trial: Trial, test: Dataset, splits: Sequence[str]) -> Scores:
    if trial.task == "pose":
        return score_pose(read_predictions(trial.predictions), test.records, str(trial.predictions))
    return score_reid(read_features(trial.predictions), test, splits)


def _training(trial: Trial) -> dict[str, Any]:
    text = (trial.folder / "train" / "config.yaml").read_text(encoding="utf-8")
    training: dict[str, Any] = yaml.safe_load(text)["training"]
    return training


def _of(
    config: CompareConfig, scores: Mapping[Trial, Scores], task: Task, name: str, amount: Amount
) -> list[tuple[Trial, Scores]]:
    """The trials of the arm ``name`` with ``amount`` of the real images."""
    (arm,) = (arm for arm in config.arms if arm.name == name)
    wanted = trained_as(config, task, arm, amount)
    return [(t, s) for t, s in scores.items() if t.task == task and (t.arm, t.amount) == wanted]


def _differences(
    config: CompareConfig, task: Task, amount: Amount, scores: Mapping[Trial, Scores]
) -> dict[str, dict[str, Difference]]:
    """By arm after the first and metric; nothing for an arm that shares the first one's training.

    Arms that share one are compared, and counted in the correction, once.
    """
    trained = {arm.name: trained_as(config, task, arm, amount)[0].name for arm in config.arms}
    baseline, *others = trained
    distinct = dict.fromkeys(name for name in trained.values() if name != trained[baseline])
    measures = {
        name: [s.measures for _, s in _of(config, scores, task, name, amount)]
        for name in (baseline, *distinct)
    }
    found = {name: _paired(task, measures[baseline], measures[name]) for name in distinct}
    if len(distinct) > 1:
        found = _corrected(found)
    return {arm: found.get(trained[arm], {}) for arm in others}


def _paired(
    task: Task, first: Sequence[Mapping[str, Measure]], second: Sequence[Mapping[str, Measure]]
) -> dict[str, Difference]:
    """The second less the first by metric, where every trial has a value for it."""
    keys = [m.key for m in METRICS[task] if all(m.key in by for by in (*first, *second))]
    found = {key: paired_difference([m[key] for m in first], [m[key] for m in second])
             for key in keys}  # fmt: skip
    return {key: difference for key, difference in found.items() if difference is not None}


def _corrected(
    found: Mapping[str, Mapping[str, Difference]],
) -> dict[str, dict[str, Difference]]:
    """Each metric's differences, corrected for each other's sake."""
    result: dict[str, dict[str, Difference]] = {arm: {} for arm in found}
    for key in dict.fromkeys(key for by_metric in found.values() for key in by_metric):
        by_arm = {arm: by_metric[key] for arm, by_metric in found.items() if key in by_metric}
        for arm, difference in corrected(by_arm).items():
            result[arm][key] = difference
    return result
