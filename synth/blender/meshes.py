"""Meshes and materials of the project as Blender's data blocks."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from render_assets.materials import Material
from render_assets.mesh import Part, joined_uv
from synth.blender import shaders


def add_object(
    name: str, parts: Sequence[Part], materials: dict[str, Material]
) -> bpy.types.Object:
    """One object of all ``parts``, a material slot for each name; not linked to any scene.

    One object instead of a hundred: Blender's cost of an update grows with their number.
    """
    names = list(dict.fromkeys(p.material for p in parts))
    starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    vertices = np.concatenate([p.vertices for p in parts])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    slots = np.concatenate([np.full(len(p.faces), names.index(p.material)) for p in parts])
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.ravel().astype(np.int32))
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    mesh.polygons.foreach_set("material_index", slots.astype(np.int32))
    for material_name in names:
        mesh.materials.append(shaders.surface(materials[material_name]))
    uv = joined_uv(list(parts))
    if uv is not None:
        mesh.uv_layers.new().data.foreach_set("uv", uv[faces.ravel()].ravel())
    mesh.update()
    mesh.normals_split_custom_set_from_vertices(np.concatenate([p.normals for p in parts]))
    made = bpy.data.objects.new(name, mesh)
    made["materials"] = names
    return made


def dress(thing: bpy.types.Object, materials: dict[str, Material]) -> None:
    """Give an object of ``add_object`` other materials, its mesh left as it is."""
    for name, slot in zip(thing["materials"], thing.material_slots, strict=True):
        slot.link = "OBJECT"
        slot.material = shaders.surface(materials[name])


def hide_but_for_shadows(thing: bpy.types.Object) -> None:
    """Neither camera nor mirrors see the object, nor does light bounce off it."""
    thing.visible_camera = thing.visible_glossy = thing.visible_diffuse = False
    thing.visible_transmission = False


def remove_object(thing: bpy.types.Object) -> None:
    """Remove an object and its mesh from Blender's memory."""
    mesh = thing.data
    bpy.data.objects.remove(thing)
    bpy.data.meshes.remove(mesh)
