"""Which GPU is chosen, with a stand-in for the preferences of a machine that has some."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pamtri.errors import ConfigError

pytest.importorskip("bpy")
pytestmark = pytest.mark.blender


class Preferences:
    """As Blender's: an interface must be known to be chosen, and lists the CPU beside its GPUs."""

    def __init__(self, known, **gpus):
        self._known, self._type = known, "NONE"
        cpu = SimpleNamespace(type="CPU", name="cpu", use=True)
        self.devices = [cpu]
        for kind, count in gpus.items():
            self.devices += [
                SimpleNamespace(type=kind, name=f"{kind} {n}", use=True) for n in range(count)
            ]

    @property
    def compute_device_type(self):
        return self._type

    @compute_device_type.setter
    def compute_device_type(self, kind):
        if kind not in (*self._known, "NONE"):
            raise TypeError(f'enum "{kind}" not found')
        self._type = kind

    def refresh_devices(self):
        pass

    def get_devices_for_type(self, kind):
        own = [d for d in self.devices if d.type == kind]
        return own + [d for d in self.devices if d.type == "CPU"] if own else []

    def used(self, kind):
        return [d.name for d in self.get_devices_for_type(kind) if d.use]


ALL = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")


@pytest.mark.parametrize(
    ("known", "gpus", "expected"),
    [
        (ALL, {"CUDA": 1, "OPTIX": 1}, "OPTIX"),
        (ALL, {"CUDA": 1, "ONEAPI": 1}, "CUDA"),
        (("CUDA", "HIP"), {"HIP": 1, "OPTIX": 1}, "HIP"),
        (("METAL",), {"METAL": 1}, "METAL"),
        (ALL, {"ONEAPI": 1}, "ONEAPI"),
        (ALL, {}, None),
        ((), {}, None),
    ],
)
def test_the_best_interface_that_has_a_gpu_is_taken(known, gpus, expected):
    from synth.blender.devices import enable_gpu

    preferences = Preferences(known, **gpus)
    assert enable_gpu(preferences, 0) == expected
    assert preferences.compute_device_type == (expected or "NONE")
    if expected:
        assert preferences.used(expected) == [f"{expected} 0"]


def test_workers_take_the_gpus_in_turn():
    from synth.blender.devices import enable_gpu

    used = []
    for slot in range(5):
        preferences = Preferences(ALL, CUDA=3)
        assert enable_gpu(preferences, slot) == "CUDA"
        used += preferences.used("CUDA")
    assert used == ["CUDA 0", "CUDA 1", "CUDA 2", "CUDA 0", "CUDA 1"]


@pytest.fixture
def machine(monkeypatch):
    """Makes this process believe that Cycles' preferences are these."""
    import bpy

    from synth.blender import devices

    def believe(preferences):
        cycles = SimpleNamespace(device="CPU")
        context = SimpleNamespace(
            preferences=SimpleNamespace(
                addons={"cycles": SimpleNamespace(preferences=preferences)}
            ),
            scene=SimpleNamespace(cycles=cycles),
        )
        monkeypatch.setattr(devices, "bpy", SimpleNamespace(context=context))
        return cycles

    assert bpy.context is not None
    return believe


def test_without_a_gpu_auto_falls_back_and_gpu_says_so(machine):
    from synth.blender.devices import choose_device

    cycles = machine(Preferences(ALL))
    assert (choose_device("auto"), cycles.device) == ("CPU", "CPU")
    with pytest.raises(ConfigError, match=r"Cycles finds no GPU here \(looked for OPTIX, CUDA, "):
        choose_device("gpu")


def test_the_cpu_is_taken_when_asked_for(machine):
    from synth.blender.devices import choose_device

    cycles = machine(Preferences(ALL, OPTIX=1))
    assert (choose_device("auto"), cycles.device) == ("OPTIX", "GPU")
    assert (choose_device("cpu"), cycles.device) == ("CPU", "CPU")


def test_a_gpu_that_cannot_render_falls_back_when_auto(monkeypatch):
    """As when its driver is too old for the kernels, which shows only when it renders."""
    from scenes import make_scene

    from synth.blender import renderer as module
    from synth.geometry import build_geometry

    def pretend(device, slot=0):
        return "CPU" if device == "cpu" else "CUDA"

    module.BlenderRenderer("cpu", threads=1)
    assert module.can_render()
    monkeypatch.setattr(module, "choose_device", pretend)
    assert module.BlenderRenderer("gpu", threads=1).device == "CUDA"
    monkeypatch.setattr(module, "can_render", lambda: False)
    made = module.BlenderRenderer("auto", threads=1)
    assert made.device == "CPU"
    scene = make_scene(size=16)
    assert made.render(scene, build_geometry(scene)).shape[2] == 3
    with pytest.raises(ConfigError, match=r"the GPU \(CUDA\) cannot render here"):
        module.BlenderRenderer("gpu", threads=1)
