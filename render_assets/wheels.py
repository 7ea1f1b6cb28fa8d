"""Wheels: tyre, rim of several designs, brake disc. Built at the origin, outer face towards +y."""

from __future__ import annotations

import numpy as np

from render_assets.mesh import Part, grid_faces, part, revolve
from render_assets.spec import Wheels

_SPOKES = {"five_spoke": (5, 0.30), "ten_spoke": (10, 0.42), "twin_spoke": (10, 0.30),
           "turbine": (14, 0.45), "mesh": (18, 0.34)}  # fmt: skip
"""Number of spokes, and the share of the circumference that they cover at the rim."""
HUB_RADIUS = 0.075


def build_wheel(wheels: Wheels) -> list[Part]:
    """Parts of one wheel whose axis is y, its centre at the origin.

    The outer face of the hub's cap is at ``hub_face(wheels)``.
    """
    parts = [_tyre(wheels), _barrel(wheels), _disc(wheels), _cap(wheels)]
    metal = "dark_alloy" if wheels.dark else "alloy"
    if wheels.design in _SPOKES:
        parts.append(_spokes(wheels, metal))
    else:
        parts += _pressed(wheels)
    return parts


def hub_face(wheels: Wheels) -> float:
    """y of the hub's outer face, metres from the wheel's middle plane."""
    return 0.5 * wheels.width - 0.025


def _tyre(w: Wheels) -> Part:
    """Flat tread with grooves' shadow, rounded shoulders, bulged sidewalls."""
    half, rim, out = w.width / 2, w.rim_radius, w.radius
    side = np.array([(rim, half - 0.012), (rim + 0.25 * (out - rim), half - 0.001),
                     (rim + 0.5 * (out - rim), half + 0.004), (out - 0.022, half - 0.006),
                     (out - 0.006, half - 0.020), (out, half - 0.042)])  # fmt: skip
    grooves = []
    for y in (-0.4, 0.4):
        centre = y * (half - 0.03)
        grooves += [(out, centre - 0.006), (out - 0.007, centre - 0.004),
                    (out - 0.007, centre + 0.004), (out, centre + 0.006)]  # fmt: skip
    inner = side * np.array([1, -1])
    profile = np.concatenate([inner, np.array(grooves), side[::-1]])
    return revolve("tyre", "tyre", profile, steps=36)


def _barrel(w: Wheels) -> Part:
    """The rim's lip and the bed behind the spokes."""
    half, rim = w.width / 2, w.rim_radius
    profile = np.array([(rim - 0.004, half - 0.012), (rim + 0.004, half - 0.006),
                        (rim - 0.012, half - 0.010), (rim - 0.024, half - 0.03),
                        (rim - 0.034, 0.0), (rim - 0.04, -half + 0.02)])  # fmt: skip
    return revolve("rim", "dark_alloy" if w.dark else "alloy", profile[::-1], 36, smooth=False)


def _disc(w: Wheels) -> Part:
    """Brake disc and the dark wall behind it."""
    r = 0.78 * w.rim_radius
    profile = np.array([(w.rim_radius - 0.03, -0.035), (r, -0.03), (r, 0.0), (0.0, 0.0)])
    return revolve("brake_disc", "steel", profile, steps=32, smooth=False)


def _cap(w: Wheels) -> Part:
    """The hub with its flat cap; its outer face carries the wheel keypoint."""
    y = hub_face(w)
    profile = np.array([(HUB_RADIUS, 0.0), (HUB_RADIUS, y - 0.012), (0.052, y), (0.0, y)])
    metal = "dark_alloy" if w.dark else "alloy"
    return revolve("hub", metal if w.design in _SPOKES else "steel", profile, 24, smooth=False)


def _spokes(w: Wheels, metal: str) -> Part:
    """Tapered spokes with a rounded section, dished between hub and rim."""
    count, cover = _SPOKES[w.design]
    r0, r1 = HUB_RADIUS - 0.015, w.rim_radius - 0.012
    face = hub_face(w) - 0.006
    centre = np.arange(count) * 2 * np.pi / count
    if w.design == "twin_spoke":
        centre = (np.arange(count) // 2 * 4 + np.where(np.arange(count) % 2, 1.1, 0.0)) * (
            np.pi / count
        )
    along = np.linspace(0, 1, 6)
    radius = r0 + along * (r1 - r0)
    width = cover * 2 * np.pi * r1 / count * (0.62 + 0.38 * along) * 0.5
    width = np.minimum(width, np.pi * radius / count * 0.98)
    sweep = {"turbine": 0.35, "mesh": 0.0}.get(w.design, 0.0) * along
    if w.design == "mesh":
        sweep = np.where(np.arange(count)[:, None] % 2, 0.22, -0.22) * along
    dish = face - 0.012 * np.sin(np.pi * along)
    offset = np.array([-1.0, -0.8, 0.0, 0.8, 1.0])
    drop = np.array([0.03, 0.006, 0.0, 0.006, 0.03])
    points = []
    for k in range(count):
        angle = centre[k] + (sweep if sweep.ndim == 1 else sweep[k])
        theta = angle[:, None] + offset[None] * (width / radius)[:, None]
        y = dish[:, None] - drop[None]
        r = np.broadcast_to(radius[:, None], theta.shape)
        points.append(np.stack([r * np.cos(theta), y, r * np.sin(theta)], -1).reshape(-1, 3))
    faces = grid_faces(len(along), len(offset))
    faces = np.concatenate([faces + k * len(along) * len(offset) for k in range(count)])
    return part("spokes", metal, np.concatenate(points), faces)


def _pressed(w: Wheels) -> list[Part]:
    """A hubcap or a bare steel wheel: one dished disc with a ring of dark openings."""
    r, y = w.rim_radius - 0.01, hub_face(w)
    cap = w.design == "hubcap"
    dish = 0.012 if cap else 0.05
    profile = np.array([(0.04, y - 0.004), (0.4 * r, y - 0.3 * dish), (0.55 * r, y - dish),
                        (0.85 * r, y - dish), (r, y - 0.012)])[::-1]  # fmt: skip
    disc = revolve("wheel_cover", "alloy" if cap else "steel", profile, steps=44)
    count = 9 if cap else 8
    angle = np.arange(count) * 2 * np.pi / count
    hole = np.array([(0.66, -0.10), (0.84, -0.13), (0.84, 0.13), (0.66, 0.10)])
    points, faces = [], []
    for k, a in enumerate(angle):
        theta = a + hole[:, 1]
        rr = hole[:, 0] * r
        points.append(
            np.stack([rr * np.cos(theta), np.full(4, y - dish + 0.003), rr * np.sin(theta)], -1)
        )
        faces += [(4 * k, 4 * k + 2, 4 * k + 1), (4 * k, 4 * k + 3, 4 * k + 2)]
    return [disc, part("wheel_holes", "gap", np.concatenate(points), np.array(faces))]
