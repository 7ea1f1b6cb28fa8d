"""Companies' paintwork and lettering on the sides and backs of vans, buses and trucks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from render_assets.body import Body
from render_assets.decals import LIFT, Frame, facing, laid, wrapped
from render_assets.lettering import text_figure
from render_assets.marks import Livery
from render_assets.mesh import Part
from render_assets.outlines import Flat, band, disc, joined, polygon, rectangle
from render_assets.spec import VehicleSpec

_EDGE = 0.10
"""Longest edge on a curved side, metres."""
_LAYER = 0.0012
"""Metres between one foil and the next on top of it."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """A rectangle of a vehicle's outside about a frame's origin; ``body`` where it is curved.

    ``rear_right`` says that the vehicle's rear is to the right of its reader.
    """

    frame: Frame
    width: float
    height: float
    body: Body | None = None
    rear_right: bool = True

    def put(self, name: str, colour: str, figure: Flat, layer: int) -> Part:
        """A figure in a colour of ``materials.DECALS``, on top of ``layer`` others."""
        lift, material = LIFT + _LAYER * layer, f"decal_{colour}"
        if self.body is None:
            return laid(name, material, figure, self.frame, lift)
        return wrapped(name, material, figure, self.frame, self.body, lift, _EDGE)


def livery_parts(spec: VehicleSpec, livery: Livery, body: Body) -> list[Part]:
    """All lettering and patterns of a vehicle."""
    parts = []
    for canvas in _pattern_canvases(spec, body):
        parts += _pattern(livery, canvas)
    for canvas in _text_canvases(spec, body):
        parts += _lettering(livery, canvas)
    return parts


def _side(
    x: tuple[float, float], z: tuple[float, float], y: float, sign: float, body: Body | None
) -> Canvas:
    """The canvas between bounds on one side, about ``y`` metres from the middle."""
    middle = ((x[0] + x[1]) / 2, sign * y, (z[0] + z[1]) / 2)
    frame = facing("y", sign, middle)
    return Canvas(frame, x[1] - x[0], z[1] - z[0], body, rear_right=sign > 0)


def _sides(
    spec: VehicleSpec, body: Body, x: tuple[float, float], z: tuple[float, float]
) -> list[Canvas]:
    """A canvas on either side of the body, none where there is no room."""
    if x[1] - x[0] < 0.4 or z[1] - z[0] < 0.12:
        return []
    y = float(body.side_at((x[0] + x[1]) / 2, (z[0] + z[1]) / 2)[0, 1])
    return [_side(x, z, y, sign, body) for sign in (1.0, -1.0)]


def _pattern_canvases(spec: VehicleSpec, body: Body) -> list[Canvas]:
    """Where patterns go: a load's sides, a van's panels, the band over a bus's wheels."""
    s = spec.shape
    if spec.load is not None:
        return _load_sides(spec)
    over = body.arch_z + s.arch_radius + 0.03
    if spec.trim.panelled:
        back = s.body_rear_x + 0.22
        return _sides(spec, body, (back, spec.trim.doors[0] - 0.12), (over, s.height - 0.32))
    ends = (s.body_rear_x + 0.25, s.front_x - 0.35)
    return _sides(spec, body, ends, (over, s.belt_z - 0.03))


def _text_canvases(spec: VehicleSpec, body: Body) -> list[Canvas]:
    """Where the name is written."""
    s = spec.shape
    if spec.load is not None:
        return (
            [*_load_sides(spec), *_load_rear(spec)] if spec.load.kind == "box" else _cab(spec, body)
        )
    if spec.trim.panelled:
        return _pattern_canvases(spec, body)
    ends = (body.rear_axle + s.arch_radius + 0.15, body.front_axle - s.arch_radius - 0.15)
    return _sides(spec, body, ends, (s.clearance + 0.16, s.belt_z - 0.06))


def _load_sides(spec: VehicleSpec) -> list[Canvas]:
    load = spec.load
    if load is None or load.kind != "box":
        return []
    x = (spec.shape.rear_x + 0.12, load.front_x - 0.12)
    z = (load.floor_z + 0.08, load.top_z - 0.10)
    return [_side(x, z, load.width / 2 - 0.006, sign, None) for sign in (1.0, -1.0)]


def _load_rear(spec: VehicleSpec) -> list[Canvas]:
    """Between the lock rods of the right rear door."""
    load = spec.load
    if load is None:
        return []
    middle = (spec.shape.rear_x + 0.006, 0.0, load.floor_z + 0.72 * (load.top_z - load.floor_z))
    return [Canvas(facing("x", -1.0, middle), load.width - 0.9, 0.35)]


def _cab(spec: VehicleSpec, body: Body) -> list[Canvas]:
    """The doors of a truck's cab."""
    s = spec.shape
    if not spec.trim.doors:
        return []
    x = (spec.trim.doors[0] + 0.15, min(s.cowl_x, s.front_x - 0.25))
    return _sides(spec, body, x, (s.belt_z - 0.42, s.belt_z - 0.16))


def _pattern(livery: Livery, canvas: Canvas) -> list[Part]:
    """Stripes or areas in two colours; they rise towards the rear."""
    w, h = canvas.width, canvas.height
    figures: list[tuple[str, Flat]] = []
    if livery.pattern == "stripe":
        figures = [
            (livery.first, rectangle(w, 0.14 * h).moved(0, -0.38 * h)),
            (livery.second, rectangle(w, 0.05 * h).moved(0, -0.25 * h)),
        ]
    elif livery.pattern == "wave":
        for colour, top in ((livery.second, -0.12), (livery.first, -0.22)):
            u = np.linspace(-w / 2, w / 2, 17)
            v = h * (top + 0.13 * np.sin(3.2 * u / w + 0.4))
            crest = np.stack([u, v], axis=1)[::-1]
            foot = np.array([(-w / 2, -h / 2), (w / 2, -h / 2)])
            figures.append((colour, polygon([np.concatenate([foot, crest])])))
    elif livery.pattern == "slash":
        for k, colour in enumerate((livery.first, livery.second)):
            lean, wide, start = min(0.10 * w, 0.4 * h), 0.08 * w, w * (0.24 + 0.15 * k)
            ring = np.array([(-lean, -h / 2), (wide - lean, -h / 2), (wide, h / 2), (0, h / 2)])
            figures.append((colour, polygon([ring + np.array([start, 0.0])])))
    elif livery.pattern == "block":
        figures = [(livery.first, rectangle(0.22 * w, h).moved(0.39 * w, 0))]
    parts = []
    for layer, (colour, figure) in enumerate(figures):
        seen = figure if canvas.rear_right else figure.flipped()
        parts.append(canvas.put(f"livery_{livery.pattern}", colour, seen, layer))
    return parts


def _lettering(livery: Livery, canvas: Canvas) -> list[Part]:
    """The name with its logo, and a line below it; beside a block, not on it."""
    w, h = canvas.width, canvas.height
    room, shift = 0.80 * w, 0.0
    if livery.pattern in ("block", "slash"):
        room, shift = 0.62 * w, -0.13 * w if canvas.rear_right else 0.13 * w
    tall = min(0.32 * h, 0.16 * w, 0.6)
    mark = 0.0 if livery.logo == "none" else 1.5 * tall
    name = text_figure(livery.name, livery.font, tall, room - mark)
    left = shift - (name.size()[0] + mark) / 2
    middle = left + mark + name.size()[0] / 2
    parts = [canvas.put("livery_name", livery.ink, name.moved(middle, 0.14 * h), 3)]
    if h > 0.3:
        line = text_figure(livery.line, "bold", 0.36 * tall, room - mark, pieces=1)
        below = line.moved(middle, 0.14 * h - 0.95 * tall)
        parts.append(canvas.put("livery_line", livery.ink, below, 3))
    if mark:
        logo = _logo(livery.logo, 0.6 * tall).moved(left + 0.6 * tall, 0.14 * h)
        parts.append(canvas.put("livery_logo", livery.second, logo, 3))
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
