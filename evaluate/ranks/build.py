"""Puts the page of a re-identification together, in one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from evaluate.ranks.hits import Hit, Told, about, chosen_queries, hits_of, wrong_kinds
from evaluate.reid import ReidScores
from pamtri.dataset import Dataset
from pamtri.features import Features
from pamtri.page.pictures import bones, dots, shot
from pamtri.page.template import environment
from pamtri.pose import SURE
from pamtri.record import Record
from pamtri.run_folder import write_atomic

QUERIES = 15
"""Queries of each kind that are shown."""
TOP = 10

Predictions = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Images:
    """Where pictures and the poses that are drawn over them come from."""

    dataset: Dataset
    keypoints: Predictions | None = None
    """By image name, (36, 3) with confidence; the records' own where this is None."""

    def shot(self, record: Record) -> Markup:
        """The vehicle's part of an image, with its pose."""
        name = PurePosixPath(record.image).name
        overlay = ""
        pose = self._pose(record, name)
        if pose is not None:
            overlay = bones(*pose) + dots(*pose)
        return shot(self.dataset.image_path(record), name, overlay, record.box)

    def _pose(
        self, record: Record, name: str
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
        if self.keypoints is not None:
            points = self.keypoints.get(name)
            return None if points is None else (points[:, :2], points[:, 2] >= SURE)
        if record.keypoints is None:
            return None
        return record.keypoints.xy_array(), record.keypoints.visible_array()


def write_rank_page(
    target: Path, scores: ReidScores, features: Features, images: Images, title: str
) -> None:
    """Write the page ``target``. Raises DataError when a picture cannot be read."""
    page = environment("evaluate.ranks").get_template("template.html")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, page.render(_context(scores, features, images, title)))


def _context(scores: ReidScores, features: Features, images: Images, title: str) -> dict[str, Any]:
    told = Told(features)
    worst, picked = chosen_queries(scores, QUERIES)
    kinds = wrong_kinds(scores, told)
    wrong = sum(kinds.values())
    scored = len(scores.query) - scores.ranking.unmatched
    return {
        "title": title,
        "summary": scores.summary(),
        "scored": scored,
        "wrong": wrong,
        "kinds": [(kind, count, count / wrong) for kind, count in kinds.items()],
        "posed": images.keypoints is not None or any(r.keypoints for r in scores.query),
        "parts": [
            {
                "name": name,
                "queries": [_query(scores, told, images, row) for row in rows],
            }
            for name, rows in (("The hardest queries", worst), ("Queries by chance", picked))
            if rows
        ],
    }


def _query(scores: ReidScores, told: Told, images: Images, row: int) -> dict[str, Any]:
    record, ranking = scores.query[row], scores.ranking
    attributes = [word for name in ("colour", "type") if (word := told.word(record, name))]
    mistakes = [m for name in ("colour", "type") for m in told.mistakes(record, name)]
    return {
        "name": PurePosixPath(record.image).name,
        "picture": images.shot(record),
        "about": about(record),
        "attributes": ", ".join(attributes),
        "mistakes": mistakes,
        "precision": float(ranking.average_precision[row]),
        "first": int(ranking.first_match[row]),
        "removed": int(ranking.removed[row]) - scores.leave_one_out,  # not itself
        "hits": [_hit(images, hit) for hit in hits_of(scores, told, row, TOP)],
    }


def _hit(images: Images, hit: Hit) -> dict[str, Any]:
    return {
        "picture": images.shot(hit.record),
        "about": about(hit.record),
        "later": hit.rank > TOP,
        **{name: getattr(hit, name) for name in ("rank", "distance", "right", "notes")},
    }
