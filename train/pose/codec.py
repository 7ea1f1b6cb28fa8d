"""Keypoints to heatmaps and back, without loss: apart from the network that lies between.

A heatmap pixel (i, j) stands for the point ``((j + 0.5) * stride, (i + 0.5) * stride)`` of the
input, its centre. Gaussians are drawn about the exact, unrounded point, and read back by fitting
a Gaussian to the logarithm about the peak, as in "Distribution-aware coordinate representation
for human pose estimation" (Zhang et al., CVPR 2020). The mirrored input therefore has exactly the
mirrored heatmaps, and averaging the two needs no shift.
"""

from __future__ import annotations

import torch
from torch import Tensor

STRIDE = 4
"""Input pixels a heatmap pixel."""
_FLOOR = 1e-3  # share of the peak below which a value is noise, not a Gaussian's flank


def encode(points: Tensor, size: int, sigma: float) -> Tensor:
    """Heatmaps (..., size, size) with peak 1 of points (..., 2) in input pixels.

    ``sigma`` is in heatmap pixels.
    """
    centres = torch.arange(size, dtype=points.dtype, device=points.device)
    at = points / STRIDE - 0.5
    x, y = (torch.exp(-((centres - at[..., i, None]) ** 2) / (2 * sigma**2)) for i in (0, 1))
    return y[..., :, None] * x[..., None, :]


def decode(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Points (..., 2) in input pixels, and peak values (...), of heatmaps (..., h, w).

    Exact for a Gaussian whose centre lies within the heatmap or half a pixel outside.
    """
    height, width = heatmaps.shape[-2:]
    flat = heatmaps.flatten(-2)
    peak, place = flat.max(dim=-1)
    # The fit needs neighbours on all sides: at the border it is made one pixel further inside.
    y = torch.div(place, width, rounding_mode="floor").clamp(1, height - 2)
    x = (place % width).clamp(1, width - 2)
    window = _windows(flat, y, x, width)
    logs = torch.maximum(window, (peak * _FLOOR).clamp(min=1e-12)[..., None, None]).log()
    offset = _newton_step(logs)
    points = torch.stack([x, y], dim=-1) + offset + 0.5
    return points * STRIDE, peak


def _windows(flat: Tensor, y: Tensor, x: Tensor, width: int) -> Tensor:
    """The 3 x 3 surroundings (..., 3, 3) of pixels (y, x) of flattened maps (..., h * w)."""
    steps = torch.arange(-1, 2, device=flat.device)
    index = (y[..., None, None] + steps[:, None]) * width + x[..., None, None] + steps
    return flat.gather(-1, index.flatten(-2)).unflatten(-1, (3, 3))


def _newton_step(logs: Tensor) -> Tensor:
    """Where (..., 2), from the middle of windows (..., 3, 3), their quadratic has its maximum.

    Zero where it has none; at most 1.5 pixels in each direction.
    """
    middle = logs[..., 1, 1]
    dx = (logs[..., 1, 2] - logs[..., 1, 0]) / 2
    dy = (logs[..., 2, 1] - logs[..., 0, 1]) / 2
    dxx = logs[..., 1, 2] + logs[..., 1, 0] - 2 * middle
    dyy = logs[..., 2, 1] + logs[..., 0, 1] - 2 * middle
    dxy = (logs[..., 2, 2] + logs[..., 0, 0] - logs[..., 2, 0] - logs[..., 0, 2]) / 4
    determinant = dxx * dyy - dxy**2
    has_maximum = (determinant > 1e-9) & (dxx < 0)
    safe = torch.where(has_maximum, determinant, 1.0)
    step = torch.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], dim=-1) / safe[..., None]
    return torch.where(has_maximum[..., None], step, 0.0).clamp(-1.5, 1.5)
