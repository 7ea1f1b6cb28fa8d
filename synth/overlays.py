"""What lies over pictures of vehicles: their parts and segments in colours, their keypoints."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pamtri import camera, segments
from pamtri.draw import Image, draw_labels
from pamtri.record import Record
from render_assets.mesh import Part
from synth.geometry import SceneGeometry
from synth.labels import RayTarget, label_scene
from synth.scene import CameraSpec, SceneSpec

_OPACITY = 0.65
_GOLDEN = 0.618034
"""Hues this share of the circle apart never come close to repeating."""


def overlay_keypoints(image: Image, spec: SceneSpec, geometry: SceneGeometry) -> Image:
    """The picture with the keypoints: green where visible, yellow behind the vehicle itself."""
    labels = label_scene(spec, geometry)
    record = Record(image="picture", domain="synthetic", keypoints=labels.keypoints)
    return draw_labels(image, record, box=False, segments=False)


def overlay_parts(image: Image, spec: SceneSpec, geometry: SceneGeometry) -> Image:
    """The picture with every named part in a colour: partners alike, and alike on all vehicles."""
    parts = geometry.vehicle.parts
    colours = np.array([_part_colour(part.name) for part in parts])
    return _tinted(image, part_image(spec.camera, parts), colours)


def overlay_segments(image: Image, spec: SceneSpec, geometry: SceneGeometry) -> Image:
    """The picture with each of the 13 segments in a colour of its own; the rest stays."""
    parts = geometry.vehicle.parts
    number = np.array([-1 if p.segment is None else segments.INDEX[p.segment] for p in parts])
    palette = np.array([_hue(i * _GOLDEN, 1.0) for i in range(segments.NUM_SEGMENTS)])
    seen = part_image(spec.camera, parts)
    seen = np.where(seen >= 0, number[seen], -1)
    return _tinted(image, seen, palette)


def part_image(view: CameraSpec, parts: Sequence[Part]) -> NDArray[np.int64]:
    """(h, w): index of the part whose surface comes first at each pixel's centre, or -1."""
    x, y = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], axis=1), view.intrinsics)
    pose = view.pose
    index = RayTarget(parts).cast(pose.centre, rays @ pose.rotation)[1]
    return index.reshape(x.shape).astype(np.int64)


def _tinted(image: Image, index: NDArray[np.int64], colours: NDArray[np.float64]) -> Image:
    """Colours (n, 3) in 0..1 over the pixels that ``index`` gives one, shaded as the picture is."""
    light = image.mean(axis=2, keepdims=True) / 255
    tint = 255 * colours[index] * (0.45 + 0.55 * light)
    mixed = (1 - _OPACITY) * image + _OPACITY * tint
    return np.where(index[..., None] >= 0, np.round(mixed), image).astype(np.uint8)


def _part_colour(name: str) -> tuple[float, float, float]:
    code = zlib.crc32(name.removeprefix("left_").removeprefix("right_").encode())
    return _hue(code % 997 / 997, 0.65 + 0.35 * (code // 997 % 3) / 2)


def _hue(turn: float, value: float) -> tuple[float, float, float]:
    return colorsys.hsv_to_rgb(turn % 1.0, 0.85, value)
