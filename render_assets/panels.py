"""Cuts a body's skin into panels: glass, lamps, doors, bumpers, wheel arches, shut lines.

A panel is first a label on the skin's faces; ``_PARTS`` says what each label becomes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from render_assets.body import Body
from render_assets.fittings import grille_bounds
from render_assets.mesh import Part, part
from render_assets.skin import Skin, strip
from render_assets.solid import smooth_max
from render_assets.spec import VehicleSpec

SHUT_LINE = 0.004
"""Half width of the gap between two panels, metres."""

_PARTS: dict[str, tuple[str, str, str | None]] = {
    "roof": ("roof", "paint", "roof"),
    "windscreen_frame": ("windscreen_frame", "paint", "windscreen"),
    "backlight_frame": ("rear_glass_frame", "paint", "rear_glass"),
    "house_side": ("window_frame", "paint", None),
    "pillar": ("door_pillar", "rubber", None),
    "window_panel": ("window_panel", "paint", None),
    "bonnet": ("bonnet", "paint", "bonnet"),
    "boot": ("boot", "paint", "boot"),
    "shelf": ("shelf", "paint", None),
    "bed": ("bed", "plastic", None),
    "front": ("front_bumper", "paint", "front"),
    "rear": ("rear_bumper", "paint", "rear"),
    "fender": ("front_fender", "paint", "left_front_fender"),
    "door": ("doors", "paint", "left_doors"),
    "quarter": ("rear_quarter", "paint", "left_rear_quarter"),
    "gap": ("shut_lines", "gap", None),
    "bottom": ("underbody", "underbody", None),
    "clad_fender": ("front_cladding", "plastic", "left_front_fender"),
    "clad_door": ("sill_cladding", "plastic", "left_doors"),
    "clad_quarter": ("rear_cladding", "plastic", "left_rear_quarter"),
    "clad_front": ("front_apron", "plastic", "front"),
    "clad_rear": ("rear_apron", "plastic", "rear"),
    "grille": ("grille", "grille", "front"),
    "intake": ("lower_intake", "grille", "front"),
}
"""Label -> part name, material, segment (of the left half)."""

_SIDE = ("fender", "door", "quarter")


def skin_parts(spec: VehicleSpec, body: Body) -> list[Part]:
    """The left half of everything that is cut from the skin."""
    skin = Skin(body)
    _greenhouse(skin)
    _lower(skin, body)
    _glass(skin, spec)
    _cladding(skin, spec)
    _front(skin, spec)
    _lamps(skin, spec)
    _shut_lines(skin, spec)
    _arches(skin, body)
    skin.settle()
    return _extract(skin, body)


def _everywhere(skin: Skin) -> np.ndarray:
    return np.ones(len(skin.faces), dtype=bool)


def _greenhouse(skin: Skin) -> None:
    """Label what is above the belt by the face that it belongs to."""
    skin.region(skin["greenhouse"] - skin["lower"], "house_side")
    for label, own, others in (
        ("roof", "roof", ("glass_side", "windscreen", "backlight")),
        ("windscreen_frame", "windscreen", ("glass_side", "roof")),
        ("backlight_frame", "backlight", ("glass_side", "roof")),
    ):
        rest = np.maximum.reduce([skin[other] for other in others])
        skin.region(rest - skin[own], label, among=("house_side",))


def _lower(skin: Skin, body: Body) -> None:
    """Label what is below the belt: front, rear, bonnet, boot, underside, and along the sides
    fender, doors and quarter by the lines between the keypoints that bound those segments."""
    s = body.shape
    if body.layout == "pickup":
        skin.region(body.bed(skin.vertices) - 0.012, "bed")
    for label in ("bottom", "front", "rear", "deck"):
        others = {"side", "front", "rear", "deck", "bottom"} - {label}
        rest = np.maximum.reduce([skin[other] for other in sorted(others)])
        skin.region(rest - skin[label], label, among=("skin",))
    top = s.tail_z - 0.04 - skin["z"]
    skin.region(top, "boot", among=("rear",))
    skin.region(s.cowl_x - 0.35 - skin["x"], "bonnet", among=("deck",))
    skin.region(skin["x"] - (s.deck_x + 0.30), "boot", among=("deck",))
    skin.paint(_everywhere(skin), "shelf", among=("deck",))
    arch = s.arch_radius
    ahead = _line(skin, (body.front_axle - arch, body.arch_z), (s.cowl_x, s.cowl_z))
    skin.region(-ahead, "fender", among=("skin",))
    behind = _line(skin, (body.rear_axle + arch, body.arch_z), (s.deck_x, s.deck_z))
    skin.region(behind, "quarter", among=("skin",))
    skin.paint(_everywhere(skin), "door", among=("skin",))


def _line(skin: Skin, a: tuple[float, float], b: tuple[float, float]) -> np.ndarray:
    """Signed distance in side view from the line through a and b (x, z), positive ahead of it."""
    run, rise = b[0] - a[0], b[1] - a[1]
    length = float(np.hypot(run, rise))
    return ((skin["x"] - a[0]) * rise - (skin["z"] - a[1]) * run) / length


def _glass(skin: Skin, spec: VehicleSpec) -> None:
    """Windscreen, rear glass and side windows: what lies far enough inside its own face."""
    for label, own, margin in (
        ("windscreen", "windscreen", 0.06),
        ("rear_glass", "backlight", 0.08),
    ):
        edge = smooth_max(skin["glass_side"], skin["roof"], 0.08)
        edge = smooth_max(edge, -skin["lower"], 0.06)
        skin.region(edge - skin[own] + margin, label, among=(f"{own}_frame",))
    edge = smooth_max(skin["roof"] + 0.08, skin["windscreen"] + 0.07, 0.07)
    edge = smooth_max(edge, skin["backlight"] + 0.11, 0.07)
    edge = smooth_max(edge, 0.03 - skin["lower"], 0.05)
    skin.region(edge - skin["glass_side"], "side_window", among=("house_side",))
    pillars = spec.trim.side_windows
    for x in pillars:
        skin.band(_across(x), 0.035, "pillar", ("side_window",))
    if pillars:
        rear = "window_panel" if spec.trim.panelled else "tinted_window"
        skin.paint(skin.vertices[skin.faces, 0].mean(axis=1) < pillars[0], rear, ("side_window",))


def _across(x: float) -> Callable[[Skin], np.ndarray]:
    """Signed distance from the upright plane at ``x``."""
    return lambda skin: skin["x"] - x


def _cladding(skin: Skin, spec: VehicleSpec) -> None:
    """Bare plastic along the sills and under the bumpers."""
    s = spec.shape
    height = s.clearance + (0.13 if s.cladding else 0.045)
    for label in (*_SIDE, "front", "rear"):
        skin.region(skin["z"] - height, f"clad_{label}", among=(label,))
    if s.cladding:
        radius = s.arch_radius + 0.065
        for axle in (s.wheelbase / 2, -s.wheelbase / 2):
            for label in _SIDE:
                ring = np.hypot(skin["x"] - axle, skin["z"] - skin.body.arch_z) - radius
                skin.region(ring, f"clad_{label}", among=(label,))


def _rounded(skin: Skin, y: tuple[float, float], z: tuple[float, float], r: float) -> np.ndarray:
    """Signed distance in front view from a rounded rectangle."""
    dy = np.abs(skin["y"] - (y[0] + y[1]) / 2) - (y[1] - y[0]) / 2 + r
    dz = np.abs(skin["z"] - (z[0] + z[1]) / 2) - (z[1] - z[0]) / 2 + r
    outside = np.hypot(np.maximum(dy, 0), np.maximum(dz, 0))
    return outside + np.minimum(np.maximum(dy, dz), 0) - r


def _front(skin: Skin, spec: VehicleSpec) -> None:
    """Grille and lower intake."""
    s, half = spec.shape, spec.shape.width / 2
    rise = s.nose_z - s.clearance
    low, high, width = grille_bounds(spec)
    skin.region(_rounded(skin, (-width, width), (low, high), 0.03), "grille", ("front", "bonnet"))
    z = (s.clearance + 0.10 * rise, s.clearance + 0.32 * rise)
    skin.region(
        _rounded(skin, (-0.62 * half, 0.62 * half), z, 0.04), "intake", ("front", "clad_front")
    )


def _lamps(skin: Skin, spec: VehicleSpec) -> None:
    """Head and tail lamps: where the skin runs through a volume at the body's corners."""
    s, half = spec.shape, spec.shape.width / 2
    reach, tall, wide = {
        "wedge": (0.42, 0.16, 0.42), "round": (0.26, 0.19, 0.24), "block": (0.28, 0.19, 0.36),
        "slit": (0.46, 0.11, 0.48),
    }[spec.trim.head_lamp]  # fmt: skip
    fore = np.maximum(s.front_x - skin["x"], 0)
    z = s.nose_z - 0.045 - tall / 2 + 0.10 * fore
    shape = np.maximum(np.abs(skin["z"] - z) - tall / 2, fore - reach - 0.10)
    shape = smooth_max(shape, half - wide - skin["y"], 0.05)
    skin.region(shape, "head_lamp", ("front", "fender", "bonnet"))
    tall, wide, reach = {
        "block": (0.20, 0.30, 0.20), "column": (0.38, 0.17, 0.16), "slim": (0.12, 0.48, 0.26),
        "round": (0.22, 0.24, 0.14),
    }[spec.trim.tail_lamp]  # fmt: skip
    aft = np.maximum(skin["x"] - s.body_rear_x, 0)
    shape = np.maximum(np.abs(skin["z"] - (s.tail_z - 0.02 - tall / 2)) - tall / 2, aft - reach)
    shape = smooth_max(shape, half - wide - skin["y"], 0.05)
    skin.region(shape, "tail_lamp", ("rear", "quarter", "boot"))


def _shut_lines(skin: Skin, spec: VehicleSpec) -> None:
    """Dark lines between doors, around bonnet and boot."""
    s = spec.shape
    low = s.clearance + 0.09

    front = skin.body.front_axle - s.arch_radius - 0.10
    for x in (front, *spec.trim.doors[: spec.trim.door_count // 2]):
        among = ("door", "fender", "house_side")
        skin.band(_across(x), SHUT_LINE, "gap", among)
    skin.band(lambda k: k["z"] - low, SHUT_LINE, "gap", ("door",))
    skin.band(lambda k: k["y"] - 0.80 * s.width / 2, SHUT_LINE, "gap", ("bonnet",))


def _arches(skin: Skin, body: Body) -> None:
    """Label what the wheel arches take away."""
    s = body.shape
    for axle in (body.front_axle, body.rear_axle):
        if axle < s.body_rear_x:
            continue
        ring = np.hypot(skin["x"] - axle, skin["z"] - body.arch_z) - s.arch_radius
        skin.region(np.maximum(ring, wall_y(body) - skin["y"]), "arch")


def wall_y(body: Body) -> float:
    """y of the inner wall of the wheel arches."""
    return body.half - 0.42


def _extract(skin: Skin, body: Body) -> list[Part]:
    """Labels to parts; glass and lamps set in, arches lined."""
    parts = [
        found
        for label, (name, material, segment) in _PARTS.items()
        if (found := skin.part(label, name, material, segment)) is not None
    ]
    for label, material, depth in (
        ("windscreen", "glass", 0.006), ("rear_glass", "tinted_glass", 0.006),
        ("side_window", "glass", 0.008), ("tinted_window", "tinted_glass", 0.008),
        ("head_lamp", "lamp_clear", 0.004), ("tail_lamp", "lamp_red", 0.004),
    ):  # fmt: skip
        parts += skin.inset(label, label, material, depth)
    edges = skin.outline("arch")
    if len(edges):
        outer = skin.vertices[edges]
        inner = outer.copy()
        inner[..., 1] = wall_y(body)
        parts.append(strip("arch_liner", "liner", outer, inner))
        parts += [_arch_wall(body, axle) for axle in (body.front_axle, body.rear_axle)
                  if axle > body.shape.body_rear_x]  # fmt: skip
    return parts


def _arch_wall(body: Body, axle: float) -> Part:
    """The inner wall of an arch, facing the wheel."""
    angle = np.linspace(-0.6, np.pi + 0.6, 25)
    radius = body.shape.arch_radius + 0.002
    rim = np.stack(
        [axle + radius * np.cos(angle), np.full(25, wall_y(body)),
         body.arch_z + radius * np.sin(angle)], axis=1
    )  # fmt: skip
    centre = np.array([[axle, wall_y(body), body.arch_z]])
    fan = np.array([(0, i + 1, i) for i in range(1, 25)])
    return part("arch_wall", "liner", np.concatenate([centre, rim]), fan)
