"""From a data set on the disk to the network's input: keypoints lie where their picture shows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pamtri.dataset import DatasetInfo, write_native
from pamtri.formats import FORMATS, open_dataset, write_dataset
from pamtri.keypoints import FLIP
from pamtri.record import Keypoints, Record
from train.augment import denormalise
from train.config import AugmentConfig, SourceConfig
from train.images import CropCache
from train.pose.data import augmented_item, pose_view
from train.sources import Sample, open_samples

SIZE = 96
IMAGE = (220, 160)
VEHICLE = (40, 30, 180, 130)
DOTS = {
    0: (1, 0, 0), 5: (0, 1, 0), 11: (0, 0, 1), 19: (1, 1, 0), 26: (0, 1, 1), 33: (1, 0, 1),
}  # fmt: skip
"""Pure colours of six keypoints, of which no two are partners."""
MOVES = AugmentConfig(
    scale=0.25, shift=0.08, rotation_deg=30, rotation_probability=0.8, flip=0.5, half=0.4
)
STILL = AugmentConfig(flip=0)


def dots(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A black picture with a soft dot of its colour at each keypoint of ``DOTS``."""
    y, x = np.mgrid[: IMAGE[1], : IMAGE[0]] + 0.5
    light = np.zeros((IMAGE[1], IMAGE[0], 3))
    for place, colour in DOTS.items():
        px, py = points[place]
        dot = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 3.0**2))
        light = np.maximum(light, dot[..., None] * colour)
    return np.rint(255 * light).astype(np.uint8)


def found(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.float64]:
    """The centre of what has this pure colour: of how much more its channels have than others."""
    mine = np.array(colour, dtype=bool)
    values = picture.astype(float)
    light = np.maximum(values[..., mine].min(-1) - values[..., ~mine].max(-1) - 30, 0)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
    return np.array([(x * light).sum(), (y * light).sum()]) / max(light.sum(), 1e-9)


def spread(rng: np.random.Generator) -> NDArray[np.float64]:
    """36 points in ``VEHICLE``, the dots far from one another."""
    left, top, right, bottom = VEHICLE
    points = rng.uniform([left, top], [right, bottom], (36, 2))
    cells = rng.permutation(6)
    corners = np.stack([cells % 3 * 45 + left, cells // 3 * 50 + top], axis=1)
    points[list(DOTS)] = corners + rng.uniform(10, 35, (6, 2))
    return points


@pytest.fixture(scope="module", params=["box", "mask", "image"])
def labels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """An image whose vehicle is told by its box, by its mask, or by nothing."""
    root = tmp_path_factory.mktemp(request.param)
    (root / "images").mkdir()
    left, top, right, bottom = VEHICLE
    mask = np.zeros((IMAGE[1], IMAGE[0]), np.uint8)
    mask[top:bottom, left:right] = 255
    cv2.imwrite(str(root / "mask.png"), mask)
    told = {"box": {"box": VEHICLE}, "mask": {"mask": "mask.png"}, "image": {}}[request.param]
    return Sample(
        root / "images" / "a.png", Record(image="images/a.png", domain="real", **told), "real"
    )


def with_dots(sample: Sample, points: NDArray[np.float64]) -> Sample:
    cv2.imwrite(str(sample.path), dots(points)[..., ::-1])
    keypoints = Keypoints(xy=points.tolist(), visibility="v" * 36)
    record = sample.record.model_copy(update={"keypoints": keypoints})
    return Sample(sample.path, record, sample.source)


def test_the_view_is_the_square_about_what_is_told(labels: Sample) -> None:
    points = spread(np.random.default_rng(0))
    sample = with_dots(labels, points)
    item = augmented_item(
        pose_view(SIZE, 1.25, CropCache(0)), sample, "visible", STILL, np.random.default_rng(0)
    )
    side = IMAGE[0] if labels.record.box is None and labels.record.mask is None else 140
    expected = (points - [110, 80]) * SIZE / (side * 1.25) + SIZE / 2
    assert item["points"] == pytest.approx(expected, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_augmented_keypoints_lie_where_their_dots_are_seen(labels: Sample, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sample = with_dots(labels, spread(rng))
    view = pose_view(SIZE, 1.25, CropCache(2**24))
    for draw in range(3):  # the second and third see the crop that is kept in memory
        stream = [seed, draw]
        item = augmented_item(view, sample, "visible", MOVES, np.random.default_rng(stream))
        _, _, mirrored = view.augmented(sample, MOVES, np.random.default_rng(stream))
        picture = denormalise(item["image"])
        for place, colour in DOTS.items():
            point = item["points"][FLIP[place] if mirrored else place]
            inside = bool((point >= 0).all() and (point <= SIZE).all())
            assert item["weight"][FLIP[place] if mirrored else place] == inside
            if np.abs(point - SIZE / 2).max() < SIZE / 2 - 12:  # else the dot is cut off
                assert found(picture, colour) == pytest.approx(point, abs=0.15)


KEEPING = tuple(
    name
    for name in FORMATS
    if FORMATS[name].read and FORMATS[name].write and name != "veri"  # has no keypoints
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Native; points amid their pixels, since PAMTRI's labels are whole pixels."""
    root = tmp_path_factory.mktemp("data") / "original"
    (root / "images").mkdir(parents=True)
    records = []
    for i in range(3):
        rng = np.random.default_rng(i)
        cv2.imwrite(str(root / f"images/{i}.png"), rng.integers(0, 256, (48, 64, 3), np.uint8))
        xy = np.floor(rng.uniform(0, [64, 48], (36, 2))) + 0.5
        letters = "".join(rng.choice(["v", "h"], 36))
        records.append(
            Record(
                image=f"images/{i}.png", domain="real", width=64, height=48, split="train",
                identity=i, camera=i, keypoints=Keypoints(xy=xy.tolist(), visibility=letters),
            )
        )  # fmt: skip
    write_native(root, records, DatasetInfo(name="original", splits=("train",)))
    return root


@pytest.mark.parametrize("layout", KEEPING)
def test_every_layout_brings_the_same_image_and_keypoints_to_the_input(
    layout: str, original: Path, tmp_path: Path
) -> None:
    write_dataset(open_dataset(original), tmp_path / layout, layout)
    samples = open_samples(SourceConfig(path=tmp_path / layout), "real")
    assert len(samples) == 3
    for sample in samples:
        assert sample.record.identity is not None
        record = open_dataset(original).records[sample.record.identity]
        view = pose_view(64, 1.0, CropCache(0))
        item = augmented_item(view, sample, "visible", STILL, np.random.default_rng(0))
        assert record.keypoints is not None
        visible = record.keypoints.visible_array()
        assert item["weight"].tolist() == visible.tolist()
        # The square about 64 x 48 pixels has 8 rows more above and below.
        expected = record.keypoints.xy_array()[visible] + [0, 8]
        assert item["points"][visible] == pytest.approx(expected, abs=1e-4)
        pixels = cv2.imread(str(original / record.image))[..., ::-1]
        assert (denormalise(item["image"])[8:56] == pixels).all()


def test_the_layouts_with_keypoints_are_all_there() -> None:
    assert set(KEEPING) == {"native", "pamtri_pose", "pamtri_multitask", "webdataset"}
