"""Re-identification feature files: what a network made of each image, as an ``.npz``."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pamtri.attributes import COLOURS, TYPES
from pamtri.errors import DataError

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Features:
    """The content of a feature file; rows follow ``names``."""

    path: Path
    names: tuple[str, ...]
    """Base names of the images."""
    features: Floats
    """(n, d)."""
    colour_scores: Floats | None = None
    """(n, 10) in the order of ``pamtri.attributes.COLOURS``."""
    type_scores: Floats | None = None
    """(n, 9) in the order of ``pamtri.attributes.TYPES``."""

    def rows(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Row of each name, the first where a name comes again (a picture in two splits).

        Raises DataError naming the first image that has none.
        """
        row: dict[str, int] = {}
        for i, name in enumerate(self.names):
            row.setdefault(name, i)
        missing = [name for name in names if name not in row]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise DataError(f"{self.path}: has no feature of {missing[0]}{more}")
        return np.array([row[name] for name in names], dtype=np.int64)


def read_features(path: Path) -> Features:
    """Read and check a feature file.

    Raises DataError naming the array, its expected and its actual shape, or a value that is not
    finite.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such feature file") from None
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile):
        raise DataError(f"{path}: is no feature file (.npz of plain arrays)") from None
    for name in ("names", "features"):
        if name not in arrays:
            there = ", ".join(arrays) or "nothing"
            raise DataError(f"{path}: has no array '{name}' (there: {there})")
    names = tuple(str(name) for name in arrays["names"])
    matrices = {
        "features": _matrix(path, "features", arrays["features"], names, None),
        "colour_scores": _optional(path, "colour_scores", arrays, names, len(COLOURS)),
        "type_scores": _optional(path, "type_scores", arrays, names, len(TYPES)),
    }
    return Features(path, names, **matrices)  # type: ignore[arg-type]


def _optional(
    path: Path, name: str, arrays: dict[str, np.ndarray], names: Sequence[str], width: int
) -> Floats | None:
    return _matrix(path, name, arrays[name], names, width) if name in arrays else None


def _matrix(
    path: Path, name: str, values: np.ndarray, names: Sequence[str], width: int | None
) -> Floats:
    """Check one array of a row a name; ``width`` None takes any number of columns."""
    columns = "d" if width is None else str(width)
    good = values.ndim == 2 and len(values) == len(names) and width in (None, values.shape[1])
    if not good or not np.issubdtype(values.dtype, np.floating):
        raise DataError(
            f"{path}: expected '{name}' as floats of shape ({len(names)}, {columns}), "
            f"got {values.dtype} {values.shape}"
        )
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(broken):
        raise DataError(f"{path}: '{name}' of {names[broken[0]]} is not finite")
    return values.astype(np.float32)
