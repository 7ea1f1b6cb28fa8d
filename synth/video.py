"""What a traffic camera's video codec leaves of a picture.

The losses of H.264's key frames without their prediction: colour at half resolution, cosine
transforms of 8x8 (luma) and 4x4 (chroma) blocks quantised with the standard's step, and its filter
over block edges. ITU-T H.264, clauses 8.5 (transforms) and 8.7 (deblocking).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

Image = NDArray[np.uint8]
_Plane = NDArray[Any]
"""(h, w) float32, 0..255."""
_ROUNDING = 1 / 3
"""Encoders round key frames' coefficients down from two thirds on."""
_CHROMA_QP = (
    29,
    30,
    31,
    32,
    32,
    33,
    34,
    34,
    35,
    35,
    36,
    36,
    37,
    37,
    37,
    38,
    38,
    38,
    39,
    39,
    39,
    39,
)
"""Chroma's quantiser for luma's from 30 on; below it is the same (table 8-15)."""


def compress_video(picture: Image, qp: int) -> Image:
    """The (h, w, 3) sRGB picture after coding with quantiser ``qp``, 1..51."""
    height, width = picture.shape[:2]
    whole = cv2.copyMakeBorder(
        picture, 0, -height % 16, 0, -width % 16, borderType=cv2.BORDER_REPLICATE
    )
    luma, red, blue = cv2.split(cv2.cvtColor(whole, cv2.COLOR_RGB2YCrCb).astype(np.float32))
    coded = [_coded(luma, qp, 8)]
    chroma_qp = qp if qp < 30 else _CHROMA_QP[qp - 30]
    for plane in (red, blue):
        half = cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        half = _coded(half, chroma_qp, 4)
        coded.append(cv2.resize(half, plane.shape[::-1], interpolation=cv2.INTER_LINEAR))
    planes = np.round(np.clip(np.dstack(coded), 0, 255)).astype(np.uint8)
    result: Image = cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)[:height, :width]
    return np.ascontiguousarray(result)


def quantiser_step(qp: int) -> float:
    """The step between levels of a cosine coefficient: 0.625 at 0, doubling every 6."""
    return float(0.625 * 2 ** (qp / 6))


def _coded(plane: _Plane, qp: int, size: int) -> _Plane:
    """Quantise blocks of ``size``, then smooth their edges."""
    height, width = plane.shape
    blocks = plane.reshape(height // size, size, width // size, size) - np.float32(128)
    found = dctn(blocks, axes=(1, 3), norm="ortho")
    step = np.float32(quantiser_step(qp))
    levels = np.sign(found) * np.floor(np.abs(found) / step + np.float32(_ROUNDING))
    decoded = idctn(levels * step, axes=(1, 3), norm="ortho").reshape(height, width)
    decoded = np.clip(decoded + np.float32(128), 0, 255)
    # Rows, then columns, as the standard has it.
    return _deblocked(_deblocked(decoded, qp, size).T, qp, size).T


def _deblocked(plane: _Plane, qp: int, size: int) -> _Plane:
    """Smooth the edges between columns of blocks where the jump is small enough to be the codec's.

    The thresholds are the standard's table of alpha and beta as the exponentials it was made from.
    """
    alpha = 0.8 * (2 ** (qp / 6) - 1)
    beta = 0.5 * qp - 7
    if beta <= 0:
        return plane
    edge = np.arange(size, plane.shape[1], size)
    p1, p0, q0, q1 = (plane[:, edge + k] for k in (-2, -1, 0, 1))
    ours = (abs(p0 - q0) < alpha) & (abs(p1 - p0) < beta) & (abs(q1 - q0) < beta)
    smooth = plane.copy()
    smooth[:, edge - 1] = np.where(ours, (2 * p1 + p0 + q1) / 4, p0)
    smooth[:, edge] = np.where(ours, (2 * q1 + q0 + p1) / 4, q0)
    return smooth
