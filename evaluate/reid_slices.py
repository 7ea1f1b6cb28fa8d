"""Retrieval scores of parts of the queries, and of matches that are seen from elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluate.pose_slices import OCCLUSION_WORDS, Parts, occlusion_word, parts, side_word
from evaluate.viewpoint import SIDES
from pamtri.attributes import COLOURS, TYPES
from pamtri.ranking import Ranking
from pamtri.record import Record

DIFFERENCES_DEG = (30, 60, 90, 120, 150, 180)
"""Bounds of the angle between the sides that a query and its match show."""


def by_part(query: Sequence[Record], gallery: Sequence[Record], ranking: Ranking) -> dict[str, Any]:
    """Scores by side, colour, type and occlusion of the query, azimuth difference, and near twins.

    Only parts that there are queries of; a query whose record does not tell is in no part of a
    division. See ``by_azimuth_difference`` and ``near_twins`` for these two.
    """
    scores: dict[str, Any] = {
        name: {word: part_scores(ranking, mask) for word, mask in of_division.items()}
        for name, of_division in divisions(query).items()
    }
    return {
        **scores,
        "by_azimuth_difference": by_azimuth_difference(query, gallery, ranking),
        "near_twins": near_twins(query, gallery, ranking),
    }


def divisions(query: Sequence[Record]) -> dict[str, Parts]:
    """Which of the queries are in which part of each division."""
    return {
        "by_azimuth": parts([side_word(r) for r in query], SIDES),
        "by_colour": parts([r.colour or "" for r in query], COLOURS),
        "by_type": parts([r.type or "" for r in query], TYPES),
        "by_occlusion": parts([occlusion_word(r.occlusion) for r in query], OCCLUSION_WORDS),
    }


def part_scores(ranking: Ranking, part: NDArray[np.bool_]) -> dict[str, Any]:
    """Scored queries of ``part`` (q,), their mAP and rank-1; None where none is scored."""
    scored = part & ~np.isnan(ranking.average_precision)
    precision, first = ranking.average_precision[scored], ranking.first_match[scored]
    return {
        "queries": int(scored.sum()),
        "mAP": float(precision.mean()) if scored.any() else None,
        "rank1": float((first <= 1).mean()) if scored.any() else None,
    }


def by_azimuth_difference(
    query: Sequence[Record], gallery: Sequence[Record], ranking: Ranking
) -> dict[str, Any]:
    """How well matches are found that show the vehicle from so many degrees away.

    Of each range, as if the query's other matches were not in the gallery.
    """
    everyone = np.ones(len(query), dtype=bool)
    scores = {
        word: part_scores(of_range, everyone)
        for word, of_range in rankings_by_angle(query, gallery, ranking).items()
    }
    return {word: part for word, part in scores.items() if part["queries"]}


def rankings_by_angle(
    query: Sequence[Record], gallery: Sequence[Record], ranking: Ranking
) -> dict[str, Ranking]:
    """For each range of degrees, the ranking as if matches from elsewhere were not there."""
    azimuths = _azimuths(gallery)
    differences = [
        np.abs((azimuths[rows] - azimuth + 180) % 360 - 180)
        for azimuth, rows in zip(_azimuths(query), ranking.matches, strict=True)
    ]
    rankings = {}
    for low, high in zip((0, *DIFFERENCES_DEG), DIFFERENCES_DEG, strict=False):
        kept = [(low <= d) & (d < high + (high == 180)) for d in differences]
        rankings[f"{low}-{high}°"] = ranking.only(kept)
    return rankings


def near_twins(
    query: Sequence[Record], gallery: Sequence[Record], ranking: Ranking
) -> dict[str, Any]:
    """Scores of queries with near twins in the gallery and of those without; empty without any.

    A twin shares the rendered vehicle's model but not its identity. ``nearest_is_twin`` is the
    share of the scored queries with twins whose nearest image is one of a twin.
    """
    identities = defaultdict(set)
    for record in gallery:
        identities[record.vehicle_model].add(record.identity)
    twins = [
        set() if r.vehicle_model is None else identities[r.vehicle_model] - {r.identity}
        for r in query
    ]
    with_twins = np.array([bool(others) for others in twins])
    if not with_twins.any():
        return {}
    scored = with_twins & ~np.isnan(ranking.average_precision)
    taken = [gallery[ranking.top[row, 0]].identity in twins[row] for row in np.flatnonzero(scored)]
    return {
        "with": {
            **part_scores(ranking, with_twins),
            "nearest_is_twin": float(np.mean(taken)) if taken else None,
        },
        "without": part_scores(ranking, ~with_twins),
    }


def _azimuths(records: Sequence[Record]) -> NDArray[np.float64]:
    """Degrees; NaN where unknown, which is within no range."""
    return np.array([np.nan if r.viewpoint is None else r.viewpoint.azimuth_deg for r in records])
