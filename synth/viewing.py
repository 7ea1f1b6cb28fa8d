"""The camera of a scene: where it stands, and how its larger view is cut around the vehicle."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
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
    pose = _sample_pose(config, streams, float(np.linalg.norm(points, axis=1).max()))
    lens = camera.Intrinsics(1.0, 1.0, 0.0, 0.0)
    left, top, right, bottom = _sample_crop(config.framing, image, streams, points, pose, lens)
    k1 = streams.number("camera.distortion_k1", config.distortion_k1)
    if k1:
        reach = np.hypot(max(abs(left), abs(right)), max(abs(top), abs(bottom)))
        lens = camera.Intrinsics(
            1.0, 1.0, 0.0, 0.0, (max(k1, -_strongest_barrel(reach)), 0.0, 0.0, 0.0, 0.0)
        )
        left, top, right, bottom = _sample_crop(config.framing, image, streams, points, pose, lens)
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


def _sample_pose(config: CameraConfig, streams: Streams, radius: float) -> camera.Pose:
    """A camera that looks at the vehicle's origin, or past it by the off-axis angle."""
    nearest = radius / np.sin(np.radians(WIDEST_VIEW_DEG / 2))
    distance = max(streams.number("camera.distance_m", config.distance_m), nearest)
    if config.height_m is not None:
        height = streams.number("camera.height_m", config.height_m)
        elevation = np.arcsin(min(height / distance, np.sin(np.radians(89))))
    else:
        elevation = np.radians(streams.number("camera.elevation_deg", config.elevation_deg))
    viewpoint = camera.Viewpoint(
        azimuth=np.radians(streams.number("camera.azimuth_deg", config.azimuth_deg)),
        elevation=max(elevation, np.arcsin(LOWEST_CAMERA_M / distance)),
        roll=np.radians(streams.number("camera.roll_deg", config.roll_deg)),
        distance=distance,
    )
    off_axis = np.radians(streams.number("camera.off_axis_deg", config.off_axis_deg))
    towards = streams.rng("camera.off_axis_direction").uniform(0, 2 * np.pi)
    turn = Rotation.from_rotvec(off_axis * np.array([np.cos(towards), np.sin(towards), 0.0]))
    pose = camera.pose_from_viewpoint(viewpoint)
    return pose.then(camera.Pose(turn.as_matrix(), np.zeros(3)))


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


def _strongest_barrel(reach: float) -> float:
    """The -k1 up to which ``r (1 + k1 r^2)`` can be inverted at the distorted radius ``reach``.

    The map turns back at 2 / (3 sqrt(3 |k1|)); a fifth is kept in reserve.
    """
    return float((0.8 * 2 / (3 * reach)) ** 2 / 3)
