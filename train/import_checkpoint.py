"""Checkpoints of PAMTRI's and HRNet's own code as files of this program.

Recognised are ``pose_hrnet`` of any width and ``pose_resnet`` with a heatmap for each of the 36
keypoints, PAMTRI's multi-task network in all its variants, and HRNet's ImageNet files. Every key
has its place and every place its key, or the file is refused: no weight is left at random in
silence.

Those pose networks count from the centre of the first pixel, so that their heatmap pixel j stands
for the input's 4 j + 0.5 and not for 4 j + 2 (see ``train.pose.codec``): ``model.heatmap_pixel``
says so, and predictions heed it. The network's own output is the original's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pamtri.config import parse_config
from pamtri.errors import DataError
from pamtri.keypoints import NUM_KEYPOINTS
from train.checkpoint import Checkpoint, save_checkpoint, save_plain
from train.mixing_config import REAL
from train.pose.config import RESNETS, SMALL_HRNETS, PoseConfig, PoseModelConfig
from train.pose.network import PoseNetwork
from train.reid import importing as reid
from train.reid.network import ReidNetwork
from train.weights import create_backbone, describe_unfit, read_state, unwrap

_POSE_HRNET = "pose_hrnet"
_POSE_RESNET = "pose_resnet"
_REID = "re-ID network"
_IMAGENET_HRNET = "ImageNet HRNet"
_HRNET_WIDTH = "stage2.0.branches.0.0.conv1.weight"
_CLASSIFIER = ("incre_modules.", "downsamp_modules.", "classifier.", "final_layer.0.")
_RENAMED = {"final_layer.": "head.", "deconv_layers.": "upsample."}


@dataclass(frozen=True)
class Imported:
    """What a foreign file turned out to be."""

    kind: str
    """``pose_hrnet``, ``pose_resnet``, ``re-ID network`` or ``ImageNet HRNet``."""
    backbone: str
    """The name that ``model.backbone`` has for it."""
    tensors: int
    """How many tensors came over."""

    @property
    def is_pose(self) -> bool:
        """Whether it finds keypoints."""
        return self.kind in (_POSE_HRNET, _POSE_RESNET)

    @property
    def is_reid(self) -> bool:
        """Whether it tells vehicles apart; what does neither is to start a training from."""
        return self.kind == _REID


def import_checkpoint(source: Path, target: Path) -> Imported:
    """Write what ``source`` holds to ``target``.

    A pose or re-ID network becomes a checkpoint like ``best.pt``; an ImageNet file a file of
    weights for ``model.weights``. Raises DataError, with the keys that do not fit, for anything
    else.
    """
    content = read_state(source)
    state = unwrap(content)
    kind = _recognise(source, state)
    if kind == _REID:
        name, checkpoint = _reid_checkpoint(source, state)
        save_checkpoint(target, checkpoint)
    elif kind == _IMAGENET_HRNET:
        head = "classification" if any(k.startswith(_CLASSIFIER) for k in state) else ""
        name, network = _fit(
            source, kind, state, _hrnet_names(state), lambda n: create_backbone(n, head=head), str
        )
        save_plain(target, {"backbone": name, "state_dict": network.state_dict()})
    else:
        names = RESNETS if kind == _POSE_RESNET else _hrnet_names(state)
        renamed = {_own_key(key): value for key, value in state.items()}
        name, network = _fit(source, kind, renamed, names, _pose_network, _their_key)
        save_checkpoint(target, _pose_checkpoint(source, name, network, content.get("perf")))
    return Imported(kind, name, len(state))


def _recognise(source: Path, state: dict[str, Any]) -> str:
    """What kind of network the keys of ``state`` are of."""
    named = all(isinstance(key, str) for key in state)
    if named and _HRNET_WIDTH in state:
        return _POSE_HRNET if "final_layer.weight" in state else _IMAGENET_HRNET
    if named and "deconv_layers.0.weight" in state:
        return _POSE_RESNET
    if named and reid.backbone_of(state):
        return _REID
    shown = ", ".join(f"'{key}'" for key in list(state)[:3])
    raise DataError(
        f"{source}: expected a pose_hrnet, a pose_resnet, PAMTRI's re-ID network or an "
        f"ImageNet HRNet, got {len(state)} keys{f' such as {shown}' if shown else ''}"
    )


def _hrnet_names(state: dict[str, Any]) -> list[str]:
    """The backbones that an HRNet's first branch may belong to."""
    first = state[_HRNET_WIDTH]
    width = len(first) if isinstance(first, Tensor) and first.ndim == 4 else 0
    small = [name for name, narrowest in SMALL_HRNETS.items() if width == narrowest]
    return [f"hrnet_w{width if 0 < width < 1000 else 32}", *small]


def _pose_network(name: str) -> nn.Module:
    return PoseNetwork(PoseModelConfig(backbone=name))


def _own_key(key: str) -> str:
    """The key of PAMTRI's networks as ``PoseNetwork`` has it."""
    for theirs, ours in _RENAMED.items():
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return f"backbone.{key}"


def _their_key(key: str) -> str:
    for theirs, ours in _RENAMED.items():
        if key.startswith(ours):
            return theirs + key.removeprefix(ours)
    return key.removeprefix("backbone.")


def _fit(
    source: Path,
    kind: str,
    state: dict[str, Any],
    names: Iterable[str],
    build: Callable[[str], nn.Module],
    their_key: Callable[[str], str],
) -> tuple[str, nn.Module]:
    """The backbone of ``names`` that ``state`` fits, and its network filled with it.

    ``their_key`` is what a line that starts with one of our keys says in the file's words.
    Raises DataError with the keys that do not fit the one that comes closest.
    """
    unfit = {name: describe_unfit(_shapes(build, name), state) for name in names}
    closest = min(unfit, key=lambda name: len(unfit[name]))
    if lines := unfit[closest]:
        hint = ""
        if any(line.startswith("head.") for line in lines):
            hint = (
                f" (its head must have {NUM_KEYPOINTS} heatmaps; to train from its backbone alone, "
                "name the file in model.weights)"
            )
        listed = "\n  ".join(their_key(line) for line in lines)
        article = "an" if kind == _IMAGENET_HRNET else "a"
        raise DataError(
            f"{source}: looks like {article} {kind} on {closest}, but {len(lines)} keys do not "
            f"fit{hint}:\n  {listed}"
        )
    with torch.random.fork_rng(devices=[]):
        network = build(closest)
    network.load_state_dict({key: state.get(key, v) for key, v in network.state_dict().items()})
    return closest, network


def _reid_checkpoint(source: Path, state: dict[str, Any]) -> tuple[str, Checkpoint]:
    """The backbone of PAMTRI's multi-task network, and its checkpoint."""
    backbone = reid.backbone_of(state)
    assert backbone is not None
    config = reid.config_of(source, reid.model_of(state, backbone))
    identities = reid.identities_of(state)
    renamed = {reid.own_name(key, backbone): value for key, value in state.items()}

    def their_key(line: str) -> str:
        return reid.their_name(line, state, backbone)

    def build(name: str) -> nn.Module:
        return ReidNetwork(config.model, identities)

    _, network = _fit(source, _REID, renamed, [backbone], build, their_key)
    checkpoint = Checkpoint(
        kind="reid",
        config=config.model_dump(mode="json"),
        # Which vehicles they were is not in the file: they are numbered.
        classes={REAL: list(range(identities))},
        state_dict=network.state_dict(),
        metric=math.nan,
        step=0,
    )
    return backbone, checkpoint


def _shapes(build: Callable[[str], nn.Module], name: str) -> dict[str, Tensor]:
    """The tensors of a network without their memory."""
    with torch.device("meta"):
        return build(name).state_dict()


def _pose_checkpoint(source: Path, backbone: str, network: nn.Module, perf: Any) -> Checkpoint:
    """A checkpoint whose configuration is PAMTRI's, as far as it matters to use the network."""
    plain = {
        # What it was trained on is not in the file: the path names where it came from.
        "data": {"real": {"path": str(source)}},
        "mixing": {"synthetic_ratio": 0.0},
        "model": {
            "backbone": backbone,
            "input_size": 256,
            "sigma": 2.0,
            "loss": "mse",
            "heatmap_pixel": "first",
        },
        "training": {"steps": 1},
        "box_scale": 1.25,
    }
    return Checkpoint(
        kind="pose",
        config=parse_config(plain, PoseConfig, str(source)).model_dump(mode="json"),
        classes=None,
        state_dict=network.state_dict(),
        metric=float(perf) if isinstance(perf, int | float) else math.nan,
        step=0,
    )
