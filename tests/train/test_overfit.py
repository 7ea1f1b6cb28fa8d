"""Whether a pose network learns at all: 32 drawings by heart, through the whole of training."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri.config import parse_config
from pamtri.dataset import DatasetInfo, write_native
from pamtri.keypoints import FLIP, NUM_KEYPOINTS
from pamtri.record import Keypoints, Record
from train.pose.config import PoseConfig
from train.run import train_run

SIZE = 64


def draw(root: Path, count: int) -> None:
    """A data set of one flat figure of coloured squares, turned, scaled and moved.

    It is its own mirror image, with left and right swapped, as the flip test expects.
    """
    rng = np.random.default_rng(0)
    figure = rng.uniform(-1, 1, (NUM_KEYPOINTS, 2))
    figure = (figure + figure[FLIP] * [-1, 1]) / 2
    colours = rng.integers(0, 256, (NUM_KEYPOINTS, 3))
    colours = np.minimum(colours, colours[FLIP]).tolist()
    (root / "images").mkdir(parents=True)
    records = []
    for i in range(count):
        angle, scale = rng.uniform(-0.6, 0.6), rng.uniform(16, 24)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        xy = (figure @ turn * scale + SIZE / 2 + rng.uniform(-3, 3, 2)).clip(1, SIZE - 2)
        image = np.full((SIZE, SIZE, 3), 128, np.uint8)
        for (x, y), colour in zip(xy.astype(int).tolist(), colours, strict=True):
            cv2.rectangle(image, (x - 1, y - 1), (x + 1, y + 1), colour, -1)
        name = f"images/{i:02d}.png"
        cv2.imwrite(str(root / name), image)
        points = Keypoints(xy=xy.tolist(), visibility="v" * NUM_KEYPOINTS)
        records.append(
            Record(
                image=name,
                domain="synthetic",
                width=SIZE,
                height=SIZE,
                split="train",
                identity=i,
                keypoints=points,
            )
        )
    write_native(root, records, DatasetInfo(name=root.name))


@pytest.mark.slow
def test_32_images_are_learnt_by_heart(tmp_path: Path) -> None:
    draw(tmp_path / "data", 32)
    source = {"path": str(tmp_path / "data")}
    config = parse_config(
        {
            "data": {"synthetic": source, "validation": source},
            "mixing": {"synthetic_ratio": 1},
            "augment": {"flip": 0.5},
            "model": {"backbone": "resnet18", "input_size": SIZE, "loss": "softmax", "sigma": 1.5},
            "box_scale": 1,
            "training": {
                "steps": 110,
                "batch_size": 32,
                "learning_rate": 2e-3,
                "validate_every": 110,
                "schedule": {"kind": "steps"},
                "ema": 0.9,
            },
        },
        PoseConfig,
        "overfit",
    )
    train_run(config, tmp_path / "run")
    last = (tmp_path / "run" / "history.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["pck"] >= 0.98
