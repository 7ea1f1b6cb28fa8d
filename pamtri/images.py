"""Reading a picture, with one sentence for one that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from pamtri.errors import DataError


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
