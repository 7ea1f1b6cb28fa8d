"""The catalogue's vans."""

from __future__ import annotations

from typing import Any

import numpy as np

from render_assets.style import Range, Style

_VAN: dict[str, Range] = {
    "c_pillar": (0.10, 0.14),
    "clearance": (0.19, 0.24),
    "belt_rise": (0.0, 0.01),
    "nose_round": (0.10, 0.16),
    "tail_round": (0.03, 0.07),
    "tumblehome": (0.10, 0.18),
    "plan_taper": (0.03, 0.06),
    "shoulder": (0.008, 0.02),
    "flare": (0.01, 0.02),
    "screen_round": (0.10, 0.15),
}
"""What vans share."""

VAN_STYLES = (
    Style(
        "minibus", "van", (4.4, 5.3), (1.69, 1.95), (1.88, 2.2),
        {**_VAN,
         "axle_front": (0.165, 0.205), "axle_rear": (0.76, 0.80), "cowl": (0.10, 0.15),
         "cowl_z": (0.54, 0.61), "roof_front": (0.21, 0.28), "roof_rear": (0.92, 0.96),
         "deck": (0.955, 0.985), "deck_z": (0.54, 0.59), "tail_z": (0.42, 0.47),
         "nose_z": (0.41, 0.46), "belt_z": (0.52, 0.57), "headlight": (0.018, 0.035)},
        layout="van", windows=(0.24, 0.50, 0.76),
    ),
    Style(
        "microvan", "van", (3.70, 4.25), (1.50, 1.68), (1.72, 1.96),
        {**_VAN,
         "clearance": (0.18, 0.22), "wheel_radius": (0.275, 0.30), "tyre_width": (0.165, 0.19),
         "axle_front": (0.16, 0.21), "axle_rear": (0.765, 0.82), "cowl": (0.11, 0.18),
         "cowl_z": (0.56, 0.62), "roof_front": (0.21, 0.28), "roof_rear": (0.92, 0.96),
         "deck": (0.95, 0.98), "deck_z": (0.54, 0.59), "tail_z": (0.42, 0.47),
         "nose_z": (0.42, 0.48), "belt_z": (0.53, 0.58), "headlight": (0.016, 0.04)},
        layout="van", windows=(0.28, 0.55, 0.80), weight=1.3,
    ),
    Style(
        "business_van", "van", (4.45, 5.15), (1.70, 1.90), (1.88, 2.12),
        {**_VAN,
         "wheel_radius": (0.30, 0.33), "axle_front": (0.165, 0.21), "axle_rear": (0.77, 0.825),
         "cowl": (0.16, 0.235), "cowl_z": (0.54, 0.60), "roof_front": (0.265, 0.35),
         "roof_rear": (0.88, 0.955), "deck": (0.945, 0.975), "deck_z": (0.54, 0.59),
         "tail_z": (0.42, 0.47), "nose_z": (0.42, 0.49), "belt_z": (0.54, 0.60),
         "headlight": (0.018, 0.042)},
        layout="van", windows=(0.27, 0.54, 0.80), weight=1.6,
    ),
    Style(
        "delivery_van", "van", (4.2, 4.75), (1.70, 1.86), (1.80, 1.95),
        {**_VAN,
         "clearance": (0.17, 0.20), "wheel_radius": (0.30, 0.325), "axle_front": (0.185, 0.21),
         "axle_rear": (0.80, 0.83), "cowl": (0.20, 0.235), "cowl_z": (0.57, 0.61),
         "roof_front": (0.34, 0.38), "roof_rear": (0.945, 0.965), "deck": (0.97, 0.985),
         "deck_z": (0.55, 0.58), "tail_z": (0.45, 0.50), "nose_z": (0.45, 0.49),
         "belt_z": (0.56, 0.59), "headlight": (0.03, 0.05), "tumblehome": (0.10, 0.14)},
        layout="van", windows=(0.36,), panelled=True, weight=0.8,
    ),
    Style(
        "panel_van", "van", (4.9, 5.95), (1.92, 2.06), (2.1, 2.65),
        {**_VAN,
         "axle_front": (0.165, 0.185), "axle_rear": (0.76, 0.79), "cowl": (0.155, 0.18),
         "cowl_z": (0.51, 0.55), "roof_front": (0.27, 0.31), "roof_rear": (0.955, 0.972),
         "deck": (0.98, 0.988), "deck_z": (0.51, 0.54), "tail_z": (0.40, 0.44),
         "nose_z": (0.41, 0.46), "belt_z": (0.49, 0.52), "headlight": (0.025, 0.035),
         "tail_round": (0.02, 0.04), "tumblehome": (0.07, 0.11), "wheel_radius": (0.33, 0.36)},
        layout="van", windows=(0.24,), panelled=True,
    ),
)  # fmt: skip


def sample_van(style: Style, rng: np.random.Generator) -> dict[str, Any]:
    """The fields of ``VanTrim``."""
    pick = rng.random(4)
    work = style.panelled
    return {
        "dark_bumpers": bool(pick[0] < (0.6 if work else 0.15)),
        "strip": bool(pick[1] < (0.6 if work else 0.15)),
        "rear_panes": work and bool(pick[2] < 0.5),
        "roof_rack": work and bool(pick[3] < 0.12),
    }
