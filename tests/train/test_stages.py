"""Stages of a run: learning rates, and parts that rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from pamtri.config import parse_config
from pamtri.errors import ConfigError
from tests.train.test_loop import ToyTask, last_weights, lines, run
from train.config import TrainConfig
from train.loop import train_network
from train.stages import learning_rate, phases_of


def staged(steps: int = 20, **training: Any) -> TrainConfig:
    content = {
        "data": {"real": {"path": "r"}, "synthetic": {"path": "s"}},
        "training": {"steps": steps, "learning_rate": 0.1, **training},
        "stages": [
            {"share": 0.5, "synthetic_ratio": 1, "frozen": ["0"]},
            {"share": 0.5, "synthetic_ratio": 0, "learning_rate": 0.01},
        ],
    }
    return parse_config(content, TrainConfig, "here")


def test_each_stage_warms_up_and_decays_to_its_own_rate() -> None:
    config = staged(schedule={"kind": "cosine", "warmup_steps": 2})
    rates = [learning_rate(step, config) for step in range(20)]
    first = [0.1 / 3, 0.2 / 3, *(0.05 * (1 + np.cos(np.pi * i / 8)) for i in range(8))]
    assert rates == pytest.approx([*first, *(r / 10 for r in first)])


def test_milestones_are_shares_of_the_stage() -> None:
    config = staged(schedule={"kind": "steps", "milestones": [0.8]})
    rates = [learning_rate(step, config) for step in range(20)]
    assert rates == pytest.approx([0.1] * 8 + [0.01] * 2 + [0.01] * 8 + [0.001] * 2)


def test_stages_fill_all_steps_whatever_their_number() -> None:
    content = staged(steps=10).model_dump(mode="json")
    content["stages"] = [{"share": 1 / 3}] * 3
    phases = phases_of(parse_config(content, TrainConfig, "here"))
    assert [(p.start, p.stop) for p in phases] == [(0, 3), (3, 7), (7, 10)]


class Staged(ToyTask):
    """The toy in two stages of four steps: its first layers rest in the first."""

    def __init__(self, frozen: tuple[str, ...] = ("0", "1")) -> None:
        super().__init__(steps=8)
        content = self.config.model_dump(mode="json")
        content["stages"] = [{"share": 0.5, "frozen": list(frozen)}, {"share": 0.5}]
        self.config = parse_config(content, TrainConfig, "here")
        self.trail: list[dict[str, Tensor]] = []

    def losses(self, network: nn.Module, batch: Any) -> dict[str, Tensor]:
        self.trail.append(last_weights(self))
        return super().losses(network, batch)


def test_what_is_frozen_rests_and_learns_again_afterwards(tmp_path: Path) -> None:
    task = Staged()
    run(task, tmp_path)
    before, after = task.trail[0], [*task.trail[1:], last_weights(task)]
    resting = [k for k in before if k.startswith(("0.", "1.")) and "tracked" not in k]
    assert any("running" in k for k in resting)
    for step, now in enumerate(after, start=1):
        for name in resting:
            assert torch.equal(before[name], now[name]) == (step <= 4), (name, step)
        assert not torch.equal(before["3.weight"], now["3.weight"])


def test_a_staged_run_resumed_in_any_stage_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole = Staged()
    run(whole, tmp_path / "whole")
    for stop_at in (2, 6):
        folder = tmp_path / str(stop_at)
        stopped = Staged()
        stopped.stop_at = stop_at
        with pytest.raises(Exception, match="stopped at step"):
            run(stopped, folder)
        resumed = Staged()
        run(resumed, folder)
        expected, got = last_weights(whole), last_weights(resumed)
        assert all(torch.equal(expected[k], got[k]) for k in expected)
        # What was drawn is known again, different images too.
        ends = [next(x for x in lines(f) if x["step"] == 8) for f in (tmp_path / "whole", folder)]
        assert ends[0]["drawn"] == ends[1]["drawn"] == {"real": 24, "synthetic": 8}
        assert ends[0]["unique"] == ends[1]["unique"] == {"real": 5, "synthetic": 8}


def test_what_never_learns_stays_so(tmp_path: Path) -> None:
    task = Staged(frozen=("1",))
    task.network[3].bias.requires_grad_(False)  # type: ignore[index,union-attr]
    run(task, tmp_path)
    assert not task.network[3].bias.requires_grad  # type: ignore[index,union-attr]
    assert task.network[1].weight.requires_grad  # type: ignore[index,union-attr]


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    task = Staged(frozen=("backbone",))
    with pytest.raises(ConfigError, match=r"^stages.0.frozen: the network has no part 'backbone'"):
        train_network(task, tmp_path, Accelerator(cpu=True, step_scheduler_with_optimizer=False))
