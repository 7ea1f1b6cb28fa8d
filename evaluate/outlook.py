"""What a comparison is going to do and for how long, told before it starts."""

from __future__ import annotations

from pathlib import Path

from evaluate.amounts import Amount
from evaluate.config import Arm, CompareConfig, Task
from evaluate.plan import trained_as, trial_of, trials
from evaluate.runner import Runner
from evaluate.timing import duration
from pamtri.table import text_table


def outlook(config: CompareConfig, folder: Path, runner: Runner) -> str:
    """The trainings with how many are finished, and the commands with their time, as tables."""
    planned = len(trials(config, folder))
    done = sum(runner.seconds(step) is not None for step in runner.plan)
    at_once = f", {runner.jobs} at once" if runner.jobs > 1 else ""
    return "\n\n".join(
        [
            f"{config.name}: {planned} trainings, with seeds "
            f"{', '.join(map(str, config.seeds))}; finished of them, by real images:",
            text_table(_training_rows(config, folder, runner)),
            f"{len(runner.plan)} commands, {done} of them finished; {runner.time_left()}{at_once}:",
            text_table(_command_rows(runner)),
        ]
    )


def commands(runner: Runner) -> str:
    """The commands that are left, as a person would type them, in order."""
    left = [step for step in runner.plan if runner.seconds(step) is None]
    return "\n".join(runner.shell_line(step, go_on=True) for step in left)


def _training_rows(config: CompareConfig, folder: Path, runner: Runner) -> list[list[str]]:
    rows = [["task", "arm", *(amount.label for amount in config.real.amounts)]]
    finished = {step.name for step in runner.plan if runner.seconds(step) is not None}

    def cell(task: Task, arm: Arm, amount: Amount) -> str:
        used, part = trained_as(config, task, arm, amount)
        if (used, part) != (arm, amount):
            return f"as {used.name}" if used != arm else f"as {part.label}"
        names = [
            f"{trial_of(config, folder, task, arm, amount, s).slug}-train" for s in config.seeds
        ]
        return f"{len(finished.intersection(names))} of {len(names)}"

    for task in config.tasks.named:
        for arm in config.arms:
            rows.append([task, arm.name, *(cell(task, arm, a) for a in config.real.amounts)])
    return rows


def _command_rows(runner: Runner) -> list[list[str]]:
    rows = [["step", "commands", "finished", "each"]]
    for kind, each in runner.estimates().items():
        steps = [step for step in runner.plan if step.kind == kind]
        done = sum(runner.seconds(step) is not None for step in steps)
        told = "unknown yet" if each is None else f"about {duration(each)}"
        rows.append([kind, str(len(steps)), str(done), told])
    return rows
