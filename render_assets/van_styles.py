"""The catalogue's vans."""

from __future__ import annotations

from typing import Any

import numpy as np

from render_assets.style import Range, Style

_VAN: dict[str, Range] = {
    "c_pillar": (0.10, 0.14),
    "clearance": (0.19, 0.265),
    "arch_gap": (0.042, 0.098),
    "axle_front": (0.148, 0.192),
    "axle_rear": (0.774, 0.810),
    "cowl": (0.132, 0.172),
    "cowl_z": (0.58, 0.646),
    "roof_front": (0.244, 0.290),
    "roof_rear": (0.915, 0.962),
    "deck": (0.957, 0.986),
    "deck_z": (0.570, 0.620),
    "tail_z": (0.440, 0.480),
    "nose_z": (0.433, 0.487),
    "belt_z": (0.545, 0.595),
    "belt_rise": (0.003, 0.023),
    "headlight": (0.027, 0.045),
    "nose_round": (0.13, 0.24),
    "tail_round": (0.035, 0.085),
    "tumblehome": (0.13, 0.22),
    "plan_taper": (0.012, 0.048),
    "shoulder": (0.011, 0.026),
    "flare": (0.008, 0.028),
    "screen_round": (0.11, 0.145),
}
"""What vans share: as VeRi's, most of them Chinese vans of five to eight seats."""

VAN_STYLES = (
    Style(
        "minibus", "van", (4.4, 5.3), (1.69, 1.98), (1.88, 2.2),
        {**_VAN,
         "wheel_radius": (0.315, 0.345), "cowl": (0.105, 0.15), "roof_front": (0.205, 0.27)},
        layout="van", windows=(0.24, 0.50, 0.76),
    ),
    Style(
        "microvan", "van", (3.75, 4.20), (1.53, 1.69), (1.60, 1.80),
        {**_VAN, "wheel_radius": (0.272, 0.305), "tyre_width": (0.165, 0.19)},
        layout="van", windows=(0.28, 0.55, 0.80), weight=1.3,
    ),
    Style(
        "bonnet_microvan", "van", (3.95, 4.35), (1.54, 1.70), (1.76, 1.95),
        {**_VAN,
         "clearance": (0.22, 0.28), "wheel_radius": (0.28, 0.32), "tyre_width": (0.17, 0.20),
         "axle_front": (0.178, 0.21),
         "axle_rear": (0.80, 0.83), "cowl": (0.20, 0.235), "cowl_z": (0.525, 0.57),
         "roof_front": (0.30, 0.375), "roof_rear": (0.868, 0.95), "deck": (0.942, 0.967),
         "deck_z": (0.54, 0.58), "tail_z": (0.415, 0.455), "nose_z": (0.41, 0.50),
         "belt_z": (0.575, 0.625), "nose_round": (0.10, 0.18), "tail_round": (0.03, 0.05),
         "tumblehome": (0.06, 0.16), "plan_taper": (0.033, 0.085)},
        layout="van", windows=(0.28, 0.55, 0.80), weight=1.2,
    ),
    Style(
        "business_van", "van", (4.5, 4.95), (1.82, 1.99), (1.86, 2.10),
        {**_VAN, "wheel_radius": (0.315, 0.35)},
        layout="van", windows=(0.27, 0.54, 0.80), weight=2.2,
    ),
    Style(
        "minivan", "mpv", (4.45, 4.9), (1.77, 1.92), (1.76, 1.92),
        {**_VAN,
         "clearance": (0.18, 0.26), "wheel_radius": (0.315, 0.355), "axle_front": (0.16, 0.185),
         "axle_rear": (0.784, 0.824), "cowl": (0.16, 0.235), "cowl_z": (0.56, 0.655),
         "roof_front": (0.345, 0.376), "roof_rear": (0.862, 0.934), "deck": (0.94, 0.992),
         "deck_z": (0.565, 0.67), "tail_z": (0.45, 0.49), "nose_z": (0.42, 0.48),
         "belt_z": (0.535, 0.61), "headlight": (0.026, 0.047), "nose_round": (0.12, 0.26),
         "tail_round": (0.04, 0.12), "tumblehome": (0.18, 0.245)},
        layout="van", windows=(0.32, 0.58, 0.82),
    ),
    Style(
        "delivery_van", "van", (4.2, 4.75), (1.70, 1.86), (1.80, 1.95),
        {**_VAN,
         "clearance": (0.17, 0.20), "wheel_radius": (0.30, 0.325), "axle_front": (0.185, 0.21),
         "axle_rear": (0.80, 0.83), "cowl": (0.20, 0.235), "cowl_z": (0.57, 0.61),
         "roof_front": (0.34, 0.38), "roof_rear": (0.945, 0.965), "deck": (0.97, 0.985),
         "deck_z": (0.55, 0.58), "tail_z": (0.45, 0.50), "nose_z": (0.45, 0.49),
         "belt_z": (0.56, 0.59), "belt_rise": (0.0, 0.01), "headlight": (0.03, 0.05),
         "tumblehome": (0.10, 0.14)},
        layout="van", windows=(0.36,), panelled=True, weight=0.5,
    ),
    Style(
        "panel_van", "van", (4.9, 5.95), (1.92, 2.06), (2.1, 2.65),
        {**_VAN,
         "axle_front": (0.165, 0.185), "axle_rear": (0.76, 0.79), "cowl": (0.155, 0.18),
         "cowl_z": (0.51, 0.55), "roof_front": (0.27, 0.31), "roof_rear": (0.955, 0.972),
         "deck": (0.98, 0.988), "deck_z": (0.51, 0.54), "tail_z": (0.40, 0.44),
         "nose_z": (0.41, 0.46), "belt_z": (0.49, 0.52), "belt_rise": (0.0, 0.01),
         "headlight": (0.025, 0.035),
         "tail_round": (0.02, 0.04), "tumblehome": (0.07, 0.11), "wheel_radius": (0.33, 0.36)},
        layout="van", windows=(0.24,), panelled=True, weight=0.7,
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
