"""Configuration of what a run is made up of: real and synthetic images, stages, a curriculum."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from pamtri.config import Config

Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
REAL, SYNTHETIC = "real", "synthetic"
DOMAINS = (REAL, SYNTHETIC)
BY_SIZE = "by_size"
Difficulty = Literal["occlusion", "truncation", "size", "weather", "light"]
"""Share hidden and share outside the image; smallness in pixels; what falls or hangs in the air;
darkness."""


class RatioSchedule(Config):
    """A share that changes over the run, or over the stage that it is of."""

    points: Annotated[tuple[tuple[Share, Share], ...], Field(min_length=1)]
    """Pairs of how far the run has come, 0..1 and ascending, and the share there. Before the
    first and after the last it stays."""
    between: Literal["linear", "cosine", "hold"] = "linear"
    """From a point to the next: a straight line, half a cosine, or no change till it is reached."""

    @model_validator(mode="after")
    def _points_ascend(self) -> RatioSchedule:
        progress = [p for p, _ in self.points]
        if any(later <= earlier for earlier, later in pairwise(progress)):
            raise ValueError(f"points: expected ascending shares of the run, got {progress}")
        return self

    def at(self, progress: float) -> float:
        """The share at a point of the run, 0..1."""
        before = [point for point in self.points if point[0] <= progress]
        after = [point for point in self.points if point[0] > progress]
        if not (before and after):
            return (before or after)[-1 if before else 0][1]
        (start, low), (end, high) = before[-1], after[0]
        way = (progress - start) / (end - start)
        match self.between:
            case "hold":
                way = 0.0
            case "cosine":
                way = (1 - math.cos(math.pi * way)) / 2
        return low + way * (high - low)


def _kind_of_ratio(value: Any) -> str:
    if isinstance(value, dict | RatioSchedule):
        return "schedule"
    return "by_size" if value == "by_size" else "share"


Ratio = Annotated[
    Annotated[Share, Tag("share")]
    | Annotated[Literal["by_size"], Tag("by_size")]
    | Annotated[RatioSchedule, Tag("schedule")],
    Discriminator(_kind_of_ratio),
]
"""A constant, a schedule, or ``by_size``: each source by its number of images times its weight."""


class LossWeights(Config):
    """Factors of the losses of each domain's images."""

    real: NonNegative = 1.0
    synthetic: NonNegative = 1.0


class FourierConfig(Config):
    """Rendered images in the style of a real one of the same batch: see ``train.fourier``."""

    probability: Share = 0.5
    """That a rendered image takes one on."""
    reach: Annotated[float, Field(gt=0, le=0.5)] = 0.01
    """Frequencies that it takes, in waves a pixel: 0.01 is one wave across 100 pixels."""


class MixingConfig(Config):
    """How batches are made up, and what brings the two domains nearer to each other."""

    synthetic_ratio: Ratio = 0.5
    """Synthetic share of every batch: 0 is real images only, 1 synthetic only."""
    loss_weights: LossWeights = LossWeights()
    fourier: FourierConfig | None = None
    """Style of real images for rendered ones, where a batch has both."""
    domain_batch_norm: bool = False
    """Batch norms of each domain's own while training: see ``train.domain_norm``. The network that
    is kept has those of real images."""
    adversary: NonNegative = 0.0
    """Weight of a loss that rids features of what tells the domains apart: see ``train.adversary``;
    0 for none, 0.1 is usual."""


class CurriculumConfig(Config):
    """Easy images first (Bengio et al., ICML 2009), growing evenly (Hacohen & Weinshall, 2019)."""

    by: Literal["loss"] | Annotated[tuple[Difficulty, ...], Field(min_length=1)] = (
        "occlusion",
        "truncation",
        "size",
    )
    """What makes an image hard: the mean of its ranks by what labels tell, of which the hardest are
    not drawn yet; or its loss, where the hardest of each batch do not count yet."""
    start: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of the images, the easiest, that the run begins with."""
    until: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the run after which all take part."""

    def share(self, progress: float) -> float:
        """The share of images that take part at a point of the run, 0..1."""
        return min(1.0, self.start + (1 - self.start) * progress / self.until)


class Stage(Config):
    """A part of a run, with a learning rate schedule of its own."""

    share: Positive
    """Of the run's steps; those of all stages add up to 1."""
    synthetic_ratio: Ratio | None = None
    """In place of ``mixing.synthetic_ratio``; a schedule runs from the stage's start to its end."""
    learning_rate: Positive | None = None
    """In place of ``training.learning_rate``."""
    frozen: tuple[str, ...] = ()
    """Parts of the network that do not learn, as in ``backbone`` or ``backbone.layer1``."""
