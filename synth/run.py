"""The render run: workers make images, this process alone keeps the books.

An image is done when its record is: the image is written first, so whatever dies, and whenever,
what is recorded is on disk, and ``resume`` makes the rest. Image i is the same whoever renders it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pamtri.dataset import DatasetInfo, RecordWriter
from pamtri.errors import UserError
from pamtri.progress import progress
from pamtri.run_folder import open_run_folder, provenance
from synth.config import SynthConfig
from synth.images import FOLDERS, PART_SUFFIX, OpenRenderer, open_renderer
from synth.sampling import sample_scene
from synth.shards import WHOLE, Shard, recorded_images, sole_writer
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
    open_renderer: OpenRenderer = open_renderer,
    shard: Shard = WHOLE,
) -> Outcome:
    """Render the data set of ``config``, or one shard of it, into ``root``.

    Scenes that fail twice are listed in ``failures.jsonl`` with their specs; ``resume`` tries them
    again. A shard joins whatever run of the same configuration the folder holds. Raises UserError
    when ``root`` holds something else or is being written, or when the renderer cannot start or the
    disk cannot be written.
    """
    sample_scene(config, config.seed, 0)  # what cannot be sampled claims no folder
    with disk_errors(root):
        open_run_folder(root, "synth", config, resume or shard != WHOLE)
        return render_shard(config, root, shard, workers, open_renderer)


def render_shard(
    config: SynthConfig,
    root: Path,
    shard: Shard,
    workers: int,
    open_renderer: OpenRenderer,
    wait: bool = False,
) -> Outcome:
    """Render what is missing of ``shard`` in the claimed folder ``root``.

    ``wait`` for another process that is at work there instead of raising UserError.
    """
    mine = shard.images(config)
    if not mine:
        return Outcome(0, 0, 0)
    with (
        sole_writer(root, shard.identities(config), wait),
        RecordWriter(root, _info(config), shard.prefix) as writer,
    ):
        _clean_up(root, shard, mine)
        done = recorded_images(root).intersection(mine)
        job = Job(config, root, max(1, _cores() // workers), open_renderer)
        made = failed = 0
        with progress(len(mine), config.name, initial=len(done)) as bar:
            for outcome in render_in_workers(_groups(config, mine, done), job, workers):
                if isinstance(outcome, Done):
                    writer.append(outcome.record)
                    made += 1
                    bar.update()
                else:
                    failed += 1
                    _note_failure(root / f"{shard.prefix}{FAILURES_FILE}", config, outcome)
                    bar.set_postfix(failed=failed)
    return Outcome(len(mine), len(done) + made, failed)


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Say in one sentence that a disk is full or gone."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{root}: cannot be written: {reason}; continue with --resume") from error


def _groups(config: SynthConfig, mine: range, done: set[int]) -> Iterator[list[int]]:
    """What is still to be rendered, a vehicle's images together."""
    per_identity = config.images_per_identity
    for first in range(mine.start, mine.stop, per_identity):
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


def _clean_up(root: Path, shard: Shard, mine: range) -> None:
    """Make the folders; drop half-written files and the failures that will be tried again."""
    for name in FOLDERS:
        (root / name).mkdir(exist_ok=True)
        for half in (root / name).glob(f"*{PART_SUFFIX}"):
            if int(half.name.split(".")[0]) in mine:
                half.unlink(missing_ok=True)
    for listed in root.glob(f"{shard.prefix}*{FAILURES_FILE}"):
        listed.unlink(missing_ok=True)


def _note_failure(path: Path, config: SynthConfig, failure: Failed) -> None:
    spec = None
    with suppress(Exception):  # sampling may be what failed
        spec = sample_scene(config, config.seed, failure.index).model_dump(mode="json")
    line = {"index": failure.index, "error": failure.error, "spec": spec}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _cores() -> int:
    return len(os.sched_getaffinity(0))
