"""Retrieval by azimuth difference, colour, type, occlusion and near twins; attributes by class."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluate.reid import ReidScores, score_reid
from evaluate.text import reid_text
from pamtri.attributes import COLOUR_INDEX, TYPE_INDEX
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.features import Features
from pamtri.record import Record


def record(image: str, identity: int, **known: Any) -> Record:
    """``azimuth`` in degrees and ``model`` are put where they belong."""
    if "azimuth" in known:
        known["viewpoint"] = {"azimuth_deg": known.pop("azimuth"), "elevation_deg": 10}
    if "model" in known:
        known["scene"] = {"vehicle": {"model": known.pop("model")}}
    known.setdefault("camera", ord(image[0]))  # all different
    return Record.model_validate(
        {"image": f"{image}.jpg", "domain": "synthetic", "identity": identity, **known}
    )


def score(query: list[Record], gallery: list[Record], at: list[float], **said: Any) -> ReidScores:
    """``at`` are the places of the queries and the gallery on a line."""
    records = tuple(
        r.model_copy(update={"split": split})
        for split, some in (("query", query), ("gallery", gallery))
        for r in some
    )
    names = tuple(r.image for r in records)
    features = Features(Path("f.npz"), names, np.array(at, np.float32)[:, None], **said)
    info = DatasetInfo(name="set", splits=("query", "gallery"))
    return score_reid(features, Dataset(Path("set"), records, info))


def test_azimuth_differences_by_hand() -> None:
    """Query at 350: a is 20 away, b wrong, c 170, d 180, e 30 and so in the second range."""
    scores = score(
        [record("q", 1, azimuth=350)],
        [
            record("a", 1, azimuth=10),
            record("b", 2, azimuth=0),
            record("c", 1, azimuth=180),
            record("d", 1, azimuth=170),
            record("e", 1, azimuth=20),
            record("f", 1),  # nobody knows
            record("g", 2, azimuth=0),
        ],
        [0, 1, 2, 3, 5, 6, 4, 5.5],
    )
    # In order: a, b (wrong), c, f, d, g (wrong), e.
    parts = scores.summary()["by_azimuth_difference"]
    assert parts == {
        "0-30°": {"queries": 1, "mAP": 1.0, "rank1": 1.0},
        "30-60°": {"queries": 1, "mAP": pytest.approx(1 / 3), "rank1": 0.0},
        "150-180°": {"queries": 1, "mAP": pytest.approx((1 / 2 + 2 / 3) / 2), "rank1": 0.0},
    }
    assert "  30-60° (1)                  33.3 %" in reid_text(scores.summary())


def test_parts_of_the_queries() -> None:
    scores = score(
        [
            record("q", 1, colour="red", type="suv", occlusion=0.0),
            record("r", 1, colour="red", type="bus", occlusion=0.2),
            record("s", 2, colour="blue", type="bus", occlusion=0.9),
            record("t", 3, colour="white"),  # has no match
        ],
        [record("a", 1), record("b", 2)],
        [0, 10, 10, 10, 1, 9],
    )
    summary = scores.summary()
    good, bad = ({"queries": 1, "mAP": v, "rank1": r} for v, r in ((1.0, 1.0), (0.5, 0.0)))
    assert summary["by_colour"] == {
        "red": {"queries": 2, "mAP": 0.75, "rank1": 0.5},
        "blue": good,
        "white": {"queries": 0, "mAP": None, "rank1": None},
    }
    assert list(summary["by_colour"]) == sorted(summary["by_colour"], key=COLOUR_INDEX.__getitem__)
    assert summary["by_type"] == {"suv": good, "bus": {"queries": 2, "mAP": 0.75, "rank1": 0.5}}
    assert summary["by_occlusion"] == {"none": good, "up to 30 %": bad, "over 30 %": good}
    assert summary["by_azimuth_difference"] == summary["near_twins"] == {}


def test_near_twins_by_hand() -> None:
    """1 and 2 are twins; query q is taken for 2, r is not; 3 has no twin, 4 no model."""
    scores = score(
        [record("q", 1, model=0), record("r", 2, model=0), record("s", 3, model=3), record("t", 4)],
        [
            record("a", 1, model=0),
            record("b", 2, model=0),
            record("c", 3, model=3),
            record("d", 4),
            record("e", 5),
        ],
        [4, 6, 20, 31, 1, 5.5, 20, 33, 30],
    )
    assert scores.summary()["near_twins"] == {
        "with": {"queries": 2, "mAP": 0.75, "rank1": 0.5, "nearest_is_twin": 0.5},
        "without": {"queries": 2, "mAP": 0.75, "rank1": 0.5},
    }
    assert "taken for a twin" in reid_text(scores.summary())


def test_attributes_by_class_and_their_confusions() -> None:
    """Of three red ones one is said to be blue; white is said once and never so; black missed."""
    colours = ["red", "red", "red", "blue", "black", None]
    said = ["red", "blue", "red", "blue", "white", "red"]
    scores = np.zeros((6, len(COLOUR_INDEX)), np.float32)
    scores[range(6), [COLOUR_INDEX[word] for word in said]] = 1
    types = np.zeros((6, len(TYPE_INDEX)), np.float32)
    images = [record(n, 1, colour=c) for n, c in zip("qabcde", colours, strict=True)]
    summary = score(
        images[:1], images[1:], [0.0, 1, 2, 3, 4, 5], colour_scores=scores, type_scores=types
    ).summary()
    assert list(summary["attributes"]) == ["colour"]  # no type is labelled
    told = summary["attributes"]["colour"]
    assert (told["images"], told["accuracy"]) == (5, 3 / 5)
    assert told["accuracy"] == summary["colour_accuracy"]
    assert told["mean_recall"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert told["by_class"] == {
        "red": {"images": 3, "said": 2, "recall": pytest.approx(2 / 3), "precision": 1.0},
        "blue": {"images": 1, "said": 2, "recall": 1.0, "precision": 0.5},
        "white": {"images": 0, "said": 1, "recall": None, "precision": 0.0},
        "black": {"images": 1, "said": 0, "recall": 0.0, "precision": None},
    }
    assert told["confusions"] == {
        "red": {"red": 2, "blue": 1},
        "blue": {"blue": 1},
        "black": {"white": 1},
    }
    assert "Recall of each colour" in reid_text(summary)


def test_azimuths_by_hand() -> None:
    """5 for 355 is 10 off, 100 for 60 is 40 off; b is not labelled."""
    images = [
        record("q", 1, azimuth=355.0), record("a", 1, azimuth=60.0), record("b", 2),
    ]  # fmt: skip
    said = np.array([5, 100, 0], np.float32)
    summary = score(images[:1], images[1:], [0.0, 1, 2], azimuth_deg=said).summary()
    assert summary["azimuth_median_error_deg"] == pytest.approx(25)
    assert summary["azimuth_within_30"] == 0.5
    text = reid_text(summary).splitlines()
    assert "  azimuth, median error        25.0°" in text
    assert "  azimuth within 30°          50.0 %" in text
    unlabelled = score([record("q", 1)], [record("a", 1)], [0.0, 1], azimuth_deg=said[:2])
    untold = score(images[:1], images[1:], [0.0, 1, 2])
    for scores in (unlabelled, untold):
        assert not any(name.startswith("azimuth") for name in scores.summary())
        assert "azimuth, median" not in reid_text(scores.summary())
