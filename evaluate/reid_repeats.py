"""VehicleID's protocol: a gallery of one image drawn at random for each vehicle, again and again.

H. Liu et al., "Deep Relative Distance Learning", CVPR 2016: all other images are queries, cameras
do not count, and scores are means over the draws.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluate.reid import (
    PLAIN,
    attribute_measures,
    check_identities,
    names_of,
    pictures,
    values,
)
from evaluate.reid_attributes import azimuth_summary
from evaluate.reid_search import Search
from evaluate.statistics import Measure
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.features import Features
from pamtri.ranking import Ranking, rank_distances

REPEATS = 10


@dataclass(frozen=True, eq=False)
class RepeatedScores:
    """A ranking for each draw of the gallery."""

    rankings: tuple[Ranking, ...]
    identities: int
    queries: int
    """Of each draw."""
    attributes: Mapping[str, Measure]
    """See ``evaluate.reid.attribute_measures``."""
    search: Search
    azimuth: Mapping[str, float]
    """See ``evaluate.reid_attributes.azimuth_summary``."""

    def summary(self) -> dict[str, Any]:
        """Everything as plain data for JSON; means over the draws, ``_std`` their deviations."""
        curves = np.array([ranking.cmc() for ranking in self.rankings])
        by_draw = {
            "mAP": np.array([ranking.mean_average_precision for ranking in self.rankings]),
            "rank1": curves[:, 0],
            "rank5": curves[:, 4],
        }
        return {
            "queries": self.queries,
            "gallery": self.identities,
            "draws": len(self.rankings),
            "search": self.search.words,
            **{name: float(values.mean()) for name, values in by_draw.items()},
            **{f"{name}_std": float(values.std()) for name, values in by_draw.items()},
            **{name: m.value for name, m in self.attributes.items()},
            **self.azimuth,
            "cmc": curves.mean(axis=0).tolist(),
        }


def score_repeats(
    features: Features,
    dataset: Dataset,
    splits: Sequence[str] = (),
    repeats: int = REPEATS,
    seed: int = 0,
    search: Search = PLAIN,
) -> RepeatedScores:
    """Score ``features`` of the images of ``splits``, or of all, on ``repeats`` drawn galleries.

    Each draw depends on ``seed`` and its number alone. A picture that is in two splits counts
    once. Raises DataError where an image has no feature or identity, or none has two images.
    """
    records = (dataset.only(*splits) if splits else dataset).records
    records = tuple(dict(zip(names_of(records), records, strict=True)).values())
    check_identities(records, dataset.root.name)
    rows_of: dict[int | None, list[int]] = defaultdict(list)
    for row, record in enumerate(records):
        rows_of[record.identity].append(row)
    queries = len(records) - len(rows_of)
    if not queries:
        raise DataError(
            f"{dataset.root.name}: none of its {len(records)} images is a query, as no vehicle has "
            "two; give other splits"
        )
    found, ids = values(features, records), np.array([r.identity for r in records])
    rankings = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        gallery = np.array([rng.choice(rows) for rows in rows_of.values()])
        query = np.setdiff1d(np.arange(len(records)), gallery)
        distances = search.distances(found[query], found[gallery])
        rankings.append(rank_distances(distances, ids[query], ids[gallery]))
    measures = attribute_measures(features, records)
    azimuth = azimuth_summary(features, pictures(records))
    return RepeatedScores(tuple(rankings), len(rows_of), queries, measures, search, azimuth)
