"""Poses that a frozen network reads from re-identification's own images, on their device.

It looks at what the re-identification network sees, augmentation included, so whatever it finds
lies on that picture and is named after the sides that show there. Each image is brought into the
proportions that a pose network is used to: an upright square about the crop.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pamtri.pose import SURE
from pamtri.segments import SEGMENTS
from train.augment import MEAN, STD, box_to_input, compose, inverse, mirror, move
from train.batches import Item
from train.checkpoint import ONNX_SUFFIX, SUFFIX
from train.images import Affine, Box
from train.pose.codec import STRIDE, encode
from train.reid.config import ReidModelConfig

if TYPE_CHECKING:
    from train.pose.predict import Network

SIGMA = 2.0
"""Of a heatmap's Gaussian, heatmap pixels, as in PAMTRI."""
_FINER = 2  # sampled so much finer, then averaged: bilinear sampling alone skips pixels
Readings = list[Tensor] | tuple[Tensor, ...]
Read = Callable[[Tensor], Readings]
"""Normalised images (n, 3, s, s) to ``train.pose.reader.Readings``."""


def is_network(origin: Literal["labels"] | Path) -> bool:
    """Whether a source's ``keypoints`` name a pose network, not labels or a file of poses."""
    return origin != "labels" and Path(origin).suffix in (SUFFIX, ONNX_SUFFIX)


class PoseReading:
    """A frozen pose network that completes batches."""

    def __init__(self, read: Read, size: int, scale: float, model: ReidModelConfig) -> None:
        """``read`` wants vehicles' squares, enlarged by ``scale``, in ``size`` pixels."""
        self._read, self.size, self.scale, self._model = read, size, scale, model

    def crop(self, to_input: Affine, mirrored: bool) -> Affine:
        """The map from the pose network's input to the re-identification network's, pixels.

        ``to_input`` maps the image to the latter; what it turned is turned back.
        """
        side = self._model.input_size
        back = inverse(to_input)
        half = side * np.linalg.norm(back[:, :2], axis=1).max() * self.scale / 2
        x, y = move([side / 2, side / 2], back)
        to_pose = box_to_input(Box(x - half, y - half, x + half, y + half), self.size)
        if mirrored:
            to_pose = compose(mirror(self.size), to_pose)
        return compose(to_input, inverse(to_pose))

    @torch.no_grad()
    def complete(self, batch: Item) -> Item:
        """``batch`` with the pose of the images that ``reading``, the ``crop`` of each, is not NaN
        for; without ``reading``."""
        rest = {name: value for name, value in batch.items() if name != "reading"}
        rows = ~batch["reading"].isnan().flatten(1).any(dim=1)
        if not rows.any():
            return rest
        points = self.points(batch["image"][rows], batch["reading"][rows])
        for name, values in embedded(points, self._model).items():
            rest[name] = batch[name].index_put((rows,), values)
        return rest

    def points(self, images: Tensor, crops: Tensor) -> Tensor:
        """(n, 36, 3) x, y and confidence of images (n, 3, s, s), in their pixels.

        ``crops`` (n, 2, 3) is the ``crop`` of each.
        """
        with torch.autocast(images.device.type, enabled=False):
            points, peak, *visibility = self._read(self.pictures(images.float(), crops))
        moved = points @ crops[:, :, :2].mT + crops[:, None, :, 2]
        seen = peak * visibility[0][..., 0] if visibility else peak
        return torch.cat([moved, seen[..., None]], dim=-1)

    def pictures(self, images: Tensor, crops: Tensor) -> Tensor:
        """What the pose network looks at: (n, 3, size, size), 0 outside of the images."""
        side, size = images.shape[-1], self.size
        linear = crops[:, :, :2] * (size / side)
        middle = (crops[:, :, :2].sum(dim=-1) * size / 2 + crops[:, :, 2]) * (2 / side) - 1
        theta = torch.cat([linear, middle[..., None]], dim=-1).to(images.dtype)
        fine = [len(images), images.shape[1], _FINER * size, _FINER * size]
        grid = F.affine_grid(theta, fine, align_corners=False)
        return F.avg_pool2d(F.grid_sample(images, grid, align_corners=False), _FINER)


def open_reading(file: Path, model: ReidModelConfig, device: torch.device) -> PoseReading:
    """The network of a checkpoint or ONNX file. Raises DataError when it is none."""
    if file.suffix == ONNX_SUFFIX:
        from train.pose.onnx_file import OnnxPose  # few runs need onnxruntime

        network = OnnxPose(file, device)
        view = network.view
        return PoseReading(_through_numpy(network), view.size, view.scale, model)
    from train.pose.predict import load_reader

    config, reader = load_reader(file)
    reader.requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return PoseReading(reader.read, config.model.input_size, config.box_scale, model)


def _through_numpy(network: Network) -> Read:
    def read(images: Tensor) -> Readings:
        mean, deviation = (torch.from_numpy(255 * v).to(images.device) for v in (MEAN, STD))
        pictures = images.permute(0, 2, 3, 1) * deviation + mean
        values = network.read(pictures.round().clamp(0, 255).byte().cpu().numpy())
        return [torch.from_numpy(value).to(images.device) for value in values]

    return read


def embedded(points: Tensor, model: ReidModelConfig) -> dict[str, Tensor]:
    """``pose`` and ``maps`` of points (n, 36, 3) in the input: what ``KeypointSource`` gives."""
    side, kinds = model.input_size // STRIDE, model.embedding
    xy, confidence = points[..., :2], points[..., 2]
    item: dict[str, Tensor] = {}
    if "keypoints" in kinds:
        known = torch.where(confidence[..., None] > 0, xy / model.input_size, 0.5)
        item["pose"] = (torch.cat([known, points[..., 2:]], dim=-1) - 0.5).flatten(1).float()
    maps = []
    if "heatmaps" in kinds:
        heatmaps = encode(xy, side, SIGMA) * confidence[..., None, None]
        maps.append((255 * heatmaps).round().byte())
    if "segments" in kinds:
        maps.append(filled_segments(xy / STRIDE, confidence >= SURE, side).byte() * 255)
    return {**item, "maps": torch.cat(maps, dim=1)} if maps else item


def filled_segments(points: Tensor, sure: Tensor, side: int) -> Tensor:
    """``pamtri.segments.fill_polygons`` of (n, 36, 2) points: (n, 13, side, side) bool."""
    corners = torch.tensor([segment.corners for segment in SEGMENTS], device=points.device)
    quads, known = points[:, corners], sure[:, corners].all(dim=-1)
    ahead = quads.roll(-1, dims=-2) - quads
    behind = ahead.roll(1, dims=-2)
    turns = (behind[..., 0] * ahead[..., 1] - behind[..., 1] * ahead[..., 0]).sign()
    convex = (turns == turns[..., :1]).all(dim=-1) & (turns[..., 0] != 0)
    centres = torch.arange(side, device=points.device) + 0.5
    inside = (known & convex)[..., None, None].expand(-1, -1, side, side)
    for corner in range(4):
        start, way = (v[..., corner, :, None, None] for v in (quads, ahead))
        across = way[:, :, 0] * (centres[:, None] - start[:, :, 1])
        across = across - way[:, :, 1] * (centres - start[:, :, 0])
        inside = inside & (across * turns[..., :1, None] >= 0)
    return inside
