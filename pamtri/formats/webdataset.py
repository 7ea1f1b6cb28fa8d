"""WebDataset: tar files whose consecutive members of one base name are a sample.

A. Aizman et al., "High Performance I/O For Large Scale Deep Learning", IEEE Big Data 2019. A shard
``train-000000.tar`` holds up to 1,000 samples of a split: ``00000012.json``, the record as in the
native layout, and beside it a file a field that names one, ``00000012.jpg`` the image and
``00000012.mask.png`` the mask. ``info.json`` says what the data set is. Equal data sets give equal
bytes.
"""

from __future__ import annotations

import atexit
import io
import itertools
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pamtri.config import parse_config, read_yaml
from pamtri.damage import Damage
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.formats.images import Images
from pamtri.progress import progress
from pamtri.record import FILE_FIELDS, Record
from pamtri.run_folder import write_atomic

INFO_FILE = "info.json"
SAMPLES_PER_SHARD = 1000
_NO_SPLIT = "all"
_END = bytes(1024)
"""Two empty blocks end a tar file; without them samples may be missing."""


class Sample(NamedTuple):
    """What a shard holds of one image."""

    key: str
    record: Record
    files: dict[str, bytes]
    """By the record's field that names the file."""


def detect(root: Path) -> bool:
    """Whether ``root`` holds ``info.json`` and tar files."""
    return (root / INFO_FILE).is_file() and any(root.glob("*.tar"))


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Unpack the shards into a temporary folder that goes when this process ends.

    To use a data set more than once, convert it to the native layout. Records come in the order of
    their keys, the order they were written in. Raises DataError for a damaged shard or sample.
    """
    info = parse_config(read_yaml(root / INFO_FILE), DatasetInfo, source=str(root / INFO_FILE))
    unpacked = Path(tempfile.mkdtemp(prefix="pamtri-webdataset-"))
    atexit.register(shutil.rmtree, unpacked, ignore_errors=True)
    damage = Damage(skip_damaged)
    records: dict[str, Record] = {}
    shards = sorted(root.glob("*.tar"))
    with progress(len(shards), "shards", unit="shard") as bar:
        for shard in shards:
            for sample in read_shard(shard, damage):
                _unpack(sample, unpacked)
                records[sample.key] = sample.record
            bar.update()
    ordered = tuple(records[key] for key in sorted(records))
    return Dataset(unpacked, ordered, info, "webdataset", tuple(damage.skipped))


def read_shard(shard: Path, damage: Damage) -> Iterator[Sample]:
    """The samples of one tar file, one in memory at a time."""
    for key, parts in _groups(shard, damage):
        with damage.at(f"{shard}, sample {key}"):
            yield _sample(key, parts)


def _groups(shard: Path, damage: Damage) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Each key with the contents of its files by ending."""
    with damage.at(str(shard)), _opened(shard) as tar:
        for key, members in itertools.groupby(_members(tar), lambda m: m[0]):
            yield key, {ending: data for _, ending, data in members}
            damage.at(str(shard))


@contextmanager
def _opened(shard: Path) -> Iterator[tarfile.TarFile]:
    """Raises DataError for what is no tar file, or one without the zeros that end it."""
    try:
        with tarfile.open(shard, "r:") as tar, shard.open("rb") as file:
            file.seek(-len(_END), io.SEEK_END)
            if file.read() != _END:
                raise DataError("the tar file is cut short")
            yield tar
    except (OSError, tarfile.TarError) as error:
        raise DataError(f"cannot be read as tar: {error}") from None


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, str, bytes]]:
    """Key, ending and content of the files in a tar, as they come. Nothing is extracted by name."""
    for member in tar:
        file = tar.extractfile(member)
        if file is not None:
            folder, _, name = member.name.rpartition("/")
            key, _, ending = name.partition(".")
            yield f"{folder}/{key}" if folder else key, ending, file.read()


def _sample(key: str, parts: dict[str, bytes]) -> Sample:
    if "json" not in parts:
        raise DataError(f"has no .json among {', '.join(parts)}")
    record = Record.model_validate_json(parts["json"])
    files = {}
    for field, ending in _endings(record).items():
        if ending not in parts:
            raise DataError(f"has no .{ending}, the {field} of its record")
        files[field] = parts[ending]
    return Sample(key, record, files)


def _endings(record: Record) -> dict[str, str]:
    """What follows the key in the name of each file of a record, by field."""
    endings = {}
    for field in FILE_FIELDS:
        path = getattr(record, field)
        if path is not None:
            suffix = PurePosixPath(path).suffix.lower().removeprefix(".")
            if not suffix or suffix == "json":
                raise DataError(f"{path}: a name that ends in .jpg, .png or the like is expected")
            endings[field] = suffix if field == "image" else f"{field}.{suffix}"
    return endings


def _unpack(sample: Sample, folder: Path) -> None:
    for field, data in sample.files.items():
        path = folder / getattr(sample.record, field)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def write(dataset: Dataset, target: Path, images: Images = "copy") -> None:
    """Write the shards of each split, and ``info.json``; ``images`` changes nothing.

    Raises DataError when a file is missing or a split cannot be a file's name.
    """
    splits: dict[str, list[tuple[int, Record]]] = {}
    for position, record in enumerate(dataset):
        splits.setdefault(record.split or _NO_SPLIT, []).append((position, record))
    with progress(len(dataset), "samples") as bar:
        for split, members in splits.items():
            if "/" in split or split.startswith("."):
                raise DataError(f"split '{split}' cannot be a file's name")
            for number in range(0, len(members), SAMPLES_PER_SHARD):
                shard = target / f"{split}-{number // SAMPLES_PER_SHARD:06d}.tar"
                _write_shard(dataset, shard, members[number : number + SAMPLES_PER_SHARD])
                bar.update(len(members[number : number + SAMPLES_PER_SHARD]))
    write_atomic(target / INFO_FILE, dataset.info.model_dump_json(indent=1) + "\n")


def _write_shard(dataset: Dataset, shard: Path, members: Sequence[tuple[int, Record]]) -> None:
    with tarfile.open(shard, "w", format=tarfile.USTAR_FORMAT) as tar:
        for position, record in members:
            parts = {"json": record.model_dump_json(exclude_none=True).encode()}
            for field, ending in _endings(record).items():
                parts[ending] = _content(dataset.root / getattr(record, field))
            for ending, data in parts.items():
                entry = tarfile.TarInfo(f"{position:08d}.{ending}")  # no time, no owner
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
