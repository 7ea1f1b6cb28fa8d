"""One wheel, placed four times into the arches of a body that has none."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from pamtri.errors import DataError
from render_assets.imported.features import body_height, half_width
from render_assets.imported.orient import Standing
from render_assets.imported.raw import RawMesh, copies, joined
from render_assets.imported.surface import Surface

_STATIONS = 240
_LEVELS = 90
_FAR = 3.0


@dataclass(frozen=True)
class _Opening:
    """A wheel arch in the unit frame: its middle, its highest point and where its lip is in y."""

    x: float
    top: float
    lip: float
    radius: float


def single_wheel(mesh: RawMesh) -> np.ndarray | None:
    """(m,) faces of the one object that is a wheel by name and shape; None unless there is one."""
    found = []
    for number, name in enumerate(mesh.objects):
        if not re.search(r"wheel|tyre|\btire", name.lower()):
            continue
        if re.search(r"spare|steering", name.lower()):
            continue
        faces = mesh.object == number
        points = mesh.vertices[mesh.faces[faces]].reshape(-1, 3)
        thin, middle, wide = np.sort(np.ptp(points, axis=0))
        if wide > 0 and middle > 0.85 * wide and 0.2 * wide < thin < 0.8 * wide:
            found.append(faces)
    return found[0] if len(found) == 1 else None


def with_wheels(
    body: RawMesh, wheel: RawMesh, standing: Standing, places: np.ndarray | None
) -> RawMesh:
    """``body`` and four copies of ``wheel``, in the body's axes and units.

    ``places`` (4, 3) are the wheels' centres there; None finds the arches. Raises DataError where
    there are none, or ``wheel`` is not round.
    """
    axis, radius, thickness, outward = _disc(wheel)
    centre = (wheel.vertices.min(axis=0) + wheel.vertices.max(axis=0)) / 2
    scale = 1.0
    if places is None:
        openings = _openings(body, standing)
        unit = radius / standing.length
        if not 0.04 < unit < 0.13:  # in units of its own
            scale = 0.87 * float(np.mean([o.radius for o in openings])) / unit
        places = _places(openings, scale * radius, scale * thickness, standing)
    left, up = standing.rotation[1], standing.rotation[2]
    placed = []
    for place in places:
        side = 1.0 if place @ left > standing.shift[1] else -1.0
        turn = _turn(axis, outward, side * left, up, mirrored=side < 0)
        placed.append((scale * turn, place - scale * turn @ centre))
    return joined([body, copies(wheel, placed)])


def _disc(wheel: RawMesh) -> tuple[int, float, float, float]:
    """A wheel's axis, radius, thickness, and on which side of the axis its face is (1 or -1)."""
    extent = np.ptp(wheel.vertices, axis=0)
    axis = int(extent.argmin())
    others = np.delete(extent, axis)
    if others.min() < 0.85 * others.max() or extent[axis] > 0.9 * others.max():
        raise DataError(
            f"--wheel: expected one round wheel, got a mesh of {extent[0]:.3g} x {extent[1]:.3g} x "
            f"{extent[2]:.3g} units"
        )
    radius = float(others.max() / 2)
    centre = (wheel.vertices.min(axis=0) + wheel.vertices.max(axis=0)) / 2
    angle = np.linspace(0, 2 * np.pi, 33)[:-1]
    u, v = (axis + 1) % 3, (axis + 2) % 3
    surface = Surface(wheel.vertices, wheel.faces)
    detail = {}
    for sign in (1.0, -1.0):
        rays = np.tile(centre, (3 * len(angle), 1))
        for k, share in enumerate((0.15, 0.3, 0.45)):
            ring = slice(k * len(angle), (k + 1) * len(angle))
            rays[ring, u] += share * radius * np.cos(angle)
            rays[ring, v] += share * radius * np.sin(angle)
        rays[:, axis] += sign * 3 * radius
        towards = np.zeros(3)
        towards[axis] = -sign
        distance, face = surface.cast(rays, towards)
        relief = float(np.ptp(distance[np.isfinite(distance)])) / radius
        detail[sign] = len(np.unique(face[face >= 0])) + relief
    # The back is plainer than the face.
    return axis, radius, float(extent[axis]), 1.0 if detail[1.0] >= detail[-1.0] else -1.0


def _turn(
    axis: int, outward: float, side: np.ndarray, up: np.ndarray, mirrored: bool
) -> np.ndarray:
    """(3, 3) that turns the wheel's face to ``side``, ``mirrored`` as right wheels mirror left."""
    ahead = np.cross(side, up)
    columns = np.zeros((3, 3))
    columns[:, axis] = outward * side
    columns[:, (axis + 1) % 3] = ahead
    columns[:, (axis + 2) % 3] = np.cross(columns[:, axis], ahead)
    if mirrored:
        columns[:, (axis + 1) % 3] = -ahead  # its partner, reflected in the vehicle's middle plane
    return columns


def _openings(body: RawMesh, standing: Standing) -> list[_Opening]:
    """The front and the rear arch of the left side: where the body's lower edge rises."""
    unit = (body.vertices @ standing.rotation.T - standing.shift) / standing.length
    surface = Surface(unit, body.faces)
    half, height = half_width(surface), body_height(surface)
    x = (np.arange(_STATIONS) + 0.5) / _STATIONS - 0.5
    z = (np.arange(_LEVELS) + 0.5) / _LEVELS * 0.6 * height
    grid = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1)
    sides = []
    for sign in (1.0, -1.0):
        origins = np.insert(grid.reshape(-1, 2), 1, sign * _FAR, axis=1)
        distance, _ = surface.cast(origins, np.array([0.0, -sign, 0.0]))
        sides.append(np.where(np.isfinite(distance), _FAR - distance, 0.0))
    depth = np.mean(sides, axis=0).reshape(_STATIONS, _LEVELS)
    there = depth > 0.82 * half
    edge = np.where(there.any(axis=1), z[there.argmax(axis=1)], np.nan)
    found = []
    for at in (x > 0.1, x < -0.1):
        opening = _rise(x[at], edge[at], float(np.nanmedian(edge[np.abs(x) < 0.1])))
        if opening is None:
            raise DataError(
                "no wheel arches were found to put --wheel into; say where with --wheel-at X,Y,Z "
                "for each of the four"
            )
        middle, top, radius = opening
        column, row = np.abs(x - middle).argmin(), np.abs(z - top - 0.01).argmin()
        found.append(_Opening(middle, top, float(depth[column, row]), radius))
    return found


def _rise(x: np.ndarray, edge: np.ndarray, sill: float) -> tuple[float, float, float] | None:
    """Middle, top and radius of the widest stretch where the edge is well above the sill."""
    top = float(np.nanquantile(edge, 0.97))
    if not top - sill > 0.03:
        return None
    high = np.flatnonzero(edge > sill + 0.5 * (top - sill))
    runs = [r for r in np.split(high, np.flatnonzero(np.diff(high) > 2) + 1) if len(r) > 4]
    inner = [r for r in runs if np.abs(x[r]).max() < 0.485]  # the bumpers' ends rise too
    if not inner:
        return None
    run = max(inner, key=len)
    return float(x[run].mean()), float(np.nanmax(edge[run])), float(np.ptp(x[run])) / 2 / 0.87


def _places(
    openings: list[_Opening], radius: float, thickness: float, standing: Standing
) -> np.ndarray:
    """(4, 3) the wheels' centres in the file's axes: under the arches' tops, inside their lips."""
    r, t = radius / standing.length, thickness / standing.length
    height = float(np.mean([o.top for o in openings])) - 1.12 * r
    unit = np.array(
        [(o.x, sign * (o.lip - 0.006 - t / 2), height) for o in openings for sign in (1.0, -1.0)]
    )
    return (unit * standing.length + standing.shift) @ standing.rotation
