"""Which processor Cycles renders on."""

from __future__ import annotations

import bpy

from pamtri.errors import ConfigError

GPU_KINDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")
"""In order of preference."""


def choose_device(device: str = "auto") -> str:
    """Set Cycles up and return ``"CPU"`` or the GPU interface it renders with.

    ``device`` is ``"cpu"``, ``"gpu"`` or ``"auto"``: a GPU where there is one. Raises ConfigError
    for another word, or for ``"gpu"`` where Cycles finds none.
    """
    if device not in ("auto", "cpu", "gpu"):
        raise ConfigError(f"unknown render device '{device}' (known: auto, cpu, gpu)")
    if device != "cpu":
        kind = _first_gpu()
        if kind is not None:
            bpy.context.scene.cycles.device = "GPU"
            return kind
        if device == "gpu":
            raise ConfigError(f"Cycles finds no GPU here (looked for {', '.join(GPU_KINDS)})")
    bpy.context.scene.cycles.device = "CPU"
    return "CPU"


def _first_gpu() -> str | None:
    """Switch on every GPU of the first interface that has one."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kind in GPU_KINDS:
        try:
            preferences.compute_device_type = kind
        except TypeError:  # this build of Blender has no such interface
            continue
        found = [d for d in preferences.get_devices_for_type(kind) if d.type == kind]
        if found:
            for gpu in found:
                gpu.use = True
            return kind
    return None
