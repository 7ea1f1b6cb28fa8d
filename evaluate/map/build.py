"""Puts the map's page together, in one HTML file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluate.map.layout import (
    Agreement,
    agreement,
    attribute_words,
    chosen_rows,
    identity_words,
    map_places,
    nearest_others,
)
from pamtri.attributes import COLOURS, TYPES
from pamtri.errors import DataError
from pamtri.features import Features
from pamtri.page.pictures import Part, picture
from pamtri.page.template import environment
from pamtri.progress import progress
from pamtri.run_folder import write_atomic

_SIDE = 72
"""Longer side of the pictures that the pointer shows, pixels."""
_PAINTS = {
    "yellow": "#e8c400", "orange": "#f08000", "green": "#2f9e44", "gray": "#8b9098",
    "red": "#e03131", "blue": "#1c6fd6", "white": "#f4f2ec", "golden": "#b9975b",
    "brown": "#7b4a21", "black": "#1d1f23",
}  # fmt: skip
_PALETTE = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6bd1", "#6b705c",
    "#b5179e",
)  # fmt: skip
_UNKNOWN_PAINT = "transparent"


def write_map(target: Path, features: Features, limit: int) -> int:
    """Write the page ``target`` with at most ``limit`` images; returns how many there are.

    Raises DataError when there are too few images, or a picture cannot be read.
    """
    rows = chosen_rows(identity_words(features), limit)
    page = environment("evaluate.map").get_template("template.html")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, page.render(_context(features, rows)))
    return len(rows)


def _context(features: Features, rows: Sequence[int]) -> dict[str, Any]:
    values = features.features[list(rows)]
    places, nearest = map_places(values), nearest_others(values)
    words = {"identity": identity_words(features)}
    words |= {name: attribute_words(features, name) for name in ("colour", "type", "domain")}
    words = {name: [column[row] for row in rows] for name, column in words.items()}
    views = [_view(name, column, nearest) for name, column in words.items() if any(column)]
    azimuths = _azimuths(features, rows)
    if azimuths is not None:
        views.append(_azimuth_view(azimuths, nearest))
    points = {
        "x": [round(1000 * x, 1) for x in places[:, 0]],
        "y": [round(1000 * y, 1) for y in places[:, 1]],
        "names": [features.names[row] for row in rows],
        "identities": words["identity"],
        "pictures": _pictures(features, rows),
        "views": views,
    }
    return {
        "title": f"Map of {features.path.name}",
        "count": len(rows),
        "total": len(features),
        "views": views,
        # Inside a script element no text may look like its end.
        "data": json.dumps(points).replace("<", "\\u003c"),
    }


def _view(name: str, words: Sequence[str], nearest: np.ndarray) -> dict[str, Any]:
    """One colouring: a paint and a word for each image, the legend, and how well it holds."""
    counts = Counter(word for word in words if word)
    order = {"colour": COLOURS, "type": TYPES}.get(name, sorted(counts))
    named = [word for word in order if word in counts]
    paints = {word: _paint(name, word, i) for i, word in enumerate(named)}
    legend = [] if name == "identity" else [(paints[w], w, counts[w]) for w in named]
    return {
        "name": name,
        "words": [f"{name} {word}" if word and name == "identity" else word for word in words],
        "paints": [paints.get(word, _UNKNOWN_PAINT) for word in words],
        "legend": legend,
        "note": _note(name, len(named), agreement(words, nearest)),
    }


def _paint(name: str, word: str, index: int) -> str:
    if name == "colour":
        return _PAINTS[word]
    if name == "identity":  # neighbouring numbers far apart on the colour wheel
        return f"hsl({137.508 * index % 360:.0f} 70% {(45, 60, 35)[index % 3]}%)"
    return _PALETTE[index % len(_PALETTE)]


def _note(name: str, count: int, found: Agreement | None) -> str:
    start = f"{count} identities. " if name == "identity" else ""
    if found is None or count < 2:
        return start
    return (
        f"{start}The nearest other image has the same {name} for {found.share:.1%} of the images; "
        f"by chance it would be {found.chance:.1%}."
    )


def _azimuth_view(azimuths: np.ndarray, nearest: np.ndarray) -> dict[str, Any]:
    turned = np.abs((azimuths - azimuths[nearest] + 180) % 360 - 180)
    known = turned[~np.isnan(turned)]
    note = ""
    if len(known):
        note = (
            f"An image and the nearest other one are seen from {np.median(known):.0f}° apart "
            "(median); by chance it would be 90° for vehicles seen from all sides."
        )
    unknown = np.isnan(azimuths)
    legend = [(_wheel(a), word, None) for a, word in
              ((0, "front"), (90, "left side"), (180, "rear"), (270, "right side"))]  # fmt: skip
    return {
        "name": "azimuth",
        "words": ["" if u else f"azimuth {a:.0f}°" for a, u in zip(azimuths, unknown, strict=True)],
        "paints": [
            _UNKNOWN_PAINT if u else _wheel(a) for a, u in zip(azimuths, unknown, strict=True)
        ],
        "legend": legend,
        "note": note,
    }


def _wheel(azimuth: float) -> str:
    return f"hsl({azimuth:.0f} 75% 50%)"


def _azimuths(features: Features, rows: Sequence[int]) -> np.ndarray | None:
    """(n,) degrees, NaN where not known; None where that is everywhere."""
    if features.labels is None:
        return None
    azimuths = features.labels.azimuth_deg[list(rows)].astype(float)
    return None if np.isnan(azimuths).all() else azimuths


def _pictures(features: Features, rows: Sequence[int]) -> list[str]:
    """Pictures as data URIs, none where the file does not say where images lie."""
    if features.paths is None:
        return []
    if not features.paths[rows[0]].exists():
        raise DataError(
            f"{features.path}: {features.paths[rows[0]]} is not there any more; write the features "
            "anew with pamtri embed"
        )
    uris = []
    with progress(len(rows), "pictures") as bar:
        for row in rows:
            uris.append(picture(features.paths[row], _SIDE, _part(features, row)).uri)
            bar.update()
    return uris


def _part(features: Features, row: int) -> Part | None:
    if features.labels is None or np.isnan(features.labels.box[row]).any():
        return None
    left, top, right, bottom = features.labels.box[row].tolist()
    return left, top, right, bottom
