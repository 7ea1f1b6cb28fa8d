"""One image from its description: pixels, labels and record, in memory and then on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri import camera
from pamtri.record import Calibration, Record, Viewpoint
from synth.geometry import SceneGeometry, build_geometry
from synth.labels import label_scene
from synth.scene import SceneSpec
from synth.sensor import apply_sensor, encode_jpeg

FOLDERS = ("images", "masks", "segments")
PART_SUFFIX = ".part"
"""Ends the names of files that are being written."""


class Renderer(Protocol):
    """Anything that makes a picture of a scene."""

    def render(self, spec: SceneSpec, geometry: SceneGeometry) -> NDArray[np.uint8]:
        """The (h, w, 3) sRGB picture before the sensor's effects."""
        ...


@dataclass(frozen=True, eq=False)
class RenderedImage:
    """What is written of one image."""

    jpeg: bytes
    mask: NDArray[np.uint8]
    """(h, w): 255 where the vehicle is visible."""
    segment_mask: NDArray[np.uint8]
    """(h, w): 1 + segment index where that segment is visible."""
    record: Record


OpenRenderer = Callable[[str, int, str, int], Renderer]
"""Makes a renderer as ``open_renderer`` does."""


def open_renderer(name: str, threads: int, device: str = "auto", slot: int = 0) -> Renderer:
    """The renderer ``blender`` or ``raster``, imported only now, on so many threads.

    ``device`` is ``auto``, ``cpu`` or ``gpu``; of several GPUs it takes number ``slot``, counted
    round. The raster renderer takes what OpenGL offers.
    """
    if name == "raster":
        from synth.raster import RasterRenderer

        return RasterRenderer()
    from synth.blender.renderer import BlenderRenderer

    return BlenderRenderer(device, threads, slot)


def render_image(spec: SceneSpec, renderer: Renderer) -> RenderedImage:
    """Render and label one scene."""
    geometry = build_geometry(spec)
    labels = label_scene(spec, geometry)
    picture = apply_sensor(renderer.render(spec, geometry), spec.sensor)
    view, vehicle = spec.camera, spec.vehicle
    stand = camera.viewpoint_from_pose(view.pose)
    image, mask, segment_mask = image_names(spec.index)
    record = Record(
        image=image,
        domain="synthetic",
        width=view.width,
        height=view.height,
        split=spec.split,
        identity=vehicle.identity,
        camera=view.id,
        frame=spec.index,
        colour=vehicle.colour,
        type=vehicle.type,
        style=vehicle.style,
        box=labels.box,
        box_amodal=labels.box_amodal,
        keypoints=labels.keypoints,
        mask=mask,
        segment_mask=segment_mask,
        occlusion=labels.occlusion,
        truncation=labels.truncation,
        viewpoint=Viewpoint(
            azimuth_deg=np.degrees(stand.azimuth) % 360,
            elevation_deg=np.degrees(stand.elevation),
            roll_deg=np.degrees(stand.roll),
            distance_m=stand.distance,
        ),
        calibration=Calibration.of(view.intrinsics, view.pose),
        scene=spec.model_dump(mode="json"),
    )
    return RenderedImage(
        jpeg=encode_jpeg(picture, spec.sensor.jpeg_quality),
        mask=np.where(labels.mask, 255, 0).astype(np.uint8),
        segment_mask=labels.segment_mask,
        record=record,
    )


def image_names(index: int) -> tuple[str, str, str]:
    """Where image ``index``, its mask and its segment mask lie in the data set's folder."""
    return f"images/{index:06d}.jpg", f"masks/{index:06d}.png", f"segments/{index:06d}.png"


def write_image(root: Path, rendered: RenderedImage) -> None:
    """Write the image and its masks, each whole or not at all."""
    record = rendered.record
    _write_whole(root / record.image, rendered.jpeg)
    _write_whole(root / str(record.mask), _encode_png(rendered.mask))
    _write_whole(root / str(record.segment_mask), _encode_png(rendered.segment_mask))


def _encode_png(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def _write_whole(path: Path, data: bytes) -> None:
    # The process's number keeps apart what two writers of the same image have under way.
    temporary = path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")
    temporary.write_bytes(data)
    temporary.replace(path)
