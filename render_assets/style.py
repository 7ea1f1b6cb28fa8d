"""What a body style is: a page of ranges over shared parts.

Positions along the body are fractions of its length from the front bumper, heights fractions of its
height unless named otherwise; the rest is in metres. A range is (low, high), drawn uniformly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pamtri.attributes import VehicleType
from render_assets.spec import Layout, LoadKind

Range = tuple[float, float]

CAR: dict[str, Range] = {
    "clearance": (0.14, 0.2),
    "axle_front": (0.167, 0.187),
    "axle_rear": (0.77, 0.8),
    "wheel_radius": (0.315, 0.355),
    "tyre_width": (0.20, 0.235),
    "headlight": (0.026, 0.066),
    "nose_z": (0.505, 0.55),
    "cowl": (0.237, 0.287),
    "cowl_z": (0.655, 0.68),
    "roof_front": (0.39, 0.453),
    "roof_rear": (0.69, 0.745),
    "deck": (0.835, 0.93),
    "deck_z": (0.685, 0.765),
    "tail_z": (0.65, 0.73),
    "belt_z": (0.64, 0.66),
    "belt_rise": (0.02, 0.06),
    "tumblehome": (0.32, 0.42),
    "nose_round": (0.12, 0.265),
    "tail_round": (0.12, 0.24),
    "screen_round": (0.12, 0.18),
    "plan_taper": (0.035, 0.115),
    "shoulder": (0.018, 0.062),
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
    "flare": (0.004, 0.034),
    "arch_gap": (0.036, 0.057),
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
    load: LoadKind | None = None
    """What stands behind the cab, for trucks."""
    painted_load: float = 0.0
    """Probability that it has the cab's colour."""
