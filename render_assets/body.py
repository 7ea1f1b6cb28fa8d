"""The lofted body: curved faces over a vehicle's guide lines, blended into one closed solid.

A lower body (side, front, rear, deck, bottom) and a greenhouse (glass house: windscreen, roof, rear
glass, side) are each the intersection of half-spaces whose faces are curved in side view, plan view
and section; the body is their filleted union, less a pickup's bed.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from render_assets.solid import bend, between, smooth_max, smooth_min
from render_assets.spec import Layout, Shape

FACES = ("side", "front", "rear", "deck", "bottom", "glass_side", "windscreen", "roof", "backlight")
"""Names of the half-spaces; ``lower`` and ``greenhouse`` are their two blends."""

FLAT_FRONT: tuple[Layout, ...] = ("bus", "cab_over")
"""Layouts with an upright front and no bonnet."""
_ONE_BOX: tuple[Layout, ...] = ("van", "bus", "cab_over", "bonneted")


SCREEN_DEPTH = 0.18
"""How far back an open car's windscreen frame is meshed, metres; ``Body.thinned`` makes it less."""


class Body:
    """The solid of one shape; calling it evaluates the blended solid (see ``solid.Solid``)."""

    def __init__(self, shape: Shape, layout: Layout) -> None:
        self.shape = s = shape
        self.layout = layout
        self.half = s.width / 2
        self.front_axle = s.wheelbase / 2
        self.rear_axle = -s.wheelbase / 2
        self.bounds = (
            np.array([s.body_rear_x, -self.half, 0.0]),
            np.array([s.front_x, self.half, s.height]),
        )
        self.hollow = self._hollow_bounds()
        """Lower and upper corner of a pickup's bed or an open car's cabin."""
        self._deck = _Table(self._deck_points())
        self._nose = _Table(self._nose_points())
        self._tail = _Table(self._tail_points())
        along = np.linspace(s.body_rear_x - 0.3, s.front_x + 0.3, 256)
        belt = self._belt_height(along)
        width = self.half_width(along, belt)
        tables = (belt.astype(np.float32), width.astype(np.float32))
        self._belt = (float(along[0]), float(along[1] - along[0]), *tables)

    @property
    def front_ledge(self) -> float:
        """Height of the front bumper's upper edge."""
        return self.shape.clearance + 0.55 * (self.shape.nose_z - self.shape.clearance)

    @property
    def rear_ledge(self) -> float:
        """Height of the rear bumper's upper edge."""
        return self.shape.clearance + 0.50 * (self.shape.tail_z - self.shape.clearance)

    def _deck_points(self) -> list[tuple[float, float]]:
        """Side view of the lower body's top: bonnet, belt under the cabin, boot (x, z)."""
        s = self.shape
        if self.layout in FLAT_FRONT:
            return [(s.body_rear_x - 0.3, s.cowl_z), (s.front_x + 0.3, s.cowl_z)]
        nose_x = s.headlight_x
        bonnet = (0.45 * nose_x + 0.55 * s.cowl_x, 0.40 * s.nose_z + 0.60 * s.cowl_z + 0.012)
        rear_belt = s.belt_z + s.belt_rise
        points = [
            (s.body_rear_x - 0.3, s.tail_z - 0.10),
            (s.body_rear_x + 0.03, s.tail_z),
        ]
        if s.deck_x - s.body_rear_x > 0.15:
            points.append((s.deck_x, s.deck_z))
        return [
            *points,
            (max(s.deck_x, s.body_rear_x + 0.15) + 0.25, rear_belt),
            (s.cowl_x - 0.15, s.belt_z),
            (s.cowl_x, s.cowl_z),
            bonnet,
            (nose_x, s.nose_z),
            (s.front_x + 0.3, s.nose_z - 0.25),
        ]

    def _nose_points(self) -> list[tuple[float, float]]:
        """Front end in side view: (height, setback from the foremost point)."""
        s = self.shape
        if self.layout in FLAT_FRONT:
            return [
                (s.clearance - 0.1, 0.10),
                (s.clearance + 0.12, 0.015),
                (s.nose_z - 0.12, 0.0),
                (s.nose_z, 0.004),
                (s.cowl_z + 0.02, max(s.front_x - s.cowl_x - 0.02, 0.02)),
                (s.cowl_z + 0.8, s.front_x - s.cowl_x + 0.2),
            ]
        top = max(s.front_x - s.headlight_x - 0.6 * s.nose_round, 0.04)
        rise, ledge = s.nose_z - s.clearance, self.front_ledge
        return [
            (s.clearance - 0.1, 0.13),
            (s.clearance + 0.06, 0.035),
            (s.clearance + 0.25 * rise, 0.008),
            (s.clearance + 0.42 * rise, 0.0),
            (ledge - 0.02, 0.004),
            (ledge + 0.02, 0.004 + s.bumper),
            (s.nose_z - 0.05, s.bumper + 0.35 * top),
            (s.nose_z + 0.05, s.bumper + top),
            (s.nose_z + 0.5, s.bumper + top + 0.2),
        ]

    def _tail_points(self) -> list[tuple[float, float]]:
        """Rear end in side view: (height, setback)."""
        s = self.shape
        rise = s.tail_z - s.clearance
        lean = 0.0 if self.layout in _ONE_BOX else 0.03
        ledge = self.rear_ledge
        return [
            (s.clearance - 0.1, 0.16),
            (s.clearance + 0.08, 0.045),
            (s.clearance + 0.28 * rise, 0.006),
            (ledge - 0.06, 0.0),
            (ledge - 0.02, 0.003),
            (ledge + 0.02, 0.006 + 1.4 * s.bumper),
            (s.tail_z, 1.4 * s.bumper + lean),
            (s.tail_z + 0.5, 1.4 * s.bumper + lean + 0.15),
        ]

    def half_width(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """y of the lower body's left side, metres.

        Pressed steel bends along two lines, the crease and the sill line: the side leans in above
        the one and turns under below the other, so each stretch mirrors another part of the world.
        """
        s = self.shape
        fore = np.maximum(x - (self.front_axle - 0.35), 0) / (s.front_x - self.front_axle + 0.35)
        aft = np.maximum(self.rear_axle + 0.35 - x, 0) / (self.rear_axle + 0.35 - s.body_rear_x)
        back = (s.front_x - x) / s.length
        crease = s.crease_z + s.crease_rise * (back - 0.5)
        sill = s.clearance + 0.17
        width = self.half - s.flare - s.plan_taper * (fore * fore + 0.75 * aft * aft)
        width = width - s.lean * bend(z - crease, s.crease_edge)
        width = width - 0.05 * bend(crease - z, s.crease_edge) - 0.30 * bend(sill - z, 0.05)
        scallop = (z - (0.45 * crease + 0.55 * sill)) / 0.13
        width = width - s.scallop / (1 + scallop * scallop) * (1 - np.minimum(fore + aft, 1))
        for axle in (self.front_axle, self.rear_axle):
            away = np.sqrt((x - axle) ** 2 + (z - self.arch_z) ** 2) - s.arch_radius
            near = np.clip(1 - away / 0.16, 0, 1)
            width += (s.flare + s.scallop) * near * near * (3 - 2 * near)
        return width

    @property
    def arch_z(self) -> float:
        """Height of the arches' centre: the wheels'."""
        return self.shape.arch_radius * 0.86

    def faces(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Value of every half-space in ``FACES`` and of both blends at points (n, 3)."""
        return self._faces(*np.ascontiguousarray(points.T))

    def _faces(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> dict[str, np.ndarray]:
        """The same for coordinates that broadcast against each other, as the axes of a grid do."""
        s = self.shape
        y = np.abs(y)
        across = y / self.half
        deck, slope = self._deck(x)
        nose, tail = self._nose(z)[0], self._tail(z)[0]
        corner = across * across * np.sqrt(across)
        crown = self._crown(x, across)
        f = {
            "side": y - self.half_width(x, z),
            "deck": (z - deck + crown - 0.02) / np.sqrt(1 + slope**2),
            "front": x - (s.front_x - nose - s.nose_round * corner),
            "rear": s.body_rear_x + tail + s.tail_round * corner - x,
            "bottom": self.bottom(x) - z,
        }
        lower = smooth_max(f["side"], f["front"], 0.10 if self.layout in FLAT_FRONT else 0.17)
        lower = smooth_max(lower, f["rear"], 0.22 if self.layout == "bus" else 0.14)
        lower = smooth_max(lower, f["deck"], s.edge)
        f["lower"] = smooth_max(lower, f["bottom"], 0.07)
        f.update(self._greenhouse(x, y, z, (f["front"], f["rear"])))
        return f

    def _crown(self, x: np.ndarray, across: np.ndarray) -> np.ndarray:
        """How far the bonnet and boot fall from their middle towards the sides.

        Two creases run from the windscreen's corners towards the grille; the wings rise again
        outside them.
        """
        s = self.shape
        ahead = np.clip((x - s.cowl_x) / max(s.headlight_x - s.cowl_x, 0.1), 0, 1)
        fall = s.dome * self.half * bend(across - (0.62 - 0.20 * ahead), 0.03)
        ridge = (across - 0.74) / 0.10
        return 0.045 * across * across + fall - (0.010 + 0.25 * fall) / (1 + ridge**4)

    def bottom(self, x: np.ndarray) -> np.ndarray:
        """Height of the floor, which sweeps up towards both bumpers."""
        s = self.shape
        fore = np.maximum(x - self.front_axle, 0) / (s.front_x - self.front_axle)
        aft = np.maximum(self.rear_axle - x, 0) / max(self.rear_axle - s.body_rear_x, 0.3)
        return s.clearance + 0.03 * fore**2 + 0.09 * np.minimum(aft, 1.5) ** 2

    def _belt_height(self, x: np.ndarray) -> np.ndarray:
        """Height of the windows' lower edge; it rises towards the rear."""
        s = self.shape
        back = (s.cowl_x - x) / max(s.cowl_x - s.deck_x, 0.5)
        return s.belt_z + s.belt_rise * np.clip(back, 0, 1)

    def _greenhouse(
        self, x: np.ndarray, y: np.ndarray, z: np.ndarray, ends: tuple[np.ndarray, ...]
    ) -> dict[str, np.ndarray]:
        s = self.shape
        across = y / self.half
        middle = (s.roof_front_x + s.roof_rear_x) / 2
        # -1 to 1 from the roof's rear end to its front: it narrows ahead, and so does the ledge
        ahead = (x - middle) / (max(s.roof_front_x - s.roof_rear_x, 0.4) / 2)
        start, pitch, belt, width = self._belt
        place = (x - start) / pitch
        up = np.maximum(z - look_up(belt, place)[0], -0.04)
        base = look_up(width, place)[0] - s.shoulder * (1 - 0.6 * np.clip(ahead, 0, 1))
        rise = 0.25 * s.tumblehome / max(s.height - s.belt_z, 0.3)
        arc = ahead * ahead
        roof_z = s.height - s.roof_crown * np.minimum(arc, 4) - 0.055 * across**2
        lean = s.tumblehome * (1 + 0.09 * np.clip(ahead, -1, 1))
        f = {
            "glass_side": y - (base - lean * up - rise * up * np.abs(up)),
            "roof": z - roof_z,
            "windscreen": _slope(
                x + s.screen_round * across**2,
                z,
                (s.cowl_x, s.cowl_z),
                (s.roof_front_x, s.height - s.roof_crown),
                0.025,
            ),
            "backlight": _slope(
                -x + 0.7 * s.tail_round * across**2,
                z,
                (-s.deck_x, s.deck_z),
                (-s.roof_rear_x, s.height - s.roof_crown),
                0.02,
            ),
        }
        house = smooth_max(f["glass_side"], f["roof"], s.roof_edge)
        house = smooth_max(
            house, f["windscreen"], {"cab_over": 0.07, "bus": 0.22}.get(self.layout, 0.12)
        )
        house = smooth_max(house, f["backlight"], 0.24 if self.layout == "bus" else 0.12)
        for end in ends:
            house = smooth_max(house, end, 0.20 if self.layout == "bus" else 0.10)
        f["greenhouse"] = np.maximum(house, min(s.belt_z - 0.25, s.cowl_z - 0.1) - z)
        return f

    def _blend(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The whole body's value."""
        faces = self._faces(x, y, z)
        house = faces["greenhouse"]
        if self.shape.open_top:
            house = smooth_max(house, -faces["windscreen"] - SCREEN_DEPTH, 0.02)
        value = smooth_min(faces["lower"], house, 0.04)
        if self.hollow is not None:
            value = smooth_max(value, -self._hollow(x, y, z), 0.04)
        return value

    def in_hollow(self, points: np.ndarray) -> np.ndarray:
        """Value (n,) of the hollow, negative inside, at points (n, 3); infinite where none is."""
        if self.hollow is None:
            return np.full(len(points), np.inf)
        return self._hollow(*points.T)

    def _hollow(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        assert self.hollow is not None
        low, high = self.hollow
        along = np.maximum(low[0] - x, x - high[0])
        return np.maximum(smooth_max(along, np.abs(y) - high[1], 0.25), low[2] - z)

    def _hollow_bounds(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Corners of a pickup's bed or an open car's cabin."""
        s = self.shape
        if self.layout == "pickup":
            low = np.array([s.body_rear_x + 0.16, -(self.half - 0.19), s.clearance + 0.38])
            return low, np.array([s.deck_x - 0.16, self.half - 0.19, s.deck_z])
        if s.open_top:
            side = self.half - s.flare - s.shoulder - 0.13
            low = np.array([s.deck_x + 0.12, -side, s.belt_z - 0.55])
            return low, np.array([s.cowl_x - 0.38, side, s.belt_z])
        return None

    def thinned(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) on an open car's windscreen frame, where its true depth puts them.

        The grid needs the frame thick; others and points elsewhere stay where they are.
        """
        s = self.shape
        if not s.open_top:
            return points
        faces = self.faces(points)
        above = np.clip(faces["lower"] / 0.06, 0, 1)
        depth = np.clip(-faces["windscreen"], 0, SCREEN_DEPTH)
        run, rise = s.cowl_x - s.roof_front_x, s.height - s.roof_crown - s.cowl_z
        normal = np.array([rise, 0.0, run], dtype=points.dtype) / np.hypot(run, rise)
        return points + (0.8 * depth * above)[:, None] * normal.astype(points.dtype)

    def side_at(self, x: float | np.ndarray, z: float | np.ndarray) -> np.ndarray:
        """(n, 3) points of the left side at (x, z)."""
        x, z = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(z))
        outside = np.stack([x, np.full(len(x), self.half + 0.1), z], axis=1)
        return between(self.closed, outside, outside * np.array([1, 0.3, 1]))

    def closed(self, points: np.ndarray) -> np.ndarray:
        """Value (n,) of the body with its hollow filled up, an open car's with a roof."""
        faces = self.faces(points)
        return smooth_min(faces["lower"], faces["greenhouse"], 0.04)

    def front_at(self, y: float | np.ndarray, z: float | np.ndarray) -> np.ndarray:
        """(n, 3) points of the front at (y, z)."""
        return self._end_at(self.shape.front_x + 0.1, self.shape.front_x - 0.5, y, z)

    def rear_at(self, y: float | np.ndarray, z: float | np.ndarray) -> np.ndarray:
        """(n, 3) points of the rear at (y, z)."""
        return self._end_at(self.shape.body_rear_x - 0.1, self.shape.body_rear_x + 0.5, y, z)

    def top_at(self, x: float | np.ndarray, y: float | np.ndarray) -> np.ndarray:
        """(n, 3) points of the upper side (bonnet, glass, roof, boot) at (x, y)."""
        x, y = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(y))
        outside = np.stack([x, y, np.full(len(x), self.shape.height + 0.1)], axis=1)
        low = self.shape.clearance + 0.2
        return between(self, outside, np.stack([x, y, np.full(len(x), low)], axis=1))

    def _end_at(
        self, out_x: float, in_x: float, y: float | np.ndarray, z: float | np.ndarray
    ) -> np.ndarray:
        y, z = np.broadcast_arrays(np.atleast_1d(y), np.atleast_1d(z))
        outside = np.stack([np.full(len(y), out_x), y, z], axis=1)
        return between(self.closed, outside, np.stack([np.full(len(y), in_x), y, z], axis=1))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Value (n,) of the body at points (n, 3)."""
        return self._blend(*np.ascontiguousarray(points.T))

    def on_grid(self, axes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
        """Value of the body at the nodes of a grid of coordinates ``axes``, float32."""
        x, y, z = (a.astype(np.float32) for a in axes)
        return self._blend(x[:, None, None], y[:, None], z)


def _slope(
    x: np.ndarray, z: np.ndarray, foot: tuple[float, float], head: tuple[float, float], bulge: float
) -> np.ndarray:
    """Value of a raked face that rises from ``foot`` back to ``head`` and bulges forward."""
    run, rise = head[0] - foot[0], head[1] - foot[1]
    length = float(np.hypot(run, rise))
    along = ((x - foot[0]) * run + (z - foot[1]) * rise) / length**2
    off = ((x - foot[0]) * rise - (z - foot[1]) * run) / length
    along = np.clip(along, -0.5, 1.5)
    return off - 4 * bulge * along * (1 - along)


class _Table:
    """A smooth curve through points, tabulated: call it for value and slope."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        points = sorted(points)
        xs = np.array([p[0] for p in points])
        curve = PchipInterpolator(xs, [p[1] for p in points])
        at = np.linspace(xs[0], xs[-1], 512)
        self._start, self._pitch = float(at[0]), float(at[1] - at[0])
        self._values = curve(at).astype(np.float32)

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return look_up(self._values, (x - self._start) / self._pitch, self._pitch)


def look_up(
    values: np.ndarray, place: np.ndarray, pitch: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Value and slope of a table at fractional indices, held at both its ends."""
    place = np.clip(place, 0, len(values) - 1.001)
    index = place.astype(np.int32)
    low = values[index]
    rise = values[index + 1] - low
    return low + (place - index) * rise, rise / np.float32(pitch)
