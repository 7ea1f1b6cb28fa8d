"""What a body style is: a page of ranges over shared parts.

Positions along the body are fractions of its length from the front bumper, heights fractions of its
height unless named otherwise; the rest is in metres. A range is (low, high), drawn uniformly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pamtri.attributes import VehicleType
from render_assets.spec import Layout

Range = tuple[float, float]

CAR: dict[str, Range] = {
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
    "edge": (0.05, 0.09),
    "roof_edge": (0.07, 0.11),
    "roof_crown": (0.03, 0.05),
    "crease": (0.54, 0.60),
    "crease_rise": (0.02, 0.10),
    "crease_edge": (0.010, 0.035),
    "lean": (0.12, 0.34),
    "scallop": (0.004, 0.016),
    "bumper": (0.008, 0.03),
    "dome": (0.0, 0.09),
    "flare": (0.012, 0.03),
    "arch_gap": (0.045, 0.06),
    "c_pillar": (0.14, 0.24),
}
"""The common car's; a style says what differs."""


SLAB: dict[str, Range] = {
    "crease_rise": (0.0, 0.005),
    "crease_edge": (0.02, 0.05),
    "lean": (0.02, 0.06),
    "scallop": (0.0, 0.004),
    "bumper": (0.0, 0.004),
    "dome": (0.0, 0.01),
    "edge": (0.06, 0.10),
    "roof_edge": (0.08, 0.13),
}
"""Flat sides, as vans, buses and truck cabs have them: what differs from the common car's."""


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
    open_top: bool = False
    twin: bool = False
    body_end: Range | None = None
    """Rear end of the cab as a fraction of the length, for trucks."""
