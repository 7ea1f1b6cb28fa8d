"""All checks of a rendered data set, and what they found in words."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from pamtri.check import Problem, check_files, check_names, check_splits
from pamtri.dataset import Dataset, read_native
from pamtri.errors import DataError
from pamtri.progress import progress
from synth.config import SynthConfig
from synth.stored import stored_config
from synth.verify.again import check_again
from synth.verify.books import check_books
from synth.verify.coverage import check_coverage
from synth.verify.labels import check_labels

_EXAMPLES = 3


def verify_dataset(root: Path) -> tuple[int, list[Problem]]:
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
    return len(dataset), problems + _check_images(dataset, config)


def _check_images(dataset: Dataset, config: SynthConfig) -> list[Problem]:
    problems: list[Problem] = []
    with progress(len(dataset), "labels") as bar:
        for record in dataset:
            try:
                problems += check_labels(dataset.root, record)
                problems += check_again(dataset.root, config, record)
            except DataError:  # a file that cannot be read is a finding of its own
                pass
            bar.update()
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


def _short(subject: str, root: Path) -> str:
    return subject.removeprefix(f"{root}/")
