"""A rendered data set made in this process: real labels, pictures of noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pamtri.config import parse_config
from pamtri.dataset import RECORDS_FOLDER, DatasetInfo, RecordWriter
from pamtri.record import Record
from pamtri.run_folder import open_run_folder
from synth.config import SynthConfig
from synth.images import FOLDERS, render_image, write_image
from synth.sampling import sample_scene

SMALL = {
    "name": "small",
    "seed": 3,
    "identities": 2,
    "images_per_identity": 4,
    "splits": {"train": 0.5, "test": 0.5},
    "fixed_cameras": [
        {"id": 1, "camera": {"distortion_k1": -0.2, "azimuth_deg": 40}},
        {"id": 2, "camera": {"azimuth_deg": {"kind": "uniform", "low": 150, "high": 250}}},
    ],
    "vehicle": {"style": "notchback"},
    "image": {"size_px": 64},
    "occluders": {"probability": 0.5, "share": 0.3},
    "camera": {"framing": {"truncation_probability": 0.5}},
    "labels": {"depth": True, "normals": True},
}


class Noise:
    """A picture that depends on the scene alone."""

    def render(self, spec, geometry):
        rng = np.random.default_rng([spec.seed, spec.index])
        return rng.integers(0, 256, (spec.camera.height, spec.camera.width, 3), dtype=np.uint8)


def render_set(root: Path, **changes) -> SynthConfig:
    """Write the data set of ``SMALL`` with ``changes`` as a run would."""
    config = parse_config({**SMALL, **changes}, SynthConfig, source="test")
    open_run_folder(root, "synth", config)
    for folder in FOLDERS:
        (root / folder).mkdir(exist_ok=True)
    info = DatasetInfo(name=config.name, seed=config.seed, commit="0" * 40)
    with RecordWriter(root, info) as writer:
        for index in range(config.count):
            scene = sample_scene(config, config.seed, index)
            made = render_image(scene, Noise(), config.labels)
            write_image(root, made)
            writer.append(made.record)
    return config


def read_lines(root: Path) -> list[dict]:
    """The records of a set with one shard, as plain data."""
    text = (root / RECORDS_FOLDER / "00000.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def write_lines(root: Path, lines: list[dict]) -> None:
    """Replace the records; each must be a valid one."""
    for line in lines:
        Record.model_validate_json(json.dumps(line))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (root / RECORDS_FOLDER / "00000.jsonl").write_text(text, encoding="utf-8")
