"""Features of images from any network: one of this program's, or one of timm's."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pamtri.errors import UserError
from pamtri.progress import progress
from train.augment import MEAN, STD
from train.batches import InOrder, Item, to_device
from train.images import CropCache
from train.pose.data import pose_view
from train.pose.network import PoseNetwork
from train.pose.predict import load_network
from train.reid.predict import ReidPredictor
from train.sources import Sample
from train.view import View
from train.weights import create_backbone, load_weights, read_state

RANDOM = "random"
RANDOM_BACKBONE = "resnet18"
BATCH_SIZE = 64
_SIDE = 224
"""Pixels, of networks that do not say what they were made for."""

Floats = NDArray[np.float32]


def image_features(
    network: str, backbone: str | None, samples: list[Sample], device: torch.device
) -> Floats:
    """(n, d) features of ``samples``.

    ``network`` is a checkpoint of this program (a re-ID network's retrieval features, a pose
    network's mean over the picture of what its heatmaps are made of), a file of weights of timm's
    network ``backbone``, or ``random``: a ``backbone`` with the random weights of seed 0, whose
    features tell colours and textures apart but know nothing of vehicles. Of timm's networks it is
    what comes before the classifier. Each is shown the vehicle's box as it was trained to see it,
    timm's a padded square about it.
    """
    kind = None if network == RANDOM else read_state(Path(network)).get("kind")
    if kind in ("pose", "reid") and backbone is not None:
        raise UserError(f"{network}: is a {kind} checkpoint, which needs no --backbone")
    if kind == "reid":
        return ReidPredictor(Path(network), device).predict(samples, "labels").features
    if kind == "pose":
        seeing, view = _pose(Path(network))
    else:
        seeing, view = _timm(network, backbone)
    return _run(seeing, view, samples, device)


class _PoseFeatures(nn.Module):
    """The mean over all places of what a pose network's heatmaps are made of."""

    def __init__(self, network: PoseNetwork) -> None:
        super().__init__()
        self._network = network

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, s, s) to (n, channels)."""
        return self._network.features(images).mean(dim=(-2, -1))


class _Renormalised(nn.Module):
    """A network of timm's, for images that were normalised with ImageNet's mean and deviation."""

    def __init__(self, network: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self._network = network
        self.scale = _by_channel(np.asarray(STD) / np.asarray(std))
        self.shift = _by_channel((np.asarray(MEAN) - np.asarray(mean)) / np.asarray(std))

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, s, s) to (n, d)."""
        features: Tensor = self._network(images * self.scale + self.shift)
        return features


def _by_channel(values: NDArray[np.floating]) -> nn.Buffer:
    return nn.Buffer(torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1), persistent=False)


def _pose(path: Path) -> tuple[nn.Module, View]:
    config, network = load_network(path)
    return _PoseFeatures(network), pose_view(
        config.model.input_size, config.box_scale, CropCache(0)
    )


def _timm(network: str, backbone: str | None) -> tuple[nn.Module, View]:
    if backbone is None and network != RANDOM:
        raise UserError(
            f"{network}: is no checkpoint of this program; say with --backbone which of timm's "
            "networks its weights are of"
        )
    name = backbone or RANDOM_BACKBONE
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seeing = create_backbone(name, num_classes=0)
    load_weights(seeing, name, "none" if network == RANDOM else network)
    known = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    side = known.input_size[-1] if known is not None else _SIDE
    if known is not None:
        seeing = _Renormalised(seeing, known.mean, known.std)
    return seeing, View(side, True, 1.0, 1.0, CropCache(0))


@torch.no_grad()
def _run(network: nn.Module, view: View, samples: list[Sample], device: torch.device) -> Floats:
    network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    loader = InOrder(samples, partial(_item, view), BATCH_SIZE).loader()
    parts: list[Floats] = []
    with progress(len(samples), "features") as bar:
        for batch in to_device(loader, device):
            parts.append(network(batch["image"]).float().flatten(1).cpu().numpy())
            bar.update(len(parts[-1]))
    return np.concatenate(parts)


def _item(view: View, sample: Sample) -> Item:
    return view.plain(sample)[0]
