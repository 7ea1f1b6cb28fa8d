"""From the azimuth head's output to an azimuth."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float32]


def directions(output: Tensor) -> Tensor:
    """Sine and cosine (n, 2) of the azimuth that the head's ``output`` says.

    Of scores of sectors (n, bins) the middle of the most probable one, drawn towards its
    neighbours by how probable these are.
    """
    if output.shape[1] == 2:
        return F.normalize(output)
    bins = output.shape[1]
    angles = torch.arange(bins, device=output.device, dtype=output.dtype) * (2 * math.pi / bins)
    parts = output.softmax(dim=1)[..., None] * torch.stack([angles.sin(), angles.cos()], dim=1)
    about = parts + parts.roll(1, dims=1) + parts.roll(-1, dims=1)
    best = output.argmax(dim=1)[:, None, None].expand(-1, 1, 2)
    return F.normalize(about.gather(1, best)[:, 0])


def degrees(direction: Floats) -> Floats:
    """Azimuths (n,), 0 up to 360, of sines and cosines (n, 2)."""
    found = np.degrees(np.arctan2(direction[:, 0], direction[:, 1])) % 360
    return (found.astype(np.float32) % 360).astype(np.float32)  # a little below 0 becomes 360
