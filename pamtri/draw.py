"""Pictures of labels: keypoints, boxes and segments over an image, and sheets of many images."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.keypoints import SKELETON, Visibility
from pamtri.record import Keypoints, Record
from pamtri.segments import SEGMENTS

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

VISIBILITY_COLOURS: dict[str, Colour] = {
    Visibility.VISIBLE: (60, 220, 60),
    Visibility.SELF_OCCLUDED: (250, 210, 40),
    Visibility.OCCLUDED: (240, 50, 50),
    Visibility.HIDDEN: (150, 150, 150),
}
"""Red, green and blue of keypoints; truncated ones are outside and are not drawn."""
BOX_COLOUR: Colour = (255, 255, 255)
SEGMENT_COLOUR: Colour = (80, 170, 255)
_SHIFT = 4
"""Drawing is exact to 1 / 2**_SHIFT pixel."""


def draw_labels(
    image: Image,
    record: Record,
    keypoints: bool = True,
    box: bool = True,
    segments: bool = True,
    skeleton: bool = False,
    scale: float = 1.0,
) -> Image:
    """A copy of the (h, w, 3) RGB image, ``scale`` times as large, with the record's labels.

    Segments are outlined where all four corners are visible; lines of the skeleton are drawn where
    both ends are.
    """
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = _resize(image, *size)
    stretch = np.array(size) / [width, height]
    if record.keypoints is not None:
        points = record.keypoints.xy_array() * stretch
        if segments:
            _draw_segments(canvas, points, record.keypoints)
        if skeleton:
            _draw_skeleton(canvas, points, record.keypoints)
        if keypoints:
            _draw_keypoints(canvas, points, record.keypoints)
    if box and record.box is not None:
        corners = np.array(record.box).reshape(2, 2) * stretch
        top_left, bottom_right = _fixed(corners)
        cv2.rectangle(canvas, top_left, bottom_right, BOX_COLOUR, 1, cv2.LINE_AA, _SHIFT)
    return canvas


def contact_sheet(images: Sequence[Image], columns: int, cell: int) -> Image:
    """RGB images in rows of ``columns``, each shrunk or enlarged to fit a square of ``cell`` px."""
    rows = -(-len(images) // columns)
    sheet = np.full((rows * cell, columns * cell, 3), 32, dtype=np.uint8)
    for number, image in enumerate(images):
        scale = fit_scale(image, cell)
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        if image.shape[:2] != (height, width):
            image = _resize(image, width, height)
        row, column = divmod(number, columns)
        top, left = row * cell + (cell - height) // 2, column * cell + (cell - width) // 2
        sheet[top : top + height, left : left + width] = image
    return sheet


def fit_scale(image: Image, cell: int) -> float:
    """The factor that makes the image's longer side fill ``cell`` pixels."""
    return cell / max(image.shape[:2])


def _resize(image: Image, width: int, height: int) -> Image:
    """A copy of the image at another size."""
    shrinks = width * height < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (width, height), interpolation=method).astype(np.uint8)


def _draw_segments(canvas: Image, points: NDArray[np.float64], labels: Keypoints) -> None:
    visible = labels.visible_array()
    for segment in SEGMENTS:
        corners = list(segment.corners)
        if visible[corners].all():
            outline = np.array(_fixed(points[corners]))
            cv2.polylines(canvas, [outline], True, SEGMENT_COLOUR, 1, cv2.LINE_AA, _SHIFT)


def _draw_skeleton(canvas: Image, points: NDArray[np.float64], labels: Keypoints) -> None:
    visible, places = labels.visible_array(), _fixed(points)
    for a, b in SKELETON:
        if visible[a] and visible[b]:
            for width, colour in ((3, (0, 0, 0)), (1, VISIBILITY_COLOURS[Visibility.VISIBLE])):
                cv2.line(canvas, places[a], places[b], colour, width, cv2.LINE_AA, _SHIFT)


def _draw_keypoints(canvas: Image, points: NDArray[np.float64], labels: Keypoints) -> None:
    size = round(max(3.0, max(canvas.shape[:2]) / 100) * 2**_SHIFT)
    for point, letter in zip(_fixed(points), labels.visibility, strict=True):
        if letter in VISIBILITY_COLOURS:
            for part, colour in ((1.0, (0, 0, 0)), (0.7, VISIBILITY_COLOURS[letter])):
                cv2.circle(canvas, point, round(part * size), colour, -1, cv2.LINE_AA, _SHIFT)


def _fixed(points: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(n, 2) continuous pixels as OpenCV's fixed-point indices, in which 0 is a pixel's centre."""
    fixed = np.round((points - 0.5) * 2**_SHIFT).astype(int)
    return [(int(x), int(y)) for x, y in fixed]
