"""The configuration of ``pamtri train pose``."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pamtri.config import Config, nearest
from train.config import Count, Positive, TrainConfig, TrainingConfig

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
SMALL_HRNETS = {"hrnet_w18_small": 16, "hrnet_w18_small_v2": 18}
"""Their names and the channels of their finest branch."""
_USUAL = (*SMALL_HRNETS, "hrnet_w18", "hrnet_w32", "hrnet_w48", *RESNETS)


def _known_backbone(name: str) -> str:
    if name not in _USUAL and not re.fullmatch(r"hrnet_w[1-9]\d{0,2}", name):
        names = ", ".join(_USUAL)
        raise ValueError(
            f"expected one of {names} or hrnet_w of another width, got '{name}'"
            f"{nearest(name, _USUAL)}"
        )
    return name


class PoseModelConfig(Config):
    """An HRNet (Sun et al., CVPR 2019) with a heatmap a keypoint at a quarter of the input.

    Or a ResNet with three deconvolutions (Xiao et al., ECCV 2018), PAMTRI's baseline.
    """

    backbone: Annotated[str, AfterValidator(_known_backbone)] = "hrnet_w32"
    """``hrnet_w18_small``, ``hrnet_w32``, ``hrnet_w48`` or another width, ``resnet50`` or another
    depth."""
    weights: str = "none"
    """``none``, ``imagenet`` or timm's name for weights (both downloaded by timm), or a file: a
    checkpoint of this program, PAMTRI's or HRNet's, or a state dict of the backbone."""
    input_size: Annotated[int, Field(ge=64, multiple_of=32)] = 256
    """Side of the square input, pixels."""
    sigma: Positive = 2.0
    """Standard deviation of a heatmap's Gaussian, heatmap pixels."""
    loss: Literal["mse", "softmax"] = "mse"
    """Mean squared error of heatmaps, as PAMTRI; or cross-entropy of a softmax over each heatmap,
    which learns in fewer steps."""
    visibility: bool = False
    """Also learn whether each keypoint is visible, occluded or absent, from labels that tell;
    the keypoints' places are learnt as without."""
    heatmap_pixel: Literal["middle", "first"] = "middle"
    """Which point of the input a heatmap pixel stands for: the middle of its 4 x 4 pixels, or the
    centre of the first of them, as in imported networks of PAMTRI's and HRNet's code."""


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
