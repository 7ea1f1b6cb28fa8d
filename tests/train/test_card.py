"""The model card beside a best checkpoint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
import yaml
from click.testing import CliRunner

from pamtri.config import parse_config
from pamtri.record import Record
from train.card import write_card
from train.checkpoint import Checkpoint
from train.cli import train
from train.config import TrainConfig
from train.pose.config import PoseConfig
from train.reid.config import ReidConfig
from train.sources import Sample, Split

REID = """
data: {real: {path: REAL}, synthetic: {path: SYNTHETIC, splits: null}, validation_fraction: 0.4}
mixing: {synthetic_ratio: 0.25}
model: {backbone: resnet10t, input_size: 32}
training: {steps: 3, identities: 4, images_per_identity: 2, validate_every: 3}
"""
POSE = """
data: {real: {path: REAL}, synthetic: {path: SYNTHETIC, splits: null}}
mixing: {synthetic_ratio: 1.0}
model: {backbone: hrnet_w18_small, input_size: 64}
training: {steps: 1, batch_size: 2, validate_every: 1}
"""


def rows(card: str, section: str) -> dict[str, list[str]]:
    """The table of a section: first cell -> the others."""
    body = card.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells}


def trained(folder: Path, kind: str, text: str, real: Path, synthetic: Path) -> Path:
    config = folder / f"{kind}.yaml"
    config.write_text(text.replace("REAL", str(real)).replace("SYNTHETIC", str(synthetic)))
    command = [kind, str(config), "--output", str(folder / kind)]
    CliRunner().invoke(train, command, catch_exceptions=False)
    return folder / kind


def test_a_run_leaves_a_card_of_its_best_checkpoint(
    real: Path, synthetic: Path, tmp_path: Path
) -> None:
    run = trained(tmp_path, "reid", REID, real, synthetic)
    card = (run / "model_card.md").read_text()
    assert card.startswith("# reid: resnet10t, 32 pixels\n")
    assert hashlib.sha256((run / "best.pt").read_bytes()).hexdigest() in card
    data = rows(card, "Data")
    assert data["real"] == [f"`{real}`", "train", "9", "3", "3", "9", "real 9"]
    assert data["synthetic"] == [f"`{synthetic}`", "all", "20", "5", "4", "20", "synthetic 20"]
    assert data["validation"] == [f"`{real}`", "train", "6", "2", "3", "6", "real 6"]
    assert "held out: about 40% of the identities" in card
    assert "Configured: 25% of each batch synthetic." in card
    assert "18 real (75.0%), 6 synthetic (25.0%) images." in card
    recipe = card.split("```yaml\n")[1].split("```")[0]
    assert yaml.safe_load(recipe) == yaml.safe_load((run / "config.yaml").read_text())
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    (found,) = [line for line in history if line["kind"] == "val"]
    shown = rows(card, "Metrics")
    for name in ("mAP", "rank1", "type_accuracy"):
        assert shown[name] == [f"{found[name]:.4f}"]
    assert "synthetic images" not in card.split("## Limits")[1]


def test_a_pose_network_of_renders_says_so(real: Path, synthetic: Path, tmp_path: Path) -> None:
    run = trained(tmp_path, "pose", POSE, real, synthetic)
    card = (run / "model_card.md").read_text()
    assert card.startswith("# pose: hrnet_w18_small, 64 pixels\n")
    assert "`pamtri predict pose best.pt IMAGES --output pose.csv`" in card
    assert "It was trained on synthetic images alone." in card
    assert "do not tell how it does on photos" not in card  # real images are validated on
    assert list(rows(card, "Data")) == ["", "synthetic", "validation"]
    assert rows(card, "Data")["validation"][0] == f"`{real}`"


@pytest.mark.parametrize("kind", ["pose", "reid"])
def test_a_card_is_of_the_checkpoint_it_is_told_of(tmp_path: Path, kind: str) -> None:
    text = (POSE if kind == "pose" else REID).replace("REAL", "r").replace("SYNTHETIC", "s")
    content = yaml.safe_load(text)
    content["data"]["validation"] = {"path": "v", "splits": ["test", "val"]}
    model = PoseConfig if kind == "pose" else ReidConfig
    config: TrainConfig = parse_config(content, model, source="here")
    records = [
        Record(image="a.png", domain="synthetic", identity=4),
        Record(image="b.png", domain="synthetic", identity=None),
    ]
    samples = [Sample(tmp_path / r.image, r, "") for r in records]
    state = {"a": torch.zeros(1_000_000), "b": torch.zeros(234_567), "n": torch.tensor(3)}
    file = tmp_path / "best.pt"
    file.write_bytes(b"weights")
    checkpoint = Checkpoint(kind, {}, None, state, 0.5, 77)
    metrics = {"mAP": 0.25, "by_domain": {"real": 0.5, "synthetic": None}}
    split = Split({"synthetic": samples}, samples[1:])
    write_card(file, config, split, checkpoint, metrics, {"real": 3, "synthetic": 9})
    card = (tmp_path / "model_card.md").read_text()
    assert "- 1.23 million values, after step 77 of " in card
    assert hashlib.sha256(b"weights").hexdigest() in card
    assert "3 real (25.0%), 9 synthetic (75.0%) images." in card
    assert rows(card, "Data")["synthetic"] == [
        "`s`", "all", "2", "1", "not known", "0", "synthetic 2"
    ]  # fmt: skip
    assert rows(card, "Data")["validation"] == [
        "`v`", "test, val", "1", "not known", "not known", "0", "synthetic 1"
    ]  # fmt: skip
    assert rows(card, "Metrics") == {
        "metric": ["value"],
        "mAP": ["0.2500"],
        "by_domain, real": ["0.5000"],
        "by_domain, synthetic": ["not known"],
    }
    assert "held out" not in card
    assert "do not tell how it does on photos" in card
