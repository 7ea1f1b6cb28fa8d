"""Columns of table files, from which factors take the values of rows."""

from __future__ import annotations

import csv
import hashlib
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pamtri.config import nearest
from pamtri.errors import DataError


@lru_cache(maxsize=64)
def read_numbers(file: str, column: str, array: str | None = None) -> NDArray[np.float64]:
    """(rows,) numbers of a column of a ``.csv``, or of the 2-D ``array`` of an ``.npz``.

    An ``.npz`` names the array's columns in another one, called ``<array>_columns``. Raises
    DataError naming file, row and column where there is no such column of finite numbers.
    """
    path = _existing(file)
    match path.suffix:
        case ".csv":
            values = _csv_numbers(path, column)
        case ".npz":
            values = _npz_numbers(path, array, column)
        case suffix:
            raise DataError(f"{file}: expected a .csv or .npz table, got '{suffix}'")
    if not len(values) or not np.isfinite(values).all():
        raise DataError(f"{file}: column '{column}' must hold finite numbers in at least one row")
    values.setflags(write=False)
    return values


@lru_cache(maxsize=64)
def read_names(file: str, column: str) -> tuple[str, ...]:
    """The texts of a column of a ``.csv``. Raises DataError where there is no such column."""
    path = _existing(file)
    if path.suffix != ".csv":
        raise DataError(f"{file}: expected a .csv table of names, got '{path.suffix}'")
    names = _csv_texts(path, column)
    if not names or not all(names):
        raise DataError(f"{file}: column '{column}' must hold a name in every row")
    return tuple(names)


@lru_cache(maxsize=64)
def digest_of(file: str) -> str:
    """The first 16 hexadecimal digits of the file's SHA-256. Raises DataError where it is not."""
    return hashlib.sha256(_existing(file).read_bytes()).hexdigest()[:16]


def _existing(file: str) -> Path:
    path = Path(file)
    if not path.is_file():
        raise DataError(f"{file}: no such table file")
    return path


def _csv_texts(path: Path, column: str) -> list[str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            _require(path, "column", column, list(rows.fieldnames or []))
            return [row[column] for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is no table of text: {error}") from None


def _csv_numbers(path: Path, column: str) -> NDArray[np.float64]:
    values = []
    for number, text in enumerate(_csv_texts(path, column), start=1):
        try:
            values.append(float(text))
        except (TypeError, ValueError):
            raise DataError(
                f"{path}: row {number}, column '{column}': expected a number, got {text!r}"
            ) from None
    return np.array(values)


def _npz_numbers(path: Path, array: str | None, column: str) -> NDArray[np.float64]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            _require(path, "array", array or "", archive.files)
            _require(path, "array", f"{array}_columns", archive.files)
            columns = [str(name) for name in archive[f"{array}_columns"]]
            _require(path, "column", column, columns)
            table = archive[str(array)]
    except (OSError, ValueError, BadZipFile) as error:
        raise DataError(f"{path}: is no archive of arrays: {error}") from None
    if table.ndim != 2 or table.shape[1] != len(columns):
        raise DataError(
            f"{path}: array '{array}': expected {len(columns)} columns as {array}_columns names, "
            f"got the shape {table.shape}"
        )
    return np.asarray(table[:, columns.index(column)], dtype=np.float64)


def _require(path: Path, what: str, name: str, there: list[str]) -> None:
    if name not in there:
        raise DataError(f"{path}: has no {what} '{name}'{nearest(name, there)}")
