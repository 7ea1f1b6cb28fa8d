"""What is drawn is where the labels are, at any scale, in the colour of its visibility."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri import draw
from pamtri.keypoints import INDEX, NAMES, SKELETON, Visibility
from pamtri.record import Keypoints, Record
from pamtri.segments import SEGMENTS

OUTSIDE = (-50.0, -50.0)


def record_of(points, box=None):
    """A record in which only ``points``, {name: (x, y, letter)}, are inside the image."""
    xy = [OUTSIDE] * 36
    letters = [Visibility.TRUNCATED.value] * 36
    for name, (x, y, letter) in points.items():
        xy[INDEX[name]], letters[INDEX[name]] = (x, y), letter
    return Record(
        image="a.jpg",
        domain="synthetic",
        keypoints=Keypoints(xy=xy, visibility="".join(letters)),
        box=box,
    )


def centre_of(canvas, colour):
    """The mean continuous position of the pixels that have this colour."""
    rows, columns = np.nonzero((canvas == colour).all(axis=2))
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


@pytest.mark.parametrize("letter", "vsoh")
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_a_keypoint_is_drawn_where_it_is_in_its_colour(letter, scale):
    image = np.zeros((60, 80, 3), dtype=np.uint8)
    drawn = draw.draw_labels(image, record_of({"left_headlight": (30, 20, letter)}), scale=scale)
    assert drawn.shape == (60 * scale, 80 * scale, 3)
    place = centre_of(drawn, draw.VISIBILITY_COLOURS[letter])
    assert place == pytest.approx(np.array([30, 20]) * scale, abs=0.3)


def test_truncated_keypoints_are_not_drawn_and_the_image_is_not_touched():
    image = np.full((20, 20, 3), 7, dtype=np.uint8)
    record = record_of({"left_headlight": (10, 10, "t")}, box=None)
    assert np.array_equal(draw.draw_labels(image, record), image)
    draw.draw_labels(image, record_of({"left_headlight": (10, 10, "v")}, box=(1, 1, 9, 9)))
    assert (image == 7).all()


def test_the_box_runs_through_its_corners():
    image = np.zeros((40, 40, 3), dtype=np.uint8)
    drawn = draw.draw_labels(image, record_of({}, box=(5.5, 8.5, 30.5, 25.5)))
    rows, columns = np.nonzero(drawn.max(axis=2) > 100)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (5, 8, 30, 25)
    assert drawn[15, 15].max() == 0


def test_a_segment_is_outlined_only_where_all_its_corners_are_visible():
    corners = [NAMES[i] for i in SEGMENTS[0].corners]
    places = [(10, 10), (40, 10), (40, 30), (10, 30)]
    image = np.zeros((50, 50, 3), dtype=np.uint8)
    points = {name: (*place, "v") for name, place in zip(corners, places, strict=True)}
    outlined = draw.draw_labels(image, record_of(points), keypoints=False)
    assert (outlined[10, 15:35] != 0).any() and (outlined[15:25, 40] != 0).any()
    points[corners[2]] = (40, 30, "s")
    hidden = draw.draw_labels(image, record_of(points), keypoints=False)
    assert not hidden.any()
    assert not draw.draw_labels(image, record_of(points), keypoints=False, segments=False).any()


def test_the_skeleton_joins_what_can_be_seen():
    a, b = (NAMES[i] for i in SKELETON[0])
    image = np.zeros((50, 50, 3), dtype=np.uint8)
    ends = {a: (10.5, 20.5, "v"), b: (40.5, 20.5, "v")}
    lines = draw.draw_labels(image, record_of(ends), keypoints=False, skeleton=True)
    assert (lines[20, 11:40, 1] > 180).all() and (lines[20, 11:40, 0] < 80).all()
    assert not lines[23:].any() and not lines[:18].any()
    ends[b] = (40.5, 20.5, "s")
    assert not draw.draw_labels(image, record_of(ends), keypoints=False, skeleton=True).any()


def test_a_contact_sheet_centres_each_image_in_its_cell():
    wide = np.full((10, 20, 3), 200, dtype=np.uint8)
    tall = np.full((40, 20, 3), 100, dtype=np.uint8)
    sheet = draw.contact_sheet([wide, tall, wide], columns=2, cell=40)
    assert sheet.shape == (80, 80, 3)
    assert (sheet[10:30, 0:40] == 200).all() and (sheet[9, 0:40] == 32).all()
    assert (sheet[0:40, 50:70] == 100).all() and (sheet[0:40, 49] == 32).all()
    assert (sheet[50:70, 0:40] == 200).all() and (sheet[40:, 40:] == 32).all()
