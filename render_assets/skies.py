"""Skies to stand under: blue to overcast, with clouds, and a skyline for paint to mirror.

A sky is a picture of linear radiance around the vehicle, (h, 2 h, 3): row 0 looks straight up, the
middle row along the horizon; column 0 is azimuth 180°, the middle column azimuth 0 (where the
vehicle heads), and azimuths fall to the right, towards the vehicle's right.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

HEIGHT = 320
"""Rows of a sky."""
_ZENITH = np.array([0.24, 0.38, 0.66])
_HORIZON = np.array([0.69, 0.77, 0.87])
_GLARE = np.array([1.0, 0.95, 0.86])
_CLOUD = np.array([1.0, 1.0, 1.0])
_SHADE = np.array([0.46, 0.50, 0.57])
_CLEAR = (-1.0, -0.32, 10.0, -3.0, 0.45)
_OVERCAST = (4.0, -0.7, 0.0, -1.0, 0.0)
"""Gradation and scattering of the CIE's standard skies 12 (clear) and 1 (overcast), ISO 15469."""
_BRIGHTNESS = 0.62
"""Radiance about half-way up a clear sky; some 2 W/m2 fall from it on level ground."""
_GROUND = np.array([0.16, 0.155, 0.15])
_WALLS = np.array(
    [[0.30, 0.26, 0.21], [0.21, 0.10, 0.07], [0.34, 0.33, 0.31], [0.13, 0.14, 0.15],
     [0.45, 0.43, 0.40]]
)  # fmt: skip
_LEAVES = np.array([0.045, 0.065, 0.025])


@lru_cache(maxsize=4)
def build_sky(
    seed: int, clouds: float, sun_azimuth_deg: float, sun_elevation_deg: float
) -> np.ndarray:
    """The sky of ``seed``, (HEIGHT, 2 HEIGHT, 3) float32: a pure function.

    ``clouds`` is 0 (clear) to 1 (overcast). The sun itself is not in it: renderers add it as a
    lamp. Luminance follows ISO 15469:2004 (CIE S 011), blended between clear and overcast.
    """
    rng = np.random.default_rng([seed, 8])
    ray = _rays()
    up = np.clip(ray[..., 2], 0.02, 1)
    sun = _direction(np.deg2rad(sun_azimuth_deg), np.deg2rad(sun_elevation_deg))
    to_sun = np.arccos(np.clip(ray @ sun, -1, 1))
    glare = np.exp(-4.0 * to_sun)[..., None]
    gradient = (up**0.45)[..., None]
    blue = _HORIZON + (_ZENITH - _HORIZON) * gradient
    clear = blue * _luminance(_CLEAR, up, to_sun, sun[2])[..., None] + 1.5 * glare * _GLARE
    cover = _cover(rng, ray, clouds)[..., None]
    dense = _luminance(_OVERCAST, up, to_sun, sun[2])[..., None]
    relief = _fractal(rng, ray, 5.0)[..., None]
    lit = _CLOUD * (1.0 + 1.2 * glare) * (1.15 - 0.25 * clouds)
    cloud = (lit + (_SHADE - lit) * np.clip(0.3 + 0.9 * cover * relief, 0, 1)) * (
        dense * clouds + 1.0 - clouds
    )
    sky = _BRIGHTNESS * (clear + (cloud - clear) * cover)
    light = _BRIGHTNESS * (1.4 + 1.6 * (1 - clouds) * max(float(sun[2]), 0.2))
    upper = _with_skyline(rng, sky, ray, sun, light)
    lower = np.broadcast_to(_GROUND * light / 2, upper.shape)
    return np.concatenate([upper, lower], dtype=np.float32)


def _rays() -> np.ndarray:
    """(HEIGHT / 2, 2 HEIGHT, 3) unit directions of the pixels above the horizon."""
    elevation = (0.5 - (np.arange(HEIGHT // 2) + 0.5) / HEIGHT) * np.pi
    azimuth = (0.5 - (np.arange(2 * HEIGHT) + 0.5) / (2 * HEIGHT)) * 2 * np.pi
    return _direction(azimuth[None, :], elevation[:, None]).astype(np.float32)


def _direction(azimuth: np.ndarray | float, elevation: np.ndarray | float) -> np.ndarray:
    level = np.cos(elevation)
    return np.stack(
        np.broadcast_arrays(
            level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation) + 0 * azimuth
        ),
        axis=-1,
    )


def _luminance(
    kind: tuple[float, float, float, float, float],
    up: np.ndarray,
    to_sun: np.ndarray,
    sun_height: float,
) -> np.ndarray:
    """ISO 15469's relative luminance of a standard sky, 1 half-way up across from the sun."""
    a, b, c, d, e = kind

    def of(height: np.ndarray | float, angle: np.ndarray | float) -> np.ndarray:
        gradation = 1 + a * np.exp(b / height)
        bright = c * (np.exp(d * angle) - np.exp(d * np.pi / 2)) + e * np.cos(angle) ** 2
        return gradation * (1 + bright)

    return np.clip(of(up, to_sun) / of(0.7, np.pi / 2 - 0.5 * sun_height), 0, 3)


def _cover(rng: np.random.Generator, ray: np.ndarray, clouds: float) -> np.ndarray:
    """(h, w) share of each direction that clouds hide; ``clouds`` of it on the whole."""
    noise = _fractal(rng, ray, 2.2)
    edge = np.quantile(noise[::4, ::4], 1 - clouds) if clouds > 0 else 2.0
    return np.clip((noise - edge + 0.12 * clouds) / 0.24, 0, 1)


def _fractal(rng: np.random.Generator, ray: np.ndarray, scale: float) -> np.ndarray:
    """(h, w) smooth noise 0..1 on a level layer above, which shrinks towards the horizon."""
    height = np.clip(ray[..., 2], 0, 1) + 0.12
    layer = scale * ray[..., :2] / height[..., None]
    total = np.zeros(height.shape, dtype=np.float32)
    for octave in range(4):
        grid = rng.random((64, 64), dtype=np.float32)
        total += 0.55**octave * _smooth(grid, layer * 2.0**octave)
    total -= total.min()
    return total / total.max()


def _smooth(grid: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The periodic ``grid`` (n, n) at points (..., 2), interpolated without creases."""
    count = len(grid)
    low = np.floor(at)
    part = at - low
    part = part * part * (3 - 2 * part)
    x, y = (low[..., k].astype(int) % count for k in (0, 1))
    right, down = (x + 1) % count, (y + 1) % count
    near = grid[y, x] * (1 - part[..., 0]) + grid[y, right] * part[..., 0]
    far = grid[down, x] * (1 - part[..., 0]) + grid[down, right] * part[..., 0]
    blended: np.ndarray = near * (1 - part[..., 1]) + far * part[..., 1]
    return blended


def _with_skyline(
    rng: np.random.Generator, sky: np.ndarray, ray: np.ndarray, sun: np.ndarray, light: float
) -> np.ndarray:
    """``sky`` behind trees and houses along the horizon."""
    width = sky.shape[1]
    elevation = np.arcsin(np.clip(ray[..., 2], -1, 1))
    facing = 0.55 + 0.45 * (ray[0, :, :2] / np.linalg.norm(ray[0, :, :2], axis=1)[:, None]) @ (
        -sun[:2]
    )
    openness = rng.uniform(0.3, 1.0)
    top = np.zeros(width)
    colour = np.zeros((width, 3))
    ragged = np.zeros(width)
    for _ in range(int(rng.integers(8, 30))):
        middle, span = rng.integers(width), int(rng.uniform(0.01, 0.09) * width)
        columns = (middle + np.arange(-span, span)) % width
        leafy = rng.random() < 0.5
        rise = openness * rng.uniform(0.02, 0.20 if leafy else 0.24)
        shape = np.sqrt(np.clip(1 - (np.arange(-span, span) / span) ** 2, 0, 1)) if leafy else 1.0
        tall = rise * shape * np.ones(2 * span)
        over = tall > top[columns]
        tone = _LEAVES * rng.uniform(0.9, 2.2) if leafy else _WALLS[rng.integers(len(_WALLS))]
        colour[columns[over]] = tone
        ragged[columns[over]] = 1.0 if leafy else 0.0
        top[columns] = np.maximum(top[columns], tall)
    around = np.arange(width)
    crowns = sum(
        np.abs(np.sin(k * np.pi * around / width + 6 * rng.random())) for k in (41, 67, 113)
    )
    top += ragged * 0.012 * crowns
    columns, storeys = np.arange(width) // 4, np.floor(elevation / 0.022)
    panes = (columns % 2 == 0)[None, :] & (storeys % 2 == 0) & (ragged == 0)[None, :]
    tone = np.where(panes[..., None], 0.45, 1.0) * (colour * light * facing[:, None] / 2)[None]
    behind = np.clip((elevation - top[None, :]) / (np.pi / HEIGHT) + 0.5, 0, 1)[..., None]
    seen: np.ndarray = tone + (sky - tone) * behind
    return seen
