"""The catalogue's trucks, and how a truck's cab and load are drawn.

A truck is a cab of its own length and height, in metres, and a load body on the rest of the length.
Sizes follow makers' tables: light cab-overs of 3.5-7.5 t (5-7 m, 1.9-2.3 m wide), medium and heavy
two-axled ones (7-10 m, 2.4-2.55 m wide), bonneted medium-duty trucks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from render_assets.style import Range, Style

TRUCK_CAB: dict[str, Range] = {
    "axle_front_m": (1.00, 1.10),
    "cab_length": (1.68, 1.84),
    "cab_height": (2.10, 2.30),
    "screen_lean": (0.20, 0.30),
    "hood": (0.06, 0.10),
    "clearance": (0.34, 0.40),
    "wheel_radius": (0.37, 0.42),
    "tyre_width": (0.20, 0.23),
    "nose_z_m": (0.86, 0.96),
    "cowl_z_m": (1.22, 1.32),
    "belt_z_m": (1.20, 1.28),
    "nose_round": (0.05, 0.09),
    "tail_round": (0.01, 0.02),
    "screen_round": (0.05, 0.08),
    "tumblehome": (0.06, 0.10),
    "plan_taper": (0.01, 0.03),
    "shoulder": (0.0, 0.008),
    "flare": (0.005, 0.012),
    "edge": (0.05, 0.08),
    "roof_edge": (0.08, 0.12),
    "belt_rise": (0.0, 0.001),
    "arch_gap": (0.06, 0.08),
    "roof_crown": (0.02, 0.04),
    "c_pillar": (0.16, 0.30),
}
"""What all trucks share; a style says what differs."""

_HEAVY: dict[str, Range] = {
    "axle_front_m": (1.30, 1.42),
    "cab_length": (2.06, 2.30),
    "cab_height": (2.65, 2.95),
    "screen_lean": (0.12, 0.20),
    "clearance": (0.30, 0.36),
    "wheel_radius": (0.48, 0.51),
    "tyre_width": (0.26, 0.29),
    "nose_z_m": (0.92, 1.02),
    "cowl_z_m": (1.55, 1.68),
    "belt_z_m": (1.62, 1.75),
    "c_pillar": (0.25, 0.5),
}
_BONNETED: dict[str, Range] = {
    "axle_front_m": (1.00, 1.12),
    "cab_length": (3.0, 3.3),
    "cab_height": (2.50, 2.68),
    "screen_lean": (0.35, 0.48),
    "hood": (1.45, 1.70),
    "clearance": (0.36, 0.42),
    "wheel_radius": (0.45, 0.49),
    "tyre_width": (0.25, 0.28),
    "nose_z_m": (1.40, 1.52),
    "cowl_z_m": (1.68, 1.80),
    "belt_z_m": (1.58, 1.68),
    "nose_round": (0.06, 0.12),
    "screen_round": (0.10, 0.14),
    "plan_taper": (0.10, 0.16),
    "edge": (0.08, 0.14),
    "flare": (0.02, 0.04),
}

TRUCK_STYLES = (
    Style(
        "box_truck", "truck", (5.6, 7.2), (1.95, 2.30), (2.7, 3.2),
        {"axle_rear": (0.70, 0.74)},
        layout="cab_over", load="box", painted_load=0.2, weight=1.6, twin=True, doors=2,
    ),
    Style(
        "large_box_truck", "truck", (7.6, 9.6), (2.42, 2.55), (3.5, 3.9),
        {**_HEAVY, "axle_rear": (0.70, 0.74)},
        layout="cab_over", load="box", painted_load=0.25, twin=True, doors=2,
    ),
    Style(
        "refrigerated_truck", "truck", (5.9, 7.4), (2.05, 2.35), (3.0, 3.3),
        {"axle_rear": (0.71, 0.75)},
        layout="cab_over", load="reefer", painted_load=0.0, twin=True, doors=2,
    ),
    Style(
        "curtain_truck", "truck", (7.2, 9.4), (2.42, 2.55), (3.4, 3.8),
        {**_HEAVY, "axle_rear": (0.69, 0.73)},
        layout="cab_over", load="curtain", painted_load=0.5, weight=0.7, twin=True, doors=2,
    ),
    Style(
        "flatbed", "truck", (5.2, 7.0), (1.85, 2.25), (2.1, 2.3),
        {"axle_rear": (0.70, 0.75)},
        layout="cab_over", load="boards", painted_load=0.7, weight=1.4, twin=True, doors=2,
    ),
    Style(
        "stake_truck", "truck", (5.8, 8.2), (2.05, 2.40), (2.4, 2.75),
        {"axle_rear": (0.70, 0.74)},
        layout="cab_over", load="stakes", painted_load=0.8, twin=True, doors=2,
    ),
    Style(
        "tipper_truck", "truck", (5.4, 6.8), (2.05, 2.40), (2.3, 2.7),
        {"axle_rear": (0.73, 0.77), "wheel_radius": (0.41, 0.46), "clearance": (0.38, 0.44),
         "cab_length": (1.74, 1.86), "cab_height": (2.25, 2.42), "cowl_z_m": (1.32, 1.42),
         "belt_z_m": (1.32, 1.40)},
        layout="cab_over", load="tipper", painted_load=0.6, twin=True, doors=2,
    ),
    Style(
        "tanker_truck", "truck", (6.8, 8.6), (2.38, 2.52), (2.95, 3.3),
        {**_HEAVY, "axle_rear": (0.72, 0.76)},
        layout="cab_over", load="tank", painted_load=0.5, weight=0.8, twin=True, doors=2,
    ),
    Style(
        "mixer_truck", "truck", (6.2, 7.4), (2.30, 2.50), (3.2, 3.6),
        {**_HEAVY, "axle_rear": (0.74, 0.78), "axle_front_m": (1.22, 1.30),
         "cab_length": (1.95, 2.05)},
        layout="cab_over", load="mixer", painted_load=0.2, weight=0.6, twin=True, doors=2,
    ),
    Style(
        "bonneted_box_truck", "truck", (7.4, 9.2), (2.38, 2.55), (3.4, 3.8),
        {**_BONNETED, "axle_rear": (0.71, 0.75)},
        layout="bonneted", load="box", painted_load=0.1, weight=0.6, twin=True, doors=2,
    ),
    Style(
        "bonneted_tipper", "truck", (6.4, 7.4), (2.34, 2.50), (2.5, 2.9),
        {**_BONNETED, "axle_rear": (0.74, 0.78)},
        layout="bonneted", load="tipper", painted_load=0.5, weight=0.5, twin=True, doors=2,
    ),
)  # fmt: skip

_TOP: dict[str, float] = {"boards": 0.42, "stakes": 1.3, "tipper": 0.85}
"""Height of open bodies' sides above the floor, metres; the others reach the truck's height."""


def cab_shape(style: Style, shape: dict[str, Any], drawn: dict[str, float]) -> dict[str, Any]:
    """The fields of ``Shape`` that make the lofted body a cab on the whole truck's length."""
    front = shape["front_x"]
    back, height = front - drawn["cab_length"], drawn["cab_height"]
    cowl = front - drawn["hood"]
    rise = height - shape["cowl_z"]
    return {
        "body_rear_x": back,
        "headlight_x": front - (0.05 if style.layout == "cab_over" else 0.14),
        "width": shape["width"] - (0.10 if style.layout == "cab_over" else 0.22),
        "cowl_x": cowl,
        "roof_front_x": cowl - drawn["screen_lean"] * rise - 0.06,
        "roof_rear_x": back + 0.06,
        "deck_x": back + 0.03,
        "deck_z": shape["belt_z"] + 0.02,
        "tail_z": shape["belt_z"] - 0.02,
        "crease_z": shape["belt_z"] - 0.18,
        "height": height,
    }


def sample_load(
    style: Style, size: dict[str, float], shape: dict[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    """The load body behind a cab, as wide as the whole truck is."""
    assert style.load is not None
    pick = rng.random(3)
    floor = 2 * shape["arch_radius"] + 0.12
    closed = max(size["height"], shape["height"] + (0.2 if style.load == "box" else 0.05))
    top = floor + _TOP[style.load] * (0.85 + 0.3 * pick[1]) if style.load in _TOP else closed
    return {
        "kind": style.load,
        "front_x": shape["body_rear_x"] - 0.14,
        "floor_z": floor,
        "top_z": top,
        "width": size["width"],
        "painted": bool(pick[0] < style.painted_load),
        "ribbed": bool(pick[2] < 0.4),
        "guard_z": shape["height"] + 0.06,
    }


def sample_cab(style: Style, rng: np.random.Generator) -> dict[str, Any]:
    """What the cab carries."""
    pick = rng.random(5)
    tall = style.load in ("box", "curtain")
    heavy = style.length[1] > 7.5
    return {
        "visor": bool(pick[0] < (0.5 if heavy else 0.25)),
        "deflector": tall and bool(pick[1] < 0.5),
        "stack": bool(pick[2] < 0.6),
        "markers": bool(pick[3] < (0.5 if heavy else 0.15)),
        "dark_bumper": bool(pick[4] < 0.45),
    }
