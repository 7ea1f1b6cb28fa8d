"""The vehicle's state in one image: wheels steered, body on its springs, lights on.

The identity's meshes stay as they are built: a state moves whole groups of parts (``Mount``), and
the keypoints on them, and exchanges the lamps' materials. Imported vehicles, whose wheels are not
told apart, only get the lights.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pamtri.keypoints import INDEX
from render_assets import materials
from render_assets.keypoints import wheel_track
from render_assets.materials import Material, Rgb
from render_assets.mesh import Part
from render_assets.spec import VehicleSpec
from render_assets.vehicle import Vehicle
from render_assets.wheels import bare_wheel, build_wheel
from synth.distributions import Number, Probability, always, within
from synth.freeze import Effect
from synth.scene import StateSpec
from synth.streams import Streams

Array = NDArray[np.float64]
KINGPIN_INSET = 0.06
"""Metres between the tyre's inner sidewall and the axis that the wheel is steered about."""


class StateConfig(Effect):
    """How the vehicle stands and shines, image by image."""

    steer_deg: Annotated[Number, within(-40, 40)] = always(0.0)
    """Of the front wheels, to the left."""
    pitch_deg: Annotated[Number, within(-4, 4)] = always(0.0)
    """Of the body on its springs, nose down."""
    roll_deg: Annotated[Number, within(-5, 5)] = always(0.0)
    """To the right."""
    head_lights: Probability | None = None
    """How often head and tail lights are on; left out, an identity has them on or off, and they are
    on where ``light.time`` says that it is dark."""
    brake_lights: Probability | None = None
    """How often the brake lights are on; left out, as the identity has them."""


def sample_state(config: StateConfig, streams: Streams, dark: bool = False) -> StateSpec:
    """Draw a state; ``dark`` is whether the sun is too low to drive without lights."""

    def lit(name: str, chance: Probability | None) -> bool | None:
        return None if chance is None else streams.happens(f"state.{name}", chance)

    head = lit("head_lights", config.head_lights)
    return StateSpec(
        steer_deg=streams.number("state.steer_deg", config.steer_deg),
        pitch_deg=streams.number("state.pitch_deg", config.pitch_deg),
        roll_deg=streams.number("state.roll_deg", config.roll_deg),
        head_lights=True if head is None and dark else head,
        brake_lights=lit("brake_lights", config.brake_lights),
    )


class Mount(IntEnum):
    """What a part is fixed to, and so moves with."""

    BODY = 0
    AXLE = 1
    """Wheels that are not steered: they stay where they are."""
    LEFT_WHEEL = 2
    RIGHT_WHEEL = 3


@lru_cache(maxsize=16)
def mounts(vehicle: Vehicle) -> NDArray[np.int8]:
    """(parts,) ``Mount`` of each part."""
    if not isinstance(vehicle.spec, VehicleSpec):
        return np.zeros(len(vehicle.parts), dtype=np.int8)
    wheels = vehicle.spec.wheels
    on: dict[str, Mount] = {}
    for end in ("front", "rear"):
        names = {p.name for p in (*build_wheel(wheels, end), *bare_wheel(wheels, end))}
        for side in ("left", "right"):
            steered = Mount.LEFT_WHEEL if side == "left" else Mount.RIGHT_WHEEL
            mount = steered if end == "front" else Mount.AXLE
            on |= {f"{side}_{end}_{name}": mount for name in names}
            on[f"{side}_rear_inner_tyre"] = Mount.AXLE
    return np.array([on.get(p.name, Mount.BODY) for p in vehicle.parts], dtype=np.int8)


def moves(vehicle: Vehicle, state: StateSpec) -> dict[Mount, Array]:
    """(4, 4) rigid map of each group of parts in the vehicle frame; groups that stay are left
    out."""
    spec, found = vehicle.spec, {}
    if not isinstance(spec, VehicleSpec):
        return {}
    if state.pitch_deg or state.roll_deg:
        turn = Rotation.from_euler("yx", [state.pitch_deg, state.roll_deg], degrees=True)
        found[Mount.BODY] = _about((0.0, 0.0, spec.wheels.radius), turn)
    if state.steer_deg:
        pin = wheel_track(spec) - spec.wheels.width / 2 - KINGPIN_INSET
        for mount, y in ((Mount.LEFT_WHEEL, pin), (Mount.RIGHT_WHEEL, -pin)):
            angle = ackermann(np.radians(state.steer_deg), spec.shape.wheelbase, y)
            turn = Rotation.from_euler("z", angle)
            found[mount] = _about((spec.shape.wheelbase / 2, y, 0.0), turn)
    return found


def ackermann(steer: float, wheelbase: float, y: float) -> float:
    """Angle of the front wheel at ``y`` (metres to the left) whose axle's line passes through the
    centre that a wheel in the middle, at angle ``steer``, would turn about. Radians."""
    return float(
        np.arctan2(np.sin(steer) * wheelbase, np.cos(steer) * wheelbase - np.sin(steer) * y)
    )


def _about(point: tuple[float, float, float], turn: Rotation) -> Array:
    placed = np.eye(4)
    placed[:3, :3] = turn.as_matrix()
    placed[:3, 3] = point - placed[:3, :3] @ point
    return placed


def in_state(vehicle: Vehicle, state: StateSpec) -> Vehicle:
    """The vehicle, its parts, keypoints and lamps, in a state; itself where that changes
    nothing."""
    shining = _shining(vehicle.materials, state)
    moved = moves(vehicle, state)
    if not moved and not shining:
        return vehicle
    parts = tuple(
        _moved(part, moved[Mount(mount)]) if mount in moved else part
        for part, mount in zip(vehicle.parts, mounts(vehicle).tolist(), strict=True)
    )
    points = vehicle.keypoints.copy()
    for mount, matrix in moved.items():
        own = _keypoints_on(mount)
        points[own] = points[own] @ matrix[:3, :3].T + matrix[:3, 3]
    return replace(
        vehicle, parts=parts, keypoints=points, materials={**vehicle.materials, **shining}
    )


def _moved(part: Part, matrix: Array) -> Part:
    turn, shift = matrix[:3, :3], matrix[:3, 3]
    return replace(
        part,
        vertices=(part.vertices @ turn.T + shift).astype(np.float32),
        normals=(part.normals @ turn.T).astype(np.float32),
    )


def _keypoints_on(mount: Mount) -> list[int]:
    steered = {Mount.LEFT_WHEEL: "left_front_wheel", Mount.RIGHT_WHEEL: "right_front_wheel"}
    if mount in steered:
        return [INDEX[steered[mount]]]
    return [number for name, number in INDEX.items() if not name.endswith("_wheel")]


def _shining(known: dict[str, Material], state: StateSpec) -> dict[str, Material]:
    """The lamps that shine otherwise than their identity has them."""
    glow: dict[str, Rgb] = {}
    brake = "lamp_brake" if "lamp_brake" in known else "lamp_red"
    if state.head_lights is not None:
        glow["lamp_beam"] = _BEAM if state.head_lights else _OFF
        tail = _TAIL if state.head_lights else _OFF
        glow |= dict.fromkeys(("lamp_red", "lamp_red_bright"), tail)
        if brake in known and max(known[brake].emission) <= max(_TAIL):
            glow[brake] = tail
    if state.brake_lights is not None:
        glow[brake] = _BRAKE if state.brake_lights else glow.get("lamp_red", _OFF)
    return {
        name: replace(known[name], emission=light)
        for name, light in glow.items()
        if name in known and known[name].emission != light
    }


def _lit(strength: float, colour: Rgb) -> Rgb:
    red, green, blue = (strength * c for c in colour)
    return red, green, blue


_OFF: Rgb = (0.0, 0.0, 0.0)
_BEAM = materials.lights(day=False, head=True, brake=False)["lamp_beam"].emission
_BRAKE = materials.lights(day=False, head=False, brake=True)["lamp_brake"].emission
_TAIL = _lit(0.08, _BRAKE)
"""Tail lights are some ten times weaker than brake lights (UN regulation 7)."""
