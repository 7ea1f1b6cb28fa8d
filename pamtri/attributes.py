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
