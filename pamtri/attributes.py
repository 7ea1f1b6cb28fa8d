"""Vehicle colours and types: VeRi-776's vocabulary, and how other data sets map onto it."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

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


class ForeignWord(NamedTuple):
    """Another vocabulary's word, and VeRi's word for the same; None where VeRi has none."""

    name: str
    veri: str | None


CITYFLOW_COLOURS: tuple[ForeignWord, ...] = (
    *(ForeignWord(name, name) for name in COLOURS),
    ForeignWord("purple", None),
    ForeignWord("pink", None),
)
"""Colours of CityFlow-ReID and VehicleX; the id is the position here."""
CITYFLOW_TYPES: tuple[ForeignWord, ...] = (
    *(ForeignWord(name, name) for name in TYPES),
    ForeignWord("sportscar", "sedan"),
    ForeignWord("rv", None),
)
"""Types of CityFlow-ReID and VehicleX; the id is the position here. VeRi files sports cars, as it
does coupes, under sedan."""

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
