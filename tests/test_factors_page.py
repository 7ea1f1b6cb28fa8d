"""The page of factors is the one that its script writes, and its pictures can be drawn."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def docs(monkeypatch):
    """The scripts ``factors``, ``factor_keys`` and ``factor_pictures``."""
    monkeypatch.syspath_prepend(str(DOCS))
    return {n: importlib.import_module(n) for n in ("factors", "factor_keys", "factor_pictures")}


def test_the_page_is_what_the_script_writes(docs):
    assert docs["factors"].PAGE == DOCS / "factors.md"
    written = (DOCS / "factors.md").read_text(encoding="utf-8")
    assert docs["factors"].page() == written, "run: python docs/factors.py"


def test_rows_say_unit_limits_default_and_meaning(docs):
    rows = docs["factors"].page().splitlines()
    assert (
        "| `camera.height_m` | metres | number, 0.3 to 100 |  | Of the camera above the ground; "
        "where given, the elevation follows from it. |" in rows
    )
    assert (
        "| `camera.balanced_azimuths` |  | from 2, up to 72 |  | Spreads the images of each "
        "identity evenly over so many equal sectors, the first of them centred on the front; the "
        "azimuth is uniform within its sector, and `azimuth_deg` unused. |" in rows
    )
    start = "| `ground.kind` |  | name: asphalt, concrete"
    assert sum(row.startswith(start) for row in rows) == 1
    # A colour's default is that of its section, not of colours in general.
    start = "| `ground.colour.value` |  | number, 0 to 1 | 0.3 |"
    assert sum(row.startswith(start) for row in rows) == 1


def test_every_key_has_a_meaning(docs):
    rows = [row for row in docs["factors"].page().splitlines() if row.startswith("| `")]
    assert len(rows) > 70
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_picture_is_of_a_scene_that_the_configuration_allows(docs):
    keys = docs["factor_keys"].keys(docs["factors"].SynthConfig)
    pictures = docs["factor_pictures"]
    assert set(pictures.ENDS) <= set(keys)
    shown = dict(pictures.shown())
    assert "camera.roll_deg" in shown and "vehicle.type" not in shown
    for key, values in shown.items():
        assert len(values) > 1
        for value in values:
            pictures.scene_config(key, value)
