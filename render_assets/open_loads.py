"""Open load bodies: platform with drop sides or stakes, steel tipper."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from render_assets.assembly import Corners, boxes, plate, rods
from render_assets.load_frame import BEAM
from render_assets.mesh import Part
from render_assets.spec import Load


def board_body(load: Load, rear: float) -> tuple[list[Part], list[Part]]:
    """Left halves and whole parts of a platform between boards or stakes."""
    half, floor, front = load.width / 2, load.floor_z, load.front_x
    whole = [
        *_floor(load, rear),
        *_headboard(load),
    ]
    inner = _stakes(load, rear) if load.kind == "stakes" else _drop_side(load, rear)
    hooks: list[Corners] = [((x - 0.015, half - 0.02, floor - BEAM - 0.03), (x + 0.015,
                             half + 0.014, floor - BEAM + 0.03))
                            for x in np.arange(rear + 0.3, front - 0.2, 0.5)]  # fmt: skip
    half_parts = [*inner, boxes("tie_hook", "galvanised", hooks), *_markers(load, rear)]
    return half_parts, whole


def _skin(load: Load) -> str:
    return "paint" if load.painted else "galvanised"


def _floor(load: Load, rear: float) -> list[Part]:
    """Planks on a frame of channel section."""
    half, floor, front = load.width / 2, load.floor_z, load.front_x
    edges = np.linspace(-half + 0.03, half - 0.03, 10)
    planks: list[Corners] = [
        ((rear + 0.03, a + 0.004, floor - 0.03), (front - 0.03, b - 0.004, floor + 0.01))
        for a, b in pairwise(edges)
    ]
    return [
        boxes("bed_floor", "wood", planks, 0.004),
        boxes("bed_frame", "frame", [((rear, -half, floor - BEAM), (front, half, floor - 0.03))],
              0.006, "rear"),
    ]  # fmt: skip


def _drop_side(load: Load, rear: float) -> list[Part]:
    """Side and tail boards of pressed sheet with posts, hinges and latches between them."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    skin, thick = _skin(load), 0.03
    posts = np.linspace(rear + 0.02, front - 0.02, max(3, round((front - rear) / 1.9) + 1))
    panels, grooves = _pressed(posts, half, floor, top, thick)
    tail: list[Corners] = [((rear, 0.0, floor), (rear + thick, half - 0.03, top))]
    ribs: list[Corners] = [
        ((rear - 0.008, y - 0.03, floor + 0.02), (rear + 0.02, y + 0.03, top - 0.02))
        for y in np.linspace(0.12, half - 0.15, 3)
    ]
    post: list[Corners] = [
        ((x - 0.03, half - 0.045, floor - 0.06), (x + 0.03, half + 0.004, top + 0.02))
        for x in posts
    ]
    hinges: list[Corners] = [
        ((x - 0.025, half - 0.01, floor - 0.07), (x + 0.025, half + 0.016, floor + 0.05))
        for a, b in pairwise(posts)
        for x in np.linspace(a, b, 5)[1:-1]
    ]
    latches: list[Corners] = [
        ((x + dx - 0.02, half - 0.01, top - 0.12), (x + dx + 0.02, half + 0.016, top - 0.04))
        for x in posts[1:-1]
        for dx in (-0.07, 0.07)
    ]
    return [
        boxes("side_board", skin, panels, 0.006),
        boxes("board_rib", skin, grooves, 0.008),
        boxes("tail_board", skin, tail, 0.006, "rear"),
        boxes("tail_board_rib", skin, ribs, 0.008, "rear"),
        boxes("board_post", skin, post, 0.006),
        boxes("board_hinge", "frame", [*hinges, *latches], 0.004),
        boxes("load_floor_side", "frame", [((rear, half - 0.02, floor - 0.03), (front, half,
              floor + 0.01))]),
    ]  # fmt: skip


def _pressed(
    posts: np.ndarray, half: float, floor: float, top: float, thick: float
) -> tuple[list[Corners], list[Corners]]:
    """Boards between posts, and the ribs pressed along and across them."""
    panels: list[Corners] = []
    ribs: list[Corners] = []
    for a, b in pairwise(posts):
        low, high = a + 0.035, b - 0.035
        panels.append(((low, half - thick, floor + 0.012), (high, half, top)))
        ribs += [((low + 0.02, half - 0.01, z), (high - 0.02, half + 0.010, z + 0.05))
                 for z in (floor + 0.04, top - 0.07)]  # fmt: skip
        ribs += [
            ((x - 0.03, half - 0.01, floor + 0.1), (x + 0.03, half + 0.008, top - 0.08))
            for x in np.linspace(low, high, max(4, round((high - low) / 0.42) + 1))[1:-1]
        ]
    return panels, ribs


def _stakes(load: Load, rear: float) -> list[Part]:
    """A low board with posts and slats above it, on the side and across the tail."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    skin, board = _skin(load), floor + 0.42
    x = np.linspace(rear + 0.03, front - 0.05, max(4, round((front - rear) / 0.6) + 1))
    y = np.linspace(half - 0.03, 0.0, 4)[:-1]
    posts: list[Corners] = [((v - 0.025, half - 0.05, floor), (v + 0.025, half, top)) for v in x]
    posts += [((rear, v - 0.025, floor), (rear + 0.05, v + 0.025, top)) for v in y]
    z = np.linspace(board + 0.12, top - 0.06, 4)
    slats: list[Corners] = [
        ((rear + 0.02, half - 0.036, v), (front - 0.03, half - 0.012, v + 0.06)) for v in z
    ]
    slats += [((rear + 0.012, 0.0, v), (rear + 0.036, half - 0.02, v + 0.06)) for v in z]
    boards: list[Corners] = [
        ((rear + 0.02, half - 0.04, floor), (front - 0.03, half - 0.01, board)),
        ((rear + 0.01, 0.0, floor), (rear + 0.04, half - 0.02, board)),
    ]
    ribs: list[Corners] = [
        ((rear + 0.05, half - 0.02, v), (front - 0.06, half + 0.0, v + 0.05))
        for v in (floor + 0.06, floor + 0.2, floor + 0.34)
    ]
    return [
        boxes("board_post", skin, posts, 0.006),
        boxes("stake_slat", skin, slats, 0.004),
        boxes("side_board", skin, boards, 0.006),
        boxes("board_rib", skin, ribs, 0.008),
        boxes("top_board", skin, [((rear, half - 0.05, top - 0.04), (front - 0.03, half, top))],
              0.008),
        boxes("load_floor_side", "frame", [((rear, half - 0.02, floor - 0.03), (front, half,
              floor + 0.01))]),
    ]  # fmt: skip


def _headboard(load: Load) -> list[Part]:
    """A wall behind the cab with a frame and a window grid."""
    half, floor, front = load.width / 2, load.floor_z, load.front_x
    top = load.top_z + (0.05 if load.kind == "stakes" else 0.55)
    x = (front - 0.05, front)
    bars: list[Corners] = [
        ((x[0], y - 0.03, floor), (x[1], y + 0.03, top))
        for y in np.linspace(-half + 0.03, half - 0.03, 6)
    ]
    bars += [((x[0], -half, z), (x[1], half, z + 0.06)) for z in (load.top_z - 0.06, top - 0.06)]
    return [
        boxes("headboard", _skin(load), [((front - 0.04, -half, floor), (front - 0.01, half,
              load.top_z))], 0.006),
        boxes("headboard_bar", _skin(load), bars, 0.008),
    ]  # fmt: skip


def _markers(load: Load, rear: float) -> list[Part]:
    """Amber lamps and red tape along the frame."""
    half, z = load.width / 2, load.floor_z - 0.075
    x = np.linspace(rear + 0.5, load.front_x - 0.4, 4)
    return [
        boxes("side_marker", "lamp_amber", [((v - 0.045, half - 0.01, z - 0.015), (v + 0.045,
              half + 0.012, z + 0.015)) for v in x], 0.004),
        boxes("reflective_tape", "reflector_red", [((v + 0.12, half - 0.01, z - 0.022), (v + 0.42,
              half + 0.0015, z + 0.022)) for v in x[:-1]]),
    ]  # fmt: skip


def tipper_body(load: Load, rear: float) -> tuple[list[Part], list[Part]]:
    """Left halves and whole parts of a ribbed steel tub with its ram and a guard over the cab."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    skin, wall = "paint" if load.painted else "tipper_steel", 0.04
    x = np.linspace(rear + 0.06, front - 0.08, max(5, round((front - rear) / 0.48) + 1))
    ribs: list[Corners] = [
        ((v - 0.045, half - 0.045, floor - 0.02), (v + 0.045, half, top - 0.05)) for v in x
    ]
    inner = half - 0.045
    tail: list[Corners] = [
        ((rear + 0.02, 0.0, floor + 0.02), (rear + 0.05, inner - 0.03, top - 0.04))
    ]
    tail_ribs: list[Corners] = [
        ((rear, y - 0.045, floor + 0.02), (rear + 0.03, y + 0.045, top - 0.04))
        for y in (0.25 * half, 0.7 * half)
    ]
    tail_ribs += [
        ((rear, 0.0, z), (rear + 0.03, half - 0.1, z + 0.07)) for z in (floor + 0.02, top - 0.11)
    ]
    half_parts = [
        boxes("tipper_side", skin, [((rear + 0.03, inner - wall, floor), (front - 0.02, inner,
              top - 0.02))], 0.008),
        boxes("board_rib", skin, ribs, 0.014),
        boxes("top_board", skin, [((rear, half - 0.1, top - 0.08), (front, half, top))], 0.008),
        boxes("lower_board", skin, [((rear, half - 0.07, floor - 0.05), (front, half - 0.002,
              floor + 0.03))], 0.012),
        boxes("tail_board", skin, tail, 0.006, "rear"),
        boxes("tail_board_rib", skin, tail_ribs, 0.01, "rear"),
        rods("tail_hinge", "frame", [((rear + 0.03, half - 0.14, top + 0.03), (rear + 0.03,
             half + 0.0, top + 0.03))], 0.028, 10),
        plate("tail_pillar", skin, [(rear, floor), (rear + 0.1, floor), (rear + 0.1, top + 0.05),
              (rear + 0.02, top + 0.06)], (half - 0.06, half)),
        *_markers(load, rear),
    ]  # fmt: skip
    whole = [
        boxes("tipper_floor", "tipper_steel", [((rear + 0.03, -inner, floor - 0.02),
              (front - 0.02, inner, floor + 0.012))]),
        boxes("bed_frame", "frame", [((rear, -half, floor - BEAM), (front, half, floor - 0.04))],
              0.008, "rear"),
        boxes("headboard", skin, [((front - 0.06, -half + 0.02, floor), (front - 0.02, half - 0.02,
              top + 0.1))], 0.008),
        *_cab_guard(load, skin),
        rods("hydraulic_ram", "polished_steel", [((front + 0.05, 0.0, floor - 0.35), (front + 0.05,
             0.0, floor + 0.25))], 0.06, 12),
        rods("ram_sleeve", "frame", [((front + 0.05, 0.0, floor - 0.45), (front + 0.05, 0.0,
             floor - 0.05))], 0.085, 12),
    ]  # fmt: skip
    return half_parts, whole


def _cab_guard(load: Load, skin: str) -> list[Part]:
    """A canopy from the headboard forward over the cab's roof."""
    half, front = 0.9 * load.width / 2, load.front_x
    low, high = load.top_z, max(load.top_z + 0.12, load.guard_z)
    reach = 0.55
    ribs: list[Corners] = [
        ((front - 0.02, y - 0.03, high - 0.045), (front + reach, y + 0.03, high + 0.012))
        for y in np.linspace(-half + 0.05, half - 0.05, 5)
    ]
    posts: list[Corners] = [
        ((front - 0.06, y - 0.04, low - 0.2), (front, y + 0.04, high))
        for y in (-half + 0.05, 0.0, half - 0.05)
    ]
    return [
        boxes("cab_guard", skin, [((front - 0.06, -half, high - 0.03), (front + reach, half, high)),
              ((front - 0.05, -half, low), (front - 0.02, half, high))], 0.006),
        boxes("cab_guard_rib", skin, [*ribs, *posts], 0.008),
    ]  # fmt: skip
