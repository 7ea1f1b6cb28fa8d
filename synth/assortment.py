"""Which vehicles a sheet shows: a grid of styles or types by colours or individuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pamtri.attributes import COLOURS, TYPES
from pamtri.config import nearest
from pamtri.errors import ConfigError
from render_assets.spec import VehicleSpec, sample_vehicle
from render_assets.styles import STYLES
from synth.distributions import named
from synth.vehicle_config import VehicleConfig

Rows = Literal["style", "type"]


@dataclass(frozen=True)
class Wanted:
    """What the vehicles of a sheet have to be; an empty tuple allows all that there are."""

    styles: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    identity: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for what, names, known in (
            ("style", self.styles, tuple(STYLES)),
            ("type", self.types, TYPES),
            ("colour", self.colours, COLOURS),
        ):
            for name in names:
                if name not in known:
                    raise ConfigError(
                        f"--{what}: expected one of {', '.join(known)}, "
                        f"got '{name}'{nearest(name, known)}"
                    )
        if not self.offered:
            raise ConfigError("--style and --type: no style is of that type")

    def sample(self) -> VehicleSpec:
        """The one vehicle that the identity is among these."""
        types, colours, styles = (
            dict.fromkeys(names, 1.0) if names else None
            for names in (self.types, self.colours, self.styles)
        )
        return sample_vehicle(self.seed, self.identity, types, colours, styles)

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of the styles that are allowed, in the catalogue's order."""
        return tuple(
            style.name
            for style in STYLES.values()
            if style.name in (self.styles or STYLES) and style.type in (self.types or TYPES)
        )

    @property
    def offered_types(self) -> tuple[str, ...]:
        """Names of the types that these styles are of, in VeRi's order."""
        return tuple(t for t in TYPES if any(STYLES[s].type == t for s in self.offered))

    @property
    def offered_colours(self) -> tuple[str, ...]:
        """Names of the colours that are allowed, in VeRi's order."""
        return tuple(c for c in COLOURS if c in (self.colours or COLOURS))


@dataclass(frozen=True)
class Place:
    """One vehicle of a sheet: an identity under the sheet's seed, of a style and a colour."""

    style: str
    colour: str
    identity: int

    @property
    def config(self) -> VehicleConfig:
        """What makes sampling draw it."""
        return VehicleConfig(style=named(self.style), colour=named(self.colour))


@dataclass(frozen=True)
class Grid:
    """Rows of vehicles with the captions of both; ``columns`` is empty where they have nothing in
    common."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    places: tuple[tuple[Place, ...], ...]

    @property
    def count(self) -> int:
        """Number of vehicles."""
        return sum(len(row) for row in self.places)


def colour_grid(wanted: Wanted, rows: Rows) -> Grid:
    """The same individual of each style, or of each type's first style, in every colour."""
    styles = [styles[0] for styles in _styles_by_row(wanted, rows)]
    colours = wanted.offered_colours
    places = tuple(tuple(Place(style, c, wanted.identity) for c in colours) for style in styles)
    return Grid(_row_names(wanted, rows), colours, places)


def individual_grid(wanted: Wanted, rows: Rows, count: int) -> Grid:
    """``count`` individuals a row: its styles in turn, the colours shuffled anew for each row.

    Identities go on from row to row, so that no two vehicles are drawn alike.
    """
    places = []
    for number, styles in enumerate(_styles_by_row(wanted, rows)):
        first = wanted.identity + number * count
        shuffled = np.random.default_rng([wanted.seed, first]).permutation(wanted.offered_colours)
        places.append(
            tuple(
                Place(styles[i % len(styles)], str(shuffled[i % len(shuffled)]), first + i)
                for i in range(count)
            )
        )
    return Grid(_row_names(wanted, rows), (), tuple(places))


def _row_names(wanted: Wanted, rows: Rows) -> tuple[str, ...]:
    return wanted.offered if rows == "style" else wanted.offered_types


def _styles_by_row(wanted: Wanted, rows: Rows) -> list[Sequence[str]]:
    """The styles that each row may show."""
    if rows == "style":
        return [(style,) for style in wanted.offered]
    return [
        tuple(s for s in wanted.offered if STYLES[s].type == kind) for kind in wanted.offered_types
    ]
