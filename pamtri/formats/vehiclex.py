"""VehicleX as released for the AI City Challenge: rendered vehicles with attributes. Y. Yao et al.,
"Simulating Content Consistent Vehicle Datasets with Attribute Descent", ECCV 2020.

``train_label.xml`` and ``sys_image_train`` (or ``image_train``) with names like
``00001_c006_1.jpg``: vehicle, camera, serial number. Colour and type count from 0 in
``pamtri.attributes.CITYFLOW_COLOURS`` and ``CITYFLOW_TYPES``. Its ``orientation`` is left out:
where its zero lies is not written down, and a wrong azimuth is worse than none.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pamtri.dataset import Dataset
from pamtri.formats.cityflow import make_record
from pamtri.formats.label_xml import first_item
from pamtri.formats.names import is_vehiclex_name
from pamtri.formats.reid_folder import Split, read_reid_folder

_FOLDER = "sys_image_train"


def detect(root: Path) -> bool:
    """Whether ``root`` holds labels of images that are named as VehicleX names them."""
    item = first_item(root)
    return item is not None and is_vehiclex_name(item.name)


def read(root: Path, skip_damaged: bool = False) -> Dataset:
    """Read a VehicleX folder. Raises DataError for a missing label, folder or unknown id."""
    folder = _FOLDER if (root / _FOLDER).is_dir() else "image_train"
    splits = (Split("train", "name_train.txt", folder, "train_label.xml"),)
    make = partial(make_record, domain="synthetic")
    return read_reid_folder(root, "vehiclex", splits, make, skip_damaged)
