"""Draws the sheets of ``docs/gallery.md``, with Blender: run ``python docs/gallery.py``.

The same as ``pamtri assets preview --rows type --individuals 8 --renderer blender --cell 200
--view VIEW --output docs/gallery/VIEW.jpg`` for each view.
"""

from __future__ import annotations

from pathlib import Path

from synth.assets_preview import Look, preview_grid
from synth.assortment import Wanted, individual_grid
from synth.showroom import VIEWS, Showing

SHEETS = ("front-left", "side", "rear-right", "high")


def main() -> None:
    """One sheet a view, of the same vehicles."""
    grid = individual_grid(Wanted(), "type", 8)
    for view in SHEETS:
        output = Path(__file__).with_name("gallery") / f"{view}.jpg"
        preview_grid(grid, Look("blender", 0, Showing(*VIEWS[view], width=200)), output)
        print(f"{output}: {output.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
