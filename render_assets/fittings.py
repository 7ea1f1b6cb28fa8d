"""Small things on the body: mirrors, handles, plates, wipers, grille bars, exhausts, rails."""

from __future__ import annotations

import numpy as np

from render_assets.body import FLAT_FRONT, Body
from render_assets.decals import Frame, cast, facing
from render_assets.mesh import Part, box, ellipsoid, merge, tube
from render_assets.plates import plate_parts
from render_assets.spec import VehicleSpec

_LIFT = np.array([0.004, 0.0, 0.0])


def fitting_parts(spec: VehicleSpec, body: Body) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie on the middle plane or have no partner."""
    half = [*_mirrors(spec, body), *_handles(spec, body), *_wipers(spec, body)]
    whole = [*_plates(spec, body), _badge(body)]
    if spec.layout not in (*FLAT_FRONT, "bonneted"):
        whole += _grille(spec, body)
    trim, s = spec.trim, spec.shape
    if trim.exhausts:
        y = 0.62 * body.half if trim.exhausts == 2 else 0.55 * body.half
        end = body.rear_at(y, s.clearance + 0.17)[0] + [0, 0, -0.04]
        path = end + np.array([[0.35, 0, -0.02], [-0.01, 0, 0]])
        pipe = tube("exhaust", "chrome" if trim.chrome else "steel", path, 0.032, 12)
        (half if trim.exhausts == 2 else whole).append(pipe)
    if trim.roof_rails:
        half.append(_rail(spec, body))
    if trim.spoiler:
        half.append(_spoiler(spec, body))
    if spec.layout in ("car", "pickup"):
        whole.append(_antenna(spec, body))
    return half, whole


def _mirrors(spec: VehicleSpec, body: Body) -> list[Part]:
    s = spec.shape
    if spec.layout in FLAT_FRONT:
        return _arm_mirror(spec, body)
    x = s.cowl_x - 0.28 * (s.cowl_x - s.roof_front_x) - 0.22
    foot = body.side_at(x, s.belt_z + 0.05)[0]
    scale = 1.0 + 0.35 * max(s.height - 1.5, 0)
    tall, wide = 0.135 * scale, 0.21 * scale
    centre = (x, foot[1] + 0.05 + wide / 2, foot[2] + 0.04 + 0.3 * (scale - 1))
    stalk = np.array([foot - [0, 0.03, 0.01], [x + 0.01, centre[1] - 0.2 * wide, centre[2] - 0.03]])
    glass = (centre[0] - 0.058 * scale, centre[1], centre[2])
    return [
        ellipsoid("mirror", "paint", centre, (0.13 * scale, wide, tall), 3.0, 7),
        ellipsoid("mirror_glass", "mirror_glass", glass, (0.03, wide * 0.86, tall * 0.8), 3.0, 5),
        tube("mirror_foot", "plastic", stalk, 0.022, 8),
    ]


def _arm_mirror(spec: VehicleSpec, body: Body) -> list[Part]:
    """A tall mirror on a bent arm, as trucks and buses have."""
    s = spec.shape
    bus = spec.layout == "bus"
    x = s.front_x + (0.10 if bus else -0.05)
    top = s.height - (0.35 if bus else 0.45)
    root = body.side_at(s.cowl_x - 0.12, top)[0]
    y = root[1] + (0.10 if bus else 0.20)
    path = np.array([root, [x, y, top + 0.05], [x, y, top - 0.62]])
    return [
        tube("mirror_arm", "plastic", path, 0.016, 6),
        ellipsoid("mirror", "plastic", (x, y, top - 0.35), (0.10, 0.20, 0.40), 4, 6),
        ellipsoid("mirror_glass", "mirror_glass", (x - 0.042, y, top - 0.35), (0.03, 0.17, 0.35),
                  4, 5),
    ]  # fmt: skip


def _handles(spec: VehicleSpec, body: Body) -> list[Part]:
    """A grip near the rear edge of every door."""
    s = spec.shape
    handles = []
    material = "chrome" if spec.trim.chrome else "paint"
    for k, x in enumerate(spec.trim.doors):
        z = s.belt_z + s.belt_rise * 0.5 * k - 0.085
        points = body.side_at(np.array([x + 0.07, x + 0.10, x + 0.20, x + 0.23]), z)
        points[1:3, 1] += 0.028
        handles.append(tube("door_handle", material, points, 0.013, 6))
    return handles


def _wipers(spec: VehicleSpec, body: Body) -> list[Part]:
    s = spec.shape
    y = np.linspace(0.08, 0.72, 6) * body.half
    if spec.layout in FLAT_FRONT:
        points = body.front_at(y, s.cowl_z + np.linspace(0.16, 0.08, 6)) + 4 * _LIFT
        return [tube("wiper", "plastic", points, 0.009, 5)]
    x = s.cowl_x - 0.03 - s.screen_round * (y / body.half) ** 2 - np.linspace(0.10, 0.0, 6)
    points = body.top_at(x, y)
    points[:, 2] += 0.016
    return [tube("wiper", "plastic", points, 0.009, 5)]


def _plates(spec: VehicleSpec, body: Body) -> list[Part]:
    """Registration plates at both ends, leaning as the surface behind them does."""
    plate, s = spec.marks.plate, spec.shape
    if plate is None:
        return []
    parts = []
    if plate.front:
        z = s.clearance + 0.30 * (s.nose_z - s.clearance) + 0.05
        parts = plate_parts("front_plate", plate, _seat_of_plate(body, z, 1.0), rear=False)
    if spec.load is not None:
        back = facing("x", -1.0, (s.rear_x + 0.04, 0.0, spec.load.floor_z - 0.28))
    else:
        back = _seat_of_plate(body, plate_z(spec), -1.0)
    return parts + plate_parts("rear_plate", plate, back, rear=True)


def _seat_of_plate(body: Body, z: float, out: float) -> Frame:
    """Where a plate of usual size touches the end of the body that faces ``out`` times x."""
    y, dz = np.meshgrid([0.0, 0.12, 0.24], [-0.06, 0.0, 0.06])
    end = body.shape.front_x if out > 0 else body.shape.body_rear_x
    start = np.stack([np.full(9, end), y.ravel(), z + dz.ravel()], axis=1)
    x = out * cast(body, start, np.array([out, 0.0, 0.0]))[:, 0]
    lean = float(np.clip((x[6] - x[0]) / 0.12, -0.25, 0.25))
    most = (x - lean * dz.ravel()).max()
    return facing("x", out, (out * most, 0.0, z), -np.arctan(lean))


def plate_z(spec: VehicleSpec) -> float:
    """Height of the rear plate: above the bumper of cars with a boot, else lower."""
    s = spec.shape
    high = {"car": 0.70, "van": 0.66}.get(spec.layout, 0.45)
    return s.clearance + high * (s.tail_z - s.clearance)


def _grille(spec: VehicleSpec, body: Body) -> list[Part]:
    """Horizontal bars in front of the grille opening."""
    low, high, width = grille_bounds(spec)
    count = {"bars": 4, "mesh": 6, "split": 3, "slim": 2, "tall": 7}[spec.trim.grille]
    y, z = np.meshgrid(
        0.97 * np.linspace(-width, width, 13), np.linspace(low, high, count + 2)[1:-1]
    )
    points = (body.front_at(y.ravel(), z.ravel()) + _LIFT).reshape(count, 13, 3)
    metal = "chrome" if spec.trim.chrome else "plastic"
    return [merge("grille_bars", [tube("grille_bars", metal, path, 0.008) for path in points])]


def grille_bounds(spec: VehicleSpec) -> tuple[float, float, float]:
    """Lower and upper edge and half width of the grille, metres."""
    s = spec.shape
    rise = s.nose_z - s.clearance
    width, top, low = {
        "bars": (0.52, 0.90, 0.70), "mesh": (0.55, 0.90, 0.66), "split": (0.42, 0.90, 0.70),
        "slim": (0.60, 0.88, 0.78), "tall": (0.44, 0.90, 0.45),
    }[spec.trim.grille]  # fmt: skip
    return s.clearance + low * rise, s.clearance + top * rise, width * s.width / 2


def _badge(body: Body) -> Part:
    s = body.shape
    at = body.front_at(0.0, s.nose_z - 0.03)[0]
    return ellipsoid("badge", "chrome", tuple(at), (0.03, 0.11, 0.075), 2, 6)


def _rail(spec: VehicleSpec, body: Body) -> Part:
    s = spec.shape
    x = np.linspace(s.roof_front_x - 0.15, s.roof_rear_x + 0.12, 8)
    y = 0.86 * body.side_at((s.roof_front_x + s.roof_rear_x) / 2, s.height - 0.12)[0, 1]
    points = body.top_at(x, y)
    points[1:-1, 2] += 0.045
    return tube("roof_rail", "steel" if spec.trim.chrome else "plastic", points, 0.016, 8)


def _spoiler(spec: VehicleSpec, body: Body) -> Part:
    s = spec.shape
    boot = s.deck_x - s.body_rear_x > 0.3
    x = s.body_rear_x + 0.10 if boot else s.roof_rear_x - 0.08
    y = np.linspace(0.0, 0.62, 6) * body.half
    points = body.top_at(x + 0.06 * (y / body.half) ** 2, y)
    points[:, 2] += 0.03 if boot else 0.0
    return tube("spoiler", "paint", points, 0.035, 10)


def _antenna(spec: VehicleSpec, body: Body) -> Part:
    s = spec.shape
    foot = body.top_at(s.roof_rear_x + 0.18, 0.0)[0]
    return ellipsoid("antenna", "paint", tuple(foot), (0.15, 0.04, 0.07), 2, 6)
