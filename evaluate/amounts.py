"""How much of the real training data an arm gets: all of it, or a part for the learning curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from pamtri.dataset import Dataset, DatasetInfo, write_native
from pamtri.record import FILE_FIELDS, Record

LINK = "source"
"""Name of the link, in a data set of another's images, to the folder that it was made from."""


@dataclass(frozen=True)
class Amount:
    """A share of each identity's training images, or so many of them; without both, all."""

    share: float | None = None
    images: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.share is None and self.images is None

    @property
    def label(self) -> str:
        """As in ``5 %``, ``10 an identity`` or ``all``."""
        if self.share is not None:
            return f"{100 * self.share:g} %"
        return "all" if self.images is None else f"{self.images} an identity"

    @property
    def slug(self) -> str:
        """The same for the name of a folder: ``5-percent``, ``10-each``, ``all``."""
        if self.share is not None:
            return f"{100 * self.share:g}-percent"
        return "all" if self.images is None else f"{self.images}-each"

    def of(self, count: int) -> int:
        """How many of ``count`` images are kept: one at least, all at most."""
        if self.share is not None:
            return min(count, max(1, round(self.share * count)))
        return count if self.images is None else min(count, self.images)


def thinned(records: Sequence[Record], splits: Sequence[str], amount: Amount) -> list[Record]:
    """The records of ``splits``, as many of each identity as ``amount`` says, in order.

    Which are kept depends on the images' names alone: more of them keep those that fewer do, and
    two data sets of the same images keep the same. Images without an identity count as of one.
    """
    by_identity: dict[int | None, list[Record]] = {}
    for record in records:
        if record.split in splits:
            by_identity.setdefault(record.identity, []).append(record)
    kept = {
        record.image
        for group in by_identity.values()
        for record in sorted(group, key=_lot)[: amount.of(len(group))]
    }
    return [r for r in records if r.split in splits and r.image in kept]


def write_linked(dataset: Dataset, records: Sequence[Record], target: Path, name: str) -> None:
    """Write ``records`` of ``dataset`` into ``target``, with a link to its files: no copies.

    Does nothing where that was done before: the link comes last.
    """
    if (target / LINK).exists():
        return
    splits = tuple(dict.fromkeys(r.split for r in records if r.split is not None))
    write_native(target, [_linked(r) for r in records], DatasetInfo(name=name, splits=splits))
    (target / LINK).symlink_to(dataset.root.resolve(), target_is_directory=True)


def _lot(record: Record) -> bytes:
    """A number drawn for an image, by its name."""
    return blake2b(PurePosixPath(record.image).name.encode(), digest_size=16).digest()


def _linked(record: Record) -> Record:
    paths = {name: getattr(record, name) for name in FILE_FIELDS}
    moved = {name: f"{LINK}/{path}" for name, path in paths.items() if path is not None}
    return record.model_copy(update=moved)
