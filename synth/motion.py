"""What motion does to a vehicle's image: blur with an open shutter, shear with a rolling one."""

from __future__ import annotations

import numpy as np

from pamtri import camera
from synth.scene import CameraSpec

_STEP = 0.01
"""Metres over which the image's speed is measured."""


def speed_blur(view: CameraSpec, speed_kmh: float, exposure_ms: float) -> tuple[float, float]:
    """Length (pixels) and angle (degrees, 0 along a row, 90 down) of the blur of a vehicle that
    drives forward at ``speed_kmh`` while the shutter is open."""
    ends = np.array([[-_STEP / 2, 0.0, 0.5], [_STEP / 2, 0.0, 0.5]])
    pixels, _ = camera.project(ends, view.pose, view.intrinsics)
    x, y = (pixels[1] - pixels[0]) / _STEP * (speed_kmh / 3.6) * (exposure_ms / 1000)
    return float(np.hypot(x, y)), float(np.degrees(np.arctan2(y, x)) % 180)


def sheared(view: CameraSpec, share: float) -> CameraSpec:
    """The view as a rolling shutter shows it: the bottom of the image moved to the right against
    its top by ``share`` of the image's height, the middle row where it was."""
    if not share:
        return view
    skew = view.skew + share * view.fy
    # x moves by share * (y - height / 2), of which the skew brings share * (y - cy).
    cx = view.cx + share * (view.cy - view.height / 2)
    return view.model_copy(update={"skew": skew, "cx": cx})
