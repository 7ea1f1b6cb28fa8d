"""Data sheets: what the real and the synthetic images are, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluate.config import CompareConfig, SourceData, Task
from evaluate.data import facts, open_source
from evaluate.gap.labels import LabelPair, label_pairs, words
from evaluate.plan import real_source, synthetic_sets
from evaluate.report.examples import sheet
from evaluate.report.export import Column, Table
from evaluate.report.tables import DASH
from pamtri.dataset import Dataset
from pamtri.formats import open_dataset
from pamtri.page.distribution import distribution

_FACTS = {
    "images": "Images",
    "identities": "Identities",
    "cameras": "Cameras",
    "with_keypoints": "Images with keypoints",
    "median_size": "Median size, pixels",
    "types": "Body types",
    "colours": "Colours",
}
_MOST_WORDS = 5
_PICTURES = 24
_FEWER = 8
"""Pictures of each set where there are several synthetic ones."""


@dataclass(frozen=True)
class DataSheets:
    """Numbers of every data set, the training sets' labels side by side, and pictures."""

    facts: Table
    labels: Table
    names: tuple[str, str]
    """The two training sets."""
    charts: tuple[tuple[str, Markup], ...]
    """Of each label, by its name."""
    pictures: tuple[tuple[str, list[Markup]], ...]


def data_sheets(config: CompareConfig, folder: Path) -> DataSheets:
    """Sheets of the comparison in ``folder``."""
    task: Task = "reid" if config.tasks.reid else "pose"
    source = real_source(config, folder, task)
    real = open_source(source, source.train)
    sets = _synthetic(config, folder)
    name, synthetic = next(iter(sets.items()))
    pairs = label_pairs(real, synthetic)
    names = (config.real.label, name)
    pictured = {config.real.label: _labelled(config, folder, real), **sets}
    return DataSheets(
        facts_table(_columns(config, folder, sets)),
        labels_table(pairs, names),
        names,
        tuple((pair.name, distribution(pair.name, (pair.first, pair.second))) for pair in pairs),
        tuple(
            (name, sheet(data, _PICTURES if len(sets) == 1 else _FEWER))
            for name, data in pictured.items()
        ),
    )


def facts_table(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """What ``evaluate.data.facts`` tells of each data set, by its heading."""
    rows = tuple(
        (label, *(_fact(told[key]) for told in columns.values())) for key, label in _FACTS.items()
    )
    return Table("data", "The data sets", tuple(map(Column, ("", *columns))), rows)


def labels_table(pairs: Sequence[LabelPair], names: tuple[str, str]) -> Table:
    """Each label of both training sets in words, and the share of images that tells them apart."""
    columns = (Column("Label"), *map(Column, names), Column("Differ by, %"))
    rows = tuple(
        (
            pair.name,
            words(pair.first),
            words(pair.second),
            None if pair.difference is None else 100 * pair.difference,
        )
        for pair in pairs
    )
    return Table("labels", "The training images' labels side by side", columns, rows)


def _synthetic(config: CompareConfig, folder: Path) -> dict[str, Dataset]:
    """The synthetic training images by name, those of the first arm that has any first."""
    found = {}
    for own, name in synthetic_sets(config).items():
        arm = name.removeprefix("synthetic").removeprefix("-")
        data = open_dataset(own.path or folder / "data" / name).only(*own.train)
        found[f"Synthetic for {arm}" if arm else "Synthetic"] = data
    return found


def _columns(
    config: CompareConfig, folder: Path, synthetic: Mapping[str, Dataset]
) -> dict[str, dict[str, Any]]:
    """What each data set holds, by its heading."""
    main: Task = "reid" if config.tasks.reid else "pose"
    columns = {}
    for part in ("train", "test"):
        heading = f"{config.real.label}: {'training' if part == 'train' else 'test'}"
        columns[heading] = _facts(real_source(config, folder, main), part)
        if config.tasks.pose and main == "reid" and config.real.pose is not None:
            labels = _facts(config.real.pose, part)
            columns[heading]["with_keypoints"] = labels["with_keypoints"]
            columns[heading]["median_size"] = labels["median_size"]
    return columns | {f"{name}: training": facts(data) for name, data in synthetic.items()}


def _labelled(config: CompareConfig, folder: Path, real: Dataset) -> Dataset:
    """The real training images with their keypoints, where a task has labels for them."""
    if config.tasks.pose is None:
        return real
    source = real_source(config, folder, "pose")
    return open_source(source, source.train)


def _facts(source: SourceData, part: str) -> dict[str, Any]:
    return facts(open_source(source, getattr(source, part)))


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        shown = [f"{name} {count:,}" for name, count in list(value.items())[:_MOST_WORDS]]
        more = len(value) - _MOST_WORDS
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "") or DASH
    if isinstance(value, list):
        return " \N{MULTIPLICATION SIGN} ".join(str(v) for v in value)
    return f"{value:,}" if value else DASH
