"""Features of images from a trained re-identification network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pamtri.errors import DataError
from pamtri.features import Features, Labels
from pamtri.pictures import PLAIN
from pamtri.progress import progress
from train.batches import InOrder, Item, to_device
from train.checkpoint import fill_network, load_checkpoint, parse_checkpoint_config
from train.images import CropCache
from train.reid.azimuth import degrees, directions
from train.reid.config import ReidConfig, ReidModelConfig
from train.reid.data import mirrored_item, network_inputs, plain_item, reid_view
from train.reid.embedding import Origin, open_poses
from train.reid.network import ReidNetwork
from train.sources import Sample
from train.view import known_box

BATCH_SIZE = 64
TOLD = ("feature", "colour", "type", "azimuth")
Floats = NDArray[np.float32]


class PlainInput:
    """Images as a network is shown them when it is not trained."""

    def __init__(self, model: ReidModelConfig, device: torch.device) -> None:
        self._model, self._device = model, device
        self._view = reid_view(model, CropCache(0))

    def batches(
        self,
        samples: list[Sample],
        keypoints: Origin,
        name: str,
        size: int,
        mirrored: bool = False,
    ) -> Iterator[Item]:
        """Batches of ``size`` images in their order, or of their mirror images, on the device.

        See ``ReidPredictor.predict``.
        """
        sources = {sample.source for sample in samples}
        origins, names = dict.fromkeys(sources, keypoints), dict.fromkeys(sources, name)
        poses = open_poses(self._model, samples, origins, names, self._device)
        load = mirrored_item if mirrored else plain_item
        loader = InOrder(samples, lambda s: load(self._view, s, poses.source), size).loader()
        return map(poses.complete, to_device(loader, self._device))


class ReidPredictor:
    """A trained re-identification network, ready to look at images."""

    def __init__(self, checkpoint: Path, device: torch.device) -> None:
        """Raises DataError when ``checkpoint`` is no re-identification checkpoint."""
        self._path, self._device = checkpoint, device
        model, network = load_network(checkpoint)
        self._network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._input = PlainInput(model, device)

    def predict(
        self,
        samples: list[Sample],
        keypoints: Origin,
        name: str = "DATA",
        flip: bool = False,
    ) -> Features:
        """Features of ``samples``; ``keypoints`` is where an embedded pose comes from.

        ``flip`` takes the mean with what the network makes of the mirror image, pose and all; of
        features its direction, for lengths stay as they are. ``name`` is what the user calls the
        samples. Raises DataError where the pose of one is wanted and not there, or a feature is
        not finite.
        """
        values = self._look(samples, keypoints, name)
        if flip:
            mirrored = self._look(samples, keypoints, name, mirrored=True)
            if "azimuth" in mirrored:  # the mirrored vehicle is seen from the other side
                mirrored["azimuth"] = mirrored["azimuth"] * np.array([-1, 1], dtype=np.float32)
            values = {key: (value + mirrored[key]) / 2 for key, value in values.items()} | {
                "feature": between(values["feature"], mirrored["feature"])
            }
        return Features(
            self._path,
            tuple(s.name for s in samples),
            values["feature"],
            values.get("colour"),
            values.get("type"),
            tuple(s.path for s in samples),
            self.digest,
            _labels(samples),
            degrees(values["azimuth"]) if "azimuth" in values else None,
        )

    def _look(
        self,
        samples: list[Sample],
        keypoints: Origin,
        name: str,
        mirrored: bool = False,
    ) -> dict[str, Floats]:
        batches = self._input.batches(samples, keypoints, name, BATCH_SIZE, mirrored)
        with progress(len(samples), "predict reid") as bar:
            found = run_network(self._network, batches, bar.update)
        broken = np.flatnonzero(~np.isfinite(found["feature"]).all(axis=1))
        if len(broken):
            raise DataError(
                f"{self._path}: makes features that are not finite of {len(broken)} of "
                f"{len(samples)} images, first {samples[broken[0]].path}"
            )
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the checkpoint's file."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _labels(samples: list[Sample]) -> Labels | None:
    """What the samples' records say, with the boxes that are looked at."""
    if samples[0].source == PLAIN:
        return None
    return Labels.of([s.record.model_copy(update={"box": known_box(s)}) for s in samples])


def load_network(checkpoint: Path, **changes: object) -> tuple[ReidModelConfig, ReidNetwork]:
    """The network of a checkpoint, ready to look at images, and what it is.

    ``changes`` are values of its configuration that are to differ from the checkpoint's. Raises
    DataError when ``checkpoint`` is no re-identification checkpoint.
    """
    content = load_checkpoint(checkpoint, "reid")
    config = parse_checkpoint_config(checkpoint, content, ReidConfig)
    model = config.model.model_copy(update={"weights": "none", **changes})
    network = ReidNetwork(model, sum(map(len, (content.classes or {}).values())), config.loss)
    fill_network(checkpoint, content, network)
    return model, network.eval()


def between(features: Floats, others: Floats) -> Floats:
    """Half way from each of ``features`` (n, d) to that of ``others``, as long as the two are."""
    mean = (features + others) / 2
    lengths = (np.linalg.norm(features, axis=1) + np.linalg.norm(others, axis=1)) / 2
    scaled = mean * (lengths / np.maximum(np.linalg.norm(mean, axis=1), 1e-12))[:, None]
    return scaled.astype(np.float32)


def told(name: str, output: Tensor) -> Tensor:
    """An output of the network as it is told to others: see ``run_network``."""
    match name:
        case "feature":
            return output
        case "azimuth":
            return directions(output)
        case _:
            return output.softmax(dim=-1)


@torch.no_grad()
def run_network(
    network: nn.Module,
    batches: Iterable[Item],
    done: Callable[[int], object] = lambda count: None,
) -> dict[str, Floats]:
    """``feature`` (n, d) of all images and, where the network has them, colour, type and azimuth.

    Colour and type are probabilities, azimuth is a sine and a cosine (n, 2). ``done`` is told how
    many images each batch had.
    """
    collected: dict[str, list[Floats]] = {}
    for batch in batches:
        output = network(*network_inputs(batch))
        for name in TOLD:
            if name in output:
                values = told(name, output[name].float())
                collected.setdefault(name, []).append(values.cpu().numpy())
        done(len(batch["name"]))
    return {name: np.concatenate(parts) for name, parts in collected.items()}
