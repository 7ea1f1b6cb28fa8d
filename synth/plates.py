"""Photographs from a user's folder that stand behind scenes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from pamtri.errors import DataError

_SUFFIXES = (".jpg", ".jpeg", ".png")


@lru_cache(maxsize=8)
def list_plates(folder: str) -> tuple[str, ...]:
    """The photographs in a folder, by name. Raises DataError where there are none."""
    found = sorted(p for p in Path(folder).glob("*") if p.suffix.lower() in _SUFFIXES)
    if not found:
        raise DataError(f"{folder}: expected a folder with JPEG or PNG files")
    return tuple(str(path) for path in found)


@lru_cache(maxsize=4096)
def plate_digest(file: str) -> str:
    """The first 16 hexadecimal digits of the file's SHA-256. Raises DataError where it is not."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
