"""What a .glb file holds, read back by trimesh and, where that looks away, by hand."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from pamtri.keypoints import NAMES
from render_assets.glb import glb_bytes
from render_assets.materials import Material
from render_assets.mesh import grid_faces, part
from render_assets.spec import VehicleSpec, sample_vehicle
from render_assets.vehicle import Vehicle, build_vehicle

VEHICLE = build_vehicle(sample_vehicle(0, 3, styles={"coupe": 1.0}, colours={"red": 1.0}))
TO_GLTF = [1, 2, 0]
"""glTF's x, y and z are the vehicle's y (left), z (up) and x (forward)."""


def split(data: bytes) -> tuple[dict, bytes]:
    """The JSON and the numbers of a file, by the specification of the container."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and size % 4 == 0
    start = 20 + size
    binary_size, binary_kind = struct.unpack_from("<I4s", data, start)
    assert binary_kind == b"BIN\0" and binary_size % 4 == 0
    assert start + 8 + binary_size == len(data)
    return json.loads(data[20:start]), data[start + 8 :]


def read_accessor(tree: dict, binary: bytes, index: int) -> np.ndarray:
    accessor = tree["accessors"][index]
    view = tree["bufferViews"][accessor["bufferView"]]
    kind = {5126: "<f4", 5123: "<u2", 5125: "<u4"}[accessor["componentType"]]
    width = {"SCALAR": 1, "VEC3": 3}[accessor["type"]]
    count = accessor["count"] * width
    assert view["byteOffset"] % 4 == 0
    assert view["byteLength"] == count * np.dtype(kind).itemsize
    assert view["byteOffset"] + view["byteLength"] <= tree["buffers"][0]["byteLength"]
    values = np.frombuffer(binary, kind, count, view["byteOffset"])
    return values.reshape(-1, 3) if width == 3 else values


def in_order(parts) -> list:
    """Pieces of one name follow each other in the file."""
    names = list(dict.fromkeys(p.name for p in parts))
    return sorted(parts, key=lambda p: names.index(p.name))


def by_piece(scene: trimesh.Scene) -> list[tuple[np.ndarray, trimesh.Trimesh]]:
    """Placement and mesh of every primitive, in the file's order."""
    nodes = scene.graph.geometry_nodes
    return [(scene.graph[nodes[name][0]][0], mesh) for name, mesh in scene.geometry.items()]


@pytest.fixture(scope="module")
def data() -> bytes:
    return glb_bytes(VEHICLE)


@pytest.fixture(scope="module")
def scene(data) -> trimesh.Scene:
    return trimesh.load_scene(io.BytesIO(data), file_type="glb", process=False)


def test_every_part_comes_back_under_its_name_with_its_vertices_and_faces(scene):
    assert set(scene.graph.nodes) >= {p.name for p in VEHICLE.parts}
    read = by_piece(scene)
    assert len(read) == len(VEHICLE.parts)
    nodes = scene.graph.geometry_nodes
    for built, geometry in zip(in_order(VEHICLE.parts), scene.geometry, strict=True):
        # the reader counts up the names of pieces that share one
        assert geometry.rstrip("_0123456789").startswith(built.name.rstrip("_0123456789"))
        assert len(nodes[geometry]) == 1
    for built, (transform, mesh) in zip(in_order(VEHICLE.parts), read, strict=True):
        np.testing.assert_array_equal(mesh.vertices, built.vertices)
        np.testing.assert_array_equal(mesh.faces, built.faces)
        placed = trimesh.transform_points(mesh.vertices, transform)
        np.testing.assert_allclose(placed, built.vertices[:, TO_GLTF], atol=1e-6)
        np.testing.assert_allclose(mesh.vertex_normals, built.normals, atol=1e-6)
        assert mesh.visual.material.name == built.material


def test_the_front_looks_along_z_with_y_up(scene):
    low, high = scene.bounds
    shape = VEHICLE.spec.shape
    assert high[2] == pytest.approx(shape.front_x, abs=0.05)
    assert low[1] == pytest.approx(0, abs=0.02) and high[1] == pytest.approx(shape.height, abs=0.1)
    assert scene.graph["left_front_tyre"][0][:3, :3] @ [0, 1, 0] == pytest.approx([1, 0, 0])


def test_numbers_are_aligned_bounded_and_inside_the_buffer(data):
    tree, binary = split(data)
    assert tree["asset"]["version"] == "2.0"
    primitives = [p for mesh in tree["meshes"] for p in mesh["primitives"]]
    for primitive, built in zip(primitives, in_order(VEHICLE.parts), strict=True):
        assert primitive.get("extras", {}).get("segment") == built.segment
        index = primitive["attributes"]["POSITION"]
        positions = read_accessor(tree, binary, index)
        np.testing.assert_array_equal(positions, built.vertices)
        assert tree["accessors"][index]["min"] == positions.min(axis=0).tolist()
        assert tree["accessors"][index]["max"] == positions.max(axis=0).tolist()
        normals = read_accessor(tree, binary, primitive["attributes"]["NORMAL"])
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
        faces = read_accessor(tree, binary, primitive["indices"])
        np.testing.assert_array_equal(faces.reshape(-1, 3), built.faces)


def test_keypoints_are_empty_nodes_that_say_which_they_are(data, scene):
    tree, _ = split(data)
    holder = next(n for n in tree["nodes"] if n["name"] == "keypoints")
    points = [tree["nodes"][i] for i in holder["children"]]
    assert [p["name"] for p in points] == [f"keypoint_{name}" for name in NAMES]
    for index, (name, position) in enumerate(zip(NAMES, VEHICLE.keypoints.tolist(), strict=True)):
        assert "mesh" not in points[index]
        assert points[index]["extras"] == {"name": name, "index": index, "position": position}
        np.testing.assert_allclose(
            scene.graph[f"keypoint_{name}"][0][:3, 3], np.array(position)[TO_GLTF], atol=1e-9
        )


def test_the_vehicle_can_be_built_again_from_its_extras(data):
    tree, _ = split(data)
    root = tree["nodes"][tree["scenes"][tree["scene"]]["nodes"][0]]
    about = root["extras"]
    assert VehicleSpec.model_validate(about["spec"]) == VEHICLE.spec
    told = [about[key] for key in ("type", "style", "colour", "identity")]
    assert told == ["sedan", "coupe", "red", 3]
    assert [k["position"] for k in about["keypoints"]] == VEHICLE.keypoints.tolist()


def test_materials_say_what_gltf_can(scene):
    for built, (_, mesh) in zip(in_order(VEHICLE.parts), by_piece(scene), strict=True):
        source, read = VEHICLE.materials[built.material], mesh.visual.material
        assert read.metallicFactor == source.metallic
        assert read.roughnessFactor == source.roughness
        if not source.transmission:  # trimesh keeps colours in eight bits
            expected = np.array([*source.base_colour, 1.0])
            np.testing.assert_allclose(read.baseColorFactor / 255, expected, atol=0.5 / 255 + 1e-9)


def with_material(material: Material) -> dict:
    """The glTF material of a vehicle that is a triangle of ``material``."""
    triangle = part("triangle", "it", np.eye(3), np.array([[0, 1, 2]]))
    tree, _ = split(glb_bytes(replace(VEHICLE, parts=(triangle,), materials={"it": material})))
    assert tree.get("extensionsUsed", []) == sorted(tree["materials"][0].get("extensions", {}))
    return tree["materials"][0]


def test_glass_varnish_lamps_and_film_use_what_gltf_has_for_them():
    glass = with_material(Material((0.1, 0.2, 0.05), roughness=0.02, transmission=0.8, alpha=0.4))
    assert glass["extensions"] == {"KHR_materials_transmission": {"transmissionFactor": 1.0}}
    assert glass["pbrMetallicRoughness"]["baseColorFactor"] == pytest.approx([0.4, 0.8, 0.2, 1])
    assert "alphaMode" not in glass
    paint = with_material(Material((0.5, 0, 0), coat=0.9, coat_roughness=0.07, flake=0.3))
    assert paint["extensions"]["KHR_materials_clearcoat"] == {
        "clearcoatFactor": 0.9,
        "clearcoatRoughnessFactor": 0.07,
    }
    assert paint["extras"] == {"flake": 0.3}
    lamp = with_material(Material((0, 0, 0), emission=(1.0, 0.5, 0.1)))
    assert lamp["emissiveFactor"] == [1.0, 0.5, 0.1] and "extensions" not in lamp
    film = with_material(Material((0.2, 0.2, 0.2), alpha=0.6))
    assert film["alphaMode"] == "BLEND"
    assert film["pbrMetallicRoughness"]["baseColorFactor"] == [0.2, 0.2, 0.2, 0.6]


def test_a_part_of_many_vertices_has_wide_indices():
    side = 260
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    points = np.stack([x.ravel(), y.ravel(), np.zeros(side**2)], axis=1) / side
    large = part("field", "paint", points, grid_faces(side, side))
    assert large.faces.max() > 0xFFFF
    vehicle = Vehicle(VEHICLE.spec, (large,), VEHICLE.materials, VEHICLE.keypoints)
    tree, binary = split(glb_bytes(vehicle))
    index = tree["meshes"][0]["primitives"][0]["indices"]
    np.testing.assert_array_equal(read_accessor(tree, binary, index).reshape(-1, 3), large.faces)
    assert len(tree["materials"]) == 1  # only what is used


def test_the_same_vehicle_gives_the_same_bytes(data):
    build_vehicle.cache_clear()
    assert glb_bytes(build_vehicle(VEHICLE.spec)) == data
