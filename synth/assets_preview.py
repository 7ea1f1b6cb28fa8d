"""``pamtri assets preview``: pictures of many vehicles on one sheet, still or turning."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    renderer = open_renderer(look.renderer, len(os.sched_getaffinity(0)))
    pictures: list[list[list[Image]]] = [[] for _ in turns_deg]
    with progress(grid.count * len(turns_deg), "preview") as bar:
        for row in grid.places:
            for sheet in pictures:
                sheet.append([])
            for place in row:
                for number, scene in enumerate(show(place, look.seed, look.showing, turns_deg)):
                    pictures[number][-1].append(_picture(scene, renderer, look.overlays))
                    bar.update()
    captions = [] if grid.columns else [[_caption(place) for place in row] for row in grid.places]
    return [draw_sheet(sheet, grid.rows, grid.columns, captions) for sheet in pictures]


def _picture(scene: SceneSpec, renderer: Renderer, overlays: Sequence[str]) -> Image:
    geometry = build_geometry(scene)
    picture = renderer.render(scene, geometry)
    for name, overlay in OVERLAYS.items():
        if name in overlays:
            picture = overlay(picture, scene, geometry)
    return picture


def _caption(place: Place) -> str:
    return f"{place.style} {place.identity}, {place.colour}"
