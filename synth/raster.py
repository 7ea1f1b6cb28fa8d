"""The fast preview and independent witness: OpenGL through pyrender, from the same geometry.

No cast shadows, opaque glass, a made-up sky (``synth.daylight``). Where there is no display it
draws with EGL, on the GPU or in software.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

import numpy as np

if "DISPLAY" not in os.environ and sys.platform == "linux":
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")

import pyrender

from pamtri import camera
from pamtri.errors import UserError
from render_assets.materials import SNOW, Material, Rgb, Texture
from render_assets.mesh import Part, joined_uv
from render_assets.occluders import Body
from render_assets.spec import VehicleSpec
from render_assets.vehicle import Vehicle
from synth import daylight
from synth.geometry import SceneGeometry, vehicle_vertices
from synth.lens import Pinhole, apply_lens, fine_pinhole_for, pinhole_for, sample_nearest
from synth.scene import CameraSpec, SceneSpec, SunSpec

_GROUND_EXTENT = 200.0
_NEAR, _FAR = 0.2, 500.0
_CLEAR = 0.95
"""Lets so much through that what is behind it is drawn instead: the lenses of lamps."""
_SKY = (0.62, 0.73, 0.88)
"""Behind scenes whose backdrop is an environment map, which is not drawn; linear RGB."""


_GAMMA = 2.2
"""The picture shows light raised to one over this, as screens expect."""

_Surface = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Points (n, 3), the linear RGB light (n, 3) that they send to the camera, faces (m, 3)."""


class RasterRenderer:
    """Renders ``SceneSpec``s with OpenGL. Raises UserError where no OpenGL context can be made."""

    def __init__(self) -> None:
        try:
            self._target = pyrender.OffscreenRenderer(64, 64)
        except Exception as error:
            raise UserError(
                f"no OpenGL for the raster renderer ({error}); on Debian: apt install libegl1"
            ) from None

    def render(self, spec: SceneSpec, geometry: SceneGeometry) -> np.ndarray:
        """The plain picture, (h, w, 3) uint8 sRGB."""
        background, level = spec.backdrop.colour, daylight.dusk_level(spec.light.dusk)
        if spec.backdrop.kind == "hdri":
            background = tuple((np.array(_SKY) * level).tolist())
        scene = pyrender.Scene(bg_color=np.array([*_to_srgb(background), 1.0]))
        eye, sun = spec.camera.pose.centre, _sun_direction(spec.light.sun)
        ground = _ground(spec, eye, sun, vehicle_vertices(geometry.vehicle))
        primitives = [_primitive(surface) for surface in ground]
        for (texture, closed), parts in _groups(geometry).items():
            uv = None if texture is None else joined_uv([part for part, _ in parts])
            primitives.append(_primitive(_lit(parts, eye, sun, level), texture, uv, closed))
        scene.add(pyrender.Mesh(primitives))
        pinhole = pinhole_for(spec.camera)
        image, _ = self._draw(scene, spec.camera.pose, pinhole, pyrender.RenderFlags.FLAT)
        return apply_lens(np.ascontiguousarray(image), spec.camera, pinhole)

    def mask_and_depth(
        self, spec: SceneSpec, geometry: SceneGeometry
    ) -> tuple[np.ndarray, np.ndarray]:
        """(h, w) bool, where the vehicle is visible, and (h, w) float32, its depth there or 0."""
        pinhole = fine_pinhole_for(spec.camera)
        own = self._depth(spec.camera, pinhole, [_vehicle_mesh(geometry.vehicle)])
        bodies = [_plain_mesh(b.parts) for b in geometry.occluders]
        others = self._depth(spec.camera, pinhole, bodies)
        visible = (own > 0) & ((others == 0) | (own < others))
        depth = np.where(visible, own, 0).astype(np.float32)
        depth = sample_nearest(depth, spec.camera, pinhole)
        return depth > 0, depth

    def _depth(
        self, view: CameraSpec, pinhole: Pinhole, meshes: Sequence[pyrender.Mesh]
    ) -> np.ndarray:
        """(h, w) depth at pixel centres, 0 where there is nothing."""
        if not meshes:
            return np.zeros((pinhole.height, pinhole.width), dtype=np.float32)
        scene = pyrender.Scene()
        # Drawn as segments, depth is taken at pixel centres; elsewhere multisampling moves it.
        shades = {scene.add(mesh): (255, 255, 255) for mesh in meshes}
        return self._draw(scene, view.pose, pinhole, pyrender.RenderFlags.SEG, shades)[1]

    def _draw(
        self,
        scene: pyrender.Scene,
        pose: camera.Pose,
        pinhole: Pinhole,
        flags: int = pyrender.RenderFlags.NONE,
        shades: dict[pyrender.Node, tuple[int, int, int]] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(h, w, 3) uint8 image and (h, w) depth."""
        inner = pinhole.intrinsics
        eye = pyrender.IntrinsicsCamera(
            inner.fx, inner.fy, inner.cx, inner.cy, znear=_NEAR, zfar=_FAR
        )
        placed = np.eye(4)
        # OpenGL's cameras look along -z with y up.
        placed[:3, :3] = pose.rotation.T @ np.diag([1.0, -1.0, -1.0])
        placed[:3, 3] = pose.centre
        scene.add(eye, pose=placed)
        self._target.viewport_width, self._target.viewport_height = pinhole.width, pinhole.height
        return self._target.render(scene, flags, shades)

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._target.delete()


@lru_cache(maxsize=16)
def _vehicle_mesh(vehicle: Vehicle) -> pyrender.Mesh:
    return _plain_mesh(vehicle.parts)


def _plain_mesh(parts: Sequence[Part]) -> pyrender.Mesh:
    """Bare surfaces, for depths."""
    points, _, faces = _joined(parts)
    return pyrender.Mesh([pyrender.Primitive(positions=points, indices=_two_sided(faces))])


def _groups(
    geometry: SceneGeometry,
) -> dict[tuple[Texture | None, bool], list[tuple[Part, Material]]]:
    """What is drawn, by texture and by whether its surfaces are closed: the parts of our own
    vehicles are, or their backs lie against others. OpenGL's cost grows with the number of groups.
    """
    ours = isinstance(geometry.vehicle.spec, VehicleSpec)
    things: list[tuple[Vehicle | Body, bool]] = [(geometry.vehicle, ours)]
    scenery = [geometry.scenery] if geometry.scenery else []
    things += [(body, False) for body in (*geometry.occluders, *scenery)]
    groups: dict[tuple[Texture | None, bool], list[tuple[Part, Material]]] = {}
    for thing, closed in things:
        for part in sorted(thing.parts, key=lambda part: part.material):
            material = thing.materials[part.material]
            if material.transmission > _CLEAR:
                continue
            if material.texture is not None:  # the picture colours the light on white
                material = replace(material, base_colour=(1.0, 1.0, 1.0))
            groups.setdefault((material.texture, closed), []).append((part, material))
    return groups


def _lit(
    parts: Sequence[tuple[Part, Material]], eye: np.ndarray, sun: np.ndarray, level: np.ndarray
) -> _Surface:
    points, normals, faces = _joined([part for part, _ in parts])
    materials = [
        (material, sum(len(part.vertices) for part, _ in run))
        for material, run in groupby(parts, key=lambda one: one[1])
    ]
    return points, daylight.shade(points, normals, materials, eye, sun, level), faces


def _primitive(
    surface: _Surface,
    texture: Texture | None = None,
    uv: np.ndarray | None = None,
    closed: bool = False,
) -> pyrender.Primitive:
    """A surface that shows the light of its vertices as it is; ``texture`` filters it, at ``uv``
    (n, 2). Both sides are seen unless it is ``closed``, which saves a third of the time."""
    points, light, faces = surface
    shown = np.ones((len(points), 4), dtype=np.float32)
    shown[:, :3] = light
    np.power(shown, 1 / _GAMMA, out=shown)
    material = pyrender.MetallicRoughnessMaterial(
        doubleSided=not closed, baseColorTexture=None if texture is None else _picture(texture)
    )
    return pyrender.Primitive(
        positions=points, texcoord_0=uv, color_0=shown, indices=faces, material=material
    )


def _picture(texture: Texture) -> pyrender.Texture:
    """pyrender turns the rows; with four channels they need no padding."""
    opaque = np.full(texture.pixels.shape[:2], 255, dtype=np.uint8)
    return pyrender.Texture(source=np.dstack([texture.pixels, opaque]), source_channels="RGBA")


def _joined(parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, normals and faces of several parts."""
    starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    points = np.concatenate([p.vertices for p in parts])
    return points, np.concatenate([p.normals for p in parts]), faces


def _two_sided(faces: np.ndarray) -> np.ndarray:
    return np.concatenate([faces, faces[:, ::-1]])


def _ground(
    spec: SceneSpec, eye: np.ndarray, sun: np.ndarray, vehicle: np.ndarray
) -> list[_Surface]:
    """The plane, and over it the patch that the vehicle keeps the sky from."""
    material = Material(_ground_colour(spec), roughness=1.0)
    up = np.array([[0.0, 0.0, 1.0]])
    level = daylight.dusk_level(spec.light.dusk)
    light = daylight.shade(up, up, [(material, 1)], eye, sun, level)
    corners = _GROUND_EXTENT * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    plane = corners, np.tile(light, (4, 1)), np.array([[0, 1, 2], [0, 2, 3]])
    points, share, faces = daylight.ground_shade(vehicle)
    return [plane, (points, share[:, None] * light, faces)] if len(faces) else [plane]


def _ground_colour(spec: SceneSpec) -> Rgb:
    """Darker when wet, white under snow; evenly, for the plane has but four vertices."""
    weather = spec.weather
    wet = np.array(spec.ground.colour) * (1 - 0.5 * weather.wetness)
    red, green, blue = (wet + weather.snow * (np.array(SNOW) - wet)).tolist()
    return red, green, blue


def _sun_direction(sun: SunSpec | None) -> np.ndarray:
    """Where the light comes from, (3,) unit; a high skylight where there is no sun."""
    azimuth, elevation = (40.0, 60.0) if sun is None else (sun.azimuth_deg, sun.elevation_deg)
    a, e = np.deg2rad([azimuth, elevation])
    return np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])


def _to_srgb(colour: tuple[float, float, float]) -> np.ndarray:
    """Linear to sRGB, for the background, which pyrender does not convert."""
    linear = np.array(colour)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
