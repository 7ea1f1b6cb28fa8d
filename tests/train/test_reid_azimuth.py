"""Azimuths that a re-identification network learns: read, scored, and refused without labels."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from pamtri.config import parse_config
from pamtri.errors import DataError
from pamtri.record import Viewpoint
from train.reid.azimuth import degrees, directions
from train.reid.config import ReidConfig
from train.reid.loss import azimuth_bin
from train.reid.task import ReidTask, validation_metrics
from train.sources import Sample, open_for_prediction


def told(output: list[list[float]]) -> list[float]:
    return degrees(directions(torch.tensor(output)).numpy()).tolist()


def test_a_point_near_the_circle_is_an_azimuth() -> None:
    points = [[0.0, 2.0], [0.1, 0.0], [-1.0, -1.0], [-1e-9, 1.0]]
    assert told(points) == pytest.approx([0, 90, 225, 0], abs=1e-4)
    assert max(told(points)) < 360
    lengths = directions(torch.tensor(points)).norm(dim=1)
    assert lengths.tolist() == pytest.approx([1] * 4)


def test_sure_sectors_are_their_middles() -> None:
    scores = 100 * torch.eye(8)
    assert told(scores.tolist()) == pytest.approx([0, 45, 90, 135, 180, 225, 270, 315], abs=1e-4)
    middles = torch.tensor([math.radians(45 * i) for i in range(8)])
    assert azimuth_bin(middles, 8).tolist() == list(range(8))


@pytest.mark.parametrize("seed", range(3))
def test_sectors_against_a_slow_loop(seed: int) -> None:
    """Only the best sector's neighbours count: the side across the vehicle never draws."""
    scores = 2 * np.random.default_rng(seed).normal(size=(20, 8))
    expected = []
    for row in scores:
        p = np.exp(row) / np.exp(row).sum()
        best = int(p.argmax())
        about = [(p[i % 8], math.radians(45 * i)) for i in (best - 1, best, best + 1)]
        x, y = (sum(w * f(a) for w, a in about) for f in (math.cos, math.sin))
        expected.append(math.degrees(math.atan2(y, x)) % 360)
        assert abs((expected[-1] - 45 * best + 180) % 360 - 180) < 22.5
    assert told(scores.tolist()) == pytest.approx(expected, abs=1e-3)


def seen_from(samples: list[Sample], azimuths: list[float | None]) -> list[Sample]:
    views = [None if a is None else Viewpoint(azimuth_deg=a, elevation_deg=0) for a in azimuths]
    return [
        replace(s, record=s.record.model_copy(update={"viewpoint": v}))
        for s, v in zip(samples, views, strict=True)
    ]


def test_errors_in_validation_by_hand(real: Path) -> None:
    """350 for 10 and 100 for 130.001 are 20 and 30.001 off; 7 is right; unknown ones do not count.

    Identities of two images each, so that all have a match.
    """
    samples = [s for s in open_for_prediction(real) if s.record.camera in (0, 1)][:4]
    values = {
        "feature": np.array([[s.record.identity] for s in samples], np.float32),
        "azimuth": np.array(
            [[math.sin(a), math.cos(a)] for a in np.radians([350, 100, 7, 200])], np.float32
        ),
    }
    scored = validation_metrics(seen_from(samples, [10.0, 130.001, 7.0, None]), values)
    assert scored["azimuth_median_error_deg"] == pytest.approx(20, abs=1e-3)
    assert scored["azimuth_within_30"] == pytest.approx(2 / 3)
    assert set(validation_metrics(samples, values)) == {"mAP", "rank1"}


def test_an_azimuth_head_needs_a_viewpoint(real: Path) -> None:
    plain = {
        "data": {"real": {"path": str(real)}, "validation_fraction": 0.4},
        "mixing": {"synthetic_ratio": 0.0},
        "model": {"backbone": "resnet10t", "input_size": 32, "azimuth": "bins"},
        "training": {"steps": 1, "identities": 2, "images_per_identity": 2},
    }
    with pytest.raises(
        DataError,
        match=r"^model.azimuth: none of the 9 images to train on has a viewpoint; set it to none$",
    ):
        ReidTask(parse_config(plain, ReidConfig, "c"), Accelerator(cpu=True))
