"""Where the arms differ: scores by class, by view and by what else divides the test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from evaluate import pose_slices, reid_slices
from evaluate.config import Task
from evaluate.pose import PoseScores, labels_of
from evaluate.reid import ReidScores, pictures
from evaluate.reid_attributes import WORDS
from evaluate.report.charts import dot_chart
from evaluate.report.tables import ArmTable, Entry, Group, arm_table
from evaluate.results import Results, Scores
from evaluate.statistics import Measure, corrected, mean_over_seeds, paired_difference
from pamtri import pck
from pamtri.keypoints import GROUPS

Divisions = Mapping[str, Mapping[str, Measure]]
"""For each division by its title, the measure of each part by its word."""

_POSE_TITLES = {
    "by_azimuth": "PCK by side seen",
    "by_size": "PCK by size in the image",
    "by_occlusion": "PCK by share hidden by something else",
    "by_domain": "PCK by domain",
}
_REID_TITLES = {
    "by_azimuth": "mAP by side that the query shows",
    "by_colour": "mAP by colour",
    "by_type": "mAP by body type",
    "by_occlusion": "mAP by share hidden by something else",
}
_BY_ANGLE = "mAP by angle between query and match"
_ATTRIBUTES = {"colour": "Colours named right", "type": "Body types named right"}


@dataclass(frozen=True)
class Breakdown:
    """One division: each part's scores as dots, and as a table with differences."""

    title: str
    chart: Markup
    table: ArmTable


def breakdowns(results: Results, task: Task) -> list[Breakdown]:
    """Every division of the task's test images that has several parts."""
    by_arm = [
        [_divided(scores) for _, scores in results.of(task, arm.name)]
        for arm in results.config.arms
    ]
    names = [arm.name for arm in results.config.arms]
    found = []
    for title, parts in by_arm[0][0].items():
        groups = [
            _group(word, names, [[seed[title][word] for seed in seeds] for seeds in by_arm])
            for word, measure in parts.items()
            if measure.value is not None
        ]
        if len(groups) > 1:
            what = title.lower().replace(" ", "-")
            groups = _corrected(groups)
            table = arm_table(f"{task}-{what}", title, "Part", groups)
            found.append(Breakdown(title, dot_chart(title, groups), table))
    return found


def _divided(scores: Scores) -> Divisions:
    return _of_pose(scores) if isinstance(scores, PoseScores) else _of_reid(scores)


def _of_pose(scores: PoseScores) -> Divisions:
    true, letters = labels_of(scores.records)
    states = pose_slices.errors_by_state(scores.predicted[..., :2], true, letters)
    divisions = pose_slices.divisions(scores.records, scores.sizes)
    whole = _pck(scores.errors)
    return {
        "PCK by keypoint group": {
            name.replace("_", " "): _pck(scores.errors[:, list(places)])
            for name, places in GROUPS.items()
        },
        **{title: _masked(whole, divisions[key]) for key, title in _POSE_TITLES.items()},
        "PCK by state of the keypoint": {word: _pck(errors) for word, errors in states.items()},
    }


def _of_reid(scores: ReidScores) -> Divisions:
    divisions = reid_slices.divisions(scores.query)
    by_angle = reid_slices.rankings_by_angle(scores.query, scores.gallery, scores.ranking)
    whole = scores.measures["mAP"]
    return {
        **{title: _masked(whole, divisions[key]) for key, title in _REID_TITLES.items()},
        _BY_ANGLE: {
            word: replace(scores, ranking=ranking).measures["mAP"]
            for word, ranking in by_angle.items()
        },
        **_attributes(scores),
    }


def _attributes(scores: ReidScores) -> dict[str, dict[str, Measure]]:
    """The share of each class that is named right: its recall."""
    records = pictures(scores.gallery, scores.query).values()
    return {
        title: _masked(
            scores.attributes[f"{name}_accuracy"],
            pose_slices.parts([getattr(r, name) or "" for r in records], WORDS[name]),
        )
        for name, title in _ATTRIBUTES.items()
        if f"{name}_accuracy" in scores.attributes
    }


def _pck(errors: NDArray[np.float64]) -> Measure:
    return Measure(*pck.counts_by_image(errors, pck.ALPHA))


def _masked(measure: Measure, parts: pose_slices.Parts) -> dict[str, Measure]:
    return {word: Measure(measure.got * mask, measure.could * mask) for word, mask in parts.items()}


def _group(word: str, names: Sequence[str], by_arm: Sequence[Sequence[Measure]]) -> Group:
    """``by_arm`` has a measure a seed for each arm."""
    baseline = by_arm[0]
    counted = int(np.count_nonzero(baseline[0].could))
    return Group(
        word,
        f"{counted:,}",
        tuple(
            Entry(
                name,
                mean_over_seeds([v for m in measures if (v := m.value) is not None]),
                paired_difference(baseline, measures) if measures is not baseline else None,
            )
            for name, measures in zip(names, by_arm, strict=True)
        ),
    )


def _corrected(groups: Sequence[Group]) -> list[Group]:
    """The groups, their differences corrected for the number of parts and arms."""
    better = corrected(
        {
            (group.label, entry.arm): entry.difference
            for group in groups
            for entry in group.entries
            if entry.difference is not None
        }
    )
    return [
        replace(
            group,
            entries=tuple(
                replace(entry, difference=better.get((group.label, entry.arm)))
                for entry in group.entries
            ),
        )
        for group in groups
    ]
