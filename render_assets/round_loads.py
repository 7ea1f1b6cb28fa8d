"""Round load bodies: elliptical tank, concrete mixer's drum."""

from __future__ import annotations

import numpy as np

from render_assets.assembly import Corners, boxes, rods, sweep
from render_assets.load_frame import BEAM, DISH, REAR_MARGIN, tank_outline, tank_section
from render_assets.mesh import Part, tube
from render_assets.spec import Load

_AROUND = 40


def tank_body(load: Load, rear: float) -> tuple[list[Part], list[Part]]:
    """Left halves and whole parts of an elliptical tank on saddles."""
    skin = "paint" if load.painted else "polished_steel"
    a, b = rear + REAR_MARGIN, load.front_x - 0.05
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)

    def ring(x: float, scale: float) -> np.ndarray:
        return np.insert(tank_outline(load, angle, scale), 0, x, axis=1)

    turn = np.linspace(0, np.pi / 2, 6)
    front_cap = [ring(b + DISH * np.sin(t), max(np.cos(t), 0.001)) for t in turn]
    rear_cap = [ring(a - DISH * np.sin(t), max(np.cos(t), 0.001)) for t in turn[::-1]]
    bands = np.linspace(a, b, max(3, round((b - a) / 1.2) + 1))
    hoops = [np.stack([ring(x + d, s) for d, s in ((-0.03, 1.0), (-0.03, 1.012), (0.03, 1.012),
                                                   (0.03, 1.0))]) for x in bands]  # fmt: skip
    whole = [
        sweep("tank_end", skin, np.stack(rear_cap)),
        sweep("tank_shell", skin, np.stack([ring(a, 1.0), ring(b, 1.0)])),
        sweep("tank_end", skin, np.stack(front_cap)),
        *(sweep("tank_hoop", skin, h) for h in hoops),
        *_catwalk(load, a, b),
        *_ladder(load, rear),
        boxes("bed_frame", "frame", [((rear, -load.width / 2, load.floor_z - BEAM),
              (rear + 0.16, load.width / 2, load.floor_z))], 0.008, "rear"),
    ]  # fmt: skip
    return _tank_side(load, a, b), whole


def _catwalk(load: Load, a: float, b: float) -> list[Part]:
    """Walkway with railings and manholes along the tank's top."""
    top = load.top_z
    x = np.linspace(a + 0.7, b - 0.7, 3)
    hatch: list[Corners] = [((v, 0.0, top - 0.03), (v, 0.0, top + 0.1)) for v in x]
    lids: list[Corners] = [((v, 0.0, top + 0.1), (v, 0.0, top + 0.13)) for v in x]
    rails: list[Corners] = [
        ((a + 0.2, y, top + 0.22), (b - 0.2, y, top + 0.22)) for y in (-0.42, 0.42)
    ]
    rails += [
        ((v, y, top - 0.06), (v, y, top + 0.22))
        for v in np.linspace(a + 0.2, b - 0.2, 5)
        for y in (-0.42, 0.42)
    ]
    return [
        boxes("catwalk", "galvanised", [((a + 0.2, y - 0.12, top - 0.02), (b - 0.2, y + 0.12,
              top + 0.01)) for y in (-0.42, 0.42)], 0.004, "roof"),
        rods("manhole", "galvanised", hatch, 0.26, 20),
        rods("manhole_lid", "polished_steel", lids, 0.29, 20),
        rods("catwalk_rail", "galvanised", rails, 0.014, 6),
    ]  # fmt: skip


def _ladder(load: Load, rear: float) -> list[Part]:
    """Up the rear end, left of the middle."""
    x, y = rear + 0.05, 0.45
    low, top = load.floor_z - 0.2, load.top_z + 0.2
    rails: list[Corners] = [((x, y + s, low), (x, y + s, top)) for s in (-0.18, 0.18)]
    rungs: list[Corners] = [
        ((x, y - 0.18, z), (x, y + 0.18, z)) for z in np.arange(low + 0.1, top, 0.28)
    ]
    stays: list[Corners] = [
        ((x, y + s, z), (x + 0.26, y + s, z))
        for s in (-0.18, 0.18)
        for z in (load.floor_z - 0.05, load.top_z + 0.02)
    ]
    return [rods("ladder", "galvanised", [*rails, *rungs, *stays], 0.016, 6)]


def _tank_side(load: Load, a: float, b: float) -> list[Part]:
    """Saddles, pipe locker and hose tray, marker lamps, tape."""
    half, floor, (wide, tall, middle) = load.width / 2, load.floor_z, tank_section(load)
    x = np.linspace(a + 0.35, b - 0.35, 4)
    saddles: list[Corners] = [
        ((v - 0.05, 0.0, floor - 0.08), (v + 0.05, 0.62 * wide, floor + 0.2)) for v in x
    ]
    edge = middle - 0.45 * tall
    tray = float(tank_outline(load, np.array([-0.46]))[0, 0])
    return [
        boxes("saddle", "frame", saddles),
        boxes("hose_tray", "galvanised", [((a + 0.1, tray - 0.1, edge - 0.12),
              (b - 0.1, tray + 0.03, edge))], 0.015),
        boxes("valve_locker", "galvanised", [((x[1] - 0.1, half - 0.5, floor - 0.5),
              (x[1] + 0.75, half - 0.1, floor - 0.06))], 0.02),
        boxes("side_marker", "lamp_amber", [((v - 0.045, tray + 0.02, edge - 0.08), (v + 0.045,
              tray + 0.042, edge - 0.045)) for v in x], 0.004),
        boxes("reflective_tape", "reflector_red", [((v + 0.15, tray + 0.02, edge - 0.09), (v + 0.45,
              tray + 0.0315, edge - 0.04)) for v in x[:-1]]),
    ]  # fmt: skip


def mixer_body(load: Load, rear: float) -> tuple[list[Part], list[Part]]:
    """Left halves and whole parts of a drum leant back on its frame, with chute and hopper."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    length = front - rear
    low = np.array([front - 0.25, 0.0, floor + 0.52])
    high = np.array([rear + 0.55, 0.0, top - 0.36])
    axis = (high - low) / np.linalg.norm(high - low)
    across = np.cross(axis, [0.0, 1.0, 0.0])
    widest = min(half - 0.03, 0.5 * (top - floor), 1.15)
    profile = ((0.0, 0.02), (0.0, 0.42), (0.14, 0.78), (0.34, 1.0), (0.55, 1.0), (0.8, 0.72),
               (1.0, 0.42), (1.0, 0.32))  # fmt: skip
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    span = float(np.linalg.norm(high - low))
    turns = np.stack([
        low + axis * t * span + widest * r * (np.cos(angle)[:, None] * [0.0, -1.0, 0.0]
                                              + np.sin(angle)[:, None] * across)
        for t, r in profile
    ])  # fmt: skip
    whole = [
        sweep("drum", "paint" if load.painted else "box_white", turns[:, ::-1]),
        *_spirals(low, axis, across, span, widest, profile),
        boxes("bed_frame", "frame", [((rear, -half, floor - BEAM), (rear + 0.16, half, floor))],
              0.008, "rear"),
        boxes("drum_motor", "frame", [((front - 0.3, -0.35, floor - 0.1), (front, 0.35,
              floor + 0.75))], 0.04),
        boxes("water_tank", "box_white", [((front - 0.28, -half + 0.25, floor + 0.85),
              (front - 0.02, half - 0.25, floor + 1.25))], 0.08),
        *_chute(rear, floor, high, top),
    ]  # fmt: skip
    frame: list[Corners] = [
        ((rear + 0.25, 0.34, floor - BEAM), (front, 0.46, floor + 0.02)),
        ((rear + 0.34, 0.3, floor), (rear + 0.5, 0.42, high[2] - 0.3)),
    ]
    fender: list[Corners] = [
        ((rear + 0.3, half - 0.35, floor - 0.04), (rear + 0.35 + 0.35 * length, half, floor + 0.0))
    ]
    return [
        boxes("drum_frame", "frame", frame, 0.01),
        boxes("bed_fender", "frame", fender, 0.008),
        rods("drum_roller", "frame", [((rear + 0.62, 0.42, high[2] - 0.4), (rear + 0.72, 0.42,
             high[2] - 0.44))], 0.09, 12),
    ], whole  # fmt: skip


def _spirals(
    low: np.ndarray,
    axis: np.ndarray,
    across: np.ndarray,
    span: float,
    widest: float,
    profile: tuple[tuple[float, float], ...],
) -> list[Part]:
    """Two welded seams that wind around the drum: they show that it turns."""
    t = np.linspace(0.16, 0.95, 50)
    r = np.interp(t, [p[0] for p in profile[1:-1]], [p[1] for p in profile[1:-1]])
    found = []
    for phase in (0.0, np.pi):
        a = phase + 9.0 * t
        ring = np.cos(a)[:, None] * [0.0, -1.0, 0.0] + np.sin(a)[:, None] * across
        path = low + axis * (t * span)[:, None] + (widest * r + 0.004)[:, None] * ring
        found.append(tube("drum_seam", "drum_stripe", path, 0.025, 5))
    return found


def _chute(rear: float, floor: float, mouth: np.ndarray, top: float) -> list[Part]:
    """Hopper above the drum's mouth, and the chute that hangs from it."""
    x = rear + 0.28
    steps = np.linspace(np.pi, 2 * np.pi, 9)
    path = ((x + 0.12, mouth[2] - 0.35), (x, mouth[2] - 0.75), (x - 0.1, floor + 0.15))
    rings = np.stack([
        np.stack([np.full(9, px), 0.24 * np.cos(steps), pz + 0.16 * np.sin(steps)], axis=1)
        for px, pz in path
    ])  # fmt: skip
    double = np.concatenate([rings, rings[:, ::-1] + [0.0, 0.0, 0.012]], axis=1)
    cone = np.linspace(0, 2 * np.pi, 17)[:-1]
    hopper = np.stack([
        np.stack([x + 0.2 + r * np.cos(cone), r * np.sin(cone), np.full(16, z)], axis=1)
        for r, z in ((0.2, mouth[2] + 0.05), (0.42, top), (0.40, top), (0.18, mouth[2] + 0.05))
    ])  # fmt: skip
    return [
        sweep("chute", "galvanised", double[::-1]),
        sweep("hopper", "galvanised", hopper),
    ]
