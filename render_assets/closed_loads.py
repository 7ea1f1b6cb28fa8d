"""Closed load bodies: dry box, refrigerated box with its unit, curtain-sider."""

from __future__ import annotations

import numpy as np

from render_assets.assembly import Corners, boxes, rods
from render_assets.load_frame import BEAM, DOOR_SPLIT
from render_assets.mesh import Part, grid_faces, part
from render_assets.spec import Load

RAIL = 0.05
"""Width of the rails along a box's edges, metres."""


def box_body(load: Load, rear: float) -> tuple[list[Part], list[Part]]:
    """Left halves and whole parts of a box with rear doors."""
    sides = {"curtain": _curtain}.get(load.kind, _side)(load, rear)
    half = [*sides, *_rails(load, rear), *_door_fittings(load, rear), _tape(load, rear)]
    whole = [*_shell(load, rear), *_end_rails(load, rear)]
    if load.kind == "reefer":
        whole += _cooler(load)
    return half, whole


def _skin(load: Load) -> str:
    return "paint" if load.painted else "box_white"


def _shell(load: Load, rear: float) -> list[Part]:
    """Roof, front wall, floor beam and rear doors."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    skin, split = _skin(load), (1 - DOOR_SPLIT) * floor + DOOR_SPLIT * top
    inner = half - RAIL - 0.01
    door: list[tuple[float, float, str]] = [
        (floor + 0.02, split, "boot"),
        (split, top - 0.09, "rear_glass"),
    ]
    return [
        boxes("box_roof", skin, [((rear + 0.03, -half + 0.02, top - 0.03),
              (front - 0.02, half - 0.02, top - 0.008))], 0.01, "roof"),
        boxes("box_front", skin, [((front - 0.03, -half + 0.02, floor),
              (front - 0.008, half - 0.02, top - 0.02))], 0.008),
        boxes("box_floor", "frame", [((rear + 0.004, -half + 0.004, floor - BEAM),
              (front - 0.01, half - 0.004, floor - 0.03))], 0.004, "rear"),
        *(boxes("box_doors", skin, [((rear + 0.018, -inner, a), (rear + 0.05, inner, b))], 0.0,
                segment) for a, b, segment in door),
        boxes("door_gap", "rubber", [((rear + 0.012, -0.012, floor + 0.02),
              (rear + 0.03, 0.012, top - 0.09))]),
    ]  # fmt: skip


def _side(load: Load, rear: float) -> list[Part]:
    """A side wall: a smooth sheet, or one with pressed ribs."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    low, high = (rear + 0.03, floor - 0.02), (front - 0.02, top - 0.02)
    skin, sheet = _skin(load), 0.007 if load.ribbed else 0.012
    parts = [boxes("box_side", skin, [((low[0], half - 0.03, low[1]),
                   (high[0], half - sheet, high[1]))])]  # fmt: skip
    count = round((front - rear) / (0.16 if load.ribbed else 1.2))
    x = np.linspace(rear + RAIL, front - RAIL, count + 2)[1:-1]
    wide, proud = (0.045, 0.003) if load.ribbed else (0.004, -0.011)
    ribs: list[Corners] = [((v - wide, half - 0.02, floor + 0.03), (v + wide, half + proud,
                            top - RAIL - 0.01)) for v in x]  # fmt: skip
    if load.ribbed:
        parts.append(boxes("box_rib", skin, ribs, 0.012))
    elif load.kind == "box" and len(ribs):
        parts.append(boxes("sheet_joint", "gap", ribs))
    return parts


def _curtain(load: Load, rear: float) -> list[Part]:
    """A tarpaulin that hangs in slight waves, strapped to the floor's edge."""
    half, floor, top = load.width / 2, load.floor_z, load.top_z
    low, high = rear + RAIL, load.front_x - RAIL
    count = 4 * round((high - low) / 0.45) + 1
    x = np.linspace(low, high, count)
    bulge = np.array([0.0, 0.8, 1.0, 0.7, 0.0])
    z = np.linspace(floor - 0.07, top - 0.05, 5)
    y = half - 0.012 + 0.006 * np.sin(np.pi * np.arange(count) / 2)[:, None] * bulge
    points = np.stack(np.broadcast_arrays(x[:, None], y, z[None]), axis=-1).reshape(-1, 3)
    sheet = part("tarpaulin", "paint" if load.painted else "tarpaulin", points,
                 grid_faces(count, 5)[:, ::-1])  # fmt: skip
    straps = x[2:-2:4]
    return [
        sheet,
        boxes("strap", "rubber", [((v - 0.022, half - 0.01, floor - 0.10), (v + 0.022, half + 0.001,
              floor + 0.55)) for v in straps]),
        boxes("buckle", "galvanised", [((v - 0.03, half - 0.01, floor - 0.06), (v + 0.03,
              half + 0.006, floor + 0.03)) for v in straps], 0.004),
        boxes("box_core", "interior", [((low, 0.0, floor), (high, half - 0.04, top - 0.03))]),
    ]  # fmt: skip


def _rails(load: Load, rear: float) -> list[Part]:
    """Upright and lengthwise rails, and the castings at the corners."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    bottom, inner = floor - BEAM, half - RAIL
    metal = "box_white" if load.kind == "reefer" else "aluminium"
    rails: list[Corners] = [
        ((rear, inner, bottom), (rear + RAIL, half, top)),
        ((front - RAIL, inner, bottom), (front, half, top)),
        ((rear, inner, top - RAIL), (front, half, top)),
        ((rear, inner, bottom), (front, half, floor + 0.03)),
    ]
    size = 0.085
    castings: list[Corners] = [
        ((x - size / 2, half - size, z - size / 2), (x + size / 2, half + 0.002, z + size / 2))
        for x in (rear + size / 2 - 0.003, front - size / 2 + 0.003)
        for z in (bottom + size / 2, top - size / 2 + 0.003)
    ]
    lamps: list[Corners] = [
        ((x - 0.05, half - 0.01, bottom + 0.03), (x + 0.05, half + 0.012, bottom + 0.065))
        for x in np.linspace(rear + 0.6, front - 0.5, 3)
    ]
    return [
        boxes("box_rail", metal, rails, 0.008),
        boxes("corner_casting", metal, castings, 0.008),
        boxes("side_marker", "lamp_amber", lamps, 0.004),
    ]  # fmt: skip


def _end_rails(load: Load, rear: float) -> list[Part]:
    """Rails across both ends, with marker lamps."""
    half, top, front = load.width / 2, load.top_z, load.front_x
    metal = "box_white" if load.kind == "reefer" else "aluminium"
    y = (-half + 0.2, half - 0.2)
    return [
        boxes("box_rail", metal, [((x, -half + 0.02, top - 0.09), (x + RAIL, half - 0.02, top))
              for x in (rear, front - RAIL)], 0.008),
        boxes("rear_marker", "lamp_red", [((rear - 0.01, v - 0.06, top - 0.065), (rear + 0.01,
              v + 0.06, top - 0.03)) for v in y], 0.004),
        boxes("front_marker", "lamp_clear", [((front - 0.01, v - 0.06, top - 0.065), (front + 0.01,
              v + 0.06, top - 0.03)) for v in y], 0.004),
    ]  # fmt: skip


def _door_fittings(load: Load, rear: float) -> list[Part]:
    """Lock rods with handles and brackets, hinges, the doors' rubber."""
    half, floor, top = load.width / 2, load.floor_z, load.top_z
    tall = top - floor
    rod_y = (0.14, half - 0.34)
    x = rear + 0.004
    hinges: list[Corners] = [
        ((rear + 0.002, half - 0.17, z - 0.025), (rear + 0.03, half - 0.02, z + 0.025))
        for z in floor + 0.16 + (tall - 0.36) * np.arange(4) / 3
    ]
    brackets: list[Corners] = [
        ((rear - 0.006, y - 0.035, z - 0.03), (rear + 0.02, y + 0.035, z + 0.03))
        for y in rod_y
        for z in (floor + 0.1, floor + 0.42 * tall, top - 0.2)
    ]
    handles: list[Corners] = [
        (
            (rear - 0.014, y - 0.02, floor + 0.3 * tall),
            (rear + 0.004, y + 0.3, floor + 0.3 * tall + 0.028),
        )
        for y in rod_y[:1]
    ]
    inner = half - RAIL - 0.01
    seals: list[Corners] = [
        ((rear + 0.014, inner - 0.012, floor + 0.02), (rear + 0.03, inner + 0.012, top - 0.08)),
        ((rear + 0.014, 0.0, floor + 0.012), (rear + 0.03, inner, floor + 0.032)),
        ((rear + 0.014, 0.0, top - 0.1), (rear + 0.03, inner, top - 0.08)),
    ]
    return [
        rods("lock_rod", "galvanised",
             [((x, y, floor - 0.04), (x, y, top - 0.05)) for y in rod_y], 0.016, 8),
        boxes("hinge", "galvanised", hinges, 0.006),
        boxes("rod_bracket", "galvanised", brackets, 0.006),
        boxes("door_lever", "galvanised", handles, 0.006),
        boxes("door_seal", "rubber", seals),
        *_tape_rear(load, rear),
    ]  # fmt: skip


def _tape_rear(load: Load, rear: float) -> list[Part]:
    """Red and white reflective tape along the rear's outline."""
    half, z = load.width / 2, load.floor_z - BEAM / 2
    y = np.arange(0.0, half - 0.15, 0.15)
    return [
        boxes("reflective_tape", f"reflector_{name}", [((rear + 0.001, v, z - 0.025),
              (rear + 0.005, v + 0.15, z + 0.025)) for v in y[k::2]], 0.0, "rear")
        for k, name in enumerate(("red", "white"))
    ]  # fmt: skip


def _tape(load: Load, rear: float) -> Part:
    """Red tape along the side's lower rail, in pieces."""
    half, z = load.width / 2, load.floor_z - 0.04
    x = np.arange(rear + 0.3, load.front_x - 0.4, 0.6)
    return boxes("reflective_tape", "reflector_red", [((v, half - 0.01, z - 0.025), (v + 0.3,
                 half + 0.0015, z + 0.025)) for v in x])  # fmt: skip


def _cooler(load: Load) -> list[Part]:
    """The refrigerating unit high on the front wall."""
    x, top = load.front_x, load.top_z
    wide, low, deep = min(0.82, 0.75 * load.width / 2), top - 0.78, 0.42
    slats: list[Corners] = [
        ((x + deep - 0.01, -0.85 * wide, z), (x + deep + 0.012, 0.85 * wide, z + 0.035))
        for z in np.linspace(low + 0.1, low + 0.42, 6)
    ]
    return [
        boxes("cooling_unit", "box_white", [((x - 0.02, -wide, low), (x + deep, wide, top - 0.08))],
              0.09),
        boxes("cooling_grille", "grille", [((x + deep - 0.02, -0.88 * wide, low + 0.07),
              (x + deep + 0.004, 0.88 * wide, low + 0.5))], 0.01),
        boxes("cooling_slat", "plastic", slats, 0.006),
    ]  # fmt: skip
