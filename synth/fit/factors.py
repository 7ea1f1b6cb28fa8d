"""The factors of a configuration that a fit moves, and how each is told from measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pamtri.record import Record


@dataclass(frozen=True)
class Factor:
    """A numeric factor that one of ``looks.SCALARS`` follows."""

    key: str
    """In the configuration."""
    measure: str
    """Of ``looks.SCALARS``."""
    drawn: Callable[[Record], float]
    """What a render drew, in the measurement's kind of unit (logarithms of distances)."""
    low: float
    high: float
    """What the fit may ask for, in the key's own unit."""
    logarithm: bool = False
    """Whether ``drawn`` is the logarithm of the key's value."""


def _sensor(name: str) -> Callable[[Record], float]:
    return lambda record: float(_scene(record)["sensor"][name])


def _scene(record: Record) -> dict[str, Any]:
    assert record.scene is not None
    return record.scene


def _warmth(record: Record) -> float:
    red, _, blue = _scene(record)["sensor"]["white_balance"]
    return float(np.log2(red / blue))


def _margin(record: Record) -> float:
    assert record.box_amodal is not None and record.width is not None and record.height is not None
    left, top, right, bottom = record.box_amodal
    room = np.mean([left, top, record.width - right, record.height - bottom])
    return float(room / max(right - left, bottom - top))


def _view(name: str) -> Callable[[Record], float]:
    return lambda record: float(getattr(record.viewpoint, name))


FACTORS: tuple[Factor, ...] = (
    Factor("camera.elevation_deg", "elevation", _view("elevation_deg"), 0, 80),
    Factor("camera.roll_deg", "roll", _view("roll_deg"), -30, 30),
    Factor(
        "camera.distance_m", "distance",
        lambda record: float(np.log(_view("distance_m")(record))), 3, 150, logarithm=True,
    ),
    Factor("camera.framing.margin", "margin", _margin, -0.2, 1),
    Factor("sensor.exposure_ev", "brightness", _sensor("exposure_ev"), -3, 3),
    Factor("sensor.contrast", "contrast", _sensor("contrast"), 0.3, 2.5),
    Factor("sensor.saturation", "saturation", _sensor("saturation"), 0, 3),
    Factor("sensor.warmth_ev", "warmth", _warmth, -1.5, 1.5),
    Factor("sensor.blur_px", "sharpness", _sensor("blur_px"), 0, 8),
    Factor("sensor.noise", "grain", _sensor("noise"), 0, 0.2),
)  # fmt: skip
"""Others keep what the configuration says."""
OVERRULING = {
    "camera.height_m": "camera.elevation_deg",
    "camera.balanced_azimuths": "camera.azimuth_deg",
    "camera.distance_lengths": "camera.distance_m",
    "camera.apparent_size": "camera.distance_m",
}
"""Keys that a configuration must leave out, and the factors that would have no effect beside."""
