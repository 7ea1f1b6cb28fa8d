"""What the re-identification network sees: the picture, its labels, and the vehicle's pose."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.keypoints import NUM_KEYPOINTS
from train.augment import compose, mirror, move_keypoints
from train.batches import Item
from train.config import AugmentConfig
from train.images import Affine, CropCache
from train.reid.config import ReidModelConfig
from train.reid.embedding import PoseSource
from train.reid.loss import UNKNOWN
from train.sources import Sample
from train.view import View


def has_identity(sample: Sample) -> bool:
    """Whether a sample can teach who is who."""
    return sample.record.identity is not None


def reid_view(model: ReidModelConfig, cache: CropCache) -> View:
    """The vehicle's box, stretched to the input as PAMTRI does."""
    return View(model.input_size, False, 1.0, 1.1, cache)


def plain_item(view: View, sample: Sample, poses: PoseSource) -> Item:
    """An image as it is tested: ``image`` (3, s, s), and ``pose`` and ``maps`` if embedded."""
    item, to_input = view.plain(sample)
    return {**item, **poses.embed(sample, to_input, False)}


def mirrored_item(view: View, sample: Sample, poses: PoseSource) -> Item:
    """The mirror image of ``plain_item``, with the pose that it shows."""
    item, to_input = view.plain(sample)
    flipped = np.ascontiguousarray(item["image"][..., ::-1])
    pose = poses.embed(sample, compose(mirror(view.size), to_input), True)
    return {**item, "image": flipped, **pose}


def augmented_item(
    view: View, sample: Sample, poses: PoseSource, config: AugmentConfig, rng: np.random.Generator
) -> Item:
    """An augmented example: a plain one's values, ``labels`` and ``keypoint_labels``."""
    item, to_input, mirrored = view.augmented(sample, config, rng)
    pose = poses.embed(sample, to_input, mirrored)
    keypoints = keypoint_labels(sample, to_input, mirrored, view.size)
    return {**item, **pose, **labels(sample, mirrored), "keypoints": keypoints}


def keypoint_labels(
    sample: Sample, to_input: Affine, mirrored: bool, size: int
) -> NDArray[np.float32]:
    """(36, 3): x and y as shares of the input of ``size`` pixels, from its middle; 1 if seen in it.

    NaN where there are no labels. ``to_input`` maps the image to the input.
    """
    keypoints = sample.record.keypoints
    if keypoints is None:
        return np.full((NUM_KEYPOINTS, 3), np.nan, dtype=np.float32)
    points = np.column_stack([keypoints.xy_array(), keypoints.visible_array()])
    moved = move_keypoints(points, to_input, mirrored)
    moved[:, :2] = moved[:, :2] / size - 0.5
    moved[:, 2] *= (np.abs(moved[:, :2]) <= 0.5).all(axis=1)
    moved[moved[:, 2] == 0, :2] = 0
    return moved.astype(np.float32)


def labels(sample: Sample, mirrored: bool) -> Item:
    """``colour`` and ``type`` (``UNKNOWN`` if so), and ``azimuth`` in radians (NaN if unknown).

    In a mirrored image the vehicle is seen from the other side.
    """
    record = sample.record
    azimuth = math.nan
    if record.viewpoint is not None:
        azimuth = math.radians(record.viewpoint.azimuth_deg) * (-1 if mirrored else 1)
    return {
        "colour": UNKNOWN if record.colour is None else COLOUR_INDEX[record.colour],
        "type": UNKNOWN if record.type is None else TYPE_INDEX[record.type],
        "azimuth": np.float32(azimuth % (2 * math.pi)),
    }


def network_inputs(batch: Item) -> tuple[object, object, object]:
    """What ``ReidNetwork`` is called with: images, pose and maps; None for what is not embedded."""
    return batch["image"], batch.get("pose"), batch.get("maps")
