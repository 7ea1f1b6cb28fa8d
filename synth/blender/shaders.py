"""Cycles shaders of surfaces: a principled one, and a thin window glass that needs few samples."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from render_assets.materials import Material, Rgb, Texture
from synth.blender import paint
from synth.blender.graph import Graph

_PANE_REFLECTANCE = 0.08
"""At normal incidence, of both faces of a pane of glass."""


def surface(material: Material) -> bpy.types.Material:
    """The shader of ``material``; equal materials share one, until ``drop_unused``."""
    name = f"surface {hash(material):x}"
    found = bpy.data.materials.get(name)
    if found is not None:
        return found
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes = made.node_tree.nodes
    nodes.clear()
    output = nodes.new("ShaderNodeOutputMaterial")
    shader = _thin_glass(made, material) if material.transmission > 0 else _solid(made, material)
    made.node_tree.links.new(shader, output.inputs["Surface"])
    return made


def drop_unused() -> None:
    """Remove the shaders that no mesh uses, and their pictures."""
    for material in list(bpy.data.materials):
        if material.users == 0:
            bpy.data.materials.remove(material)
    for image in list(bpy.data.images):
        if image.users == 0 and image.source == "GENERATED":
            bpy.data.images.remove(image)


def rgba(colour: Rgb) -> tuple[float, float, float, float]:
    """An opaque colour as Blender's nodes take it."""
    return (*colour, 1.0)


def _solid(made: bpy.types.Material, material: Material) -> Any:
    nodes = made.node_tree.nodes
    shader = nodes.new("ShaderNodeBsdfPrincipled")
    shader.inputs["Base Color"].default_value = rgba(material.base_colour)
    shader.inputs["Metallic"].default_value = material.metallic
    shader.inputs["Roughness"].default_value = material.roughness
    shader.inputs["Coat Weight"].default_value = material.coat
    shader.inputs["Coat Roughness"].default_value = material.coat_roughness
    # Under varnish a base borders on no air: it has no mirror of its own, and metal no white edge.
    shader.inputs["Specular IOR Level"].default_value = 0.5 * (1 - material.coat)
    if material.coat > 0:
        shader.inputs["Specular Tint"].default_value = rgba(material.base_colour)
    shader.inputs["Alpha"].default_value = material.alpha
    if any(material.emission):
        shader.inputs["Emission Color"].default_value = rgba(material.emission)
        shader.inputs["Emission Strength"].default_value = 1.0
    paint.finish(made, shader, material)
    if material.texture is not None:
        made.node_tree.links.new(_picture(made, material.texture), shader.inputs["Base Color"])
    return shader.outputs["BSDF"]


def _picture(made: bpy.types.Material, texture: Texture) -> Any:
    node = made.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.get(texture.digest) or _image(texture)
    return node.outputs["Color"]


def _image(texture: Texture) -> bpy.types.Image:
    height, width = texture.pixels.shape[:2]
    made = bpy.data.images.new(texture.digest, width, height)
    opaque = np.dstack([texture.pixels, np.full((height, width), 255, np.uint8)])
    # Blender's rows run upward from v = 0.
    made.pixels.foreach_set((opaque[::-1] / np.float32(255)).ravel())
    return made


def _thin_glass(made: bpy.types.Material, material: Material) -> Any:
    """A pane reflects by Fresnel's law and lets the rest through straight, tinted.

    Straight rays need no refraction, cast no caustics, and let light into the cabin unsampled.
    """
    nodes, links = made.node_tree.nodes, made.node_tree.links
    through = nodes.new("ShaderNodeBsdfTransparent")
    brightest = max(max(material.base_colour), 1e-6)
    through.inputs["Color"].default_value = rgba(
        tuple(material.transmission * c / brightest for c in material.base_colour)  # type: ignore[arg-type]
    )
    mirror = nodes.new("ShaderNodeBsdfGlossy")
    mirror.inputs["Roughness"].default_value = material.roughness
    mix = nodes.new("ShaderNodeMixShader")
    links.new(_pane_reflectance(made), mix.inputs["Fac"])
    links.new(through.outputs["BSDF"], mix.inputs[1])
    links.new(mirror.outputs["BSDF"], mix.inputs[2])
    return paint.dusted(made, mix.outputs["Shader"], material)


def _pane_reflectance(made: bpy.types.Material) -> Any:
    """Schlick's approximation for both faces of a pane together, the same from either side.

    Blender's Fresnel node takes the back of a face for the inside of solid glass, which would turn
    a pane seen from within the cabin into a mirror.
    """
    graph = Graph(made.node_tree)
    aslant = graph.node("ShaderNodeLayerWeight", Blend=0.5).outputs["Facing"]
    grazing = graph.math("POWER", aslant, 5.0)
    share = graph.math("MULTIPLY", grazing, 1 - _PANE_REFLECTANCE)
    return graph.math("ADD", share, _PANE_REFLECTANCE)
