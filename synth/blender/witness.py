"""What Cycles itself sees in a scene: the witness that the labels are held against.

The very scene that is rendered, with every surface made to glow with its object's number and its
depth, seen by one ray through the centre of each pixel.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from synth.blender.graph import Graph
from synth.blender.renderer import BlenderRenderer
from synth.geometry import SceneGeometry
from synth.lens import fine_pinhole_for, sample_nearest
from synth.scene import SceneSpec

_VEHICLE = 1
"""Number of the vehicle's objects, which the renderer names so; all others have 0."""
_PIXEL_CENTRE = 0.01
"""Width of Cycles' pixel filter; it takes none smaller."""


class CyclesWitness:
    """Traces the scenes of a renderer, which goes on as before afterwards."""

    def __init__(self, renderer: BlenderRenderer) -> None:
        self._renderer = renderer
        self._facts, self._normals = (_glow(add) for add in (_add_facts, _add_normal))
        self._dark = bpy.data.worlds.new("dark")

    def mask_and_depth(
        self, spec: SceneSpec, geometry: SceneGeometry
    ) -> tuple[np.ndarray, np.ndarray]:
        """(h, w) bool, where the vehicle is visible, and (h, w) float32, its depth there or 0."""
        values = self._trace(spec, geometry, self._facts)
        mask = values[..., 0] == _VEHICLE
        return mask, np.where(mask, values[..., 1], 0)

    def normals(self, spec: SceneSpec, geometry: SceneGeometry) -> np.ndarray:
        """(h, w, 3) float32 in the camera's frame of whatever is visible, 0 where nothing is."""
        values = self._trace(spec, geometry, self._normals)
        there = values.any(axis=2, keepdims=True)
        return np.where(there, (2 * values - 1) @ spec.camera.pose.rotation.T, 0)

    def _trace(
        self, spec: SceneSpec, geometry: SceneGeometry, glow: bpy.types.Material
    ) -> np.ndarray:
        """(h, w, 3) float32: what the surfaces glow with at the pixels' centres."""
        scene, pinhole = self._renderer.scene, fine_pinhole_for(spec.camera)
        with (
            self._renderer.staged(spec, geometry, pinhole),
            _settings(scene, self._dark, glow),
            tempfile.TemporaryDirectory(prefix="pamtri-") as folder,
        ):
            for thing in scene.objects:
                thing.pass_index = _VEHICLE if thing.name.startswith("vehicle") else 0
            path = Path(folder, "values.exr")
            scene.render.filepath = str(path)
            self._renderer.run_cycles()
            values = _read_exr(path)
        return sample_nearest(values, spec.camera, pinhole)


def _glow(add: Any) -> bpy.types.Material:
    """A material that gives off what ``add`` puts into its graph, and lights nothing."""
    material = bpy.data.materials.new("witness")
    material.use_fake_user = True  # in no object's slots, and not to be dropped
    material.use_nodes = True
    material.node_tree.nodes.clear()
    material.cycles.emission_sampling = "NONE"
    graph = Graph(material.node_tree)
    shader = graph.node("ShaderNodeEmission", Color=add(graph), Strength=1.0)
    graph.node("ShaderNodeOutputMaterial", Surface=shader.outputs["Emission"])
    return material


def _add_facts(graph: Graph) -> Any:
    index = graph.node("ShaderNodeObjectInfo").outputs["Object Index"]
    depth = graph.node("ShaderNodeCameraData").outputs["View Z Depth"]
    return graph.node("ShaderNodeCombineXYZ", X=index, Y=depth).outputs["Vector"]


def _add_normal(graph: Graph) -> Any:
    """Halved and raised, as light cannot be negative."""
    normal = graph.node("ShaderNodeNewGeometry").outputs["Normal"]
    half = graph.vector("MULTIPLY", normal, (0.5, 0.5, 0.5))
    return graph.vector("ADD", half, (0.5, 0.5, 0.5))


@contextmanager
def _settings(
    scene: bpy.types.Scene, world: bpy.types.World, glow: bpy.types.Material
) -> Iterator[None]:
    """One exact sample of the glow; everything as before afterwards."""
    cycles, image, layer = scene.cycles, scene.render.image_settings, scene.view_layers[0]
    wanted: list[tuple[Any, str, Any]] = [
        (layer, "material_override", glow),
        (scene, "world", world),
        (scene.render, "film_transparent", True),
        (cycles, "samples", 1),
        (cycles, "use_denoising", False),
        (cycles, "pixel_filter_type", "BOX"),
        (cycles, "filter_width", _PIXEL_CENTRE),
        (cycles, "film_exposure", 1.0),
        (cycles, "max_bounces", 0),
        (image, "file_format", "OPEN_EXR"),
        (image, "color_depth", "32"),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in wanted]
    for owner, name, value in wanted:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)


def _read_exr(path: Path) -> np.ndarray:
    """(h, w, 3) float32, from the top row down."""
    image = bpy.data.images.load(str(path))
    try:
        width, height = image.size
        flat = np.empty(width * height * 4, dtype=np.float32)
        image.pixels.foreach_get(flat)
    finally:
        bpy.data.images.remove(image)
    return flat.reshape(height, width, 4)[::-1, :, :3]
