"""What a camera does to an ideal picture: light, optics, resolution, grain, tone, compression.

Nothing here moves anything: every step is symmetric about the pixel it writes, so that labels stay
exact (held to 0.1 px in the tests).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.scene import SensorSpec

Image = NDArray[np.uint8]
_Floats = NDArray[Any]
"""float32, 0..1."""
_REC709 = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Luminance of the sRGB primaries."""


def apply_sensor(image: Image, spec: SensorSpec) -> Image:
    """The (h, w, 3) sRGB picture as the camera hands it to its encoder.

    Light, optics and resolution act on linear light; grain and tone on the sRGB values.
    """
    light = _to_linear(image.astype(np.float32) / 255)
    light *= np.float32(2**spec.exposure_ev) * np.array(spec.white_balance, dtype=np.float32)
    light = _motion(_blur(light, spec.blur_px), spec.motion_px, spec.motion_angle_deg)
    picture = _to_srgb(np.clip(_downscale(light, spec.downscale), 0, 1))
    picture = _grain(picture, spec.noise, spec.seed)
    picture = (picture - 0.5) * np.float32(spec.contrast) + 0.5
    grey = (picture @ _REC709)[..., None]
    picture = grey + (picture - grey) * np.float32(spec.saturation)
    picture *= _falloff(picture.shape[0], picture.shape[1], spec.vignetting)
    result: Image = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return result


def encode_jpeg(image: Image, quality: int) -> bytes:
    """The (h, w, 3) sRGB picture as the bytes of a JPEG file; ``quality`` 1..100."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()


def _to_linear(srgb: _Floats) -> _Floats:
    """IEC 61966-2-1, values 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _to_srgb(linear: _Floats) -> _Floats:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def _blur(image: _Floats, sigma: float) -> _Floats:
    if sigma == 0:
        return image
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _motion(image: _Floats, length: float, angle_deg: float) -> _Floats:
    """Average along a line through each pixel, of ``length`` pixels at ``angle_deg``."""
    if length == 0:
        return image
    kernel = motion_kernel(length, angle_deg)
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT)


def motion_kernel(length: float, angle_deg: float) -> _Floats:
    """(k, k) weights of a line through the centre, shared out among the pixels that it crosses."""
    reach = int(np.ceil(length / 2)) + 1
    count = 16 * reach
    steps = length * ((np.arange(count) + 0.5) / count - 0.5)[:, None]
    angle = np.radians(angle_deg)
    points = reach + steps * np.array([np.sin(angle), np.cos(angle)])
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    corner = np.floor(points).astype(int)
    part = points - corner
    for row in (0, 1):
        for column in (0, 1):
            weight = np.abs(1 - row - part[:, 0]) * np.abs(1 - column - part[:, 1])
            np.add.at(kernel, (corner[:, 0] + row, corner[:, 1] + column), weight)
    return (kernel / kernel.sum()).astype(np.float32)


def _downscale(image: _Floats, factor: float) -> _Floats:
    if factor == 1:
        return image
    height, width = image.shape[:2]
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    taken = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(taken, (width, height), interpolation=cv2.INTER_CUBIC)


def _grain(picture: _Floats, noise: float, seed: int) -> _Floats:
    """Gaussian grain that grows with brightness as shot noise does, over a floor of read noise."""
    if noise == 0:
        return picture
    grain = np.random.default_rng(seed).standard_normal(picture.shape, dtype=np.float32)
    return picture + np.float32(noise) * np.sqrt(0.2 + 1.6 * picture) * grain


def _falloff(height: int, width: int, vignetting: float) -> _Floats:
    """(h, w, 1) factor on sRGB values; light falls with the squared distance from the centre."""
    y = (np.arange(height) + 0.5) / height * 2 - 1
    x = (np.arange(width) + 0.5) / width * 2 - 1
    light = 1 - vignetting * (x[None, :] ** 2 + y[:, None] ** 2) / 2
    return (light[..., None] ** (1 / 2.2)).astype(np.float32)
