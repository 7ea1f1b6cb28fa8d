from __future__ import annotations

import numpy as np
import pytest
import torch

from pamtri.errors import ConfigError
from train.batches import Item, TrainingBatches
from train.draws import Draw, IdentityPlan, ImagePlan
from train.mixing import Mix


def load(draw: Draw, rng: np.random.Generator) -> Item:
    return {"name": f"{draw.source}{draw.index}", "image": np.float32(rng.random())}


def rows(batches: TrainingBatches, step: int) -> list[tuple[str, float]]:
    batch = batches[step]
    return list(zip(batch["name"], batch["image"].tolist(), strict=True))


def test_processes_share_the_batch_of_one() -> None:
    plan = ImagePlan({"real": 9, "synthetic": 5}, 8, Mix.constant(0.25), 0)
    alone = TrainingBatches(plan, load, seed=0)
    pair = [TrainingBatches(plan, load, 0, rank, 2) for rank in (0, 1)]
    for step in range(6):
        shared = [row for batches in pair for row in rows(batches, step)]
        assert sorted(shared) == sorted(rows(alone, step))
        assert {len(b[step]["drawn"]["synthetic"]) for b in (alone, *pair)} == {2}
        assert [sum("syn" in name for name, _ in rows(b, step)) for b in pair] == [1, 1]


def test_the_domain_is_the_configurations() -> None:
    """Wherever an image comes from: two synthetic sources are both synthetic."""
    sources = ("real", "synthetic.0", "synthetic.1")
    mix = Mix(sources, lambda step: (0.5, 0.25, 0.25), (0.5, 0.25, 0.25))
    batches = TrainingBatches(ImagePlan(dict.fromkeys(sources, 9), 8, mix, 0), load, 0)
    batch = batches[0]
    for name, domain in zip(batch["name"], batch["domain"], strict=True):
        assert name.startswith(domain)
    assert sorted(batch["domain"]) == ["real"] * 4 + ["synthetic"] * 4


def test_processes_get_whole_identities() -> None:
    identities = {"real": [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]}
    pair = [
        TrainingBatches(IdentityPlan(identities, 4, 3, Mix.constant(0.0), 0), load, 0, rank, 2)
        for rank in (0, 1)
    ]
    for batches in pair:
        indices = [int(name.removeprefix("real")) for name, _ in rows(batches, 0)]
        assert [len({i // 3 for i in indices[a : a + 3]}) for a in (0, 3)] == [1, 1]


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    batches = TrainingBatches(ImagePlan({"real": 9}, 5, Mix.constant(0.0), 0), load, 0, 0, 2)
    with pytest.raises(ConfigError, match="a batch of 5 cannot be shared by 2 processes"):
        batches[0]


def test_the_loader_starts_anywhere_and_touches_no_generator() -> None:
    batches = TrainingBatches(ImagePlan({"real": 9}, 4, Mix.constant(0.0), 0), load, 0)
    state = torch.get_rng_state()
    whole = [b["image"].tolist() for b in batches.loader(0, 6, workers=0)]
    assert [b["image"].tolist() for b in batches.loader(4, 6, workers=0)] == whole[4:]
    assert (torch.get_rng_state() == state).all()
    other = TrainingBatches(ImagePlan({"real": 9}, 4, Mix.constant(0.0), 0), load, 1)
    assert other[0]["image"].tolist() != whole[0]


def test_workers_load_the_same_batches() -> None:
    plan = IdentityPlan({"real": [[0, 1], [2, 3], [4, 5], [6, 7]]}, 2, 2, Mix.constant(0.0), 0)
    batches = TrainingBatches(plan, load, 0)
    alone = [b["name"] for b in batches.loader(3, 9, workers=0)]
    assert [b["name"] for b in batches.loader(3, 9, workers=2)] == alone
