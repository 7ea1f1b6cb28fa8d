"""Vehicle colours and types: VeRi-776's vocabulary, and how other data sets map onto it."""

from __future__ import annotations

from typing import Literal, get_args

Colour = Literal[
    "yellow", "orange", "green", "gray", "red", "blue", "white", "golden", "brown", "black"
]
VehicleType = Literal[
    "sedan", "suv", "van", "hatchback", "mpv", "pickup", "bus", "truck", "estate"
]  # fmt: skip

COLOURS: tuple[Colour, ...] = get_args(Colour)
"""The 10 colours; VeRi's ``colorID`` is the position here plus one."""
TYPES: tuple[VehicleType, ...] = get_args(VehicleType)
"""The 9 types; VeRi's ``typeID`` is the position here plus one."""

COLOUR_INDEX: dict[str, int] = {name: i for i, name in enumerate(COLOURS)}
TYPE_INDEX: dict[str, int] = {name: i for i, name in enumerate(TYPES)}

CITYFLOW_COLOURS: tuple[tuple[str, Colour | None], ...] = (
    *((name, name) for name in COLOURS),
    ("purple", None),
    ("pink", None),
)
"""CityFlow-ReID's and VehicleX's colours by id (from 0), each with VeRi's word for it.

Purple and pink have none: such vehicles go without a colour label.
"""
CITYFLOW_TYPES: tuple[tuple[str, VehicleType | None], ...] = (
    *((name, name) for name in TYPES),
    ("sportscar", "sedan"),
    ("rv", None),
)
"""CityFlow-ReID's and VehicleX's types by id (from 0), each with VeRi's word for it.

VeRi has no class of its own for sports cars, which it files under sedan; motor homes have none.
"""

BODY_TYPES: dict[str, VehicleType] = {
    "convertible": "sedan",
    "coupe": "sedan",
    "hatchback": "hatchback",
    "minivan": "mpv",
    "mpv": "mpv",
    "pickup": "pickup",
    "sedan": "sedan",
    "suv": "suv",
    "van": "van",
    "wagon": "estate",
}
"""Body types as car makers say them, each with VeRi's word for it."""
