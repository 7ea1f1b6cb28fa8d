"""Behind a truck's cab: chassis frame, guards, and a box body or a platform with side boards."""

from __future__ import annotations

import numpy as np

from render_assets.keypoints import ARCH_ANGLES, ARCH_LIP, wheel_track
from render_assets.mesh import Part, box, grid_faces, merge, part, tube
from render_assets.spec import Load, VehicleSpec


def load_parts(spec: VehicleSpec, load: Load) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie across the middle."""
    rear = spec.shape.rear_x
    half = _chassis(spec, load, rear)
    whole = _box_body(load, rear) if load.kind == "box" else _boards(load, rear)
    return half, whole


def _span(
    name: str,
    material: str,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    edge: float = 0.01,
    segment: str | None = None,
) -> Part:
    """A box between two corners."""
    a, b = np.array(low), np.array(high)
    made = box(name, material, tuple((a + b) / 2), tuple(b - a), edge)
    return Part(name, material, made.vertices, made.faces, made.normals, segment)


def _chassis(spec: VehicleSpec, load: Load, rear: float) -> list[Part]:
    """Frame rail, tank, side guard, mud flap, under-run bar, tail lamps."""
    s, half = spec.shape, load.width / 2
    top, axle = load.floor_z - 0.13, -s.wheelbase / 2
    front, behind = s.body_rear_x - 0.1, axle + s.arch_radius + 0.15
    low = 0.45
    return [
        _mudguard(spec),
        _span("frame_rail", "frame", (rear + 0.05, 0.34, top - 0.24), (front + 0.5, 0.42, top)),
        _span("axle_tube", "frame", (axle - 0.06, 0.0, spec.wheels.radius - 0.06),
              (axle + 0.06, half - 0.3, spec.wheels.radius + 0.06)),
        _span("tank", "aluminium", (behind + 0.1, 0.45, low), (min(behind + 1.0, front - 0.1),
              half - 0.12, top - 0.05), 0.06),
        _span("side_guard", "frame", (behind, half - 0.08, low + 0.05),
              (front - 0.05, half - 0.05, low + 0.15)),
        _span("side_guard", "frame", (behind, half - 0.08, low + 0.27),
              (front - 0.05, half - 0.05, low + 0.37)),
        _span("mud_flap", "rubber", (axle - s.arch_radius - 0.12, half - 0.55, 0.28),
              (axle - s.arch_radius - 0.105, half - 0.05, top)),
        _span("underrun_bar", "frame", (rear + 0.06, 0.0, 0.45), (rear + 0.14, half - 0.1, 0.57)),
        _span("underrun_arm", "frame", (rear + 0.08, 0.34, 0.5), (rear + 0.16, 0.42, top)),
        _span("tail_lamp", "lamp_red", (rear + 0.01, half - 0.45, top - 0.16),
              (rear + 0.05, half - 0.22, top - 0.04)),
        _span("tail_indicator", "lamp_amber", (rear + 0.01, half - 0.22, top - 0.16),
              (rear + 0.05, half - 0.1, top - 0.04)),
        tube("propshaft", "frame", np.array([[axle, 0.02, 0.5], [front, 0.02, 0.6]]), 0.05),
    ]  # fmt: skip


def _mudguard(spec: VehicleSpec) -> Part:
    """A half ring over the rear wheels; its outer edge carries the rear arch's keypoints."""
    s, w = spec.shape, spec.wheels
    angle = np.radians(np.linspace(ARCH_ANGLES["rear"][0], ARCH_ANGLES["rear"][-1], 33))
    outer_y = wheel_track(spec) + w.width / 2
    inner_y = outer_y - 2 * w.width - 0.05
    radius = s.arch_radius + ARCH_LIP
    section = ((0.0, outer_y), (0.0, inner_y), (-0.012, inner_y), (-0.012, outer_y), (0.0, outer_y))
    points = np.stack(
        [
            np.stack(
                [-s.wheelbase / 2 + (radius + r) * np.cos(angle), np.full(33, y),
                 s.arch_radius * 0.86 + (radius + r) * np.sin(angle)], axis=1
            )
            for r, y in section
        ]
    )  # fmt: skip
    quads = [part("", "plastic", points[k : k + 2].reshape(-1, 3), grid_faces(2, 33))
             for k in range(4)]  # fmt: skip
    return merge("rear_mudguard", quads)


def _box_body(load: Load, rear: float) -> list[Part]:
    """A closed box with corner rails, rear doors with lock rods and hinges."""
    half, floor, top = load.width / 2, load.floor_z, load.top_z
    front, skin = load.front_x, "paint" if load.painted else "box_white"
    bottom = floor - 0.12
    parts = [
        _span("box", skin, (rear + 0.006, -half + 0.006, bottom + 0.05),
              (front, half - 0.006, top - 0.006), 0.02),
        _span("box_floor", "frame", (rear, -half, bottom), (front, half, bottom + 0.06)),
    ]  # fmt: skip
    rail = 0.045
    for side in (-1, 1):
        y = side * (half - rail / 2)
        for x in (rear + rail / 2, front - rail / 2):
            parts.append(_rod("box_rail", (x, y, (bottom + top) / 2), (rail, rail, top - bottom)))
        for z in (top - rail / 2, floor):
            parts.append(_rod("box_rail", ((rear + front) / 2, y, z), (front - rear, rail, rail)))
        for y_rod in (0.10, half - 0.28):
            path = np.array([[rear - 0.015, side * y_rod, floor + 0.02],
                             [rear - 0.015, side * y_rod, top - 0.05]])  # fmt: skip
            parts.append(tube("lock_rod", "steel", path, 0.014, 6))
        for k in range(4):
            z = floor + 0.15 + (top - floor - 0.3) * k / 3
            parts.append(
                _rod("hinge", (rear - 0.004, side * (half - 0.09), z), (0.02, 0.16, 0.05), "steel")
            )
    parts.append(
        _rod("door_gap", (rear + 0.004, 0, (floor + top) / 2), (0.01, 0.012, top - floor - 0.1),
             "gap")
    )  # fmt: skip
    parts += [_rod("box_rail", (x, 0, top - rail / 2), (rail, 2 * half, rail))
              for x in (rear + rail / 2, front - rail / 2)]  # fmt: skip
    return parts


def _rod(
    name: str,
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
    material: str = "aluminium",
) -> Part:
    return box(name, material, centre, size, 0.006)


def _boards(load: Load, rear: float) -> list[Part]:
    """A platform with ribbed side boards, tail board and a headboard behind the cab."""
    half, floor, top, front = load.width / 2, load.floor_z, load.top_z, load.front_x
    skin = "paint" if load.painted else "aluminium"
    thick = 0.04
    parts = [
        _span("bed_floor", "wood", (rear + 0.02, -half + 0.02, floor - 0.02),
              (front, half - 0.02, floor + 0.01)),
        _span("bed_frame", "frame", (rear, -half, floor - 0.12), (front, half, floor - 0.03),
              0.004),
        _span("tail_board", skin, (rear, -half, floor), (rear + thick, half, top)),
        _span("headboard", skin, (front - 0.05, -half, floor), (front, half, top + 0.35)),
    ]  # fmt: skip
    for side in (-1, 1):
        y = sorted((side * half, side * (half - thick)))
        parts.append(
            _span("side_board", skin, (rear + thick, y[0], floor), (front - 0.05, y[1], top))
        )
        count = max(3, round((front - rear) / 0.55))
        for k in range(count + 1):
            x = rear + 0.03 + (front - rear - 0.06) * k / count
            parts.append(
                _rod("board_rib", (x, side * (half + 0.004), (floor + top) / 2),
                     (0.05, 0.03, top - floor), skin)
            )  # fmt: skip
    for k in range(5):
        y_rib = (k / 4 - 0.5) * 1.8 * half
        parts.append(
            _rod("board_rib", (rear - 0.004, y_rib, (floor + top) / 2), (0.03, 0.05, top - floor),
                 skin)
        )  # fmt: skip
    return parts
