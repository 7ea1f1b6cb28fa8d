"""What PAMTRI's multi-task network is called in its files, and as which of ours it is read.

The file does not say which variant it holds: the shapes of its first layer and of its layers before
the heads do. They are DenseNet-121 or ResNet-50, plain or with tasks, and with any embedding.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from pamtri.config import parse_config
from train.reid.backbone import RGB
from train.reid.config import Embedding, ReidConfig, ReidModelConfig
from train.reid.network import MAP_CHANNELS, POSE_VALUES

_FIRST = {"densenet121": "base.conv0.weight", "resnet50": "base.0.weight"}
_WIDTH = {"densenet121": 1024, "resnet50": 2048}
_STAGES = {"0": "conv1", "1": "bn1", **{str(3 + i): f"layer{i}" for i in (1, 2, 3, 4)}}
_HEADS = {
    "fc_vid.": "identity_layer.",
    "fc.": "identity_layer.",
    "fc_vcolor.": "attribute_heads.colour_head.0.",
    "fc_vtype.": "attribute_heads.type_head.0.",
    "classifier_vid.": "identity_head.",
    "classifier.": "identity_head.",
    "classifier_vcolor.": "attribute_heads.colour_head.2.",
    "classifier_vtype.": "attribute_heads.type_head.2.",
}
_LAYERS = ("fc_vid.weight", "fc.weight")
_IDENTITY = ("classifier_vid.weight", "classifier.weight")


def backbone_of(state: dict[str, Any]) -> str | None:
    """The backbone of a PAMTRI re-ID file's state; None when it is none."""
    return next((name for name, key in _FIRST.items() if key in state), None)


def own_name(key: str, backbone: str) -> str:
    """What ``ReidNetwork`` calls the file's ``key``."""
    for theirs, ours in _HEADS.items():
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    if backbone == "densenet121":
        return re.sub(r"^base\.", "backbone.features.", key)
    stage = re.match(r"base\.(\d)\.", key)
    if stage is None or stage[1] not in _STAGES:
        return key
    return f"backbone.{_STAGES[stage[1]]}.{key[stage.end() :]}"


def their_name(name: str, state: dict[str, Any], backbone: str) -> str:
    """``name`` of ``ReidNetwork`` in the words of a file of ``state``."""
    for theirs, ours in sorted(_HEADS.items(), key=lambda pair: f"{pair[0]}weight" not in state):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    if backbone == "densenet121":
        return re.sub(r"^backbone\.features\.", "base.", name)
    for theirs, ours in _STAGES.items():
        if name.startswith(f"backbone.{ours}."):
            return f"base.{theirs}.{name.removeprefix(f'backbone.{ours}.')}"
    return name


def model_of(state: dict[str, Any], backbone: str) -> ReidModelConfig:
    """The variant that a file holds, as far as its shapes tell."""
    maps = _shape(state, _FIRST[backbone])[1] - RGB
    kinds: list[Embedding] = ["keypoints"] if _embeds_keypoints(state, backbone) else []
    if maps in (MAP_CHANNELS["heatmaps"], sum(MAP_CHANNELS.values())):
        kinds.append("heatmaps")
    if maps in (MAP_CHANNELS["segments"], sum(MAP_CHANNELS.values())):
        kinds.append("segments")
    multitask = any(key.startswith(("fc_v", "classifier_vcolor")) for key in state)
    return ReidModelConfig(backbone=backbone, embedding=tuple(kinds), multitask=multitask)


def identities_of(state: dict[str, Any]) -> int:
    """How many vehicles a file tells apart."""
    return max(1, next((_shape(state, key)[0] for key in _IDENTITY if key in state), 1))


def config_of(source: Path, model: ReidModelConfig) -> ReidConfig:
    """A configuration that says what matters to use the network."""
    plain = {
        # What it was trained on is not in the file: the path names where it came from.
        "data": {"real": {"path": str(source)}},
        "mixing": {"synthetic_ratio": 0.0},
        "model": model.model_dump(mode="json"),
        "training": {"steps": 1},
    }
    return parse_config(plain, ReidConfig, str(source))


def _embeds_keypoints(state: dict[str, Any], backbone: str) -> bool:
    inputs = [_shape(state, key)[1] for key in _LAYERS if key in state]
    return _WIDTH[backbone] + POSE_VALUES in inputs


def _shape(state: dict[str, Any], key: str) -> tuple[int, int]:
    """The first two sides of a tensor of ``state``, 0 where it has none."""
    value = state[key]
    shape = tuple(value.shape) if isinstance(value, Tensor) else ()
    first, second, *_ = (*shape, 0, 0)
    return first, second
