"""A data set: records and the folder their images lie in; and the native format on disk.

Native layout: ``dataset.yaml`` (what this is), ``records/00000.jsonl`` and on (one record a line,
append-only; names have a prefix where several processes write), and the image and mask files that
the records name.
"""

from __future__ import annotations

import errno
import gc
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from pamtri import attributes, keypoints, parts, segments
from pamtri.config import Config, parse_config, read_yaml
from pamtri.damage import Damage
from pamtri.errors import DataError
from pamtri.record import Record
from pamtri.run_folder import write_atomic

INFO_FILE = "dataset.yaml"
RECORDS_FOLDER = "records"
RECORDS_PER_SHARD = 1000


class Vocabulary(Config):
    """The names that the records' labels are drawn from."""

    keypoints: tuple[str, ...] = keypoints.NAMES
    colours: tuple[str, ...] = attributes.COLOURS
    types: tuple[str, ...] = attributes.TYPES
    segments: tuple[str, ...] = segments.NAMES
    """Of a segment mask's values from 1 on."""
    parts: tuple[str, ...] = parts.NAMES
    """Of a part mask's values from 1 on."""


class DatasetInfo(Config):
    """The content of ``dataset.yaml``."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(min_length=1)]
    splits: tuple[str, ...] = ()
    vocabulary: Vocabulary = Vocabulary()
    seed: int | None = None
    config: dict[str, Any] | None = None
    """The configuration that rendered it."""
    commit: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Records in a fixed order, and ``root``, the folder their paths start from."""

    root: Path
    records: tuple[Record, ...]
    info: DatasetInfo
    format: str = "native"
    skipped: tuple[str, ...] = field(default=())
    """What was left out as damaged when asked to go on: file, line and reason."""

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def image_path(self, record: Record) -> Path:
        """Where the image of ``record`` lies."""
        return self.root / record.image

    def only(self, *splits: str) -> Dataset:
        """The records of these splits, in order. Raises DataError when there are none."""
        chosen = tuple(r for r in self.records if r.split in splits)
        if not chosen:
            there = ", ".join(str(s) for s in self.split_names) or "none"
            raise DataError(
                f"{self.root}: no image in split '{' or '.join(splits)}' (splits there: {there})"
            )
        return replace(self, records=chosen)

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """The splits that occur, in order of first appearance."""
        return tuple(dict.fromkeys(r.split for r in self.records if r.split is not None))

    @cached_property
    def by_image(self) -> dict[str, Record]:
        """Records by their image path."""
        return {r.image: r for r in self.records}


def read_native(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read a native data set; records come ordered by image path, however they arrived.

    Raises DataError naming file and line of the first damaged record, unless ``skip_damaged``.
    """
    info = read_info(root)
    damage = Damage(skip_damaged)
    with _collector_paused():
        records = _read_shards(root, damage)
    records.sort(key=lambda r: r.image)
    return Dataset(root, tuple(records), info, skipped=tuple(damage.skipped))


def _read_shards(root: Path, damage: Damage) -> list[Record]:
    records: list[Record] = []
    for shard in sorted((root / RECORDS_FOLDER).glob("*.jsonl")):
        for number, line in enumerate(shard.read_bytes().splitlines(), start=1):
            with damage.at(f"{shard}, line {number}"):
                records.append(Record.model_validate_json(line))
    return records


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Records make millions of objects and no cycles: collecting meanwhile triples the time.

    The collector would go through all of them as soon as it is enabled again, so they are moved to
    the oldest generation first (freezing and unfreezing splices lists and visits nothing).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()


def read_info(root: Path) -> DatasetInfo:
    """Read ``dataset.yaml`` of the native data set in ``root``."""
    path = root / INFO_FILE
    if not root.is_dir():
        raise DataError(f"{root}: no such data set folder")
    if not path.exists():
        raise DataError(f"{root}: has no {INFO_FILE}, so it is no native data set")
    return parse_config(read_yaml(path), DatasetInfo, source=str(path))


def write_native(root: Path, records: Sequence[Record], info: DatasetInfo) -> None:
    """Write records and ``dataset.yaml`` into ``root``; images are the caller's."""
    with RecordWriter(root, info) as writer:
        for record in records:
            writer.append(record)


class RecordWriter:
    """Appends records to a native data set; each is on its way to disk when ``append`` returns.

    Writers of different files share a data set: the names of a writer's begin with its ``prefix``.
    Opening a data set whose writers were killed drops the lines that they left unfinished in files
    whose names begin so.
    """

    def __init__(self, root: Path, info: DatasetInfo, prefix: str = "") -> None:
        self._folder = root / RECORDS_FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(info.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        write_atomic(root / INFO_FILE, text)
        self._file: io.FileIO | None = None
        self._prefix = prefix
        shards = sorted(self._folder.glob(f"{prefix}*.jsonl"))
        lines = {shard.stem[len(prefix) :]: _drop_unfinished_line(shard) for shard in shards}
        own = [number for number in lines if number.isdigit()]
        self._shard = int(own[-1]) if own else 0
        self._lines = lines[own[-1]] if own else 0

    def append(self, record: Record) -> None:
        """Write one record. Raises OSError when the disk does not take all of it."""
        if self._lines >= RECORDS_PER_SHARD:
            self.close()
            self._shard, self._lines = self._shard + 1, 0
        if self._file is None:
            name = f"{self._prefix}{self._shard:05d}.jsonl"
            self._file = (self._folder / name).open("ab", buffering=0)
        line = record.model_dump_json(exclude_none=True).encode() + b"\n"
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._lines += 1

    def close(self) -> None:
        """Close the open shard."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _drop_unfinished_line(shard: Path) -> int:
    """Cut what follows the last newline; return the number of whole lines."""
    data = shard.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with shard.open("r+b") as file:
            file.truncate(whole)
    return data[:whole].count(b"\n")
