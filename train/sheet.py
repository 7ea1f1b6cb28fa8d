"""A picture of the first training images as the network sees them: ``augmented.jpg``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.draw import Image, contact_sheet, draw_labels
from pamtri.keypoints import NUM_KEYPOINTS, Visibility
from pamtri.record import Keypoints, Record
from train.augment import denormalise
from train.batches import Item, TrainingBatches
from train.pose.visibility import STATES

SHEET = "augmented.jpg"
_IMAGES, _COLUMNS, _CELL = 32, 8, 192
_LETTERS = {
    ("visible",): Visibility.VISIBLE,
    ("occluded",): Visibility.SELF_OCCLUDED,
}
"""By the states that are possible; points of other states are not drawn."""


def write_sheet(folder: Path, batches: TrainingBatches, steps: int) -> None:
    """Draw the first 32 images of ``steps`` batches, with what they teach of keypoints.

    Points that can be seen are green and hidden ones yellow; in a re-identification batch, those
    that are embedded are drawn.
    """
    items = (item for step in range(steps) for item in _items(batches[step]))
    pictures = [_picture(item) for item in islice(items, _IMAGES)]
    sheet = contact_sheet(pictures, min(_COLUMNS, len(pictures)), _CELL)
    (folder / SHEET).write_bytes(cv2.imencode(".jpg", sheet[..., ::-1])[1].tobytes())


def _items(batch: Item) -> Iterator[Item]:
    """The arrays of each image."""
    arrays = {
        k: v.numpy() for k, v in batch.items() if k in ("image", "points", "possible", "pose")
    }
    return ({k: v[i] for k, v in arrays.items()} for i in range(len(arrays["image"])))


def _picture(item: Item) -> Image:
    image = denormalise(item["image"])
    record = Record(image="-", domain="synthetic", keypoints=_keypoints(item, image.shape[0]))
    return draw_labels(image, record, box=False, segments=False, scale=_CELL / image.shape[0])


def _keypoints(item: Item, size: int) -> Keypoints | None:
    """What the item tells of keypoints, in pixels of an input of ``size``; None if nothing."""
    if "points" in item:
        states = [tuple(np.array(STATES)[row]) for row in item["possible"]]
        letters = [_LETTERS.get(state, Visibility.TRUNCATED) for state in states]
        return _made(item["points"], letters)
    if "pose" not in item:
        return None
    pose = item["pose"].reshape(NUM_KEYPOINTS, 3) + 0.5
    known = pose[:, 2] > 0
    letters = [Visibility.VISIBLE if k else Visibility.TRUNCATED for k in known]
    return _made(pose[:, :2] * size, letters)


def _made(points: NDArray[np.float32], letters: list[Visibility]) -> Keypoints:
    return Keypoints(xy=points.tolist(), visibility="".join(letters))
