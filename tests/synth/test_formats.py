"""The labels of rendered images survive every layout that they are written in, as far as it goes.

``tests/pamtri/formats`` does the same with made-up records.
"""

from __future__ import annotations

import json
import math

import cv2
import numpy as np
import pytest
from rendered_sets import Noise, render_set

from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.check import check_dataset
from pamtri.dataset import read_native
from pamtri.formats import open_dataset, write_dataset
from pamtri.label_images import read_depth, read_normals
from synth.geometry import build_geometry
from synth.images import render_image
from synth.labels import label_scene
from synth.sampling import sample_scene


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A rendered set and the scenes of its images."""
    root = tmp_path_factory.mktemp("rendered") / "set"
    config = render_set(root)
    return read_native(root), [sample_scene(config, config.seed, i) for i in range(config.count)]


@pytest.fixture(scope="module")
def dataset(made):
    return made[0]


def read(dataset, path):
    return cv2.imread(str(dataset.root / path), cv2.IMREAD_UNCHANGED)


def test_files_hold_the_labels(made):
    dataset, scenes = made
    assert check_dataset(dataset) == []
    shared = 0
    for record, spec in zip(dataset, scenes, strict=True):
        labels = label_scene(spec, build_geometry(spec), normals=True)
        np.testing.assert_array_equal(read(dataset, record.mask), np.where(labels.mask, 255, 0))
        whole = read(dataset, record.mask_amodal)
        np.testing.assert_array_equal(whole, np.where(labels.mask_amodal, 255, 0))
        np.testing.assert_array_equal(read(dataset, record.segment_mask), labels.segment_mask)
        np.testing.assert_array_equal(read(dataset, record.part_mask), labels.part_mask)
        depth = read_depth(dataset.root / record.depth, record.depth_step_m)
        np.testing.assert_allclose(depth, labels.depth, atol=record.depth_step_m / 2 + 1e-5)
        normals = read_normals(dataset.root / record.normals)
        np.testing.assert_allclose(normals, labels.normals, atol=2e-5)
        assert record.keypoints == labels.keypoints
        assert (record.occlusion, record.truncation) == (labels.occlusion, labels.truncation)
        assert (record.mask == record.mask_amodal) == (labels.occlusion == 0)
        shared += record.mask == record.mask_amodal
        assert record.camera in (1, 2) and record.scene == spec.model_dump(mode="json")
    assert 0 < shared < len(scenes)
    assert {letter for r in dataset for letter in r.keypoints.visibility} == set("vsot")


def test_what_was_not_asked_for_is_not_there(made):
    rendered = render_image(made[1][0], Noise())
    assert set(rendered.pictures) <= {"mask", "mask_amodal", "segment_mask", "part_mask"}
    record = rendered.record
    assert (record.depth, record.depth_step_m, record.normals) == (None, None, None)


def test_native(dataset, tmp_path):
    write_dataset(dataset, tmp_path / "out", "native")
    again = open_dataset(tmp_path / "out")
    assert again.records == dataset.records and again.info == dataset.info
    for path in {path for record in dataset for path in record.files}:
        assert (tmp_path / "out" / path).read_bytes() == (dataset.root / path).read_bytes()


def by_image(dataset, again):
    """Pairs of a record and what was read again, told by the images' bytes."""
    found = {again.image_path(r).read_bytes(): r for r in again}
    return [(r, found[dataset.image_path(r).read_bytes()]) for r in dataset]


@pytest.mark.parametrize("format", ["veri", "pamtri_pose", "pamtri_multitask"])
def test_layouts_of_others(dataset, tmp_path, format):
    write_dataset(dataset, tmp_path / "out", format)
    pairs = by_image(dataset, open_dataset(tmp_path / "out"))
    assert len(pairs) == len(dataset)
    for record, again in pairs:
        held = ["split", "identity", "camera"]
        if format != "pamtri_pose":
            held += ["colour", "type"]
        assert [getattr(again, f) for f in held] == [getattr(record, f) for f in held]
        if format == "veri":
            continue
        exact = record.keypoints.xy_array()
        if format == "pamtri_pose":
            assert (again.width, again.height) == (record.width, record.height)
            exact = np.floor(exact) + 0.5
        np.testing.assert_allclose(again.keypoints.xy_array(), exact, atol=6e-4)
        np.testing.assert_array_equal(
            again.keypoints.visible_array(), record.keypoints.visible_array()
        )


def decoded(rle):
    """(h, w) mask of COCO's run lengths, by a slow loop."""
    height, width = rle["size"]
    flat = []
    for i, run in enumerate(rle["counts"]):
        flat += [i % 2 == 1] * run
    return np.array(flat).reshape(width, height).T


def test_coco(dataset, tmp_path):
    write_dataset(dataset, tmp_path / "out", "coco")
    seen = 0
    for path in (tmp_path / "out" / "annotations").glob("*.json"):
        content = json.loads(path.read_text())
        files = {image["id"]: image["file_name"] for image in content["images"]}
        for annotation in content["annotations"]:
            record = dataset.by_image[files[annotation["image_id"]]]
            seen += 1
            mask = read(dataset, record.mask) > 0
            np.testing.assert_array_equal(decoded(annotation["segmentation"]), mask)
            assert annotation["area"] == mask.sum()
            left, top, width, height = annotation["bbox"]
            assert (left, top, left + width, top + height) == record.box
            points = np.array(annotation["keypoints"]).reshape(36, 3)
            flags = {"v": 2, "s": 1, "o": 1, "t": 0}
            assert points[:, 2].tolist() == [flags[v] for v in record.keypoints.visibility]
            there = points[:, 2] > 0
            exact = record.keypoints.xy_array()[there] - 0.5
            np.testing.assert_allclose(points[there, :2], exact, atol=6e-4)
            told = annotation["attributes"]
            assert told["colour"] in COLOUR_INDEX and told["type"] in TYPE_INDEX
            for field in ("identity", "camera", "colour", "type", "style"):
                assert told[field] == getattr(record, field)
            assert math.isclose(told["occlusion"], record.occlusion)
            assert math.isclose(told["truncation"], record.truncation)
    assert seen == len(dataset)
