"""One image made again from the configuration, as far as its labels go, against what is stored."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri.check import Problem
from pamtri.errors import DataError
from pamtri.record import Record
from synth.config import SynthConfig
from synth.geometry import SceneGeometry
from synth.images import FOLDERS, render_image, write_image
from synth.sampling import sample_scene
from synth.scene import SceneSpec
from synth.stored import parse_scene

_NEAR = 1e-6
"""Relative: another machine's libraries may round the last digits otherwise."""
_MASK_SHARE = 2e-3
"""Share of a mask's pixels that rays along edges may decide otherwise elsewhere."""


class _Unlit:
    """Labels do not depend on the picture: a black one is made at once."""

    def render(self, spec: SceneSpec, geometry: SceneGeometry) -> NDArray[np.uint8]:
        return np.zeros((spec.camera.height, spec.camera.width, 3), dtype=np.uint8)


def check_again(root: Path, config: SynthConfig, record: Record) -> Iterator[Problem]:
    """Whether the scene sampled again, and all labels computed again from it, are the stored ones.

    Raises DataError when a stored mask cannot be read.
    """
    if record.frame is None or not 0 <= record.frame < config.count or record.scene is None:
        return
    sampled = sample_scene(config, config.seed, record.frame)
    changed = first_difference(record.scene, sampled.model_dump(mode="json"))
    if changed:
        key, stored, now = changed
        text = f"scene.{key} is {_said(stored)}, sampled again it is {_said(now)}"
        yield Problem("scene", record.image, text)
    try:
        spec = parse_scene(record.scene, record.image)
    except DataError as error:
        yield Problem("scene", record.image, str(error).removeprefix(f"{record.image}: "))
        return
    for kind, text in _label_differences(root, config, record, spec):
        yield Problem(kind, record.image, text)


def _label_differences(
    root: Path, config: SynthConfig, record: Record, spec: SceneSpec
) -> Iterator[tuple[str, str]]:
    again = render_image(spec, _Unlit(), config.labels)
    stored, now = (r.model_dump(mode="json", exclude={"scene"}) for r in (record, again.record))
    for name in now:
        changed = first_difference(stored.get(name), now[name], name)
        if changed:
            key, old, new = changed
            yield "label", f"{key} is {_said(old)}, computed again it is {_said(new)}"
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        for name in FOLDERS:
            (fresh / name).mkdir()
        write_image(fresh, again)
        for path in set(record.files) & set(again.record.files) - {record.image}:
            text = _pixel_difference(root / path, fresh / path)
            if text:
                yield "mask", f"{path}: {text}"


def _pixel_difference(stored: Path, fresh: Path) -> str:
    """How two label images differ, in words; nothing where they agree."""
    old, new = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (stored, fresh))
    if old is None:
        raise DataError(f"{stored}: is missing or unreadable")
    if old.shape != new.shape:
        return f"is {old.shape[1]} x {old.shape[0]}, expected {new.shape[1]} x {new.shape[0]}"
    differing = int((old != new).reshape(*old.shape[:2], -1).any(axis=2).sum())
    allowed = _MASK_SHARE * np.count_nonzero(new)
    return f"{differing} pixels differ from those computed again" if differing > allowed else ""


def first_difference(old: Any, new: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The first key path at which two plain structures differ by more than rounding."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = [(str(k), old.get(k), new.get(k)) for k in dict.fromkeys([*old, *new])]
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        pairs = [(str(i), a, b) for i, (a, b) in enumerate(zip(old, new, strict=True))]
    elif isinstance(old, float | int) and isinstance(new, float | int):
        return None if math.isclose(old, new, rel_tol=_NEAR, abs_tol=_NEAR) else (key, old, new)
    else:
        return None if old == new else (key, old, new)
    below = (first_difference(a, b, f"{key}.{k}" if key else k) for k, a, b in pairs)
    return next(filter(None, below), None)


def _said(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 50 else text[:47] + "..."
