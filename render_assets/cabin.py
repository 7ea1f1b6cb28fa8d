"""What is seen through the glass: seats, dashboard, steering wheel, door trim, headlining."""

from __future__ import annotations

import numpy as np

from render_assets.body import Body
from render_assets.mesh import Part, box, ellipsoid, tube
from render_assets.spec import VehicleSpec

_ROW = 0.86
"""Distance between rows of seats, metres."""


def cabin_parts(spec: VehicleSpec, body: Body) -> tuple[list[Part], list[Part]]:
    """The left half of the interior, and what stands on one side only (left-hand drive)."""
    s = spec.shape
    eye = s.belt_z
    floor = max(s.clearance + 0.06, eye - 0.72)
    rear = s.deck_x + 0.10
    across = _inner_width(body, rear)
    half = [
        _slab("floor", (rear, s.cowl_x + 0.15), (0.0, across), (floor - 0.02, floor + 0.02)),
        _slab("dashboard", (s.cowl_x - 0.42, s.cowl_x + 0.05), (0.0, across),
              (eye - 0.45, eye - 0.03)),
        _slab("door_trim", (rear, s.cowl_x + 0.05), (across, across + 0.04), (floor, eye - 0.02)),
    ]  # fmt: skip
    if rear > s.body_rear_x + 0.35 or spec.layout == "pickup":
        half.append(
            _slab("rear_shelf", (s.deck_x, s.deck_x + 0.45), (0, across), (floor, eye - 0.01))
        )
    first = s.cowl_x - _driver(spec)
    row = first
    stop = s.roof_rear_x - 0.05 if spec.layout in ("car", "pickup") else rear + 0.4
    while row > stop:
        half += _seat(row, across, eye, floor)
        row -= _ROW
        if spec.trim.panelled or spec.load is not None:
            break
    wheel_x, wheel_z = first + 0.52, eye - 0.01
    angle = np.linspace(0, 2 * np.pi, 21)
    rim = np.stack(
        [wheel_x + 0.07 * np.sin(angle), 0.5 * across + 0.185 * np.cos(angle),
         wheel_z + 0.17 * np.sin(angle)], axis=1
    )  # fmt: skip
    column = np.array([[wheel_x, 0.5 * across, wheel_z], [wheel_x + 0.3, 0.5 * across, eye - 0.2]])
    single = [
        tube("steering_wheel", "interior", rim, 0.014, 6),
        tube("steering_column", "interior", column, 0.04, 6),
    ]
    return half, single


def _driver(spec: VehicleSpec) -> float:
    """How far the front seats' backs stand behind the windscreen's foot."""
    s = spec.shape
    raked = s.cowl_x - s.roof_front_x
    return {"bus": 1.5, "van": 0.75 + raked * 0.7}.get(spec.layout, min(0.85 + 0.5 * raked, 1.45))


def _inner_width(body: Body, rear: float) -> float:
    """Half the width between the door trims: inside the skin at both ends of the cabin."""
    s = body.shape
    ends = body.side_at(np.array([rear + 0.1, s.cowl_x]), s.belt_z - 0.05)
    return float(ends[:, 1].min()) - s.shoulder - 0.07


def _slab(
    name: str, x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]
) -> Part:
    """A dark box between bounds along each axis."""
    low, high = (np.array([a[k] for a in (x, y, z)]) for k in (0, 1))
    centre, size = (low + high) / 2, high - low
    return box(name, "interior", tuple(centre), tuple(size), 0.02)


def _seat(x: float, across: float, eye: float, floor: float) -> list[Part]:
    """Cushion, back and head rest; ``x`` is the middle of the back."""
    wide, y = 0.86 * across, 0.52 * across
    height = eye + 0.16 - floor - 0.2
    return [
        ellipsoid("seat_cushion", "seat", (x + 0.30, y, floor + 0.2), (0.56, wide, 0.22), 4, 5),
        ellipsoid(
            "seat_back", "seat", (x, y, floor + 0.2 + height / 2), (0.17, wide, height), 4, 5
        ),
        ellipsoid("head_rest", "seat", (x - 0.03, y, eye + 0.25), (0.10, 0.27, 0.19), 4, 4),
    ]
