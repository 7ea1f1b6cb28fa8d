"""What a camera does to an ideal picture: light, optics, resolution, grain, tone, compression.

Nothing here moves anything: every step is symmetric about the pixel it writes, so that labels stay
exact (held to 0.1 px in the tests). Chromatic aberration moves red and blue to opposite sides of
green, which stays; interlacing moves the two fields to opposite sides. A rolling shutter does move
things: it is part of the camera's calibration (``pamtri.camera``), and so of the labels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.scene import SensorSpec
from synth.tone import linear_of, to_srgb
from synth.video import compress_video

Image = NDArray[np.uint8]
_Floats = NDArray[Any]
"""float32, 0..1."""
_REC709 = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Luminance of the sRGB primaries."""
_PAPER = 0.8
"""Linear light above which a picture begins to overflow."""
_OVERFLOW = 12.0
"""How many times brighter than they appear clipped lights are, about."""
_HALO = ((0.006, 0.45), (0.025, 0.35), (0.09, 0.20))
"""Standard deviations, as shares of the picture's longer side, and weights of scattered light."""


def apply_sensor(image: Image, spec: SensorSpec) -> Image:
    """The (h, w, 3) sRGB picture as the camera hands it to its encoder.

    Light, optics and resolution act on linear light; grain and tone on the sRGB values.
    """
    light = linear_of(image)
    light *= np.float32(2**spec.exposure_ev) * np.array(spec.white_balance, dtype=np.float32)
    light = _scatter(light, spec.glare)
    light = _motion(_blur(light, spec.blur_px), spec.motion_px, spec.motion_angle_deg)
    light = _interlace(_fringes(light, spec.aberration_px), spec.interlacing_px)
    picture = to_srgb(np.clip(_downscale(light, spec.downscale), 0, 1))
    picture = _grain(picture, spec.noise, spec.seed)
    picture = (picture - 0.5) * np.float32(spec.contrast) + 0.5
    grey = (picture @ _REC709)[..., None]
    picture = grey + (picture - grey) * np.float32(spec.saturation)
    picture *= _falloff(picture.shape[0], picture.shape[1], spec.vignetting)
    if spec.gamma != 1:
        picture = np.clip(picture, 0, 1) ** np.float32(spec.gamma)
    picture = _sharpen(picture, spec.sharpening)
    result: Image = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if spec.timestamp is not None:
        result = burn_in(result, spec.timestamp)
    return compress_video(result, spec.video_qp) if spec.video_qp else result


def encode_jpeg(image: Image, quality: int) -> bytes:
    """The (h, w, 3) sRGB picture as the bytes of a JPEG file; ``quality`` 1..100."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()


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


def _scatter(light: _Floats, share: float) -> _Floats:
    """Spread a share of what is brighter than paper over its surroundings, near and far."""
    if share == 0:
        return light
    bright = np.clip(light - _PAPER, 0, None) * np.float32(share * _OVERFLOW)
    size = float(max(light.shape[:2]))
    for reach, weight in _HALO:
        light = light + np.float32(weight) * _blur(bright, reach * size)
    return light


def _fringes(light: _Floats, shift: float) -> _Floats:
    """Red enlarged and blue reduced about the centre, by ``shift`` pixels at the corners."""
    if shift == 0:
        return light
    height, width = light.shape[:2]
    change = 2 * shift / float(np.hypot(height, width))
    red, green, blue = (
        channel if scale == 1 else _magnified(channel, scale)
        for channel, scale in zip(cv2.split(light), (1 + change, 1.0, 1 - change), strict=True)
    )
    return np.dstack([red, green, blue])


def _magnified(channel: _Floats, scale: float) -> _Floats:
    """Enlarged about the middle of the picture; its size stays."""
    height, width = channel.shape
    # OpenCV counts from the first pixel's centre.
    x, y = (width - 1) / 2, (height - 1) / 2
    back = np.array([[1 / scale, 0, x - x / scale], [0, 1 / scale, y - y / scale]])
    return _resampled(channel, back)


def _interlace(light: _Floats, distance: float) -> _Floats:
    """Even rows half of ``distance`` to the left, odd rows half of it to the right."""
    if distance == 0:
        return light
    woven = light.copy()
    for first, offset in ((0, distance / 2), (1, -distance / 2)):
        woven[first::2] = _resampled(light, np.array([[1, 0, offset], [0, 1, 0]]))[first::2]
    return woven


def _resampled(light: _Floats, back: _Floats) -> _Floats:
    """The picture whose pixels lie at ``back`` (2, 3) @ (x, y, 1) in ``light``."""
    height, width = light.shape[:2]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved: _Floats = cv2.warpAffine(
        light, back, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return moved


def _sharpen(picture: _Floats, amount: float) -> _Floats:
    """Unsharp masking."""
    if amount == 0:
        return picture
    return picture + np.float32(amount) * (picture - _blur(picture, 1.0))


def burn_in(picture: Image, text: str) -> Image:
    """``text`` in the upper left corner of an (h, w, 3) picture, white with a dark rim."""
    marked = np.ascontiguousarray(picture)
    scale = picture.shape[1] / 640
    at = (round(8 * scale) + 1, round(22 * scale) + 5)
    for colour, thick in (((0, 0, 0), 3), ((235, 235, 235), 1)):
        cv2.putText(
            marked, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.7 * scale, colour, thick, cv2.LINE_AA
        )
    return marked


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
