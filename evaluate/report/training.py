"""What the trainings were: images that were really drawn, steps, time, and the machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluate.plan import Trial
from evaluate.report.export import Cell, Column, Table
from evaluate.results import Results, history, trained_steps

SOURCES = ("real", "synthetic")
_GIB = 2**30


def training_table(results: Results, seconds: Mapping[str, float]) -> Table:
    """A row for each arm and amount: steps, images drawn and time, means over the seeds.

    ``seconds`` are by step title. Columns that nothing is known of are left out.
    """
    columns = (
        *(Column(heading) for heading in ("Task", "Arm", "Real images", "Trainings", "Steps")),
        *(Column(f"{source.capitalize()} {what}") for source in SOURCES
          for what in ("drawn", "of them different")),
        Column("Minutes each", 1),
        Column("Seconds a step", 3),
    )  # fmt: skip
    rows = [_training_row(arm, trials, seconds) for arm, trials in _alike(results)]
    known = [any(row[place] is not None for row in rows) for place in range(len(columns))]
    return Table(
        "trainings",
        "The trainings: budget, images drawn and time, means over the seeds",
        tuple(column for column, told in zip(columns, known, strict=True) if told),
        tuple(tuple(cell for cell, told in zip(row, known, strict=True) if told) for row in rows),
    )


def drawn(lines: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, int]]:
    """``images`` and different (``unique``) images that a whole training drew, by source.

    From the last line of kind ``drawn`` of a history; the images, without such a line, from the
    last line of training.
    """
    found: dict[str, Mapping[str, int]] = {"images": {}, "unique": {}}
    for kind in ("train", "drawn"):
        for line in lines:
            if line.get("kind") == kind:
                told = {"images": line.get("drawn", {})} if kind == "train" else line
                found |= {key: told[key] for key in found if key in told}
    return found


def machine() -> list[tuple[str, str]]:
    """Processor, cores, memory and GPUs of this machine, as far as it tells."""
    rows = [
        ("Processor", _processor()),
        ("Cores", str(_cores())),
        ("Memory", _memory()),
        ("GPU", ", ".join(gpus()) or "none"),
        ("System", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
    ]
    return [(name, value) for name, value in rows if value]


def gpus() -> list[str]:
    """Names of the NVIDIA GPUs, as their driver tells."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        run = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return []
    return run.stdout.strip().splitlines() if run.returncode == 0 else []


def _alike(results: Results) -> Iterator[tuple[str, list[Trial]]]:
    """The trials of each arm with each amount, which differ in their seed alone."""
    for task in results.config.tasks.named:
        for arm in results.config.arms:
            told: set[Trial] = set()
            for amount in results.config.real.amounts:
                trials = [trial for trial, _ in results.of(task, arm.name, amount)]
                if trials[0] not in told:  # one training may serve for all amounts
                    told.update(trials)
                    yield arm.name, trials


def _training_row(
    arm: str, trials: Sequence[Trial], seconds: Mapping[str, float]
) -> tuple[Cell, ...]:
    first, steps = trials[0], trained_steps(trials[0])
    counts = [drawn(history(trial)) for trial in trials]
    took = _mean([seconds.get(f"Train {trial.label}") for trial in trials])
    return (
        first.task,
        arm,
        first.amount.label,
        len(trials),
        steps,
        *(
            _mean([count[what].get(source) for count in counts])
            for source in SOURCES
            for what in ("images", "unique")
        ),
        None if took is None else took / 60,
        None if took is None else took / steps,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), flags=re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def _cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return ""
    return f"{size / _GIB:.0f} GiB"
