"""Labelled contact sheets: of a configuration's scenes, rendered now, or of a data set on disk."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.draw import contact_sheet, draw_labels, fit_scale
from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.images import read_image
from pamtri.progress import progress
from pamtri.record import Record
from synth.config import SynthConfig
from synth.images import open_renderer, render_image
from synth.sampling import sample_scene

CELL = 320
"""Longer side of each image on the sheet, pixels."""
Labelled = tuple[NDArray[np.uint8], Record]


def preview_config(config: SynthConfig, output: Path, count: int, columns: int) -> None:
    """Render ``count`` scenes spread over those of ``config`` and write their sheet."""
    cores = len(os.sched_getaffinity(0))
    renderer = open_renderer(config.renderer, cores, config.device)
    images: list[Labelled] = []
    with progress(min(count, config.count), "preview") as bar:
        for index in _spread(config.count, count):
            rendered = render_image(sample_scene(config, config.seed, index), renderer)
            images.append((read_image(io.BytesIO(rendered.jpeg)), rendered.record))
            bar.update()
    _write_sheet(images, output, columns)


def preview_dataset(root: Path, output: Path, count: int, columns: int) -> None:
    """Write the sheet of ``count`` images spread over the data set in ``root``."""
    dataset = open_dataset(root)
    images = []
    for index in _spread(len(dataset), count):
        record = dataset.records[index]
        images.append((read_image(dataset.image_path(record)), record))
    if not images:
        raise DataError(f"{root}: holds no images")
    _write_sheet(images, output, columns)


def _spread(total: int, count: int) -> list[int]:
    """``count`` indices, evenly over 0..total - 1; all where there are fewer."""
    count = min(count, total)
    return [i * total // count for i in range(count)]


def _write_sheet(images: Sequence[Labelled], output: Path, columns: int) -> None:
    drawn = [draw_labels(image, record, scale=fit_scale(image, CELL)) for image, record in images]
    sheet = contact_sheet(drawn, columns, CELL)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes())
