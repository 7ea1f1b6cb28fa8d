"""Puts the report together: numbers, pictures and words into one HTML file."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluate.config import CompareConfig, SourceData, Task
from evaluate.data import facts, open_source
from evaluate.plan import Trial, real_source, synthetic_root
from evaluate.report import examples, tables
from evaluate.report.charts import Curve, chart, series, smoothed
from evaluate.results import TASK_NAMES, Results, answer, history, trained_steps
from pamtri.config import dump_config
from pamtri.formats import open_dataset
from pamtri.page.template import environment
from pamtri.run_folder import provenance, write_atomic

PAGE = "index.html"
_VALIDATION: dict[Task, tuple[str, str]] = {"pose": ("pck", "PCK"), "reid": ("mAP", "mAP")}
"""The validation value of ``history.jsonl`` that is drawn, and its name."""


@dataclass(frozen=True)
class Work:
    """What was run: a line to type and the seconds it took, by step title."""

    command: str
    """Repeats the whole comparison."""
    lines: tuple[str, ...]
    seconds: Mapping[str, float]


def write_report(results: Results, folder: Path, work: Work) -> Path:
    """Write ``folder/report/index.html``; returns its path."""
    templates = environment("evaluate.report")
    templates.filters["ticks"] = code_in_ticks
    page = templates.get_template("template.html").render(_context(results, folder, work))
    path = folder / "report" / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, page)
    return path


def code_in_ticks(text: str) -> Markup:
    """Plain text with what stands between backticks as code, unbroken where it is short."""

    def code(found: re.Match[str]) -> str:
        short = ' class="short"' if len(found[1]) < 40 else ""
        return f"<code{short}>{found[1]}</code>"

    return Markup(re.sub(r"`([^`]+)`", code, escape(text, quote=False)))


def _context(results: Results, folder: Path, work: Work) -> dict[str, Any]:
    config = results.config
    columns = _data_columns(config, folder)
    return {
        "config": config,
        "arms": [arm.name for arm in config.arms],
        "answer": answer(results),
        "data_names": list(columns),
        "data_rows": tables.data_rows(list(columns.values())),
        "sheets": _sheets(config, folder),
        "tasks": [_task(results, task) for task in config.tasks.named],
        "pose_examples": examples.pose_examples(results) if config.tasks.pose else [],
        "retrievals": examples.retrieval_examples(results) if config.tasks.reid else [],
        "work": work,
        "machine": _machine(),
        "versions": provenance(),
        "configs": _configs(results),
        "limits": _limits(results, folder),
    }


def _data_columns(config: CompareConfig, folder: Path) -> dict[str, dict[str, Any]]:
    """What each data set holds, by its heading."""
    main: Task = "reid" if config.tasks.reid else "pose"
    columns = {}
    for part in ("train", "test"):
        heading = f"{config.real.label}: {'training' if part == 'train' else 'test'}"
        columns[heading] = _facts(real_source(config, folder, main), part)
        if config.tasks.pose and main == "reid" and config.real.pose is not None:
            labels = _facts(config.real.pose, part)
            columns[heading]["with_keypoints"] = labels["with_keypoints"]
            columns[heading]["median_size"] = labels["median_size"]
    synthetic = open_dataset(synthetic_root(config, folder)).only(*config.synthetic.train)
    return columns | {"Synthetic: training": facts(synthetic)}


def _facts(source: SourceData, part: str) -> dict[str, Any]:
    return facts(open_source(source, getattr(source, part)))


def _sheets(config: CompareConfig, folder: Path) -> list[dict[str, Any]]:
    task: Task = "pose" if config.tasks.pose else "reid"
    source = real_source(config, folder, task)
    synthetic = open_dataset(synthetic_root(config, folder)).only(*config.synthetic.train)
    both = {config.real.label: open_source(source, source.train), "Synthetic": synthetic}
    return [{"name": name, "shots": examples.sheet(data)} for name, data in both.items()]


def _task(results: Results, task: Task) -> dict[str, Any]:
    return {
        "key": task,
        "name": TASK_NAMES[task],
        "how": _how(results, task),
        "rows": tables.result_rows(results, task),
        "groups": tables.group_rows(results) if task == "pose" else [],
        "charts": _charts(results, task),
    }


def _how(results: Results, task: Task) -> str:
    """What was scored on what, in words."""
    trial, scores = results.of(task, results.config.arms[0].name)[0]
    said = scores.summary()
    budget = f"Every arm was trained for {trained_steps(trial):,} optimisation steps."
    if task == "pose":
        return (
            f"{budget} Scored are {said['keypoints']:,} visible keypoints in {said['images']:,} "
            "test images. A keypoint is right when its error is at most the given share of "
            "the square root of the area of the box around the vehicle's visible keypoints."
        )
    if said["leave_one_out"]:
        ranking = (
            f"Each of the {said['queries']:,} test images ({said['identities']:,} "
            "identities, none of them trained on) is searched among all others."
        )
    else:
        ranking = (
            f"{said['queries']:,} query images of {said['identities']:,} identities are "
            f"searched in a gallery of {said['gallery']:,}."
        )
    cameras = (
        "Images of the same identity from the same camera are left out."
        if said["cameras_known"]
        else "Cameras are not known, so no image is left out for its camera."
    )
    lonely = said["queries_without_match"]
    unmatched = f" {lonely:,} queries have no match and are not scored." if lonely else ""
    return f"{budget} {ranking} {cameras}{unmatched}"


def _charts(results: Results, task: Task) -> list[Markup]:
    key, name = _VALIDATION[task]
    kinds = (("train", "loss", "training loss", False), ("val", key, f"validation {name}", True))
    charts = []
    for kind, value, title, percent in kinds:
        curves = [
            Curve(number, arm.name, smoothed(points))
            for number, arm in enumerate(results.config.arms)
            for trial, _ in results.of(task, arm.name)
            if (points := series(history(trial), kind, value))
        ]
        if curves:
            charts.append(chart(title, curves, percent))
    return charts


def _configs(results: Results) -> dict[str, str]:
    """The resolved configurations: the comparison's, and each arm's first training's."""
    configs = {"Comparison": dump_config(results.config)}
    seen: set[tuple[str, str]] = set()
    for trial in results.scores:
        if (trial.task, trial.arm.name) not in seen:
            seen.add((trial.task, trial.arm.name))
            configs[f"Training: {trial.label}"] = _config_text(trial)
    return configs


def _config_text(trial: Trial) -> str:
    return (trial.folder / "train" / "config.yaml").read_text(encoding="utf-8")


def _limits(results: Results, folder: Path) -> list[str]:
    """What the numbers do not say."""
    config = results.config
    shared = _shared_identities(config, folder)
    seeds = len(config.seeds)
    limits = [
        "The intervals cover chance in the choice of test images, taken one by one: images of "
        "one vehicle resemble each other, so the true uncertainty is larger.",
        f"Each arm was trained {'once' if seeds == 1 else f'with {seeds} seeds'}: chance in "
        + (
            "training is not covered; train with more seeds (`--set seeds=[0,1,2]`) to see it."
            if seeds == 1
            else "training is covered by the intervals as far as so many seeds can tell it."
        ),
        "The budget is equal in optimisation steps; an arm with synthetic images sees fewer real "
        "ones in the same number of steps.",
        "Checkpoints were chosen on vehicles held out of training, never on the test images.",
    ]
    if shared:
        limits.insert(
            0,
            f"{shared:,} identities are in both the training and the test images, so the test is "
            "easier than it should be.",
        )
    if len(config.arms) > 2:
        limits.append(
            "With several arms one may stand out by chance: whether a difference is shown is "
            "corrected for their number (Holm), metric by metric; intervals are not."
        )
    return limits


def _shared_identities(config: CompareConfig, folder: Path) -> int:
    """Identities that are trained on and tested on: there should be none."""
    task: Task = "reid" if config.tasks.reid else "pose"
    source = real_source(config, folder, task)
    trained, tested = (
        {r.identity for r in open_source(source, splits).records if r.identity is not None}
        for splits in (source.train, source.test)
    )
    return len(trained & tested)


def _machine() -> str:
    """The processor and its cores."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), flags=re.MULTILINE)
        model = found[1] if found else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()}"
