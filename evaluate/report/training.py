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

_GIB = 2**30


def training_table(results: Results, seconds: Mapping[str, float]) -> Table:
    """A row for each arm and amount: steps, images drawn and time, means over the seeds.

    ``seconds`` are by step title. Columns that nothing is known of are left out.
    """
    alike = list(_alike(results))
    sources = sorted({s for _, trials in alike for t in trials for s in drawn(history(t))})
    columns = (
        *(Column(heading) for heading in ("Task", "Arm", "Real images", "Trainings", "Steps")),
        *(Column(f"{source} {what}".capitalize()) for source in sources
          for what in ("drawn", "of them different")),
        Column("Minutes each", 1),
        Column("Seconds a step", 3),
    )  # fmt: skip
    rows = [_training_row(arm, trials, sources, seconds) for arm, trials in alike]
    known = [any(row[place] is not None for row in rows) for place in range(len(columns))]
    return Table(
        "trainings",
        "The trainings: budget, images drawn and time, means over the seeds",
        tuple(column for column, told in zip(columns, known, strict=True) if told),
        tuple(tuple(cell for cell, told in zip(row, known, strict=True) if told) for row in rows),
    )


def drawn(lines: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int | None]]:
    """Images that a whole training drew of each source, and how many different ones.

    From the last training line of a history; None where it does not tell how many differ.
    """
    training = [line for line in lines if line.get("kind") == "train"]
    if not training:
        return {}
    unique = training[-1].get("unique", {})
    return {s: (count, unique.get(s)) for s, count in training[-1].get("drawn", {}).items()}


def synthetic_share(lines: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """(step, share) of the synthetic images among those drawn since the training line before."""
    points, before = [], (0, 0)
    for line in lines:
        counts = line.get("drawn") if line.get("kind") == "train" else None
        if not counts:
            continue
        synthetic = sum(n for s, n in counts.items() if s.partition(".")[0] == "synthetic")
        now = (synthetic, sum(counts.values()))
        if now[1] > before[1]:
            points.append((float(line["step"]), (now[0] - before[0]) / (now[1] - before[1])))
        before = now
    return points


def different_images(lines: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """(step, count) of the different images, of all sources, that were drawn so far."""
    return [
        (float(line["step"]), float(sum(unique.values())))
        for line in lines
        if line.get("kind") == "train" and (unique := line.get("unique"))
    ]


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
    arm: str, trials: Sequence[Trial], sources: Sequence[str], seconds: Mapping[str, float]
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
            _mean([count.get(source, (0, 0))[place] for count in counts if count])
            for source in sources
            for place in (0, 1)
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
