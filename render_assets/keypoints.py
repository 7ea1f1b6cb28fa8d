"""The 36 keypoints of a vehicle, from the same lines that shape its body.

Where annotators put the points, read off PAMTRI's labels for VeRi:

| point | cars, vans, pickups | bus | truck |
|---|---|---|---|
| wheel | outer face of the hub | same | same (outer of the twin wheels) |
| arch low | 3 cm outside the arch's lip, 8 degrees (towards the doors 12) below the height of the wheel's centre | same | front: cab's lip; rear: the same on the mudguard's outer edge |
| arch high | 3 cm outside the lip, 45 degrees up | same | as above |
| rear bumper | where rear and side meet, a little below wheel-centre height | same | lower rear corner of the load body |
| tail light | outer upper corner of the tail, boot edge | corner at the rear window's base line | rear corner at the load floor's height; open bodies: at the boards' upper edge |
| rear glass base | lower outer corner of the rear glass (open car: the body's shoulder behind the cabin) | same | box, curtain: rear corner, 60 % up; tank: widest point of its rear rim; open bodies, mixer: the cab's |
| roof rear | rear outer corner of the roof (pickup: of the cab; open car: of the cabin's rim) | same | box, curtain: upper rear corner; tank: rear rim, halfway from there to its top; open bodies, mixer: the cab's |
| roof front | upper outer corner of the windscreen | same | same |
| windscreen base | lower outer corner of the windscreen | same | same |
| headlight | upper front corner, where bonnet and lamp meet | same, at the lamp's height | same |
| front bumper | where front and side meet, a little below wheel-centre height | same | same |
"""  # noqa: E501

from __future__ import annotations

import numpy as np

from pamtri.keypoints import FLIP, INDEX, NUM_KEYPOINTS
from render_assets.body import FLAT_FRONT, Body
from render_assets.load_frame import BEAM, DOOR_SPLIT, tank_rim
from render_assets.mesh import unit
from render_assets.solid import gradient, project
from render_assets.spec import Load, VehicleSpec
from render_assets.wheels import hub_face

ARCH_ANGLES = {"front": (-8.0, 45.0, 135.0, 192.0), "rear": (-12.0, 45.0, 135.0, 188.0)}
"""Degrees of the four arch points about the arch's centre, 0 towards the front."""
ARCH_LIP = 0.03
"""How far outside the opening annotators put them, metres."""


def place_keypoints(spec: VehicleSpec, body: Body) -> np.ndarray:
    """(36, 3) float64 metres in PAMTRI's order; the right side mirrors the left exactly."""
    s = spec.shape
    points = np.zeros((NUM_KEYPOINTS, 3))

    def put(name: str, point: np.ndarray | tuple[float, float, float]) -> None:
        points[INDEX[f"left_{name}"]] = point

    sides, at = [], []
    for end, axle in (("front", body.front_axle), ("rear", body.rear_axle)):
        hub = wheel_track(spec) + hub_face(spec.wheels, end)
        put(f"{end}_wheel", (axle, hub, spec.wheels.radius))
        theta = np.radians(ARCH_ANGLES[end])
        x = axle + (s.arch_radius + ARCH_LIP) * np.cos(theta)
        z = body.arch_z + (s.arch_radius + ARCH_LIP) * np.sin(theta)
        at += list(zip(x, np.maximum(z, body.bottom(x) + 0.06), strict=True))
        names = ("front_low", "front_high", "rear_high", "rear_low")
        sides += [f"{end}_arch_{name}" for name in names]
    for name, point in zip(sides, body.side_at(*np.array(at).T), strict=True):
        put(name, point)
    for name, point in zip(CORNERS, _corners(body, _sharp_corners(spec, body)), strict=True):
        put(name, point)
    if spec.load is not None:
        for name, point in _load_points(spec, spec.load).items():
            put(name, point)
    left = np.arange(NUM_KEYPOINTS // 2)
    points[FLIP[left]] = points[left] * np.array([1, -1, 1])
    return points


CORNERS = (
    *("front_bumper", "headlight", "windscreen_base", "roof_front"),
    *("roof_rear", "rear_glass_base", "tail_light", "rear_bumper"),
)


def _sharp_corners(spec: VehicleSpec, body: Body) -> np.ndarray:
    """(8, 3) where ``CORNERS`` would be on a body without rounded edges."""
    s = spec.shape
    low = max(s.clearance + 0.09, spec.wheels.radius - 0.06)
    eaves = s.height - s.roof_crown
    drop = 0.0 if body.layout in FLAT_FRONT else 0.045
    roof_front = (s.roof_front_x, body.half, eaves - drop)
    roof_rear = (s.roof_rear_x - 0.14, body.half, eaves + drop)
    glass_base = (s.deck_x, body.half, s.deck_z + 0.11)
    if s.open_top and body.hollow is not None:
        roof_front = (
            s.cowl_x + 0.74 * (s.roof_front_x - s.cowl_x),
            body.half,
            s.cowl_z + 0.74 * (eaves - s.cowl_z),
        )
        roof_rear = (body.hollow[0][0], body.hollow[1][1] + 0.03, s.deck_z + 0.02)
        glass_base = (s.deck_x, body.half, s.deck_z - 0.05)
    lamp = (s.front_x, body.half, s.nose_z)
    if body.layout not in FLAT_FRONT:  # where the lamp meets the bonnet, inward of the corner
        lamp = (s.headlight_x - 0.095, body.half - 0.185, s.nose_z - 0.008)
    return np.array(
        [
            (s.front_x - 0.17, body.half, low),
            lamp,
            (s.cowl_x - 0.005, body.half, s.cowl_z + 0.135),
            roof_front,
            roof_rear,
            glass_base,
            (s.body_rear_x - 0.03, body.half - 0.095, s.tail_z - 0.02),
            (s.body_rear_x + 0.105, body.half, low + 0.03),
        ]
    )


def _load_points(spec: VehicleSpec, load: Load) -> dict[str, np.ndarray]:
    """The points of a truck that lie on its load body instead of the cab."""
    s = spec.shape
    rear, half = s.rear_x, load.width / 2
    axle, radius = -s.wheelbase / 2, s.arch_radius + ARCH_LIP
    z = s.arch_radius * 0.86
    face = wheel_track(spec) + spec.wheels.width / 2
    open_body = load.kind in ("boards", "stakes", "tipper")
    points = {
        "rear_bumper": (rear, half, load.floor_z - BEAM),
        "tail_light": (rear, half, load.top_z if open_body else load.floor_z),
    }
    if load.closed:
        split = (1 - DOOR_SPLIT) * load.floor_z + DOOR_SPLIT * load.top_z
        points["rear_glass_base"] = (rear, half, split)
        points["roof_rear"] = (rear, half, load.top_z)
    elif load.kind == "tank":
        points["rear_glass_base"] = tank_rim(load, rear, 0.0)
        points["roof_rear"] = tank_rim(load, rear, np.pi / 4)
    names = ("front_low", "front_high", "rear_high", "rear_low")
    for name, theta in zip(names, np.radians(ARCH_ANGLES["rear"]), strict=True):
        x = axle + radius * np.cos(theta)
        points[f"rear_arch_{name}"] = (x, face, z + radius * np.sin(theta))
    return {name: np.array(point) for name, point in points.items()}


def wheel_track(spec: VehicleSpec) -> float:
    """y of the left wheels' middle plane: the tyre stands 2 cm inside the body's side."""
    return spec.shape.width / 2 - 0.02 - spec.wheels.width / 2


def _corners(body: Body, sharp: np.ndarray) -> np.ndarray:
    """(n, 3) rounded corners of the skin nearest to the sharp ones."""
    points = sharp.copy()
    faces = body.faces(points)
    on_house = sharp[:, 2] > body.shape.belt_z + 0.05
    points[:, 1] -= np.maximum(np.where(on_house, faces["glass_side"], faces["side"]), 0)
    points = body.thinned(project(body, points, steps=5))
    if body.layout == "bus":  # a long body's facets cut its round corners
        within = np.array([0.005 if "glass" not in name else 0.0 for name in CORNERS])
        within[["roof" in name for name in CORNERS]] = 0.008
        points -= within[:, None] * unit(gradient(body, points))
    return points
