"""The labels of one image against each other and against its files; nothing is rendered.

Points are projected by OpenCV here, and boxes read off the stored masks: another way than the one
that made them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.check import Problem
from pamtri.errors import DataError
from pamtri.keypoints import NAMES, Visibility
from pamtri.record import Calibration, Keypoints, Record
from pamtri.segments import NUM_SEGMENTS
from synth.labels import SKIN_TOLERANCE

_PROJECTION_PX = 0.01
_SHARE_TOLERANCE = 1e-6
_EDGE_PX = 2.0
"""A point this near the mask's edge may lie on either side of it."""
_FILL_THE_MASK = ("part_mask", "depth", "normals")
"""Label images that say something of each pixel where the vehicle is visible, and of no other."""
Mask = NDArray[np.uint8]


def check_labels(root: Path, record: Record) -> Iterator[Problem]:
    """Everything in which the labels of one image disagree; labels it lacks are left out.

    Raises DataError when a mask cannot be read.
    """
    mask = _read_png(root, record.mask)
    segments = _read_png(root, record.segment_mask)
    problems = [
        *_mask_problems(record, mask, segments),
        *_layer_problems(root, record, mask),
        *_box_problems(record),
        *_keypoint_problems(record, mask),
    ]
    for kind, text in problems:
        yield Problem(kind, record.image, text)


def _read_png(root: Path, path: str | None) -> Mask | None:
    """The stored (h, w) array; None where the record has none."""
    if path is None:
        return None
    array = cv2.imread(str(root / path), cv2.IMREAD_UNCHANGED) if (root / path).exists() else None
    if array is None:
        raise DataError(f"{root / path}: is missing or unreadable")
    return np.asarray(array)


def _mask_problems(
    record: Record, mask: Mask | None, segments: Mask | None
) -> Iterator[tuple[str, str]]:
    if mask is None:
        return
    if mask.ndim != 2 or not np.isin(mask, (0, 255)).all():
        yield "mask values", "the mask holds other values than 0 and 255"
        return
    box, bounds = record.box, _bounds(mask > 0)
    if box != bounds:
        yield "box and mask", f"the box is {box}, the mask's bounds are {bounds}"
    if segments is None or segments.shape != mask.shape:
        return
    if segments.max() > NUM_SEGMENTS:
        yield "segment values", f"the segment mask holds {segments.max()}, at most {NUM_SEGMENTS}"
    outside = int(((segments > 0) & (mask == 0)).sum())
    if outside:
        yield "segments and mask", f"{outside} pixels are of a segment but not of the vehicle"


def _layer_problems(root: Path, record: Record, mask: Mask | None) -> Iterator[tuple[str, str]]:
    """The label images that a record may have besides, against the mask."""
    if mask is None:
        return
    for name in _FILL_THE_MASK:
        layer = _read_png(root, getattr(record, name, None))
        text = layer_problem(layer, mask) if layer is not None else ""
        if text:
            yield "label image and mask", f"{name}: {text}"
    whole = _read_png(root, getattr(record, "mask_amodal", None))
    text = whole_problem(whole, mask, record.occlusion) if whole is not None else ""
    if text:
        yield "amodal mask", text


def layer_problem(layer: NDArray[np.generic], mask: Mask) -> str:
    """Where a layer (h, w) or (h, w, channels) is not 0 just where the mask is set, in words."""
    there = np.asarray(layer).reshape(*layer.shape[:2], -1).any(axis=2)
    if there.shape != mask.shape:
        return ""
    empty, outside = int(((mask > 0) & ~there).sum()), int((there & (mask == 0)).sum())
    if not empty + outside:
        return ""
    return f"{empty} pixels of the vehicle have no value, {outside} others have one"


def whole_problem(whole: Mask, mask: Mask, occlusion: float | None) -> str:
    """Where the whole vehicle's mask leaves out what is visible, or makes another occlusion."""
    if whole.shape != mask.shape:
        return ""
    outside = int(((mask > 0) & (whole == 0)).sum())
    if outside:
        return f"{outside} visible pixels are not of the whole vehicle"
    area = np.count_nonzero(whole)
    hidden = 1 - np.count_nonzero(mask) / area if area else 0.0
    if occlusion is not None and abs(hidden - occlusion) > _SHARE_TOLERANCE:
        return f"{hidden:.4f} of it is hidden, the record says {occlusion:.4f}"
    return ""


def _bounds(mask: NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom edge of the pixels that are set."""
    if not mask.any():
        return None
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return float(left), float(top), float(left + width), float(top + height)


def _box_problems(record: Record) -> Iterator[tuple[str, str]]:
    box, whole = record.box, record.box_amodal
    if box is None or whole is None or record.width is None or record.height is None:
        return
    if box[0] < 0 or box[1] < 0 or box[2] > record.width or box[3] > record.height:
        yield "box", f"the box {box} leaves the image, {record.width} x {record.height}"
    low, high = np.floor(whole[:2]), np.ceil(whole[2:])
    if (np.array(box[:2]) < low).any() or (np.array(box[2:]) > high).any():
        yield "boxes", f"the visible box {box} leaves the whole vehicle's {_rounded(whole)}"
    inside = min(whole[:2]) >= 0 and whole[2] <= record.width and whole[3] <= record.height
    if inside and record.truncation:
        yield "truncation", f"is {record.truncation:.3f}, but the whole vehicle is inside the image"


def _keypoint_problems(record: Record, mask: Mask | None) -> Iterator[tuple[str, str]]:
    points, view = record.keypoints, record.calibration
    if points is None or record.width is None or record.height is None:
        return
    xy = points.xy_array()
    letters = np.array(list(points.visibility))
    inside = ((xy >= 0) & (xy < [record.width, record.height])).all(axis=1)
    for i in np.flatnonzero(inside == (letters == Visibility.TRUNCATED)):
        where = "inside" if inside[i] else "outside"
        yield "visibility", f"{NAMES[i]} is marked '{letters[i]}' but lies {where} the image"
    if view is None or points.xyz is None:
        return
    projected, depth = _project(points, view)
    error = np.linalg.norm(projected - xy, axis=1)
    if error.max() > _PROJECTION_PX:
        i = int(error.argmax())
        yield "projection", f"{NAMES[i]} is {error[i]:.2f} px from where its 3-D point appears"
    elif mask is not None and mask.shape == (record.height, record.width):
        slack = _EDGE_PX + SKIN_TOLERANCE * view.fx / depth
        yield from _against_mask(record, mask, xy, letters, inside, slack)


def _project(
    points: Keypoints, view: Calibration
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(36, 2) pixels and (36,) depths of the 3-D points, by OpenCV."""
    turn = np.array(view.rotation)
    shift = np.array(view.translation)
    xyz = np.array(points.xyz)
    lens = np.array(view.distortion)
    plane, _ = cv2.projectPoints(xyz, cv2.Rodrigues(turn)[0], shift, np.eye(3), lens)
    matrix = view.intrinsics.matrix
    pixels = np.reshape(plane, (-1, 2)) @ matrix[:2, :2].T + matrix[:2, 2]
    return pixels, xyz @ turn[2] + shift[2]


def _against_mask(
    record: Record,
    mask: Mask,
    xy: NDArray[np.float64],
    letters: NDArray[np.str_],
    inside: NDArray[np.bool_],
    slack: NDArray[np.float64],
) -> Iterator[tuple[str, str]]:
    """Visible points lie on what is visible of the vehicle, occluded ones where it is not."""
    to_mask = _distances(mask == 0)
    to_rest = _distances(mask > 0)
    whole = record.occlusion == 0
    for i in np.flatnonzero(inside):
        column, row = np.floor(xy[i]).astype(int)
        on_it = letters[i] == Visibility.VISIBLE or (
            whole and letters[i] == Visibility.SELF_OCCLUDED
        )
        if on_it and to_mask[row, column] > slack[i]:
            away = f"{to_mask[row, column]:.1f} px off the mask"
            yield "keypoints and mask", f"{NAMES[i]} is marked '{letters[i]}' but lies {away}"
        if letters[i] == Visibility.OCCLUDED and to_rest[row, column] > slack[i]:
            deep = f"{to_rest[row, column]:.1f} px inside the visible mask"
            yield "keypoints and mask", f"{NAMES[i]} is marked occluded but lies {deep}"


def _distances(away: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far each pixel that is ``away`` lies from the nearest that is not, pixels."""
    if away.all():
        return np.full(away.shape, np.inf, dtype=np.float32)
    distances = cv2.distanceTransform(away.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distances, dtype=np.float32)


def _rounded(box: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(v, 2) for v in box)
