"""Draws the sheets of ``docs/gallery.md``, with Blender: run ``python docs/gallery.py``.

Vehicles: the same as ``pamtri assets preview --rows type --individuals 8 --renderer blender
--cell 200 --view VIEW --output docs/gallery/VIEW.jpg`` for each view. Presets: 24 images spread
over the data set of each, as they are written.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np

from pamtri.config import load_config
from pamtri.draw import contact_sheet
from pamtri.images import read_image
from pamtri.progress import progress
from synth.assets_preview import Look, preview_grid
from synth.assortment import Wanted, individual_grid
from synth.config import SynthConfig
from synth.images import open_renderer, render_image
from synth.sampling import sample_scene
from synth.showroom import VIEWS, Showing

FOLDER = Path(__file__).with_name("gallery")
CONFIGS = Path(__file__).parent.parent / "configs/synth"
SHEETS = ("front-left", "side", "rear-right", "high")
PRESETS = ("traffic_camera", "night_rain", "dealer_photo", "domain_randomization", "quickstart")
_COLUMNS, _ROWS, _CELL = 6, 4, 200


def draw_vehicles() -> None:
    """One sheet a view, of the same vehicles."""
    grid = individual_grid(Wanted(), "type", 8)
    for view in SHEETS:
        look = Look("blender", 0, Showing(*VIEWS[view], width=200))
        preview_grid(grid, look, FOLDER / f"{view}.jpg")


def draw_preset(name: str) -> None:
    """One sheet of a preset's images."""
    config = load_config(CONFIGS / f"{name}.yaml", SynthConfig)
    renderer = open_renderer("blender", 0)
    count = _COLUMNS * _ROWS
    images: list[np.ndarray] = []
    with progress(count, name) as bar:
        for k in range(count):
            scene = sample_scene(config, config.seed, k * config.count // count)
            images.append(read_image(io.BytesIO(render_image(scene, renderer).jpeg)))
            bar.update()
    sheet = cv2.cvtColor(contact_sheet(images, _COLUMNS, _CELL), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(FOLDER / f"{name}.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])


def main() -> None:
    """All sheets."""
    draw_vehicles()
    for name in PRESETS:
        draw_preset(name)


if __name__ == "__main__":
    main()
