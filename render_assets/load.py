"""Behind a truck's cab: its chassis, and one of the load bodies by kind."""

from __future__ import annotations

from render_assets.chassis import chassis_parts
from render_assets.closed_loads import box_body
from render_assets.mesh import Part
from render_assets.open_loads import board_body, tipper_body
from render_assets.round_loads import mixer_body, tank_body
from render_assets.spec import Load, VehicleSpec

_BODIES = {
    "box": box_body,
    "reefer": box_body,
    "curtain": box_body,
    "boards": board_body,
    "stakes": board_body,
    "tipper": tipper_body,
    "tank": tank_body,
    "mixer": mixer_body,
}


def load_parts(spec: VehicleSpec, load: Load) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie across the middle or on one side only."""
    half, whole = chassis_parts(spec, load)
    body_half, body_whole = _BODIES[load.kind](load, spec.shape.rear_x)
    return half + body_half, whole + body_whole
