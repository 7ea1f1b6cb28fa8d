"""What tasks and pose embeddings are worth to re-identification: PAMTRI's ablation, repeatable.

    .venv/bin/python benchmarks/reid_ablation.py --output runs/reid_ablation

Renders 360 vehicles through six cameras (configs/synth/reid_ablation.yaml), trains each network of
configs/reid/ablation.yaml with three seeds, and prints a table: mAP and rank-1 on vehicles that
were never trained on, with the mean's 95 % interval over seeds, and the differences to the plain
network with paired intervals over seeds and queries. What is done is not done again. About an hour
and a half on two CPU cores. Poses are the renders' labels, which is the most that an embedding can
be worth.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from evaluate.reid import score_reid
from evaluate.statistics import mean_over_seeds, paired_difference
from pamtri.features import read_features
from pamtri.formats import open_dataset

NETWORKS: dict[str, dict[str, str]] = {
    "plain": {},
    "+ multi-task": {"model.multitask": "true"},
    "+ keypoints": {"model.multitask": "true", "model.embedding": "[keypoints]"},
    "+ heatmaps": {"model.multitask": "true", "model.embedding": "[heatmaps]"},
    "+ segments": {"model.multitask": "true", "model.embedding": "[segments]"},
}
SPLITS = ("query", "gallery")


def main() -> None:
    """Render, train what is missing, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("runs/reid_ablation"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    data = options.output / "data"
    pamtri(
        "synth", "render", "configs/synth/reid_ablation.yaml", "--output", data,
        "--workers", options.workers, "--resume",
    )  # fmt: skip
    # Networks alternate, so that an early stop is still fair.
    for seed in range(options.seeds):
        for name in NETWORKS:
            train(options.output, data, name, seed)
    print_table(options.output, data, options.seeds)


def train(output: Path, data: Path, name: str, seed: int) -> None:
    """One training and its features of the test images."""
    folder = folder_of(output, name, seed)
    if (folder / "features.npz").exists():
        return
    settings = {**NETWORKS[name], "seed": str(seed), "data.synthetic.path": str(data)}
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    pamtri("train", "reid", "configs/reid/ablation.yaml", "--output", folder, "--resume", *sets)
    splits = [part for split in SPLITS for part in ("--split", split)]
    pamtri(
        "predict", "reid", folder / "best.pt", data, *splits, "--output", folder / "features.npz"
    )


def print_table(output: Path, data: Path, seeds: int) -> None:
    """All networks' scores, and how they differ from the first one's."""
    dataset = open_dataset(data)
    scores = {
        name: [
            score_reid(
                read_features(folder_of(output, name, seed) / "features.npz"), dataset, SPLITS
            )
            for seed in range(seeds)
        ]
        for name in NETWORKS
    }
    plain = [score.measures["mAP"] for score in scores["plain"]]
    print(f"{'network':<14}{'mAP':>18}{'rank-1':>18}{'mAP against plain':>30}")
    for name, runs in scores.items():
        cells = [f"{name:<14}"]
        for key in ("mAP", "rank1"):
            mean = mean_over_seeds([run.summary()[key] for run in runs])
            half = "" if mean.high is None else f" ± {100 * (mean.high - mean.value):.1f}"
            cells.append(f"{100 * mean.value:.1f}{half} %".rjust(18))
        if name != "plain":
            change = paired_difference(plain, [run.measures["mAP"] for run in runs])
            assert change is not None
            low, high = 100 * change.low, 100 * change.high
            cells.append(f"{100 * change.value:+.1f} ({low:+.1f} to {high:+.1f})".rjust(30))
        print("".join(cells))


def folder_of(output: Path, name: str, seed: int) -> Path:
    """Where one training lies."""
    return output / name.removeprefix("+ ") / f"seed{seed}"


def pamtri(*arguments: object) -> None:
    """Run a command of this project; stop when it fails."""
    subprocess.run([sys.executable, "-m", "pamtri", *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
