"""A process of its own that reads one mesh file with Blender's importers and writes plain arrays.

``python -m synth.blender.read_mesh FILE FOLDER`` leaves ``mesh.npz`` and ``mesh.json`` in FOLDER,
or ``error.txt`` with what is wrong. Nothing in the file is executed: no scripts, no drivers.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from render_assets.imported.raw import RawMaterial

MOST_TRIANGLES = 2_000_000
_MEMORY = 12 * 2**30
"""Bytes of address space; Blender's own libraries take about two."""
_TEXTURE_SIDE = 1024
_NOT_A_NUMBER = re.compile(rb"^\s*(v|vertex)?[ \t\d.eE+-]*[ \t][+-]?(nan|inf)\b", re.M | re.I)
_SOLID = ("MESH", "CURVE", "SURFACE", "FONT", "META")


class Unreadable(Exception):
    """What is wrong with the file, to follow its name."""


def main(path: Path, folder: Path) -> None:
    """Read ``path`` and write what it holds, or what is wrong with it, into ``folder``."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    try:
        _refuse_nan(path)
        _load(path)
        _write(folder)
    except Unreadable as error:
        (folder / "error.txt").write_text(str(error), encoding="utf-8")
    except MemoryError:
        (folder / "error.txt").write_text("needs too much memory", encoding="utf-8")
    except Exception as error:  # importers raise what they like on a broken file
        said = " ".join(str(error).split()).removeprefix("Error: ") or type(error).__name__
        suffix = path.suffix.lower()
        (folder / "error.txt").write_text(
            f"cannot be read as {suffix} ({said[:120]})", encoding="utf-8"
        )


def _refuse_nan(path: Path) -> None:
    """Blender reads what is no number as 0 from the plainer formats: look before it does."""
    suffix = path.suffix.lower()
    if suffix not in (".obj", ".ply", ".stl"):
        return
    data = path.read_bytes()
    count = int.from_bytes(data[80:84], "little")
    if suffix == ".stl" and len(data) == 84 + 50 * count:
        triangle = np.dtype([("corners", "<f4", 12), ("attribute", "<u2")])
        bad = not np.isfinite(np.frombuffer(data, triangle, offset=84)["corners"]).all()
    else:
        bad = _NOT_A_NUMBER.search(data) is not None
    if bad:
        raise Unreadable("holds vertices that are not finite numbers")


def _load(path: Path) -> None:
    name = str(path)
    match path.suffix.lower():
        case ".glb" | ".gltf":
            bpy.ops.import_scene.gltf(filepath=name)
        case ".fbx":
            bpy.ops.import_scene.fbx(filepath=name, use_anim=False)
        case ".obj":
            bpy.ops.wm.obj_import(filepath=name)
        case ".ply":
            bpy.ops.wm.ply_import(filepath=name)
        case ".stl":
            bpy.ops.wm.stl_import(filepath=name)
        case ".dae":
            bpy.ops.wm.collada_import(filepath=name)
        case ".blend":
            _append(name)


def _append(path: str) -> None:
    """The objects of a .blend file, without what would compute anything about them."""
    with bpy.data.libraries.load(path, link=False) as (there, here):
        here.objects = list(there.objects)
    for kind in ("objects", "meshes", "materials", "curves", "shape_keys", "node_groups"):
        for block in getattr(bpy.data, kind):
            block.animation_data_clear()
    for thing in bpy.data.objects:
        if not thing.hide_render:
            bpy.context.scene.collection.objects.link(thing)


def _write(folder: Path) -> None:
    materials = _Materials()
    pieces: list[dict[str, np.ndarray]] = []
    objects: list[str] = []
    total = 0
    graph = bpy.context.evaluated_depsgraph_get()
    for instance in graph.object_instances:
        thing = instance.object
        if thing.type not in _SOLID or not instance.show_self:
            continue
        mesh = thing.to_mesh()
        if mesh is None or not len(mesh.polygons):
            continue
        mesh.calc_loop_triangles()
        total += len(mesh.loop_triangles)
        if total > MOST_TRIANGLES:
            raise Unreadable(
                f"holds more than {MOST_TRIANGLES:,} triangles; reduce it first, as with Blender's "
                "Decimate modifier"
            )
        slots = [materials.index(slot.material) for slot in thing.material_slots]
        pieces.append(
            _arrays(mesh, instance.matrix_world, slots or [materials.index(None)], len(objects))
        )
        objects.append(thing.name)
        thing.to_mesh_clear()
    if not total:
        raise Unreadable("holds no triangles")
    _save(folder, pieces, objects, materials)


def _arrays(mesh: Any, placed: Any, slots: list[int], number: int) -> dict[str, np.ndarray]:
    """One object's triangles in the world, with a vertex for every corner."""
    triangles = np.zeros(3 * len(mesh.loop_triangles), dtype=np.int32)
    mesh.loop_triangles.foreach_get("loops", triangles)
    polygons = np.zeros(len(mesh.loop_triangles), dtype=np.int32)
    mesh.loop_triangles.foreach_get("polygon_index", polygons)
    slot = np.zeros(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("material_index", slot)
    corner_vertex = np.zeros(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corner_vertex)
    points = _attribute(mesh.vertices, "co", 3)
    normals = _attribute(mesh.corner_normals, "vector", 3)
    uv = (
        _attribute(mesh.uv_layers.active.data, "uv", 2)
        if mesh.uv_layers.active is not None
        else np.zeros((len(corner_vertex), 2), dtype=np.float32)
    )
    matrix = np.array(placed, dtype=np.float64)
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    # A degenerate transform has no inverse; its normals do not matter.
    normals = normals @ np.linalg.pinv(matrix[:3, :3])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 1e-12, normals / np.maximum(length, 1e-12), [0.0, 0.0, 1.0])
    faces = triangles.reshape(-1, 3)
    if np.linalg.det(matrix[:3, :3]) < 0:
        faces = faces[:, ::-1]
    found = {
        "vertices": points[corner_vertex].astype(np.float32),
        "normals": normals.astype(np.float32),
        "uv": uv,
        "faces": faces,
        "material": np.array(slots)[np.minimum(slot[polygons], len(slots) - 1)],
        "object": np.full(len(faces), number),
    }
    painted = mesh.color_attributes.active_color
    if painted is not None:
        colours = _attribute(painted.data, "color", 4)[:, :3]
        found["colours"] = colours[corner_vertex] if painted.domain == "POINT" else colours
    return found


def _attribute(items: Any, name: str, width: int) -> np.ndarray:
    values = np.zeros(width * len(items), dtype=np.float32)
    items.foreach_get(name, values)
    return values.reshape(-1, width)


class _Materials:
    """The file's materials and their base colour textures, each once."""

    def __init__(self) -> None:
        self.found: list[RawMaterial] = []
        self.textures: list[np.ndarray] = []
        self._index: dict[str | None, int] = {}
        self._images: dict[str, int] = {}

    def index(self, material: Any) -> int:
        key = None if material is None else material.name
        if key not in self._index:
            self._index[key] = len(self.found)
            self.found.append(self._read(material))
        return self._index[key]

    def _read(self, material: Any) -> RawMaterial:
        grey = (0.8, 0.8, 0.8)
        if material is None:
            return RawMaterial("", grey, 0.0, 0.5, 1.0, (0.0, 0.0, 0.0), None)
        shader = _principled(material)
        if shader is None:
            rgb = _rgb(material.diffuse_color)
            return RawMaterial(material.name, rgb, 0.0, 0.5, 1.0, (0.0, 0.0, 0.0), None)
        base = shader.inputs["Base Color"]
        image = _image_behind(base)
        strength = shader.inputs["Emission Strength"].default_value
        alpha = shader.inputs["Alpha"]
        return RawMaterial(
            material.name,
            _rgb(base.default_value),
            float(np.clip(shader.inputs["Metallic"].default_value, 0, 1)),
            float(np.clip(shader.inputs["Roughness"].default_value, 0, 1)),
            1.0 if alpha.is_linked else float(np.clip(alpha.default_value, 0, 1)),
            _rgb([strength * c for c in shader.inputs["Emission Color"].default_value]),
            None if image is None else self._texture(image),
        )

    def _texture(self, image: Any) -> int | None:
        """The picture's index; None where its file is missing or empty."""
        if image.name in self._images:
            return self._images[image.name]
        width, height = image.size
        if not width or not height or width * height > 64_000_000:
            return None
        shrink = _TEXTURE_SIDE / max(width, height)
        if shrink < 1:
            image.scale(max(1, round(width * shrink)), max(1, round(height * shrink)))
            width, height = image.size
        pixels = np.zeros(width * height * image.channels, dtype=np.float32)
        image.pixels.foreach_get(pixels)
        picture = pixels.reshape(height, width, image.channels)[::-1, :, :3]
        if picture.shape[2] < 3:
            picture = np.repeat(picture[..., :1], 3, axis=2)
        self._images[image.name] = len(self.textures)
        self.textures.append(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8))
        return self._images[image.name]


def _principled(material: Any) -> Any:
    if not material.use_nodes:
        return None
    return next((n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)


def _image_behind(socket: Any) -> Any:
    """The nearest picture that feeds a socket, through mixers and the like."""
    waiting, seen = [socket], set()
    while waiting:
        for link in waiting.pop(0).links:
            node = link.from_node
            if node.type == "TEX_IMAGE" and node.image is not None:
                return node.image
            if node.name not in seen:
                seen.add(node.name)
                waiting += list(node.inputs)
    return None


def _rgb(colour: Any) -> tuple[float, float, float]:
    red, green, blue = (float(np.clip(c, 0, 1)) for c in list(colour)[:3])
    return red, green, blue


def _save(
    folder: Path,
    pieces: list[dict[str, np.ndarray]],
    objects: list[str],
    materials: _Materials,
) -> None:
    starts = np.cumsum([0] + [len(p["vertices"]) for p in pieces[:-1]])
    for piece, start in zip(pieces, starts, strict=True):
        piece["faces"] = (piece["faces"] + start).astype(np.int32)
    names = ["vertices", "normals", "uv", "faces"]
    if any("colours" in p for p in pieces):
        names.append("colours")
        for piece in pieces:
            piece.setdefault("colours", np.ones_like(piece["vertices"]))
    arrays = {name: np.concatenate([p[name] for p in pieces]) for name in names}
    for name in ("material", "object"):
        arrays[name] = np.concatenate([p[name] for p in pieces]).astype(np.int32)
    arrays |= {f"texture_{i}": t for i, t in enumerate(materials.textures)}
    np.savez(folder / "mesh.npz", **arrays)
    described = {
        "materials": [asdict(m) for m in materials.found],
        "objects": objects,
        "textures": len(materials.textures),
    }
    (folder / "mesh.json").write_text(json.dumps(described), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    os._exit(0)  # Blender may hang while it takes itself down
