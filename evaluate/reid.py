"""Scores of re-identification features: retrieval, and colour and type where they are predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from evaluate.statistics import Measure
from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.features import Features
from pamtri.ranking import UNKNOWN, Ranking, rank_metrics
from pamtri.record import Record

QUERY, GALLERY = "query", "gallery"


@dataclass(frozen=True, eq=False)
class ReidScores:
    """One ranking of the gallery a query, and what was said of colours and types."""

    query: tuple[Record, ...]
    gallery: tuple[Record, ...]
    ranking: Ranking
    leave_one_out: bool
    """The query images are the gallery, each left out of its own ranking."""
    colour: Measure | None
    type: Measure | None
    """Right answers by image, None where nothing is predicted or nothing labelled."""

    @property
    def measures(self) -> dict[str, Measure]:
        """mAP, rank-1, rank-5 and mINP by query; colour and type accuracy by image."""
        matched = ~np.isnan(self.ranking.average_precision)
        first = self.ranking.first_match
        by_query = {
            "mAP": self.ranking.average_precision,
            "rank1": (first <= 1).astype(float),
            "rank5": (first <= 5).astype(float),
            "mINP": self.ranking.inverse_negative_penalty,
        }
        measures = {
            name: Measure(np.where(matched, got, 0.0), matched.astype(float))
            for name, got in by_query.items()
        }
        attributes = {"colour_accuracy": self.colour, "type_accuracy": self.type}
        return measures | {name: m for name, m in attributes.items() if m is not None}

    @property
    def cameras_known(self) -> bool:
        """True where every image's camera is known, so that same-camera images can be left out."""
        return all(r.camera is not None for r in (*self.query, *self.gallery))

    def summary(self) -> dict[str, Any]:
        """Everything as plain data for JSON; shares in 0..1."""
        measures = self.measures
        return {
            "queries": len(self.query),
            "queries_without_match": self.ranking.unmatched,
            "gallery": len(self.gallery),
            "identities": len({r.identity for r in self.query}),
            "leave_one_out": self.leave_one_out,
            "cameras_known": self.cameras_known,
            "removed_per_query": float(self.ranking.removed.mean()),
            **{name: measure.value for name, measure in measures.items()},
            "cmc": self.ranking.cmc(),
        }


def score_reid(features: Features, dataset: Dataset, splits: Sequence[str] = ()) -> ReidScores:
    """Score ``features`` on the ``query`` and ``gallery`` splits of ``dataset``.

    With other ``splits`` (or a data set without those two) retrieval is leave-one-out: each image
    is a query to all others. Raises DataError where an image has no feature, or a query no
    identity.
    """
    query, gallery = _query_and_gallery(dataset, splits)
    unnamed = [r.image for r in query if r.identity is None]
    if unnamed:
        raise DataError(f"{dataset.root}: query image {unnamed[0]} has no identity")
    query_names, gallery_names = _names(query), _names(gallery)
    query_ids, gallery_ids = _identities(query, gallery)
    ranking = rank_metrics(
        features.features[features.rows(query_names)],
        features.features[features.rows(gallery_names)],
        query_ids,
        gallery_ids,
        _cameras(query),
        _cameras(gallery),
        query_names,
        gallery_names,
    )
    pictures = dict(zip([*gallery_names, *query_names], [*gallery, *query], strict=True))
    rows = features.rows(list(pictures))
    colours = [COLOUR_INDEX.get(r.colour or "") for r in pictures.values()]
    types = [TYPE_INDEX.get(r.type or "") for r in pictures.values()]
    return ReidScores(
        query,
        gallery,
        ranking,
        leave_one_out=query is gallery,
        colour=_accuracy(features.colour_scores, rows, colours),
        type=_accuracy(features.type_scores, rows, types),
    )


def _query_and_gallery(
    dataset: Dataset, splits: Sequence[str]
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    both = {QUERY, GALLERY}
    if set(splits) == both or (not splits and both <= set(dataset.split_names)):
        return dataset.only(QUERY).records, dataset.only(GALLERY).records
    records = dataset.only(*splits).records if splits else dataset.records
    return records, records


def _names(records: Sequence[Record]) -> list[str]:
    return [PurePosixPath(r.image).name for r in records]


def _cameras(records: Sequence[Record]) -> np.ndarray:
    return np.array([UNKNOWN if r.camera is None else r.camera for r in records])


def _identities(
    query: Sequence[Record], gallery: Sequence[Record]
) -> tuple[np.ndarray, np.ndarray]:
    """Identities as row numbers of a common list; a gallery image without one matches nothing."""
    number = {identity: i for i, identity in enumerate(dict.fromkeys(r.identity for r in query))}
    return (
        np.array([number[r.identity] for r in query]),
        np.array([number.get(r.identity, -1) for r in gallery]),
    )


def _accuracy(
    scores: np.ndarray | None, rows: np.ndarray, labels: Sequence[int | None]
) -> Measure | None:
    """Right answers over the labelled images."""
    if scores is None or all(label is None for label in labels):
        return None
    said = scores[rows].argmax(axis=1)
    labelled = np.array([label is not None for label in labels])
    right = np.array([s == label for s, label in zip(said, labels, strict=True)])
    return Measure(right.astype(float), labelled.astype(float))
