"""Sheets of pictures in rows and columns with captions, and sheets that move."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import imageio.v3 as imageio
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from pamtri.draw import Image
from pamtri.errors import ConfigError, UserError

STILL, MOVING = (".png", ".jpg", ".jpeg"), (".gif", ".mp4")
"""Suffixes of files that can be written."""
PAPER, INK = (248, 248, 246), (52, 55, 60)
FRAMES_A_SECOND = 12
_GAP = 4
"""Pixels between pictures."""
_JPEG_QUALITY = 85


def check_suffix(output: Path, moving: bool) -> None:
    """Refuse a file name that does not say which format to write; raises ConfigError."""
    suffixes = MOVING if moving else STILL
    if output.suffix.lower() not in suffixes:
        raise ConfigError(
            f"--output: expected a {'turntable' if moving else 'sheet'} that ends in "
            f"{' or '.join(suffixes)}, got '{output.name}'"
        )


def draw_sheet(
    pictures: Sequence[Sequence[Image]],
    rows: Sequence[str],
    columns: Sequence[str] = (),
    captions: Sequence[Sequence[str]] = (),
) -> Image:
    """Rows of (h, w, 3) RGB pictures, all of one size and number.

    ``rows`` are written before the rows, ``columns`` above the columns and ``captions`` below the
    pictures, where given.
    """
    height, width = pictures[0][0].shape[:2]
    text = max(10, min(16, width // 14))
    font, line = ImageFont.load_default(size=text), round(1.5 * text)
    left = round(max(font.getlength(name) for name in rows)) + line
    top = line if columns else _GAP
    pitch = (width + _GAP, height + _GAP + (line if captions else 0))
    size = (left + len(pictures[0]) * pitch[0], top + len(pictures) * pitch[1])
    sheet = Pillow.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    for i, name in enumerate(columns):
        pen.text((left + i * pitch[0] + width / 2, line / 2), name, INK, font, "mm")
    for i, (name, row) in enumerate(zip(rows, pictures, strict=True)):
        y = top + i * pitch[1]
        pen.text((left / 2, y + height / 2), name, INK, font, "mm")
        for k, picture in enumerate(row):
            x = left + k * pitch[0]
            sheet.paste(Pillow.fromarray(picture), (x, y))
            if captions:
                pen.text((x + width / 2, y + height + line / 2), captions[i][k], INK, font, "mm")
    return np.asarray(sheet)


def write_sheet(sheet: Image, output: Path) -> None:
    """Write a still sheet; JPEG at a quality that hides nothing at this size."""
    output.parent.mkdir(parents=True, exist_ok=True)
    # PNG has no quality and leaves the number unread.
    Pillow.fromarray(sheet).save(output, optimize=True, quality=_JPEG_QUALITY)


def write_turntable(frames: Sequence[Image], output: Path) -> None:
    """Write frames of one size as an endless GIF, or as an MP4 (MPEG-4 part 2)."""
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix.lower() == ".gif":
        duration = 1000 / FRAMES_A_SECOND
        imageio.imwrite(output, np.stack(frames), extension=".gif", duration=duration, loop=0)
        return
    height, width = (side + side % 2 for side in frames[0].shape[:2])  # the codec's wish
    code = cv2.VideoWriter.fourcc(*"mp4v")
    film = cv2.VideoWriter(str(output), code, FRAMES_A_SECOND, (width, height))
    if not film.isOpened():
        raise UserError(f"{output}: cannot be written as MP4 here; a name in .gif makes a GIF")
    for frame in frames:
        bottom, right = height - frame.shape[0], width - frame.shape[1]
        padded = np.pad(frame, ((0, bottom), (0, right), (0, 0)), mode="edge")
        film.write(cv2.cvtColor(padded, cv2.COLOR_RGB2BGR))
    film.release()
