"""The camera of a scene: where it stands, and how its larger view is cut around the vehicle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from pamtri import camera
from render_assets.spec import AnyVehicleSpec
from render_assets.vehicle import build_vehicle
from synth.camera_config import CameraConfig, FramingConfig, ImageConfig
from synth.geometry import vehicle_vertices
from synth.scene import CameraSpec
from synth.streams import Streams

Array = NDArray[np.float64]
WIDEST_VIEW_DEG = 70.0
"""A camera steps back until the vehicle's bounding sphere fills no more than this."""
LOWEST_CAMERA_M = 0.3
"""Above the ground; a lower elevation is raised to it."""
FARTHEST_M = 300.0
"""Where a distance follows from something else, it ends here."""
SENSOR_WIDTH_MM = 36.0
"""To which ``camera.focal_mm`` refers: that of a full-frame camera."""


@lru_cache(maxsize=256)
def outline_points(vehicle: AnyVehicleSpec) -> Array:
    """(n, 3) corners of the vehicle's convex hull, metres in its frame."""
    points = vehicle_vertices(build_vehicle(vehicle))
    points = points[ConvexHull(points).vertices].astype(np.float64)
    points.setflags(write=False)
    return points


def sample_camera(
    config: CameraConfig,
    image: ImageConfig,
    streams: Streams,
    vehicle: AnyVehicleSpec,
    id: int | None,
) -> CameraSpec:
    """Draw a camera that sees ``vehicle``; ``id`` numbers a fixed camera."""
    points = outline_points(vehicle)
    pose = _sample_pose(config, streams, points)

    def crop(lens: camera.Intrinsics) -> tuple[float, float, float, float]:
        return _sample_crop(config.framing, image, streams, points, pose, lens)

    lens = _sample_lens(config, streams, crop)
    left, top, right, bottom = crop(lens)
    size = streams.number("image.size_px", image.size_px)
    focal = size / max(right - left, bottom - top)
    return CameraSpec(
        id=id,
        width=max(1, round(focal * (right - left))),
        height=max(1, round(focal * (bottom - top))),
        fx=focal,
        fy=focal,
        cx=-focal * left,
        cy=-focal * top,
        distortion=lens.distortion,
        rotation=pose.rotation.tolist(),
        translation=pose.translation.tolist(),
    )


def _sample_pose(config: CameraConfig, streams: Streams, points: Array) -> camera.Pose:
    """A camera that looks at the vehicle's origin, or past it by the off-axis angle."""
    azimuth = np.radians(streams.number("camera.azimuth_deg", config.azimuth_deg))
    roll = np.radians(streams.number("camera.roll_deg", config.roll_deg))
    elevation = _sample_elevation(config, streams)

    def pose_at(distance: float) -> camera.Pose:
        viewpoint = camera.Viewpoint(azimuth, elevation(distance), roll, distance)
        return camera.pose_from_viewpoint(viewpoint)

    pose = pose_at(_sample_distance(config, streams, points, pose_at))
    off_axis = np.radians(streams.number("camera.off_axis_deg", config.off_axis_deg))
    towards = streams.rng("camera.off_axis_direction").uniform(0, 2 * np.pi)
    turn = Rotation.from_rotvec(off_axis * np.array([np.cos(towards), np.sin(towards), 0.0]))
    return pose.then(camera.Pose(turn.as_matrix(), np.zeros(3)))


def _sample_elevation(config: CameraConfig, streams: Streams) -> Callable[[float], float]:
    """The elevation, radians, as a function of the distance: at a given height it depends on it."""
    if config.height_m is None:
        angle = np.radians(streams.number("camera.elevation_deg", config.elevation_deg))
        return lambda distance: float(max(angle, np.arcsin(LOWEST_CAMERA_M / distance)))
    height = max(streams.number("camera.height_m", config.height_m), LOWEST_CAMERA_M)
    return lambda distance: float(np.arcsin(min(height / distance, np.sin(np.radians(89)))))


def _sample_distance(
    config: CameraConfig,
    streams: Streams,
    points: Array,
    pose_at: Callable[[float], camera.Pose],
) -> float:
    """Metres; far enough to see all of the vehicle's ``points``."""
    radius = float(np.linalg.norm(points, axis=1).max())
    nearest = radius / float(np.sin(np.radians(WIDEST_VIEW_DEG / 2)))
    if config.apparent_size is not None:
        size = streams.number("camera.apparent_size", config.apparent_size)
        focal = streams.number("camera.focal_mm", config.focal_mm) / SENSOR_WIDTH_MM
        return _distance_at_size(points, pose_at, size / focal, nearest)
    if config.distance_lengths is not None:
        lengths = streams.number("camera.distance_lengths", config.distance_lengths)
        return max(min(lengths * float(np.ptp(points[:, 0])), FARTHEST_M), nearest)
    return max(streams.number("camera.distance_m", config.distance_m), nearest)


def _distance_at_size(
    points: Array, pose_at: Callable[[float], camera.Pose], size: float, nearest: float
) -> float:
    """Where the longer side of the box of ``points`` spans ``size`` at focal length 1."""

    def too_large(distance: float) -> float:
        lens = camera.Intrinsics(1.0, 1.0, 0.0, 0.0)
        pixels, _ = camera.project(points, pose_at(distance), lens)
        return float(np.ptp(pixels, axis=0).max()) - size

    if too_large(nearest) <= 0:
        return nearest
    if too_large(FARTHEST_M) >= 0:
        return FARTHEST_M
    return float(brentq(too_large, nearest, FARTHEST_M, xtol=1e-6))


def _sample_crop(
    config: FramingConfig,
    image: ImageConfig,
    streams: Streams,
    points: Array,
    pose: camera.Pose,
    lens: camera.Intrinsics,
) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the image in the larger view, at focal length 1."""
    pixels, _ = camera.project(points, pose, lens)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    extent = high - low
    sides = ("left", "top", "right", "bottom")
    room = {
        side: streams.number(f"camera.framing.margin.{side}", config.margin) * extent.max()
        for side in sides
    }
    if streams.happens("camera.framing.truncation_probability", config.truncation_probability):
        axis = streams.rng("camera.framing.truncation_side").integers(4)
        share = streams.number("camera.framing.truncation", config.truncation)
        room[sides[axis]] = -share * extent[axis % 2]
    low = low - np.array([room["left"], room["top"]])
    high = high + np.array([room["right"], room["bottom"]])
    if image.aspect == "square":
        missing = (high - low).max() - (high - low)
        low, high = low - missing / 2, high + missing / 2
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _sample_lens(
    config: CameraConfig,
    streams: Streams,
    crop: Callable[[camera.Intrinsics], tuple[float, float, float, float]],
) -> camera.Intrinsics:
    """Focal length 1 and the distortion, weaker where it could not be undone over the image."""
    straight = camera.Intrinsics(1.0, 1.0, 0.0, 0.0)
    k1 = streams.number("camera.distortion_k1", config.distortion_k1)
    k2 = streams.number("camera.distortion_k2", config.distortion_k2)
    if not (k1 or k2):
        return straight
    share = _steady_share(k1, k2, _reach(crop(straight)))
    while True:
        lens = replace(straight, distortion=(share * k1, share * k2, 0.0, 0.0, 0.0))
        if _reach(crop(lens)) <= _steady_reach(share * k1, share * k2):
            return lens
        share *= 0.8  # the image has grown beyond the straight one


def _reach(crop: tuple[float, float, float, float]) -> float:
    """Distance of the farthest corner from the optical axis."""
    left, top, right, bottom = crop
    return float(np.hypot(max(abs(left), abs(right)), max(abs(top), abs(bottom))))


def _steady_reach(k1: float, k2: float) -> float:
    """The radius out to which ``r (1 + k1 r^2 + k2 r^4)`` grows at least half as fast as ``r``.

    So far, before and after distortion, the lens can be undone with ease.
    """
    roots = np.roots([5 * k2, 3 * k1, 0.5])  # of the derivative less a half, as r^2
    squares = roots.real[(np.abs(roots.imag) < 1e-12) & (roots.real > 0)]
    if not len(squares):
        return np.inf
    square = float(squares.min())
    return float(np.sqrt(square) * min(1.0, 1 + square * (k1 + square * k2)))


def _steady_share(k1: float, k2: float, reach: float) -> float:
    """The largest share, up to 1, of both coefficients that is steady out to ``reach``."""
    low, high = 0.0, 1.0
    if _steady_reach(k1, k2) >= reach:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        steady = _steady_reach(middle * k1, middle * k2) >= reach
        low, high = (middle, high) if steady else (low, middle)
    return low
