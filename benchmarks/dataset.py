"""How long a native data set of 40,000 rendered images takes to read.

Run ``python benchmarks/dataset.py``. Each record is as large as a rendered one: 36 points in the
image and in the vehicle frame, the exact camera, a scene of 140 numbers. Images are not looked at.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from pamtri.camera import Intrinsics, Viewpoint, pose_from_viewpoint
from pamtri.dataset import DatasetInfo, read_native, write_native
from pamtri.record import Calibration, Keypoints, Record


def make_record(index: int) -> Record:
    """A record with every label, of random numbers that depend on ``index`` alone."""
    rng = np.random.default_rng(index)
    scene = {f"factor_{i}": {"values": rng.random(14).round(4).tolist()} for i in range(10)}
    return Record(
        image=f"images/{index:06d}.jpg",
        domain="synthetic",
        width=256,
        height=192,
        split="train",
        identity=index % 400,
        camera=index % 20,
        colour="red",
        type="suv",
        box=(8.0, 6.0, 250.0, 180.0),
        box_amodal=(7.5, 5.5, 250.5, 180.5),
        mask=f"masks/{index:06d}.png",
        mask_amodal=f"masks/{index:06d}.png",
        segment_mask=f"segments/{index:06d}.png",
        part_mask=f"parts/{index:06d}.png",
        occlusion=0.0,
        truncation=0.0,
        keypoints=Keypoints(
            xy=rng.uniform(0, 192, (36, 2)).round(2).tolist(),
            visibility="vvsvvvovvvvvtvvvvs" * 2,
            xyz=rng.uniform(-2, 2, (36, 3)).round(4).tolist(),
        ),
        calibration=Calibration.of(
            Intrinsics(800.0, 800.0, 128.0, 96.0),
            pose_from_viewpoint(Viewpoint(rng.uniform(0, 6), 0.2, 0.0, 9.0)),
        ),
        scene=scene,
    )


def main() -> None:
    """Write a data set into a temporary folder and time reading it three times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=40_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_native(root, [make_record(i) for i in range(count)], DatasetInfo(name="benchmark"))
        size = sum(path.stat().st_size for path in (root / "records").iterdir())
        print(f"{count} records, {size / count / 1000:.1f} kB each")
        for _ in range(3):
            start, cpu = time.perf_counter(), time.process_time()
            read = read_native(root)
            cpu = time.process_time() - cpu
            print(f"read in {time.perf_counter() - start:.2f} s ({cpu:.2f} s of the processor)")
            assert len(read) == count
            del read


if __name__ == "__main__":
    main()
