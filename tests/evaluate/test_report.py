"""The report's parts by hand, and whole reports: their numbers, tables and looks in a browser."""

import base64
import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluate.compare import Comparison, run_comparison
from evaluate.config import Arm
from evaluate.data import facts
from evaluate.factors import ablation
from evaluate.pose import PoseScores
from evaluate.reid import ReidScores
from evaluate.report.breakdowns import breakdowns
from evaluate.report.charts import Curve, apart, chart, series, smoothed
from evaluate.report.examples import image_scores, most
from evaluate.report.export import Column, Table, latex_text, write_tables
from evaluate.report.sheets import facts_table
from evaluate.report.tables import Entry, Group, arm_table
from evaluate.report.training import different_images, drawn, synthetic_share
from evaluate.report.words import arm_words
from evaluate.results import Results, outcome, points
from evaluate.statistics import Difference, SeedMean
from pamtri.dataset import Dataset, DatasetInfo, write_native
from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.page.pictures import chosen, labelled_shot, picture, predicted_shot
from pamtri.record import Keypoints, Record, Viewpoint

MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """400 x 200, black, with a white dot of 20 px at (300, 50)."""
    pixels = np.zeros((200, 400, 3), np.uint8)
    pixels[40:60, 290:310] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def labels() -> Record:
    """Keypoint 0 (left) on the white dot, keypoint 18 (right) elsewhere; the others hidden."""
    points = [(1.0, 1.0)] * 36
    points[0], points[18] = (300.0, 50.0), (100.0, 150.0)
    letters = "".join("v" if i in (0, 18) else "s" for i in range(36))
    keypoints = Keypoints(xy=tuple(points), visibility=letters)
    return Record(image="photo.png", domain="real", keypoints=keypoints)


def test_labels_lie_on_the_embedded_picture(photo: Path) -> None:
    svg = labelled_shot(photo, labels())
    embedded = re.search(r"base64,([^\"]+)", svg)
    assert embedded is not None
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(embedded[1]))))
    assert image.shape == (104, 208, 3)
    scale = float(re.search(r"scale\(([\d.]+)\)", svg)[1])  # type: ignore[index]
    dots = re.findall(r'class="dot (\w+)" d="M([\d.]+) ([\d.]+)h0"', svg)
    assert [side for side, *_ in dots] == ["left", "right"]
    x, y = (float(v) * scale for v in dots[0][1:])
    assert image[int(y), int(x)].min() > 200
    assert f'viewBox="0 0 {image.shape[1]} {image.shape[0]}"' in svg


def test_small_pictures_are_not_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (40, 90)).save(tmp_path / "small.png")
    small = picture(tmp_path / "small.png")
    assert (small.width, small.height, small.scale) == (40, 90, 1.0)


def test_wrong_points_lead_to_their_labels(photo: Path) -> None:
    predicted = np.zeros((36, 2))
    predicted[0], predicted[18] = (300, 50), (140, 120)
    right = np.zeros(36, bool)
    right[0] = True
    svg = predicted_shot(photo, predicted, labels(), right)
    assert 'aria-label="1 of 2 right"' in svg
    assert re.findall(r'class="dot (\w+)"', svg) == ["left", "wrong"]
    assert re.findall(r'class="miss" x1="140.0" y1="120.0" x2="100.0" y2="150.0"', svg)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError, match=r"cut.jpg: is no image that can be decoded whole"):
        picture(tmp_path / "cut.jpg")


def test_choice_takes_many_identities_and_no_row_twice() -> None:
    identities = [0] * 50 + [1, 2, 3]
    rows = chosen(identities, 6)
    assert len(set(rows)) == 6
    assert {identities[row] for row in rows} == {0, 1, 2, 3}
    assert rows == chosen(identities, 6)
    assert len(chosen([None] * 3, 10)) == 3


def test_smoothing_keeps_the_mean_and_the_end() -> None:
    points = [(float(step), float(step % 7)) for step in range(1, 241)]
    short = smoothed(points, 60)
    assert len(short) == 60
    assert short[-1][0] == 240
    assert np.mean([v for _, v in short]) == pytest.approx(np.mean([v for _, v in points]))
    assert smoothed(points[:5], 60) == points[:5]


def test_series_takes_its_kind_and_skips_what_has_no_number() -> None:
    lines = [
        {"step": 1, "kind": "train", "loss": 2.0, "pck": 1.0},
        {"step": 2, "kind": "val", "pck": 0.5},
        {"step": 3, "kind": "val", "pck": None},
    ]
    assert series(lines, "val", "pck") == [(2.0, 0.5)]


def test_charts_take_the_page_s_colours() -> None:
    curves = [
        Curve(0, "real-only", [(0, 0.1), (9, 0.2)]),
        Curve(1, "augmented", [(0, 0.1), (9, 0.3)]),
    ]
    svg = chart("validation PCK", curves, percent=True)
    assert svg == chart("validation PCK", curves, percent=True)
    assert "var(--arm-0)" in svg and "var(--arm-1)" in svg and "currentColor" in svg
    assert not re.search(r"#(123456|0a0b0)", svg)
    assert "validation PCK, %" in svg and "<text" in svg
    assert not re.search(r"<svg[^>]* (width|height)=", svg)


def test_bars_are_placed_on_one_track() -> None:
    wide = Difference(0.02, -0.01, 0.05, 0.2, True)
    higher = Difference(0.02, 0.01, 0.03, 0.01, True)
    lower = Difference(-0.02, -0.1, -0.01, 0.01, True)
    groups = [
        Group(name, "", (Entry("real", None, None), Entry("mixed", None, difference)))
        for name, difference in (("a", wide), ("b", higher), ("c", lower))
    ]
    rows = [rows for _, rows in arm_table("t", "T", "Metric", groups).groups]
    assert [row[0].bar for row in rows] == [None] * 3
    first, second, third = (row[1].bar for row in rows)
    assert first is not None and second is not None and third is not None
    assert (first.text, first.interval, first.verdict) == ("+2.0", f"{MINUS}1.0 to +5.0", "unclear")
    assert first.dot == pytest.approx(50 + 48 * 0.2)  # the widest bound, 10 points, is at the end
    assert (first.start, first.width) == pytest.approx((50 - 48 * 0.1, 48 * 0.6))
    assert (second.verdict, third.verdict) == ("higher", "lower")
    assert third.start == pytest.approx(2)


def test_rows_of_arms_worked_by_hand() -> None:
    clear = Difference(0.0321, 0.01, 0.05, 0.004, True, 0.012)
    group = Group(
        "mAP",
        "mean",
        (
            Entry("real_only", SeedMean(0.7129, 0.68, None, 1), None),
            Entry("mixed", SeedMean(0.745, 0.7, 0.79, 3), clear),
        ),
    )
    table = arm_table("reid-arms", "Re-ID: 50 % & more", "Metric", [group])
    ((_, rows),) = table.groups
    assert [(r.value, r.interval) for r in rows] == [("71.3", ""), ("74.5", "70.0 to 79.0")]
    assert table.take.csv == (
        'Metric,Arm,"Mean, %","Mean low, %","Mean high, %","Difference, points",'
        '"Difference low, points","Difference high, points",p,p corrected,Shown\n'
        "mAP,real_only,71.29,68,,,,,,,\n"
        "mAP,mixed,74.5,70,79,3.21,1,5,0.004,0.012,yes\n"
    )
    lines = table.take.latex.splitlines()
    assert lines[3] == r"  \caption{Re-ID: 50 \% \& more}"
    assert lines[5] == r"  \begin{tabular}{lllll}"
    assert lines[9:11] == [
        r"    mAP & real\_only & 71.3 & -- &  \\",
        r"    mAP & mixed & 74.5 (70.0 to 79.0) & +3.2 (+1.0 to +5.0) & yes \\",
    ]


def test_nothing_in_a_table_is_a_command_of_latex(tmp_path: Path) -> None:
    assert latex_text("a_b & 5 % of $x^2$ #1 {~}\\") == (
        r"a\_b \& 5 \% of \$x\textasciicircum{}2\$ \#1 \{\textasciitilde{}\}\textbackslash{}"
    )
    assert latex_text('<b> | "q" 90° 3 × 4\n–') == (  # noqa: RUF001
        r"\textless{}b\textgreater{} \textbar{} ''q'' 90$^\circ$ 3 $\times$ 4 --"
    )
    nasty = ("[1] &", "*", "\\\\ % x", "{", None, -0.04, -2.5, 1234.0)
    table = Table("n", "\\end{table}", tuple(Column(f"_{i}", i % 2) for i in range(8)), (nasty,))
    body = table.latex.split("\\midrule\n")[1].split("    \\bottomrule")[0]
    assert body == (
        r"    {[}1] \& & {*} & \textbackslash{}\textbackslash{} \% x & \{ & -- & 0.0 & $-$2 & "
        "1,234.0 \\\\\n"
    )
    assert table.latex.count(r"\end{table}") == 1
    write_tables([table], tmp_path / "tables")
    assert (tmp_path / "tables/n.tex").read_text() == table.latex
    (_, row) = csv.reader((tmp_path / "tables/n.csv").read_text().splitlines())
    assert row == ["[1] &", "*", "\\\\ % x", "{", "", "-0.04", "-2.5", "1234"]


def test_sizes_are_read_from_images_whose_labels_do_not_tell(tmp_path: Path) -> None:
    records = []
    for i, size in enumerate([(30, 20), (50, 40), (90, 10)]):
        Image.new("RGB", size).save(tmp_path / f"{i}.png")
        told = dict(zip(("width", "height"), size, strict=True)) if i == 2 else {}
        records.append(Record(image=f"{i}.png", domain="real", **told))
    dataset = Dataset(tmp_path, tuple(records), DatasetInfo(name="set"))
    assert facts(dataset)["median_size"] == [50, 20]


def test_data_sheets_read_as_text() -> None:
    facts = {
        "images": 1234,
        "identities": 5,
        "cameras": 0,
        "with_keypoints": 0,
        "median_size": [144, 90],
        "colours": {},
        "types": {"suv": 9, "van": 4, "bus": 3, "mpv": 2, "truck": 1, "bike": 1},
    }
    table = facts_table({"Real": facts})
    rows: dict[Any, Any] = dict(table.rows)  # type: ignore[arg-type]
    assert [column.heading for column in table.columns] == ["", "Real"]
    assert rows["Images"] == "1,234"
    assert rows["Cameras"] == "\N{EN DASH}"
    assert rows["Median size, pixels"] == "144 \N{MULTIPLICATION SIGN} 90"
    assert rows["Body types"] == "suv 9, van 4, bus 3, mpv 2, truck 1 and 1 more"


def test_names_are_moved_apart_no_more_than_needed() -> None:
    assert apart([1, 5, 9], 2) == [1, 5, 9]
    assert apart([4, 5, 20], 2) == [3.5, 5.5, 20]
    # The upper two overlap first; moved apart, they push the lowest.
    assert apart([1, 3.5, 4], 2) == pytest.approx([17 / 6 - 2, 17 / 6, 17 / 6 + 2])
    rng = np.random.default_rng(3)
    heights = np.sort(rng.normal(size=9)).tolist()
    moved = apart(heights, 0.6)
    assert min(np.diff(moved)) >= 0.6 - 1e-9
    assert np.mean(moved) == pytest.approx(np.mean(heights))


def test_greatest_gains_one_an_identity() -> None:
    gains = np.array([0.1, np.nan, 0.5, 0.4, -0.2, 0.3, 0.0])
    identities = [1, 2, 3, 3, 4, None, 5]
    assert most(gains, identities, 9) == [2, 5, 0]
    assert most(gains, identities, 2) == [2, 5]
    assert most(-gains, identities, 9) == [4]


def test_what_a_history_tells_of_images() -> None:
    lines: list[dict[str, Any]] = [
        {"kind": "train", "step": 10, "drawn": {"real": 8}, "unique": {"real": 5}},
        {"kind": "val", "step": 10, "pck": 0.5},
        {
            "kind": "train",
            "step": 20,
            "drawn": {"real": 10, "synthetic": 4, "synthetic.night": 2},
            "unique": {"real": 5, "synthetic": 4, "synthetic.night": 1},
        },
    ]
    assert drawn(lines) == {"real": (10, 5), "synthetic": (4, 4), "synthetic.night": (2, 1)}
    assert synthetic_share(lines) == [(10, 0), (20, 6 / 8)]
    assert different_images(lines) == [(10, 5), (20, 10)]
    old = [{"kind": "train", "step": 5, "drawn": {"real": 3}}]
    assert drawn(old) == {"real": (3, None)}
    assert different_images(old) == []
    assert drawn([]) == {} and synthetic_share([{"kind": "train", "drawn": {}}]) == []


@dataclass(frozen=True)
class Made:
    """A whole report, and what it is of."""

    results: Results
    folder: Path
    page: str
    summary: dict[str, Any]

    def section(self, name: str) -> str:
        """The page's section of an id."""
        return re.search(rf'<section id="{name}">.*?</section>', self.page, re.DOTALL)[0]  # type: ignore[index]

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of a CSV file by heading."""
        text = (self.folder / f"tables/{name}.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_bench: Any) -> Iterator[Made]:
    """Three arms, two seeds and two amounts, on images of two colours from four sides."""
    root = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        bench = make_bench(root, patch)
        _paint(root / "real", root / "painted")
        bench.data["real"] = {"root": str(root / "painted"), "images_per_identity": [1, "all"]}
        bench.data["arms"].append({"name": "synthetic_only", "synthetic_ratio": 1.0})
        comparison: Comparison = bench.run()
    yield Made(
        comparison.results,
        comparison.report.parent,
        comparison.report.read_text(encoding="utf-8"),
        json.loads((root / "out/results.json").read_text()),
    )


def _paint(source: Path, target: Path) -> None:
    """The data set with a colour and a side for each image."""
    shutil.copytree(source / "images", target / "images")
    records = [
        record.model_copy(
            update={
                "colour": ("red", "blue")[i % 2],
                "viewpoint": Viewpoint(azimuth_deg=90.0 * ((i + i // 8) % 4), elevation_deg=5),
            }
        )
        for i, record in enumerate(open_dataset(source).records)
    ]
    write_native(target, records, DatasetInfo(name="painted", splits=("train", "query", "gallery")))


def test_the_curve_s_numbers_are_the_results(made: Made) -> None:
    section = made.section("curve")
    for task, told in made.summary["tasks"].items():
        for metric in told["arms"]["real-only"]["mean"]:
            rows = made.table(f"{task}-curve-{metric.replace('@', '-').replace('_', '-')}")
            expected = [
                (label, arm, by_arm[arm][metric])
                for label, by_arm in told["learning_curve"].items()
                for arm in told["arms"]
            ]
            assert [(r["Real images"], r["Arm"]) for r in rows] == [e[:2] for e in expected]
            for row, (_, _, value) in zip(rows, expected, strict=True):
                assert float(row["Mean, %"]) == pytest.approx(100 * value["mean"]["value"])
                if value["difference"] is not None:
                    low = 100 * value["difference"]["low"]
                    assert float(row["Difference low, points"]) == pytest.approx(low, abs=1e-6)
                    assert row["Shown"] == ("yes" if value["difference"]["shown"] else "no")
    least, most_images = made.results.config.real.amounts
    for amount, of in ((least, "1 an identity (4 images)"), (most_images, "all (12 images)")):
        difference = made.results.curves["reid"][amount]["augmented"]["mAP"]
        told = outcome(difference, "re-identification", "mAP")
        assert f"<li>With {of} {told}.</li>" in section
        assert f"<b>{points(difference.value)}</b>" in section
    for arm in ("real-only", "augmented", "synthetic_only"):
        assert len(re.findall(rf"<text[^>]*>{arm}</text>", section)) >= 1


def test_parts_add_up_to_what_the_scores_say(made: Made) -> None:
    parts = {p.title: p for p in breakdowns(made.results, "reid")}
    assert list(parts) == [
        "mAP by side that the query shows", "mAP by colour",
        "mAP by angle between query and match", "Colours named right",
    ]  # fmt: skip
    keys = {"mAP by side that the query shows": "by_azimuth", "mAP by colour": "by_colour",
            "mAP by angle between query and match": "by_azimuth_difference"}  # fmt: skip
    for title, key in keys.items():
        for number, arm in enumerate(a.name for a in made.results.config.arms):
            of_seeds = [s.summary()[key] for _, s in made.results.of("reid", arm)]
            for group, _ in parts[title].table.groups:
                told = [of_seed[group.label] for of_seed in of_seeds]
                mean = group.entries[number].mean
                assert mean is not None
                assert mean.value == pytest.approx(np.mean([t["mAP"] for t in told]))
                assert group.note == str(told[0]["queries"])
    classes = [
        s.summary()["attributes"]["colour"]["by_class"]
        for _, s in made.results.of("reid", "augmented")
    ]
    rows = {r["Part"]: r for r in made.table("reid-colours-named-right") if r["Arm"] == "augmented"}
    assert {n: float(r["Mean, %"]) for n, r in rows.items()} == {
        name: pytest.approx(100 * np.mean([c[name]["recall"] for c in classes]))
        for name in ("red", "blue")
    }


def test_parts_of_poses_add_up_too(made: Made) -> None:
    scores = [s.summary() for _, s in made.results.of("pose", "augmented")]
    for name, key in (("side-seen", "by_azimuth"), ("state-of-the-keypoint", "by_state")):
        rows = [r for r in made.table(f"pose-pck-by-{name}") if r["Arm"] == "augmented"]
        assert len(rows) == len(scores[0][key]) > 1
        for row in rows:
            expected = np.mean([s[key][row["Part"]]["pck"]["0.125"] for s in scores])
            assert float(row["Mean, %"]) == pytest.approx(100 * expected, abs=1e-5)
    groups = {r["Part"]: float(r["Mean, %"]) for r in made.table("pose-pck-by-keypoint-group")
              if r["Arm"] == "augmented"}  # fmt: skip
    for name, share in groups.items():
        expected = np.mean([s["pck_by_group"][name.replace(" ", "_")] for s in scores])
        assert share == pytest.approx(100 * expected, abs=1e-5)


def test_differences_of_parts_are_corrected_for_their_number(made: Made) -> None:
    (part, *_) = breakdowns(made.results, "reid")
    differences = [
        entry.difference for group, _ in part.table.groups for entry in group.entries[1:]
    ]
    ps = sorted((d.p, d.p_corrected) for d in differences if d is not None)
    assert len(ps) == 2 * len(part.table.groups)
    assert ps[0][1] == pytest.approx(min(1, len(ps) * ps[0][0]))


def test_examples_are_those_that_gained_and_lost_most(made: Made) -> None:
    before, after = (image_scores(made.results, "reid", arm) for arm in ("real-only", "augmented"))
    (_, one), (_, other) = made.results.of("reid", "augmented")
    assert isinstance(one, ReidScores) and isinstance(other, ReidScores)
    both = (one.ranking.average_precision + other.ranking.average_precision) / 2
    assert after == pytest.approx(both, nan_ok=True)
    pose = image_scores(made.results, "pose", "real-only")
    (_, first), (_, second) = made.results.of("pose", "real-only")
    assert isinstance(first, PoseScores) and isinstance(second, PoseScores)
    for row in range(len(pose)):
        right = [(s.errors[row, :24] <= 0.125).mean() for s in (first, second)]
        assert pose[row] == pytest.approx(np.mean(right))
    section = made.section("examples-reid")
    titles = re.findall(r"<h3>([^<]*)</h3>", section)
    gains = after - before
    assert ("Where augmented helped most" in titles) == (np.nanmax(gains) > 0)
    assert ("Where augmented hurt most" in titles) == (np.nanmin(gains) < 0)
    assert np.nanmax(gains) > 0
    helped = section[section.index("Where augmented helped most") :]
    best = int(np.nanargmax(gains))
    shown = re.search(r"query (\S+)</figcaption>.*?real-only, AP ([\d.]+)\xa0%", helped, re.DOTALL)
    assert shown is not None
    assert shown[1] == Path(one.query[best].image).name
    assert shown[2] == points(before[best], signed=False)


def test_every_table_can_be_taken_along(made: Made) -> None:
    ids = re.findall(r'<table class="[a-z]+" id="([^"]+)"', made.page)
    files = {path.name for path in (made.folder / "tables").iterdir()}
    assert len(ids) == len(set(ids)) and files == {f"{i}.{k}" for i in ids for k in ("csv", "tex")}
    links = re.findall(r'download="([^"]+)" href="data:[^,]+;base64,([^"]+)"', made.page)
    assert {name for name, _ in links} == files
    for name, content in links:
        there = (made.folder / "tables" / name).read_text(encoding="utf-8")
        assert base64.b64decode(content).decode() == there
        if name.endswith(".tex"):
            body = there.split("\\toprule\n")[1].split("    \\bottomrule")[0].splitlines()
            kinds = re.search(r"tabular}{([lr]+)}", there)[1]  # type: ignore[index]
            for line in body:
                if line.strip() != r"\midrule":
                    assert len(re.findall(r"(?<!\\)&", line)) == len(kinds) - 1
                    assert line.endswith(r" \\") and line.isascii()


def test_arms_are_put_into_words(made: Made) -> None:
    config = made.results.config
    assert [arm_words(config, arm) for arm in config.arms] == [
        "real images only.",
        "50 % of every batch are synthetic, the rest real.",
        "synthetic images only.",
    ]
    own = Arm.model_validate(
        {
            "name": "own",
            "synthetic_ratio": 0.3,
            "overrides": {"reid": ["mixing.weight=2"], "pose": ["mixing.weight=2", "a=1"]},
            "synthetic": {"overrides": ["samples=4"]},
        }
    )
    assert arm_words(config, own) == (
        "30 % of all training images are synthetic, the rest real; with `mixing.weight=2`, `a=1`; "
        f"its synthetic images are its own: `{config.synthetic.render}`, `samples=4`."
    )


def test_an_ablation_tells_what_factors_are_worth(bench: Any) -> None:
    bench.in_process()
    config = ablation(bench.config, names=("light", "sensor", "weather"))
    report = run_comparison(config, bench.root / "factors", "pamtri ablate bench.yaml").report
    page = report.read_text(encoding="utf-8")
    assert 'id="factors"' in page and "Where light-frozen helped" not in page
    assert "on renders with every factor, and with one of them frozen" in page
    summary = json.loads((bench.root / "factors/results.json").read_text())
    for task, told in summary["tasks"].items():
        file = report.parent / f"tables/{task}-factors.csv"
        rows = list(csv.DictReader(io.StringIO(file.read_text())))
        first = "PCK" if task == "pose" else "mAP"
        assert [row["Metric"] for row in rows[:3]] == [first] * 3
        key = {"PCK": "pck@0.125", "mAP": "mAP"}[first]
        worth = {name: by_metric[key] for name, by_metric in told["factors"].items()}
        assert [row["Factor"] for row in rows[:3]] == sorted(
            worth, key=lambda n: -worth[n]["value"]
        )
        for row in rows[:3]:
            found = worth[row["Factor"]]
            assert float(row["Worth, points"]) == pytest.approx(100 * found["value"], abs=1e-6)
            assert float(row["Worth low, points"]) == pytest.approx(100 * found["low"], abs=1e-6)
            helps = "helps" if found["value"] > 0 else "hurts"
            assert row["Shown"] == (helps if found["shown"] else "no difference shown")
    assert "Synthetic for light-frozen: training" in page


def test_trainings_are_told(made: Made) -> None:
    rows = made.table("trainings")
    assert [(r["Task"], r["Arm"], r["Real images"], r["Steps"]) for r in rows[:5]] == [
        ("pose", "real-only", "1 an identity", "100"),
        ("pose", "real-only", "all", "100"),
        ("pose", "augmented", "1 an identity", "100"),
        ("pose", "augmented", "all", "100"),
        ("pose", "synthetic_only", "all", "100"),  # one training serves for all amounts
    ]
    assert all(r["Trainings"] == "2" for r in rows)
    counts = [(r["Real drawn"], r["Real of them different"], r["Synthetic drawn"]) for r in rows]
    assert counts[:5] == [
        ("95", "4", "0"), ("95", "12", "0"),
        ("48", "4", "47"), ("48", "12", "47"),
        ("0", "0", "95"),
    ]  # fmt: skip
    assert "synthetic images drawn, %" in made.section("training")
    for name in ("Processor", "Cores", "Memory", "GPU"):
        assert f"<dt>{name}</dt><dd>" in made.section("again")


def test_headings_and_tables_can_be_read_aloud(made: Made) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", made.page)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert not re.search(r"<th(?![^>]* scope=)[ >]", made.page)
    assert made.page.count("<caption>") == made.page.count("<table")
    svgs = re.findall(r"<svg[^>]*>", made.page)
    assert svgs and all('role="img" aria-label="' in svg for svg in svgs)
    links = re.findall(r'href="#([^"]+)"', made.page[: made.page.index("</nav>")])
    assert links and all(f'<section id="{link}">' in made.page for link in links)


def test_the_page_needs_nothing_from_elsewhere(made: Made) -> None:
    assert re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"|url\((?!#)([^)]*)\)', made.page) == []
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", made.page)
    assert "#0a0b0" not in made.page and "#123456" not in made.page  # all colours are the page's
    assert not re.search(r"var\(--arm-[6-9]", made.page)


def contrast(first: str, second: str) -> float:
    """WCAG's ratio of two colours like ``rgb(1, 2, 3)``."""
    lights = []
    for colour in (first, second):
        shares = np.array([float(v) / 255 for v in re.findall(r"[\d.]+", colour)[:3]])
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_the_page_in_a_browser(made: Made, show: Any) -> None:
    page = show(made.folder / "index.html", 390)
    assert page.locator(".answer").inner_text() == made.summary["answer"]
    hidden = page.locator("details:has(#reid-colours-named-right)")
    assert hidden.bounding_box()["height"] < 80
    # Printed, everything is there, and nothing that only a screen can use.
    page.emulate_media(media="print")
    assert hidden.bounding_box()["height"] > 200
    assert not page.locator("nav").is_visible()
    page.emulate_media(media="screen")
    for is_open in ("false", "true"):
        page.evaluate(f"document.querySelectorAll('details').forEach(d => d.open = {is_open})")
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    pages = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        behind = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
        pages.append(behind)
        for name in (".answer", ".quiet", "a", ".verdict", ".value small", ".chart text", ".arm"):
            colours = page.locator(name).evaluate_all(
                "all => [...new Set(all.map(e => getComputedStyle(e).color))]"
            )
            assert colours
            assert min(contrast(c, behind) for c in colours) >= (3 if name == ".arm" else 4.5)
    assert contrast(*pages) > 10


def test_tables_do_not_run_over_each_other(made: Made, show: Any) -> None:
    page = show(made.folder / "index.html", 1280)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in (390, 700, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate(
            "[...document.querySelectorAll('.arms td, .arms th')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
        )
        assert over == []
