"""Re-identification feature files: what a network made of each image, as ``.npz`` or Parquet.

Plain arrays, a row an image, of which ``names`` and ``features`` are always there and the others
where they are known:

- ``names`` (n,) words: base names of the images.
- ``features`` (n, d) float32: what retrieval compares, by Euclidean distance.
- ``colour_scores`` (n, 10), ``type_scores`` (n, 9) float32: probabilities in the order of
  ``pamtri.attributes.COLOURS`` and ``TYPES``.
- ``colour``, ``type`` (n,) words: the most probable; ``colour_probability``, ``type_probability``
  (n,) float32: how probable.
- ``azimuth_deg`` (n,) float32: from which side the vehicle is seen, to a network that learned it.
- ``paths`` (n,) words: where the images lie, from the folder of the file.
- ``checkpoint``, one word: SHA-256 of the network's file; features of different ones do not
  compare.
- ``label_identity``, ``label_camera`` (n,) int64: what the data set says, or -1.
- ``label_colour``, ``label_type``, ``label_split``, ``label_domain`` (n,) words, or empty.
- ``label_azimuth_deg`` (n,) float32: 0 at the front, 90 at the left side, or NaN.
- ``label_box`` (n, 4) float32: left, top, right, bottom of what the network was shown, in the
  image's pixels, or NaN for the whole image.

In Parquet each array is a column, those of several values a row of lists of a fixed size, and
``checkpoint`` is in the schema's metadata. This program reads ``.npz``; Parquet is for others.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri.attributes import COLOURS, TYPES
from pamtri.errors import DataError
from pamtri.record import Record

Floats = NDArray[np.float32]
UNKNOWN = -1
PARQUET = ".parquet"
_WORDS: dict[str, tuple[str, ...]] = {"colour": COLOURS, "type": TYPES}


@dataclass(frozen=True, eq=False)
class Labels:
    """What a data set says of n images; see the module for what stands where it says nothing."""

    identity: NDArray[np.int64]
    camera: NDArray[np.int64]
    colour: NDArray[np.str_]
    type: NDArray[np.str_]
    split: NDArray[np.str_]
    domain: NDArray[np.str_]
    azimuth_deg: Floats
    box: Floats
    """(n, 4)."""

    @classmethod
    def of(cls, records: Sequence[Record]) -> Labels:
        """The labels of records, in their order."""

        def numbers(name: str) -> NDArray[np.int64]:
            return np.array([_or(getattr(r, name), UNKNOWN) for r in records], dtype=np.int64)

        def words(name: str) -> NDArray[np.str_]:
            return np.array([getattr(r, name) or "" for r in records], dtype=np.str_)

        azimuths = [np.nan if r.viewpoint is None else r.viewpoint.azimuth_deg for r in records]
        boxes = [_or(r.box, (np.nan,) * 4) for r in records]
        return cls(
            identity=numbers("identity"),
            camera=numbers("camera"),
            colour=words("colour"),
            type=words("type"),
            split=words("split"),
            domain=words("domain"),
            azimuth_deg=np.array(azimuths, dtype=np.float32),
            box=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        )


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n images; rows follow ``names``."""

    path: Path
    """The file that they come from: of features, or the network's."""
    names: tuple[str, ...]
    """Base names of the images."""
    features: Floats
    """(n, d)."""
    colour_scores: Floats | None = None
    """(n, 10) in the order of ``pamtri.attributes.COLOURS``."""
    type_scores: Floats | None = None
    """(n, 9) in the order of ``pamtri.attributes.TYPES``."""
    paths: tuple[Path, ...] | None = None
    """Where the images lie; None if the file does not say."""
    checkpoint: str | None = None
    """SHA-256 of the network's file; None if the file does not say."""
    labels: Labels | None = None
    """None where nothing is known of the images, or the file does not say."""
    azimuth_deg: Floats | None = None
    """(n,) what the network says, 0 at the front, 90 at the left side; None if it does not."""

    def __len__(self) -> int:
        return len(self.names)

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

    def told(self, attribute: str, row: int) -> tuple[str, float] | None:
        """The most probable ``colour`` or ``type`` of a row, and its probability."""
        scores: Floats | None = getattr(self, f"{attribute}_scores")
        if scores is None:
            return None
        best = int(scores[row].argmax())
        return _WORDS[attribute][best], float(scores[row, best])


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
    checkpoint = str(arrays["checkpoint"]) if "checkpoint" in arrays else None
    paths = _paths(path, arrays["paths"], len(names)) if "paths" in arrays else None
    labels = _read_labels(path, arrays, len(names)) if "label_identity" in arrays else None
    azimuth = _azimuths(path, arrays["azimuth_deg"], names) if "azimuth_deg" in arrays else None
    return Features(
        path, names, **matrices, paths=paths, checkpoint=checkpoint, labels=labels,  # type: ignore[arg-type]
        azimuth_deg=azimuth,
    )  # fmt: skip


def join_features(parts: Sequence[Features]) -> Features:
    """The rows of several files one after another, with what all of them have.

    Raises DataError when they are known to be of different networks.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.features.shape[1] != first.features.shape[1] or (
            part.checkpoint != first.checkpoint and None not in (part.checkpoint, first.checkpoint)
        ):
            raise DataError(f"{part.path}: holds features of another network than {first.path}")
    labels = [part.labels for part in parts if part.labels is not None]
    return Features(
        first.path,
        tuple(name for part in parts for name in part.names),
        np.concatenate([part.features for part in parts]),
        _joined([part.colour_scores for part in parts]),
        _joined([part.type_scores for part in parts]),
        None if any(part.paths is None for part in parts)
        else tuple(path for part in parts for path in part.paths or ()),
        first.checkpoint,
        None if len(labels) < len(parts) else Labels(
            **{f.name: np.concatenate([getattr(part, f.name) for part in labels])
               for f in fields(Labels)}
        ),
        _joined([part.azimuth_deg for part in parts]),
    )  # fmt: skip


def _joined(parts: Sequence[Floats | None]) -> Floats | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if len(there) == len(parts) else None


def write_features(target: Path, features: Features) -> None:
    """Write a feature file, whole or not at all: Parquet if its name says so, else ``.npz``."""
    arrays: dict[str, Any] = {
        "names": np.array(features.names, dtype=np.str_),
        "features": features.features.astype(np.float32),
    }
    for name, words in _WORDS.items():
        arrays |= _told(name, getattr(features, f"{name}_scores"), words)
    if features.azimuth_deg is not None:
        arrays["azimuth_deg"] = features.azimuth_deg.astype(np.float32)
    if features.paths is not None:
        start = target.parent.resolve()
        files = [path.parent.resolve() / path.name for path in features.paths]
        away = [Path(os.path.relpath(file, start)).as_posix() for file in files]
        arrays["paths"] = np.array(away, dtype=np.str_)
    if features.checkpoint is not None:
        arrays["checkpoint"] = np.array(features.checkpoint)
    if features.labels is not None:
        arrays |= {f"label_{f.name}": getattr(features.labels, f.name) for f in fields(Labels)}
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(target.name + ".part")
    if target.suffix == PARQUET:
        _write_parquet(temporary, arrays)
    else:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
    temporary.replace(target)


def _write_parquet(target: Path, arrays: Mapping[str, np.ndarray]) -> None:
    import pyarrow as pa  # only here: it takes a quarter of a second to load
    import pyarrow.parquet

    columns = {
        name: pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
        if values.ndim == 2
        else pa.array(values)
        for name, values in arrays.items()
        if values.ndim
    }
    metadata = {name: str(values) for name, values in arrays.items() if not values.ndim}
    table = pa.table(columns).replace_schema_metadata(metadata)
    pyarrow.parquet.write_table(table, target)


def _told(name: str, scores: Floats | None, words: Sequence[str]) -> dict[str, Any]:
    """The scores of one attribute, and the most probable word with its probability."""
    if scores is None:
        return {}
    return {
        f"{name}_scores": scores.astype(np.float32),
        name: np.array(words)[scores.argmax(axis=1)],
        f"{name}_probability": scores.max(axis=1).astype(np.float32),
    }


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _read_labels(path: Path, arrays: Mapping[str, np.ndarray], count: int) -> Labels:
    """The labels of a file that has some; each must be there, of its kind, with a row a name."""
    empty = Labels.of(())
    values = {}
    for field in fields(Labels):
        name, like = f"label_{field.name}", getattr(empty, field.name)
        found = arrays.get(name)
        shape = (count, *like.shape[1:])
        if found is None or found.shape != shape or found.dtype.kind != like.dtype.kind:
            kind = {"i": "integers", "U": "words", "f": "floats"}[like.dtype.kind]
            there = "nothing" if found is None else f"{found.dtype} {found.shape}"
            raise DataError(f"{path}: expected '{name}' as {kind} of shape {shape}, got {there}")
        values[field.name] = found
    return Labels(**values)


def _paths(path: Path, values: np.ndarray, count: int) -> tuple[Path, ...]:
    if values.shape != (count,) or values.dtype.kind != "U":
        raise DataError(
            f"{path}: expected 'paths' as words of shape ({count},), "
            f"got {values.dtype} {values.shape}"
        )
    folder = path.parent.resolve()
    return tuple(Path(os.path.normpath(folder / PurePosixPath(str(value)))) for value in values)


def _azimuths(path: Path, values: np.ndarray, names: Sequence[str]) -> Floats:
    floats = np.issubdtype(values.dtype, np.floating)
    if values.shape != (len(names),) or not floats or not np.isfinite(values).all():
        raise DataError(
            f"{path}: expected 'azimuth_deg' as finite floats of shape ({len(names)},), got "
            f"{values.dtype} {values.shape}"
        )
    return values.astype(np.float32)


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
