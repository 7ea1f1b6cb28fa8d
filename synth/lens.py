"""Distortion and skew for renderers that know pinholes only: render wider, then resample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from pamtri import camera
from synth.scene import CameraSpec

_FINE_SIDE = 1024
"""Pixels that the longer side of a fine pinhole image has at least."""
_MARGIN = 2
"""Pixels around the pinhole image that the resampling filter may reach into."""


@dataclass(frozen=True)
class Pinhole:
    """The undistorted image to render: its size in pixels and its calibration."""

    width: int
    height: int
    intrinsics: camera.Intrinsics


def pinhole_for(view: CameraSpec) -> Pinhole:
    """The pinhole image, at the view's own focal lengths, that covers all of the view.

    Raises DataError for a distortion that cannot be inverted over the image.
    """
    if not _is_bent(view):
        return Pinhole(view.width, view.height, view.intrinsics)
    pixels = _pinhole_pixels(view, view.intrinsics).reshape(-1, 2)
    low = np.floor(pixels.min(axis=0)).astype(int) - _MARGIN
    high = np.ceil(pixels.max(axis=0)).astype(int) + _MARGIN
    straight = camera.Intrinsics(view.fx, view.fy, view.cx, view.cy)
    width, height = high - low
    return Pinhole(int(width), int(height), straight.crop(float(low[0]), float(low[1])))


def fine_pinhole_for(view: CameraSpec) -> Pinhole:
    """The same, finer where the lens distorts, so that ``sample_nearest`` misses by little; for
    values that must not be blended."""
    made = pinhole_for(view)
    if made == Pinhole(view.width, view.height, view.intrinsics):
        return made
    times = -(-_FINE_SIDE // max(made.width, made.height))
    return Pinhole(times * made.width, times * made.height, made.intrinsics.resize(times, times))


def apply_lens(image: np.ndarray, view: CameraSpec, pinhole: Pinhole) -> np.ndarray:
    """The view's image from the rendered pinhole image (h, w, 3) uint8."""
    if not _is_bent(view):
        return image
    # OpenCV counts from the first pixel's centre.
    source = (_pinhole_pixels(view, pinhole.intrinsics) - 0.5).astype(np.float32)
    x, y = np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1])
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def sample_nearest(values: np.ndarray, view: CameraSpec, pinhole: Pinhole) -> np.ndarray:
    """The same for values (h, w) that must not be blended, such as depths."""
    if not _is_bent(view):
        return values
    x, y = np.moveaxis(np.floor(_pinhole_pixels(view, pinhole.intrinsics)).astype(int), -1, 0)
    return values[y, x]


def _is_bent(view: CameraSpec) -> bool:
    """Whether the view differs from what renderers can do themselves."""
    return any(view.distortion) or view.skew != 0


def _pinhole_pixels(view: CameraSpec, pinhole: camera.Intrinsics) -> np.ndarray:
    """(h, w, 2) where the rays of the view's pixel centres meet the pinhole's image."""
    rays = _straight_rays(view.width, view.height, view.intrinsics)
    return rays * [pinhole.fx, pinhole.fy] + [pinhole.cx, pinhole.cy]


@lru_cache(maxsize=1)
def _straight_rays(width: int, height: int, intrinsics: camera.Intrinsics) -> np.ndarray:
    """(h, w, 2) undistorted directions, at depth 1, of the pixel centres of an image."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], axis=1), intrinsics)
    return rays[:, :2].reshape(height, width, 2)
