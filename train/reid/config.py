"""The configuration of ``pamtri train reid``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pamtri.config import Config
from train.config import NonNegative, TrainConfig, TrainingConfig


class ReidModelConfig(Config):
    """A timm backbone with pooled features, PAMTRI's pose embedding and its task heads."""

    backbone: str = "densenet121"
    """Any timm image network."""
    weights: str = "none"
    """``none``, ``imagenet`` (downloaded by timm), or a file: a checkpoint of this program or a
    state dict of the backbone."""
    input_size: Annotated[int, Field(ge=32)] = 256
    """Side of the square input, pixels."""
    embedding: tuple[Literal["keypoints"], ...] = ()
    """What is known of the pose and given to the network beside the picture."""
    multitask: bool = True
    """Learn colour and type beside identity."""


class ReidLossConfig(Config):
    """Weights of the terms of the loss; PAMTRI's by default."""

    identity: NonNegative = 1.0
    triplet: NonNegative = 1.0
    triplet_margin: NonNegative = 0.3
    colour: NonNegative = 0.125
    type: NonNegative = 0.125
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0


class ReidTrainingConfig(TrainingConfig):
    """The budget, in batches of several images of each of several identities."""

    identities: Annotated[int, Field(ge=2)] = 8
    """Identities a step, all processes together."""
    images_per_identity: Annotated[int, Field(ge=2)] = 4


class ReidConfig(TrainConfig):
    """Data, model, augmentation and budget of a re-identification network."""

    training: ReidTrainingConfig
    model: ReidModelConfig = ReidModelConfig()
    loss: ReidLossConfig = ReidLossConfig()
