"""Head and tail lamps: cut from the body's skin at its corners, lenses with elements inside."""

from __future__ import annotations

import numpy as np

from render_assets.body import FLAT_FRONT
from render_assets.skin import Field, Skin
from render_assets.spec import HeadLamp, TailLamp, VehicleSpec

_HEAD: dict[HeadLamp, tuple[float, float, float, float]] = {
    "wedge": (0.44, 0.15, 0.44, 0.16),
    "round": (0.30, 0.20, 0.30, 0.05),
    "block": (0.26, 0.19, 0.38, 0.0),
    "slit": (0.46, 0.11, 0.50, 0.10),
}
"""Reach along the side, height, width from the body's edge (metres), and rise per metre back."""

_TAIL: dict[TailLamp, tuple[float, float, float]] = {
    "block": (0.26, 0.22, 0.32),
    "column": (0.20, 0.42, 0.22),
    "slim": (0.32, 0.13, 0.50),
    "round": (0.22, 0.24, 0.26),
}
"""Reach along the side, height, width from the body's edge, metres."""


def cut_lamps(skin: Skin, spec: VehicleSpec) -> None:
    """Label lamps on the skin: lens, beams and indicators in front; red, amber, white behind."""
    _head_lamps(skin, spec)
    if spec.load is None:
        _tail_lamps(skin, spec)


def _head_lamps(skin: Skin, spec: VehicleSpec) -> None:
    s, half = spec.shape, spec.shape.width / 2
    reach, tall, wide, rise = _HEAD[spec.trim.head_lamp]
    if spec.layout in FLAT_FRONT:
        reach, rise = 0.12, 0.0
    corner = s.front_x - s.nose_round
    top = s.nose_z - 0.035

    def height(k: Skin) -> np.ndarray:
        return k["z"] - top - rise * (s.headlight_x - k["x"])

    sides: list[Field] = [
        lambda k: height(k),
        lambda k: -tall * (1 - 0.5 * rise) - height(k),
        lambda k: corner - reach - k["x"],
        lambda k: half - wide - 0.35 * (top - k["z"]) - k["y"],
    ]
    dark = spec.trim.head_lamp in ("wedge", "slit")
    lens = "head_lamp_dark" if dark else "head_lamp"
    body = ("front", "fender", "bonnet", "grille", "grille_frame", "gap", "house_side")
    skin.region(sides, lens, body)
    z = top - tall / 2
    radius = 0.40 * tall
    for k, y in enumerate((half - 0.55 * wide, half - 0.55 * wide - 2.1 * radius)):
        if k and y - radius < half - wide:
            break
        skin.region(_disc(y, z - 0.01, radius), "head_beam", (lens,))
    if not dark:
        skin.region(lambda k: k["x"] - (corner - 0.55 * reach), "indicator", (lens,))


def _tail_lamps(skin: Skin, spec: VehicleSpec) -> None:
    s, half = spec.shape, spec.shape.width / 2
    reach, tall, wide = _TAIL[spec.trim.tail_lamp]
    if spec.layout == "bus":
        reach = 0.10
    top = s.tail_z - 0.02
    sides: list[Field] = [
        lambda k: k["z"] - top,
        lambda k: top - tall - k["z"],
        lambda k: k["x"] - s.body_rear_x - reach,
        lambda k: half - wide - k["y"],
    ]
    skin.region(
        sides, "tail_lamp", ("rear", "quarter", "boot", "gap", "house_side", "backlight_frame")
    )
    if spec.trim.tail_lamp == "slim":
        skin.region(lambda k: k["y"] - (half - 0.75 * wide), "reverse_lamp", ("tail_lamp",))
        return
    for low, high, label in ((0.36, 0.60, "tail_indicator"), (0.12, 0.34, "reverse_lamp")):
        a, b = top - tall * (1 - low), top - tall * (1 - high)
        strip = _between("z", a, b)
        skin.region([*strip, lambda k: k["x"] - s.body_rear_x - 0.6 * reach], label, ("tail_lamp",))


def _between(axis: str, low: float, high: float) -> list[Field]:
    return [lambda k: low - k[axis], lambda k: k[axis] - high]


def _disc(y: float, z: float, radius: float) -> list[Field]:
    """A disc in front view, as the octagon around it; its outline is an octagon."""
    d = 0.7 * radius
    square: list[Field] = [
        *_between("y", y - radius - 0.002, y + radius + 0.002),
        *_between("z", z - radius - 0.002, z + radius + 0.002),
        lambda k: (k["y"] - y) + (k["z"] - z) - 2 * d,
        lambda k: (k["y"] - y) - (k["z"] - z) - 2 * d,
        lambda k: (k["z"] - z) - (k["y"] - y) - 2 * d,
        lambda k: -(k["y"] - y) - (k["z"] - z) - 2 * d,
    ]
    return square
