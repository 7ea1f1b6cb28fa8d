"""How fast scenes become labelled images on disk: ``python benchmarks/render.py stages``.

Times are CPU seconds over all threads, which other work on the machine disturbs least, and what is
compared is measured in turns. Cycles renders on one CPU thread.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np

import synth.images
from pamtri.config import load_config
from synth.config import SynthConfig
from synth.images import FOLDERS, Renderer, open_renderer, render_image, write_image
from synth.sampling import sample_scene
from synth.workers import Job, render_in_workers

PRESETS = ("quickstart", "domain_randomization", "traffic_camera", "dealer_photo")
_BLOCK = 100
"""Images a line of the long run."""
_EARLY = 6
"""Images a worker before which the clock of ``workers`` does not start."""


class Stopwatch:
    """CPU seconds by name."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Add what happens inside to ``name``."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start


def load(preset: str, *changes: str) -> SynthConfig:
    """A shipped configuration with a few keys changed."""
    return load_config(Path(f"configs/synth/{preset}.yaml"), SynthConfig, list(changes))


@contextmanager
def data_set_folder() -> Iterator[Path]:
    """An empty folder for images, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pamtri-") as name:
        for folder in FOLDERS:
            (Path(name) / folder).mkdir()
        yield Path(name)


@click.group()
def main() -> None:
    """Measure how fast labelled images are made."""


@main.command()
@click.option("--preset", "presets", multiple=True, default=PRESETS, show_default=True)
@click.option("--size", "sizes", multiple=True, type=int, default=(128, 256), show_default=True)
@click.option("--samples", default=4, show_default=True)
@click.option("--count", default=16, show_default=True, help="Images a row, in a run's order.")
def stages(presets: tuple[str, ...], sizes: tuple[int, ...], samples: int, count: int) -> None:
    """Whole images against the bare Cycles call on the same scenes, and the raster renderer.

    WHOLE is from drawing the scene to three files on disk; its share of labels and of writing; its
    ratio to the BARE call; images a second of CPU. The same with the raster renderer: images a
    second, and how many times quicker its picture is than the bare call, and its whole image.
    """
    cycles, raster = (open_renderer(name, 1, "cpu") for name in ("blender", "raster"))
    click.echo(
        f"{'preset':>22} {'size':>5} {'whole':>8} {'bare':>8} {'ratio':>6} {'annotate':>8} "
        f"{'images/s':>8} {'raster/s':>8} {'picture':>8} {'image':>6}"
    )
    for preset in presets:
        for number, size in enumerate(sizes):
            new = f"identity_offset={1000 * number}"  # vehicles that no row before has built
            config = load(preset, f"image.size_px={size}", f"samples={samples}", new)
            with data_set_folder() as root:
                row = _stages(config, cycles, raster, root, count)
            names = ("whole", "bare", "annotate", "raster", "raster call")
            whole, bare, annotate, plain, call = (row[name] / count for name in names)
            click.echo(
                f"{preset:>22} {size:>5} {whole:7.3f}s {bare:7.3f}s {whole / bare:6.3f} "
                f"{annotate / whole:8.1%} {1 / whole:8.2f} {1 / plain:8.2f} {bare / call:7.1f}x "
                f"{whole / plain:5.1f}x"
            )


def _stages(
    config: SynthConfig, cycles: Any, raster: Renderer, root: Path, count: int
) -> Counter[str]:
    """CPU seconds of ``count`` images; vehicles are built and kept as a worker does."""
    watch = Stopwatch()
    render_image(sample_scene(config, config.seed, config.count - 1), cycles)  # pays for start-up
    for index in range(count):
        with (
            watch.time("whole"),
            timed(watch, "bare", cycles, "run_cycles"),
            timed(watch, "annotate", synth.images, "label_scene"),
        ):
            spec = sample_scene(config, config.seed, index)
            rendered = render_image(spec, cycles)
            with watch.time("annotate"):
                write_image(root, rendered)
    forget_vehicles()  # which the raster renderer's share of the work includes, too
    for index in range(count):
        with watch.time("raster"), timed(watch, "raster call", raster, "render"):
            write_image(root, render_image(sample_scene(config, config.seed, index), raster))
    return watch.seconds


@contextmanager
def timed(watch: Stopwatch, name: str, owner: Any, function: str) -> Iterator[None]:
    """Add what calls of ``owner``'s function take inside to ``name``."""
    work = getattr(owner, function)

    def run(*arguments: Any) -> Any:
        with watch.time(name):
            return work(*arguments)

    with mock.patch.object(owner, function, run):
        yield


def forget_vehicles() -> None:
    """Empty every cache of this project, so that vehicles are built anew."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("render_assets", "synth"):
            for value in vars(module).values():
                if callable(getattr(value, "cache_clear", None)):
                    value.cache_clear()


@main.command()
@click.option("--count", default=2000, show_default=True)
@click.option("--size", default=32, show_default=True, help="Small, so that what could grow shows.")
@click.option("--preset", default="quickstart", show_default=True)
def long(count: int, size: int, preset: str) -> None:
    """Whether the last of many images costs more than an early one, and whether memory grows."""
    config = load(preset, f"image.size_px={size}", "samples=1", f"identities={count}")
    renderer = open_renderer("blender", 1, "cpu")
    probe = [sample_scene(config, config.seed, index) for index in range(0, 80, 8)]
    click.echo(f"{'image':>6} {'ms/image':>9} {'the same ten':>13} {'MiB':>6}")
    with data_set_folder() as root:
        for first in range(0, count, _BLOCK):
            start = time.process_time()
            for index in range(first, min(first + _BLOCK, count)):
                spec = sample_scene(config, config.seed, index)
                write_image(root, render_image(spec, renderer))
            middle = time.process_time()
            for spec in probe:
                render_image(spec, renderer)
            end = time.process_time()
            click.echo(
                f"{first + _BLOCK:>6} {10 * (middle - start):>9.1f} "
                f"{1e3 * (end - middle) / len(probe):>13.1f} {_resident_mib():>6.0f}"
            )


def _resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@main.command()
@click.option("--count", default=24, show_default=True, help="Images a measurement.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--size", default=256, show_default=True)
@click.option("--preset", default="quickstart", show_default=True)
def workers(count: int, rounds: int, size: int, preset: str) -> None:
    """Two workers of one thread against one, and one of two threads, by the clock, in turns.

    Counted from when all are at work, as starting is paid for once.
    """
    config = load(preset, f"image.size_px={size}", "samples=4")
    names = {"1 worker": (1, 1), "2 workers": (2, 1), "1 worker, 2 threads": (1, 2)}
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, (crew, threads) in names.items():
            rates[name].append(_images_a_second(config, crew, threads, count))
        click.echo("  ".join(f"{name} {rates[name][-1]:.2f}/s" for name in names))
    one, two, threaded = (float(np.median(rates[name])) for name in names)
    click.echo(f"two workers {two / one:.2f} x one; one of two threads {threaded / one:.2f} x one")


def _images_a_second(config: SynthConfig, crew: int, threads: int, count: int) -> float:
    early = _EARLY * crew
    with data_set_folder() as root:
        job = Job(config, root, threads, open_renderer)
        groups = [range(first, first + 4) for first in range(0, early + count, 4)]
        ended = []
        for _ in render_in_workers(groups, job, crew):
            ended.append(time.perf_counter())
            if len(ended) == early + count:
                break
    return count / (ended[-1] - ended[early - 1])


if __name__ == "__main__":
    main()
