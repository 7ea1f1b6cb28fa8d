"""Small data sets whose pictures show where their keypoints are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri.dataset import DatasetInfo, write_native
from pamtri.keypoints import NUM_KEYPOINTS
from pamtri.record import Keypoints, Record

sys.path.append(str(Path(__file__).parent))  # the restated networks beside the tests


def _write(root: Path, identities: int, images: int, domain: str, size: int = 48) -> Path:
    """A native data set: ``images`` of each identity, in splits train and test, a camera each."""
    (root / "images").mkdir(parents=True)
    records = []
    for identity in range(identities):
        for i in range(images):
            rng = np.random.default_rng([identity, i, domain == "real"])
            pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
            pixels[:, :, identity % 3] = 40 * identity % 256
            name = f"images/{identity:02d}_{i:02d}.png"
            cv2.imwrite(str(root / name), pixels)
            xy = rng.uniform(4, size - 4, (NUM_KEYPOINTS, 2)).round(2)
            records.append(
                Record(
                    image=name,
                    domain=domain,
                    width=size,
                    height=size,
                    split="train" if identity < identities - 1 else "test",
                    identity=identity,
                    camera=i,
                    colour="red" if identity % 2 else None,
                    type="suv",
                    keypoints=Keypoints(xy=xy.tolist(), visibility="v" * 20 + "s" * 16),
                )
            )
    write_native(root, records, DatasetInfo(name=root.name))
    return root


@pytest.fixture(scope="session")
def write_dataset() -> Callable[..., Path]:
    return _write


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("data") / "real", 6, 3, "real")


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("data") / "synthetic", 5, 4, "synthetic")
