"""The catalogue of body styles: each a page of ranges over shared parts.

Positions along the body are fractions of its length from the front bumper, heights fractions of its
height unless named otherwise; the rest is in metres. A range is (low, high), drawn uniformly.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pamtri.attributes import VehicleType
from render_assets.spec import Layout

Range = tuple[float, float]

_CAR: dict[str, Range] = {
    "clearance": (0.17, 0.20),
    "axle_front": (0.172, 0.197),
    "axle_rear": (0.775, 0.79),
    "wheel_radius": (0.32, 0.35),
    "tyre_width": (0.20, 0.235),
    "headlight": (0.03, 0.048),
    "nose_z": (0.48, 0.53),
    "cowl": (0.26, 0.285),
    "cowl_z": (0.645, 0.675),
    "roof_front": (0.41, 0.44),
    "roof_rear": (0.66, 0.70),
    "deck": (0.84, 0.87),
    "deck_z": (0.69, 0.72),
    "tail_z": (0.655, 0.69),
    "belt_z": (0.635, 0.66),
    "belt_rise": (0.02, 0.06),
    "tumblehome": (0.28, 0.38),
    "nose_round": (0.14, 0.22),
    "tail_round": (0.08, 0.13),
    "screen_round": (0.12, 0.18),
    "plan_taper": (0.06, 0.10),
    "shoulder": (0.03, 0.05),
    "edge": (0.08, 0.13),
    "roof_edge": (0.10, 0.15),
    "roof_crown": (0.03, 0.05),
    "crease": (0.50, 0.58),
    "flare": (0.012, 0.03),
    "arch_gap": (0.045, 0.06),
    "c_pillar": (0.14, 0.24),
}


@dataclass(frozen=True)
class Style:
    """One body style: ``ranges`` overrides the common car's, ``trim`` fixes what the style has."""

    name: str
    type: VehicleType
    length: Range
    width: Range
    height: Range
    ranges: dict[str, Range] = field(default_factory=dict)
    layout: Layout = "car"
    weight: float = 1.0
    doors: int = 4
    """Side doors."""
    windows: tuple[float, ...] = ()
    """Feet of the pillars between the first and the last, as fractions of the cabin's belt from
    the windscreen back."""
    rails: float = 0.0
    """Probability of roof rails."""
    spoiler: float = 0.1
    cladding: float = 0.0
    panelled: bool = False
    twin: bool = False
    body_end: Range | None = None
    """Rear end of the cab as a fraction of the length, for trucks."""


_STYLES = (
    Style("notchback", "sedan", (4.45, 4.95), (1.76, 1.87), (1.42, 1.50), windows=(0.50,)),
    Style(
        "coupe",
        "sedan",
        (4.2, 4.7),
        (1.76, 1.87),
        (1.33, 1.40),
        {"roof_front": (0.45, 0.48), "cowl": (0.29, 0.32), "roof_rear": (0.65, 0.70),
         "deck": (0.855, 0.885), "nose_z": (0.49, 0.53), "belt_z": (0.66, 0.68)},
        weight=0.4, doors=2, windows=(0.62,),
    ),
    Style(
        "hatch5",
        "hatchback",
        (3.85, 4.35),
        (1.69, 1.80),
        (1.44, 1.53),
        {"cowl": (0.245, 0.27), "roof_front": (0.40, 0.43), "roof_rear": (0.86, 0.90),
         "deck": (0.965, 0.975), "deck_z": (0.66, 0.69), "tail_z": (0.62, 0.65),
         "axle_rear": (0.815, 0.83), "axle_front": (0.18, 0.20), "c_pillar": (0.25, 0.40),
         "wheel_radius": (0.30, 0.335)},
        windows=(0.46,), spoiler=0.4,
    ),
    Style(
        "hatch3",
        "hatchback",
        (3.55, 4.0),
        (1.62, 1.75),
        (1.42, 1.50),
        {"cowl": (0.25, 0.275), "roof_front": (0.41, 0.44), "roof_rear": (0.85, 0.89),
         "deck": (0.965, 0.975), "deck_z": (0.66, 0.69), "tail_z": (0.62, 0.65),
         "axle_rear": (0.82, 0.84), "axle_front": (0.18, 0.20), "c_pillar": (0.25, 0.40),
         "wheel_radius": (0.285, 0.32)},
        weight=0.5, doors=2, windows=(0.55,), spoiler=0.4,
    ),
    Style(
        "estate",
        "estate",
        (4.5, 4.95),
        (1.74, 1.86),
        (1.44, 1.52),
        {"c_pillar": (0.10, 0.14),
         "roof_rear": (0.88, 0.91), "deck": (0.968, 0.978), "deck_z": (0.665, 0.69),
         "tail_z": (0.63, 0.66)},
        windows=(0.36, 0.67), rails=0.8,
    ),
    Style(
        "compact_suv",
        "suv",
        (4.25, 4.65),
        (1.79, 1.89),
        (1.62, 1.70),
        {"clearance": (0.20, 0.24), "wheel_radius": (0.345, 0.37), "cowl": (0.245, 0.27),
         "roof_front": (0.385, 0.415), "roof_rear": (0.86, 0.90), "deck": (0.962, 0.975),
         "deck_z": (0.66, 0.69), "tail_z": (0.60, 0.63), "nose_z": (0.53, 0.57),
         "cowl_z": (0.65, 0.67), "axle_rear": (0.79, 0.81), "flare": (0.025, 0.045),
         "arch_gap": (0.06, 0.075), "tumblehome": (0.24, 0.30)},
        windows=(0.40, 0.74), rails=0.7, spoiler=0.6, cladding=0.6,
    ),
    Style(
        "full_suv",
        "suv",
        (4.75, 5.15),
        (1.90, 2.02),
        (1.72, 1.86),
        {"c_pillar": (0.10, 0.14),
         "clearance": (0.22, 0.26), "wheel_radius": (0.37, 0.40), "cowl": (0.255, 0.28),
         "roof_front": (0.38, 0.41), "roof_rear": (0.90, 0.93), "deck": (0.97, 0.98),
         "deck_z": (0.64, 0.67), "tail_z": (0.60, 0.62), "nose_z": (0.55, 0.60),
         "cowl_z": (0.64, 0.67), "flare": (0.025, 0.045), "arch_gap": (0.07, 0.085),
         "tumblehome": (0.2, 0.27), "nose_round": (0.10, 0.16)},
        windows=(0.36, 0.66), rails=0.8, cladding=0.4,
    ),
    Style(
        "offroad",
        "suv",
        (4.2, 4.75),
        (1.84, 1.95),
        (1.80, 1.92),
        {"c_pillar": (0.10, 0.14),
         "clearance": (0.25, 0.29), "wheel_radius": (0.38, 0.41), "cowl": (0.27, 0.29),
         "roof_front": (0.345, 0.37), "roof_rear": (0.945, 0.96), "deck": (0.972, 0.98),
         "deck_z": (0.63, 0.65), "tail_z": (0.60, 0.62), "nose_z": (0.58, 0.61),
         "cowl_z": (0.62, 0.635), "belt_z": (0.61, 0.63), "belt_rise": (0.0, 0.01),
         "tumblehome": (0.10, 0.15), "nose_round": (0.04, 0.08), "tail_round": (0.03, 0.05),
         "screen_round": (0.04, 0.08), "plan_taper": (0.03, 0.05), "edge": (0.05, 0.07),
         "roof_edge": (0.07, 0.09), "roof_crown": (0.01, 0.02), "flare": (0.05, 0.07),
         "arch_gap": (0.07, 0.09)},
        weight=0.5, windows=(0.40, 0.72), rails=0.4, cladding=0.6,
    ),
    Style(
        "one_box",
        "mpv",
        (4.35, 4.85),
        (1.76, 1.88),
        (1.62, 1.76),
        {"c_pillar": (0.10, 0.14),
         "cowl": (0.17, 0.20), "cowl_z": (0.60, 0.63), "roof_front": (0.37, 0.41),
         "roof_rear": (0.88, 0.92), "deck": (0.968, 0.978), "deck_z": (0.61, 0.64),
         "tail_z": (0.57, 0.60), "nose_z": (0.46, 0.50), "belt_z": (0.58, 0.60),
         "headlight": (0.045, 0.065), "tumblehome": (0.22, 0.30)},
        windows=(0.20, 0.50, 0.76), rails=0.4, spoiler=0.3,
    ),
    Style(
        "people_carrier",
        "mpv",
        (4.8, 5.2),
        (1.84, 1.96),
        (1.70, 1.80),
        {"c_pillar": (0.10, 0.14),
         "cowl": (0.19, 0.22), "cowl_z": (0.61, 0.64), "roof_front": (0.37, 0.40),
         "roof_rear": (0.91, 0.94), "deck": (0.972, 0.98), "deck_z": (0.61, 0.64),
         "tail_z": (0.57, 0.60), "nose_z": (0.49, 0.53), "belt_z": (0.585, 0.61),
         "tumblehome": (0.2, 0.27)},
        windows=(0.16, 0.45, 0.74), rails=0.5,
    ),
    Style(
        "minibus",
        "van",
        (4.3, 5.3),
        (1.68, 1.95),
        (1.88, 2.15),
        {"c_pillar": (0.10, 0.14),
         "clearance": (0.19, 0.23), "axle_front": (0.17, 0.19), "axle_rear": (0.77, 0.80),
         "cowl": (0.10, 0.125), "cowl_z": (0.54, 0.57), "roof_front": (0.235, 0.265),
         "roof_rear": (0.945, 0.96), "deck": (0.982, 0.988), "deck_z": (0.55, 0.57),
         "tail_z": (0.42, 0.46), "nose_z": (0.42, 0.45), "belt_z": (0.52, 0.54),
         "belt_rise": (0.0, 0.01), "headlight": (0.02, 0.03), "nose_round": (0.10, 0.15),
         "tail_round": (0.04, 0.07), "tumblehome": (0.12, 0.17), "plan_taper": (0.03, 0.05),
         "shoulder": (0.01, 0.02), "flare": (0.01, 0.02), "screen_round": (0.1, 0.14)},
        layout="van", windows=(0.24, 0.50, 0.76),
    ),
    Style(
        "panel_van",
        "van",
        (4.9, 5.9),
        (1.90, 2.05),
        (1.95, 2.55),
        {"c_pillar": (0.10, 0.14),
         "clearance": (0.19, 0.23), "axle_front": (0.165, 0.185), "axle_rear": (0.76, 0.79),
         "cowl": (0.155, 0.175), "cowl_z": (0.52, 0.55), "roof_front": (0.27, 0.30),
         "roof_rear": (0.965, 0.975), "deck": (0.985, 0.99), "deck_z": (0.52, 0.55),
         "tail_z": (0.40, 0.44), "nose_z": (0.42, 0.46), "belt_z": (0.49, 0.51),
         "belt_rise": (0.0, 0.01), "headlight": (0.025, 0.035), "nose_round": (0.10, 0.16),
         "tail_round": (0.02, 0.04), "tumblehome": (0.08, 0.12), "plan_taper": (0.03, 0.05),
         "shoulder": (0.005, 0.015), "flare": (0.01, 0.02), "wheel_radius": (0.33, 0.36)},
        layout="van", windows=(0.24,), panelled=True,
    ),
    Style(
        "crew_cab",
        "pickup",
        (5.1, 5.8),
        (1.84, 2.02),
        (1.76, 1.92),
        {"clearance": (0.23, 0.28), "wheel_radius": (0.375, 0.41), "axle_front": (0.165, 0.18),
         "axle_rear": (0.765, 0.785), "cowl": (0.25, 0.27), "roof_front": (0.35, 0.375),
         "roof_rear": (0.595, 0.615), "deck": (0.635, 0.65), "deck_z": (0.60, 0.62),
         "tail_z": (0.59, 0.61), "nose_z": (0.57, 0.60), "cowl_z": (0.63, 0.65),
         "belt_z": (0.60, 0.62), "belt_rise": (0.0, 0.01), "nose_round": (0.08, 0.13),
         "tail_round": (0.02, 0.04), "edge": (0.07, 0.10), "tumblehome": (0.2, 0.26),
         "flare": (0.025, 0.045), "arch_gap": (0.07, 0.09), "plan_taper": (0.04, 0.06)},
        layout="pickup", windows=(0.52,), cladding=0.4,
    ),
    Style(
        "single_cab",
        "pickup",
        (4.9, 5.6),
        (1.75, 2.0),
        (1.70, 1.88),
        {"clearance": (0.22, 0.27), "wheel_radius": (0.36, 0.40), "axle_front": (0.17, 0.185),
         "axle_rear": (0.77, 0.79), "cowl": (0.27, 0.29), "roof_front": (0.365, 0.39),
         "roof_rear": (0.48, 0.50), "deck": (0.505, 0.52), "deck_z": (0.60, 0.62),
         "tail_z": (0.59, 0.61), "nose_z": (0.57, 0.60), "cowl_z": (0.63, 0.65),
         "belt_z": (0.60, 0.62), "belt_rise": (0.0, 0.01), "nose_round": (0.08, 0.13),
         "tail_round": (0.02, 0.04), "edge": (0.07, 0.10), "tumblehome": (0.2, 0.26),
         "flare": (0.02, 0.04), "arch_gap": (0.07, 0.09), "plan_taper": (0.04, 0.06)},
        layout="pickup", weight=0.6, doors=2,
    ),
    Style(
        "city_bus",
        "bus",
        (10.5, 12.2),
        (2.48, 2.55),
        (3.0, 3.25),
        {"c_pillar": (0.10, 0.14),
         "clearance": (0.28, 0.33), "axle_front": (0.215, 0.235), "axle_rear": (0.72, 0.74),
         "wheel_radius": (0.48, 0.50), "tyre_width": (0.28, 0.30), "cowl": (0.008, 0.012),
         "cowl_z": (0.40, 0.43), "roof_front": (0.03, 0.04), "roof_rear": (0.972, 0.982),
         "deck": (0.992, 0.995), "deck_z": (0.47, 0.5), "tail_z": (0.30, 0.34),
         "nose_z": (0.30, 0.33), "belt_z": (0.40, 0.43), "belt_rise": (0.0, 0.001),
         "headlight": (0.004, 0.007), "nose_round": (0.10, 0.2), "tail_round": (0.05, 0.10),
         "tumblehome": (0.02, 0.05), "plan_taper": (0.0, 0.01), "shoulder": (0.0, 0.004),
         "flare": (0.0, 0.004), "screen_round": (0.10, 0.18), "arch_gap": (0.07, 0.09),
         "roof_crown": (0.01, 0.03)},
        layout="bus", windows=(0.13, 0.26, 0.39, 0.52, 0.65, 0.78, 0.9), twin=True,
    ),
    Style(
        "midi_bus",
        "bus",
        (6.6, 8.5),
        (2.05, 2.40),
        (2.75, 3.05),
        {"c_pillar": (0.10, 0.14),
         "clearance": (0.27, 0.32), "axle_front": (0.19, 0.22), "axle_rear": (0.72, 0.75),
         "wheel_radius": (0.40, 0.44), "tyre_width": (0.24, 0.27), "cowl": (0.02, 0.03),
         "cowl_z": (0.42, 0.45), "roof_front": (0.075, 0.10), "roof_rear": (0.965, 0.98),
         "deck": (0.988, 0.992), "deck_z": (0.47, 0.5), "tail_z": (0.32, 0.36),
         "nose_z": (0.31, 0.34), "belt_z": (0.41, 0.44), "belt_rise": (0.0, 0.001),
         "headlight": (0.007, 0.01), "nose_round": (0.12, 0.2), "tail_round": (0.05, 0.10),
         "tumblehome": (0.04, 0.08), "plan_taper": (0.0, 0.02), "shoulder": (0.0, 0.004),
         "flare": (0.0, 0.004), "screen_round": (0.12, 0.2), "arch_gap": (0.06, 0.08),
         "roof_crown": (0.02, 0.04)},
        layout="bus", windows=(0.17, 0.34, 0.51, 0.68, 0.85), twin=True,
    ),
    Style(
        "box_truck",
        "truck",
        (5.8, 7.6),
        (1.95, 2.30),
        (2.7, 3.2),
        {"clearance": (0.34, 0.40), "axle_front_m": (0.98, 1.10), "axle_rear": (0.70, 0.74),
         "wheel_radius": (0.38, 0.43), "tyre_width": (0.21, 0.24), "nose_z_m": (0.85, 0.95),
         "cab_height": (2.1, 2.3), "cowl_z_m": (1.22, 1.32), "belt_z_m": (1.18, 1.25)},
        layout="box_truck", twin=True, doors=2, body_end=(0.25, 0.27),
    ),
    Style(
        "flatbed",
        "truck",
        (5.2, 7.2),
        (1.85, 2.25),
        (2.05, 2.3),
        {"clearance": (0.34, 0.40), "axle_front_m": (0.98, 1.10), "axle_rear": (0.70, 0.75),
         "wheel_radius": (0.38, 0.43), "tyre_width": (0.21, 0.24), "nose_z_m": (0.85, 0.95),
         "cab_height": (2.05, 2.3), "cowl_z_m": (1.22, 1.32), "belt_z_m": (1.18, 1.25)},
        layout="flatbed_truck", twin=True, doors=2, body_end=(0.26, 0.29),
    ),
)  # fmt: skip

STYLES: dict[str, Style] = {style.name: style for style in _STYLES}
"""Every body style by name."""

_TRUCK_CAB: dict[str, Range] = {
    "nose_round": (0.08, 0.14),
    "tail_round": (0.01, 0.02),
    "screen_round": (0.08, 0.12),
    "tumblehome": (0.06, 0.10),
    "plan_taper": (0.02, 0.04),
    "shoulder": (0.005, 0.015),
    "flare": (0.01, 0.02),
    "belt_rise": (0.0, 0.001),
    "arch_gap": (0.06, 0.08),
    "roof_crown": (0.02, 0.04),
}


def sample_model(
    style: Style, shape_rng: np.random.Generator, trim_rng: np.random.Generator
) -> dict[str, Any]:
    """Fields ``shape``, ``wheels`` and ``trim`` of a ``VehicleSpec``; each stream is drawn from in
    a fixed order whatever the style, so that a new range does not shift the others."""
    ranges = {**_CAR, **(_TRUCK_CAB if style.body_end else {}), **style.ranges}
    size = {
        name: float(shape_rng.uniform(*getattr(style, name)))
        for name in ("length", "width", "height")
    }
    drawn = {name: float(shape_rng.uniform(*ranges[name])) for name in sorted(ranges)}
    cladding = bool(shape_rng.random() < style.cladding)
    shape = _shape(style, size, drawn, cladding)
    wheels = {
        "radius": drawn["wheel_radius"],
        "width": drawn["tyre_width"],
        "rim_radius": drawn["wheel_radius"] * float(trim_rng.uniform(0.64, 0.72)),
        "design": _rim(style, trim_rng),
        "dark": bool(trim_rng.random() < 0.2),
        "twin": style.twin,
    }
    model = {"shape": shape, "wheels": wheels, "trim": _trim(style, shape, trim_rng)}
    if style.body_end:
        model["load"] = _load(style, size, shape, trim_rng)
    return model


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
        **{name: z(name) for name in ("nose_z", "cowl_z", "deck_z", "tail_z", "belt_z")},
        **{
            name: drawn[name]
            for name in (
                *("clearance", "belt_rise", "tumblehome", "nose_round", "tail_round"),
                *("screen_round", "plan_taper", "shoulder", "edge", "roof_edge"),
                *("roof_crown", "flare", "c_pillar"),
            )
        },
    }
    if style.body_end is not None:
        shape |= _truck_cab(shape, drawn)
    return shape


def _truck_cab(shape: dict[str, Any], drawn: dict[str, float]) -> dict[str, Any]:
    """A cab over the engine: its own height and end, on the whole truck's length."""
    front, back = shape["front_x"], shape["front_x"] - 1.75
    return {
        "body_rear_x": back,
        "headlight_x": front - 0.05,
        "width": shape["width"] - 0.12,
        "cowl_x": front - 0.10,
        "roof_front_x": front - 0.50,
        "roof_rear_x": back + 0.12,
        "deck_x": back + 0.03,
        "deck_z": shape["belt_z"] + 0.02,
        "tail_z": shape["belt_z"] - 0.02,
        "crease_z": shape["belt_z"] - 0.18,
        "height": drawn["cab_height"],
    }


def _load(
    style: Style, size: dict[str, float], shape: dict[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    """The load body behind a cab, as wide as the whole truck is."""
    box = style.layout == "box_truck"
    floor = 2 * shape["arch_radius"] + 0.14
    painted = bool(rng.random() < (0.2 if box else 0.7))
    return {
        "kind": "box" if box else "boards",
        "front_x": shape["body_rear_x"] - 0.12,
        "floor_z": floor,
        "top_z": max(size["height"], shape["height"] + 0.2) if box else floor + 0.42,
        "width": size["width"],
        "painted": painted,
    }


def _rim(style: Style, rng: np.random.Generator) -> str:
    """Steel wheels for work, alloys or hubcaps for the rest."""
    designs = ("five_spoke", "ten_spoke", "twin_spoke", "turbine", "mesh", "hubcap", "steel")
    pick = rng.random(2)
    if style.twin:
        return "steel"
    if style.layout in ("van",) or style.panelled:
        return ("steel", "hubcap", "five_spoke")[int(pick[1] * 3)]
    return designs[int(pick[1] * 6)]


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
    letters = "".join(string.ascii_uppercase[int(i)] for i in rng.integers(0, 26, 3))
    return {
        "side_windows": pillars,
        "doors": _door_edges(style, shape, pillars),
        "head_lamp": ("wedge", "round", "block", "slit")[int(pick[0] * 4)],
        "tail_lamp": ("block", "column", "slim", "round")[int(pick[1] * 4)],
        "grille": ("bars", "mesh", "split", "slim", "tall")[int(pick[2] * 5)],
        "chrome": bool(pick[3] < 0.5),
        "moulding": bool(pick[10] < 0.3),
        "roof_rails": bool(pick[4] < style.rails),
        "spoiler": style.layout == "car" and bool(pick[5] < style.spoiler),
        "tint": float(0.25 + 0.6 * pick[6]),
        "plate": f"{letters}{int(pick[7] * 9000) + 1000}",
        "plate_style": ("blue", "white", "yellow")[int(pick[8] * 3)],
        "exhausts": int(pick[9] * 3) if style.layout in ("car", "pickup") else 0,
        "panelled": style.panelled,
    }
