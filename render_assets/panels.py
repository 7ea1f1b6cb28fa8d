"""Cuts a body's skin into panels: glass, lamps, doors, bumpers, wheel arches, shut lines.

A panel is first a label on the skin's faces; ``_PARTS`` says what each label becomes.
"""

from __future__ import annotations

import numpy as np

from render_assets.body import FLAT_FRONT, SCREEN_DEPTH, Body, arch_wall_y
from render_assets.buses import cut_bus
from render_assets.ends import cut_ends
from render_assets.lamps import cut_lamps
from render_assets.mesh import Part, part
from render_assets.skin import Field, Skin, plane, strip
from render_assets.solid import smooth_max
from render_assets.spec import VehicleSpec
from render_assets.trucks import cut_cab
from render_assets.vans import cut_van

SHUT_LINE = 0.004
"""Half width of the gap between two panels, metres."""

_PARTS: dict[str, tuple[str, str, str | None]] = {
    "roof": ("roof", "paint", "roof"),
    "windscreen_frame": ("windscreen_frame", "paint", "windscreen"),
    "backlight_frame": ("rear_glass_frame", "paint", "rear_glass"),
    "house_side": ("window_frame", "paint", None),
    "pillar": ("door_pillar", "rubber", None),
    "seal": ("window_seal", "window_trim", None),
    "window_panel": ("window_panel", "paint", None),
    "bonnet": ("bonnet", "paint", "bonnet"),
    "boot": ("boot", "paint", "boot"),
    "shelf": ("shelf", "paint", None),
    "bed": ("bed", "plastic", None),
    "tub": ("cabin_tub", "interior", None),
    "screen_back": ("windscreen_frame_back", "interior", None),
    "front": ("front_bumper", "paint", "front"),
    "rear": ("rear_bumper", "paint", "rear"),
    "fender": ("front_fender", "paint", "left_front_fender"),
    "door": ("doors", "paint", "left_doors"),
    "quarter": ("rear_quarter", "paint", "left_rear_quarter"),
    "moulding": ("side_moulding", "plastic", "left_doors"),
    "gap": ("shut_lines", "gap", None),
    "bottom": ("underbody", "underbody", None),
    "clad_fender": ("front_cladding", "plastic", "left_front_fender"),
    "clad_door": ("sill_cladding", "plastic", "left_doors"),
    "clad_quarter": ("rear_cladding", "plastic", "left_rear_quarter"),
    "clad_front": ("front_apron", "plastic", "front"),
    "clad_rear": ("rear_apron", "plastic", "rear"),
    "cab_bumper": ("cab_bumper", "bumper", "front"),
    "screen_surround": ("windscreen_frame_panel", "black_glass", "windscreen"),
    "front_panel": ("front_panel", "paint", "bonnet"),
    "screen_panel": ("screen_panel", "plastic", "bonnet"),
}
"""Label -> part name, material, segment (of the left half)."""

_INSET: dict[str, tuple[str, str, str | None, float]] = {
    "windscreen": ("windscreen", "glass", "windscreen", 0.006),
    "rear_glass": ("rear_glass", "tinted_glass", "rear_glass", 0.006),
    "side_window": ("side_window", "glass", None, 0.008),
    "tinted_window": ("rear_side_window", "tinted_glass", None, 0.008),
}
"""The same for what is set into the skin, and how deep (metres)."""

_SIDE = ("fender", "door", "quarter")


def skin_parts(spec: VehicleSpec, body: Body) -> list[Part]:
    """The left half of everything that is cut from the skin."""
    return _extract(cut_skin(spec, body), body)


def cut_skin(spec: VehicleSpec, body: Body) -> Skin:
    """The left half of the skin, every face labelled with its panel."""
    skin = Skin(body)
    _greenhouse(skin)
    _lower(skin, body)
    _glass(skin, spec)
    _cladding(skin, spec)
    if spec.layout == "cab_over":
        cut_cab(skin, spec)
    elif spec.coachwork is not None:
        cut_bus(skin, spec, spec.coachwork)
    elif spec.layout == "bonneted":
        cut_lamps(skin, spec)
    else:
        cut_ends(skin, spec)
        cut_lamps(skin, spec)
    if spec.van is not None:
        cut_van(skin, spec, spec.van)
    _shut_lines(skin, spec)
    _arches(skin, body)
    skin.settle()
    skin.move(body.thinned(skin.vertices))
    return skin


def _everywhere(skin: Skin) -> np.ndarray:
    return np.ones(len(skin.faces), dtype=bool)


def _less(own: str, *others: str) -> Field:
    """Below zero where the skin lies on the half-space ``own`` rather than on the others."""
    return lambda skin: np.maximum.reduce([skin[other] for other in others]) - skin[own]


def _greenhouse(skin: Skin) -> None:
    """Label what is above the belt by the face that it belongs to."""
    skin.region(lambda k: k["greenhouse"] - k["lower"], "house_side")
    skin.region(_less("roof", "glass_side", "windscreen", "backlight"), "roof", ("house_side",))
    for own in ("windscreen", "backlight"):
        skin.region(_less(own, "glass_side", "roof"), f"{own}_frame", ("house_side",))


def _lower(skin: Skin, body: Body) -> None:
    """Label what is below the belt: front, rear, bonnet, boot, underside, and along the sides
    fender, doors and quarter by the lines between the keypoints that bound those segments."""
    s = body.shape
    if body.hollow is not None:
        label = "tub" if s.open_top else "bed"
        skin.region(lambda k: body.in_hollow(k.vertices) - 0.012, label)
    faces = ("side", "front", "rear", "deck", "bottom")
    for label in ("bottom", "front", "rear", "deck"):
        skin.region(_less(label, *(f for f in faces if f != label)), label, ("skin",))
    skin.region(lambda k: s.tail_z - k["z"], "boot", ("rear",))
    skin.region(lambda k: s.cowl_x - 0.35 - k["x"], "bonnet", ("deck",))
    skin.region(lambda k: k["x"] - s.deck_x - 0.30, "boot", ("deck",))
    skin.paint(_everywhere(skin), "shelf", ("deck",))
    front, rear = body.front_axle - s.arch_radius, body.rear_axle + s.arch_radius
    ahead = _line((front, body.arch_z), (s.cowl_x, s.cowl_z))
    skin.region(lambda k: -ahead(k), "fender", ("skin",))
    skin.region(_line((rear, body.arch_z), (s.deck_x, s.deck_z)), "quarter", ("skin",))
    skin.paint(_everywhere(skin), "door", ("skin",))


def _line(a: tuple[float, float], b: tuple[float, float]) -> Field:
    """Signed distance in side view from the line through a and b (x, z), positive ahead of it."""
    run, rise = b[0] - a[0], b[1] - a[1]
    length = float(np.hypot(run, rise))
    return lambda skin: ((skin["x"] - a[0]) * rise - (skin["z"] - a[1]) * run) / length


def _glass(skin: Skin, spec: VehicleSpec) -> None:
    """Windscreen, rear glass and side windows: what lies far enough inside its own face."""

    def pane(own: str, margin: float) -> Field:
        def value(k: Skin) -> np.ndarray:
            edge = smooth_max(k["glass_side"], k["roof"], 0.08)
            return smooth_max(edge, -k["lower"], 0.06) - k[own] + margin

        return value

    def opening(k: Skin) -> np.ndarray:
        edge = smooth_max(k["roof"] + 0.08, k["windscreen"] + 0.07, 0.07)
        edge = smooth_max(edge, k["backlight"] + spec.shape.c_pillar, 0.10)
        if spec.layout not in ("car", "pickup"):  # flush sides: no ledge marks the belt
            edge = smooth_max(edge, spec.shape.belt_z + 0.03 - k["z"], 0.05)
        return smooth_max(edge, 0.03 - k["lower"], 0.05) - k["glass_side"]

    skin.region(pane("windscreen", 0.06), "windscreen", ("windscreen_frame",))
    if spec.shape.open_top:
        _open_top(skin, pane("windscreen", 0.06))
        return
    if not spec.trim.panelled:
        skin.region(pane("backlight", 0.08), "rear_glass", ("backlight_frame",))
    skin.region(lambda k: opening(k) - 0.018, "seal", ("house_side",))
    skin.region(opening, "side_window", ("seal",))
    pillars = spec.trim.side_windows
    for x in pillars:
        skin.band(plane("x", x), "pillar", ("side_window",), half=0.035)
    if pillars:
        label = "window_panel" if spec.trim.panelled else "tinted_window"
        behind = skin.vertices[skin.faces, 0].mean(axis=1) < pillars[0]
        skin.paint(behind, label, ("side_window",))


def _open_top(skin: Skin, pane: Field) -> None:
    """The back of the windscreen's frame; what is behind the pane itself is taken away."""
    house = ("house_side", "roof", "windscreen_frame", "backlight_frame", "skin", "shelf")
    skin.region(
        [lambda k: k["windscreen"] + 0.75 * SCREEN_DEPTH, lambda k: 0.02 - k["lower"]],
        "screen_back",
        house,
    )
    skin.region(lambda k: pane(k) - SCREEN_DEPTH, "opening", ("screen_back",))


def _cladding(skin: Skin, spec: VehicleSpec) -> None:
    """Bare plastic along the sills and under the bumpers, around the arches, along the doors."""
    s = spec.shape
    height = s.clearance + (0.13 if s.cladding else 0.045)
    for label in (*_SIDE, "front", "rear"):
        skin.region(plane("z", height), f"clad_{label}", (label,))
    if spec.trim.moulding:
        z = s.clearance + 0.5 * (s.belt_z - s.clearance)
        skin.band(plane("z", z), "moulding", ("door",), half=0.03)
    if not s.cladding:
        return
    for axle in (s.wheelbase / 2, -s.wheelbase / 2):
        ring = _arch_distance(axle, skin.body.arch_z, s.arch_radius + 0.06)
        for label in _SIDE:
            skin.region(ring, f"clad_{label}", (label,))


def _arch_distance(axle: float, z: float, radius: float) -> Field:
    return lambda skin: np.hypot(skin["x"] - axle, skin["z"] - z) - radius


def _shut_lines(skin: Skin, spec: VehicleSpec) -> None:
    """Dark lines around doors, bonnet, boot and bumpers."""
    s, half = spec.shape, spec.shape.width / 2
    low = s.clearance + 0.10
    side = (*_SIDE, "house_side", "moulding")
    front = min(skin.body.front_axle - s.arch_radius - 0.10, s.cowl_x + 0.1)
    if spec.layout not in FLAT_FRONT:
        edges = (front, *spec.trim.doors)
        for x in edges:
            skin.band(plane("x", x), "gap", side, SHUT_LINE, (plane("z", low, -1),))
        span = (plane("x", edges[-1], -1), plane("x", front))
        skin.band(plane("z", low), "gap", side, SHUT_LINE, span)
    if spec.layout in FLAT_FRONT:
        return
    bonnet_y = 0.78 * half
    skin.band(plane("y", bonnet_y), "gap", ("bonnet",), SHUT_LINE)
    if spec.load is not None:
        return
    bumper = s.clearance + 0.52 * (s.tail_z - s.clearance)
    tail = ("rear", "boot", "backlight_frame")
    skin.band(plane("z", bumper), "gap", ("rear", "quarter"), SHUT_LINE)
    lid = (plane("z", bumper, -1),)
    skin.band(plane("y", 0.66 * half), "gap", tail, SHUT_LINE, lid)
    if spec.layout == "van":
        skin.band(plane("y", 0.0), "gap", (*tail, "plate_recess"), SHUT_LINE, lid)
    skin.band(plane("z", s.nose_z - 0.02), "gap", ("front",), SHUT_LINE)


def _arches(skin: Skin, body: Body) -> None:
    """Label what the wheel arches take away."""
    s = body.shape
    for axle in (body.front_axle, body.rear_axle):
        if axle > s.body_rear_x:
            ring = _arch_distance(axle, body.arch_z, s.arch_radius)
            skin.region([plane("y", arch_wall_y(body), -1), ring], "arch")


def _extract(skin: Skin, body: Body) -> list[Part]:
    """Labels to parts; glass and lamps set in, arches lined."""
    parts = [
        found
        for label, (name, material, segment) in _PARTS.items()
        if (found := skin.part(label, name, material, segment)) is not None
    ]
    for label, (name, material, segment, depth) in _INSET.items():
        parts += skin.inset(label, name, material, segment, depth)
    edges = skin.outline("arch")
    if len(edges):
        outer = skin.vertices[edges]
        inner = outer.copy()
        inner[..., 1] = arch_wall_y(body)
        parts.append(strip("arch_liner", "liner", outer, inner))
        parts += [_arch_wall(body, axle) for axle in (body.front_axle, body.rear_axle)
                  if axle > body.shape.body_rear_x]  # fmt: skip
    return parts


def _arch_wall(body: Body, axle: float) -> Part:
    """The inner wall of an arch, facing the wheel."""
    radius = body.shape.arch_radius + 0.002
    low = np.arcsin(min((body.arch_z - body.shape.clearance - 0.02) / radius, 0.9))
    angle = np.linspace(-low, np.pi + low, 25)
    rim = np.stack(
        [axle + radius * np.cos(angle), np.full(25, arch_wall_y(body)),
         body.arch_z + radius * np.sin(angle)], axis=1
    )  # fmt: skip
    centre = np.array([[axle, arch_wall_y(body), body.arch_z]])
    fan = np.array([(0, i + 1, i) for i in range(1, 25)])
    return part("arch_wall", "liner", np.concatenate([centre, rim]), fan)
