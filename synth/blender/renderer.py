"""Scenes to pixels with Cycles: one ``BlenderRenderer`` a process, kept for many scenes."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Matrix

from pamtri.errors import ConfigError
from render_assets.mesh import Part
from render_assets.occluders import Body
from render_assets.vehicle import Vehicle
from synth import lens
from synth.blender import cameras, meshes, shaders
from synth.blender.devices import choose_device
from synth.blender.ground import Ground
from synth.blender.lamps import Lamps
from synth.blender.world import World
from synth.geometry import SceneGeometry
from synth.scene import SceneSpec
from synth.shadows import build_shade
from synth.state import Mount, mounts
from synth.weather import clouded

_KEPT_VEHICLES = 12


class BlenderRenderer:
    """Renders ``SceneSpec``s; what scenes share (vehicles, maps, ground, world) is made once.

    ``device`` and ``slot`` are as in ``choose_device``; ``threads`` is the number of CPU threads, 0
    for all.
    Blender's data is global: making a second renderer in a process ends the first.
    """

    def __init__(self, device: str = "auto", threads: int = 0, slot: int = 0) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = bpy.context.scene
        self._scene.render.engine = "CYCLES"
        _configure(self._scene, threads)
        self._scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self._scene.collection.objects.link(self._scene.camera)
        self.device = _working_device(device, slot)
        self._world = World(self._scene)
        self._ground = Ground(self._scene)
        self._lamps = Lamps(self._scene)
        self._vehicles: OrderedDict[Vehicle, dict[Mount, bpy.types.Object]] = OrderedDict()
        self._folder = tempfile.TemporaryDirectory(prefix="pamtri-")

    @property
    def scene(self) -> bpy.types.Scene:
        """Blender's scene, as last staged."""
        return self._scene

    def render(self, spec: SceneSpec, geometry: SceneGeometry) -> np.ndarray:
        """The ideal picture, (h, w, 3) uint8 sRGB: a pure function of the spec.

        Raises ConfigError for an environment map that Blender does not have.
        """
        pinhole = lens.pinhole_for(spec.camera)
        with self.staged(spec, geometry, pinhole):
            image = self._render_pixels()
        return lens.apply_lens(image, spec.camera, pinhole)

    @contextmanager
    def staged(
        self, spec: SceneSpec, geometry: SceneGeometry, pinhole: lens.Pinhole
    ) -> Iterator[None]:
        """Blender's scene as ``spec`` describes it, ready to be rendered as the pinhole image."""
        cameras.set_camera(self._scene, spec.camera.pose, pinhole)
        light = clouded(spec.light, spec.weather)
        self._world.set(light, spec.backdrop, pinhole.width / pinhole.height)
        self._lamps.set(spec, geometry.vehicle)
        self._ground.set(spec.ground, spec.weather)
        self._scene.cycles.samples = spec.samples
        noise = np.random.SeedSequence([spec.seed, spec.index]).generate_state(1)[0]
        self._scene.cycles.seed = int(noise >> 1)
        bodies = [*geometry.occluders, *([geometry.scenery] if geometry.scenery else [])]
        shade = build_shade(light.shadow, light.sun) if light.shadow and light.sun else None
        with self._in_scene(geometry, bodies, shade):
            yield

    @contextmanager
    def _in_scene(
        self, geometry: SceneGeometry, bodies: list[Body], shade: Body | None
    ) -> Iterator[None]:
        """Put the meshes of one scene into it and take them out again; ``shade`` is not seen."""
        linked = self._scene.collection.objects
        own = self._vehicle_objects(geometry.rest or geometry.vehicle)
        for mount, thing in own.items():
            thing.matrix_world = Matrix(geometry.moves.get(mount, np.eye(4)).tolist())
            meshes.dress(thing, geometry.vehicle.materials)
        others = [meshes.add_object("body", b.parts, b.materials) for b in bodies]
        if shade is not None:
            others.append(meshes.add_object("shade", shade.parts, shade.materials))
            meshes.hide_but_for_shadows(others[-1])
        for thing in (*own.values(), *others):
            linked.link(thing)
        try:
            yield
        finally:
            for thing in own.values():
                linked.unlink(thing)
            for thing in others:
                meshes.remove_object(thing)
            shaders.drop_unused()

    def _vehicle_objects(self, vehicle: Vehicle) -> dict[Mount, bpy.types.Object]:
        """The vehicle's objects, one for each group of parts that may move by itself: from the
        last few vehicles that were rendered, or new."""
        if vehicle in self._vehicles:
            self._vehicles.move_to_end(vehicle)
            return self._vehicles[vehicle]
        if len(self._vehicles) >= _KEPT_VEHICLES:
            for thing in self._vehicles.popitem(last=False)[1].values():
                meshes.remove_object(thing)
        groups: dict[Mount, list[Part]] = {}
        for part, mount in zip(vehicle.parts, mounts(vehicle).tolist(), strict=True):
            groups.setdefault(Mount(mount), []).append(part)
        made = {
            mount: meshes.add_object("vehicle", parts, vehicle.materials)
            for mount, parts in groups.items()
        }
        self._vehicles[vehicle] = made
        return made

    def run_cycles(self) -> None:
        """The bare render call on the scene as it is set."""
        with _quiet():
            bpy.ops.render.render(write_still=True)

    def _render_pixels(self) -> np.ndarray:
        path = Path(self._folder.name) / "image.png"
        self._scene.render.filepath = str(path)
        self.run_cycles()
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        path.unlink()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _working_device(device: str, slot: int) -> str:
    """The device that was chosen, or the CPU where ``auto`` chose a GPU that cannot render.

    Raises ConfigError for ``gpu`` there.
    """
    chosen = choose_device(device, slot)
    if chosen == "CPU" or can_render():
        return chosen
    if device == "gpu":
        raise ConfigError(f"the GPU ({chosen}) cannot render here; is its driver recent enough?")
    return choose_device("cpu")


def can_render() -> bool:
    """Whether Cycles manages a picture of nothing on the device that is set; needs a camera."""
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.cycles.samples = 1
    try:
        with _quiet():
            bpy.ops.render.render()
    except RuntimeError:
        return False
    return True


def _configure(scene: bpy.types.Scene, threads: int) -> None:
    """Settings that no scene changes: few bounces, a fast denoiser, a photographic tone curve."""
    cycles, render = scene.cycles, scene.render
    cycles.use_adaptive_sampling = False
    cycles.use_light_tree = False  # with a sky and a sun it only costs
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 3
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 6
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    cycles.blur_glossy = 0.5
    cycles.filter_width = 1.0  # a photograph made smaller is that crisp; the default is softer
    cycles.use_denoising = True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_quality = "FAST"
    cycles.denoising_prefilter = "ACCURATE"  # no slower here, and no speckles
    cycles.use_auto_tile = False
    render.use_persistent_data = False  # it saves nothing here, and state is a risk
    render.use_compositing = render.use_sequencer = False
    render.resolution_percentage = 100
    render.dither_intensity = 0.0
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.image_settings.compression = 0
    if threads:
        render.threads_mode, render.threads = "FIXED", threads
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.look = "High Contrast"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Blender's own progress lines, which it prints from C, off the terminal."""
    sys.stdout.flush()
    kept = os.dup(1)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(sink)
        os.close(kept)
