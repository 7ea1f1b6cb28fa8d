"""How fast pose networks train and predict on this machine: ratios, measured side by side.

    .venv/bin/python benchmarks/pose.py [--size 128] [--backbone hrnet_w18_small]

Made-up JPEG images of 224 pixels, augmented as in configs/pose/small_cpu.yaml. What is compared
takes turns, and the fastest of its turns counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pamtri.config import load_config
from pamtri.record import Keypoints, Record
from train.batches import InOrder, Item, TrainingBatches, to_device
from train.config import AugmentConfig
from train.draws import ImagePlan
from train.images import CropCache
from train.mixing import Mix
from train.pose.codec import STRIDE, decode, encode
from train.pose.config import PoseConfig, PoseModelConfig
from train.pose.data import augmented_item, plain_item
from train.pose.network import PoseNetwork, heatmap_losses
from train.pose.predict import predict_points
from train.sources import Sample
from train.view import View

RECIPE = Path(__file__).parents[1] / "configs" / "pose" / "small_cpu.yaml"
BATCH, IMAGES = 32, 128


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


def rates(works: Mapping[str, tuple[int, Callable[[], object]]], turns: int) -> dict[str, float]:
    """Images a second of each of ``works``, pairs of how many images it is and what is done."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(turns):
        for name, (_, work) in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: images / min(times[name]) for name, (images, _) in works.items()}


def training_step(
    model: PoseModelConfig, layout: torch.memory_format, bf16: bool
) -> Callable[[], None]:
    """One optimisation step on a fixed batch."""
    network = PoseNetwork(model).to(memory_format=layout)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters())
    images = torch.rand(BATCH, 3, model.input_size, model.input_size).contiguous(
        memory_format=layout
    )
    points = torch.rand(BATCH, 36, 2) * model.input_size
    target = encode(points, model.input_size // STRIDE, model.sigma)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            output = network(images)
        losses = heatmap_losses(output.float(), target, torch.ones(BATCH, 36), model.loss)
        optimiser.zero_grad()
        losses.mean().backward()
        optimiser.step()

    return step


def loading(
    samples: list[Sample], model: PoseModelConfig, augment: AugmentConfig
) -> dict[str, tuple[int, Callable[[], object]]]:
    """Augmented batches: read from files here; from memory by two processes."""
    view = View(model.input_size, True, 1.25, 1.4, CropCache(2**30))
    batches = TrainingBatches(
        ImagePlan({"real": IMAGES}, BATCH, Mix.constant(0.0), 0),
        lambda draw, rng: augmented_item(view, samples[draw.index], "visible", augment, rng),
        seed=0,
    )
    once, often = IMAGES // BATCH, 16
    return {
        "loader, from files": (IMAGES, lambda: [batches[step] for step in range(once)]),
        "loader, from memory": (
            often * BATCH,
            lambda: [len(batch) for batch in batches.loader(0, often, workers=2)],
        ),
    }


class OneByOne(nn.Module):
    """A network that is shown one image at a time, as PAMTRI's flip test does."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, s, s)."""
        return torch.cat([self._network(image[None]) for image in images])


def prediction(
    samples: list[Sample], model: PoseModelConfig
) -> dict[str, tuple[int, Callable[[], object]]]:
    """The points of ``BATCH`` images by the flip test, from images in memory."""
    network = PoseNetwork(model).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    view = View(model.input_size, True, 1.25, 1.4, CropCache(2**30))

    def batches(size: int) -> list[Item]:
        loader = InOrder(samples[:BATCH], partial(plain_item, view), size).loader()
        return list(to_device(loader, torch.device("cpu")))

    single, together = batches(1), batches(BATCH)
    return {
        "prediction, one by one": (
            BATCH,
            lambda: predict_points(OneByOne(network), model, single),
        ),
        "prediction, in batches": (BATCH, lambda: predict_points(network, model, together)),
    }


def decode_in_a_loop(heatmaps: NDArray[np.float32]) -> NDArray[np.float64]:
    """What ``train.pose.codec.decode`` finds, one keypoint after the other, as PAMTRI's code."""
    points = np.empty((*heatmaps.shape[:2], 2))
    for n, image in enumerate(heatmaps):
        for k, heatmap in enumerate(image):
            y, x = np.unravel_index(heatmap.argmax(), heatmap.shape)
            y, x = np.clip(y, 1, heatmap.shape[0] - 2), np.clip(x, 1, heatmap.shape[1] - 2)
            window = heatmap[y - 1 : y + 2, x - 1 : x + 2].astype(float)
            logs = np.log(np.maximum(window, heatmap.max() * 1e-3))
            down, across = np.gradient(logs)
            slope = np.array([across[1, 1], down[1, 1]])
            cross = (logs[2, 2] + logs[0, 0] - logs[2, 0] - logs[0, 2]) / 4
            bend = np.diff(logs[1], 2)[0], np.diff(logs[:, 1], 2)[0]
            step = -np.linalg.solve([[bend[0], cross], [cross, bend[1]]], slope)
            points[n, k] = (np.array([x, y]) + step.clip(-1.5, 1.5) + 0.5) * STRIDE
    return points


def decoding(model: PoseModelConfig) -> dict[str, tuple[int, Callable[[], object]]]:
    """The codec and the loop, on the same heatmaps."""
    generator = torch.Generator().manual_seed(0)
    points = (0.1 + 0.8 * torch.rand(BATCH, 36, 2, generator=generator)) * model.input_size
    heatmaps = encode(points, model.input_size // STRIDE, model.sigma)
    arrays = heatmaps.numpy()
    assert np.abs(decode(heatmaps)[0].numpy() - decode_in_a_loop(arrays)).max() < 0.01
    return {
        "decoding, a loop": (BATCH, lambda: decode_in_a_loop(arrays)),
        "decoding, ours": (BATCH, lambda: decode(heatmaps)),
    }


def measure(model: PoseModelConfig, samples: list[Sample], augment: AugmentConfig) -> None:
    """Measure and print."""
    load = loading(samples, model, augment)
    found = rates({"loader, from files": load.pop("loader, from files")}, turns=1)
    last, first = torch.channels_last, torch.contiguous_format
    steps = {
        "step, fp32 contiguous": training_step(model, first, bf16=False),
        "step, fp32 channels last": training_step(model, last, bf16=False),
        "step, bf16 channels last": training_step(model, last, bf16=True),
    }
    for step in steps.values():
        step()  # the first one chooses kernels
    training = {name: (BATCH, step) for name, step in steps.items()}
    found |= rates({**load, **training, **prediction(samples, model)}, turns=5)
    found |= rates(decoding(model), turns=20)
    for name, value in found.items():
        print(f"{name:28s}{value:10.0f} images/s")
    print()
    ours = max(found["step, fp32 channels last"], found["step, bf16 channels last"])
    ratios = {
        "training step / plain fp32": ours / found["step, fp32 contiguous"],
        "loader / training step": found["loader, from memory"] / ours,
        "batches / one by one": found["prediction, in batches"] / found["prediction, one by one"],
        "decoding / a loop": found["decoding, ours"] / found["decoding, a loop"],
    }
    for name, value in ratios.items():
        print(f"{name:28s}{value:10.1f} x")


def main() -> None:
    """Measure as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--backbone", default="hrnet_w18_small")
    arguments = parser.parse_args()
    model = PoseModelConfig(
        backbone=arguments.backbone, input_size=arguments.size, loss="softmax", sigma=1.5
    )
    print(f"{torch.get_num_threads()} threads, {arguments.backbone} at {arguments.size} px\n")
    with tempfile.TemporaryDirectory() as folder:
        measure(model, make_samples(Path(folder)), load_config(RECIPE, PoseConfig).augment)


if __name__ == "__main__":
    main()
