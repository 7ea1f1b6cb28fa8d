"""The books of a rendered data set: every image is recorded once, and nothing else lies about."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from pamtri.check import Problem
from pamtri.record import Record
from synth.config import SynthConfig
from synth.images import FOLDERS
from synth.stored import stored_failures


def check_books(root: Path, config: SynthConfig, records: Sequence[Record]) -> Iterator[Problem]:
    """Images that are missing, failed, twice or too many, and files that no record names."""
    by_index: dict[int | None, list[Record]] = defaultdict(list)
    for record in records:
        by_index[record.frame].append(record)
    failed = {f["index"]: f["error"] for f in stored_failures(root)}
    for index in range(config.count):
        if index in by_index:
            continue
        if index in failed:
            yield Problem("failed image", f"image {index}", str(failed[index]))
        else:
            yield Problem("missing record", f"image {index}", "was not rendered")
    for number, found in by_index.items():
        if number is None or not 0 <= number < config.count:
            text = f"is number {number}, expected 0 to {config.count - 1}"
            yield Problem("image too many", found[0].image, text)
        elif len(found) > 1 and len({r.image for r in found}) > 1:
            yield Problem(
                "image twice", found[1].image, f"is number {number} like {found[0].image}"
            )
    yield from _stray_files(root, records)
    yield from _equal_pictures(root, records)


def _stray_files(root: Path, records: Sequence[Record]) -> Iterator[Problem]:
    named = {path for record in records for path in record.files}
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*")):
            if f"{folder}/{path.name}" not in named:
                yield Problem("stray file", f"{folder}/{path.name}", "no record names it")


def _equal_pictures(root: Path, records: Sequence[Record]) -> Iterator[Problem]:
    """Two scenes never give the same file, byte for byte."""
    first: dict[bytes, str] = {}
    for image in dict.fromkeys(r.image for r in records):
        path = root / image
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest in first:
                yield Problem("picture twice", image, f"is byte for byte {first[digest]}")
            first.setdefault(digest, image)
