"""What surfaces are made of: the fixed materials of a vehicle, and its paint.

Colours are linear RGB in 0..1 with Rec. 709 primaries.
"""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """Parameters that a principled shader understands; every number is in 0..1.

    ``coat`` is clear varnish on top, ``transmission`` light let through, ``alpha`` opacity,
    ``emission`` light given off (zero for none), ``flake`` strength of metallic flake noise.
    """

    base_colour: Rgb
    metallic: float = 0.0
    roughness: float = 0.5
    coat: float = 0.0
    coat_roughness: float = 0.03
    transmission: float = 0.0
    alpha: float = 1.0
    emission: Rgb = (0.0, 0.0, 0.0)
    flake: float = 0.0


def _grey(value: float) -> Rgb:
    return (value, value, value)


DECALS: dict[str, Rgb] = {
    "white": _grey(0.78),
    "silver": _grey(0.42),
    "grey": _grey(0.14),
    "black": _grey(0.012),
    "red": (0.42, 0.015, 0.02),
    "maroon": (0.11, 0.008, 0.012),
    "orange": (0.62, 0.16, 0.015),
    "yellow": (0.68, 0.46, 0.02),
    "green": (0.02, 0.22, 0.06),
    "lime": (0.22, 0.42, 0.03),
    "cyan": (0.02, 0.28, 0.48),
    "blue": (0.012, 0.06, 0.32),
    "navy": (0.008, 0.016, 0.07),
    "purple": (0.10, 0.02, 0.17),
}
"""Colours of foils, stickers and lettering by name."""

FIXED: dict[str, Material] = {
    **{f"decal_{name}": Material(rgb, roughness=0.35) for name, rgb in DECALS.items()},
    "rust": Material((0.12, 0.04, 0.015), roughness=0.95),
    "primer": Material(_grey(0.30), roughness=0.8),
    "tyre": Material(_grey(0.012), roughness=0.85),
    "rubber": Material(_grey(0.01), roughness=0.7),
    "gap": Material(_grey(0.004), roughness=0.9),
    "plastic": Material(_grey(0.022), roughness=0.55),
    "underbody": Material(_grey(0.008), roughness=0.9),
    "liner": Material(_grey(0.006), roughness=0.95),
    "interior": Material(_grey(0.02), roughness=0.85),
    "seat": Material((0.05, 0.047, 0.045), roughness=0.8),
    "headliner": Material(_grey(0.25), roughness=0.9),
    "chrome": Material(_grey(0.75), metallic=1.0, roughness=0.08),
    "alloy": Material(_grey(0.5), metallic=0.9, roughness=0.3),
    "dark_alloy": Material(_grey(0.05), metallic=0.8, roughness=0.35),
    "steel": Material(_grey(0.2), metallic=0.9, roughness=0.45),
    "frame": Material(_grey(0.02), metallic=0.2, roughness=0.6),
    "grille": Material(_grey(0.008), roughness=0.4),
    "mirror_glass": Material(_grey(0.8), metallic=1.0, roughness=0.03),
    "lamp_clear": Material(_grey(0.55), metallic=0.6, roughness=0.12, coat=1.0),
    "lamp_dark": Material(_grey(0.03), metallic=0.3, roughness=0.2, coat=1.0),
    "lamp_rim": Material(_grey(0.008), roughness=0.12, coat=1.0),
    "lamp_white": Material(_grey(0.62), metallic=0.4, roughness=0.15),
    "lamp_red": Material((0.42, 0.006, 0.009), roughness=0.25),
    "lamp_red_bright": Material((0.55, 0.012, 0.012), metallic=0.3, roughness=0.15),
    "lamp_amber": Material((0.60, 0.17, 0.01), metallic=0.2, roughness=0.2),
    "lens": Material(_grey(0.9), roughness=0.01, transmission=0.97, alpha=0.10),
    "plate": Material(_grey(0.7), roughness=0.4),
    "plate_blue": Material((0.02, 0.08, 0.4), roughness=0.4),
    "plate_yellow": Material((0.65, 0.42, 0.03), roughness=0.4),
    "plate_green": Material((0.30, 0.62, 0.36), roughness=0.4),
    "plate_green_ink": Material((0.01, 0.13, 0.06), roughness=0.4),
    "plate_red": Material((0.45, 0.02, 0.03), roughness=0.4),
    "plate_text": Material(_grey(0.02), roughness=0.5),
    "wood": Material((0.16, 0.09, 0.045), roughness=0.8),
    "aluminium": Material(_grey(0.45), metallic=0.7, roughness=0.4),
    "box_white": Material(_grey(0.68), roughness=0.4),
}
"""Materials that every vehicle shares, by name; ``glass`` and ``paint`` come from its spec."""


def lights(day: bool, head: bool, brake: bool) -> dict[str, Material]:
    """The materials of the lamps that may shine: strips of daylight, head lamps, brake lights."""
    white, red = (0.95, 0.97, 1.0), (1.0, 0.03, 0.02)

    def shining(colour: Rgb, strength: float) -> Rgb:
        return (strength * colour[0], strength * colour[1], strength * colour[2])

    off = (0.0, 0.0, 0.0)
    return {
        "lamp_day": Material(_grey(0.7), roughness=0.2, emission=shining(white, 5.0 * day)),
        "lamp_beam": Material(
            _grey(0.42), metallic=0.5, roughness=0.04, coat=1.0, emission=shining(white, 8.0 * head)
        ),
        "lamp_brake": Material(
            (0.5, 0.01, 0.01),
            metallic=0.2,
            roughness=0.15,
            emission=shining(red, 4.0) if brake else off,
        ),
    }


def glass(tint: float) -> Material:
    """Window glass; ``tint`` 0 is clear, 1 lets next to nothing through."""
    clear = 1.0 - tint
    return Material(
        (0.02 + 0.1 * clear, 0.025 + 0.11 * clear, 0.025 + 0.1 * clear),
        roughness=0.02,
        transmission=0.9 * clear,
        alpha=0.35 + 0.6 * tint,
    )
