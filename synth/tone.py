"""Between sRGB pictures and linear light (IEC 61966-2-1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[Any]
"""float32."""


def to_linear(srgb: _Floats) -> _Floats:
    """Values 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: _Floats) -> _Floats:
    """Values 0..1."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def linear_of(picture: NDArray[np.uint8]) -> _Floats:
    """The light, float32 0..1, of an sRGB picture."""
    return to_linear(picture.astype(np.float32) / 255)


def srgb_of(light: _Floats) -> NDArray[np.uint8]:
    """The picture of linear light; what is brighter than 1 is clipped."""
    values: NDArray[np.uint8] = np.round(to_srgb(np.clip(light, 0, 1)) * 255).astype(np.uint8)
    return values
