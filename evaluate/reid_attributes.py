"""What a network says of colours and types, by class and what it takes for what; of azimuths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri.angles import azimuth_scores
from pamtri.attributes import COLOURS, TYPES
from pamtri.features import Features
from pamtri.record import Record

WORDS: Mapping[str, Sequence[str]] = {"colour": COLOURS, "type": TYPES}

Counts = NDArray[np.int64]


def confusions(features: Features, pictures: Mapping[str, Record]) -> dict[str, Counts]:
    """Labelled pictures by what they are (row) and what is said of them (column).

    (10, 10) of ``colour`` and (9, 9) of ``type`` in ``pamtri.attributes`` order, where they are
    predicted and labelled. ``pictures`` are records by base name.
    """
    scores = {"colour": features.colour_scores, "type": features.type_scores}
    counts = {}
    for attribute, words in WORDS.items():
        labelled = [n for n, record in pictures.items() if getattr(record, attribute) is not None]
        predicted = scores[attribute]
        if predicted is None or not labelled:
            continue
        said = predicted[features.rows(labelled)].argmax(axis=1)
        true = [words.index(getattr(pictures[name], attribute)) for name in labelled]
        counts[attribute] = np.zeros((len(words), len(words)), dtype=np.int64)
        np.add.at(counts[attribute], (np.array(true), said), 1)
    return counts


def azimuth_summary(features: Features, pictures: Mapping[str, Record]) -> dict[str, float]:
    """Median error in degrees and share within 30; empty where none is predicted and labelled.

    ``pictures`` are records by base name.
    """
    true = {n: r.viewpoint.azimuth_deg for n, r in pictures.items() if r.viewpoint is not None}
    if features.azimuth_deg is None or not true:
        return {}
    predicted = features.azimuth_deg[features.rows(list(true))].astype(float)
    return azimuth_scores(predicted, np.array([*true.values()]))


def attribute_summary(counts: Mapping[str, Counts]) -> dict[str, Any]:
    """Of each attribute: accuracy by image, mean recall by class, each class, confusions.

    ``images`` are those of a class, ``said`` those that are taken for it; recall and precision are
    None where these are none. ``confusions`` has, of each class there is, what it is taken for.
    """
    return {name: _one(table, WORDS[name]) for name, table in counts.items()}


def _one(table: Counts, words: Sequence[str]) -> dict[str, Any]:
    right, images, said = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    there = images > 0
    return {
        "images": int(table.sum()),
        "accuracy": float(right.sum() / table.sum()),
        "mean_recall": float((right[there] / images[there]).mean()),
        "by_class": {
            word: {
                "images": int(images[i]),
                "said": int(said[i]),
                "recall": _share(right[i], images[i]),
                "precision": _share(right[i], said[i]),
            }
            for i, word in enumerate(words)
            if images[i] or said[i]
        },
        "confusions": {
            word: {words[j]: int(table[i, j]) for j in np.flatnonzero(table[i])}
            for i, word in enumerate(words)
            if images[i]
        },
    }


def _share(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None
