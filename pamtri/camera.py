"""Camera geometry, and the one place where the project's conventions are stated.

Frames
    Vehicle frame: right-handed, metres, x forward, y left, z up, origin on the ground midway
    between the axles. Camera frame: OpenCV's, x right, y down, z forward. A ``Pose`` maps vehicle
    (or world) to camera coordinates: ``camera = rotation @ vehicle + translation``.

Pixels
    Continuous. (0, 0) is the top-left corner of the image, so the first pixel's centre is
    (0.5, 0.5) and an image of ``width`` pixels spans 0..width. Integer pixel indices of other
    formats become ``index + 0.5``.

Viewpoint
    Azimuth is the angle of the camera about the vehicle's z axis: 0 when the camera looks at the
    vehicle's front, 90 degrees when it looks at its left side, 180 at its rear. Elevation is the
    angle above the horizon. Positive roll turns the picture's content clockwise.
    Radians in code, degrees where a name ends in ``_deg``.

Skew
    Pixels that an image is sheared to the right by at normalised height 1 below the axis. A rolling
    shutter shears the image of what passes by: it reads the lower rows later.

Lens distortion
    Brown-Conrady with OpenCV's order (k1, k2, p1, p2, k3): D. Brown, "Decentering distortion of
    lenses", Photogrammetric Engineering 32(3), 1966.

A drawing of all this is in ``docs/conventions.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri.errors import DataError

Array = NDArray[np.float64]
NO_DISTORTION = (0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole with lens distortion: focal lengths and principal point in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float] = NO_DISTORTION
    skew: float = 0.0

    @property
    def matrix(self) -> Array:
        """(3, 3) calibration matrix, without the distortion."""
        return np.array([[self.fx, self.skew, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def crop(self, left: float, top: float) -> Intrinsics:
        """The same camera after its image is cut so that (left, top) becomes the corner (0, 0)."""
        return replace(self, cx=self.cx - left, cy=self.cy - top)

    def resize(self, scale_x: float, scale_y: float) -> Intrinsics:
        """The same camera after its image's width and height are multiplied by the scales."""
        return replace(
            self,
            fx=self.fx * scale_x,
            fy=self.fy * scale_y,
            cx=self.cx * scale_x,
            cy=self.cy * scale_y,
            skew=self.skew * scale_x,
        )


@dataclass(frozen=True, eq=False)
class Pose:
    """A rigid map into the camera frame: ``rotation`` (3, 3), ``translation`` (3,) in metres."""

    rotation: Array
    translation: Array

    def apply(self, points: ArrayLike) -> Array:
        """(n, 3) points to camera coordinates (n, 3)."""
        return np.asarray(points, dtype=float) @ self.rotation.T + self.translation

    def inverse(self) -> Pose:
        """The map from camera coordinates back."""
        return Pose(self.rotation.T, -self.rotation.T @ self.translation)

    def then(self, after: Pose) -> Pose:
        """This map followed by ``after``."""
        return Pose(
            after.rotation @ self.rotation, after.rotation @ self.translation + after.translation
        )

    @property
    def centre(self) -> Array:
        """(3,) position of the camera in the vehicle (or world) frame, metres."""
        return -self.rotation.T @ self.translation


@dataclass(frozen=True)
class Viewpoint:
    """Where a camera stands about a target: angles in radians, distance in metres."""

    azimuth: float
    elevation: float
    roll: float
    distance: float


def distort(points: ArrayLike, distortion: tuple[float, ...]) -> Array:
    """Apply lens distortion to (n, 2) normalised image points (x/z, y/z)."""
    k1, k2, p1, p2, k3 = distortion
    x, y = np.asarray(points, dtype=float).T
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=1,
    )


def _distortion_jacobian(points: Array, distortion: tuple[float, ...]) -> Array:
    """(n, 2, 2) derivative of ``distort`` at (n, 2) normalised points."""
    k1, k2, p1, p2, k3 = distortion
    x, y = points.T
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = k1 + r2 * (2 * k2 + 3 * k3 * r2)  # d radial / d r2
    cross = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y
    jacobian = np.empty((len(points), 2, 2))
    jacobian[:, 0, 0] = radial + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x
    jacobian[:, 0, 1] = cross
    jacobian[:, 1, 0] = cross
    jacobian[:, 1, 1] = radial + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x
    return jacobian


def undistort(points: ArrayLike, distortion: tuple[float, ...], iterations: int = 20) -> Array:
    """Invert ``distort`` for (n, 2) points by Newton's method.

    Raises DataError where the lens model has no inverse (distortion too strong for the point).
    """
    target = np.asarray(points, dtype=float)
    if not any(distortion):
        return target.copy()
    guess = target.copy()
    for _ in range(iterations):
        residual = distort(guess, distortion) - target
        if np.abs(residual).max(initial=0.0) < 1e-14:
            break
        jacobian = _distortion_jacobian(guess, distortion)
        guess -= _solve_pairs(jacobian, residual)
    missed = np.abs(distort(guess, distortion) - target).max(initial=0.0)
    # Past the fold the image turns back: an eigenvalue of the (symmetric) derivative is negative.
    (a, b), (c, d) = _distortion_jacobian(guess, distortion).transpose(1, 2, 0)
    folded = (a + d <= 0) | (a * d - b * c <= 0)
    if not missed < 1e-10 or folded.any():
        raise DataError(f"lens distortion {distortion} cannot be inverted over the whole image")
    return guess


def _solve_pairs(matrices: Array, right: Array) -> Array:
    """Cramer's rule for (n, 2, 2) and (n, 2), many times faster than LAPACK on such small systems.

    A singular matrix, as on the fold itself, gives a long but finite step.
    """
    (a, b), (c, d) = matrices.transpose(1, 2, 0)
    x, y = right.T
    determinant = a * d - b * c
    determinant = np.where(np.abs(determinant) < 1e-9, 1e-9, determinant)
    return np.stack([x * d - b * y, a * y - x * c], axis=1) / determinant[:, None]


def project(points: ArrayLike, pose: Pose, intrinsics: Intrinsics) -> tuple[Array, Array]:
    """Project (n, 3) points: pixels (n, 2) and depths (n,) along the optical axis, metres.

    Points at or behind the camera (depth <= 0) get NaN pixels.
    """
    camera = pose.apply(points)
    depth = camera[:, 2]
    safe = np.where(depth > 0, depth, np.nan)
    normalised = distort(camera[:, :2] / safe[:, None], intrinsics.distortion)
    pixels = normalised * [intrinsics.fx, intrinsics.fy] + [intrinsics.cx, intrinsics.cy]
    if intrinsics.skew:
        pixels[:, 0] += intrinsics.skew * normalised[:, 1]
    return pixels, depth


def rays(pixels: ArrayLike, intrinsics: Intrinsics) -> Array:
    """(n, 3) directions in the camera frame, scaled to depth 1, through (n, 2) pixels."""
    normalised = (np.asarray(pixels, dtype=float) - [intrinsics.cx, intrinsics.cy]) / [
        intrinsics.fx,
        intrinsics.fy,
    ]
    if intrinsics.skew:
        normalised[:, 0] -= intrinsics.skew / intrinsics.fx * normalised[:, 1]
    plane = undistort(normalised, intrinsics.distortion)
    return np.concatenate([plane, np.ones((len(plane), 1))], axis=1)


def unproject(pixels: ArrayLike, depth: ArrayLike, pose: Pose, intrinsics: Intrinsics) -> Array:
    """Invert ``project``: (n, 2) pixels at (n,) depths to (n, 3) points."""
    camera = rays(pixels, intrinsics) * np.asarray(depth, dtype=float)[:, None]
    return pose.inverse().apply(camera)


def look_at(eye: ArrayLike, target: ArrayLike, roll: float = 0.0) -> Pose:
    """A camera at ``eye`` (3,) that looks at ``target`` (3,), upright before ``roll`` (radians).

    Looking straight up or down, the vehicle's forward direction points up in the image.
    Raises DataError when eye and target coincide.
    """
    eye, target = np.asarray(eye, dtype=float), np.asarray(target, dtype=float)
    forward = target - eye
    distance = np.linalg.norm(forward)
    if distance == 0:
        raise DataError("a camera cannot look at the point where it stands")
    forward = forward / distance
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-9:
        right = np.array([0.0, np.sign(forward[2]), 0.0])
    right = right / np.linalg.norm(right)
    upright = np.stack([right, np.cross(forward, right), forward])
    c, s = np.cos(roll), np.sin(roll)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ upright
    return Pose(rotation, -rotation @ eye)


def pose_from_viewpoint(viewpoint: Viewpoint, target: ArrayLike = (0.0, 0.0, 0.0)) -> Pose:
    """The pose of a camera that stands at ``viewpoint`` about ``target`` and looks at it."""
    flat = np.cos(viewpoint.elevation)
    direction = np.array(
        [
            flat * np.cos(viewpoint.azimuth),
            flat * np.sin(viewpoint.azimuth),
            np.sin(viewpoint.elevation),
        ]
    )
    target = np.asarray(target, dtype=float)
    return look_at(target + viewpoint.distance * direction, target, viewpoint.roll)


def viewpoint_from_pose(pose: Pose, target: ArrayLike = (0.0, 0.0, 0.0)) -> Viewpoint:
    """Invert ``pose_from_viewpoint``; azimuth in [0, 2 pi), roll in (-pi, pi].

    Azimuth, elevation and distance come from where the camera stands, so they hold also for a
    camera that does not look exactly at the target; roll is relative to an upright one that does.
    """
    target = np.asarray(target, dtype=float)
    offset = pose.centre - target
    distance = float(np.linalg.norm(offset))
    upright = look_at(pose.centre, target).rotation
    turn = pose.rotation @ upright.T
    circle = 2 * np.pi
    return Viewpoint(
        # Twice, because a tiny negative angle modulo the circle rounds to the circle itself.
        azimuth=float(np.arctan2(offset[1], offset[0]) % circle % circle),
        elevation=float(np.arcsin(np.clip(offset[2] / distance, -1, 1))),
        roll=float(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])),
        distance=distance,
    )
