"""The picture of what a training drew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from train.draws_picture import draws_figure, write_draws
from train.mixing import Mix

LINES = [
    {
        "step": 2,
        "kind": "train",
        "drawn": {"real": 6, "synthetic": 2},
        "unique": {"real": 5, "synthetic": 2},
    },
    {"step": 2, "kind": "val", "score": 0.5},
    {
        "step": 4,
        "kind": "train",
        "drawn": {"real": 10, "synthetic": 6},
        "unique": {"real": 8, "synthetic": 5},
    },
]
SIZES = {"real": 8, "synthetic": 20}


def mix() -> Mix:
    shares = [(0.75, 0.25), (0.75, 0.25), (0.5, 0.5), (0.5, 0.5)]
    return Mix(("real", "synthetic"), lambda step: shares[step], (0.75, 0.5))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return tmp_path


def test_shares_and_images_by_hand(folder: Path) -> None:
    shares, seen = draws_figure(folder, mix(), SIZES).axes
    asked_real, real, asked_synthetic, synthetic = (np.array(x.get_ydata()) for x in shares.lines)
    assert asked_real.tolist() == [75, 75, 50, 50] and asked_synthetic.tolist() == [25, 25, 50, 50]
    assert real.tolist() == [75, 50] and synthetic.tolist() == [25, 50]
    assert [x.get_xdata()[-1] for x in shares.lines[1::2]] == [4, 4]
    assert [list(x.get_ydata()) for x in seen.lines] == [[62.5, 100], [10, 25]]
    labels = [text.get_text() for text in seen.get_legend().get_texts()]
    assert labels == [
        "real: 8 of 8 images, 1.2 epochs",
        "synthetic: 5 of 20 images, 0.3 epochs",
    ]


def test_it_is_a_picture(folder: Path) -> None:
    write_draws(folder, mix(), SIZES)
    assert (folder / "drawn.png").read_bytes().startswith(b"\x89PNG")
