"""What may stand between the camera and the labelled vehicle, as meshes.

Each occluder is built in its own frame: x along its length, z up, origin at the middle of its foot;
the origin of a bar or panel, which may hang in the air, is its centre. Metres. All of them are
opaque, a car's windows included, so that labels need no notion of half-seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from pamtri.errors import ConfigError
from render_assets.materials import Material, Rgb
from render_assets.mesh import Part, box, ellipsoid, part, tube

Kind = Literal["pole", "bar", "panel", "person", "bush", "car"]
Size = tuple[float, float, float]
_SOLID_GLASS = Material((0.02, 0.025, 0.03), roughness=0.04, coat=1.0)
_SKIN = Material((0.45, 0.27, 0.19), roughness=0.6)


@dataclass(frozen=True, eq=False)
class Body:
    """Meshes with their materials, keyed by ``Part.material``."""

    parts: tuple[Part, ...]
    materials: dict[str, Material]

    def placed(self, position: tuple[float, float, float], yaw: float) -> Body:
        """The body turned by ``yaw`` (radians, about z) and then moved to ``position``."""
        c, s = np.cos(yaw), np.sin(yaw)
        turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        return Body(
            tuple(
                replace(
                    p,
                    vertices=(p.vertices @ turn.T + position).astype(np.float32),
                    normals=(p.normals @ turn.T).astype(np.float32),
                )
                for p in self.parts
            ),
            self.materials,
        )


def build_occluder(kind: Kind, size: Size, seed: int, colour: Rgb) -> Body:
    """The occluder of ``kind`` with full extent ``size`` along its own axes.

    ``seed`` shapes what has a shape of its own (person, bush, car). A pure function. Raises
    ConfigError for an unknown kind or a size that is not positive.
    """
    if kind not in get_args(Kind):
        raise ConfigError(f"unknown occluder '{kind}' (known: {', '.join(get_args(Kind))})")
    if not (np.isfinite(size).all() and min(size) > 0):
        raise ConfigError(f"size of occluder '{kind}' must be three positive metres, got {size}")
    return _BUILDERS[kind](size, seed, colour)


def _pole(size: Size, seed: int, colour: Rgb) -> Body:
    path = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, size[2]]])
    shaft = tube("shaft", "body", path, 0.5, sides=16)
    flat = np.array([size[0], size[1], 1.0], dtype=np.float32)
    shaft = replace(shaft, vertices=shaft.vertices * flat)
    return Body((shaft,), {"body": Material(colour, metallic=0.3, roughness=0.5)})


def _slab(size: Size, seed: int, colour: Rgb) -> Body:
    slab = box("slab", "body", (0.0, 0.0, 0.0), size)
    return Body((slab,), {"body": Material(colour, roughness=0.6)})


def _person(size: Size, seed: int, colour: Rgb) -> Body:
    """A walking figure, no deeper than its size allows the stride. Ellipsoids suffice here."""
    rng = np.random.default_rng([seed, 1])
    stride = float(rng.uniform(0.1, 0.3))
    depth, width, height = size

    def blob(name: str, material: str, centre: Size, extent: Size, power: float = 2.3) -> Part:
        scale = np.array([depth, width, height])
        middle, full = np.array(centre) * scale, np.array(extent) * scale
        return ellipsoid(name, material, tuple(middle), tuple(full), power)

    parts = [
        blob("head", "skin", (0.0, 0.0, 0.93), (0.6, 0.34, 0.14)),
        blob("torso", "body", (0.0, 0.0, 0.68), (0.62, 0.78, 0.38), 3.0),
        blob("hips", "trousers", (0.0, 0.0, 0.5), (0.6, 0.66, 0.16)),
    ]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        parts += [
            blob(f"{side}_leg", "trousers", (stride * sign, 0.17 * sign, 0.26), (0.4, 0.32, 0.5)),
            blob(f"{side}_foot", "shoe", (stride * sign, 0.17 * sign, 0.025), (0.4, 0.3, 0.05)),
            blob(f"{side}_arm", "body", (-0.15 * sign, 0.41 * sign, 0.62), (0.36, 0.18, 0.38)),
        ]
    grey = float(rng.uniform(0.02, 0.25))
    materials = {
        "skin": replace(_SKIN, base_colour=_scaled(_SKIN.base_colour, rng.uniform(0.25, 1.1))),
        "body": Material(colour, roughness=0.9),
        "trousers": Material((grey, grey, grey * 1.2), roughness=0.9),
        "shoe": Material((0.02, 0.02, 0.02), roughness=0.6),
    }
    return Body(tuple(parts), materials)


def _bush(size: Size, seed: int, colour: Rgb) -> Body:
    """Leaves: small quads over a lumpy ball, dense enough that little shows through the middle."""
    rng = np.random.default_rng([seed, 2])
    count = 900
    around = rng.normal(size=(count, 3))
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    lumps = rng.normal(size=(6, 3))
    swell = 1 + 0.12 * np.sin(around @ lumps.T * 2.0).sum(axis=1) / 2
    radius = swell * rng.uniform(0.55, 1.0, count) ** 0.5
    centre = around * radius[:, None]
    normal = around + 0.6 * rng.normal(size=(count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    u = np.cross(normal, rng.normal(size=(count, 3)))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(normal, u)
    length = rng.uniform(0.06, 0.14, (count, 1, 1))
    corners = np.array([[-1.0, -0.6], [1.0, -0.6], [1.0, 0.6], [-1.0, 0.6]])[None] * length
    leaves = centre[:, None] + corners[..., :1] * u[:, None] + corners[..., 1:] * v[:, None]
    points = leaves.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    points = ((points - low) / (high - low) - [0.5, 0.5, 0.0]) * size
    first = 4 * np.arange(count)[:, None]
    faces = np.concatenate([first + np.array([0, 1, 2]), first + np.array([0, 2, 3])])
    smooth = np.repeat(around, 4, axis=0)
    dark = rng.random(count) < 0.5
    shade = np.tile(dark, 2)
    parts = tuple(
        part(f"leaves_{name}", name, points, faces[shade == flag], smooth)
        for name, flag in (("body", False), ("dark", True))
    )
    materials = {
        "body": Material(colour, roughness=0.7),
        "dark": Material(_scaled(colour, 0.55), roughness=0.7),
    }
    return Body(parts, materials)


def _car(size: Size, seed: int, colour: Rgb) -> Body:
    """Another vehicle of the catalogue in the given colour, stretched to ``size``."""
    # A whole vehicle takes many modules to build: imported by those who need it.
    from render_assets.spec import sample_vehicle
    from render_assets.vehicle import build_vehicle

    types = {"sedan": 3.0, "hatchback": 2.0, "suv": 2.0, "estate": 1.0, "mpv": 1.0}
    vehicle = build_vehicle(sample_vehicle(seed, 0, types=types))
    points = np.concatenate([p.vertices for p in vehicle.parts])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = np.array(size, dtype=np.float32) / (high - low)
    foot = np.array([*(low + high)[:2] / 2, low[2]], dtype=np.float32)
    parts = []
    for p in vehicle.parts:
        normals = p.normals / scale
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        parts.append(replace(p, vertices=(p.vertices - foot) * scale, normals=normals))
    materials = {
        name: _SOLID_GLASS if material.transmission > 0 else material
        for name, material in vehicle.materials.items()
    }
    materials["paint"] = replace(materials["paint"], base_colour=colour)
    return Body(tuple(parts), materials)


def _scaled(colour: Rgb, factor: float) -> Rgb:
    r, g, b = (min(1.0, float(c * factor)) for c in colour)
    return (r, g, b)


_BUILDERS: dict[str, Callable[[Size, int, Rgb], Body]] = {
    "pole": _pole,
    "bar": _slab,
    "panel": _slab,
    "person": _person,
    "bush": _bush,
    "car": _car,
}
