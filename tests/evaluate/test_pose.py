"""Pose scores from records and predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from evaluate.pose import score_pose
from pamtri.cli import cli
from pamtri.errors import DataError
from pamtri.formats.pose_csv import write_predictions
from pamtri.record import Keypoints, Record

SQUARE = ((0.0, 0.0), (40.0, 10.0))


def record(image: str, shift: float = 0.0, labelled: bool = True) -> Record:
    """Two visible points at the corners of a 40 x 10 box: tolerance 2.5 px at 0.125."""
    points = [(x + shift, y) for x, y in SQUARE] + [(999.0, 999.0)] * 34
    keypoints = Keypoints(xy=tuple(points), visibility="vv" + "h" * 34) if labelled else None
    return Record(image=image, domain="real", keypoints=keypoints)


def predicted(*errors: float) -> np.ndarray:
    rows = np.zeros((36, 3))
    for i, error in enumerate(errors):
        rows[i, :2] = SQUARE[i][0], SQUARE[i][1] + error
    return rows


def test_hand_worked_scores() -> None:
    records = [record("train/a.jpg"), record("b.jpg"), record("c.jpg", labelled=False)]
    scores = score_pose({"a.jpg": predicted(0, 2.4), "b.jpg": predicted(2.6, 50)}, records, "p.csv")
    summary = scores.summary()
    assert (summary["images"], summary["keypoints"]) == (2, 4)
    assert summary["pck"] == {"0.05": 0.25, "0.1": 0.25, "0.125": 0.5, "0.2": 0.75}
    assert summary["pck_by_group"]["wheel"] == 0.5
    assert summary["pck_pamtri_legacy"] == 0.25  # 0.125 * sqrt(2) px
    assert scores.measures["pck@0.125"].got.tolist() == [2, 0]
    assert scores.measures["pck@0.125"].could.tolist() == [2, 2]


def test_a_picture_in_two_splits_counts_once() -> None:
    records = [record("query/a.jpg"), record("gallery/a.jpg")]
    assert score_pose({"a.jpg": predicted(0, 0)}, records, "p.csv").names == ("a.jpg",)
    with pytest.raises(DataError, match=r"query/a.jpg and gallery/a.jpg have different keypoints"):
        score_pose({"a.jpg": predicted(0, 0)}, [records[0], record("gallery/a.jpg", 1)], "p.csv")


def test_missing_predictions_and_labels_are_told() -> None:
    records = [record("a.jpg"), record("b.jpg"), record("c.jpg")]
    with pytest.raises(DataError, match=r"^p.csv: has no row for b.jpg and 1 more of the 3"):
        score_pose({"a.jpg": predicted(0, 0)}, records, "p.csv")
    with pytest.raises(DataError, match="no image here has keypoint labels"):
        score_pose({}, [record("a.jpg", labelled=False)], "p.csv")


def test_command_prints_a_table_and_writes_json(tmp_path: Path, fake: Any) -> None:
    fake.render(tmp_path / "data", identities=4, images=2)
    from pamtri.formats import open_dataset

    records = open_dataset(tmp_path / "data").records
    write_predictions(
        tmp_path / "p.csv",
        {Path(r.image).name: np.c_[r.keypoints.xy_array(), np.ones(36)]
         for r in records if r.keypoints},
    )  # fmt: skip
    result = CliRunner().invoke(
        cli,
        ["evaluate", "pose", str(tmp_path / "p.csv"), str(tmp_path / "data"),
         "--split", "train", "--json", str(tmp_path / "out/pose.json")],
        catch_exceptions=False,
    )  # fmt: skip
    assert result.output.startswith("96 visible keypoints in 4 images\n")
    assert "  PCK@0.125                  100.0 %\n" in result.output
    assert '"keypoints": 96' in (tmp_path / "out/pose.json").read_text()
