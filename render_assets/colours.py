"""The ten colour names as regions of CIELAB, and paints drawn from inside them.

Lightness L* in 0..100; chroma and hue angle (degrees) of (a*, b*), D65 white. The regions are the
colour-naming consensus areas (Sturges & Whitfield 1995, "Locating basic colours in the Munsell
space") cut down to what is seen on cars, with gaps between neighbours; "golden" is the champagne
and beige-gold of car catalogues, "gray" includes silver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pamtri.attributes import Colour


@dataclass(frozen=True)
class Region:
    """A box in lightness, chroma and hue; a hue range may run through 360."""

    lightness: tuple[float, float]
    chroma: tuple[float, float]
    hue: tuple[float, float]

    def contains(self, lab: np.ndarray) -> np.ndarray:
        """(n,) bool for (n, 3) CIELAB values, with a rounding tolerance of 0.01."""
        lab = np.atleast_2d(lab)
        chroma = np.hypot(lab[:, 1], lab[:, 2])
        turn = (np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) - self.hue[0]) % 360
        span = self.hue[1] - self.hue[0]
        inside = (lab[:, 0] >= self.lightness[0] - 0.01) & (lab[:, 0] <= self.lightness[1] + 0.01)
        inside &= (chroma >= self.chroma[0] - 0.01) & (chroma <= self.chroma[1] + 0.01)
        return inside & ((turn <= span + 0.01) | (turn >= 359.99) | (span >= 360))


REGIONS: dict[Colour, Region] = {
    "yellow": Region((72, 86), (55, 90), (80, 95)),
    "orange": Region((54, 66), (58, 85), (50, 66)),
    "green": Region((20, 55), (22, 50), (135, 172)),
    "gray": Region((32, 74), (0, 4), (0, 360)),
    "red": Region((24, 44), (42, 70), (20, 38)),
    "blue": Region((16, 46), (24, 52), (262, 292)),
    "white": Region((88, 96), (0, 4), (0, 360)),
    "golden": Region((58, 74), (16, 32), (76, 92)),
    "brown": Region((18, 34), (14, 28), (40, 68)),
    "black": Region((2, 13), (0, 3), (0, 360)),
}

_FINISHES = {"solid": 0.35, "metallic": 0.5, "pearl": 0.15}
_XYZ_OF_RGB = np.array(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923],
     [0.0193308, 0.1191948, 0.9505322]]
)  # fmt: skip
_WHITE = _XYZ_OF_RGB.sum(axis=1)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """Linear RGB (n, 3) of CIELAB (n, 3); outside 0..1 where the colour is out of gamut."""
    lab = np.atleast_2d(np.asarray(lab, dtype=np.float64))
    fy = (lab[:, 0] + 16) / 116
    f = np.stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE
    return xyz @ np.linalg.inv(_XYZ_OF_RGB).T


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (n, 3) of linear RGB (n, 3)."""
    t = np.atleast_2d(np.asarray(rgb, dtype=np.float64)) @ _XYZ_OF_RGB.T / _WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def sample_paint(rng: np.random.Generator, colour: Colour) -> dict[str, Any]:
    """Fields of a ``spec.Paint`` whose base colour lies in its name's region and in gamut."""
    region = REGIONS[colour]
    for _ in range(100):
        lightness, chroma = rng.uniform(*region.lightness), rng.uniform(*region.chroma)
        hue = np.radians(rng.uniform(*region.hue))
        lab = np.array([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
        rgb = lab_to_rgb(lab)[0]
        if rgb.min() >= 0 and rgb.max() <= 1:
            break
    else:
        raise AssertionError(f"region of '{colour}' lies outside the gamut")
    names = list(_FINISHES)
    finish = names[int(rng.choice(len(names), p=list(_FINISHES.values())))]
    strength = rng.uniform(0.5, 1.0)
    metal = {"solid": 0.0, "metallic": 0.55, "pearl": 0.25}[finish] * strength
    return {
        "rgb": tuple(float(c) for c in rgb),
        "finish": finish,
        "metallic": metal,
        "roughness": float(rng.uniform(0.35, 0.5) if finish == "solid" else rng.uniform(0.3, 0.42)),
        "flake": {"solid": 0.0, "metallic": 0.6, "pearl": 0.3}[finish] * strength,
        "coat": 1.0,
        "coat_roughness": float(rng.uniform(0.02, 0.08)),
    }
