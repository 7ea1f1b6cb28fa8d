"""Training on several processes, started as a user starts it."""

import json
import subprocess
import sys

import pytest

from train.checkpoint import load_checkpoint

CONFIG = """
data: {{real: {{path: {real}}}, synthetic: {{path: {synthetic}, splits: null}}}}
mixing: {{synthetic_ratio: 0.25}}
model: {{backbone: hrnet_w18_small, input_size: 64, sigma: 1.5}}
training: {{steps: 4, batch_size: 8, validate_every: 4}}
"""


@pytest.mark.slow
def test_two_processes_share_each_batch_and_keep_the_ratio(real, synthetic, tmp_path):
    config, folder = tmp_path / "pose.yaml", tmp_path / "run"
    config.write_text(CONFIG.format(real=real, synthetic=synthetic))
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    command = ["-m", "pamtri", "train", "pose", str(config), "--output", str(folder)]
    run = subprocess.run([*launch, *command], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("on validation images") == 1  # one process speaks for both
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    (trained,) = (line for line in lines if line["kind"] == "train")
    assert trained["drawn"] == {"real": 24, "synthetic": 8}  # of all processes together
    (validated,) = (line for line in lines if line["kind"] == "val")
    assert load_checkpoint(folder / "best.pt", "pose").metric == validated["pck"]
