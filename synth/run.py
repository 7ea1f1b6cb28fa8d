"""The render run: workers make images, this process alone keeps the books.

An image is done when its record is: the image is written first, so whatever dies, and whenever,
what is recorded is on disk, and ``resume`` makes the rest. Image i is the same whoever renders it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pamtri.dataset import DatasetInfo, RecordWriter, read_native
from pamtri.errors import UserError
from pamtri.progress import progress
from pamtri.run_folder import open_run_folder, provenance
from synth.config import SynthConfig
from synth.images import FOLDERS, PART_SUFFIX, Renderer, open_renderer
from synth.sampling import sample_scene
from synth.workers import Done, Failed, Job, render_in_workers

FAILURES_FILE = "failures.jsonl"
_GROUP = 8
"""Most images of one vehicle that a worker is given at once."""


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind."""

    total: int
    done: int
    """Images that are on disk with their records, now or from before."""
    failed: int


def render_dataset(
    config: SynthConfig,
    root: Path,
    workers: int = 1,
    resume: bool = False,
    open_renderer: Callable[[str, int], Renderer] = open_renderer,
) -> Outcome:
    """Render the data set of ``config`` into ``root``.

    Scenes that fail twice are listed in ``failures.jsonl`` with their specs; ``resume`` tries them
    again. Raises UserError when ``root`` holds something else or is being written, or when the
    renderer cannot start or the disk cannot be written.
    """
    sample_scene(config, config.seed, 0)  # what cannot be sampled claims no folder
    open_run_folder(root, "synth", config, resume)
    with _sole_writer(root), RecordWriter(root, _info(config)) as writer:
        _clean_up(root)
        done = {record.frame for record in read_native(root).records}
        job = Job(config, root, max(1, _cores() // workers), open_renderer)
        made = failed = 0
        with progress(config.count, config.name, initial=len(done)) as bar:
            for outcome in render_in_workers(_groups(config, done), job, workers):
                if isinstance(outcome, Done):
                    writer.append(outcome.record)
                    made += 1
                    bar.update()
                else:
                    failed += 1
                    _note_failure(root, config, outcome)
                    bar.set_postfix(failed=failed)
    return Outcome(config.count, len(done) + made, failed)


def _groups(config: SynthConfig, done: set[int | None]) -> Iterator[list[int]]:
    """What is still to be rendered, a vehicle's images together."""
    per_identity = config.images_per_identity
    for first in range(0, config.count, per_identity):
        todo = [i for i in range(first, first + per_identity) if i not in done]
        for start in range(0, len(todo), _GROUP):
            yield todo[start : start + _GROUP]


def _info(config: SynthConfig) -> DatasetInfo:
    splits = [split for split, share in config.splits.items() if share]
    names = [n for s in splits for n in (("query", "gallery") if s == "test" else (s,))]
    return DatasetInfo(
        name=config.name,
        splits=tuple(names),
        seed=config.seed,
        config=config.model_dump(mode="json"),
        **provenance(),
    )


@contextmanager
def _sole_writer(root: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when this process ends, however it ends."""
    with (root / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{root}: another run is writing there") from None
        yield


def _clean_up(root: Path) -> None:
    """Make the folders; drop half-written files and the failures that will be tried again."""
    for name in FOLDERS:
        (root / name).mkdir(exist_ok=True)
        for half in (root / name).glob(f"*{PART_SUFFIX}"):
            half.unlink(missing_ok=True)
    (root / FAILURES_FILE).unlink(missing_ok=True)


def _note_failure(root: Path, config: SynthConfig, failure: Failed) -> None:
    spec = None
    with suppress(Exception):  # sampling may be what failed
        spec = sample_scene(config, config.seed, failure.index).model_dump(mode="json")
    line = {"index": failure.index, "error": failure.error, "spec": spec}
    with (root / FAILURES_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _cores() -> int:
    return len(os.sched_getaffinity(0))
