"""Backbones from timm, with weights from nowhere, from timm, or from a local file."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import timm
import torch
from safetensors.torch import load_file
from timm.models import hrnet
from torch import Tensor, nn

from pamtri.config import nearest
from pamtri.errors import ConfigError, DataError

_OPTIONAL = "num_batches_tracked"
_ANY_HRNET = re.compile(r"hrnet_w([1-9]\d{0,2})")


def create_backbone(name: str, **options: Any) -> Any:
    """timm's network ``name`` with its random first weights; ``options`` go to timm.

    ``hrnet_w<N>`` may have a width that timm does not list. Raises ConfigError for an unknown name.
    """
    if not timm.is_model(name):
        if width := _ANY_HRNET.fullmatch(name):
            return _hrnet(int(width[1]), **options)
        raise ConfigError(
            f"model.backbone: timm has no network '{name}'{nearest(name, timm.list_models())}"
        )
    return timm.create_model(name, **options)


def load_weights(
    backbone: nn.Module, name: str, weights: str, grown: str | None = None, **options: Any
) -> None:
    """Fill timm's network ``name``.

    ``weights`` is ``none``, ``imagenet`` (timm's own), one of timm's names for trained weights such
    as ``hrnet_w18_small.gluon_in1k``, or a file's path. ``options`` go to timm with the names.
    ``grown`` is the key of a first layer that looks at more than red, green and blue: where the
    source has those only, it keeps its own weights for the rest.
    Raises DataError for a file that does not hold this backbone.
    """
    if weights == "none":
        return
    source = name if weights == "imagenet" else weights
    if timm.is_model_pretrained(source):
        state = timm.create_model(source, pretrained=True, **options).state_dict()
        _load(backbone, state, f"timm's {source}", grown)
    elif weights == "imagenet":
        raise ConfigError(f"model.weights: timm has no ImageNet weights of '{name}'")
    else:
        _load(backbone, _backbone_part(read_state(Path(weights))), weights, grown)


def read_state(path: Path) -> dict[str, Any]:
    """The content of a ``.safetensors`` or PyTorch file; nothing in it is executed."""
    if not path.is_file():
        raise DataError(f"{path}: no such file of weights")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        with torch.serialization.safe_globals(_numbers()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, safetensors.SafetensorError) as error:
        raise DataError(f"{path}: is no file of weights: {_first_line(error)}") from None
    except Exception as error:  # the unpickler raises almost anything on foreign bytes
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        why = f"it holds a '{foreign[1]}'" if foreign else _first_line(error)
        raise DataError(f"{path}: is no plain file of weights: {why}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a dictionary of tensors, got {type(content).__name__}")
    return content


def unwrap(content: dict[str, Any]) -> dict[str, Any]:
    """The state dict in the content of a file, or the content itself where it is one.

    PAMTRI and HRNet write ``{"state_dict", "best_state_dict", "epoch", ...}``, where the first has
    its keys under ``module.`` and the second is what ``model_best.pth`` holds bare.
    """
    for name in ("best_state_dict", "state_dict"):
        if isinstance(content.get(name), dict):
            content = content[name]
            break
    while content and all(str(key).startswith("module.") for key in content):
        content = {key.removeprefix("module."): value for key, value in content.items()}
    return content


def describe_unfit(wanted: dict[str, Tensor], state: dict[str, Any]) -> list[str]:
    """A line for each key that keeps ``state`` from filling exactly what is ``wanted``."""
    lines = []
    for key, tensor in wanted.items():
        if key not in state:
            lines += [] if key.endswith(_OPTIONAL) else [f"{key}: missing"]
        elif not isinstance(state[key], Tensor):
            lines.append(f"{key}: expected a tensor, got {type(state[key]).__name__}")
        elif state[key].shape != tensor.shape:
            expected, got = tuple(tensor.shape), tuple(state[key].shape)
            lines.append(f"{key}: expected the shape {expected}, got {got}")
    return lines + [f"{key}: unknown" for key in state if key not in wanted]


def _hrnet(width: int, **options: Any) -> nn.Module:
    """An HRNet like timm's, of any width."""
    layout: dict[str, Any] = copy.deepcopy(hrnet.cfg_cls["hrnet_w32"])
    for branches, stage in enumerate(("stage2", "stage3", "stage4"), start=2):
        layout[stage]["num_channels"] = tuple(width * 2**i for i in range(branches))
    network: nn.Module = hrnet.HighResolutionNet(layout, **options)
    return network


def _numbers() -> list[Any]:
    """What a file may hold beside tensors: NumPy's numbers, as PAMTRI's ``perf`` is one."""
    kinds = [type(np.dtype(name)) for name in ("float64", "float32", "int64")]
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return [np.dtype, *kinds, *((_number, name) for name in names)]


def _number(kind: np.dtype[Any], data: bytes = b"") -> Any:
    """A NumPy number out of its bytes; NumPy's own reader would take any object."""
    return np.frombuffer(data, kind)[0].item()


def _backbone_part(content: dict[str, Any]) -> dict[str, Tensor]:
    """The backbone's tensors of a checkpoint of this program, or all of a bare state dict."""
    state = unwrap(content)
    own = {k.removeprefix("backbone."): v for k, v in state.items() if k.startswith("backbone.")}
    return own or state


def _load(backbone: nn.Module, state: dict[str, Tensor], source: str, grown: str | None) -> None:
    """Copy what the backbone needs out of ``state``, which may hold more, such as a head."""
    wanted = backbone.state_dict()
    if grown is not None and grown in state and state[grown].shape[1] < wanted[grown].shape[1]:
        more = wanted[grown][:, state[grown].shape[1] :]
        state = {**state, grown: torch.cat([state[grown], more], dim=1)}
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
