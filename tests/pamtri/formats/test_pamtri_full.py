"""Heatmaps and segments against a pixel at a time by hand."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from pamtri.dataset import Dataset, DatasetInfo
from pamtri.formats import open_dataset, write_dataset
from pamtri.formats.pamtri_full import heatmaps, segment_quads
from pamtri.keypoints import INDEX
from pamtri.record import Keypoints, Record
from pamtri.segments import INDEX as SEGMENT_INDEX
from pamtri.segments import SEGMENTS

SIZE = (120, 80)


def points(visibility="v" * 36, **places):
    """36 points in a corner but for those that are placed by name."""
    xy = np.full((36, 2), 3.0)
    for name, place in places.items():
        xy[INDEX[name]] = place
    return Keypoints(xy=xy.tolist(), visibility=visibility)


def rows(keypoints):
    """x, y and 1 where the point can be seen, else 0."""
    return np.column_stack([keypoints.xy_array(), keypoints.visible_array()])


ROOF = {
    "left_roof_rear": (20.0, 60.0),
    "left_roof_front": (30.5, 20.0),
    "right_roof_front": (90.0, 15.25),
    "right_roof_rear": (100.0, 66.0),
}


def test_heatmaps_are_gaussians_over_the_whole_image():
    i, hidden = INDEX["left_headlight"], INDEX["left_tail_light"]
    letters = "".join("s" if k == hidden else "v" for k in range(36))
    maps = heatmaps(rows(points(letters, left_headlight=(45.0, 50.0))), SIZE)
    assert maps.shape == (36, 64, 64) and maps.dtype == np.uint8
    for row in range(64):
        for column in range(64):
            # The middle of this heatmap pixel in the image, and how far it is in heatmap pixels.
            x, y = (column + 0.5) * 120 / 64, (row + 0.5) * 80 / 64
            dx, dy = (x - 45) * 64 / 120, (y - 50) * 64 / 80
            value = 255 * math.exp(-(dx * dx + dy * dy) / (2 * 2.0**2))
            assert abs(maps[i, row, column] - value) <= 0.5 + 1e-9
    assert maps[i].argmax() == 39 * 64 + 23  # (45, 50) is at (24, 40): four pixels share the peak
    assert not maps[hidden].any()


def test_a_peak_is_as_high_as_the_confidence():
    unsure = rows(points(left_headlight=(45.0, 50.0)))
    unsure[:, 2] = 0.4
    sure = heatmaps(rows(points(left_headlight=(45.0, 50.0))), SIZE)
    assert np.abs(heatmaps(unsure, SIZE) - 0.4 * sure).max() <= 0.7
    assert not segment_quads(unsure, SIZE).any()


def test_a_segment_is_filled_inside_its_corners():
    quad = segment_quads(rows(points(**ROOF)), SIZE)[SEGMENT_INDEX["roof"]]
    assert quad.shape == (80, 120) and set(np.unique(quad)) == {0, 255}
    roof = SEGMENTS[SEGMENT_INDEX["roof"]]
    assert len(roof.corners) == 4
    corners = np.array(points(**ROOF).xy)[list(roof.corners)].astype(np.float32)
    for row in range(80):
        for column in range(120):
            inside = cv2.pointPolygonTest(corners, (column + 0.5, row + 0.5), True)
            if abs(inside) > 1:
                assert bool(quad[row, column]) == (inside > 0)


def test_a_segment_is_blank_when_a_corner_is_hidden_or_it_is_not_convex():
    roof = SEGMENT_INDEX["roof"]
    hidden = INDEX["left_roof_front"]
    letters = "".join("o" if k == hidden else "v" for k in range(36))
    assert segment_quads(rows(points(**ROOF)), SIZE)[roof].any()
    assert not segment_quads(rows(points(letters, **ROOF)), SIZE)[roof].any()
    dented = points(**ROOF | {"left_roof_front": (70.0, 50.0)})
    crossed = points(
        **ROOF
        | {"left_roof_front": ROOF["right_roof_front"], "right_roof_front": ROOF["left_roof_front"]}
    )
    for bad in (dented, crossed):
        assert not segment_quads(rows(bad), SIZE)[roof].any()


@pytest.fixture
def made(tmp_path):
    records = []
    for i, split in enumerate(("train", "query", "gallery")):
        image = f"000{i}_c00{i}_0000000{i}_0.jpg"
        Image.new("RGB", SIZE).save(tmp_path / image)
        records.append(
            Record(
                image=image, domain="synthetic", split=split, identity=i, camera=i, frame=i,
                keypoints=points(**ROOF, left_headlight=(45.0 + i, 50.0)),
            )
        )  # fmt: skip
    return Dataset(tmp_path, tuple(records), DatasetInfo(name="made"))


def test_folders_are_pamtris_and_the_csv_is_read_back(made, tmp_path):
    target = tmp_path / "full"
    write_dataset(made, target, "pamtri_full")
    assert sorted(p.name for p in target.iterdir()) == sorted(
        f"{kind}_{set_name}{ending}"
        for kind, ending in (("heatmap", ""), ("image", ""), ("label", ".csv"), ("segment", ""))
        for set_name in ("train", "query", "test")
    )
    for record, set_name in zip(made, ("train", "query", "test"), strict=True):
        stem = record.image.removesuffix(".jpg")
        maps = sorted((target / f"heatmap_{set_name}" / stem).iterdir())
        assert [p.name for p in maps] == [f"{k:02d}.jpg" for k in range(36)]
        quads = sorted((target / f"segment_{set_name}" / stem).iterdir())
        assert [p.name for p in quads] == [f"{k:02d}.jpg" for k in range(13)]
        i = INDEX["left_headlight"]
        stored = np.asarray(Image.open(maps[i])).astype(int)
        assert stored.shape == (64, 64)
        assert np.abs(stored - heatmaps(rows(record.keypoints), SIZE)[i]).max() < 16
        roof = np.asarray(Image.open(quads[SEGMENT_INDEX["roof"]])).astype(int)
        assert roof.shape == (80, 120) and roof[40, 60] > 250 and roof[75, 5] < 5
    read = open_dataset(target)
    assert read.format == "pamtri_multitask"
    assert sorted(r.image.split("/")[1] for r in read) == [r.image for r in made]
