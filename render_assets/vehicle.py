"""From a ``VehicleSpec`` to meshes, materials and keypoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from render_assets import materials
from render_assets.body import Body
from render_assets.buses import bus_parts
from render_assets.cabin import cabin_parts
from render_assets.damage import dented
from render_assets.ends import end_parts
from render_assets.fittings import fitting_parts
from render_assets.keypoints import place_keypoints, wheel_track
from render_assets.load import load_parts
from render_assets.mark_parts import mark_parts
from render_assets.materials import Dirt, Material
from render_assets.mesh import Part, mirror, moved
from render_assets.panels import skin_parts
from render_assets.rims import is_deep
from render_assets.spec import AnyVehicleSpec, ImportedSpec, Paint, VehicleSpec
from render_assets.trucks import bonnet_parts, cab_parts
from render_assets.underside import underside_parts
from render_assets.vans import van_parts
from render_assets.wheels import bare_wheel, build_wheel, inner_tyre


@dataclass(frozen=True, eq=False)
class Vehicle:
    """A vehicle that can be put in front of a camera.

    ``materials`` is keyed by ``Part.material``; ``keypoints`` (36, 3) float64 metres in PAMTRI's
    order, the right side the exact mirror of the left.
    """

    spec: AnyVehicleSpec
    parts: tuple[Part, ...]
    materials: dict[str, Material]
    keypoints: np.ndarray


@lru_cache(maxsize=64)
def build_vehicle(spec: AnyVehicleSpec) -> Vehicle:
    """The vehicle of a spec; the same spec gives the same arrays. Do not write to them.

    Raises DataError for an imported vehicle whose entry is missing or has changed.
    """
    if isinstance(spec, ImportedSpec):
        from render_assets.imported.build import build_imported  # it builds on this module

        return build_imported(spec)
    model = _model(_uncoloured(spec))
    parts = (*model.parts, *mark_parts(spec, model.body, model.keypoints, model.panels))
    known = {**materials.FIXED, **_own_materials(spec)}
    used = {n: known[n] for n in sorted({p.material for p in parts})}
    return Vehicle(spec, parts, dirtied(used, spec, spec.marks.dirt), model.keypoints)


@dataclass(frozen=True, eq=False)
class _Model:
    """What an individual's colours have no part in: body, the left half of its skin's parts, all
    parts but stickers, plates and lettering, keypoints."""

    body: Body
    panels: tuple[Part, ...]
    parts: tuple[Part, ...]
    keypoints: np.ndarray


_PRIMER = Paint(
    rgb=(0.5, 0.5, 0.5), finish="solid", metallic=0, roughness=0.5, flake=0, coat=0,
    coat_roughness=0,
)  # fmt: skip


def _uncoloured(spec: VehicleSpec) -> VehicleSpec:
    """The spec in colours that are the same for all."""
    marks = spec.marks
    if marks.livery is not None:
        plain = marks.livery.model_copy(update=dict.fromkeys(("ink", "first", "second"), "white"))
        marks = marks.model_copy(update={"livery": plain})
    return spec.model_copy(update={"colour": "white", "paint": _PRIMER, "marks": marks})


@lru_cache(maxsize=8)
def _model(spec: VehicleSpec) -> _Model:
    """Built once for an individual that is shown in several colours."""
    body = Body(spec.shape, spec.layout)
    panels = skin_parts(spec, body)
    half = [*panels, *_wheels(spec)]
    whole: list[Part] = []
    groups = [
        cabin_parts(spec, body),
        underside_parts(spec, body),
        end_parts(spec, body),
        fitting_parts(spec, body),
    ]
    if spec.load is not None:
        groups.append(load_parts(spec, spec.load))
    if spec.cab is not None:
        build = bonnet_parts if spec.layout == "bonneted" else cab_parts
        groups.append(build(spec, body, spec.cab))
    if spec.van is not None:
        groups.append(van_parts(spec, body, spec.van))
    if spec.coachwork is not None:
        groups.append(bus_parts(spec, body, spec.coachwork))
    for paired, single in groups:
        half += paired
        whole += single
    keypoints = place_keypoints(spec, body)
    parts = _worn(_both_sides(half), spec, body, keypoints)
    return _Model(body, tuple(panels), (*parts, *whole), keypoints)


_SOILED = {
    **dict.fromkeys(("paint", "roof_paint", "glass", "tinted_glass", "plastic", "box_white"), 1.0),
    **dict.fromkeys(("bumper", "black_glass", "window_trim", "tipper_steel", "drum_stripe"), 1.0),
    **dict.fromkeys(("aluminium", "chrome", "frame", "rubber", "underbody", "chassis"), 0.8),
    **dict.fromkeys(("tyre", "alloy", "alloy_black", "steel", "polished_steel"), 0.4),
}
"""How much of an individual's dirt a material on the outside collects; wheels throw theirs off."""


def dirtied(known: dict[str, Material], spec: VehicleSpec, amount: float) -> dict[str, Material]:
    """The materials with dirt, 0..1 of it, on those that are outside."""
    if not amount:
        return known
    s, seed = spec.shape, spec.marks.dirt_seed
    soiled = {
        name: replace(known[name], dirt=Dirt(part * amount, seed, s.wheelbase, s.rear_x))
        for name, part in outside(known).items()
    }
    return known | soiled


def outside(known: dict[str, Material]) -> dict[str, float]:
    """The materials that the weather reaches, each with the share of dirt that it collects."""
    share = {name: 1.0 for name in known if name.startswith(("plate", "decal"))}
    return share | {name: part for name, part in _SOILED.items() if name in known}


def _worn(parts: list[Part], spec: VehicleSpec, body: Body, keypoints: np.ndarray) -> list[Part]:
    """The model's two sides as this individual has them: its roof's colour, dents, a bare wheel."""
    if spec.marks.roof_colour is not None:
        parts = [
            replace(p, material="roof_paint") if p.name.endswith("_roof") else p for p in parts
        ]
    parts = dented(parts, spec, body, keypoints)
    if spec.marks.bare_wheel is None:
        return parts
    side, end = spec.marks.bare_wheel.split("_")
    covered = {f"{side}_{end}_{p.name}" for p in build_wheel(spec.wheels, end)}
    x = (0.5 if end == "front" else -0.5) * spec.shape.wheelbase
    centre = (x, wheel_track(spec), spec.wheels.radius)
    bare = [
        replace(moved(p, centre), name=f"left_{end}_{p.name}") for p in bare_wheel(spec.wheels, end)
    ]
    if side == "right":
        bare = [mirror(p, p.name.replace("left_", "right_")) for p in bare]
    return [p for p in parts if p.name not in covered] + bare


def _wheels(spec: VehicleSpec) -> list[Part]:
    """The left wheels in their places."""
    track, wheels = wheel_track(spec), []
    for end, axle in (("front", 0.5), ("rear", -0.5)):
        centre = (axle * spec.shape.wheelbase, track, spec.wheels.radius)
        for built in build_wheel(spec.wheels, end):
            wheels.append(replace(moved(built, centre), name=f"{end}_{built.name}"))
        if is_deep(spec.wheels, end):
            inner = (centre[0], track - spec.wheels.width - 0.03, centre[2])
            wheels.append(moved(inner_tyre(spec.wheels), inner))
    return wheels


def _both_sides(half: list[Part]) -> list[Part]:
    """Left parts and their mirror images, named by side."""
    parts = []
    for left in half:
        segment = left.segment
        other = segment.replace("left_", "right_") if segment else None
        parts.append(replace(left, name=f"left_{left.name}"))
        parts.append(mirror(left, f"right_{left.name}", other))
    return parts


def _own_materials(spec: VehicleSpec) -> dict[str, Material]:
    """The materials that differ between individuals."""
    dark = spec.cab is not None and spec.cab.dark_bumper
    paint = paint_material(spec.paint)
    own = {
        "paint": paint,
        "bumper": materials.FIXED["plastic"] if dark else paint,
        "glass": materials.glass(0.15),
        "tinted_glass": materials.glass(spec.trim.tint),
        **materials.interior(spec.cabin.colour),
        "window_trim": materials.FIXED["chrome" if spec.trim.details.window_chrome else "rubber"],
        **materials.lights(**spec.lights.model_dump()),
    }
    if spec.marks.roof_colour is not None:
        colour = materials.DECALS[spec.marks.roof_colour]
        own["roof_paint"] = replace(
            paint, base_colour=colour, metallic=0.0, flake=0.0, grazing=None
        )
    return own


def paint_material(paint: Paint) -> Material:
    """The shader parameters of a paint."""
    return Material(
        paint.rgb,
        metallic=paint.metallic,
        roughness=paint.roughness,
        coat=paint.coat,
        coat_roughness=paint.coat_roughness,
        flake=paint.flake,
        peel=True,
        grazing=_aslant(paint),
    )


def _aslant(paint: Paint) -> materials.Rgb | None:
    """The base colour at grazing angles: metallic paint gets darker, pearl paler."""
    red, green, blue = paint.rgb
    if paint.finish == "metallic":
        return 0.45 * red, 0.45 * green, 0.45 * blue
    if paint.finish == "pearl":
        mean = (red + green + blue) / 3
        return 0.7 * red + 0.2 * mean, 0.7 * green + 0.2 * mean, 0.7 * blue + 0.3 * mean
    return None
