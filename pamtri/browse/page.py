"""Writes the page of a data set: its files, the data they show, and the masks to lay over."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pamtri import keypoints, segments
from pamtri.attributes import COLOURS, TYPES
from pamtri.browse.layers import LAYERS, Layer
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.formats.images import image_size, place_images
from pamtri.progress import progress
from pamtri.record import Record

PAGE = "index.html"
_FILES = tuple(
    file.name
    for file in resources.files("pamtri.browse").iterdir()
    if file.name.endswith((".html", ".css", ".js"))
)
"""What is the same for every data set."""
_DATA = "data.js"
_FOLDERS = ("details", "layers", "images")
_MARK = '<meta name="generator" content="pamtri dataset browse">'
"""What tells a page of an earlier call, which may be replaced."""
DETAILS_PER_FILE = 50
_THREADS = 4

Columns = dict[str, list[Any]]
"""What is known of the images, an entry each, by label; labels that none has are left out."""


@dataclass(frozen=True)
class BrowsePage:
    """A page that was written, and the image and mask files it could not use."""

    path: Path
    unreadable: tuple[Path, ...]


def write_page(dataset: Dataset, folder: Path, copy: bool = False) -> BrowsePage:
    """Write the page of ``dataset`` into ``folder``, whole or not at all.

    Images are linked to where they lie, by a path relative to ``folder``; with ``copy`` they are
    copied into it. A page of an earlier call is replaced. Images and masks that are missing or
    damaged are returned, and shown as missing. Raises DataError when ``folder`` holds anything
    else, or when ``copy`` and an image is missing.
    """
    _refuse_other_content(folder)
    unfinished = folder.with_name(folder.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        unreadable = _fill(dataset, unfinished, folder, copy)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return BrowsePage(folder / PAGE, tuple(unreadable))


def _refuse_other_content(folder: Path) -> None:
    """Only a new or empty folder, or one that holds a page and nothing beside it, is written to."""
    if not folder.exists():
        return
    page = folder / PAGE
    if folder.is_dir():
        names = {path.name for path in folder.iterdir()}
        ours = page.is_file() and _MARK in page.read_text(encoding="utf-8", errors="replace")
        if not names or (ours and names <= {*_FILES, _DATA, *_FOLDERS}):
            return
    raise DataError(f"{folder}: holds something else than such a page; choose another folder")


def _fill(dataset: Dataset, target: Path, final: Path, copy: bool) -> list[Path]:
    """Write every file into ``target``, linking as from ``final``; returns what is unreadable."""
    for name in _FILES:
        text = (resources.files("pamtri.browse") / name).read_text(encoding="utf-8")
        (target / name).write_text(text, encoding="utf-8")
    if copy:
        paths = dict.fromkeys(r.image for r in dataset)
        place_images([(dataset.root / p, target / "images" / p) for p in paths], "copy")
    link = quote("images" if copy else os.path.relpath(dataset.root.resolve(), final.resolve()))
    sizes, unreadable = _measure(dataset)
    layers, damaged = _paint_layers(dataset, target)
    columns = _columns(dataset.records, sizes, lambda r: f"{link}/{quote(r.image)}") | layers
    _write_script(target / _DATA, "receiveData", {**_facts(dataset), "columns": columns})
    _write_details(dataset.records, target / "details")
    return unreadable + damaged


def _measure(dataset: Dataset) -> tuple[list[tuple[int, int] | None], list[Path]]:
    """(width, height) of every image, None where it is missing or cannot be read; and those."""
    sizes: list[tuple[int, int] | None] = []
    unreadable = []
    with progress(len(dataset), "sizes") as bar:
        for record in dataset:
            path = dataset.image_path(record)
            try:
                sizes.append(image_size(dataset, record) if path.is_file() else None)
            except DataError:
                sizes.append(None)
            if sizes[-1] is None:
                unreadable.append(path)
            bar.update()
    return sizes, unreadable


def _paint_layers(dataset: Dataset, target: Path) -> tuple[Columns, list[Path]]:
    """Write the label images in colours; their columns, and the files that are unreadable."""
    columns: Columns = {}
    damaged: list[Path] = []
    jobs = [
        (layer, number, dataset.root / path)
        for layer in LAYERS
        for number, record in enumerate(dataset)
        if (path := getattr(record, layer.field)) is not None
    ]
    for field in {layer.field for layer, _, _ in jobs}:
        (target / "layers" / field).mkdir(parents=True)
        columns[field], columns[f"{field}:seen"] = [None] * len(dataset), [None] * len(dataset)

    def paint(job: tuple[Layer, int, Path]) -> list[int] | None:
        layer, number, source = job
        return layer.paint(source, target / _layer_link(layer, number))

    with (
        ThreadPoolExecutor(_THREADS) as pool,
        progress(len(jobs), "masks", disable=not jobs) as bar,
    ):
        for (layer, number, source), seen in zip(jobs, pool.map(paint, jobs), strict=True):
            if seen is None:
                damaged.append(source)
            else:
                columns[layer.field][number] = _layer_link(layer, number)
                columns[f"{layer.field}:seen"][number] = seen
            bar.update()
    return columns, damaged


def _layer_link(layer: Layer, number: int) -> str:
    return f"layers/{layer.field}/{number}.png"


def _facts(dataset: Dataset) -> dict[str, Any]:
    """What holds for the whole data set and for every data set."""
    return {
        "name": dataset.info.name,
        "format": dataset.format,
        "count": len(dataset),
        "detailsPerFile": DETAILS_PER_FILE,
        "order": {"split": dataset.split_names, "colour": COLOURS, "type": TYPES},
        "keypoints": keypoints.NAMES,
        "skeleton": keypoints.SKELETON,
        "layers": [
            {
                "field": layer.field,
                "word": layer.word,
                "key": layer.key,
                "names": layer.names,
                "colours": ["#" + bytes(colour).hex() for colour in layer.colours],
            }
            for layer in LAYERS
        ],
        "corners": [segment.corners for segment in segments.SEGMENTS],
    }


def _columns(
    records: Sequence[Record],
    sizes: Sequence[tuple[int, int] | None],
    link: Callable[[Record], str],
) -> Columns:
    """What is filtered by and drawn."""
    columns: Columns = {
        "name": [r.image for r in records],
        "link": [link(r) if size else None for r, size in zip(records, sizes, strict=True)],
        "size": list(sizes),
        **{
            name: [getattr(r, name) for r in records]
            for name in ("split", "identity", "camera", "colour", "type", "style", "domain")
        },
        "azimuth": [r.viewpoint and round(r.viewpoint.azimuth_deg, 2) for r in records],
        "occlusion": [None if r.occlusion is None else round(r.occlusion, 4) for r in records],
        "box": [_all_rounded(r.box) for r in records],
        "wholeBox": [_all_rounded(r.box_amodal) for r in records],
        "points": [
            r.keypoints and _all_rounded(v for xy in r.keypoints.xy for v in xy) for r in records
        ],
        "visibility": [r.keypoints and r.keypoints.visibility for r in records],
    }
    return {name: column for name, column in columns.items() if any(v is not None for v in column)}


def _all_rounded(values: Iterable[float] | None) -> list[float] | None:
    """To a hundredth of a pixel."""
    return None if values is None else [round(v, 2) for v in values]


def _write_details(records: Sequence[Record], folder: Path) -> None:
    """The records whole, numbers to six digits, in files of ``DETAILS_PER_FILE``."""
    folder.mkdir()
    with progress(len(records), "records") as bar:
        for start in range(0, len(records), DETAILS_PER_FILE):
            part = [
                json.loads(r.model_dump_json(exclude_none=True), parse_float=_six_digits)
                for r in records[start : start + DETAILS_PER_FILE]
            ]
            number = start // DETAILS_PER_FILE
            _write_script(folder / f"{number}.js", "receiveDetails", [number, part])
            bar.update(len(part))


def _six_digits(text: str) -> float:
    return float(f"{float(text):.6g}")


def _write_script(path: Path, function: str, content: Any) -> None:
    """A script that hands ``content`` to ``function`` of the page.

    Content stays a string until ``JSON.parse`` reads it, so nothing in it can run, and a key named
    ``__proto__`` is a key. The string is ASCII, which no line separator or encoding can break.
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    path.write_text(f"{function}(JSON.parse({json.dumps(text)}));\n", encoding="ascii")
