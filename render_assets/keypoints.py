"""The 36 keypoints of a vehicle, from the same lines that shape its body.

Where annotators put the points, read off PAMTRI's labels for VeRi:

| point | cars, vans, pickups | bus | truck |
|---|---|---|---|
| wheel | outer face of the hub | same | same (outer of the twin wheels) |
| arch low | on the arch's lip at the height of the wheel's centre | same | front: cab's lip; rear: the same on the mudguard's outer edge |
| arch high | on the lip, 45 degrees up | same | as above |
| rear bumper | where rear and side meet, at wheel-centre height | same | lower rear corner of the load body |
| tail light | outer upper corner of the tail, boot edge | corner at the rear window's base line | load body's rear corner at the height of the bed's upper edge |
| rear glass base | lower outer corner of the rear glass | same | upper edge of the load floor, box: 60 % of its height |
| roof rear | rear outer corner of the roof (pickup: of the cab) | same | box: its upper rear corner; flatbed: the cab's |
| roof front | upper outer corner of the windscreen | same | same |
| windscreen base | lower outer corner of the windscreen | same | same |
| headlight | upper outer front corner, where bonnet and lamp meet | same, at the lamp's height | same |
| front bumper | where front and side meet, at wheel-centre height | same | same |
"""  # noqa: E501

from __future__ import annotations

import numpy as np

from pamtri.keypoints import FLIP, INDEX, NUM_KEYPOINTS
from render_assets.body import Body
from render_assets.solid import project
from render_assets.spec import Load, VehicleSpec
from render_assets.wheels import hub_face


def place_keypoints(spec: VehicleSpec, body: Body) -> np.ndarray:
    """(36, 3) float64 metres in PAMTRI's order; the right side mirrors the left exactly."""
    s = spec.shape
    points = np.zeros((NUM_KEYPOINTS, 3))

    def put(name: str, point: np.ndarray | tuple[float, float, float]) -> None:
        points[INDEX[f"left_{name}"]] = point

    hub = wheel_track(spec) + hub_face(spec.wheels)
    for end, axle in (("front", body.front_axle), ("rear", body.rear_axle)):
        put(f"{end}_wheel", (axle, hub, spec.wheels.radius))
        theta = np.radians([0, 45, 135, 180])
        x = axle + s.arch_radius * np.cos(theta)
        z = body.arch_z + s.arch_radius * np.sin(theta)
        names = ("front_low", "front_high", "rear_high", "rear_low")
        for name, point in zip(names, body.side_at(x, z), strict=True):
            put(f"{end}_arch_{name}", point)
    low = max(s.clearance + 0.12, spec.wheels.radius)
    put("front_bumper", _corner(body, s.front_x, low))
    put("headlight", _corner(body, s.headlight_x, s.nose_z))
    put("windscreen_base", _corner(body, s.cowl_x, s.cowl_z + 0.02))
    put("roof_front", _corner(body, s.roof_front_x, s.height - s.roof_crown))
    put("roof_rear", _corner(body, s.roof_rear_x, s.height - s.roof_crown))
    put("rear_glass_base", _corner(body, s.deck_x, s.deck_z + 0.02))
    put("tail_light", _corner(body, s.body_rear_x, s.tail_z))
    put("rear_bumper", _corner(body, s.body_rear_x, low))
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
    axle, radius, z = -s.wheelbase / 2, s.arch_radius, s.arch_radius * 0.86
    face = wheel_track(spec) + spec.wheels.width / 2
    points = {
        "rear_bumper": (rear, half, load.floor_z - 0.12),
        "tail_light": (rear, half, load.floor_z if load.kind == "box" else load.top_z),
    }
    if load.kind == "box":
        points["rear_glass_base"] = (rear, half, 0.4 * load.floor_z + 0.6 * load.top_z)
        points["roof_rear"] = (rear, half, load.top_z)
    for name, angle in (("front_low", 0), ("front_high", 45), ("rear_high", 135),
                        ("rear_low", 180)):  # fmt: skip
        theta = np.radians(angle)
        points[f"rear_arch_{name}"] = (
            axle + radius * np.cos(theta), face, z + radius * np.sin(theta)
        )  # fmt: skip
    return {name: np.array(point) for name, point in points.items()}


def wheel_track(spec: VehicleSpec) -> float:
    """y of the left wheels' middle plane: the tyre stands 2 cm inside the body's side."""
    return spec.shape.width / 2 - 0.02 - spec.wheels.width / 2


def _corner(body: Body, x: float, z: float) -> np.ndarray:
    """The rounded corner of the skin nearest to the sharp one at (x, z) on the body's side."""
    faces = body.faces(np.array([[x, body.half, z]]))
    on_house = z > body.shape.belt_z + 0.05
    inward = faces["glass_side" if on_house else "side"][0]
    sharp = np.array([[x, body.half - inward, z]])
    return project(body, sharp, steps=8)[0]
