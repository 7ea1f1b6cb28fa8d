"""What surfaces are made of: the fixed materials of a vehicle, and its paint.

Colours are linear RGB in 0..1 with Rec. 709 primaries.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

Rgb = tuple[float, float, float]


DUST: Rgb = (0.145, 0.125, 0.10)
"""Road dust, dry."""

SNOW: Rgb = (0.80, 0.82, 0.86)
"""Settled snow under an open sky."""


@dataclass(frozen=True)
class Dirt:
    """Dirt on a vehicle: ``amount`` in 0..1, the ``seed`` of its pattern, and where its wheels and
    its rear end are (metres), for the spray comes from there."""

    amount: float
    seed: int
    wheelbase: float
    rear_x: float


@dataclass(frozen=True)
class Texture:
    """A picture of base colours; two of equal ``digest`` are the same.

    ``pixels`` (h, w, 3) uint8 sRGB, row 0 at the top, which is v = 1; it repeats beyond 0..1.
    """

    digest: str
    pixels: np.ndarray = field(compare=False, repr=False)

    @staticmethod
    def of(pixels: np.ndarray) -> Texture:
        """The texture of a picture (h, w, 3) uint8."""
        shape = str(pixels.shape).encode()
        digest = hashlib.sha256(shape + np.ascontiguousarray(pixels).tobytes()).hexdigest()[:32]
        return Texture(digest, pixels)


@dataclass(frozen=True)
class Material:
    """Parameters that a principled shader understands; every number is in 0..1.

    ``coat`` is clear varnish on top, ``transmission`` light let through, ``alpha`` opacity,
    ``emission`` light given off (zero for none), ``flake`` strength of metallic flake noise,
    ``peel`` whether the varnish has orange peel. ``grazing`` is the base colour seen aslant, where
    that differs (the flop of metallic paint). ``snow`` is the share of what faces up that snow
    covers.
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
    peel: bool = False
    grazing: Rgb | None = None
    dirt: Dirt | None = None
    snow: float = 0.0
    texture: Texture | None = None
    """In place of ``base_colour``, where the part has ``uv``."""


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

CLOTHS: dict[str, Rgb] = {
    "white": (0.70, 0.70, 0.68), "black": (0.015, 0.015, 0.017), "navy": (0.02, 0.03, 0.09),
    "blue": (0.09, 0.18, 0.40), "red": (0.38, 0.03, 0.03), "grey": (0.17, 0.17, 0.18),
    "green": (0.06, 0.15, 0.07), "beige": (0.46, 0.37, 0.26), "pink": (0.55, 0.24, 0.28),
    "yellow": (0.60, 0.42, 0.06),
}  # fmt: skip
SKINS: dict[str, Rgb] = {
    "pale": (0.58, 0.37, 0.28), "light": (0.47, 0.28, 0.19), "olive": (0.36, 0.20, 0.12),
    "brown": (0.20, 0.10, 0.055), "dark": (0.075, 0.038, 0.024),
}  # fmt: skip
HAIRS: dict[str, Rgb] = {
    "black": (0.010, 0.009, 0.008), "dark": (0.028, 0.018, 0.012), "brown": (0.075, 0.040, 0.020),
    "blond": (0.36, 0.23, 0.10), "grey": (0.27, 0.27, 0.26),
}  # fmt: skip
INTERIORS: dict[str, tuple[Rgb, Rgb]] = {
    "black": ((0.020, 0.020, 0.021), (0.026, 0.026, 0.026)),
    "grey": ((0.11, 0.11, 0.115), (0.08, 0.08, 0.083)),
    "beige": ((0.46, 0.37, 0.27), (0.36, 0.29, 0.21)),
    "tan": ((0.27, 0.12, 0.05), (0.05, 0.045, 0.04)),
    "red": ((0.24, 0.02, 0.02), (0.022, 0.022, 0.022)),
}
"""Colours of the seats and of the trim below the windows, by the name of an interior."""

FIXED: dict[str, Material] = {
    **{f"decal_{name}": Material(rgb, roughness=0.35) for name, rgb in DECALS.items()},
    "rust": Material((0.12, 0.04, 0.015), roughness=0.95),
    "primer": Material(_grey(0.30), roughness=0.8),
    "tyre": Material((0.018, 0.018, 0.019), roughness=0.75),
    "tyre_letters": Material((0.055, 0.055, 0.056), roughness=0.7),
    "rubber": Material(_grey(0.01), roughness=0.7),
    "gap": Material(_grey(0.004), roughness=0.9),
    "plastic": Material(_grey(0.022), roughness=0.55),
    "underbody": Material(_grey(0.014), roughness=0.9),
    "chassis": Material((0.035, 0.034, 0.033), metallic=0.2, roughness=0.65),
    "exhaust": Material((0.17, 0.155, 0.14), metallic=0.6, roughness=0.55),
    "liner": Material(_grey(0.006), roughness=0.95),
    "interior": Material(_grey(0.022), roughness=0.8),
    "headliner": Material((0.42, 0.41, 0.39), roughness=0.95),
    "dial": Material(_grey(0.01), roughness=0.1, coat=0.6),
    "handrail": Material((0.65, 0.42, 0.02), roughness=0.35),
    "chrome": Material(_grey(0.75), metallic=1.0, roughness=0.08),
    "alloy": Material(_grey(0.52), metallic=0.75, roughness=0.3, coat=0.3),
    "alloy_bright": Material((0.66, 0.66, 0.655), metallic=0.85, roughness=0.2, coat=0.3),
    "alloy_machined": Material(_grey(0.70), metallic=0.9, roughness=0.22),
    "alloy_dark": Material((0.11, 0.112, 0.116), metallic=0.6, roughness=0.3, coat=0.4),
    "alloy_black": Material(_grey(0.018), roughness=0.3, coat=0.6),
    "steel": Material(_grey(0.35), metallic=0.8, roughness=0.4),
    "brake_disc": Material((0.40, 0.385, 0.37), metallic=0.85, roughness=0.38),
    "cast_iron": Material((0.07, 0.062, 0.057), metallic=0.4, roughness=0.75),
    "calliper_iron": Material((0.16, 0.155, 0.15), metallic=0.5, roughness=0.55),
    "calliper_red": Material((0.42, 0.015, 0.012), roughness=0.35, coat=0.5),
    "calliper_yellow": Material((0.65, 0.40, 0.02), roughness=0.35, coat=0.5),
    "calliper_blue": Material((0.02, 0.07, 0.32), roughness=0.35, coat=0.5),
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
    "galvanised": Material((0.32, 0.33, 0.34), metallic=0.6, roughness=0.55),
    "polished_steel": Material(_grey(0.6), metallic=1.0, roughness=0.22),
    "tipper_steel": Material((0.16, 0.05, 0.03), roughness=0.7),
    "drum_stripe": Material((0.35, 0.03, 0.02), roughness=0.5),
    "tarpaulin": Material((0.03, 0.07, 0.2), roughness=0.6),
    "black_glass": Material((0.006, 0.008, 0.008), roughness=0.04, coat=1.0),
    "reflector_red": Material((0.42, 0.012, 0.012), roughness=0.35),
    "reflector_white": Material(_grey(0.72), roughness=0.35),
    "led_amber": Material((0.5, 0.2, 0.02), roughness=0.5, emission=(0.9, 0.32, 0.03)),
}
"""Materials that every vehicle shares, by name; ``glass`` and ``paint`` come from its spec."""
for _kind, _palette, _roughness in (("cloth", CLOTHS, 0.9), ("skin", SKINS, 0.5),
                                    ("hair", HAIRS, 0.6)):  # fmt: skip
    FIXED |= {f"{_kind}_{k}": Material(v, roughness=_roughness) for k, v in _palette.items()}


def interior(colour: str) -> dict[str, Material]:
    """The materials of an interior: its seats, and the trim below the windows."""
    seat, trim = INTERIORS[colour]
    return {"seat": Material(seat, roughness=0.6), "door_trim": Material(trim, roughness=0.75)}


def lights(day: bool, head: bool, brake: bool) -> dict[str, Material]:
    """The materials of the lamps that may shine: strips of daylight, head lamps, brake lights."""
    white, red = (0.95, 0.97, 1.0), (1.0, 0.03, 0.02)

    def shining(colour: Rgb, strength: float) -> Rgb:
        return (strength * colour[0], strength * colour[1], strength * colour[2])

    off = (0.0, 0.0, 0.0)
    return {
        "lamp_day": Material(
            _grey(0.3), metallic=0.3, roughness=0.2, emission=shining(white, 5.0 * day)
        ),
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


def snow_cover(snow: float, normals: np.ndarray) -> np.ndarray:
    """(n,) share of the surface with unit ``normals`` (n, 3) under snow, where ``snow`` of what
    faces up is: none on slopes steeper than 53 degrees. The pattern is the renderer's."""
    return snow * np.clip((normals[:, 2] - 0.6) / 0.25, 0, 1)


def dirt_cover(dirt: Dirt, points: np.ndarray) -> np.ndarray:
    """(n,) share of the surface at points (n, 3) that dirt hides: a film all over, more low down,
    behind the wheels and at the rear end. The pattern itself, which varies about it, is the
    renderer's."""
    x, z = points[:, 0], points[:, 2]
    low = np.clip((0.95 - z) / 0.80, 0, 1) ** 2
    spray = np.clip((0.85 - z) / 0.60, 0, 1)
    behind = np.abs(x[:, None] + 0.55 - 0.5 * dirt.wheelbase * np.array([1.0, -1.0]))
    splash = np.clip((0.55 - behind) / 0.45, 0, 1).sum(axis=1) * spray
    rear = np.clip((dirt.rear_x + 0.5 - x) / 0.45, 0, 1)
    return np.minimum(dirt.amount * (0.16 + 0.75 * low + 0.55 * splash + 0.30 * rear), 0.85)
