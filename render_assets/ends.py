"""The graphics of a vehicle's front and rear: grille, badge, intakes, bumper trim, diffuser.

Places are (share of the body's half width, height), the height as a share of the end: 0 at its
lower edge, 1 where the bonnet or the boot begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from render_assets.bands import Band, Drawing, band, disc, stroke
from render_assets.body import FLAT_FRONT, Body
from render_assets.chart import End, chart
from render_assets.lamps import draw_lamps, open_band
from render_assets.mesh import Part
from render_assets.skin import Skin, plane
from render_assets.spec import Grille, VehicleSpec

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class _Opening:
    """An opening of a grille: outline, corner radius (metres), what fills it and how often."""

    upper: Line
    lower: Line
    fill: str = "bars"
    count: int = 4
    corner: float = 0.02
    straight: bool = False


_GRILLES: dict[Grille, tuple[_Opening, ...]] = {
    "bars": (
        _Opening(((0, 0.95), (0.30, 0.95), (0.49, 0.93)), ((0, 0.68), (0.28, 0.69), (0.43, 0.73))),
    ),
    "mesh": (
        _Opening(
            ((0, 0.94), (0.30, 0.95), (0.50, 0.93)),
            ((0, 0.62), (0.26, 0.63), (0.40, 0.72)),
            "honeycomb",
        ),
    ),
    "hexagon": (
        _Opening(
            ((0, 0.95), (0.36, 0.95), (0.47, 0.74)),
            ((0, 0.36), (0.31, 0.36), (0.46, 0.70)),
            "honeycomb",
            corner=0.012,
            straight=True,
        ),
    ),
    "kidney": (
        _Opening(
            ((0.035, 0.95), (0.34, 0.94)), ((0.04, 0.60), (0.29, 0.62)), "slats", 8, corner=0.03
        ),
    ),
    "slats": tuple(
        _Opening(
            ((u - 0.027, 0.91), (u + 0.027, 0.91)),
            ((u - 0.027, 0.62), (u + 0.027, 0.62)),
            "none",
            corner=0.012,
        )
        for u in (0.05, 0.14, 0.23, 0.32)
    ),
    "slim": (
        _Opening(((0, 0.93), (0.57, 0.92)), ((0, 0.85), (0.54, 0.85)), count=1, corner=0.012),
    ),
    "closed": (),
    "split": (
        _Opening(((0, 0.95), (0.46, 0.94)), ((0, 0.86), (0.45, 0.86)), count=1, corner=0.014),
        _Opening(((0, 0.79), (0.44, 0.79)), ((0, 0.64), (0.36, 0.66)), "honeycomb"),
    ),
    "grid": (_Opening(((0, 0.95), (0.50, 0.95)), ((0, 0.56), (0.48, 0.57)), "grid", corner=0.018),),
}


class _Place:
    """Turns shares of one end into places on its chart."""

    def __init__(self, spec: VehicleSpec, body: Body, end: End) -> None:
        s = spec.shape
        self.chart = chart(body, end)
        self.half = body.half
        self.low = s.clearance
        if end == "rear":
            self.high = min(s.tail_z, float(self.chart.edge(np.array([0.0]))[0]))
        elif spec.load is not None:
            self.high = s.cowl_z - 0.08
        elif body.layout in FLAT_FRONT:
            self.high = s.nose_z + 0.06
        else:
            self.high = float(self.chart.edge(np.array([0.15]))[0])

    def z(self, share: float) -> float:
        """Height of a share of the end."""
        return self.low + share * (self.high - self.low)

    def line(self, points: Line) -> np.ndarray:
        """(n, 2) places of shares."""
        return np.array([(u * self.half, self.z(v)) for u, v in points])

    def band(
        self,
        upper: Line,
        lower: Line,
        corner: float = 0.0,
        count: int = 14,
        straight: bool = False,
    ) -> Band:
        """A band between lines of shares; from the middle plane on where they start at 0."""
        whole = upper[0][0] == 0
        return band(self.line(upper), self.line(lower), count, corner, not whole, straight)

    def opening(self, o: _Opening) -> Band:
        """The outline of an opening."""
        return self.band(o.upper, o.lower, o.corner, 16, o.straight)


def _openings(spec: VehicleSpec, at: _Place) -> list[tuple[Band, _Opening]]:
    """The grille's openings and the intakes below."""
    openings = (*_GRILLES[spec.trim.grille], *_intakes(spec))
    return [(at.opening(o), o) for o in openings]


def _intakes(spec: VehicleSpec) -> tuple[_Opening, ...]:
    kind = spec.trim.details.intake
    low = 0.10 if spec.layout in ("car", "pickup") else 0.16
    high = 0.30 if spec.trim.grille == "hexagon" else 0.34
    if kind == "three":
        return (
            _Opening(((0, high), (0.36, high)), ((0, low), (0.44, low)), "honeycomb", corner=0.03),
            _Opening(
                ((0.56, 0.32), (0.80, 0.36)), ((0.54, 0.12), (0.76, 0.12)), count=2, corner=0.03
            ),
        )
    if kind == "wide":
        return (
            _Opening(
                ((0, high), (0.40, high), (0.62, 0.27)),
                ((0, low), (0.46, low), (0.58, 0.13)),
                count=2,
                corner=0.03,
            ),
        )
    return (_Opening(((0, 0.24), (0.45, 0.24)), ((0, 0.13), (0.44, 0.13)), count=1, corner=0.015),)


def cut_ends(skin: Skin, spec: VehicleSpec) -> None:
    """Take the openings of both ends out of the skin; label bumpers of bare plastic."""
    front = _Place(spec, skin.body, "front")
    if spec.trim.details.bumper == "black":
        _black_bumpers(skin, spec, front)
    for shape, opening in _openings(spec, front):
        if opening.fill != "none":
            open_band(skin, "front", shape)
    if spec.load is None:
        open_band(skin, "rear", _plate_recess(spec, _Place(spec, skin.body, "rear")))


def _black_bumpers(skin: Skin, spec: VehicleSpec, front: _Place) -> None:
    """Bumpers in bare plastic, around the corners to the wheels."""
    body, s = skin.body, spec.shape
    ahead = plane("x", body.front_axle + s.arch_radius, -1)
    low = [plane("z", front.z(0.47))]
    skin.region(low, "clad_front", ("front",))
    skin.region([ahead, *low], "clad_fender", ("fender",))
    if spec.load is None:
        low = [plane("z", _Place(spec, body, "rear").z(0.42))]
        skin.region(low, "clad_rear", ("rear",))
        behind = plane("x", body.rear_axle - s.arch_radius)
        skin.region([behind, *low], "clad_quarter", ("quarter",))


def end_parts(spec: VehicleSpec, body: Body) -> tuple[list[Part], list[Part]]:
    """Everything drawn on both ends: left halves, and what stands in the middle.

    Cab-overs and buses have faces of their own; a bonneted truck's lamps alone are drawn here.
    """
    if spec.layout in FLAT_FRONT:
        return [], []
    if spec.layout == "bonneted":
        lamps = Drawing(chart(body, "front"))
        draw_lamps(lamps, spec, body, "front")
        return lamps.parts(), []
    half: list[Part] = []
    whole: list[Part] = []
    for end in ("front", "rear"):
        at = _Place(spec, body, end)
        left, middle = Drawing(at.chart), Drawing(at.chart)
        draw_lamps(left, spec, body, end)
        if end == "front":
            _front(left, middle, spec, at)
        elif spec.load is None:
            _rear(left, middle, spec, at)
        half += left.parts()
        whole += middle.parts()
    return half, whole


def _front(left: Drawing, middle: Drawing, spec: VehicleSpec, at: _Place) -> None:
    details = spec.trim.details
    for k, (shape, opening) in enumerate(_openings(spec, at)):
        upper = k < len(_GRILLES[spec.trim.grille])
        _fill(left, spec, shape, opening, upper)
    if spec.trim.grille == "closed" and details.surround == "black":
        panel = at.band(((0, 0.93), (0.40, 0.93)), ((0, 0.80), (0.36, 0.80)), 0.03)
        left.bar("grille", "lamp_rim", panel, 0.0, 0.004, segment="front")
    _badge(middle, spec, at.z(0.87 if spec.trim.grille != "split" else 0.825))
    _front_bumper(left, spec, at)
    _fog_lamp(left, spec, at)


def _metal(spec: VehicleSpec) -> str:
    return {"chrome": "chrome", "black": "lamp_rim", "paint": "paint"}[spec.trim.details.surround]


def _fill(draw: Drawing, spec: VehicleSpec, shape: Band, opening: _Opening, upper: bool) -> None:
    """Surround, dark hollow and bars or mesh of one opening."""
    if opening.fill == "none":
        draw.relief("grille", "grille", [(shape, 0.002), (shape.inset(0.004), 0.001)])
        return
    name = "grille" if upper else "lower_intake"
    wide = (0.022 if spec.trim.grille != "slim" else 0.010) if upper else 0.010
    edges = [shape.inset(d) for d in (0.004, wide - 0.004, wide)]
    raised = 0.009 if upper else 0.003
    steps = [(shape, 0.0), (edges[0], raised), (edges[1], raised), (edges[2], -0.012)]
    draw.relief(f"{name}_frame", _metal(spec) if upper else "plastic", steps, cap=False,
                segment="front")  # fmt: skip
    floor = [(edges[2], -0.012), (edges[2], -0.055)]
    draw.relief(name, "grille", floor, segment="front")
    inner = edges[2]
    metal = "chrome" if spec.trim.chrome and upper else "plastic"
    if opening.fill == "bars":
        for k in range(opening.count):
            a = (k + 0.62) / (opening.count + 0.5)
            thick = min(0.24 / opening.count, 0.2)
            draw.bar(
                f"{name}_bars", metal, inner.part(0, 1, a - thick / 2, a + thick / 2), -0.04, -0.010
            )
    elif opening.fill == "slats":
        for k in range(opening.count):
            a = (k + 0.5) / opening.count
            draw.bar(f"{name}_bars", metal, inner.part(a - 0.028, a + 0.028), -0.05, -0.006)
    elif opening.fill == "grid":
        for share in (0.34, 0.68):
            across, down = (0, 1, share - 0.04, share + 0.04), (share - 0.02, share + 0.02)
            draw.bar(f"{name}_bars", metal, inner.part(*across), -0.04, 0.0)
            draw.bar(f"{name}_bars", metal, inner.part(*down), -0.04, 0.0)
        draw.net(f"{name}_mesh", "plastic", _honeycomb(inner, 0.018), 0.003, -0.035)
    else:
        draw.net(f"{name}_mesh", metal, _honeycomb(inner, 0.017), 0.0036, -0.018)


def _honeycomb(shape: Band, size: float) -> np.ndarray:
    """(n, 2, 2) the walls of hexagonal cells of edge ``size`` whose centres lie in the band."""
    ring = shape.ring
    low, high = ring.min(axis=0), ring.max(axis=0)
    step = size * np.sqrt(3)
    rows = np.arange(low[1], high[1] + size, 1.5 * size)
    columns = np.arange(low[0], high[0] + step, step)
    u, z = np.meshgrid(columns, rows)
    u = u + (np.arange(len(rows)) % 2)[:, None] * step / 2
    centres = np.stack([u.ravel(), z.ravel()], axis=1)
    angle = np.radians([-30, 30, 90, 150])
    corners = size * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lines = np.concatenate(
        [np.stack([centres + corners[k], centres + corners[k + 1]], axis=1) for k in range(3)]
    )
    inside = shape.contains(lines.reshape(-1, 2)).reshape(-1, 2).all(axis=1)
    return lines[inside]


def _badge(draw: Drawing, spec: VehicleSpec, z: float, name: str = "badge") -> None:
    """A maker's sign of no maker."""
    kind = spec.trim.details.badge
    if kind == "bars":
        for k in (-1, 0, 1):
            top, wide = z + 0.022 * k, 0.055 + 0.01 * k
            line = [(-wide, top), (wide, top)]
            draw.bar(name, "chrome", band(line, [(u, v - 0.013) for u, v in line], 6), -0.02, 0.014)
        return
    wide, tall = {"circle": (0.045, 0.045), "oval": (0.07, 0.038), "shield": (0.038, 0.048)}[kind]
    outer = disc(0.0, z, wide, tall, 12)
    if kind == "shield":
        foot = ((-1.0, 0.0), (-0.5, -0.75), (0.0, -1.0), (0.5, -0.75), (1.0, 0.0))
        outer = band(
            [(-wide, z + 0.7 * tall), (wide, z + 0.7 * tall)],
            [(wide * u, z + tall * v) for u, v in foot],
            12,
        )
    inner = outer.inset(0.008)
    draw.relief(
        name, "chrome", [(outer, -0.02), (outer, 0.012), (inner, 0.014), (inner, 0.009)], cap=False
    )
    draw.sheet(f"{name}_field", "gap" if kind != "shield" else "lamp_dark", inner, 0.009)
    for k in (-1, 1):
        cross = stroke([(0, z - 0.75 * tall * k), (0.62 * wide * k, z + 0.3 * tall * k)], 0.007, 4)
        draw.sheet(name, "chrome", cross, 0.011, 1)


def _front_bumper(draw: Drawing, spec: VehicleSpec, at: _Place) -> None:
    """The bumper's own trim: rubbing strip, steel bar, lip, skid plate."""
    details = spec.trim.details
    around = at.chart.corner(at.z(0.45)) / at.half
    if details.bumper == "strip":
        bar = at.band(((0, 0.55), (around + 0.45, 0.55)), ((0, 0.46), (around + 0.45, 0.46)), 0.015)
        draw.bar("bumper_strip", "plastic", bar, 0.0, 0.009, 0.006, segment="front")
    elif details.bumper == "chrome":
        bar = at.band(((0, 0.50), (around + 0.12, 0.50)), ((0, 0.38), (around + 0.12, 0.38)), 0.03)
        draw.bar("bumper_bar", "chrome", bar, 0.0, 0.010, 0.008, segment="front")
    if details.lip:
        lip = at.band(((0, 0.075), (around + 0.1, 0.085)), ((0, 0.035), (around + 0.1, 0.045)))
        draw.bar("front_lip", "plastic", lip, -0.01, 0.028, 0.006, segment="front")
    if spec.type in ("suv", "pickup"):
        plate = at.band(((0, 0.115), (0.34, 0.115)), ((0, 0.04), (0.40, 0.04)), 0.01)
        metal = "aluminium" if spec.trim.chrome else "plastic"
        draw.bar("skid_plate", metal, plate, -0.01, 0.014, 0.006, segment="front")


def _fog_lamp(draw: Drawing, spec: VehicleSpec, at: _Place) -> None:
    details = spec.trim.details
    u, z = (0.68 if details.intake != "wide" else 0.73) * at.half, at.z(0.23)
    if details.fog_lamp == "round":
        profile = ((0.062, 0.001), (0.058, 0.004), (0.042, 0.002))
        rings = [(disc(u, z, r, count=8), out) for r, out in profile]
        draw.relief("fog_lamp_frame", "plastic", rings, segment="front")
        draw.dome("fog_lamp", "lamp_beam", (u, z), 0.040, 0.003, 0.012, "front")
    elif details.fog_lamp == "blade":
        pod = band(
            [(u - 0.06, z + 0.055), (u + 0.085, z + 0.085)],
            [(u - 0.02, z - 0.06), (u + 0.06, z - 0.065)],
            8,
            0.02,
        )
        strip = [(u + 0.062, z + 0.065), (u + 0.042, z - 0.045)]
        draw.bar("fog_lamp_frame", "lamp_rim", pod, 0.0, 0.004, segment="front")
        draw.bar("daylight", "lamp_day", stroke(strip, 0.012), 0.003, 0.008, segment="front")


def _plate_recess(spec: VehicleSpec, at: _Place) -> Band:
    from render_assets.fittings import plate_z

    z = plate_z(spec)
    upper, lower = [(0, z + 0.085), (0.29, z + 0.085)], [(0, z - 0.075), (0.27, z - 0.075)]
    return band(upper, lower, 8, 0.02, inner=False)


def _rear(left: Drawing, middle: Drawing, spec: VehicleSpec, at: _Place) -> None:
    recess = _plate_recess(spec, at)
    inner = recess.inset(0.006)
    left.relief("plate_recess", "paint", [(recess, 0.0005), (inner, -0.012)], segment="rear")
    z = float(recess.upper[0, 1])
    upper, lower = [(0, z + 0.024), (0.30, z + 0.022)], [(0, z - 0.006), (0.295, z - 0.004)]
    bar, metal = band(upper, lower, 8, 0.01, inner=False), "chrome" if spec.trim.chrome else "paint"
    left.bar("plate_lamp_bar", metal, bar, 0.0, 0.014, 0.005, segment="rear")
    if spec.layout != "bus":
        height = min(z + 0.085, at.z(1.0) - 0.03)
        _badge(middle, spec, height, "rear_badge")
        _lettering(middle, spec, at, z - 0.085)
    _rear_bumper(left, spec, at)
    _exhausts(left, middle, spec, at)


def _lettering(draw: Drawing, spec: VehicleSpec, at: _Place, z: float) -> None:
    """The model's name in chrome: strokes as wide as letters."""
    start = -0.52 * at.half
    for k in range(4 + len(spec.trim.details.family) % 4):
        u, lean, up = start + 0.026 * k, 0.004 * ((k * 7) % 3 - 1), z + 0.01 * (k % 2)
        stem = stroke([(u - lean, z - 0.012), (u + lean, z + 0.012)], 0.008, 2)
        arm = stroke([(u, up), (u + 0.014, up)], 0.006, 2)
        draw.sheet("lettering", "chrome", stem, 0.003, 1)
        draw.sheet("lettering", "chrome", arm, 0.003, 1)


def _rear_bumper(draw: Drawing, spec: VehicleSpec, at: _Place) -> None:
    """Diffuser or valance, rubbing strip, reflectors."""
    details = spec.trim.details
    around = at.chart.corner(at.z(0.3)) / at.half
    if details.bumper in ("strip", "chrome"):
        metal = "plastic" if details.bumper == "strip" else "chrome"
        bar = at.band(((0, 0.50), (around + 0.40, 0.50)), ((0, 0.43), (around + 0.40, 0.43)), 0.015)
        draw.bar("bumper_strip", metal, bar, 0.0, 0.018, 0.008, segment="rear")
    if details.diffuser:
        low = at.band(
            ((0, 0.27), (0.56, 0.25), (0.80, 0.13)), ((0, 0.04), (0.5, 0.04), (0.76, 0.05)), 0.02
        )
        draw.bar("diffuser", "plastic", low, 0.0, 0.010, 0.006, segment="rear")
        for u in (0.12, 0.28):
            fin = at.band(
                ((u - 0.008, 0.17), (u + 0.008, 0.17)), ((u - 0.008, 0.03), (u + 0.008, 0.03)), 0, 4
            )
            draw.bar("diffuser_fin", "plastic", fin, 0.005, 0.035, 0.003)
    if spec.type in ("suv", "pickup"):
        plate = at.band(((0, 0.13), (0.30, 0.13)), ((0, 0.04), (0.36, 0.04)), 0.01)
        metal = "aluminium" if spec.trim.chrome else "plastic"
        draw.bar("skid_plate", metal, plate, 0.0, 0.016, 0.006, segment="rear")
    u = around - 0.12
    reflector = at.band(((u - 0.13, 0.275), (u, 0.275)), ((u - 0.13, 0.235), (u, 0.235)), 0.006, 8)
    draw.bar("reflector", "lamp_red", reflector, 0.0, 0.005, segment="rear")


def _exhausts(left: Drawing, middle: Drawing, spec: VehicleSpec, at: _Place) -> None:
    """Tips in the lower edge: rings of metal around a dark hole."""
    trim = spec.trim
    if not trim.exhausts or trim.details.family == "electric":
        return
    draw = left if trim.exhausts == 2 else middle
    metal = "chrome" if trim.chrome or trim.details.diffuser else "steel"
    u, z = 0.56 * at.half, at.z(0.10)
    tip = trim.details.exhaust_tip
    if tip == "trapezoid":
        shapes = [
            band(
                [(u - 0.075, z + 0.03), (u + 0.075, z + 0.03)],
                [(u - 0.06, z - 0.03), (u + 0.06, z - 0.03)],
                8,
                0.012,
            )
        ]
    elif tip == "oval":
        shapes = [disc(u, z, 0.060, 0.032, 10)]
    else:
        places = (u - 0.042, u + 0.042) if tip == "twin" else (u,)
        shapes = [disc(v, z, 0.034, count=10) for v in places]
    for shape in shapes:
        inner = shape.inset(0.006)
        draw.relief(
            "exhaust",
            metal,
            [(shape, -0.05), (shape, 0.022), (inner, 0.022), (inner, 0.011)],
            cap=False,
        )
        draw.sheet("exhaust_bore", "gap", inner, 0.011)
