"""Training a re-identification network: its batches, its loss and how it is validated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from numpy.typing import NDArray
from torch import Tensor, nn

from pamtri.angles import azimuth_scores
from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.errors import DataError
from pamtri.ranking import UNKNOWN as NO_CAMERA
from pamtri.ranking import rank_metrics
from train.batches import InOrder, Item, TrainingBatches, to_device
from train.curriculum import curriculum_of
from train.draws import Draw, IdentityPlan
from train.fourier import blend_of
from train.images import CropCache
from train.mixing import mix_of
from train.reid.azimuth import degrees
from train.reid.config import ReidConfig, ReidTrainingConfig
from train.reid.data import (
    augmented_item,
    has_identity,
    network_inputs,
    plain_item,
    reid_view,
)
from train.reid.embedding import Poses, open_poses
from train.reid.loss import ReidLoss
from train.reid.network import ReidNetwork
from train.reid.predict import BATCH_SIZE, run_network
from train.reid.start import start_from
from train.sources import Sample, open_split

ByIdentity = dict[str, dict[int, list[int]]]
"""Of each source: identity -> positions of its images among the source's."""


class ReidTask:
    """What the training loop needs to know of re-identification."""

    kind = "reid"
    metric = "mAP"
    """The validation metric that chooses the checkpoint: mAP of held-out identities."""
    reads_features = "identity_head"

    def __init__(self, config: ReidConfig, accelerator: Accelerator) -> None:
        """Open the data; raises DataError when it cannot train a re-identification network."""
        self.config = config
        split = open_split(config.data, config.domains, has_identity, "an identity")
        self.split = split
        self._training, self._validation = split.training, split.validation
        check_validation(self._validation)
        by_identity, notes = _trained_on(self._training, config.training)
        self._notes = notes + camera_notes(self._validation)
        if config.model.azimuth != "none":
            _check_labels(self._training, "viewpoint", "azimuth", "none")
        if config.model.keypoints:
            _check_labels(self._training, "keypoints", "keypoints", "false")
        self.classes: dict[str, list[int]] | None = {
            name: list(groups) for name, groups in by_identity.items()
        }
        keys = [(name, identity) for name, groups in by_identity.items() for identity in groups]
        self._class_of = {key: i for i, key in enumerate(keys)}
        share = max(1, config.training.workers)
        self._view = reid_view(config.model, CropCache(config.data.cache_mb * 2**20 // share))
        plan = self._plan(by_identity)
        self.batches = TrainingBatches(
            plan,
            self._load,
            config.seed,
            accelerator.process_index,
            accelerator.num_processes,
            blend_of(config.mixing),
        )
        network = ReidNetwork(config.model, len(keys), config.loss)
        self._notes += start_from(network, config.model, self.classes)
        self.network: nn.Module = network
        self._loss = ReidLoss(config.loss, network.learned)
        # After the network, whose first weights must not depend on another that is drawn as well.
        self._poses = self._open_poses(accelerator.device)

    def describe(self) -> str:
        """The data in a line."""
        assert self.classes is not None
        parts = [
            f"{len(samples)} {name} images of {len(self.classes[name])} identities"
            for name, samples in self._training.items()
        ]
        line = f"reid: {' + '.join(parts)}, {len(self._validation)} images to validate"
        return "\n".join([line, *self._notes])

    def losses(self, network: nn.Module, batch: Item) -> dict[str, Tensor]:
        """``loss`` of one batch and its terms."""
        return self._loss(network(*network_inputs(self._poses.complete(batch))), batch)

    def validate(self, network: nn.Module, accelerator: Accelerator) -> dict[str, Any]:
        """mAP and rank-1 of held-out identities, each image a query against all others."""
        mine = self._validation[accelerator.process_index :: accelerator.num_processes]
        batches = InOrder(mine, self._plain_item, BATCH_SIZE).loader()
        complete = map(self._poses.complete, to_device(batches, accelerator.device))
        values = run_network(network, complete)
        rows = gather_object(
            [
                (sample, {name: value[i] for name, value in values.items()})
                for i, sample in enumerate(mine)
            ]
        )
        return validation_metrics(
            [sample for sample, _ in rows],
            {name: np.stack([row[name] for _, row in rows]) for name in rows[0][1]},
        )

    def _plan(self, by_identity: ByIdentity) -> IdentityPlan:
        training = self.config.training
        cameras = {name: [s.record.camera for s in v] for name, v in self._training.items()}
        return IdentityPlan(
            {name: list(groups.values()) for name, groups in by_identity.items()},
            training.identities,
            training.images_per_identity,
            mix_of(self.config, {name: len(v) for name, v in self._training.items()}),
            self.config.seed,
            cameras if training.spread_cameras else None,
            _twins(self._training, by_identity) if training.twins_together else None,
            curriculum_of(self.config, self._training),
        )

    def _open_poses(self, device: torch.device) -> Poses:
        samples = [*self._validation, *(s for v in self._training.values() for s in v)]
        sources = sorted({sample.source for sample in samples})
        data = {**self.config.data.sources, "validation": self.config.data.validation}
        origins = {name: source.keypoints for name in sources if (source := data[name])}
        names = {name: f"data.{name}" for name in sources}
        return open_poses(self.config.model, samples, origins, names, device)

    def _load(self, draw: Draw, rng: np.random.Generator) -> Item:
        sample = self._training[draw.source][draw.index]
        item = augmented_item(self._view, sample, self._poses.source, self.config.augment, rng)
        identity = sample.record.identity
        assert identity is not None
        return {**item, "identity": self._class_of[draw.source, identity]}

    def _plain_item(self, sample: Sample) -> Item:
        return plain_item(self._view, sample, self._poses.source)


def _trained_on(
    training: dict[str, list[Sample]], config: ReidTrainingConfig
) -> tuple[ByIdentity, list[str]]:
    """The images of each identity that is trained on, and what is to be said of those with few.

    Images of identities that are left out leave ``training`` too. Raises DataError where that
    leaves none, or none has two images.
    """
    least, notes = config.images_per_identity, []
    by_identity: ByIdentity = {}
    for name, samples in training.items():
        groups = group_by_identity(samples)
        total = len(groups)
        few = {identity for identity, images in groups.items() if len(images) < least}
        leaves = few and config.few_images == "leave_out"
        _check_groups(name, groups, least if leaves else 2)
        if leaves:
            training[name] = [s for s in samples if s.record.identity not in few]
            groups = group_by_identity(training[name])
        if few:
            what = "are left out" if leaves else "come with repeated images"
            notes.append(
                f"data.{name}: {len(few)} of {total} identities have fewer than {least} images and "
                f"{what}"
            )
        by_identity[name] = groups
    return by_identity, notes


def _check_groups(name: str, groups: dict[int, list[int]], least: int) -> None:
    """Raise DataError where none of a source's identities has ``least`` images."""
    most = max(map(len, groups.values()))
    if most < least:
        hint = "" if least == 2 else "; lower training.images_per_identity, or let them be repeated"
        raise DataError(
            f"data.{name}: none of its {len(groups)} identities to train on has {least} images: "
            f"expected that many of each, got {most} at most{hint}"
        )


def _check_labels(training: dict[str, list[Sample]], label: str, head: str, off: str) -> None:
    """Raise DataError where no image has the ``label`` that teaches ``head``."""
    records = [s.record for samples in training.values() for s in samples]
    if all(getattr(record, label) is None for record in records):
        what = "a viewpoint" if label == "viewpoint" else label
        raise DataError(
            f"model.{head}: none of the {len(records)} images to train on has {what}; set it to "
            f"{off}"
        )


def _twins(training: dict[str, list[Sample]], by_identity: ByIdentity) -> dict[str, list[Hashable]]:
    """A key of each identity, which near twins share. Raises DataError when there are none."""
    keys: dict[str, list[Hashable]] = {}
    for name, groups in by_identity.items():
        models = [training[name][images[0]].record.vehicle_model for images in groups.values()]
        keys[name] = [
            ("identity", identity) if model is None else ("model", model)
            for identity, model in zip(groups, models, strict=True)
        ]
    if all(len(set(k)) == len(k) for k in keys.values()):
        raise DataError(
            "training.twins_together: no two identities to train on are near twins; render some "
            "with vehicle.twins, or set it to false"
        )
    return keys


def group_by_identity(samples: Sequence[Sample]) -> dict[int, list[int]]:
    """Identity -> positions of its samples, by ascending identity."""
    groups: dict[int, list[int]] = defaultdict(list)
    for i, sample in enumerate(samples):
        assert sample.record.identity is not None
        groups[sample.record.identity].append(i)
    return dict(sorted(groups.items()))


def validation_metrics(
    samples: Sequence[Sample], values: dict[str, np.ndarray]
) -> dict[str, float]:
    """mAP, rank-1 and, where there are predictions and labels, of colour, type and azimuth.

    Of these accuracies, and the median error in degrees and the share within 30.
    """
    ids = np.array([s.record.identity for s in samples])
    cameras = cameras_of(samples)
    names = np.array([str(s.path) for s in samples])
    features = values["feature"]
    ranking = rank_metrics(features, features, ids, ids, cameras, cameras, names, names)
    metrics = {"mAP": ranking.mean_average_precision or 0.0, "rank1": ranking.cmc(1)[0]}
    for name, index in (("colour", COLOUR_INDEX), ("type", TYPE_INDEX)):
        known = [i for i, s in enumerate(samples) if getattr(s.record, name) is not None]
        if name in values and known:
            true = [index[getattr(samples[i].record, name)] for i in known]
            right = values[name][known].argmax(axis=1) == np.array(true)
            metrics[f"{name}_accuracy"] = float(right.mean())
    if "azimuth" in values:
        views = [s.record.viewpoint for s in samples]
        azimuths = np.array([np.nan if v is None else v.azimuth_deg for v in views])
        metrics |= azimuth_scores(degrees(values["azimuth"]).astype(float), azimuths)
    return metrics


def check_validation(samples: Sequence[Sample]) -> None:
    """Raise DataError when no validation image has a match to be found."""
    cameras: dict[int | None, list[int]] = defaultdict(list)
    for sample, camera in zip(samples, cameras_of(samples).tolist(), strict=True):
        cameras[sample.record.identity].append(camera)
    if all(len(c) < 2 for c in cameras.values()):
        lacking = "has two images"
    elif not any(len(c) > 1 and (len(set(c)) > 1 or NO_CAMERA in c) for c in cameras.values()):
        lacking = "has two images from different cameras"
    else:
        return
    raise DataError(
        f"validation: none of its {len(cameras)} identities {lacking}; set data.validation, or a "
        "larger data.validation_fraction"
    )


def cameras_of(samples: Sequence[Sample]) -> NDArray[np.int64]:
    """(n,) cameras; where all images are of one, as if none were known, for none is another."""
    cameras = [NO_CAMERA if s.record.camera is None else s.record.camera for s in samples]
    one = len(set(cameras)) == 1
    return np.full(len(cameras), NO_CAMERA) if one else np.array(cameras, dtype=np.int64)


def camera_notes(samples: Sequence[Sample]) -> list[str]:
    """What is to be said where images are not left out for their cameras."""
    known = {s.record.camera for s in samples}
    if known == {None}:
        return ["validation: no camera is known: nothing is left out for it"]
    if None in known:
        return ["validation: cameras are not all known: where one is not, nothing is left out"]
    if len(known) == 1:
        return ["validation: all images are of one camera: nothing is left out for it"]
    return []
