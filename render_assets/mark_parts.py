"""The marks of an individual as parts: what is stuck on, put on the roof, or lies inside.

Marks stand on one side only, so they are whole parts, without a partner on the other side.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pamtri.keypoints import INDEX
from render_assets.body import Body
from render_assets.decals import Frame, cast, facing, laid, wrapped
from render_assets.lettering import text_figure
from render_assets.livery import livery_parts
from render_assets.marks import Rust, Scratch, Side, Sticker, Taxi, Thing
from render_assets.mesh import Part, box, ellipsoid, merge, tube
from render_assets.outlines import Flat, band, disc, joined, polygon, rectangle, rounded
from render_assets.spec import VehicleSpec

_ON_GLASS = -0.003
"""Lift of what is stuck to glass, which is set into the body, metres."""


def mark_parts(spec: VehicleSpec, body: Body, keypoints: np.ndarray) -> list[Part]:
    """Everything that an individual's marks add to its model; ``keypoints`` (36, 3)."""
    marks = spec.marks
    parts = (
        _stickers(spec, body, keypoints) + _roof_load(spec, body) + _inside(spec, body, keypoints)
    )
    if marks.taxi is not None:
        parts += _taxi(spec, body, marks.taxi)
    if marks.livery is not None:
        parts += livery_parts(spec, marks.livery, body)
    parts += [_scratch(spec, body, scratch) for scratch in marks.scratches]
    parts += [_rust(spec, body, patch) for patch in marks.rust]
    return parts


def side_spot(spec: VehicleSpec, body: Body, along: float, up: float) -> tuple[float, float]:
    """x and z of a place on a body's side (see ``marks.Dent``), outside the wheel arches."""
    s = spec.shape
    x = s.body_rear_x + along * (s.front_x - s.body_rear_x)
    sill = s.clearance + 0.12
    z = sill + up * (s.belt_z - 0.05 - sill)
    for axle in (body.front_axle, body.rear_axle):
        clear = np.sqrt(max((s.arch_radius + 0.06) ** 2 - (z - body.arch_z) ** 2, 0.0))
        if abs(x - axle) < clear:
            inward = -np.sign(axle)  # towards the doors, where there is always room
            x = axle + inward * clear
    return float(x), float(z)


def _side_frame(body: Body, side: Side, x: float, z: float) -> Frame:
    """The frame of a place on a side as its reader sees it."""
    sign = 1.0 if side == "left" else -1.0
    y = float(body.side_at(x, z)[0, 1])
    return facing("y", sign, (x, sign * y, z))


def _pane(keypoints: np.ndarray, foot: str, head: str, across: float, up: float) -> Frame:
    """A place between the keypoints ``foot`` and ``head`` of both sides, leaning as the glass."""
    low, high = keypoints[INDEX[f"left_{foot}"]], keypoints[INDEX[f"left_{head}"]]
    at = low + up * (high - low)
    rise = (high - low) * np.array([1.0, 0.0, 1.0])
    right = np.array([0.0, 1.0 if foot.startswith("windscreen") else -1.0, 0.0])
    return Frame(at * np.array([1.0, across, 1.0]), right, rise / np.linalg.norm(rise))


def _stickers(spec: VehicleSpec, body: Body, keypoints: np.ndarray) -> list[Part]:
    parts = []
    for k, sticker in enumerate(spec.marks.stickers):
        if sticker.place == "windscreen":
            frame = _pane(keypoints, "windscreen_base", "roof_front", sticker.across, sticker.up)
        elif sticker.place == "rear_glass":
            frame = _pane(keypoints, "rear_glass_base", "roof_rear", sticker.across, sticker.up)
        else:
            low, high = (0.55, 0.85) if sticker.place == "tail" else (0.22, 0.38)
            s = spec.shape
            share = low + sticker.up * (high - low)
            z = s.clearance + share * (s.tail_z - s.clearance)
            frame = facing("x", -1.0, (s.body_rear_x, sticker.across * body.half, z))
        lift = _ON_GLASS if sticker.place in ("windscreen", "rear_glass") else 0.003
        ground, ink = _sticker_figures(sticker)
        name = f"sticker_{k}"
        parts.append(wrapped(name, f"decal_{sticker.ground}", ground, frame, body, lift))
        if ink is not None:
            parts.append(
                wrapped(f"{name}_text", f"decal_{sticker.ink}", ink, frame, body, lift + 0.0008)
            )
    return parts


def _sticker_figures(sticker: Sticker) -> tuple[Flat, Flat | None]:
    """A sticker's ground, and what is written on it."""
    size = sticker.size
    text = sticker.text
    wide = min(size * (0.55 * len(text) + 0.5 if text else 1.0), 0.34)
    ground = {
        "disc": disc(size / 2), "star": disc(size / 2, points=5, depth=0.45),
        "oval": disc(0.5).scaled(wide, size), "square": polygon([rounded(size, size, 0.1 * size)]),
        "bar": polygon([rounded(max(wide, size), size, 0.1 * size)]),
    }[sticker.form]  # fmt: skip
    if text:
        ink = text_figure(text, "bold", 0.5 * size, 0.8 * wide, pieces=1)
    elif sticker.form == "star":
        return ground.turned(sticker.tilt_deg), None
    else:
        ink = joined([rectangle(0.5 * size, 0.12 * size).moved(0, d * size) for d in (-0.18, 0.1)])
    return ground.turned(sticker.tilt_deg), ink.turned(sticker.tilt_deg)


def _roof_load(spec: VehicleSpec, body: Body) -> list[Part]:
    """Bars across the roof, and a box or a rack on them."""
    load, s = spec.marks.roof_load, spec.shape
    if load == "none":
        return []
    front, rear = s.roof_front_x - 0.22, max(s.roof_rear_x + 0.15, s.roof_front_x - 1.5)
    metal = "aluminium" if spec.trim.chrome else "plastic"
    reach = 0.80 * float(body.side_at((front + rear) / 2, s.height - 0.12)[0, 1])
    ends = body.top_at(np.array([front, rear]), np.full(2, reach))
    tops = body.top_at(np.array([front, rear]), np.zeros(2))[:, 2] + 0.055
    bars = []
    for (x, y, z), top in zip(ends, tops, strict=True):
        path = [(x, -y, z), (x, -y + 0.02, top), (x, y - 0.02, top), (x, y, z)]
        bars.append(tube("roof_bars", metal, np.array(path), 0.016, 6))
    parts = [merge("roof_bars", bars)]
    middle, top = (front + rear) / 2, float(tops.max())
    if load == "box":
        long = min(front - rear + 0.75, 2.0)
        at = (middle + 0.05, 0.0, top + 0.20)
        colour = f"decal_{spec.marks.roof_box}"
        parts.append(ellipsoid("roof_box", colour, at, (long, 1.3 * reach, 0.36), 3.5, 9))
    elif load == "rack":
        parts.append(_rack(front, rear, 0.9 * reach, top))
    return parts


def _rack(front: float, rear: float, reach: float, top: float) -> Part:
    """A basket of rods."""
    rods = []
    for z in (top + 0.02, top + 0.12):
        ring = [(front, -reach, z), (front, reach, z), (rear, reach, z), (rear, -reach, z)]
        rods.append(tube("roof_rack", "plastic", np.array([*ring, ring[0]]), 0.012, 5))
    for y in np.linspace(-reach, reach, 7):
        path = np.array([(front, y, top + 0.02), (rear, y, top + 0.02)])
        rods.append(tube("roof_rack", "plastic", path, 0.008, 4))
    for x in (front, (front + rear) / 2, rear):
        for y in (-reach, reach):
            path = np.array([(x, y, top + 0.02), (x, y, top + 0.12)])
            rods.append(tube("roof_rack", "plastic", path, 0.008, 4))
    return merge("roof_rack", rods)


def _taxi(spec: VehicleSpec, body: Body, taxi: Taxi) -> list[Part]:
    """The sign on the roof, read from front and rear, and a band along both sides."""
    s = spec.shape
    x = s.roof_front_x - 0.30
    z = float(body.top_at(x, 0.0)[0, 2])
    sign = ellipsoid(
        "taxi_sign", f"decal_{taxi.sign}", (x, 0.0, z + 0.08), (0.16, 0.52, 0.15), 5, 7
    )
    foot = box("taxi_sign_foot", "plastic", (x, 0.0, z + 0.006), (0.13, 0.42, 0.02), 0.005)
    parts = [sign, foot]
    text = text_figure(taxi.text, "bold", 0.075, 0.40, pieces=2)
    for out in (1.0, -1.0):
        frame = facing("x", out, (x + out * 0.083, 0.0, z + 0.08))
        parts.append(laid("taxi_sign_text", "decal_black", text, frame))
    if taxi.band is None:
        return parts
    low = max(body.arch_z + s.arch_radius + 0.03, s.belt_z - 0.26)
    high = s.belt_z - 0.13
    ends = (s.body_rear_x + 0.35, s.front_x - 0.75)
    stripe = rectangle(ends[1] - ends[0], high - low)
    words = text_figure(taxi.text, "bold", 0.7 * (high - low))
    for side in ("left", "right"):
        frame = _side_frame(body, side, sum(ends) / 2, (low + high) / 2)
        parts.append(wrapped("taxi_band", f"decal_{taxi.band}", stripe, frame, body))
        ink = "decal_black" if taxi.band == "yellow" else "decal_white"
        parts.append(wrapped("taxi_band_text", ink, words, frame, body, 0.0045))
    return parts


def _scratch(spec: VehicleSpec, body: Body, scratch: Scratch) -> Part:
    """Lines of different lengths beside each other, thin where they begin and end."""
    x, z = side_spot(spec, body, scratch.along, scratch.up)
    length = scratch.length
    lines = []
    for k in range(scratch.lines):
        u = np.linspace(-0.5, 0.5, 9) * length * (1 - 0.22 * k)
        v = 0.008 * np.sin(5 * u / length + k) + 0.011 * (k - (scratch.lines - 1) / 2)
        line = band(np.stack([u + 0.06 * k * length, v], axis=1), 0.0035 - 0.0006 * k)
        lines.append(line)
    figure = joined(lines).turned(scratch.tilt_deg)
    return wrapped("scratch", "primer", figure, _side_frame(body, scratch.side, x, z), body, 0.002)


def _rust(spec: VehicleSpec, body: Body, patch: Rust) -> Part:
    """A ragged patch at the lower edge of the side."""
    x, z = side_spot(spec, body, patch.along, 0.02 + 0.1 * (patch.seed % 7) / 7)
    rng = np.random.default_rng(patch.seed)
    angle = np.arange(20) * 2 * np.pi / 20
    radius = patch.size / 2 * (0.55 + 0.75 * rng.random(20))
    ring = np.stack([1.4 * radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    frame = _side_frame(body, patch.side, x, z)
    return wrapped("rust", "rust", polygon([ring]), frame, body, 0.0015)


def _inside(spec: VehicleSpec, body: Body, keypoints: np.ndarray) -> list[Part]:
    """What is seen through the glass."""
    marks, parts = spec.marks, []
    if marks.ornament is not None:
        top = _pane(keypoints, "windscreen_base", "roof_front", 0.0, 0.80)
        at = cast(body, top.origin[None], top.out)[0] - 0.13 * top.out
        string = np.array([at, at - [0.0, 0.0, 0.10]])
        x, y, z = string[1]
        parts.append(tube("ornament_string", "plastic", string, 0.003, 4))
        ball = ellipsoid("ornament", f"decal_{marks.ornament}", (x, y, z - 0.03),
                         (0.03, 0.05, 0.075), 2, 5)  # fmt: skip
        parts.append(ball)
    parts += [_thing(spec, body, thing) for thing in marks.things]
    if marks.blind == "windscreen":
        frame = _pane(keypoints, "windscreen_base", "roof_front", 0.0, 0.5)
        half = abs(keypoints[INDEX["left_roof_front"], 1])
        tall = float(np.linalg.norm(keypoints[INDEX["left_roof_front"]]
                                    - keypoints[INDEX["left_windscreen_base"]]))  # fmt: skip
        sheet = rectangle(1.8 * half, 0.8 * tall)
        parts.append(wrapped("sun_blind", "decal_silver", sheet, frame, body, -0.045, 0.3))
    elif marks.blind == "sides":
        parts += _hangings(spec, body, "sun_blind", "decal_black", full=True)
    if marks.curtains is not None:
        parts += _hangings(spec, body, "curtain", f"decal_{marks.curtains}", full=False)
    return parts


def _thing(spec: VehicleSpec, body: Body, thing: Thing) -> Part:
    """Something that lies on the dashboard or the parcel shelf."""
    s, (long, wide, tall) = spec.shape, thing.size
    x = s.cowl_x - 0.20 if thing.place == "dashboard" else s.deck_x + 0.24
    at = (x, 0.55 * thing.across * body.half, s.belt_z - 0.02 + tall / 2)
    name, colour = f"thing_on_{thing.place}", f"decal_{thing.colour}"
    if thing.form == "ball":
        return ellipsoid(name, colour, at, (long, wide, tall), 2.0, 5)
    return box(name, colour, at, (long, wide, tall), 0.01)


def _hangings(spec: VehicleSpec, body: Body, name: str, material: str, full: bool) -> list[Part]:
    """Folded cloth inside the side windows behind the front ones: over all of a window, or drawn
    back to the pillars."""
    s = spec.shape
    posts = [*spec.trim.side_windows, s.deck_x + 0.10]
    low, high = s.belt_z + 0.02, s.height - 0.20
    y = float(body.side_at(sum(posts[:2]) / 2, (low + high) / 2)[0, 1]) if len(posts) > 1 else 0.0
    parts = []
    for front, rear in pairwise(posts):
        bay = front - rear
        spans = [(rear, front)] if full else [(rear, rear + 0.2 * bay), (front - 0.2 * bay, front)]
        for x0, x1 in spans:
            cloth = _folds(x1 - x0, high - low)
            fold = np.where(np.arange(len(cloth.points)) // 3 % 2, 0.0, 0.02) - 0.07
            for sign in (1.0, -1.0):
                frame = facing("y", sign, ((x0 + x1) / 2, sign * y, (low + high) / 2))
                parts.append(wrapped(name, material, cloth, frame, body, fold, 9.0))
    return parts


def _folds(width: float, height: float) -> Flat:
    """A rectangle in columns of three points each, about 4 cm apart."""
    columns = max(2, round(width / 0.04))
    u, v = np.meshgrid(np.linspace(-width / 2, width / 2, columns),
                       np.linspace(-height / 2, height / 2, 3), indexing="ij")  # fmt: skip
    k = np.arange(3 * (columns - 1)).reshape(-1, 3)[:, :2].ravel()
    faces = np.concatenate([np.stack([k, k + 3, k + 4], 1), np.stack([k, k + 4, k + 1], 1)])
    return Flat(np.stack([u.ravel(), v.ravel()], axis=1), faces)
