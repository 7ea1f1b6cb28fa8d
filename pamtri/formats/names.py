"""Image names that tell: VeRi's carry identity, camera and frame, ``0001_c001_00016450_0.jpg``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from pamtri.errors import DataError
from pamtri.record import Record

_VERI = re.compile(r"(\d+)_c(\d+)_(\d+)_\d+\.[A-Za-z]+")
_VEHICLEX = re.compile(r"\d+_c\d+_\d+\.[A-Za-z]+")


class VeriName(NamedTuple):
    """What a name tells."""

    identity: int
    camera: int
    frame: int


def parse_name(name: str) -> VeriName | None:
    """Read a base name of VeRi's pattern; None where it is another pattern."""
    match = _VERI.fullmatch(name)
    return VeriName(*map(int, match.groups())) if match else None


def is_vehiclex_name(name: str) -> bool:
    """Whether a base name is of VehicleX's pattern, ``00001_c006_1.jpg``."""
    return _VEHICLEX.fullmatch(name) is not None


def veri_names(records: Sequence[Record]) -> list[str]:
    """A base name of VeRi's pattern for each record, the same whenever the records are the same.

    A name that already says what the record says is kept. A record without a frame is given its
    position as one. Raises DataError for a record without identity or camera.
    """
    kept: set[tuple[str | None, str]] = set()
    names: list[str | None] = []
    for record in records:
        name = PurePosixPath(record.image).name
        fits = _says_the_same(name, record) and (record.split, name) not in kept
        if fits:
            kept.add((record.split, name))
        names.append(name if fits else None)
    taken = {name for _, name in kept}
    return [
        name or _new_name(r, i, taken)
        for i, (name, r) in enumerate(zip(names, records, strict=True))
    ]


def _says_the_same(name: str, record: Record) -> bool:
    told = parse_name(name)
    return (
        told is not None
        and told[:2] == (record.identity, record.camera)
        and record.frame in (None, told.frame)
    )


def _new_name(record: Record, position: int, taken: set[str]) -> str:
    for field in ("identity", "camera"):
        value = getattr(record, field)
        if value is None or value < 0:
            raise DataError(f"{record.image}: its {field} is {value}, but VeRi's names need one")
    frame = position if record.frame is None else record.frame
    suffix = PurePosixPath(record.image).suffix
    serial = 0
    while True:
        name = f"{record.identity:04d}_c{record.camera:03d}_{frame:08d}_{serial}{suffix}"
        if name not in taken:
            taken.add(name)
            return name
        serial += 1
