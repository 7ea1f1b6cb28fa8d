"""The 36 keypoints of a vehicle, from the same lines that shape its body.

Where annotators put the points, read off PAMTRI's labels for VeRi:

| point | cars, vans, pickups | bus | truck |
|---|---|---|---|
| wheel | outer face of the hub | same | same (outer of the twin wheels) |
| arch low | 3 cm outside the arch's lip, 8 degrees below the height of the wheel's centre | same | front: cab's lip; rear: the same on the mudguard's outer edge |
| arch high | 3 cm outside the lip, 45 degrees up | same | as above |
| rear bumper | where rear and side meet, a little below wheel-centre height | same | lower rear corner of the load body |
| tail light | outer upper corner of the tail, boot edge | corner at the rear window's base line | load body's rear corner at the height of the bed's upper edge |
| rear glass base | lower outer corner of the rear glass | same | upper edge of the load floor, box: 60 % of its height |
| roof rear | rear outer corner of the roof (pickup: of the cab) | same | box: its upper rear corner; flatbed: the cab's |
| roof front | upper outer corner of the windscreen | same | same |
| windscreen base | lower outer corner of the windscreen | same | same |
| headlight | upper front corner, where bonnet and lamp meet | same, at the lamp's height | same |
| front bumper | where front and side meet, a little below wheel-centre height | same | same |
"""  # noqa: E501

from __future__ import annotations

import numpy as np

from pamtri.keypoints import FLIP, INDEX, NUM_KEYPOINTS
from render_assets.body import FLAT_FRONT, Body
from render_assets.solid import project
from render_assets.spec import Load, VehicleSpec
from render_assets.wheels import hub_face

ARCH_ANGLES = (-8.0, 45.0, 135.0, 188.0)
"""Degrees of the four arch points about the arch's centre, 0 towards the front."""
ARCH_LIP = 0.03
"""How far outside the opening annotators put them, metres."""


def place_keypoints(spec: VehicleSpec, body: Body) -> np.ndarray:
    """(36, 3) float64 metres in PAMTRI's order; the right side mirrors the left exactly."""
    s = spec.shape
    points = np.zeros((NUM_KEYPOINTS, 3))

    def put(name: str, point: np.ndarray | tuple[float, float, float]) -> None:
        points[INDEX[f"left_{name}"]] = point

    hub = wheel_track(spec) + hub_face(spec.wheels)
    for end, axle in (("front", body.front_axle), ("rear", body.rear_axle)):
        put(f"{end}_wheel", (axle, hub, spec.wheels.radius))
        theta = np.radians(ARCH_ANGLES)
        x = axle + (s.arch_radius + ARCH_LIP) * np.cos(theta)
        z = body.arch_z + (s.arch_radius + ARCH_LIP) * np.sin(theta)
        z = np.maximum(z, s.clearance + 0.08)
        names = ("front_low", "front_high", "rear_high", "rear_low")
        for name, point in zip(names, body.side_at(x, z), strict=True):
            put(f"{end}_arch_{name}", point)
    low = max(s.clearance + 0.09, spec.wheels.radius - 0.06)
    eaves = s.height - s.roof_crown
    corners = {
        "front_bumper": (s.front_x - 0.15, low),
        "headlight": (s.front_x, s.nose_z),
        "windscreen_base": (s.cowl_x, s.cowl_z + 0.10),
        "roof_front": (s.roof_front_x, eaves),
        "roof_rear": (s.roof_rear_x - 0.11, eaves),
        "rear_glass_base": (s.deck_x, s.deck_z + 0.11),
        "tail_light": (s.body_rear_x, s.tail_z),
        "rear_bumper": (s.body_rear_x, low),
    }
    for name, point in zip(corners, _corners(body, np.array([*corners.values()])), strict=True):
        put(name, point)
    if body.layout not in FLAT_FRONT:  # where the lamp meets the bonnet, inward of the corner
        put("headlight", body.top_at(s.headlight_x - 0.10, body.half - 0.17)[0])
    if spec.load is not None:
        for name, point in _load_points(spec, spec.load).items():
            put(name, point)
    left = np.arange(NUM_KEYPOINTS // 2)
    points[FLIP[left]] = points[left] * np.array([1, -1, 1])
    return points


def _load_points(spec: VehicleSpec, load: Load) -> dict[str, np.ndarray]:
    """The points of a truck that lie on its load body instead of the cab."""
    s = spec.shape
    rear, half = s.rear_x, load.width / 2
    axle, radius = -s.wheelbase / 2, s.arch_radius + ARCH_LIP
    z = s.arch_radius * 0.86
    face = wheel_track(spec) + spec.wheels.width / 2
    points = {
        "rear_bumper": (rear, half, load.floor_z - 0.12),
        "tail_light": (rear, half, load.floor_z if load.kind == "box" else load.top_z),
    }
    if load.kind == "box":
        points["rear_glass_base"] = (rear, half, 0.4 * load.floor_z + 0.6 * load.top_z)
        points["roof_rear"] = (rear, half, load.top_z)
    names = ("front_low", "front_high", "rear_high", "rear_low")
    for name, theta in zip(names, np.radians(ARCH_ANGLES), strict=True):
        x = axle + radius * np.cos(theta)
        points[f"rear_arch_{name}"] = (x, face, z + radius * np.sin(theta))
    return {name: np.array(point) for name, point in points.items()}


def wheel_track(spec: VehicleSpec) -> float:
    """y of the left wheels' middle plane: the tyre stands 2 cm inside the body's side."""
    return spec.shape.width / 2 - 0.02 - spec.wheels.width / 2


def _corners(body: Body, sharp: np.ndarray) -> np.ndarray:
    """(n, 3) rounded corners of the skin nearest to the sharp ones at (x, z) on the body's side."""
    points = np.stack([sharp[:, 0], np.full(len(sharp), body.half), sharp[:, 1]], axis=1)
    faces = body.faces(points)
    on_house = sharp[:, 1] > body.shape.belt_z + 0.05
    points[:, 1] -= np.where(on_house, faces["glass_side"], faces["side"])
    return project(body, points, steps=8)
