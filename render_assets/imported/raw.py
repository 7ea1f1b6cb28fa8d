"""A mesh as its file has it: arrays and plain materials, nothing known of the vehicle yet."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pamtri.errors import DataError
from render_assets.materials import Rgb


@dataclass(frozen=True)
class RawMaterial:
    """What a file says of a surface; colours linear RGB, ``texture`` an index into the textures."""

    name: str
    rgb: Rgb
    metallic: float
    roughness: float
    alpha: float
    emission: Rgb
    texture: int | None


@dataclass(frozen=True, eq=False)
class RawMesh:
    """Triangles in the file's axes and units as Blender reads them, z up where the file says so.

    ``vertices`` and ``normals`` (n, 3) float32, ``uv`` (n, 2) float32 with v upward, ``colours``
    (n, 3) float32 linear or None; ``faces`` (m, 3) int32; ``material`` and ``object`` (m,) int32
    index ``materials`` and ``objects``. ``textures`` are (h, w, 3) uint8 sRGB, row 0 at the top.
    """

    vertices: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    colours: np.ndarray | None
    faces: np.ndarray
    material: np.ndarray
    object: np.ndarray
    materials: tuple[RawMaterial, ...]
    objects: tuple[str, ...]
    textures: tuple[np.ndarray, ...] = ()

    def subset(self, keep: np.ndarray) -> RawMesh:
        """The faces where ``keep`` (m,) is True, and the vertices that they use."""
        used, faces = np.unique(self.faces[keep], return_inverse=True)
        return replace(
            self,
            vertices=self.vertices[used],
            normals=self.normals[used],
            uv=self.uv[used],
            colours=None if self.colours is None else self.colours[used],
            faces=faces.reshape(-1, 3).astype(np.int32),
            material=self.material[keep],
            object=self.object[keep],
        )

    def divided(self, chosen: np.ndarray) -> RawMesh:
        """The faces where ``chosen`` (m,) is True cut into four at their edges' middles."""
        old = self.faces[chosen]
        ends = np.concatenate([old[:, [0, 1]], old[:, [1, 2]], old[:, [2, 0]]])
        ends, index = np.unique(np.sort(ends, axis=1), axis=0, return_inverse=True)
        a, b, c = old.T
        ab, bc, ca = index.reshape(3, -1).astype(np.int32) + np.int32(len(self.vertices))
        new = np.concatenate(
            [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
        rest = np.flatnonzero(~chosen)
        order = np.concatenate([rest, np.tile(np.flatnonzero(chosen), 4)])

        def extended(values: np.ndarray) -> np.ndarray:
            return np.concatenate([values, values[ends].mean(axis=1).astype(values.dtype)])

        return replace(
            self,
            vertices=extended(self.vertices),
            normals=extended(self.normals),
            uv=extended(self.uv),
            colours=None if self.colours is None else extended(self.colours),
            faces=np.concatenate([self.faces[rest], new]),
            material=self.material[order],
            object=self.object[order],
        )

    def transformed(self, linear: np.ndarray, offset: np.ndarray) -> RawMesh:
        """Vertices ``linear @ v + offset``; ``linear`` (3, 3) is a rotation, or a reflection, times
        a scale. Faces keep looking outward."""
        vertices = self.vertices.astype(np.float64) @ linear.T + offset
        scale = abs(np.linalg.det(linear)) ** (1 / 3)
        normals = self.normals @ (linear / scale).T
        faces = self.faces if np.linalg.det(linear) > 0 else self.faces[:, ::-1]
        return replace(
            self,
            vertices=vertices.astype(np.float32),
            normals=normals.astype(np.float32),
            faces=np.ascontiguousarray(faces),
        )


def joined(meshes: list[RawMesh]) -> RawMesh:
    """Several meshes as one; each keeps its own materials and textures."""
    first = meshes[0]
    vertices = materials = objects = textures = 0
    faces, material, thing, surfaces = [], [], [], []
    for mesh in meshes:
        faces.append(mesh.faces + np.int32(vertices))
        material.append(mesh.material + np.int32(materials))
        thing.append(mesh.object + np.int32(objects))
        surfaces += [
            replace(m, texture=None if m.texture is None else m.texture + textures)
            for m in mesh.materials
        ]
        vertices += len(mesh.vertices)
        materials += len(mesh.materials)
        objects += len(mesh.objects)
        textures += len(mesh.textures)
    coloured = any(m.colours is not None for m in meshes)
    return replace(
        first,
        vertices=np.concatenate([m.vertices for m in meshes]),
        normals=np.concatenate([m.normals for m in meshes]),
        uv=np.concatenate([m.uv for m in meshes]),
        colours=np.concatenate([_colours(m) for m in meshes]) if coloured else None,
        faces=np.concatenate(faces),
        material=np.concatenate(material),
        object=np.concatenate(thing),
        materials=tuple(surfaces),
        objects=tuple(name for m in meshes for name in m.objects),
        textures=tuple(t for m in meshes for t in m.textures),
    )


def copies(mesh: RawMesh, placed: list[tuple[np.ndarray, np.ndarray]]) -> RawMesh:
    """The mesh once for each (linear (3, 3), offset (3,)); all share its materials."""
    made = [mesh.transformed(linear, offset) for linear, offset in placed]
    starts = np.arange(len(made)) * len(mesh.vertices)
    return replace(
        joined(made),
        material=np.tile(mesh.material, len(made)),
        materials=mesh.materials,
        textures=mesh.textures,
        faces=np.concatenate([m.faces + np.int32(s) for m, s in zip(made, starts, strict=True)]),
    )


def _colours(mesh: RawMesh) -> np.ndarray:
    return np.ones_like(mesh.vertices) if mesh.colours is None else mesh.colours


def load_raw(folder: Path, source: str) -> RawMesh:
    """What the reading process left in ``folder``; ``source`` names the file in errors.

    Raises DataError for numbers that are not finite.
    """
    described = json.loads((folder / "mesh.json").read_text(encoding="utf-8"))
    with np.load(folder / "mesh.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if not np.isfinite(arrays["vertices"]).all():
        raise DataError(f"{source}: holds vertices that are not finite numbers")
    materials = tuple(
        RawMaterial(
            **{**m, "rgb": tuple(m["rgb"]), "emission": tuple(m["emission"])},
        )
        for m in described["materials"]
    )
    textures = tuple(arrays[f"texture_{i}"] for i in range(described["textures"]))
    return RawMesh(
        vertices=arrays["vertices"],
        normals=arrays["normals"],
        uv=arrays["uv"],
        colours=arrays.get("colours"),
        faces=arrays["faces"],
        material=arrays["material"],
        object=arrays["object"],
        materials=materials,
        objects=tuple(described["objects"]),
        textures=textures,
    )
