"""The parts of a vehicle that a part mask tells apart: one vocabulary for every vehicle.

A mesh has hundreds of pieces whose names differ from vehicle to vehicle; these are what people call
them. Left and right are the vehicle's own. Numbers are stable: new parts go to the end.
"""

from __future__ import annotations

from typing import Literal

Place = Literal["", "side", "end", "corner"]
"""Whether a kind of part is told apart by side, by front and rear, or by both."""

KINDS: dict[str, Place] = {
    "bonnet": "",
    "front_fender": "side",
    "doors": "side",
    "rear_quarter": "side",
    "boot": "",
    "roof": "",
    "bumper": "end",
    "body": "",
    "cladding": "",
    "windscreen": "",
    "rear_glass": "",
    "side_window": "side",
    "window_frame": "",
    "gap": "",
    "head_lamp": "side",
    "front_lamp": "side",
    "tail_lamp": "side",
    "high_brake_light": "",
    "marker_lamp": "",
    "reflector": "",
    "tyre": "corner",
    "rim": "corner",
    "mirror": "side",
    "door_handle": "side",
    "plate": "end",
    "grille": "",
    "badge": "",
    "wiper": "",
    "antenna": "",
    "roof_rack": "",
    "roof_unit": "",
    "sunroof": "",
    "spoiler": "",
    "step": "",
    "mudguard": "",
    "exhaust": "",
    "underbody": "",
    "interior": "",
    "person": "",
    "load": "",
    "sign": "",
    "marking": "",
    "other": "",
}
"""Kinds of parts. ``front_lamp`` is any but the head lamps (fog, day, indicator); ``body`` is a
panel of none of the 13 segments; ``load`` is a truck's body and what belongs to it; ``marking`` is
what sticks to the paint (livery, stickers, scratches)."""

_PLACES: dict[Place, tuple[str, ...]] = {
    "": ("",),
    "side": ("left_", "right_"),
    "end": ("front_", "rear_"),
    "corner": ("left_front_", "left_rear_", "right_front_", "right_rear_"),
}

NAMES: tuple[str, ...] = tuple(
    f"{place}{kind}" for kind, where in KINDS.items() for place in _PLACES[where]
)
"""All parts; a part mask holds 1 + the position here."""
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}


def name_of(kind: str, left: bool, front: bool) -> str:
    """The part of a ``kind`` at a place of the vehicle."""
    side, end = "left_" if left else "right_", "front_" if front else "rear_"
    places = {"": "", "side": side, "end": end, "corner": side + end}
    return places[KINDS[kind]] + kind


def _partner(name: str) -> str:
    """The part that takes this one's place in the mirrored image."""
    side, _, rest = name.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)


FLIP: tuple[int, ...] = tuple(INDEX[_partner(name)] for name in NAMES)
"""Position of each part's mirror image."""
