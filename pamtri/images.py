"""Reading a picture, with one sentence for one that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from pamtri.errors import DataError

_ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND\xaeB`\x82"}
"""How whole JPEG and PNG files end, by how they begin."""
_TAIL = 16


def read_image(source: Path | BinaryIO) -> NDArray[np.uint8]:
    """Decode an image file, whole and upright, to (h, w, 3) RGB; of 16 bits the upper eight.

    Raises DataError when it cannot be.
    """
    try:
        with PIL.Image.open(source) as file:
            upright = PIL.ImageOps.exif_transpose(file)
            if upright.mode.startswith("I"):  # which convert() would cut off at 255
                upright = PIL.Image.fromarray((np.asarray(upright) // 257).astype(np.uint8))
            return np.asarray(upright.convert("RGB"))
    except FileNotFoundError:
        raise DataError(f"{source}: no such image") from None
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise DataError(f"{source}: is no image that can be decoded whole: {error}") from None


def damage_of(path: Path) -> str | None:
    """Why an image file cannot be decoded, in a sentence that names it; None where it can.

    One that ends as a whole JPEG or PNG does is believed; any other is decoded to find out.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
            file.seek(max(0, path.stat().st_size - _TAIL))
            end = _ENDS.get(start)
            if end is not None and file.read().endswith(end):
                return None
        read_image(path)
    except (OSError, DataError) as error:
        return str(error)
    return None
