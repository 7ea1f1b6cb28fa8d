"""What the pose network sees, and what it should answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pamtri.keypoints import Visibility
from pamtri.record import Keypoints
from train.augment import inverse, move_keypoints
from train.batches import Item
from train.config import AugmentConfig
from train.images import CropCache
from train.pose.visibility import outside_is_absent, possible_states
from train.sources import Sample
from train.view import View

_KNOWN = (Visibility.VISIBLE, Visibility.SELF_OCCLUDED, Visibility.OCCLUDED)


def has_keypoints(sample: Sample) -> bool:
    """Whether a sample can teach a pose network."""
    keypoints = sample.record.keypoints
    return keypoints is not None and bool(keypoints.visible_array().any())


def pose_view(input_size: int, box_scale: float, cache: CropCache) -> View:
    """The padded square about the vehicle; 1.4 times as much is kept for augmentation."""
    return View(input_size, True, box_scale, 1.4, cache)


def picture_item(view: View, sample: Sample) -> Item:
    """What a ``PoseReader`` is given: ``picture`` (s, s, 3) bytes.

    With ``to_image``, the map from there to the image, whose ``size`` is (width, height).
    """
    picture, to_input, size = view.picture(sample)
    return {"picture": picture, "to_image": inverse(to_input), "size": np.array(size)}


def plain_item(view: View, sample: Sample) -> Item:
    """An image as it is tested: ``image`` (3, s, s) and ``to_image``, the map from the input."""
    item, to_input = view.plain(sample)
    return {**item, "to_image": inverse(to_input).astype(np.float32)}


def augmented_item(
    view: View, sample: Sample, supervise: str, config: AugmentConfig, rng: np.random.Generator
) -> Item:
    """An augmented example: ``image``, ``points`` (36, 2) in input pixels, ``weight`` (36,).

    The weight is 1 where a point teaches and lies in the input, else 0. ``possible`` (36, 3) is
    what is known of visibility: see ``train.pose.visibility``.
    """
    item, to_input, mirrored = view.augmented(sample, config, rng)
    keypoints = sample.record.keypoints
    assert keypoints is not None
    teaches, possible = supervised(keypoints, supervise), possible_states(keypoints.visibility)
    rows = np.column_stack([keypoints.xy_array(), teaches, possible])
    moved = move_keypoints(rows, to_input, mirrored).astype(np.float32)
    points, weight = moved[:, :2], moved[:, 2]
    inside = ((points >= 0) & (points <= view.size)).all(axis=1)
    return {
        **item,
        "points": points,
        "weight": weight * inside,
        "possible": outside_is_absent(moved[:, 3:], inside),
    }


def supervised(keypoints: Keypoints, supervise: str) -> NDArray[np.bool_]:
    """(36,) which points teach; see ``PoseConfig.supervise``."""
    if supervise == "visible":
        return keypoints.visible_array()
    return np.array([letter in _KNOWN for letter in keypoints.visibility])
