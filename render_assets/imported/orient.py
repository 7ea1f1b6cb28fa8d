"""Which way a mesh stands: its up, its front, its plane of symmetry, its size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from pamtri.attributes import VehicleType
from pamtri.errors import DataError
from render_assets.imported.features import FoundWheels, find_wheels, half_width, measure
from render_assets.imported.raw import RawMesh
from render_assets.imported.shape_model import TypeModel, load_models
from render_assets.imported.surface import Surface

AXES = ("+x", "-x", "+y", "-y", "+z", "-z")
"""Directions of the file, as Blender shows it."""
_UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
_MIRROR = 40.0
"""What a lopsided vehicle counts, for each part of its length, in units of the models' energy."""
_WHEELS = 2.0
"""The same for a vehicle without wheels."""
_CERTAIN = 3.0
"""What evidence from lamps counts, in the same units."""


@dataclass(frozen=True)
class Hints:
    """What the user knows; None is found out."""

    up: str | None = None
    forward: str | None = None
    length_m: float | None = None
    type: VehicleType | None = None


@dataclass(frozen=True, eq=False)
class Standing:
    """A mesh found to stand some way.

    ``rotation`` (3, 3) maps the file's axes to forward, left, up; unit frame = (rotation @ v -
    ``shift``) / ``length``. ``vector`` is the fitted one of the type's model.
    """

    rotation: np.ndarray
    shift: np.ndarray
    length: float
    type: VehicleType
    vector: np.ndarray
    energy: float
    wheels: FoundWheels | None


def direction(name: str) -> np.ndarray:
    """The unit vector (3,) of one of ``AXES``."""
    vector = np.zeros(3)
    vector["xyz".index(name[1])] = 1.0 if name[0] == "+" else -1.0
    return vector


def stand(
    mesh: RawMesh, hints: Hints, glass: np.ndarray | None, ends: tuple[np.ndarray, np.ndarray]
) -> Standing:
    """Find the rotation and the type under which the mesh looks most like a vehicle.

    ``glass`` (m,) bool marks windows where the materials tell; ``ends`` are two masks (m,) of
    faces that are surely head lamps and tail lamps. Raises DataError for a mesh without extent in
    some direction, or hints that contradict each other.
    """
    extent = np.ptp(mesh.vertices, axis=0)
    if extent.min() < 0.08 * extent.max():
        raise DataError(
            f"expected a vehicle, got a mesh of {extent[0]:.3g} x {extent[1]:.3g} x "
            f"{extent[2]:.3g} units, which is flat"
        )
    lopsided = _lopsided(mesh)
    best: Standing | None = None
    for rotation in _rotations(extent, hints):
        found = _judge(mesh, rotation, hints, glass, ends)
        found = replace(found, energy=found.energy + _MIRROR * lopsided @ np.abs(rotation[1]))
        if best is None or found.energy < best.energy:
            best = found
    if best is None:
        raise DataError(f"--up {hints.up} and --forward {hints.forward} lie on one axis")
    return best


def _lopsided(mesh: RawMesh) -> np.ndarray:
    """(3,) how far the mesh is from mirroring itself across each axis, as a share of its size."""
    step = max(1, len(mesh.faces) // 4000)
    points = mesh.vertices[mesh.faces].mean(axis=1).astype(np.float64)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    points, tree = points[::step] - (low + high) / 2, cKDTree(points - (low + high) / 2)
    size = float((high - low).max())
    off = [tree.query(points * np.where(np.arange(3) == k, -1, 1))[0] for k in range(3)]
    return np.minimum(np.array(off) / size, 0.05).mean(axis=1)


def _rotations(extent: np.ndarray, hints: Hints) -> list[np.ndarray]:
    """Forward along the longest side, and any up, unless hints say otherwise."""
    longest = int(extent.argmax())
    forwards = [hints.forward] if hints.forward else [a for a in AXES if "xyz"[longest] == a[1]]
    if not hints.forward and hints.up and hints.up[1] == "xyz"[longest]:
        forwards = [a for a in AXES if a[1] != hints.up[1]]
    ups = [hints.up] if hints.up else AXES
    found = []
    for forward, up in itertools.product(forwards, ups):
        if forward[1] != up[1]:
            ahead, above = direction(forward), direction(up)
            found.append(np.stack([ahead, np.cross(above, ahead), above]))
    return found


def _judge(
    mesh: RawMesh,
    rotation: np.ndarray,
    hints: Hints,
    glass: np.ndarray | None,
    ends: tuple[np.ndarray, np.ndarray],
) -> Standing:
    """How well the mesh, so turned, fits the best type's model."""
    turned = mesh.vertices.astype(np.float64) @ rotation.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    length = float(high[0] - low[0])
    shift = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    unit = (turned - shift) / length
    surface = Surface(unit, mesh.faces)
    measured = measure(surface, glass)
    fits = [(model, *model.fit(measured)) for model in _models(hints)]
    model, vector, energy = min(fits, key=lambda fit: fit[2])
    wheels = find_wheels(surface, half_width(surface))
    energy += 0.0 if wheels is not None else _WHEELS
    corners = unit[mesh.faces]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    for mask, sign in zip(ends, (1.0, -1.0), strict=True):
        at = float((corners[mask].mean(axis=1)[:, 0] * area[mask]).sum())
        energy -= _CERTAIN * sign * np.sign(at)
    return Standing(rotation, shift, length, model.type, vector, energy, wheels)


def _models(hints: Hints) -> Sequence[TypeModel]:
    return [m for m in load_models() if hints.type in (None, m.type)]


def real_length(standing: Standing, hints: Hints) -> tuple[float, str]:
    """The vehicle's length in metres, and how it was found.

    A unit of measure that makes it about as long as its shape suggests; else what its shape does.
    """
    if hints.length_m is not None:
        return hints.length_m, "given"
    expected = float(standing.vector[0])
    lengths = {name: standing.length * metres for name, metres in _UNITS.items()}
    name = min(lengths, key=lambda n: abs(np.log(lengths[n] / expected)))
    if abs(np.log(lengths[name] / expected)) < np.log(1.35):
        return lengths[name], name
    return expected, "shape"


def asymmetry(surface: Surface) -> float:
    """How far the outer surface is from its mirror image: the 80 % quantile, in its own units."""
    tree, _ = surface.shell()
    points = np.asarray(tree.data)[:: max(1, len(tree.data) // 3000)]
    distance, _ = cKDTree(np.asarray(tree.data)).query(points * [1, -1, 1])
    return float(np.quantile(distance, 0.8))
