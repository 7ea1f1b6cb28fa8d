"""Each kind of damage is found, told with the image it is in, and nothing else is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from rendered_sets import SMALL, read_lines, render_set, write_lines

from pamtri.check import Problem
from pamtri.config import parse_config
from pamtri.errors import DataError
from pamtri.record import Record
from synth.cli import synth
from synth.config import SynthConfig
from synth.verify import report
from synth.verify.again import first_difference
from synth.verify.coverage import check_coverage
from synth.verify.labels import layer_problem, whole_problem
from synth.verify.report import summary_lines, verify_dataset

FIRST = "images/000000.jpg"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    root = tmp_path_factory.mktemp("sound") / "set"
    render_set(root)
    return root


@pytest.fixture
def root(sound, tmp_path):
    return Path(shutil.copytree(sound, tmp_path / "set"))


def findings(root):
    """Kinds of what is found, each with subjects and texts in one string."""
    found = {}
    for problem in verify_dataset(root)[1]:
        line = f"{problem.subject.removeprefix(f'{root}/')}: {problem.text}"
        found.setdefault(problem.kind, []).append(line)
    return {kind: "\n".join(lines) for kind, lines in found.items()}


def change(root, index=0, **fields):
    """Rewrite fields of one record; dotted names reach into sections (``a__b``)."""
    lines = read_lines(root)
    for name, value in fields.items():
        *sections, last = name.split("__")
        place = lines[index]
        for section in sections:
            place = place[section]
        place[last] = value
    write_lines(root, lines)


def repaint(path, change_pixels):
    array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    change_pixels(array)
    cv2.imwrite(str(path), array)


def test_a_sound_set_has_every_kind_of_label_and_no_violation(sound):
    lines = read_lines(sound)
    letters = set("".join(line["keypoints"]["visibility"] for line in lines))
    assert letters == set("vsot")
    assert any(line["occlusion"] > 0.05 for line in lines)
    assert any(line["truncation"] > 0.05 for line in lines)
    result = CliRunner().invoke(synth, ["check", str(sound)])
    assert (result.exit_code, result.stdout) == (0, f"{sound}: 8 images, nothing wrong\n")


def test_the_command_prints_a_line_a_kind_and_ends_with_status_one(root, monkeypatch):
    info = root / "dataset.yaml"
    info.write_text(re.sub("^commit: .*", f"commit: {'ab' * 20}", info.read_text(), flags=re.M))
    monkeypatch.setattr(report, "provenance", lambda: {"commit": "cd" * 20 + "+"})
    for index in range(2, 7):
        (root / f"images/00000{index}.jpg").unlink()
    change(root, colour="red" if read_lines(root)[0]["colour"] != "red" else "blue")
    result = CliRunner().invoke(synth, ["check", str(root)])
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].startswith(
        "missing image (5): images/000002.jpg: no such file; images/000003.jpg: no such file; "
    )
    assert lines[0].endswith("; and 2 more")
    assert lines[1].startswith("label (1): images/000000.jpg: colour is ")
    assert lines[2:] == [
        "rendered by commit ababababab, checked by cdcdcdcdcd with local changes: "
        "their scenes may differ",
        f"{root}: 8 images, 6 violations of 2 kinds",
    ]


def test_records_that_are_missing_twice_or_too_many(root):
    lines = read_lines(root)
    lines[1]["frame"] = 0
    lines[2]["frame"] = 8
    write_lines(root, [*lines[:7], lines[3]])
    (root / "failures.jsonl").write_text(json.dumps({"index": 7, "error": "no", "spec": None}))
    found = findings(root)
    assert found["missing record"] == "image 1: was not rendered\nimage 2: was not rendered"
    assert found["failed image"] == "image 7: no"
    assert found["image twice"] == f"images/000001.jpg: is number 0 like {FIRST}"
    assert found["image too many"] == "images/000002.jpg: is number 8, expected 0 to 7"
    assert found["duplicate name"] == "images/000003.jpg: has 2 records"
    strays = {"images/000007.jpg", "masks/000007.png", "segments/000007.png"}
    assert {f"{path}: no record names it" for path in strays} <= set(
        found["stray file"].split("\n")
    )
    assert "identity 0: has 5 images, expected 4" in found["coverage"]
    assert "identity 1: has 3 images, expected 4" in found["coverage"]


def test_what_was_not_rendered_can_be(root):
    write_lines(root, read_lines(root)[:7])
    result = CliRunner().invoke(synth, ["check", str(root)])
    assert f"what is missing is rendered by: pamtri synth resume {root}\n" in result.stdout


def test_pictures_and_files(root):
    shutil.copy(root / FIRST, root / "images/000001.jpg")
    (root / "masks/notes.txt").touch()
    (root / "segments/000002.png").write_bytes(b"no picture")
    with (root / "records/00000.jsonl").open("a") as shard:
        shard.write("{}\n")
    found = findings(root)
    assert found["picture twice"] == f"images/000001.jpg: is byte for byte {FIRST}"
    assert found["stray file"] == "masks/notes.txt: no record names it"
    assert found["damaged image"].startswith("segments/000002.png: cannot identify")
    assert "line 9: missing key 'image'" in found["damaged record"]


def test_coverage_of_identities_cameras_and_splits(root):
    lines = read_lines(root)
    for line in lines[:2]:
        line["camera"] = 2 if line["camera"] == 1 else 1
    lines[1]["camera"] = 7
    lines[2]["split"] = "val"
    write_lines(root, lines)
    found = findings(root)
    assert "camera 7, expected 0" in found["camera coverage"]
    assert found["identity in two splits"] == "identity 0: is in train and val"
    assert "images/000001.jpg: camera is 7, computed again it is" in found["label"]
    lines[4]["identity"] = 5
    write_lines(root, lines)
    found = findings(root)
    assert "identity 5: has 1 images, expected 0" in found["coverage"]


def test_a_query_needs_an_answer_from_another_camera(root):
    lines = read_lines(root)
    (query,) = [line for line in lines if line["split"] == "query"]
    for line in lines[4:]:
        line["camera"] = query["camera"]
    write_lines(root, lines)
    assert "no gallery image of identity 1" in findings(root)["query without a match"]


def test_masks_boxes_and_segments(root):
    box = read_lines(root)[0]["box"]
    change(root, box=[box[0] + 1, *box[1:]])
    repaint(root / "masks/000001.png", lambda a: a.__setitem__((slice(3), slice(3)), 255))
    repaint(root / "masks/000002.png", lambda a: a.__setitem__((5, 5), 7))
    repaint(root / "segments/000003.png", lambda a: a.__setitem__(slice(None), 14))
    found = findings(root)
    assert f"{FIRST}: the box is" in found["box and mask"]
    assert "images/000001.jpg: the box is" in found["box and mask"]
    assert found["mask values"].startswith("images/000002.jpg: the mask holds other values")
    assert found["segment values"] == "images/000003.jpg: the segment mask holds 14, at most 13"
    assert "pixels are of a segment but not of the vehicle" in found["segments and mask"]
    assert "images/000001.jpg: masks/000001.png: 9 pixels differ" in found["mask"]
    assert "images/000003.jpg: segments/000003.png: " in found["mask"]


def whole(line):
    return line["truncation"] == 0 and min(line["box_amodal"][:2]) >= 0


def test_boxes_and_truncation(root):
    lines = read_lines(root)
    index = next(i for i, line in enumerate(lines) if whole(line))
    change(root, index, truncation=0.2)
    left, top, right, bottom = lines[1]["box_amodal"]
    change(root, 1, box_amodal=[left + 9, top, right, bottom])
    change(root, 2, box=[0, 0, 65, 40])
    found = findings(root)
    assert "is 0.200, but the whole vehicle is inside the image" in found["truncation"]
    assert "images/000001.jpg: the visible box" in found["boxes"]
    assert "images/000002.jpg: the box (0.0, 0.0, 65.0, 40.0) leaves the image" in found["box"]


def letter(root, index, position, value):
    letters = list(read_lines(root)[index]["keypoints"]["visibility"])
    letters[position] = value
    change(root, index, keypoints__visibility="".join(letters))


def test_keypoints_inside_their_rule(root):
    lines = read_lines(root)
    visible = lines[0]["keypoints"]["visibility"].index("v")
    letter(root, 0, visible, "t")
    index, cut = next(
        (i, line["keypoints"]["visibility"].index("t"))
        for i, line in enumerate(lines)
        if "t" in line["keypoints"]["visibility"]
    )
    letter(root, index, cut, "v")
    found = findings(root)
    assert "is marked 't' but lies inside the image" in found["visibility"]
    assert "is marked 'v' but lies outside the image" in found["visibility"]
    assert f"images/{index:06d}.jpg: keypoints.visibility is" in found["label"]


def test_keypoints_against_the_camera(root):
    x, y = read_lines(root)[0]["keypoints"]["xy"][3]
    points = read_lines(root)[0]["keypoints"]["xy"]
    points[3] = [x + 0.03, y - 0.04]
    change(root, 0, keypoints__xy=points)
    change(root, 1, calibration__fx=read_lines(root)[1]["calibration"]["fx"] * 1.01)
    found = findings(root)
    assert (
        f"{FIRST}: left_front_arch_front_high is 0.05 px from where its 3-D point appears"
        in found["projection"]
    )
    assert "images/000001.jpg: " in found["projection"]


def test_keypoints_against_the_mask(root):
    line = next(line for line in read_lines(root) if line["occlusion"] == 0)
    path = root / line["mask"]
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(path), np.where(np.arange(mask.shape[1]) < 8, 255, 0) * np.ones_like(mask))
    assert "px off the mask" in findings(root)["keypoints and mask"]
    cv2.imwrite(str(path), np.full_like(mask, 255))
    index = line["frame"]
    inner = min(
        (i for i, v in enumerate(line["keypoints"]["visibility"]) if v == "v"),
        key=lambda i: np.abs(np.array(line["keypoints"]["xy"][i]) - 32).max(),
    )
    letter(root, index, inner, "o")
    assert "px inside the visible mask" in findings(root)["keypoints and mask"]


def test_scenes_are_sampled_again(root):
    change(root, 0, scene__light__strength=1.25)
    change(root, 1, scene__seed=4)
    config = root / "config.yaml"
    found = findings(root)
    assert found["scene"].splitlines() == [
        f"{FIRST}: scene.light.strength is 1.25, sampled again it is 1.0",
        "images/000001.jpg: scene.seed is 4, sampled again it is 3",
    ]
    config.write_text(config.read_text().replace("seed: 3", "seed: 5"))
    assert findings(root)["scene"].count("scene.seed is 3, sampled again it is 5") == 7


def test_more_workers_find_the_same(root):
    change(root, 0, scene__light__strength=1.25)
    change(root, 6, occlusion=0.9)
    assert verify_dataset(root, workers=2) == verify_dataset(root)


def test_rounding_is_no_difference_and_a_changed_kind_is():
    old = {"a": [1.0, {"b": "x"}], "c": None}
    assert first_difference(old, {"a": [1.0 + 1e-9, {"b": "x"}], "c": None}) is None
    assert first_difference(old, {"a": [1.0, {"b": "y"}]}) == ("a.1.b", "x", "y")
    assert first_difference(old, {"a": [1.0], "c": None}) == ("a", old["a"], [1.0])
    assert first_difference({"a": 1.0}, {"a": 1.0, "new": 2}) == ("new", None, 2)


def test_a_line_counts_and_names_at_most_three():
    problems = [Problem("kind", f"/set/{i}", "odd") for i in range(3)]
    assert summary_lines(problems, Path("/set")) == ["kind (3): 0: odd; 1: odd; 2: odd"]


def test_what_is_no_rendered_set_is_said(tmp_path):
    with pytest.raises(DataError, match=r"holds no config.yaml and run.yaml"):
        verify_dataset(tmp_path)


def covered(images, cameras, identities=1):
    """What is said of identities with these cameras' images when three were configured."""
    config = parse_config(
        {
            **SMALL,
            "identities": identities,
            "images_per_identity": 3,
            "splits": {"train": 1},
            "fixed_cameras": [{"id": id} for id in cameras],
        },
        SynthConfig,
        source="test",
    )
    records = [
        Record(image=f"{i}.jpg", domain="synthetic", identity=identity, camera=camera)
        for i, (identity, camera) in enumerate(images)
    ]
    return [(p.subject, p.text) for p in check_coverage(config, records)]


def test_every_camera_has_its_turn_before_one_has_another():
    assert covered([(0, 1), (0, 2), (0, 1)], cameras=[1, 2]) == []
    assert covered([(0, 1)] * 3, cameras=[1, 2]) == [
        ("identity 0", "is seen 3 times by camera 1, expected 1 or 2"),
        ("identity 0", "is seen 0 times by camera 2, expected 1 or 2"),
    ]
    assert covered([(0, 1), (0, 2), (0, 2)], cameras=[1, 2, 3]) == [
        ("identity 0", "is seen 2 times by camera 2, expected 1"),
        ("identity 0", "is seen 0 times by camera 3, expected 1"),
    ]
    assert covered([(0, None)] * 3, cameras=[]) == []
    assert covered([(0, None)] * 3, cameras=[], identities=2) == [
        ("identity 1", "has 0 images, expected 3")
    ]


def test_further_label_images_against_the_mask():
    mask = np.zeros((6, 8), dtype=np.uint8)
    mask[2:4, 1:6] = 255
    depth = np.where(mask > 0, 3000, 0).astype(np.uint16)
    normals = np.stack([depth, 0 * depth, 0 * depth], axis=2)
    assert layer_problem(depth, mask) == layer_problem(normals, mask) == ""
    depth[2, 1:4], normals[0, :2, 2] = 0, 1
    assert layer_problem(depth, mask) == (
        "3 pixels of the vehicle have no value, 0 others have one"
    )
    assert layer_problem(normals, mask) == (
        "0 pixels of the vehicle have no value, 2 others have one"
    )


def test_the_whole_vehicle_against_what_is_visible():
    mask = np.zeros((6, 8), dtype=np.uint8)
    mask[2:4, 1:6] = 255
    whole = mask.copy()
    whole[2:4, 6:8] = 255
    assert whole_problem(mask, mask, 0.0) == whole_problem(whole, mask, 4 / 14) == ""
    assert whole_problem(whole, mask, 0.1) == "0.2857 of it is hidden, the record says 0.1000"
    assert whole_problem(mask, whole, 0.0) == "4 visible pixels are not of the whole vehicle"
