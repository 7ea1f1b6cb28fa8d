"""What the tests of the core share: a plain car, records with random labels, tiny data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image

from pamtri.dataset import Dataset, DatasetInfo, read_native, write_native
from pamtri.record import Keypoints, Record

# The same examples in every run, and no time limits: the machine may be busy.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# A plain saloon of 4.4 m, metres in the vehicle frame: x, z and half width of the left side's 18.
_CAR = [
    *((-1.3, 0.3, 0.80), (1.3, 0.3, 0.80)),  # wheels
    *((1.65, 0.25, 0.85), (1.5, 0.6, 0.85), (1.1, 0.6, 0.85), (0.95, 0.25, 0.85)),  # front arch
    *((-0.95, 0.25, 0.85), (-1.1, 0.6, 0.85), (-1.5, 0.6, 0.85), (-1.65, 0.25, 0.85)),  # rear arch
    *((-2.2, 0.4, 0.75), (-2.1, 0.95, 0.7), (-1.5, 1.0, 0.7), (-0.9, 1.4, 0.55)),  # rear to roof
    *((0.2, 1.4, 0.55), (0.9, 1.0, 0.7), (2.0, 0.7, 0.7), (2.2, 0.4, 0.75)),  # roof to front
]


@pytest.fixture(scope="session")
def car() -> NDArray[np.float64]:
    """(36, 3) keypoints of a plain saloon."""
    left = np.array([(x, y, z) for x, z, y in _CAR])
    return np.concatenate([left, left * [1, -1, 1]])


def make_keypoints(seed: int, visibility: str = "v" * 36) -> Keypoints:
    xy = np.random.default_rng(seed).uniform(1, 39, (36, 2)).round(2)
    return Keypoints(xy=xy.tolist(), visibility=visibility)


@pytest.fixture
def keypoints() -> Callable[..., Keypoints]:
    return make_keypoints


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Dataset]:
    """Write records as a native data set, each with a 64 x 40 image of its own colour."""

    def make(records: Sequence[Record], name: str = "native") -> Dataset:
        root = tmp_path / name
        for number, record in enumerate(records):
            path = root / record.image
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 40), (number % 256, 100, 200)).save(path)
        write_native(root, records, DatasetInfo(name=name))
        return read_native(root)

    return make


@pytest.fixture
def small(make_dataset: Callable[..., Dataset]) -> Dataset:
    """Two identities to train on; one query with its answer in the gallery and a distractor."""
    rows = [
        ("train", 1, 1, "red", "suv"),
        ("train", 1, 2, "red", "suv"),
        ("train", 2, 1, "black", "bus"),
        ("query", 3, 1, None, None),
        ("gallery", 3, 2, "white", "sedan"),
        ("gallery", 4, 2, "golden", "estate"),
    ]
    return make_dataset(
        [
            Record(
                image=f"images/{i:06d}.jpg",
                domain="synthetic",
                width=64,
                height=40,
                split=split,
                identity=identity,
                camera=camera,
                frame=100 + i,
                colour=colour,
                type=type_,
                keypoints=make_keypoints(i, "v" * 30 + "sothvv"),
            )
            for i, (split, identity, camera, colour, type_) in enumerate(rows)
        ]
    )
