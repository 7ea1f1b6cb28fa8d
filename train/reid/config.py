"""The configuration of ``pamtri train reid``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pamtri.config import Config
from train.config import NonNegative, Positive, Share, TrainConfig, TrainingConfig

SOFT = "soft"
Embedding = Literal["keypoints", "heatmaps", "segments"]


class ReidModelConfig(Config):
    """A timm backbone with pooled features, PAMTRI's pose embedding and its task heads.

    The defaults are PAMTRI's multi-task network (Tang et al., ICCV 2019).
    """

    backbone: str = "densenet121"
    """Any timm image network, or ``resnet50_ibn_a`` or another depth: a ResNet with instance
    normalisation in half the channels (Pan et al., ECCV 2018)."""
    weights: str = "none"
    """``none``, ``imagenet`` (downloaded by timm), or a file: a re-identification checkpoint, which
    is taken over whole, or another that has the backbone."""
    new_identities: bool = False
    """Of a checkpoint in ``weights``, leave out the identity head, which knows those vehicles alone
    that it was trained on. False refuses one that was trained on others than this training is."""
    input_size: Annotated[int, Field(ge=32)] = 256
    """Side of the square input, pixels."""
    embedding: tuple[Embedding, ...] = ()
    """What is known of the pose and given to the network beside the picture: keypoints after the
    pooling, heatmaps and segments as input channels behind red, green and blue."""
    multitask: bool = True
    """Learn colour and type beside identity."""
    azimuth: Literal["none", "sin_cos", "bins"] = "none"
    """Learn also from which side the vehicle is seen: as a point on the unit circle, or as one of
    ``azimuth_bins`` sectors."""
    azimuth_bins: Annotated[int, Field(ge=3)] = 8
    """Sectors of equal width; the middle of the first is the vehicle's front."""
    keypoints: bool = False
    """Learn also where the 36 keypoints are, and which of them can be seen, where labels tell: what
    renders know exactly then shapes the feature that tells vehicles apart."""
    pooling: Literal["mean", "gem"] = "mean"
    """How a feature map becomes a feature: its mean, or a generalised mean with a learned exponent
    (Radenovic et al., 2019), for which a DenseNet keeps its last ReLU."""
    neck: Literal["none", "bnneck"] = "none"
    """``bnneck`` normalises features for identity and retrieval, while triplet, circle and centre
    losses see them as they were (Luo et al., CVPRW 2019). PAMTRI's layer before the identity head
    is then there for embedded keypoints only."""
    last_stride: Literal[1, 2] = 2
    """1 doubles the last feature map of a ResNet or DenseNet."""
    normalise: bool = False
    """Scale retrieval features to length 1, so that angles are compared."""


class ReidLossConfig(Config):
    """Weights of the terms of the loss, and how they are made; PAMTRI's by default."""

    identity: NonNegative = 1.0
    identity_kind: Literal["softmax", "arcface", "cosface"] = "softmax"
    """The other two compare angles, with a margin for the true identity."""
    identity_margin: NonNegative = 0.35
    """Radians of ``arcface``; of the cosine of ``cosface``."""
    identity_scale: Positive = 30.0
    """What the cosines of ``arcface`` and ``cosface`` are multiplied by."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    triplet: NonNegative = 1.0
    """Of the farthest image of the same identity in the batch and the nearest of another."""
    triplet_margin: NonNegative | Literal["soft"] = 0.3
    """Euclidean distance; ``soft`` is a softplus in place of a hinge."""
    circle: NonNegative = 0.0
    circle_margin: Positive = 0.25
    circle_scale: Positive = 64.0
    centre: NonNegative = 0.0
    """Of the distance from the identity's centre; 0.0005 is usual."""
    centre_rate: Share = 0.5
    """How far a centre moves towards its features in each step."""
    colour: NonNegative = 0.125
    type: NonNegative = 0.125
    azimuth: NonNegative = 0.125
    keypoints: NonNegative = 1.0
    attribute_weights: Literal["fixed", "learned"] = "fixed"
    """``learned``: weights of colour, type, azimuth and keypoints start as given and follow how
    uncertain each task is (Kendall et al., CVPR 2018)."""

    @model_validator(mode="after")
    def _learned_weights_start_somewhere(self) -> ReidLossConfig:
        for name in ("colour", "type", "azimuth", "keypoints"):
            if self.attribute_weights == "learned" and getattr(self, name) == 0:
                raise ValueError(f"attribute_weights 'learned' needs {name} greater than 0, got 0")
        return self


class ReidTrainingConfig(TrainingConfig):
    """The budget, in batches of several images of each of several identities."""

    identities: Annotated[int, Field(ge=2)] = 8
    """Identities a step, all processes together."""
    images_per_identity: Annotated[int, Field(ge=2)] = 4
    few_images: Literal["repeat", "leave_out"] = "repeat"
    """What becomes of an identity with fewer images than that: some come twice in a batch, no more
    than it takes, or it is not trained on. How many there are is printed."""
    spread_cameras: bool = True
    """Images of an identity in a batch are of as many different cameras as can be; false draws
    them at random."""
    twins_together: bool = False
    """Near twins of rendered sets (``vehicle.twins``) come into the same batch, as each other's
    hardest negatives. Several processes, and ``accumulate``, divide a batch further."""


class ReidConfig(TrainConfig):
    """Data, model, augmentation and budget of a re-identification network."""

    training: ReidTrainingConfig
    model: ReidModelConfig = ReidModelConfig()
    loss: ReidLossConfig = ReidLossConfig()
