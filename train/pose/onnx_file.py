"""A trained pose network as one ONNX file, which needs neither this program nor torch to run.

Its input ``pictures`` is (n, s, s, 3) bytes, RGB, any n; its outputs are what
``train.pose.reader.PoseReader`` gives: ``points`` (n, 36, 2) in pixels of the input, ``peak``
(n, 36) and, where the network learns it, ``visibility`` (n, 36, 3). Its metadata tell the rest.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

import pamtri
from pamtri.errors import DataError
from pamtri.keypoints import NAMES
from train.images import CropCache, Image
from train.pose.data import pose_view
from train.pose.reader import PoseReader
from train.pose.visibility import STATES

SUFFIX = ".onnx"
INPUT = "pictures"
OUTPUTS = ("points", "peak", "visibility")
_OPSET = 18
_KIND = "pose"


class OnnxPose:
    """The network of an ONNX file, run by onnxruntime."""

    def __init__(self, file: Path, device: torch.device) -> None:
        """Raises DataError when ``file`` is no pose network written by ``write_onnx``."""
        wanted = ["CPUExecutionProvider"]
        if device.type == "cuda":
            wanted.insert(0, "CUDAExecutionProvider")
        available = onnxruntime.get_available_providers()
        if not file.is_file():
            raise DataError(f"{file}: no such file")
        try:
            self._session = onnxruntime.InferenceSession(
                file, providers=[name for name in wanted if name in available]
            )
        # onnxruntime's exceptions have no common class but this.
        except Exception as error:
            raise DataError(f"{file}: is no ONNX file that can be run ({error})") from None
        told = self._session.get_modelmeta().custom_metadata_map
        if told.get("kind") != _KIND or told.get("keypoints") != json.dumps(NAMES):
            raise DataError(
                f"{file}: expected a pose network of this program (pamtri export), got an ONNX "
                f"file of kind '{told.get('kind', 'unknown')}'"
            )
        self.view = pose_view(int(told["input_size"]), float(told["box_scale"]), CropCache(0))

    def read(self, pictures: Image) -> list[NDArray[np.float32]]:
        """See ``train.pose.predict.Network``."""
        readings: list[NDArray[np.float32]] = self._session.run(None, {INPUT: pictures})
        return readings


def write_onnx(path: Path, reader: PoseReader, input_size: int, box_scale: float) -> None:
    """Write a reader as ``path``: there whole or not at all.

    ``input_size`` is the side of its square input and ``box_scale`` the enlargement of a vehicle's
    box in it.
    """
    example = torch.zeros((2, input_size, input_size, 3), dtype=torch.uint8)
    with torch.no_grad():
        names = OUTPUTS[: len(reader(example))]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with warnings.catch_warnings():
        # This exporter is the old one of two; the new one needs a package more and the same file
        # comes out of it, ten times as late.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            reader,
            (example,),
            str(temporary),
            input_names=[INPUT],
            output_names=list(names),
            dynamic_axes={name: {0: "n"} for name in (INPUT, *names)},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(temporary)
    told = {
        "kind": _KIND,
        "version": pamtri.__version__,
        "input_size": str(input_size),
        "box_scale": str(box_scale),
        "keypoints": json.dumps(NAMES),
        "states": json.dumps(STATES),
    }
    onnx.helper.set_model_props(model, told)
    onnx.save(model, temporary)
    temporary.replace(path)
