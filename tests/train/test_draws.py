from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri.errors import DataError
from train.draws import IdentityPlan, ImagePlan, interleaved
from train.mixing import Mix

ratios = st.floats(0, 1)


@settings(max_examples=60)
@given(ratio=ratios, batch=st.integers(1, 40), seed=st.integers(0, 5))
def test_every_batch_and_every_prefix_have_the_ratio(ratio: float, batch: int, seed: int) -> None:
    plan = ImagePlan({"real": 7, "synthetic": 11}, batch, Mix.constant(ratio), seed)
    synthetic = 0
    for step in range(12):
        draws = plan.batch(step)
        assert len(draws) == batch
        here = sum(d.source == "synthetic" for d in draws)
        assert abs(here - ratio * batch) < 1 + 1e-9
        synthetic += here
        assert abs(synthetic - ratio * batch * (step + 1)) <= 0.5 + 1e-9


def test_whole_shares_are_the_same_in_every_batch() -> None:
    plan = ImagePlan({"real": 7, "synthetic": 11}, 32, Mix.constant(0.25), 0)
    assert {sum(d.source == "synthetic" for d in plan.batch(s)) for s in range(50)} == {8}


def test_no_image_comes_again_before_all_have_come() -> None:
    plan = ImagePlan({"real": 10, "synthetic": 6}, 4, Mix.constant(0.5), 0)
    real = [d.index for s in range(50) for d in plan.batch(s) if d.source == "real"]
    cycles = [real[i : i + 10] for i in range(0, 100, 10)]
    assert all(sorted(cycle) == list(range(10)) for cycle in cycles)
    assert len({tuple(cycle) for cycle in cycles}) == 10


def test_a_step_can_be_asked_for_in_any_order() -> None:
    sizes = {"real": 10, "synthetic": 6}
    forward = [ImagePlan(sizes, 5, Mix.constant(0.3), 0).batch(s) for s in range(20)]
    plan = ImagePlan(sizes, 5, Mix.constant(0.3), 0)
    assert [plan.batch(s) for s in reversed(range(20))] == forward[::-1]
    assert [ImagePlan(sizes, 5, Mix.constant(0.3), 1).batch(s) for s in range(20)] != forward


@pytest.mark.parametrize(("ratio", "source"), [(0.0, "real"), (1.0, "synthetic")])
def test_a_pure_ratio_draws_from_one_source(ratio: float, source: str) -> None:
    plan = ImagePlan({source: 3}, 4, Mix.constant(ratio), 0)
    assert {d.source for s in range(5) for d in plan.batch(s)} == {source}


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(DataError, match=r"^data.synthetic: has no usable image$"):
        ImagePlan({"real": 3}, 4, Mix.constant(0.5), 0)


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
    plan = IdentityPlan(identities, p, k, Mix.constant(ratio), 0)
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
        identities = {"real": groups([3] * 9), "synthetic": groups([4] * 7)}
        cameras = {"real": [0, 1, 1] * 9, "synthetic": [2, 2, 3, 3] * 7}
        families = {"real": [*range(9)], "synthetic": list("aabbbcd")}
        return IdentityPlan(identities, 6, 2, Mix.constant(0.5), 3, cameras, families)

    forward = [plan().batch(step) for step in range(12)]
    again = plan()
    assert [again.batch(s) for s in (11, 4, 5, 0, 11)] == [forward[s] for s in (11, 4, 5, 0, 11)]


def test_too_few_identities_are_refused() -> None:
    expected = (
        "^data.synthetic: 3 identities to train on, expected at least 4 for batches of 8 "
        "identities, of which it gives up to 50%$"
    )
    with pytest.raises(DataError, match=expected):
        IdentityPlan(
            {"real": groups([2] * 8), "synthetic": groups([2] * 3)}, 8, 4, Mix.constant(0.5), 0
        )


def test_the_sources_are_spread_over_a_batch() -> None:
    parts = [["a", "b", "c", "d"], ["x", "y"]]
    assert interleaved(parts) == ["a", "x", "b", "c", "y", "d"]
    assert interleaved([[], ["x"]]) == ["x"]
    plan = IdentityPlan(
        {"real": groups([2] * 8), "synthetic": groups([2] * 8)}, 8, 2, Mix.constant(0.25), 0
    )
    for step in range(10):  # halves of a batch, as two processes get them
        halves = np.array([d.source == "synthetic" for d in plan.batch(step)]).reshape(2, 8)
        assert halves.sum(axis=1).tolist() == [2, 2]


@settings(max_examples=40)
@given(
    k=st.integers(2, 6),
    cameras=st.lists(st.sampled_from([0, 1, 2, None]), min_size=1, max_size=9),
)
def test_images_of_an_identity_are_spread_over_its_cameras(
    k: int, cameras: list[int | None]
) -> None:
    n = len(cameras)
    identities = {"real": [list(range(n)), list(range(n, 2 * n))]}
    plan = IdentityPlan(identities, 2, k, Mix.constant(0.0), 0, cameras={"real": cameras * 2})
    there = Counter(cameras)
    for step in range(6):
        draws = [d.index % n for d in plan.batch(step)]
        for group in (draws[:k], draws[k:]):
            assert len(set(group)) == min(k, n)
            seen = Counter(cameras[i] for i in set(group))
            for one, other in itertools.permutations(there, 2):  # behind only with no image left
                assert seen[one] >= min(seen[other] - 1, there[one])


def test_all_images_of_a_camera_are_drawn() -> None:
    cameras = {"real": [0] * 5 + [1] + [0] * 5 + [1]}
    plan = IdentityPlan({"real": groups([6, 6])}, 2, 2, Mix.constant(0.0), 0, cameras=cameras)
    drawn = Counter(d.index for step in range(60) for d in plan.batch(step))
    assert set(drawn) == set(range(12))
    assert drawn[5] == drawn[11] == 60  # the only one of its camera


@settings(max_examples=60)
@given(p=st.integers(2, 9), sizes=st.lists(st.integers(1, 4), min_size=4, max_size=7))
def test_families_come_together_and_nobody_waits(p: int, sizes: list[int]) -> None:
    families = [number for number, size in enumerate(sizes) for _ in range(size)]
    n = len(families)
    p = min(p, n)
    rng = np.random.default_rng(n)
    families = [families[i] for i in rng.permutation(n)]
    plan = IdentityPlan(
        {"real": groups([2] * n)}, p, 2, Mix.constant(0.0), 0, families={"real": families}
    )
    drawn = np.zeros(n, int)
    for step in range(20):
        chosen = [d.index // 2 for d in plan.batch(step)][::2]
        assert len(set(chosen)) == p
        drawn[chosen] += 1
        assert drawn.max() - drawn.min() <= 1
        if step == 0:  # later, what a family was parted into comes at times of its own
            here = [families[i] for i in chosen]
            assert len([f for f in set(here) if here.count(f) < sizes[f]]) <= 1
            assert len(list(itertools.groupby(here))) == len(set(here))


def test_twins_share_a_batch() -> None:
    """Nine families of two, six of one, four places: twins are never alone."""
    families = [f"twin{i // 2}" for i in range(18)] + [f"alone{i}" for i in range(6)]
    identities = {"synthetic": groups([3] * 24)}
    plan = IdentityPlan(identities, 4, 3, Mix.constant(1.0), 0, families={"synthetic": families})
    apart = IdentityPlan(identities, 4, 3, Mix.constant(1.0), 0)
    alone = {True: 0, False: 0}
    for step in range(60):
        for which in (plan, apart):
            chosen = [d.index // 3 for d in which.batch(step)][::3]
            here = [families[i] for i in chosen]
            alone[which is plan] += sum(f[0] == "t" and here.count(f) == 1 for f in here)
            if which is plan:
                assert all(here[i - 1] == f or here[i + 1 : i + 2] == [f] for i, f in
                           enumerate(here) if f[0] == "t")  # fmt: skip
    assert alone[True] == 0
    assert alone[False] > 60


def test_a_family_that_does_not_fit_is_divided() -> None:
    identities = {"real": groups([2] * 6)}
    plan = IdentityPlan(identities, 4, 2, Mix.constant(0.0), 0, families={"real": list("aaabbb")})
    batches = [[d.index // 2 for d in plan.batch(step)][::2] for step in range(3)]
    assert Counter("aaabbb"[i] for i in batches[0]) in (Counter("aaab"), Counter("abbb"))
    assert Counter(i for batch in batches for i in batch) == dict.fromkeys(range(6), 2)
