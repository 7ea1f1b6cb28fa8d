"""Easy images first: what is hard, which images take part when, and losses that count later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pamtri.config import parse_config
from pamtri.errors import DataError
from pamtri.record import Record
from train.config import TrainConfig
from train.curriculum import Curriculum, difficulty, from_easy_to_hard
from train.draws import IdentityPlan, ImagePlan
from train.mixing import Mix
from train.weighting import easy, weighted


def record(occlusion: float | None = None, box: Any = None, **scene: Any) -> Record:
    return Record(image="i.jpg", domain="synthetic", occlusion=occlusion, box=box,
                  scene=scene or None)  # fmt: skip


def test_what_is_hard() -> None:
    assert difficulty(record(occlusion=0.4), "occlusion") == 0.4
    assert np.isnan(difficulty(record(), "occlusion"))
    near, far = record(box=(0, 0, 30, 40)), record(box=(5, 5, 8, 9))
    assert [difficulty(r, "size") for r in (near, far)] == [-50, -5]
    weathers = [
        {"kind": "dry", "visibility_m": None},
        {"kind": "rain", "visibility_m": 900},
        {"kind": "fog", "visibility_m": 200},
        {"kind": "fog", "visibility_m": 30},
    ]
    hard = [difficulty(record(weather=w), "weather") for w in weathers]
    assert hard == sorted(hard) and len(set(hard)) == 4
    lights = [
        {"hdri": "sky", "dusk": [1, 1, 1]},
        {"hdri": "sky", "dusk": [0.6, 0.4, 0.3]},
        {"hdri": "night.exr", "dusk": [1, 1, 1]},
    ]
    dark = [difficulty(record(light=light), "light") for light in lights]
    assert dark == pytest.approx([0, 1 - 1.3 / 3, 1])


def test_order_is_by_the_mean_of_ranks() -> None:
    boxes = [(0, 0, 10, 10), (0, 0, 40, 40), (0, 0, 20, 20), None]
    records = [record(o, b) for o, b in zip([0.0, 0.9, 0.3, 0.1], boxes, strict=True)]
    # Ranks by occlusion (0, 3, 2, 1) and smallness (2, 0, 1, unknown: in the middle), over 0..1.
    occlusion = (np.array([0, 3, 2, 1]) + 0.5) / 4
    smallness = [2.5 / 3, 0.5 / 3, 1.5 / 3, 0.5]
    expected = np.argsort((occlusion + smallness) / 2, kind="stable")
    order = from_easy_to_hard({"synthetic": records, "real": [record()] * 3}, ["occlusion", "size"])
    assert list(order) == ["synthetic"]
    assert order["synthetic"].tolist() == expected.tolist()
    with pytest.raises(
        DataError, match=r"^curriculum.by: no image to train on tells of its 'light'$"
    ):
        from_easy_to_hard({"real": records}, ["light"])


ORDER = np.array([7, 2, 9, 0, 4, 1, 8, 3, 6, 5])


def test_the_easiest_images_come_first_and_all_in_the_end() -> None:
    curriculum = Curriculum({"synthetic": ORDER}, lambda step: min(1.0, 0.3 + 0.07 * step))
    plan = ImagePlan({"real": 4, "synthetic": 10}, 4, Mix.constant(0.5), 0, curriculum)
    images = [[d.index for d in plan.batch(s) if d.source == "synthetic"] for s in range(40)]
    dealt = [i for batch in images for i in batch]
    # Round by round: as many of the easiest as take part when the round begins, each once.
    start, sizes = 0, []
    while start < 60:
        size = max(1, round(min(1.0, 0.3 + 0.07 * (start // 2)) * 10))
        assert set(dealt[start : start + size]) == set(ORDER[:size].tolist())
        sizes.append(size)
        start += size
    assert sizes[0] == 3 and sizes[-1] == 10
    real = [d.index for s in range(40) for d in plan.batch(s) if d.source == "real"]
    assert sorted(real[:4]) == list(range(4))  # no labels, no order: all from the beginning
    again = ImagePlan({"real": 4, "synthetic": 10}, 4, Mix.constant(0.5), 0, curriculum)
    backwards = [again.batch(s) for s in reversed(range(40))][::-1]
    assert backwards == [plan.batch(s) for s in range(40)]


def test_an_identity_gives_its_easiest_images_but_never_fewer_than_it_must() -> None:
    share = {0: 0.2, 1: 0.6, 2: 1.0}
    curriculum = Curriculum({"synthetic": ORDER}, lambda step: share[step])
    identities = {"synthetic": [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]}
    for step, allowed in ((0, [{2, 0}, {7, 9}]), (1, [{2, 0, 4}, {7, 9, 8}]), (2, None)):
        seen: list[set[int]] = [set(), set()]
        for seed in range(30):
            plan = IdentityPlan(identities, 2, 2, Mix.constant(1.0), seed, curriculum=curriculum)
            for draw in plan.batch(step):
                seen[draw.index // 5].add(draw.index)
        assert seen == (allowed or [set(range(5)), set(range(5, 10))])


def asked(**more: Any) -> TrainConfig:
    data = {"real": {"path": "r"}, "synthetic": {"path": "s"}}
    return parse_config({"data": data, "training": {"steps": 4}, **more}, TrainConfig, "here")


EACH = torch.tensor([4.0, 1.0, 3.0, 2.0], requires_grad=True)
DOMAINS = ["real", "synthetic", "synthetic", "real"]


def test_losses_count_by_domain() -> None:
    losses = {"loss": EACH.mean(), "each": EACH}
    assert weighted(losses, DOMAINS, asked(), 0.3) is losses
    config = asked(mixing={"loss_weights": {"real": 2, "synthetic": 0.5}})
    value = weighted(losses, DOMAINS, config, 0.3)["loss"]
    assert float(value.detach()) == pytest.approx((8 + 0.5 + 1.5 + 4) / 4)
    (gradient,) = torch.autograd.grad(value, EACH)
    assert gradient.tolist() == pytest.approx([0.5, 0.125, 0.125, 0.5])


def test_the_hardest_losses_wait() -> None:
    assert easy(torch.tensor([4.0, 1.0, 3.0, 2.0]), 0.5).tolist() == [0, 2, 0, 2]
    config = asked(curriculum={"by": "loss", "start": 0.25, "until": 0.5})
    losses = {"loss": EACH.mean(), "each": EACH}
    values = [
        float(weighted(losses, DOMAINS, config, p)["loss"].detach()) for p in (0, 0.25, 0.5, 1)
    ]
    # A quarter, five eighths (two of four) and all of the images.
    assert values == pytest.approx([1, 1.5, 2.5, 2.5])


def test_how_hard_what_is_drawn_is() -> None:
    """Image 3 is the easiest of five and 0 the hardest; another source has no order."""
    order = {"synthetic": np.array([3, 1, 4, 2, 0])}
    curriculum = Curriculum(order, lambda step: 1.0)
    assert curriculum.difficulty({"synthetic": [3]}) == 0
    assert curriculum.difficulty({"synthetic": [0, 4, 0]}) == pytest.approx((1 + 0.5 + 1) / 3)
    assert curriculum.difficulty({"real": [1, 2], "synthetic": [1]}) == 0.25
    assert curriculum.difficulty({"real": [1, 2]}) is None
