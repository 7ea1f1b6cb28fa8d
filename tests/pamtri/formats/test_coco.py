import json

import numpy as np
import pytest
from PIL import Image

from pamtri.errors import DataError
from pamtri.formats import write_dataset
from pamtri.formats.coco import run_lengths
from pamtri.keypoints import NAMES
from pamtri.record import Keypoints, Record


def read_json(path):
    return json.loads(path.read_text())


@pytest.fixture
def masked(make_dataset):
    record = Record(
        image="images/0.jpg", domain="synthetic", width=64, height=40, split="train", identity=7,
        camera=None, colour="blue", type="van", box=(10, 5, 30.5, 25), mask="masks/0.png",
        keypoints=Keypoints(
            xy=[(i + 0.5, i + 0.25) for i in range(36)], visibility="vsoth" + "v" * 31
        ),
    )  # fmt: skip
    made = make_dataset([record, Record(image="images/1.jpg", domain="real", split="val")])
    mask = np.zeros((40, 64), np.uint8)
    mask[2:5, 1:3] = 255
    (made.root / "masks").mkdir()
    Image.fromarray(mask).save(made.root / "masks/0.png")
    return made


def test_json_by_hand(masked, tmp_path):
    write_dataset(masked, tmp_path / "out", "coco")
    train = read_json(tmp_path / "out/annotations/train.json")
    assert train["images"] == [{"id": 1, "file_name": "images/0.jpg", "width": 64, "height": 40}]
    (annotation,) = train["annotations"]
    points = annotation.pop("keypoints")
    assert annotation == {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [10, 5, 20.5, 20],
        "area": 6,  # the mask's pixels
        "attributes": {"identity": 7, "colour": "blue", "type": "van"},
        "num_keypoints": 34,
        # Down the columns: 40 + 2 before the mask, 3 in it, 37 to its next column, 3, the rest.
        "segmentation": {"size": [40, 64], "counts": [42, 3, 37, 3, 2475]},
    }
    assert points[:15] == [0, -0.25, 2, 1, 0.75, 1, 2, 1.75, 1, 0, 0, 0, 0, 0, 0]
    assert points[15:18] == [5, 4.75, 2] and len(points) == 108
    (category,) = train["categories"]
    assert category["keypoints"] == list(NAMES)
    assert all(1 <= end <= 36 for line in category["skeleton"] for end in line)
    assert (tmp_path / "out/images/0.jpg").is_file()


def test_a_record_with_nothing_known_is_its_whole_image(masked, tmp_path):
    write_dataset(masked, tmp_path / "out", "coco")
    val = read_json(tmp_path / "out/annotations/val.json")
    assert val["images"] == [{"id": 2, "file_name": "images/1.jpg", "width": 64, "height": 40}]
    assert val["annotations"] == [
        {
            "id": 2,
            "image_id": 2,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": [0, 0, 64, 40],
            "area": 2560,
            "attributes": {},
        }
    ]


def test_run_lengths_agree_with_a_slow_loop():
    rng = np.random.default_rng(0)
    for _ in range(50):
        mask = rng.random(rng.integers(1, 9, 2)) < 0.5
        counts, value = [0], False
        for column in range(mask.shape[1]):
            for row in range(mask.shape[0]):
                if mask[row, column] != value:
                    value = not value
                    counts.append(0)
                counts[-1] += 1
        assert run_lengths(mask) == counts


def test_a_mask_of_another_size_is_refused(masked, tmp_path):
    path = masked.root / "masks/0.png"
    Image.new("L", (8, 9)).save(path)
    with pytest.raises(DataError) as caught:
        write_dataset(masked, tmp_path / "out", "coco")
    assert str(caught.value) == f"{path}: the mask is 8 x 9, expected 64 x 40"
    path.unlink()
    with pytest.raises(DataError, match=r"0.png: the mask is missing or unreadable"):
        write_dataset(masked, tmp_path / "out", "coco")
