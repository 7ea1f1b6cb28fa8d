"""COCO keypoints, written only: ``annotations/<split>.json`` and the images beside it.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014. Boxes are continuous
pixels (left, top, width, height); keypoints are pixel indices with v = 2 visible, 1 labelled but
hidden, 0 not labelled (outside the image, or hidden at an unknown place), where x = y = 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.formats.images import Images, image_size, place_images
from pamtri.formats.label_csv import PIXEL_CENTRE
from pamtri.keypoints import NAMES, SKELETON, Visibility
from pamtri.record import Keypoints, Record

_CATEGORY = {
    "id": 1,
    "name": "vehicle",
    "supercategory": "vehicle",
    "keypoints": list(NAMES),
    "skeleton": [[a + 1, b + 1] for a, b in SKELETON],
}
_FLAGS = {Visibility.VISIBLE: 2, Visibility.SELF_OCCLUDED: 1, Visibility.OCCLUDED: 1}
_ATTRIBUTES = ("identity", "camera", "colour", "type", "style", "occlusion", "truncation")


def write(dataset: Dataset, target: Path, images: Images = "copy") -> None:
    """Write one JSON file a split (``all.json`` for records without one).

    The box is the record's, or else the whole image; the segmentation is the mask's. Raises
    DataError when an image or mask is missing or a mask has another size than its image.
    """
    splits: dict[str, dict[str, Any]] = {}
    for number, record in enumerate(dataset, start=1):
        split = splits.setdefault(record.split or "all", _empty(dataset))
        width, height = image_size(dataset, record)
        split["images"].append(
            {"id": number, "file_name": record.image, "width": width, "height": height}
        )
        split["annotations"].append(_annotation(dataset, record, number, (width, height)))
    place_images([(dataset.image_path(r), target / r.image) for r in dataset], images)
    folder = target / "annotations"
    folder.mkdir(exist_ok=True)
    for name, content in splits.items():
        if "/" in name:
            raise DataError(f"split '{name}' cannot be a file's name")
        text = json.dumps(content, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _empty(dataset: Dataset) -> dict[str, Any]:
    info = {"description": dataset.info.name}
    return {"info": info, "images": [], "annotations": [], "categories": [_CATEGORY]}


def _annotation(
    dataset: Dataset, record: Record, number: int, size: tuple[int, int]
) -> dict[str, Any]:
    left, top, right, bottom = record.box or (0.0, 0.0, *map(float, size))
    annotation: dict[str, Any] = {
        "id": number,
        "image_id": number,
        "category_id": _CATEGORY["id"],
        "iscrowd": 0,
        "bbox": [round(v, 3) for v in (left, top, right - left, bottom - top)],
        "area": round((right - left) * (bottom - top), 3),
        "attributes": {
            name: getattr(record, name) for name in _ATTRIBUTES if getattr(record, name) is not None
        },
    }
    if record.keypoints is not None:
        triples = list(_triples(record.keypoints))
        annotation["keypoints"] = [value for triple in triples for value in triple]
        annotation["num_keypoints"] = sum(triple[2] > 0 for triple in triples)
    if record.mask is not None:
        mask = _read_mask(dataset.root / record.mask, size)
        annotation["segmentation"] = {"size": [size[1], size[0]], "counts": run_lengths(mask)}
        annotation["area"] = int(mask.sum())
    return annotation


def _triples(keypoints: Keypoints) -> Iterator[tuple[float, float, int]]:
    for (x, y), letter in zip(keypoints.xy, keypoints.visibility, strict=True):
        flag = _FLAGS.get(Visibility(letter), 0)
        if flag:
            yield round(x - PIXEL_CENTRE, 3), round(y - PIXEL_CENTRE, 3), flag
        else:
            yield 0, 0, 0


def _read_mask(path: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(height, width) True on the vehicle."""
    try:
        with Image.open(path) as image:
            mask = np.asarray(image.convert("L")) > 127
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise DataError(f"{path}: the mask is missing or unreadable") from None
    if mask.shape != (size[1], size[0]):
        raise DataError(
            f"{path}: the mask is {mask.shape[1]} x {mask.shape[0]}, expected {size[0]} x {size[1]}"
        )
    return mask


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """COCO's uncompressed run lengths of a (height, width) mask: column by column, zeros first."""
    flat = mask.ravel(order="F").astype(np.int8)
    changes = np.flatnonzero(np.diff(flat, prepend=0))
    return np.diff([0, *changes.tolist(), flat.size]).tolist()
