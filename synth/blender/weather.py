"""Weather on the ground as shader nodes: a film of water, puddles, snow with tyre tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from render_assets.materials import SNOW
from synth.blender.graph import Graph
from synth.scene import WeatherSpec

_DARKENING = 0.55
"""How much less light wet stone reflects (Lekner and Dorf, "Why some things are darker when wet",
Applied Optics 27, 1988)."""
_FILM = 0.30
"""Roughness of wet asphalt."""
_TRACK_M = 0.75
"""Half the distance between the tracks of a vehicle's wheels."""
_LANE_M = 3.6


@dataclass
class Surface:
    """What the ground's shader is fed with: nodes' outputs or numbers."""

    colour: Any
    roughness: Any
    shine: Any
    normal: Any = None


class GroundWeather:
    """Water and snow over a ground's own surface; made once and set anew for every image."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._wet, self._level, self._rain, self._snow = (graph.value() for _ in range(4))
        self._shift = graph.node("ShaderNodeCombineXYZ")

    def cover(self, under: Surface, position: Any) -> Surface:
        """The surface with the weather on it, at world ``position``."""
        place = self._graph.vector("ADD", position, self._shift.outputs["Vector"])
        return self._snowed(self._wetted(under, place), position, place)

    def set(self, weather: WeatherSpec) -> None:
        """Make the weather that of ``weather``."""
        shift = np.random.default_rng([weather.seed, 10]).uniform(-500, 500, 2)
        self._shift.inputs["X"].default_value = float(shift[0])
        self._shift.inputs["Y"].default_value = float(shift[1])
        # Smooth noise is about normal, mean 0.5, spread 0.11: the level floods the asked share.
        level = 0.5 + 0.11 * float(ndtri(np.clip(weather.puddles, 1e-3, 1 - 1e-3)))
        for node, value in (
            (self._wet, weather.wetness),
            (self._level, level if weather.puddles else -1.0),
            (self._rain, min(weather.rain_mm_h / 15, 1.0)),
            (self._snow, weather.snow),
        ):
            node.outputs[0].default_value = float(value)

    def _wetted(self, under: Surface, place: Any) -> Surface:
        graph, wet = self._graph, self._wet.outputs[0]
        level = self._level.outputs[0]
        depth = graph.math("SUBTRACT", level, graph.noise(place, 0.45, 3.0))
        pool = graph.between(depth, -0.012, 0.012)
        patchy = graph.between(graph.noise(place, 0.8, 3.0), 0.25, 0.6)
        film = graph.math("MULTIPLY", wet, graph.math("ADD", 0.55, _times(graph, patchy, 0.45)))
        water = graph.math("MAXIMUM", film, pool)
        darker = graph.math("SUBTRACT", 1.0, _times(graph, water, _DARKENING))
        rough = _lerp(graph, under.roughness, _FILM, film)
        return Surface(
            colour=graph.vector("MULTIPLY", under.colour, darker),
            roughness=_lerp(graph, rough, 0.02, pool),
            shine=_lerp(graph, under.shine, 0.45, water),
            normal=self._ripples(place, pool),
        )

    def _ripples(self, place: Any, pool: Any) -> Any:
        """Rain roughens puddles, and grain the film between them."""
        graph = self._graph
        waves = graph.node("ShaderNodeTexNoise", Vector=place, Scale=26.0, Detail=1.0)
        grain = graph.node("ShaderNodeTexNoise", Vector=place, Scale=90.0, Detail=2.0)
        on_pool = _times(graph, graph.math("MULTIPLY", pool, self._rain.outputs[0]), 0.04)
        dry = graph.math("SUBTRACT", 1.0, pool)
        on_film = _times(graph, graph.math("MULTIPLY", dry, self._wet.outputs[0]), 0.14)
        lean = graph.vector("ADD", _lean(graph, waves, on_pool), _lean(graph, grain, on_film))
        normal = graph.node("ShaderNodeNewGeometry").outputs["Normal"]
        return graph.vector("NORMALIZE", graph.vector("ADD", normal, lean))

    def _snowed(self, under: Surface, position: Any, place: Any) -> Surface:
        """Patches that close as the snow gets more; wheels have worn tracks into it."""
        graph, snow = self._graph, self._snow.outputs[0]
        axes = graph.node("ShaderNodeSeparateXYZ", Vector=position)
        wander = graph.math("SUBTRACT", graph.noise(place, 0.12, 2.0), 0.5)
        across = graph.math("ADD", axes.outputs["Y"], _times(graph, wander, 0.9))
        lane = graph.math("PINGPONG", across, _LANE_M / 2)
        off = graph.math("ABSOLUTE", graph.math("SUBTRACT", lane, _TRACK_M))
        track = graph.between(off, 0.32, 0.12)
        uneven = graph.noise(place, 1.1, 6.0)
        worn = graph.math("SUBTRACT", snow, _times(graph, track, 0.42))
        depth = graph.math("SUBTRACT", worn, _times(graph, uneven, 0.9))
        cover = graph.math("MULTIPLY", graph.between(depth, -0.10, 0.10), _stepped(graph, snow))
        slush = graph.mix(_times(graph, track, 0.65), (*SNOW, 1.0), (0.24, 0.23, 0.22, 1.0))
        tone = graph.math("ADD", 0.75, _times(graph, uneven, 0.45))
        return Surface(
            colour=graph.mix(cover, under.colour, graph.vector("MULTIPLY", slush, tone)),
            roughness=_lerp(graph, under.roughness, 0.85, cover),
            shine=_lerp(graph, under.shine, 0.25, cover),
            normal=under.normal,
        )


def _lean(graph: Graph, texture: Any, amount: Any) -> Any:
    """A random tilt from a noise texture's colour."""
    centred = graph.vector("SUBTRACT", texture.outputs["Color"], (0.5, 0.5, 0.5))
    level = graph.vector("MULTIPLY", centred, (2.0, 2.0, 0.0))
    return graph.vector("MULTIPLY", level, amount)


def _times(graph: Graph, value: Any, factor: float) -> Any:
    return graph.math("MULTIPLY", value, factor)


def _lerp(graph: Graph, a: Any, b: float, share: Any) -> Any:
    """``a``, or ``b`` where ``share`` is 1."""
    return graph.math("ADD", a, graph.math("MULTIPLY", graph.math("SUBTRACT", b, a), share))


def _stepped(graph: Graph, value: Any) -> Any:
    """1 as soon as ``value`` is above 0."""
    return graph.math("GREATER_THAN", value, 0.0)
