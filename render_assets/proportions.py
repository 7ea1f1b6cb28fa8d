"""How the proportions of real vehicles go together: the factors that their measures share.

Five principal factors of the measures of 228 vehicles, within body styles. The measures are those
with which this catalogue's bodies fit best the vehicles' 3-D keypoints, which in turn were fitted
to the keypoint labels of VeRi-776 that PAMTRI (ICCV 2019) released.
"""

from __future__ import annotations

import numpy as np

_LOADINGS: dict[str, tuple[float, ...]] = {
    "width": (0.63, -0.06, 0.39, 0.05, -0.35),
    "height": (-0.31, 0.43, 0.33, 0.47, -0.06),
    "axle_front": (-0.07, 0.31, 0.04, -0.06, 0.08),
    "axle_rear": (0.32, 0.28, 0.16, 0.14, -0.09),
    "wheel_radius": (0.55, 0.05, -0.24, 0.65, 0.24),
    "arch_gap": (-0.61, 0.25, 0.33, -0.28, -0.00),
    "headlight": (-0.01, -0.04, -0.10, -0.12, 0.28),
    "nose_z": (0.55, 0.04, -0.01, -0.15, 0.32),
    "cowl": (0.15, 0.60, -0.47, -0.29, 0.01),
    "cowl_z": (0.59, -0.08, 0.15, -0.03, 0.38),
    "roof_front": (0.56, 0.58, -0.24, -0.15, -0.07),
    "roof_rear": (0.39, 0.39, 0.31, -0.05, 0.11),
    "deck": (0.62, 0.38, 0.38, -0.01, 0.10),
    "deck_z": (0.74, -0.06, 0.00, -0.02, 0.01),
    "tail_z": (0.65, -0.32, -0.21, -0.05, 0.05),
    "belt_z": (-0.25, -0.03, -0.34, 0.04, -0.10),
    "tumblehome": (0.65, -0.14, 0.00, -0.20, -0.14),
    "nose_round": (-0.30, -0.35, 0.44, -0.15, 0.06),
    "tail_round": (0.41, 0.29, 0.10, -0.04, -0.16),
    "plan_taper": (0.68, -0.03, -0.15, 0.01, -0.19),
    "shoulder": (0.61, -0.16, 0.34, -0.10, 0.12),
    "clearance": (-0.59, 0.30, 0.01, 0.01, 0.02),
    "flare": (0.78, -0.17, -0.06, 0.02, -0.23),
}
"""Measure -> its correlation with each factor."""


def sample(rng: np.random.Generator) -> dict[str, float]:
    """A standard normal number for each measure, correlated as among real vehicles."""
    factors = rng.standard_normal(len(next(iter(_LOADINGS.values()))))
    own = rng.standard_normal(len(_LOADINGS))
    drawn = {}
    for (name, loading), alone in zip(_LOADINGS.items(), own, strict=True):
        weights = np.array(loading)
        rest = np.sqrt(max(1.0 - float(weights @ weights), 0.0))
        drawn[name] = float(weights @ factors + rest * alone)
    return drawn
