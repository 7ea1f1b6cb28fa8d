"""What makes a lofted body a cab-over cab: its face, steps, visor, deflector, air intake."""

from __future__ import annotations

import numpy as np

from render_assets.assembly import Corners, boxes, rods, sweep
from render_assets.body import Body
from render_assets.mesh import Part, grid_faces, part
from render_assets.overlay import Patch, on_front, on_side
from render_assets.skin import Skin, plane
from render_assets.solid import between
from render_assets.spec import Cab, HeadLamp, Load, VehicleSpec

_LAMPS: dict[HeadLamp, tuple[float, float, float]] = {
    "wedge": (0.36, 0.21, 0.25),
    "round": (0.40, 0.19, 0.0),
    "block": (0.32, 0.22, 0.0),
    "slit": (0.44, 0.14, 0.12),
}
"""Width, height and slant of a cab's head lamps, metres."""
_EDGE = 0.09
"""From the body's side to a lamp's outer edge in front view: the corner turns there, metres."""


def cut_cab(skin: Skin, spec: VehicleSpec) -> None:
    """Label bumper and the dark panel below the windscreen on a cab-over's skin."""
    s = spec.shape
    ahead = plane("x", skin.body.front_axle + 0.8 * s.arch_radius, -1)
    face = ("front", "clad_front", "fender", "clad_fender", "door", "clad_door")
    skin.region([plane("z", bumper_top(spec)), ahead], "cab_bumper", face)
    panel = ("front", "shelf", "bonnet", "windscreen_frame", "house_side", "seal", "skin", "fender")
    low = plane("z", s.cowl_z - 0.10, -1)
    skin.region([low, plane("z", s.cowl_z + 0.05), plane("x", s.front_x - 0.16, -1)],
                "screen_panel", panel)  # fmt: skip
    skin.region(plane("z", s.nose_z, -1), "front_panel", ("front",))


def bumper_top(spec: VehicleSpec) -> float:
    """Height of a cab-over's bumper, metres: it ends below the lamps."""
    s = spec.shape
    return s.nose_z - _LAMPS[spec.trim.head_lamp][1] - 0.025


def cab_parts(spec: VehicleSpec, body: Body, cab: Cab) -> tuple[list[Part], list[Part]]:
    """Left halves, and whole parts that lie across the middle."""
    half = [*_side(spec, body), *_beams(spec, body)]
    whole = on_front(body, [*_lamp_patches(spec), *_grille_patches(spec), *_bumper_patches(spec)])
    lamps = [p for p in whole if p.name.startswith("left_")]
    whole = [p for p in whole if not p.name.startswith("left_")]
    half += [Part(p.name[5:], p.material, p.vertices, p.faces, p.normals, p.segment) for p in lamps]
    if cab.visor:
        whole.append(_visor(spec, body))
    if cab.stack:
        half.append(_intake(spec))
    if cab.markers:
        half += _markers(spec, body)
    if cab.deflector and spec.load is not None:
        whole.append(_deflector(spec, spec.load))
    return half, whole


def bonnet_parts(spec: VehicleSpec, body: Body, cab: Cab) -> tuple[list[Part], list[Part]]:
    """The same for a truck with its engine before the cab: grille, bumper bar, stack, steps."""
    s = spec.shape
    width = s.width / 2
    low, high = s.clearance + 0.30, s.nose_z - 0.12
    wide, metal = 0.46 * width, "chrome" if spec.trim.chrome else "plastic"
    bars = np.linspace(low, high, 9)[1:-1]
    whole = on_front(body, [
        Patch("grille_frame", metal, (-wide - 0.05, wide + 0.05), (low - 0.05, high + 0.05), 0.07,
              0.012, "front"),
        Patch("grille", "grille", (-wide, wide), (low, high), 0.04, 0.016, "front"),
        *(Patch("grille_bars", metal, (-0.97 * wide, 0.97 * wide), (z - 0.014, z + 0.014), 0.0,
                0.024, "front") for z in bars),
    ])  # fmt: skip
    steel = "bumper" if cab.dark_bumper else "polished_steel"
    z = s.clearance + 0.02
    reach = s.front_x - s.nose_round * 0.9 - 0.12
    bumper: list[Corners] = [
        ((reach, -width + 0.02, z), (s.front_x + 0.07, width - 0.02, z + 0.27))
    ]
    whole.append(boxes("bumper_bar", steel, bumper, 0.05, "front"))
    door = (s.body_rear_x + 0.25, s.cowl_x - 0.35)
    steps: list[Corners] = [((door[0], width - 0.30, h), (door[1], width - 0.02, h + 0.04))
                            for h in (0.42, 0.72)]  # fmt: skip
    half = [
        boxes("step", "galvanised", steps, 0.01),
        boxes("step_box", "frame", [((door[0] + 0.05, width - 0.6, 0.44), (door[1] - 0.05,
              width - 0.12, 0.8))], 0.02),
    ]  # fmt: skip
    if cab.stack:
        x, y = s.body_rear_x - 0.07, width - 0.12
        half.append(rods("exhaust_stack", "chrome", [((x, y, 0.7), (x, y, s.height + 0.45))], 0.055,
                         14))  # fmt: skip
    if cab.markers:
        half += _markers(spec, body)
    if cab.visor:
        whole.append(_visor(spec, body))
    if cab.deflector and spec.load is not None:
        whole.append(_deflector(spec, spec.load))
    return half, whole


def _lamp_span(spec: VehicleSpec) -> tuple[tuple[float, float], tuple[float, float]]:
    """Extent of the left head lamp across and up in front view."""
    wide, tall, _ = _LAMPS[spec.trim.head_lamp]
    outer = spec.shape.width / 2 - _EDGE
    top = spec.shape.nose_z - 0.01
    return (outer - wide, outer), (top - tall, top)


def _lamp_patches(spec: VehicleSpec) -> list[Patch]:
    """Housing, clear lens, indicator."""
    across, up = _lamp_span(spec)
    slant = _LAMPS[spec.trim.head_lamp][2]
    lens = "lamp_dark" if spec.trim.head_lamp in ("wedge", "slit") else "lamp_clear"
    housing = ((across[0] - 0.015, across[1] + 0.015), (up[0] - 0.015, up[1] + 0.008))
    inner = across[1] - 0.09
    return [
        Patch("left_head_lamp_housing", "plastic", *housing, 0.05, 0.008, "front", slant),
        Patch("left_head_lamp", lens, across, up, 0.045, 0.012, "front", slant),
        Patch("left_indicator", "lamp_amber", (inner, across[1] - 0.006), (up[0] + 0.012,
              up[1] - 0.012), 0.03, 0.016, "front", slant),
    ]  # fmt: skip


def _beams(spec: VehicleSpec, body: Body) -> list[Part]:
    """Round reflectors inside the lamps, and amber repeaters on the sides."""
    across, up = _lamp_span(spec)
    radius = 0.40 * (up[1] - up[0])
    count = 2 if spec.trim.head_lamp in ("round", "slit") else 1
    middle = (up[0] + up[1]) / 2
    shift = _LAMPS[spec.trim.head_lamp][2] * (middle - up[0])
    y = [across[0] + shift + 0.03 + radius + k * 2.15 * radius for k in range(count)]
    at = body.front_at(np.array(y), middle)
    ends: list[Corners] = [((p[0] - 0.03, p[1], p[2]), (p[0] + 0.017, p[1], p[2])) for p in at]
    return [rods("head_lamp_beam", "lamp_beam", ends, radius, 18)]


def _grille_patches(spec: VehicleSpec) -> list[Patch]:
    """Openings and slats of the panel between windscreen and bumper."""
    s, half = spec.shape, spec.shape.width / 2
    low, high = bumper_top(spec) + 0.03, s.cowl_z - 0.17
    inner = _lamp_span(spec)[0][0] - 0.06
    metal = "chrome" if spec.trim.chrome else "plastic"
    lamp_top = s.nose_z
    openings: dict[str, list[tuple[float, float, float]]] = {
        "bars": [(inner, low, lamp_top - 0.02)],
        "mesh": [(0.5 * half, low, lamp_top + 0.35 * (high - lamp_top))],
        "split": [(0.62 * half, lamp_top + 0.05, lamp_top + 0.11),
                  (0.62 * half, lamp_top + 0.15, lamp_top + 0.21)],
        "slim": [(0.72 * half, high - 0.07, high), (inner, low + 0.02, low + 0.08)],
        "grid": [(0.58 * half, low, high)],
    }  # fmt: skip
    patches = []
    for wide, a, b in openings[spec.trim.grille]:
        if spec.trim.grille in ("grid", "mesh"):
            patches.append(Patch("grille_frame", metal, (-wide - 0.025, wide + 0.025),
                                 (a - 0.025, b + 0.025), 0.06, 0.004, "front"))  # fmt: skip
        patches.append(Patch("grille", "grille", (-wide, wide), (a, b), 0.03, 0.006, "front"))
        count = max(1, int((b - a) / 0.07))
        for z in np.linspace(a, b, count + 2)[1:-1]:
            patches.append(Patch("grille_bars", metal, (-0.985 * wide, 0.985 * wide),
                                 (z - 0.011, z + 0.011), 0.0, 0.014, "front"))  # fmt: skip
    # the panel opens as a flap: its shut line
    z = s.cowl_z - 0.13
    patches.append(Patch("panel_gap", "gap", (-0.84 * half, 0.84 * half), (z, z + 0.008), 0, 0.002,
                         "front"))  # fmt: skip
    return patches


def _bumper_patches(spec: VehicleSpec) -> list[Patch]:
    """Air slot and fog lamps in the bumper, its upper shut line."""
    s, half = spec.shape, spec.shape.width / 2
    low, top = s.clearance, bumper_top(spec)
    middle = (low + top) / 2
    fog = (0.60 * half, 0.60 * half + 0.17)
    return [
        Patch("lower_intake", "grille", (-0.42 * half, 0.42 * half), (low + 0.06, middle - 0.02),
              0.02, 0.004, "front"),
        Patch("left_fog_housing", "grille", (fog[0] - 0.03, fog[1] + 0.03), (middle - 0.055,
              middle + 0.065), 0.03, 0.004, "front"),
        Patch("left_fog_lamp", "lamp_beam", fog, (middle - 0.035, middle + 0.045), 0.03, 0.01,
              "front"),
        Patch("bumper_gap", "gap", (-0.86 * half, 0.86 * half), (top - 0.006, top + 0.006), 0.0,
              0.002, "front"),
    ]  # fmt: skip


def _side(spec: VehicleSpec, body: Body) -> list[Part]:
    """Door outline, step well with its treads, repeater, all on the cab's side."""
    s = spec.shape
    arch_top = body.arch_z + s.arch_radius + 0.09
    front, rear = s.front_x - 0.30, max(spec.trim.doors[0], s.body_rear_x + 0.12)
    eaves = s.height - 0.16
    gap = 0.005
    ahead = body.front_axle + s.arch_radius + 0.07
    well = (ahead, s.front_x - 0.20)
    patches = [
        Patch("shut_lines", "gap", (front, front + 2 * gap), (arch_top, s.belt_z), 0, 0.0015),
        Patch("shut_lines", "gap", (rear, rear + 2 * gap), (arch_top, eaves), 0, 0.0015),
        Patch("shut_lines", "gap", (rear, front), (arch_top, arch_top + 2 * gap), 0, 0.0015),
        Patch("repeater", "lamp_amber", (front + 0.05, front + 0.15), (s.belt_z - 0.22,
              s.belt_z - 0.17), 0.02, 0.012),
        Patch("door_trim_strip", "plastic", (rear + 0.05, front - 0.05), (s.belt_z - 0.24,
              s.belt_z - 0.20), 0.01, 0.008),
    ]  # fmt: skip
    if well[1] - well[0] > 0.12:
        z = (s.clearance + 0.06, s.clearance + 0.34)
        patches += [
            Patch("step_well", "liner", well, z, 0.04, 0.003),
            *(Patch("step", "galvanised", (well[0] + 0.02, well[1] - 0.02), (h, h + 0.03), 0.0,
                    0.02) for h in (z[0] + 0.02, z[0] + 0.17)),
        ]  # fmt: skip
    return on_side(body, patches)


def _visor(spec: VehicleSpec, body: Body) -> Part:
    """A dark shade across the top of the windscreen, on the roof's edge."""
    s = spec.shape
    y = np.linspace(-0.84, 0.84, 9) * body.half
    ahead = np.stack([np.full(9, s.roof_front_x + 0.6), y, np.full(9, s.height - 0.17)], axis=1)
    root = between(body.closed, ahead, ahead - [0.9, 0, 0]) + np.array([0.015, 0, 0.04])
    tip = root + np.array([0.15, 0, -0.10])
    back = np.concatenate([tip, root]).reshape(2, 9, 3) + np.array([-0.008, 0, -0.012])
    rows = np.concatenate([np.stack([root, tip]), back, root[None]])
    return part("sun_visor", "black_glass", rows.reshape(-1, 3), grid_faces(5, 9))


def _intake(spec: VehicleSpec) -> Part:
    """The engine's air intake up the cab's rear corner."""
    s = spec.shape
    x, y = s.body_rear_x, s.width / 2 - 0.22
    return boxes(
        "air_intake", "plastic",
        [((x - 0.11, y - 0.07, 0.95), (x - 0.02, y + 0.09, s.height - 0.1)),
         ((x - 0.13, y - 0.10, s.height - 0.26), (x - 0.01, y + 0.13, s.height + 0.06))], 0.025,
    )  # fmt: skip


def _markers(spec: VehicleSpec, body: Body) -> list[Part]:
    """Amber lamps along the roof's front edge."""
    s = spec.shape
    at = body.top_at(s.roof_front_x - 0.06, np.array([0.1, 0.45, 0.75]) * body.half)
    lamps: list[Corners] = [((p[0] - 0.03, p[1] - 0.045, p[2] - 0.02), (p[0] + 0.03, p[1] + 0.045,
                             p[2] + 0.028)) for p in at]  # fmt: skip
    return [boxes("cab_marker", "lamp_amber", lamps, 0.015)]


def _deflector(spec: VehicleSpec, load: Load) -> Part:
    """A shell on the roof that leads the air over a tall load."""
    s = spec.shape
    rise = np.clip(load.top_z - 0.1 - s.height, 0.2, 0.75)
    front, back = s.roof_front_x - 0.12, s.body_rear_x + 0.02
    angle = np.linspace(0, np.pi, 19)
    square = 2 / 3.5

    def ring(t: float, scale: float) -> np.ndarray:
        wide = (0.66 + 0.16 * t) * s.width / 2 * scale
        tall = (0.03 + rise * np.sin(0.5 * np.pi * t) ** 1.2) * scale
        y = wide * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** square
        z = s.height - 0.10 + (tall + 0.1) * np.abs(np.sin(angle)) ** square
        return np.stack([np.full(19, back + (front - back) * (1 - t)), y, z], axis=1)

    outer = [ring(t, 1.0) for t in np.linspace(1, 0, 9)]
    inner = [ring(1.0, scale) for scale in (0.0, 0.94, 1.0)]
    return sweep("air_deflector", "paint", np.stack([*inner, *outer]), closed=False)
