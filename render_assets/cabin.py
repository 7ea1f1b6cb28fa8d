"""What is seen through the glass: seats, dashboard, steering wheel, trim, headlining, people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from render_assets.body import FLAT_FRONT, Body, arch_wall_y
from render_assets.mesh import Part, box, ellipsoid, grid_faces, merge, mirror, moved, part, tube
from render_assets.people import HEAD_TOP, person, sample_occupants
from render_assets.seats import bench_place, bucket_seat, bus_seat
from render_assets.solid import gradient
from render_assets.spec import VehicleSpec

_ROW, _BUS_ROW = 0.82, 0.78
"""Distance between the hip points of rows of seats, metres."""
_SEAT_BACK = 0.45
"""How far a seat reaches behind its hip point, metres."""
_SEAT_UNDER = np.array([(0.43, -0.22), (0.3, -0.22), (0.16, -0.22), (0.02, -0.22), (-0.12, -0.22),
                        (-0.24, -0.1), (-0.3, 0.06), (-0.35, 0.2)])  # fmt: skip
"""A rear seat's lower and rear edge in side view, (x, z) from its hip point, metres."""
_COLOURS = {"black": 6.0, "grey": 4.0, "beige": 2.0, "tan": 1.0, "red": 0.3}

Point = tuple[float, float, float]


def sample_cabin(layout: str, rng: np.random.Generator) -> dict[str, Any]:
    """Fields of ``spec.Cabin`` for a vehicle of a layout."""
    pick = rng.random(2)
    edges = np.cumsum(list(_COLOURS.values()))
    return {
        "right_hand": bool(pick[0] < 0.06),
        "colour": list(_COLOURS)[int(np.searchsorted(edges, pick[1] * edges[-1], side="right"))],
        "occupants": tuple(sample_occupants(layout, rng)),
    }


@dataclass(frozen=True)
class _Room:
    """Where things are in a cabin, metres."""

    hips: Point
    """Hip point of the left front seat."""
    steering: Point
    """Centre of the steering wheel before the left front seat, from the hip point."""
    rows: tuple[Point, ...]
    """Hip points of the left rear places."""
    across: float
    """Half the width between the doors' trim, at the front seats."""
    floor: float
    end: float
    """x of the cabin's rear end."""
    ceiling: tuple[np.ndarray, np.ndarray]
    """x, and height of the body's upper side above the places by the windows."""

    def under(self, x: float, gap: float) -> float:
        """The height that things above the places at x may reach, ``gap`` metres below the top."""
        return float(np.interp(x, *self.ceiling)) - gap


def cabin_parts(spec: VehicleSpec, body: Body) -> tuple[list[Part], list[Part]]:
    """The left half of the interior, and what stands on one side only."""
    room = _room(spec, body)
    half = [*_trim(spec, body, room), *_seats(spec, room)]
    side = -1.0 if spec.cabin.right_hand else 1.0
    single = [*_controls(spec, room), *_people(spec, room)]
    return half, [p if side > 0 else mirror(p) for p in single]


def _room(spec: VehicleSpec, body: Body) -> _Room:
    s, layout = spec.shape, spec.layout
    end = s.body_rear_x + 0.12 if layout in FLAT_FRONT else s.deck_x
    x = min(s.roof_front_x - 0.2, s.cowl_x - (1.08 if s.open_top else 0.95))
    if s.open_top and body.hollow is not None:
        end = float(body.hollow[0][0]) + 0.05
    elif layout != "bus":
        back = 0.50 if spec.load is None else 0.56  # from the rear pane to the hips
        x = max(x, end + _SEAT_BACK, 0.3 * end + 0.7 * s.roof_rear_x + back)
    across = float(_wall(body, x, s.belt_z - 0.05)[0]) - s.shoulder - 0.09
    if s.open_top and body.hollow is not None:
        across = min(across, float(body.hollow[1][1]) - 0.02)
    y = (0.58 if layout == "bus" else 0.50) * across
    along = np.linspace(s.body_rear_x + 0.05, s.cowl_x, 40)
    top = body.top_at(along, (across - 0.45 if layout == "bus" else y) + 0.08)[:, 2]
    if s.open_top:
        top = np.full(len(along), s.height + 0.1)
    reach = {"car": 0.40, "pickup": 0.44, "van": 0.48}.get(layout, 0.52)
    under = float(np.interp(x - 0.17, along, top)) - 0.07
    z = max(min(under, s.belt_z + reach) - HEAD_TOP, s.clearance + 0.29)
    steering = (0.44, 0.0, 0.24) if layout in FLAT_FRONT else (0.42, 0.0, 0.30)
    floor = max(s.clearance + 0.10, z - 0.34)
    room = _Room((x, y, z), steering, (), across, floor, end, (along, top))
    if layout == "bus":
        return replace(room, rows=_bus_rows(spec, room.hips, across))
    return replace(room, rows=_rear_rows(spec, body, room))


def _wall(body: Body, x: float | np.ndarray, z: float | np.ndarray) -> np.ndarray:
    """y (n,) of the left side at (x, z) before its ends and edges are rounded."""
    x, z = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(z))
    faces = body.faces(np.stack([x, np.zeros(len(x)), z], axis=1))
    return -np.where(z < body.shape.belt_z, faces["side"], faces["glass_side"])


def _rear_rows(spec: VehicleSpec, body: Body, room: _Room) -> tuple[Point, ...]:
    """One or more benches, as far as the roof and the load leave room."""
    s = spec.shape
    most = {"mpv": 2, "van": 3, "suv": 1 + (s.length > 4.75)}.get(spec.type, 1)
    if spec.trim.panelled or spec.load is not None:
        return ()
    x = room.hips[0] - _ROW * np.arange(1, most + 1)
    z = np.array([min(room.hips[2], room.under(at - 0.44, 0.74)) for at in x])
    wall = np.minimum(_wall(body, x - 0.3, z - 0.2), _wall(body, x - 0.3, s.belt_z - 0.05))
    y = np.minimum(room.hips[1], 0.5 * (wall - s.shoulder - 0.10))
    y = np.where(_over_arch(body, x, z), np.minimum(y, 0.5 * (arch_wall_y(body) - 0.01)), y)
    fits = (x - _SEAT_BACK > room.end) & (z > max(room.hips[2] - 0.16, s.clearance + 0.30))
    count = int(np.argmin([*fits, False]))
    return tuple((float(x[k]), float(y[k]), float(z[k])) for k in range(count))


def _over_arch(body: Body, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(n,) bool: whether rear seats with hip points at (x, z) reach into a wheel arch."""
    low = np.array([x[:, None] + _SEAT_UNDER[:, 0], z[:, None] + _SEAT_UNDER[:, 1]])
    away = np.hypot(np.abs(low[0]) - body.front_axle, low[1] - body.arch_z)
    return np.asarray((away < body.shape.arch_radius + 0.02).any(axis=1))


def _bus_rows(spec: VehicleSpec, front: Point, across: float) -> tuple[Point, ...]:
    """Pairs of seats along the windows."""
    s = spec.shape
    x = np.arange(front[0] - 1.35, s.body_rear_x + 0.75, -_BUS_ROW)
    return tuple((float(at), across - 0.44, s.belt_z - 0.30) for at in x)


def _seats(spec: VehicleSpec, room: _Room) -> list[Part]:
    wide = round(min(0.27, room.across - room.hips[1] - 0.02), 2)
    parts = [moved(p, room.hips) for p in bucket_seat(wide)]
    for row in room.rows:
        if spec.layout == "bus":
            parts += [moved(p, row) for p in bus_seat(0.42)]
        else:
            parts += [moved(p, row) for p in bench_place(round(0.97 * row[1], 2))]
    return _merged(parts)


def _merged(parts: list[Part]) -> list[Part]:
    """Parts of the same name and material as one each."""
    keys = dict.fromkeys((p.name, p.material) for p in parts)
    return [merge(k[0], [p for p in parts if (p.name, p.material) == k]) for k in keys]


def _trim(spec: VehicleSpec, body: Body, room: _Room) -> list[Part]:
    """What lies along the skin, kept inside it."""
    s = spec.shape
    if s.open_top:  # the body itself has the cabin's hollow
        return [_dashboard(spec, body, room), _console(room)]
    parts = [_door_card(spec, body, room), _dashboard(spec, body, room), _floor(body, room)]
    parts.append(_headliner(spec, body, room))
    if spec.layout in ("car", "pickup", "van"):
        parts.append(_console(room))
    if spec.layout != "bus" and (spec.trim.panelled or spec.load or spec.layout == "pickup"):
        top = s.belt_z if spec.layout == "pickup" else s.height - 0.10
        rear = room.rows[-1][0] if room.rows else room.hips[0]
        parts.append(_bulkhead(body, rear - _SEAT_BACK + 0.02, room.floor, top))
    elif spec.layout == "car" and len(room.rows) < 2:
        parts.append(_shelf(spec, body, room))
    if spec.layout == "bus":
        parts += _rails(spec, body, room)
    return _inside(body, parts)


def _inside(body: Body, parts: list[Part], margin: float = 0.03) -> list[Part]:
    """The parts with what comes closer than ``margin`` metres to the skin drawn back from it."""
    points = np.concatenate([p.vertices for p in parts]).astype(np.float64)
    on_plane = points[:, 1] == 0
    near = np.arange(len(points))
    for _ in range(3):
        value = body(points[near])
        near, value = near[value > -margin], value[value > -margin]
        if not len(near):
            break
        slope = gradient(body, points[near])
        square = np.maximum((slope * slope).sum(axis=1), 0.05)
        points[near] -= np.minimum((value + 1.3 * margin) / square, 0.3)[:, None] * slope
    points[on_plane, 1] = 0
    ends = np.cumsum([len(p.vertices) for p in parts])[:-1]
    moved_parts = zip(parts, np.split(points.astype(np.float32), ends), strict=True)
    return [replace(p, vertices=vertices) for p, vertices in moved_parts]


def _sheet(name: str, material: str, points: np.ndarray) -> Part:
    """A sheet over a grid of points (rows, columns, 3), facing (next row) x (next column)."""
    return part(name, material, points.reshape(-1, 3), grid_faces(points.shape[0], points.shape[1]))


def _door_card(spec: VehicleSpec, body: Body, room: _Room) -> Part:
    """The lining of the side from the dashboard to the rear, above the wheel arches."""
    s = spec.shape
    x = np.linspace(room.end + 0.12, s.cowl_x - 0.10, 12)
    away = np.minimum(np.abs(x - body.front_axle), np.abs(x - body.rear_axle))
    arch = body.arch_z + np.sqrt(np.maximum((s.arch_radius + 0.03) ** 2 - away**2, 0)) + 0.02
    top = s.belt_z - 0.02 + s.belt_rise * np.clip((s.cowl_x - x) / (s.cowl_x - s.deck_x), 0, 1)
    low = np.minimum(np.where(away < s.arch_radius + 0.03, arch, room.floor), top - 0.10)
    low = np.maximum(low, room.floor)
    share = np.array([0.0, 0.55, 0.68, 1.0])
    z = low[:, None] + share * (top - low)[:, None]
    y = _wall(body, np.repeat(x, 4), z.ravel()).reshape(12, 4)
    y = y - np.array([0.07, 0.07, 0.13, 0.07]) - s.shoulder * (share > 0.6)
    return _sheet("door_trim", "door_trim", np.stack([np.repeat(x[:, None], 4, 1), y, z], -1))


def _dashboard(spec: VehicleSpec, body: Body, room: _Room) -> Part:
    """From door to door under the windscreen: a rounded section that follows the glass's foot."""
    s = spec.shape
    lip, top = _dash_edge(spec, room)
    y = np.linspace(0.0, 1.0, 6)
    front = np.array([s.cowl_x - 0.04, s.cowl_x - 0.25])
    wide = float(_wall(body, front, s.belt_z - 0.10).min()) - s.shoulder - 0.06
    ahead = s.cowl_x - 0.05 - s.screen_round * (y * wide / body.half) ** 2
    ahead = np.maximum(ahead, lip + 0.12)
    sweep = 0.05 * y**2
    rings = []
    for share, start, end in zip(y, lip - sweep, ahead, strict=True):
        section = [
            (start + 0.02, top), (end, min(top, s.cowl_z - 0.05)), (end, top - 0.30),
            (start + 0.16, top - 0.42), (start + 0.05, top - 0.17), (start, top - 0.05),
        ]  # fmt: skip
        rings.append([(px, share * wide, pz) for px, pz in section])
    return _along_edges("dashboard", "interior", np.array(rings))


def _along_edges(name: str, material: str, rings: np.ndarray) -> Part:
    """Rings (n, m, 3) joined by faces with sharp edges between them, open at both ends."""
    around = rings.shape[1]
    quads = [np.stack([rings[:, k], rings[:, (k + 1) % around]]) for k in range(around)]
    return merge(name, [_sheet(name, material, q) for q in quads])


def _dash_edge(spec: VehicleSpec, room: _Room) -> tuple[float, float]:
    """x and z of the dashboard's rear upper edge."""
    s = spec.shape
    x = min(room.hips[0] + room.steering[0] + 0.13, s.cowl_x - 0.25)
    return x, min(room.hips[2] + room.steering[2] + 0.10, s.belt_z - 0.01, s.cowl_z - 0.03)


def _floor(body: Body, room: _Room) -> Part:
    s = body.shape
    x = np.linspace(room.end + 0.15, s.cowl_x - 0.15, 6)
    y = np.minimum(_wall(body, x, room.floor + 0.02) - 0.10, body.half - 0.43)
    y[np.abs(x) < s.wheelbase / 2 - s.arch_radius - 0.05] += 0.20
    points = np.stack([np.stack([x, share * y, np.full(6, room.floor)], -1) for share in (0, 1)], 1)
    return _sheet("floor", "interior", points)


def _headliner(spec: VehicleSpec, body: Body, room: _Room) -> Part:
    s = spec.shape
    x = np.linspace(max(s.roof_rear_x, room.end + 0.1), s.roof_front_x - 0.05, 7)
    wide = _wall(body, x, s.height - s.roof_edge - 0.04) - 0.05
    y = np.array([1.0, 0.9, 0.6, 0.0]) * wide[:, None]
    flat = np.repeat(x[:, None], 4, axis=1)
    middle = np.interp(x, *room.ceiling)[:, None]
    top = middle - 0.055 * (y**2 - (room.hips[1] + 0.08) ** 2) / body.half**2 - 0.04
    return _sheet("headliner", "headliner", np.stack([flat, y, top], axis=-1))


def _console(room: _Room) -> Part:
    """Between the front seats; the left half."""
    x, _, z = room.hips
    rear, front, top = x - 0.25, x + 0.50, z + 0.02
    section = np.array([(0.0, top), (0.075, top), (0.10, top - 0.03), (0.10, room.floor)])
    points = np.stack([np.insert(section, 0, at, axis=1) for at in (front, rear)], axis=1)
    return _sheet("console", "interior", points)


def _bulkhead(body: Body, x: float, low: float, top: float) -> Part:
    """A wall behind the seats; the left half."""
    z = np.linspace(low, top, 6)
    y = _wall(body, np.full(6, x), z) - 0.06
    wall = np.stack([np.stack([np.full(6, x), share * y, z], -1) for share in (0.0, 0.5, 1.0)])
    return _sheet("bulkhead", "door_trim", wall)


def _shelf(spec: VehicleSpec, body: Body, room: _Room) -> Part:
    """Behind the rear bench: a sedan's parcel shelf, or the cover of the boot."""
    s = spec.shape
    sedan = spec.type == "sedan"
    x = np.linspace(
        s.deck_x + (0.02 if sedan else 0.10), (room.rows or (room.hips,))[-1][0] - 0.36, 4
    )
    z = min(s.deck_z, s.belt_z + s.belt_rise) - (0.05 if sedan else 0.09)
    y = _wall(body, x, z) - s.shoulder - 0.09
    points = np.stack([np.stack([x, k * y, np.full(4, z)], -1) for k in (0, 0.5, 1)], axis=1)
    return _sheet("rear_shelf", "interior", points)


def _rails(spec: VehicleSpec, body: Body, room: _Room) -> list[Part]:
    """A bus's poles at every second row, and the rail that they carry along the aisle."""
    y, top = room.rows[0][1] - 0.45, spec.shape.height - 0.30
    start, end = room.rows[0][0] + 0.5, room.rows[-1][0]
    path = np.array([[start, y, top], [end, y, top]])
    poles = [tube("handrails", "handrail", path, 0.016, 5)]
    for at in room.rows[::2]:
        foot = np.array([[at[0] - 0.2, y, room.floor], [at[0] - 0.2, y, top + 0.15]])
        poles.append(tube("handrails", "handrail", foot, 0.016, 5))
    return [merge("handrails", poles)]


def _controls(spec: VehicleSpec, room: _Room) -> list[Part]:
    """Steering wheel, instruments, a screen in the middle, inner mirror, a bus's partition."""
    s = spec.shape
    parts = _steering_wheel(spec, room)
    lip, top = _dash_edge(spec, room)
    y = room.hips[1]
    parts += [
        ellipsoid("binnacle", "interior", (lip + 0.07, y, top), (0.17, 0.36, 0.13), 2.6, 5),
        box("instruments", "dial", (lip - 0.012, y, top - 0.005), (0.015, 0.26, 0.07), 0.004),
        box("dash_screen", "dial", (lip - 0.002, 0.0, top - 0.075), (0.02, 0.22, 0.12), 0.004),
    ]
    if spec.layout in ("car", "van", "pickup"):
        foot, head = (s.cowl_x, s.cowl_z), (s.roof_front_x, s.height - s.roof_crown)
        at = np.array(foot) + (0.72 if s.open_top else 0.84) * np.subtract(head, foot)
        middle = (float(at[0]) - 0.13, 0.0, float(at[1]) - 0.06)
        parts.append(ellipsoid("inner_mirror", "interior", middle, (0.045, 0.24, 0.07), 3, 5))
    if spec.layout == "bus":
        x, wide = room.hips[0] - 0.55, 0.9 * (room.across - 0.1)
        size = (0.03, wide, s.belt_z + 0.1 - room.floor)
        centre = (x, 0.1 + wide / 2, room.floor + size[2] / 2)
        parts.append(box("driver_partition", "door_trim", centre, size, 0.01))
    return parts


def _steering_wheel(spec: VehicleSpec, room: _Room) -> list[Part]:
    """Rim, three spokes, boss and column; flatter and larger in buses and trucks."""
    heavy = spec.layout in FLAT_FRONT
    radius, tilt = (0.215, np.radians(50)) if heavy else (0.185, np.radians(25))
    centre = np.array(room.hips) + room.steering
    up = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    left = np.array([0.0, 1.0, 0.0])
    angle = np.linspace(0, 2 * np.pi, 21)[:, None]
    rim = centre + radius * (np.cos(angle) * left + np.sin(angle) * up)
    ahead = np.array([np.cos(tilt), 0.0, -np.sin(tilt)])
    arms = np.radians([0.0, 180.0, 270.0])[:, None]
    ends = centre + radius * (np.cos(arms) * left + np.sin(arms) * up)
    spokes = [
        tube("steering_wheel", "interior", np.stack([centre + 0.03 * ahead, e]), 0.014, 5, False)
        for e in ends
    ]
    column = np.stack([centre + 0.02 * ahead, centre + 0.20 * ahead])
    return [
        merge("steering_wheel", [tube("", "interior", rim, 0.016, 6, False), *spokes]),
        ellipsoid("steering_boss", "interior", tuple(centre + 0.02 * ahead),
                  (0.07, 0.15, 0.13), 3, 5),
        tube("steering_column", "interior", column, 0.045, 6),
    ]  # fmt: skip


def _people(spec: VehicleSpec, room: _Room) -> list[Part]:
    """The driver and passengers, as if the driver sat on the left."""
    left = [room.hips, *room.rows]
    places = [q for p in left for q in (p, (p[0], -p[1], p[2]))]
    if spec.layout == "bus":
        places = places[:1] + [
            (x, side * (y + dy), z)
            for x, y, z in room.rows
            for side in (1.0, -1.0)
            for dy in (0.21, -0.21)
        ]
        order = np.random.default_rng(len(places)).permutation(len(places) - 1) + 1
        places = [places[0], *(places[k] for k in order)]
    hands = (room.steering[0] - 0.02, 0.165, room.steering[2] + 0.06)
    parts: list[Part] = []
    for who in spec.cabin.occupants:
        if who.seat >= len(places):
            continue
        x, y, z = places[who.seat]
        scale = np.float32(min(1.0, (room.under(x - 0.20, 0.05) - z) / HEAD_TOP))
        if scale < 0.8:  # a coupe's rear bench
            continue
        for p in person(who, hands if who.seat == 0 else None):
            parts.append(moved(replace(p, vertices=scale * p.vertices), (x, y, z)))
    return _merged(parts)
