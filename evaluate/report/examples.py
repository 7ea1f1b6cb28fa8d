"""Example pictures of the report, picked by chance and the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from markupsafe import Markup

from evaluate.pose import PoseScores, labelled_by_name
from evaluate.reid import ReidScores
from evaluate.results import Results
from pamtri import pck
from pamtri.dataset import Dataset
from pamtri.formats.pose_csv import read_predictions
from pamtri.page.pictures import chosen, labelled_shot, predicted_shot, shot

SHEET = 24
POSES = 6
QUERIES = 5
TOP = 8
_FEWEST_POINTS = 6
"""Visible points below which an overlay shows little."""


@dataclass(frozen=True)
class PoseExample:
    """One test picture with its labels, and with each arm's prediction."""

    truth: Markup
    arms: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True)
class Hit:
    """One retrieved picture."""

    picture: Markup
    right: bool


@dataclass(frozen=True)
class RetrievalExample:
    """One query, and what each arm found nearest to it."""

    query: Markup
    arms: tuple[tuple[str, tuple[Hit, ...]], ...]


def sheet(dataset: Dataset, count: int = SHEET) -> list[Markup]:
    """Pictures of a data set with their labels drawn over them."""
    rows = chosen([r.identity for r in dataset.records], count)
    return [
        labelled_shot(dataset.image_path(record), record)
        for record in (dataset.records[row] for row in rows)
    ]


def pose_examples(results: Results) -> list[PoseExample]:
    """Labels beside each arm's prediction (first seed) on the same test pictures."""
    dataset = results.test["pose"]
    labelled = labelled_by_name(dataset.records)
    first = {arm.name: results.of("pose", arm.name)[0] for arm in results.config.arms}
    names = [
        name for name, r in labelled.items()
        if r.keypoints is not None and r.keypoints.visible_array().sum() >= _FEWEST_POINTS
    ]  # fmt: skip
    picked = [names[i] for i in chosen([labelled[name].identity for name in names], POSES)]
    predictions = {arm: read_predictions(trial.predictions) for arm, (trial, _) in first.items()}
    examples = []
    for name in picked:
        record, path = labelled[name], dataset.image_path(labelled[name])
        arms = []
        for arm, (_, scores) in first.items():
            assert isinstance(scores, PoseScores)
            right = np.nan_to_num(scores.errors[scores.names.index(name)], nan=9e9) <= pck.ALPHA
            arms.append((arm, predicted_shot(path, predictions[arm][name][:, :2], record, right)))
        examples.append(PoseExample(labelled_shot(path, record), tuple(arms)))
    return examples


def retrieval_examples(results: Results) -> list[RetrievalExample]:
    """Queries that have a match, with each arm's nearest gallery pictures (first seed)."""
    dataset = results.test["reid"]
    first = {arm.name: results.of("reid", arm.name)[0][1] for arm in results.config.arms}
    some = next(iter(first.values()))
    assert isinstance(some, ReidScores)
    matched = np.flatnonzero(~np.isnan(some.ranking.average_precision))
    picked = matched[chosen([some.query[row].identity for row in matched], QUERIES)]
    examples = []
    for row in picked.tolist():
        query = some.query[row]
        arms = []
        for arm, scores in first.items():
            assert isinstance(scores, ReidScores)
            found = [scores.gallery[g] for g in scores.ranking.top[row, :TOP] if g >= 0]
            hits = tuple(
                Hit(shot(dataset.image_path(r), PurePosixPath(r.image).name),
                    r.identity == query.identity)
                for r in found
            )  # fmt: skip
            arms.append((arm, hits))
        examples.append(RetrievalExample(shot(dataset.image_path(query), "query"), tuple(arms)))
    return examples
