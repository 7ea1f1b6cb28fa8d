"""Cycles' camera from the project's."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from pamtri import camera
from synth.lens import Pinhole


def set_camera(scene: bpy.types.Scene, pose: camera.Pose, pinhole: Pinhole) -> None:
    """Point the scene's camera and set its size, focal length and principal point exactly."""
    lens, inner = scene.camera.data, pinhole.intrinsics
    width, height = pinhole.width, pinhole.height
    scene.render.resolution_x, scene.render.resolution_y = width, height
    # A pixel as wide as 1 / fx and as high as 1 / fy; Blender wants neither below 1.
    tall = inner.fx / inner.fy
    scene.render.pixel_aspect_x = max(1.0, 1 / tall)
    scene.render.pixel_aspect_y = max(1.0, tall)
    lens.sensor_fit = "HORIZONTAL"
    lens.sensor_width = 36.0
    lens.lens = inner.fx / width * lens.sensor_width
    lens.shift_x = (width / 2 - inner.cx) / width
    lens.shift_y = (inner.cy - height / 2) / width * tall
    # Blender's cameras look along -z with y up.
    rotation = pose.rotation.T @ np.diag([1.0, -1.0, -1.0])
    placed = np.eye(4)
    placed[:3, :3], placed[:3, 3] = rotation, pose.centre
    scene.camera.matrix_world = Matrix(placed.tolist())
