"""What makes a lofted body a bus: its face and rear, doors, flaps, displays, roof units."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from render_assets.assembly import Corners, both, boxes, rods
from render_assets.body import Body
from render_assets.mesh import Part, ellipsoid, mirror
from render_assets.overlay import Patch, on_front, on_rear, on_side
from render_assets.skin import Skin, plane
from render_assets.spec import Coachwork, VehicleSpec

_LINE = 0.008
"""Width of a shut line, metres."""
_SEGMENTS = ((0, 0.42, 1, 0), (0.42, 0.21, 0, 1), (0.42, -0.21, 0, 1), (0, -0.42, 1, 0),
             (-0.42, -0.21, 0, 1), (-0.42, 0.21, 0, 1), (0, 0, 1, 0))  # fmt: skip
"""The strokes of a display's digit: middle (across, up), and which way it runs."""
_DIGITS = (63, 6, 91, 79, 102, 109, 125, 7, 127, 111)


def cut_bus(skin: Skin, spec: VehicleSpec, coachwork: Coachwork) -> None:
    """Label the front above the lamps, and the dark surround of the windscreen."""
    s = spec.shape
    skin.region(plane("z", s.nose_z, -1), "front_panel", ("front",))
    if coachwork.dark_front:
        inner = plane("y", s.width / 2 - 0.07)
        face = (
            "windscreen_frame",
            "shelf",
            "bonnet",
            "front",
            "front_panel",
            "roof",
            "seal",
            "house_side",
        )
        ahead = plane("x", min(s.roof_front_x, s.front_x - 0.30) - 0.02, -1)
        low = plane("z", s.cowl_z - 0.14, -1)
        skin.region([low, inner, ahead, plane("z", s.height - 0.10)], "screen_surround", face)


def bus_parts(spec: VehicleSpec, body: Body, coachwork: Coachwork) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie across the middle or on the right side."""
    side = on_side(body, [*_skirts(spec, coachwork), *_windows(spec, coachwork)])
    doors = on_side(body, [p for span in coachwork.doors for p in _door(spec, coachwork, span)])
    front = on_front(body, [*_front(spec, coachwork), *_display(spec, coachwork)])
    rear = on_rear(body, [*_rear(spec, coachwork)])
    half, whole = [*side], [mirror(p) for p in doors]
    for found in (*front, *rear):
        if found.name.startswith("left_"):
            half.append(_unnamed(found))
        else:
            whole.append(found)
    half += [*_beams(spec, body), *_high_lamps(spec, body)]
    return half, [*whole, *_roof(spec, coachwork)]


def _unnamed(found: Part) -> Part:
    """The part without the prefix that says that it has a mirror image."""
    name = found.name.removeprefix("left_")
    return Part(name, found.material, found.vertices, found.faces, found.normals, found.segment)


def _arches(spec: VehicleSpec) -> tuple[tuple[float, float], tuple[float, float]]:
    """x of the front and of the rear wheel arch's two ends."""
    s = spec.shape
    reach = s.arch_radius + 0.10
    return tuple((a - reach, a + reach) for a in (s.wheelbase / 2, -s.wheelbase / 2))  # type: ignore[return-value]


def _skirts(spec: VehicleSpec, coachwork: Coachwork) -> list[Patch]:
    """Panels of the side below the windows: shut lines, flaps with grips, markers, trim."""
    s = spec.shape
    front, rear = _arches(spec)
    low = s.clearance + 0.05
    high = s.belt_z - (0.42 if coachwork.flaps else 0.30)
    spans = [(s.body_rear_x + 0.25, rear[0]), (rear[1], front[0]), (front[1], s.front_x - 0.35)]
    patches = []
    for a, b in spans:
        count = max(1, round((b - a) / (1.15 if coachwork.flaps else 1.5)))
        patches += [Patch("shut_lines", "gap", (x, x + _LINE), (low, high), 0, 0.0015)
                    for x in np.linspace(a, b, count + 1)]  # fmt: skip
        patches.append(Patch("shut_lines", "gap", (a, b), (high, high + _LINE), 0, 0.0015))
        if coachwork.flaps:
            grips = np.linspace(a, b, count + 1)[:-1] + (b - a) / count / 2
            patches += [Patch("flap_grip", "plastic", (x - 0.07, x + 0.07), (low + 0.10,
                        low + 0.145), 0.02, 0.01) for x in grips]  # fmt: skip
    markers = np.linspace(s.body_rear_x + 0.6, s.front_x - 0.7, 6)
    patches += [Patch("side_marker", "lamp_amber", (x - 0.05, x + 0.05), (high + 0.05,
                high + 0.085),
                0.015, 0.010) for x in markers]  # fmt: skip
    strip = "chrome" if spec.trim.chrome else "plastic"
    z = s.belt_z - 0.10
    if coachwork.flaps or spec.trim.moulding:
        patches.append(Patch("side_strip", strip, (s.body_rear_x + 0.12, s.front_x - 0.30),
                             (z, z + 0.035), 0, 0.008))  # fmt: skip
    vent = (s.body_rear_x + 0.35, min(s.body_rear_x + 1.25, rear[0] - 0.1))
    if vent[1] - vent[0] > 0.3:
        patches += [
            Patch("engine_vent", "grille", vent, (low + 0.12, high - 0.12), 0.03, 0.003),
            *(Patch("engine_vent_slat", "plastic", vent, (h, h + 0.02), 0, 0.01)
              for h in np.arange(low + 0.18, high - 0.16, 0.06)),
        ]  # fmt: skip
    return patches


def _windows(spec: VehicleSpec, coachwork: Coachwork) -> list[Patch]:
    """The bars of sliding panes, a side display over the first window."""
    s = spec.shape
    pillars = (s.cowl_x - 0.6, *spec.trim.side_windows)
    patches = []
    if coachwork.vents:
        top = s.height - 0.17 - s.roof_crown
        z = s.belt_z + 0.68 * (top - s.belt_z)
        patches = [Patch("window_bar", "rubber", (b + 0.05, a - 0.05), (z, z + 0.03), 0, 0.0)
                   for a, b in pairwise(pillars[1:])]  # fmt: skip
    return patches


def _door(spec: VehicleSpec, coachwork: Coachwork, span: tuple[float, float]) -> list[Patch]:
    """A passenger door in side view: rubber around leaves that are glass, or sheet with a pane."""
    s = spec.shape
    low = s.clearance + 0.05
    top = min(low + 2.05, s.height - 0.42)
    a, b = span
    patches = [Patch("passenger_door_seal", "rubber", (a, b), (low, top), 0.05, 0.008)]
    if not coachwork.glazed_doors:
        pane = (s.belt_z - 0.15 if coachwork.flaps else s.belt_z + 0.02, top - 0.10)
        return [
            *patches,
            Patch("passenger_door", "paint", (a + 0.02, b - 0.02), (low + 0.02, top - 0.02), 0.04,
                  0.012),
            Patch("passenger_door_glass", "black_glass", (a + 0.09, b - 0.09), pane, 0.07, 0.016),
            Patch("passenger_door_grip", "plastic", (a + 0.07, a + 0.13), (pane[0] - 0.35,
                  pane[0] - 0.2), 0.02, 0.03),
        ]  # fmt: skip
    middle = (a + b) / 2
    leaves = ((a + 0.03, middle - 0.012), (middle + 0.012, b - 0.03))
    for leaf in leaves if b - a > 0.9 else ((a + 0.03, b - 0.03),):
        patches += [
            Patch("passenger_door", "paint", leaf, (low + 0.02, top - 0.02), 0.05, 0.012),
            Patch("passenger_door_glass", "black_glass", (leaf[0] + 0.05, leaf[1] - 0.05),
                  (low + 0.10, top - 0.08), 0.07, 0.016),
            Patch("passenger_door_bar", "galvanised", (leaf[0] + 0.05, leaf[1] - 0.05),
                  (low + 0.95, low + 0.98), 0, 0.02),
        ]  # fmt: skip
    return patches


def _lamp_span(spec: VehicleSpec) -> tuple[tuple[float, float], tuple[float, float]]:
    s = spec.shape
    wide, tall = {"wedge": (0.50, 0.24), "round": (0.46, 0.20), "block": (0.42, 0.24),
                  "slit": (0.58, 0.17)}[spec.trim.head_lamp]  # fmt: skip
    outer = s.width / 2 - 0.11
    return (outer - wide, outer), (s.nose_z - tall, s.nose_z - 0.01)


def _front(spec: VehicleSpec, coachwork: Coachwork) -> list[Patch]:
    """Lamps, bumper line, intake, plate's field, the bar between two windscreens."""
    s, half = spec.shape, spec.shape.width / 2
    across, up = _lamp_span(spec)
    lens = "lamp_dark" if spec.trim.head_lamp in ("wedge", "slit") else "lamp_clear"
    bumper = up[0] - 0.05
    low = s.clearance
    patches = [
        Patch("left_head_lamp_housing", "plastic", (across[0] - 0.02, across[1] + 0.02),
              (up[0] - 0.02, up[1] + 0.01), 0.07, 0.006, "front"),
        Patch("left_head_lamp", lens, across, up, 0.06, 0.012, "front"),
        Patch("left_indicator", "lamp_amber", (across[1] - 0.10, across[1] - 0.01), (up[0] + 0.02,
              up[1] - 0.02), 0.03, 0.016, "front"),
        Patch("left_fog_lamp", "lamp_beam", (0.58 * half, 0.58 * half + 0.15), (low + 0.12,
              low + 0.20), 0.04, 0.012, "front"),
        Patch("shut_lines", "gap", (-0.92 * half, 0.92 * half), (bumper, bumper + _LINE), 0, 0.002),
        Patch("lower_intake", "grille", (-0.48 * half, 0.48 * half), (low + 0.09, low + 0.22), 0.03,
              0.004, "front"),
    ]  # fmt: skip
    inner = across[0] - 0.12
    z = s.nose_z - 0.12
    metal = "chrome" if spec.trim.chrome else "plastic"
    if spec.trim.grille in ("bars", "mesh", "grid"):
        patches.append(Patch("grille", "grille", (-inner, inner), (z - 0.06, z + 0.08), 0.03, 0.004,
                             "front"))  # fmt: skip
    if spec.trim.grille in ("bars", "split", "slim"):
        patches += [Patch("grille_bars", metal, (-inner, inner), (v, v + 0.022), 0, 0.012, "front")
                    for v in (z - 0.03, z + 0.03)]  # fmt: skip
    if coachwork.split_screen:
        patches.append(Patch("screen_bar", "rubber", (-0.025, 0.025), (s.cowl_z + 0.02,
                             s.height - 0.18), 0, 0.004, "windscreen"))  # fmt: skip
    return patches


def _display(spec: VehicleSpec, coachwork: Coachwork) -> list[Patch]:
    """The route's number in lamps on a dark field over the windscreen, a line of text beside it."""
    s, half = spec.shape, spec.shape.width / 2
    if not coachwork.route:
        return []
    z = s.height - 0.36
    field = Patch("destination_display", "black_glass", (-0.66 * half, 0.66 * half), (z - 0.17,
                  z + 0.15), 0.03, 0.012, "windscreen")  # fmt: skip
    return [field, *_route(coachwork.route, -0.56 * half, z - 0.01, 0.20)]


def _route(route: str, left: float, z: float, tall: float) -> list[Patch]:
    """Digits from ``left`` (y, as seen from the front) on, then words as short bars."""
    wide, stroke = 0.5 * tall, 0.014
    patches = []
    for k, digit in enumerate(route):
        y = left + (k + 0.5) * 1.5 * wide
        for bit, (du, dv, flat, _) in enumerate(_SEGMENTS):
            if not _DIGITS[int(digit)] >> bit & 1:
                continue
            u, v = y + du * wide * 1.1, z + dv * tall
            reach = (0.42 * wide, stroke) if flat else (stroke, 0.20 * tall)
            patches.append(Patch("destination_text", "led_amber", (u - reach[0], u + reach[0]),
                                 (v - reach[1], v + reach[1]), 0, 0.016))  # fmt: skip
    y = left + len(route) * 1.5 * wide + 0.10
    for k in range(int((-left - y) / 0.062)):
        if k % 5 != 3:
            tops = (0.055, 0.075, 0.048)[k % 3]
            patches.append(
                Patch(
                    "destination_text",
                    "led_amber",
                    (y + 0.062 * k, y + 0.062 * k + 0.036),
                    (z - 0.06, z - 0.06 + tops),
                    0,
                    0.016,
                )
            )
    return patches


def _beams(spec: VehicleSpec, body: Body) -> list[Part]:
    """Round reflectors in the head lamps; round tail lamps."""
    across, up = _lamp_span(spec)
    radius, z = 0.40 * (up[1] - up[0]), (up[0] + up[1]) / 2
    y = across[0] + 0.03 + radius + np.arange(2) * 2.1 * radius
    at = body.front_at(y, z)
    ends: list[Corners] = [((p[0] - 0.03, p[1], p[2]), (p[0] + 0.018, p[1], p[2])) for p in at]
    return [rods("head_lamp_beam", "lamp_beam", ends, radius, 18)]


def _rear(spec: VehicleSpec, coachwork: Coachwork) -> list[Patch]:
    """Engine flap with its grille, tail lamps, bumper line, reflectors."""
    s, half = spec.shape, spec.shape.width / 2
    low, base = s.clearance + 0.10, s.tail_z
    flap = (-0.72 * half, 0.72 * half)
    grille = (0.85 * flap[0], 0.85 * flap[1])
    top = s.deck_z - 0.12
    outer = half - 0.10
    column = (outer - 0.15, outer)
    patches = [
        Patch("shut_lines", "gap", flap, (z, z + _LINE), 0, 0.002) for z in (low + 0.28, top)
    ]
    patches += [Patch("shut_lines", "gap", (y, y + _LINE), (low + 0.28, top), 0, 0.002)
                for y in flap]  # fmt: skip
    patches += [
        Patch("engine_grille", "grille", grille, (base - 0.42, base - 0.04),
              0.03, 0.003, "rear"),
        *(Patch("engine_grille_slat", "plastic", grille, (z, z + 0.022), 0,
                0.012, "rear") for z in np.arange(base - 0.39, base - 0.07, 0.055)),
        Patch("left_reflector", "reflector_red", (outer - 0.20, outer - 0.06), (low + 0.12,
              low + 0.16), 0.01, 0.006, "rear"),
        Patch("shut_lines", "gap", (-0.9 * half, 0.9 * half), (low + 0.22, low + 0.22 + _LINE), 0,
              0.002),
    ]  # fmt: skip
    tall = 0.17
    kinds = ("tail_indicator", "lamp_amber"), ("tail_lamp", "lamp_red"), ("reverse_lamp",
             "lamp_clear"), ("tail_lamp", "lamp_red")  # fmt: skip
    round_lamps = coachwork.lamps == "round"
    for k, (name, material) in enumerate(kinds):
        z = base + 0.10 - (k + 1) * (tall + 0.01)
        patches.append(Patch(f"left_{name}", material, column, (z, z + (0.15 if round_lamps else
                             tall)), 0.075 if round_lamps else 0.02, 0.02, "rear"))  # fmt: skip
    return patches


def _high_lamps(spec: VehicleSpec, body: Body) -> list[Part]:
    """Marker lamps at the upper corners of both ends."""
    s = spec.shape
    y, z = 0.72 * body.half, s.height - 0.13
    front, rear = body.front_at(y, z)[0], body.rear_at(y, z)[0]
    found = []
    for at, material in ((front, "lamp_clear"), (rear, "lamp_red")):
        size = np.array([0.02, 0.05, 0.018])
        found.append(boxes("high_lamp", material, [(tuple(at - size), tuple(at + size))], 0.012))
    return found


def _roof(spec: VehicleSpec, coachwork: Coachwork) -> list[Part]:
    """Air conditioning, batteries or pods, and hatches along the roof."""
    s, half = spec.shape, spec.shape.width / 2
    span = s.roof_front_x - s.roof_rear_x
    middle = (s.roof_front_x + s.roof_rear_x) / 2
    top = s.height - 0.03
    units = {
        "unit": [(middle + 0.05 * span, min(2.6, 0.4 * span), 0.26)],
        "long": [(middle - 0.02 * span, 0.66 * span, 0.30)],
        "pods": [(middle - 0.26 * span, min(2.2, 0.28 * span), 0.24), (middle + 0.3 * span,
                 min(1.3, 0.2 * span), 0.18)],
    }[coachwork.roof]  # fmt: skip
    parts = [
        ellipsoid("roof_unit", "box_white" if coachwork.roof != "long" else "paint",
                  (x, 0.0, top + 0.1), (length, 1.45 * half, 2 * tall - 0.1), 6, 7)
        for x, length, tall in units
    ]  # fmt: skip
    grilles: list[Corners] = []
    for x, length, tall in units:
        ends = (x - 0.36 * length, x - 0.06 * length), (x + 0.06 * length, x + 0.36 * length)
        grilles += [((a, 0.12, top + 0.08 + tall - 0.055), (b, 0.46 * half, top + 0.055 + tall))
                    for a, b in ends]  # fmt: skip
    parts.append(boxes("roof_unit_grille", "grille", both(grilles), 0.008))
    taken = [(x - length / 2 - 0.5, x + length / 2 + 0.5) for x, length, _ in units]
    places = [x for x in (middle + 0.42 * span, middle - 0.42 * span, middle - 0.15 * span)
              if not any(a < x < b for a, b in taken)]  # fmt: skip
    hatches: list[Corners] = [((x - 0.32, -0.32, top - 0.04), (x + 0.32, 0.32, top + 0.07))
                              for x in places]  # fmt: skip
    if hatches:
        parts.append(boxes("roof_hatch", "box_white", hatches, 0.03))
    return parts
