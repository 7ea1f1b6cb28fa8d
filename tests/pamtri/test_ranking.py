"""Ranking metrics against a ranking worked by hand and against a slow loop."""

import tracemalloc

import numpy as np
import pytest

from pamtri import distances
from pamtri.errors import DataError
from pamtri.ranking import UNKNOWN, rank_metrics


def test_six_rows_worked_by_hand() -> None:
    """Query: identity 1, camera 1, at 0. Gallery on a line:

    distance  identity  camera
       1         1        1      same identity, same camera: left out
       2         2        1      rank 1, wrong
       3         1        2      rank 2, right: precision 1/2
       4         2        2      rank 3, wrong
       5         1        3      rank 4, right: precision 2/4
       6         3        2      rank 5, wrong
    """
    ranking = rank_metrics(
        [[0.0]], [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]],
        [1], [1, 2, 1, 2, 1, 3], [1], [1, 1, 2, 2, 3, 2], top=8,
    )  # fmt: skip
    assert ranking.mean_average_precision == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert ranking.mean_inverse_negative_penalty == pytest.approx(2 / 4)
    assert ranking.cmc(4) == [0.0, 1.0, 1.0, 1.0]
    assert ranking.top.tolist() == [[1, 2, 3, 4, 5, -1, -1, -1]]
    assert ranking.removed.tolist() == [1]
    assert ranking.unmatched == 0
    assert [m.tolist() for m in ranking.matches] == [[2, 4]]
    assert [w.tolist() for w in ranking.wrong_before] == [[1, 2]]
    assert ranking.average_precision_within(3).tolist() == [(1 / 2) / 2]
    assert ranking.average_precision_within(1).tolist() == [0.0]
    assert ranking.average_precision_at_r.tolist() == [(1 / 2) / 2]  # R = 2: rank 4 is too late
    alone = ranking.only([np.array([False, True])])  # as if row 2 were not there: rank 3 of 4
    assert alone.average_precision.tolist() == [1 / 3]
    assert ranking.only([np.array([False, False])]).unmatched == 1


def test_a_perfect_short_list_has_precision_one() -> None:
    ranking = rank_metrics([[0.0]], [[1.0], [2.0], [3.0]], [1], [1, 1, 1])
    assert ranking.average_precision_within(2).tolist() == [1.0]


def test_without_cameras_nothing_is_left_out() -> None:
    ranking = rank_metrics([[0.0]], [[1.0], [2.0], [3.0]], [1], [1, 2, 1])
    assert ranking.mean_average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert ranking.removed.tolist() == [0]


def test_unknown_cameras_equal_no_other() -> None:
    ranking = rank_metrics([[0.0]], [[1.0]], [1], [1], [UNKNOWN], [UNKNOWN])
    assert ranking.cmc(1) == [1.0]


def test_leave_one_out_drops_the_query_itself_only() -> None:
    features, names = [[0.0], [0.0], [5.0]], ["a.jpg", "b.jpg", "c.jpg"]
    ranking = rank_metrics(features, features, [1, 1, 2], [1, 1, 2],
                           query_names=names, gallery_names=names)  # fmt: skip
    assert ranking.top[:2, :2].tolist() == [[1, 2], [0, 2]]
    assert ranking.removed.tolist() == [1, 1, 1]
    assert ranking.average_precision[:2].tolist() == [1.0, 1.0]
    assert ranking.unmatched == 1
    assert ranking.mean_average_precision == 1.0


def test_queries_without_match_are_counted_and_not_scored() -> None:
    ranking = rank_metrics([[0.0], [0.0]], [[1.0], [2.0]], [1, 9], [2, 1])
    assert ranking.unmatched == 1
    assert ranking.mean_average_precision == 0.5
    alone = rank_metrics([[0.0]], [[1.0]], [1], [2])
    assert (alone.mean_average_precision, alone.mean_inverse_negative_penalty) == (None, None)
    assert alone.cmc() == []


def test_ties_count_against_the_ranking_whatever_the_order() -> None:
    for ids in ([1, 2, 2], [2, 1, 2], [2, 2, 1]):
        ranking = rank_metrics([[7.0, 7.0]], [[7.0, 7.0]] * 3, [1], ids)
        assert ranking.mean_average_precision == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(4))
def test_ties_are_ties_in_spite_of_rounding(seed: int) -> None:
    """A matrix product may round the same vector differently from column to column."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(3, 2048)).astype(np.float32)
    queries = rng.normal(size=(100, 2048)).astype(np.float32)
    which = rng.integers(0, 3, 1001)
    ids = rng.integers(0, 2, 1001)
    ranking = rank_metrics(queries, vectors[which], np.ones(100), ids, top=1001)
    for row, query in enumerate(queries.astype(float)):
        order = np.lexsort((ids, ((vectors - query) ** 2).sum(axis=1)[which]))
        assert ranking.ranks[row].tolist() == (np.flatnonzero(ids[order]) + 1).tolist()
        assert ids[ranking.top[row]].tolist() == ids[order].tolist()


def test_features_far_from_the_origin_keep_their_order() -> None:
    gallery = 1e6 + np.arange(1, 7, dtype=float)[:, None] * np.ones((1, 8))
    ranking = rank_metrics(np.full((1, 8), 1e6), gallery, [1], [1, 2, 3, 4, 5, 6], top=6)
    assert ranking.top.tolist() == [[0, 1, 2, 3, 4, 5]]


def slow_metrics(case: dict[str, np.ndarray]) -> tuple[list[float], list[float], list[float]]:
    """The same three numbers per query with loops and float64."""
    precisions, penalties, firsts = [], [], []
    for q, feature in enumerate(case["query_features"]):
        rows = []
        for g, other in enumerate(case["gallery_features"]):
            same = case["gallery_ids"][g] == case["query_ids"][q]
            if same and case["gallery_cameras"][g] == case["query_cameras"][q]:
                continue
            rows.append((float(((feature - other) ** 2).sum()), bool(same)))
        rows.sort()
        hits = [rank for rank, (_, same) in enumerate(rows, start=1) if same]
        if not hits:
            precisions.append(np.nan), penalties.append(np.nan), firsts.append(np.nan)
            continue
        precisions.append(sum((i + 1) / rank for i, rank in enumerate(hits)) / len(hits))
        penalties.append(len(hits) / hits[-1])
        firsts.append(hits[0])
    return precisions, penalties, firsts


@pytest.mark.parametrize("seed", range(6))
def test_equals_a_slow_loop(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "_BLOCK_VALUES", 60 * 70)  # blocks of 70 queries
    monkeypatch.setattr(distances, "_CHUNK_VALUES", 5 * 13)  # chunks of 13 gallery rows
    rng = np.random.default_rng(seed)
    case = {
        "query_features": rng.normal(size=(300, 5)),
        "gallery_features": rng.normal(size=(60, 5)),
        "query_ids": rng.integers(0, 12, 300),
        "gallery_ids": rng.integers(0, 11, 60),
        "query_cameras": rng.integers(0, 3, 300),
        "gallery_cameras": rng.integers(0, 3, 60),
    }
    ranking = rank_metrics(**case)
    precisions, penalties, firsts = slow_metrics(case)
    at_r = [
        ranking.average_precision_within(len(hits))[i] if len(hits) else np.nan
        for i, hits in enumerate(ranking.matches)
    ]
    np.testing.assert_allclose(ranking.average_precision_at_r, at_r)
    np.testing.assert_allclose(ranking.average_precision, precisions)
    np.testing.assert_allclose(ranking.inverse_negative_penalty, penalties)
    np.testing.assert_allclose(ranking.first_match, firsts)
    scored = [f for f in firsts if not np.isnan(f)]
    assert ranking.cmc(10) == [sum(f <= r for f in scored) / len(scored) for r in range(1, 11)]
    assert ranking.unmatched == len(firsts) - len(scored) > 0


def test_memory_holds_a_block_and_not_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "_BLOCK_VALUES", 2**19)
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(800, 4)), rng.normal(size=(20_000, 4))
    ids = np.arange(20_000) // 4
    tracemalloc.start()
    try:
        rank_metrics(query, gallery, ids[:800], ids)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16e6  # all distances would be 64 MB


@pytest.mark.parametrize(
    ("query", "gallery", "message"),
    [
        (np.zeros((2, 5)), np.zeros((3, 7)), "query features have 5 numbers, gallery features 7"),
        (np.zeros((2, 5)), np.zeros(5), r"expected gallery .* \(n, d\), got float64 \(5,\)"),
        ([[0.0], [np.nan]], [[1.0]], r"query features of row 1 \(from 0\) are not finite"),
        ([[0.0]], [[np.inf], [-np.inf]], r"gallery features of row 0 \(from 0\) are not finite"),
    ],
)
def test_features_that_cannot_be_compared(query: object, gallery: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        rank_metrics(query, gallery, [1] * 2, [1] * 3)  # type: ignore[arg-type]
