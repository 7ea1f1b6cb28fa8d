"""Re-identification scores from feature files, and what is said of damaged ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from evaluate.reid import score_reid
from pamtri.attributes import TYPE_INDEX
from pamtri.cli import cli
from pamtri.dataset import Dataset, DatasetInfo, write_native
from pamtri.errors import DataError
from pamtri.features import read_features
from pamtri.record import Record


def save(path: Path, names: list[str], features: Any, **others: np.ndarray) -> Path:
    np.savez(path, names=np.array(names), features=np.asarray(features, np.float32), **others)
    return path


def dataset(*rows: tuple[str, str, int | None, int | None, str | None]) -> Dataset:
    """Rows are (image, split, identity, camera, colour)."""
    records = tuple(
        Record(image=image, domain="real", split=split, identity=identity, camera=camera,
               colour=colour)
        for image, split, identity, camera, colour in rows
    )  # fmt: skip
    return Dataset(Path("set"), records, DatasetInfo(name="set"))


SMALL = dataset(
    ("query/q.jpg", "query", 7, 1, "red"),
    ("gallery/q.jpg", "gallery", 7, 1, "red"),  # the query's own picture
    ("gallery/a.jpg", "gallery", 7, 1, "red"),  # same camera: left out
    ("gallery/b.jpg", "gallery", 9, 1, "blue"),
    ("gallery/c.jpg", "gallery", 7, 2, None),
    ("gallery/d.jpg", "gallery", None, 2, "blue"),  # nobody knows who this is
)


def test_query_against_gallery_by_hand(tmp_path: Path) -> None:
    colours = np.zeros((5, 10), np.float32)
    colours[:, 4] = 1  # everything is said to be red
    path = save(tmp_path / "f.npz", ["c.jpg", "d.jpg", "b.jpg", "a.jpg", "q.jpg"],
                [[3], [2], [1], [0.5], [0]], colour_scores=colours)  # fmt: skip
    scores = score_reid(read_features(path), SMALL)
    summary = scores.summary()
    assert summary["mAP"] == pytest.approx(1 / 3)  # b, d, then c
    assert summary["mINP"] == pytest.approx(1 / 3)
    assert summary["mAP@R"] == 0.0  # one match, and the first image is wrong
    assert (summary["rank1"], summary["rank5"]) == (0.0, 1.0)
    assert summary["cmc"][:4] == [0.0, 0.0, 1.0, 1.0]
    assert (summary["queries"], summary["gallery"], summary["identities"]) == (1, 5, 1)
    assert summary["removed_per_query"] == 2
    assert summary["cameras_known"] is True
    assert summary["leave_one_out"] is False
    # Pictures q, a (red, right), b, d (blue, wrong); c has no label; q counts once.
    assert summary["colour_accuracy"] == 0.5
    assert "type_accuracy" not in summary
    assert [scores.gallery[g].image for g in scores.ranking.top[0][:3]] == [
        "gallery/b.jpg", "gallery/d.jpg", "gallery/c.jpg",
    ]  # fmt: skip


def test_types_by_class_count_each_class_alike(tmp_path: Path) -> None:
    """Of three sedans two are named right, of one bus none: 50 % of images, 33 % by class."""
    types = ("sedan", "sedan", "sedan", "bus", None)
    records = tuple(
        Record(image=f"{i}.jpg", domain="real", split="test", identity=i // 2, type=kind)
        for i, kind in enumerate(types)
    )
    said = np.zeros((5, 9), np.float32)
    for row, kind in enumerate(("sedan", "sedan", "bus", "sedan", "bus")):
        said[row, TYPE_INDEX[kind]] = 1
    path = save(tmp_path / "f.npz", [r.image for r in records], [[0], [1], [5], [6], [9]],
                type_scores=said)  # fmt: skip
    scores = score_reid(
        read_features(path), Dataset(Path("set"), records, DatasetInfo(name="set")), ["test"]
    )
    summary = scores.summary()
    assert summary["type_accuracy"] == 0.5
    assert summary["type_recall"] == pytest.approx((2 / 3 + 0) / 2)
    assert summary["type_recall"] == summary["attributes"]["type"]["mean_recall"]


def test_leave_one_out_without_cameras(tmp_path: Path) -> None:
    rows = [(f"{n}.jpg", "test", n // 2, None, None) for n in range(4)]
    path = save(tmp_path / "f.npz", [r[0] for r in rows], [[0, 0], [1, 0], [5, 0], [6, 0]])
    summary = score_reid(read_features(path), dataset(*rows), ("test",)).summary()
    assert (summary["mAP"], summary["rank1"]) == (1.0, 1.0)
    assert (summary["queries"], summary["gallery"]) == (4, 4)
    assert summary["leave_one_out"] is True
    assert summary["cameras_known"] is False
    assert score_reid(read_features(path), dataset(*rows)).summary() == summary


def test_query_without_identity_or_feature(tmp_path: Path) -> None:
    path = save(tmp_path / "f.npz", ["q.jpg"], [[0.0]])
    lost = dataset(("q.jpg", "query", None, 1, None), ("g.jpg", "gallery", 1, 2, None))
    with pytest.raises(DataError, match=r"set: query image q.jpg has no identity"):
        score_reid(read_features(path), lost)
    with pytest.raises(DataError, match=r"f.npz: has no feature of a.jpg and 3 more"):
        score_reid(read_features(path), SMALL)


def test_first_row_of_a_name_counts(tmp_path: Path) -> None:
    features = read_features(save(tmp_path / "f.npz", ["a", "b", "a"], [[1], [2], [3]]))
    assert features.rows(["b", "a"]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": np.zeros((2, 3), np.float32)}, r"has no array 'names' \(there: features\)"),
        (
            {"names": np.array(["a"]), "features": np.zeros((2, 3), np.float32)},
            r"expected 'features' as floats of shape \(1, d\), got float32 \(2, 3\)",
        ),
        (
            {"names": np.array(["a"]), "features": np.zeros((1, 3), np.int64)},
            r"expected 'features' as floats of shape \(1, d\), got int64 \(1, 3\)",
        ),
        (
            {"names": np.array(["a"]), "features": np.full((1, 3), np.nan, np.float32)},
            "'features' of a is not finite",
        ),
        (
            {"names": np.array(["a"]), "features": np.zeros((1, 3), np.float32),
             "type_scores": np.zeros((1, 10), np.float32)},
            r"expected 'type_scores' as floats of shape \(1, 9\), got float32 \(1, 10\)",
        ),
        ({"names": np.array([{}], dtype=object)}, "is no feature file"),
    ],
)  # fmt: skip
def test_damaged_feature_files(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(tmp_path / "f.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_features(tmp_path / "f.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"name,1,2\n"])
def test_files_that_are_no_archives(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"f.npz: is no feature file"):
        read_features(tmp_path / "f.npz")
    with pytest.raises(DataError, match=r"g.npz: no such feature file"):
        read_features(tmp_path / "g.npz")


def test_command_prints_a_table_and_writes_json(tmp_path: Path) -> None:
    rows = [Record(image=f"{n}.jpg", domain="real", identity=n // 2) for n in range(4)]
    write_native(tmp_path / "data", rows, DatasetInfo(name="data"))
    path = save(tmp_path / "f.npz", [r.image for r in rows], [[0.0], [1.0], [5.0], [6.0]])
    result = CliRunner().invoke(
        cli,
        ["evaluate", "reid", str(path), str(tmp_path / "data"), "--json", str(tmp_path / "r.json")],
        catch_exceptions=False,
    )
    assert result.output.splitlines()[:3] == [
        "4 images, each searched among the others; 2 identities",
        "cameras are not all known: where one is not, nothing is left out for it",
        "  mAP                        100.0 %",
    ]
    assert json.loads((tmp_path / "r.json").read_text())["cmc"][0] == 1.0
