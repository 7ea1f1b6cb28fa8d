"""From a ``SceneSpec`` to meshes in the world frame: the one source of both renderers and labels.

The world frame is the frame of the labelled vehicle, so its parts come as they are built but for
what its state moves (``synth.state``); occluders and scenery are moved to their places. Scenery
always stands beyond the vehicle as the camera sees it, so it never hides any of it and the labels
leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from render_assets.environments import build_street
from render_assets.occluders import Body, build_occluder
from render_assets.vehicle import Vehicle, build_vehicle
from synth.scene import OccluderSpec, SceneSpec
from synth.state import Mount, in_state, moves
from synth.weather import in_weather

_STREET_GAP = 7.0
"""Metres between the vehicle's middle, as far as its corners reach, and the street's kerb."""


@dataclass(frozen=True, eq=False)
class SceneGeometry:
    """What a scene consists of besides ground, sky and lights; metres in the world frame.

    ``vehicle`` is the vehicle in its state. ``rest`` is the same one as it is built, None where
    they are one: it is shared between scenes, so that renderers can keep what they derive from it,
    and ``moves`` bring its parts to where ``vehicle`` has them. ``occluders`` are in the order of
    the spec.
    """

    vehicle: Vehicle
    occluders: tuple[Body, ...] = ()
    scenery: Body | None = None
    rest: Vehicle | None = None
    moves: Mapping[Mount, np.ndarray] = field(default_factory=dict)


def build_geometry(spec: SceneSpec) -> SceneGeometry:
    """All meshes of a scene: a pure function of its spec."""
    rest = build_vehicle(spec.vehicle)
    street = spec.backdrop.kind == "street"
    return SceneGeometry(
        in_weather(in_state(rest, spec.state), spec.weather),
        tuple(_placed_occluder(o) for o in spec.occluders),
        _placed_street(spec, rest) if street else None,
        rest,
        moves(rest, spec.state),
    )


def vehicle_vertices(vehicle: Vehicle) -> np.ndarray:
    """(n, 3) float32 vertices of all parts."""
    return np.concatenate([p.vertices for p in vehicle.parts])


def _placed_occluder(spec: OccluderSpec) -> Body:
    body = build_occluder(spec.kind, spec.size, spec.seed, spec.colour)
    return body.placed(spec.position, np.deg2rad(spec.yaw_deg))


def _placed_street(spec: SceneSpec, vehicle: Vehicle) -> Body:
    """The street runs across the view (turned a little), its kerb behind the vehicle."""
    forward = spec.camera.pose.rotation[2]
    turn = np.random.default_rng([spec.backdrop.seed, 3]).uniform(-0.3, 0.3)
    yaw = float(np.arctan2(forward[1], forward[0]) + turn)
    reach = float(np.linalg.norm(vehicle_vertices(vehicle)[:, :2], axis=1).max())
    away = (reach + _STREET_GAP) * np.array([np.cos(yaw), np.sin(yaw)])
    body = build_street(spec.backdrop.seed, spec.backdrop.colour)
    return body.placed((float(away[0]), float(away[1]), 0.0), yaw)
