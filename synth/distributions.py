"""What a configuration says of one factor: a fixed value, or how to draw one.

A number or name is written bare for a constant. Everything else is a section with a ``kind``::

    roll_deg: 0
    roll_deg: {kind: uniform, low: -5, high: 5}
    roll_deg: {kind: normal, mean: 0, std: 3}                        # cut at what the key allows
    roll_deg: {kind: normal, mean: 0, std: 3, low: -10, high: 10}
    distance_m: {kind: log_uniform, low: 5, high: 40}
    hdri: {kind: choice, values: [city.exr, forest.exr], weights: [3, 1]}
    elevation_deg: {kind: table, file: cameras.csv, column: elevation_deg}
    elevation_deg:
      kind: mixture
      weights: [4, 1]
      parts: [{kind: normal, mean: 12, std: 4}, {kind: uniform, low: 0, high: 60}]
    distance_m:
      kind: by_type                                                  # or by_style, by_camera
      cases: {bus: {kind: uniform, low: 15, high: 40}, default: 10}

Units are those of the field's name. What a factor draws depends on its own key's stream alone, but
for two things: tables that name the same file use the same row within an image, and so do the parts
of mixtures with the same ``together``. Every distribution has ``sample(source)``; numeric ones have
``bounds()``, by which a field refuses values that it could not use before anything is rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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

from pamtri.attributes import TYPES
from pamtri.config import Config, nearest
from pamtri.errors import DataError
from render_assets.styles import STYLES
from synth.tables import digest_of, read_names, read_numbers

T = TypeVar("T")
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
"""A plain number between 0 and 1."""
Weights = tuple[Annotated[float, Field(ge=0)], ...]
DEFAULT = "default"
"""The case of a ``by_...`` distribution for all that no other case names."""


@dataclass(frozen=True)
class Source:
    """What one factor of one image draws from."""

    rng: np.random.Generator
    """Its own stream."""
    shared: Callable[[str], np.random.Generator]
    """The stream of a name that several factors of the image use."""
    facts: Mapping[str, str]
    """What is known of the image: its vehicle's ``type`` and ``style``, its fixed ``camera``."""


class Constant(RootModel[T], Generic[T]):
    """Always the same value."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    def sample(self, source: Source) -> T:
        """The value."""
        return self.root

    def bounds(self) -> tuple[T, T]:
        """The value, twice."""
        return self.root, self.root

    def weights_by_value(self) -> dict[T, float]:
        """The value with weight 1."""
        return {self.root: 1.0}


class Distribution(Config):
    """Base of all that is no constant; its ``kind`` tells which."""


def _check_weights(weights: Weights | None, count: int, of: str) -> None:
    if weights is not None and len(weights) != count:
        raise ValueError(f"expected {count} weights, one a {of}, got {len(weights)}")
    if weights is not None and sum(weights) == 0:
        raise ValueError("expected at least one weight above 0")


def _pick(rng: np.random.Generator, weights: Weights | None, count: int) -> int:
    """An index below ``count``, drawn by weight."""
    shares = np.array(weights or [1.0] * count)
    return int(rng.choice(count, p=shares / shares.sum()))


class Choice(Distribution, Generic[T]):
    """One of some values, equally likely or by weight."""

    kind: Literal["choice"]
    values: Annotated[tuple[T, ...], Field(min_length=1)]
    weights: Weights | None = None
    """One a value; they need not add up to 1."""

    @model_validator(mode="after")
    def _weights_fit(self) -> Choice[T]:
        _check_weights(self.weights, len(self.values), "value")
        return self

    def sample(self, source: Source) -> T:
        """Draw one value."""
        return self.values[_pick(source.rng, self.weights, len(self.values))]

    def bounds(self) -> tuple[Any, Any]:
        """The least and the greatest value."""
        return min(self.values), max(self.values)  # type: ignore[type-var]

    def weights_by_value(self) -> dict[T, float]:
        """Each value with its weight."""
        return dict(zip(self.values, self.weights or [1.0] * len(self.values), strict=True))


class _Range(Distribution):
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

    def sample(self, source: Source) -> float:
        """Draw one value."""
        return float(source.rng.uniform(self.low, self.high))


class Normal(Distribution):
    """A normal distribution of which only what lies between ``low`` and ``high`` is used.

    An end that is left out becomes the limit of what the key allows.
    """

    kind: Literal["normal"]
    mean: float
    std: Positive
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _is_ordered(self) -> Normal:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"expected low <= high, got {self.low} and {self.high}")
        return self

    def sample(self, source: Source) -> float:
        """Draw one value, by inverting the cumulative distribution."""
        low, high = self.bounds()
        least, greatest = ndtr((np.array([low, high]) - self.mean) / self.std)
        value = self.mean + self.std * ndtri(source.rng.uniform(least, greatest))
        return float(np.clip(value, low, high))

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value."""
        low = -np.inf if self.low is None else self.low
        return low, np.inf if self.high is None else self.high


class LogUniform(_Range):
    """Every ratio alike: as many values from 1 to 2 as from 10 to 20."""

    low: Positive
    high: Positive
    kind: Literal["log_uniform"]

    def sample(self, source: Source) -> float:
        """Draw one value."""
        value = np.exp(source.rng.uniform(np.log(self.low), np.log(self.high)))
        return float(np.clip(value, self.low, self.high))


class _Rows(Distribution):
    """Base of tables.

    Within one image, all factors that name the same file use the same row, so that what belongs
    together (a camera's elevation and distance) stays together.
    """

    kind: Literal["table"]
    file: str
    """Relative to the folder where the command runs."""
    column: str
    digest: str | None = None
    """Of the file; noted in the configuration of what is rendered, which then asks for the same."""

    @model_validator(mode="after")
    def _is_the_same_file(self) -> _Rows:
        try:
            found = digest_of(self.file)
        except DataError as error:
            raise ValueError(str(error)) from None
        if self.digest not in (None, found):
            raise ValueError(f"{self.file}: expected the digest {self.digest}, got {found}")
        # A frozen model's own validator is where it may still change.
        object.__setattr__(self, "digest", found)
        return self

    def _row(self, source: Source, count: int) -> int:
        return int(source.shared(f"row of {self.file}").integers(count))


class Table(_Rows):
    """The numbers in one column of a file, every row alike.

    The file is a ``.csv`` with a header, or an ``.npz`` with a 2-D ``array`` and the names of its
    columns in ``<array>_columns``.
    """

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
        return read_numbers(self.file, self.column, self.array) * self.scale

    def sample(self, source: Source) -> float:
        """The value in the image's row."""
        values = self.values()
        return float(values[self._row(source, len(values))])

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value in the column."""
        values = self.values()
        return float(values.min()), float(values.max())


class NameTable(_Rows):
    """The names in one column of a ``.csv`` with a header, every row alike."""

    @model_validator(mode="after")
    def _can_be_read(self) -> NameTable:
        try:
            read_names(self.file, self.column)
        except DataError as error:
            raise ValueError(str(error)) from None
        return self

    def sample(self, source: Source) -> str:
        """The name in the image's row."""
        names = read_names(self.file, self.column)
        return names[self._row(source, len(names))]

    def weights_by_value(self) -> dict[str, float]:
        """Each name with the number of its rows."""
        names = read_names(self.file, self.column)
        return {name: float(names.count(name)) for name in dict.fromkeys(names)}


class Mixture(Distribution):
    """Drawn from one of several distributions, equally likely or by weight."""

    kind: Literal["mixture"]
    parts: Annotated[tuple[Number, ...], Field(min_length=1)]
    weights: Weights | None = None
    """One a part; they need not add up to 1."""
    together: str | None = None
    """Mixtures with the same name here use the same part (the first, the second, ...) within an
    image; they have the same weights."""

    @model_validator(mode="after")
    def _weights_fit(self) -> Mixture:
        _check_weights(self.weights, len(self.parts), "part")
        return self

    def sample(self, source: Source) -> float:
        """Choose a part and draw from it."""
        named = f"part of {self.together}"
        rng = source.rng if self.together is None else source.shared(named)
        return self.parts[_pick(rng, self.weights, len(self.parts))].sample(source)

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value of all parts."""
        return _span(self.parts)


class _ByCase(Distribution):
    """Base of factors that depend on the vehicle's type or style, or on the fixed camera."""

    kind: Literal["by_type", "by_style", "by_camera"]

    @property
    def fact(self) -> str:
        """What it depends on: ``type``, ``style`` or ``camera``."""
        return self.kind.removeprefix("by_")

    def _case(self, facts: Mapping[str, str], cases: Mapping[str, T]) -> T:
        return cases.get(facts.get(self.fact, DEFAULT), cases[DEFAULT])

    def _check_cases(self, cases: Mapping[str, Any]) -> None:
        if DEFAULT not in cases:
            raise ValueError("cases: expected a 'default' for all that no other case names")
        known = {"by_type": TYPES, "by_style": tuple(STYLES)}.get(self.kind)
        for name in cases:
            if name == DEFAULT:
                continue
            if known is None and not name.isdecimal():
                raise ValueError(f"cases: expected ids of fixed cameras, got '{name}'")
            if known is not None and name not in known:
                raise ValueError(
                    f"cases: expected vehicle {self.fact}s, got '{name}'{nearest(name, known)}"
                )


class NumberByCase(_ByCase):
    """A number that is drawn in another way for each case; so may names and probabilities be."""

    cases: dict[str, Number]
    """By vehicle type, style or camera id; ``default`` is for all others."""

    @model_validator(mode="after")
    def _cases_exist(self) -> NumberByCase:
        self._check_cases(self.cases)
        return self

    def sample(self, source: Source) -> float:
        """Draw as the image's case says."""
        return self._case(source.facts, self.cases).sample(source)

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value of all cases."""
        return _span(tuple(self.cases.values()))


class NameByCase(_ByCase):
    """A name that is drawn in another way for each case."""

    cases: dict[str, Name]
    """By vehicle type, style or camera id; ``default`` is for all others."""

    @model_validator(mode="after")
    def _cases_exist(self) -> NameByCase:
        self._check_cases(self.cases)
        return self

    def sample(self, source: Source) -> str:
        """Draw as the image's case says."""
        return self.case(source.facts).sample(source)

    def case(self, facts: Mapping[str, str]) -> Name:
        """What is drawn where ``facts`` hold."""
        return self._case(facts, self.cases)

    def weights_by_value(self) -> dict[str, float]:
        """Every name of any case, with the sum of its weights."""
        weights: dict[str, float] = {}
        for case in self.cases.values():
            for name, weight in case.weights_by_value().items():
                weights[name] = weights.get(name, 0.0) + weight
        return weights


class ProbabilityByCase(_ByCase):
    """A probability that differs from case to case."""

    cases: dict[str, Fraction]
    """By vehicle type, style or camera id; ``default`` is for all others."""

    @model_validator(mode="after")
    def _cases_exist(self) -> ProbabilityByCase:
        self._check_cases(self.cases)
        return self

    def case(self, facts: Mapping[str, str]) -> float:
        """The probability where ``facts`` hold."""
        return self._case(facts, self.cases)


def _kind(value: Any) -> str:
    """The tag by which pydantic chooses among the distributions."""
    if isinstance(value, dict):
        kind = str(value.get("kind"))
    elif isinstance(value, BaseModel):
        kind = getattr(value, "kind", "constant")
    else:
        kind = "constant"
    return kind


Number = Annotated[
    Annotated[Constant[float], Tag("constant")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[Choice[float], Tag("choice")]
    | Annotated[Table, Tag("table")]
    | Annotated[Mixture, Tag("mixture")]
    | Annotated[NumberByCase, Tag("by_type")]
    | Annotated[NumberByCase, Tag("by_style")]
    | Annotated[NumberByCase, Tag("by_camera")],
    Discriminator(_kind),
]
"""A numeric factor."""

Name = Annotated[
    Annotated[Constant[str], Tag("constant")]
    | Annotated[Choice[str], Tag("choice")]
    | Annotated[NameTable, Tag("table")]
    | Annotated[NameByCase, Tag("by_type")]
    | Annotated[NameByCase, Tag("by_style")]
    | Annotated[NameByCase, Tag("by_camera")],
    Discriminator(_kind),
]
"""A factor whose values are names; ``one_of`` says which there are."""

Probability = Annotated[
    Annotated[Fraction, Tag("constant")]
    | Annotated[ProbabilityByCase, Tag("by_type")]
    | Annotated[ProbabilityByCase, Tag("by_style")]
    | Annotated[ProbabilityByCase, Tag("by_camera")],
    Discriminator(_kind),
]
"""How often something happens."""

for _model in (Mixture, NumberByCase, NameByCase):
    _model.model_rebuild()


def is_factor(value: object) -> bool:
    """Whether a configuration's value is a ``Number`` or ``Name``, or a probability by case."""
    return isinstance(value, Constant | Distribution)


def inside(factor: Any) -> Iterator[Any]:
    """A factor and all that it is made of."""
    yield factor
    below: Sequence[Any] = ()
    if isinstance(factor, Mixture):
        below = factor.parts
    elif isinstance(factor, NumberByCase | NameByCase):
        below = tuple(factor.cases.values())
    for part in below:
        yield from inside(part)


@dataclass(frozen=True)
class Limits:
    """Refuses a ``Number`` that could leave ``low``..``high``."""

    low: float | None
    high: float | None

    def __call__(self, number: Any) -> Any:
        """The number, normal distributions in it cut at the limits where they have none."""
        if number is None:
            return None
        number = self._cut(number)
        least, greatest = number.bounds()
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        if not low <= least <= greatest <= high:
            allowed = " and ".join(
                f"{word} {limit:g}"
                for word, limit in (("at least", self.low), ("at most", self.high))
                if limit is not None
            )
            got = f"{least:g}" if least == greatest else f"values from {least:g} to {greatest:g}"
            raise ValueError(f"expected {allowed}, got {got}")
        return number

    def _cut(self, number: Number) -> Number:
        match number:
            case Normal():
                low = self.low if number.low is None else number.low
                high = self.high if number.high is None else number.high
                return number.model_copy(update={"low": low, "high": high})
            case Mixture():
                parts = tuple(self._cut(part) for part in number.parts)
                return number.model_copy(update={"parts": parts})
            case NumberByCase():
                cases = {name: self._cut(case) for name, case in number.cases.items()}
                return number.model_copy(update={"cases": cases})
        return number


@dataclass(frozen=True)
class Names:
    """Refuses a ``Name`` that could be none of ``names``."""

    names: tuple[str, ...]

    def __call__(self, name: Any) -> Any:
        """The name."""
        for value in name.weights_by_value() if name is not None else ():
            if value not in self.names:
                raise ValueError(
                    f"expected one of {', '.join(self.names)}, "
                    f"got '{value}'{nearest(value, self.names)}"
                )
        return name


def within(low: float | None = None, high: float | None = None) -> AfterValidator:
    """A pydantic validator that refuses a ``Number`` which could leave ``low``..``high``."""
    return AfterValidator(Limits(low, high))


def one_of(names: Sequence[str]) -> AfterValidator:
    """A pydantic validator that refuses a ``Name`` which could be none of ``names``."""
    return AfterValidator(Names(tuple(names)))


Share = Annotated[Number, within(0, 1)]
Angle = Annotated[Number, within(-360, 360)]
"""Degrees."""


def always(value: float) -> Constant[float]:
    """A number that does not vary: for defaults in code."""
    return Constant[float](value)


def named(value: str) -> Constant[str]:
    """A name that does not vary: for defaults in code."""
    return Constant[str](value)


def _span(numbers: Sequence[Number]) -> tuple[float, float]:
    bounds = [number.bounds() for number in numbers]
    return min(low for low, _ in bounds), max(high for _, high in bounds)
