"""Backbones from timm, with weights from nowhere, from timm, or from a local file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors
import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from pamtri.config import nearest
from pamtri.errors import ConfigError, DataError

_OPTIONAL = "num_batches_tracked"


def create_backbone(name: str, **options: Any) -> Any:
    """timm's network ``name`` with its random first weights; ``options`` go to timm.

    Raises ConfigError for an unknown name.
    """
    if not timm.is_model(name):
        raise ConfigError(
            f"model.backbone: timm has no network '{name}'{nearest(name, timm.list_models())}"
        )
    return timm.create_model(name, **options)


def load_weights(backbone: nn.Module, name: str, weights: str) -> None:
    """Fill timm's network ``name``: ``none``, ``imagenet`` (timm's own) or a file's path.

    Raises DataError for a file that does not hold this backbone.
    """
    if weights == "imagenet":
        _load(backbone, timm.create_model(name, pretrained=True).state_dict(), f"timm's {name}")
    elif weights != "none":
        _load(backbone, _backbone_part(read_state(Path(weights))), weights)


def read_state(path: Path) -> dict[str, Any]:
    """The content of a ``.safetensors`` or PyTorch file; nothing in it is executed."""
    if not path.is_file():
        raise DataError(f"{path}: no such file of weights")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, safetensors.SafetensorError) as error:
        raise DataError(f"{path}: is no file of weights: {_first_line(error)}") from None
    except Exception as error:  # the unpickler raises almost anything on foreign bytes
        raise DataError(f"{path}: is no plain file of weights: {_first_line(error)}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a dictionary of tensors, got {type(content).__name__}")
    return content


def _backbone_part(content: dict[str, Any]) -> dict[str, Tensor]:
    """The backbone's tensors of a checkpoint of this program, or all of a bare state dict."""
    state = content.get("state_dict", content)
    own = {k.removeprefix("backbone."): v for k, v in state.items() if k.startswith("backbone.")}
    return own or state


def _load(backbone: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Copy what the backbone needs out of ``state``, which may hold more, such as a head."""
    wanted = backbone.state_dict()
    unfit = [
        key
        for key, tensor in wanted.items()
        if not key.endswith(_OPTIONAL) and (key not in state or state[key].shape != tensor.shape)
    ]
    if unfit:
        raise DataError(
            f"{source}: does not hold this backbone: {len(unfit)} of {len(wanted)} tensors are "
            f"missing or have another shape, first '{unfit[0]}'"
        )
    backbone.load_state_dict({k: state.get(k, v) for k, v in wanted.items()})


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
