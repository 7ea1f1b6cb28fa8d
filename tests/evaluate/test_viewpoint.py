"""Viewpoint scores, worked by hand, and the road from keypoints to them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from evaluate.viewpoint import SIDES, rotation_error, score_viewpoint, sides_of
from evaluate.viewpoint_rose import PETALS, petal_errors, petal_of
from pamtri import camera
from pamtri.cli import cli
from pamtri.dataset import DatasetInfo, write_native
from pamtri.errors import DataError
from pamtri.formats.pose_csv import write_predictions
from pamtri.record import Calibration, Record, Viewpoint
from pamtri.viewpoint_csv import read_viewpoints
from pamtri.viewpoint_shapes import load_shapes


def view(azimuth: float, elevation: float = 10.0, roll: float = 0.0) -> Viewpoint:
    return Viewpoint(azimuth_deg=azimuth, elevation_deg=elevation, roll_deg=roll)


def record(image: str, azimuth: float | None) -> Record:
    return Record(
        image=image, domain="real", viewpoint=None if azimuth is None else view(azimuth)
    )  # fmt: skip


def scored(pairs: list[tuple[float, float | None]]):  # type: ignore[no-untyped-def]
    records = [record(f"images/{i}.jpg", true) for i, (true, _) in enumerate(pairs)]
    said = {f"{i}.jpg": None if s is None else view(s) for i, (_, s) in enumerate(pairs)}
    return score_viewpoint(said, records, "v.csv")


def test_hand_worked_scores() -> None:
    summary = scored([(350, 5), (10, 20), (90, 120), (180, 149), (200, None)]).summary()
    # errors 15, 10, 30, 31 and infinite: both bounds are within
    assert (summary["images"], summary["without_viewpoint"]) == (5, 1)
    assert summary["azimuth"] == {"median_error_deg": 30.0, "acc_pi_6": 0.6, "acc_pi_12": 0.4}
    assert summary["median_elevation_error_deg"] == 0.0
    by_side = summary["azimuth_by_side"]
    assert by_side["front"] == {
        "images": 2, "median_error_deg": 12.5, "acc_pi_6": 1.0, "acc_pi_12": 1.0
    }  # fmt: skip
    assert by_side["rear"]["median_error_deg"] is None  # of 31 and infinite
    assert summary["confusions"]["left"]["rear left"] == 1
    assert sum(sum(row.values()) for row in summary["confusions"].values()) == 4


@pytest.mark.parametrize(
    ("true", "said", "kind"),
    [
        (60, 31, "near"), (60, 240, "turned round"), (60, 125, "front for rear"),
        (60, 295, "left for right"), (60, 180, "other"),
        (90, 61, "near"), (90, 269, "turned round"),
        (0, 178, "turned round"), (2, 359, "near"), (80, 105, "near"), (60, None, "no viewpoint"),
        (240, 300, "front for rear"), (300, 70, "left for right"), (300, 120, "turned round"),
    ],
)  # fmt: skip
def test_flips_are_told_from_other_errors(true: float, said: float | None, kind: str) -> None:
    shares = scored([(true, said)]).summary()["kinds"]
    assert [name for name, share in shares.items() if share] == [kind]


def test_sides_and_petals_are_about_their_middles() -> None:
    azimuths = np.array([0, 22, 23, 90, 180, 270, 337, 338, 359.9])
    assert [SIDES[i] for i in sides_of(azimuths)] == [
        "front", "front", "front left", "left", "rear", "right", "front right", "front", "front",
    ]  # fmt: skip
    assert petal_of(np.array([0, 7.4, 7.6, 352.6, 90])).tolist() == [0, 0, 1, 0, 6]


def test_petals_hold_median_and_misses() -> None:
    scores = scored([(0, 4), (2, 12), (1, 61), (90, None)])
    median, missed = petal_errors(scores)
    assert (median[0], missed[0]) == (10.0, pytest.approx(1 / 3))
    assert (median[6], missed[6]) == (180.0, 1.0)
    assert np.isnan(median).sum() == PETALS - 2


def test_rotations_count_roll_and_lose_azimuth_overhead() -> None:
    assert rotation_error(view(30, 10, 5), view(30, 10, -3)) == pytest.approx(8)
    assert rotation_error(view(30, 0), view(70, 0)) == pytest.approx(40)
    assert rotation_error(view(30, 20), view(30, -5)) == pytest.approx(25)
    # From almost above azimuth is roll, and the two undo each other up to the sign.
    low = min(rotation_error(view(30, 89.99), view(70, 89.99, roll)) for roll in (-40, 40))
    assert low == pytest.approx(0, abs=0.02)


def test_errors_are_told() -> None:
    with pytest.raises(DataError, match="no image here has a viewpoint"):
        score_viewpoint({}, [record("a.jpg", None)], "v.csv")
    with pytest.raises(DataError, match=r"v.csv: has no row for a.jpg and 1 more of the 2 images"):
        score_viewpoint({}, [record("a.jpg", 1), record("b.jpg", 1)], "v.csv")
    with pytest.raises(DataError, match=r"q/a.jpg and g/a.jpg have different viewpoints"):
        score_viewpoint({}, [record("q/a.jpg", 1), record("g/a.jpg", 2)], "v.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,azimuth_deg\na.jpg,3\n", "has no column 'elevation_deg'"),
        ("name,azimuth_deg,elevation_deg\na,3,x\n", "line 2: elevation_deg is 'x', expected a num"),
        ("name,azimuth_deg,elevation_deg\na,nan,1\n", "line 2: azimuth_deg is 'nan', expected"),
        ("name,azimuth_deg,elevation_deg\na,3\n", "line 2: elevation_deg is 'None', expected"),
        ("name,azimuth_deg,elevation_deg\na,3,95\n", "elevation_deg is 95, expected -90 to 90"),
        ("name,azimuth_deg,elevation_deg\na,3,1\na,3,1\n", "line 3: a comes a second time"),
    ],
)
def test_damaged_files_are_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_viewpoints(path)


def test_anyones_file_needs_three_columns(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text('elevation_deg,name,azimuth_deg\n5,"a, b.jpg",-90\n,c.jpg,\n')
    assert read_viewpoints(path) == {"a, b.jpg": view(270, 5), "c.jpg": None}


@pytest.fixture
def shots(tmp_path: Path) -> tuple[Path, Path]:
    """A keypoint file and a data set with viewpoints and lenses: the mean sedan, 4.6 m long."""
    points = load_shapes().mean[0] * load_shapes().length_mean[0]
    lens = camera.Intrinsics(700, 700, 320, 240)
    records, rows = [], {}
    for i, azimuth in enumerate((15, 65, 130, 250, 340)):
        pose = camera.pose_from_viewpoint(camera.Viewpoint(np.radians(azimuth), 0.2, 0, 20.0))
        pixels, _ = camera.project(points, pose, lens)
        name = f"{i}, rendered.jpg"
        rows[name] = np.c_[pixels, np.full(36, 0.9)]
        label = Viewpoint(azimuth_deg=azimuth, elevation_deg=np.degrees(0.2))
        calibration = Calibration.of(lens, pose)
        records.append(
            Record(
                image=f"images/{name}", domain="synthetic", viewpoint=label, calibration=calibration
            )
        )
    rows["empty.jpg"] = np.zeros((36, 3))
    write_predictions(tmp_path / "pose.csv", rows)
    write_native(tmp_path / "data", records, DatasetInfo(name="shots"))
    return tmp_path / "pose.csv", tmp_path / "data"


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_from_keypoints_to_scores(shots: tuple[Path, Path], tmp_path: Path) -> None:
    keypoints, data = shots
    out = tmp_path / "out/viewpoint.csv"
    text = run("predict", "viewpoint", keypoints, data, "--output", out)
    assert text == f"{out}: viewpoints of 6 images (1 with too few sure keypoints)\n"
    header, first, *_, last = out.read_text().splitlines()
    assert header.startswith("name,azimuth_deg,elevation_deg,roll_deg,distance_lengths,distance_m")
    assert first.startswith('"0, rendered.jpg",') and first.endswith(",sedan")
    metres = float(first.split(",")[6])
    assert metres == pytest.approx(20, rel=0.02)
    assert last == "empty.jpg,,,,,,,,"
    rose, target = tmp_path / "new/rose.png", tmp_path / "scores.json"
    text = run("evaluate", "viewpoint", out, data, "--rose", rose, "--json", target)
    assert text.startswith("5 images\n")
    assert "  azimuth               " in text
    assert f"  {'near':<26} 100.0 %\n" in text
    scores = json.loads(target.read_text())
    assert scores["azimuth"]["median_error_deg"] < 0.5
    assert scores["rotation"]["median_error_deg"] < 1.0
    drawn = np.asarray(PIL.Image.open(rose).convert("RGB"))
    assert (drawn == [0x2A, 0x6F, 0xDB]).all(axis=-1).sum() > 100


def test_without_a_lens_there_are_no_metres(shots: tuple[Path, Path], tmp_path: Path) -> None:
    keypoints, data = shots
    run("predict", "viewpoint", keypoints, "--output", tmp_path / "v.csv")
    found = read_viewpoints(tmp_path / "v.csv")
    views = [v for v in found.values() if v is not None]
    errors = [abs(v.azimuth_deg - a) for v, a in zip(views, (15, 65, 130, 250, 340), strict=True)]
    assert max(errors) < 2
    assert ",," in (tmp_path / "v.csv").read_text().splitlines()[1]
    other = tmp_path / "other.csv"
    write_predictions(other, {"x.jpg": np.ones((36, 3))})
    with pytest.raises(DataError, match=r"no image in common \(the first is x.jpg\)"):
        run("predict", "viewpoint", other, data, "--output", tmp_path / "v.csv")
