"""What the 36 keypoints of the nine vehicle types look like in 3-D: a mean and how it varies.

Written by ``python -m render_assets.imported.keypoint_shapes`` from the statistical shape of the
parametric vehicles. Vehicle frame as in ``pamtri.camera``; the unit is the vehicle's own length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("viewpoint_shapes.npz")


@dataclass(frozen=True, eq=False)
class KeypointShapes:
    """A Gaussian a type, in the order of ``pamtri.attributes.TYPES``; t types, k modes.

    A vehicle's points are ``mean + latents @ modes`` with unit normal latents (k,), and each point
    lies about ``noise`` from there in each direction. Its length in metres is about
    ``length_mean + latents @ length_modes``.
    """

    mean: NDArray[np.float64]
    """(t, 36, 3) vehicle lengths."""
    modes: NDArray[np.float64]
    """(t, k, 36, 3)."""
    noise: NDArray[np.float64]
    """(t, 36)."""
    length_mean: NDArray[np.float64]
    """(t,) metres."""
    length_modes: NDArray[np.float64]
    """(t, k) metres."""


@lru_cache(maxsize=1)
def load_shapes() -> KeypointShapes:
    """The shapes that come with the package."""
    with np.load(FILE, allow_pickle=False) as archive:
        return KeypointShapes(**{name: archive[name].astype(float) for name in archive.files})
