"""PAMTRI's three CSV files, from rows worked out by hand."""

import numpy as np
import pytest

from pamtri.errors import DataError
from pamtri.formats import open_dataset, write_dataset
from pamtri.formats.pose_csv import read_predictions, write_predictions
from pamtri.record import Keypoints, Record


def triples(third):
    """Keypoint i at (i, 2 i) with the third value that a function of i gives."""
    return [str(v) for i in range(36) for v in (i, 2 * i, third(i))]


COUNT = "expected 36 keypoints after name, width, height, got "
FINITE = ", expected a finite number"
OUTSIDE = "image: expected a path inside the data set's folder, got 'image_train/../x.jpg'"
POSE = ["0001_c002_00000003_0.jpg", "126", "135", *triples(lambda i: i % 2)]
MULTI = ["0001_c002_00000003_0.jpg", "1", "5", "-1", *triples(lambda i: i / 32)]


@pytest.fixture
def write(tmp_path):
    def write(*rows, name="label_train.csv", folders=("image_train",)):
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(",".join(row) + "\n" for row in rows))
        return path

    return write


def refused(action, *args, **options):
    with pytest.raises(DataError) as caught:
        action(*args, **options)
    return str(caught.value)


def test_pose_labels_by_hand(write, tmp_path):
    write(POSE)
    (read,) = open_dataset(tmp_path)
    assert read == Record(
        image="image_train/0001_c002_00000003_0.jpg",
        domain="real",
        width=126,
        height=135,
        split="train",
        identity=1,
        camera=2,
        frame=3,
        keypoints=Keypoints(xy=[(i + 0.5, 2 * i + 0.5) for i in range(36)], visibility="hv" * 18),
    )


def test_pose_labels_as_pamtri_lays_them_out(write, tmp_path):
    write(POSE, name="annot/label_test.csv", folders=["images/image_test"])
    read = open_dataset(tmp_path)
    assert read.format == "pamtri_pose"
    assert read.records[0].image == "images/image_test/0001_c002_00000003_0.jpg"
    assert read.records[0].split == "test"


def test_the_pixel_that_a_point_lies_in_is_written(make_dataset, tmp_path):
    xy = [(0.0, 0.99), (1.0, 1.01), (-0.2, 63.999)] + [(5.5, 6.5)] * 33
    record = Record(
        image="images/7.jpg", domain="real", split="val",
        keypoints=Keypoints(xy=xy, visibility="vsoth" + "v" * 31),
    )  # fmt: skip
    write_dataset(make_dataset([record]), tmp_path / "out", "pamtri_pose")
    row = (tmp_path / "out/label_val.csv").read_text().strip().split(",")
    assert row[:3] == ["7.jpg", "64", "40"]  # the size is the image's
    assert row[3:18] == [*("0", "0", "1"), *("1", "1", "0"), *("-1", "63", "0"),
                         *("5", "6", "0"), *("5", "6", "0")]  # fmt: skip
    assert row[18:] == ["5", "6", "1"] * 31
    assert (tmp_path / "out/image_val/7.jpg").is_file()


def test_multitask_labels_by_hand(write, tmp_path):
    write(MULTI, name="label_test.csv", folders=["image_test"])
    (read,) = open_dataset(tmp_path)
    assert read == Record(
        image="image_test/0001_c002_00000003_0.jpg",
        domain="real",
        split="gallery",
        identity=1,
        camera=2,
        frame=3,
        colour="red",
        keypoints=Keypoints(
            xy=[(i + 0.5, 2 * i + 0.5) for i in range(36)],
            visibility="h" * 16 + "v" * 20,
            confidence=[min(i / 32, 1) for i in range(36)],  # peaks overshoot
        ),
    )


def test_predictions_by_hand(tmp_path):
    path = tmp_path / "deep/pose_test.csv"
    points = np.zeros((36, 3))
    points[0] = (0.5, 0.4999, 1.0344)
    points[35] = (10.25, 20.5, 0.5)
    write_predictions(path, {"a,b.jpg": points})
    text = path.read_text()
    assert text.startswith('"a,b.jpg",0.000,0.000,1.034,-0.500,-0.500,0.000,')
    assert text.endswith(",9.750,20.000,0.500\n")
    read = read_predictions(path)["a,b.jpg"]
    np.testing.assert_allclose(read, points, atol=0.0005)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda r: r[:-3], COUNT + "35 keypoints"),
        (lambda r: [*r, "1", "2", "1"], COUNT + "37 keypoints"),
        (lambda r: r[:-1], COUNT + "107 values"),
        (lambda r: [*r[:6], "nan", *r[7:]], "x of keypoint 1 (left_front_wheel) is 'nan'" + FINITE),
        (lambda r: [*r[:-2], "inf", "1"],
         "y of keypoint 35 (right_front_bumper) is 'inf'" + FINITE),
        (lambda r: [*r[:5], "yes", *r[6:]],
         "third value of keypoint 0 (left_rear_wheel) is 'yes'" + FINITE),
        (lambda r: [*r[:5], "2", *r[6:]], "a keypoint's visibility is 2, expected 0 or 1"),
        (lambda r: [r[0], "12.5", *r[2:]], "width is '12.5', expected an integer"),
        (lambda r: [r[0], "0", *r[2:]], "width: expected greater than 0, got 0"),
        (lambda r: ["", *r[1:]], "the image's name is empty"),
        (lambda r: ["../x.jpg", *r[1:]], OUTSIDE),
    ],
)  # fmt: skip
def test_damaged_pose_rows_are_named(write, tmp_path, change, expected):
    path = write(POSE, change(POSE))
    assert refused(open_dataset, tmp_path) == f"{path}, line 2: {expected}"
    with pytest.warns(UserWarning, match="line 2"):
        assert len(open_dataset(tmp_path, skip_damaged=True)) == 1


@pytest.mark.parametrize(
    ("position", "value", "expected"),
    [
        (2, "11", "colour id is 11, expected 1 to 10"),
        (2, "0", "colour id is 0, expected 1 to 10"),
        (3, "10", "type id is 10, expected 1 to 9"),
        (1, "one", "vehicle id is 'one', expected an integer"),
    ],
)
def test_damaged_multitask_rows_are_named(write, tmp_path, position, value, expected):
    path = write(MULTI, [*MULTI[:position], value, *MULTI[position + 1 :]])
    assert refused(open_dataset, tmp_path) == f"{path}, line 2: {expected}"


def test_a_first_row_with_35_keypoints_is_still_told_for_what_it_is(write, tmp_path):
    path = write(POSE[:-3])
    expected = COUNT + "35 keypoints"
    assert refused(open_dataset, tmp_path) == f"{path}, line 1: {expected}"
    path = write(MULTI[:-3])
    expected = "expected 36 keypoints after name, vehicle id, colour id, type id, got 35 keypoints"
    assert refused(open_dataset, tmp_path) == f"{path}, line 1: {expected}"


def test_files_that_are_no_csv(write, tmp_path):
    path = write(POSE)
    path.write_bytes(b"\xff\xfe\x00")
    assert refused(open_dataset, tmp_path).startswith(f"{path}: cannot be read as CSV (")


def test_a_missing_image_folder_is_told(write, tmp_path):
    write(POSE, name="label_query.csv")
    assert refused(open_dataset, tmp_path) == (
        f"{tmp_path}: has no folder image_query or images/image_query for label_query.csv"
    )


def test_damaged_predictions_are_named(write, tmp_path):
    row = [POSE[0], *POSE[3:]]
    path = write(row, row, name="pose.csv")
    assert refused(read_predictions, path) == f"{path}, line 2: {POSE[0]} comes a second time"
    path = write(row[:-3], name="pose.csv")
    assert refused(read_predictions, path) == (
        f"{path}, line 1: expected 36 keypoints after name, got 35 keypoints"
    )
    path = write([*row[:-1], "NaN"], name="pose.csv")
    assert "line 1: third value of keypoint 35 (right_front_bumper) is 'NaN'" in refused(
        read_predictions, path
    )
    none = tmp_path / "none.csv"
    assert refused(read_predictions, none) == f"{none}: no such file"


@pytest.mark.parametrize("points", [np.zeros((35, 3)), np.full((36, 3), np.nan)])
def test_predictions_that_are_none_are_not_written(tmp_path, points):
    path = tmp_path / "pose.csv"
    assert refused(write_predictions, path, {"a.jpg": points}).startswith(
        "a.jpg: expected 36 finite keypoints"
    )
    assert not path.exists()


@pytest.mark.parametrize(
    ("format", "fields", "expected"),
    [
        ("pamtri_pose", {"split": "train"}, "a.jpg: has no keypoints, which pose labels need"),
        ("pamtri_multitask", {"split": "train", "identity": 1, "camera": 1},
         "a.jpg: has no keypoints, which multi-task labels need"),
        ("pamtri_multitask", {"split": "val", "identity": 1, "camera": 1},
         "a.jpg: is in split 'val', but multi-task labels have train, query, gallery"),
    ],
)  # fmt: skip
def test_what_the_labels_cannot_hold_is_refused(make_dataset, tmp_path, format, fields, expected):
    made = make_dataset([Record(image="a.jpg", domain="real", **fields)])
    assert refused(write_dataset, made, tmp_path / "out", format) == expected


@pytest.mark.parametrize("split", [None, "../up", "a/b"])
def test_a_split_that_is_no_set_is_refused(make_dataset, keypoints, tmp_path, split):
    record = Record(image="a.jpg", domain="real", split=split, keypoints=keypoints(0))
    assert refused(write_dataset, make_dataset([record]), tmp_path / "out", "pamtri_pose") == (
        f"a.jpg: its split is {split!r}, expected one word"
    )


def test_two_images_of_one_name_are_not_written_over_each_other(make_dataset, keypoints, tmp_path):
    fields = {"domain": "real", "split": "train", "keypoints": keypoints(0)}
    made = make_dataset([Record(image=f"{folder}/1.jpg", **fields) for folder in "ab"])
    assert refused(write_dataset, made, tmp_path / "out", "pamtri_pose") == (
        f"{made.root / 'b/1.jpg'}: a second image of the name 1.jpg"
    )
