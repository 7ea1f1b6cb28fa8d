"""How the marks of an individual are drawn: as often as traffic shows them.

The shares are estimates by eye from street photographs, not measurements: every vehicle has a
plate and some dirt, most have a label behind the windscreen, few have more than two other marks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pamtri.attributes import Colour
from render_assets.company import company
from render_assets.materials import DECALS
from render_assets.plates import sample_plate
from render_assets.style import Style

_LIGHT: tuple[Colour, ...] = ("white", "yellow", "golden")
_BRIGHT = ("red", "orange", "yellow", "green", "lime", "cyan", "blue", "purple", "navy", "maroon")
_WORDS = ("ECO", "4x4", "BABY ON BOARD", "RACING", "SURF", "GO", "TEAM 7", "SALE", "VIP")
_LIVERY_SHARE = {"bus": 0.85, "van": 0.12, "cab_over": 0.5, "bonneted": 0.5}
_ROOF_COLOURS = {"black": "white", "white": "black", "red": "black", "blue": "white"}


def sample_marks(
    rng: np.random.Generator, style: Style, colour: Colour, model: dict[str, Any]
) -> dict[str, Any]:
    """Fields of a ``marks.Marks`` for a vehicle of that style, colour and drawn model.

    Each kind of mark has a stream of its own, so that a change to one moves no other.
    """
    plate, stick, top, firm, damage, dirt, inside = rng.spawn(7)
    taxi = style.name == "taxi"
    marks: dict[str, Any] = {
        "plate": sample_plate(plate, style.type),
        "stickers": _stickers(stick, style),
        **_roof(top, style, colour, taxi),
        **_damage(damage, style, model),
        **_inside(inside, style),
        "dirt": float(dirt.beta(0.9, 5.0)),
        "dirt_seed": int(dirt.integers(2**16)),
    }
    if not taxi and firm.random() < (0.5 if style.panelled else _LIVERY_SHARE.get(style.layout, 0)):
        marks["livery"] = _livery(firm, style, colour, model)
    return marks


def _pick(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    return names[int(rng.random() * len(names))]


def _stickers(rng: np.random.Generator, style: Style) -> list[dict[str, Any]]:
    """Labels in an upper corner of the windscreen; sometimes something at the rear."""
    made = []
    count = (0, 1, 1, 2, 2, 3)[int(rng.random() * 6)]
    corner = 1.0 if rng.random() < 0.5 else -1.0
    for k in range(count):
        size = 0.06 + 0.02 * rng.random()
        made.append(_sticker(rng, "windscreen", corner * (0.66 - 0.12 * k), 0.74, size))
    rear = rng.random(3)
    if rear[0] < 0.10 and not style.panelled and style.load is None:
        made.append(
            _sticker(rng, "rear_glass", rng.uniform(-0.75, 0.75), rng.uniform(0.15, 0.6),
                     rng.uniform(0.06, 0.14), worded=True)
        )  # fmt: skip
    if rear[1] < 0.12 and style.load is None:
        place = "tail" if rear[2] < 0.5 else "bumper"
        side = 1.0 if rng.random() < 0.5 else -1.0
        made.append(
            _sticker(rng, place, side * rng.uniform(0.45, 0.7), rng.uniform(0.3, 0.7),
                     rng.uniform(0.05, 0.11), worded=True)
        )  # fmt: skip
    return made


def _sticker(
    rng: np.random.Generator,
    place: str,
    across: float,
    up: float,
    size: float,
    worded: bool = False,
) -> dict[str, Any]:
    forms = ("disc", "oval", "bar", "bar", "star") if worded else ("disc", "square", "square")
    form = _pick(rng, forms)
    ground = _pick(rng, ("white", "white", "white", "yellow", "green", "red", "blue", "cyan"))
    ink = "black" if ground in ("white", "yellow") else "white"
    text = _pick(rng, _WORDS) if form in ("bar", "oval") else ""
    return {
        "place": place,
        "across": float(across),
        "up": float(up),
        "form": form,
        "size": float(size),
        "ground": ground,
        "ink": ink,
        "text": text,
        "tilt_deg": float(rng.normal(0, 2.0)),
    }


def _roof(rng: np.random.Generator, style: Style, colour: Colour, taxi: bool) -> dict[str, Any]:
    """What is on the roof, and the roof's own colour."""
    pick = rng.random(6)
    made: dict[str, Any] = {}
    if taxi:
        band = (None, "yellow", "green", "blue", "black")[int(pick[0] * 5)]
        text = ("TAXI", "TAXI", "CAB")[int(pick[1] * 3)]
        sign = "white" if pick[2] < 0.5 else "yellow"
        return {"taxi": {"sign": sign, "text": text, "band": band}}
    tall = style.type in ("suv", "estate", "mpv", "van")
    loads = {"box": 0.02 + 0.02 * tall, "bars": 0.04 + 0.05 * tall, "rack": 0.01 + 0.02 * tall}
    edges = np.cumsum(list(loads.values()))
    if style.layout in ("car", "van") and pick[0] < edges[-1] and not style.open_top:
        made["roof_load"] = list(loads)[int(np.searchsorted(edges, pick[0], side="right"))]
        made["roof_box"] = ("black", "black", "grey", "white", "silver")[int(pick[1] * 5)]
    share = 0.12 if style.type in ("hatchback", "suv") else 0.02
    if style.layout == "car" and not style.open_top and pick[2] < share:
        made["roof_colour"] = _ROOF_COLOURS.get(colour, "black")
    return made


def _damage(rng: np.random.Generator, style: Style, model: dict[str, Any]) -> dict[str, Any]:
    """Dents, scratches, rust, a lost hubcap."""
    worn = 2.0 if style.layout not in ("car",) else 1.0
    pick = rng.random(4)

    def spot() -> dict[str, Any]:
        side = "left" if rng.random() < 0.5 else "right"
        return {"side": side, "along": float(rng.uniform(0.12, 0.88))}

    dents = [
        {**spot(), "up": float(rng.uniform(0.2, 0.65)), "radius": float(rng.uniform(0.09, 0.22)),
         "depth": float(rng.uniform(0.006, 0.022))}
        for _ in range(int(pick[0] < 0.07 * worn) + int(pick[0] < 0.015 * worn))
    ]  # fmt: skip
    scratches = [
        {**spot(), "up": float(rng.uniform(0.25, 0.8)), "length": float(rng.uniform(0.1, 0.6)),
         "tilt_deg": float(rng.normal(0, 8)), "lines": int(rng.integers(1, 4))}
        for _ in range(int(pick[1] < 0.12 * worn) + int(pick[1] < 0.03 * worn))
    ]  # fmt: skip
    rust = [
        {**spot(), "size": float(rng.uniform(0.04, 0.14)), "seed": int(rng.integers(2**16))}
        for _ in range(int(3 * pick[2] / (0.05 * worn)) + 1 if pick[2] < 0.05 * worn else 0)
    ]
    made: dict[str, Any] = {"dents": dents, "scratches": scratches, "rust": rust}
    if model["wheels"]["design"] in ("hubcap", "wheel_trim") and pick[3] < 0.04:
        made["bare_wheel"] = _pick(rng, ("left_front", "right_front", "left_rear", "right_rear"))
    return made


def _inside(rng: np.random.Generator, style: Style) -> dict[str, Any]:
    """What is seen through the glass."""
    pick = rng.random(6)
    made: dict[str, Any] = {}
    colours = tuple(DECALS)
    things = []
    for place, share in (("dashboard", 0.2), ("shelf", 0.12)):
        if rng.random() < share and (place == "dashboard" or style.layout == "car"):
            size = rng.uniform((0.08, 0.08, 0.05), (0.2, 0.26, 0.12))
            things.append({
                "place": place, "form": "ball" if rng.random() < 0.3 else "box",
                "across": float(rng.uniform(-0.8, 0.8)), "size": tuple(size.tolist()),
                "colour": _pick(rng, colours),
            })  # fmt: skip
    made["things"] = things
    if pick[0] < 0.12:
        made["ornament"] = colours[int(pick[1] * len(colours))]
    if pick[2] < 0.04 and not style.open_top:
        made["blind"] = "windscreen" if pick[3] < 0.4 else "sides"
    curtained = {"coach": 0.6, "midi_bus": 0.3, "minibus": 0.15}.get(style.name, 0.0)
    if pick[4] < curtained:
        made["curtains"] = ("navy", "maroon", "grey", "green", "orange")[int(pick[5] * 5)]
    return made


def _livery(
    rng: np.random.Generator, style: Style, colour: Colour, model: dict[str, Any]
) -> dict[str, Any]:
    """A company's name and pattern in colours that stand out from what is under them."""
    kind = style.type if style.type in ("bus", "truck") else "van"
    name, line = company(rng, kind)
    load = model.get("load")
    on_white = load is not None and load["kind"] in ("box", "reefer") and not load["painted"]
    light = on_white or colour in _LIGHT
    loud = [c for c in _BRIGHT if c != colour and not (light and c in ("yellow", "lime"))]
    dark = [c for c in ("white", "yellow", "silver", "lime", "cyan", "orange") if c != colour]
    offered = tuple(loud if light else dark)
    patterns = ("plain", "stripe", "stripe", "wave", "slash", "block")
    return {
        "pattern": _pick(rng, patterns),
        "first": _pick(rng, offered),
        "second": _pick(rng, offered),
        "ink": _pick(rng, (*(c for c in loud if c not in ("orange", "cyan", "lime")), "black"))
        if light else _pick(rng, ("white", "white", "white", "yellow")),
        "name": name,
        "line": line,
        "logo": _pick(rng, ("none", "disc", "ring", "star", "chevron")),
        "font": _pick(rng, ("bold", "bold", "italic", "serif", "sans")),
    }  # fmt: skip
