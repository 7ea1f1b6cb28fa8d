"""What every training configuration shares: where images come from, how they mix, how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pamtri.config import Config

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


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


class DataConfig(Config):
    """The data sets of one training."""

    real: SourceConfig | None = None
    synthetic: SourceConfig | None = None
    validation: SourceConfig | None = None
    """Where null, ``validation_fraction`` is held out, by identity, from ``real`` if there is one,
    else from ``synthetic``."""
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.15
    cache_mb: Count = 2048
    """Memory for decoded and reduced images, megabytes."""

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> DataConfig:
        if self.real is None and self.synthetic is None:
            raise ValueError("expected a data set in 'real' or 'synthetic', got neither")
        return self


class MixingConfig(Config):
    """How batches are made up."""

    synthetic_ratio: Share = 0.5
    """Synthetic share of every batch: 0 is real images only, 1 synthetic only."""


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
    augment: AugmentConfig = AugmentConfig()
    training: TrainingConfig

    @model_validator(mode="after")
    def _mixed_sources_exist(self) -> TrainConfig:
        ratio = self.mixing.synthetic_ratio
        for name, needed in (("synthetic", ratio > 0), ("real", ratio < 1)):
            if needed and getattr(self.data, name) is None:
                raise ValueError(f"mixing.synthetic_ratio {ratio:g} needs data.{name}, got null")
        return self
