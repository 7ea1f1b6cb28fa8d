"""A re-identification training that is stopped and resumed ends with the same bits."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from pamtri.config import parse_config
from pamtri.dataset import DatasetInfo, write_native
from pamtri.errors import UserError
from pamtri.formats import open_dataset
from train.batches import Item
from train.checkpoint import load_checkpoint
from train.reid.config import ReidConfig
from train.reid.task import ReidTask
from train.run import train_run


def config(real: Path, synthetic: Path, **mixing: object) -> ReidConfig:
    """With all that has a state of its own: the average, centres, learned weights, the neck."""
    plain = {
        "data": {
            "real": {"path": str(real)}, "synthetic": {"path": str(synthetic), "splits": None},
            "validation_fraction": 0.4,
        },
        "mixing": mixing,
        "model": {
            "backbone": "resnet10t", "input_size": 32, "embedding": ["keypoints", "segments"],
            "neck": "bnneck", "pooling": "gem",
        },
        "loss": {"centre": 0.01, "circle": 0.1, "attribute_weights": "learned"},
        "augment": {"flip": 0.5, "brightness": 0.3, "occlusion": 0.5},
        "training": {
            "steps": 5, "identities": 4, "images_per_identity": 2, "validate_every": 2,
        },
    }  # fmt: skip
    return parse_config(plain, ReidConfig, "c")


@pytest.mark.parametrize("mixing", [{"adversary": 0.1}])
def test_a_resumed_training_ends_with_the_same_bits(
    real: Path,
    synthetic: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mixing: dict[str, object],
) -> None:
    settings = config(real, synthetic, **mixing)
    train_run(settings, tmp_path / "whole")
    losses, calls = ReidTask.losses, []

    def stopping(task: ReidTask, network: nn.Module, batch: Item) -> dict[str, Tensor]:
        calls.append(batch["name"])
        if len(calls) == 3:  # between validations
            os.kill(os.getpid(), signal.SIGTERM)
        return losses(task, network, batch)

    monkeypatch.setattr(ReidTask, "losses", stopping)
    with pytest.raises(UserError, match=r"^stopped at step 3 of 5; continue with --resume$"):
        train_run(settings, tmp_path / "parts")
    torch.rand(3)  # another program's draws
    train_run(settings, tmp_path / "parts", resume=True)
    assert len(calls) == 5
    states = ["model.safetensors", "optimizer.bin"]
    for name in [*states, *(["model_1.safetensors"] if mixing else [])]:
        whole, parts = (tmp_path / run / "last" / name for run in ("whole", "parts"))
        assert whole.read_bytes() == parts.read_bytes(), name
    best = [load_checkpoint(tmp_path / run / "best.pt", "reid") for run in ("whole", "parts")]
    assert (best[0].step, best[0].metric) == (best[1].step, best[1].metric)
    for key, value in best[0].state_dict.items():
        assert torch.equal(value, best[1].state_dict[key]), key
    assert best[0].state_dict["learned.centres"].abs().sum() > 0


def test_no_identity_is_both_trained_on_and_validated(real: Path, synthetic: Path) -> None:
    task = ReidTask(config(real, synthetic), Accelerator(cpu=True))
    trained = {s.record.identity for s in task.split.training["real"]}
    validated = {s.record.identity for s in task.split.validation}
    assert trained and validated and not trained & validated
    assert {s.source for s in task.split.validation} == {"real"}


def test_a_run_is_not_resumed_on_other_identities(
    real: Path, synthetic: Path, tmp_path: Path
) -> None:
    """A vehicle was rendered anew in the meantime: there are as many, but one is another."""
    grown = tmp_path / "grown"
    shutil.copytree(synthetic, grown)
    settings = config(real, grown)
    train_run(settings, tmp_path / "run")
    records = [*open_dataset(grown)]
    records = [r.model_copy(update={"identity": 7}) if r.identity == 4 else r for r in records]
    shutil.rmtree(grown)
    shutil.copytree(synthetic / "images", grown / "images")
    write_native(grown, records, DatasetInfo(name="grown"))
    with pytest.raises(
        UserError,
        match=rf"^{tmp_path}/run/best.pt: knows other identities than there are to train on now, "
        r"so that the run cannot be continued; has its data changed\?$",
    ):
        train_run(settings, tmp_path / "run", resume=True)
