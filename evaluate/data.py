"""The data of a comparison: opened, parted by identity where asked, and described in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluate.amounts import LINK, Amount, thinned, write_linked
from evaluate.config import CompareConfig, IdentitySplit, SourceData
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.formats import open_dataset
from pamtri.formats.images import image_size
from pamtri.record import Record


def open_source(source: SourceData, splits: Sequence[str]) -> Dataset:
    """The images of ``splits``. Raises DataError when the folder or the images are missing."""
    return _open(source).only(*splits)


def part_by_identity(config: CompareConfig, target: Path) -> None:
    """Write into ``target`` the real data set with every identity in ``train`` or in ``test``.

    Nothing is copied: ``target`` holds records and a link to the images. Does nothing where no
    parting is asked for or it was done before. Raises DataError below two identities.
    """
    if config.real.split_by is not None and not (target / LINK).exists():
        dataset = parted(config.real, config.real.split_by)
        write_linked(dataset, dataset.records, target, config.name)


def parted(source: SourceData, how: IdentitySplit) -> Dataset:
    """The images of known identity, each identity in ``train`` or in ``test``."""
    dataset = _open(source)
    test = test_identities(dataset.records, how)
    records = tuple(
        record.model_copy(update={"split": "test" if record.identity in test else "train"})
        for record in dataset.records
        if record.identity is not None
    )
    return replace(dataset, records=records)


def thin(source: SourceData, amount: Amount, target: Path, name: str) -> None:
    """Write into ``target`` the training images of ``source`` that ``amount`` keeps, as links."""
    if not (target / LINK).exists():
        dataset = open_dataset(source.root, source.format)
        write_linked(dataset, thinned(dataset.records, source.train, amount), target, name)


def test_identities(records: Sequence[Record], how: IdentitySplit) -> set[int]:
    """The identities that are tested on: a seeded draw that depends on the identities alone."""
    identities = sorted({r.identity for r in records if r.identity is not None})
    count = round(how.test_fraction * len(identities))
    if not 0 < count < len(identities):
        raise DataError(
            f"real.split_by: {len(identities)} identities cannot be parted into training and test"
        )
    order = np.random.default_rng(how.seed).permutation(len(identities))
    return {identities[i] for i in order[:count]}


def facts(dataset: Dataset) -> dict[str, Any]:
    """What a data set holds, as plain numbers for the report."""
    records = dataset.records
    sizes = [image_size(dataset, record) for record in records]
    return {
        "images": len(records),
        "identities": _count(r.identity for r in records),
        "cameras": _count(r.camera for r in records),
        "with_keypoints": sum(r.keypoints is not None for r in records),
        "colours": dict(Counter(r.colour for r in records if r.colour).most_common()),
        "types": dict(Counter(r.type for r in records if r.type).most_common()),
        "median_size": [round(float(v)) for v in np.median(sizes, axis=0)],
    }


def _open(source: SourceData) -> Dataset:
    if not source.root.exists():
        raise DataError(
            f"{source.root}: no such data set folder; name yours with --set real.root=FOLDER"
        )
    return open_dataset(source.root, source.format)


def _count(values: Any) -> int:
    return len({value for value in values if value is not None})
