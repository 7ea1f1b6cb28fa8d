"""Depth and normals as 16-bit PNG files, and back.

A step of depth is a millimetre up to 65 m and a centimetre beyond, so what is read is right to half
of that. Normals keep four decimals.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.errors import DataError

_MOST = 2**16 - 1
_MIDDLE, _SCALE = 2**15, 2**15 - 1


def encode_depth(depth: NDArray[np.float32]) -> tuple[NDArray[np.uint16], float]:
    """(h, w) metres, 0 for nothing, as uint16 and the metres of one step."""
    furthest = float(depth.max(initial=0.0))
    step = next(s for s in (0.001, 0.01, 0.1) if furthest <= s * _MOST)
    return np.round(depth / step).astype(np.uint16), step


def read_depth(path: Path, step_m: float) -> NDArray[np.float64]:
    """(h, w) metres along the optical axis, 0 where the vehicle is not visible.

    Raises DataError when the file is missing or no 16-bit PNG of one channel.
    """
    return _read_png(path, 2) * step_m


def encode_normals(normals: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(h, w, 3) unit vectors, 0 for none, as uint16."""
    there = normals.any(axis=2, keepdims=True)
    return np.where(there, np.round(_MIDDLE + _SCALE * normals), 0).astype(np.uint16)


def read_normals(path: Path) -> NDArray[np.float64]:
    """(h, w, 3) x, y and z in the camera's frame, 0 where the vehicle is not visible.

    Raises DataError when the file is missing or no 16-bit PNG of three channels.
    """
    values = _read_png(path, 3)[:, :, ::-1]
    there = values.any(axis=2, keepdims=True)
    return np.where(there, (values.astype(float) - _MIDDLE) / _SCALE, 0)


def encode_png(picture: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """A PNG file of (h, w) or (h, w, 3) RGB values."""
    colour = picture.ndim == 3
    return cv2.imencode(".png", picture[:, :, ::-1] if colour else picture)[1].tobytes()


def _read_png(path: Path, axes: int) -> NDArray[np.uint16]:
    data = np.frombuffer(path.read_bytes(), np.uint8) if path.is_file() else None
    values = None if data is None or not data.size else cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if values is None:
        raise DataError(f"{path}: is missing or unreadable")
    if values.dtype != np.uint16 or values.ndim != axes:
        channels = 1 if axes == 2 else 3
        raise DataError(f"{path}: expected a 16-bit PNG of {channels} channel(s)")
    return values.astype(np.uint16)
