"""Starting a re-identification network from another that was trained before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from pamtri.errors import DataError
from train.checkpoint import Checkpoint, load_checkpoint
from train.reid.config import ReidModelConfig
from train.reid.network import ReidNetwork
from train.weights import read_state

Classes = Mapping[str, Sequence[int]]
_OF_CLASSES = ("identity_head.", "learned.centres")
"""What a network knows of each identity that it was trained on, and of no other."""
_BACKBONE = "backbone."


def start_from(network: ReidNetwork, model: ReidModelConfig, classes: Classes) -> list[str]:
    """Fill ``network`` with all that the checkpoint in ``model.weights`` has, if it is one.

    The backbone is filled already. Of what comes behind it, parts that the checkpoint lacks begin
    anew, and so does what knows identities where ``model.new_identities`` asks for it; a line tells
    which, and what the checkpoint has beyond the network. Raises DataError where a part has another
    shape, and where the checkpoint was trained on other identities than ``classes`` and was not to
    leave them out.
    """
    path = Path(model.weights)
    if not path.is_file() or read_state(path).get("kind") != "reid":
        return []
    checkpoint = load_checkpoint(path, "reid")
    wanted, state = network.state_dict(), checkpoint.state_dict
    if model.new_identities:
        state = {key: value for key, value in state.items() if not key.startswith(_OF_CLASSES)}
    else:
        _check_identities(path, checkpoint, classes)
    wanted = {key: value for key, value in wanted.items() if not key.startswith(_BACKBONE)}
    _check_shapes(path, wanted, state)
    network.load_state_dict({key: state[key] for key in wanted if key in state}, strict=False)
    anew = _parts(wanted.keys() - state.keys(), "; anew begin")
    unused = _parts(state.keys() - network.state_dict().keys(), "; unused are its")
    return [f"model.weights: {path}, step {checkpoint.step}{anew}{unused}"]


def _check_identities(path: Path, checkpoint: Checkpoint, classes: Classes) -> None:
    theirs = checkpoint.classes or {}
    if theirs != classes:
        raise DataError(
            f"model.weights: {path} tells {_counted(theirs)} apart, which are not the "
            f"{_counted(classes)} to train on; set model.new_identities to true to begin with a "
            "new identity head"
        )


def _check_shapes(path: Path, wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    for key, value in wanted.items():
        if key in state and state[key].shape != value.shape:
            raise DataError(
                f"model.weights: {path} does not fit: '{key}' has the shape "
                f"{tuple(state[key].shape)}, expected {tuple(value.shape)}"
            )


def _counted(classes: Classes) -> str:
    """Such as ``3 real and 5 synthetic identities``."""
    counts = [f"{len(identities)} {name}" for name, identities in classes.items()]
    return f"{' and '.join(counts) or 'no'} identities"


def _parts(keys: Iterable[str], words: str) -> str:
    """The parts of a network that tensors belong to, behind ``words``; nothing where none."""
    split = [key.split(".") for key in keys]
    parts = {p[1] if p[0] in ("attribute_heads", "learned") else p[0] for p in split}
    return f"{words} {', '.join(sorted(parts))}" if parts else ""
