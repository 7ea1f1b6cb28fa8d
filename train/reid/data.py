"""What the re-identification network sees: the picture, its labels, and the vehicle's pose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.errors import DataError
from pamtri.formats.pose_csv import read_predictions
from pamtri.keypoints import NUM_KEYPOINTS
from train.augment import move_keypoints
from train.batches import Item
from train.config import AugmentConfig
from train.images import Affine, CropCache
from train.reid.config import ReidModelConfig
from train.reid.loss import UNKNOWN
from train.sources import Sample
from train.view import View

Pose = NDArray[np.float64]
"""(36, 3): x, y in image pixels and confidence 0..1."""
NO_POSE: Pose = np.zeros((NUM_KEYPOINTS, 3))


def has_identity(sample: Sample) -> bool:
    """Whether a sample can teach who is who."""
    return sample.record.identity is not None


def reid_view(model: ReidModelConfig, cache: CropCache) -> View:
    """The vehicle's box, stretched to the input as PAMTRI does."""
    return View(model.input_size, False, 1.0, 1.1, cache)


def plain_item(view: View, sample: Sample, pose: Pose) -> Item:
    """An image as it is tested: ``image`` (3, s, s) and ``pose`` (108,)."""
    item, to_input = view.plain(sample)
    return {**item, "pose": pose_values(pose, to_input, False, view.size)}


def augmented_item(
    view: View, sample: Sample, pose: Pose, config: AugmentConfig, rng: np.random.Generator
) -> Item:
    """An augmented example: ``image``, ``pose``, ``colour`` and ``type`` (``UNKNOWN`` if so)."""
    item, to_input, mirrored = view.augmented(sample, config, rng)
    record = sample.record
    return {
        **item,
        "pose": pose_values(pose, to_input, mirrored, view.size),
        "colour": UNKNOWN if record.colour is None else COLOUR_INDEX[record.colour],
        "type": UNKNOWN if record.type is None else TYPE_INDEX[record.type],
    }


def pose_values(pose: Pose, to_input: Affine, mirrored: bool, size: int) -> NDArray[np.float32]:
    """(108,): x / size - 0.5, y / size - 0.5 and confidence - 0.5 of each point in turn.

    A point that is not known at all (confidence 0) is put in the middle.
    """
    moved = move_keypoints(pose, to_input, mirrored)
    moved[:, :2] = np.where(moved[:, 2:] > 0, moved[:, :2] / size, 0.5)
    return (moved - 0.5).ravel().astype(np.float32)


def load_poses(
    samples: Sequence[Sample], origin: Literal["labels"] | Path, name: str
) -> dict[Path, Pose]:
    """The pose of each sample by its image's path, from its labels or a pose prediction CSV.

    A labelled point that cannot be seen counts as not known, and so do all points of an image
    without keypoints. Raises DataError when no image has labels, or the CSV lacks an image.
    """
    if origin == "labels":
        labelled = {s.path: _labelled(s) for s in samples if s.record.keypoints is not None}
        if samples and not labelled:
            raise DataError(
                f"{name}: none of the {len(samples)} images has keypoints to embed; give a pose "
                "prediction CSV (see pamtri predict pose) as its keypoints"
            )
        return {s.path: labelled.get(s.path, NO_POSE) for s in samples}
    return _predicted(samples, read_predictions(Path(origin)), Path(origin))


def _predicted(
    samples: Sequence[Sample], predictions: Mapping[str, Pose], origin: Path
) -> dict[Path, Pose]:
    missing = [s.name for s in samples if s.name not in predictions]
    if missing:
        raise DataError(
            f"{origin}: has no row for {len(missing)} of {len(samples)} images, first {missing[0]}"
        )
    return {s.path: predictions[s.name] for s in samples}


def _labelled(sample: Sample) -> Pose:
    keypoints = sample.record.keypoints
    assert keypoints is not None
    visible = keypoints.visible_array()
    confidence = visible if keypoints.confidence is None else visible * keypoints.confidence
    return np.column_stack([keypoints.xy_array(), confidence])
