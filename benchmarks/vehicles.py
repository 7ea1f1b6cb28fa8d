"""How close parametric vehicles come to real ones, by their keypoints.

For each vehicle of a shape prior (an npz with ``vehicle_keypoints`` (n, 36, 3), fitted to
annotations of photographs), the nearest of many generated vehicles after similarity alignment:

    python benchmarks/vehicles.py shapes.npz
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from pamtri.attributes import TYPES
from pamtri.keypoints import NAMES
from render_assets.body import Body
from render_assets.keypoints import place_keypoints
from render_assets.spec import VehicleSpec, sample_vehicle

LENGTH_POINTS = (10, 17)
"""Bumper corners; a vehicle's keypoint length is their distance along x."""


def generated(count: int) -> tuple[list[VehicleSpec], np.ndarray]:
    """Specs and keypoints (count, 36, 3) of the first identities under seed 0."""
    specs = [sample_vehicle(0, i) for i in range(count)]
    points = [place_keypoints(s, Body(s.shape, s.layout)) for s in specs]
    return specs, np.stack(points)


def align(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Sources (n, k, 3) moved, turned and scaled to fit one target (k, 3) best (Umeyama 1991)."""
    a = source - source.mean(axis=1, keepdims=True)
    b = target - target.mean(axis=0)
    u, s, vt = np.linalg.svd(np.einsum("nki,kj->nij", a, b))
    sign = np.ones_like(s)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    scale = (s * sign).sum(axis=1) / (a**2).sum(axis=(1, 2))
    rotation = (u * sign[:, None]) @ vt
    return scale[:, None, None] * (a @ rotation) + target.mean(axis=0)


def nearest(prior: np.ndarray, models: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per prior vehicle: RMS distance over its length, index of the nearest model, its offsets."""
    distance, index, offset = [], [], []
    for target in prior:
        fitted = align(models, target)
        rms = np.sqrt(((fitted - target) ** 2).sum(axis=2).mean(axis=1))
        best = int(np.argmin(rms))
        length = abs(target[LENGTH_POINTS[1], 0] - target[LENGTH_POINTS[0], 0])
        distance.append(rms[best] / length)
        index.append(best)
        offset.append((fitted[best] - target) / length)
    return np.array(distance), np.array(index), np.stack(offset)


@click.command()
@click.argument("prior", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--count", default=2000, show_default=True, help="Generated vehicles.")
def main(prior: Path, count: int) -> None:
    """Print distances of PRIOR's vehicles to the nearest generated ones."""
    with np.load(prior, allow_pickle=False) as file:
        real = file["vehicle_keypoints"].astype(np.float64)
    specs, models = generated(count)
    distance, index, offset = nearest(real, models)
    print("type of the nearest   vehicles  median %  90th %")
    for kind in TYPES:
        chosen = np.array([specs[i].type == kind for i in index])
        if chosen.any():
            mid, high = np.percentile(100 * distance[chosen], [50, 90])
            print(f"{kind:20}  {chosen.sum():8}  {mid:8.2f}  {high:6.2f}")
    mid, high = np.percentile(100 * distance, [50, 90])
    print(f"{'all':20}  {len(distance):8}  {mid:8.2f}  {high:6.2f}")
    print("\nmean offset of generated from real, % of length    x      y      z")
    for i, name in enumerate(NAMES[: len(NAMES) // 2]):
        print(f"{name:46} " + " ".join(f"{100 * v:6.2f}" for v in offset[:, i].mean(axis=0)))


if __name__ == "__main__":
    main()
