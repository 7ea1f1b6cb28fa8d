"""From the configured data sets to the images that are trained on and validated on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.pictures import PLAIN, open_images
from pamtri.record import Record
from train.config import DataConfig, SourceConfig
from train.mixing import domain_of
from train.mixing_config import REAL, SYNTHETIC

_HELD_OUT = 4  # stream of random numbers


@dataclass(frozen=True)
class Sample:
    """One image: its file and what is known of it, and the source that it came from."""

    path: Path
    record: Record
    source: str
    """The data set's name in the configuration; ``pamtri.pictures.PLAIN`` of images in none."""

    @property
    def name(self) -> str:
        """The image file's base name."""
        return self.path.name

    @property
    def mask_path(self) -> Path | None:
        """Where the record's mask lies, if it has one."""
        root = self.path.parents[len(Path(self.record.image).parts) - 1]
        return root / self.record.mask if self.record.mask else None


@dataclass(frozen=True)
class Split:
    """Training images by source (see ``DataConfig.sources``), and validation images."""

    training: dict[str, list[Sample]]
    validation: list[Sample]


def open_split(
    data: DataConfig, domains: Sequence[str], usable: Callable[[Sample], bool], expected: str
) -> Split:
    """Open the sources of ``domains``, keep ``usable`` images, hold some out.

    Which images are held out depends on nothing but the source's identities: it is the same for
    every seed, ratio and task, so that trainings of one comparison are chosen alike.
    Raises DataError when a source has no usable image (``expected`` says what makes one usable).
    """
    training = {
        name: _usable(source, name, usable, expected)
        for name, source in data.sources.items()
        if domain_of(name) in domains
    }
    if data.validation is not None:
        return Split(training, _usable(data.validation, "validation", usable, expected))
    main = REAL if data.real is not None else SYNTHETIC
    validation: list[Sample] = []
    for name, source in data.sources.items():
        if domain_of(name) == main:
            samples = training.get(name) or _usable(source, name, usable, expected)
            kept, held_out = hold_out(samples, data.validation_fraction)
            validation += held_out
            if name in training:
                if not kept:
                    raise DataError(
                        f"data.{name}: {source.path} has too few identities to hold out "
                        "validation images; set data.validation"
                    )
                training[name] = kept
    return Split(training, validation)


def hold_out(samples: Sequence[Sample], fraction: float) -> tuple[list[Sample], list[Sample]]:
    """Divide by identity: (kept, held out), about ``fraction`` of the identities held out.

    Images without an identity each count as one of their own.
    """
    identities = [
        ("image", s.record.image) if s.record.identity is None else ("identity", s.record.identity)
        for s in samples
    ]
    ordered = sorted(set(identities), key=str)
    order = np.random.default_rng([_HELD_OUT, len(ordered)]).permutation(len(ordered))
    count = max(1, round(fraction * len(ordered)))
    held = {ordered[i] for i in order[:count]}
    kept = [s for s, identity in zip(samples, identities, strict=True) if identity not in held]
    out = [s for s, identity in zip(samples, identities, strict=True) if identity in held]
    return kept, out


def open_samples(source: SourceConfig, name: str) -> list[Sample]:
    """All images of a data set's splits, in its order; ``name`` is the source's."""
    dataset = open_dataset(source.path, source.format)
    if source.splits is not None:
        dataset = dataset.only(*source.splits)
    return samples_of(dataset, name)


def samples_of(dataset: Dataset, name: str) -> list[Sample]:
    """The images of ``dataset`` as samples of source ``name``."""
    return [Sample(dataset.image_path(r), r, name) for r in dataset]


def open_for_prediction(
    path: Path, layout: str | None = None, splits: Sequence[str] = ()
) -> list[Sample]:
    """The images of a data set's splits (all without ``splits``), of a plain folder, or one file.

    A picture that is in several splits, as VeRi's queries are, comes once. Raises DataError when
    two images of a split have the same base name, since predictions are filed by it.
    """
    if path.is_file() and layout is None and not splits:
        return [Sample(path, Record(image=path.name, domain="real"), PLAIN)]
    if splits:
        return _unique(samples_of(open_dataset(path, layout).only(*splits), ""))
    images = open_images(path, layout)
    return _unique(samples_of(images, PLAIN if images.format == PLAIN else ""))


def _unique(samples: list[Sample]) -> list[Sample]:
    first: dict[str, Sample] = {}
    for sample in samples:
        other = first.setdefault(sample.name, sample)
        if other is not sample and other.record.split == sample.record.split:
            raise DataError(
                f"{sample.path}: has the same name as {other.path}; predictions are filed by the "
                "image's name, so each must have its own"
            )
    return list(first.values())


def _usable(
    source: SourceConfig, name: str, usable: Callable[[Sample], bool], expected: str
) -> list[Sample]:
    samples = open_samples(source, name)
    chosen = [s for s in samples if usable(s)]
    if not chosen:
        raise DataError(
            f"data.{name}: none of the {len(samples)} images of {source.path} has {expected}"
        )
    if source.limit is None:
        return chosen
    kept = {s.record.image for s in sorted(chosen, key=_lot)[: source.limit]}
    return [s for s in chosen if s.record.image in kept]


def _lot(sample: Sample) -> bytes:
    """A number drawn for an image, by its name."""
    return blake2b(sample.record.image.encode(), digest_size=16).digest()
