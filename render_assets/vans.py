"""What makes a lofted body a van: door rails, pressed panels, rub strips, rear doors, roof rack."""

from __future__ import annotations

import numpy as np

from render_assets.assembly import Corners, both, boxes, rods
from render_assets.body import Body
from render_assets.mesh import Part
from render_assets.overlay import Patch, on_rear, on_side
from render_assets.skin import Skin, plane
from render_assets.spec import VanTrim, VehicleSpec


def cut_van(skin: Skin, spec: VehicleSpec, van: VanTrim) -> None:
    """Label bumpers of bare plastic on the skin of a van that has them."""
    if not van.dark_bumpers:
        return
    s = spec.shape
    ahead = plane("x", skin.body.front_axle + s.arch_radius + 0.03, -1)
    behind = plane("x", skin.body.rear_axle - s.arch_radius - 0.03)
    front = s.clearance + 0.50 * (s.nose_z - s.clearance)
    rear = s.clearance + 0.42 * (s.tail_z - s.clearance)
    skin.region([plane("z", front), ahead], "clad_front", ("front", "fender", "clad_fender"))
    skin.region([plane("z", rear), behind], "clad_rear", ("rear", "quarter", "clad_quarter"))


def van_parts(spec: VehicleSpec, body: Body, van: VanTrim) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie across the middle."""
    half = on_side(body, _side(spec, van))
    whole = []
    for found in on_rear(body, _rear(spec, van)):
        if found.name.startswith("left_"):
            name = found.name.removeprefix("left_")
            half.append(Part(name, found.material, found.vertices, found.faces, found.normals,
                             found.segment))  # fmt: skip
        else:
            whole.append(found)
    if van.roof_rack:
        whole += _rack(spec, body)
    return half, whole


def _side(spec: VehicleSpec, van: VanTrim) -> list[Patch]:
    """Sliding door's rail and lines, pressed panels, the rub strip, the fuel flap."""
    s = spec.shape
    first, last = spec.trim.doors[0], spec.trim.doors[-1]
    rear = s.body_rear_x + 0.16
    rail = s.belt_z - 0.05
    eaves = s.height - 0.20
    front_arch = s.wheelbase / 2 - s.arch_radius - 0.07
    rear_arch = -s.wheelbase / 2 + s.arch_radius + 0.07
    low = rail - 0.34
    patches = [
        Patch("door_rail", "gap", (rear, last - 0.02), (rail, rail + 0.022), 0.0, 0.0015),
        Patch("fuel_flap", "gap", (last - 0.30, last - 0.29), (low, low + 0.16), 0, 0.0015),
        Patch("fuel_flap", "gap", (last - 0.14, last - 0.13), (low, low + 0.16), 0, 0.0015),
        *(Patch("fuel_flap", "gap", (last - 0.30, last - 0.13), (z, z + 0.006), 0, 0.0015)
          for z in (low, low + 0.16)),
    ]  # fmt: skip
    if van.strip:
        z = s.clearance + 0.30
        ends = [(rear_arch, front_arch), (rear, -s.wheelbase / 2 - s.arch_radius - 0.07)]
        patches += [Patch("rub_strip", "plastic", span, (z, z + 0.11), 0.02, 0.012)
                    for span in ends if span[1] - span[0] > 0.15]  # fmt: skip
    if spec.trim.panelled and spec.marks.livery is None:  # lettered panels are left smooth
        back = s.roof_rear_x + 0.10
        middle = (last + back) / 2 if last - back > 0.9 else back
        spans = [(last + 0.09, first - 0.09), (middle + 0.05, last - 0.09), (back, middle - 0.05)]
        patches += [Patch("window_panel", "paint", span, (s.belt_z + 0.06, eaves), 0.08, 0.008)
                    for span in spans if span[1] - span[0] > 0.35]  # fmt: skip
    return patches


def _rear(spec: VehicleSpec, van: VanTrim) -> list[Patch]:
    """Hinges, handle and panes of the two rear doors."""
    s, half = spec.shape, spec.shape.width / 2
    low, high = s.belt_z + 0.05, s.height - 0.30
    edge = half - s.tumblehome * 0.5 * (s.height - s.belt_z)
    patches = [
        Patch("door_handle", "plastic", (-0.16, -0.02), (s.tail_z - 0.02, s.tail_z + 0.03), 0.02,
              0.02, "boot"),
        Patch("rear_bumper_step", "plastic", (-0.62 * half, 0.62 * half), (s.clearance + 0.17,
              s.clearance + 0.24), 0.02, 0.035, "rear"),
    ]  # fmt: skip
    if spec.trim.panelled:
        pane = (0.09, edge - 0.24)
        patches += [
            Patch("left_hinge", "plastic", (edge - 0.20, edge - 0.13), (z, z + 0.05), 0.015, 0.02)
            for z in (s.tail_z + 0.10, s.belt_z + 0.25, high - 0.05)
        ]
        if van.rear_panes:
            patches.append(
                Patch("left_rear_pane", "black_glass", pane, (low, high), 0.09, 0.014, "rear_glass")
            )
        else:
            patches.append(
                Patch("left_rear_pressing", "paint", pane, (low, high), 0.09, 0.014, "rear_glass")
            )
    return patches  # fmt: skip


def _rack(spec: VehicleSpec, body: Body) -> list[Part]:
    """Cross bars with feet on the roof, and a ladder tied on them."""
    s = spec.shape
    x = np.linspace(s.roof_front_x - 0.35, s.roof_rear_x + 0.25, 4)
    y = body.half - s.tumblehome * (s.height - s.belt_z) - 0.22
    top = s.height + 0.07
    bars: list[Corners] = [((v - 0.02, -y, top), (v + 0.02, y, top + 0.03)) for v in x]
    feet = both([((v - 0.03, y - 0.02, s.height - 0.12), (v + 0.03, y + 0.02, top)) for v in x])
    rails: list[Corners] = [
        ((x[0] + 0.1, v, top + 0.055), (x[-1] - 0.1, v, top + 0.055)) for v in (0.1, 0.45)
    ]
    rungs: list[Corners] = [
        ((v, 0.1, top + 0.055), (v, 0.45, top + 0.055)) for v in np.arange(x[-1], x[0], 0.28)
    ]
    return [
        boxes("roof_rack", "plastic", [*bars, *feet], 0.008),
        rods("ladder", "aluminium", [*rails, *rungs], 0.022, 6),
    ]  # fmt: skip
