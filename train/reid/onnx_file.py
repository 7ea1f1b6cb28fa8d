"""A trained re-identification network as an ONNX file.

Its inputs are ``pictures`` (n, s, s, 3) bytes, RGB, the vehicle's box stretched to the square, and
what the network embeds: ``pose`` (n, 108) as ``train.reid.embedding.pose_values`` makes it, and
``maps`` (n, c, s / 4, s / 4) bytes, heatmaps before segments. Its outputs are ``feature`` (n, d),
compared by Euclidean distance, of a multi-task network the probabilities ``colour`` (n, 10) and
``type`` (n, 9), named in the metadata, and of one that learned it ``azimuth`` (n, 2), the sine and
the cosine of the side that is seen.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from pamtri.attributes import COLOURS, TYPES
from train.augment import MEAN, STD
from train.onnx_file import write_onnx
from train.pose.codec import STRIDE
from train.reid.config import ReidModelConfig
from train.reid.network import POSE_VALUES, ReidNetwork, attributes, map_channels
from train.reid.predict import TOLD, told

PROBABILITIES = {"colour": COLOURS, "type": TYPES}


class ReidReader(nn.Module):
    """A network with what comes before and after it; see the module."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: ReidNetwork, model: ReidModelConfig) -> None:
        super().__init__()
        self.network = network
        self._embeds = "keypoints" in model.embedding
        self._outputs = outputs(model)
        self.register_buffer("mean", torch.from_numpy(255 * MEAN), persistent=False)
        self.register_buffer("deviation", torch.from_numpy(255 * STD), persistent=False)

    def forward(self, pictures: Tensor, *known: Tensor) -> tuple[Tensor, ...]:
        """``known`` are pose and maps, those that the network embeds."""
        images = ((pictures.float() - self.mean) / self.deviation).permute(0, 3, 1, 2)
        pose = known[0] if self._embeds else None
        maps = known[-1] if len(known) > self._embeds else None
        output = self.network(images, pose, maps)
        return tuple(told(name, output[name]) for name in self._outputs)


def outputs(model: ReidModelConfig) -> tuple[str, ...]:
    """Names of what a file gives out."""
    return ("feature", *(name for name in attributes(model) if name in TOLD))


def example_inputs(model: ReidModelConfig) -> dict[str, Tensor]:
    """Inputs of a network for two images, by name."""
    size, channels = model.input_size, map_channels(model)
    inputs = {"pictures": torch.zeros((2, size, size, 3), dtype=torch.uint8)}
    if "keypoints" in model.embedding:
        inputs["pose"] = torch.zeros((2, POSE_VALUES))
    if channels:
        side = size // STRIDE
        inputs["maps"] = torch.zeros((2, channels, side, side), dtype=torch.uint8)
    return inputs


def write_reid(path: Path, network: ReidNetwork, model: ReidModelConfig) -> None:
    """Write a network as ``path``: there whole or not at all."""
    facts = {"kind": "reid", "input_size": str(model.input_size)}
    if model.multitask:
        facts |= {name: json.dumps(words) for name, words in PROBABILITIES.items()}
    if model.embedding:
        facts["embedding"] = json.dumps(model.embedding)
    reader = ReidReader(network, model).eval()
    write_onnx(path, reader, example_inputs(model), outputs(model), facts)
