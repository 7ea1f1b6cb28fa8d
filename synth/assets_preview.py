"""``pamtri assets preview``: pictures of many vehicles on one sheet, still or turning."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from pamtri.draw import Image
from pamtri.errors import ConfigError
from pamtri.progress import progress
from synth.assortment import Grid, Place
from synth.geometry import SceneGeometry, build_geometry
from synth.images import Renderer, open_renderer
from synth.overlays import overlay_keypoints, overlay_parts, overlay_segments
from synth.scene import SceneSpec
from synth.sheet import check_suffix, draw_sheet, write_sheet, write_turntable
from synth.showroom import Showing, show

Overlay = Callable[[Image, SceneSpec, SceneGeometry], Image]
OVERLAYS: dict[str, Overlay] = {
    "parts": overlay_parts,
    "segments": overlay_segments,
    "keypoints": overlay_keypoints,
}
"""In the order in which they are laid over a picture."""
FRAMES = 36
"""Pictures in a turn."""
MOST_TURNING = 24
"""Vehicles on a sheet that turns: more are slow to make and to load."""
_MANY = 48
"""Vehicles for which more processes are worth their start."""


@dataclass(frozen=True)
class Look:
    """How a sheet's pictures are made."""

    renderer: str
    seed: int
    showing: Showing
    overlays: tuple[str, ...] = ()


def preview_grid(grid: Grid, look: Look, output: Path, turntable: bool = False) -> None:
    """Render every vehicle of ``grid`` and write the sheet, or with ``turntable`` the film.

    Raises ConfigError for a file name of another kind, or too many vehicles to turn.
    """
    check_suffix(output, turntable)
    if turntable and grid.count > MOST_TURNING:
        raise ConfigError(
            f"--turntable: expected at most {MOST_TURNING} vehicles, got {grid.count}; choose some "
            "with --style, --type and --colour"
        )
    turns = [360 * i / FRAMES for i in range(FRAMES)] if turntable else [0.0]
    sheets = _render_sheets(grid, look, turns)
    if turntable:
        write_turntable(sheets, output)
    else:
        write_sheet(sheets[0], output)


def _render_sheets(grid: Grid, look: Look, turns_deg: Sequence[float]) -> list[Image]:
    """A sheet for each of the angles that the camera is turned on by."""
    sheets: list[list[Image]] = [[] for _ in turns_deg]
    with progress(grid.count * len(turns_deg), "preview") as bar:
        for pictures in _in_turn(grid, look, turns_deg):
            for sheet, picture in zip(sheets, pictures, strict=True):
                sheet.append(picture)
            bar.update(len(turns_deg))
    captions = [] if grid.columns else [[_caption(place) for place in row] for row in grid.places]
    ends = np.cumsum([0] + [len(row) for row in grid.places]).tolist()
    return [
        draw_sheet([sheet[a:b] for a, b in pairwise(ends)], grid.rows, grid.columns, captions)
        for sheet in sheets
    ]


def _in_turn(grid: Grid, look: Look, turns_deg: Sequence[float]) -> Iterator[list[Image]]:
    """The pictures of each place; large raster sheets by one process a processor, each a row at a
    time, whose vehicles are often one model."""
    places = [place for row in grid.places for place in row]
    threads = len(os.sched_getaffinity(0))
    processes = min(threads, len(grid.places))
    if look.renderer != "raster" or len(places) < _MANY or processes < 2:
        renderer = open_renderer(look.renderer, threads)
        yield from (_pictures(renderer, look, turns_deg, place) for place in places)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        draw = partial(_pictures_apart, look, turns_deg)
        yield from pool.map(draw, places, chunksize=len(grid.places[0]))


def _pictures_apart(look: Look, turns_deg: Sequence[float], place: Place) -> list[Image]:
    return _pictures(_own_renderer(), look, turns_deg, place)


@lru_cache(maxsize=1)
def _own_renderer() -> Renderer:
    """The one of a process that draws rows."""
    return open_renderer("raster", 1)


def _pictures(
    renderer: Renderer, look: Look, turns_deg: Sequence[float], place: Place
) -> list[Image]:
    """A picture for each angle."""
    scenes = show(place, look.seed, look.showing, turns_deg)
    return [_picture(scene, renderer, look.overlays) for scene in scenes]


def _picture(scene: SceneSpec, renderer: Renderer, overlays: Sequence[str]) -> Image:
    geometry = build_geometry(scene)
    picture = renderer.render(scene, geometry)
    for name, overlay in OVERLAYS.items():
        if name in overlays:
            picture = overlay(picture, scene, geometry)
    return picture


def _caption(place: Place) -> str:
    return f"{place.style} {place.identity}, {place.colour}"
