"""Image to track, random galleries, submissions, one camera, re-ranked searches."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from evaluate.reid import score_reid
from evaluate.reid_repeats import score_repeats
from evaluate.reid_search import Search, pooled
from evaluate.reid_tracks import score_tracks
from evaluate.submission import write_submission
from evaluate.text import reid_text, repeats_text
from pamtri.cli import cli
from pamtri.dataset import Dataset, DatasetInfo, write_native
from pamtri.errors import DataError
from pamtri.features import Features
from pamtri.record import Record
from pamtri.rerank import Reranked, expand_queries


def made(*rows: tuple[str, str, int | None, int | None, list[float]]) -> tuple[Features, Dataset]:
    """Rows are (image, split, identity, camera, feature)."""
    records = tuple(
        Record(image=image, domain="real", split=split, identity=identity, camera=camera)
        for image, split, identity, camera, _ in rows
    )
    features = np.array([row[-1] for row in rows], np.float32)
    names = tuple(Path(row[0]).name for row in rows)
    splits = tuple(dict.fromkeys(row[1] for row in rows))
    dataset = Dataset(Path("set"), records, DatasetInfo(name="set", splits=splits))
    return Features(Path("f.npz"), names, features), dataset


TRACKS = made(
    ("q/q.jpg", "query", 1, 1, [0.0]),
    ("g/a.jpg", "gallery", 1, 1, [0.1]),  # the query's camera: its track is left out
    ("g/b.jpg", "gallery", 2, 1, [1.0]),
    ("g/c.jpg", "gallery", 1, 2, [2.0]),
    ("g/d.jpg", "gallery", 2, 1, [9.0]),
    ("g/e.jpg", "gallery", 1, 2, [2.2]),
    ("g/f.jpg", "gallery", 2, 2, [2.1]),
    ("g/h.jpg", "gallery", 1, 3, [5.0]),
)


def test_image_to_track_by_hand() -> None:
    """Tracks a | b d | c e | f | h; nearest images at 1.0, 2.0, 2.1, 5.0 once a's is left out."""
    scores = score_tracks(*TRACKS)
    summary = scores.summary()
    assert [r.image for r in scores.gallery] == [f"g/{n}.jpg" for n in "abcfh"]
    assert [m.tolist() for m in scores.ranking.ranks] == [[2, 4]]
    assert summary["mAP"] == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert (summary["gallery"], summary["gallery_of"]) == (5, "tracks")
    assert summary["removed_per_query"] == 1
    assert reid_text(summary).splitlines()[0] == "1 query in a gallery of 5 tracks; 1 identity"


def test_pooled_tracks_by_hand() -> None:
    """b and d are 5.0 together, c and e 2.1; f at 2.1 ties and goes first, h at 5.0 likewise."""
    scores = score_tracks(*TRACKS, pool=True)
    assert [m.tolist() for m in scores.ranking.ranks] == [[2, 4]]
    assert scores.summary()["gallery_of"] == "pooled tracks"


def test_pooled_features_keep_their_length() -> None:
    features = np.array([[1, 0], [0, 1], [0, 3]], np.float32)
    np.testing.assert_allclose(pooled(features, np.array([0, 2])), [[0.5**0.5] * 2, [0, 3]])


def test_tracks_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "test_track.txt"
    path.write_text("h.jpg\n\nb.jpg d.jpg\nc.jpg\n")
    scores = score_tracks(*TRACKS, path)
    assert [r.image for r in scores.gallery] == ["g/h.jpg", "g/b.jpg", "g/c.jpg"]
    assert [m.tolist() for m in scores.ranking.ranks] == [[2, 3]]  # b, c, h
    for text, message in [
        ("c.jpg x.jpg\n", "line 1: x.jpg is no gallery image, or in a track already"),
        ("c.jpg\nc.jpg\n", "line 2: c.jpg is no gallery image, or in a track already"),
        ("c.jpg h.jpg\n", "line 1: expected images of one vehicle and camera, got several"),
        ("\n", "test_track.txt: holds no track"),
    ]:
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            score_tracks(*TRACKS, path)


def test_tracks_of_veri_have_names(tmp_path: Path) -> None:
    """Each line of its file begins with vehicle, camera and time, and ends in a blank."""
    rows = [
        ("q/0002_c002_00030600_0.jpg", "query", 2, 2, [0.0]),
        ("g/0002_c002_00030605_1.jpg", "gallery", 2, 2, [0.0]),
        ("g/0002_c003_00084280_0.jpg", "gallery", 2, 3, [3.0]),
        ("g/0002_c003_00084285_0.jpg", "gallery", 2, 3, [2.0]),
        ("g/0005_c003_00084415_0.jpg", "gallery", 5, 3, [1.0]),
        ("g/0005_c004_00077645_0.jpg", "gallery", 5, 4, [2.5]),
    ]
    path = tmp_path / "test_track.txt"
    lines = {
        "0002_c002_t0030605": "0002_c002_00030605_1.jpg ",
        "0002_c003_t0084280": "0002_c003_00084280_0.jpg 0002_c003_00084285_0.jpg ",
        "0005_c003_t0084415": "0005_c003_00084415_0.jpg ",
        "0005_c004_00077645_0.jpg": "0005_c004_00077645_0.jpg",  # one of its images names it
    }
    path.write_text("".join(f"{name} {images}\r\n" for name, images in lines.items()))
    scores = score_tracks(*made(*rows), path)
    assert len(scores.gallery) == 4
    assert [m.tolist() for m in scores.ranking.ranks] == [[2]]
    path.write_text("0002_c003_00084281_0.jpg 0002_c003_00084280_0.jpg\n")
    with pytest.raises(DataError, match=r"line 1: 0002_c003_00084281_0.jpg is no gallery image"):
        score_tracks(*made(*rows), path)


def test_tracks_need_cameras_and_a_gallery() -> None:
    lost = made(("q.jpg", "query", 1, 1, [0.0]), ("g.jpg", "gallery", 1, None, [0.1]))
    with pytest.raises(DataError, match=r"g.jpg: has no camera, by which images make tracks"):
        score_tracks(*lost)
    alone = made(("a.jpg", "test", 1, 1, [0.0]), ("b.jpg", "test", 1, 2, [0.1]))
    with pytest.raises(DataError, match="expected a query and a gallery split"):
        score_tracks(*alone)


def test_one_camera_leaves_nothing_out_and_says_so() -> None:
    summary = score_reid(*made(
        ("q.jpg", "query", 1, 7, [0.0]),
        ("a.jpg", "gallery", 2, 7, [1.0]),
        ("b.jpg", "gallery", 1, 7, [2.0]),
    )).summary()  # fmt: skip
    assert (summary["mAP"], summary["removed_per_query"]) == (0.5, 0.0)
    assert summary["single_camera"] is True
    assert "all images are of one camera: nothing is left out for it" in reid_text(summary)
    two = score_reid(*TRACKS).summary()
    assert two["single_camera"] is False
    assert "one camera" not in reid_text(two)


def test_no_query_has_a_match() -> None:
    elsewhere = made(("q.jpg", "query", 1, 1, [0.0]), ("g.jpg", "gallery", 2, 2, [1.0]))
    with pytest.raises(
        DataError, match=r"set: none of the 1 queries has a match: .* none is there"
    ):
        score_reid(*elsewhere)
    removed = made(
        ("q.jpg", "query", 1, 1, [0.0]),
        ("g.jpg", "gallery", 1, 1, [1.0]),
        ("h.jpg", "gallery", 2, 2, [1.0]),
    )
    with pytest.raises(DataError, match="each is by its query's own camera, or the query itself"):
        score_reid(*removed)


def many(seed: int, splits: tuple[str, str] = ("query", "gallery")) -> tuple[Features, Dataset]:
    """120 images of 15 vehicles: 30 of the first split, 90 of the second; names are numbers."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(15, 6))
    rows = []
    for n in range(120):
        identity = int(rng.integers(15))
        split = splits[n >= 30]
        feature = (centres[identity] + rng.normal(size=6)).tolist()
        rows.append((f"{split}/{n:06d}.jpg", split, identity, int(rng.integers(4)), feature))
    return made(*rows)


def test_first_hundred_only() -> None:
    """A gallery of 150 wrong images between the two right ones: the second is not found."""
    rows: list[Any] = [("q.jpg", "query", 1, 1, [0.0]), ("a.jpg", "gallery", 1, 2, [1.0])]
    rows += [(f"w{n}.jpg", "gallery", 2, 2, [2.0 + n]) for n in range(150)]
    rows += [("z.jpg", "gallery", 1, 2, [900.0])]
    summary = score_reid(*made(*rows)).summary()
    assert summary["mAP_first_100"] == pytest.approx(1 / 2)
    assert summary["mAP"] == pytest.approx((1 + 2 / 152) / 2)
    assert "mAP of the first 100" in reid_text(summary)


@pytest.mark.parametrize("search", [Search(rerank=True), Search(expand=3), Search(3, True)])
def test_searches_do_what_they_say(search: Search) -> None:
    features, dataset = many(1)
    query, gallery = features.features[:30], features.features[30:]
    wider = expand_queries(query, gallery, 3) if search.expand else query
    expected: Any = ((wider[:, None].astype(float) - gallery) ** 2).sum(axis=2)
    if search.rerank:
        expected = Reranked(wider, gallery).rows(0, 30)[0]
    scores = score_reid(features, dataset, search=search)
    identities = np.array([r.identity for r in dataset])
    cameras = np.array([r.camera for r in dataset])
    for row, right in enumerate(scores.ranking.ranks):
        same = identities[30:] == identities[row]
        kept = ~(same & (cameras[30:] == cameras[row]))
        order = np.argsort(np.where(kept, expected[row], np.inf), kind="stable")[: kept.sum()]
        assert (np.flatnonzero(same[order]) + 1).tolist() == right.tolist()
    assert search.words == scores.summary()["search"]
    plain = score_reid(features, dataset).ranking.ranks
    assert any(a.tolist() != b.tolist() for a, b in zip(plain, scores.ranking.ranks, strict=True))


def test_random_galleries_against_a_slow_loop() -> None:
    features, dataset = many(2, ("test", "test"))
    scores = score_repeats(features, dataset, repeats=4, seed=5)
    ids = np.array([r.identity for r in dataset])
    seen = set()
    for ranking in scores.rankings:
        assert len(ranking.matches) == 120 - 15 == scores.queries
        assert all(len(rows) == 1 for rows in ranking.matches)
        seen.add(str(ranking.average_precision.tolist()))
    assert len(seen) == 4  # galleries differ from draw to draw
    firsts = []
    for repeat in range(4):
        rng = np.random.default_rng([5, repeat])
        kinds = list(dict.fromkeys(ids.tolist()))
        gallery = [int(rng.choice(np.flatnonzero(ids == kind).tolist())) for kind in kinds]
        for row in sorted(set(range(120)) - set(gallery)):
            off = ((features.features[gallery].astype(float) - features.features[row]) ** 2).sum(1)
            firsts.append(int((off <= off[kinds.index(ids[row])]).sum()))
    summary = scores.summary()
    assert summary["mAP"] == pytest.approx(np.mean([1 / f for f in firsts]))
    assert summary["rank1"] == pytest.approx(np.mean([f <= 1 for f in firsts]))
    assert summary["cmc"][4] == pytest.approx(np.mean([f <= 5 for f in firsts]))
    assert summary["rank1_std"] > 0
    text = repeats_text(summary).splitlines()
    assert text[0] == ("4 galleries of one image drawn for each of 15 vehicles, 105 queries each")
    assert "±" in text[1]


def test_random_galleries_need_two_images_of_a_vehicle() -> None:
    with pytest.raises(DataError, match="none of its 2 images is a query"):
        score_repeats(*made(("a.jpg", "t", 1, 1, [0.0]), ("b.jpg", "t", 2, 1, [1.0])))


def test_submission_lists_numbers_by_distance(tmp_path: Path) -> None:
    features, dataset = many(3)
    path = tmp_path / "out" / "track2.txt"
    assert write_submission(path, features, dataset) == 30
    lines = [[int(word) for word in line.split(" ")] for line in path.read_text().splitlines()]
    true = ((features.features[:30, None].astype(float) - features.features[30:]) ** 2).sum(axis=2)
    assert [line[:10] for line in lines] == (30 + np.argsort(true, axis=1)[:, :10]).tolist()
    assert {len(line) for line in lines} == {90}
    with pytest.raises(DataError, match=r"gallery image a.jpg is no number"):
        write_submission(path, *TRACKS)


def run(tmp_path: Path, case: tuple[Features, Dataset], *options: str) -> Result:
    features, dataset = case
    write_native(tmp_path / "data", dataset.records, dataset.info)
    np.savez(tmp_path / "f.npz", names=np.array(features.names), features=features.features)
    line = ["evaluate", "reid", str(tmp_path / "f.npz"), str(tmp_path / "data"), *options]
    return CliRunner().invoke(cli, line)


def test_command_knows_the_protocols(tmp_path: Path) -> None:
    case = many(4)
    target = ["--json", str(tmp_path / "r.json")]
    result = run(tmp_path, case, "--tracks", "--rerank", *target)
    assert "tracks; 12 identities; k-reciprocal re-ranking" in result.output, result.output
    assert json.loads((tmp_path / "r.json").read_text())["gallery_of"] == "tracks"
    result = run(tmp_path, case, "--draws", "2", "--expand", "2", *target)
    assert "queries expanded by their 2 nearest" in result.output, result.output
    assert json.loads((tmp_path / "r.json").read_text())["draws"] == 2
    result = run(tmp_path, case, "--draws", "2", "--tracks")
    assert "--tracks and --draws do not go together" in result.output


def test_command_writes_a_submission_without_labels(tmp_path: Path) -> None:
    features, dataset = many(5)
    records = tuple(r.model_copy(update={"identity": None}) for r in dataset.records)
    lost = features, Dataset(dataset.root, records, dataset.info)
    path = tmp_path / "track2.txt"
    result = run(tmp_path, lost, "--submission", str(path))
    assert result.output.splitlines() == [
        f"{path}: the first 100 for each of 30 queries",
        "no query has an identity: nothing is scored",
    ]
    assert len(path.read_text().splitlines()) == 30
