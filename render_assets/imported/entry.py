"""One vehicle of a catalogue: a folder with an editable ``asset.json`` and a ``mesh.npz``.

The mesh is in its file's own axes and units; ``transform`` takes it to the vehicle frame, in which
the keypoints are given.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from zipfile import BadZipFile

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pamtri.attributes import Colour, VehicleType
from pamtri.config import explain_error
from pamtri.errors import DataError
from pamtri.keypoints import NAMES
from render_assets.imported.raw import RawMaterial, RawMesh
from render_assets.imported.roles import Role
from render_assets.materials import Rgb
from render_assets.mesh import unit
from render_assets.spec import Fraction

JSON_FILE, MESH_FILE, OVERLAY_FILE = "asset.json", "mesh.npz", "overlay.png"
Point = tuple[float, float, float]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Transform(_Model):
    """Vehicle frame = ``scale`` * ``rotation`` @ file + ``offset``, metres."""

    rotation: tuple[Point, Point, Point]
    """Forward, left and up in the file's axes."""
    scale: Annotated[float, Field(gt=0)]
    offset: Point


class Surfacing(_Model):
    """What one group of faces is, and what the file says of it (linear RGB, 0..1)."""

    role: Role
    rgb: tuple[Fraction, Fraction, Fraction]
    metallic: Fraction
    roughness: Fraction
    alpha: Fraction
    emission: Rgb
    texture: Annotated[int, Field(ge=0)] | None = None


class Asset(_Model):
    """What ``asset.json`` holds; every value may be edited."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(min_length=1)]
    source: str
    """The file it was imported from, or where that came from."""
    licence: str | None = None
    type: VehicleType
    style: str
    colour: Colour
    """Of the vehicle as the file has it; without a group that is ``paint``, the only one."""
    symmetric: bool
    transform: Transform
    materials: dict[str, Surfacing]
    keypoints: dict[str, Point]

    @property
    def paintable(self) -> bool:
        """Whether some group takes any colour."""
        return any(m.role == "paint" for m in self.materials.values())

    @model_validator(mode="after")
    def _all_keypoints(self) -> Asset:
        missing = [n for n in NAMES if n not in self.keypoints]
        unknown = [n for n in self.keypoints if n not in NAMES]
        if missing or unknown:
            what = f"no '{missing[0]}'" if missing else f"unknown '{unknown[0]}'"
            raise ValueError(f"keypoints: expected the {len(NAMES)} names, got {what}")
        return self

    def keypoint_array(self) -> np.ndarray:
        """(36, 3) float64 metres in PAMTRI's order."""
        return np.array([self.keypoints[name] for name in NAMES], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Entry:
    """An entry of a catalogue as it was read."""

    folder: Path
    asset: Asset
    mesh: RawMesh
    digest: str
    """Of both files."""

    def placed_mesh(self) -> RawMesh:
        """The mesh in the vehicle frame, metres."""
        place = self.asset.transform
        rotation = np.array(place.rotation)
        return self.mesh.transformed(place.scale * rotation, np.array(place.offset))


def save_entry(folder: Path, asset: Asset, mesh: RawMesh) -> None:
    """Write an entry. Raises DataError when the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_asset(folder, asset)
        arrays = {
            "vertices": mesh.vertices.astype(np.float32),
            "normals": unit(mesh.normals).astype(np.float16),
            "uv": mesh.uv.astype(np.float32),
            "faces": mesh.faces.astype(np.int32),
            "material": mesh.material.astype(np.int16),
            **{f"texture_{i}": t for i, t in enumerate(mesh.textures)},
        }
        np.savez_compressed(folder / MESH_FILE, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror}") from None


def save_asset(folder: Path, asset: Asset) -> None:
    """Write ``asset.json`` alone."""
    text = asset.model_dump_json(indent=2, exclude_none=True)
    (folder / JSON_FILE).write_text(text + "\n", encoding="utf-8")


def load_entry(folder: Path) -> Entry:
    """The entry in ``folder``; kept until one of its files changes.

    Raises DataError, naming the file and the key, for what is missing or damaged.
    """
    stamps = []
    for name in (JSON_FILE, MESH_FILE):
        path = folder / name
        if not path.is_file():
            raise DataError(f"{folder}: is no imported vehicle: {name} is missing")
        status = path.stat()
        stamps.append((status.st_mtime_ns, status.st_size))
    return _load(os.fspath(folder), tuple(stamps))


@lru_cache(maxsize=64)
def _load(name: str, stamps: tuple[tuple[int, int], ...]) -> Entry:
    folder = Path(name)
    text, data = ((folder / n).read_bytes() for n in (JSON_FILE, MESH_FILE))
    try:
        asset = Asset.model_validate_json(text)
    except ValidationError as error:
        told = explain_error(error.errors()[0], Asset)
        raise DataError(f"{folder / JSON_FILE}: {told}") from None
    digest = hashlib.sha256(hashlib.sha256(text).digest() + hashlib.sha256(data).digest())
    return Entry(folder, asset, _read_mesh(folder / MESH_FILE, asset), digest.hexdigest())


def _read_mesh(path: Path, asset: Asset) -> RawMesh:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        vertices, faces, material = (arrays[k] for k in ("vertices", "faces", "material"))
        textures = tuple(arrays[f"texture_{i}"] for i in range(_count(arrays)))
        uv, normals = arrays["uv"], arrays["normals"].astype(np.float32)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        raise DataError(f"{path}: is damaged; import the vehicle again") from None
    if not len(faces) or faces.max() >= len(vertices) or material.max() >= len(asset.materials):
        raise DataError(f"{path}: does not fit {JSON_FILE}; import the vehicle again")
    surfaces = tuple(
        RawMaterial(n, m.rgb, m.metallic, m.roughness, m.alpha, m.emission, m.texture)
        for n, m in asset.materials.items()
    )
    if any(m.texture is not None and m.texture >= len(textures) for m in surfaces):
        raise DataError(f"{path}: has only {len(textures)} textures; import the vehicle again")
    return RawMesh(
        vertices, normals, uv, None, faces, material.astype(np.int32),
        np.zeros(len(faces), np.int32), surfaces, (asset.name,), textures,
    )  # fmt: skip


def _count(arrays: dict[str, np.ndarray]) -> int:
    return sum(key.startswith("texture_") for key in arrays)
