"""PKU VehicleID. H. Liu et al., "Deep Relative Distance Learning", CVPR 2016.

``image`` with numbers for names, and lists of them with their vehicles in ``train_test_split``:
``train_list.txt`` (``train`` here), ``test_list_800.txt`` (``test_800``) and larger ones, which
hold pictures of the smaller again. Cameras are not told. Of some vehicles ``attribute`` tells the
colour, in ``color_attr.txt`` by the numbers of ``color_names.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pamtri.attributes import COLOURS, Colour
from pamtri.damage import Damage
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.record import Record

_LISTS = "train_test_split"
_TEST_LIST = re.compile(r"test_list_(\d+)\.txt")
_COLOURS: dict[str, Colour] = {
    **{word: word for word in COLOURS},
    "silver": "gray",
    "sliver": "gray",  # as the data set spells it
}
"""Its words, each with VeRi's for the same."""


def detect(root: Path) -> bool:
    """Whether ``root`` holds lists of images and vehicles."""
    return bool(_lists(root))


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read all lists that are there. Raises DataError for a line that is no image and vehicle."""
    damage = Damage(skip_damaged)
    colours = _colours(root, damage)
    records = []
    for split, path in _lists(root).items():
        for where, line in _lines(path):
            with damage.at(where):
                name, identity = _words(line, "an image and a vehicle's number")
                records.append(
                    Record(
                        image=f"image/{name}.jpg",
                        domain="real",
                        split=split,
                        identity=identity,
                        colour=colours.get(identity),
                    )
                )
    info = DatasetInfo(name=root.resolve().name, splits=tuple(_lists(root)))
    return Dataset(root, tuple(records), info, "vehicleid", tuple(damage.skipped))


def _lists(root: Path) -> dict[str, Path]:
    """The list of each split, that of training first and small ones before large ones."""
    train, paths = root / _LISTS / "train_list.txt", (root / _LISTS).glob("test_list_*.txt")
    sizes = {int(m[1]): path for path in paths if (m := _TEST_LIST.fullmatch(path.name))}
    tests = {f"test_{size}": sizes[size] for size in sorted(sizes)}
    return ({"train": train} if train.exists() else {}) | tests


def _colours(root: Path, damage: Damage) -> dict[int, Colour]:
    """The colour of each vehicle of which one is told that VeRi has a word for."""
    names, vehicles = (root / "attribute" / f"color_{name}.txt" for name in ("names", "attr"))
    if not (names.exists() and vehicles.exists()):
        return {}
    words: dict[int, Colour] = {}
    for where, line in _lines(names):
        with damage.at(where):
            word, number = _words(line, "a colour and its number")
            if word.lower() in _COLOURS:
                words[number] = _COLOURS[word.lower()]
    colours: dict[int, Colour] = {}
    for where, line in _lines(vehicles):
        with damage.at(where):
            vehicle, number = _words(line, "a vehicle's number and a colour's")
            if number in words and vehicle.isdecimal():
                colours[int(vehicle)] = words[number]
    return colours


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Where each line stands, and the line; empty ones are passed over."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text ({error})") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{path}, line {number}", line


def _words(line: str, expected: str) -> tuple[str, int]:
    words = line.split()
    if len(words) != 2 or not words[1].isdecimal():
        raise DataError(f"expected {expected}, got {line.strip()!r}")
    return words[0], int(words[1])
