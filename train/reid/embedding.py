"""What is known of a vehicle's pose, as the network takes it beside the picture.

A ``PoseSource`` is asked once for each sample in view, with the map that took the picture to the
input: whatever it gives is in the frame of that crop, and named after the vehicle's sides as they
are seen there.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pamtri.errors import ConfigError, DataError
from pamtri.formats.pose_pack import open_predictions
from pamtri.keypoints import NUM_KEYPOINTS
from pamtri.pose import SURE
from pamtri.segments import fill_polygons
from train.augment import move_keypoints
from train.batches import Item
from train.images import Affine
from train.pose.codec import STRIDE
from train.reid.config import ReidModelConfig
from train.reid.reading import SIGMA, PoseReading, is_network, open_reading
from train.sources import Sample

Origin = Literal["labels"] | Path
"""See ``SourceConfig.keypoints``."""
Pose = NDArray[np.float64]
"""(36, 3): x, y in image pixels and confidence 0..1."""
NO_POSE: Pose = np.zeros((NUM_KEYPOINTS, 3))
_REACH = math.ceil(SIGMA * math.sqrt(2 * math.log(2 * 255)))
"""Heatmap pixels from a sure point: farther away its Gaussian is less than half of a byte."""
_KNOWN = np.full((2, 3), np.nan, dtype=np.float32)
"""The ``reading`` of an image whose pose need not be read."""


class PoseSource(Protocol):
    """Where what is known of the pose comes from."""

    def embed(self, sample: Sample, to_input: Affine, mirrored: bool) -> Item:
        """The network's ``pose`` and ``maps`` of one image, those that it embeds.

        ``to_input`` maps the sample's image to the input, and ``mirrored`` says whether that
        mirrors it, so that sides swap names. Where some poses are to be read from the images,
        ``reading`` says how: see ``PoseReading``.
        """


class NoPose:
    """The source of a network that embeds nothing."""

    def embed(self, sample: Sample, to_input: Affine, mirrored: bool) -> Item:
        """Nothing."""
        return {}


class KeypointSource:
    """Keypoints, and heatmaps and segments drawn from them, at a quarter of the input."""

    def __init__(
        self,
        model: ReidModelConfig,
        poses: Mapping[tuple[str, Path], Pose],
        reading: PoseReading | None = None,
        read: Container[str] = (),
    ) -> None:
        """``poses`` by source and path of the image; one that is not there has no known point.

        Those of the sources in ``read`` are left to ``reading``.
        """
        self._model, self._poses, self._reading, self._read = model, poses, reading, read

    def embed(self, sample: Sample, to_input: Affine, mirrored: bool) -> Item:
        """See ``PoseSource``."""
        size, kinds = self._model.input_size, self._model.embedding
        pose = self._poses.get((sample.source, sample.path), NO_POSE)
        moved = move_keypoints(pose, to_input, mirrored)
        item: Item = {"pose": pose_values(moved, size)} if "keypoints" in kinds else {}
        if self._reading is not None:
            read = sample.source in self._read
            crop = self._reading.crop(to_input, mirrored).astype(np.float32) if read else _KNOWN
            item["reading"] = crop
        drawn = {"heatmaps": drawn_heatmaps, "segments": drawn_segments}
        maps = [draw(moved, size) for kind, draw in drawn.items() if kind in kinds]
        return {**item, "maps": np.concatenate(maps)} if maps else item


@dataclass(frozen=True)
class Poses:
    """Where the poses of a run come from."""

    source: PoseSource
    """What the loader knows of each image."""
    reading: PoseReading | None = None
    """What reads the rest, on the device."""

    def complete(self, batch: Item) -> Item:
        """The batch with all poses that the network embeds."""
        return batch if self.reading is None else self.reading.complete(batch)


def open_poses(
    model: ReidModelConfig,
    samples: Sequence[Sample],
    origins: Mapping[str, Origin],
    names: Mapping[str, str],
    device: torch.device,
) -> Poses:
    """The poses of ``samples``, whose sources have ``origins`` and are called ``names`` in errors.

    Raises DataError as ``load_poses`` and ``open_reading``, and ConfigError for two networks.
    """
    if not model.embedding:
        return Poses(NoPose())
    read = {source: Path(origin) for source, origin in origins.items() if is_network(origin)}
    known: dict[tuple[str, Path], Pose] = {}
    for source in dict.fromkeys(sample.source for sample in samples):
        if source not in read:
            own = [sample for sample in samples if sample.source == source]
            known |= load_poses(own, origins[source], names[source])
    if not read:
        return Poses(KeypointSource(model, known))
    (first, file), *others = read.items()
    for source, other in others:
        if other != file:
            raise ConfigError(
                f"{names[source]}.keypoints: expected the same pose network as "
                f"{names[first]}.keypoints, {file}, got {other}"
            )
    reading = open_reading(file, model, device)
    return Poses(KeypointSource(model, known, reading, frozenset(read)), reading)


def pose_values(points: Pose, size: int) -> NDArray[np.float32]:
    """(108,): x / size - 0.5, y / size - 0.5 and confidence - 0.5 of each point in turn.

    Of points in an input of ``size`` pixels. One that is not known at all (confidence 0) is put in
    the middle.
    """
    xy = np.where(points[:, 2:] > 0, points[:, :2] / size, 0.5)
    return (np.concatenate([xy, points[:, 2:]], axis=1) - 0.5).ravel().astype(np.float32)


def drawn_heatmaps(points: Pose, size: int) -> NDArray[np.uint8]:
    """(36, size / 4, size / 4) bytes: a Gaussian about each point, as high as its confidence."""
    # As ``codec.encode``, in the floats and the order that are quick for one image, and only where
    # a byte is not 0: in a window about each point, or at the border that it lies beyond.
    known = np.flatnonzero(points[:, 2])
    side = size // STRIDE
    window = min(2 * _REACH, side)
    places = points[known, :2] / STRIDE - 0.5
    first = np.clip(np.floor(places) - (_REACH - 1), 0, side - window).astype(np.int64)
    off = (places - first)[..., None] - np.arange(window)
    falls = np.exp(off**2 / (-2 * SIGMA**2)).astype(np.float32)
    falls[:, 1] *= 255 * points[known, 2:]
    drawn = falls[:, 1, :, None] * falls[:, 0, None, :]
    drawn += 0.5  # to the nearest
    heatmaps = np.zeros((len(points), side, side), dtype=np.uint8)
    windows = sliding_window_view(heatmaps, (window, window), axis=(1, 2), writeable=True)  # type: ignore[call-overload]
    windows[known, first[:, 1], first[:, 0]] = drawn
    return heatmaps


def drawn_segments(points: Pose, size: int) -> NDArray[np.uint8]:
    """(13, size / 4, size / 4) bytes: 255 inside a segment of which all corners are sure."""
    side = size // STRIDE
    filled = fill_polygons(points[:, :2] / STRIDE, points[:, 2] >= SURE, side, side)
    return np.negative(filled.view(np.uint8))  # 255 is -1


def load_poses(
    samples: Sequence[Sample], origin: Origin, name: str
) -> dict[tuple[str, Path], Pose]:
    """The pose of each sample by its source and path, from its labels or a file of poses.

    A labelled point that cannot be seen counts as not known, and so do all points of an image
    without keypoints. Raises DataError when no image has labels, or the file lacks an image.
    """
    if origin == "labels":
        labelled = {
            (s.source, s.path): _labelled(s) for s in samples if s.record.keypoints is not None
        }
        if samples and not labelled:
            raise DataError(
                f"{name}: none of the {len(samples)} images has keypoints to embed; give a pose "
                "prediction file (see pamtri predict pose) or a pose network as its keypoints"
            )
        return labelled
    return _predicted(samples, open_predictions(Path(origin)), Path(origin))


def _predicted(
    samples: Sequence[Sample], predictions: Mapping[str, Pose], origin: Path
) -> dict[tuple[str, Path], Pose]:
    missing = [s.name for s in samples if s.name not in predictions]
    if missing:
        raise DataError(
            f"{origin}: has no row for {len(missing)} of {len(samples)} images, first {missing[0]}"
        )
    return {(s.source, s.path): predictions[s.name] for s in samples}


def _labelled(sample: Sample) -> Pose:
    keypoints = sample.record.keypoints
    assert keypoints is not None
    visible = keypoints.visible_array()
    confidence = visible if keypoints.confidence is None else visible * keypoints.confidence
    return np.column_stack([keypoints.xy_array(), confidence])
