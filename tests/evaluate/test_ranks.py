"""The page of rank lists: what is chosen, what is said of it, and what Chromium shows."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from evaluate.ranks.hits import Told, angle_between, chosen_queries, hits_of, wrong_kinds
from evaluate.reid import ReidScores, score_reid
from pamtri.cli import cli
from pamtri.dataset import Dataset, DatasetInfo, write_native
from pamtri.features import Features, read_features, write_features
from pamtri.formats.pose_csv import write_predictions
from pamtri.record import Keypoints, Record, Viewpoint

BOX = (10.0, 5.0, 50.0, 35.0)

# image, identity, camera, colour, type, azimuth, place on the line that is its feature
ROWS = (
    ("q0", "query", 1, 1, "red", "suv", 10, 0.0),
    ("q1", "query", 2, 1, "blue", None, None, 50.0),
    ("q2", "query", 3, 1, "white", "van", None, 90.0),
    ("q3", "query", 9, 1, "white", "van", None, 95.0),  # nobody to be found
    ("same_camera", "gallery", 1, 1, "red", "suv", 10, 0.1),
    ("other_colour", "gallery", 2, 2, "blue", "suv", 350, 1.0),
    ("other_both", "gallery", 3, 2, "white", "van", None, 2.0),
    ("right", "gallery", 1, 2, "red", "suv", 190, 4.0),
    ("right_too", "gallery", 1, 3, "red", "suv", None, 9.0),
    ("nobody", "gallery", None, 3, None, "bus", None, 51.0),
    ("stranger", "gallery", 3, 1, "white", "van", None, 90.5),
    ("twin", "gallery", 8, 2, "white", "van", None, 91.0),
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> tuple[Dataset, Path]:
    """The rows above as a native data set, and their feature file."""
    rng = np.random.default_rng(5)
    records = []
    (tmp_path / "set/images").mkdir(parents=True)
    for name, split, identity, camera, colour, kind, azimuth, _ in ROWS:
        image = f"images/{name}.png"
        Image.new("RGB", (60, 40), tuple(rng.integers(0, 255, 3))).save(tmp_path / "set" / image)
        points = rng.uniform((12, 7), (48, 33), (36, 2)).round(1).tolist()
        records.append(
            Record(
                image=image, domain="real", split=split, identity=identity, camera=camera,
                colour=colour, type=kind, box=BOX, width=60, height=40,
                keypoints=Keypoints(xy=points, visibility="v" * 20 + "s" * 16),
                viewpoint=None if azimuth is None
                else Viewpoint(azimuth_deg=azimuth, elevation_deg=5),
            )
        )  # fmt: skip
    write_native(tmp_path / "set", records, DatasetInfo(name="set"))
    colours = np.zeros((len(ROWS), 10), np.float32)
    colours[:, 4] = 1  # everything is said to be red
    features = Features(
        tmp_path / "f.npz",
        tuple(f"{row[0]}.png" for row in ROWS),
        np.array([[row[-1]] for row in ROWS], np.float32),
        colour_scores=colours,
    )
    write_features(tmp_path / "f.npz", features)
    return Dataset(tmp_path / "set", tuple(records), DatasetInfo(name="set")), tmp_path / "f.npz"


@pytest.fixture
def scored(data: tuple[Dataset, Path]) -> tuple[ReidScores, Told]:
    features = read_features(data[1])
    return score_reid(features, data[0]), Told(features)


def names(hits: list) -> list[str]:
    return [Path(hit.record.image).stem for hit in hits]


def test_hits_and_what_differs(scored: tuple[ReidScores, Told]) -> None:
    hits = hits_of(*scored, row=0, count=3)
    assert names(hits) == ["other_colour", "other_both", "right"]  # same_camera is left out
    assert [hit.right for hit in hits] == [False, False, True]
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert [hit.distance for hit in hits] == [1.0, 2.0, 4.0]
    assert hits[0].notes == (
        "colour: blue, query red", "blue taken for red", "seen from 20° away",
    )  # fmt: skip
    assert hits[1].notes == (
        "colour: white, query red", "white taken for red", "type: van, query suv",
    )  # fmt: skip
    assert hits[2].notes == ("seen from 180° away",)


def test_the_first_right_one_is_shown_though_it_is_later(scored: tuple[ReidScores, Told]) -> None:
    hits = hits_of(*scored, row=0, count=2)
    assert names(hits) == ["other_colour", "other_both", "right"]
    assert hits[2].rank == 3
    (_, later) = hits_of(*scored, row=2, count=1)  # stranger, nearer, is of the query's camera
    assert (later.record.image, later.right) == ("images/other_both.png", True)
    order = sorted(
        (abs(row[-1] - 90.0), row[0])
        for row in ROWS
        if row[1] == "gallery" and row[0] != "stranger"
    )
    assert later.rank == 1 + [name for _, name in order].index("other_both")


def test_words_of_the_network_stand_in_for_labels(scored: tuple[ReidScores, Told]) -> None:
    (hit, *_) = hits_of(*scored, row=1, count=1)
    assert names([hit]) == ["nobody"]
    assert hit.notes == ("colour: red?, query blue",)  # the query's type is not known


def test_kinds_of_wrong_first_images(scored: tuple[ReidScores, Told]) -> None:
    # q0: other_colour; q1: nobody, said to be red; q2: twin; q3 has no match.
    assert wrong_kinds(*scored) == {"another colour": 2, "same colour and type": 1}


def test_the_hardest_queries_and_others_by_chance(scored: tuple[ReidScores, Told]) -> None:
    scores, _ = scored
    precision = scores.ranking.average_precision
    worst, others = chosen_queries(scores, 1)
    assert worst == [int(np.nanargmin(precision))]
    assert len(others) == 1 and others != worst and not np.isnan(precision[others[0]])
    all_scored, none = chosen_queries(scores, 9)
    assert (sorted(all_scored), none) == ([0, 1, 2], [])  # q3 is not


def test_angles_go_round() -> None:
    at = [
        Record(image="i", domain="real", viewpoint=Viewpoint(azimuth_deg=a, elevation_deg=0))
        for a in (350, 20, 200)
    ]
    assert angle_between(at[0], at[1]) == angle_between(at[1], at[0]) == 30
    assert angle_between(at[1], at[2]) == 180
    assert angle_between(at[0], Record(image="i", domain="real")) is None


def write_page(data: tuple[Dataset, Path], page: Path, *options: object) -> str:
    command = ["evaluate", "reid", data[1], data[0].root, "--page", page, *options]
    result = CliRunner().invoke(cli, [str(part) for part in command], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert f"{page}: queries and what was found for them" in result.output
    return page.read_text()


def test_pictures_are_the_boxes_with_the_pose_over_them(
    data: tuple[Dataset, Path], tmp_path: Path
) -> None:
    text = write_page(data, tmp_path / "ranks.html")
    sizes = {
        Image.open(io.BytesIO(base64.b64decode(found))).size
        for found in re.findall(r"base64,([^\"]+)", text)
    }
    assert sizes == {(40, 30)}
    assert set(re.findall(r'transform="([^"]+)"', text)) == {"scale(1.00000) translate(-10 -5)"}
    x, y = data[0].records[0].keypoints.xy[0]  # type: ignore[union-attr]
    assert f'd="M{x:.1f} {y:.1f}h0"' in text


def test_predicted_poses_are_drawn_where_they_are_sure(
    data: tuple[Dataset, Path], tmp_path: Path
) -> None:
    points = np.tile([0.0, 0.0, 0.4], (36, 1))
    points[3] = (21, 22, 0.6)
    write_predictions(tmp_path / "p.csv", {"q0.png": points})
    text = write_page(data, tmp_path / "ranks.html", "--keypoints", tmp_path / "p.csv")
    assert set(re.findall(r'class="dot (\w+)" d="(\S+ \S+)h0"', text)) == {
        ("left", "M21.0 22.0"),
    }


def test_the_page_in_a_browser(data: tuple[Dataset, Path], tmp_path: Path, show) -> None:
    write_page(data, tmp_path / "ranks.html")
    page = show(tmp_path / "ranks.html", 1280)
    answer = " ".join(page.locator(".answer").inner_text().split())
    scores = score_reid(read_features(data[1]), data[0]).summary()
    assert answer == (
        "The nearest image is the right vehicle for 0 of 3 queries (0.0 %); "
        f"mAP {100 * scores['mAP']:.1f} %."
    )
    assert page.locator("article").count() == 3
    q0 = page.locator("article", has_text="q0.png")
    assert q0.locator(".hit").all_inner_texts() == ["1 ✗", "2 ✗", "3 ✓", "4 ✓", "5 ✗", "6 ✗", "7 ✗"]
    frames = [
        hit.evaluate("e => getComputedStyle(e).borderTopStyle") for hit in q0.locator(".hit").all()
    ]
    assert frames == ["dashed", "dashed", "solid", "solid", "dashed", "dashed", "dashed"]
    assert "colour: blue, query red" in q0.locator("li").first.inner_text()
    assert "1 left out" in q0.locator(".asked").inner_text()
    displays = (
        "[...new Set([...document.querySelectorAll('.dot, .bone')]"
        ".map(e => getComputedStyle(e).display))]"
    )
    assert page.evaluate(displays) == ["inline"]
    page.locator("#pose").uncheck()
    assert page.evaluate(displays) == ["none"]
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
