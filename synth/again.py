"""One image once more from its stored scene: as it was, larger, or with more samples."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

from pamtri.errors import DataError
from synth.images import open_renderer, render_image
from synth.scene import CameraSpec, SceneSpec, SensorSpec


def render_again(
    spec: SceneSpec, renderer: str, output: Path, size: int | None, samples: int | None
) -> None:
    """Render ``spec`` into the JPEG file ``output``: the original's bytes where nothing changes.

    ``size`` is the longer side in pixels. Raises DataError for a scene that cannot be rendered.
    """
    if size is not None:
        spec = enlarged(spec, size)
    if samples is not None:
        spec = spec.model_copy(update={"samples": samples})
    opened = open_renderer(renderer, len(os.sched_getaffinity(0)))
    try:
        made = render_image(spec, opened)
    except Exception as error:
        raise DataError(
            f"image {spec.index} cannot be rendered: {type(error).__name__}: {error}"
        ) from error
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(made.jpeg)


def enlarged(spec: SceneSpec, size: int) -> SceneSpec:
    """The same view with ``size`` pixels on its longer side.

    What the sensor does over a length in pixels (``blur_px``) grows with the picture.
    """
    view = spec.camera
    scale = size / max(view.width, view.height)
    if scale == 1:
        return spec
    lens = asdict(view.intrinsics.resize(scale, scale))
    sides = {n: max(1, round(getattr(view, n) * scale)) for n in ("width", "height")}
    sensor = {
        name: getattr(spec.sensor, name) * scale
        for name in SensorSpec.model_fields
        if name.endswith("_px")
    }
    return spec.model_copy(
        update={
            "camera": CameraSpec(**view.model_dump() | lens | sides),
            "sensor": spec.sensor.model_copy(update=sensor),
        }
    )
