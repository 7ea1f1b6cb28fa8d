"""The raster preview's light, worked out at each vertex: sun, sky, what paint mirrors of them.

The sky is a gradient with a dark rim at the horizon, where real surroundings have houses and trees:
that rim is what makes paint and glass look like paint and glass. Colours are linear RGB.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from render_assets.materials import DUST, Material, dirt_cover

Array = NDArray[np.float64]

_ZENITH = np.array([0.42, 0.58, 0.85])
_HAZE = np.array([0.95, 0.97, 1.0])
_RIM = np.array([0.20, 0.21, 0.20])
_ROAD = np.array([0.16, 0.155, 0.15])
_SUN = np.array([1.25, 1.18, 1.05])
_DIM_BELOW = 0.45
"""Metres above the ground under which less and less of the sky is seen."""
_REACH = 1.0
"""Metres around a vehicle's footprint in which its soft shadow fades."""
_CELL = 0.05
_STANDS = 0.02
"""Metres: what ends this far from the ground does not stand on it and has no soft shadow."""


def sky(directions: Array, blur: float) -> Array:
    """(n, 3) light from unit ``directions`` (n, 3); ``blur`` 0..1 as a rough surface mirrors it."""
    z = directions[:, 2]
    width = 0.04 + 0.5 * blur
    over_rim = _step(z, 0.10 + width, width)[:, None]
    over_horizon = _step(z, 0.0, width)[:, None]
    height = np.clip(z, 0, 1)[:, None] ** 0.6
    above = _HAZE + (_ZENITH - _HAZE) * height
    rim = _RIM + (above - _RIM) * over_rim
    return np.asarray(_ROAD + (rim - _ROAD) * over_horizon)


def shade(points: Array, normals: Array, material: Material, eye: Array, sun: Array) -> Array:
    """(n, 3) light that vertices (n, 3) with unit normals send to ``eye`` (3,), at most 1.

    ``sun`` is the direction that sunlight comes from. Surfaces are lit on the side that is seen.
    """
    to_eye = eye - points
    to_eye /= np.linalg.norm(to_eye, axis=1, keepdims=True)
    facing = (normals * to_eye).sum(axis=1, keepdims=True)
    normals = np.where(facing < 0, -normals, normals)
    facing = np.abs(facing)
    mirrored = 2 * facing * normals - to_eye
    open_sky = np.clip(0.3 + 0.7 * points[:, 2:] / _DIM_BELOW, 0.3, 1)
    sunlit = np.clip(normals @ sun, 0, None)[:, None] * _step(open_sky, 0.7, 0.3)
    base = np.array(material.base_colour) * (1 - material.transmission)
    if material.dirt is not None:
        cover = dirt_cover(material.dirt, points)[:, None]
        base = base + cover * (np.array(DUST) - base)
    matt = base * (0.75 * sky(normals, 1.0) * open_sky + _SUN * sunlit)
    light = (1 - material.metallic) * matt
    surface = 0.04 + (base - 0.04) * material.metallic
    fresnel = surface + (np.maximum(1 - material.roughness, surface) - surface) * _graze(facing)
    light = light + fresnel * _mirror(mirrored, material.roughness, sun, open_sky)
    if material.coat:
        share = material.coat * (0.04 + 0.96 * _graze(facing))
        coat = _mirror(mirrored, material.coat_roughness, sun, open_sky)
        light = (1 - share) * light + share * coat
    return np.clip(light + np.array(material.emission), 0, 1)


def ground_shade(points: Array) -> tuple[Array, Array, NDArray[np.int64]]:
    """The soft shadow of a vehicle's vertices ``points`` (n, 3) on the ground below it.

    A grid of vertices (m, 3) just over the ground, the share of light (m,) that is left at each, 1
    at the edges, and its triangles (k, 3). All are empty for a thing that does not stand there.
    """
    if abs(points[:, 2].min()) > _STANDS:
        return np.empty((0, 3)), np.empty(0), np.empty((0, 3), dtype=np.int64)
    low = points[points[:, 2] < 1.0, :2]
    origin = low.min(axis=0) - _REACH
    columns, rows = np.ceil((low.max(axis=0) + _REACH - origin) / _CELL).astype(int).tolist()
    outline = cv2.convexHull(np.round((low - origin) / _CELL).astype(np.int32))
    covered = np.zeros((rows, columns), dtype=np.float32)
    cv2.fillConvexPoly(covered, outline, (1.0,))
    shadow = cv2.GaussianBlur(covered, (0, 0), 0.3 * _REACH / _CELL)
    shadow[[0, -1]] = shadow[:, [0, -1]] = 0
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    places = np.stack([x.ravel(), y.ravel()], axis=1) * _CELL + origin
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    grid = np.column_stack([places, np.full(len(places), 0.002)])
    return grid, 1 - 0.85 * shadow.ravel().astype(float), faces


def _mirror(directions: Array, roughness: float, sun: Array, open_sky: Array) -> Array:
    """What a surface of some roughness mirrors: the sky, and the sun as a bright spot."""
    sharpness = 8 / max(roughness, 0.15) ** 2
    spot = np.clip(directions @ sun, 0, None)[:, None] ** sharpness
    return np.asarray(sky(directions, roughness) * open_sky + 3 * (1 - roughness) * spot * _SUN)


def _graze(facing: Array) -> Array:
    """Schlick's share of reflection at grazing angles."""
    return np.asarray((1 - facing) ** 5)


def _step(values: Array, middle: float, width: float) -> Array:
    """From 0 to 1 over ``middle - width .. middle + width``, smoothly."""
    t = np.clip((values - middle) / (2 * width) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
