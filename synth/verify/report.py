"""All checks of a rendered data set, and what they found in words."""

from __future__ import annotations

import itertools
import multiprocessing
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from pamtri.check import Problem, check_files, check_names, check_splits
from pamtri.dataset import Dataset, read_info, read_native
from pamtri.errors import DataError
from pamtri.progress import progress
from pamtri.record import Record
from pamtri.run_folder import provenance
from synth.config import SynthConfig
from synth.stored import stored_config
from synth.verify.again import check_again
from synth.verify.books import check_books
from synth.verify.coverage import check_coverage
from synth.verify.labels import check_labels

_EXAMPLES = 3


def verify_dataset(root: Path, workers: int = 1) -> tuple[int, list[Problem]]:
    """The number of records in ``root`` and everything that is wrong with the set, with a bar.

    Raises DataError when ``root`` is no rendered data set.
    """
    config = stored_config(root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what was skipped is among the problems
        dataset = read_native(root, skip_damaged=True)
    problems = [
        *(Problem("damaged record", *reason.split(": ", 1)) for reason in dataset.skipped),
        *check_books(root, config, dataset.records),
        *check_names(dataset.records),
        *check_coverage(config, dataset.records),
        *check_splits(dataset.records),
        *check_files(dataset)[0],
    ]
    return len(dataset), problems + _check_images(dataset, config, workers)


def _check_images(dataset: Dataset, config: SynthConfig, workers: int) -> list[Problem]:
    """The labels of every image; a vehicle's stay together, as it is built for each group."""
    groups = [list(g) for _, g in itertools.groupby(dataset, lambda record: record.identity)]
    job = partial(_check_group, dataset.root, config)
    problems: list[Problem] = []
    found: Iterator[list[Problem]]
    with ExitStack() as stack:
        if workers > 1:
            spawn = multiprocessing.get_context("spawn")
            pool = stack.enter_context(ProcessPoolExecutor(workers, spawn))
            found = pool.map(job, groups)
        else:
            found = map(job, groups)
        bar = stack.enter_context(progress(len(dataset), "labels"))
        for group, problems_there in zip(groups, found, strict=True):
            problems += problems_there
            bar.update(len(group))
    return problems


def _check_group(root: Path, config: SynthConfig, records: Sequence[Record]) -> list[Problem]:
    problems: list[Problem] = []
    for record in records:
        with suppress(DataError):  # a file that cannot be read is a finding of its own
            problems += check_labels(root, record)
            problems += check_again(root, config, record)
    return problems


def summary_lines(problems: Sequence[Problem], root: Path) -> list[str]:
    """A line for each kind of problem: how often, and the first of them."""
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.kind, []).append(problem)
    lines = []
    for kind, found in kinds.items():
        shown = "; ".join(f"{_short(p.subject, root)}: {p.text}" for p in found[:_EXAMPLES])
        more = f"; and {len(found) - _EXAMPLES} more" if len(found) > _EXAMPLES else ""
        lines.append(f"{kind} ({len(found)}): {shown}{more}")
    return lines


def code_note(root: Path) -> str | None:
    """A sentence when other code checks than has rendered: it may draw other scenes."""
    made, now = read_info(root).commit, provenance()["commit"]
    if made is None or now is None or made == now:
        return None
    return f"rendered by commit {_commit(made)}, checked by {_commit(now)}: their scenes may differ"


def _commit(name: str) -> str:
    return name[:10] + (" with local changes" if name.endswith("+") else "")


def _short(subject: str, root: Path) -> str:
    return subject.removeprefix(f"{root}/")
