"""Wheels: tyre, rim, brake, hub. Built around the y axis at the origin, outer face towards +y."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from render_assets.mesh import Part, grid_faces, merge, part, revolve
from render_assets.rim_face import face_parts, turning
from render_assets.rims import depth, is_deep, rim_of
from render_assets.spec import Wheels

_STEPS = 32
"""Around a tyre: an edge's middle lies 1.6 mm inside the circle."""
_LIP = 0.010
"""How far inward of the tyre's sidewall the rim's lip lies, metres."""
_FINISH = {
    "silver": ("alloy", "alloy", "alloy"),
    "bright": ("alloy_bright", "alloy_bright", "alloy_bright"),
    "machined": ("alloy_machined", "alloy_dark", "alloy_machined"),
    "dark": ("alloy_dark", "alloy_dark", "alloy_dark"),
    "black": ("alloy_black", "alloy_black", "alloy_black"),
    "chrome": ("chrome", "chrome", "chrome"),
}
"""Materials of the face, of the spokes' sides and the rim's bed, and of the lip."""


@lru_cache(maxsize=64)
def build_wheel(wheels: Wheels, end: str) -> tuple[Part, ...]:
    """Parts of one left wheel of an axle (``front``, ``rear``), its centre at the origin.

    The outer face of the hub's cap is at ``hub_face(wheels, end)``.
    """
    plain = _at_rest(wheels)
    phase = wheels.phases[0 if end == "front" else 1]
    turned = [_turned(p, 2 * np.pi * phase) for p in _rolling(plain, is_deep(wheels, end))]
    return (*_standing(plain, end), *turned)


def bare_wheel(wheels: Wheels, end: str) -> list[Part]:
    """The steel wheel under a lost hubcap; its hub's face stays where the cap's was, as the
    keypoint does."""
    steel = wheels.model_copy(update={"design": "steel", "finish": "black"})
    root = hub_face(steel, end) - 0.02
    face = hub_face(wheels, end)
    profile = np.array([(0.032, root), (0.032, face - 0.004), (0.028, face), (0.0, face)])
    hub = revolve("hub", "cast_iron", profile, 16, smooth=False)
    kept = [p for p in build_wheel(steel, end) if p.name not in ("hub", "hub_emblem")]
    return [*kept, hub]


def _at_rest(wheels: Wheels) -> Wheels:
    """The same wheels before they are turned, so that both axles share what is cached."""
    return wheels.model_copy(update={"phases": (0.0, 0.0)})


def inner_tyre(wheels: Wheels) -> Part:
    """The inner one of twin tyres, of which only the tread and a dark disc are seen."""
    r, half = wheels.radius, 0.49 * wheels.width
    profile = np.array([(0.0, -half), (0.9 * r, -half), (r, 0.03 - half), (r, half - 0.03),
                        (0.9 * r, half), (0.0, half)])  # fmt: skip
    return revolve("rear_inner_tyre", "tyre", profile, _STEPS, smooth=False)


def hub_face(wheels: Wheels, end: str) -> float:
    """y of the hub's outer face, metres from the wheel's middle plane.

    Cars' hubs lie a little inside the tyre's sidewall; those of a truck's front axle stand out to
    it, and those of its twin wheels stand in a deep dish.
    """
    centre = float(depth(wheels, end, np.array([0.0]))[0])
    out = 0.085 if is_deep(wheels, end) else rim_of(wheels).hub_out
    return _lip_y(wheels) - centre + out


def _lip_y(wheels: Wheels) -> float:
    return 0.5 * wheels.width - _LIP


def _turned(original: Part, angle: float) -> Part:
    """The part turned about the wheel's axle."""
    turn = turning(np.array([angle]))[0].astype(np.float32)
    return replace(original, vertices=original.vertices @ turn, normals=original.normals @ turn)


@lru_cache(maxsize=32)
def _standing(w: Wheels, end: str) -> tuple[Part, ...]:
    """What looks the same however the wheel has rolled, and what does not roll."""
    parts = [_tyre(w), *_barrel(w, end), _back(w)]
    if not rim_of(w).cover:
        parts += _brake(w, end)
    return tuple(parts)


@lru_cache(maxsize=32)
def _rolling(w: Wheels, deep: bool) -> tuple[Part, ...]:
    end = "rear" if deep else "front"
    face, sides, _ = _FINISH[w.finish]
    parts = [*face_parts(w, end, _lip_y(w), (face, sides)), *_hub(w, end), *_tyre_marks(w)]
    return (*parts, *_bolts(w, end))


def _tyre(w: Wheels) -> Part:
    """Grooved tread, rounded shoulders, bulged sidewalls with a rim guard over the bead."""
    half, rim, out = w.width / 2, w.rim_radius, w.radius
    tall = out - rim
    side = np.array([
        (rim - 0.004, half - 0.022), (rim + 0.007, half - 0.007),
        (rim + 0.30 * tall, half - 0.002), (rim + 0.52 * tall, half),
        (rim + 0.60 * tall, half - 0.0025), (rim + 0.80 * tall, half - 0.006),
        (out - 0.012, half - 0.016), (out - 0.004, half - 0.026), (out, half - 0.042),
    ])  # fmt: skip
    inner = side[[1, 4, 8]] * np.array([1, -1])
    grooves = []
    for y in (-0.5, 0.0, 0.5):
        centre = y * (half - 0.035)
        grooves += [(out, centre - 0.006), (out - 0.008, centre - 0.004),
                    (out - 0.008, centre + 0.004), (out, centre + 0.006)]  # fmt: skip
    return revolve("tyre", "tyre", np.concatenate([inner, np.array(grooves), side[::-1]]), _STEPS)


def _tyre_marks(w: Wheels) -> list[Part]:
    """Cross grooves of the shoulders, and the maker's letters, a shade lighter than the rubber."""
    half, out = w.width / 2, w.radius
    angle = np.arange(48) * 2 * np.pi / 48
    shoulder = np.array([(out - 0.0035, half - 0.0255), (out - 0.0115, half - 0.0155)])
    wide = np.full(48, 0.006 / out)
    inner, outer = _strokes(angle, wide, shoulder[::-1] * [1, -1]), _strokes(angle, wide, shoulder)
    middle = w.rim_radius + 0.40 * (out - w.rim_radius)
    tall = 0.07 * (out - w.rim_radius)
    letters = np.concatenate([start + 0.105 * np.arange(7) for start in (0.25, 3.4)])
    wide = np.where(np.arange(14) % 3 == 1, 0.020, 0.034)
    line = np.array([(middle + tall, half - 0.0002), (middle - tall, half - 0.0008)])
    return [
        merge("tread_cuts", [inner, outer]),
        replace(_strokes(letters, wide, line), name="tyre_letters", material="tyre_letters"),
    ]


def _strokes(angle: np.ndarray, wide: np.ndarray, line: np.ndarray) -> Part:
    """Strips along a profile line of (radius, y), one at each angle, ``wide`` radians across."""
    theta = angle[:, None, None] + wide[:, None, None] * np.array([-0.5, 0.5])
    r = line[:, 0][None, :, None]
    x, z = r * np.cos(theta), r * np.sin(theta)
    y = np.broadcast_to(line[:, 1][None, :, None], x.shape)
    faces = grid_faces(len(line), 2)
    shift = 2 * len(line) * np.arange(len(angle))[:, None, None]
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    return part("tread_cuts", "gap", points, (faces + shift).reshape(-1, 3))


def _barrel(w: Wheels, end: str) -> list[Part]:
    """The rim's lip, and its bed behind the spokes."""
    y, rim, half = _lip_y(w), w.rim_radius, w.width / 2
    _, bed, lip = _FINISH[w.finish]
    plate = y - float(depth(w, end, np.array([1.0]))[0])
    ring = np.array([(rim + 0.005, y - 0.006), (rim + 0.003, y - 0.001), (rim - 0.001, y),
                     (rim - 0.006, y - 0.002), (rim - 0.0095, min(plate, y - 0.008))])  # fmt: skip
    inner = np.array([(rim - 0.0095, plate), (rim - 0.022, y - 0.07), (rim - 0.026, 0.02 - half)])
    if rim_of(w).cover:
        return [revolve("rim", lip, ring, _STEPS)]
    return [revolve("rim", lip, ring, _STEPS), revolve("rim_bed", bed, inner, _STEPS)]


def _back(w: Wheels) -> Part:
    """A dark wall behind everything, so that no light comes through the wheel."""
    profile = np.array([(w.rim_radius - 0.02, -0.2 * w.width), (0.02, -0.2 * w.width)])
    return revolve("wheel_back", "gap", profile, 24)


def _hub(w: Wheels, end: str) -> list[Part]:
    """The cap; its outer face carries the wheel keypoint. Around its emblem runs a dark ring."""
    rim, y = rim_of(w), hub_face(w, end)
    r = rim.cap * w.rim_radius
    root = _lip_y(w) - float(depth(w, end, np.array([rim.cap]))[0]) - 0.004
    profile = np.array([(r, root), (r - 0.001, y - 0.004), (r - 0.005, y), (0.0, y)])
    material = _FINISH[w.finish][0]
    cap = revolve("hub", material, profile, 20, smooth=False)
    ring = np.array([(0.80 * r, y + 3e-4), (0.52 * r, y + 3e-4)])
    if w.finish in ("dark", "black") or rim.bolts > 5:
        return [cap]
    return [cap, revolve("hub_emblem", "alloy_black", ring, 16)]


def _bolts(w: Wheels, end: str) -> list[Part]:
    """Hexagonal nuts in dark recesses around the hub."""
    rim = rim_of(w)
    if not rim.bolts:
        return []
    circle = rim.bolt_circle * w.rim_radius
    y = _lip_y(w) - float(depth(w, end, np.array([rim.bolt_circle]))[0])
    size, tall = (0.016, 0.030) if rim.bolts > 6 else (0.010, 0.004)
    nut = revolve("wheel_nuts", "steel", np.array(
        [(size, y - 0.003), (size, y + tall), (0.0, y + tall)]
    ), 6, smooth=False)  # fmt: skip
    hole = revolve("nut_recesses", "gap", np.array([(1.45 * size, y + 8e-4), (0.0, y + 8e-4)]), 8)
    turns = turning(2 * np.pi * (np.arange(rim.bolts) + 0.5) / rim.bolts)
    offset = np.array([circle, 0, 0], dtype=np.float32)
    placed = []
    for one in (nut, hole):
        copies = [
            replace(one, vertices=(one.vertices + offset) @ t, normals=one.normals @ t)
            for t in turns.astype(np.float32)
        ]
        placed.append(merge(one.name, copies))
    return placed


def _brake(w: Wheels, end: str) -> list[Part]:
    """A disc with its hat and calliper, or a drum behind a rear steel wheel."""
    r = 0.76 * w.rim_radius
    deepest = max(d for _, d in rim_of(w).dish)
    y = min(0.0, _lip_y(w) - deepest - 0.085)
    if end == "rear" and w.design in ("steel", "offroad_steel", "truck_steel", "bus_cover"):
        drum = np.array([(0.68 * w.rim_radius, -0.2 * w.width), (0.68 * w.rim_radius, y),
                         (0.62 * w.rim_radius, y + 0.012), (0.0, y + 0.012)])  # fmt: skip
        return [revolve("brake_drum", "cast_iron", drum, 28, smooth=False)]
    disc = np.array([(r, y - 0.022), (r, y), (0.55 * r, y), (0.52 * r, y + 0.028),
                     (0.0, y + 0.028)])  # fmt: skip
    return [revolve("brake_disc", "brake_disc", disc, 28, smooth=False), _calliper(w, end, r, y)]


def _calliper(w: Wheels, end: str, r: float, y: float) -> Part:
    """Behind the front axle, ahead of the rear one: a curved block over the disc's edge."""
    middle = np.pi * 0.93 if end == "front" else np.pi * 0.07
    span = 0.42 if end == "front" else 0.30
    angle = middle + np.linspace(-span, span, 7)
    section = np.array([(0.62, -0.03), (1.06, -0.03), (1.06, 0.03), (1.0, 0.042), (0.68, 0.042),
                        (0.62, 0.034)])  # fmt: skip
    ring = section * np.array([r, 1.0]) + np.array([0, y])
    points = np.stack(
        [ring[:, :1] * np.cos(angle), np.repeat(ring[:, 1:], 7, axis=1),
         ring[:, :1] * np.sin(angle)], axis=-1
    )  # fmt: skip
    caps = np.array([(0, k, k + 1) for k in range(1, 5)])
    faces = [grid_faces(6, 7, closed=True), 7 * caps, 7 * caps[:, ::-1] + 6]
    corners = points.reshape(-1, 3)[np.concatenate(faces)].reshape(-1, 3)
    flat = np.arange(len(corners)).reshape(-1, 3)
    return part("brake_calliper", f"calliper_{w.calliper}", corners, flat)
