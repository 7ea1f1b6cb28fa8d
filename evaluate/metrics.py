"""What a comparison measures in each task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One row of the results table; ``key`` is the measure's name."""

    key: str
    label: str
    meaning: str


METRICS: Mapping[str, tuple[Metric, ...]] = {
    "pose": (
        Metric("pck@0.125", "PCK", "visible keypoints within 12.5 % of the vehicle's size"),
        Metric("pck@0.1", "PCK, 10 %", "the same within 10 %"),
        Metric("pck@0.05", "PCK, 5 %", "the same within 5 %"),
    ),
    "reid": (
        Metric("mAP", "mAP", "mean average precision of the rankings"),
        Metric("rank1", "Rank-1", "queries whose nearest image is of the same vehicle"),
        Metric("rank5", "Rank-5", "queries with a right image among the nearest five"),
        Metric("mAP@R", "mAP@R", "mean average precision of as many images as are right"),
        Metric("mINP", "mINP", "how early the hardest right image comes"),
        Metric("colour_accuracy", "Colour", "images whose colour is named right"),
        Metric("type_accuracy", "Body type", "images whose body type is named right"),
        Metric("type_recall", "Body type by class", "the same, where each type counts alike"),
    ),
}
"""By task. The first of each is the one that the answer is about, unless it is said otherwise."""
