from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.formats.stanford_cars import body_type
from pamtri.record import Record, Viewpoint

PHOTOGRAPHS = Path(__file__).parents[4] / "shared/data/real_vehicles"
FIELDS = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")
HEADER = "file,model_id,model_name,body_type,azimuth_deg,elevation_deg,roll_deg"


def refused(root):
    with pytest.raises(DataError) as caught:
        open_dataset(root)
    return str(caught.value)


@pytest.fixture
def index(tmp_path):
    def write(*rows, header=HEADER):
        (tmp_path / "images").mkdir(exist_ok=True)
        path = tmp_path / "index.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return write


def test_an_index_by_hand(index, tmp_path):
    index(
        "00001.jpg,14,Audi TTS Coupe 2012,coupe,-35.3,2.7,1.8",
        "00849.jpg,60,Chevrolet HHR SS 2010,,,,",
    )
    read = open_dataset(tmp_path)
    assert read.format == "stanford_cars"
    assert list(read) == [
        Record(
            image="images/00001.jpg", domain="real", split="train", identity=14, type="sedan",
            style="coupe",
            viewpoint=Viewpoint(azimuth_deg=-35.3 % 360, elevation_deg=2.7, roll_deg=1.8),
        ),
        Record(image="images/00849.jpg", domain="real", split="train", identity=60),
    ]  # fmt: skip


def test_an_index_may_name_splits_and_no_more_than_it_must(index, tmp_path):
    index("a.jpg,1,train", "b.jpg,2,test", header="file,model_id,split")
    assert [r.split for r in open_dataset(tmp_path)] == ["train", "test"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a.jpg,x,,sedan,1,2,0", "model_id is 'x', expected an integer"),
        ("a.jpg,1,,sedan,east,2,0", "azimuth_deg is 'east', expected a number"),
        ("a.jpg,1,,sedan,nan,2,0", "azimuth_deg: expected a finite number, got nan"),
        ("a.jpg,1,,sedan,1,95,0", "elevation_deg: expected less than or equal to 90, got 95.0"),
        ("a.jpg,1,,spaceship,1,2,0", "body_type is 'spaceship', expected one of conv"),
        ("a.jpg,1", "has more or fewer values than the header has columns"),
        ("a.jpg,1,,sedan,1,2,0,9", "has more or fewer values than the header has columns"),
    ],
)  # fmt: skip
def test_damaged_rows_are_named(index, tmp_path, row, expected):
    path = index("ok.jpg,1,,,,,", row)
    assert refused(tmp_path).startswith(f"{path}, line 3: {expected}")


def test_an_empty_index(index, tmp_path):
    index()
    assert refused(tmp_path) == f"{tmp_path}: the stanford_cars data set is empty"


@pytest.fixture
def devkit(tmp_path):
    rows = [(39, 116, 569, 375, 2, "00001.jpg"), (1, 1, 10, 5, 1, "00002.jpg")]
    annotations = np.array(rows, dtype=[(f, object) for f in FIELDS])
    folder = tmp_path / "devkit"
    folder.mkdir()
    (tmp_path / "cars_train").mkdir()
    names = np.array(["AM General Hummer SUV 2000", "Acura TL Type-S 2008"], dtype=object)
    savemat(folder / "cars_meta.mat", {"class_names": names})
    savemat(folder / "cars_train_annos.mat", {"annotations": annotations})
    return tmp_path


def test_the_devkit_by_hand(devkit):
    common = {"domain": "real", "split": "train"}
    assert list(open_dataset(devkit)) == [
        Record(image="cars_train/00001.jpg", identity=2, box=(38, 115, 569, 375), **common),
        Record(
            image="cars_train/00002.jpg", identity=1, box=(0, 0, 10, 5), type="suv", style="suv",
            **common,
        ),
    ]  # fmt: skip


def test_a_damaged_devkit(devkit):
    meta, train = devkit / "devkit/cars_meta.mat", devkit / "devkit/cars_train_annos.mat"
    good = train.read_bytes()
    rows = np.array([(9, 1, 9, 5, 1, "a.jpg")] * 2, dtype=[(f, object) for f in FIELDS])
    rows["bbox_x1"][1] = 20
    savemat(train, {"annotations": rows})
    assert refused(devkit) == (
        f"{train}, annotation 2: box must be (left, top, right, bottom), got (19.0, 0.0, 9.0, 5.0)"
    )
    train.write_bytes(good)
    savemat(meta, {"class_names": np.array(["One Sedan"], dtype=object)})
    assert refused(devkit) == f"{train}, annotation 1: class is 2, expected 1 to 1"
    savemat(meta, {"other": 1})
    assert refused(devkit) == f"{meta}: has no variable 'class_names'"
    meta.write_bytes(b"not a mat file")
    assert refused(devkit).startswith(f"{meta}: cannot be read as a MATLAB file (")
    meta.unlink()
    assert refused(devkit) == f"{devkit}: has no cars_meta.mat, which names the car models"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acura TL Sedan 2012", "sedan"),
        ("Ram C/V Cargo Van Minivan 2012", "minivan"),
        ("Dodge Dakota Club Cab 2007", "pickup"),
        ("BMW 3 Series Wagon 2012", "wagon"),
        ("Ferrari California Convertible 2012", "convertible"),
        ("Chevrolet HHR SS 2010", None),
    ],
)
def test_body_types_are_told_by_the_models_name(name, expected):
    assert body_type(name) == expected


@pytest.mark.skipif(not PHOTOGRAPHS.exists(), reason="the photographs are not there")
def test_the_photographs_are_read_whole():
    read = open_dataset(PHOTOGRAPHS)
    assert len(read) == 4052 and len({r.identity for r in read}) == 98
    assert all(read.image_path(r).is_file() for r in read)
    assert Counter(r.type for r in read)["estate"] == 253  # wagons
