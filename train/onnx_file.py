"""Trained networks as ONNX files, which need neither this program nor torch to run.

A file's metadata have ``kind`` (``pose`` or ``reid``), the ``version`` of this program, the
``input_size`` in pixels, and what else the kind's reader tells. Every input and output has the
images along its first axis, any number of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import onnxruntime
import torch
from torch import Tensor, nn

import pamtri
from pamtri.errors import DataError

_OPSET = 18


def write_onnx(
    path: Path,
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: tuple[str, ...],
    told: Mapping[str, str],
) -> None:
    """Write a module that takes ``inputs`` (examples of two images), there whole or not at all.

    ``outputs`` names what it returns, in order; ``told`` are the metadata.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with warnings.catch_warnings():
        # Of torch's two exporters this is the older, which says so at length. The newer one takes
        # another package and ten times as long to write the same.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(temporary),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {0: "n"} for name in (*inputs, *outputs)},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(temporary)
    onnx.helper.set_model_props(model, {"version": pamtri.__version__, **told})
    onnx.save(model, temporary)
    temporary.replace(path)


def open_onnx(
    path: Path, kind: str, device: torch.device
) -> tuple[onnxruntime.InferenceSession, dict[str, str]]:
    """An ONNX file of ``kind``, ready to run, and its metadata.

    Raises DataError when ``path`` is none that ``write_onnx`` wrote.
    """
    wanted = ["CUDAExecutionProvider"] * (device.type == "cuda") + ["CPUExecutionProvider"]
    available = onnxruntime.get_available_providers()
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        session = onnxruntime.InferenceSession(
            path, providers=[name for name in wanted if name in available]
        )
    except Exception as error:  # onnxruntime's own have no common class but this
        raise DataError(f"{path}: is no ONNX file that can be run ({error})") from None
    told: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if told.get("kind") != kind:
        raise DataError(
            f"{path}: expected an ONNX file of kind '{kind}' (see pamtri export), got one of kind "
            f"'{told.get('kind', 'unknown')}'"
        )
    return session, told
