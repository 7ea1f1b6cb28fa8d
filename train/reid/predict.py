"""Features of images from a trained re-identification network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pamtri.features import Features, Labels
from pamtri.progress import progress
from train.batches import InOrder, Item, to_device
from train.checkpoint import fill_network, load_checkpoint, parse_checkpoint_config
from train.images import CropCache
from train.reid.config import ReidConfig
from train.reid.data import network_inputs, plain_item, reid_view
from train.reid.embedding import Origin, open_poses
from train.reid.network import ReidNetwork
from train.sources import PICTURES, Sample

BATCH_SIZE = 64
Floats = NDArray[np.float32]


class ReidPredictor:
    """A trained re-identification network, ready to look at images."""

    def __init__(self, checkpoint: Path, device: torch.device) -> None:
        """Raises DataError when ``checkpoint`` is no re-identification checkpoint."""
        self._path = checkpoint
        content = load_checkpoint(checkpoint, "reid")
        config = parse_checkpoint_config(checkpoint, content, ReidConfig)
        self._model = config.model.model_copy(update={"weights": "none"})
        identities = sum(map(len, (content.classes or {}).values()))
        network = ReidNetwork(self._model, identities, config.loss)
        fill_network(checkpoint, content, network)
        self._network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._device = device
        self._view = reid_view(self._model, CropCache(0))

    def predict(self, samples: list[Sample], keypoints: Origin, name: str = "DATA") -> Features:
        """Features of ``samples``; ``keypoints`` is where an embedded pose comes from.

        ``name`` is what the user calls the samples. Raises DataError where the pose of one is
        wanted and not there.
        """
        sources = {sample.source for sample in samples}
        origins, names = dict.fromkeys(sources, keypoints), dict.fromkeys(sources, name)
        poses = open_poses(self._model, samples, origins, names, self._device)
        loader = InOrder(
            samples, lambda s: plain_item(self._view, s, poses.source), BATCH_SIZE
        ).loader()
        with progress(len(samples), "predict reid") as bar:
            complete = map(poses.complete, to_device(loader, self._device))
            values = run_network(self._network, complete, bar.update)
        return Features(
            self._path,
            tuple(s.name for s in samples),
            values["feature"],
            values.get("colour"),
            values.get("type"),
            tuple(s.path for s in samples),
            self.digest,
            None if samples[0].source == PICTURES else Labels.of([s.record for s in samples]),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the checkpoint's file."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@torch.no_grad()
def run_network(
    network: nn.Module,
    batches: Iterable[Item],
    done: Callable[[int], object] = lambda count: None,
) -> dict[str, Floats]:
    """``feature`` (n, d) of all images and, where the network has them, colour and type scores.

    Scores are probabilities. ``done`` is told how many images each batch had.
    """
    collected: dict[str, list[Floats]] = {}
    for batch in batches:
        output = network(*network_inputs(batch))
        for name in ("feature", "colour", "type"):
            if name in output:
                values = output[name].float()
                values = values if name == "feature" else values.softmax(dim=-1)
                collected.setdefault(name, []).append(values.cpu().numpy())
        done(len(batch["name"]))
    return {name: np.concatenate(parts) for name, parts in collected.items()}
