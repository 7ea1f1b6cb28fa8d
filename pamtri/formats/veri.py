"""VeRi-776: ``name_*.txt``, ``*_label.xml``, ``image_*``. X. Liu et al., ECCV 2016.

The split called test there is the gallery here. Queries are labelled in ``test_label.xml``, and
the same picture may be a query and in the gallery. Colour and type ids count from 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

from pamtri.attributes import COLOUR_INDEX, COLOURS, TYPE_INDEX, TYPES
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.formats.images import Images, place_images
from pamtri.formats.label_xml import Item, first_item
from pamtri.formats.names import parse_name, veri_names
from pamtri.formats.reid_folder import Split, read_reid_folder
from pamtri.record import Record

SPLITS = (
    Split("train", "name_train.txt", "image_train", "train_label.xml"),
    Split("query", "name_query.txt", "image_query", "test_label.xml", own_labels=False),
    Split("gallery", "name_test.txt", "image_test", "test_label.xml", own_labels=False),
)


def detect(root: Path) -> bool:
    """Whether ``root`` holds labels of images that are named as VeRi names them."""
    item = first_item(root)
    return item is not None and parse_name(item.name) is not None


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read a VeRi-776 folder. Raises DataError for a missing list, label, folder or unknown id."""
    return read_reid_folder(root, "veri", SPLITS, _record, skip_damaged)


def _record(item: Item, image: str, split: str) -> Record:
    name = parse_name(item.name)
    return Record(
        image=image,
        domain="real",
        split=split,
        identity=item.number("vehicleID"),
        camera=item.number("cameraID", prefix="c"),
        frame=name.frame if name else None,
        colour=item.word("colorID", COLOURS, first=1),
        type=item.word("typeID", TYPES, first=1),
    )


def write(dataset: Dataset, target: Path, images: Images = "copy") -> None:
    """Write VeRi's layout; it holds images, splits, identity, camera, frame, colour and type.

    Raises DataError for a record without identity or camera, or in a split VeRi does not have.
    """
    folders = {split.name: split for split in SPLITS}
    for record in dataset:
        if record.split not in folders:
            there = ", ".join(folders)
            raise DataError(f"{record.image}: is in split '{record.split}', but VeRi has {there}")
    named = list(zip(dataset.records, veri_names(dataset.records), strict=True))
    place_images(
        [
            (dataset.image_path(r), target / folders[str(r.split)].folder / name)
            for r, name in named
        ],
        images,
    )
    labels: dict[str, dict[str, str]] = {}
    for split in SPLITS:
        members = [(r, name) for r, name in named if r.split == split.name]
        if members:
            text = "".join(f"{name}\n" for _, name in members)
            (target / split.list_file).write_text(text, encoding="utf-8")
            lines = labels.setdefault(split.label_file, {})
            lines.update((name, _item_line(r, name)) for r, name in members)
    for label_file, lines in labels.items():
        (target / label_file).write_text(_label_text(lines.values()), encoding="utf-8")


def _item_line(record: Record, name: str) -> str:
    attributes = {
        "imageName": name,
        "vehicleID": f"{record.identity:04d}",
        "cameraID": f"c{record.camera:03d}",
    }
    if record.colour is not None:
        attributes["colorID"] = str(COLOUR_INDEX[record.colour] + 1)
    if record.type is not None:
        attributes["typeID"] = str(TYPE_INDEX[record.type] + 1)
    return "<Item " + " ".join(f"{k}={quoteattr(v)}" for k, v in attributes.items()) + " />"


def _label_text(lines: Iterable[str]) -> str:
    items = list(lines)
    body = "".join(f"    {line}\n" for line in items)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<TrainingImages Version="1.0">\n'
        f'  <Items number="{len(items)}">\n{body}  </Items>\n</TrainingImages>\n'
    )
