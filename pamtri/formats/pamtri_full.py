"""PAMTRI's multi-task labels with the channels its network takes in: written only.

Beside ``label_<set>.csv`` and ``image_<set>`` (``pamtri_multitask``, which reads all of this):
``heatmap_<set>/<stem>/00.jpg`` to ``35.jpg``, 64 x 64, a Gaussian about each visible keypoint; and
``segment_<set>/<stem>/00.jpg`` to ``12.jpg``, as large as the image, each visible segment's
quadrilateral filled. Both cover exactly the image, over which PAMTRI's loader stretches them.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.dataset import Dataset
from pamtri.formats import pamtri_multitask
from pamtri.formats.images import Images, image_size
from pamtri.formats.names import veri_names
from pamtri.progress import progress
from pamtri.record import Keypoints
from pamtri.segments import fill_polygons

HEATMAP_SIDE = 64
SIGMA = 2.0
"""Of the Gaussians, heatmap pixels."""
Channel = NDArray[np.uint8]


def write(dataset: Dataset, target: Path, images: Images = "copy") -> None:
    """Write CSVs, images, heatmaps and segments; raises DataError as ``pamtri_multitask`` does."""
    pamtri_multitask.write(dataset, target, images)
    named = zip(dataset.records, veri_names(dataset.records), strict=True)
    with progress(len(dataset), "channels") as bar:
        for record, name in named:
            assert record.keypoints is not None
            set_name = pamtri_multitask.SET_OF_SPLIT[str(record.split)]
            size = image_size(dataset, record)
            for kind, channels in (
                ("heatmap", heatmaps(record.keypoints, size)),
                ("segment", segment_quads(record.keypoints, size)),
            ):
                _write_channels(target / f"{kind}_{set_name}" / PurePosixPath(name).stem, channels)
            bar.update()


def heatmaps(keypoints: Keypoints, size: tuple[int, int]) -> Channel:
    """(36, 64, 64) of an image of ``size`` (width, height); 255 at the peak, 0 where not visible.

    A heatmap pixel's value is the Gaussian's at its centre.
    """
    at = keypoints.xy_array() / size * HEATMAP_SIDE
    centres = np.arange(HEATMAP_SIDE) + 0.5
    x, y = (np.exp(-((centres - at[:, i, None]) ** 2) / (2 * SIGMA**2)) for i in (0, 1))
    maps = y[:, :, None] * x[:, None, :]
    maps[~keypoints.visible_array()] = 0
    return np.round(255 * maps).astype(np.uint8)


def segment_quads(keypoints: Keypoints, size: tuple[int, int]) -> Channel:
    """(13, height, width), 255 inside; blank where a corner is not visible or it is not convex."""
    filled = fill_polygons(keypoints.xy_array(), keypoints.visible_array(), *size)
    return filled * np.uint8(255)


def _write_channels(folder: Path, channels: Channel) -> None:
    folder.mkdir(parents=True)
    for number, channel in enumerate(channels):
        (folder / f"{number:02d}.jpg").write_bytes(cv2.imencode(".jpg", channel)[1].tobytes())
