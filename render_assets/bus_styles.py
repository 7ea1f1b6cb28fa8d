"""The catalogue's buses, and how the coachwork of one is drawn.

Sizes follow makers' tables: city buses of 10.5-12 m, coaches of 10.5-13 m with a high floor, midi
buses of 6-8.5 m.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from render_assets.style import Range, Style

_BUS: dict[str, Range] = {
    "roof_edge": (0.12, 0.16),
    "c_pillar": (0.10, 0.16),
    "clearance": (0.28, 0.33),
    "wheel_radius": (0.48, 0.50),
    "tyre_width": (0.28, 0.30),
    "belt_rise": (0.0, 0.001),
    "plan_taper": (0.0, 0.01),
    "shoulder": (0.0, 0.003),
    "flare": (0.0, 0.004),
    "nose_round": (0.10, 0.18),
    "tail_round": (0.05, 0.10),
    "screen_round": (0.10, 0.18),
    "arch_gap": (0.07, 0.09),
    "roof_crown": (0.01, 0.03),
    "edge": (0.04, 0.06),
}

BUS_STYLES = (
    Style(
        "city_bus", "bus", (10.5, 12.2), (2.48, 2.55), (3.0, 3.25),
        {**_BUS,
         "axle_front": (0.215, 0.235), "axle_rear": (0.72, 0.74), "cowl": (0.005, 0.008),
         "cowl_z_m": (1.02, 1.14), "roof_front": (0.026, 0.038), "roof_rear": (0.972, 0.982),
         "deck": (0.992, 0.995), "deck_z": (0.47, 0.5), "tail_z": (0.30, 0.34),
         "nose_z_m": (0.86, 0.96), "belt_z_m": (1.16, 1.30), "headlight": (0.004, 0.007),
         "tumblehome": (0.02, 0.05)},
        layout="bus", windows=(0.13, 0.26, 0.39, 0.52, 0.65, 0.78, 0.9), twin=True,
    ),
    Style(
        "coach", "bus", (10.4, 12.9), (2.48, 2.55), (3.35, 3.75),
        {**_BUS,
         "axle_front": (0.21, 0.235), "axle_rear": (0.70, 0.73), "cowl": (0.006, 0.010),
         "cowl_z_m": (1.28, 1.45), "roof_front": (0.040, 0.054), "roof_rear": (0.972, 0.982),
         "deck": (0.990, 0.994), "deck_z": (0.50, 0.54), "tail_z": (0.36, 0.40),
         "nose_z_m": (0.92, 1.06), "belt_z_m": (1.62, 1.80), "headlight": (0.004, 0.007),
         "tumblehome": (0.02, 0.05)},
        layout="bus", windows=(0.10, 0.25, 0.40, 0.55, 0.70, 0.85), twin=True,
    ),
    Style(
        "midi_bus", "bus", (6.3, 8.5), (2.05, 2.40), (2.65, 3.05),
        {**_BUS,
         "clearance": (0.27, 0.32), "axle_front": (0.19, 0.22), "axle_rear": (0.72, 0.75),
         "wheel_radius": (0.38, 0.43), "tyre_width": (0.22, 0.26), "cowl": (0.02, 0.035),
         "cowl_z_m": (1.10, 1.22), "roof_front": (0.075, 0.11), "roof_rear": (0.965, 0.98),
         "deck": (0.988, 0.992), "deck_z": (0.47, 0.5), "tail_z": (0.32, 0.36),
         "nose_z_m": (0.84, 0.94), "belt_z_m": (1.16, 1.28), "headlight": (0.007, 0.01),
         "tumblehome": (0.04, 0.08), "plan_taper": (0.0, 0.02), "roof_crown": (0.02, 0.04)},
        layout="bus", windows=(0.17, 0.34, 0.51, 0.68, 0.85), twin=True,
    ),
)  # fmt: skip


def sample_coachwork(
    style: Style, shape: dict[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    """The fields of ``Coachwork``."""
    pick = rng.random(8)
    coach = style.name == "coach"
    return {
        "doors": _doors(style, shape),
        "glazed_doors": not coach and bool(pick[0] < 0.85),
        "flaps": coach,
        "roof": ("unit", "pods", "long" if style.name == "city_bus" else "unit")[int(pick[1] * 3)],
        "route": "" if coach or pick[2] < 0.1 else f"{1 + int(pick[3] * 998)}",
        "split_screen": bool(pick[4] < 0.35),
        "dark_front": bool(pick[5] < 0.6),
        "vents": not coach and bool(pick[6] < 0.7),
        "lamps": ("round", "column")[int(pick[7] * 2)],
    }


def _doors(style: Style, shape: dict[str, Any]) -> tuple[tuple[float, float], ...]:
    """A door before the front axle where the overhang has room, and one between the axles."""
    ahead = shape["wheelbase"] / 2 + shape["arch_radius"] + 0.12
    front = shape["front_x"] - 0.38
    first = (max(ahead, front - 1.25), front)
    if style.name == "coach":
        return ((max(ahead, front - 0.85), front),)
    if first[1] - first[0] < 0.6:  # a short overhang: the only door stands behind the axle
        behind = shape["wheelbase"] / 2 - shape["arch_radius"] - 0.15
        return ((behind - 0.8, behind),)
    middle = 0.08 * shape["wheelbase"]
    return first, (middle - 1.25, middle)
