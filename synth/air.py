"""What hangs and falls in the air between the camera and the scene, worked into the picture.

Fog follows Koschmieder's law from an exact map of distances, ray cast from the scene's geometry:
light is attenuated by ``exp(-3.912 d / V)`` at a visibility of V, and what is lost is replaced by
the air's own light (W. Middleton, "Vision through the atmosphere", 1952). Nothing moves, and the
labels count only what is solid.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri import camera
from pamtri.keypoints import INDEX
from synth.geometry import SceneGeometry
from synth.labels import RayTarget, vehicle_target
from synth.scene import CameraSpec, SceneSpec, WeatherSpec
from synth.tone import linear_of, srgb_of

Image = NDArray[np.uint8]
_Floats = NDArray[Any]
"""float32."""
_BACKDROP_M = 120.0
"""How far away what an environment map shows near its horizon is taken to be."""
_LAMP = 0.85
"""Linear light from which on a picture shows a lamp, which is really brighter."""
_LAMP_GAIN = 15.0
_LAYERS = ((0.35, 1.0, 0.08), (0.35, 0.6, 0.10), (0.30, 0.35, 0.12))
"""Share of the streaks, their scale and their strength, from near to far."""
_PUFFS = 14
"""Balls of spray behind each wheel."""
_STREAKS = 30.0
"""Streaks a picture for each millimetre an hour."""


def add_air(picture: Image, spec: SceneSpec, geometry: SceneGeometry) -> Image:
    """The (h, w, 3) sRGB picture with the weather between it and the camera."""
    weather = spec.weather
    if weather.visibility_m is None and not (weather.rain_mm_h or weather.spray):
        return picture
    light = linear_of(picture)
    glow = np.array(weather.haze, np.float32) * _light_of_air(
        light, float(np.mean(spec.light.dusk))
    )
    distance = scene_distance(spec, geometry)
    if weather.spray:
        light = _spray(light, spec, geometry, glow, distance)
    if weather.visibility_m is not None:
        left = np.exp(-3.912 * distance / weather.visibility_m)[..., None].astype(np.float32)
        lamps = light + _LAMP_GAIN * np.clip(light - _LAMP, 0, None)
        light = lamps * left + glow * (1 - left)
    if weather.rain_mm_h:
        rng = np.random.default_rng([weather.seed, 11])
        light = _streaks(light, weather, glow, rng)
        light = _drops(light, weather, rng)
    return srgb_of(light)


def scene_distance(spec: SceneSpec, geometry: SceneGeometry) -> NDArray[np.float64]:
    """(h, w) metres from the camera to what each pixel's centre shows: vehicle, occluders,
    scenery, ground, or the backdrop, which is taken to be 120 m away."""
    view = spec.camera
    x, y = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], axis=1), view.intrinsics)
    length = np.linalg.norm(rays, axis=1)
    directions, eye = rays @ view.pose.rotation, view.pose.centre
    with np.errstate(divide="ignore"):
        ground = -eye[2] / directions[:, 2]
    depth = np.where(ground > 0, ground, np.inf)
    bodies = [*geometry.occluders, *([geometry.scenery] if geometry.scenery else [])]
    others = RayTarget([part for body in bodies for part in body.parts])
    for target in (vehicle_target(geometry.vehicle.parts), others):
        depth = np.minimum(depth, target.cast(eye, directions)[0])
    return np.minimum(depth * length, _BACKDROP_M).reshape(x.shape)


def _light_of_air(light: _Floats, day: float) -> _Floats:
    """(3,) what thick air looks like: a little brighter than most of the scene whose light it
    scatters, and less colourful. By ``day`` (1, at night 0) it has the sky's light too."""
    grey = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    level = 1.5 * np.percentile(grey, 75 + 15 * day)
    level = np.clip(level, 0.02 + 0.2 * day, 0.65)
    mean = light[grey >= np.median(grey)].mean(axis=0)
    share = 0.4 - 0.25 * day
    colour: _Floats = 1 - share + share * mean / max(float(mean.mean()), 1e-6)
    return (level * colour).astype(np.float32)


def _spray(
    light: _Floats, spec: SceneSpec, geometry: SceneGeometry, glow: _Floats, distance: _Floats
) -> _Floats:
    """A plume of water behind each wheel, hidden where something stands before it."""
    rng = np.random.default_rng([spec.weather.seed, 12])
    left = np.ones(light.shape[:2], np.float32)
    for side in ("left", "right"):
        for end, reach, dense in (("front", 0.9, 0.25), ("rear", 2.6, 0.45)):
            wheel = geometry.vehicle.keypoints[INDEX[f"{side}_{end}_wheel"]]
            for age in (np.arange(_PUFFS) + rng.random(_PUFFS)) / _PUFFS:
                place = wheel - [
                    0.3 + reach * age,
                    0.1 * np.sign(wheel[1]) + rng.normal(0, 0.12),
                    wheel[2] - 0.12 - rng.random() * 0.55 * age**0.5,
                ]
                thick = dense * spec.weather.spray * (1 - age) ** 0.6
                _take_away(left, spec.camera, place, 0.08 + 0.14 * reach * age, thick, distance)
    return light * left[..., None] + np.float32(0.85) * glow * (1 - left[..., None])


def _take_away(
    left: _Floats, view: CameraSpec, place: _Floats, size: float, thick: float, distance: _Floats
) -> None:
    """Lower the share ``left`` (h, w) of light that gets past a soft ball of ``size`` metres at
    ``place`` that hides ``thick`` of what is behind its middle."""
    (middle,), (depth,) = camera.project(place[None], view.pose, view.intrinsics)
    away = float(np.linalg.norm(place - view.pose.centre))
    spread = size * view.fx / float(depth)
    low = np.clip(np.floor(middle - 3 * spread), 0, [view.width, view.height]).astype(int)
    high = np.clip(np.ceil(middle + 3 * spread), 0, [view.width, view.height]).astype(int)
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    x, y = (np.exp(-((np.arange(a, b) + 0.5 - m) ** 2) / (2 * spread**2))
            for a, b, m in zip(low, high, middle, strict=True))  # fmt: skip
    behind = np.clip((distance[window] - away) / size + 0.5, 0, 1)  # into what is solid it fades
    left[window] *= (1 - thick * y[:, None] * x[None, :] * behind).astype(np.float32)


def _streaks(
    light: _Floats, weather: WeatherSpec, glow: _Floats, rng: np.random.Generator
) -> _Floats:
    """Falling drops, drawn out by the exposure: near ones long and faint, far ones fine."""
    height, width = light.shape[:2]
    size = max(height, width)
    lean = rng.normal(0, 0.12)
    for share, scale, strength in _LAYERS:
        canvas = np.zeros((height, width), np.uint8)
        count = round(_STREAKS * weather.rain_mm_h * share / scale)
        x, y = rng.uniform(-20, width + 20, count), rng.uniform(-20, height, count)
        length = size * scale * rng.uniform(0.03, 0.10, count)
        ends = np.stack([x + lean * length, y + length], axis=1)
        for start, end in zip(np.stack([x, y], axis=1), ends, strict=True):
            a, b = (tuple(np.round(16 * p).astype(int).tolist()) for p in (start, end))
            value = int(rng.integers(90, 255))
            cv2.line(canvas, a, b, (value,), 1, cv2.LINE_AA, shift=4)
        veil = cv2.GaussianBlur(canvas, (0, 0), 0.25 + 0.002 * size * scale).astype(np.float32)
        veil = np.float32(strength) * veil[..., None] / 255
        light = light + veil * (1.3 * glow + 0.35 * light.mean() + 0.02 - 0.5 * light)
    return light


def _drops(light: _Floats, weather: WeatherSpec, rng: np.random.Generator) -> _Floats:
    """Drops on the housing before the lens, out of focus: they blur what is behind them."""
    height, width = light.shape[:2]
    size = max(height, width)
    mask = np.zeros((height, width), np.float32)
    y, x = np.mgrid[:height, :width] + np.float32(0.5)
    for _ in range(rng.poisson(0.12 * weather.rain_mm_h)):
        u, v = rng.uniform(0, width), rng.uniform(0, height)
        radius, tall = size * rng.uniform(0.012, 0.05), rng.uniform(0.9, 1.3)
        inside = 1 - np.hypot((x - u), (y - v) / tall) / radius
        mask = np.maximum(mask, np.clip(3 * inside, 0, 1) * np.float32(rng.uniform(0.3, 0.8)))
    if not mask.any():
        return light
    blurred = cv2.GaussianBlur(light, (0, 0), 0.03 * size, borderType=cv2.BORDER_REFLECT)
    return light + mask[..., None] * (np.float32(1.08) * blurred - light)
