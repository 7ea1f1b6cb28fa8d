"""A comparison from its configuration to its report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from evaluate.budget import check_equal, spent
from evaluate.config import CompareConfig
from evaluate.data import open_source, part_by_identity, parted, thin
from evaluate.outlook import commands, outlook
from evaluate.plan import Step, is_parted, real_source, steps, synthetic_sets, training_source
from evaluate.report.build import Work, write_report
from evaluate.results import Results, collect
from evaluate.runner import PAMTRI, Runner, say
from pamtri.config import read_plain
from pamtri.errors import DataError, UserError
from pamtri.formats import open_dataset
from pamtri.run_folder import open_run_folder, write_atomic

RESULTS_FILE = "results.json"


@dataclass(frozen=True)
class Comparison:
    """A finished comparison."""

    results: Results
    report: Path


def run_comparison(
    config: CompareConfig,
    folder: Path,
    shell_line: str,
    resume: bool = False,
    preparation: Sequence[Step] = (),
    jobs: int = 1,
    command: Sequence[str] = PAMTRI,
) -> Comparison:
    """Run every step that is not finished, score the trials, write the report.

    ``preparation`` are steps that make the real data first; ``shell_line`` is what the report shows
    to repeat it all; ``jobs`` steps run at once. Raises UserError when a step fails, when the data
    cannot serve, or when ``folder`` holds something else; what is finished stays, and ``resume``
    goes on from there.
    """
    # Whatever can be wrong is looked at before anything is written or takes time.
    plain = _plain_configs(config)
    _check_arms(config)
    if not preparation:
        _check_data(config)
    open_run_folder(folder, "compare", config, resume)
    _freeze(plain, folder / "configs")
    plan = (*preparation, *steps(config, folder))
    runner = Runner(folder, plan, config.expected_seconds, command, jobs)
    say(f"{outlook(config, folder, runner)}\n")
    if preparation:
        runner.run(preparation)
        _check_data(config)
    part_by_identity(config, folder / "data" / "real")
    _thin_real(config, folder)
    runner.run(plan[len(preparation) :])
    say("Scoring, and writing the report")
    results = collect(config, folder)
    write_atomic(folder / RESULTS_FILE, json.dumps(results.summary(), indent=1) + "\n")
    work = Work(
        command=shell_line,
        lines=tuple(runner.shell_line(step) for step in plan),
        seconds={step.title: runner.seconds(step) or 0.0 for step in plan},
    )
    return Comparison(results, write_report(results, folder, work))


def dry_run(config: CompareConfig, folder: Path, jobs: int = 1) -> str:
    """What ``run_comparison`` would do, and every command that is left; writes nothing.

    Raises UserError as that does where the data cannot serve.
    """
    _plain_configs(config)
    _check_arms(config)
    _check_data(config)
    runner = Runner(folder, steps(config, folder), config.expected_seconds, jobs=jobs)
    return f"{outlook(config, folder, runner)}\n\n{commands(runner)}"


def _thin_real(config: CompareConfig, folder: Path) -> None:
    """Write the smaller training sets of a learning curve."""
    for task in config.tasks.named:
        whole = real_source(config, folder, task)
        for amount in config.real.amounts:
            if not amount.is_all:
                part = training_source(config, folder, task, amount)
                thin(whole, amount, part.root, f"{config.name}, {amount.label}")


def _plain_configs(config: CompareConfig) -> dict[str, str]:
    """The configurations that the comparison names, resolved, as YAML by name."""
    named = {name: (task.config, task.overrides) for name, task in config.tasks.named.items()}
    plain = {str(name): read_plain(*source) for name, source in named.items()}
    for synthetic, name in synthetic_sets(config).items():
        if synthetic.render is not None:
            plain[name] = read_plain(synthetic.render, synthetic.overrides)
    return {name: yaml.safe_dump(data, sort_keys=False) for name, data in plain.items()}


def _check_arms(config: CompareConfig) -> None:
    """Read every arm's overrides, and refuse budgets that are known to differ."""
    for name, task in config.tasks.named.items():
        trainings = {
            f"{name}, {arm.name}": read_plain(
                task.config, (*task.overrides, *arm.overrides.of(name))
            ).get("training", {})
            for arm in config.arms
        }
        check_equal({arm: spent(t, config.budget) for arm, t in trainings.items()}, config.budget)


def _freeze(plain: dict[str, str], folder: Path) -> None:
    """Keep the configurations beside the run, and refuse to go on with changed ones."""
    folder.mkdir(exist_ok=True)
    for name, text in plain.items():
        path = folder / f"{name}.yaml"
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise UserError(
                f"{path}: the '{name}' configuration has changed since this comparison began; "
                "choose another --output"
            )
        write_atomic(path, text)


def _check_data(config: CompareConfig) -> None:
    """Open what the trainings and tests will read."""
    for synthetic in synthetic_sets(config):
        if synthetic.path is not None:
            open_dataset(synthetic.path).only(*synthetic.train)
    for task in config.tasks.named:
        source = real_source(config, Path(), task)
        if config.real.split_by is not None and is_parted(config, task):
            source = source.model_copy(update={"root": config.real.root})
            images = parted(config.real, config.real.split_by)
            found = [images.only(*splits) for splits in (source.train, source.test)]
        else:
            found = [open_source(source, splits) for splits in (source.train, source.test)]
        for splits, dataset in zip((source.train, source.test), found, strict=True):
            if task == "pose" and not any(r.keypoints for r in dataset):
                raise DataError(
                    f"{source.root}: no image in split '{' or '.join(splits)}' has keypoints, "
                    "which the task 'pose' needs; name a data set that has them in real.pose"
                )
