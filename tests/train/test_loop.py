"""The loop on a toy task: what is kept, resumed and refused."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from pamtri.errors import DataError, UserError
from train.batches import Item, TrainingBatches
from train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from train.config import DataConfig, Schedule, SourceConfig, TrainConfig, TrainingConfig
from train.draws import Draw, ImagePlan
from train.loop import BEST, train_network
from train.mixing import Mix
from train.stages import learning_rate_factor


class ToyTask:
    """Regression with a batch norm, whose validation values are given beforehand."""

    kind = "pose"
    metric = "score"
    classes: dict[str, list[int]] | None = None

    def __init__(
        self, steps: int = 8, scores: dict[int, float] | None = None, **training: Any
    ) -> None:
        self.config = TrainConfig(
            data=DataConfig(
                real=SourceConfig(path=Path("r")), synthetic=SourceConfig(path=Path("s"))
            ),
            training=TrainingConfig(
                steps=steps, validate_every=2, learning_rate=0.05,
                schedule=Schedule(warmup_steps=2), **training,
            ),
        )  # fmt: skip
        self.batches = TrainingBatches(
            ImagePlan({"real": 5, "synthetic": 9}, 4, Mix.constant(0.25), 0), self._load, 0
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network: nn.Module = nn.Sequential(
                nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 3)
            )
        self.calls = 0
        self.stop_at: int | None = None
        self.poison_at: int | None = None
        self._scores = scores

    def _load(self, draw: Draw, rng: np.random.Generator) -> Item:
        image = rng.random((3, 8, 8), dtype=np.float32)
        return {"image": image, "name": f"{draw.source}{draw.index}.jpg"}

    def describe(self) -> str:
        return "toy"

    def losses(self, network: nn.Module, batch: Item) -> dict[str, Tensor]:
        self.calls += 1
        if self.calls == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        loss = (network(batch["image"]) - batch["image"].mean((1, 2, 3), True)).square().mean()
        return {"loss": loss * (float("nan") if self.calls == self.poison_at else 1)}

    def validate(self, network: nn.Module, accelerator: Accelerator) -> dict[str, Any]:
        assert not network.training
        weight = sum(float(p.detach().abs().sum()) for p in network.parameters())
        return {"score": weight if self._scores is None else self._scores[self.calls]}


def run(task: ToyTask, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    train_network(task, folder, Accelerator(cpu=True, step_scheduler_with_optimizer=False))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def last_weights(task: ToyTask) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in task.network.state_dict().items()}


def test_a_resumed_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole = ToyTask()
    run(whole, tmp_path / "whole")
    stopped = ToyTask()
    stopped.stop_at = 5  # between validations
    with pytest.raises(UserError, match=r"^stopped at step 5 of 8; continue with --resume$"):
        run(stopped, tmp_path / "parts")
    torch.rand(7)  # another program's draws
    resumed = ToyTask()
    run(resumed, tmp_path / "parts")
    assert resumed.calls == 3
    expected, got = last_weights(whole), last_weights(resumed)
    assert all(torch.equal(expected[k], got[k]) for k in expected)
    assert any(not torch.equal(expected[k], v) for k, v in last_weights(stopped).items())
    assert [line["step"] for line in lines(tmp_path / "parts") if line["kind"] == "val"] == [
        2,
        4,
        6,
        8,
    ]
    at_the_end = [line for line in lines(tmp_path / "whole") if line["step"] == 8]
    assert at_the_end[0]["drawn"] == {"real": 24, "synthetic": 8}
    resumed_end = [line for line in lines(tmp_path / "parts") if line["step"] == 8]
    assert resumed_end[0]["drawn"] == at_the_end[0]["drawn"]
    assert resumed_end[1] == at_the_end[1]


def test_the_average_of_the_weights_is_kept_and_resumed_with_the_same_bits(tmp_path: Path) -> None:
    whole = ToyTask(ema=0.8, scores=dict.fromkeys((2, 4, 6), 0.1) | {8: 0.5})
    trail: list[dict[str, Tensor]] = []  # between each step's forward pass and its update

    class Watched(Accelerator):
        def reduce(self, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            trail.append(last_weights(whole))
            return super().reduce(tensor, *args, **kwargs)

    (tmp_path / "whole").mkdir()
    train_network(whole, tmp_path / "whole", Watched(cpu=True, step_scheduler_with_optimizer=False))
    expected = trail[0]
    updated = [*trail[1:], last_weights(whole)]
    for step, (before, after) in enumerate(zip(trail, updated, strict=True), start=1):
        decay = min(0.8, 1 - step ** (-2 / 3))
        statistics = {k: v for k, v in before.items() if k.startswith("1.running")}
        expected = {
            k: decay * expected[k] + (1 - decay) * v if v.is_floating_point() else v
            for k, v in (after | statistics).items()
        }
    best = load_checkpoint(tmp_path / "whole" / BEST, "pose").state_dict
    assert best.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(best[name], value)
    assert not torch.allclose(best["0.weight"], last_weights(whole)["0.weight"])

    stopped = ToyTask(ema=0.8, scores=dict.fromkeys((2, 4, 6), 0.1))
    stopped.stop_at = 5
    with pytest.raises(UserError, match=r"^stopped at step 5"):
        run(stopped, tmp_path / "parts")
    resumed = ToyTask(ema=0.8, scores={1: 0.1, 3: 0.5})
    run(resumed, tmp_path / "parts")
    got = load_checkpoint(tmp_path / "parts" / BEST, "pose").state_dict
    assert all(torch.equal(best[k], got[k]) for k in best)
    last = last_weights(whole)
    assert all(torch.equal(last[k], v) for k, v in last_weights(resumed).items())


@pytest.mark.parametrize("parts", [2, 3])  # of 5 images: 3 + 2 and 2 + 2 + 1
def test_a_batch_in_parts_teaches_as_a_whole(tmp_path: Path, parts: int) -> None:
    def trained(folder: str, accumulate: int) -> tuple[ToyTask, Any]:
        task = ToyTask(accumulate=accumulate)
        task.batches = TrainingBatches(
            ImagePlan({"real": 5, "synthetic": 9}, 5, Mix.constant(0.2), 0), task._load, 0
        )
        assert isinstance(task.network, nn.Sequential)
        task.network[1] = nn.Identity()  # batch norm sees one part at a time
        run(task, tmp_path / folder)
        return task, lines(tmp_path / folder)[-2]

    whole, expected = trained("whole", 1)
    in_parts, got = trained("parts", parts)
    assert in_parts.calls == parts * whole.calls
    assert got["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    for name, value in last_weights(whole).items():
        torch.testing.assert_close(last_weights(in_parts)[name], value, rtol=1e-3, atol=1e-5)


class TwoDomains(ToyTask):
    """Tells the loss of each image, which is far larger for a synthetic one."""

    def __init__(self, **training: Any) -> None:
        super().__init__(**training)
        self.seen: dict[str, list[float]] = {"real": [], "synthetic": []}

    def _load(self, draw: Draw, rng: np.random.Generator) -> Item:
        return {**super()._load(draw, rng), "domain": draw.source}

    def losses(self, network: nn.Module, batch: Item) -> dict[str, Tensor]:
        factors = torch.tensor([100.0 if d == "synthetic" else 1.0 for d in batch["domain"]])
        each = network(batch["image"]).square().mean((1, 2, 3)) * factors
        for domain, value in zip(batch["domain"], each.tolist(), strict=True):
            self.seen[domain].append(value)
        return {"loss": each.mean(), "each": each}


@pytest.mark.parametrize("parts", [1, 3])
def test_the_loss_of_each_domain_is_the_mean_over_its_images(tmp_path: Path, parts: int) -> None:
    task = TwoDomains(accumulate=parts)
    task.batches = TrainingBatches(  # 3.5 real images a batch, so three or four
        ImagePlan({"real": 5, "synthetic": 9}, 5, Mix.constant(0.3), 0), task._load, 0
    )
    run(task, tmp_path)
    logged = lines(tmp_path)[-2]
    means = {domain: np.mean(values) for domain, values in task.seen.items()}
    assert {domain: len(values) for domain, values in task.seen.items()} == logged["drawn"]
    assert logged["loss_by_domain"] == pytest.approx(means, rel=1e-5)
    assert logged["loss"] == pytest.approx(np.mean(np.concatenate([*task.seen.values()])), rel=1e-5)
    assert "each" not in logged
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    (event,) = board.Scalars("train/loss_by_domain/synthetic")
    assert (event.step, event.value) == (8, pytest.approx(means["synthetic"], rel=1e-5))


def test_a_domain_without_images_has_no_loss(tmp_path: Path) -> None:
    task = TwoDomains()
    task.batches = TrainingBatches(ImagePlan({"real": 5}, 4, Mix.constant(0.0), 0), task._load, 0)
    run(task, tmp_path)
    logged = lines(tmp_path)[-2]
    assert logged["loss_by_domain"] == {"real": pytest.approx(logged["loss"])}


def test_a_compiled_network_is_the_same_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ToyTask(ema=0.8)
    run(plain, tmp_path / "plain")
    compiled: list[object] = []

    def quick_compile(function: Callable[..., object], **_: object) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            compiled.append(function)
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(torch, "compile", quick_compile)
    task = ToyTask(ema=0.8, compile=True)
    run(task, tmp_path / "compiled")
    assert len(compiled) == 8  # every step, but not the average that is validated
    saved = [load_checkpoint(tmp_path / name / BEST, "pose") for name in ("plain", "compiled")]
    assert saved[0].state_dict.keys() == saved[1].state_dict.keys()
    for name, value in saved[0].state_dict.items():
        assert torch.equal(saved[1].state_dict[name], value)


def test_a_killed_run_forgets_what_came_after_its_last_state(tmp_path: Path) -> None:
    killed = ToyTask()
    killed.poison_at = 6
    with pytest.raises(UserError):
        run(killed, tmp_path)
    assert (tmp_path / "last").rename(tmp_path / "last.old")  # killed while replacing it
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 5, "kind": "train"}\n{"step": 6, "ki')
    resumed = ToyTask()
    run(resumed, tmp_path)
    assert resumed.calls == 4
    assert [line["step"] for line in lines(tmp_path)] == [2, 4, 6, 8, 8]
    whole = ToyTask()
    run(whole, tmp_path / "whole")
    assert torch.equal(whole.network[0].weight, resumed.network[0].weight)  # type: ignore[index]


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    run(ToyTask(), tmp_path)
    before = (tmp_path / "history.jsonl").read_text()
    again = ToyTask()
    run(again, tmp_path)
    assert again.calls == 0
    assert (tmp_path / "history.jsonl").read_text() == before


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.bin", "position.json"])
def test_a_damaged_state_is_told_and_left_alone(tmp_path: Path, name: str) -> None:
    task = ToyTask()
    task.stop_at = 5
    with pytest.raises(UserError, match="stopped at step 5"):
        run(task, tmp_path)
    state = tmp_path / "last" / name
    state.write_bytes(state.read_bytes()[:7])
    history = (tmp_path / "history.jsonl").read_bytes()
    with pytest.raises(UserError) as refused:
        run(ToyTask(), tmp_path)
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'last'}: the run cannot go on from this state, which")
    assert message.endswith(
        f"; {tmp_path / 'best.pt'} is the last good checkpoint; begin anew in another folder"
    )
    assert "\n" not in message
    assert len(state.read_bytes()) == 7 and (tmp_path / "history.jsonl").read_bytes() == history


def test_a_state_of_another_network_is_told(tmp_path: Path) -> None:
    task = ToyTask()
    task.stop_at = 5
    with pytest.raises(UserError, match="stopped at step 5"):
        run(task, tmp_path)
    other = ToyTask()
    other.network = nn.Sequential(nn.Conv2d(3, 1, 3), nn.BatchNorm2d(1))
    with pytest.raises(UserError, match="the run cannot go on from this state"):
        run(other, tmp_path)


def test_the_best_of_validation_is_kept(tmp_path: Path) -> None:
    run(ToyTask(scores={2: 0.1, 4: 0.7, 6: 0.7, 8: 0.3}), tmp_path)
    best = load_checkpoint(tmp_path / BEST, "pose")
    assert (best.step, best.metric) == (4, 0.7)
    assert best.config["training"]["steps"] == 8
    at_four = ToyTask(steps=8)
    at_four.stop_at = 4
    with pytest.raises(UserError, match=r"^stopped at step 4"):
        run(at_four, tmp_path / "four")
    weights = last_weights(at_four)
    assert all(torch.equal(best.state_dict[k], weights[k]) for k in weights)


def test_a_loss_that_is_not_finite_stops_and_names_the_images(tmp_path: Path) -> None:
    task = ToyTask()
    task.poison_at = 5
    drawn = [
        f"{d.source}{d.index}.jpg"
        for d in ImagePlan({"real": 5, "synthetic": 9}, 4, Mix.constant(0.25), 0).batch(4)
    ]
    expected = (
        f"the loss is nan at step 5, on the images {', '.join(drawn)}; {tmp_path / BEST} is the "
        "last good checkpoint; a lower training.learning_rate may help"
    )
    with pytest.raises(UserError, match=rf"^{re.escape(expected)}$"):
        run(task, tmp_path)
    assert load_checkpoint(tmp_path / BEST, "pose").step in (2, 4)


@pytest.mark.parametrize("stop_at", [None, 5])
def test_weights_that_are_not_finite_replace_nothing(tmp_path: Path, stop_at: int | None) -> None:
    """A step whose loss was fine may spoil the weights just before they would be kept."""

    class Spoiled(ToyTask):
        def losses(self, network: nn.Module, batch: Item) -> dict[str, Tensor]:
            losses = super().losses(network, batch)
            if self.calls == (self.stop_at or 6):  # no value, but a gradient of 0 * infinity
                bias = next(network.parameters()).flatten()[0]
                losses["loss"] = losses["loss"] + 0 * (bias - bias.detach()).abs().sqrt()
            return losses

    task = Spoiled(scores={2: 0.1, 4: 0.2, 6: 0.9})
    task.stop_at = stop_at
    step = stop_at or 6
    drawn = [
        f"{d.source}{d.index}.jpg"
        for d in ImagePlan({"real": 5, "synthetic": 9}, 4, Mix.constant(0.25), 0).batch(step - 1)
    ]
    expected = (
        f"weights are not finite after step {step}, on the images {', '.join(drawn)}; "
        f"{tmp_path / BEST} is the last good checkpoint; a lower training.learning_rate may help"
    )
    with pytest.raises(UserError, match=rf"^{re.escape(expected)}$"):
        run(task, tmp_path)
    assert load_checkpoint(tmp_path / BEST, "pose").step == 4
    resumed = ToyTask(scores={2: 0.3, 4: 0.4})
    run(resumed, tmp_path)  # from step 4
    assert all(v.isfinite().all() for v in last_weights(resumed).values())


def test_learning_rate() -> None:
    cosine = TrainingConfig(steps=110, schedule=Schedule(warmup_steps=10))
    assert learning_rate_factor(0, cosine) == pytest.approx(1 / 11)
    assert learning_rate_factor(9, cosine) == pytest.approx(10 / 11)
    assert [learning_rate_factor(s, cosine) for s in (10, 60, 110)] == pytest.approx([1, 0.5, 0])
    steps = TrainingConfig(
        steps=210, schedule=Schedule(kind="steps", milestones=(170 / 210, 200 / 210))
    )
    assert [learning_rate_factor(s, steps) for s in (0, 169, 170, 199, 200)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01]
    )


def test_checkpoints_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    save_checkpoint(path, Checkpoint("reid", {}, {"real": [4]}, {"w": torch.ones(2)}, 0.5, 3))
    assert load_checkpoint(path, "reid").classes == {"real": [4]}
    with pytest.raises(
        DataError, match=rf"^{path}: expected a checkpoint of kind 'pose', got 'reid'$"
    ):
        load_checkpoint(path, "pose")
    torch.save({"state_dict": {}}, path)
    with pytest.raises(DataError, match=rf"^{path}: is no checkpoint of this program"):
        load_checkpoint(path, "pose")
    torch.save(Path("code"), path)
    with pytest.raises(DataError, match=rf"^{path}: is no plain file of weights"):
        load_checkpoint(path, "pose")
    path.write_bytes(b"GIF89a")
    with pytest.raises(DataError, match=rf"^{path}: is no "):
        load_checkpoint(path, "pose")
    with pytest.raises(DataError, match=r"missing.pt: no such file of weights$"):
        load_checkpoint(tmp_path / "missing.pt", "pose")
