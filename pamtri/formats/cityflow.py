"""CityFlow-ReID, track 2 of the AI City Challenge. Z. Tang et al., CVPR 2019.

``image_train``, ``image_query`` and ``image_test`` (the gallery here) with numbers for names.
``train_label.xml`` gives vehicle and camera; what is known of the test images differs by year:
nothing, or their cameras in ``query_label.xml`` and ``test_label.xml``. Colour and type, where a
file has them, count from 0 in ``pamtri.attributes.CITYFLOW_COLOURS`` and ``CITYFLOW_TYPES``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pamtri.attributes import CITYFLOW_COLOURS, CITYFLOW_TYPES
from pamtri.dataset import Dataset
from pamtri.formats.label_xml import Item, first_item
from pamtri.formats.names import is_vehiclex_name, parse_name
from pamtri.formats.reid_folder import Split, read_reid_folder
from pamtri.record import Record

SPLITS = (
    Split("train", "name_train.txt", "image_train", "train_label.xml"),
    Split("query", "name_query.txt", "image_query", "query_label.xml", labelled=False),
    Split("gallery", "name_test.txt", "image_test", "test_label.xml", labelled=False),
)


def detect(root: Path) -> bool:
    """Whether ``root`` holds labels of images that are named neither as VeRi's nor VehicleX's."""
    item = first_item(root)
    return item is not None and not (parse_name(item.name) or is_vehiclex_name(item.name))


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read a track 2 folder. Raises DataError for a missing label, folder or unknown id."""
    return read_reid_folder(root, "cityflow", SPLITS, make_record, skip_damaged)


def make_record(
    item: Item, image: str, split: str, domain: Literal["real", "synthetic"] = "real"
) -> Record:
    """The record of one labelled image, its words translated to VeRi's.

    Raises DataError for an id that is no number or has no word.
    """
    colour = item.word("colorID", CITYFLOW_COLOURS, first=0)
    type_ = item.word("typeID", CITYFLOW_TYPES, first=0)
    return Record(
        image=image,
        domain=domain,
        split=split,
        identity=item.number("vehicleID"),
        camera=item.number("cameraID", prefix="c"),
        colour=colour.veri if colour else None,
        type=type_.veri if type_ else None,
        style=type_.name if type_ else None,
    )
