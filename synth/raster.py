"""The fast preview and independent witness: OpenGL through pyrender, from the same geometry.

No shadows, no reflections of surroundings, opaque glass. Where there is no display it draws with
EGL, on the GPU or in software.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

if "DISPLAY" not in os.environ and sys.platform == "linux":
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")

import pyrender

from pamtri import camera
from pamtri.errors import UserError
from render_assets.materials import Material
from render_assets.mesh import Part
from render_assets.vehicle import Vehicle
from synth.geometry import SceneGeometry
from synth.lens import Pinhole, apply_lens, pinhole_for, sample_nearest
from synth.scene import CameraSpec, SceneSpec, SunSpec

_GROUND_EXTENT = 200.0
_NEAR, _FAR = 0.2, 500.0


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
        sky = np.array([*_to_srgb(spec.backdrop.colour), 1.0])
        scene = pyrender.Scene(bg_color=sky, ambient_light=[0.35, 0.35, 0.37])
        _add_meshes(scene, geometry)
        scene.add(_ground(spec))
        for direction, strength in _lights(spec.light.sun):
            light = pyrender.DirectionalLight(color=np.ones(3), intensity=strength)
            scene.add(light, pose=_looking(direction))
        pinhole = pinhole_for(spec.camera)
        image, _ = self._draw(scene, spec.camera.pose, pinhole)
        return apply_lens(np.ascontiguousarray(image), spec.camera, pinhole)

    def mask_and_depth(
        self, spec: SceneSpec, geometry: SceneGeometry
    ) -> tuple[np.ndarray, np.ndarray]:
        """(h, w) bool, where the vehicle is visible, and (h, w) float32, its depth there or 0."""
        pinhole = pinhole_for(spec.camera)
        own = self._depth(spec.camera, pinhole, _vehicle_meshes(geometry.vehicle))
        bodies = [m for b in geometry.occluders for m in _meshes(b.parts, b.materials)]
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


def _add_meshes(scene: pyrender.Scene, geometry: SceneGeometry) -> None:
    for mesh in _vehicle_meshes(geometry.vehicle):
        scene.add(mesh)
    for body in (*geometry.occluders, *([geometry.scenery] if geometry.scenery else [])):
        for mesh in _meshes(body.parts, body.materials):
            scene.add(mesh)


@lru_cache(maxsize=16)
def _vehicle_meshes(vehicle: Vehicle) -> tuple[pyrender.Mesh, ...]:
    return tuple(_meshes(vehicle.parts, vehicle.materials))


def _meshes(parts: Iterable[Part], materials: dict[str, Material]) -> list[pyrender.Mesh]:
    """One mesh a material: OpenGL's cost grows with their number."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.material, []).append(part)
    return [_mesh(pieces, materials[name]) for name, pieces in groups.items()]


def _mesh(parts: list[Part], material: Material) -> pyrender.Mesh:
    starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    primitive = pyrender.Primitive(
        positions=np.concatenate([p.vertices for p in parts]),
        normals=np.concatenate([p.normals for p in parts]),
        indices=np.concatenate([faces, faces[:, ::-1]]),  # seen from both sides
        material=_surface(material),
    )
    return pyrender.Mesh([primitive])


def _surface(material: Material) -> pyrender.Material:
    """Metals are drawn half as metallic: there is no surrounding for them to reflect."""
    return pyrender.MetallicRoughnessMaterial(
        baseColorFactor=(*material.base_colour, 1.0),
        metallicFactor=0.5 * material.metallic,
        roughnessFactor=max(0.25, material.roughness),
        emissiveFactor=material.emission,
    )


def _ground(spec: SceneSpec) -> pyrender.Mesh:
    reach = _GROUND_EXTENT
    corners = np.array(
        [[-reach, -reach, 0], [reach, -reach, 0], [reach, reach, 0], [-reach, reach, 0]]
    )
    primitive = pyrender.Primitive(
        positions=corners.astype(np.float32),
        normals=np.tile(np.array([[0, 0, 1]], dtype=np.float32), (4, 1)),
        indices=np.array([[0, 1, 2], [0, 2, 3]]),
        material=_surface(Material(spec.ground.colour, roughness=1.0)),
    )
    return pyrender.Mesh([primitive])


def _lights(sun: SunSpec | None) -> list[tuple[np.ndarray, float]]:
    """Directions that light comes from, and strengths: the sun, or a skylight, and a soft fill."""
    azimuth, elevation = (40.0, 60.0) if sun is None else (sun.azimuth_deg, sun.elevation_deg)
    a, e = np.deg2rad([azimuth, elevation])
    key = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    fill = np.array([-key[0], -key[1], 0.5])
    return [(key, 4.0), (fill, 1.2)]


def _looking(source: np.ndarray) -> np.ndarray:
    """The pose (4, 4) of a lamp that shines from the direction ``source`` (3,) to the origin."""
    placed = np.eye(4)
    placed[:3, :3] = camera.look_at(source, np.zeros(3)).rotation.T @ np.diag([1.0, -1.0, -1.0])
    return placed


def _to_srgb(colour: tuple[float, float, float]) -> np.ndarray:
    """Linear to sRGB, for the background, which pyrender does not convert."""
    linear = np.array(colour)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
