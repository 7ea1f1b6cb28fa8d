"""Pictures of one vehicle from four sides with its keypoints and segments."""

from __future__ import annotations

import io
import re
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.draw import contact_sheet, draw_labels
from pamtri.errors import DataError
from pamtri.images import read_image
from pamtri.keypoints import NAMES, Visibility
from render_assets.spec import AnyVehicleSpec
from synth.camera_config import CameraConfig, FramingConfig, ImageConfig
from synth.distributions import always
from synth.images import Renderer, render_image
from synth.scene import BackdropSpec, GroundSpec, LightSpec, SceneSpec
from synth.streams import Streams
from synth.viewing import sample_camera

CELL = 640
"""Width of each of the four pictures, pixels."""
_AZIMUTHS = (0.0, 90.0, 180.0, 270.0)
_ELEVATION = 8.0
_DISTANCE = 14.0
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_overlay(vehicle: AnyVehicleSpec, output: Path) -> None:
    """Draw a vehicle from its front, left, rear and right with the raster renderer.

    Raises UserError where there is no OpenGL or the picture cannot be written.
    """
    from synth.raster import RasterRenderer  # OpenGL starts only where it is needed

    with closing(RasterRenderer()) as renderer:
        views = [_view(vehicle, azimuth, renderer) for azimuth in _AZIMUTHS]
    sheet = contact_sheet(views, 2, CELL)
    png = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()
    try:
        output.write_bytes(png)
    except OSError as error:
        raise DataError(f"{output}: cannot be written: {error.strerror}") from None


def _view(vehicle: AnyVehicleSpec, azimuth_deg: float, renderer: Renderer) -> NDArray[np.uint8]:
    camera = CameraConfig(
        azimuth_deg=always(azimuth_deg),
        elevation_deg=always(_ELEVATION),
        distance_m=always(_DISTANCE),
        framing=FramingConfig(margin=always(0.04)),
    )
    image = ImageConfig(size_px=always(float(CELL)))
    scene = SceneSpec(
        seed=0,
        index=0,
        split="train",
        vehicle=vehicle,
        camera=sample_camera(camera, image, Streams((0, 0)), vehicle, None),
        light=LightSpec(hdri="city.exr", rotation_deg=0.0, strength=1.0),
        ground=GroundSpec(kind="flat", colour=(0.2, 0.2, 0.2), roughness=1.0),
        backdrop=BackdropSpec(kind="flat", colour=(0.6, 0.6, 0.6)),
    )
    rendered = render_image(scene, renderer)
    picture = read_image(io.BytesIO(rendered.jpeg))
    record = rendered.record
    assert record.keypoints is not None
    seen = re.sub("[^v]", Visibility.TRUNCATED, record.keypoints.visibility)
    points = record.keypoints.model_copy(update={"visibility": seen})
    picture = draw_labels(picture, record.model_copy(update={"keypoints": points}), box=False)
    for name, (x, y), letter in zip(NAMES, points.xy, seen, strict=True):
        if letter == Visibility.VISIBLE:
            place = int(x) + 6, int(y) - 5
            text = name.partition("_")[2]
            for width, shade in ((3, (255, 255, 255)), (1, (0, 0, 0))):
                cv2.putText(picture, text, place, _FONT, 0.35, shade, width, cv2.LINE_AA)
    return picture
