"""Training a pose network: its batches, its loss and how it is validated."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, nn

from pamtri.pck import pck
from pamtri.progress import say
from pamtri.record import Keypoints
from train.batches import InOrder, Item, TrainingBatches, to_device
from train.curriculum import curriculum_of
from train.draws import Draw, ImagePlan
from train.fourier import blend_of
from train.images import CropCache
from train.mixing import mix_of
from train.pose.codec import STRIDE, encode
from train.pose.config import PoseConfig
from train.pose.data import (
    augmented_item,
    has_keypoints,
    plain_item,
    pose_view,
)
from train.pose.network import PoseNetwork, heatmap_losses, target_points
from train.pose.predict import predict_points
from train.pose.visibility import count_right, possible_states, visibility_losses
from train.sources import Sample, open_split


class PoseTask:
    """What the training loop needs to know of pose."""

    kind = "pose"
    metric = "pck"
    """The validation metric that chooses the checkpoint: PCK at PAMTRI's tolerance."""
    reads_features = "head"

    def __init__(self, config: PoseConfig, accelerator: Accelerator) -> None:
        """Open the data; raises DataError when it cannot train a pose network."""
        self.config = config
        self.classes: dict[str, list[int]] | None = None
        split = open_split(config.data, config.domains, has_keypoints, "a visible keypoint")
        self.split = split
        self._training, self._validation = split.training, split.validation
        share = max(1, config.training.workers)
        self._view = pose_view(
            config.model.input_size,
            config.box_scale,
            CropCache(config.data.cache_mb * 2**20 // share),
        )
        sizes = {source: len(samples) for source, samples in self._training.items()}
        self.batches = TrainingBatches(
            ImagePlan(
                sizes,
                config.training.batch_size,
                mix_of(config, sizes),
                config.seed,
                curriculum_of(config, self._training),
            ),
            self._load,
            config.seed,
            accelerator.process_index,
            accelerator.num_processes,
            blend_of(config.mixing),
        )
        self.network: nn.Module = PoseNetwork(config.model)
        self._blind_told = False

    def describe(self) -> str:
        """The data in a line."""
        parts = [f"{len(samples)} {source}" for source, samples in self._training.items()]
        return f"pose: {' + '.join(parts)} images, {len(self._validation)} to validate"

    def losses(self, network: nn.Module, batch: Item) -> dict[str, Tensor]:
        """``loss``, the term to minimise, of one batch, what it is the sum of, and ``each``."""
        model = self.config.model
        if not self._blind_told and not batch["weight"].any():
            self._blind_told = True
            say(
                f"no keypoint that teaches is in view in the images {', '.join(batch['name'])}: "
                "their batch teaches no places (said once)"
            )
        points = target_points(batch["points"], model)
        target = encode(points, model.input_size // STRIDE, model.sigma)
        if not model.visibility:
            output = network(batch["image"])
            each = heatmap_losses(output.float(), target, batch["weight"], model.loss)
            return {"loss": each.mean(), "each": each}
        output, scores = network(batch["image"], True)
        heatmaps = heatmap_losses(output.float(), target, batch["weight"], model.loss)
        visibility = visibility_losses(scores.float(), batch["possible"])
        each = heatmaps + visibility
        terms = {"loss": each, "heatmap": heatmaps, "visibility": visibility}
        return {**{name: term.mean() for name, term in terms.items()}, "each": each}

    def validate(self, network: nn.Module, accelerator: Accelerator) -> dict[str, Any]:
        """PCK of the validation images' visible keypoints, and the share of states told right.

        Where they are of several domains, PCK by domain too.
        """
        mine = self._validation[accelerator.process_index :: accelerator.num_processes]
        batches = InOrder(mine, partial(plain_item, self._view), self.config.training.batch_size)
        points, _, *shares = predict_points(
            network, self.config.model, to_device(batches.loader(), accelerator.device)
        )
        rows = gather_object(
            [
                (p, *_labels(sample), sample.record.domain)
                for p, sample in zip(points, mine, strict=True)
            ]
        )
        *columns, domains = (np.stack(column) for column in zip(*rows, strict=True))
        metrics: dict[str, Any] = {"pck": pck(*columns) or 0.0}
        if len(of_domain := {name: domains == name for name in np.unique(domains).tolist()}) > 1:
            metrics["pck_by_domain"] = {
                name: pck(*(column[chosen] for column in columns)) or 0.0
                for name, chosen in of_domain.items()
            }
        for of_images in shares:
            possible = [possible_states(_keypoints(sample).visibility) for sample in mine]
            counts = [count_right(*both) for both in zip(of_images, possible, strict=True)]
            right, known = np.sum(gather_object(counts), axis=0)
            metrics["visibility"] = float(right / max(1, known))
        return metrics

    def _load(self, draw: Draw, rng: np.random.Generator) -> Item:
        sample = self._training[draw.source][draw.index]
        config = self.config
        return augmented_item(self._view, sample, config.supervise, config.augment, rng)


def _labels(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """True points (36, 2) in image pixels and which of them can be seen (36,)."""
    keypoints = _keypoints(sample)
    return keypoints.xy_array(), keypoints.visible_array()


def _keypoints(sample: Sample) -> Keypoints:
    keypoints = sample.record.keypoints
    assert keypoints is not None
    return keypoints
