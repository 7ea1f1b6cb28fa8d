"""Example pictures of the report: picked by chance, and where the second arm gained and lost most.

Gains are means over the seeds; the pictures show each arm's first seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from evaluate.config import Task
from evaluate.metrics import METRICS
from evaluate.pose import PoseScores
from evaluate.reid import ReidScores
from evaluate.results import Results, points
from pamtri import pck
from pamtri.dataset import Dataset
from pamtri.page.pictures import chosen, labelled_shot, predicted_shot, shot
from pamtri.record import Record

POSES = 6
QUERIES = 4
EXTREMES = 4
"""Examples of what helped, and of what hurt."""
TOP = 8
_ONE_IMAGE = {"pose": "PCK", "reid": "AP"}
"""The task's first metric, of a single image."""
_FEWEST_POINTS = 6
"""Visible points below which an overlay shows little."""


@dataclass(frozen=True)
class Hit:
    """One retrieved picture."""

    picture: Markup
    right: bool


@dataclass(frozen=True)
class Seen:
    """What one arm made of a test image: its score in words, and an overlay or its ranking."""

    arm: str
    score: str
    picture: Markup | None = None
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Example:
    """One test image with what each arm made of it."""

    picture: Markup
    name: str
    arms: tuple[Seen, ...]


@dataclass(frozen=True)
class Examples:
    """Test images that were picked in one way, with what ``arms`` made of them."""

    title: str
    arms: tuple[str, ...]
    shown: tuple[Example, ...]


Draw = Callable[[int, str], Seen]
"""What an arm made of the test image of a row."""


def sheet(dataset: Dataset, count: int) -> list[Markup]:
    """Pictures of a data set with their labels drawn over them."""
    rows = chosen([r.identity for r in dataset.records], count)
    return [
        labelled_shot(dataset.image_path(record), record)
        for record in (dataset.records[row] for row in rows)
    ]


def examples(results: Results, task: Task) -> list[Examples]:
    """Test images by chance with every arm; then those that the second arm gained and lost most
    on, beside the baseline."""
    arms = tuple(arm.name for arm in results.config.arms)
    scores = {arm: image_scores(results, task, arm) for arm in arms}
    gains = scores[arms[1]] - scores[arms[0]]
    records = tested(results, task)
    if task == "pose":
        gains[[_visible(record) < _FEWEST_POINTS for record in records]] = np.nan
    identities = [record.identity for record in records]
    scored = np.flatnonzero(np.isfinite(gains))
    by_chance = chosen([identities[row] for row in scored], POSES if task == "pose" else QUERIES)
    picked = [
        ("Picked by chance", arms, [int(scored[i]) for i in by_chance]),
        (f"Where {arms[1]} helped most", arms[:2], most(gains, identities, EXTREMES)),
        (f"Where {arms[1]} hurt most", arms[:2], most(-gains, identities, EXTREMES)),
    ]
    draw = _poses(results, scores) if task == "pose" else _rankings(results, scores)
    return [
        Examples(
            title, shown, tuple(_example(results, task, records[r], r, shown, draw) for r in rows)
        )
        for title, shown, rows in picked
        if rows
    ]


def image_scores(results: Results, task: Task, arm: str) -> NDArray[np.float64]:
    """(n,) of the task's first metric by test image, means over seeds; NaN where not scored."""
    measures = [s.measures[METRICS[task][0].key] for _, s in results.of(task, arm)]
    could = np.where(measures[0].could > 0, measures[0].could, np.nan)
    return np.asarray(np.mean([m.got for m in measures], axis=0) / could)


def tested(results: Results, task: Task) -> tuple[Record, ...]:
    """The records of the images that ``image_scores`` are of."""
    _, scores = results.of(task, results.config.arms[0].name)[0]
    return scores.records if isinstance(scores, PoseScores) else scores.query


def most(gains: NDArray[np.float64], identities: Sequence[int | None], count: int) -> list[int]:
    """Rows of the ``count`` greatest gains above zero, the greatest first, one an identity."""
    rows: list[int] = []
    seen: set[int] = set()
    for row in np.argsort(-gains, kind="stable").tolist():  # NaN comes last
        identity = identities[row]
        if len(rows) == count or not gains[row] > 0:
            break
        if identity is None or identity not in seen:
            rows.append(row)
        if identity is not None:
            seen.add(identity)
    return rows


def _example(
    results: Results, task: Task, record: Record, row: int, arms: Sequence[str], draw: Draw
) -> Example:
    path = results.test[task].image_path(record)
    picture = labelled_shot(path, record) if task == "pose" else shot(path, "query")
    return Example(picture, PurePosixPath(record.image).name, tuple(draw(row, a) for a in arms))


def _poses(results: Results, scores: Mapping[str, NDArray[np.float64]]) -> Draw:
    """Overlays of each arm's predictions with its first seed."""
    dataset = results.test["pose"]

    def draw(row: int, arm: str) -> Seen:
        _, first = results.of("pose", arm)[0]
        assert isinstance(first, PoseScores)
        record = first.records[row]
        right = np.nan_to_num(first.errors[row], nan=np.inf) <= pck.ALPHA
        overlay = predicted_shot(
            dataset.image_path(record), first.predicted[row, :, :2], record, right
        )
        return Seen(arm, _score("pose", scores[arm][row]), overlay)

    return draw


def _rankings(results: Results, scores: Mapping[str, NDArray[np.float64]]) -> Draw:
    """The nearest gallery pictures of each arm with its first seed."""
    dataset = results.test["reid"]

    def draw(row: int, arm: str) -> Seen:
        _, first = results.of("reid", arm)[0]
        assert isinstance(first, ReidScores)
        found = [first.gallery[g] for g in first.ranking.top[row, :TOP] if g >= 0]
        hits = tuple(
            Hit(
                shot(dataset.image_path(record), PurePosixPath(record.image).name),
                record.identity == first.query[row].identity,
            )
            for record in found
        )
        return Seen(arm, _score("reid", scores[arm][row]), hits=hits)

    return draw


def _score(task: Task, share: float) -> str:
    """As in ``AP 12.5 %``."""
    return f"{_ONE_IMAGE[task]} {points(share, signed=False)}\N{NO-BREAK SPACE}%"


def _visible(record: Record) -> int:
    return int(record.keypoints.visible_array().sum()) if record.keypoints else 0
