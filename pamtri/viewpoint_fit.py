"""Viewpoint and shape refined together: Levenberg-Marquardt over many images at once.

A camera is described by rotation, ``shift`` (where the vehicle's origin would be seen, were there
no perspective), ``size`` (of a vehicle length at the origin's distance) and ``nearness`` (vehicle
lengths over the distance along the axis, so that 0 is the weak perspective of a lens far off)::

    seen = (size * (R @ X)[:2] + shift) / (1 + nearness * (R @ X)[2])

which is a pinhole of focal length ``size / nearness``. Where the focal length is known, it ties the
two; else nearness has a prior: crops hardly tell it, and the angles hardly depend on it.
Errors count with Cauchy's loss, so that a point that is far off pulls no more. Image coordinates
are normalised as in ``pamtri.viewpoint_search``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri.viewpoint_search import NEARNESS, Hypotheses
from pamtri.viewpoint_shapes import load_shapes

NETWORK_NOISE = 0.02
"""Expected error of a point, as a share of the extent of the image's points."""
_NEARNESS_SPREAD = 0.08
_NEARNESS_TIED = 0.002
_LEAST_NEARNESS, _MOST_NEARNESS = 0.02, 0.6
_ELEVATION, _ELEVATION_SPREAD = np.sin(np.radians(10.0)), np.sin(np.radians(20.0))
_ROLL_SPREAD = np.sin(np.radians(8.0))
_CAUCHY = 2.0
"""Error, in expected errors, from which a point begins to lose its say."""
_STEPS = 10
_VIEW = 7
"""Numbers that move the camera: three of rotation, two of shift, size and nearness."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Views:
    """m fitted views; see the module's text."""

    rotation: Array
    """(m, 3, 3)."""
    shift: Array
    """(m, 2)."""
    size: Array
    """(m,)."""
    nearness: Array
    """(m,)."""
    latents: Array
    """(m, k) of the shape."""
    type: NDArray[np.int64]
    """(m,) position in ``pamtri.attributes.TYPES``."""
    energy: Array
    """(m,) minus the logarithm of how likely the view is, up to a constant."""

    def only(self, index: NDArray[np.int64]) -> Views:
        """Some of the views."""
        return Views(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class _Problem:
    """What the views are fitted to, a row a view."""

    points: Array
    weights: Array
    spread: Array
    """(m, 36) expected errors."""
    focal: Array
    """(m,), NaN where unknown."""


def refine(points: Array, weights: Array, focal: Array, start: Hypotheses) -> Views:
    """The best refined view of each of n images; ``points`` (n, 36, 2), ``weights`` (n, 36)."""
    images, count = start.size.shape
    shapes = load_shapes()
    kind = start.type.reshape(-1)
    spread = np.hypot(NETWORK_NOISE, shapes.noise[kind] * start.size.reshape(-1, 1))
    problem = _Problem(
        points=np.repeat(points, count, axis=0),
        weights=np.repeat(weights, count, axis=0),
        spread=spread,
        focal=np.repeat(focal, count),
    )
    size = start.size.reshape(-1)
    views = Views(
        rotation=start.rotation.reshape(-1, 3, 3),
        shift=start.shift.reshape(-1, 2),
        size=size,
        nearness=_inside(np.where(np.isnan(problem.focal), NEARNESS, size / problem.focal)),
        latents=np.zeros((len(kind), shapes.modes.shape[1])),
        type=kind,
        energy=np.full(len(kind), np.inf),
    )
    views = _descend(problem, views)
    best = views.energy.reshape(images, count).argmin(axis=1)
    return views.only(np.arange(images) * count + best)


def seen(views: Views) -> Array:
    """(m, 36, 2) where the views' own points are seen."""
    return _project(views, _turned(views))[0]


def camera_centres(views: Views) -> Array:
    """(m, 3) vehicle lengths, in the vehicle's frame."""
    flat = views.shift / views.size[:, None]
    translation = np.concatenate([flat, 1 / views.nearness[:, None]], axis=1)
    return -np.einsum("mji,mj->mi", views.rotation, translation)


def _descend(problem: _Problem, views: Views) -> Views:
    damping = np.full(len(views.size), 1e-2)
    views = replace(views, energy=_energy(problem, views))
    for _ in range(_STEPS):
        normal, gradient = _linearised(problem, views)
        diagonal = np.einsum("mii->mi", normal)
        diagonal += damping[:, None] * diagonal + 1e-9  # writes into ``normal``
        step = -np.linalg.solve(normal, gradient[..., None])[..., 0]
        tried = _moved(views, step)
        tried = replace(tried, energy=_energy(problem, tried))
        better = tried.energy < views.energy
        views = _choose(better, tried, views)
        damping = np.where(better, damping * 0.2, damping * 8)
    return views


def _turned(views: Views) -> Array:
    """(m, 36, 3) the shapes in the camera's axes."""
    shapes = load_shapes()
    flat = shapes.modes.reshape(*shapes.modes.shape[:2], -1)[views.type]
    points = shapes.mean[views.type] + (views.latents[:, None] @ flat).reshape(-1, 36, 3)
    return points @ views.rotation.transpose(0, 2, 1)


def _project(views: Views, turned: Array) -> tuple[Array, Array]:
    """Image points (m, 36, 2), and how much farther than the origin they are (m, 36)."""
    depth = np.maximum(1 + views.nearness[:, None] * turned[..., 2], 0.05)
    flat = views.size[:, None, None] * turned[..., :2] + views.shift[:, None]
    return flat / depth[..., None], depth


def _energy(problem: _Problem, views: Views) -> Array:
    image, _ = _project(views, _turned(views))
    error = ((image - problem.points) ** 2).sum(axis=-1) / problem.spread**2
    loss = _CAUCHY**2 / 2 * np.log1p(error / _CAUCHY**2) + 2 * np.log(problem.spread)
    prior, _ = _priors(problem, views)
    return (problem.weights * loss).sum(axis=-1) + (prior**2).sum(axis=-1) / 2


def _priors(problem: _Problem, views: Views) -> tuple[Array, Array]:
    """Residuals (m, 3 + k) of nearness, elevation, roll, latents, and their (m, 3 + k, 7 + k)
    derivatives."""
    m, k = views.latents.shape
    up = views.rotation[:, :, 2]
    tied = np.isfinite(problem.focal)
    focal = np.where(tied, problem.focal, 1.0)
    goal = np.where(tied, views.size / focal, NEARNESS)
    spread = np.where(tied, _NEARNESS_TIED, _NEARNESS_SPREAD)
    residual = np.concatenate(
        [
            np.stack(
                [
                    (views.nearness - goal) / spread,
                    (-up[:, 2] - _ELEVATION) / _ELEVATION_SPREAD,
                    up[:, 0] / _ROLL_SPREAD,
                ],
                axis=1,
            ),
            views.latents,
        ],
        axis=1,
    )
    slope = np.zeros((m, 3 + k, _VIEW + k))
    slope[:, 0, 6] = 1 / spread
    slope[:, 0, 5] = np.where(tied, -goal, 0.0) / spread  # size moves by its logarithm
    slope[:, 1, 0], slope[:, 1, 1] = -up[:, 1] / _ELEVATION_SPREAD, up[:, 0] / _ELEVATION_SPREAD
    slope[:, 2, 1], slope[:, 2, 2] = up[:, 2] / _ROLL_SPREAD, -up[:, 1] / _ROLL_SPREAD
    slope[:, 3:, _VIEW:] = np.eye(k)
    return residual, slope


def _linearised(problem: _Problem, views: Views) -> tuple[Array, Array]:
    """Normal matrices (m, 7 + k, 7 + k) and gradients (m, 7 + k) of the energy."""
    turned = _turned(views)
    image, depth = _project(views, turned)
    off = image - problem.points
    error = (off**2).sum(axis=-1) / problem.spread**2
    weight = problem.weights / problem.spread**2 / (1 + error / _CAUCHY**2)
    slope = _slopes(views, turned, image, depth)
    m, size = len(slope), slope.shape[-1]
    weighted = (slope * weight[..., None, None]).reshape(m, -1, size)
    flat = slope.reshape(m, -1, size)
    residual, prior = _priors(problem, views)
    across = prior.transpose(0, 2, 1)
    normal = weighted.transpose(0, 2, 1) @ flat + across @ prior
    pull = weighted.transpose(0, 2, 1) @ off.reshape(m, -1, 1) + across @ residual[..., None]
    return normal, pull[..., 0]


def _slopes(views: Views, turned: Array, image: Array, depth: Array) -> Array:
    """(m, 36, 2, 7 + k) how the image points move with each number of a view."""
    m, k = views.latents.shape
    by_flat = views.size[:, None] / depth  # of image x by camera x, and of image y by camera y
    by_depth = -image * (views.nearness[:, None] / depth)[..., None]  # of both by camera z
    x, y, z = np.moveaxis(turned, -1, 0)
    slope = np.zeros((m, turned.shape[1], 2, _VIEW + k))
    slope[..., 0] = by_depth * y[..., None]
    slope[..., 1, 0] -= by_flat * z
    slope[..., 1] = -by_depth * x[..., None]
    slope[..., 0, 1] += by_flat * z
    slope[..., 0, 2], slope[..., 1, 2] = -by_flat * y, by_flat * x
    slope[..., 0, 3] = slope[..., 1, 4] = 1 / depth
    slope[..., 5] = by_flat[..., None] * turned[..., :2]
    slope[..., 6] = -image * (z / depth)[..., None]
    modes = load_shapes().modes[views.type]
    moved = modes @ views.rotation[:, None].transpose(0, 1, 3, 2)  # (m, k, 36, 3)
    latent = moved[..., :2] * by_flat[:, None, :, None] + moved[..., 2:] * by_depth[:, None]
    slope[..., _VIEW:] = latent.transpose(0, 2, 3, 1)
    return slope


def _moved(views: Views, step: Array) -> Views:
    turn = np.clip(step[:, :3], -0.5, 0.5)
    return replace(
        views,
        rotation=_rotations(turn) @ views.rotation,
        shift=views.shift + step[:, 3:5],
        size=views.size * np.exp(np.clip(step[:, 5], -0.5, 0.5)),
        nearness=_inside(views.nearness + step[:, 6]),
        latents=views.latents + step[:, _VIEW:],
    )


def _inside(nearness: Array) -> Array:
    return np.clip(nearness, _LEAST_NEARNESS, _MOST_NEARNESS)


def _rotations(vectors: Array) -> Array:
    """(m, 3, 3) of rotation vectors (m, 3), by Rodrigues' formula."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = vectors.T
    cross = np.zeros((len(vectors), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -z, y, -x
    cross -= cross.transpose(0, 2, 1)
    square = cross @ cross
    half = np.sinc(angle / (2 * np.pi)) ** 2 / 2  # (1 - cos) / angle^2
    return np.eye(3) + np.sinc(angle / np.pi) * cross + half * square


def _choose(which: NDArray[np.bool_], a: Views, b: Views) -> Views:
    def pick(name: str) -> Any:
        first, second = getattr(a, name), getattr(b, name)
        return np.where(which.reshape(-1, *[1] * (first.ndim - 1)), first, second)

    return Views(*(pick(name) for name in Views.__dataclass_fields__))
