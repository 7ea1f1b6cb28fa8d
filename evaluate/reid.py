"""Scores of re-identification features: retrieval, and colour and type where they are predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from evaluate.reid_attributes import Counts, attribute_summary, azimuth_summary, confusions
from evaluate.reid_search import Search
from evaluate.reid_slices import by_part
from evaluate.statistics import Measure
from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.dataset import Dataset
from pamtri.distances import Distances
from pamtri.errors import DataError
from pamtri.features import Features
from pamtri.ranking import UNKNOWN, Ranking, rank_distances
from pamtri.record import Record

QUERY, GALLERY = "query", "gallery"
PLAIN = Search()
SHORT_LIST = 100
"""CityFlow's mAP is of so many images of each ranking."""


@dataclass(frozen=True, eq=False)
class ReidScores:
    """One ranking of the gallery a query, and what was said of colours and types."""

    query: tuple[Record, ...]
    gallery: tuple[Record, ...]
    ranking: Ranking
    leave_one_out: bool
    """The query images are the gallery, each left out of its own ranking."""
    attributes: Mapping[str, Measure]
    """See ``attribute_measures``."""
    search: Search = PLAIN
    of: str = "images"
    """What the gallery consists of; of tracks, ``gallery`` has the first image of each."""
    confusions: Mapping[str, Counts] = field(default_factory=dict)
    """See ``evaluate.reid_attributes``."""
    azimuth: Mapping[str, float] = field(default_factory=dict)
    """See ``evaluate.reid_attributes.azimuth_summary``."""

    @property
    def measures(self) -> dict[str, Measure]:
        """mAP, rank-1, rank-5, mAP@R and mINP by query; colour and type accuracy by image,
        and the mean recall of types."""
        matched = ~np.isnan(self.ranking.average_precision)
        first = self.ranking.first_match
        by_query = {
            "mAP": self.ranking.average_precision,
            "rank1": (first <= 1).astype(float),
            "rank5": (first <= 5).astype(float),
            "mAP@R": self.ranking.average_precision_at_r,
            "mINP": self.ranking.inverse_negative_penalty,
        }
        measures = {
            name: Measure(np.where(matched, got, 0.0), matched.astype(float))
            for name, got in by_query.items()
        }
        return {**measures, **self.attributes}

    @property
    def cameras_known(self) -> bool:
        """True where every image's camera is known, so that same-camera images can be left out."""
        return all(r.camera is not None for r in (*self.query, *self.gallery))

    @property
    def single_camera(self) -> bool:
        """True where all known cameras are one, so that nothing is left out for its camera."""
        return one_camera(self.query, self.gallery)

    def summary(self) -> dict[str, Any]:
        """Everything as plain data for JSON; shares in 0..1."""
        measures = self.measures
        return {
            "queries": len(self.query),
            "queries_without_match": self.ranking.unmatched,
            "gallery": len(self.gallery),
            "identities": len({r.identity for r in self.query}),
            "leave_one_out": self.leave_one_out,
            "gallery_of": self.of,
            "search": self.search.words,
            "cameras_known": self.cameras_known,
            "single_camera": self.single_camera,
            "removed_per_query": float(self.ranking.removed.mean()),
            **{name: measure.value for name, measure in measures.items()},
            **self.azimuth,
            f"mAP_first_{SHORT_LIST}": self._mean_precision_of_short_list(),
            "cmc": self.ranking.cmc(),
            "attributes": attribute_summary(self.confusions),
            **self._parts(),
        }

    def _parts(self) -> dict[str, Any]:
        parts = by_part(self.query, self.gallery, self.ranking)
        # A track shows its vehicle from several sides.
        by_view: dict[str, Any] = {"by_azimuth": {}, "by_azimuth_difference": {}}
        return parts if self.of == "images" else parts | by_view

    def _mean_precision_of_short_list(self) -> float:
        return float(np.nanmean(self.ranking.average_precision_within(SHORT_LIST)))


def score_reid(
    features: Features, dataset: Dataset, splits: Sequence[str] = (), search: Search = PLAIN
) -> ReidScores:
    """Score ``features`` on the ``query`` and ``gallery`` splits of ``dataset``.

    With other ``splits`` (or a data set without those two) retrieval is leave-one-out: each image
    is a query to all others. Where all images are of one camera, nothing is left out for it.
    Raises DataError where an image has no feature, a query no identity, or no query a match.
    """
    query, gallery = query_and_gallery(dataset, splits)
    check_identities(query, dataset.root.name)
    same = query is gallery
    distances = search.distances(values(features, query), values(features, gallery), same)
    ranking = rank_records(distances, query, gallery, dataset.root.name)
    return ReidScores(
        query,
        gallery,
        ranking,
        same,
        attribute_measures(features, (*gallery, *query)),
        search=search,
        confusions=confusions(features, pictures(gallery, query)),
        azimuth=azimuth_summary(features, pictures(gallery, query)),
    )


def rank_records(
    distances: Distances, query: Sequence[Record], gallery: Sequence[Record], name: str
) -> Ranking:
    """Rank ``gallery`` for each of ``query`` by ``distances`` and what the records say.

    ``name`` is the data set's in errors. Raises DataError where no query has a match.
    """
    ids, gallery_ids = _identities(query, gallery)
    cameras, gallery_cameras = _cameras(query), _cameras(gallery)
    if one_camera(query, gallery):
        cameras[:], gallery_cameras[:] = UNKNOWN, UNKNOWN
    ranking = rank_distances(
        distances,
        ids,
        gallery_ids,
        cameras,
        gallery_cameras,
        names_of(query),
        names_of(gallery),
    )
    if ranking.unmatched == len(query):
        known = {r.identity for r in gallery} & {r.identity for r in query}
        why = "each is by its query's own camera, or the query itself" if known else "none is there"
        raise DataError(
            f"{name}: none of the {len(query)} queries has a match: of the images of their "
            f"identities in the gallery of {len(gallery)}, {why}"
        )
    return ranking


def values(features: Features, records: Sequence[Record]) -> np.ndarray:
    """(n, d) features of ``records``. Raises DataError naming the first that has none."""
    found: np.ndarray = features.features[features.rows(names_of(records))]
    return found


def attribute_measures(features: Features, records: Sequence[Record]) -> dict[str, Measure]:
    """Right answers by image, each picture counted once, where there are predictions and labels.

    ``colour_accuracy``, ``type_accuracy``, and ``type_recall``: types weighted so that each class
    counts alike, which makes the ratio the mean of their recalls.
    """
    there = pictures(records)
    rows = features.rows(list(there))
    colours = [COLOUR_INDEX.get(r.colour or "") for r in there.values()]
    types = [TYPE_INDEX.get(r.type or "") for r in there.values()]
    found = {
        "colour_accuracy": _accuracy(features.colour_scores, rows, colours),
        "type_accuracy": _accuracy(features.type_scores, rows, types),
    }
    known = {name: measure for name, measure in found.items() if measure is not None}
    if "type_accuracy" in known:
        known["type_recall"] = _by_class(known["type_accuracy"], types)
    return known


def _by_class(right: Measure, classes: Sequence[int | None]) -> Measure:
    """The measure of images with ``classes``, of which each class weighs 1."""
    counts = Counter(classes)
    weights = np.array([0.0 if c is None else 1 / counts[c] for c in classes])
    return Measure(right.got * weights, right.could * weights)


def pictures(*records: Sequence[Record]) -> dict[str, Record]:
    """Records by base name: a picture that is both query and gallery is there once."""
    return {PurePosixPath(r.image).name: r for some in records for r in some}


def one_camera(query: Sequence[Record], gallery: Sequence[Record]) -> bool:
    """Whether all images are known to be of the same camera."""
    cameras = {r.camera for r in (*query, *gallery)}
    return len(cameras) == 1 and None not in cameras


def check_identities(query: Sequence[Record], name: str) -> None:
    """Raise DataError for a query without an identity; ``name`` is the data set's."""
    unnamed = [r.image for r in query if r.identity is None]
    if unnamed:
        raise DataError(f"{name}: query image {unnamed[0]} has no identity")


def query_and_gallery(
    dataset: Dataset, splits: Sequence[str]
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """What is searched for in what: the splits of these names, or the same images for both."""
    both = {QUERY, GALLERY}
    if set(splits) == both or (not splits and both <= set(dataset.split_names)):
        return dataset.only(QUERY).records, dataset.only(GALLERY).records
    records = dataset.only(*splits).records if splits else dataset.records
    return records, records


def names_of(records: Sequence[Record]) -> list[str]:
    """Base names of the images."""
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
