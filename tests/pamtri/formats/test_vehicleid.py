"""VehicleID, from lists as its makers write them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pamtri.cli import cli
from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.record import Record

FILES = {
    "train_test_split/train_list.txt": "0067561 4273\n0067562 4273\n",
    "train_test_split/test_list_800.txt": "0000012 7\r\n0000013 7\r\n0000014 11\r\n\r\n",
    "train_test_split/test_list_13164.txt": "0000012 7\n0000099 12\n",
    "attribute/color_names.txt": "black 0\nblue 1\ngray 2\nred 3\nsliver 4\nbeige 5\n",
    "attribute/color_attr.txt": "7 3\n11 4\n12 5\n",
    "attribute/model_names.txt": "\u5965\u8fea 0\n",
}


@pytest.fixture
def vehicleid(tmp_path: Path) -> Callable[..., Path]:
    def write(**changed: str) -> Path:
        root = tmp_path / "VehicleID_V1.0"
        for name, text in {**FILES, **changed}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, newline="", encoding="utf-8")
        return root

    return write


def test_vehicleid_by_hand(vehicleid: Callable[..., Path]) -> None:
    read = open_dataset(vehicleid())
    assert (read.format, read.info.name) == ("vehicleid", "VehicleID_V1.0")
    assert read.split_names == ("train", "test_800", "test_13164")
    rows = [
        ("0067561", "train", 4273, None),
        ("0067562", "train", 4273, None),
        ("0000012", "test_800", 7, "red"),
        ("0000013", "test_800", 7, "red"),
        ("0000014", "test_800", 11, "gray"),
        ("0000012", "test_13164", 7, "red"),
        ("0000099", "test_13164", 12, None),  # VeRi has no beige
    ]
    assert list(read) == [
        Record(image=f"image/{name}.jpg", domain="real", split=split, identity=i, colour=colour)
        for name, split, i, colour in rows
    ]


def test_without_attributes_there_are_no_colours(vehicleid: Callable[..., Path]) -> None:
    root = vehicleid()
    (root / "attribute/color_names.txt").unlink()
    assert {record.colour for record in open_dataset(root)} == {None}


@pytest.mark.parametrize("line", ["0000015", "0000015 x", "0000015 7 3"])
def test_damaged_lines(vehicleid: Callable[..., Path], line: str) -> None:
    name = "train_test_split/test_list_800.txt"
    root = vehicleid(**{name: f"0000012 7\n{line}\n"})
    expected = f"{name}, line 2: expected an image and a vehicle's number, got '{line}'$"
    with pytest.raises(DataError, match=expected):
        open_dataset(root)
    with pytest.warns(UserWarning, match="line 2"):
        assert len(open_dataset(root, skip_damaged=True).only("test_800").records) == 1


def test_random_galleries_of_a_list(vehicleid: Callable[..., Path], tmp_path: Path) -> None:
    """Vehicle 7 has two images and 11 has one: one of the two is drawn, the other finds it."""
    np.savez(
        tmp_path / "f.npz",
        names=np.array(["0000012.jpg", "0000013.jpg", "0000014.jpg"]),
        features=np.array([[0], [1], [3]], np.float32),
    )
    line = ["evaluate", "reid", str(tmp_path / "f.npz"), str(vehicleid())]
    result = CliRunner().invoke(cli, [*line, "--split", "test_800", "--draws", "3"])
    assert result.output.splitlines()[0] == (
        "3 galleries of one image drawn for each of 2 vehicles, 1 query each"
    )
    assert result.output.splitlines()[2].split()[:3] == ["rank-1", "100.0", "%"]
