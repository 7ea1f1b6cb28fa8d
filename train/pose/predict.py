"""Keypoints of images from a trained pose network, in a checkpoint or an ONNX file."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pamtri.pose import Pose
from pamtri.progress import progress
from train.augment import move
from train.batches import InOrder, Item
from train.checkpoint import ONNX_SUFFIX, fill_network, load_checkpoint, parse_checkpoint_config
from train.images import CropCache, Image
from train.pose.config import PoseConfig, PoseModelConfig
from train.pose.data import picture_item, pose_view
from train.pose.network import PoseNetwork
from train.pose.reader import PoseReader
from train.pose.visibility import STATES
from train.sources import Sample
from train.view import View

BATCH_SIZE = 32
DEFAULT_NETWORK = Path(__file__).parent / "models" / "sim2real.onnx"
"""The network that comes with the program: it has seen renders alone."""


class Network(Protocol):
    """A trained network, wherever it runs."""

    view: View
    """How it wants to see vehicles."""

    def read(self, pictures: Image) -> list[NDArray[np.float32]]:
        """Of pictures (n, s, s, 3): ``train.pose.reader.Readings`` as arrays."""


class TorchPose:
    """The network of a checkpoint."""

    def __init__(self, checkpoint: Path, device: torch.device) -> None:
        """Raises DataError when ``checkpoint`` is no pose checkpoint."""
        config, reader = load_reader(checkpoint)
        self.view = pose_view(config.model.input_size, config.box_scale, CropCache(0))
        self._reader = reader.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    @torch.no_grad()
    def read(self, pictures: Image) -> list[NDArray[np.float32]]:
        """See ``Network``."""
        readings = self._reader(torch.from_numpy(pictures).to(self._device))
        return [reading.cpu().numpy() for reading in readings]


def load_reader(checkpoint: Path) -> tuple[PoseConfig, PoseReader]:
    """The network of a checkpoint, ready to look at pictures, and its training's configuration.

    Raises DataError when ``checkpoint`` is no pose checkpoint.
    """
    config, network = load_network(checkpoint)
    return config, PoseReader(network, config.model).eval()


def load_network(checkpoint: Path) -> tuple[PoseConfig, PoseNetwork]:
    """The network of a checkpoint and its training's configuration.

    Raises DataError when ``checkpoint`` is no pose checkpoint.
    """
    content = load_checkpoint(checkpoint, "pose")
    config = parse_checkpoint_config(checkpoint, content, PoseConfig)
    network = PoseNetwork(config.model.model_copy(update={"weights": "none"}))
    fill_network(checkpoint, content, network)
    return config, network


class PosePredictor:
    """A trained pose network, ready to look at images."""

    def __init__(self, file: Path, device: torch.device) -> None:
        """Of a checkpoint or, by its ending, an ONNX file; raises DataError when it is neither."""
        self._network = _open_network(file, device)

    def predict(self, samples: list[Sample]) -> dict[str, Pose]:
        """The pose of each image by the image's name."""
        poses: list[Pose] = []
        loader = InOrder(samples, partial(picture_item, self._network.view), BATCH_SIZE).loader()
        with progress(len(samples), "predict pose") as bar:
            for batch in loader:
                readings = self._network.read(batch["picture"].numpy())
                maps, sizes = batch["to_image"].numpy(), batch["size"].tolist()
                poses += map(_pose, sizes, maps, *readings)
                bar.update(len(maps))
        return {sample.name: pose for sample, pose in zip(samples, poses, strict=True)}


def _open_network(file: Path, device: torch.device) -> Network:
    if file.suffix != ONNX_SUFFIX:
        return TorchPose(file, device)
    from train.pose.onnx_file import OnnxPose  # training needs no onnxruntime

    return OnnxPose(file, device)


def _pose(
    size: tuple[int, int],
    to_image: NDArray[np.float64],
    points: NDArray[np.float32],
    peak: NDArray[np.float32],
    visibility: NDArray[np.float32] | None = None,
) -> Pose:
    return Pose(
        size=(size[0], size[1]),
        points=move(points.astype(float), to_image),
        peak=peak.astype(float),
        visibility=None if visibility is None else visibility.astype(float),
    )


@torch.no_grad()
def predict_points(
    network: nn.Module, model: PoseModelConfig, batches: Iterable[Item]
) -> list[NDArray[np.float64]]:
    """``train.pose.reader.Readings`` of all images of ``batches``, the points in image pixels.

    For a network in training, whose batches are normalised already.
    """
    reader = PoseReader(network, model)
    shapes = [(36, 2), (36,), (36, len(STATES))][: 3 if model.visibility else 2]
    parts = [[np.zeros((0, *shape))] for shape in shapes]
    for batch in batches:
        points, *rest = (r.double().cpu().numpy() for r in reader.read(batch["image"]))
        maps = batch["to_image"].cpu().numpy()
        points = np.stack([move(p, to_image) for p, to_image in zip(points, maps, strict=True)])
        for part, values in zip(parts, (points, *rest), strict=True):
            part.append(values)
    return [np.concatenate(part) for part in parts]
