"""Names of companies that do not exist, for lettering on commercial vehicles."""

from __future__ import annotations

import numpy as np

_FIRST = (
    *("Nor", "Vel", "Tran", "Al", "Kor", "Mi", "Del", "San", "Ro", "Pe", "Lu", "Bra", "Ost"),
    *("Fin", "Hal", "Ju", "Ka", "Lo", "Mar", "Ne", "Par", "Qui", "Sol", "Te", "Wes", "Zen"),
)
_LAST = ("via", "tex", "lin", "go", "rano", "mont", "ter", "dex", "mar", "sen", "berg", "ford",
         "ley", "nova", "tal", "vik", "zon", "rex", "lux", "den")  # fmt: skip
_TRADES = {
    "truck": ("Logistics", "Cargo", "Transport", "Freight", "Foods", "Removals", "Beverages"),
    "van": ("Express", "Electric", "Cleaning", "Bakery", "Plumbing", "Flowers", "Rental"),
    "bus": ("Lines", "Travel", "Tours", "City Bus", "Transit", "Coaches"),
}
_SLOGANS = ("on time", "since 19##", "day and night", "call 0### ######", "www.~.com", "~ & sons",
            "fresh every day", "your partner")  # fmt: skip


def company(rng: np.random.Generator, kind: str) -> tuple[str, str]:
    """A name and the line below it; ``kind`` is ``truck``, ``van`` or ``bus``."""
    pick, digits = rng.random(5), rng.integers(0, 10, 10)
    stem = _of(_FIRST, pick[0]) + _of(_LAST, pick[1])
    trade = _of(_TRADES[kind], pick[2])
    name = stem.upper() if pick[3] < 0.5 else stem
    slogan = _of(_SLOGANS, pick[4]).replace("~", stem.lower())
    for digit in digits:
        slogan = slogan.replace("#", str(digit), 1)
    return name, f"{trade} · {slogan}" if len(slogan) < 12 else trade


def _of(choices: tuple[str, ...], pick: float) -> str:
    return choices[int(pick * len(choices))]
