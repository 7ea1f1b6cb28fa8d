"""What carries a truck's load: frame, rear axle, guards, tanks, bumper bar and rear lamps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from render_assets.assembly import Corners, boxes, plate, rods
from render_assets.keypoints import ARCH_ANGLES, ARCH_LIP, wheel_track
from render_assets.load_frame import BEAM
from render_assets.mesh import Part, grid_faces, merge, part
from render_assets.spec import Load, VehicleSpec

_RAIL = (0.33, 0.40)
"""y of the frame rail's two sides."""


def chassis_parts(spec: VehicleSpec, load: Load) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie across the middle or on one side only."""
    half = [_mudguard(spec), _mud_flap(spec, load), *_frame(spec, load), *_rear_end(spec, load)]
    half += _side_guard(spec, load)
    return half, [*_axle(spec), *_tanks(spec, load)]


def _bay(spec: VehicleSpec) -> tuple[float, float]:
    """x of the free space between the rear mudguard and the cab."""
    s = spec.shape
    return -s.wheelbase / 2 + s.arch_radius + 0.16, s.body_rear_x - 0.06


def _frame(spec: VehicleSpec, load: Load) -> list[Part]:
    """Ladder frame with its brackets, and cross members under the load."""
    s = spec.shape
    rear, front, top = s.rear_x, s.body_rear_x + 0.5, load.floor_z - BEAM - 0.07
    low = top - 0.22
    web = boxes("frame_rail", "frame", [((rear + 0.06, _RAIL[0], low), (front, _RAIL[1], top)),
                ((rear + 0.06, 0.31, top), (load.front_x, 0.42, top + 0.07))], 0.006)  # fmt: skip
    half = load.width / 2
    count = max(3, round((load.front_x - rear) / 0.55))
    x = np.linspace(rear + 0.15, load.front_x - 0.15, count)
    beams = boxes(
        "cross_member", "frame",
        [((v - 0.03, 0.0, load.floor_z - BEAM - 0.05), (v + 0.03, half - 0.06, load.floor_z - BEAM))
         for v in x],
    )  # fmt: skip
    return [web, beams]


def _axle(spec: VehicleSpec) -> list[Part]:
    """Rear axle with its differential, leaf springs and the shaft from the gearbox."""
    s, z = spec.shape, spec.wheels.radius
    x, reach = -s.wheelbase / 2, wheel_track(spec) - 0.1
    springs: list[Corners] = []
    for side in (-1, 1):
        for k, length in enumerate((0.62, 0.5, 0.38)):
            y, top = side * 0.48, z + 0.12 - 0.025 * k
            springs.append(((x - length, y - 0.035, top - 0.02), (x + length, y + 0.035, top)))
    return [
        rods("axle_tube", "frame", [((x, -reach, z), (x, reach, z))], 0.065, 10),
        rods("differential", "frame", [((x - 0.17, 0.02, z), (x + 0.2, 0.02, z))], 0.17, 12),
        rods("propshaft", "frame", [((x, 0.02, z), (s.body_rear_x + 0.3, 0.02, z + 0.12))], 0.045),
        boxes("leaf_spring", "frame", springs),
    ]


def _tanks(spec: VehicleSpec, load: Load) -> list[Part]:
    """Fuel tank on the right, battery box, air tanks and spare wheel's carrier on the left."""
    s, half = spec.shape, load.width / 2
    rear, front = _bay(spec)
    top, room = load.floor_z - BEAM - 0.12, front - rear
    parts = []
    length = min(0.95, 0.62 * room)
    if room > 0.5:
        deep = min(0.46, half - 0.62)
        box = ((front - 0.1 - length, -half + 0.12, top - 0.42), (front - 0.1, -half + 0.12 + deep,
               top))  # fmt: skip
        bands = [((x - 0.02, -half + 0.112, top - 0.43),
                  (x + 0.02, -half + 0.12 + deep, top + 0.01))
                 for x in (front - 0.1 - 0.8 * length, front - 0.1 - 0.2 * length)]  # fmt: skip
        cap = (front - 0.2, -half + 0.2, top)
        parts += [
            boxes("tank", "aluminium", [box], 0.07),
            boxes("tank_band", "frame", bands),
            rods("tank_cap", "plastic", [(cap, (cap[0], cap[1], top + 0.05))], 0.05, 10),
            boxes("battery_box", "plastic",
                  [((front - 0.5, half - 0.55, top - 0.34), (front - 0.08, half - 0.14, top))],
                  0.02),
        ]  # fmt: skip
        x = np.array([front - 0.62, front - 0.62 - min(0.7, max(room - 0.75, 0.1))])
        ends: list[Corners] = [((x[1], half - 0.3, z), (x[0], half - 0.3, z))
                               for z in (top - 0.1, top - 0.32)]  # fmt: skip
        parts.append(rods("air_tank", "frame", ends, 0.1, 12))
    behind = -s.wheelbase / 2 - s.arch_radius - 0.25
    if behind - s.rear_x > 2.1 * spec.wheels.radius:
        at, z = (behind + s.rear_x) / 2, top - 0.14
        parts.append(
            rods(
                "spare_wheel",
                "tyre",
                [((at, 0, z - 0.1), (at, 0, z + 0.1))],
                spec.wheels.radius,
                24,
            )
        )
    return parts


def _side_guard(spec: VehicleSpec, load: Load) -> list[Part]:
    """Two rails that keep people from under the load, on posts."""
    half, (rear, front) = load.width / 2, _bay(spec)
    if front - rear < 0.7:
        return []
    rails: list[Corners] = [((rear, half - 0.07, z), (front, half - 0.04, z + 0.10))
                            for z in (0.44, 0.68)]  # fmt: skip
    posts: list[Corners] = [
        ((x - 0.03, half - 0.11, 0.44), (x + 0.03, half - 0.07, load.floor_z - BEAM))
        for x in np.linspace(rear + 0.15, front - 0.15, 3)
    ]
    return [boxes("side_guard", "galvanised", rails, 0.008), boxes("guard_post", "frame", posts)]


def _mud_flap(spec: VehicleSpec, load: Load) -> Part:
    x = -spec.shape.wheelbase / 2 - spec.shape.arch_radius - 0.12
    y = wheel_track(spec) + spec.wheels.width / 2
    top = load.floor_z - BEAM - 0.03
    return boxes("mud_flap", "rubber", [((x, y - 2 * spec.wheels.width - 0.05, 0.26),
                 (x + 0.012, y, top))])  # fmt: skip


def _mudguard(spec: VehicleSpec) -> Part:
    """A half ring over the rear wheels; its outer edge carries the rear arch's keypoints."""
    s, w = spec.shape, spec.wheels
    steps = 33
    angle = np.radians(np.linspace(ARCH_ANGLES["rear"][0], ARCH_ANGLES["rear"][-1], steps))
    outer_y = wheel_track(spec) + w.width / 2
    inner_y = outer_y - 2 * w.width - 0.05
    radius = s.arch_radius + ARCH_LIP
    section = ((0.0, outer_y), (0.0, inner_y), (-0.012, inner_y), (-0.012, outer_y - 0.012),
               (-0.03, outer_y - 0.012), (-0.03, outer_y), (0.0, outer_y))  # fmt: skip
    points = np.stack(
        [
            np.stack(
                [-s.wheelbase / 2 + (radius + r) * np.cos(angle), np.full(steps, y),
                 s.arch_radius * 0.86 + (radius + r) * np.sin(angle)], axis=1
            )
            for r, y in section
        ]
    )  # fmt: skip
    faces = grid_faces(2, steps)[:, ::-1]
    quads = [
        part("", "plastic", points[k : k + 2].reshape(-1, 3), faces)
        for k in range(len(section) - 1)
    ]
    return replace(merge("rear_mudguard", quads), segment="left_rear_quarter")


def _rear_end(spec: VehicleSpec, load: Load) -> list[Part]:
    """Under-run bar with warning stripes, and a lamp cluster in its housing."""
    rear, half = spec.shape.rear_x, load.width / 2
    top = load.floor_z - BEAM - 0.02
    low, high = 0.46, 0.58
    stripes = np.linspace(0, half - 0.12, 7)
    bar = ((rear + 0.05, 0.0, low), (rear + 0.13, half - 0.1, high))
    lamp = (half - 0.47, half - 0.08)
    lens = [lamp[1] - 0.12, lamp[1] - 0.26, lamp[1] - 0.37]
    z = (top - 0.15, top - 0.03)

    def glass(name: str, material: str, y: tuple[float, float]) -> Part:
        return boxes(name, material, [((rear + 0.012, y[0] + 0.008, z[0] + 0.012),
                     (rear + 0.04, y[1] - 0.008, z[1] - 0.012))], 0.008, "rear")  # fmt: skip

    return [
        boxes("underrun_bar", "frame", [bar], 0.012, "rear"),
        *(
            boxes("underrun_stripes", material,
                  [((rear + 0.046, a, low + 0.015), (rear + 0.05, b, high - 0.015))
                   for a, b in zip(stripes[k:-1:2], stripes[k + 1 :: 2], strict=True)], 0.0, "rear")
            for k, material in enumerate(("reflector_white", "reflector_red"))
        ),
        plate("underrun_arm", "frame", [(rear + 0.08, low), (rear + 0.16, low), (rear + 0.3, top),
              (rear + 0.1, top)], (0.34, 0.42)),
        boxes("lamp_housing", "plastic",
              [((rear + 0.025, lamp[0], z[0]), (rear + 0.09, lamp[1], z[1])),
               ((rear + 0.07, 0.42, z[1] - 0.05), (rear + 0.12, lamp[0], z[1] - 0.01))], 0.01),
        glass("tail_indicator", "lamp_amber", (lens[0], lamp[1])),
        glass("tail_lamp", "lamp_red", (lens[1], lens[0])),
        glass("reverse_lamp", "lamp_clear", (lens[2], lens[1])),
    ]  # fmt: skip
