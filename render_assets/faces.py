"""Families of fronts and rears: lamps, grille and trim that a designer would draw together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from render_assets.spec import Badge, Bumper, FogLamp, Grille, HeadLamp, Intake, TailLamp
from render_assets.style import Style


@dataclass(frozen=True)
class Face:
    """What one family draws from; each tuple is drawn from evenly, numbers are probabilities."""

    heads: tuple[HeadLamp, ...]
    grilles: tuple[Grille, ...]
    tails: tuple[TailLamp, ...]
    intakes: tuple[Intake, ...] = ("wide", "three")
    fogs: tuple[FogLamp, ...] = ("blade", "none")
    badges: tuple[Badge, ...] = ("circle", "oval")
    bumpers: tuple[Bumper, ...] = ("paint",)
    surrounds: tuple[str, ...] = ("chrome", "black")
    dark_lamps: float = 0.5
    chrome: float = 0.4
    lip: float = 0.3
    diffuser: float = 0.6
    flush: float = 0.1


FACES: dict[str, Face] = {
    "modern": Face(
        ("angular", "wedge", "slit"), ("hexagon", "mesh", "bars"), ("slim", "hook", "bar"),
        dark_lamps=0.8, chrome=0.3,
    ),
    "premium": Face(
        ("angular", "wedge"), ("kidney", "bars", "hexagon"), ("slim", "hook"),
        surrounds=("chrome",), badges=("circle", "shield"), chrome=0.9, dark_lamps=0.5,
        diffuser=0.7,
    ),
    "electric": Face(
        ("slit", "split", "angular"), ("closed", "slim"), ("bar", "hook"),
        surrounds=("black", "paint"), dark_lamps=1.0, chrome=0.1, flush=0.8, diffuser=0.9,
    ),
    "family": Face(
        ("almond", "wedge"), ("split", "mesh", "bars"), ("cluster", "slim", "block"),
        fogs=("round", "round", "none"), surrounds=("chrome", "paint", "black"), dark_lamps=0.1,
        chrome=0.5, lip=0.1, diffuser=0.2, badges=("circle", "oval", "bars"),
    ),
    "nineties": Face(
        ("block",), ("bars", "slim", "mesh"), ("block", "cluster"), ("slot",), ("none", "round"),
        bumpers=("strip", "black", "paint"), surrounds=("chrome", "black", "paint"),
        dark_lamps=0.0, chrome=0.3, lip=0.0, diffuser=0.0,
    ),
    "retro": Face(
        ("round", "quad"), ("bars", "slim", "mesh"), ("round", "block"), ("slot", "three"),
        ("none", "round"), surrounds=("chrome",), dark_lamps=0.1, chrome=0.9, lip=0.1,
        bumpers=("paint", "chrome"), diffuser=0.1,
    ),
    "rugged": Face(
        ("round", "block", "angular"), ("slats", "mesh", "grid"), ("column", "block"),
        ("wide", "slot"), ("round", "none"), ("bars", "shield"), ("black", "paint"),
        ("black", "paint"), dark_lamps=0.4, chrome=0.2, lip=0.0, diffuser=0.2,
    ),
    "american": Face(
        ("stack", "angular", "block"), ("grid", "bars", "split"), ("column",),
        ("slot", "wide"), ("round", "none"), ("bars", "oval", "shield"),
        ("chrome", "paint", "black"), ("chrome", "chrome", "paint"), dark_lamps=0.3, chrome=0.6,
        lip=0.0, diffuser=0.0,
    ),
    "utility": Face(
        ("stack", "almond", "wedge"), ("mesh", "bars", "split"), ("column",), ("wide", "slot"),
        ("round", "none"), bumpers=("paint", "black"), surrounds=("black", "paint", "chrome"),
        dark_lamps=0.2, chrome=0.2, lip=0.0, diffuser=0.0,
    ),
    "heavy": Face(
        ("wedge", "round", "block", "slit"), ("bars", "mesh", "split", "slim", "grid"),
        ("column", "round"), ("slot",),
        ("round",), bumpers=("paint", "black"), surrounds=("black", "paint"), dark_lamps=0.3,
        chrome=0.2, lip=0.0, diffuser=0.0,
    ),
    "coach": Face(
        ("wedge", "round", "block", "slit"), ("bars", "mesh", "split", "slim", "grid"),
        ("round", "column"), ("slot",),
        ("round", "none"), surrounds=("black",), dark_lamps=0.9, chrome=0.2, lip=0.0, diffuser=0.0,
    ),
}  # fmt: skip

_CARS = {"modern": 3.0, "premium": 2.0, "electric": 1.0, "family": 3.0, "nineties": 1.5,
         "retro": 0.5}  # fmt: skip
_SUVS = {"modern": 3.0, "premium": 2.0, "electric": 1.0, "family": 2.0, "american": 1.0,
         "rugged": 0.5}  # fmt: skip
FAMILIES: dict[str, Mapping[str, float]] = {
    "sedan": _CARS,
    "hatchback": _CARS,
    "estate": _CARS,
    "suv": _SUVS,
    "mpv": {"modern": 2.0, "family": 3.0, "electric": 0.5, "utility": 1.0},
    "van": {"utility": 1.0},
    "pickup": {"american": 3.0, "rugged": 1.0, "family": 0.5},
    "bus": {"coach": 1.0},
    "truck": {"heavy": 1.0},
}
"""Weights of the families for each type of vehicle."""
_OF_STYLE: dict[str, Mapping[str, float]] = {"offroad": {"rugged": 1.0}}
_TALL = ("hatchback", "estate", "suv", "mpv", "van")
"""Types whose rear lamps may stand beside the rear glass."""


def sample_face(style: Style, rng: np.random.Generator) -> dict[str, Any]:
    """The trim fields ``head_lamp``, ``tail_lamp``, ``grille``, ``chrome`` and ``details`` of a
    model; the same number of draws whatever the style."""
    pick = iter(rng.random(32))
    weights = _OF_STYLE.get(style.name, FAMILIES[style.type])
    edges = np.cumsum([*weights.values()])
    family = [*weights][int(np.searchsorted(edges, next(pick) * edges[-1], side="right"))]
    face = FACES[family]

    def one(choices: tuple[Any, ...]) -> Any:
        return choices[int(next(pick) * len(choices))]

    def chance(probability: float) -> bool:
        return bool(next(pick) < probability)

    head, grille, tail = one(face.heads), one(face.grilles), one(face.tails)
    if chance(0.35) and style.type in _TALL and family != "nineties":
        tail = "column"
    high = style.type in ("suv", "pickup")
    car = style.layout == "car"
    details = {
        "family": family,
        "intake": one(face.intakes),
        "fog_lamp": one(face.fogs),
        "badge": one(face.badges),
        "bumper": one(face.bumpers),
        "surround": one(face.surrounds),
        "exhaust_tip": one(("round", "oval", "twin", "trapezoid")),
        "dark_lamps": chance(face.dark_lamps),
        "lip": chance(face.lip) and not high,
        "diffuser": chance(face.diffuser),
        "window_chrome": chance(0.8 if face.chrome > 0.8 else 0.25) and car,
        "black_mirrors": chance(0.2),
        "flush_handles": chance(face.flush),
        "sunroof": one(("none", "none", "hatch", "panorama")) if car else "none",
        "antenna": one(("fin", "fin", "rod", "none")) if car else "rod",
        "raised_rails": chance(0.6),
        "side_steps": chance(0.35) and high,
        "mud_flaps": chance(0.4 if high else 0.1),
        "scoop": chance(0.06) and car,
        "fuel_flap": one(("round", "square")),
    }
    chrome = chance(face.chrome)
    return {"head_lamp": head, "tail_lamp": tail, "grille": grille, "chrome": chrome,
            "details": details}  # fmt: skip


def sample_lights(rng: np.random.Generator) -> dict[str, bool]:
    """Which lamps shine: by day mostly none, or the strips of daylight."""
    pick = rng.random(3)
    head = bool(pick[1] < 0.15)
    return {"day": bool(pick[0] < 0.35) or head, "head": head, "brake": bool(pick[2] < 0.18)}
