"""Files of predicted poses: tables for programs, pictures for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2

from pamtri.draw import draw_labels
from pamtri.formats.pamtri_full import write_channels
from pamtri.formats.pamtri_multitask import SET_OF_SPLIT
from pamtri.formats.pose_csv import write_predictions
from pamtri.formats.pose_pack import SUFFIX, write_pack
from pamtri.images import read_image
from pamtri.pictures import PLAIN
from pamtri.pose import Pose
from pamtri.progress import progress
from pamtri.record import Record
from train.sources import Sample

_LEAST_SIDE = 640
"""Smaller images are enlarged to be drawn on, pixels of their longer side."""


def write_poses(path: Path, poses: Mapping[str, Pose]) -> None:
    """Write poses by image name, packed (``.npy``) or as PAMTRI's CSV by the file's ending."""
    if path.suffix == SUFFIX:
        write_pack(path, poses)
    else:
        write_predictions(path, {name: pose.rows for name, pose in poses.items()})


def draw_poses(folder: Path, samples: Sequence[Sample], poses: Mapping[str, Pose]) -> None:
    """Write each image with its keypoints and segments over it as ``folder/<name>.jpg``."""
    folder.mkdir(parents=True, exist_ok=True)
    with progress(len(samples), "draw") as bar:
        for sample in samples:
            image = read_image(sample.path)
            found = Record(
                image=sample.name, domain="real", keypoints=poses[sample.name].keypoints()
            )
            scale = max(1.0, _LEAST_SIDE / max(image.shape))
            drawn = draw_labels(image, found, box=False, segments=False, skeleton=True, scale=scale)
            jpeg = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
            (folder / f"{sample.path.stem}.jpg").write_bytes(jpeg.tobytes())
            bar.update()


def write_channel_folders(
    folder: Path, samples: Sequence[Sample], poses: Mapping[str, Pose]
) -> None:
    """Write PAMTRI's ``heatmap_<set>`` and ``segment_<set>`` folders of the images.

    The set is the image's split, or ``pictures`` where it has none.
    """
    with progress(len(samples), "channels") as bar:
        for sample in samples:
            pose, split = poses[sample.name], sample.record.split
            set_name = SET_OF_SPLIT.get(split, split) if split else PLAIN
            write_channels(folder, set_name, sample.path.stem, pose.rows, pose.size)
            bar.update()
