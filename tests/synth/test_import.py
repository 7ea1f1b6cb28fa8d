"""Mesh files of every format through the command; what is broken ends in one sentence."""

from __future__ import annotations

import json
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner
from PIL import Image

from pamtri.config import parse_config
from pamtri.errors import ConfigError, DataError, UserError
from pamtri.keypoints import INDEX
from render_assets.imported.bring_in import Options, bring_in
from render_assets.imported.entry import load_entry, save_asset, save_entry
from render_assets.imported.orient import Hints
from render_assets.materials import Material, Texture
from render_assets.spec import sample_vehicle
from render_assets.vehicle import build_vehicle
from synth import mesh_file
from synth.assets_cli import assets
from synth.config import SynthConfig
from synth.geometry import SceneGeometry
from synth.images import render_image
from synth.mesh_file import read_mesh_file
from synth.raster import RasterRenderer
from synth.sampling import sample_scene
from synth.scene import SceneSpec

MODELS = Path(__file__).parents[3] / "shared" / "data" / "models"
needs_models = pytest.mark.skipif(not MODELS.is_dir(), reason="the third-party models are absent")
VEHICLE = sample_vehicle(2, 40, styles={"hatch5": 1.0}, colours={"red": 1.0})


@pytest.fixture(scope="module")
def solid() -> trimesh.Trimesh:
    """A parametric hatchback as one bare mesh, y up, facing -z, in centimetres."""
    parts = build_vehicle(VEHICLE).parts
    starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    vertices = np.concatenate([p.vertices for p in parts])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    x, y, z = vertices.T
    return trimesh.Trimesh(100 * np.stack([-y, z, -x], axis=1), faces, process=False)


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hatchback as an entry, imported without Blender."""
    from render_assets.imported.raw import RawMaterial, RawMesh

    vehicle = build_vehicle(VEHICLE)
    names = list(vehicle.materials)
    starts = np.cumsum([0] + [len(p.vertices) for p in vehicle.parts[:-1]])
    vertices = np.concatenate([p.vertices for p in vehicle.parts])
    mesh = RawMesh(
        vertices=vertices,
        normals=np.concatenate([p.normals for p in vehicle.parts]),
        uv=np.zeros((len(vertices), 2), np.float32),
        colours=None,
        faces=np.concatenate([p.faces + s for p, s in zip(vehicle.parts, starts, strict=True)]),
        material=np.concatenate(
            [np.full(len(p.faces), names.index(p.material), np.int32) for p in vehicle.parts]
        ),
        object=np.zeros(sum(len(p.faces) for p in vehicle.parts), np.int32),
        materials=tuple(
            RawMaterial(n, m.base_colour, m.metallic, m.roughness, 1.0, (0, 0, 0), None)
            for n, m in vehicle.materials.items()
        ),
        objects=("car",),
    )
    folder = tmp_path_factory.mktemp("vehicles") / "hatch"
    asset, mesh, _ = bring_in(mesh, Hints(), Options(name="hatch", source="hatch.glb"))
    save_entry(folder, asset, mesh)
    return folder


def run(*arguments: object) -> object:
    return CliRunner().invoke(assets, [str(a) for a in arguments], catch_exceptions=True)


def config_with(folder: Path, **vehicle: object) -> SynthConfig:
    data = {
        "name": "mixed",
        "renderer": "raster",
        "identities": 40,
        "images_per_identity": 1,
        "image": {"size_px": 96},
        "vehicle": {"imported": {str(folder): 0.5}, **vehicle},
    }
    return parse_config(data, SynthConfig, "mixed.yaml")


def test_imported_and_parametric_vehicles_mix(entry):
    """Half of each, both of the colours that were asked for, the same for whoever samples them."""
    config = config_with(entry, colour="blue").vehicle
    specs = [config.sample(5, i) for i in range(40)]
    imported = [hasattr(s, "asset") for s in specs]
    assert 10 < sum(imported) < 30
    assert {s.colour for s in specs} == {"blue"}
    assert specs == [config.sample(5, i) for i in range(40)]
    plain = config.model_copy(update={"imported": {}})
    for i, (spec, own) in enumerate(zip(specs, imported, strict=True)):
        assert own or spec == plain.sample(5, i)


def test_an_identity_that_is_a_model_shows_an_imported_vehicle_in_several_paints(entry):
    config = config_with(entry, imported={str(entry): 1.0}, identity_is="model").vehicle
    seen = [config.sample(5, 3, turn) for turn in range(12)]
    assert len({s.paint for s in seen}) == 12 and len({s.colour for s in seen}) > 3
    assert {s.asset for s in seen} == {str(entry)}
    assert seen[0] == config_with(entry, imported={str(entry): 1.0}).vehicle.sample(5, 3, 7)


def test_scenes_with_imported_vehicles_are_stored_rendered_and_labelled(entry):
    config = config_with(entry)
    number = next(i for i in range(40) if hasattr(config.vehicle.sample(5, i), "asset"))
    scene = sample_scene(config, 5, number)
    again = SceneSpec.model_validate_json(scene.model_dump_json())
    assert again == scene
    with closing(RasterRenderer()) as renderer:
        one, two = render_image(scene, renderer), render_image(again, renderer)
    assert one.jpeg == two.jpeg
    record = one.record
    assert record.style == "hatch" and record.type == "hatchback"
    assert record.colour == scene.vehicle.colour
    assert "v" in record.keypoints.visibility and "s" in record.keypoints.visibility
    assert len(np.unique(one.pictures["segment_mask"])) > 3
    assert 0.2 < (one.pictures["mask"] > 0).mean() < 0.95


def test_configurations_tell_what_is_wrong_with_imported_vehicles(entry, tmp_path):
    with pytest.raises(ConfigError, match=r"mixed\.yaml: vehicle: imported: .*asset\.json is miss"):
        config_with(tmp_path)
    data = {str(entry): 0.7, f"{entry}/../hatch": 0.7}
    with pytest.raises(ConfigError, match=r"shares that add up to at most 1, got 1\.4"):
        config_with(entry, imported=data)


def test_check_ends_with_status_1_and_lists_all_findings(entry, tmp_path):
    fine = run("check", entry)
    assert fine.exit_code == 0 and "in order" in fine.output
    assert Image.open(entry / "overlay.png").size == (1280, 1280)
    good = load_entry(entry)
    save_entry(tmp_path, good.asset, good.mesh)
    points = dict(good.asset.keypoints)
    x, y, _ = points["left_headlight"]
    points["left_headlight"] = (x, -y, 3.0)
    save_asset(tmp_path, good.asset.model_copy(update={"keypoints": points}))
    bad = run("check", entry, tmp_path)
    assert bad.exit_code == 1
    assert "left_headlight is on the other side" in bad.output
    assert "left_headlight is" in bad.output and "from the surface" in bad.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.obj"], "missing.obj: no such file"),
        (["car.txt"], "car.txt: expected one of .glb, "),
        (["empty.glb"], "empty.glb: is empty"),
        (["empty.glb", "--wheel-at", "1,2,3"], "--wheel-at: expected four places, got 1"),
    ],
)
def test_what_cannot_be_a_mesh_file_is_told_at_once(tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    Path("car.txt").write_text("v 0 0 0")
    Path("empty.glb").touch()
    result = run("import", *arguments, "--output", "out")
    assert isinstance(result.exception, UserError) and sentence in str(result.exception)
    assert not Path("out").exists()


def test_a_huge_file_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "huge.stl"
    with path.open("wb") as file:
        file.truncate(mesh_file.LARGEST + 1)  # sparse: it takes no room
    monkeypatch.setattr(mesh_file, "_run_reader", lambda *a: pytest.fail("was read"))
    with pytest.raises(DataError, match=r"huge\.stl: has 500 MB, expected at most 500 MB"):
        read_mesh_file(path)


def test_textures_of_equal_pixels_are_equal_and_hash_alike():
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    a, b = (Material((1, 1, 1), texture=Texture.of(p)) for p in (pixels, pixels.copy()))
    assert a == b and hash(a) == hash(b)
    assert a != replace(b, texture=Texture.of(pixels[::-1]))
    assert Texture.of(pixels.reshape(2, 8, 3)) != Texture.of(pixels)


pytest_blender = pytest.mark.blender


@pytest_blender
@pytest.mark.parametrize("suffix", ["stl", "ply", "obj", "glb"])
def test_every_format_gives_the_same_vehicle(solid, tmp_path, suffix):
    """trimesh writes it, Blender reads it; glTF is in metres by definition."""
    path = tmp_path / f"car.{suffix}"
    solid.export(path)
    result = run("import", path, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    made = load_entry(tmp_path / "out")
    assert made.asset.type == "hatchback" and made.asset.symmetric
    true = build_vehicle(VEHICLE)
    error = np.linalg.norm(made.asset.keypoint_array() - true.keypoints, axis=1)
    length = VEHICLE.shape.length
    assert error.mean() < 0.015 * length and error.max() < 0.06 * length
    assert (tmp_path / "out" / "overlay.png").is_file()
    again = run("import", path, "--output", tmp_path / "out")
    assert isinstance(again.exception, UserError) and "--overwrite" in str(again.exception)


@pytest_blender
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.fbx", b"this is no FBX file\n" * 40),
        ("text.glb", b"neither is this glTF\n" * 40),
        ("cut.glb", b"glTF" + struct.pack("<II", 2, 5000) + b"\x10\x00\x00\x00JSON{}"),
        ("text.stl", b"solid and nothing more"),
        ("text.ply", b"ply\nformat ascii 1.0\nelement vertex 9999\n"),
        ("text.obj", b"just words\n"),
        ("text.dae", b"<COLLADA><library_geometries>"),
        ("text.blend", b"BLENDER-v405" + bytes(64)),
        ("nan.obj", b"v 0 0 0\nv nan 1 0\nv 0 1 1\nf 1 2 3\n"),
        ("nan.stl", bytes(80) + struct.pack("<I12fH", 1, *[0.0] * 11, np.nan, 0)),
        ("points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n"),
    ],
)
def test_a_broken_file_ends_in_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as told:
        read_mesh_file(path)
    sentence = str(told.value)
    assert sentence.startswith(f"{path}: ") and "\n" not in sentence
    assert any(w in sentence for w in ("cannot be read as", "no triangles", "damaged", "finite"))


@pytest_blender
def test_a_file_that_takes_too_long_is_given_up(solid, tmp_path):
    solid.export(tmp_path / "car.stl")
    with pytest.raises(DataError, match=r"cannot be read within 0\.01 seconds"):
        read_mesh_file(tmp_path / "car.stl", time_limit=0.01)


@pytest_blender
def test_a_blend_file_executes_nothing(tmp_path):
    """A driver, a registered script and a handler that would each leave a file behind."""
    import subprocess
    import sys

    evil, path = tmp_path / "evil", tmp_path / "car.blend"
    make = f"""
import os
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
mesh = bpy.data.meshes.new("box")
mesh.from_pydata([(0,0,0),(4,0,0),(4,2,0),(0,2,1)], [], [(0,1,2),(0,2,3)])
thing = bpy.data.objects.new("box", mesh)
bpy.context.scene.collection.objects.link(thing)
code = "open({str(evil)!r}, 'w').close()"
text = bpy.data.texts.new("run.py")
text.write(code)
text.use_module = True
driver = thing.driver_add("location", 0).driver
driver.type = "SCRIPTED"
driver.expression = "__import__('os').system('touch {evil}') or 1.0"
bpy.ops.wm.save_as_mainfile(filepath={str(path)!r})
os._exit(0)  # Blender may hang while it takes itself down
"""
    subprocess.run([sys.executable, "-c", make], check=True, capture_output=True)
    evil.unlink(missing_ok=True)  # what making the file ran does not count
    mesh = read_mesh_file(path)
    assert len(mesh.faces) == 2
    assert not evil.exists()
    # With scripts allowed the same file does run: the test would notice.
    allowed = f"""
import os
import bpy
bpy.context.preferences.filepaths.use_scripts_auto_execute = True
bpy.ops.wm.open_mainfile(filepath={str(path)!r}, use_scripts=True)
bpy.context.view_layer.update()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", allowed], check=True, capture_output=True)
    assert evil.exists()


@pytest_blender
def test_pictures_and_alpha_zero_are_read(tmp_path):
    """Texture rows run downward from v = 1; a material of alpha 0 is read as it is."""
    picture = np.zeros((4, 4, 3), dtype=np.uint8)
    picture[:2, :2] = (255, 0, 0)  # the upper left quarter
    Image.fromarray(picture).save(tmp_path / "skin.png")
    (tmp_path / "a.mtl").write_text("newmtl skin\nKd 1 1 1\nd 0\nmap_Kd skin.png\n")
    (tmp_path / "a.obj").write_text(
        "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0.1 0.9\nvt 0.2 0.9\nvt 0.1 0.8\n"
        "usemtl skin\nf 1/1 2/2 3/3\n"
    )
    mesh = read_mesh_file(tmp_path / "a.obj")
    (material,) = mesh.materials
    assert material.name == "skin" and material.texture == 0 and material.alpha == 0
    assert np.array_equal(mesh.textures[0], picture)
    u, v = mesh.uv[mesh.faces[0]].mean(axis=0)
    assert mesh.textures[0][int((1 - v) * 4), int(u * 4)].tolist() == [255, 0, 0]


@pytest_blender
def test_both_renderers_draw_a_texture_the_same_way_up(entry):
    """A wall of two colours, red above blue, seen by Cycles and by OpenGL."""
    from render_assets.mesh import part
    from render_assets.vehicle import Vehicle
    from synth.blender.renderer import BlenderRenderer

    config = config_with(entry, imported={})
    scene = sample_scene(config, 0, 0)
    pose_view = scene.camera
    picture = np.zeros((400, 400, 3), dtype=np.uint8)
    picture[:200], picture[200:] = (220, 10, 10), (10, 10, 220)
    right, down, forward = np.array(pose_view.rotation)
    eye = -np.array(pose_view.rotation).T @ np.array(pose_view.translation)
    middle = eye + 6 * forward
    wall = np.array(
        [middle + 9 * (a * right + b * down) for a, b in ((-1, 1), (1, 1), (1, -1), (-1, -1))]
    )
    made = part("wall", "skin", wall, np.array([[0, 1, 2], [0, 2, 3]]), np.tile(-forward, (4, 1)))
    made = replace(made, uv=np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]))
    skin = Material((0.0, 1.0, 0.0), roughness=1.0, texture=Texture.of(picture))
    vehicle = Vehicle(scene.vehicle, (made,), {"skin": skin}, build_vehicle(VEHICLE).keypoints)
    geometry = SceneGeometry(vehicle)
    scene = scene.model_copy(
        update={
            "camera": pose_view.model_copy(
                update={"cx": pose_view.width / 2, "cy": pose_view.height / 2}
            )
        }
    )
    for renderer in (RasterRenderer(), BlenderRenderer(device="cpu", threads=1)):
        image = renderer.render(scene, geometry).astype(int)
        upper, lower = image[: len(image) // 3], image[-len(image) // 3 :]
        assert (upper[..., 0] > upper[..., 2] + 30).mean() > 0.9
        assert (lower[..., 2] > lower[..., 0] + 30).mean() > 0.9


@needs_models
@pytest_blender
@pytest.mark.parametrize(
    ("file", "extra", "vehicle_type", "colour", "roles"),
    [
        ("quaternius_suv.fbx", [], "suv", "white",
         {"White": "paint", "Windows": "glass", "TailLights": "tail_lamp",
          "Black (in arches)": "tyre"}),
        ("chassis-draco.glb", ["--wheel", MODELS / "wheel-draco.glb"], "sedan", "orange",
         {"BodyPaint": "paint", "Glass": "glass", "HeadLight": "head_lamp", "License": "plate"}),
        ("gazebo_suv/suv.obj", [], "suv", None, {"SUV_Body": "own", "SUV_Wheels": "tyre"}),
    ],
)  # fmt: skip
def test_the_third_party_models_import_unaided(tmp_path, file, extra, vehicle_type, colour, roles):
    result = run("import", MODELS / file, *extra, "--output", tmp_path)
    assert result.exit_code == 0, result.output
    asset = load_entry(tmp_path).asset
    assert asset.type == vehicle_type and asset.symmetric
    assert colour in (None, asset.colour)
    for name, role in roles.items():
        assert asset.materials[name].role == role
    assert run("check", tmp_path).exit_code == 0
    if "gazebo" in file:
        assert "Creative Commons" in asset.licence
    # Read off the models' own drawings: all face -y in Blender but the OBJ, which faces +z there.
    forward = asset.transform.rotation[0]
    assert forward == ((0, 0, 1) if "gazebo" in file else (0, -1, 0))
    points = asset.keypoint_array()
    wheelbase = points[INDEX["left_front_wheel"], 0] - points[INDEX["left_rear_wheel"], 0]
    expected = {"quaternius_suv.fbx": 2.57, "chassis-draco.glb": 2.66, "gazebo_suv/suv.obj": 2.86}
    assert wheelbase == pytest.approx(expected[file], abs=0.15)


def test_asset_json_is_plain_and_complete(entry):
    data = json.loads((entry / "asset.json").read_text())
    assert data["name"] == "hatch" and data["source"] == "hatch.glb"
    assert len(data["keypoints"]) == 36 and all(len(p) == 3 for p in data["keypoints"].values())
    assert data["materials"]["paint"]["role"] == "paint"
    assert set(data["transform"]) == {"rotation", "scale", "offset"}
