"""One image from its description: pixels, labels and record, in memory and then on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri import camera
from pamtri.label_images import encode_depth, encode_normals, encode_png
from pamtri.record import Calibration, Record, Viewpoint
from synth.air import add_air
from synth.config import LabelConfig
from synth.geometry import SceneGeometry, build_geometry
from synth.labels import SceneLabels, label_scene
from synth.scene import SceneSpec
from synth.sensor import apply_sensor, encode_jpeg

_FOLDER_OF = {
    "mask": "masks",
    "mask_amodal": "masks_amodal",
    "segment_mask": "segments",
    "part_mask": "parts",
    "depth": "depth",
    "normals": "normals",
}
FOLDERS = ("images", *_FOLDER_OF.values())
USUAL_LABELS = LabelConfig()
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
    pictures: dict[str, NDArray[np.uint8] | NDArray[np.uint16]]
    """The label images by the record's field that names their file."""
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


def render_image(
    spec: SceneSpec, renderer: Renderer, wanted: LabelConfig = USUAL_LABELS
) -> RenderedImage:
    """Render and label one scene; ``wanted`` asks for labels beyond the usual ones."""
    geometry = build_geometry(spec)
    labels = label_scene(spec, geometry, wanted.normals)
    picture = add_air(renderer.render(spec, geometry), spec, geometry)
    picture = apply_sensor(picture, spec.sensor)
    view, vehicle = spec.camera, spec.vehicle
    stand = camera.viewpoint_from_pose(view.pose)
    pictures, depth_step = _label_pictures(labels, wanted)
    files: dict[str, Any] = {n: f"{_FOLDER_OF[n]}/{spec.index:06d}.png" for n in pictures}
    record = Record(
        image=image_name(spec.index),
        **{"mask_amodal": files["mask"], **files},
        depth_step_m=depth_step,
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
        pictures=pictures,
        record=record,
    )


def _label_pictures(
    labels: SceneLabels, wanted: LabelConfig
) -> tuple[dict[str, NDArray[np.uint8] | NDArray[np.uint16]], float | None]:
    """What is written besides the image, by the record's field, and the step of the depths.

    The whole vehicle's mask is left out where it is that of what is visible.
    """
    pictures: dict[str, NDArray[np.uint8] | NDArray[np.uint16]] = {
        "mask": labels.mask * np.uint8(255),
        "segment_mask": labels.segment_mask,
        "part_mask": labels.part_mask,
    }
    if labels.occlusion > 0:
        pictures["mask_amodal"] = labels.mask_amodal * np.uint8(255)
    step = None
    if wanted.depth:
        pictures["depth"], step = encode_depth(labels.depth)
    if labels.normals is not None:
        pictures["normals"] = encode_normals(labels.normals)
    return pictures, step


def image_name(index: int) -> str:
    """Where image ``index`` lies in the data set's folder."""
    return f"images/{index:06d}.jpg"


def write_image(root: Path, rendered: RenderedImage) -> None:
    """Write the image and its label images, each whole or not at all."""
    record = rendered.record
    _write_whole(root / record.image, rendered.jpeg)
    for name, picture in rendered.pictures.items():
        _write_whole(root / getattr(record, name), encode_png(picture))


def _write_whole(path: Path, data: bytes) -> None:
    # The process's number keeps apart what two writers of the same image have under way.
    temporary = path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")
    temporary.write_bytes(data)
    temporary.replace(path)
