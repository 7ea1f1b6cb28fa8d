"""What makes a painted surface look like a car's: flop, flakes, orange peel, and dirt on it.

All patterns live in the vehicle's own coordinates, so that an individual looks the same in every
image. None varies within a pixel by more than a few samples even out.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from render_assets.materials import DUST, SNOW, Dirt, Material, Rgb
from synth.blender.graph import Graph

_FLAKE_SIZE = 0.0012
"""Metres between metallic flakes."""
_FLAKE_LEAN = 0.05
"""How much the strongest flakes lean; the paint's roughness stands for the finer ones."""
_PEEL_SCALE = 9.0
"""Longest waves of the clear coat a metre; three octaves reach down to 1.4 cm."""
_DIRT_GROUP = "dirt"
_PEEL_SLOPE = 0.012


def finish(made: bpy.types.Material, shader: Any, material: Material) -> None:
    """Feed a principled ``shader`` with what ``material`` has beyond plain numbers."""
    graph = Graph(made.node_tree)
    if material.grazing is not None:
        aslant = graph.node("ShaderNodeLayerWeight", Blend=0.35).outputs["Facing"]
        flop = graph.mix(aslant, (*material.base_colour, 1.0), (*material.grazing, 1.0))
        graph.feed(shader.inputs["Base Color"], flop)
    if material.flake > 0:
        place = graph.node("ShaderNodeTexCoord").outputs["Object"]
        cells = graph.node("ShaderNodeTexVoronoi", Vector=place, Scale=1 / _FLAKE_SIZE)
        lean = _FLAKE_LEAN * material.flake
        graph.feed(shader.inputs["Normal"], _leaning(graph, cells.outputs["Color"], lean))
    if material.coat > 0 and material.peel:
        place = graph.node("ShaderNodeTexCoord").outputs["Object"]
        waves = graph.node(
            "ShaderNodeTexNoise", Vector=place, Scale=_PEEL_SCALE, Detail=3.0, Roughness=0.4
        )
        lean = _PEEL_SLOPE * material.coat
        graph.feed(shader.inputs["Coat Normal"], _leaning(graph, waves.outputs["Color"], lean))
    if material.dirt is not None:
        _soil(graph, shader, material, material.dirt)
    if material.snow > 0:
        _snow_over(graph, shader, material)


def _snow_over(graph: Graph, shader: Any, material: Material) -> None:
    """Snow hides what is under it."""
    cover = snow_shade(graph, material.snow)
    left = graph.math("SUBTRACT", 1.0, cover)
    for name, value in (("Base Color", (*SNOW, 1.0)), ("Roughness", 0.9)):
        socket = shader.inputs[name]
        under = socket.links[0].from_socket if socket.is_linked else socket.default_value
        if name == "Base Color":
            graph.feed(socket, graph.mix(cover, under, value))
        else:
            kept = graph.math("MULTIPLY", under, left)
            graph.feed(socket, graph.math("ADD", kept, graph.math("MULTIPLY", cover, value)))
    for name in ("Metallic", "Coat Weight"):
        socket = shader.inputs[name]
        under = socket.links[0].from_socket if socket.is_linked else socket.default_value
        graph.feed(socket, graph.math("MULTIPLY", under, left))


def snow_shade(graph: Graph, snow: float) -> Any:
    """``materials.snow_cover`` as shader nodes, in patches with uneven edges."""
    facing = graph.node("ShaderNodeNewGeometry").outputs["Normal"]
    up = graph.between(graph.node("ShaderNodeSeparateXYZ", Vector=facing).outputs["Z"], 0.6, 0.85)
    place = graph.node("ShaderNodeTexCoord").outputs["Object"]
    # Nearly all of the noise lies in 0.3..0.7.
    gone = 0.25 + 0.5 * (1 - snow)
    patches = graph.between(graph.noise(place, 5.0, 5.0), gone - 0.06, gone + 0.06)
    return graph.math("MULTIPLY", up, patches)


def dusted(made: bpy.types.Material, shader: Any, material: Material) -> Any:
    """A glass ``shader`` with a film of dust and with snow, where its material has them."""
    graph = Graph(made.node_tree)
    if material.dirt is not None:
        film = graph.math("MULTIPLY", _coverage(graph, material.dirt), 0.5)
        shader = _under(graph, shader, DUST, film)
    if material.snow > 0:
        shader = _under(graph, shader, SNOW, snow_shade(graph, 0.8 * material.snow))
    return shader


def _under(graph: Graph, shader: Any, colour: Rgb, share: Any) -> Any:
    """A ``shader`` of which something matt hides a share."""
    matt = graph.node("ShaderNodeBsdfDiffuse", Color=(*colour, 1.0)).outputs["BSDF"]
    mix = graph.node("ShaderNodeMixShader", Fac=share)
    graph.feed(mix.inputs[1], shader)
    graph.feed(mix.inputs[2], matt)
    return mix.outputs["Shader"]


def _leaning(graph: Graph, random: Any, lean: float) -> Any:
    """The normal, moved by a random vector about (0.5, 0.5, 0.5)."""
    normal = graph.node("ShaderNodeNewGeometry").outputs["Normal"]
    askew = graph.vector("MULTIPLY", random, (2 * lean,) * 3)
    moved = graph.vector("ADD", normal, graph.vector("SUBTRACT", askew, (lean,) * 3))
    return graph.vector("NORMALIZE", moved)


def _soil(graph: Graph, shader: Any, material: Material, dirt: Dirt) -> None:
    """Dirt dulls the coat, hides flakes and brings its own colour."""
    cover = _coverage(graph, dirt)
    clean = shader.inputs["Base Color"]
    under = clean.links[0].from_socket if clean.is_linked else (*material.base_colour, 1.0)
    graph.feed(clean, graph.mix(cover, under, (*DUST, 1.0)))
    left = graph.math("SUBTRACT", 1.0, cover)
    for name, value in (("Metallic", material.metallic), ("Coat Weight", material.coat)):
        if value > 0:
            graph.feed(shader.inputs[name], graph.math("MULTIPLY", left, value))
    rough = graph.math("MULTIPLY", cover, 0.95 - material.roughness)
    graph.feed(shader.inputs["Roughness"], graph.math("ADD", rough, material.roughness))


def _coverage(graph: Graph, dirt: Dirt) -> Any:
    """``materials.dirt_cover``, varied by noise: one group of nodes that all materials share.

    Half of a vehicle's materials are soiled, and Blender takes longest to link nodes.
    """
    tree = bpy.data.node_groups.get(_DIRT_GROUP) or _dirt_group()
    offset = np.random.default_rng(dirt.seed).uniform(0, 50, 3)
    return graph.group(
        tree,
        Behind_Front=0.55 - 0.5 * dirt.wheelbase,
        Behind_Rear=0.55 + 0.5 * dirt.wheelbase,
        Tail_Begin=dirt.rear_x + 0.5,
        Tail_End=dirt.rear_x + 0.05,
        Amount=dirt.amount,
        Offset=tuple(offset.tolist()),
    ).outputs["Cover"]


def _dirt_group() -> bpy.types.NodeTree:
    tree = bpy.data.node_groups.new(_DIRT_GROUP, "ShaderNodeTree")
    for name in ("Behind Front", "Behind Rear", "Tail Begin", "Tail End", "Amount"):
        tree.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
    tree.interface.new_socket("Offset", in_out="INPUT", socket_type="NodeSocketVector")
    tree.interface.new_socket("Cover", in_out="OUTPUT", socket_type="NodeSocketFloat")
    graph = Graph(tree)
    given = graph.node("NodeGroupInput").outputs
    place = graph.node("ShaderNodeTexCoord").outputs["Object"]
    split = graph.node("ShaderNodeSeparateXYZ", Vector=place).outputs
    x, z = split["X"], split["Z"]
    low = graph.between(z, 0.95, 0.15)
    low = graph.math("MULTIPLY", low, low)
    spray = graph.between(z, 0.85, 0.25)
    splash: Any = 0.0
    for behind in (given["Behind Front"], given["Behind Rear"]):
        away = graph.math("ABSOLUTE", graph.math("ADD", x, behind))
        splash = graph.math("ADD", splash, graph.between(away, 0.55, 0.1))
    splash = graph.math("MULTIPLY", splash, spray)
    rear = graph.between(x, given["Tail Begin"], given["Tail End"])
    total: Any = 0.16
    for share, weight in ((low, 0.75), (splash, 0.55), (rear, 0.30)):
        total = graph.math("ADD", total, graph.math("MULTIPLY", share, weight))
    drawn_out = graph.vector("MULTIPLY", graph.vector("ADD", place, given["Offset"]), (4, 4, 1.6))
    streaks = graph.between(graph.noise(drawn_out, 1.0, 4.0), 0.25, 0.75)
    uneven = graph.math("ADD", graph.math("MULTIPLY", streaks, 1.0), 0.45)
    total = graph.math("MULTIPLY", graph.math("MULTIPLY", total, uneven), given["Amount"])
    graph.node("NodeGroupOutput", Cover=graph.math("MINIMUM", total, 0.85, clamp=True))
    return tree
