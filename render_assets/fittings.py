"""Small things on the body: mirrors, handles, wipers, rails, spoilers, sunroof, fuel flap.

A fitting is a generator that asks for places on the body and goes on with the points: so all
fittings of a vehicle share one projection a round, whose cost hardly depends on their number.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

import numpy as np

from render_assets.body import FLAT_FRONT, Body
from render_assets.chart import chart
from render_assets.decals import Frame, cast, facing
from render_assets.mesh import Part, box, ellipsoid, grid_faces, merge, part, tube, unit
from render_assets.plates import plate_parts
from render_assets.spec import VehicleSpec

_LIFT = np.array([0.004, 0.0, 0.0])
Ask = tuple[Literal["side", "top"], np.ndarray, np.ndarray]
"""Points of the left side at (x, z), or of the upper side at (x, y)."""
Fitting = Generator[Sequence[Ask], list[np.ndarray], list[Part]]


def fitting_parts(spec: VehicleSpec, body: Body) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie on the middle plane or have no partner."""
    trim, roofed = spec.trim, not spec.shape.open_top
    half: list[Fitting] = [_handles(spec)]
    whole: list[Fitting] = []
    if spec.layout not in FLAT_FRONT:
        half.append(_mirrors(spec))
        whole.append(_wipers(spec))
    if trim.roof_rails and roofed:
        half.append(_rail(spec))
    if trim.spoiler and roofed:
        half.append(_spoiler(spec))
    if spec.layout in ("car", "pickup", "van"):
        whole.append(_fuel_flap(spec))
    if spec.layout in ("car", "pickup") and roofed:
        whole.append(_antenna(spec))
        half.append(_sunroof(spec))
    if trim.details.side_steps:
        half.append(_side_steps(spec))
    if trim.details.mud_flaps and spec.load is None:
        half.append(_mud_flaps(spec))
    if trim.details.scoop and spec.layout == "car":
        half.append(_scoop(spec))
    pairs, singles = _answer(body, half, whole)
    singles += [*_plates(spec, body), *_rear_wiper(spec, body)]
    if spec.layout in FLAT_FRONT:
        pairs += _arm_mirror(spec, body)
        singles.append(_upright_wipers(spec, body))
    return pairs, singles


def _answer(body: Body, *groups: list[Fitting]) -> list[list[Part]]:
    """The parts of each group's fittings, the questions of a round answered together."""
    parts: list[list[Part]] = [[] for _ in groups]
    waiting = [
        (fitting, answer, asks)
        for group, answer in zip(groups, parts, strict=True)
        for fitting in group
        if (asks := _next(fitting, None, answer))
    ]
    while waiting:
        found = _project([ask for *_, asks in waiting for ask in asks], body)
        waiting = [
            (fitting, answer, more)
            for fitting, answer, asks in waiting
            if (more := _next(fitting, [next(found) for _ in asks], answer))
        ]
    return parts


def _next(
    fitting: Fitting, points: list[np.ndarray] | None, answer: list[Part]
) -> Sequence[Ask] | None:
    """What the fitting asks next; None, and its parts in ``answer``, once it is done."""
    try:
        return next(fitting) if points is None else fitting.send(points)
    except StopIteration as done:
        answer += done.value
        return None


def _project(asks: list[Ask], body: Body) -> Iterator[np.ndarray]:
    """Points (n, 3) for each question, one projection for each kind."""
    answers: dict[int, np.ndarray] = {}
    for kind, project in (("side", body.side_at), ("top", body.top_at)):
        chosen = [k for k, ask in enumerate(asks) if ask[0] == kind]
        if not chosen:
            continue
        flat = [np.stack(np.broadcast_arrays(*map(np.atleast_1d, asks[k][1:]))) for k in chosen]
        points = project(*np.concatenate(flat, axis=1))
        ends = np.cumsum([f.shape[1] for f in flat])[:-1]
        answers |= dict(zip(chosen, np.split(points, ends), strict=True))
    return (answers[k] for k in range(len(asks)))


def _patch(
    name: str,
    material: str,
    points: np.ndarray,
    lift: float,
    outward: tuple[float, float, float],
    segment: str | None = None,
) -> Part:
    """A surface over a grid of skin points (rows, columns, 3), ``lift`` metres off the skin."""
    normals = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))
    turn = np.sign((normals * np.array(outward)).sum())
    normals = unit(turn * normals.reshape(-1, 3))
    faces = grid_faces(points.shape[0], points.shape[1])
    if turn < 0:
        faces = faces[:, ::-1]
    return part(name, material, points.reshape(-1, 3) + lift * normals, faces, normals, segment)


def _oval(rows: int, columns: int, power: float) -> tuple[np.ndarray, np.ndarray]:
    """A grid (rows, columns) that fills a superellipse between -1 and 1."""
    a, b = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    shrink = (1 - np.abs(a) ** power * 0.999) ** (1 / power)
    return a, b * shrink


def _mirrors(spec: VehicleSpec) -> Fitting:
    """A shell on a foot at the pillar's, its lower third black, glass to the rear."""
    s = spec.shape
    x = s.cowl_x - 0.30 * (s.cowl_x - s.roof_front_x) - 0.16
    foot = (yield [("side", np.array([x]), np.array([s.belt_z + 0.05]))])[0][0]
    scale = 1.0 + 0.30 * max(s.height - 1.5, 0)
    wide, tall, deep = 0.205 * scale, 0.135 * scale, 0.12 * scale
    if spec.type in ("van", "pickup"):
        wide, tall = 0.19 * scale, 0.175 * scale
    at = np.array([x - 0.02, foot[1] + 0.055 + wide / 2, foot[2] + 0.025 + 0.25 * tall])
    points, normals, faces, low = _shell()
    size = np.array([deep, wide / 2, tall / 2])
    shell = points * size + at
    turned = normals / size
    paint = "lamp_rim" if spec.trim.details.black_mirrors else "paint"
    stalk = np.array([foot - [0, 0.04, 0.005], foot + np.array([0, 0.02, 0.005]),
                      [at[0] + 0.02, at[1] - 0.36 * wide, at[2] - 0.30 * tall]])  # fmt: skip
    oval = np.stack(_oval(7, 7, 3.0), axis=-1)[..., ::-1]
    back = np.concatenate([np.full((7, 7, 1), 0.03 / deep * 0.2), oval * 0.86], axis=-1) * size + at
    strip = np.stack([shell[_STRIP], 0.6 * shell[_STRIP] + 0.4 * shell[_STRIP + _ROUND + 1]])
    return [
        part("mirror", paint, shell, faces[~low], turned),
        part("mirror_base", "plastic", shell, faces[low], turned),
        _patch("mirror_glass", "mirror_glass", back, 0.0, (-1.0, 0.0, 0.0)),
        _patch("mirror_indicator", "lamp_amber", strip, 0.002, (1.0, 0.0, 0.0)),
        tube("mirror_foot", "plastic", stalk, 0.024, 8),
    ]


_RINGS, _ROUND = 6, 20
_STRIP = 2 * (_ROUND + 1) + np.arange(5)
"""Vertices of the mirror's shell along the rear edge of its turn signal, on its outer side."""


@lru_cache(maxsize=1)
def _shell() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, normals and faces of a mirror's shell of half width and half height 1, its open
    rear at x = 0 with a rim, its front at x = 1; and which faces are its lower part."""
    along = np.array([-0.04, 0.0, 0.35, 0.65, 0.88, 1.0])
    size = np.array([0.90, 1.0, 0.97, 0.84, 0.58, 0.06])
    angle = np.linspace(0, 2 * np.pi, _ROUND + 1)
    cos, sin = np.cos(angle), np.sin(angle)
    y = np.sign(cos) * np.abs(cos) ** 0.70
    z = np.sign(sin) * np.abs(sin) ** 0.70 * (1 - 0.14 * y)
    points = np.stack(
        [np.repeat(along[:, None], len(angle), 1), size[:, None] * y, size[:, None] * z], axis=-1
    )
    points[..., 1] -= 0.12 * along[:, None] ** 2
    faces = grid_faces(_RINGS, len(angle))
    along_x, around = np.gradient(points, axis=0), np.gradient(points, axis=1)
    around[:, 0] = around[:, -1] = points[:, 1] - points[:, -2]
    normals = unit(np.cross(around, along_x).reshape(-1, 3))
    outward = points.reshape(-1, 3) * [0.5, 1, 1]
    sign = np.sign((normals * outward).sum())
    flat = points.reshape(-1, 3)
    if sign < 0:
        normals = -normals
    a, b, c = (flat[faces[:, k]] for k in range(3))
    if (np.cross(b - a, c - a) * normals[faces[:, 0]]).sum() < 0:
        faces = faces[:, ::-1]
    low = flat[faces][..., 2].mean(axis=1) < -0.42
    return flat, normals, faces, low


def _handles(spec: VehicleSpec) -> Fitting:
    """A grip over a hollow near the rear edge of every door, or a flush one."""
    s, details = spec.shape, spec.trim.details
    a, b = _oval(5, 7, 2.6)
    asks: list[Ask] = []
    for k, x in enumerate(spec.trim.doors):
        z = s.belt_z + s.belt_rise * 0.5 * k - 0.085
        asks.append(("side", x + 0.15 + 0.10 * b.ravel(), z + 0.028 * a.ravel()))
        asks.append(("side", x + 0.15 + np.array([-0.105, -0.09, 0.0, 0.09, 0.105]), np.full(5, z)))
    if not asks:
        return []
    found = yield asks
    parts = []
    for cup, grip in zip(found[::2], found[1::2], strict=True):
        cup = cup.reshape(5, 7, 3)
        if details.flush_handles:
            parts.append(_patch("door_handle_gap", "gap", cup, 0.0008, (0, 1, 0)))
            middle = cup.mean(axis=(0, 1))
            inner = middle + (cup - middle) * [0.96, 1, 0.86]
            material = "chrome" if spec.trim.chrome else "paint"
            parts.append(_patch("door_handle", material, inner, 0.002, (0, 1, 0)))
            continue
        hollow = _patch("door_handle_cup", "paint", cup, 0.0008, (0, 1, 0), "left_doors")
        inward = (cup - cup.mean(axis=(0, 1))).reshape(-1, 3) / [0.10, 1, 0.028]
        dished = hollow.normals - 0.75 * inward * [0.3, 0, 1]
        parts.append(replace(hollow, normals=unit(dished).astype(np.float32)))
        grip[1:4, 1] += [0.026, 0.034, 0.026]
        material = "chrome" if spec.trim.chrome else "paint"
        parts.append(tube("door_handle", material, grip, 0.0125, 7))
    return parts


def _wipers(spec: VehicleSpec) -> Fitting:
    """Two blades that lie along the windscreen's lower edge, with their arms."""
    s = spec.shape
    half = s.width / 2
    blades = ((0.66, 0.02), (-0.06, -0.62))
    asks: list[Ask] = []
    for start, stop in blades:
        y = np.linspace(start, stop, 6) * half
        foot = s.cowl_x - s.screen_round * (y / half) ** 2
        asks.append(("top", foot - np.linspace(0.045, 0.12, 6), y))
        arm = np.array([start + 0.02, start - 0.12, start - 0.30]) * half
        foot = s.cowl_x - s.screen_round * (arm / half) ** 2
        asks.append(("top", foot - [0.0, 0.035, 0.085], arm))
    found = yield asks
    pieces = []
    for blade, arm in zip(found[::2], found[1::2], strict=True):
        blade[:, 2] += 0.015
        arm[:, 2] += [0.008, 0.026, 0.026]
        pieces += [
            tube("wiper", "plastic", blade, 0.008, 5),
            tube("wiper", "plastic", arm, 0.010, 5),
        ]
    return [replace(merge("wiper", pieces), segment="windscreen")]


def _rear_wiper(spec: VehicleSpec, body: Body) -> list[Part]:
    """A blade along the lower edge of an upright rear glass."""
    s = spec.shape
    if spec.type not in ("hatchback", "estate", "suv", "mpv") or s.deck_x - s.body_rear_x > 0.35:
        return []
    on, z = chart(body, "rear"), s.deck_z + 0.11
    blade = np.stack([np.linspace(0.02, -0.38, 6), np.linspace(z, z + 0.03, 6)], axis=1)
    arm = np.array([(0.0, z - 0.045), (-0.05, z - 0.005), (-0.19, z + 0.015)])
    pieces = [
        tube("wiper", "plastic", on.at(blade, 0.010)[0], 0.008, 5),
        tube("wiper", "plastic", on.at(arm, np.array([0.004, 0.02, 0.022]))[0], 0.010, 5),
    ]
    return [replace(merge("wiper", pieces), segment="rear_glass")]


def _fuel_flap(spec: VehicleSpec) -> Fitting:
    """The line around the filler's lid, on one quarter: right where it is round."""
    s = spec.shape
    square = spec.trim.details.fuel_flap == "square"
    power = 0.45 if square else 1.0
    angle = np.linspace(0, 2 * np.pi, 33)
    across, up = (np.sign(f) * np.abs(f) ** power for f in (np.cos(angle), np.sin(angle)))
    radius = 0.078 if square else 0.088
    x = -s.wheelbase / 2 - (0.30 if spec.layout != "van" else -1.3)
    z = max(s.belt_z - 0.17, s.arch_radius * 1.86 + 0.11)
    rings = np.stack([[x + r * across, z + r * up] for r in (radius + 0.0035, radius)])
    ring = (yield [("side", rings[:, 0].ravel(), rings[:, 1].ravel())])[0].reshape(2, 33, 3)
    made = _patch("fuel_flap", "gap", ring, 0.0012, (0, 1, 0))
    if square:
        return [made]
    flip = np.array([1, -1, 1])
    return [
        part("fuel_flap", "gap", made.vertices * flip, made.faces[:, ::-1], made.normals * flip)
    ]


def _rail(spec: VehicleSpec) -> Fitting:
    """A rail along the roof's edge: on feet, or flush."""
    s = spec.shape
    middle = (s.roof_front_x + s.roof_rear_x) / 2
    eaves = (yield [("side", np.array([middle]), np.array([s.height - 0.12]))])[0]
    x = np.linspace(s.roof_front_x - 0.15, s.roof_rear_x + 0.12, 9)
    points = (yield [("top", x, np.full(9, 0.88 * eaves[0, 1]))])[0]
    metal = "steel" if spec.trim.chrome else "plastic"
    if not spec.trim.details.raised_rails:
        points[:, 2] += 0.004
        return [tube("roof_rail", metal, points, 0.017, 6)]
    feet = []
    for k in (0, 4, 8):
        low, high = points[k] - [0, 0, 0.015], points[k] + [0, 0, 0.045]
        slope = np.array([0.05 * np.sign(4 - k), 0, 0])
        feet.append(tube("roof_rail", metal, np.array([low - slope, high + slope]), 0.015, 7))
    points[1:-1, 2] += 0.048
    points[[0, -1], 2] += 0.012
    return [merge("roof_rail", [tube("roof_rail", metal, points, 0.0165, 8), *feet])]


def _spoiler(spec: VehicleSpec) -> Fitting:
    """A wing that carries the roof on over the rear glass, or a lip on the boot's edge."""
    s = spec.shape
    if s.deck_x - s.body_rear_x > 0.3:
        return (yield from _boot_lip(spec))
    y = np.linspace(0.0, 0.60, 9) * s.width / 2
    x = s.roof_rear_x + 0.05 * (2 * y / s.width) ** 2
    front, back = yield [("top", x + 0.16, y), ("top", x + 0.02, y)]
    end = back + 0.15 * unit(back - front)
    grid = np.stack([front, back, end, end, back])
    grid[..., 2] += np.array([0.001, 0.012, 0.022, -0.008, -0.05])[:, None]
    share = np.array([0.2, 0.8])[:, None, None]
    red = grid[2, :3] * (1 - share) + grid[3, :3] * share
    lamp = _patch("third_brake_light", "lamp_brake", red, 0.001, (-1, 0, 0))
    return [_wing(grid), lamp]


def _boot_lip(spec: VehicleSpec) -> Fitting:
    """A low ridge along the boot's rear edge that runs out to both sides."""
    s = spec.shape
    half = s.width / 2
    y = np.linspace(0.0, 0.70, 9) * half
    edge = s.body_rear_x + s.tail_round * (y / half) ** 2.4
    front, back = yield [("top", edge + 0.17, y), ("top", edge + 0.075, y)]
    rise = 0.038 * np.clip((y[-1] - y) / (0.12 * half), 0.12, 1) ** 0.5
    grid = np.stack([front, (front + back) / 2, back, back, back])
    grid[..., 0] += np.array([0, 0, -0.012, -0.020, 0])[:, None]
    grid[..., 2] += np.array([0.03, 0.35, 1.0, 0.8, -0.3])[:, None] * rise
    return [_wing(grid)]


def _wing(grid: np.ndarray) -> Part:
    """A spoiler over sections (5, n, 3), from the middle out: three rows above, two below."""
    end = grid[:, -1]
    return merge(
        "spoiler",
        [
            _patch("spoiler", "paint", grid[:3], 0.0, (0, 0, 1)),
            _patch("spoiler", "paint", grid[2:4], 0.0, (-1, 0, 0)),
            _patch("spoiler", "paint", grid[3:], 0.0, (0, 0, -1)),
            part("spoiler", "paint", end, np.array([(0, 1, 2), (0, 2, 4), (2, 3, 4)])[:, ::-1]),
        ],
    )


def _antenna(spec: VehicleSpec) -> Fitting:
    """A fin, or a rod that leans back."""
    s = spec.shape
    kind = spec.trim.details.antenna
    if kind == "none":
        return []
    x = s.roof_rear_x + (0.22 if kind == "fin" else 0.12)
    foot = (yield [("top", np.array([x]), np.array([0.0]))])[0][0]
    if kind == "rod":
        path = foot + np.array([[0.02, 0, -0.005], [0, 0, 0.02], [-0.16, 0, 0.24]])
        return [tube("antenna", "plastic", path, 0.006, 6)]
    side = np.array(
        [(0.10, -0.012), (0.03, 0.025), (-0.06, 0.062), (-0.075, 0.060), (-0.085, -0.012)]
    )
    thick = np.array([0.016, 0.018, 0.004, 0.004, 0.020])
    left, right = (
        foot + np.stack([side[:, 0], sign * thick, side[:, 1]], axis=1) for sign in (1, -1)
    )
    ring = np.stack([right, left])
    over = _patch("antenna", "paint", ring, 0.0, (0, 0, 1))
    fan = np.array([(0, 2, 1), (0, 4, 2), (2, 4, 3)])
    sides = [part("antenna", "paint", left, fan), part("antenna", "paint", right, fan[:, ::-1])]
    return [merge("antenna", [over, *sides])]


def _sunroof(spec: VehicleSpec) -> Fitting:
    """A pane of dark glass in the roof: a hatch over the front seats, or most of the roof."""
    kind = spec.trim.details.sunroof
    s = spec.shape
    front, rear = s.roof_front_x - 0.16, s.roof_rear_x + 0.22
    if kind == "hatch":
        rear = max(rear, front - 0.55)
    if kind == "none" or front - rear < 0.35:
        return []
    x, y = np.meshgrid(np.linspace(front, rear, 9), np.linspace(0, 0.50 * s.width / 2, 6),
                       indexing="ij")  # fmt: skip
    roof = (yield [("top", x.ravel(), y.ravel())])[0].reshape(9, 6, 3)
    return [_patch("sunroof", "lamp_rim", roof, 0.0015, (0, 0, 1), "roof")]


def _side_steps(spec: VehicleSpec) -> Fitting:
    """A board under the doors between the wheels."""
    s = spec.shape
    z = s.clearance + 0.03
    ends = s.wheelbase / 2 - s.arch_radius - 0.06
    sill = (yield [("side", np.array([0.0]), np.array([s.clearance + 0.14]))])[0][0]
    board = box("side_step", "plastic", (0.0, sill[1] - 0.02, z), (2 * ends, 0.17, 0.045), 0.015)
    tread = box("side_step_tread", "aluminium", (0.0, sill[1] + 0.005, z + 0.022),
                (1.9 * ends, 0.07, 0.006), 0.002)  # fmt: skip
    return [board, tread]


def _mud_flaps(spec: VehicleSpec) -> Fitting:
    """Rubber behind the wheels."""
    s = spec.shape
    axles = np.array([s.wheelbase / 2, -s.wheelbase / 2])
    x = axles - s.arch_radius - 0.012
    skin = (yield [("side", x, np.full(2, s.clearance + 0.12))])[0]
    low = max(0.10, s.clearance - 0.07)
    tall = s.clearance + 0.10 - low
    flaps = [
        box("mud_flap", "rubber", (x[k], skin[k, 1] - 0.115, low + tall / 2), (0.014, 0.22, tall),
            0.004)
        for k in (0, 1)
    ]  # fmt: skip
    return [merge("mud_flap", flaps)]


def _scoop(spec: VehicleSpec) -> Fitting:
    """An air scoop on the bonnet, its dark mouth to the front."""
    s = spec.shape
    x = 0.55 * s.headlight_x + 0.45 * s.cowl_x
    along, y = np.meshgrid(np.linspace(0.16, -0.26, 6), np.linspace(0, 0.30, 5), indexing="ij")
    skin = (yield [("top", x + along.ravel(), y.ravel())])[0].reshape(6, 5, 3)
    height = 0.055 * np.array([0.72, 1.0, 0.9, 0.6, 0.25, 0.0])[:, None]
    hood = skin.copy()
    hood[..., 2] += height * np.array([1, 1, 0.97, 0.8, -0.1])
    mouth = np.stack([hood[0] - [0.004, 0, 0.004], skin[0] - [0.004, 0, 0]])
    return [
        _patch("bonnet_scoop", "paint", hood, 0.0, (0, 0, 1), "bonnet"),
        _patch("bonnet_scoop_mouth", "gap", mouth, 0.0, (1, 0, 0)),
    ]


def _upright_wipers(spec: VehicleSpec, body: Body) -> Part:
    """Two blades along the lower edge of an upright windscreen."""
    on, low = chart(body, "front"), spec.shape.cowl_z + 0.13
    pieces = []
    for start, stop in ((0.72, 0.08), (-0.02, -0.66)):
        u = np.linspace(start, stop, 8) * body.half
        blade = np.stack([u, np.linspace(low, low + 0.07, 8)], axis=1)
        arm = np.array([(u[0], low - 0.10), (u[1], low - 0.04), (u[4], low + 0.04)])
        pieces += [
            tube("wiper", "plastic", on.at(blade, 0.012)[0], 0.010, 5),
            tube("wiper", "plastic", on.at(arm, np.array([0.006, 0.03, 0.028]))[0], 0.012, 5),
        ]
    return replace(merge("wiper", pieces), segment="windscreen")


def _arm_mirror(spec: VehicleSpec, body: Body) -> list[Part]:
    """A tall mirror over a wide-angle one on a bent arm, as trucks and buses have."""
    s = spec.shape
    bus = spec.layout == "bus"
    top = s.height - (0.30 if bus else 0.45)
    low = max(top - 0.80, s.cowl_z + 0.08)
    roots = body.side_at(np.array([s.roof_front_x - 0.06, s.cowl_x - 0.20]), np.array([top, low]))
    x = s.front_x + 0.12 if bus else s.roof_front_x + 0.28
    y = body.half + (-0.04 if bus else 0.12)
    path = [roots[0] - [0, 0.02, 0], [x, y - 0.06, top + 0.05], [x, y, top + 0.02],
            [x, y, top - 0.66]]  # fmt: skip
    if not bus:
        path.append(roots[1] - [0, 0.02, 0])
    pieces = [tube("mirror_arm", "plastic", np.array(path), 0.015, 6)]
    glasses = []
    for z, tall in ((top - 0.20, 0.34), (top - 0.50, 0.20)):
        pieces.append(ellipsoid("mirror_arm", "plastic", (x, y, z), (0.10, 0.21, tall), 4, 7))
        oval = np.stack(_oval(6, 6, 5.0), axis=-1)[..., ::-1] * [0.088, 0.43 * tall]
        flat = np.concatenate([np.full((6, 6, 1), -0.0505), oval], axis=-1)
        flat += [x, y, z]
        glasses.append(_patch("mirror_glass", "mirror_glass", flat, 0.0, (-1, 0, 0)))
    return [merge("mirror_arm", pieces), merge("mirror_glass", glasses)]


def _plates(spec: VehicleSpec, body: Body) -> list[Part]:
    """Registration plates at both ends, leaning as the surface behind them does."""
    plate, s = spec.marks.plate, spec.shape
    if plate is None:
        return []
    parts: list[Part] = []
    if plate.front:
        z = s.clearance + 0.30 * (s.nose_z - s.clearance) + 0.05
        seat = _seat_of_plate(body, z, 1.0)
        parts += [
            replace(p, segment="front") for p in plate_parts("front_plate", plate, seat, rear=False)
        ]
    if spec.load is not None:
        back = facing("x", -1.0, (s.rear_x + 0.04, 0.0, spec.load.floor_z - 0.28))
        return parts + plate_parts("rear_plate", plate, back, rear=True)
    back = _seat_of_plate(body, plate_z(spec), -1.0)
    rear = plate_parts("rear_plate", plate, back, rear=True)
    return parts + [replace(p, segment="rear") for p in rear]


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
