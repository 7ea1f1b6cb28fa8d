"""The ten colour names as regions of CIELAB, and paints drawn from inside them.

Lightness L* in 0..100; chroma and hue angle (degrees) of (a*, b*), D65 white. The regions are the
colour-naming consensus areas (Sturges & Whitfield 1995, "Locating basic colours in the Munsell
space") cut down to what is seen on cars, with gaps between neighbours so that no paint has two
names: white, gray and black part by lightness (a person calls L* above 85 white and below 15
black where chroma is small); red, orange and yellow by hue; brown is dark orange, golden pale
orange to yellow (the champagne and beige-gold of car catalogues); gray includes silver.
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

Shade = tuple[float, float, float, float]
"""Weight among the shades of a name, lightness, chroma and hue of its middle."""

_SHADES: dict[Colour, tuple[Shade, ...]] = {
    "yellow": ((0.6, 79, 72, 86), (0.4, 76, 62, 82)),
    "orange": ((0.6, 60, 70, 58), (0.4, 57, 62, 54)),
    "green": ((0.5, 26, 26, 158), (0.3, 36, 34, 152), (0.2, 48, 44, 142)),
    "gray": ((0.55, 70, 1.5, 250), (0.2, 55, 2.0, 260), (0.25, 39, 2.0, 265)),
    "red": ((0.55, 37, 56, 32), (0.25, 30, 50, 29), (0.2, 41, 62, 35)),
    "blue": ((0.45, 21, 28, 283), (0.35, 32, 40, 280), (0.2, 42, 38, 270)),
    "white": ((0.75, 94, 1.0, 110), (0.25, 91, 3.0, 95)),
    "golden": ((0.6, 67, 18, 86), (0.25, 62, 23, 83), (0.15, 70, 28, 86)),
    "brown": ((0.6, 24, 18, 55), (0.4, 30, 22, 60)),
    "black": ((0.75, 5, 0.8, 270), (0.25, 10, 1.8, 265)),
}
"""What cars of a name are painted, estimated by eye from street photographs: most grays are light
silver, most whites nearly pure, most blues dark, reds muted."""
_SPREAD = (2.5, 3.5, 4.0)
"""Standard deviations about a shade's middle: lightness, chroma, hue."""

_FINISHES: dict[Colour, tuple[float, float, float, float]] = {
    "gray": (0.08, 0.85, 0.04, 0.03),
    "golden": (0.05, 0.85, 0.10, 0.0),
    "white": (0.70, 0.04, 0.25, 0.01),
    "black": (0.40, 0.45, 0.11, 0.04),
    "red": (0.50, 0.35, 0.14, 0.01),
    "yellow": (0.85, 0.08, 0.07, 0.0),
}
"""Shares of solid, metallic, pearl and matte; ``_OTHER_FINISHES`` for the names left out."""
_OTHER_FINISHES = (0.30, 0.55, 0.13, 0.02)
_XYZ_OF_RGB = np.array(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923],
     [0.0193308, 0.1191948, 0.9505322]]
)  # fmt: skip
_RGB_OF_XYZ = np.linalg.inv(_XYZ_OF_RGB)
_WHITE = _XYZ_OF_RGB.sum(axis=1)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """Linear RGB (n, 3) of CIELAB (n, 3); outside 0..1 where the colour is out of gamut."""
    lab = np.atleast_2d(np.asarray(lab, dtype=np.float64))
    fy = (lab[:, 0] + 16) / 116
    f = np.stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE
    return xyz @ _RGB_OF_XYZ.T


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (n, 3) of linear RGB (n, 3)."""
    t = np.atleast_2d(np.asarray(rgb, dtype=np.float64)) @ _XYZ_OF_RGB.T / _WHITE
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def srgb_to_linear(coded: np.ndarray) -> np.ndarray:
    """Linear values 0..1 of sRGB bytes, of any shape."""
    value = np.asarray(coded) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """sRGB bytes of linear values, which are clipped to 0..1."""
    value = np.clip(linear, 0.0, 1.0)
    coded = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.round(coded * 255).astype(np.uint8)


def nearest_colour(rgb: np.ndarray) -> Colour:
    """The name of the region nearest to a linear colour (3,): inside it, or by CIELAB distance."""
    lightness, a, b = rgb_to_lab(rgb)[0]
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))

    def distance(region: Region) -> float:
        low, high = region.hue
        turn = (hue - (low + high) / 2 + 180) % 360 - 180
        off = max(0.0, abs(turn) - (high - low) / 2)
        near = np.clip(chroma, *region.chroma)
        apart = np.sqrt(chroma**2 + near**2 - 2 * chroma * near * np.cos(np.radians(min(off, 180))))
        return float(np.hypot(lightness - np.clip(lightness, *region.lightness), apart))

    return min(REGIONS, key=lambda name: distance(REGIONS[name]))


def sample_paint(rng: np.random.Generator, colour: Colour) -> dict[str, Any]:
    """Fields of a ``spec.Paint`` whose base colour lies in its name's region and in gamut."""
    rgb = _base_colour(rng, colour)
    edges = np.cumsum(_FINISHES.get(colour, _OTHER_FINISHES))
    pick, strength, rough, varnish = rng.random(4)
    which = min(int(np.searchsorted(edges, pick * edges[-1], side="right")), 3)
    finish = ("solid", "metallic", "pearl", "matte")[which]
    strength = 0.5 + 0.5 * float(strength)
    low, high = ((0.35, 0.5), (0.30, 0.42), (0.30, 0.42), (0.50, 0.65))[which]
    return {
        "rgb": rgb,
        "finish": finish,
        "metallic": (0.0, 0.55, 0.25, 0.2)[which] * strength,
        "roughness": low + (high - low) * float(rough),
        "flake": (0.0, 0.6, 0.3, 0.0)[which] * strength,
        "coat": 0.0 if finish == "matte" else 1.0,
        "coat_roughness": 0.02 + 0.06 * float(varnish),
    }


def _base_colour(rng: np.random.Generator, colour: Colour) -> tuple[float, float, float]:
    """Linear RGB of one of the name's shades, drawn again while outside the region or gamut."""
    region, shades = REGIONS[colour], _SHADES[colour]
    edges = np.cumsum([shade[0] for shade in shades])
    shade = shades[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]
    for _ in range(1000):
        lightness, chroma, hue = rng.normal(shade[1:], _SPREAD)
        turn = np.radians(hue)
        lab = np.array([[lightness, chroma * np.cos(turn), chroma * np.sin(turn)]])
        if chroma < 0 or not region.contains(lab)[0]:
            continue
        red, green, blue = lab_to_rgb(lab)[0].tolist()
        if min(red, green, blue) >= 0 and max(red, green, blue) <= 1:
            return red, green, blue
    raise AssertionError(f"region of '{colour}' lies outside the gamut")
