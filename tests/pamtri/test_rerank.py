"""Re-ranking against a slow computation with sets, query expansion against a case by hand."""

import numpy as np
import pytest

from pamtri import distances, neighbours, rerank
from pamtri.errors import DataError
from pamtri.ranking import rank_distances
from pamtri.rerank import Reranked, expand_queries

Array = np.ndarray


def slow_reranked(pool: Array, queries: list[int], gallery: list[int], k1: int, k2: int,
                  original: float) -> Array:  # fmt: skip
    """k-reciprocal encoding as in the paper's equations 1 to 12, image by image."""
    count = len(pool)
    true = np.array([[((a - b) ** 2).sum() for b in pool] for a in pool])
    true = true / true.max(axis=1, keepdims=True)
    order = np.argsort(true, axis=1, kind="stable")

    def mutual(i: int, k: int) -> set[int]:
        return {int(j) for j in order[i, : k + 1] if i in order[j, : k + 1]}

    codes = np.zeros((count, count))
    for i in range(count):
        near = mutual(i, k1)
        wide = set(near)
        for j in near:
            own = mutual(j, round(k1 / 2))
            if len(own & near) > 2 / 3 * len(own):
                wide |= own
        for j in wide:
            codes[i, j] = np.exp(-true[i, j])
        codes[i] /= codes[i].sum()
    codes = np.array([codes[order[i, :k2]].mean(axis=0) for i in range(count)])
    result = np.zeros((len(queries), len(gallery)))
    for a, q in enumerate(queries):
        for b, g in enumerate(gallery):
            low = np.minimum(codes[q], codes[g]).sum()
            high = np.maximum(codes[q], codes[g]).sum()
            result[a, b] = (1 - original) * (1 - low / high) + original * true[q, g]
    return result


def clustered(seed: int, count: int) -> Array:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(7, 6))
    return centres[rng.integers(0, 7, count)] + 0.7 * rng.normal(size=(count, 6))


@pytest.mark.parametrize(("k1", "k2"), [(20, 6), (7, 3), (5, 1), (200, 6)])
def test_equals_the_slow_way(k1: int, k2: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK_VALUES", 90 * 11)
    monkeypatch.setattr(rerank, "_CHUNK_VALUES", 6 * 9)
    if k1 == 7:
        monkeypatch.setattr(rerank, "_KEPT_VALUES", 0)  # distances are computed twice
    pool = clustered(k1, 90)
    result = Reranked(pool[:15], pool[15:], k1, k2, 0.3)
    expected = slow_reranked(pool, list(range(15)), list(range(15, 90)), k1, k2, 0.3)
    assert result.shape == expected.shape
    rows = np.concatenate([result.rows(0, 4)[0], result.rows(4, 15)[0]])
    np.testing.assert_allclose(rows, expected, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 4, 60, 130, 200])
def test_nearest_of_all_in_blocks(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers, so that distances are exact and equal ones abound."""
    monkeypatch.setattr(neighbours, "_BLOCK_VALUES", 200 * rows)
    pool = np.random.default_rng(rows).integers(0, 6, (200, 3)).astype(np.float32)
    pool[50:90] = pool[50]  # more of one kind than are sought
    true = ((pool[:, None] - pool) ** 2).sum(axis=2)
    found, farthest = neighbours.nearest_of_all(pool, 7)
    expected = np.argsort(true, axis=1, kind="stable")[:, :7]
    np.testing.assert_array_equal(found.rows, expected)
    np.testing.assert_array_equal(found.distances, np.take_along_axis(true, expected, axis=1))
    np.testing.assert_array_equal(farthest, true.max(axis=1))
    same = neighbours.nearest_of_all(np.ones((200, 2), np.float32), 7)[0].rows
    assert (same == np.arange(7)).all()


def test_queries_that_are_the_gallery_count_once() -> None:
    pool = clustered(1, 40)
    everyone = list(range(40))
    expected = slow_reranked(pool, everyone, everyone, 8, 3, 0.5)
    result = Reranked(pool, pool, 8, 3, 0.5, same=True)
    np.testing.assert_allclose(result.rows(0, 40)[0], expected, atol=1e-6)


def test_images_that_are_all_alike_and_two_lone_images() -> None:
    alike = np.ones((9, 4))
    values, slack = Reranked(alike[:2], alike[2:], 4, 2).rows(0, 2)
    assert np.isfinite(values).all() and (slack > 0).all()
    lone = Reranked([[0.0]], [[3.0]], 20, 6, 0.3).rows(0, 1)[0]
    np.testing.assert_allclose(lone, slow_reranked(np.array([[0.0], [3.0]]), [0], [1], 20, 6, 0.3))


def test_a_chain_is_found_that_plain_distance_misses() -> None:
    """Right images lie along a line from the query, a wrong cloud nearer than its end."""
    line = np.stack([np.linspace(0, 4, 21), np.zeros(21)], axis=1)
    cloud = np.array([0.0, 2.5]) + 0.1 * np.random.default_rng(0).normal(size=(20, 2))
    query, gallery = line[:1], np.concatenate([line[1:], cloud])
    ids = np.repeat([1, 2], 20)
    plain = rank_distances(distances.FeatureDistances(query, gallery), [1], ids)
    better = rank_distances(Reranked(query, gallery, 8, 3, 0.1), [1], ids)
    assert better.wrong_before[0].sum() < plain.wrong_before[0].sum() - 10


def test_galleries_of_another_width() -> None:
    with pytest.raises(DataError, match="query features have 2 numbers, gallery features 3"):
        Reranked(np.zeros((4, 2)), np.zeros((4, 3)))


def test_expanded_queries_by_hand() -> None:
    query = [[2.0, 0.0]]
    gallery = [[1.0, 1.0], [0.0, -9.0], [3.0, 0.0], [-8.0, 0.0]]
    # Nearest are rows 2 (cosine 1) and 0 (cosine 0.7071, squared 0.5).
    mean = np.array([2 + 3 + 0.5, 0.5]) / 2.5
    expected = [2 * mean / np.linalg.norm(mean)]
    np.testing.assert_allclose(expand_queries(query, gallery, 2, power=2.0), expected, rtol=1e-6)


def test_expansion_by_more_images_than_there_are_or_opposite_ones() -> None:
    expanded = expand_queries([[1.0, 0.0]], [[-1.0, 0.0]], 10)
    np.testing.assert_allclose(expanded, [[1.0, 0.0]])
