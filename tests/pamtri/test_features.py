"""Feature files: what is written is read, by this program and by NumPy alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from pamtri.errors import DataError
from pamtri.features import Features, Labels, join_features, read_features, write_features
from pamtri.record import Record, Viewpoint

RECORDS = [
    Record(image="a/one.jpg", domain="real", identity=7, colour="red", split="query"),
    Record(
        image="a/two.jpg",
        domain="synthetic",
        camera=3,
        type="bus",
        box=(1, 2, 30, 40),
        viewpoint=Viewpoint(azimuth_deg=90, elevation_deg=0),
    ),
]


def some(folder: Path, labels: Labels | None = None) -> Features:
    colours = np.zeros((2, 10), np.float32)
    colours[0, 4], colours[0, 1], colours[1, 9] = 0.75, 0.25, 1
    return Features(
        Path("best.pt"),
        ("one.jpg", "two.jpg"),
        np.array([[1, 2, 3], [4, 5, 6]], np.float32),
        colour_scores=colours,
        paths=(folder / "set/a/one.jpg", folder / "set/a/two.jpg"),
        checkpoint="f00d",
        labels=labels,
    )


def test_arrays_are_those_of_the_documented_layout(tmp_path: Path) -> None:
    write_features(tmp_path / "out/f.npz", some(tmp_path, Labels.of(RECORDS)))
    with np.load(tmp_path / "out/f.npz", allow_pickle=False) as file:
        arrays = dict(file)
    assert arrays["names"].tolist() == ["one.jpg", "two.jpg"]
    assert arrays["features"].dtype == np.float32
    assert arrays["features"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert arrays["colour"].tolist() == ["red", "black"]
    assert arrays["colour_probability"].tolist() == [0.75, 1.0]
    assert "type" not in arrays and "type_scores" not in arrays
    assert arrays["paths"].tolist() == ["../set/a/one.jpg", "../set/a/two.jpg"]
    assert arrays["checkpoint"] == "f00d"
    assert arrays["label_identity"].tolist() == [7, -1]
    assert arrays["label_camera"].tolist() == [-1, 3]
    assert arrays["label_colour"].tolist() == ["red", ""]
    assert arrays["label_type"].tolist() == ["", "bus"]
    assert arrays["label_split"].tolist() == ["query", ""]
    assert arrays["label_domain"].tolist() == ["real", "synthetic"]
    np.testing.assert_array_equal(arrays["label_azimuth_deg"], [np.nan, 90])
    np.testing.assert_array_equal(arrays["label_box"], [[np.nan] * 4, [1, 2, 30, 40]])
    documented = str(read_features.__globals__["__doc__"])
    assert [name for name in arrays if f"``{name}``" not in documented] == []


def test_azimuths_are_kept_and_joined(tmp_path: Path) -> None:
    written = replace(some(tmp_path), azimuth_deg=np.array([1.5, 350], np.float32))
    write_features(tmp_path / "f.npz", written)
    read = read_features(tmp_path / "f.npz")
    assert read.azimuth_deg is not None
    assert read.azimuth_deg.tolist() == [1.5, 350]
    both = join_features([read, written])
    assert both.azimuth_deg is not None
    assert both.azimuth_deg.tolist() == [1.5, 350, 1.5, 350]
    assert join_features([read, some(tmp_path)]).azimuth_deg is None
    for wrong in (np.zeros((2, 1)), np.zeros(3), np.array([1, np.nan]), np.array([1, 2])):
        np.savez(
            tmp_path / "w.npz", names=["one.jpg", "two.jpg"], features=np.zeros((2, 3)),
            azimuth_deg=wrong,
        )  # fmt: skip
        with pytest.raises(DataError, match=r"expected 'azimuth_deg' as finite floats of shape "):
            read_features(tmp_path / "w.npz")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = some(tmp_path, Labels.of(RECORDS))
    write_features(tmp_path / "out/f.npz", written)
    (tmp_path / "out").rename(tmp_path / "moved")  # images stay where they are to it
    read = read_features(tmp_path / "moved/f.npz")
    assert (read.names, read.checkpoint, read.type_scores) == (written.names, "f00d", None)
    np.testing.assert_array_equal(read.features, written.features)
    np.testing.assert_array_equal(read.colour_scores, written.colour_scores)
    assert read.paths is not None
    assert read.paths == written.paths  # without any ".."
    assert read.labels is not None and written.labels is not None
    for name, values in vars(written.labels).items():
        np.testing.assert_array_equal(getattr(read.labels, name), values)
    assert read.told("colour", 0) == ("red", 0.75)
    assert read.told("type", 0) is None


def test_paths_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", names=["a"], features=np.ones((1, 2)), paths=["a", "b"])
    with pytest.raises(DataError, match=r"expected 'paths' as words of shape \(1,\), got <U1 \(2,"):
        read_features(tmp_path / "f.npz")


def test_parquet_holds_what_npz_holds(tmp_path: Path) -> None:
    write_features(tmp_path / "f.npz", some(tmp_path, Labels.of(RECORDS)))
    write_features(tmp_path / "f.parquet", some(tmp_path, Labels.of(RECORDS)))
    with np.load(tmp_path / "f.npz", allow_pickle=False) as file:
        arrays = dict(file)
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table.schema.metadata[b"checkpoint"] == str(arrays.pop("checkpoint")).encode()
    assert set(table.column_names) == set(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(table[name].to_pylist(), values)
    assert table.schema.field("features").type.list_size == 3
    with pytest.raises(DataError, match=r"f.parquet: is no feature file \(.npz of plain arrays\)"):
        read_features(tmp_path / "f.parquet")


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_features(tmp_path / "f.npz", some(tmp_path, Labels.of(RECORDS)))
    with np.load(tmp_path / "f.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "g.npz", **{**arrays, "label_colour": np.arange(2)})
    with pytest.raises(DataError, match=r"'label_colour' as words of shape \(2,\), got int64 \(2,"):
        read_features(tmp_path / "g.npz")
    np.savez(tmp_path / "h.npz", **{k: v for k, v in arrays.items() if k != "label_box"})
    with pytest.raises(DataError, match=r"'label_box' as floats of shape \(2, 4\), got nothing"):
        read_features(tmp_path / "h.npz")


def test_files_are_joined_with_what_all_have(tmp_path: Path) -> None:
    one, other = some(tmp_path, Labels.of(RECORDS)), some(tmp_path, Labels.of(RECORDS[::-1]))
    both = join_features([one, other])
    assert both.names == one.names * 2 and len(both.paths or ()) == 4
    np.testing.assert_array_equal(both.features, np.tile([[1, 2, 3], [4, 5, 6]], (2, 1)))
    assert both.labels is not None
    assert both.labels.identity.tolist() == [7, -1, -1, 7]
    assert both.labels.type.tolist() == ["", "bus", "bus", ""]
    assert both.told("colour", 3) == ("black", 1.0)
    poor = replace(other, labels=None, colour_scores=None, paths=None, checkpoint=None)
    less = join_features([one, poor])
    assert (less.labels, less.colour_scores, less.paths) == (None, None, None)
    wider = replace(other, features=np.ones((2, 4), np.float32))
    for stranger in (replace(other, checkpoint="other"), wider):
        with pytest.raises(DataError, match=r"best.pt: holds features of another network than"):
            join_features([one, stranger])
