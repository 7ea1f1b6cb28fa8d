"""Imported vehicles: parametric ones as a stranger's mesh would have them, and small solids."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pamtri import keypoints, segments
from pamtri.errors import DataError
from pamtri.keypoints import INDEX
from render_assets.colours import REGIONS, nearest_colour, rgb_to_lab
from render_assets.imported import outline, roles
from render_assets.imported.bring_in import Options, bring_in, type_in_name, welded
from render_assets.imported.build import (
    build_imported,
    find_segments,
    own_paint,
    sample_imported,
    specify,
)
from render_assets.imported.checks import findings
from render_assets.imported.entry import Asset, Entry, load_entry, save_asset, save_entry
from render_assets.imported.orient import Hints, direction
from render_assets.imported.raw import RawMaterial, RawMesh
from render_assets.imported.surface import Surface
from render_assets.spec import AnyVehicleSpec, sample_vehicle
from render_assets.vehicle import Vehicle, build_vehicle

GREY = RawMaterial("", (0.8, 0.8, 0.8), 0.0, 0.5, 1.0, (0.0, 0.0, 0.0), None)
OPTIONS = Options(name="car", source="car.stl")


def as_file(
    vehicle: Vehicle, forward: str = "+x", up: str = "+z", scale: float = 1.0, named: bool = False
) -> RawMesh:
    """A vehicle as a file would have it: other axes and units, shifted, one nameless material."""
    parts = vehicle.parts
    rotation = np.stack(
        [direction(forward), np.cross(direction(up), direction(forward)), direction(up)]
    )
    starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    vertices = np.concatenate([p.vertices for p in parts]).astype(np.float64) @ rotation
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    names = list(vehicle.materials)
    materials = tuple(
        replace(GREY, name=n, rgb=tuple(m.base_colour)) for n, m in vehicle.materials.items()
    )
    index = [np.full(len(p.faces), names.index(p.material) if named else 0) for p in parts]
    return RawMesh(
        vertices=(scale * (vertices + np.array([3.0, -1.0, 0.5]))).astype(np.float32),
        normals=(np.concatenate([p.normals for p in parts]) @ rotation).astype(np.float32),
        uv=np.zeros((len(vertices), 2), dtype=np.float32),
        colours=None,
        faces=faces.astype(np.int32),
        material=np.concatenate(index).astype(np.int32),
        object=np.zeros(len(faces), dtype=np.int32),
        materials=materials if named else (GREY,),
        objects=("mesh",),
    )


def car(style: str = "notchback", identity: int = 500) -> Vehicle:
    return build_vehicle(sample_vehicle(11, identity, styles={style: 1.0}))


def length_of(vehicle: Vehicle) -> float:
    return float(np.ptp(np.concatenate([p.vertices[:, 0] for p in vehicle.parts])))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One entry: a notchback with named materials."""
    folder = tmp_path_factory.mktemp("catalogue") / "car"
    asset, mesh, _ = bring_in(as_file(car(), "-y", "+z", named=True), Hints(), OPTIONS)
    save_entry(folder, asset, mesh)
    return folder


@pytest.mark.parametrize(
    ("style", "forward", "up", "scale"),
    [
        ("notchback", "-y", "+z", 1.0),
        ("hatch5", "+z", "+y", 100.0),
        ("estate", "-x", "+y", 1000.0),
        ("offroad", "+y", "-x", 39.37),
        ("one_box", "-z", "-y", 1.0),
        ("panel_van", "+x", "-z", 0.01),
        ("crew_cab", "-z", "+x", 7.3),
        ("city_bus", "+y", "+z", 1.0),
        ("box_truck", "-x", "+z", 100.0),
    ],
)
def test_a_bare_mesh_of_any_axes_and_units_gets_back_its_keypoints(style, forward, up, scale):
    """The true keypoints are those that the vehicle was built with; no material helps."""
    vehicle = car(style)
    mesh = as_file(vehicle, forward, up, scale)
    asset, _, unit = bring_in(mesh, Hints(), OPTIONS)
    tall = {"van", "mpv"}  # by its outline alone, a one-box may be either
    assert asset.type == vehicle.spec.type or {asset.type, vehicle.spec.type} == tall
    ahead, _, above = asset.transform.rotation
    assert np.array_equal(ahead, direction(forward)) and np.array_equal(above, direction(up))
    length = length_of(vehicle)
    found = asset.transform.scale * scale * length
    assert found == pytest.approx(length, rel=1e-3 if unit != "shape" else 0.08)
    error = np.linalg.norm(asset.keypoint_array() * length / found - vehicle.keypoints, axis=1)
    assert error.mean() < 0.015 * length
    assert error.max() < 0.06 * length
    assert asset.symmetric
    points = asset.keypoint_array()
    assert np.array_equal(points[keypoints.FLIP], points * [1, -1, 1])


def test_wheels_are_found_to_the_millimetre():
    vehicle = car("compact_suv")
    asset, _, _ = bring_in(as_file(vehicle, "-y", "+z"), Hints(), OPTIONS)
    for name in ("left_front_wheel", "right_rear_wheel"):
        at = INDEX[name]
        assert np.allclose(
            asset.keypoint_array()[at][[0, 2]], vehicle.keypoints[at][[0, 2]], atol=3e-3
        )


def test_hints_override_what_would_be_found():
    """Told that it drives backward, it is labelled so: its left front is its true right rear."""
    vehicle = car()
    hints = Hints(up="+z", forward="-x", length_m=4.0)
    asset, _, unit = bring_in(as_file(vehicle), hints, OPTIONS)
    assert unit == "given"
    assert asset.transform.scale == pytest.approx(4.0 / length_of(vehicle), rel=1e-3)
    mapped = asset.transform.scale * vehicle.keypoints[INDEX["right_rear_wheel"]]
    found = asset.keypoint_array()[INDEX["left_front_wheel"]]
    assert found[0] == pytest.approx(-mapped[0], abs=0.02)
    with pytest.raises(DataError, match=r"--up \+x and --forward -x lie on one axis"):
        bring_in(as_file(vehicle), Hints(up="+x", forward="-x"), OPTIONS)


def test_one_wheel_is_put_into_the_four_arches():
    """A body without wheels, and its left front wheel in a file of its own, lying on its side."""
    vehicle = car("hatch5")
    wheel_names = ("tyre", "rim", "rim_well", "brake_disc", "hub", "spokes", "caliper", "calliper")
    is_wheel = [any(w in p.name for w in wheel_names) for p in vehicle.parts]
    body = replace(
        vehicle, parts=tuple(p for p, w in zip(vehicle.parts, is_wheel, strict=True) if not w)
    )
    one = tuple(
        p
        for p, w in zip(vehicle.parts, is_wheel, strict=True)
        if w and p.name.startswith("left_front")
    )
    assert one and len(body.parts) < len(vehicle.parts)
    wheel = as_file(replace(vehicle, parts=one), "+x", "+y")
    asset, mesh, _ = bring_in(as_file(body, "-y"), Hints(), OPTIONS, wheel)
    length = length_of(vehicle)
    for name in ("left_front_wheel", "left_rear_wheel", "right_front_wheel", "right_rear_wheel"):
        off = asset.keypoint_array()[INDEX[name]] - vehicle.keypoints[INDEX[name]]
        assert np.abs(off).max() < 0.02 * length, name
    expected = len(welded(as_file(body)).faces) + 4 * len(welded(wheel).faces)
    assert len(mesh.faces) == pytest.approx(expected, abs=20)  # slivers come and go
    placed = Entry(Path(), asset, mesh, "").placed_mesh()
    assert abs(placed.vertices[:, 2].min()) < 1e-4


def test_a_flat_mesh_is_no_vehicle():
    plane = np.array([[0, 0, 0], [4, 0, 0], [4, 2, 0], [0, 2, 0]], dtype=np.float32)
    mesh = RawMesh(
        plane, np.tile(np.float32([0, 0, 1]), (4, 1)), plane[:, :2], None,
        np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.zeros(2, np.int32), np.zeros(2, np.int32),
        (GREY,), ("plane",),
    )  # fmt: skip
    with pytest.raises(DataError, match="expected a vehicle, got a mesh of 4 x 2 x 0 units"):
        bring_in(mesh, Hints(), OPTIONS)
    with pytest.raises(DataError, match="whose triangles have no area"):
        bring_in(replace(mesh, faces=np.zeros((1, 3), np.int32)), Hints(), OPTIONS)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("BodyPaint", "paint"),
        ("Headlight_Glass", "head_lamp"),
        ("BrakeLights.001", "tail_lamp"),
        ("TurnSignal", "indicator"),
        ("Window_Front", "glass"),
        ("Tyre rubber", "tyre"),
        ("AlloyRim", "rim"),
        ("License", "plate"),
        ("Black", None),
        ("White", None),
        ("Material.002", None),
    ],
)
def test_roles_by_name(name, role):
    assert roles.role_by_name(name) == role


def test_materials_without_telling_names_get_their_roles_by_colour_and_place():
    """The true roles are those of the materials the vehicle was built with."""
    vehicle = car("hatch5", 501)
    mesh = as_file(vehicle, named=True)
    plain = replace(
        mesh, materials=tuple(replace(m, name=f"M{i}") for i, m in enumerate(mesh.materials))
    )
    asset, _, _ = bring_in(plain, Hints(), OPTIONS)
    names = list(vehicle.materials)
    found = {n: s.role for n, s in asset.materials.items()}
    paint = f"M{names.index('paint')}"
    assert [n for n, role in found.items() if role == "paint" and "(" not in n] == [paint]
    tyre = f"M{names.index('tyre')} (in arches)"
    assert found[tyre] == "tyre"
    assert asset.colour == vehicle.spec.colour


def test_a_palette_is_divided_into_its_colours():
    """One texture of two flat halves: two materials; a picture stays whole."""
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    picture[:, :4], picture[:, 4:] = (200, 10, 10), (10, 10, 200)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=np.float32)
    vertices = np.concatenate([corners, corners + 2])
    left, right = np.full((3, 2), 0.2, np.float32), np.full((3, 2), 0.8, np.float32)
    mesh = RawMesh(
        vertices, np.tile(np.float32([0, 0, 1]), (6, 1)), np.concatenate([left, right]), None,
        np.array([[0, 1, 2], [3, 4, 5]], np.int32), np.zeros(2, np.int32), np.zeros(2, np.int32),
        (replace(GREY, name="map", texture=0),), ("a",), (picture,),
    )  # fmt: skip
    divided = roles.divide(mesh)
    assert sorted(m.name for m in divided.materials) == ["map #0a0ac8", "map #c80a0a"]
    assert all(m.texture is None for m in divided.materials)
    assert divided.material[0] != divided.material[1]
    spread = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]] * 2, dtype=np.float32)
    whole = roles.divide(replace(mesh, uv=spread))
    assert [m.texture for m in whole.materials] == [0]


@pytest.mark.parametrize("name", REGIONS)
def test_the_middle_of_a_colours_region_has_its_name(name):
    from render_assets.colours import lab_to_rgb

    region = REGIONS[name]
    hue = np.radians(np.mean(region.hue))
    chroma = np.mean(region.chroma) if region.hue != (0, 360) else 0.0
    lab = np.array([np.mean(region.lightness), chroma * np.cos(hue), chroma * np.sin(hue)])
    rgb = np.clip(lab_to_rgb(lab)[0], 0, 1)
    assert nearest_colour(rgb) == name, rgb_to_lab(rgb)


def test_an_entry_survives_writing_and_reading(catalogue, tmp_path):
    entry = load_entry(catalogue)
    save_entry(tmp_path / "copy", entry.asset, entry.mesh)
    copy = load_entry(tmp_path / "copy")
    assert copy.asset == entry.asset
    assert np.array_equal(copy.mesh.vertices, entry.mesh.vertices)
    assert np.array_equal(copy.mesh.faces, entry.mesh.faces)
    assert findings(copy) == []


def test_an_imported_vehicle_is_built_like_a_parametric_one(catalogue):
    true = car()
    entry = load_entry(catalogue)
    spec = specify(entry, 7, own_paint(entry.asset), entry.asset.colour)
    vehicle = build_vehicle(spec)
    assert vehicle.spec.type == true.spec.type and vehicle.spec.colour == true.spec.colour
    vertices = np.concatenate([p.vertices for p in vehicle.parts])
    assert np.ptp(vertices, axis=0) == pytest.approx(
        np.ptp(np.concatenate([p.vertices for p in true.parts]), axis=0), abs=1e-3
    )
    assert set(segments.NAMES) == {p.segment for p in vehicle.parts} - {None}
    assert all(p.material in vehicle.materials for p in vehicle.parts)
    assert len({p.name for p in vehicle.parts}) == len(vehicle.parts)
    tyres = [p for p in vehicle.parts if "tyre" in p.material]
    assert tyres and all(p.segment is None for p in tyres)
    away = Surface(vertices, np.concatenate(_shifted_faces(vehicle))).nearest(vehicle.keypoints)
    assert np.linalg.norm(away - vehicle.keypoints, axis=1).max() < 0.03
    painted = [
        vehicle.materials[p.material].base_colour for p in vehicle.parts if p.material == "paint"
    ]
    assert painted and painted[0] == pytest.approx(entry.asset.materials["paint"].rgb)


def _shifted_faces(vehicle: Vehicle) -> list[np.ndarray]:
    starts = np.cumsum([0] + [len(p.vertices) for p in vehicle.parts[:-1]])
    return [p.faces + s for p, s in zip(vehicle.parts, starts, strict=True)]


def test_faces_belong_to_the_outline_that_they_lie_in():
    """A box whose keypoints are on it: its sides' faces fall into the hand-worked segments."""
    points = np.zeros((keypoints.NUM_KEYPOINTS, 3))
    left = {
        "front_bumper": (2, 1, 0), "headlight": (2, 1, 1), "windscreen_base": (1, 1, 1),
        "front_arch_rear_low": (1, 1, 0),
    }  # fmt: skip
    for name, place in left.items():
        points[INDEX[f"left_{name}"]] = place
        points[INDEX[f"right_{name}"]] = np.array(place) * [1, -1, 1]
    sideways = 0.05 * np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1]])
    ahead = 0.05 * np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1]])
    # The last lies 20 cm inside, behind the first: seen from outside it is hidden.
    shapes = [
        sideways + np.array([1.5, 1.0, 0.5]),
        sideways + np.array([0.5, 1.0, 0.5]),
        ahead + np.array([2.0, 0.0, 0.5]),
        0.5 * sideways + np.array([1.505, 0.8, 0.505]),
    ]
    vertices = np.concatenate(shapes).astype(np.float32)
    faces = np.arange(12, dtype=np.int32).reshape(4, 3)
    mesh = RawMesh(
        vertices, vertices, vertices[:, :2], None, faces, np.zeros(4, np.int32),
        np.zeros(4, np.int32), (GREY,), ("box",),
    )  # fmt: skip
    found = find_segments(mesh, points, np.zeros(4, dtype=bool))
    names = [None if i < 0 else segments.NAMES[i] for i in found]
    assert names == ["left_front_fender", None, "front", None]


def test_outlines():
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], dtype=float)
    assert outline.inside(np.array([[1, 1], [3, 1], [0.05, 1]]), square, 0.1).tolist() == [
        True, False, False,
    ]  # fmt: skip
    assert outline.inside(np.array([[1.0, 1.0]]), square[::-1]).all()
    assert outline.is_convex(square) and outline.is_convex(square[::-1])
    assert not outline.is_convex(np.array([[0, 0], [2, 0], [0.4, 0.4], [0, 2]], dtype=float))
    assert not outline.is_convex(square[[0, 2, 1, 3]])
    assert outline.signed_area(square) == pytest.approx(4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda k: k | {"left_headlight": [k["left_headlight"][0], 0.4, 2.5]}, "left_headlight is"),
        (
            lambda k: _swapped(k, "left_roof_front", "left_roof_rear"),
            "left_roof_front is not before",
        ),
        (lambda k: _swapped(k, "left_front_wheel", "right_front_wheel"), "on the other side"),
        (lambda k: k | {"left_rear_wheel": [*k["left_rear_wheel"][:2], 1.2]}, "0.2 to 0.75 m"),
        (lambda k: _moved(k, 0.2), "middle between the axles"),
    ],
)
def test_check_finds(catalogue, change, sentence):
    entry = load_entry(catalogue)
    data = json.loads(entry.asset.model_dump_json())
    data["keypoints"] = change(data["keypoints"])
    found = findings(replace(entry, asset=Asset.model_validate_json(json.dumps(data))))
    assert any(sentence in line for line in found), found


def _swapped(points: dict, a: str, b: str) -> dict:
    return points | {a: points[b], b: points[a]}


def _moved(points: dict, x: float) -> dict:
    return {n: [p[0] + x, *p[1:]] for n, p in points.items()}


def test_check_finds_a_vehicle_above_the_ground(catalogue):
    entry = load_entry(catalogue)
    place = entry.asset.transform
    lifted = place.model_copy(update={"offset": (*place.offset[:2], place.offset[2] + 0.3)})
    found = findings(replace(entry, asset=entry.asset.model_copy(update={"transform": lifted})))
    assert any("the lowest point is at z = 0.300 m" in line for line in found)


def test_draws_of_imported_vehicles(catalogue):
    """Half of the identities; colours as weighed; the same for the same seed and identity."""
    shares = {str(catalogue): 0.5}
    drawn = [sample_imported(3, i, shares, {"red": 1.0, "blue": 3.0}) for i in range(400)]
    there = [d for d in drawn if d is not None]
    assert 160 < len(there) < 240
    blue = sum(d.colour == "blue" for d in there)
    assert 0.65 < blue / len(there) < 0.85
    assert drawn[:20] == [
        sample_imported(3, i, shares, {"red": 1.0, "blue": 3.0}) for i in range(20)
    ]
    for spec in there[:20]:
        assert REGIONS[spec.colour].contains(rgb_to_lab(np.array(spec.paint.rgb)))[0]
    more = [sample_imported(3, i, {str(catalogue): 0.9}) for i in range(400)]
    assert all(b is not None for a, b in zip(drawn, more, strict=True) if a is not None)
    assert all(sample_imported(3, i, {}) is None for i in range(20))


def test_an_entry_without_paint_keeps_its_colour(catalogue, tmp_path):
    entry = load_entry(catalogue)
    bare = {
        n: m.model_copy(update={"role": "own"}) if m.role == "paint" else m
        for n, m in entry.asset.materials.items()
    }
    asset = entry.asset.model_copy(update={"materials": bare, "colour": "golden"})
    save_entry(tmp_path, asset, entry.mesh)
    spec = sample_imported(0, 1, {str(tmp_path): 1.0}, {"red": 1.0})
    assert spec is not None and spec.colour == "golden"


def test_a_changed_or_missing_entry_is_told(catalogue, tmp_path):
    entry = load_entry(catalogue)
    save_entry(tmp_path / "car", entry.asset, entry.mesh)
    spec = sample_imported(0, 1, {str(tmp_path / "car"): 1.0})
    assert spec is not None
    build_imported(spec)
    save_asset(tmp_path / "car", entry.asset.model_copy(update={"licence": "CC0"}))
    with pytest.raises(DataError, match="has changed since the scene was made"):
        build_imported(spec)
    (tmp_path / "car" / "mesh.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataError, match=r"mesh\.npz: is damaged; import the vehicle again"):
        load_entry(tmp_path / "car")
    (tmp_path / "car" / "mesh.npz").unlink()
    with pytest.raises(DataError, match=r"is no imported vehicle: mesh\.npz is missing"):
        load_entry(tmp_path / "car")


def test_a_wrong_asset_file_is_told(catalogue, tmp_path):
    entry = load_entry(catalogue)
    save_entry(tmp_path, entry.asset, entry.mesh)
    path = tmp_path / "asset.json"
    data = json.loads(path.read_text())
    for change, sentence in (
        ({"type": "spaceship"}, r"asset.json: type: expected .*'spaceship'"),
        ({"keypoints": {}}, "asset.json: keypoints: expected the 36 names, got no 'left_rear_w"),
        ({"colours": 3}, "asset.json: unknown key 'colours'"),
    ):
        path.write_text(json.dumps(data | change))
        with pytest.raises(DataError, match=sentence):
            load_entry(tmp_path)


def test_specs_of_both_kinds_survive_json(catalogue):
    from pydantic import TypeAdapter

    adapter: TypeAdapter[AnyVehicleSpec] = TypeAdapter(AnyVehicleSpec)
    imported = sample_imported(0, 1, {str(catalogue): 1.0})
    for spec in (imported, sample_vehicle(0, 1)):
        assert adapter.validate_json(adapter.dump_json(spec)) == spec


def test_a_files_name_may_tell_the_type():
    assert type_in_name("quaternius_suv") == "suv"
    assert type_in_name("City-Coach 02") == "bus"
    assert type_in_name("Wagon") == "estate"
    assert type_in_name("pickup_truck") is None
    assert type_in_name("chassis-draco") is None
    assert type_in_name("suvenir") is None
