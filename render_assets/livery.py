"""Companies' paintwork and lettering on the sides and backs of vans, buses and trucks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from render_assets.body import Body
from render_assets.decals import EDGE, LIFT, Decal, Frame, facing
from render_assets.lettering import Font, text_figure
from render_assets.marks import Livery
from render_assets.outlines import Flat, band, between, disc, joined
from render_assets.spec import VehicleSpec

_LAYER = 0.0012
"""Metres between one foil and the next on top of it."""
_LOW = 0.4
"""Metres: a lower canvas, as over a bus's wheels, has room for stripes alone."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """A rectangle of a vehicle's outside about a frame's origin.

    ``rear_right`` says that the vehicle's rear is to the right of its reader, ``flat`` that the
    surface is flat there.
    """

    frame: Frame
    width: float
    height: float
    rear_right: bool = True
    flat: bool = False

    def put(self, name: str, colour: str, figure: Flat, layer: int) -> Decal:
        """A figure in a colour of ``materials.DECALS``, on top of ``layer`` others."""
        lift = LIFT + _LAYER * (layer + 1)
        return Decal(name, f"decal_{colour}", figure, self.frame, lift)

    def letters(self, text: str, font: Font, tall: float, room: float, pieces: int = 3) -> Flat:
        """A line of text as fine as the surface asks for."""
        return (
            text_figure(text, font, tall, room, pieces)
            if self.flat
            else _fine_text(text, font, tall, room, pieces)
        )


@lru_cache(maxsize=32)
def _fine_text(text: str, font: Font, tall: float, room: float, pieces: int) -> Flat:
    """Divided once for both sides, which are alike."""
    return text_figure(text, font, tall, room, pieces).divided(EDGE)


def livery_decals(spec: VehicleSpec, livery: Livery, body: Body) -> tuple[list[Decal], list[Decal]]:
    """All lettering and patterns of a vehicle: those on its body, and those on flat sides."""
    found: tuple[list[Decal], list[Decal]] = ([], [])
    for canvas in _pattern_canvases(spec, body):
        found[canvas.flat].extend(_pattern(livery, canvas))
    for canvas in _text_canvases(spec, body):
        found[canvas.flat].extend(_lettering(livery, canvas))
    return found


def _side(
    x: tuple[float, float], z: tuple[float, float], y: float, sign: float, flat: bool
) -> Canvas:
    """The canvas between bounds on one side, about ``y`` metres from the middle."""
    middle = ((x[0] + x[1]) / 2, sign * y, (z[0] + z[1]) / 2)
    frame = facing("y", sign, middle)
    return Canvas(frame, x[1] - x[0], z[1] - z[0], sign > 0, flat)


def _sides(
    spec: VehicleSpec, body: Body, x: tuple[float, float], z: tuple[float, float]
) -> list[Canvas]:
    """A canvas on either side of the body, none where there is no room."""
    if x[1] - x[0] < 0.4 or z[1] - z[0] < 0.12:
        return []
    y = float(body.side_at((x[0] + x[1]) / 2, (z[0] + z[1]) / 2)[0, 1])
    return [_side(x, z, y, sign, False) for sign in (1.0, -1.0)]


def _pattern_canvases(spec: VehicleSpec, body: Body) -> list[Canvas]:
    """Where patterns go: a load's sides, a van's panels, the band over a bus's wheels."""
    s = spec.shape
    if spec.load is not None:
        return _load_sides(spec)
    over = body.arch_z + s.arch_radius + 0.05
    if spec.trim.panelled:
        back = s.body_rear_x + 0.22
        return _sides(spec, body, (back, spec.trim.doors[0] - 0.12), (over, s.height - 0.32))
    ends = (s.body_rear_x + 0.25, s.front_x - 0.35)
    return _sides(spec, body, ends, (over, s.belt_z - 0.09))


def _text_canvases(spec: VehicleSpec, body: Body) -> list[Canvas]:
    """Where the name is written."""
    s = spec.shape
    if spec.load is not None:
        return [*_load_sides(spec), *_load_rear(spec)] if spec.load.closed else _cab(spec, body)
    if spec.trim.panelled:
        return _pattern_canvases(spec, body)
    ends = (body.rear_axle + s.arch_radius + 0.15, body.front_axle - s.arch_radius - 0.15)
    return _sides(spec, body, ends, (s.clearance + 0.16, s.belt_z - 0.06))


def _load_sides(spec: VehicleSpec) -> list[Canvas]:
    load = spec.load
    if load is None or not load.closed:
        return []
    x = (spec.shape.rear_x + 0.12, load.front_x - 0.12)
    z = (load.floor_z + 0.08, load.top_z - 0.10)
    y = load.width / 2 + (0.005 if load.ribbed else -0.003)
    return [_side(x, z, y, sign, True) for sign in (1.0, -1.0)]


def _load_rear(spec: VehicleSpec) -> list[Canvas]:
    """Between the lock rods of the right rear door."""
    load = spec.load
    if load is None:
        return []
    middle = (spec.shape.rear_x + 0.012, 0.0, load.floor_z + 0.72 * (load.top_z - load.floor_z))
    return [Canvas(facing("x", -1.0, middle), load.width - 0.9, 0.35, flat=True)]


def _cab(spec: VehicleSpec, body: Body) -> list[Canvas]:
    """The doors of a truck's cab."""
    s = spec.shape
    if not spec.trim.doors:
        return []
    x = (spec.trim.doors[0] + 0.15, min(s.cowl_x, s.front_x - 0.25))
    return _sides(spec, body, x, (s.belt_z - 0.42, s.belt_z - 0.16))


def _pattern(livery: Livery, canvas: Canvas) -> list[Decal]:
    """Stripes or areas in two colours; what is not the same along the side is at the rear."""
    w, h = canvas.width, canvas.height
    pair, figures = (livery.first, livery.second), []
    if livery.pattern == "stripe" or (h < _LOW and livery.pattern != "plain"):
        figures = [_area(w, (-0.45 * h, -0.31 * h)), _area(w, (-0.275 * h, -0.225 * h))]
    elif livery.pattern == "wave":
        pair = (livery.second, livery.first)
        figures = [_area(w, (-0.5 * h, top * h), wave=0.13 * h) for top in (-0.20, -0.30)]
    elif livery.pattern == "slash":
        lean = min(0.10 * w, 0.4 * h) / h
        figures = [_area(0.08 * w, (-0.5 * h, 0.5 * h), w * at, lean) for at in (0.28, 0.42)]
    elif livery.pattern == "block":
        figures = [_area(0.22 * w, (-0.5 * h, 0.5 * h), 0.39 * w)]
    parts = []
    for layer, (colour, figure) in enumerate(zip(pair, figures, strict=False)):
        seen = figure if canvas.rear_right else figure.flipped()
        parts.append(canvas.put(f"livery_{livery.pattern}", colour, seen, layer))
    return parts


def _area(
    width: float, v: tuple[float, float], at: float = 0.0, lean: float = 0.0, wave: float = 0.0
) -> Flat:
    """A strip about u = ``at`` between two heights, fine enough for a curved side: its ends lean
    by ``lean`` metres a metre, its upper edge waves by ``wave`` metres."""
    u = np.linspace(-width / 2, width / 2, max(2, int(np.ceil(width / 0.2)) + 1))
    top = v[1] + wave * np.sin(3.2 * u / width + 0.4)
    rows = int(np.ceil((v[1] - v[0] + wave) / EDGE))
    figure = between(u, np.full(len(u), v[0]), top, rows)
    shear = lean * figure.points[:, 1:] * np.array([1.0, 0.0])
    return Flat(figure.points + shear + np.array([at, 0.0]), figure.faces)


def _lettering(livery: Livery, canvas: Canvas) -> list[Decal]:
    """The name with its logo, and a line below it; beside a block, not on it."""
    w, h = canvas.width, canvas.height
    room, shift = 0.80 * w, 0.0
    if livery.pattern in ("block", "slash"):
        room, shift = 0.62 * w, -0.13 * w if canvas.rear_right else 0.13 * w
    low = livery.pattern in ("stripe", "wave")
    tall, v = min((0.27 if low else 0.32) * h, 0.16 * w, 0.6), (0.20 if low else 0.14) * h
    mark = 0.0 if livery.logo == "none" else 1.5 * tall
    name = canvas.letters(livery.name, livery.font, tall, room - mark)
    left = shift - (name.size()[0] + mark) / 2
    middle = left + mark + name.size()[0] / 2
    parts = [canvas.put("livery_name", livery.ink, name.moved(middle, v), 3)]
    if h > 0.3:
        line = canvas.letters(livery.line, "bold", 0.36 * tall, room - mark, pieces=1)
        below = line.moved(middle, v - 0.95 * tall)
        parts.append(canvas.put("livery_line", livery.ink, below, 3))
    if mark:
        logo = _logo(livery.logo, 0.6 * tall).moved(left + 0.6 * tall, v)
        parts.append(canvas.put("livery_logo", livery.second, logo.divided(EDGE), 3))
    return parts


def _logo(kind: str, radius: float) -> Flat:
    """A company's sign within ``radius`` metres of the origin."""
    if kind == "ring":
        turn = np.linspace(0, 2 * np.pi, 25)
        return band(0.75 * radius * np.stack([np.cos(turn), np.sin(turn)], axis=1), 0.4 * radius)
    if kind == "chevron":
        arms = [band(np.array([(-0.5, -0.8), (0.4, 0), (-0.5, 0.8)]) * radius + [d * radius, 0],
                     0.3 * radius) for d in (-0.35, 0.35)]  # fmt: skip
        return joined(arms)
    return disc(radius, points=5 if kind == "star" else 0)
