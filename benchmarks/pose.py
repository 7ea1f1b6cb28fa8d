"""How fast pose training is on this machine, in one run: images a second of each part.

    .venv/bin/python benchmarks/pose.py [--size 96] [--backbone hrnet_w18_small]

Made-up images of 224 pixels; the loader's first pass decodes, the second finds them in memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import torch

from pamtri.record import Keypoints, Record
from train.augment import AugmentConfig
from train.batches import TrainingBatches
from train.images import CropCache
from train.mixing import ImagePlan
from train.pose.codec import decode, encode
from train.pose.config import PoseModelConfig
from train.pose.data import augmented_item
from train.pose.network import PoseNetwork, heatmap_losses
from train.sources import Sample
from train.view import View

BATCH, IMAGES = 32, 128
AUGMENT = AugmentConfig(scale=0.2, rotation_deg=10, brightness=0.3, contrast=0.3, saturation=0.3)


def make_samples(folder: Path) -> list[Sample]:
    """Noisy JPEG images with random keypoints."""
    rng = np.random.default_rng(0)
    samples = []
    for i in range(IMAGES):
        noise = rng.integers(0, 256, (28, 28, 3), dtype=np.uint8)
        path = folder / f"{i}.jpg"
        PIL.Image.fromarray(noise).resize((224, 224), PIL.Image.Resampling.BICUBIC).save(path)
        xy = rng.uniform(0, 224, (36, 2)).tolist()
        points = Keypoints(xy=xy, visibility="v" * 36)
        samples.append(
            Sample(path, Record(image=path.name, domain="real", keypoints=points), "real")
        )
    return samples


def rate(work: Callable[[], object], images: int, repeats: int = 3) -> float:
    """Images a second of the fastest of ``repeats`` runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return images / min(times)


def training_step(model: PoseModelConfig, channels_last: bool) -> Callable[[], None]:
    """One optimisation step on a fixed batch."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = PoseNetwork(model).to(memory_format=layout)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters())
    images = torch.rand(BATCH, 3, model.input_size, model.input_size).contiguous(
        memory_format=layout
    )
    target = encode(torch.rand(BATCH, 36, 2) * model.input_size, model.input_size // 4, model.sigma)

    def step() -> None:
        loss = heatmap_losses(network(images), target, torch.ones(BATCH, 36), model.loss).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--backbone", default="hrnet_w18_small")
    arguments = parser.parse_args()
    model = PoseModelConfig(
        backbone=arguments.backbone, input_size=arguments.size, loss="softmax", sigma=1.5
    )
    with tempfile.TemporaryDirectory() as folder:
        samples = make_samples(Path(folder))
        view = View(model.input_size, True, 1.25, 1.4, CropCache(2**30))
        batches = TrainingBatches(
            ImagePlan({"real": IMAGES}, BATCH, 0.0, 0),
            lambda draw, rng: augmented_item(view, samples[draw.index], "visible", AUGMENT, rng),
            seed=0,
        )
        epoch = IMAGES // BATCH
        first = rate(lambda: [batches[s] for s in range(epoch)], IMAGES, repeats=1)
        cached = rate(lambda: [batches[s] for s in range(epoch)], IMAGES)
    plain = rate(training_step(model, channels_last=False), BATCH)
    ours = rate(training_step(model, channels_last=True), BATCH)
    heatmaps = torch.rand(BATCH, 36, model.input_size // 4, model.input_size // 4)
    decoding = rate(lambda: decode(heatmaps), BATCH)
    print(f"threads {torch.get_num_threads()}, {arguments.backbone} at {arguments.size} px")
    print(f"loader, decoding      {first:8.0f} images/s")
    print(
        f"loader, from memory   {cached:8.0f} images/s  ({cached / ours:.1f} x the training step)"
    )
    print(f"step, contiguous      {plain:8.0f} images/s")
    print(f"step, channels last   {ours:8.0f} images/s  ({ours / plain:.2f} x)")
    print(f"heatmap decoding      {decoding:8.0f} images/s")


if __name__ == "__main__":
    main()
