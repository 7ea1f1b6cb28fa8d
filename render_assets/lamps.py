"""Head and tail lamps: openings in the skin, bowls behind them with their elements, clear lenses.

A lamp's outline is drawn around the corner of the body: (way from the corner, drop from the line of
the bonnet's or the boot's edge), metres on a car 1.8 m wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from render_assets.bands import Band, Drawing, band, disc, stroke
from render_assets.body import FLAT_FRONT, Body
from render_assets.chart import FAR, Chart, End, chart
from render_assets.skin import Field, Skin
from render_assets.spec import HeadLamp, TailLamp, VehicleSpec

Line = Sequence[tuple[float, float]]
Spot = tuple[float, float, float]
"""An element's share along the lamp, share across it, radius as a share of its height there."""


@dataclass(frozen=True)
class Design:
    """One lamp unit. ``rise`` lifts its upper line per metre outward; round units have a ``disc``
    (way, drop, radius) instead of lines."""

    upper: Line = ()
    lower: Line = ()
    rise: float = 0.0
    corner: float = 0.014
    disc: Spot | None = None
    projectors: tuple[Spot, ...] = ()
    reflectors: tuple[Spot, ...] = ()
    strip: tuple[float, float, float, float] | None = None
    """Light strip: from, to along the lamp, share across at both ends."""
    ring: float = 0.0
    """Radius share of a ring of light around the round unit."""
    amber: tuple[float, float, float, float] | None = None
    """Section of the turn signal: from, to along, from, to across."""
    clear: tuple[float, float, float, float] | None = None
    """Section of the reversing lamp."""
    bars: tuple[tuple[float, float, float, float], ...] = ()
    """Bright inner sections."""


HEAD: dict[HeadLamp, tuple[Design, ...]] = {
    "wedge": (
        Design(
            ((-0.32, 0.012), (-0.10, 0.0), (0.10, 0.0), (0.27, 0.0)),
            ((-0.29, 0.095), (-0.08, 0.14), (0.10, 0.13), (0.27, 0.03)),
            rise=0.15,
            projectors=((0.30, 0.50, 0.40),),
            reflectors=((0.52, 0.50, 0.36),),
            amber=(0.68, 0.95, 0.1, 0.9),
        ),
    ),
    "angular": (
        Design(
            ((-0.34, 0.0), (0.24, 0.0)),
            ((-0.30, 0.07), (-0.06, 0.115), (0.10, 0.125), (0.21, 0.07)),
            rise=0.12,
            corner=0.008,
            projectors=((0.24, 0.42, 0.36), (0.45, 0.42, 0.34)),
            strip=(0.03, 0.97, 0.93, 0.90),
        ),
    ),
    "almond": (
        Design(
            ((-0.30, 0.065), (-0.16, 0.0), (0.05, 0.0), (0.26, 0.055)),
            ((-0.29, 0.085), (-0.15, 0.145), (0.05, 0.155), (0.26, 0.085)),
            rise=0.16,
            corner=0.03,
            reflectors=((0.36, 0.5, 0.42), (0.60, 0.52, 0.38)),
            amber=(0.80, 0.98, 0.05, 0.95),
        ),
    ),
    "round": (
        Design(disc=(-0.13, 0.105, 0.098), reflectors=((0.5, 0.5, 0.40),), ring=0.9),
    ),
    "quad": (
        Design(disc=(-0.09, 0.095, 0.080), projectors=((0.5, 0.5, 0.36),), ring=0.88),
        Design(disc=(-0.27, 0.100, 0.072), reflectors=((0.5, 0.5, 0.40),), ring=0.88),
    ),
    "block": (
        Design(
            ((-0.34, 0.0), (0.13, 0.0)),
            ((-0.34, 0.13), (0.13, 0.13)),
            corner=0.010,
            reflectors=((0.20, 0.5, 0.42), (0.50, 0.5, 0.42)),
            amber=(0.74, 1.0, 0.0, 1.0),
        ),
    ),
    "slit": (
        Design(
            ((-0.40, 0.0), (0.26, 0.0)),
            ((-0.38, 0.04), (-0.10, 0.068), (0.24, 0.035)),
            rise=0.11,
            corner=0.008,
            projectors=((0.30, 0.55, 0.36), (0.45, 0.55, 0.36), (0.60, 0.55, 0.34)),
            strip=(0.02, 0.98, 0.12, 0.12),
        ),
    ),
    "split": (
        Design(
            ((-0.38, 0.0), (0.20, 0.0)),
            ((-0.37, 0.03), (0.20, 0.04)),
            rise=0.10,
            corner=0.010,
            strip=(0.03, 0.97, 0.5, 0.5),
        ),
        Design(
            ((-0.21, 0.115), (0.06, 0.115)),
            ((-0.17, 0.225), (0.04, 0.215)),
            rise=0.06,
            corner=0.02,
            projectors=((0.30, 0.5, 0.38), (0.66, 0.5, 0.36)),
        ),
    ),
    "stack": (
        Design(
            ((-0.18, 0.0), (0.11, 0.0)),
            ((-0.16, 0.25), (0.09, 0.22)),
            rise=0.05,
            corner=0.018,
            reflectors=((0.40, 0.30, 0.24), (0.40, 0.72, 0.21)),
            amber=(0.78, 1.0, 0.05, 0.95),
        ),
    ),
}  # fmt: skip

TAIL: dict[TailLamp, tuple[Design, ...]] = {
    "block": (
        Design(
            ((-0.29, 0.0), (0.10, 0.0)),
            ((-0.29, 0.165), (0.10, 0.165)),
            corner=0.010,
            amber=(0.0, 1.0, 0.0, 0.30),
            clear=(0.0, 0.34, 0.62, 1.0),
        ),
    ),
    "cluster": (
        Design(
            ((-0.26, 0.03), (-0.1, 0.0), (0.05, 0.0), (0.22, 0.04)),
            ((-0.24, 0.165), (-0.1, 0.20), (0.08, 0.19), (0.22, 0.09)),
            corner=0.025,
            reflectors=((0.30, 0.5, 0.36), (0.58, 0.48, 0.34)),
            clear=(0.23, 0.36, 0.40, 0.62),
        ),
    ),
    "slim": (
        Design(
            ((-0.42, 0.0), (0.24, 0.0)),
            ((-0.40, 0.095), (0.0, 0.125), (0.22, 0.06)),
            rise=0.05,
            corner=0.012,
            bars=((0.42, 0.98, 0.30, 0.42), (0.42, 0.90, 0.60, 0.72)),
            clear=(0.05, 0.34, 0.20, 0.80),
            amber=(0.38, 0.60, 0.80, 0.95),
        ),
    ),
    "hook": (
        Design(
            ((-0.40, 0.0), (0.20, 0.0)),
            ((-0.37, 0.095), (-0.05, 0.165), (0.17, 0.15)),
            rise=0.04,
            corner=0.012,
            bars=((0.05, 0.95, 0.10, 0.24), (0.86, 0.95, 0.24, 0.76), (0.35, 0.95, 0.76, 0.90)),
            clear=(0.06, 0.30, 0.50, 0.80),
            amber=(0.40, 0.80, 0.42, 0.58),
        ),
    ),
    "bar": (
        Design(
            ((-0.40, 0.0), (0.22, 0.0)),
            ((-0.40, 0.075), (-0.12, 0.085), (0.04, 0.125), (0.20, 0.07)),
            rise=0.02,
            corner=0.012,
            bars=((0.0, 0.97, 0.38, 0.55),),
            clear=(0.30, 0.45, 0.62, 0.95),
        ),
    ),
    "column": (
        Design(
            ((-0.09, -0.26), (0.05, -0.26)),
            ((-0.17, 0.14), (0.10, 0.14)),
            corner=0.014,
            bars=((0.15, 0.85, 0.06, 0.10), (0.15, 0.85, 0.30, 0.34), (0.15, 0.85, 0.56, 0.60)),
            amber=(0.08, 0.92, 0.64, 0.78),
            clear=(0.08, 0.92, 0.80, 0.94),
        ),
    ),
    "round": (
        Design(disc=(-0.10, 0.10, 0.082), ring=0.72, clear=(0.38, 0.62, 0.35, 0.65)),
        Design(disc=(-0.28, 0.105, 0.074), ring=0.72),
    ),
}  # fmt: skip

BEZEL = 0.009
"""Metres of dark rim around a lens; it covers the edge of the opening."""
_DEPTH = {"front": 0.026, "rear": 0.014}


@dataclass(frozen=True, eq=False)
class Unit:
    """A design in its place on a body's chart."""

    design: Design
    shape: Band
    disc: Spot | None = None
    """u, z and radius of a round one."""


def units(spec: VehicleSpec, body: Body, end: End) -> list[Unit]:
    """The left lamps of one end; none at the rear of a truck's cab."""
    if end == "rear" and spec.load is not None:
        return []
    kind = HEAD[spec.trim.head_lamp] if end == "front" else TAIL[spec.trim.tail_lamp]
    return [_place(design, spec, body, chart(body, end), end) for design in kind]


def _place(design: Design, spec: VehicleSpec, body: Body, on: Chart, end: End) -> Unit:
    s = spec.shape
    scale = s.width / 1.8
    flat = body.layout in FLAT_FRONT
    if end == "front":
        base = s.nose_z if flat else float(on.edge(np.array([on.corner(s.nose_z - 0.1) - 0.2]))[0])
    else:
        base = min(s.tail_z, float(on.edge(np.array([0.45 * body.half]))[0]) + 0.02)
    base -= 0.014
    tall = float(np.clip((base - s.clearance) / 0.52, 0.85, 1.35)) if end == "front" else 1.0
    if flat:
        scale, tall = min(scale, 1.05), 1.1

    def at(points: Line) -> np.ndarray:
        placed = np.empty((len(points), 2))
        for k, (way, drop) in enumerate(points):
            z = base - tall * drop
            z += design.rise * max(way + 0.3, 0.0)
            u = on.corner(z if drop < 0 else base - 0.08) + scale * way * (0.8 if flat else 1.0)
            if not flat and drop >= 0:
                z = min(z, float(on.edge(np.array([u]))[0]) - 0.012 - tall * drop)
            placed[k] = u, z
        return placed

    if design.disc is not None:
        u, z = at([design.disc[:2]])[0]
        radius = design.disc[2] * scale
        return Unit(design, disc(u, z, radius), (float(u), float(z), radius))
    rake = (s.roof_rear_x - s.deck_x) / (s.height - s.deck_z)
    short = design is TAIL["column"][0] and (spec.layout == "pickup" or rake > 0.55)
    low = 0.27 if short else 0.0
    upper, lower = (
        at([(way, drop + low) for way, drop in line]) for line in (design.upper, design.lower)
    )
    if design is TAIL["bar"][0]:  # from the middle plane on
        upper[0, 0] = lower[0, 0] = 0.0
    whole = bool(upper[0, 0] == 0)
    tallest = float(np.abs(upper[0] - lower[0]).max())
    count, ends = (12, 8) if tallest > 0.2 else (20, 0)
    return Unit(design, band(upper, lower, count, design.corner, not whole, ends=ends))


def cut_lamps(skin: Skin, spec: VehicleSpec) -> None:
    """Take the lamps' openings out of the skin."""
    for end in ("front", "rear"):
        for unit in units(spec, skin.body, end):
            if unit.disc is not None:
                open_disc(skin, end, *unit.disc)
            else:
                open_band(skin, end, unit.shape)


def open_band(skin: Skin, end: End, shape: Band, label: str = "opening") -> None:
    """Take what lies inside a band out of the skin of one end, or give it a label."""
    _chart_skin(skin, end)
    corners = np.concatenate([shape.upper, shape.lower])
    low, high = corners.min(axis=0) - 0.1, corners.max(axis=0) + 0.1

    def border(side: int) -> Field:
        def value(k: Skin) -> np.ndarray:
            u, z = k[f"{end}_u"], k["z"]
            near = np.flatnonzero((u > low[0]) & (u < high[0]) & (z > low[1]) & (z < high[1]))
            found = np.full(len(u), 0.2)
            found[near] = shape.value(side, u[near], z[near])
            return found

        return value

    sides = [0, 1]
    for side, k in ((2, -1), (3, 0)):
        flat = shape.upper[k, 1] - shape.lower[k, 1] < 0.004
        if not flat and shape.upper[k, 0] > 1e-6:
            sides.append(side)
    skin.region([border(side) for side in sides], label)


def open_disc(skin: Skin, end: End, u: float, z: float, radius: float) -> None:
    """Take a round opening out of the skin of one end: an octagon whose corners the lamp's rim
    covers, for straight cuts are exact on a coarse skin."""
    r = 0.93 * radius
    square = band([(u - r, z + r), (u + r, z + r)], [(u - r, z - r), (u + r, z - r)], 2)

    def corners(k: Skin) -> np.ndarray:
        across = np.abs(k[f"{end}_u"] - u) + np.abs(k["z"] - z)
        return np.minimum(across - np.sqrt(2) * r, 0.2)

    open_band(skin, end, square, "round_opening")
    skin.region(corners, "opening", ("round_opening",))
    skin.paint(np.ones(len(skin.faces), dtype=bool), end, ("round_opening",))


def _chart_skin(skin: Skin, end: End) -> None:
    """Let the skin's vertices know their u on an end's chart."""
    if f"{end}_u" not in skin:
        skin.carry(f"{end}_u", np.minimum(chart(skin.body, end).u_of(skin.vertices), FAR))


def draw_lamps(draw: Drawing, spec: VehicleSpec, body: Body, end: End) -> None:
    """Rim, bowl, elements and lens of every lamp of one end."""
    for unit in units(spec, body, end):
        if end == "front":
            _head_lamp(draw, unit, spec)
        else:
            _tail_lamp(draw, unit, spec)


def _housing(draw: Drawing, unit: Unit, name: str, bowl: str, end: End) -> Band:
    """Rim and lens over a bowl; returns the bowl's floor."""
    shape, deep = unit.shape, -_DEPTH[end]
    edge, inner = _inset(unit, 0.003), _inset(unit, BEZEL)
    floor = _inset(unit, BEZEL + 0.006)
    draw.relief(
        f"{name}_rim",
        "lamp_rim" if end == "front" else "lamp_red",
        [(shape, 0.0), (edge, 0.0025), (inner, 0.0020), (inner, -0.004)],
        cap=False,
        segment=end,
    )
    draw.relief(name, bowl, [(inner, 0.002), (floor, deep)], segment=end)
    draw.sheet(f"{name}_lens", "lens", edge, 0.004, max(edge.rows, 3), segment=end)
    return floor


def _inset(unit: Unit, by: float) -> Band:
    if unit.disc is not None:
        u, z, radius = unit.disc
        return disc(u, z, radius - by, count=len(unit.shape.upper))
    return unit.shape.inset(by)


def _spot(shape: Band, spot: Spot) -> tuple[float, float, float]:
    """u, z and radius of an element of a lamp."""
    index = spot[0] * (len(shape.upper) - 1)
    k = np.arange(len(shape.upper))
    a, b = (
        np.array([np.interp(index, k, line[:, i]) for i in (0, 1)])
        for line in (shape.upper, shape.lower)
    )
    u, z = a + spot[1] * (b - a)
    return float(u), float(z), spot[2] * float(np.linalg.norm(b - a))


def _head_lamp(draw: Drawing, unit: Unit, spec: VehicleSpec) -> None:
    design = unit.design
    dark = spec.trim.details.dark_lamps
    floor = _housing(draw, unit, "head_lamp", "lamp_dark" if dark else "lamp_clear", "front")
    deep = -_DEPTH["front"]
    for spot in design.projectors:
        u, z, radius = _spot(unit.shape, spot)
        steps = [(1.0, deep), (0.96, -0.010), (0.84, -0.010), (0.78, -0.018)]
        rings = [(disc(u, z, radius * r, count=10), out) for r, out in steps]
        metal = "chrome" if dark else "lamp_dark"
        draw.relief("head_lamp_ring", metal, rings, cap=False, segment="front")
        draw.dome("head_lamp_beam", "lamp_beam", (u, z), 0.78 * radius, -0.018, -0.003, "front")
    for spot in design.reflectors:
        u, z, radius = _spot(unit.shape, spot)
        bowl = [(1.0, deep), (1.0, -0.006), (0.9, -0.010), (0.6, -0.019), (0.25, -0.024)]
        rings = [(disc(u, z, radius * r, count=10), out) for r, out in bowl]
        draw.relief("head_lamp_bowl", "lamp_clear", rings, smooth=True, segment="front")
        draw.dome("head_lamp_beam", "lamp_beam", (u, z), 0.34 * radius, -0.024, -0.004, "front")
    if design.strip is not None:
        start, stop, *across = design.strip
        draw.bar("daylight", "lamp_day", _along(floor, start, stop, across, 0.013), deep, -0.003)
    if design.ring and unit.disc is not None:
        u, z, radius = unit.disc
        profile = ((1.0, deep), (0.97, -0.005), (0.87, -0.005), (0.85, deep))
        rings = [(disc(u, z, radius * design.ring * r, count=12), out) for r, out in profile]
        light = "lamp_day" if dark else "chrome"
        draw.relief("daylight", light, rings, cap=False, segment="front")
    if design.amber is not None:
        draw.bar("indicator", "lamp_amber", floor.part(*design.amber), deep, -0.012,
                 segment="front")  # fmt: skip


def _along(shape: Band, start: float, stop: float, across: Sequence[float], width: float) -> Band:
    """A strip of even width along a band, at a share across that runs from one to the other."""
    piece = shape.part(start, stop)
    share = np.linspace(across[0], across[1], len(piece.upper))[:, None]
    return stroke(piece.upper + share * (piece.lower - piece.upper), width, len(piece.upper))


def _tail_lamp(draw: Drawing, unit: Unit, spec: VehicleSpec) -> None:
    design = unit.design
    floor = _housing(draw, unit, "tail_lamp", "lamp_red", "rear")
    deep = -_DEPTH["rear"]
    for section in design.bars:
        draw.bar("brake_light", "lamp_brake", floor.part(*section), deep, -0.003, segment="rear")
    for spot in design.reflectors:
        u, z, radius = _spot(unit.shape, spot)
        profile = ((1.0, deep), (0.95, -0.003), (0.80, -0.003), (0.76, deep))
        rings = [(disc(u, z, radius * r, count=10), out) for r, out in profile]
        draw.relief("brake_light", "lamp_brake", rings, cap=False, segment="rear")
        draw.dome("tail_lamp_bulb", "lamp_red_bright", (u, z), 0.6 * radius, deep, -0.004, "rear")
    if design.ring and unit.disc is not None:
        u, z, radius = unit.disc
        profile = ((1.0, deep), (0.95, -0.003), (0.72, -0.003), (0.7, deep))
        rings = [(disc(u, z, radius * design.ring * r, count=12), out) for r, out in profile]
        draw.relief("brake_light", "lamp_brake", rings, cap=False, segment="rear")
    if design.amber is not None:
        amber = floor.part(*design.amber)
        draw.bar("tail_indicator", "lamp_amber", amber, deep, -0.006, segment="rear")
    if design.clear is not None:
        draw.bar("reverse_lamp", "lamp_white", floor.part(*design.clear), deep, -0.006,
                 segment="rear")  # fmt: skip
