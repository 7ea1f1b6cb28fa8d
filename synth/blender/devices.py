"""Which processor Cycles renders on."""

from __future__ import annotations

from typing import Any

import bpy

from pamtri.errors import ConfigError

GPU_KINDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")
"""In order of preference."""


def choose_device(device: str = "auto", slot: int = 0) -> str:
    """Set Cycles up and return ``"CPU"`` or the GPU interface it renders with.

    ``device`` is ``"cpu"``, ``"gpu"`` or ``"auto"``: a GPU where there is one. One renderer uses
    one GPU: of n, number ``slot`` mod n. Raises ConfigError for another word, or for ``"gpu"``
    where Cycles finds none.
    """
    if device not in ("auto", "cpu", "gpu"):
        raise ConfigError(f"unknown render device '{device}' (known: auto, cpu, gpu)")
    if device != "cpu":
        kind = enable_gpu(bpy.context.preferences.addons["cycles"].preferences, slot)
        if kind is not None:
            bpy.context.scene.cycles.device = "GPU"
            return kind
        if device == "gpu":
            raise ConfigError(f"Cycles finds no GPU here (looked for {', '.join(GPU_KINDS)})")
    bpy.context.scene.cycles.device = "CPU"
    return "CPU"


def enable_gpu(preferences: Any, slot: int) -> str | None:
    """Switch on one GPU of the first interface that has any, and nothing else.

    ``preferences`` are those of Blender's Cycles add-on. Returns the interface; None without one.
    """
    preferences.refresh_devices()
    for kind in GPU_KINDS:
        try:
            preferences.compute_device_type = kind
        except TypeError:  # this build of Blender has no such interface
            continue
        devices = list(preferences.get_devices_for_type(kind))
        found = [d for d in devices if d.type == kind]  # the CPU is listed with each interface
        if found:
            for each in devices:
                each.use = each == found[slot % len(found)]
            return kind
    preferences.compute_device_type = "NONE"
    return None
