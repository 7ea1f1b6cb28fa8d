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
from pamtri.pose import SURE
from pamtri.progress import progress
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
            size, visible = image_size(dataset, record), record.keypoints.visible_array()
            points = np.column_stack([record.keypoints.xy_array(), visible])
            write_channels(target, set_name, PurePosixPath(name).stem, points, size)
            bar.update()


def write_channels(
    target: Path, set_name: str, stem: str, points: NDArray[np.float64], size: tuple[int, int]
) -> None:
    """Write ``heatmap_<set>/<stem>`` and ``segment_<set>/<stem>`` of one image.

    ``points`` (36, 3) are x, y in pixels of the image of ``size`` (width, height), and confidence.
    """
    for kind, channels in (
        ("heatmap", heatmaps(points, size)),
        ("segment", segment_quads(points, size)),
    ):
        folder = target / f"{kind}_{set_name}" / stem
        folder.mkdir(parents=True, exist_ok=True)
        for number, channel in enumerate(channels):
            jpeg = cv2.imencode(".jpg", channel)[1].tobytes()
            (folder / f"{number:02d}.jpg").write_bytes(jpeg)


def heatmaps(points: NDArray[np.float64], size: tuple[int, int]) -> Channel:
    """(36, 64, 64) of points (36, 3) in an image of ``size`` (width, height).

    The peaks are 255 times the confidence. A heatmap pixel's value is the Gaussian's at its centre.
    """
    at = points[:, :2] / size * HEATMAP_SIDE
    centres = np.arange(HEATMAP_SIDE) + 0.5
    x, y = (np.exp(-((centres - at[:, i, None]) ** 2) / (2 * SIGMA**2)) for i in (0, 1))
    maps = y[:, :, None] * x[:, None, :] * points[:, 2, None, None]
    return np.round(255 * maps).astype(np.uint8)


def segment_quads(points: NDArray[np.float64], size: tuple[int, int]) -> Channel:
    """(13, height, width), 255 inside; blank where a corner is not sure or it is not convex."""
    filled = fill_polygons(points[:, :2], points[:, 2] >= SURE, *size)
    return filled * np.uint8(255)
