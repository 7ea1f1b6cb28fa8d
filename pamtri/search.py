"""Finding the images of a gallery whose features are nearest to one image's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pamtri.errors import DataError
from pamtri.features import UNKNOWN, Features
from pamtri.table import text_table

_BLOCK = 4096


@dataclass(frozen=True)
class Match:
    """One image of a gallery."""

    row: int
    """Its row in the gallery's features."""
    distance: float
    """Euclidean, from the query's features to its own."""
    right: bool | None
    """Whether it shows the query's identity; None where that is not known of both."""


def nearest(query: Features, query_row: int, gallery: Features, count: int) -> list[Match]:
    """The ``count`` nearest images, the nearest first and equally near ones in the gallery's order.

    The query itself is left out, told by its file. Raises DataError where features of the two have
    different numbers of values, or there is no other image than the query.
    """
    width, other = query.features.shape[1], gallery.features.shape[1]
    if width != other:
        raise DataError(
            f"{gallery.path}: holds features of {other} values, and {query.path} gives {width}"
        )
    wanted = query.features[query_row].astype(np.float64)
    distances = np.concatenate(
        [
            np.linalg.norm(gallery.features[start : start + _BLOCK] - wanted, axis=1)
            for start in range(0, len(gallery), _BLOCK)
        ]
    )
    itself = None if query.paths is None else row_of(gallery, query.paths[query_row])
    rows = [int(row) for row in np.argsort(distances, kind="stable") if row != itself]
    if not rows:
        raise DataError(f"{gallery.path}: expected images to find, got none but the query")
    identity = _identity(query, query_row)
    return [
        Match(row, float(distances[row]), _same(identity, _identity(gallery, row)))
        for row in rows[:count]
    ]


def check_network(gallery: Features, checkpoint: Path, digest: str) -> None:
    """Raise DataError when ``gallery`` is known to be of another network than ``checkpoint``'s."""
    if gallery.checkpoint not in (None, digest):
        raise DataError(
            f"{gallery.path}: holds features of another network than {checkpoint}, and distances "
            "between the two mean nothing; write it anew with pamtri embed"
        )


def row_of(features: Features, image: Path) -> int | None:
    """The row of an image file, if it has one."""
    if features.paths is None:
        return None
    wanted = image.resolve()
    candidates = [row for row, name in enumerate(features.names) if name == image.name]
    return next((row for row in candidates if features.paths[row].resolve() == wanted), None)


def match_table(query: Features, query_row: int, gallery: Features, matches: list[Match]) -> str:
    """The query in a line, and a table of what was found."""
    parts = [words for name in ("colour", "type") if (words := told(query, query_row, name))]
    identity = _identity(query, query_row)
    known = [] if identity is None else [f"identity {identity}"]
    header = f"{image_of(query, query_row)}: {', '.join(known + parts) or 'of an unknown vehicle'}"
    rows = [("rank", "distance", "identity", "colour", "type", "image")]
    for rank, match in enumerate(matches, start=1):
        cells = (told(gallery, match.row, "colour"), told(gallery, match.row, "type"))
        colour, kind = (words or "-" for words in cells)
        who = _identity_words(gallery, match)
        place = image_of(gallery, match.row)
        rows.append((str(rank), f"{match.distance:.4f}", who, colour, kind, place))
    return f"{header}\n{text_table(rows)}"


def told(features: Features, row: int, attribute: str) -> str:
    """What is known of the ``colour`` or ``type`` of a row, in words; empty if nothing is.

    A label that says otherwise than the network is added.
    """
    said = features.told(attribute, row)
    label = "" if features.labels is None else str(getattr(features.labels, attribute)[row])
    if said is None:
        return label
    word, probability = said
    words = f"{word} {probability:.0%}"
    return f"{words} (labelled {label})" if label not in ("", word) else words


def image_of(features: Features, row: int) -> str:
    """Where the image of a row lies, or its name where that is not known."""
    return features.names[row] if features.paths is None else str(features.paths[row])


def _identity_words(gallery: Features, match: Match) -> str:
    identity = _identity(gallery, match.row)
    if identity is None:
        return "-"
    return f"{identity}{ {True: ' right', False: ' wrong', None: ''}[match.right] }"


def _identity(features: Features, row: int) -> int | None:
    if features.labels is None or features.labels.identity[row] == UNKNOWN:
        return None
    return int(features.labels.identity[row])


def _same(one: int | None, other: int | None) -> bool | None:
    return None if one is None or other is None else one == other
