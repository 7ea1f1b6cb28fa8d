"""A short way to write arithmetic as Blender shader nodes."""

from __future__ import annotations

from typing import Any

import bpy


class Graph:
    """Adds nodes to a tree. Inputs may be numbers, vectors or other nodes' outputs."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self._tree = tree

    def node(self, kind: str, **inputs: Any) -> Any:
        """A node of type ``kind`` with its inputs set or linked; underscores stand for spaces."""
        made = self._tree.nodes.new(kind)
        for name, value in inputs.items():
            self.feed(made.inputs[name.replace("_", " ")], value)
        return made

    def group(self, tree: bpy.types.NodeTree, **inputs: Any) -> Any:
        """A node that stands for all of ``tree``; inputs as for ``node``."""
        made = self._tree.nodes.new("ShaderNodeGroup")
        made.node_tree = tree
        for name, value in inputs.items():
            self.feed(made.inputs[name.replace("_", " ")], value)
        return made

    def feed(self, socket: Any, value: Any) -> None:
        """Link or set one input."""
        if isinstance(value, bpy.types.NodeSocket):
            self._tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, a: Any, b: Any = 0.0, clamp: bool = False) -> Any:
        """Scalar arithmetic such as ``ADD``; ``clamp`` keeps the result in 0..1."""
        made = self._tree.nodes.new("ShaderNodeMath")
        made.operation, made.use_clamp = operation, clamp
        self.feed(made.inputs[0], a)
        self.feed(made.inputs[1], b)
        return made.outputs["Value"]

    def vector(self, operation: str, a: Any, b: Any = (0.0, 0.0, 0.0)) -> Any:
        """Vector arithmetic such as ``MULTIPLY``, component by component."""
        made = self._tree.nodes.new("ShaderNodeVectorMath")
        made.operation = operation
        self.feed(made.inputs[0], a)
        self.feed(made.inputs[1], b)
        return made.outputs["Vector"]

    def value(self) -> Any:
        """A number to be set later through ``.outputs[0].default_value``."""
        return self._tree.nodes.new("ShaderNodeValue")

    def noise(self, place: Any, scale: float, detail: float) -> Any:
        """Smooth noise about 0.5, ``scale`` bumps a metre."""
        made = self.node("ShaderNodeTexNoise", Vector=place, Scale=scale, Detail=detail)
        return made.outputs["Fac"]

    def between(self, x: Any, low: Any, high: Any) -> Any:
        """0 below ``low``, 1 above ``high``, straight between."""
        made = self.node("ShaderNodeMapRange", Value=x, From_Min=low, From_Max=high)
        return made.outputs["Result"]

    def mix(self, share: Any, a: Any, b: Any) -> Any:
        """Colour ``a``, or ``b`` where ``share`` is 1."""
        made = self._tree.nodes.new("ShaderNodeMix")
        made.data_type = "RGBA"
        self.feed(made.inputs["Factor"], share)
        colours = [socket for socket in made.inputs if socket.type == "RGBA"]
        self.feed(colours[0], a)
        self.feed(colours[1], b)
        return next(socket for socket in made.outputs if socket.type == "RGBA")
