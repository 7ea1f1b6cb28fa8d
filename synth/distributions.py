"""What a configuration says of one factor: a fixed value, or how to draw one.

A number or name is written bare for a constant. Everything else is a section with a ``kind``::

    roll_deg: 0
    roll_deg: {kind: uniform, low: -5, high: 5}
    roll_deg: {kind: normal, mean: 0, std: 3, low: -10, high: 10}
    distance_m: {kind: log_uniform, low: 5, high: 40}
    hdri: {kind: choice, values: [city.exr, forest.exr], weights: [3, 1]}
    elevation_deg: {kind: table, file: cameras.csv, column: elevation_deg}

Units are those of the field's name. Every distribution has ``sample(rng)``, and numeric ones have
``bounds()``, by which a field refuses values that it could not use before anything is rendered.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    model_validator,
)
from scipy.special import ndtr, ndtri

from pamtri.config import Config, nearest
from pamtri.errors import DataError

T = TypeVar("T")
Positive = Annotated[float, Field(gt=0)]


class Constant(RootModel[T], Generic[T]):
    """Always the same value."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    def sample(self, rng: np.random.Generator) -> T:
        """The value."""
        return self.root

    def bounds(self) -> tuple[T, T]:
        """The value, twice."""
        return self.root, self.root

    def weights_by_value(self) -> dict[T, float]:
        """The value with weight 1."""
        return {self.root: 1.0}


class Choice(Config, Generic[T]):
    """One of some values, equally likely or by weight."""

    kind: Literal["choice"]
    values: Annotated[tuple[T, ...], Field(min_length=1)]
    weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """One a value; they need not add up to 1."""

    @model_validator(mode="after")
    def _weights_fit(self) -> Choice[T]:
        if self.weights is not None and len(self.weights) != len(self.values):
            raise ValueError(
                f"expected {len(self.values)} weights, one a value, got {len(self.weights)}"
            )
        if self.weights is not None and sum(self.weights) == 0:
            raise ValueError("expected at least one weight above 0")
        return self

    def sample(self, rng: np.random.Generator) -> T:
        """Draw one value."""
        weights = np.array(self.weights or [1.0] * len(self.values))
        return self.values[rng.choice(len(self.values), p=weights / weights.sum())]

    def bounds(self) -> tuple[Any, Any]:
        """The least and the greatest value."""
        return min(self.values), max(self.values)  # type: ignore[type-var]

    def weights_by_value(self) -> dict[T, float]:
        """Each value with its weight."""
        return dict(zip(self.values, self.weights or [1.0] * len(self.values), strict=True))


class _Range(Config):
    """Base of distributions between ``low`` and ``high``."""

    low: float
    high: float

    @model_validator(mode="after")
    def _is_ordered(self) -> _Range:
        if self.low > self.high:
            raise ValueError(f"expected low <= high, got {self.low} and {self.high}")
        return self

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return self.low, self.high


class Uniform(_Range):
    """Every value between ``low`` and ``high`` alike."""

    kind: Literal["uniform"]

    def sample(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        return float(rng.uniform(self.low, self.high))


class Normal(_Range):
    """A normal distribution of which only what lies between ``low`` and ``high`` is used."""

    kind: Literal["normal"]
    mean: float
    std: Positive

    def sample(self, rng: np.random.Generator) -> float:
        """Draw one value, by inverting the cumulative distribution."""
        least, greatest = ndtr((np.array([self.low, self.high]) - self.mean) / self.std)
        value = self.mean + self.std * ndtri(rng.uniform(least, greatest))
        return float(np.clip(value, self.low, self.high))


class LogUniform(_Range):
    """Every ratio alike: as many values from 1 to 2 as from 10 to 20."""

    low: Positive
    high: Positive
    kind: Literal["log_uniform"]

    def sample(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        value = np.exp(rng.uniform(np.log(self.low), np.log(self.high)))
        return float(np.clip(value, self.low, self.high))


class Table(Config):
    """The values of one column of a file, every row alike.

    Within one image, all factors that name the same file use the same row, so that what belongs
    together (a camera's elevation and distance) stays together.
    """

    kind: Literal["table"]
    file: str
    """``.csv`` with a header, or ``.npz`` with 2-D ``array`` and its names in ``array_columns``.
    Relative to the folder where the command runs."""
    column: str
    array: str | None = None
    """Name of the array, for ``.npz``."""
    scale: float = 1.0
    """Multiplies the values, where the file has another unit."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Table:
        try:
            self.values()
        except DataError as error:
            raise ValueError(str(error)) from None
        return self

    def values(self) -> NDArray[np.float64]:
        """(rows,) all values, scaled. Raises DataError naming the file where it cannot be used."""
        return _read_column(self.file, self.array, self.column) * self.scale

    def sample(self, rng: np.random.Generator) -> float:
        """The value in a random row."""
        values = self.values()
        return float(values[rng.integers(len(values))])

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value in the column."""
        values = self.values()
        return float(values.min()), float(values.max())


def _kind(value: Any) -> str:
    """The tag by which pydantic chooses among the distributions."""
    if isinstance(value, BaseModel):
        return getattr(value, "kind", "constant")
    return str(value.get("kind")) if isinstance(value, dict) else "constant"


Number = Annotated[
    Annotated[Constant[float], Tag("constant")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[Choice[float], Tag("choice")]
    | Annotated[Table, Tag("table")],
    Discriminator(_kind),
]
"""A numeric factor."""

Name = Annotated[
    Annotated[Constant[str], Tag("constant")] | Annotated[Choice[str], Tag("choice")],
    Discriminator(_kind),
]
"""A factor whose values are names; ``one_of`` says which there are."""


def within(low: float | None = None, high: float | None = None) -> AfterValidator:
    """A pydantic validator that refuses a ``Number`` which could leave ``low``..``high``."""

    def check(number: Any) -> Any:
        least, greatest = number.bounds()
        if (low is not None and least < low) or (high is not None and greatest > high):
            allowed = " and ".join(
                f"{word} {limit:g}"
                for word, limit in (("at least", low), ("at most", high))
                if limit is not None
            )
            got = f"{least:g}" if least == greatest else f"values from {least:g} to {greatest:g}"
            raise ValueError(f"expected {allowed}, got {got}")
        return number

    return AfterValidator(check)


def one_of(names: Sequence[str]) -> AfterValidator:
    """A pydantic validator that refuses a ``Name`` which could be none of ``names``."""

    def check(name: Any) -> Any:
        for value in name.weights_by_value() if name is not None else ():
            if value not in names:
                raise ValueError(
                    f"expected one of {', '.join(names)}, got '{value}'{nearest(value, names)}"
                )
        return name

    return AfterValidator(check)


Probability = Annotated[float, Field(ge=0, le=1)]
"""How often something happens."""
Share = Annotated[Number, within(0, 1)]
Angle = Annotated[Number, within(-360, 360)]
"""Degrees."""


def always(value: float) -> Constant[float]:
    """A number that does not vary: for defaults in code."""
    return Constant[float](value)


def named(value: str) -> Constant[str]:
    """A name that does not vary: for defaults in code."""
    return Constant[str](value)


@lru_cache(maxsize=64)
def _read_column(file: str, array: str | None, column: str) -> NDArray[np.float64]:
    path = Path(file)
    if not path.is_file():
        raise DataError(f"{file}: no such table file")
    match path.suffix:
        case ".csv":
            values = _csv_column(path, column)
        case ".npz":
            values = _npz_column(path, array, column)
        case suffix:
            raise DataError(f"{file}: expected a .csv or .npz table, got '{suffix}'")
    if not len(values) or not np.isfinite(values).all():
        raise DataError(f"{file}: column '{column}' must hold finite numbers in at least one row")
    values.setflags(write=False)
    return values


def _csv_column(path: Path, column: str) -> NDArray[np.float64]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        _require(path, "column", column, list(rows.fieldnames or []))
        texts = [row[column] for row in rows]
    for number, text in enumerate(texts, start=1):
        try:
            float(text)
        except (TypeError, ValueError):
            raise DataError(
                f"{path}: row {number}, column '{column}': expected a number, got {text!r}"
            ) from None
    return np.array([float(text) for text in texts])


def _npz_column(path: Path, array: str | None, column: str) -> NDArray[np.float64]:
    with np.load(path, allow_pickle=False) as archive:
        _require(path, "array", array or "", archive.files)
        _require(path, "array", f"{array}_columns", archive.files)
        columns = [str(name) for name in archive[f"{array}_columns"]]
        _require(path, "column", column, columns)
        table = archive[str(array)]
    return np.asarray(table[:, columns.index(column)], dtype=np.float64)


def _require(path: Path, what: str, name: str, there: list[str]) -> None:
    if name not in there:
        raise DataError(f"{path}: has no {what} '{name}'{nearest(name, there)}")
