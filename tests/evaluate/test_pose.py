"""Pose scores from records and predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from evaluate.pose import score_pose
from evaluate.pose_confidence import auroc, reliability, visibility
from evaluate.pose_oks import average_precision, oks_ap, similarities
from pamtri.cli import cli
from pamtri.errors import DataError
from pamtri.formats.pose_csv import write_predictions
from pamtri.record import Keypoints, Record, Viewpoint

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


def test_parts_of_a_data_set_are_scored_apart() -> None:
    """Four images whose two visible points are both off by 0.08 or by 0.15 of the size, 20 px."""
    places = [("real", 0.0, 350, 1), ("real", 0.05, 100, 1), ("synthetic", 0.3, 80, 2),
              ("synthetic", 0.31, None, 8)]  # fmt: skip
    records, predictions = [], {}
    for i, (domain, occlusion, azimuth, scale) in enumerate(places):
        points = [(x * scale, y * scale) for x, y in SQUARE] + [(9.0, 9.0)] * 34
        view = None if azimuth is None else Viewpoint(azimuth_deg=azimuth, elevation_deg=0)
        keypoints = Keypoints(xy=tuple(points), visibility="vv" + "h" * 34)
        records.append(
            Record(image=f"{i}.jpg", domain=domain, occlusion=occlusion, viewpoint=view,
                   keypoints=keypoints)
        )  # fmt: skip
        rows = np.zeros((36, 3))
        rows[:2, :2] = points[:2]
        rows[:2, 1] += (0.08 if i % 2 else 0.15) * 20 * scale
        predictions[f"{i}.jpg"] = rows
    summary = score_pose(predictions, records, "p.csv").summary()
    assert summary["nme"] == pytest.approx((0.08 + 0.15) / 2)

    def told(division: str) -> dict[str, tuple[int, int, float, float]]:
        return {
            name: (part["images"], part["keypoints"], part["pck"]["0.1"], round(part["nme"], 6))
            for name, part in summary[division].items()
        }

    assert told("by_domain") == {"real": (2, 4, 0.5, 0.115), "synthetic": (2, 4, 0.5, 0.115)}
    assert told("by_azimuth") == {"front": (1, 2, 0.0, 0.15), "left": (2, 4, 0.5, 0.115)}
    assert told("by_size") == {
        "below 32 px": (2, 4, 0.5, 0.115), "below 64 px": (1, 2, 0.0, 0.15),
        "from 128 px": (1, 2, 1.0, 0.08),
    }  # fmt: skip
    assert told("by_occlusion") == {
        "none": (1, 2, 0.0, 0.15), "up to 10 %": (1, 2, 1.0, 0.08),
        "up to 30 %": (1, 2, 0.0, 0.15), "over 30 %": (1, 2, 1.0, 0.08),
    }  # fmt: skip


def test_hidden_points_are_scored_by_their_state_and_the_visible_box() -> None:
    points = [*SQUARE, (10.0, 0.0), (900.0, 0.0), *[(5.0, 5.0)] * 32]  # one outside the image
    keypoints = Keypoints(xy=tuple(points), visibility="vvst" + "h" * 32)
    rows = np.zeros((36, 3))
    rows[:, :2] = points
    rows[2, 0] += 2.4
    rows[3, 0] -= 800
    record = Record(image="a.jpg", domain="real", keypoints=keypoints)
    states = score_pose({"a.jpg": rows}, [record], "p.csv").summary()["by_state"]
    assert list(states) == ["visible", "self-occluded", "truncated"]
    assert (states["visible"]["keypoints"], states["visible"]["nme"]) == (2, 0.0)
    assert states["self-occluded"]["nme"] == pytest.approx(2.4 / 20)
    assert states["self-occluded"]["pck"] == {"0.05": 0.0, "0.1": 0.0, "0.125": 1.0, "0.2": 1.0}
    assert states["truncated"]["nme"] == pytest.approx(800 / 20)


def test_similarity_falls_with_the_squared_error() -> None:
    errors = np.full((3, 36), np.nan)
    errors[0, :2] = 0.0, 0.1  # of 2 sigma 0.1: exp(-1/2)
    errors[1, :3] = 0.2, np.inf, 0.2
    oks = similarities(errors)
    assert oks[:2] == pytest.approx([(1 + np.exp(-0.5)) / 2, 2 * np.exp(-2) / 3])
    assert np.isnan(oks[2])


def test_average_precision_worked_by_hand() -> None:
    oks = np.array([0.9, 0.2, 0.8, np.nan])
    sure = np.array([0.9, 0.8, 0.7, 0.99])
    # precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3: 1 at 34 of 101 recalls, 2/3 at the next 33
    assert average_precision(oks, sure, 0.5) == pytest.approx((34 + 33 * 2 / 3) / 101)
    wrong_first = np.array([0.7, 0.9, 0.8, 0.0])
    assert average_precision(oks, wrong_first, 0.5) == pytest.approx(67 * 2 / 3 / 101)
    assert average_precision(oks, sure, 0.95) == 0.0
    assert average_precision(oks[:1], sure[:1], 0.5) == 1.0
    assert average_precision(oks[3:], sure[3:], 0.5) is None


@pytest.mark.parametrize("seed", range(4))
def test_oks_ap_equals_a_slow_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.exponential(0.08, (30, 36))
    errors[rng.random(errors.shape) < 0.4] = np.nan
    confidence = rng.random((30, 36))
    oks = similarities(errors)
    order = sorted(range(30), key=lambda i: -confidence[i].mean())
    expected = []
    for threshold in [0.5 + 0.05 * step for step in range(10)]:
        curve = []
        for count in range(1, 31):
            right = sum(oks[i] >= threshold for i in order[:count])
            curve.append((right / 30, right / count))
        expected.append(
            np.mean([max((p for r, p in curve if r >= wanted / 100), default=0.0)
                     for wanted in range(101)])
        )  # fmt: skip
    found = oks_ap(errors, confidence)
    assert found["oks_ap"] == pytest.approx(np.mean(expected), abs=1e-3)
    assert found["oks_ap_75"] == pytest.approx(expected[5], abs=1e-3)
    assert 0 < np.mean(expected) < 1


def test_confidence_tells_visible_points() -> None:
    confidence = np.array([[0.9, 0.5, 0.4, 0.1]])
    visible = np.array([[True, False, True, False]])
    told = visibility(confidence, visible)
    assert told["accuracy"] == 0.5  # the second and the third are on the wrong side
    assert told["auroc"] == 0.75  # of the four pairs only 0.4 against 0.5 is the wrong way round
    assert auroc(np.array([1.0, 1.0]), np.array([True, False])) == 0.5
    assert auroc(np.array([1.0, 1.0]), np.array([True, True])) is None


def test_reliability_worked_by_hand() -> None:
    confidence = np.array([[0.95, 1.0, 0.85, 0.15], [0.9, 0.11, 0.12, 0.0]])
    right = np.array([[True, True, False, False], [False, True, False, False]])
    told = reliability(confidence, right)
    assert [b["points"] for b in told["bins"]] == [1, 3, 1, 3]
    first, low, high, top = told["bins"]
    assert (first["confidence"], first["right"]) == (0.0, 0.0)
    assert (low["confidence"], low["right"]) == (pytest.approx(0.38 / 3), pytest.approx(1 / 3))
    assert (high["confidence"], high["right"]) == (pytest.approx(0.85), 0.0)
    assert (top["confidence"], top["right"]) == (pytest.approx(0.95), pytest.approx(2 / 3))
    gaps = abs(0.38 - 1) + 0.85 + abs(2.85 - 2)
    assert told["expected_calibration_error"] == pytest.approx(gaps / 8)


def test_right_is_visible_and_close() -> None:
    """Of 36 points two are visible, one of them close: the rest are sure and wrong."""
    rows = predicted(0, 20)
    rows[:, 2] = 1.0
    summary = score_pose({"a.jpg": rows}, [record("a.jpg")], "p.csv").summary()
    assert summary["reliability"]["bins"] == [
        {"points": 36, "confidence": 1.0, "right": pytest.approx(1 / 36)}
    ]
    assert summary["visibility"]["accuracy"] == pytest.approx(2 / 36)


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
    assert "  OKS-AP                     100.0 %\n" in result.output
    assert (
        "PCK@0.125 by state of the keypoint\n  visible                    100.0 %\n"
        in result.output
    )
    assert "by domain" not in result.output  # there is one alone
    assert '"keypoints": 96' in (tmp_path / "out/pose.json").read_text()
