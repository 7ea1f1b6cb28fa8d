"""The catalogue of body styles, and how a model of a style is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from render_assets import proportions
from render_assets.bus_styles import BUS_STYLES, sample_coachwork
from render_assets.car_styles import CAR_STYLES
from render_assets.faces import sample_face
from render_assets.rims import sample_wheels
from render_assets.style import CAR, SLAB, Range, Style
from render_assets.truck_styles import TRUCK_CAB, TRUCK_STYLES, cab_shape, sample_cab, sample_load
from render_assets.van_styles import VAN_STYLES, sample_van

STYLES: dict[str, Style] = {
    style.name: style for style in (*CAR_STYLES, *VAN_STYLES, *BUS_STYLES, *TRUCK_STYLES)
}
"""Every body style by name."""

SIZES = ("length", "width", "height")


def sample_model(
    style: Style,
    shape_rng: np.random.Generator,
    trim_rng: np.random.Generator,
    face_rng: np.random.Generator,
) -> dict[str, Any]:
    """Fields ``shape``, ``wheels`` and ``trim`` of a ``VehicleSpec``; each stream is drawn from in
    a fixed order whatever the style, so that a new range does not shift the others."""
    slab = {} if style.layout in ("car", "pickup") else SLAB
    ranges = {**CAR, **slab, **(TRUCK_CAB if style.load else {}), **style.ranges}
    drawn = _draw({**{n: getattr(style, n) for n in SIZES}, **ranges}, shape_rng)
    size = {name: drawn.pop(name) for name in SIZES}
    cladding = bool(shape_rng.random() < style.cladding)
    shape = _shape(style, size, drawn, cladding)
    wheels = sample_wheels(style, drawn["wheel_radius"], drawn["tyre_width"], trim_rng)
    trim = {**_trim(style, shape, trim_rng), **sample_face(style, face_rng)}
    model = {"shape": shape, "wheels": wheels, "trim": trim}
    if style.load is not None:
        model["load"] = sample_load(style, size, shape, trim_rng)
        model["cab"] = sample_cab(style, trim_rng)
    if style.layout == "van":
        model["van"] = sample_van(style, trim_rng)
    if style.layout == "bus":
        model["coachwork"] = sample_coachwork(style, shape, trim_rng)
    return model


def _draw(ranges: dict[str, Range], rng: np.random.Generator) -> dict[str, float]:
    """A number from each range: uniform, or where it is known how real vehicles vary, normal about
    the range's middle, its ends 1.67 standard deviations away, and in step with the others."""
    together = proportions.sample(rng)
    free = rng.uniform(-1, 1, len(ranges))
    drawn = {}
    for name, place in zip(sorted(ranges), free, strict=True):
        low, high = ranges[name]
        if name in together:
            place = float(np.clip(0.6 * together[name], -1, 1))
        drawn[name] = float((low + high) / 2 + place * (high - low) / 2)
    return drawn


def _shape(
    style: Style, size: dict[str, float], drawn: dict[str, float], cladding: bool
) -> dict[str, Any]:
    """Fractions to metres in the vehicle frame."""
    length, height = size["length"], size["height"]
    overhang = drawn.get("axle_front_m", drawn["axle_front"] * length)
    wheelbase = drawn["axle_rear"] * length - overhang
    front = wheelbase / 2 + overhang

    def x(name: str) -> float:
        return front - drawn[name] * length

    def z(name: str) -> float:
        return drawn[f"{name}_m"] if f"{name}_m" in drawn else drawn[name] * height

    shape = {
        **size,
        "wheelbase": wheelbase,
        "front_x": front,
        "headlight_x": x("headlight"),
        "cowl_x": x("cowl"),
        "roof_front_x": x("roof_front"),
        "roof_rear_x": x("roof_rear"),
        "deck_x": x("deck"),
        "body_rear_x": front - length,
        "crease_z": drawn["crease"] * height,
        "arch_radius": drawn["wheel_radius"] + drawn["arch_gap"],
        "cladding": cladding,
        "open_top": style.open_top,
        **{name: z(name) for name in ("nose_z", "cowl_z", "deck_z", "tail_z", "belt_z")},
        **{
            name: drawn[name]
            for name in (
                *("clearance", "belt_rise", "tumblehome", "nose_round", "tail_round"),
                *("screen_round", "plan_taper", "shoulder", "edge", "roof_edge"),
                *("roof_crown", "flare", "c_pillar", "crease_rise", "crease_edge", "lean"),
                *("scallop", "bumper", "dome"),
            )
        },
    }
    if style.load is not None:
        shape |= cab_shape(style, shape, drawn)
    return shape


def _door_edges(
    style: Style, shape: dict[str, Any], pillars: tuple[float, ...]
) -> tuple[float, ...]:
    """Front doors end at the first pillar, rear doors above the rear wheel arch."""
    if style.layout == "bus":
        return ()
    first = pillars[0] if pillars else shape["deck_x"] + 0.12
    if style.doors == 2:
        return (first,)
    arch = -shape["wheelbase"] / 2 + 0.75 * shape["arch_radius"]
    return (first, max(arch, shape["deck_x"] + 0.15))


def _trim(style: Style, shape: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """What sets individuals of a style apart beside paint and shape."""
    pick = rng.random(12)
    front, rear = shape["cowl_x"], shape["deck_x"]
    pillars = tuple(front + (rear - front) * w for w in style.windows)
    return {
        "side_windows": pillars,
        "doors": _door_edges(style, shape, pillars),
        "moulding": bool(pick[10] < 0.3),
        "roof_rails": bool(pick[4] < style.rails),
        "spoiler": style.layout == "car" and bool(pick[5] < style.spoiler),
        "tint": float(0.25 + 0.6 * pick[6]),
        "exhausts": int(pick[9] * 3) if style.layout in ("car", "pickup") else 0,
        "panelled": style.panelled,
    }
