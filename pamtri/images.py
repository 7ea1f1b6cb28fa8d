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
    """Decode an image file, whole and upright, to (h, w, 3) RGB.

    Raises DataError when it cannot be.
    """
    try:
        with PIL.Image.open(source) as file:
            return np.asarray(PIL.ImageOps.exif_transpose(file).convert("RGB"))
    except FileNotFoundError:
        raise DataError(f"{source}: no such image") from None
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise DataError(f"{source}: is no image that can be decoded whole: {error}") from None
