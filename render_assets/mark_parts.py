"""The marks of an individual as parts: what is stuck on, put on the roof, or lies inside.

Marks stand on one side only, so they are whole parts, without a partner on the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pamtri.keypoints import INDEX
from render_assets.body import Body
from render_assets.decals import EDGE, LIFT, Decal, Frame, cast, facing, laid, on_panels, wrapped
from render_assets.lettering import text_figure
from render_assets.livery import livery_decals
from render_assets.marks import Rust, Scratch, Side, Sticker, Taxi, Thing
from render_assets.mesh import Part, box, ellipsoid, merge, tube
from render_assets.outlines import (
    Flat,
    band,
    between,
    convex,
    disc,
    joined,
    polygon,
    rectangle,
    rounded,
)
from render_assets.spec import VehicleSpec

_ON_GLASS = -0.003
"""Lift of what is stuck to glass, which is set into the body, metres."""


def mark_parts(
    spec: VehicleSpec, body: Body, keypoints: np.ndarray, panels: Sequence[Part]
) -> list[Part]:
    """Everything that an individual's marks add to its model.

    ``keypoints`` (36, 3); ``panels`` are the left half of the body's skin: what sticks to a panel
    is of the panel's segment.
    """
    marks = spec.marks
    decals = _stickers(spec, body, keypoints) + _hung(spec, body, keypoints)
    decals += [_scratch(spec, body, scratch) for scratch in marks.scratches]
    decals += [_rust(spec, body, patch) for patch in marks.rust]
    parts = _roof_load(spec, body) + _inside(spec, body, keypoints)
    if marks.taxi is not None:
        parts += _taxi_sign(spec, body, marks.taxi)
        decals += _taxi_band(spec, body, marks.taxi)
    if marks.livery is not None:
        on_body, on_flat = livery_decals(spec, marks.livery, body)
        decals += on_body
        parts += [laid(d.name, d.material, d.figure, d.frame, float(d.lift)) for d in on_flat]
    return parts + on_panels(wrapped(decals, body), panels)


def side_spot(
    spec: VehicleSpec, body: Body, along: float, up: float, reach: float
) -> tuple[float, float]:
    """x and z of a place on a body's side (see ``marks.Dent``) that keeps what extends ``reach``
    metres along x clear of the wheel arches."""
    s = spec.shape
    x = s.body_rear_x + along * (s.front_x - s.body_rear_x)
    sill = s.clearance + 0.12
    z = sill + up * (s.belt_z - 0.05 - sill)
    for axle in (body.front_axle, body.rear_axle):
        clear = np.sqrt(max((s.arch_radius + 0.04) ** 2 - (z - body.arch_z) ** 2, 0.0))
        if clear and abs(x - axle) < clear + reach:
            inward = -np.sign(axle)  # towards the doors, where there is always room
            x = axle + inward * (clear + reach)
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


def _stickers(spec: VehicleSpec, body: Body, keypoints: np.ndarray) -> list[Decal]:
    decals = []
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
        lift = _ON_GLASS if sticker.place in ("windscreen", "rear_glass") else LIFT
        ground, ink = _sticker_figures(sticker)
        name = f"sticker_{k}"
        decals.append(Decal(name, f"decal_{sticker.ground}", ground, frame, lift))
        if ink is not None:
            decals.append(Decal(f"{name}_text", f"decal_{sticker.ink}", ink, frame, lift + 0.0008))
    return decals


def _sticker_figures(sticker: Sticker) -> tuple[Flat, Flat | None]:
    """A sticker's ground, and what is written on it."""
    size = sticker.size
    text = sticker.text
    wide = min(size * (0.55 * len(text) + 0.5 if text else 1.0), 0.34)
    ground = {
        "disc": disc(size / 2), "star": disc(size / 2, points=5, depth=0.45),
        "oval": disc(0.5).scaled(wide, size), "square": convex(rounded(size, size, 0.1 * size)),
        "bar": convex(rounded(max(wide, size), size, 0.1 * size)),
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


def _taxi_sign(spec: VehicleSpec, body: Body, taxi: Taxi) -> list[Part]:
    """The sign on the roof, read from front and rear."""
    x = spec.shape.roof_front_x - 0.30
    z = float(body.top_at(x, 0.0)[0, 2])
    at, size = (x, 0.0, z + 0.08), (0.16, 0.52, 0.15)
    parts = [
        ellipsoid("taxi_sign", f"decal_{taxi.sign}", at, size, 5, 7),
        box("taxi_sign_foot", "plastic", (x, 0.0, z + 0.006), (0.13, 0.42, 0.02), 0.005),
    ]
    text = text_figure(taxi.text, "bold", 0.075, 0.40, pieces=2)
    for out in (1.0, -1.0):
        frame = facing("x", out, (x + out * 0.082, 0.0, z + 0.08))
        parts.append(laid("taxi_sign_text", "decal_black", text, frame))
    return parts


def _taxi_band(spec: VehicleSpec, body: Body, taxi: Taxi) -> list[Decal]:
    """A band along both sides, lettered at the doors."""
    if taxi.band is None:
        return []
    s = spec.shape
    low = max(body.arch_z + s.arch_radius + 0.03, s.belt_z - 0.26)
    high = s.belt_z - 0.13
    ends = (s.body_rear_x + 0.35, s.front_x - 0.75)
    u = np.linspace(ends[0] - ends[1], ends[1] - ends[0], 26) / 2
    stripe = between(u, np.full(26, (low - high) / 2), np.full(26, (high - low) / 2), 2)
    words = text_figure(taxi.text, "bold", 0.7 * (high - low)).divided(EDGE)
    decals = []
    for side in ("left", "right"):
        frame = _side_frame(body, side, sum(ends) / 2, (low + high) / 2)
        decals.append(Decal("taxi_band", f"decal_{taxi.band}", stripe, frame))
        ink = "decal_black" if taxi.band == "yellow" else "decal_white"
        decals.append(Decal("taxi_band_text", ink, words, frame, LIFT + 0.003))
    return decals


def _scratch(spec: VehicleSpec, body: Body, scratch: Scratch) -> Decal:
    """Lines of different lengths beside each other, thin where they begin and end."""
    x, z = side_spot(spec, body, scratch.along, scratch.up, 0.6 * scratch.length)
    length = scratch.length
    lines = []
    for k in range(scratch.lines):
        u = np.linspace(-0.5, 0.5, 9) * length * (1 - 0.22 * k)
        v = 0.008 * np.sin(5 * u / length + k) + 0.011 * (k - (scratch.lines - 1) / 2)
        line = band(np.stack([u + 0.06 * k * length, v], axis=1), 0.0035 - 0.0006 * k)
        lines.append(line)
    figure = joined(lines).turned(scratch.tilt_deg)
    return Decal("scratch", "primer", figure, _side_frame(body, scratch.side, x, z), 0.003)


def _rust(spec: VehicleSpec, body: Body, patch: Rust) -> Decal:
    """A ragged patch at the lower edge of the side."""
    x, z = side_spot(spec, body, patch.along, 0.02 + 0.1 * (patch.seed % 7) / 7, patch.size)
    rng = np.random.default_rng(patch.seed)
    angle = np.arange(20) * 2 * np.pi / 20
    radius = patch.size / 2 * (0.55 + 0.75 * rng.random(20))
    ring = np.stack([1.4 * radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    frame = _side_frame(body, patch.side, x, z)
    return Decal("rust", "rust", polygon([ring]), frame, 0.003)


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
    return parts + [_thing(spec, body, thing) for thing in marks.things]


def _hung(spec: VehicleSpec, body: Body, keypoints: np.ndarray) -> list[Decal]:
    """Blinds and curtains inside the glass."""
    marks = spec.marks
    decals = []
    if marks.blind == "windscreen":
        low, high = (keypoints[INDEX[f"left_{n}"]] for n in ("windscreen_base", "roof_front"))
        frame = _pane(keypoints, "windscreen_base", "roof_front", 0.0, 0.5)
        u = np.linspace(-0.9, 0.9, 7) * high[1]
        tall = 0.4 * float(np.linalg.norm(high - low))
        sheet = between(u, np.full(7, -tall), np.full(7, tall), 2)
        decals.append(Decal("sun_blind", "decal_silver", sheet, frame, -0.045))
    elif marks.blind == "sides":
        decals += _hangings(spec, body, "sun_blind", "decal_black", full=True)
    if marks.curtains is not None:
        decals += _hangings(spec, body, "curtain", f"decal_{marks.curtains}", full=False)
    return decals


def _thing(spec: VehicleSpec, body: Body, thing: Thing) -> Part:
    """Something that lies on the dashboard or the parcel shelf."""
    s, (long, wide, tall) = spec.shape, thing.size
    x = s.cowl_x - 0.20 if thing.place == "dashboard" else s.deck_x + 0.24
    at = (x, 0.55 * thing.across * body.half, s.belt_z - 0.02 + tall / 2)
    name, colour = f"thing_on_{thing.place}", f"decal_{thing.colour}"
    if thing.form == "ball":
        return ellipsoid(name, colour, at, (long, wide, tall), 2.0, 5)
    return box(name, colour, at, (long, wide, tall), 0.01)


def _hangings(spec: VehicleSpec, body: Body, name: str, material: str, full: bool) -> list[Decal]:
    """Folded cloth inside the side windows behind the front ones: over all of a window, or drawn
    back to the pillars."""
    s = spec.shape
    posts = [*spec.trim.side_windows, max(s.deck_x + 0.10, s.roof_rear_x)]  # before the rear glass
    low, high = s.belt_z + 0.02, s.height - 0.20
    y = float(body.side_at(sum(posts[:2]) / 2, (low + high) / 2)[0, 1]) if len(posts) > 1 else 0.0
    decals = []
    for front, rear in pairwise(posts):
        bay = front - rear
        spans = [(rear, front)] if full else [(rear, rear + 0.2 * bay), (front - 0.2 * bay, front)]
        for x0, x1 in spans:
            cloth = _folds(x1 - x0, high - low)
            fold = np.where(np.arange(len(cloth.points)) // 3 % 2, 0.0, 0.02) - 0.07
            for sign in (1.0, -1.0):
                frame = facing("y", sign, ((x0 + x1) / 2, sign * y, (low + high) / 2))
                decals.append(Decal(name, material, cloth, frame, fold))
    return decals


def _folds(width: float, height: float) -> Flat:
    """A rectangle in columns of three points each, about 4 cm apart."""
    columns = max(2, round(width / 0.04))
    u = np.linspace(-width / 2, width / 2, columns)
    return between(u, np.full(columns, -height / 2), np.full(columns, height / 2), 2)
