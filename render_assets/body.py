"""The lofted body: curved faces over a vehicle's guide lines, blended into one closed solid.

A lower body (side, front, rear, deck, bottom) and a greenhouse (glass house: windscreen, roof, rear
glass, side) are each the intersection of half-spaces whose faces are curved in side view, plan view
and section; the body is their filleted union, less a pickup's bed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import PchipInterpolator

from render_assets.solid import bend, between, smooth_max, smooth_min
from render_assets.spec import Layout, Shape

FACES = ("side", "front", "rear", "deck", "bottom", "glass_side", "windscreen", "roof", "backlight")
"""Names of the half-spaces; ``lower`` and ``greenhouse`` are their two blends."""

FLAT_FRONT: tuple[Layout, ...] = ("bus", "cab_over")
"""Layouts with an upright front and no bonnet."""
_ONE_BOX: tuple[Layout, ...] = ("van", "bus", "cab_over", "bonneted")

Profile = Callable[[np.ndarray], np.ndarray]
Reading = Callable[[str], np.ndarray]
"""Gives a profile's values by its name."""

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
        self._x = _Profiles(self._along(), s.body_rear_x - 0.3, s.front_x + 0.3)
        self._z = _Profiles(self._upward(), -0.1, s.height + 0.3)
        belt = self._x.at(self._x.places)("belt")
        ledge = s.shoulder * (1 - 0.6 * np.clip(self._forward(self._x.places), 0, 1))
        self._x.add("ledge", self.half_width(self._x.places, belt) - ledge)

    def _along(self) -> dict[str, Profile]:
        """What depends on x alone, all metres but for shares and slopes."""
        s = self.shape
        deck = _curve(self._deck_points())
        bonnet = max(s.headlight_x - s.cowl_x, 0.1)

        def plan(x: np.ndarray) -> np.ndarray:
            fore, aft = self._ends(x)
            return self.half - s.flare - s.plan_taper * (fore * fore + 0.75 * aft * aft)

        return {
            "deck": deck,
            "upright": lambda x: 1 / np.sqrt(1 + deck(x, 1) ** 2),
            "belt": self._belt_height,
            "bottom": self.bottom,
            "plan": plan,
            "hollow": lambda x: s.scallop * (1 - np.minimum(sum(self._ends(x)), 1)),
            "crease": lambda x: s.crease_z + s.crease_rise * ((s.front_x - x) / s.length - 0.5),
            "dome": lambda x: 0.62 - 0.20 * np.clip((x - s.cowl_x) / bonnet, 0, 1),
            "roof": lambda x: s.height - s.roof_crown * np.minimum(self._forward(x) ** 2, 4),
            "lean": lambda x: s.tumblehome * (1 + 0.09 * np.clip(self._forward(x), -1, 1)),
        }

    def _upward(self) -> dict[str, Profile]:
        """What depends on z alone: how far both ends are set back, metres."""
        return {"nose": _curve(self._nose_points()), "tail": _curve(self._tail_points())}

    def _ends(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """0 in the middle, 1 at the front end, and the same for the rear."""
        s = self.shape
        fore = np.maximum(x - (self.front_axle - 0.35), 0) / (s.front_x - self.front_axle + 0.35)
        aft = np.maximum(self.rear_axle + 0.35 - x, 0) / (self.rear_axle + 0.35 - s.body_rear_x)
        return fore, aft

    def _forward(self, x: np.ndarray) -> np.ndarray:
        """-1 to 1 from the roof's rear end to its front: it narrows ahead, and so does the ledge
        below the side windows."""
        s = self.shape
        middle = (s.roof_front_x + s.roof_rear_x) / 2
        return (x - middle) / (max(s.roof_front_x - s.roof_rear_x, 0.4) / 2)

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
        return self._half_width(self._x.at(x), x, z)

    def _half_width(self, along: Reading, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        s = self.shape
        crease, sill = along("crease"), s.clearance + 0.17
        above = z - crease
        width = along("plan") - s.lean * bend(above, s.crease_edge)
        width = width - 0.05 * bend(-above, s.crease_edge) - 0.30 * bend(sill - z, 0.05)
        scallop = (z - (0.45 * crease + 0.55 * sill)) / 0.13
        width = width - along("hollow") / (1 + scallop * scallop)
        fore, up = np.abs(x) - self.front_axle, z - self.arch_z  # the axles lie evenly about 0
        away = np.sqrt(fore * fore + up * up) - s.arch_radius
        near = np.clip(1 - away / 0.16, 0, 1)
        return width + (s.flare + s.scallop) * near * near * (3 - 2 * near)

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
        along, up = self._x.at(x), self._z.at(z)
        corner = across * across * np.sqrt(across)
        f = {
            "side": y - self._half_width(along, x, z),
            "deck": (z - along("deck") + self._crown(along, across) - 0.02) * along("upright"),
            "front": x - (s.front_x - up("nose") - s.nose_round * corner),
            "rear": s.body_rear_x + up("tail") + s.tail_round * corner - x,
            "bottom": along("bottom") - z,
        }
        lower = smooth_max(f["side"], f["front"], 0.10 if self.layout in FLAT_FRONT else 0.17)
        lower = smooth_max(lower, f["rear"], 0.22 if self.layout == "bus" else 0.14)
        lower = smooth_max(lower, f["deck"], s.edge)
        f["lower"] = smooth_max(lower, f["bottom"], 0.07)
        f.update(self._greenhouse(along, x, y, z, (f["front"], f["rear"])))
        return f

    def _crown(self, along: Reading, across: np.ndarray) -> np.ndarray:
        """How far the bonnet and boot fall from their middle towards the sides.

        Two creases run from the windscreen's corners towards the grille; the wings rise again
        outside them.
        """
        fall = self.shape.dome * self.half * bend(across - along("dome"), 0.03)
        ridge = (across - 0.74) / 0.10
        ridge = ridge * ridge
        return 0.045 * across * across + fall - (0.010 + 0.25 * fall) / (1 + ridge * ridge)

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
        self,
        along: Reading,
        x: np.ndarray,
        y: np.ndarray,
        z: np.ndarray,
        ends: tuple[np.ndarray, ...],
    ) -> dict[str, np.ndarray]:
        s = self.shape
        across = y / self.half
        bow = across * across
        above = z - along("belt")
        flat = self.layout in FLAT_FRONT  # where the house reaches below the windows
        up = np.maximum(above, -0.04 if flat else 0)
        under = 0 if flat else up - above
        rise = 0.25 * s.tumblehome / max(s.height - s.belt_z, 0.3)
        f = {
            "glass_side": y - along("ledge") + (along("lean") + rise * np.abs(up)) * up + under,
            "roof": z - along("roof") + 0.055 * bow,
            "windscreen": _slope(
                x + s.screen_round * bow,
                z,
                (s.cowl_x, s.cowl_z),
                (s.roof_front_x, s.height - s.roof_crown),
                0.025,
            ),
            "backlight": _slope(
                -x + 0.7 * s.tail_round * bow,
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


def arch_wall_y(body: Body) -> float:
    """y of the inner wall of the wheel arches."""
    return body.half - 0.42


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


def _curve(points: list[tuple[float, float]]) -> PchipInterpolator:
    """A smooth curve through points that goes on level beyond the last ones."""
    points = sorted(points)
    inner = PchipInterpolator([p[0] for p in points], [p[1] for p in points], extrapolate=False)
    low, high = points[0], points[-1]

    def curve(x: np.ndarray, derivative: int = 0) -> np.ndarray:
        inside = np.clip(x, low[0], high[0])
        return inner(inside, derivative) * ((x == inside) if derivative else 1)

    return curve


class _Profiles:
    """Functions of one coordinate, tabulated side by side: reading many costs little more than
    reading one."""

    def __init__(self, functions: dict[str, Profile], low: float, high: float) -> None:
        self.places = np.linspace(low, high, 768)
        self._scale = 767 / (high - low)
        self._rows: dict[str, int] = {}
        self._table = np.empty((0, 768), dtype=np.float32)
        self._steps = self._table
        for name, function in functions.items():
            self.add(name, function(self.places))

    def add(self, name: str, values: np.ndarray) -> None:
        """Another function by its values at ``places``."""
        self._rows[name] = len(self._table)
        steps = np.diff(values, append=values[-1])
        self._table = np.vstack([self._table, values.astype(np.float32)])
        self._steps = np.vstack([self._steps, steps.astype(np.float32)])

    def at(self, x: np.ndarray) -> Reading:
        """What gives each function's value at x by name; beyond the ends they stay level."""
        place = np.clip((x - self.places[0]) * self._scale, 0, 767)
        index = place.astype(np.int64)
        place -= index
        values = self._steps.take(index, axis=1, mode="clip") * place
        values += self._table.take(index, axis=1, mode="clip")
        return lambda name: values[self._rows[name]]
