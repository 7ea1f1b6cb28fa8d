"""Shares of sources over a run, to one sample a batch: constants, schedules, stages, weights."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pamtri.config import parse_config
from pamtri.errors import ConfigError
from train.batches import TrainingBatches
from train.config import TrainConfig
from train.draws import IdentityPlan, ImagePlan
from train.mixing import Apportioned, Mix, mix_of
from train.mixing_config import RatioSchedule

SIZES = {"real": 30, "synthetic": 90, "synthetic.0": 60, "synthetic.1": 30}


def configured(steps: int = 40, synthetic: Any = None, **more: Any) -> TrainConfig:
    data = {"real": {"path": "r"}, "synthetic": synthetic or {"path": "s"}}
    content = {"data": data, "training": {"steps": steps}, **more}
    return parse_config(content, TrainConfig, "here")


def expected_share(ratio: Any, progress: float) -> float:
    """By hand: what the documentation of ``RatioSchedule`` says."""
    if not isinstance(ratio, dict):
        return float(ratio)
    points = [tuple(p) for p in ratio["points"]]
    if progress <= points[0][0]:
        return points[0][1]
    for (a, low), (b, high) in pairwise(points):
        if a <= progress < b:
            way = (progress - a) / (b - a)
            shape = {"linear": way, "hold": 0.0, "cosine": math.sin(math.pi * way / 2) ** 2}
            return low + shape[ratio.get("between", "linear")] * (high - low)
    return points[-1][1]


points = st.lists(st.floats(0, 1), min_size=1, max_size=4, unique=True).flatmap(
    lambda places: st.tuples(*[st.tuples(st.just(p), st.floats(0, 1)) for p in sorted(places)])
)
schedules = st.builds(
    lambda points, between: {"points": [list(p) for p in points], "between": between},
    points,
    st.sampled_from(["linear", "cosine", "hold"]),
)


@settings(max_examples=60, deadline=None)
@given(ratio=schedules | st.floats(0, 1), batch=st.integers(1, 9))
def test_what_is_drawn_follows_the_schedule_to_one_sample_a_batch(ratio: Any, batch: int) -> None:
    config = configured(mixing={"synthetic_ratio": ratio})
    mix = mix_of(config, SIZES)
    plan = ImagePlan(SIZES, batch, mix, 0)
    due, drawn = 0.0, 0
    for step in range(40):
        share = expected_share(ratio, step / 40)
        here = sum(d.source == "synthetic" for d in plan.batch(step))
        due, drawn = due + share * batch, drawn + here
        assert abs(here - share * batch) < 1 + 1e-6
        assert abs(drawn - due) <= 0.5 + 1e-6


@settings(max_examples=40, deadline=None)
@given(
    weights=st.lists(st.floats(0.05, 5), min_size=2, max_size=5),
    draws=st.integers(1, 12),
)
def test_draws_of_many_sources_stay_within_one_of_their_shares(
    weights: list[float], draws: int
) -> None:
    shares = [w / sum(weights) for w in weights]
    counts = Apportioned(Mix([f"s{i}" for i in shares], lambda step: shares, shares), draws)
    for step in range(50):
        until = counts.until(step)
        assert sum(until) == step * draws
        assert all(abs(n - step * draws * s) < 1 for n, s in zip(until, shares, strict=True))
        if step:
            assert all(a <= b for a, b in zip(counts.until(step - 1), until, strict=True))


def test_the_step_of_a_draw_is_the_one_that_deals_it() -> None:
    counts = Apportioned(Mix.constant(0.3), 4)
    of_real = [
        step for step in range(20) for _ in range(counts.until(step + 1)[0] - counts.until(step)[0])
    ]
    assert [Apportioned(Mix.constant(0.3), 4).step_of(0, i) for i in range(len(of_real))] == of_real


def test_stages_have_their_own_ratios_and_schedules() -> None:
    config = configured(
        steps=20,
        stages=[
            {"share": 0.5, "synthetic_ratio": 1},
            {"share": 0.25, "synthetic_ratio": {"points": [[0, 1], [1, 0]]}},
            {"share": 0.25, "synthetic_ratio": 0},
        ],
    )
    plan = ImagePlan(SIZES, 10, mix_of(config, SIZES), 0)
    counts = [sum(d.source == "synthetic" for d in plan.batch(step)) for step in range(20)]
    assert counts == [10] * 10 + [10, 8, 6, 4, 2] + [0] * 5
    assert config.domains == ("real", "synthetic")


def test_stages_without_real_images_need_none() -> None:
    content = {
        "data": {"synthetic": {"path": "s"}},
        "training": {"steps": 8},
        "stages": [{"share": 0.5, "synthetic_ratio": 1}, {"share": 0.5, "synthetic_ratio": 0.5}],
    }
    with pytest.raises(
        ConfigError, match=r"mixing.synthetic_ratio 1 / 0.5 needs data.real, got none"
    ):
        parse_config(content, TrainConfig, "here")
    content["stages"] = [{"share": 1, "synthetic_ratio": 1}]
    assert parse_config(content, TrainConfig, "here").domains == ("synthetic",)


def test_several_sources_of_a_domain_share_it_by_weight() -> None:
    config = configured(
        synthetic=[{"path": "a", "weight": 3}, {"path": "b"}], mixing={"synthetic_ratio": 0.5}
    )
    mix = mix_of(config, SIZES)
    assert mix.sources == ("real", "synthetic.0", "synthetic.1")
    assert mix.shares(0) == pytest.approx((0.5, 0.375, 0.125))
    assert mix.most == pytest.approx((0.5, 0.375, 0.125))
    plan = ImagePlan(SIZES, 8, mix, 0)
    for step in range(5):
        sources = [d.source for d in plan.batch(step)]
        assert [sources.count(s) for s in mix.sources] == [4, 3, 1]


def test_by_size_every_image_comes_as_often_as_its_weight_says() -> None:
    config = configured(
        synthetic=[{"path": "a"}, {"path": "b", "weight": 2}], mixing={"synthetic_ratio": "by_size"}
    )
    mix = mix_of(config, SIZES)
    # 30 real images once, 60 once, 30 twice: of 150.
    assert mix.shares(7) == pytest.approx((0.2, 0.4, 0.4))


def test_two_sources_of_one_domain_are_shuffled_apart() -> None:
    sizes = {"synthetic.0": 12, "synthetic.1": 12}
    mix = Mix(list(sizes), lambda step: (0.5, 0.5), (0.5, 0.5))
    plan = ImagePlan(sizes, 24, mix, 0)
    orders = [[d.index for d in plan.batch(0) if d.source == s] for s in sizes]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(12))
    assert orders[0] != orders[1]


def test_identities_follow_the_schedule_too() -> None:
    config = configured(
        steps=20, mixing={"synthetic_ratio": {"points": [[0, 1], [1, 0]], "between": "linear"}}
    )
    identities = {"real": [[i] for i in range(8)], "synthetic": [[i] for i in range(8)]}
    plan = IdentityPlan(identities, 8, 2, mix_of(config, SIZES), 0)
    due = drawn = 0.0
    for step in range(20):
        due += 8 * (1 - step / 20)
        drawn += sum(d.source == "synthetic" for d in plan.batch(step)) / 2
        assert abs(drawn - due) <= 0.5 + 1e-6


def test_two_processes_and_a_resumed_run_draw_what_one_draws() -> None:
    config = configured(mixing={"synthetic_ratio": {"points": [[0, 0.9], [0.6, 0.2]]}})

    def load(draw: Any, rng: Any) -> dict[str, Any]:
        return {"number": draw.index + (1000 if draw.source == "synthetic" else 0)}

    def batches(rank: int = 0, processes: int = 1) -> TrainingBatches:
        return TrainingBatches(
            ImagePlan(SIZES, 8, mix_of(config, SIZES), 0), load, 0, rank, processes
        )

    alone = batches()
    whole = [alone[step] for step in range(40)]
    pair = [batches(rank, 2) for rank in (0, 1)]
    resumed = batches()
    for step in range(40):
        shared = [int(n) for b in pair for n in b[step]["number"]]
        assert sorted(shared) == sorted(whole[step]["number"].tolist())
        assert pair[0].drawn(step) == pair[1].drawn(step) == whole[step]["drawn"]
    for step in range(25, 40):  # without having seen what came before
        assert resumed[step]["number"].tolist() == whole[step]["number"].tolist()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"mixing": {"synthetic_ratio": 1.5}},
         "mixing.synthetic_ratio: expected less than or equal to 1, got 1.5"),
        ({"mixing": {"synthetic_ratio": "by_sise"}}, "mixing.synthetic_ratio"),
        ({"mixing": {"synthetic_ratio": {"points": [[0.5, 1], [0.5, 0]]}}},
         "points: expected ascending shares of the run, got [0.5, 0.5]"),
        ({"mixing": {"synthetic_ratio": {"points": []}}}, "expected at least 1 items, got 0"),
        ({"stages": [{"share": 0.5}, {"share": 0.4}]},
         "stages: expected shares that add up to 1, got 0.9"),
        ({"curriculum": {"by": ["oclusion"]}}, "got 'oclusion'"),
        ({"data": {"real": {"path": "r"}, "synthetic": [{"path": "a", "wieght": 2}]}},
         "unknown key 'data.synthetic.0.wieght' (did you mean 'weight'?)"),
        ({"data": {"real": {"paht": "r"}}},
         "missing key 'data.real.path'; unknown key 'data.real.paht'"),
    ],
)  # fmt: skip
def test_wrong_mixes_are_refused_in_one_sentence(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(**more) if "data" not in more else parse_config(
            {"training": {"steps": 1}, **more}, TrainConfig, "here"
        )
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schedule_worked_by_hand() -> None:
    hold = RatioSchedule(points=((0.2, 1.0), (0.6, 0.0)), between="hold")
    assert [hold.at(p) for p in (0, 0.2, 0.59, 0.6, 1)] == [1, 1, 1, 0, 0]
    cosine = RatioSchedule(points=((0.0, 0.0), (1.0, 1.0)), between="cosine")
    assert [cosine.at(p) for p in (0, 0.25, 0.5, 1)] == pytest.approx([0, (2 - 2**0.5) / 4, 0.5, 1])
    with pytest.raises(ValidationError):
        RatioSchedule(points=((0.0, 2.0),))


def test_a_configuration_with_lists_and_schedules_comes_back_from_yaml(tmp_path: Path) -> None:
    from pamtri.config import dump_config, load_config

    config = configured(
        synthetic=[{"path": "a", "weight": 3, "limit": 5}, {"path": "b"}],
        mixing={"synthetic_ratio": {"points": [[0, 1], [1, 0]]}, "loss_weights": {"real": 2}},
        curriculum={"by": ["light", "weather"], "start": 0.1},
        stages=[{"share": 1, "frozen": ["backbone"], "learning_rate": 0.1}],
    )
    path = tmp_path / "c.yaml"
    path.write_text(dump_config(config))
    assert load_config(path, TrainConfig) == config
