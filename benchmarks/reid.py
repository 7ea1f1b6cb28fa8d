"""How fast re-identification's data and evaluation are on this machine, and how large, in one run.

    .venv/bin/python benchmarks/reid.py [--queries 1678] [--gallery 11579] [--width 2048] [--large]

Each of our methods runs in a process of its own beside a straightforward NumPy reference on the
same made-up features (VeRi-sized as set); the results are held against each other. Time is that of
the method alone, memory what its process took beyond the features. ``--large`` adds 10,000 queries
in a gallery of 100,000, for which there is no reference. The dense references take a minute or two
and about 4 GB. Loading is of one sample's 49 maps: drawn from labels as training does, and opened
as PAMTRI's folders of JPEG files, from a warm disk cache.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from pamtri.formats.pamtri_full import write_channels
from pamtri.ranking import rank_metrics
from pamtri.record import Record
from pamtri.rerank import Reranked
from pamtri.viewpoint_shapes import load_shapes
from train.reid.config import ReidModelConfig
from train.reid.embedding import KeypointSource
from train.sources import Sample

CAMERAS, K1, K2, ORIGINAL = 20, 20, 6, 0.3
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """Made-up features of vehicles, of which each image is a noisy view."""

    query: Floats
    gallery: Floats
    ids: tuple[NDArray[np.int64], NDArray[np.int64]]
    cameras: tuple[NDArray[np.int64], NDArray[np.int64]]


def make_case(queries: int, gallery: int, width: int) -> Case:
    """200 vehicles for VeRi's size, as in VeRi."""
    rng = np.random.default_rng(0)
    vehicles = max(2, gallery // 58)
    centres = rng.standard_normal((vehicles, width), dtype=np.float32)
    ids = rng.integers(0, vehicles, queries), rng.integers(0, vehicles, gallery)
    views = [rng.standard_normal((len(i), width), dtype=np.float32) for i in ids]
    for view, i in zip(views, ids, strict=True):
        view *= 4
        view += centres[i]
    cameras = rng.integers(0, CAMERAS, queries), rng.integers(0, CAMERAS, gallery)
    return Case(views[0], views[1], ids, cameras)


def save_case(folder: Path, case: Case) -> Path:
    """Write ``case`` for other processes to load."""
    arrays = (case.query, case.gallery, *case.ids, *case.cameras)
    for i, array in enumerate(arrays):
        np.save(folder / f"{i}.npy", array)
    return folder


def load_case(folder: Path) -> Case:
    """What ``save_case`` wrote."""
    arrays = [np.load(folder / f"{i}.npy") for i in range(6)]
    return Case(arrays[0], arrays[1], (arrays[2], arrays[3]), (arrays[4], arrays[5]))


def ours_metrics(case: Case) -> dict[str, Any]:
    """mAP, mINP and CMC."""
    ranking = rank_metrics(case.query, case.gallery, *case.ids, *case.cameras)
    return {
        "mAP": ranking.mean_average_precision,
        "mINP": ranking.mean_inverse_negative_penalty,
        "cmc": ranking.cmc(),
    }


def reference_metrics(case: Case) -> dict[str, Any]:
    """The same as it is usually written: all distances, all orders, a loop over queries."""
    order = np.argsort(_squared(case.query, case.gallery), axis=1)
    precisions, penalties, curves = [], [], []
    for row in range(len(case.query)):
        ids, cameras = case.ids[1][order[row]], case.cameras[1][order[row]]
        same = ids == case.ids[0][row]
        right = same[~(same & (cameras == case.cameras[0][row]))]
        if not right.any():
            continue
        found = np.cumsum(right)
        curves.append(np.minimum(found, 1)[:50])
        precisions.append((found * right / np.arange(1, len(right) + 1)).sum() / right.sum())
        penalties.append(right.sum() / (np.flatnonzero(right)[-1] + 1))
    return {
        "mAP": float(np.mean(precisions)),
        "mINP": float(np.mean(penalties)),
        "cmc": np.mean(curves, axis=0).tolist(),
    }


def ours_reranked(case: Case) -> Floats:
    """(q, g) k-reciprocal distances."""
    return Reranked(case.query, case.gallery, K1, K2, ORIGINAL).rows(0, len(case.query))[0]


def reference_reranked(case: Case) -> Floats:
    """The same on dense matrices, in the steps in which it was published and is used since.

    In float32 throughout, where the authors' (CVPR 2017) rounds to float16 to save memory.
    """
    feature = np.append(case.query, case.gallery, axis=0)
    queries, count = len(case.query), len(feature)
    original = _squared(feature, feature)
    original = np.transpose(original / np.max(original, axis=0))
    order = np.argsort(original).astype(np.int32)
    codes = np.zeros_like(original)
    for i in range(count):
        near = _mutual(order, i, K1)
        members = near
        for j in near:
            own = _mutual(order, j, round(K1 / 2))
            if len(np.intersect1d(own, near)) > 2 / 3 * len(own):
                members = np.append(members, own)
        members = np.unique(members)
        weights = np.exp(-original[i, members])
        codes[i, members] = weights / np.sum(weights)
    original = original[:queries]
    mean = np.zeros_like(codes)
    for i in range(count):
        mean[i] = np.mean(codes[order[i, :K2]], axis=0)
    del codes, order
    holders = [np.where(mean[:, j] != 0)[0] for j in range(count)]
    jaccard = np.zeros_like(original)
    for i in range(queries):
        shared = np.zeros(count, dtype=np.float32)
        for j in np.where(mean[i] != 0)[0]:
            shared[holders[j]] += np.minimum(mean[i, j], mean[holders[j], j])
        jaccard[i] = 1 - shared / (2 - shared)
    return (jaccard * (1 - ORIGINAL) + original * ORIGINAL)[:, queries:]


def _mutual(order: NDArray[np.int32], i: int, k: int) -> NDArray[np.int32]:
    near = order[i, : k + 1]
    return near[np.where(order[near, : k + 1] == i)[0]]


def _squared(a: Floats, b: Floats) -> Floats:
    lengths = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)
    return np.maximum(lengths - 2 * a @ b.T, 0)


@dataclass(frozen=True)
class Run:
    """What a method gave, and what it took."""

    result: Any
    seconds: float
    megabytes: float


def measure(method: Callable[[Case], Any], case: Path) -> Run:
    """Run ``method`` in a fresh process, on the case that ``save_case`` wrote."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_run, method, case).result()


def _run(method: Callable[[Case], Any], path: Path) -> Run:
    case = load_case(path)
    before = _peak_megabytes()
    start = time.perf_counter()
    result = method(case)
    seconds = time.perf_counter() - start
    return Run(result, seconds, _peak_megabytes() - before)


def _peak_megabytes() -> float:
    """Most memory that the process has ever held (Linux)."""
    with Path("/proc/self/status").open(encoding="utf-8") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def show(name: str, ours: Run, reference: Run, off: str) -> None:
    """Two lines and their ratios."""
    print(name)
    for label, run in (("ours", ours), ("NumPy", reference)):
        print(f"  {label:<8}{run.seconds:8.2f} s  {run.megabytes:8.0f} MB")
    faster, smaller = reference.seconds / ours.seconds, reference.megabytes / ours.megabytes
    print(f"  {faster:.1f} x as fast, 1/{smaller:.1f} of the memory; {off}")


def compare_metrics(case: Path) -> None:
    """CMC, mAP and mINP."""
    ours, reference = measure(ours_metrics, case), measure(reference_metrics, case)
    pairs = [(ours.result[key], reference.result[key]) for key in ours.result]
    off = max(float(np.max(np.abs(np.subtract(a, b)))) for a, b in pairs)
    show("CMC, mAP, mINP", ours, reference, f"largest difference of a score {off:.1e}")


def compare_reranked(case: Path) -> None:
    """k-reciprocal re-ranking."""
    ours, reference = measure(ours_reranked, case), measure(reference_reranked, case)
    off = np.abs(ours.result - reference.result)
    beyond = int((off > 1e-6).sum())
    note = f"largest difference {off.max():.1e}, {beyond} of {off.size} distances beyond 1e-6"
    show("k-reciprocal re-ranking", ours, reference, note)


def make_pose(size: int) -> NDArray[np.float64]:
    """(36, 3) of a mean sedan, seen from the front left: those behind it are not known."""
    x, y, z = load_shapes().mean[0].T
    seen = np.column_stack([0.8 * x + 0.6 * y, 0.2 * x - 0.3 * y - 0.9 * z])
    seen = (seen - seen.min(axis=0)) / np.ptp(seen, axis=0).max()
    known = (y > 0) | (x > np.quantile(x, 0.85))
    return np.column_stack([seen * 0.9 * size + 0.05 * size, known])


def compare_loading(folder: Path, size: int = 256, repeats: int = 50) -> None:
    """One sample with all of its maps: ours, and opening a JPEG for each."""
    pose, whole = make_pose(size), np.eye(3)[:2]
    write_channels(folder, "train", "sample", pose, (size, size))
    files = sorted(folder.glob("*_train/sample/*.jpg"))
    sample = Sample(folder / "sample.jpg", Record(image="sample.jpg", domain="real"), "real")
    model = ReidModelConfig(input_size=size, embedding=("heatmaps", "segments"))
    source = KeypointSource(model, {("real", sample.path): pose})
    drawn = fastest(lambda: source.embed(sample, whole, False), repeats)
    opened = fastest(lambda: [np.asarray(PIL.Image.open(file)) for file in files], repeats)
    known = int((pose[:, 2] > 0).sum())
    print(f"{len(files)} maps of one sample with {known} of {len(pose)} keypoints known")
    print(f"  ours    {1e3 * drawn:8.2f} ms\n  JPEG    {1e3 * opened:8.2f} ms")
    print(f"  1/{opened / drawn:.0f} of opening the files")


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of ``repeats`` runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def show_large(run: Run) -> None:
    """What has no reference."""
    print("10,000 queries, gallery of 100,000: CMC, mAP, mINP")
    print(f"  ours    {run.seconds:8.2f} s  {run.megabytes:8.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--queries", type=int, default=1678)
    parser.add_argument("--gallery", type=int, default=11579)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--large", action="store_true", help="also 10,000 in 100,000")
    arguments = parser.parse_args()
    sizes = arguments.queries, arguments.gallery, arguments.width
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{sizes[0]} queries, gallery of {sizes[1]}, {sizes[2]} numbers; {threads} threads")
    with tempfile.TemporaryDirectory() as folder:
        case = save_case(Path(folder), make_case(*sizes))
        compare_loading(Path(folder))
        compare_metrics(case)
        compare_reranked(case)
        if arguments.large:
            large = save_case(Path(folder), make_case(10_000, 100_000, arguments.width))
            show_large(measure(ours_metrics, large))


if __name__ == "__main__":
    main()
