"""The text file that CityFlow-ReID's evaluation server takes (track 2 of the AI City Challenge)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluate.reid import PLAIN, SHORT_LIST, names_of, query_and_gallery, values
from evaluate.reid_search import Search
from pamtri.dataset import Dataset
from pamtri.distances import blocks, nearest_rows
from pamtri.errors import DataError
from pamtri.features import Features
from pamtri.run_folder import write_atomic


def write_submission(
    path: Path, features: Features, dataset: Dataset, search: Search = PLAIN
) -> int:
    """Write a line for each query of ``dataset``: its 100 nearest gallery images, nearest first.

    Images are numbers with a blank between them: ``000042.jpg`` is 42. Lines are in the order of
    the queries' names. No label is looked at and nothing left out. Returns the number of lines.
    Raises DataError for an image without feature, or a gallery image whose name is no number.
    """
    query, gallery = query_and_gallery(dataset, ())
    if query is gallery:
        raise DataError(f"{dataset.root.name}: expected a query and a gallery split")
    query = tuple(record for _, record in sorted(zip(names_of(query), query, strict=True),
                                                 key=lambda pair: pair[0]))  # fmt: skip
    numbers = _numbers(names_of(gallery))
    distances = search.distances(values(features, query), values(features, gallery))
    count = min(SHORT_LIST, len(gallery))
    lines = []
    for start, stop in blocks(distances):
        for distance in distances.rows(start, stop)[0]:
            found = nearest_rows(distance, count)
            lines.append(" ".join(str(numbers[row]) for row in found) + "\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, "".join(lines))
    return len(lines)


def has_labels(dataset: Dataset) -> bool:
    """Whether any query has an identity, so that there is something to score."""
    return any(record.identity is not None for record in query_and_gallery(dataset, ())[0])


def _numbers(names: Sequence[str]) -> list[int]:
    for name in names:
        if not Path(name).stem.isdecimal():
            raise DataError(
                f"gallery image {name} is no number, which a submission tells images by; expected "
                "CityFlow-ReID's names, such as 000042.jpg"
            )
    return [int(Path(name).stem) for name in names]
