"""What hangs under the floor: axles, exhaust, tank, trays. Low cameras see it against the light."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from render_assets.body import Body
from render_assets.keypoints import wheel_track
from render_assets.mesh import Part, box, ellipsoid, tube
from render_assets.spec import VehicleSpec

_LADDER = ("offroad", "full_suv")
"""Styles of cars that stand on a ladder frame, as pickups do."""


def underside_parts(spec: VehicleSpec, body: Body) -> tuple[list[Part], list[Part]]:
    """Left halves, and what lies on one side or across the middle."""
    half = [*_suspension(spec, body), *_rails(spec, body)]
    whole = _axles(spec, body)
    if spec.load is None:
        whole += [*_exhaust(spec, body), *_tank(spec, body)]
    return half, [*whole, _sump(spec, body)]


def _floor(body: Body, x: float) -> float:
    """Height of the body's lower face at x, metres."""
    return float(body.bottom(np.array([x]))[0])


def _suspension(spec: VehicleSpec, body: Body) -> list[Part]:
    """Lower arm and strut of each left wheel, in the arch behind the tyre."""
    inner = wheel_track(spec) - 0.5 * spec.wheels.width
    r, parts = spec.wheels.radius, []
    for name, axle in (("front", body.front_axle), ("rear", body.rear_axle)):
        if axle < spec.shape.body_rear_x or (spec.wheels.twin and name == "rear"):
            continue
        low = 0.62 * r
        hub = np.array([axle, inner + 0.06, low])
        for dx in (-0.16, 0.16):
            root = np.array([axle + dx, body.half - 0.62, low + 0.02])
            parts.append(tube(f"{name}_arm", "chassis", np.stack([root, hub]), 0.022, 6))
        top = np.array([axle, inner - 0.08, body.arch_z + 0.9 * spec.shape.arch_radius])
        strut = np.stack([hub + np.array([0, -0.05, 0.02]), top])
        parts.append(tube(f"{name}_strut", "chassis", strut, 0.045, 8))
        shaft = np.array([[axle, 0.25, r], [axle, inner + 0.05, r]])
        parts.append(tube(f"{name}_half_shaft", "chassis", shaft, 0.02, 6))
    return parts


def _rails(spec: VehicleSpec, body: Body) -> list[Part]:
    """Members along the floor; a ladder frame's stand lower and run from end to end."""
    s = spec.shape
    ladder = spec.layout == "pickup" or spec.style in _LADDER
    y, deep = (0.48, 0.07) if ladder else (0.42, 0.03)
    front, rear = s.front_x - 0.35, s.body_rear_x + 0.25
    if not ladder:
        front, rear = body.front_axle - 0.1, max(body.rear_axle + 0.1, rear)
    knots = np.linspace(rear, front, 4)
    parts = []
    for a, b in pairwise(knots):
        z = 0.5 * (_floor(body, a) + _floor(body, b)) - 0.5 * deep + 0.02
        size = (b - a + 0.04, 0.09, deep + 0.04)
        parts.append(box("floor_rail", "chassis", ((a + b) / 2, y, z), size, 0.012))
    return parts


def _axles(spec: VehicleSpec, body: Body) -> list[Part]:
    """A beam between the rear wheels with a differential where it is driven; trucks and buses have
    a beam in front as well."""
    s, r = spec.shape, spec.wheels.radius
    reach = wheel_track(spec) - 0.5 * spec.wheels.width
    heavy = spec.wheels.twin
    parts = []
    if spec.load is None:
        solid = heavy or spec.layout in ("pickup", "van") or spec.style in _LADDER
        z = r - 0.02 if solid else min(r - 0.08, s.clearance + 0.02)
        path = np.array([[body.rear_axle, -reach, z], [body.rear_axle, reach, z]])
        parts.append(tube("rear_axle", "chassis", path, 0.07 if heavy else 0.045, 8))
        if solid:
            size = (0.36, 0.32, 0.36) if heavy else (0.28, 0.25, 0.27)
            centre = (body.rear_axle, 0.0, z - 0.01)
            parts.append(ellipsoid("differential", "chassis", centre, size, 2.4, 6))
    if heavy:
        z = r - 0.10
        size = (0.10, 2 * reach, 0.11)
        parts.append(box("front_axle", "chassis", (body.front_axle, 0.0, z), size, 0.02))
    return parts


def _exhaust(spec: VehicleSpec, body: Body) -> list[Part]:
    """A pipe from the engine to a silencer before the rear bumper, and its tail."""
    s = spec.shape
    rear, side = s.body_rear_x, 0.34
    pot = rear + 0.42
    x = np.array([body.front_axle - 0.25, 0.3, body.rear_axle + 0.45, body.rear_axle, pot + 0.1])
    y = np.array([0.0, 0.10, 0.16, 0.24, side])
    z = np.array([_floor(body, float(at)) - 0.03 for at in x])
    low = _floor(body, pot) + 0.02
    tail = np.array([[pot - 0.12, side, low], [rear + 0.16, side + 0.12, low + 0.01]])
    silencer = ellipsoid("silencer", "exhaust", (pot, side, low), (0.26, 0.55, 0.14), 3.2, 6)
    return [
        tube("exhaust_pipe", "exhaust", np.stack([x, y, z], axis=1), 0.028, 7),
        silencer,
        tube("tail_pipe", "exhaust", tail, 0.028, 7),
    ]


def _tank(spec: VehicleSpec, body: Body) -> list[Part]:
    """The fuel tank ahead of the rear axle, on the side away from the exhaust."""
    x = body.rear_axle + spec.shape.arch_radius + 0.12
    low = _floor(body, x)
    wide = 0.55 * body.half
    return [
        ellipsoid("fuel_tank", "plastic", (x, -0.12 - wide / 2, low + 0.04),
                  (0.50, wide, 0.16), 4.0, 6)
    ]  # fmt: skip


def _sump(spec: VehicleSpec, body: Body) -> Part:
    """The tray under the engine: between the front wheels, in a bus behind the rear ones."""
    x = body.front_axle if spec.layout != "bus" else body.rear_axle - 1.3
    size = (0.75, 0.80, 0.16) if spec.load is None else (0.9, 0.62, 0.5)
    low = _floor(body, x) + (0.03 if spec.load is None else 0.16)
    return ellipsoid("engine_tray", "plastic", (x, 0.0, low), size, 4.0, 6)
