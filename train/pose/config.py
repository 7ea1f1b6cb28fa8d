"""The configuration of ``pamtri train pose``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pamtri.config import Config
from train.config import Count, Positive, TrainConfig, TrainingConfig


class PoseModelConfig(Config):
    """An HRNet (Sun et al., CVPR 2019) with a heatmap a keypoint at a quarter of the input."""

    backbone: Literal["hrnet_w18_small", "hrnet_w18_small_v2", "hrnet_w18", "hrnet_w32",
                      "hrnet_w48"] = "hrnet_w32"  # fmt: skip
    weights: str = "none"
    """``none``, ``imagenet`` (downloaded by timm), or a file: a checkpoint of this program or a
    state dict of the backbone."""
    input_size: Annotated[int, Field(ge=64, multiple_of=32)] = 256
    """Side of the square input, pixels."""
    sigma: Positive = 2.0
    """Standard deviation of a heatmap's Gaussian, heatmap pixels."""
    loss: Literal["mse", "softmax"] = "mse"
    """Mean squared error of heatmaps, as PAMTRI; or cross-entropy of a softmax over each heatmap,
    which learns in fewer steps."""


class PoseTrainingConfig(TrainingConfig):
    """The budget, in batches of single images."""

    batch_size: Count = 32
    """Images a step, all processes together."""


class PoseConfig(TrainConfig):
    """Data, model, augmentation and budget of a pose network."""

    training: PoseTrainingConfig
    model: PoseModelConfig = PoseModelConfig()
    supervise: Literal["visible", "all"] = "visible"
    """Which labelled keypoints inside the input teach: those that can be seen, or hidden ones
    whose place is known too."""
    box_scale: Positive = 1.25
    """The vehicle's box, padded to a square, is enlarged by this."""
