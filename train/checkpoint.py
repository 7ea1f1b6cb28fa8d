"""The file of a trained network: its weights and all that is needed to use them.

``best.pt`` is ``{"kind", "config", "classes", "state_dict", "metric", "step"}`` in plain data and
tensors, so that reading one executes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pamtri.config import ConfigT, parse_config
from pamtri.errors import DataError
from train.weights import read_state

SUFFIX, ONNX_SUFFIX = ".pt", ".onnx"
"""Endings of a checkpoint, and of what ``pamtri export`` makes of one (``train.onnx_file``)."""


@dataclass(frozen=True)
class Checkpoint:
    """One trained network."""

    kind: str
    """``pose`` or ``reid``."""
    config: dict[str, Any]
    """The resolved configuration of the training."""
    classes: dict[str, list[int]] | None
    """Identities of each source in the order of the identity head; None for a pose network."""
    state_dict: dict[str, Tensor]
    metric: float
    """The validation metric that it was chosen for."""
    step: int
    """Optimisation steps that it has seen."""


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``path`` so that a crash leaves the old file or the new one."""
    save_plain(path, asdict(checkpoint))


def save_plain(path: Path, content: dict[str, Any]) -> None:
    """Write plain data and tensors, so that a crash leaves the old file or the new one."""
    temporary = path.with_name(path.name + ".part")
    torch.save(content, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path, kind: str) -> Checkpoint:
    """Read a checkpoint of a ``pose`` or ``reid`` network.

    Raises DataError when it is none, or one of the other kind.
    """
    checkpoint = _read(path)
    if checkpoint.kind != kind:
        raise DataError(f"{path}: expected a checkpoint of kind '{kind}', got '{checkpoint.kind}'")
    return checkpoint


def kind_of(path: Path) -> str:
    """``pose`` or ``reid``. Raises DataError when ``path`` is no checkpoint."""
    return _read(path).kind


def _read(path: Path) -> Checkpoint:
    content = read_state(path)
    names = Checkpoint.__dataclass_fields__
    missing = [name for name in names if name not in content]
    if missing:
        raise DataError(f"{path}: is no checkpoint of this program (it has no '{missing[0]}')")
    return Checkpoint(**{name: content[name] for name in names})


def parse_checkpoint_config(path: Path, checkpoint: Checkpoint, model: type[ConfigT]) -> ConfigT:
    """The configuration inside a checkpoint, checked."""
    return parse_config(checkpoint.config, model, source=f"{path} (its configuration)")


def fill_network(path: Path, checkpoint: Checkpoint, network: nn.Module) -> None:
    """Copy the checkpoint's weights into ``network``.

    Raises DataError when the network is of another architecture.
    """
    wanted, state = network.state_dict(), checkpoint.state_dict
    unfit = [k for k in {**wanted, **state} if _shape(state.get(k)) != _shape(wanted.get(k))]
    if unfit:
        first = unfit[0]
        raise DataError(
            f"{path}: holds another architecture than its configuration describes: "
            f"{len(unfit)} tensors do not fit, first '{first}' ({_shape(state.get(first))}, "
            f"expected {_shape(wanted.get(first))})"
        )
    network.load_state_dict(state)


def _shape(tensor: Tensor | None) -> str:
    return "not there" if tensor is None else f"shape {list(tensor.shape)}"
