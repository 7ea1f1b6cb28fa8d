"""Distances between data sets against closed forms, slow loops and known populations."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from evaluate.cli import evaluate
from evaluate.gap.classifier import area_under_curve, domain_auc, folds_of
from evaluate.gap.frechet import frechet_distance
from evaluate.gap.kernel import kernel_distance
from evaluate.gap.labels import label_pairs, words
from evaluate.gap.matching import matched
from evaluate.gap.measure import Gap, measure_gap
from pamtri.columns import Column
from pamtri.dataset import Dataset, DatasetInfo, write_native
from pamtri.errors import DataError, UserError
from pamtri.features import Features
from pamtri.record import Record, Viewpoint


def with_moments(
    rng: np.random.Generator, count: int, mean: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """(count, d) whose sample mean and covariance are exactly ``mean`` and ``spread``."""
    raw = rng.standard_normal((count, len(mean)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    made: np.ndarray = white @ np.linalg.cholesky(spread).T + mean
    return made


def test_frechet_of_gaussians_along_the_axes_by_hand() -> None:
    """Means 3 and 4 apart; deviations 1, 2 against 3, 5: 9 + 16 + 2² + 3²."""
    rng = np.random.default_rng(0)
    first = with_moments(rng, 60, np.array([0.0, 0.0]), np.diag([1.0, 4.0]))
    second = with_moments(rng, 80, np.array([3.0, 4.0]), np.diag([9.0, 25.0]))
    assert frechet_distance(first, second) == pytest.approx(25 + 4 + 9)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)


def test_frechet_of_turned_gaussians_is_the_formula_with_a_matrix_root() -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    spreads = [m @ m.T + np.eye(4) for m in rng.standard_normal((2, 4, 4))]
    first, second = (with_moments(rng, 50, rng.standard_normal(4), spread) for spread in spreads)
    slow = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum() + np.trace(
        spreads[0] + spreads[1] - 2 * sqrtm(spreads[0] @ spreads[1]).real
    )
    assert frechet_distance(first, second) == pytest.approx(slow)
    assert frechet_distance(second, first) == pytest.approx(slow)


def test_frechet_with_fewer_images_than_features() -> None:
    """Features that are zero beyond the second say nothing: the distance is that of two."""
    rng = np.random.default_rng(2)
    first, second = rng.standard_normal((5, 2)), rng.standard_normal((7, 2)) + 1
    turn = np.linalg.qr(rng.standard_normal((30, 30)))[0][:2]
    assert frechet_distance(first @ turn, second @ turn) == pytest.approx(
        frechet_distance(first, second)
    )


def test_kernel_distance_is_the_double_loop() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((9, 3)), rng.standard_normal((7, 3)) + 0.5

    def mean(rows: np.ndarray, columns: np.ndarray, same: bool) -> float:
        values = [
            (float(x @ y) / 3 + 1) ** 3
            for i, x in enumerate(rows)
            for j, y in enumerate(columns)
            if not (same and i == j)
        ]
        return sum(values) / len(values)

    slow = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
    found = kernel_distance(a, b)
    assert found.value == pytest.approx(slow)
    assert found.low < found.value < found.high
    assert kernel_distance(a, b) == found
    assert kernel_distance(a, b, seed=1).value == pytest.approx(slow)


def test_kernel_distance_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((20, 3)), rng.standard_normal((11, 3))
    whole = kernel_distance(a, b)
    monkeypatch.setattr("evaluate.gap.kernel._ROWS", 7)
    assert kernel_distance(a, b).high == pytest.approx(whole.high)


@pytest.mark.parametrize("shift", [0.6, 1.5])
def test_kernel_interval_holds_the_truth_as_often_as_it_says(shift: float) -> None:
    """Samples of two finite populations, whose distance is their full kernel's."""
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((400, 4)), rng.standard_normal((400, 4)) + shift
    kernels = [((x @ y.T) / 4 + 1) ** 3 for x, y in ((a, a), (b, b), (a, b))]
    truth = kernels[0].mean() + kernels[1].mean() - 2 * kernels[2].mean()
    held = 0
    for _ in range(400):
        found = kernel_distance(a[rng.integers(0, 400, 60)], b[rng.integers(0, 400, 60)])
        held += found.low <= truth <= found.high
    assert 0.91 <= held / 400 <= 0.98


def test_kernel_distance_of_equal_sets_is_about_nothing() -> None:
    rng = np.random.default_rng(6)
    values, covered = [], 0
    for _ in range(100):
        found = kernel_distance(rng.standard_normal((50, 6)), rng.standard_normal((40, 6)))
        values.append(found.value)
        covered += found.low <= 0 <= found.high
    assert abs(np.mean(values)) < 3 * np.std(values) / 10  # unbiased
    assert min(values) < 0
    assert covered >= 93


def test_area_under_the_curve_counts_pairs() -> None:
    scores, positive = (
        np.array([0.1, 0.4, 0.4, 0.8, 0.9]),
        np.array([False, True, False, True, True]),
    )
    assert area_under_curve(scores, positive) == pytest.approx(5.5 / 6)  # one tie in six pairs
    rng = np.random.default_rng(7)
    scores, positive = rng.integers(0, 8, 40).astype(float), rng.random(40) < 0.4
    pairs = [
        1.0 if up > down else 0.5 if up == down else 0.0
        for up in scores[positive]
        for down in scores[~positive]
    ]
    assert area_under_curve(scores, positive) == pytest.approx(np.mean(pairs))


def test_classifier_tells_what_can_be_told() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.standard_normal((120, 8)), rng.standard_normal((120, 8))
    single = ([*range(120)], [*range(120)])
    assert 0.4 < domain_auc(a, b, single) < 0.6
    shifted = b + np.eye(8)[0] * 1.5
    # Two normals 1.5 apart: a score of one is above one of the other with chance Phi(1.5 / sqrt 2).
    assert domain_auc(a, shifted, single) == pytest.approx(0.8556, abs=0.05)
    assert domain_auc(a, b + 20, single) == 1.0


def test_a_vehicle_known_by_heart_does_not_help_the_classifier() -> None:
    """Ten vehicles a set, the same kind in both: their images tell the set only by the vehicle."""
    rng = np.random.default_rng(9)
    vehicles = rng.standard_normal((2, 10, 30)) * 3
    sets = [np.repeat(v, 12, axis=0) + rng.standard_normal((120, 30)) for v in vehicles]
    groups = [i // 12 for i in range(120)]
    assert domain_auc(*sets, ([*range(120)], [*range(120)])) > 0.95
    assert domain_auc(*sets, (groups, groups)) < 0.75


def test_folds_keep_groups_together_and_take_turns() -> None:
    groups = ["a", "a", "b", "c", "c", "d", "e", "f", "g"]
    folds = folds_of(groups, 3, seed=0)
    assert all(len({f for g, f in zip(groups, folds, strict=True) if g == name}) == 1
               for name in groups)  # fmt: skip
    counts = Counter(f for f, _ in {(f, g) for g, f in zip(groups, folds, strict=True)})
    assert sorted(counts.values()) == [2, 2, 3]
    assert len({tuple(folds_of(groups, 3, seed)) for seed in range(5)}) > 1


def record(
    i: int, azimuth: float | None = None, type: str | None = None, colour: str | None = None
) -> Record:
    viewpoint = None if azimuth is None else Viewpoint(azimuth_deg=azimuth, elevation_deg=10)
    return Record(
        image=f"images/{i:03d}.png", domain="real", width=32, height=24, identity=i // 2,
        type=type, colour=colour, viewpoint=viewpoint,  # type: ignore[arg-type]
    )  # fmt: skip


def test_matching_by_hand() -> None:
    """Sectors are 30 degrees wide about 0, 30, ...: 350 and 14 are front, 16 is not."""
    first = [record(0, 350, "suv"), record(1, 14, "suv"), record(2, 14, "van"), record(3, 180)]
    second = [record(0, 5, "suv"), record(1, 16, "suv"), record(2, 0, "van"), record(3, 1, "van"),
              record(4, 180, "bus"), record(5, None, "suv")]  # fmt: skip
    rows = matched(first, second, ["azimuth", "type"])
    assert len(rows[0]) == len(rows[1]) == 2
    assert rows[0].tolist() in ([0, 2], [1, 2])
    assert rows[1].tolist() in ([0, 2], [0, 3])
    assert [len(r) for r in matched(first, second, ["azimuth"])] == [4, 4]
    drawn = {tuple(matched(first, second, ["azimuth", "type"], seed)[1]) for seed in range(9)}
    assert drawn == {(0, 2), (0, 3)}


def test_matched_sets_have_equal_counts_of_everything() -> None:
    rng = np.random.default_rng(10)
    sets = [
        [record(i, rng.uniform(0, 360), rng.choice(["suv", "van"], p=[p, 1 - p]),
                rng.choice(["red", "blue"])) for i in range(200)]
        for p in (0.2, 0.7)
    ]  # fmt: skip
    rows = matched(*sets, ["azimuth", "type", "colour"])
    counts = [
        Counter(
            (round(r.viewpoint.azimuth_deg / 30) % 12, r.type, r.colour)
            for r in (records[i] for i in chosen) if r.viewpoint
        )
        for records, chosen in zip(sets, rows, strict=True)
    ]  # fmt: skip
    assert counts[0] == counts[1]
    assert 40 < len(rows[0]) < 160


def dataset(root: Path, records: list[Record]) -> Dataset:
    return Dataset(root, tuple(records), DatasetInfo(name="made"))


def features(records: list[Record], values: np.ndarray) -> Features:
    names = tuple(Path(r.image).name for r in records)
    return Features(Path("made.npz"), names, values.astype(np.float32))


def two_sets(shift: float) -> tuple[tuple[Dataset, Dataset], tuple[Features, Features]]:
    """Features follow the azimuth; the second set looks at other sides, and is shifted."""
    rng = np.random.default_rng(11)
    sets, values = [], []
    for number, angles in enumerate(([0.0] * 50 + [180.0] * 10, [0.0] * 10 + [180.0] * 50)):
        records = [record(i, angle, "suv" if i % 2 else "van") for i, angle in enumerate(angles)]
        value = np.array([[a / 90 + shift * number, 0.0] for a in angles])
        sets.append(dataset(Path(f"set{number}"), records))
        values.append(features(records, value + rng.normal(0, 0.5, value.shape)))
    return (sets[0], sets[1]), (values[0], values[1])


def measured(shift: float, match: tuple[str, ...] = ()) -> Gap:
    return measure_gap(*two_sets(shift), match)  # type: ignore[arg-type]


def test_matching_takes_the_labels_part_out_of_the_gap() -> None:
    plain, alike, shifted = measured(0.0), measured(0.0, ("azimuth",)), measured(3.0, ("azimuth",))
    assert plain.kernel.low > 0 and plain.auc > 0.75
    assert alike.kernel.low <= 0 and alike.auc < 0.7
    assert shifted.kernel.low > 0 and shifted.frechet > 6
    assert (len(alike.first), len(alike.second), alike.left_out) == (20, 20, (40, 40))
    summary = alike.summary()
    assert summary["second"] == {"data": "set1", "images": 20, "left_out": 40}
    assert summary["labels"]["side seen"]["difference"] == 0
    assert plain.summary()["labels"]["side seen"]["difference"] == pytest.approx(40 / 60)
    assert summary["kernel"]["value"] == alike.kernel.value


def test_gap_is_of_the_rows_that_the_names_say() -> None:
    sets, (first, second) = two_sets(1.0)
    order = np.random.default_rng(0).permutation(60)
    shuffled = Features(first.path, tuple(first.names[i] for i in order), first.features[order])
    assert (
        measure_gap(sets, (shuffled, second)).frechet == measure_gap(sets, (first, second)).frechet
    )


def test_what_cannot_be_compared_is_told() -> None:
    (a, b), (first, second) = two_sets(0.0)
    wide = Features(Path("wide.npz"), second.names, np.zeros((60, 3), dtype=np.float32))
    with pytest.raises(DataError, match=r"^wide.npz: expected 2 features an image as in made.npz"):
        measure_gap((a, b), (first, wide))
    with pytest.raises(DataError, match=r"^set0: no image has the label 'colour' to match by$"):
        measure_gap((a, b), (first, second), ["colour"])
    few = dataset(Path("few"), list(a.records[:3]))
    with pytest.raises(DataError, match="few: expected at least 4 images to compare, got 3"):
        measure_gap((few, b), (first, second))
    buses = dataset(Path("buses"), [record(i, 0.0, "bus") for i in range(8)])
    with pytest.raises(DataError, match="no image of one is like one of the other in type"):
        measure_gap((buses, b), (first, second), ["type"])


def test_labels_in_words() -> None:
    assert words(None) == "not known"
    assert words(Column("type", ("suv", "van", "suv", "bus", "mpv", None))) == (
        "suv 40 %, bus 20 %, mpv 20 %, 1 more"
    )
    assert words(Column("x", tuple(float(v) for v in range(11)))) == "5 (1 to 9)"


def test_labels_of_both_or_of_one(tmp_path: Path) -> None:
    first = dataset(tmp_path, [record(0, 0, "suv"), record(1, 90, "van")])
    second = dataset(tmp_path, [record(0, type="suv"), record(1, type="suv")])
    pairs = {pair.name: pair for pair in label_pairs(first, second)}
    assert pairs["type"].difference == 0.5
    assert pairs["side seen"].difference is None
    assert pairs["side seen"].summary()["first"] == {
        "known": 2, "shares": {"front": 0.5, "left": 0.5},
    }  # fmt: skip
    assert pairs["side seen"].summary()["second"] is None
    assert pairs["elevation, degrees"].summary()["first"]["quantiles"][0.5] == 10


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A data set and a plain folder of pictures, with feature files beside them."""
    rng = np.random.default_rng(12)
    for name, shift in (("a", 0.0), ("b", 5.0)):
        records = [record(i, 36.0 * i, "suv", "red") for i in range(10)]
        (tmp_path / name / "images").mkdir(parents=True)
        for r in records:
            Image.new("RGB", (32, 24)).save(tmp_path / name / r.image)
        if name == "a":
            write_native(tmp_path / name, records, DatasetInfo(name=name))
        np.savez(
            tmp_path / f"{name}.npz",
            names=[Path(r.image).name for r in records],
            features=(rng.standard_normal((10, 4)) + shift).astype(np.float32),
        )
    return tmp_path / "a", tmp_path / "b"


def test_the_command(folders: tuple[Path, Path], tmp_path: Path) -> None:
    arguments = ["gap", *map(str, folders), "--features", str(tmp_path / "a.npz"),
                 str(tmp_path / "b.npz"), "--json", str(tmp_path / "new" / "gap.json"),
                 "--chart", str(tmp_path / "labels.png")]  # fmt: skip
    result = CliRunner().invoke(evaluate, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    summary = json.loads((tmp_path / "new" / "gap.json").read_text())
    first, second = (
        np.load(tmp_path / f"{n}.npz")["features"].astype(np.float64) for n in ("a", "b")
    )
    assert summary["frechet"] == pytest.approx(frechet_distance(first, second))
    assert f"{summary['frechet']:.4g}" in result.output
    assert "it shows a gap" in result.output
    assert f"A: {folders[0]}, 10 images\nB: {folders[1]}, 10 images\n4 features" in result.output
    side = next(line for line in result.output.splitlines() if line.startswith("side seen"))
    assert "not known" in side and side.endswith("–")  # noqa: RUF001
    with Image.open(tmp_path / "labels.png") as chart:
        assert chart.width > 1000


def test_network_or_features_but_not_both(folders: tuple[Path, Path], tmp_path: Path) -> None:
    files = ["--features", str(tmp_path / "a.npz"), str(tmp_path / "b.npz")]
    for more in ([], ["--network", "random", *files]):
        with pytest.raises(UserError, match="expected either --network or --features, one of both"):
            CliRunner().invoke(evaluate, ["gap", *map(str, folders), *more], catch_exceptions=False)


def test_features_are_made_by_the_predict_command(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    from evaluate.gap.network import network_features

    calls = []

    def run(line: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        calls.append(line)
        np.savez(
            line[line.index("--output") + 1], names=["1.png"], features=np.ones((1, 2), np.float32)
        )
        return subprocess.CompletedProcess(line, len(calls) - 1)

    monkeypatch.setattr(subprocess, "run", run)
    found = network_features("w.pt", "resnet18", folders[0], "native", ("train",), ("pamtri",))
    assert found.features.tolist() == [[1.0, 1.0]]
    output = calls[0].pop(calls[0].index("--output") + 1)
    assert calls[0] == [
        *("pamtri", "predict", "features", "w.pt", str(folders[0]), "--output"),
        *("--backbone", "resnet18", "--format", "native", "--split", "train"),
    ]
    assert not Path(output).exists()
    with pytest.raises(UserError, match="a: no features could be made of its images with random"):
        network_features("random", None, folders[0], None, (), ("pamtri",))
