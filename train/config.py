"""What every training configuration shares: where images come from, how they mix, how long."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from pamtri.config import Config
from train.mixing_config import (
    BY_SIZE,
    DOMAINS,
    REAL,
    SYNTHETIC,
    CurriculumConfig,
    MixingConfig,
    NonNegative,
    Positive,
    RatioSchedule,
    Share,
    Stage,
)

Count = Annotated[int, Field(ge=1)]


class SourceConfig(Config):
    """One data set, in any layout that ``pamtri dataset info`` reads."""

    path: Path
    format: str | None = None
    """The layout's name; detected where null."""
    splits: tuple[str, ...] | None = ("train",)
    """The splits to use; null for every image."""
    keypoints: Literal["labels"] | Path = "labels"
    """Where an embedded pose comes from: the records; a file of ``pamtri predict pose`` (CSV or
    ``.npy``); or a pose network (``.pt`` or ``.onnx``), which looks at each image as it is trained
    on, after augmentation."""
    limit: Count | None = None
    """At most so many of the images, chosen by their names: more of them include fewer."""
    weight: Positive = 1.0
    """Against the other sources of its domain; with ``mixing.synthetic_ratio: by_size`` how often
    each of its images comes while one of weight 1 comes once."""


def _one_or_several(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


Sources = Annotated[
    Annotated[SourceConfig, Tag("one")] | Annotated[tuple[SourceConfig, ...], Tag("several")],
    Discriminator(_one_or_several),
]
"""One data set, or a list of them."""


class DataConfig(Config):
    """The data sets of one training."""

    real: Sources | None = None
    synthetic: Sources | None = None
    validation: SourceConfig | None = None
    """Where null, ``validation_fraction`` is held out, by identity, from ``real`` if there is one,
    else from ``synthetic``."""
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.15
    cache_mb: Count = 2048
    """Memory for decoded and reduced images, megabytes."""

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> DataConfig:
        if not (self.real or self.synthetic):
            raise ValueError("expected a data set in 'real' or 'synthetic', got neither")
        return self

    @property
    def sources(self) -> dict[str, SourceConfig]:
        """The data sets to train on by name: their place in the configuration.

        As in ``real`` and ``synthetic``, or ``synthetic.0`` and ``synthetic.1`` of a list.
        """
        return {name: source for domain in DOMAINS for name, source in self._of(domain)}

    def _of(self, domain: str) -> Iterator[tuple[str, SourceConfig]]:
        match getattr(self, domain):
            case SourceConfig() as source:
                yield domain, source
            case tuple() as several:
                yield from ((f"{domain}.{i}", source) for i, source in enumerate(several))


class AugmentConfig(Config):
    """Random changes of an image and, alike, of its keypoints. Zero switches one off."""

    scale: Share = 0.0
    """Size times or divided by up to 1 + this."""
    shift: Share = 0.0
    """Displacement in each direction up to this share of the input."""
    rotation_deg: NonNegative = 0.0
    """Standard deviation of a turn; clipped to twice that."""
    rotation_probability: Share = 0.6
    flip: Share = 0.5
    """Probability of the mirror image; left and right keypoints swap names."""
    half: Share = 0.0
    """Probability of a view onto a part of the vehicle: half of its points, or of its box."""
    brightness: Share = 0.0
    contrast: Share = 0.0
    saturation: Share = 0.0
    """Factors 1 +- this."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Turn of the colour circle, +- this share of it."""
    gamma: NonNegative = 0.0
    """Each colour channel's gain and exponent, times or divided by up to 1 + this."""
    grey: Share = 0.0
    """Probability of a picture without colours."""
    low_resolution: Share = 0.0
    """Probability of a reduction by up to 4, enlarged again."""
    blur: Share = 0.0
    """Probability of a Gaussian blur of 0.3 to 1.5 pixels."""
    noise: Share = 0.0
    """Probability of Gaussian noise of up to 0.06 of the value range."""
    jpeg: Share = 0.0
    """Probability of JPEG compression at quality 20 to 70."""
    occlusion: Share = 0.0
    """Probability of one to three patches over up to 0.4 of each side, each of one colour, noise
    or a piece of the image."""


class Schedule(Config):
    """Learning rate over the run: linear warm-up, then a cosine to zero or steps."""

    kind: Literal["cosine", "steps"] = "cosine"
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    milestones: tuple[Share, ...] = ()
    """Shares of the run after which ``steps`` multiplies the rate by 0.1."""


class TrainingConfig(Config):
    """The optimisation budget and how it is spent."""

    steps: Count
    optimiser: Literal["adam", "adamw"] = "adamw"
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.0
    schedule: Schedule = Schedule()
    validate_every: Count = 500
    """Steps between validations; the run's state is saved after each."""
    accumulate: Count = 1
    """Parts that each batch is worked through in, for less memory: gradients are those of the
    whole, but batch norm and triplets see one part at a time."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the moving average of the weights, which is what is validated and kept as best;
    0 for none. It begins lower, 1 - step ** (-2/3), so that short runs gain too."""
    mixed_precision: Literal["no", "bf16", "fp16"] = "no"
    compile: bool = False
    """Let torch.compile make faster code of the network: the first steps take minutes."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that load images; 0 loads in the training process."""


class TrainConfig(Config):
    """Base of the pose and re-identification configurations."""

    seed: Annotated[int, Field(ge=0)] = 0
    data: DataConfig
    mixing: MixingConfig = MixingConfig()
    curriculum: CurriculumConfig | None = None
    augment: AugmentConfig = AugmentConfig()
    training: TrainingConfig
    stages: tuple[Stage, ...] = ()
    """One after another, as in synthetic pre-training, a mix, fine-tuning on real images; without,
    the run is one stage."""

    @property
    def ratios(self) -> list[float | str | RatioSchedule]:
        """The synthetic ratio of each stage."""
        own = [stage.synthetic_ratio for stage in self.stages] or [None]
        return [self.mixing.synthetic_ratio if ratio is None else ratio for ratio in own]

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that images are drawn from at some time."""
        shares = [share for ratio in self.ratios for share in self._shares(ratio)]
        needed = {REAL: min(shares) < 1, SYNTHETIC: max(shares) > 0}
        return tuple(name for name, is_needed in needed.items() if is_needed)

    @model_validator(mode="after")
    def _stages_fill_the_run(self) -> TrainConfig:
        total = math.fsum(stage.share for stage in self.stages)
        if self.stages and not math.isclose(total, 1, abs_tol=1e-6):
            raise ValueError(f"stages: expected shares that add up to 1, got {total:g}")
        return self

    @model_validator(mode="after")
    def _mixed_sources_exist(self) -> TrainConfig:
        for name in self.domains:
            if not getattr(self.data, name):
                shown = [r if isinstance(r, float | str) else "schedule" for r in self.ratios]
                ratio = " / ".join(f"{r:g}" if isinstance(r, float) else r for r in shown)
                raise ValueError(f"mixing.synthetic_ratio {ratio} needs data.{name}, got none")
        return self

    @model_validator(mode="after")
    def _domains_to_bring_together(self) -> TrainConfig:
        switches = {"fourier", "domain_batch_norm", "adversary"}
        on = [name for name in sorted(switches) if getattr(self.mixing, name)]
        if on and len(self.domains) < len(DOMAINS):
            raise ValueError(
                f"mixing.{on[0]} needs real and synthetic images, got {self.domains[0]} alone"
            )
        return self

    def _shares(self, ratio: float | str | RatioSchedule) -> list[float]:
        """Shares between whose smallest and largest all of a ratio's lie."""
        if isinstance(ratio, RatioSchedule):
            return [share for _, share in ratio.points]
        if ratio == BY_SIZE:
            return [0.0] * (self.data.real is not None) + [1.0] * (self.data.synthetic is not None)
        return [float(ratio)]
