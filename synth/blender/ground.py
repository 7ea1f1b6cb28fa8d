"""The plane that vehicles stand on: asphalt, concrete or one flat colour, by procedural texture."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from synth.blender.graph import Graph
from synth.blender.shaders import rgba
from synth.blender.weather import GroundWeather, Surface
from synth.scene import GroundSpec, WeatherSpec

_EXTENT = 600.0
_LANE = 3.5
"""Metres between lane lines."""


class Ground:
    """The ground of a scene; made once and set anew for every image."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._mesh = bpy.data.meshes.new("ground")
        corners = [(x * _EXTENT, y * _EXTENT, 0.0) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        self._mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
        # Water and snow cost time at every ray that meets the ground: a dry day does without.
        self._dry, self._weathered = _GroundShader(False), _GroundShader(True)
        self._mesh.materials.append(self._dry.material)
        scene.collection.objects.link(bpy.data.objects.new("ground", self._mesh))

    def set(self, spec: GroundSpec, weather: WeatherSpec) -> None:
        """Make the ground that of ``spec`` under ``weather``."""
        lies = weather.wetness or weather.puddles or weather.snow
        shader = self._weathered if lies else self._dry
        shader.set(spec, weather)
        self._mesh.materials[0] = shader.material


class _GroundShader:
    """The ground's material, with what weather lays on it or without."""

    def __init__(self, weathered: bool) -> None:
        self.material = bpy.data.materials.new("ground")
        self.material.use_fake_user = True  # it outlives the scenes that do without
        self.material.use_nodes = True
        self.material.node_tree.nodes.clear()
        graph = Graph(self.material.node_tree)
        self._weather = GroundWeather(graph) if weathered else None
        self._build(graph)

    def _build(self, graph: Graph) -> None:
        position = graph.node("ShaderNodeNewGeometry").outputs["Position"]
        self._shift = graph.node("ShaderNodeCombineXYZ")
        place = graph.vector("ADD", position, self._shift.outputs["Vector"])
        self._colour = graph.node("ShaderNodeRGB")
        self._roughness, self._texture, self._cracks = (graph.value() for _ in range(3))
        self._joints, self._markings = graph.value(), graph.value()
        blotches = graph.noise(place, 0.35, 4.0)
        grain = graph.noise(place, 28.0, 3.0)
        tone = graph.math(
            "MULTIPLY", _about_one(graph, blotches, 1.3), _about_one(graph, grain, 1.5)
        )
        tone = graph.math("MULTIPLY", tone, self._repairs(graph, place))
        lines = graph.math(
            "MAXIMUM", self._crack_lines(graph, place), self._joint_lines(graph, place)
        )
        tone = graph.math("MULTIPLY", tone, graph.math("SUBTRACT", 1.0, lines))
        tone = _faded(graph, tone, self._texture.outputs[0])
        base = graph.vector("MULTIPLY", self._colour.outputs["Color"], tone)
        painted = graph.math(
            "MULTIPLY", self._lane_lines(graph, position), graph.between(grain, 0.3, 0.5)
        )
        painted = graph.math("MULTIPLY", painted, self._markings.outputs[0])
        colour = graph.mix(painted, base, (0.55, 0.55, 0.52, 1.0))
        varied = _faded(graph, _about_one(graph, blotches, 1.2), self._texture.outputs[0])
        rough = graph.math("MULTIPLY", self._roughness.outputs[0], varied, clamp=True)
        # Rough stone mirrors less at a flat angle than the model of one smooth facet does.
        shine = graph.math(
            "SUBTRACT", 0.55, graph.math("MULTIPLY", self._roughness.outputs[0], 0.5)
        )
        seen = Surface(colour, rough, shine)
        if self._weather is not None:
            seen = self._weather.cover(seen, position)
        shader = graph.node(
            "ShaderNodeBsdfPrincipled",
            Base_Color=seen.colour,
            Roughness=seen.roughness,
            Specular_IOR_Level=seen.shine,
        )
        if seen.normal is not None:
            graph.feed(shader.inputs["Normal"], seen.normal)
        graph.node("ShaderNodeOutputMaterial", Surface=shader.outputs["BSDF"])

    def _repairs(self, graph: Graph, place: Any) -> Any:
        """Where the surface was mended it is darker, in patches of a few metres."""
        cells = graph.node("ShaderNodeTexVoronoi", Vector=place, Scale=0.22)
        cells.distance = "CHEBYCHEV"
        chosen = graph.math("GREATER_THAN", cells.outputs["Color"], 0.72)
        depth = graph.math("MULTIPLY", chosen, self._cracks.outputs[0])
        return graph.math("SUBTRACT", 1.0, graph.math("MULTIPLY", depth, 0.3))

    def _crack_lines(self, graph: Graph, place: Any) -> Any:
        """Thin wandering lines, in some regions only."""
        wander = graph.node("ShaderNodeTexNoise", Vector=place, Scale=1.3, Detail=3.0)
        offset = graph.vector("MULTIPLY", wander.outputs["Color"], (1.2, 1.2, 0.0))
        cells = graph.node(
            "ShaderNodeTexVoronoi", Vector=graph.vector("ADD", place, offset), Scale=0.4
        )
        cells.feature = "DISTANCE_TO_EDGE"
        line = graph.between(cells.outputs["Distance"], 0.012, 0.004)
        region = graph.between(graph.noise(place, 0.15, 2.0), 0.48, 0.58)
        amount = graph.math("MULTIPLY", self._cracks.outputs[0], 0.6)
        return graph.math("MULTIPLY", graph.math("MULTIPLY", line, region), amount)

    def _joint_lines(self, graph: Graph, place: Any) -> Any:
        """Joints between slabs of four metres."""
        axes = graph.node("ShaderNodeSeparateXYZ", Vector=place)
        gaps = [
            graph.math("ABSOLUTE", graph.math("SUBTRACT", graph.math("FRACT", along), 0.5))
            for along in (
                graph.math("DIVIDE", axes.outputs["X"], 4.0),
                graph.math("DIVIDE", axes.outputs["Y"], 4.0),
            )
        ]
        line = graph.between(graph.math("MAXIMUM", *gaps), 0.4965, 0.4985)
        amount = graph.math("MULTIPLY", self._joints.outputs[0], 0.65)
        return graph.math("MULTIPLY", line, amount)

    def _lane_lines(self, graph: Graph, position: Any) -> Any:
        """Along the vehicle: a solid line on its right, dashes on its left."""
        axes = graph.node("ShaderNodeSeparateXYZ", Vector=position)
        across = axes.outputs["Y"]
        off = [
            graph.math("ABSOLUTE", graph.math("SUBTRACT", across, y))
            for y in (-_LANE / 2 - 0.1, _LANE / 2 + 0.1)
        ]
        solid, dashed = (graph.math("LESS_THAN", distance, 0.06) for distance in off)
        beat = graph.math("FRACT", graph.math("DIVIDE", axes.outputs["X"], 9.0))
        dashes = graph.math("MULTIPLY", dashed, graph.math("LESS_THAN", beat, 0.4))
        return graph.math("MAXIMUM", solid, dashes)

    def set(self, spec: GroundSpec, weather: WeatherSpec) -> None:
        """Make the ground that of ``spec`` under ``weather``."""
        if self._weather is not None:
            self._weather.set(weather)
        shift = np.random.default_rng([spec.seed, 6]).uniform(-500, 500, 2)
        self._shift.inputs["X"].default_value = float(shift[0])
        self._shift.inputs["Y"].default_value = float(shift[1])
        self._colour.outputs["Color"].default_value = rgba(spec.colour)
        for node, value in (
            (self._roughness, spec.roughness),
            (self._texture, float(spec.kind != "flat")),
            (self._cracks, float(spec.kind == "asphalt")),
            (self._joints, float(spec.kind == "concrete")),
            (self._markings, float(spec.markings)),
        ):
            node.outputs[0].default_value = value


def _about_one(graph: Graph, noise: Any, contrast: float) -> Any:
    """Noise about 0.5 to a factor about 1."""
    centred = graph.math("MULTIPLY", graph.math("SUBTRACT", noise, 0.5), contrast)
    return graph.math("ADD", centred, 1.0)


def _faded(graph: Graph, factor: Any, amount: Any) -> Any:
    """``factor`` where ``amount`` is 1, and 1 where it is 0."""
    change = graph.math("MULTIPLY", graph.math("SUBTRACT", factor, 1.0), amount)
    return graph.math("ADD", change, 1.0)
