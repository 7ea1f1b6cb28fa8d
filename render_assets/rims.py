"""The faces of wheels: what is metal and what is open, for every rim design.

A design is a page of bars and dishes. Lengths are fractions of the rim's radius, angles degrees,
depths metres inward of the rim's lip. The face is seen along the axle: x to the right, z up, on
the wheel's left-hand side, so that a sweep by positive angles leads backwards at the bottom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from render_assets.spec import Wheels
from render_assets.style import Style

Bar = tuple[float, float, float, float, float, float]
"""From (radius, angle) to (radius, angle), and the half widths there."""
Dish = tuple[tuple[float, float], ...]
"""Depth of the face over the radius: (radius, metres inward of the lip)."""

_FLAT: Dish = ((0.0, 0.016), (0.30, 0.016), (0.60, 0.007), (0.90, 0.005), (1.0, 0.009))
_CONCAVE: Dish = ((0.0, 0.040), (0.30, 0.038), (0.60, 0.020), (0.90, 0.005), (1.0, 0.009))
_DOMED: Dish = ((0.0, 0.001), (0.30, 0.002), (0.62, 0.006), (0.85, 0.012), (1.0, 0.006))
_COVER: Dish = (
    (0.0, 0.004),
    (0.40, 0.003),
    (0.58, 0.012),
    (0.80, 0.008),
    (0.92, 0.0),
    (1.0, 0.004),
)
_STEEL: Dish = (
    (0.0, 0.030), (0.34, 0.030), (0.42, 0.018), (0.55, 0.026), (0.80, 0.045), (1.0, 0.055)
)  # fmt: skip
_TRUCK: Dish = ((0.0, 0.016), (0.56, 0.016), (0.66, 0.024), (0.88, 0.060), (1.0, 0.085))
_DEEP: Dish = ((0.0, 0.135), (0.56, 0.135), (0.66, 0.125), (0.88, 0.090), (1.0, 0.070))
"""The outer one of twin wheels, whose disc is turned inward."""


@dataclass(frozen=True)
class Rim:
    """One design: ``count`` equal sectors, each with ``bars`` of metal, or of openings where
    ``pierced``, between a ``hub`` disc and a ``ring`` along the lip."""

    count: int
    bars: tuple[Bar, ...]
    dish: Dish = _FLAT
    pierced: bool = False
    hub: float = 0.33
    ring: float = 0.91
    fillet: float = 0.012
    edge: float = 0.005
    """Width of the chamfer along the openings, metres."""
    wall: float = 0.030
    """Depth of the spokes' sides, metres."""
    bolts: int = 5
    """Wheel bolts in sight; none under a cover."""
    bolt_circle: float = 0.26
    cap: float = 0.15
    """Radius of the hub's cap."""
    hub_out: float = 0.005
    """How far the cap's face stands before the plate, metres."""
    cover: bool = False
    """A pressed cover that hides the brake."""
    columns: int = 8
    """Cells of the mesh across a sector: even, so that one of its lines is the sector's middle,
    and narrower than a spoke."""
    rows: int = 8
    """Cells of the mesh from the hub to the lip."""


def _both(bar: Bar) -> tuple[Bar, Bar]:
    """A bar and its mirror image."""
    r0, a0, r1, a1, w0, w1 = bar
    return bar, (r0, -a0, r1, -a1, w0, w1)


RIMS: dict[str, Rim] = {
    "five_spoke": Rim(5, ((0.15, 0, 1.0, 0, 0.15, 0.085),), _CONCAVE, columns=14),
    "six_spoke": Rim(6, ((0.15, 0, 1.0, 0, 0.10, 0.135),), _FLAT, hub=0.38, columns=12),
    "star": Rim(5, ((0.10, 0, 1.0, 0, 0.235, 0.05),), _FLAT, fillet=0.02, columns=16),
    "ten_spoke": Rim(10, ((0.2, 0, 1.0, 0, 0.060, 0.050),), _FLAT),
    "multi_spoke": Rim(16, ((0.2, 0, 1.0, 0, 0.034, 0.028),), _CONCAVE, edge=0.003,
                       columns=4, rows=7),
    "twin_spoke": Rim(5, _both((0.25, 14, 1.0, 7.5, 0.050, 0.048)), _CONCAVE, columns=20,
                      edge=0.0035, rows=7),
    "turbine": Rim(
        9, ((0.25, 0, 0.62, 7, 0.055, 0.055), (0.62, 7, 1.0, 22, 0.055, 0.050)), _FLAT, columns=10,
    ),
    "mesh": Rim(
        10, ((0.2, 0, 0.52, 0, 0.042, 0.040), *_both((0.50, 0, 1.0, 16, 0.040, 0.048))),
        _CONCAVE, hub=0.30, edge=0.003, columns=8, rows=9,
    ),
    "y_spoke": Rim(
        5,
        ((0.2, 0, 0.58, 0, 0.085, 0.070), *_both((0.56, 0, 1.0, 17, 0.062, 0.052))),
        _CONCAVE, columns=18, edge=0.0035, rows=9,
    ),
    "split_v": Rim(6, _both((0.26, 5, 1.0, 16, 0.054, 0.046)), _FLAT, columns=16, edge=0.0035,
                   rows=8),
    "blade": Rim(
        5, ((0.46, -10, 0.84, 18, 0.020, 0.075), (0.80, -26, 0.86, -14, 0.030, 0.045)),
        _DOMED, columns=16, pierced=True, bolts=0, cover=True, wall=0.02, edge=0.006,
    ),
    "hubcap": Rim(
        10, ((0.66, 0, 0.80, 0, 0.050, 0.075),),
        _COVER, pierced=True, bolts=0, cover=True, wall=0.02, cap=0.2,
    ),
    "wheel_trim": Rim(
        7, ((0.2, 0, 1.0, 0, 0.115, 0.125),), _DOMED, hub=0.36, bolts=0, cover=True, wall=0.02,
        columns=10,
    ),
    "steel": Rim(
        8, ((0.69, 0, 0.76, 0, 0.075, 0.085),), _STEEL, pierced=True, wall=0.012,
        cap=0.17, hub_out=0.018,
    ),
    "offroad_steel": Rim(
        8, ((0.60, 0, 0.76, 0, 0.095, 0.125),), _STEEL, pierced=True, wall=0.014, bolts=6,
        cap=0.2, hub_out=0.028,
    ),
    "truck_steel": Rim(
        10, ((0.775, -5, 0.775, 5, 0.080, 0.080),), _TRUCK, pierced=True, wall=0.014, bolts=10,
        bolt_circle=0.47, cap=0.33, hub_out=0.034,
    ),
    "bus_cover": Rim(
        10, ((0.79, 0, 0.79, 0, 0.072, 0.072),), _TRUCK, pierced=True, wall=0.012, bolts=10,
        bolt_circle=0.45, cap=0.31, hub_out=0.034, edge=0.007,
    ),
}  # fmt: skip
"""Every design of ``spec.RimDesign``."""


_ALLOYS = {"five_spoke": 3, "star": 2, "ten_spoke": 3, "multi_spoke": 2, "twin_spoke": 3,
           "turbine": 2, "mesh": 1.5, "y_spoke": 3, "split_v": 2, "six_spoke": 1}  # fmt: skip
_DESIGNS: dict[str, dict[str, float]] = {
    "car": {**_ALLOYS, "blade": 1, "hubcap": 2, "wheel_trim": 3, "steel": 0.5},
    "suv": {**_ALLOYS, "six_spoke": 4, "blade": 0.7, "wheel_trim": 0.7},
    "pickup": {"six_spoke": 4, "five_spoke": 2, "star": 2, "y_spoke": 2, "offroad_steel": 3},
    "van": {"steel": 4, "hubcap": 3, "wheel_trim": 3, "five_spoke": 1, "ten_spoke": 1},
    "twin": {"truck_steel": 3, "bus_cover": 1},
    "bus": {"truck_steel": 1, "bus_cover": 1},
}
"""How often each kind of vehicle has each design."""
_FINISHES: dict[str, dict[str, float]] = {
    "alloy": {"silver": 9, "bright": 3, "machined": 4, "dark": 2, "black": 2, "chrome": 0.5},
    "cover": {"silver": 9, "bright": 1, "dark": 0.5},
    "steel": {"black": 3, "silver": 2, "dark": 1},
    "truck": {"silver": 5, "bright": 1, "dark": 1},
    "chrome": {"chrome": 3, "bright": 1},
}
_CALLIPERS = {"iron": 12.0, "red": 2.0, "yellow": 0.4, "blue": 0.3}


def sample_wheels(
    style: Style, radius: float, width: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Fields of ``spec.Wheels`` for tyres of the given size, metres: steel wheels for work, alloys
    or covers for the rest, each of a whole (trucks: half) number of inches."""
    share, pick, shine = rng.uniform(0.0, 1.0), rng.random(2)[1], rng.random()
    kind: str = style.type if style.type in _DESIGNS else "car"
    if style.layout in ("bus", "van", "pickup"):
        kind = style.layout
    if style.twin and style.layout != "bus":
        kind = "twin"
    heavy = kind in ("twin", "bus")
    design = pick_by_weight(_DESIGNS[kind], pick)
    rim = RIMS[design]
    group = "cover" if rim.cover else "steel" if rim.pierced else "alloy"
    group = {"truck_steel": "truck", "bus_cover": "chrome"}.get(design, group)
    low, high = (0.62, 0.67) if heavy or group == "steel" else (0.66, 0.74)
    flange = 0.017
    inches = ((low + share * (high - low)) * radius - flange) / 0.0127
    inches = min(np.floor(inches) + 0.5, 22.5) if heavy else np.clip(np.round(inches), 13, 22)
    return {
        "radius": radius,
        "width": width,
        "rim_radius": float(0.0127 * inches + flange),
        "design": design,
        "finish": pick_by_weight(_FINISHES[group], shine),
        "twin": style.twin,
    }


def sample_rolling(rng: np.random.Generator) -> dict[str, Any]:
    """Fields of ``spec.Wheels`` that no other draw depends on: how the wheels have rolled, and the
    callipers' paint."""
    return {
        "phases": tuple(float(p) for p in rng.random(2)),
        "calliper": pick_by_weight(_CALLIPERS, rng.random()),
    }


def pick_by_weight(weights: Mapping[str, float], at: float) -> str:
    """The name at ``at``, 0 to 1, along the weights laid end to end."""
    edges = np.cumsum(list(weights.values()))
    return list(weights)[int(np.searchsorted(edges, at * edges[-1], side="right"))]


def rim_of(wheels: Wheels) -> Rim:
    """The design of a vehicle's wheels."""
    return RIMS[wheels.design]


def is_deep(wheels: Wheels, end: str) -> bool:
    """Whether the wheels of an axle (``front``, ``rear``) are twins with inward discs."""
    return wheels.twin and end == "rear"


def depth(wheels: Wheels, end: str, radius: np.ndarray) -> np.ndarray:
    """How far inward of the lip the face lies, metres, at radii (n,) in fractions of the rim's."""
    dish = _DEEP if is_deep(wheels, end) else rim_of(wheels).dish
    return np.interp(radius, *np.array(dish).T)


def openness(rim: Rim, points: np.ndarray) -> np.ndarray:
    """Signed distance (n,) to the face's edge at points (n, 2), fractions of the rim's radius:
    below zero on metal. Repeats exactly from sector to sector."""
    distances = []
    for turn in (-1, 0, 1):
        for bar in rim.bars:
            distances.append(_bar_distance(points, bar, turn * 360 / rim.count))
    if rim.pierced:
        return -_union(distances, rim.fillet)
    radius = np.hypot(points[:, 0], points[:, 1])
    return _union([*distances, radius - rim.hub, rim.ring - radius], rim.fillet)


def _bar_distance(points: np.ndarray, bar: Bar, turn: float) -> np.ndarray:
    """Distance to a bar with round ends, turned by ``turn`` degrees."""
    r0, a0, r1, a1, w0, w1 = bar
    angles = np.radians(np.array([a0, a1]) + turn)
    start, end = np.array([[r0], [r1]]) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    along = end - start
    t = np.clip((points - start) @ along / max(along @ along, 1e-9), 0, 1)
    off = points - start - t[:, None] * along
    return np.hypot(off[:, 0], off[:, 1]) - (w0 + t * (w1 - w0))


def _union(distances: list[np.ndarray], fillet: float) -> np.ndarray:
    """The smallest of the distances, rounded where several are alike, in whatever order."""
    least = np.minimum.reduce(distances)
    return least - fillet * np.log(sum(np.exp((least - d) / fillet) for d in distances))
