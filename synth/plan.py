"""What a configuration would cost and hold, told from a few scenes that are rendered for it."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pamtri import camera
from pamtri.progress import progress
from pamtri.table import text_table
from synth.config import SynthConfig
from synth.images import FOLDERS, Renderer, open_renderer, render_image, write_image
from synth.sampling import plan_shot, sample_scene
from synth.scene import SceneSpec

TIMED_IDENTITIES = 3
"""Two images of each are rendered, the first of which builds the vehicle."""
_SPECS = 8


@dataclass(frozen=True)
class Cost:
    """Means over the scenes that were tried."""

    first_seconds: float
    """An identity's first image."""
    next_seconds: float
    """Each of its other images."""
    bytes: float
    """On disk, an image with its masks and record."""

    def seconds(self, config: SynthConfig, workers: int) -> float:
        """The whole data set's, on so many workers that do not hinder one another."""
        one = self.first_seconds + (config.images_per_identity - 1) * self.next_seconds
        return config.identities * one / min(workers, config.identities)


def plan_text(config: SynthConfig, workers: int) -> str:
    """The data set of ``config`` in words and tables; renders up to six scenes for the estimate."""
    cost = measure(config, max(1, len(os.sched_getaffinity(0)) // workers))
    images = f"{config.count} images: {config.identities} identities x {config.images_per_identity}"
    cameras = len(config.fixed_cameras)
    seen_by = f", by {cameras} fixed cameras" if cameras else ""
    spent = duration_text(cost.seconds(config, workers))
    return "\n\n".join(
        [
            f"{config.name}: {images}{seen_by}; seed {config.seed}, renderer {config.renderer}",
            text_table(split_rows(config)),
            f"about {spent} with {workers} workers here ({cost.first_seconds:.2f} s for a "
            f"vehicle's first image, {cost.next_seconds:.2f} s for each other), "
            f"{size_text(cost.bytes * config.count)} on disk",
            text_table(spec_rows(config)),
        ]
    )


def measure(config: SynthConfig, threads: int) -> Cost:
    """Render and write a few scenes, spread over the data set, into a folder that is dropped."""
    renderer = open_renderer(config.renderer, threads, config.device)
    timed = min(TIMED_IDENTITIES, config.identities)
    per_identity = min(2, config.images_per_identity)
    seconds: tuple[list[float], list[float]] = ([], [])
    sizes = []
    with tempfile.TemporaryDirectory() as folder, progress(timed * per_identity, "timing") as bar:
        for name in FOLDERS:
            (Path(folder) / name).mkdir()
        _render(config, renderer, 0, Path(folder))  # what is loaded once is no scene's cost
        for number in range(timed):
            # Never the first, which is loaded by now, unless there is no other.
            place = min((2 * number + 1) * config.identities // (2 * timed), config.identities - 1)
            for turn in range(per_identity):
                start = time.perf_counter()
                index = place * config.images_per_identity + turn
                sizes.append(_render(config, renderer, index, Path(folder)))
                seconds[turn].append(time.perf_counter() - start)
                bar.update()
    first, others = seconds
    return Cost(_mean(first), _mean(others or first), _mean(sizes))


def _render(config: SynthConfig, renderer: Renderer, index: int, folder: Path) -> int:
    """Make and write one image; returns the bytes of its files and its record."""
    scene = sample_scene(config, config.seed, index)
    made = render_image(scene, renderer, config.labels)
    write_image(folder, made)
    record = len(made.record.model_dump_json(exclude_none=True)) + 1
    return record + sum((folder / path).stat().st_size for path in set(made.record.files))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def split_rows(config: SynthConfig) -> list[Sequence[str]]:
    """Images and identities a split, counted over the whole plan."""
    images: Counter[str] = Counter()
    identities: dict[str, set[int]] = {}
    for index in range(config.count):
        shot = plan_shot(config, config.seed, index)
        images[shot.split] += 1
        identities.setdefault(shot.split, set()).add(shot.identity)
    rows = [(split, str(n), str(len(identities[split]))) for split, n in images.items()]
    return [("split", "images", "identities"), *rows]


def spec_rows(config: SynthConfig) -> list[Sequence[str]]:
    """The first image of each of the first identities, a row each."""
    head = ("image", "split", "identity", "vehicle", "camera", "azimuth", "elevation", "distance")
    rows = [(*head, "pixels", "light", "ground", "backdrop", "occluders")]
    step = config.images_per_identity
    indices = range(0, min(config.count, _SPECS * step), step)
    return rows + [tuple(_cells(sample_scene(config, config.seed, i))) for i in indices]


def _cells(spec: SceneSpec) -> Iterator[str]:
    view, vehicle = spec.camera, spec.vehicle
    stand = camera.viewpoint_from_pose(view.pose)
    yield str(spec.index)
    yield spec.split
    yield str(vehicle.identity)
    yield f"{vehicle.colour} {vehicle.style} ({vehicle.type})"
    yield "-" if view.id is None else str(view.id)
    yield f"{math.degrees(stand.azimuth):.0f}°"
    yield f"{math.degrees(stand.elevation):.0f}°"
    yield f"{stand.distance:.1f} m"
    yield f"{view.width} x {view.height}"
    yield spec.light.hdri + (" + sun" if spec.light.sun else "")
    yield spec.ground.kind
    yield spec.backdrop.kind
    yield ", ".join(occluder.kind for occluder in spec.occluders) or "-"


def duration_text(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.4 h`` or ``2.1 days``."""
    for unit, size, digits in (("days", 86400, 1), ("h", 3600, 1), ("min", 60, 0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{math.ceil(seconds)} s"


def size_text(count: float) -> str:
    """Bytes in decimal units, as file managers show them."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{max(1, round(count / 1e3))} kB"
