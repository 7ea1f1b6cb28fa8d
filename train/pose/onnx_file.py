"""A trained pose network as an ONNX file.

Its input ``pictures`` is (n, s, s, 3) bytes, RGB; its outputs are what
``train.pose.reader.PoseReader`` gives: ``points`` (n, 36, 2) in pixels of the input, ``peak``
(n, 36) and, where the network learns it, ``visibility`` (n, 36, 3).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pamtri.errors import DataError
from pamtri.keypoints import NAMES
from train.images import CropCache, Image
from train.onnx_file import open_onnx, write_onnx
from train.pose.data import pose_view
from train.pose.reader import PoseReader
from train.pose.visibility import STATES

INPUT = "pictures"
OUTPUTS = ("points", "peak", "visibility")
_KIND = "pose"


class OnnxPose:
    """The network of an ONNX file, run by onnxruntime."""

    def __init__(self, file: Path, device: torch.device) -> None:
        """Raises DataError when ``file`` is no pose network that ``write_pose`` wrote."""
        self._session, told = open_onnx(file, _KIND, device)
        if told["keypoints"] != json.dumps(NAMES):
            raise DataError(f"{file}: finds other keypoints than the 36 of this program")
        self.view = pose_view(int(told["input_size"]), float(told["box_scale"]), CropCache(0))

    def read(self, pictures: Image) -> list[NDArray[np.float32]]:
        """See ``train.pose.predict.Network``."""
        readings: list[NDArray[np.float32]] = self._session.run(None, {INPUT: pictures})
        return readings


def write_pose(path: Path, reader: PoseReader, input_size: int, box_scale: float) -> None:
    """Write a reader as ``path``: there whole or not at all.

    ``input_size`` is the side of its square input and ``box_scale`` the enlargement of a vehicle's
    box in it.
    """
    example = torch.zeros((2, input_size, input_size, 3), dtype=torch.uint8)
    with torch.no_grad():
        outputs = OUTPUTS[: len(reader(example))]
    told = {
        "kind": _KIND,
        "input_size": str(input_size),
        "box_scale": str(box_scale),
        "keypoints": json.dumps(NAMES),
        "states": json.dumps(STATES),
    }
    write_onnx(path, reader, {INPUT: example}, outputs, told)
