"""From a ``VehicleSpec`` to meshes, materials and keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from render_assets import materials
from render_assets.body import Body
from render_assets.cabin import cabin_parts
from render_assets.fittings import fitting_parts
from render_assets.keypoints import place_keypoints, wheel_track
from render_assets.load import load_parts
from render_assets.materials import Material
from render_assets.mesh import Part, mirror, moved
from render_assets.panels import skin_parts
from render_assets.spec import Paint, VehicleSpec
from render_assets.wheels import build_wheel


@dataclass(frozen=True, eq=False)
class Vehicle:
    """A vehicle that can be put in front of a camera.

    ``materials`` is keyed by ``Part.material``; ``keypoints`` (36, 3) float64 metres in PAMTRI's
    order, the right side the exact mirror of the left.
    """

    spec: VehicleSpec
    parts: tuple[Part, ...]
    materials: dict[str, Material]
    keypoints: np.ndarray


@lru_cache(maxsize=64)
def build_vehicle(spec: VehicleSpec) -> Vehicle:
    """The vehicle of a spec; the same spec gives the same arrays. Do not write to them."""
    body = Body(spec.shape, spec.layout)
    half = [*skin_parts(spec, body), *_wheels(spec)]
    whole: list[Part] = []
    groups = [cabin_parts(spec, body), fitting_parts(spec, body)]
    if spec.load is not None:
        groups.append(load_parts(spec, spec.load))
    for paired, single in groups:
        half += paired
        whole += single
    parts = _both_sides(half) + whole
    known = {**materials.FIXED, **_own_materials(spec)}
    used = sorted({p.material for p in parts})
    return Vehicle(spec, tuple(parts), {n: known[n] for n in used}, place_keypoints(spec, body))


def _wheels(spec: VehicleSpec) -> list[Part]:
    """The left wheels in their places."""
    track, wheels = wheel_track(spec), []
    for built in build_wheel(spec.wheels):
        for end, axle in (("front", 0.5), ("rear", -0.5)):
            centre = (axle * spec.shape.wheelbase, track, spec.wheels.radius)
            wheels.append(_renamed(moved(built, centre), f"{end}_{built.name}"))
        if spec.wheels.twin and built.name == "tyre":
            inner = (centre[0], track - spec.wheels.width - 0.03, centre[2])
            wheels.append(_renamed(moved(built, inner), "rear_inner_tyre"))
    return wheels


def _renamed(original: Part, name: str) -> Part:
    return Part(
        name,
        original.material,
        original.vertices,
        original.faces,
        original.normals,
        original.segment,
    )


def _both_sides(half: list[Part]) -> list[Part]:
    """Left parts and their mirror images, named by side."""
    parts = []
    for left in half:
        segment = left.segment
        other = segment.replace("left_", "right_") if segment else None
        parts.append(_renamed(left, f"left_{left.name}"))
        parts.append(mirror(left, f"right_{left.name}", other))
    return parts


def _own_materials(spec: VehicleSpec) -> dict[str, Material]:
    """The materials that differ between individuals."""
    return {
        "paint": paint_material(spec.paint),
        "glass": materials.glass(0.15),
        "tinted_glass": materials.glass(spec.trim.tint),
    }


def paint_material(paint: Paint) -> Material:
    """The shader parameters of a paint."""
    return Material(
        paint.rgb,
        metallic=paint.metallic,
        roughness=paint.roughness,
        coat=paint.coat,
        coat_roughness=paint.coat_roughness,
        flake=paint.flake,
    )
