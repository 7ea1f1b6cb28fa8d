"""A flat map of one end of a body: where something drawn in (u, z) lies on the skin.

``u`` is the way along the skin from the middle plane at constant height (metres, positive to the
left, on around the corner to the side), ``z`` the height. What is drawn on the map bends with the
body, so lamps wrap around corners and nothing floats or sinks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from render_assets.body import FLAT_FRONT, Body
from render_assets.mesh import unit
from render_assets.solid import between

End = Literal["front", "rear"]
_STEP = 0.02
"""Metres between the map's columns."""
_BEHIND = 0.80
"""The skin is sought along rays from an axis this far inside the end, metres."""
FAR = 9.0
"""``u`` of what lies off the map."""


class Chart:
    """The map of the front or the rear of a body; see the module for (u, z)."""

    def __init__(self, body: Body, end: End) -> None:
        s = body.shape
        self.sign = 1.0 if end == "front" else -1.0
        self._axis = s.front_x - _BEHIND if end == "front" else s.body_rear_x + _BEHIND
        high = s.nose_z + 0.10 if end == "front" else s.height - 0.10
        if body.layout in FLAT_FRONT:
            high = s.height - 0.08
        self._top = (s.nose_z if end == "front" else s.tail_z) + 0.09
        low = s.clearance + 0.015
        rows = np.linspace(low, high, int(np.clip((high - low) / 0.03, 8, 36)))
        inner = np.zeros((len(rows), 3))
        inner[:, 0], inner[:, 2] = self._axis, rows
        inside = body.closed(inner) < -0.01
        first = int(np.argmax(inside))
        self.z = rows[first:][np.logical_and.accumulate(inside[first:])]
        self._theta = np.radians(np.linspace(0.0, 104.0, 38))
        fan = self._fan(body)
        step = np.linalg.norm(np.diff(fan[..., :2], axis=1), axis=2)
        self._u = np.concatenate([np.zeros((len(self.z), 1)), np.cumsum(step, axis=1)], axis=1)
        self.u = np.arange(0.0, float(np.median(self._u[:, -1])), _STEP)
        self._points = np.stack(
            [
                [np.interp(self.u, way, row[:, k]) for way, row in zip(self._u, fan, strict=True)]
                for k in range(3)
            ],
            axis=-1,
        )
        along = np.gradient(self._points, axis=1)
        across = np.gradient(self._points, axis=0)
        normals = np.cross(along, across) * self.sign
        self._normals = unit(normals.reshape(-1, 3)).reshape(normals.shape)

    def _fan(self, body: Body) -> np.ndarray:
        """(rows, angles, 3) where rays from the axis leave the body, one row a height."""
        cos, sin = np.cos(self._theta), np.sin(self._theta)
        wide = (body.half + 0.12) / np.maximum(sin, 1e-6)
        reach = np.minimum((_BEHIND + 0.12) / np.maximum(cos, 1e-6), wide)
        shape = (len(self.z), len(self._theta))

        def at(radius: np.ndarray) -> np.ndarray:
            x = self._axis + self.sign * radius * cos
            grid = [np.broadcast_to(v, shape) for v in (x, radius * sin, self.z[:, None])]
            return np.stack(grid, axis=-1).reshape(-1, 3)

        return between(body.closed, at(reach), at(0.02 * reach)).reshape(*shape, 3)

    def u_of(self, points: np.ndarray) -> np.ndarray:
        """(n,) u of points (n, 3) on the left half of the skin; ``FAR`` for what is off the map."""
        x = self.sign * (points[:, 0] - self._axis)
        theta = np.arctan2(np.maximum(points[:, 1], 0.0), x)
        u = _bilinear(
            self._u[..., None],
            (points[:, 2] - self.z[0]) / (self.z[1] - self.z[0]),
            theta / self._theta[1],
        )[:, 0]
        return np.where(theta > self._theta[-1], FAR, u)

    def at(self, flat: np.ndarray, out: float | np.ndarray = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, 3) at (u, z) ``flat`` (n, 2), ``out`` metres outside the skin, and the skin's
        normals (n, 3) there. Beyond the map's edge its border counts."""
        row = (flat[:, 1] - self.z[0]) / (self.z[1] - self.z[0])
        column = np.abs(flat[:, 0]) / _STEP
        points = _bilinear(self._points, row, column)
        normals = unit(_bilinear(self._normals, row, column))
        normals[flat[:, 0] == 0, 1] = 0.0
        points = points + np.reshape(out, (-1, 1)) * normals
        flip = np.stack([np.ones(len(flat)), np.where(flat[:, 0] < 0, -1, 1), np.ones(len(flat))])
        return points * flip.T, normals * flip.T

    def corner(self, z: float) -> float:
        """u where the end has turned half way to the side, at height z."""
        row = int(np.clip(np.searchsorted(self.z, z), 1, len(self.z) - 1))
        across, along = self._normals[row, :, 1], self._normals[row, :, 0]
        turned = np.abs(across) > 0.62 * np.hypot(across, along)
        return float(self.u[np.argmax(turned)]) if turned.any() else float(self.u[-1])

    def edge(self, u: np.ndarray, slope: float = 0.62) -> np.ndarray:
        """(n,) height above which the end, at u, leans back so far that its normal's z stays over
        ``slope``: the front edge of a bonnet or boot. Where it does not up to the top of the boot
        or bonnet, that top."""
        rows = int(np.searchsorted(self.z, self._top))
        steep = self._normals[:rows, :, 2] < slope
        last = rows - 1 - steep[::-1].argmax(axis=0)
        columns = np.arange(len(self.u))
        above = np.minimum(last + 1, rows - 1)
        low, high = self._normals[last, columns, 2], self._normals[above, columns, 2]
        part = np.clip((slope - low) / np.maximum(high - low, 1e-6), 0, 1)
        heights = self.z[last] + part * (self.z[above] - self.z[last])
        smooth = np.convolve(np.pad(heights, 4, mode="edge"), np.ones(9) / 9, mode="valid")
        return np.interp(np.abs(u), self.u, smooth)


def _bilinear(table: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """(n, k) values of a table (rows, columns, k) at fractional places, its border beyond it."""
    row = np.clip(row, 0, table.shape[0] - 1.001)
    column = np.clip(column, 0, table.shape[1] - 1.001)
    i, j = row.astype(int), column.astype(int)
    a, b = (row - i)[:, None], (column - j)[:, None]
    low = table[i, j] * (1 - b) + table[i, j + 1] * b
    return low * (1 - a) + (table[i + 1, j] * (1 - b) + table[i + 1, j + 1] * b) * a


@lru_cache(maxsize=8)
def chart(body: Body, end: End) -> Chart:
    """The map of one end, made once for each body."""
    return Chart(body, end)
