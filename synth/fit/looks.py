"""What can be measured of a vehicle's image without labels: pose, framing, light, sharpness, paint.

The same is measured of photographs and of renders, whose true factors are known, so nothing here
needs to be right: it needs to follow the factor that it stands for.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from pamtri.errors import UserError
from pamtri.formats.pose_pack import PosePack, open_pack
from pamtri.images import read_image
from pamtri.pictures import pictures_in
from pamtri.pose import Pose
from pamtri.progress import progress
from pamtri.segments import fill_polygons
from pamtri.viewpoint import estimate_viewpoints

Floats = NDArray[np.float64]
SCALARS = (
    "elevation", "roll", "distance", "margin", "brightness", "contrast", "saturation", "warmth",
    "sharpness", "grain",
)  # fmt: skip
"""Measurements that are numbers, in the order of ``Looks.scalars``."""
PAINT_VALUES = 9
_PAINT_SEGMENTS = (0, 1, 2, 3, 4, 5, 7, 11, 12)
"""Fenders, doors, quarters, boot, bonnet, front: where a body is painted."""
_STANDARD_QUALITY_50 = 57.625
"""Mean of the JPEG standard's luminance table, that of quality 50."""
_LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, eq=False)
class Looks:
    """Measurements of n images."""

    paths: tuple[Path, ...]
    azimuth: Floats
    """(n,) degrees, NaN where the pose could not be read."""
    scalars: Floats
    """(n, ``SCALARS``): degrees; logarithms of lengths; shares; stops; NaN likewise."""
    size: Floats
    """(n,) longer side, pixels."""
    quality: Floats
    """(n,) JPEG quality by the file's quantisation table, NaN for other files."""
    paint: Floats
    """(n, 9) the vehicle's colour: quartiles of Lab where its body is painted."""
    pose: Floats
    """(n, 144) what the pose network says of each keypoint: peak and visibility."""


def pictures_of(folder: Path, count: int) -> list[Path]:
    """At most ``count`` image files of a folder, spread evenly over them by path.

    Raises DataError when there are none.
    """
    images = pictures_in(folder)
    files = [images.image_path(record) for record in images]
    count = min(count, len(files))
    return [files[i * len(files) // count] for i in range(count)]


def look_at(files: Sequence[Path], work: Path, network: Path | None, label: str) -> Looks:
    """Measure image files; ``work`` is a folder for what lies in between.

    ``network`` reads their poses, the one that comes with the program by default.
    """
    poses = _poses(files, work, network)
    names = [_link_name(i, f) for i, f in enumerate(files)]
    found = [poses.pose(name) for name in names]
    views = estimate_viewpoints(np.array([pose.places for pose in found]))
    rows, paint = [], []
    with progress(len(files), label) as bar:
        for file, pose in zip(files, found, strict=True):
            image = read_image(file)
            rows.append([_margin(pose), *appearance(image)])
            paint.append(_paint(image, pose))
            bar.update()
    angles = np.degrees(np.column_stack([views.elevation, views.roll]))
    scalars = np.column_stack([angles, np.log(views.distance), rows])
    states = [
        pose.visibility if pose.visibility is not None else np.zeros((36, 3)) for pose in found
    ]
    return Looks(
        paths=tuple(files),
        azimuth=np.degrees(views.azimuth),
        scalars=scalars,
        size=np.array([max(pose.size) for pose in found], dtype=float),
        quality=np.array([jpeg_quality(file) for file in files]),
        paint=np.array(paint),
        pose=np.array(
            [np.column_stack([p.peak, s]).ravel() for p, s in zip(found, states, strict=True)]
        ),
    )


def _poses(files: Sequence[Path], work: Path, network: Path | None) -> PosePack:
    """What ``pamtri predict pose`` reads, which lies in another stage: files go in and come out."""
    folder = work / "images"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i, file in enumerate(files):
        (folder / _link_name(i, file)).symlink_to(file.resolve())
    paths = [*([network] if network else []), folder, "--output", work / "pose.npy"]
    command = [sys.executable, "-m", "pamtri", "predict", "pose", *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise UserError(f"reading poses failed: {run.stderr.strip().splitlines()[-1]}")
    return open_pack(work / "pose.npy")


def _link_name(number: int, file: Path) -> str:
    return f"{number:06d}{file.suffix.lower()}"


def appearance(image: NDArray[np.uint8]) -> tuple[float, float, float, float, float, float]:
    """Brightness (stops), contrast, saturation, warmth (stops), sharpness, grain of (h, w, 3)."""
    values = image.astype(float) / 255
    light = values**2.2
    luma = values @ _LUMA
    red, _, blue = light.reshape(-1, 3).mean(axis=0) + 1e-3
    chroma = values.max(axis=2) - values.min(axis=2)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), 1.0)
    coarse = cv2.GaussianBlur(luma, (0, 0), 1.0) - cv2.GaussianBlur(luma, (0, 0), 2.0)
    busy = np.abs(coarse)
    calm = busy <= np.quantile(busy, 0.3)
    return (
        float(np.log2(np.median(light @ _LUMA) + 1e-3)),
        float(luma.std()),
        float(chroma.mean()),
        float(np.log2(red / blue)),
        float(np.log(fine.std() + 1e-4) - np.log(coarse.std() + 1e-4)),
        float(np.log(fine[calm].std() + 1e-3)),
    )


def jpeg_quality(file: Path) -> float:
    """Quality 1..100 by the mean of the luminance table, as libjpeg scales it; NaN for no JPEG."""
    with PIL.Image.open(file) as image:
        tables = getattr(image, "quantization", None)
    if not tables:
        return float("nan")
    scale = 100 * float(np.mean(tables[0])) / _STANDARD_QUALITY_50
    return float(np.clip((200 - scale) / 2 if scale <= 100 else 5000 / scale, 1, 100))


def _margin(pose: Pose) -> float:
    """Mean room between the keypoints' box and the image's four sides, over its longer side."""
    sure = pose.points[pose.peak >= 0.5 * pose.peak.max()]
    low, high = sure.min(axis=0), sure.max(axis=0)
    longer = max(float((high - low).max()), 1.0)
    return float(np.mean([low, np.array(pose.size) - high])) / longer


def _paint(image: NDArray[np.uint8], pose: Pose) -> Floats:
    """Quartiles of L, a and b where painted segments are seen, or amid the image where none is."""
    height, width = image.shape[:2]
    filled = fill_polygons(pose.points, pose.sure, width, height)
    body = filled[list(_PAINT_SEGMENTS)].any(axis=0)
    if body.sum() < 0.02 * body.size:
        body = np.zeros((height, width), dtype=bool)
        body[height // 3 : -(height // 4) or None, width // 4 : -(width // 4) or None] = True
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[body]
    quartiles: Floats = np.quantile(lab, [0.25, 0.5, 0.75], axis=0).ravel().astype(float)
    return quartiles
