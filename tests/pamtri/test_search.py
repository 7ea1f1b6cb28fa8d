"""Searching a gallery: order, what is left out, what is printed and drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pamtri.errors import DataError
from pamtri.features import Features, Labels
from pamtri.record import Record
from pamtri.search import check_network, match_table, nearest, row_of
from pamtri.search_picture import draw_matches, seen_part

NAMES = ("query.png", "far.png", "near.png", "also_near.png", "unnamed.png")
POINTS = [[0, 0], [30, 40], [3, 4], [5, 0], [6, 8]]
COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200)]
IDENTITIES = (7, 8, 7, 9, None)


@pytest.fixture
def gallery(tmp_path: Path) -> Features:
    """Five pictures of one colour each, on a line of which distances are known."""
    (tmp_path / "g").mkdir()
    records = []
    for name, colour, identity in zip(NAMES, COLOURS, IDENTITIES, strict=True):
        Image.new("RGB", (40, 30), colour).save(tmp_path / "g" / name)
        labels = {"colour": "blue", "type": "van", "box": (10, 5, 30, 25)} if identity else {}
        records.append(Record(image=name, domain="real", identity=identity, **labels))
    scores = np.full((5, 10), 0.02, np.float32)
    scores[:, 4] = 0.82  # red
    return Features(
        tmp_path / "gallery.npz",
        NAMES,
        np.array(POINTS, np.float32),
        colour_scores=scores,
        paths=tuple(tmp_path / "g" / name for name in NAMES),
        checkpoint="one",
        labels=Labels.of(records),
    )


def test_nearest_first_without_the_query_and_ties_in_order(gallery: Features) -> None:
    found = nearest(gallery, 0, gallery, 3)
    assert [(m.row, m.distance, m.right) for m in found] == [
        (2, 5.0, True),
        (3, 5.0, False),
        (4, 10.0, None),
    ]
    assert [m.row for m in nearest(gallery, 0, gallery, 99)] == [2, 3, 4, 1]


def test_blocks_of_a_large_gallery_are_put_together() -> None:
    rng = np.random.default_rng(3)
    many = Features(
        Path("many"),
        tuple(f"{i}.png" for i in range(5000)),
        rng.normal(size=(5000, 3)).astype(np.float32),
    )
    found = nearest(many, 4500, many, 5000)
    distances = [
        sum((float(a) - float(b)) ** 2 for a, b in zip(row, many.features[4500], strict=True))
        for row in many.features
    ]
    assert [m.row for m in found] == sorted(range(5000), key=distances.__getitem__)
    assert found[0].row == 4500  # no paths: nothing says that it is the query
    assert found[17].distance == pytest.approx(sorted(distances)[17] ** 0.5)


def test_another_copy_of_the_query_is_found(gallery: Features, tmp_path: Path) -> None:
    (tmp_path / "query.png").write_bytes((tmp_path / "g/query.png").read_bytes())
    assert row_of(gallery, tmp_path / "query.png") is None
    assert row_of(gallery, tmp_path / "g/../g/query.png") == 0
    copy = replace(gallery, paths=(tmp_path / "query.png", *(gallery.paths or ())[1:]))
    assert [m.row for m in nearest(copy, 0, gallery, 1)] == [0]


def test_table_says_what_is_known(gallery: Features) -> None:
    lines = match_table(gallery, 0, gallery, nearest(gallery, 0, gallery, 9)).splitlines()
    folder = str((gallery.paths or ())[0].parent)
    assert lines[0] == f"{folder}/query.png: identity 7, red 82% (labelled blue), van"
    assert [line.replace(folder + "/", "").split() for line in lines[1:]] == [
        ["rank", "distance", "identity", "colour", "type", "image"],
        ["1", "5.0000", "7", "right", "red", "82%", "(labelled", "blue)", "van", "near.png"],
        ["2", "5.0000", "9", "wrong", "red", "82%", "(labelled", "blue)", "van", "also_near.png"],
        ["3", "10.0000", "-", "red", "82%", "-", "unnamed.png"],
        ["4", "50.0000", "8", "wrong", "red", "82%", "(labelled", "blue)", "van", "far.png"],
    ]


def test_picture_shows_matches_in_order(gallery: Features, tmp_path: Path) -> None:
    found = nearest(gallery, 0, gallery, 9)
    draw_matches(tmp_path / "out/search.png", gallery, 0, gallery, found)
    pixels = np.asarray(Image.open(tmp_path / "out/search.png").convert("RGB")).astype(int)
    columns = []
    for row in (0, 2, 3, 4, 1):  # the query, then by distance
        at = np.argwhere(np.abs(pixels - COLOURS[row]).sum(axis=2) < 6)
        assert len(at) > 2000
        columns.append(at[:, 1].mean())
    assert columns == sorted(columns)


def test_heat_lies_over_its_place(gallery: Features, tmp_path: Path) -> None:
    plain = replace(gallery, labels=None)  # whole pictures, 40 x 30
    found = nearest(plain, 0, plain, 1)
    heat = np.zeros((2, 6, 8), np.float32)
    heat[1, :3, 4:] = 1  # the match's upper right quarter
    heat[0, 3:, :4] = 1  # the query's lower left quarter
    shown = {}
    for name, values in (("plain", None), ("hot", heat)):
        draw_matches(tmp_path / f"{name}.png", plain, 0, plain, found, values)
        image = Image.open(tmp_path / f"{name}.png").convert("RGB")
        shown[name] = np.asarray(image).astype(int)
    changed = np.abs(shown["hot"] - shown["plain"]).sum(axis=2) > 30
    for row, down, right in ((0, 1, 0), (found[0].row, 0, 1)):
        y, x = np.nonzero(np.abs(shown["plain"] - COLOURS[row]).sum(axis=2) < 6)
        top, left, height, width = y.min(), x.min(), np.ptp(y) + 1, np.ptp(x) + 1
        quarters = changed[top : top + height, left : left + width]
        for i in (0, 1):
            for j in (0, 1):
                part = quarters[i * height // 2 :, j * width // 2 :][: height // 3, : width // 3]
                assert part[height // 10 :, width // 10 :].mean() == float((i, j) == (down, right))


def test_the_box_is_shown_where_it_is_known(gallery: Features) -> None:
    assert seen_part(gallery, 0).shape == (20, 20, 3)
    assert seen_part(gallery, 4).shape == (30, 40, 3)


def test_features_that_do_not_compare_are_refused(gallery: Features) -> None:
    other = replace(gallery, path=Path("best.pt"), features=np.zeros((5, 3), np.float32))
    with pytest.raises(DataError, match=r"gallery.npz: holds .* of 2 values, and best.pt gives 3"):
        nearest(other, 0, gallery, 1)
    with pytest.raises(DataError, match=r"gallery.npz: .* of another network than best.pt"):
        check_network(gallery, Path("best.pt"), "two")
    with pytest.raises(DataError, match=r"gallery.npz: expected images to find, got none but"):
        assert gallery.paths is not None
        alone = replace(
            gallery, names=NAMES[:1], features=gallery.features[:1], paths=gallery.paths[:1]
        )
        nearest(alone, 0, alone, 1)
    check_network(gallery, Path("best.pt"), "one")
    check_network(replace(gallery, checkpoint=None), Path("best.pt"), "two")
