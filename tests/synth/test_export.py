"""A rendered set in other layouts: masks, heatmaps and whole records come along."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from rendered_sets import read_lines, render_set

from pamtri.dataset import read_native
from pamtri.formats import open_dataset
from synth.cli import synth


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("export") / "set"
    render_set(root)
    return root


@pytest.fixture
def export(root, tmp_path):
    def export(layout):
        target = tmp_path / layout
        arguments = ["export", str(root), "--to", layout, "--output", str(target)]
        result = CliRunner().invoke(synth, arguments)
        assert result.stdout == f"{target}: 8 images in layout {layout}\n"
        return target

    return export


def test_coco_holds_the_masks_as_run_lengths(root, export):
    target = export("coco")
    lines = {line["image"]: line for line in read_lines(root)}
    seen = 0
    for path in (target / "annotations").iterdir():
        split = json.loads(path.read_text())
        names = {image["id"]: image["file_name"] for image in split["images"]}
        for annotation in split["annotations"]:
            line = lines[names[annotation["image_id"]]]
            runs = annotation["segmentation"]["counts"]
            column_wise = np.repeat(np.arange(len(runs)) % 2, runs)
            height, width = annotation["segmentation"]["size"]
            mask = column_wise.reshape(width, height).T
            stored = cv2.imread(str(root / line["mask"]), cv2.IMREAD_UNCHANGED)
            assert np.array_equal(mask, stored // 255)
            visible = [v == 2 for v in annotation["keypoints"][2::3]]
            assert visible == [letter == "v" for letter in line["keypoints"]["visibility"]]
            seen += 1
    assert seen == 8


def test_pamtri_gets_a_heatmap_for_each_visible_keypoint(root, export):
    target = export("pamtri_full")
    rows = [row for path in target.glob("label_*.csv") for row in path.read_text().splitlines()]
    assert len(rows) == 8
    for line in read_lines(root):
        set_name = {"gallery": "test"}.get(line["split"], line["split"])
        stem = f"{line['identity']:04d}_c{line['camera']:03d}_{line['frame']:08d}_0"
        for i, letter in enumerate(line["keypoints"]["visibility"]):
            path = target / f"heatmap_{set_name}" / stem / f"{i:02d}.jpg"
            heatmap = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert (heatmap.max() > 60) == (letter == "v")


def test_shards_give_the_same_data_set(root, export):
    read, native = open_dataset(export("webdataset")), read_native(root)
    assert (read.records, read.info) == (native.records, native.info)
    for record in native:
        for path in record.files:
            assert (read.root / path).read_bytes() == (root / path).read_bytes()


def test_veri_and_pose_labels_are_read_back(root, export):
    for layout in ("veri", "pamtri_pose"):
        read = open_dataset(export(layout))
        assert read.format == layout
        told = sorted((r.identity, r.camera, r.split, r.frame) for r in read)
        lines = read_lines(root)
        assert told == sorted((n["identity"], n["camera"], n["split"], n["frame"]) for n in lines)
