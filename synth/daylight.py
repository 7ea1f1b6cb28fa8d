"""The raster preview's light, worked out at each vertex: sun, sky, what paint mirrors of them.

The sky is a gradient with a dark rim at the horizon, where real surroundings have houses and trees:
that rim is what makes paint and glass look like paint and glass. Colours are linear RGB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from render_assets.materials import DUST, SNOW, Material, Rgb, dirt_cover, snow_cover

Array = NDArray[np.floating[Any]]

_ZENITH = np.array([0.42, 0.58, 0.85])
_HAZE = np.array([0.95, 0.97, 1.0])
_RIM = np.array([0.20, 0.21, 0.20])
_ROAD = np.array([0.16, 0.155, 0.15])
_SUN = np.array([1.25, 1.18, 1.05])
_NIGHT = 0.25
"""Brightness of a picture that is taken at night, as exposure makes up for most of the dark."""
_DIM_BELOW = 0.45
"""Metres above the ground under which less and less of the sky is seen."""
_REACH = 1.0
"""Metres around a vehicle's footprint in which its soft shadow fades."""
_CELL = 0.05
_STANDS = 0.02
"""Metres: what ends this far from the ground does not stand on it and has no soft shadow."""


def sky(directions: Array, blur: float | Array) -> Array:
    """(n, 3) light from unit ``directions`` (n, 3); ``blur`` 0..1, or (n,) of it, as a rough
    surface mirrors it."""
    return _sky(directions[:, 2], blur).T


def _sky(z: Array, blur: float | Array) -> Array:
    """(3, n) the same for upward components: rows are colours, so that NumPy has long loops."""
    width = 0.04 + 0.5 * blur
    zenith, haze, rim, road = (_column(colour, z) for colour in (_ZENITH, _HAZE, _RIM, _ROAD))
    light = haze + (zenith - haze) * np.clip(z, 0, 1) ** 0.6
    light = rim + (light - rim) * _step(z, 0.10 + width, width)
    return np.asarray(road + (light - road) * _step(z, 0.0, width))


def shade(
    points: Array,
    normals: Array,
    materials: Sequence[tuple[Material, int]],
    eye: Array,
    sun: Array,
    level: Sequence[float] | Array = (1.0, 1.0, 1.0),
) -> Array:
    """(n, 3) light that vertices (n, 3) with unit normals send to ``eye`` (3,), at most 1.

    ``materials`` come each with how many of the vertices have it, in the vertices' order. ``sun``
    is the direction that sunlight comes from. Surfaces are lit on the side that is seen. ``level``
    (3,) scales all light but what lamps give off.
    """

    def each(value: Callable[[Material], float | Rgb]) -> Array:
        table = np.array([value(material) for material, _ in materials], dtype=points.dtype)
        return np.repeat(table.T, [count for _, count in materials], axis=-1)

    places, normals = np.ascontiguousarray(points.T), np.ascontiguousarray(normals.T)
    eye, sun = _column(eye, places), _column(sun, places)
    to_eye = eye - places
    to_eye /= np.sqrt((to_eye * to_eye).sum(axis=0))
    facing = (normals * to_eye).sum(axis=0)
    normals = np.where(facing < 0, -normals, normals)
    facing = np.abs(facing)
    mirrored = 2 * facing * normals - to_eye
    glint = np.clip((mirrored * sun).sum(axis=0), 0, None)
    open_sky = np.clip(0.3 + 0.7 * places[2] / _DIM_BELOW, 0.3, 1)
    sunlit = np.clip((normals * sun).sum(axis=0), 0, None) * _step(open_sky, 0.7, 0.3)
    base = _soiled(each(lambda m: m.base_colour), materials, points, normals)
    base *= 1 - each(lambda m: m.transmission)
    metallic, roughness = each(lambda m: m.metallic), each(lambda m: m.roughness)
    light = base * (0.75 * _sky(normals[2], 1.0) * open_sky + _column(_SUN, base) * sunlit)
    light *= 1 - metallic
    graze = _graze(facing)
    surface = 0.04 + (base - 0.04) * metallic
    fresnel = surface + (np.maximum(1 - roughness, surface) - surface) * graze
    light += fresnel * _mirror(mirrored[2], glint, roughness, open_sky)
    coat = each(lambda m: m.coat)
    k = np.flatnonzero(coat)
    share = coat[k] * (0.04 + 0.96 * graze[k])
    rough = each(lambda m: m.coat_roughness)[k]
    varnish = _mirror(mirrored[2, k], glint[k], rough, open_sky[k])
    light[:, k] = (1 - share) * light[:, k] + share * varnish
    light *= _column(level, light)
    return np.asarray(np.clip(light + each(lambda m: m.emission), 0, 1).T)


def _soiled(
    base: Array, materials: Sequence[tuple[Material, int]], points: Array, normals: Array
) -> Array:
    """Base colours (3, n) with the dirt and snow of the materials that have some; ``points``
    (n, 3), ``normals`` (3, n)."""
    start = 0
    for material, count in materials:
        own = slice(start, start + count)
        start += count
        if material.dirt is not None:
            cover = dirt_cover(material.dirt, points[own])
            base[:, own] += cover * (_column(DUST, base) - base[:, own])
        if material.snow:
            cover = snow_cover(material.snow, normals[:, own].T)
            base[:, own] += cover * (_column(SNOW, base) - base[:, own])
    return base


def dusk_level(dusk: Rgb) -> Array:
    """(3,) how dark a picture gets that is exposed for the light of dusk or night."""
    return np.asarray(_NIGHT + (1 - _NIGHT) * np.array(dusk))


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
    covered = np.zeros((rows, columns), dtype=np.float32)
    column, row = np.round((low - origin) / _CELL).astype(np.int64).T
    covered[row, column] = 1.0
    cv2.fillConvexPoly(covered, cv2.convexHull(cv2.findNonZero(covered)), (1.0,))
    shadow = cv2.GaussianBlur(covered, (0, 0), 0.3 * _REACH / _CELL)
    shadow[[0, -1]] = shadow[:, [0, -1]] = 0
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    places = np.stack([x.ravel(), y.ravel()], axis=1) * _CELL + origin
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    grid = np.column_stack([places, np.full(len(places), 0.002)])
    return grid, 1 - 0.85 * shadow.ravel().astype(float), faces


def _mirror(z: Array, glint: Array, roughness: Array, open_sky: Array) -> Array:
    """(3, n) what surfaces of some roughness mirror: the sky, at the mirrored direction's upward
    component z, and the sun as a bright spot, ``glint`` being the cosine to it."""
    spot = glint ** (8 / np.maximum(roughness, 0.15) ** 2)
    sun = 3 * (1 - roughness) * spot * _column(_SUN, z)
    return np.asarray(_sky(z, roughness) * open_sky + sun)


def _graze(facing: Array) -> Array:
    """Schlick's share of reflection at grazing angles."""
    off = 1 - facing
    square = off * off
    return square * square * off


def _step(values: Array, middle: float | Array, width: float | Array) -> Array:
    """From 0 to 1 over ``middle - width .. middle + width``, smoothly."""
    t = np.clip((values - middle) / (2 * width) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _column(values: Sequence[float] | Array, like: Array) -> Array:
    """Three numbers as (3, 1), as precise as ``like``."""
    return np.array(values, dtype=like.dtype)[:, None]
