"""Vehicles as binary glTF 2.0, the format that most 3-D programs read.

The file holds one tree of nodes: ``vehicle``, which turns the vehicle frame (x forward, y left, z
up) into glTF's (z forward, x left, y up); below it a node for each part with the part's name, and
``keypoints`` with an empty node for each of the 36 points. Metres throughout. What glTF has no
words for is in ``extras``: the spec, type, style, colour and identity of the vehicle, the segment
of a part, name, index and position of a keypoint, the flakes of a paint.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

import pamtri
from pamtri.keypoints import KEYPOINTS
from render_assets.materials import Material
from render_assets.mesh import Part
from render_assets.vehicle import Vehicle

_TO_GLTF = (-0.5, -0.5, -0.5, 0.5)
"""Quaternion (x, y, z, w) of the rotation that takes x to z, y to x and z to y."""
_FLOAT, _UINT16, _UINT32 = 5126, 5123, 5125
_VERTICES, _INDICES = 34962, 34963
_JSON, _BIN = 0x4E4F534A, 0x004E4942
_MAGIC = 0x46546C67
"""``glTF`` in little-endian letters."""


def glb_bytes(vehicle: Vehicle) -> bytes:
    """The contents of a .glb file that holds ``vehicle``: the same bytes for the same vehicle."""
    binary = _Binary()
    materials = sorted({part.material for part in vehicle.parts})
    nodes: list[dict[str, Any]] = [
        {"name": "vehicle", "rotation": _TO_GLTF, "extras": _about(vehicle)},
        {"name": "keypoints"},
    ]
    meshes: list[dict[str, Any]] = []
    for name in dict.fromkeys(part.name for part in vehicle.parts):
        nodes.append({"name": name, "mesh": len(meshes)})
        pieces = [part for part in vehicle.parts if part.name == name]
        primitives = [_primitive(p, materials.index(p.material), binary) for p in pieces]
        meshes.append({"name": name, "primitives": primitives})
    nodes[0]["children"] = list(range(1, len(nodes)))
    nodes[1]["children"] = list(range(len(nodes), len(nodes) + len(KEYPOINTS)))
    nodes += [
        {
            "name": f"keypoint_{point['name']}",
            "translation": point["position"],
            "extras": point,
        }
        for point in _keypoints(vehicle)
    ]
    looks = [_material(name, vehicle.materials[name]) for name in materials]
    used = sorted({name for look in looks for name in look.get("extensions", ())})
    tree: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": f"PAMTRI Workbench {pamtri.__version__}"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": looks,
        "accessors": binary.accessors,
        "bufferViews": binary.views,
        "buffers": [{"byteLength": len(binary.data)}],
    }
    if used:
        tree["extensionsUsed"] = used
    return _container(json.dumps(tree, separators=(",", ":")).encode(), bytes(binary.data))


class _Binary:
    """The numbers of the file and what they mean."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: np.ndarray, target: int, bounds: bool = False) -> int:
        """Store float32 (n, 3), or uint16 or uint32 (n,); returns the accessor's index."""
        kinds = {"float32": _FLOAT, "uint16": _UINT16, "uint32": _UINT32}
        accessor: dict[str, Any] = {
            "bufferView": len(self.views),
            "componentType": kinds[values.dtype.name],
            "count": len(values),
            "type": "VEC3" if values.ndim == 2 else "SCALAR",
        }
        if bounds:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        raw = values.astype(values.dtype.newbyteorder("<")).tobytes()
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw), "target": target}
        self.views.append(view)
        self.accessors.append(accessor)
        self.data += raw + bytes(-len(raw) % 4)  # everything starts at a multiple of four
        return len(self.accessors) - 1


def _primitive(part: Part, material: int, binary: _Binary) -> dict[str, Any]:
    narrow = len(part.vertices) < 0xFFFF  # the largest index is reserved
    indices = part.faces.ravel().astype(np.uint16 if narrow else np.uint32)
    primitive: dict[str, Any] = {
        "attributes": {
            "POSITION": binary.add(part.vertices.astype(np.float32), _VERTICES, bounds=True),
            "NORMAL": binary.add(part.normals.astype(np.float32), _VERTICES),
        },
        "indices": binary.add(indices, _INDICES),
        "material": material,
    }
    if part.segment:
        primitive["extras"] = {"segment": part.segment}
    return primitive


def _material(name: str, material: Material) -> dict[str, Any]:
    """Window glass is tinted as Blender's is: what is let through has the base colour's hue."""
    colour, extensions = material.base_colour, {}
    if material.transmission:
        extensions["KHR_materials_transmission"] = {"transmissionFactor": 1.0}
        brightest = max(*material.base_colour, 1e-6)
        colour = tuple(material.transmission * c / brightest for c in colour)  # type: ignore[assignment]
    if material.coat:
        extensions["KHR_materials_clearcoat"] = {
            "clearcoatFactor": material.coat,
            "clearcoatRoughnessFactor": material.coat_roughness,
        }
    blends = material.alpha < 1 and not material.transmission
    made: dict[str, Any] = {
        "name": name,
        "doubleSided": True,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*colour, material.alpha if blends else 1.0],
            "metallicFactor": material.metallic,
            "roughnessFactor": material.roughness,
        },
    }
    if blends:
        made["alphaMode"] = "BLEND"
    if any(material.emission):
        made["emissiveFactor"] = list(material.emission)
    if extensions:
        made["extensions"] = extensions
    if material.flake:
        made["extras"] = {"flake": material.flake}
    return made


def _about(vehicle: Vehicle) -> dict[str, Any]:
    spec = vehicle.spec
    return {
        "type": spec.type,
        "style": spec.style,
        "colour": spec.colour,
        "identity": spec.identity,
        "keypoints": _keypoints(vehicle),
        "spec": spec.model_dump(mode="json"),
    }


def _keypoints(vehicle: Vehicle) -> list[dict[str, Any]]:
    """Name, index and position, metres in the vehicle frame."""
    return [
        {"name": keypoint.name, "index": index, "position": position}
        for index, (keypoint, position) in enumerate(
            zip(KEYPOINTS, vehicle.keypoints.tolist(), strict=True)
        )
    ]


def _container(tree: bytes, binary: bytes) -> bytes:
    """The two chunks behind the file's header, each of a multiple of four bytes."""
    tree += b" " * (-len(tree) % 4)
    chunks = struct.pack("<II", len(tree), _JSON) + tree
    chunks += struct.pack("<II", len(binary), _BIN) + binary
    return struct.pack("<III", _MAGIC, 2, 12 + len(chunks)) + chunks
