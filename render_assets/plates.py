"""Registration plates: several countries' styles at their real sizes, lettered in outlines."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pamtri.attributes import VehicleType
from render_assets.decals import Frame, laid, sheet
from render_assets.lettering import Font, text_figure
from render_assets.marks import Plate
from render_assets.mesh import Part
from render_assets.outlines import Flat, disc, joined, rectangle, rim, rounded


@dataclass(frozen=True)
class PlateStyle:
    """One country's plates; metres.

    In ``patterns`` @ stands for a letter, # for a digit and a line feed for the next row; ``rows``
    holds cap height and the middle's height over the plate's, top to bottom. ``strip`` is the
    width of a blue field at the left end with ``mark`` on it, ``header`` the height of one along
    the upper edge. ``work`` limits a style to buses and trucks (True) or to the others (False).
    """

    patterns: tuple[str, ...]
    size: tuple[float, float] = (0.520, 0.110)
    rows: tuple[tuple[float, float], ...] = ((0.075, 0.0),)
    ground: str = "plate"
    rear_ground: str | None = None
    ink: str = "plate_text"
    font: Font = "mono"
    strip: float = 0.0
    header: float = 0.0
    marks: tuple[str, ...] = ("",)
    band: str = "plate_blue"
    border: bool = True
    holder: float = 0.3
    """Share with a wide frame under the plate."""
    no_front: float = 0.0
    work: bool | None = None
    weight: float = 1.0


_CHINESE = tuple(f"{province}@·{number}" for province in "京川晋吉甘"
                 for number in ("#####", "@####", "##@##", "#@@##"))  # fmt: skip
_US = PlateStyle(
    ("@@@ ####", "#@@@###"),
    (0.305, 0.152),
    ((0.068, -0.012),),
    header=0.032,
    border=False,
    ink="plate_blue",
    weight=1.2,
)

PLATE_STYLES: dict[str, PlateStyle] = {
    "china_blue": PlateStyle(
        _CHINESE, (0.440, 0.140), ((0.090, 0.0),), "plate_blue", ink="plate", weight=4, work=False
    ),
    "china_green": PlateStyle(
        tuple(f"{p}@·{e}#####" for p in "京川晋吉甘" for e in "DF"),
        (0.480, 0.140), ((0.090, 0.0),), "plate_green", weight=0.8, work=False,
    ),
    "china_yellow": PlateStyle(
        _CHINESE, (0.440, 0.140), ((0.090, 0.0),), "plate_yellow", weight=4.8, work=True
    ),
    "germany": PlateStyle(
        ("@ @@ ###", "@@ @@ ###", "@@@ @ ####"), strip=0.040, marks=("D", "A"), holder=0.7
    ),
    "france": PlateStyle(("@@-###-@@",), strip=0.040, marks=("F", "I"), border=False, holder=0.5),
    "spain": PlateStyle(("#### @@@",), strip=0.040, marks=("E", "P", "PL"), weight=0.7),
    "netherlands": PlateStyle(
        ("##-@@@-#", "@-###-@@"), ground="plate_yellow", strip=0.040, marks=("NL", "L"), weight=0.4
    ),
    "britain": PlateStyle(
        ("@@## @@@",), rear_ground="plate_yellow", font="bold", border=False, holder=0.5
    ),
    "russia": PlateStyle(("@###@@ ##", "@###@@ ###"), (0.520, 0.112), weight=0.7),
    "india": PlateStyle(("@@ ## @@ ####",), (0.500, 0.120), ((0.065, 0.0),), weight=0.7,
                        work=False),
    "india_yellow": PlateStyle(("@@ ## @@ ####",), (0.500, 0.120), ((0.065, 0.0),),
                               "plate_yellow", weight=0.7, work=True),
    "japan": PlateStyle(
        ("品川 ###\n##-##", "品川 5##\n##-##"), (0.330, 0.165), ((0.040, 0.050), (0.080, -0.026)),
        ink="plate_green_ink", border=False,
    ),
    "japan_green": PlateStyle(
        ("品川 1##\n##-##",), (0.440, 0.220), ((0.052, 0.066), (0.105, -0.034)),
        "plate_green_ink", ink="plate", work=True,
    ),
    "gulf": PlateStyle(("#### @@@", "@ #####"), (0.520, 0.110), weight=0.5),
    "saudi": PlateStyle(
        ("٣٤٧١ ٢\n#### @@@", "٨٥٢ ٦\n### @@@"), (0.520, 0.110),
        ((0.028, 0.030), (0.040, -0.018)), font="sans", weight=0.3,
    ),
    "brazil": PlateStyle(
        ("@@@#@##",), (0.400, 0.130), ((0.065, -0.016),), header=0.030, marks=("BRASIL",),
        weight=0.8,
    ),
    "usa_blue": replace(_US, marks=("OHIO", "UTAH", "NEVADA"), no_front=0.3),
    "usa_red": replace(
        _US, patterns=("#@@@###", "@@@-###"), band="plate_red", no_front=0.5,
        marks=("CALIFORNIA", "MAINE", "GEORGIA"),
    ),
    "usa_plain": replace(
        _US, patterns=("@@@-####",), ink="plate_text", marks=("TEXAS", "KANSAS"), band="plate",
        no_front=0.2, weight=1.0,
    ),
}  # fmt: skip
"""Every plate style by name. Chinese characters are a few that strokes can draw."""

_LETTERS = string.ascii_uppercase.translate({ord(c): None for c in "IOQ"})
_DEALERS = ("AUTOHAUS", "MOTORS", "CARS", "GARAGE", "AUTO", "DRIVE")


def sample_plate(rng: np.random.Generator, vehicle_type: VehicleType) -> dict[str, Any]:
    """Fields of a ``spec.Plate`` for a vehicle of that type."""
    work = vehicle_type in ("bus", "truck")
    offered = {n: s.weight for n, s in PLATE_STYLES.items() if s.work in (None, work)}
    names, weights = list(offered), np.cumsum(list(offered.values()))
    pick = rng.random(7)
    style_name = names[int(np.searchsorted(weights, pick[0] * weights[-1], side="right"))]
    style = PLATE_STYLES[style_name]
    pattern = style.patterns[int(pick[1] * len(style.patterns))]
    numbers = rng.random(len(pattern))
    text = "".join(_symbol(c, float(n)) for c, n in zip(pattern, numbers, strict=True))
    holder = bool(pick[2] < style.holder)
    dealer = _DEALERS[int(pick[3] * len(_DEALERS))] if holder and pick[4] < 0.7 else ""
    return {
        "style": style_name,
        "text": text,
        "mark": style.marks[int(pick[5] * len(style.marks))],
        "holder": holder,
        "dealer": dealer,
        "front": bool(pick[6] >= style.no_front),
    }


def _symbol(pattern: str, pick: float) -> str:
    """What a pattern's character becomes by a number in 0..1."""
    if pattern == "@":
        return _LETTERS[int(pick * len(_LETTERS))]
    return str(int(pick * 10)) if pattern == "#" else pattern


def plate_parts(name: str, plate: Plate, frame: Frame, rear: bool) -> list[Part]:
    """A plate whose back is at the frame's plane and its middle at the frame's origin."""
    style = PLATE_STYLES[plate.style]
    wide, tall = style.size
    ground = style.rear_ground if rear and style.rear_ground else style.ground
    parts = _holder(name, plate, style, frame)
    ring = rounded(wide, tall, 0.010, 2)
    parts.append(sheet(name, ground, ring, frame, 0.0, _FACE))
    ink = [*plate_rows(plate), *_rim(style)]
    parts.append(laid(f"{name}_text", style.ink, joined(ink), frame, _FACE + 0.001))
    return parts + _bands(name, plate, style, frame)


_FACE = 0.012
"""Metres from the plate's back to its face."""


def plate_rows(plate: Plate) -> list[Flat]:
    """The rows of the number as they stand on the plate's face, metres about its middle."""
    style = PLATE_STYLES[plate.style]
    room = style.size[0] - 2 * style.strip * (style.strip > 0) - 0.045
    shift = style.strip / 2
    return [
        text_figure(row, style.font, tall, room).moved(shift, middle)
        for row, (tall, middle) in zip(plate.text.split("\n"), style.rows, strict=True)
    ]


def _rim(style: PlateStyle) -> list[Flat]:
    """A line along the plate's edge."""
    if not style.border:
        return []
    wide, tall = style.size
    outer = rounded(wide - 0.007, tall - 0.007, 0.008, 2)
    return [rim(outer, rounded(wide - 0.012, tall - 0.012, 0.006, 2))]


def _holder(name: str, plate: Plate, style: PlateStyle, frame: Frame) -> list[Part]:
    """A black frame under the plate, wider at its lower edge, with the dealer's name there."""
    if not plate.holder:
        return []
    wide, tall = style.size
    ring = rounded(wide + 0.014, tall + 0.034, 0.008, 2) - np.array([0.0, 0.010])
    parts = [sheet(f"{name}_holder", "plastic", ring, frame, -0.004, _FACE - 0.002)]
    if plate.dealer:
        line = text_figure(plate.dealer, "bold", 0.011, pieces=1).moved(0.0, -tall / 2 - 0.011)
        parts.append(laid(f"{name}_dealer", "plate", line, frame, _FACE - 0.001))
    return parts


def _bands(name: str, plate: Plate, style: PlateStyle, frame: Frame) -> list[Part]:
    """The coloured field at the left end or along the upper edge, and what is written on it."""
    wide, tall = style.size
    if style.strip:
        field = rectangle(style.strip, tall - 0.008).moved(-wide / 2 + 0.004 + style.strip / 2, 0.0)
        u = -wide / 2 + 0.004 + style.strip / 2
        turn = np.arange(12) * np.pi / 6
        stars = [disc(0.0024, 4).moved(u + 0.012 * np.cos(t), 0.018 + 0.012 * np.sin(t))
                 for t in turn]  # fmt: skip
        letters = text_figure(plate.mark, "bold", 0.020, style.strip - 0.01, pieces=1).moved(
            u, -0.030
        )
        signs = {"plate": [letters], "plate_yellow": stars}
    elif style.header:
        v = tall / 2 - 0.004 - style.header / 2
        field = rectangle(wide - 0.008, style.header).moved(0.0, v)
        letters = text_figure(plate.mark, "bold", 0.55 * style.header, wide - 0.04, 1).moved(0.0, v)
        signs = {"plate_red" if style.band == "plate" else "plate": [letters]}
    else:
        return []
    made = [laid(f"{name}_band", style.band, field, frame, _FACE + 0.0006)]
    return made + [
        laid(f"{name}_band_sign", colour, joined(figures), frame, _FACE + 0.0014)
        for colour, figures in signs.items()
    ]
