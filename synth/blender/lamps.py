"""Lamps of a scene: over the street, and what the vehicle's own lights cast on the ground."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from pamtri.keypoints import INDEX
from render_assets.vehicle import Vehicle
from synth.scene import LampSpec, Rgb, SceneSpec

_LAMP_SIZE = 0.5
"""Diameter of a street lamp, metres: how soft shadows are."""
_BEAM_WATTS = 900.0
"""Of a head lamp's low beam, had it shone all around."""
_BEAM_DEG = (62.0, 20.0)
"""Its cone, and how far down its middle points: what reaches above the horizon is weak."""
_BEAM_COLOUR: Rgb = (1.0, 0.90, 0.74)
_BRAKE_WATTS = 7.0
_BRAKE_COLOUR: Rgb = (1.0, 0.03, 0.02)


class Lamps:
    """The lamps of a scene; made as they are needed, and set anew for every image."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene
        self._street: list[bpy.types.Object] = []
        self._own: list[bpy.types.Object] = []

    def set(self, spec: SceneSpec, vehicle: Vehicle) -> None:
        """Light the lamps of ``spec`` and those of ``vehicle`` that its state has lit."""
        lamps = spec.light.lamps
        self._grow(self._street, len(lamps), "AREA")
        for thing, lamp in zip(self._street, lamps, strict=False):
            _place_street_lamp(thing, lamp)
        beams, brakes = bool(spec.state.head_lights), _brakes_at_dusk(spec)
        self._grow(self._own, 4 * (beams or brakes), "SPOT")
        for number, thing in enumerate(self._own[: 4 * (beams or brakes)]):
            side = ("left", "right")[number % 2]
            if number < 2:
                thing.hide_render = not beams
                _place_beam(thing, vehicle, side)
            else:
                thing.hide_render = not brakes
                _place_brake_light(thing, vehicle, side)
        # With a sky and a sun, choosing among lamps only costs.
        self._scene.cycles.use_light_tree = bool(lamps) or beams or brakes

    def _grow(self, things: list[bpy.types.Object], count: int, kind: str) -> None:
        """Show the first ``count`` lamps, made where there are none yet."""
        while len(things) < count:
            made = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", kind))
            self._scene.collection.objects.link(made)
            things.append(made)
        for number, thing in enumerate(things):
            thing.hide_render = number >= count


def _brakes_at_dusk(spec: SceneSpec) -> bool:
    """By day a brake light does not show on the ground."""
    return bool(spec.state.head_lights and spec.state.brake_lights)


def _place_street_lamp(thing: bpy.types.Object, lamp: LampSpec) -> None:
    x, y, height = lamp.position
    thing.matrix_world = Matrix.Translation((x, y, height))  # area lamps shine along -z
    thing.data.shape, thing.data.size = "DISK", _LAMP_SIZE
    thing.data.color = lamp.colour
    # A small matt disc of P watts casts P / (pi h^2) right below it.
    thing.data.energy = lamp.strength * np.pi * height**2
    thing.visible_camera = False


def _place_beam(thing: bpy.types.Object, vehicle: Vehicle, side: str) -> None:
    lamp = vehicle.keypoints[INDEX[f"{side}_headlight"]]
    front = max(float(p.vertices[:, 0].max()) for p in vehicle.parts)
    _point(thing, (front + 0.05, 0.85 * lamp[1], lamp[2] - 0.08), 1.0)
    thing.data.spot_size, thing.data.spot_blend = np.radians(_BEAM_DEG[0]), 0.7
    thing.data.energy, thing.data.color = _BEAM_WATTS, _BEAM_COLOUR
    thing.data.shadow_soft_size = 0.06


def _place_brake_light(thing: bpy.types.Object, vehicle: Vehicle, side: str) -> None:
    lamp = vehicle.keypoints[INDEX[f"{side}_tail_light"]]
    rear = min(float(p.vertices[:, 0].min()) for p in vehicle.parts)
    _point(thing, (rear - 0.05, lamp[1], lamp[2] - 0.05), -1.0)
    thing.data.spot_size, thing.data.spot_blend = np.radians(150.0), 1.0
    thing.data.energy, thing.data.color = _BRAKE_WATTS, _BRAKE_COLOUR
    thing.data.shadow_soft_size = 0.08


def _point(thing: bpy.types.Object, place: tuple[float, float, float], ahead: float) -> None:
    """Put a spot lamp at ``place``, pointing forward (1) or back (-1) and a little down."""
    down = np.radians(_BEAM_DEG[1])
    towards = Vector((ahead * np.cos(down), 0.0, -np.sin(down)))
    turned = towards.to_track_quat("-Z", "Y").to_matrix().to_4x4()
    thing.matrix_world = Matrix.Translation(place) @ turned
    thing.visible_camera = False
