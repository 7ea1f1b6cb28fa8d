"""Renders what each visual factor does, for ``docs/factors.md``: see ``docs/factors.py``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from factor_keys import keys, rules

from pamtri.config import parse_config
from pamtri.errors import ConfigError
from pamtri.images import read_image
from pamtri.progress import progress
from synth.config import SynthConfig
from synth.distributions import Limits, Names

FOLDER = Path(__file__).with_name("factors")
BASE: dict[str, Any] = {
    "name": "factors",
    "identities": 1,
    "images_per_identity": 1,
    "samples": 8,
    "image.size_px": 200,
    "vehicle.type": "sedan",
    "vehicle.colour": "blue",
    "camera.azimuth_deg": 35,
    "camera.elevation_deg": 6,
    "camera.distance_m": 9,
    "camera.framing.margin": 0.25,
    "light.hdri": "city.exr",
    "light.rotation_deg": 60,
    "ground.kind": "asphalt",
}
"""The scene in which one factor after another is changed."""
WITH: dict[str, dict[str, Any]] = {
    "light.sun": {"light.sun.probability": 1, "light.sun.azimuth_deg": 95},
    "light.clouds": {"light.hdri": "sky"},
    "occluders": {"occluders.probability": 1, "occluders.share": 0.2, "occluders.kind": "panel"},
    "occluders.colour.hue_deg": {"occluders.colour.saturation": 0.8},
    "ground.colour": {"ground.kind": "flat"},
    "ground.colour.hue_deg": {"ground.colour.saturation": 0.6},
    "backdrop.colour": {"backdrop.kind": "flat"},
    "backdrop.colour.hue_deg": {"backdrop.colour.saturation": 0.6},
    "camera.focal_mm": {"camera.apparent_size": 0.6},
    "camera.framing.truncation": {"camera.framing.truncation_probability": 1},
    "camera.distortion_k1": {"camera.distance_m": 5, "camera.off_axis_deg": 15},
    "camera.distortion_k2": {"camera.distance_m": 5, "camera.off_axis_deg": 15},
    "camera.rolling_shutter": {"camera.azimuth_deg": 75},
    "light.time": {"light.hdri": "sky", "light.time.probability": 1, "light.time.hour": 16},
    "light.overcast": {"light.hdri": "sky", "light.sun.probability": 1},
    "light.street_lamps": {
        "light.hdri": "sky",
        "light.time.probability": 1,
        "light.time.hour": 22,
        "light.street_lamps.probability": 1,
    },
    "light.shadow": {
        "light.hdri": "sky",
        "light.sun.probability": 1,
        "light.sun.azimuth_deg": 95,
        "light.shadow.probability": 1,
    },
    "weather.puddles": {"weather.kind": "wet"},
    "weather.spray": {"weather.kind": "wet", "camera.azimuth_deg": 125},
    "weather.rain_mm_h": {"weather.kind": "rain"},
    "weather.visibility_m": {"weather.kind": "fog"},
    "weather.snow": {"weather.kind": "snow"},
    "weather.dirt": {"weather.kind": "dust"},
    "weather.cloud": {
        "weather.kind": "rain",
        "light.hdri": "sky",
        "light.sun.probability": 1,
    },
    "sensor.motion_angle_deg": {"sensor.motion_px": 12},
    "sensor.glare": {"light.time.probability": 1, "light.time.hour": 22},
    "sensor.exposure_ms": {"sensor.speed_kmh": 40},
}
"""What a factor, or each of a section, needs beside it to be seen."""
ENDS: dict[str, tuple[Any, ...]] = {
    "backdrop.kind": ("hdri", "street", "flat", "noise"),  # a plate is the user's
    "camera.azimuth_deg": (0, 90, 180),
    "camera.elevation_deg": (0, 60),
    "camera.height_m": (0.5, 8),
    "camera.distance_m": (5, 60),
    "camera.distance_lengths": (1, 12),
    "camera.apparent_size": (0.05, 0.6),
    "camera.focal_mm": (24, 200),
    "camera.roll_deg": (-20, 20),
    "camera.framing.margin": (-0.1, 0.6),
    "camera.framing.truncation": (0.1, 0.6),
    "image.size_px": (32, 200),
    "light.rotation_deg": (0, 180),
    "light.strength": (0.2, 3),
    "camera.rolling_shutter": (-0.2, 0.2),
    "light.time.hour": (8, 12, 18),
    "light.time.day_of_year": (172, 355),
    "light.time.latitude_deg": (0, 60),
    "light.time.heading_deg": (0, 180),
    "light.street_lamps.strength": (0.05, 1),
    "light.street_lamps.height_m": (4, 12),
    "light.street_lamps.temperature_k": (2000, 6500),
    "light.shadow.across_m": (-2, 2),
    "light.shadow.along_m": (-2, 2),
    "weather.rain_mm_h": (2, 40),
    "weather.visibility_m": (20, 200),
    "state.steer_deg": (-35, 0, 35),
    "light.sun.azimuth_deg": (95, 275),
    "light.sun.strength": (0.5, 8),
    "light.sun.angle_deg": (0.5, 40),
    "light.sun.temperature_k": (2500, 12000),
    "ground.colour.hue_deg": (0, 240),
    "backdrop.colour.hue_deg": (0, 240),
    "occluders.colour.hue_deg": (0, 240),
    "occluders.share": (0.1, 0.4),
    "sensor.exposure_ev": (-2, 2),
    "sensor.warmth_ev": (-1, 1),
    "sensor.tint_ev": (-0.5, 0.5),
    "sensor.blur_px": (0, 3),
    "sensor.motion_px": (0, 12),
    "sensor.motion_angle_deg": (0, 90),
    "sensor.downscale": (1, 6),
    "sensor.noise": (0, 0.15),
    "sensor.iso": (0, 25600),
    "sensor.gamma": (0.6, 1.7),
    "sensor.sharpening": (0, 2),
    "sensor.glare": (0, 0.8),
    "sensor.interlacing_px": (0, 4),
    "sensor.video_qp": (0, 44),
    "sensor.speed_kmh": (0, 90),
    "sensor.exposure_ms": (1, 15),
    "sensor.contrast": (0.5, 1.8),
    "sensor.saturation": (0, 2),
    "sensor.jpeg_quality": (5, 95),
}
"""What is shown where the limits themselves show little; names are all shown."""
UNSEEN = ("vehicle.", "camera.balanced_azimuths")
"""Keys that no picture of one vehicle shows; the gallery shows the vehicles."""
CELL = (200, 130)
"""Width and height of each picture, pixels."""


def pictured() -> dict[str, str]:
    """The keys that have a picture, each with what it shows, in words."""
    return {key: ", ".join(_text(v) for v in values) for key, values in shown()}


def draw(chosen: list[str]) -> None:
    """Render the pictures of the ``chosen`` keys, or of all.

    Raises ConfigError for a key without one.
    """
    from synth.images import open_renderer, render_image
    from synth.sampling import sample_scene

    values_by_key = dict(shown())
    for key in chosen:
        if key not in values_by_key:
            raise ConfigError(f"{key}: has no picture")
    FOLDER.mkdir(exist_ok=True)
    renderer = open_renderer("blender", threads=2)
    wanted = chosen or list(values_by_key)
    with progress(len(wanted), "pictures") as bar:
        for key in wanted:
            cells = []
            for value in values_by_key[key]:
                scene = sample_scene(scene_config(key, value), 0, 0)
                picture = read_image(io.BytesIO(render_image(scene, renderer).jpeg))
                cells.append(_cell(picture, _text(value)))
            sheet = cv2.cvtColor(_rows(cells), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(FOLDER / f"{key}.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
            bar.update()


def shown() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every key that has a picture, with the values that it shows."""
    for key, field in keys(SynthConfig).items():
        if key.startswith(UNSEEN):
            continue
        for rule in rules(field):
            if key in ENDS:
                yield key, ENDS[key]
            elif isinstance(rule, Names):
                yield key, rule.names
            elif isinstance(rule, Limits):
                yield key, (rule.low, rule.high)


def scene_config(key: str, value: Any) -> SynthConfig:
    """The configuration of the picture that shows ``key`` at ``value``."""
    flat = dict(BASE)
    for prefix, more in WITH.items():
        if key.startswith(prefix):
            flat |= more
    flat[key] = value
    data: dict[str, Any] = {}
    for dotted, setting in flat.items():
        *sections, last = dotted.split(".")
        place = data
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = setting
    return parse_config(data, SynthConfig, source=key)


def _rows(cells: list[np.ndarray]) -> np.ndarray:
    """The cells in rows of five at most."""
    width = min(len(cells), 5)
    blank = np.full_like(cells[0], 255)
    padded = cells + [blank] * (-len(cells) % width)
    return np.vstack([np.hstack(padded[i : i + width]) for i in range(0, len(padded), width)])


def _cell(picture: np.ndarray, caption: str) -> np.ndarray:
    """The picture as large as it fits, over its caption."""
    width, height = CELL
    scale = min(width / picture.shape[1], (height - 16) / picture.shape[0])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else 0)
    cell = np.full((height, width, 3), 255, dtype=np.uint8)
    left = (width - size[0]) // 2
    cell[: size[1], left : left + size[0]] = fitted
    place = 4, height - 4
    cv2.putText(cell, caption, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return cell


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)
