"""Label files of VeRi, CityFlow-ReID and VehicleX: ``<Item imageName=... vehicleID=... />``.

They come in GB2312, which Python's XML parser does not know, so the text is decoded first. A file
that declares entities is refused: no label file needs them, and they are how an XML file blows up
or reads other files (expat fetches nothing external by itself).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

from pamtri.errors import DataError

LABEL_FILES = ("train_label.xml", "test_label.xml")
_HEAD = 65536


@dataclass(frozen=True)
class Item:
    """One labelled image: its attributes, and the file and line that say so."""

    attributes: dict[str, str]
    where: str

    @property
    def name(self) -> str:
        """The image's base name."""
        return self.attributes["imageName"]

    def number(self, key: str, prefix: str = "") -> int | None:
        """An attribute as an integer (``c012`` with prefix ``c`` is 12); None where it is absent.

        Raises DataError when it is something else.
        """
        text = self.attributes.get(key, "")
        if not text:
            return None
        digits = text.removeprefix(prefix)
        if not digits.isdecimal():
            raise DataError(f"{key} is '{text}', expected a number")
        return int(digits)

    def word(self, key: str, words: Sequence[Any], first: int) -> Any:
        """The word that an id stands for, ids counting from ``first``; None where it is absent.

        Raises DataError for an id without a word.
        """
        number = self.number(key)
        if number is None:
            return None
        if not first <= number < first + len(words):
            last = first + len(words) - 1
            raise DataError(f"{key} of {self.name} is {number}, expected {first} to {last}")
        return words[number - first]


def read_items(path: Path) -> list[Item]:
    """Every Item of a label file, in order.

    Raises DataError when the file is missing, is no XML, declares entities, or an Item names no
    image.
    """
    return _parse(path, _read_bytes(path), whole=True)


def first_item(root: Path) -> Item | None:
    """The first Item of the folder's first label file; None where it has no label file."""
    for name in LABEL_FILES:
        path = root / name
        if path.is_file():
            items = _parse(path, _read_bytes(path, _HEAD), whole=path.stat().st_size <= _HEAD)
            if not items:
                raise DataError(f"{path}: holds no Item")
            return items[0]
    return None


def _read_bytes(path: Path, size: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _parse(path: Path, data: bytes, whole: bool) -> list[Item]:
    text = _decode(path, data, whole)
    parser = expat.ParserCreate()
    items: list[Item] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag != "Item":
            return
        where = f"{path}, line {parser.CurrentLineNumber}"
        if not attributes.get("imageName"):
            raise DataError(f"{where}: the Item has no imageName")
        items.append(Item(attributes, where))

    def refuse(*_: object) -> None:
        raise DataError(f"{path}, line {parser.CurrentLineNumber}: declares an XML entity")

    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, whole)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise DataError(f"{path}, line {error.lineno}: is not valid XML ({reason})") from None
    return items


def _decode(path: Path, data: bytes, whole: bool) -> str:
    declared = re.search(rb"""encoding\s*=\s*["']([\w.-]+)["']""", data[:200])
    name = declared.group(1).decode() if declared else "utf-8"
    if name.lower() in ("gb2312", "gbk"):
        name = "gb18030"  # contains both, and files that say gb2312 use more than it has
    try:
        text = codecs.getincrementaldecoder(name)().decode(data, final=whole)
    except LookupError:
        raise DataError(f"{path}: is in the unknown encoding '{name}'") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not in {name} as it says ({error.reason})") from None
    return text.removeprefix("\ufeff")
