from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri.errors import DataError
from train.mixing import IdentityPlan, ImagePlan, synthetic_until

ratios = st.floats(0, 1)


@settings(max_examples=60)
@given(ratio=ratios, batch=st.integers(1, 40), seed=st.integers(0, 5))
def test_every_batch_and_every_prefix_have_the_ratio(ratio: float, batch: int, seed: int) -> None:
    plan = ImagePlan({"real": 7, "synthetic": 11}, batch, ratio, seed)
    synthetic = 0
    for step in range(12):
        draws = plan.batch(step)
        assert len(draws) == batch
        here = sum(d.source == "synthetic" for d in draws)
        assert abs(here - ratio * batch) < 1 + 1e-9
        synthetic += here
        assert abs(synthetic - ratio * batch * (step + 1)) <= 0.5 + 1e-9
        assert synthetic == synthetic_until(step + 1, batch, ratio)


def test_whole_shares_are_the_same_in_every_batch() -> None:
    plan = ImagePlan({"real": 7, "synthetic": 11}, 32, 0.25, 0)
    assert {sum(d.source == "synthetic" for d in plan.batch(s)) for s in range(50)} == {8}


def test_no_image_comes_again_before_all_have_come() -> None:
    plan = ImagePlan({"real": 10, "synthetic": 6}, 4, 0.5, 0)
    real = [d.index for s in range(50) for d in plan.batch(s) if d.source == "real"]
    cycles = [real[i : i + 10] for i in range(0, 100, 10)]
    assert all(sorted(cycle) == list(range(10)) for cycle in cycles)
    assert len({tuple(cycle) for cycle in cycles}) == 10


def test_a_step_can_be_asked_for_in_any_order() -> None:
    sizes = {"real": 10, "synthetic": 6}
    forward = [ImagePlan(sizes, 5, 0.3, 0).batch(s) for s in range(20)]
    plan = ImagePlan(sizes, 5, 0.3, 0)
    assert [plan.batch(s) for s in reversed(range(20))] == forward[::-1]
    assert [ImagePlan(sizes, 5, 0.3, 1).batch(s) for s in range(20)] != forward


@pytest.mark.parametrize(("ratio", "source"), [(0.0, "real"), (1.0, "synthetic")])
def test_a_pure_ratio_draws_from_one_source(ratio: float, source: str) -> None:
    plan = ImagePlan({source: 3}, 4, ratio, 0)
    assert {d.source for s in range(5) for d in plan.batch(s)} == {source}


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(DataError, match=r"^data.synthetic: has no usable image$"):
        ImagePlan({"real": 3}, 4, 0.5, 0)


def groups(sizes: list[int]) -> list[list[int]]:
    edges = np.cumsum([0, *sizes])
    return [list(range(a, b)) for a, b in itertools.pairwise(edges)]


def identity_of(groups: list[list[int]], image: int) -> int:
    return next(i for i, g in enumerate(groups) if image in g)


@settings(max_examples=40)
@given(
    ratio=ratios,
    p=st.integers(2, 6),
    k=st.integers(2, 5),
    sizes=st.lists(st.integers(1, 7), min_size=6, max_size=9),
)
def test_identity_batches(ratio: float, p: int, k: int, sizes: list[int]) -> None:
    identities = {"real": groups(sizes), "synthetic": groups(sizes[::-1])}
    plan = IdentityPlan(identities, p, k, ratio, 0)
    drawn: dict[str, Counter[int]] = {"real": Counter(), "synthetic": Counter()}
    synthetic = 0
    for step in range(15):
        draws = plan.batch(step)
        assert len(draws) == p * k
        chosen = []
        for start in range(0, p * k, k):
            group = draws[start : start + k]
            source = group[0].source
            (identity,) = {identity_of(identities[source], d.index) for d in group}
            assert {d.source for d in group} == {source}
            # As many different images as there can be, repeated as evenly as can be.
            counts = Counter(d.index for d in group)
            there = len(identities[source][identity])
            assert len(counts) == min(k, there)
            assert max(counts.values()) - min(counts.values()) <= 1
            chosen.append((source, identity))
            drawn[source][identity] += 1
        assert len(set(chosen)) == p
        synthetic += sum(source == "synthetic" for source, _ in chosen)
        assert abs(synthetic - ratio * p * (step + 1)) <= 0.5 + 1e-9
    for source, counts in drawn.items():
        times = [counts[i] for i in range(len(identities[source]))]
        assert max(times) - min(times) <= 1


def test_identity_batches_do_not_depend_on_what_was_asked_before() -> None:
    def plan() -> IdentityPlan:
        return IdentityPlan({"real": groups([3] * 9), "synthetic": groups([4] * 7)}, 6, 2, 0.5, 3)

    forward = [plan().batch(step) for step in range(12)]
    again = plan()
    assert [again.batch(s) for s in (11, 4, 5, 0, 11)] == [forward[s] for s in (11, 4, 5, 0, 11)]


def test_too_few_identities_are_refused() -> None:
    expected = (
        "^data.synthetic: 3 identities to train on, expected at least 4 for batches of 8 "
        "identities at mixing.synthetic_ratio 0.5$"
    )
    with pytest.raises(DataError, match=expected):
        IdentityPlan({"real": groups([2] * 8), "synthetic": groups([2] * 3)}, 8, 4, 0.5, 0)
