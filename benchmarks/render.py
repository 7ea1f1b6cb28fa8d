"""How fast scenes become labelled pictures: ``python benchmarks/render.py``.

Prints, for a few sizes, CPU seconds (which other work on the machine disturbs least) of geometry,
labels, the Cycles render and the raster render, how many times faster the latter is, and what
labelling adds to the bare render.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from pamtri.config import load_config
from synth.blender.renderer import BlenderRenderer
from synth.config import SynthConfig
from synth.geometry import build_geometry
from synth.labels import label_scene
from synth.raster import RasterRenderer
from synth.sampling import sample_scene


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU time that ``work`` takes, over all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


@click.command()
@click.argument("config", default="configs/synth/quickstart.yaml", type=click.Path(path_type=Path))
@click.option("--count", default=12, show_default=True, help="Scenes a size.")
@click.option("--size", "sizes", multiple=True, default=(128, 256), show_default=True)
def main(config: Path, count: int, sizes: tuple[int, ...]) -> None:
    """Time the stages of one image for CONFIG at several sizes."""
    cycles, raster = BlenderRenderer(threads=1), RasterRenderer()
    names = " ".join(f"{name:>9}" for name in ("geometry", "labels", "cycles", "raster"))
    click.echo(f"{'size':>5} {names} {'faster':>7} {'added':>7}")
    for size in sizes:
        loaded = load_config(config, SynthConfig, [f"image.size_px={size}"])
        rows = []
        for index in range(count + 1):
            spec = sample_scene(loaded, loaded.seed, index)
            geometry = build_geometry(spec)  # builds the vehicle, which a worker keeps
            label_scene(spec, geometry)
            times = (
                cpu_seconds(lambda spec=spec: build_geometry(spec)),
                cpu_seconds(lambda spec=spec, geometry=geometry: label_scene(spec, geometry)),
                cpu_seconds(lambda spec=spec, geometry=geometry: cycles.render(spec, geometry)),
                cpu_seconds(lambda spec=spec, geometry=geometry: raster.render(spec, geometry)),
            )
            rows.append(times)
        mean = np.mean(rows[1:], axis=0)  # the first pays for start-up
        share = (mean[0] + mean[1]) / mean[2]
        shown = " ".join(f"{t:8.3f}s" for t in mean)
        click.echo(f"{size:>5} {shown} {mean[2] / mean[3]:6.1f}x {share:6.1%}")


if __name__ == "__main__":
    main()
