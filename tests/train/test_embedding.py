"""The pose as the network takes it, in the frame of the crop."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri import segments
from pamtri.errors import DataError
from pamtri.keypoints import FLIP, INDEX
from train.augment import mirror
from train.config import AugmentConfig
from train.images import CropCache
from train.reid.config import ReidModelConfig
from train.reid.data import augmented_item, plain_item, reid_view
from train.reid.embedding import (
    NO_POSE,
    KeypointSource,
    NoPose,
    Pose,
    drawn_heatmaps,
    drawn_segments,
    load_poses,
    pose_values,
)
from train.sources import Sample, open_for_prediction

IDENTITY = np.eye(3)[:2]
EVERYTHING = ReidModelConfig(input_size=64, embedding=("keypoints", "heatmaps", "segments"))


def some_pose(size: int, seed: int = 0) -> Pose:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(4, size - 4, (36, 2)), rng.uniform(0.3, 1, 36)])


def source_of(sample: Sample, pose: Pose, model: ReidModelConfig = EVERYTHING) -> KeypointSource:
    return KeypointSource(model, {(sample.source, sample.path): pose})


def test_pose_values_by_hand() -> None:
    pose = NO_POSE.copy()
    pose[2] = [16.0, 48.0, 0.9]
    values = pose_values(pose, 64).reshape(36, 3)
    assert values[2] == pytest.approx([-0.25, 0.25, 0.4])
    assert values[3] == pytest.approx([0.0, 0.0, -0.5])


def test_only_what_is_embedded_is_given(real: Path) -> None:
    sample = open_for_prediction(real)[0]
    pose = some_pose(64)
    for kinds, shapes in (
        (("keypoints",), {"pose": (108,)}),
        (("segments",), {"maps": (13, 16, 16)}),
        (("segments", "heatmaps"), {"maps": (49, 16, 16)}),
    ):
        model = ReidModelConfig(input_size=64, embedding=kinds)
        item = source_of(sample, pose, model).embed(sample, IDENTITY, False)
        assert {name: value.shape for name, value in item.items()} == shapes
    both = source_of(sample, pose).embed(sample, IDENTITY, False)
    assert (both["maps"][:36] == drawn_heatmaps(pose, 64)).all()
    assert (both["maps"][36:] == drawn_segments(pose, 64)).all()
    assert NoPose().embed(sample, IDENTITY, False) == {}
    unknown = KeypointSource(EVERYTHING, {}).embed(sample, IDENTITY, False)
    assert not unknown["maps"].any()
    assert (unknown["pose"].reshape(36, 3) == [0, 0, -0.5]).all()


def test_maps_are_as_a_slow_loop_draws_them() -> None:
    pose = some_pose(64, seed=3)
    heat = drawn_heatmaps(pose, 64)
    for k, y, x in ((0, 3, 4), (17, 8, 8), (35, 15, 0), (20, *np.int64(pose[20, 1::-1] // 4))):
        squared = ((4 * x + 2 - pose[k, 0]) ** 2 + (4 * y + 2 - pose[k, 1]) ** 2) / 16
        assert heat[k, y, x] == round(255 * pose[k, 2] * np.exp(-squared / 8))
    pose[:, 2] = 1.0
    pose[list(segments.SEGMENTS[9].corners), :2] = [[8, 8], [40, 8], [40, 40], [8, 40]]
    drawn = drawn_segments(pose, 64)
    assert set(np.unique(drawn)) <= {0, 255}
    roof = np.zeros((16, 16))
    roof[2:10, 2:10] = 255
    assert (drawn[9] == roof).all()
    pose[segments.SEGMENTS[9].corners[2], 2] = 0.49
    assert not drawn_segments(pose, 64)[9].any()


def test_flipping_the_image_flips_the_embedding(real: Path) -> None:
    """With its sides renamed: what is left of the vehicle is right of the mirrored one."""
    sample = open_for_prediction(real)[0]
    source = source_of(sample, some_pose(64))
    plain = source.embed(sample, IDENTITY, False)
    mirrored = source.embed(sample, mirror(64), True)
    values = plain["pose"].reshape(36, 3)[FLIP] * [-1, 1, 1]
    assert mirrored["pose"].reshape(36, 3) == pytest.approx(values, abs=1e-6)
    assert (mirrored["maps"][:36] == plain["maps"][:36][FLIP][..., ::-1]).all()
    flipped = plain["maps"][36:][list(segments.FLIP)][..., ::-1]
    assert (mirrored["maps"][36:] == flipped).all()
    assert plain["maps"][36:].any()


def test_the_embedding_stays_on_the_picture_it_is_of(tmp_path: Path) -> None:
    """Whatever augmentation does: a bright dot is where its heatmap has its peak."""
    pixels = np.zeros((64, 96, 3), dtype=np.uint8)
    pixels[20:36, 28:44] = 255
    cv2.imwrite(str(tmp_path / "dot.png"), pixels)
    (sample,) = open_for_prediction(tmp_path)
    pose = NO_POSE.copy()
    pose[INDEX["left_headlight"]] = [36.0, 28.0, 1.0]
    source = source_of(sample, pose)
    view = reid_view(EVERYTHING, CropCache(2**20))
    config = AugmentConfig(scale=0.2, shift=0.1, rotation_deg=10.0, flip=0.5)
    sides = set()
    for seed in range(12):
        item = augmented_item(view, sample, source, config, np.random.default_rng(seed))
        light = item["image"][0] - item["image"][0].min()
        light = np.where(light > 0.7 * light.max(), light, 0)  # the border is brighter than black
        y, x = (np.indices(light.shape) * light).sum(axis=(1, 2)) / light.sum() + 0.5
        is_left = item["maps"][INDEX["left_headlight"]].any()
        name = "left_headlight" if is_left else "right_headlight"
        sides.add(name)
        values = item["pose"].reshape(36, 3)[INDEX[name]]
        assert 64 * (values[:2] + 0.5) == pytest.approx([x, y], abs=0.7)
        heat = item["maps"][INDEX[name]].astype(float)
        at = 4 * ((np.indices(heat.shape) * heat).sum(axis=(1, 2)) / heat.sum() + 0.5)
        assert at == pytest.approx([y, x], abs=1.0)
    assert len(sides) == 2
    still = plain_item(view, sample, source)
    assert still["pose"].reshape(36, 3)[INDEX["left_headlight"], :2] == pytest.approx(
        [36 / 96 - 0.5, 28 / 64 - 0.5]
    )


def test_labelled_points_that_cannot_be_seen_are_not_known(real: Path) -> None:
    samples = open_for_prediction(real)
    pose = load_poses(samples, "labels", "data.real")[samples[0].source, samples[0].path]
    keypoints = samples[0].record.keypoints
    assert keypoints is not None
    assert pose[:, 2].tolist() == [1.0] * 20 + [0.0] * 16
    assert (pose[:, :2] == keypoints.xy_array()).all()
    bare = [type(s)(s.path, s.record.model_copy(update={"keypoints": None}), "") for s in samples]
    with pytest.raises(
        DataError, match=r"^data.real: none of the 18 images has keypoints to embed"
    ):
        load_poses(bare, "labels", "data.real")
    assert len(load_poses([*bare[:1], samples[1]], "labels", "d")) == 1


@pytest.mark.parametrize("size", [32, 64, 256])
def test_heatmaps_are_the_whole_gaussian_in_bytes(size: int) -> None:
    """Also of points beyond the border, near and far."""
    rng = np.random.default_rng(size)
    pose = np.column_stack([rng.uniform(-0.3, 1.3, (36, 2)) * size, rng.uniform(0, 1, 36)])
    pose[:4, 2] = [0, 0, 1, 1]
    pose[3, :2] = [-1e6, size / 2]
    centres = np.arange(size // 4) + 0.5
    expected = np.zeros((36, size // 4, size // 4))
    for i, (x, y, confidence) in enumerate(pose):
        off = (centres[:, None] - y / 4) ** 2 + (centres - x / 4) ** 2
        expected[i] = 255 * confidence * np.exp(-off / 8)
    off = np.abs(drawn_heatmaps(pose, size) - expected)
    assert off.max() < 0.5 + 1e-4
    assert (expected > 127).any() and ((expected > 0) & (expected < 0.5)).any()
