"""Parts of one data set, rendered by several machines into one folder that all of them see.

A shard is a run of whole identities: no vehicle belongs to two. Each keeps record files of its own,
so the folder is the merged set at any moment, and a run of the whole set finds what shards made.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pamtri.dataset import RECORDS_FOLDER
from pamtri.errors import DataError, UserError
from synth.config import SynthConfig

LOCK_FILE = "run.lock"


@dataclass(frozen=True)
class Shard:
    """Part ``number`` (from 1) of ``of`` parts; one of one is the whole set."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/10``. Raises UserError for anything else, and for 0/10 or 11/10."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        number, of = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= of:
            raise UserError(f"shard: expected NUMBER/OF as in 1/10 to 10/10, got '{text}'")
        return cls(number, of)

    @property
    def prefix(self) -> str:
        """What the names of its own files begin with; nothing where it is the whole set."""
        return "" if self.of == 1 else f"shard-{self.number}-of-{self.of}-"

    def identities(self, config: SynthConfig) -> range:
        """Its identities, counted from 0; empty where there are more shards than identities."""
        first, end = (n * config.identities // self.of for n in (self.number - 1, self.number))
        return range(first, end)

    def images(self, config: SynthConfig) -> range:
        """The numbers of its images."""
        mine, each = self.identities(config), config.images_per_identity
        return range(mine.start * each, mine.stop * each)


WHOLE = Shard()


@contextmanager
def sole_writer(root: Path, identities: range, wait: bool = False) -> Iterator[None]:
    """Hold these identities (at least one) of the set in ``root`` against every other process.

    The system lets go of them when this process ends, however it ends. Each identity is one byte of
    the lock file, so shards of different divisions exclude each other just where they overlap.
    ``wait`` until others are done; otherwise raises UserError where one is at work.
    """
    with (root / LOCK_FILE).open("a+b") as file:
        command = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
        try:
            fcntl.lockf(file, command, len(identities), identities.start)
        except (BlockingIOError, PermissionError):
            raise UserError(f"{root}: another run is writing there") from None
        except OSError as error:
            raise UserError(f"{root}: files cannot be locked there: {error.strerror}") from None
        yield


def recorded_images(root: Path) -> set[int]:
    """Numbers of the images whose records are on disk; a last line that is not whole is none.

    Raises DataError for any other line that is no record of a rendered image.
    """
    found: set[int] = set()
    for path in sorted((root / RECORDS_FOLDER).glob("*.jsonl")):
        data = path.read_bytes()
        for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
            try:
                found.add(int(json.loads(line)["frame"]))
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f"{path}, line {number}: expected the record of a rendered image"
                ) from None
    return found
