"""What a re-identification training takes over from a checkpoint, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from pamtri.config import parse_config
from pamtri.dataset import DatasetInfo, write_native
from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.record import Viewpoint
from train.checkpoint import Checkpoint, save_checkpoint
from train.reid.config import ReidConfig
from train.reid.network import ReidNetwork
from train.reid.task import ReidTask


@pytest.fixture(scope="module")
def seen(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``real`` with the side from which each vehicle is seen."""
    target = tmp_path_factory.mktemp("data") / "seen"
    shutil.copytree(real / "images", target / "images")
    view = Viewpoint(azimuth_deg=40, elevation_deg=0)
    records = [r.model_copy(update={"viewpoint": view}) for r in open_dataset(real)]
    write_native(target, records, DatasetInfo(name="seen"))
    return target


TRAINED = {"real": [1, 2, 4]}
"""Of ``real``, what is not held out."""


def task(path: Path, weights: Path | str, loss: dict[str, Any] | None = None, **model: Any) -> Any:
    plain = {
        "data": {"real": {"path": str(path)}, "validation_fraction": 0.4},
        "mixing": {"synthetic_ratio": 0.0},
        "model": {
            "backbone": "resnet10t", "input_size": 32, "weights": str(weights), **model
        },
        "loss": loss or {},
        "training": {"steps": 1, "identities": 2, "images_per_identity": 2},
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return ReidTask(parse_config(plain, ReidConfig, "c"), Accelerator(cpu=True))


def checkpoint(
    path: Path, data: Path, classes: dict[str, list[int]], loss: dict[str, Any] | None = None,
    **model: Any,
) -> dict[str, torch.Tensor]:  # fmt: skip
    """Write one with weights of its own; its state."""
    config = task(data, "none", loss, **model).config
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = ReidNetwork(config.model, sum(map(len, classes.values())), config.loss)
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.add_(0.01 * torch.randn(value.shape))
    state = network.state_dict()
    save_checkpoint(path, Checkpoint("reid", config.model_dump(mode="json"), classes, state, 0, 9))
    return state


def test_a_checkpoint_of_the_same_identities_is_taken_over_whole(
    seen: Path, tmp_path: Path
) -> None:
    more: dict[str, Any] = {"neck": "bnneck", "pooling": "gem", "azimuth": "bins"}
    loss = {"centre": 0.1, "attribute_weights": "learned"}
    state = checkpoint(tmp_path / "a.pt", seen, TRAINED, loss, **more)
    started = task(seen, tmp_path / "a.pt", loss, **more)
    assert started.describe().splitlines()[1:] == [f"model.weights: {tmp_path / 'a.pt'}, step 9"]
    got = started.network.state_dict()
    assert got.keys() == state.keys()
    assert all(torch.equal(got[key], value) for key, value in state.items())


def test_other_identities_are_left_out_only_when_asked(seen: Path, tmp_path: Path) -> None:
    path, loss = tmp_path / "a.pt", {"centre": 0.1}
    classes = {"real": [8, 9], "synthetic": [0, 1, 2]}
    state = checkpoint(path, seen, classes, loss)
    with pytest.raises(
        DataError,
        match=rf"^model.weights: {path} tells 2 real and 3 synthetic identities apart, which are "
        r"not the 3 real identities to train on; set model.new_identities to true to begin with a "
        r"new identity head$",
    ):
        task(seen, path, loss)
    started = task(seen, path, loss, new_identities=True)
    assert started.describe().splitlines()[1:] == [
        f"model.weights: {path}, step 9; anew begin centres, identity_head"
    ]
    got, fresh = started.network.state_dict(), task(seen, "none", loss).network.state_dict()
    assert all(
        torch.equal(got[key], fresh[key] if key.startswith(("identity_head", "learned")) else value)
        for key, value in state.items()
    )


def test_as_many_other_identities_are_others(seen: Path, tmp_path: Path) -> None:
    checkpoint(tmp_path / "a.pt", seen, {"real": [1, 2, 5]})
    with pytest.raises(DataError, match="tells 3 real identities apart, which are not the 3 real"):
        task(seen, tmp_path / "a.pt")


def test_parts_that_a_checkpoint_lacks_begin_anew(seen: Path, tmp_path: Path) -> None:
    checkpoint(tmp_path / "a.pt", seen, TRAINED, multitask=False, neck="bnneck")
    started = task(seen, tmp_path / "a.pt", azimuth="sin_cos", neck="bnneck")
    assert (
        started.describe()
        .splitlines()[1]
        .endswith("step 9; anew begin azimuth_head, colour_head, type_head")
    )
    back = task(seen, tmp_path / "a.pt", multitask=False)
    assert (
        back.describe()
        .splitlines()[1]
        .endswith(
            "step 9; anew begin identity_head; unused are its neck"  # with a neck it has no bias
        )
    )


def test_parts_of_another_shape_are_refused(seen: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint(path, seen, TRAINED, azimuth="bins")
    with pytest.raises(
        DataError,
        match=rf"^model.weights: {path} does not fit: 'attribute_heads.azimuth_head.2.weight' has "
        r"the shape \(8, 512\), expected \(2, 512\)$",
    ):
        task(seen, path, azimuth="sin_cos")


def test_bare_weights_fill_the_backbone_alone(seen: Path, tmp_path: Path) -> None:
    state = checkpoint(tmp_path / "a.pt", seen, {"real": [8]})
    bare = {k.removeprefix("backbone."): v for k, v in state.items() if k.startswith("backbone.")}
    torch.save(bare, tmp_path / "bare.pt")
    started = task(seen, tmp_path / "bare.pt")
    assert started.describe().count("\n") == 0
    got, fresh = started.network.state_dict(), task(seen, "none").network.state_dict()
    assert torch.equal(got["backbone.conv1.0.weight"], state["backbone.conv1.0.weight"])
    assert torch.equal(got["identity_layer.weight"], fresh["identity_layer.weight"])
