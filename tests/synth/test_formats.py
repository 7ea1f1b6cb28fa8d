"""The labels of rendered images survive every layout that they are written in, as far as it goes.

``tests/pamtri/formats`` does the same with made-up records.
"""

from __future__ import annotations

import json
import math

import cv2
import numpy as np
import pytest
from renderers_for_tests import Plain

from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.check import check_dataset
from pamtri.dataset import DatasetInfo, read_native, write_native
from pamtri.formats import open_dataset, write_dataset
from pamtri.label_images import read_depth, read_normals
from synth.config import LabelConfig, SynthConfig
from synth.geometry import build_geometry
from synth.images import render_image, write_image
from synth.labels import label_scene
from synth.sampling import sample_scene

CONFIG = SynthConfig.model_validate(
    {
        "name": "small",
        "seed": 4,
        "identities": 2,
        "images_per_identity": 4,
        "splits": {"train": 0.5, "test": 0.5},
        "vehicle": {"style": "notchback"},
        "image": {"size_px": 64},
        "occluders": {"probability": 0.6, "share": 0.3},
        "camera": {"framing": {"truncation_probability": 0.5}},
        "fixed_cameras": [{"id": 3}, {"id": 5, "camera": {"distortion_k1": -0.1}}],
        "labels": {"depth": True, "normals": True},
    }
)


@pytest.fixture(scope="module")
def scenes():
    return [sample_scene(CONFIG, CONFIG.seed, i) for i in range(CONFIG.count)]


@pytest.fixture(scope="module")
def dataset(scenes, tmp_path_factory):
    """A whole rendered set, by a renderer that only makes noise."""
    root = tmp_path_factory.mktemp("rendered") / "set"
    made = [render_image(spec, Plain("plain", 1), CONFIG.labels) for spec in scenes]
    for image in made:
        for path in image.record.files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
        write_image(root, image)
    write_native(root, [image.record for image in made], DatasetInfo(name="small"))
    return read_native(root)


def read(dataset, path):
    return cv2.imread(str(dataset.root / path), cv2.IMREAD_UNCHANGED)


def test_files_hold_the_labels(dataset, scenes):
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
        assert record.camera in (3, 5) and record.scene == spec.model_dump(mode="json")
    assert 0 < shared < len(scenes)
    assert {letter for r in dataset for letter in r.keypoints.visibility} == set("vsot")


def test_what_was_not_asked_for_is_not_there(scenes):
    made = render_image(scenes[0], Plain("plain", 1), LabelConfig())
    assert set(made.pictures) <= {"mask", "mask_amodal", "segment_mask", "part_mask"}
    record = made.record
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
    assert len(pairs) == CONFIG.count
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
    assert seen == CONFIG.count
