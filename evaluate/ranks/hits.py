"""What is to be said of a query's matches: right or wrong, and in what they differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from evaluate.reid import ReidScores
from pamtri.features import Features
from pamtri.record import Record

ATTRIBUTES = ("colour", "type")


@dataclass(frozen=True)
class Hit:
    """One image of the gallery in a query's ranking."""

    record: Record
    rank: int
    """From 1, among the images that are not left out."""
    distance: float
    """Euclidean."""
    right: bool
    notes: tuple[str, ...]
    """In what it differs from the query, in words."""


class Told:
    """What is known of images' colours and types: labels, else what the network says."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._row = {name: row for row, name in reversed(list(enumerate(features.names)))}

    def feature(self, record: Record) -> np.ndarray:
        """(d,) float64."""
        return self._features.features[self._row[_name(record)]].astype(np.float64)

    def said(self, record: Record, attribute: str) -> str | None:
        """The network's word."""
        told = self._features.told(attribute, self._row[_name(record)])
        return None if told is None else told[0]

    def word(self, record: Record, attribute: str) -> str | None:
        """The label, else the network's word with a question mark, if it has one."""
        label: str | None = getattr(record, attribute)
        said = self.said(record, attribute)
        return label or (f"{said}?" if said else None)

    def notes(self, record: Record, query: Record) -> tuple[str, ...]:
        """In what an image's colour and type differ from the query's, and from its labels."""
        notes = []
        for attribute in ATTRIBUTES:
            word, wanted = self.word(record, attribute), self.word(query, attribute)
            if word and wanted and word.rstrip("?") != wanted.rstrip("?"):
                notes.append(f"{attribute}: {word}, query {wanted}")
            notes += self.mistakes(record, attribute)
        return tuple(notes)

    def mistakes(self, record: Record, attribute: str) -> list[str]:
        """The network's word where the label says otherwise."""
        label, said = getattr(record, attribute), self.said(record, attribute)
        return [f"{label} taken for {said}"] if label and said and label != said else []


def hits_of(scores: ReidScores, told: Told, row: int, count: int) -> list[Hit]:
    """The first ``count`` images of a query's ranking, then its first right one if that is later.

    At most as many as the ranking keeps (``Ranking.top``).
    """
    query = scores.query[row]
    found = [scores.gallery[g] for g in scores.ranking.top[row, :count] if g >= 0]
    hits = [_hit(told, query, record, rank) for rank, record in enumerate(found, start=1)]
    first = scores.ranking.first_match[row]
    if first > len(hits):
        hits.append(_hit(told, query, _nearest_right(scores, told, query), int(first)))
    return hits


def wrong_kinds(scores: ReidScores, told: Told) -> dict[str, int]:
    """How many scored queries have a wrong image first, by how that one differs, most first.

    By its labels; the network's words stand in for those that are not there.
    """
    wrong = np.flatnonzero(scores.ranking.first_match > 1)
    kinds = Counter(
        _kind(told, scores.query[row], scores.gallery[scores.ranking.top[row, 0]]) for row in wrong
    )
    return dict(kinds.most_common())


def angle_between(record: Record, query: Record) -> float | None:
    """Degrees 0..180 between the azimuths from which two images are seen, if they are known."""
    if record.viewpoint is None or query.viewpoint is None:
        return None
    turn = record.viewpoint.azimuth_deg - query.viewpoint.azimuth_deg
    return abs((turn + 180) % 360 - 180)


def _hit(told: Told, query: Record, record: Record, rank: int) -> Hit:
    distance = float(np.linalg.norm(told.feature(query) - told.feature(record)))
    notes = list(told.notes(record, query))
    angle = angle_between(record, query)
    if angle is not None:
        notes.append(f"seen from {angle:.0f}° away")
    return Hit(record, rank, distance, record.identity == query.identity, tuple(notes))


def _kind(told: Told, query: Record, record: Record) -> str:
    """The attributes in which two images differ, else those that are known and alike."""
    alike: list[str] = []
    differ: list[str] = []
    for attribute in ATTRIBUTES:
        one, other = told.word(query, attribute), told.word(record, attribute)
        if one and other:
            (alike if one.rstrip("?") == other.rstrip("?") else differ).append(attribute)
    if differ:
        return f"another {' and '.join(differ)}"
    return f"same {' and '.join(alike)}" if alike else "colour and type not known"


def _nearest_right(scores: ReidScores, told: Told, query: Record) -> Record:
    """The nearest image of the query's identity that is not left out."""
    candidates = [
        record
        for record in scores.gallery
        if record.identity == query.identity
        and (record.camera is None or record.camera != query.camera)
        and _name(record) != _name(query)
    ]
    wanted = told.feature(query)
    distances = [np.linalg.norm(told.feature(record) - wanted) for record in candidates]
    return candidates[int(np.argmin(distances))]


def chosen_queries(scores: ReidScores, count: int, seed: int = 0) -> tuple[list[int], list[int]]:
    """Two times ``count`` scored queries: those that rank worst, and others by chance."""
    precision = scores.ranking.average_precision
    scored = np.flatnonzero(~np.isnan(precision))
    worst = scored[np.argsort(precision[scored], kind="stable")][:count]
    rest = np.setdiff1d(scored, worst)
    picked = np.random.default_rng(seed).permutation(rest)[:count]
    return worst.tolist(), sorted(picked.tolist())


def about(record: Record) -> str:
    """Identity, camera and side of an image in words, as far as they are known."""
    parts = [
        f"identity {record.identity}" if record.identity is not None else "",
        f"camera {record.camera}" if record.camera is not None else "",
        f"azimuth {record.viewpoint.azimuth_deg:.0f}°" if record.viewpoint is not None else "",
    ]
    return ", ".join(filter(None, parts))


def _name(record: Record) -> str:
    return PurePosixPath(record.image).name
