"""Keypoints of images from a trained pose network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pamtri.progress import progress
from train.augment import move
from train.batches import InOrder, Item, to_device
from train.checkpoint import fill_network, load_checkpoint, parse_checkpoint_config
from train.images import CropCache
from train.pose.codec import decode
from train.pose.config import PoseConfig, PoseModelConfig
from train.pose.data import plain_item, pose_view
from train.pose.network import PoseNetwork, heatmaps_from, mirrored_heatmaps
from train.sources import Sample

BATCH_SIZE = 32


class PosePredictor:
    """A trained pose network, ready to look at images."""

    def __init__(self, checkpoint: Path, device: torch.device) -> None:
        """Raises DataError when ``checkpoint`` is no pose checkpoint."""
        content = load_checkpoint(checkpoint, "pose")
        config = parse_checkpoint_config(checkpoint, content, PoseConfig)
        self._model = config.model.model_copy(update={"weights": "none"})
        network = PoseNetwork(self._model)
        fill_network(checkpoint, content, network)
        self._network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._device = device
        self._view = pose_view(config, CropCache(0))

    def predict(self, samples: list[Sample]) -> dict[str, NDArray[np.float64]]:
        """For each image's name, (36, 3): x, y in image pixels and confidence 0..1."""
        loader = InOrder(samples, partial(plain_item, self._view), BATCH_SIZE).loader()
        with progress(len(samples), "predict pose") as bar:
            points, confidence = predict_points(
                self._network, self._model, to_device(loader, self._device), bar.update
            )
        rows = np.concatenate([points, confidence[..., None]], axis=-1)
        return {sample.name: row for sample, row in zip(samples, rows, strict=True)}


@torch.no_grad()
def predict_points(
    network: nn.Module,
    model: PoseModelConfig,
    batches: Iterable[Item],
    done: Callable[[int], object] = lambda count: None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, 36, 2) in image pixels and confidences (n, 36) of all images of ``batches``.

    The network sees each image and its mirror image; their heatmaps are averaged.
    ``done`` is told how many images each batch had.
    """
    all_points, all_confidence = [], []
    for batch in batches:
        points, confidence = decode(_heatmaps(network, model, batch["image"]))
        for p, to_image in zip(points.double().cpu().numpy(), batch["to_image"], strict=True):
            all_points.append(move(p, to_image.cpu().numpy()))
        all_confidence.append(confidence.double().cpu().numpy())
        done(len(points))
    if not all_points:
        return np.zeros((0, 36, 2)), np.zeros((0, 36))
    return np.stack(all_points), np.concatenate(all_confidence)


def _heatmaps(network: nn.Module, model: PoseModelConfig, images: Tensor) -> Tensor:
    both = torch.cat([images, images.flip(-1)])
    straight, mirrored = heatmaps_from(network(both).float(), model).chunk(2)
    return (straight + mirrored_heatmaps(mirrored)) / 2
