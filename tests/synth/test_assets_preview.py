"""Sheets of vehicles: which they show, how they are framed, where they lie on the sheet."""

from __future__ import annotations

import cv2
import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from pamtri import camera
from pamtri.attributes import COLOURS, TYPES
from pamtri.errors import ConfigError
from render_assets.styles import STYLES
from render_assets.vehicle import build_vehicle
from synth import assets_preview
from synth.assets_cli import assets
from synth.assets_preview import FRAMES
from synth.assortment import Wanted, colour_grid, individual_grid
from synth.geometry import build_geometry, vehicle_vertices
from synth.overlays import overlay_keypoints, overlay_parts, overlay_segments, part_image
from synth.sheet import PAPER, draw_sheet
from synth.showroom import ASPECT, VIEWS, Showing, parse_view, show

SHOWING = Showing(35.0, 8.0, width=96)


class Recorder:
    """Pictures of one grey each, and the scenes that they were asked for."""

    def __init__(self):
        self.scenes = []

    def render(self, spec, geometry):
        assert geometry.vehicle.spec == spec.vehicle
        self.scenes.append(spec)
        shade = 20 * len(self.scenes) % 256
        return np.full((spec.camera.height, spec.camera.width, 3), shade, dtype=np.uint8)


@pytest.fixture
def recorder(monkeypatch):
    made = Recorder()
    monkeypatch.setattr(assets_preview, "open_renderer", lambda name, threads: made)
    return made


def invoke(*arguments):
    return CliRunner().invoke(assets, [str(a) for a in arguments])


def preview(output, *arguments):
    return invoke("preview", "--output", output, "--cell", 64, *arguments)


def azimuth_of(scene):
    return np.degrees(camera.viewpoint_from_pose(scene.camera.pose).azimuth) % 360


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"styles": ("coup",)}, r"--style: expected one of .*, got 'coup' \(did you mean 'coupe'"),
        ({"types": ("sedna",)}, r"--type: .* got 'sedna' \(did you mean 'sedan'"),
        ({"colours": ("grey",)}, r"--colour: .* got 'grey' \(did you mean 'gray'"),
        ({"styles": ("coupe",), "types": ("bus",)}, "--style and --type: no style is of that type"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(wanted, error):
    with pytest.raises(ConfigError, match=error):
        Wanted(**wanted)


def test_all_that_is_offered_is_in_the_full_grid():
    by_style, by_type = (colour_grid(Wanted(), rows) for rows in ("style", "type"))
    assert by_style.rows == tuple(STYLES) and by_type.rows == TYPES
    assert by_style.columns == by_type.columns == COLOURS
    assert by_style.count == len(STYLES) * len(COLOURS)
    for name, row in zip(by_type.rows, by_type.places, strict=True):
        assert {STYLES[place.style].type for place in row} == {name}


def test_the_colours_of_a_row_are_of_one_individual():
    grid = colour_grid(Wanted(styles=("coupe", "hatch3"), identity=5, seed=2), "style")
    row = [place.config.sample(2, place.identity) for place in grid.places[1]]
    assert [v.colour for v in row] == list(COLOURS)
    assert {v.style for v in row} == {"hatch3"} and {v.identity for v in row} == {5}
    assert all(v.shape == row[0].shape and v.trim == row[0].trim for v in row)


def test_individuals_differ_and_can_be_asked_for_alone():
    wanted = Wanted(types=("suv", "hatchback"), seed=4, identity=100)
    grid = individual_grid(wanted, "type", 6)
    assert grid.rows == ("suv", "hatchback") and grid.columns == ()
    suvs = tuple(s.name for s in STYLES.values() if s.type == "suv")
    assert [p.style for p in grid.places[0]] == [suvs[i % len(suvs)] for i in range(6)]
    assert [p.identity for row in grid.places for p in row] == list(range(100, 112))
    assert all(len({p.colour for p in row}) == 6 for row in grid.places)
    assert grid == individual_grid(wanted, "type", 6)
    place = grid.places[1][3]
    alone = Wanted(styles=(place.style,), colours=(place.colour,), identity=place.identity, seed=4)
    assert alone.sample() == show(place, 4, SHOWING, [0.0])[0].vehicle


@pytest.mark.parametrize("style", ["coupe", "city_bus"])
def test_a_vehicle_fills_its_picture_and_no_more(style):
    (place,) = colour_grid(Wanted(styles=(style,), colours=("blue",)), "style").places[0]
    (scene,) = show(place, 0, SHOWING, [0.0])
    assert (scene.camera.width, scene.camera.height) == (96, round(96 * ASPECT))
    vertices = vehicle_vertices(build_vehicle(scene.vehicle))
    pixels, _ = camera.project(vertices, scene.camera.pose, scene.camera.intrinsics)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    size = np.array([96, round(96 * ASPECT)])
    room = 0.04 * 96
    rounding = 0.5 * 96 / 256  # of the size that is sampled
    assert (low > room - rounding).all() and (high < size - room + rounding).all()
    assert np.min(size - 2 * room - (high - low)) == pytest.approx(0, abs=2 * rounding)
    np.testing.assert_allclose((low + high) / 2, size / 2, atol=rounding)


def test_a_turning_vehicle_keeps_its_scale_and_stays_inside():
    (place,) = colour_grid(Wanted(styles=("one_box",), colours=("red",)), "style").places[0]
    scenes = show(place, 0, SHOWING, [0.0, 90.0, 180.0, 340.0])
    np.testing.assert_allclose([azimuth_of(s) for s in scenes], [35, 125, 215, 15], atol=1e-6)
    assert len({(s.camera.fx, s.camera.cx, s.camera.cy) for s in scenes}) == 1
    assert len({s.light for s in scenes}) == 1  # the camera goes around, not the sun
    vertices = vehicle_vertices(build_vehicle(scenes[0].vehicle))
    for scene in scenes:
        pixels, _ = camera.project(vertices, scene.camera.pose, scene.camera.intrinsics)
        assert (pixels > 0).all() and (pixels < [96, round(96 * ASPECT)]).all()


def test_views_are_names_or_angles():
    assert parse_view("rear-right") == VIEWS["rear-right"]
    assert parse_view("-30:12.5") == (-30.0, 12.5)
    with pytest.raises(ConfigError, match=r"--view: expected one of .*'sid' \(did you mean 'side'"):
        parse_view("sid")
    for text in ("1:2:3", "1:", "400:10", "10:90", "nan:10"):
        with pytest.raises(ConfigError, match=f"--view: expected .*'{text}'"):
            parse_view(text)


def test_pictures_lie_in_even_cells_with_captions_around():
    pictures = [[np.full((30, 50, 3), 10 * (3 * r + c + 1), np.uint8) for c in range(3)]
                for r in range(2)]  # fmt: skip
    sheet = draw_sheet(pictures, ["one", "two"], ["a", "b", "c"], [["x"] * 3] * 2)
    corners = {}
    for shade in range(10, 70, 10):
        rows, columns = np.nonzero((sheet == shade).all(axis=2))
        assert np.ptp(rows) == 29 and np.ptp(columns) == 49 and len(rows) == 1500
        corners[shade] = (rows.min(), columns.min())
    top, left = corners[10]
    (down, _), (_, right) = corners[40], corners[20]
    for i, shade in enumerate(range(10, 70, 10)):
        expected = (top + i // 3 * (down - top), left + i % 3 * (right - left))
        assert corners[shade] == expected
    assert right - left == 54 and down - top > 34
    ink = (sheet != PAPER).any(axis=2)
    assert ink[top : top + 30, : left - 1].any()  # the row's name
    assert ink[: top - 1, left : left + 50].any()  # the column's
    assert ink[top + 31 : down - 1, left : left + 50].any()  # the picture's
    bare = draw_sheet(pictures, ["one", "two"])
    assert bare.shape[0] < sheet.shape[0]


def test_the_command_shows_what_it_is_asked_for(recorder, tmp_path):
    output = tmp_path / "new" / "sheet.png"
    asked = ["--style", "coupe", "--style", "estate", "--colour", "white", "--colour", "blue"]
    result = preview(output, *asked, "--view", "side", "--identity", 7, "--seed", 3)
    assert result.exit_code == 0 and result.stdout == f"wrote {output}\n"
    shown = [(s.vehicle.style, s.vehicle.colour, s.vehicle.identity) for s in recorder.scenes]
    assert shown == [("coupe", "blue", 7), ("coupe", "white", 7), ("estate", "blue", 7),
                     ("estate", "white", 7)]  # fmt: skip
    np.testing.assert_allclose([azimuth_of(s) for s in recorder.scenes], 90)
    assert {s.seed for s in recorder.scenes} == {3}
    sheet = np.asarray(PIL.Image.open(output))
    places = [np.argwhere((sheet == shade).all(axis=2)).min(axis=0) for shade in (20, 40, 60, 80)]
    assert places[0][0] == places[1][0] < places[2][0] == places[3][0]
    assert places[0][1] == places[2][1] < places[1][1] == places[3][1]


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_turntable_goes_once_around(recorder, tmp_path, suffix):
    output = tmp_path / f"turn{suffix}"
    result = preview(output, "--style", "coupe", "--colour", "red", "--turntable")
    assert result.exit_code == 0
    azimuths = [azimuth_of(s) for s in recorder.scenes]
    np.testing.assert_allclose(azimuths, [(35 + 10 * i) % 360 for i in range(FRAMES)], atol=1e-6)
    if suffix == ".gif":
        film = PIL.Image.open(output)
        assert film.n_frames == FRAMES and film.info["loop"] == 0
        return
    film = cv2.VideoCapture(str(output))
    frames = []
    while (frame := film.read())[0]:
        frames.append(frame[1])
    assert len(frames) == FRAMES
    # The picture's middle has the frame's grey, coarsely, as films go.
    greys = [float(np.median(f[f.shape[0] // 2, -40:-20])) for f in frames]
    np.testing.assert_allclose(greys, [20 * (i + 1) % 256 for i in range(FRAMES)], atol=8)


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        (
            "s.gif",
            [],
            r"--output: expected a sheet that ends in .png or .jpg or .jpeg, got 's",
        ),
        ("s.png", ["--turntable"], r"expected a turntable that ends in .gif or .mp4, got 's.png'"),
        ("s.gif", ["--turntable"], r"--turntable: expected at most 24 vehicles, got \d+; choose"),
        ("s.png", ["--style", "sedna"], r"--style: expected one of"),
    ],
)
def test_what_cannot_be_shown_is_said_before_anything_is_rendered(
    recorder, tmp_path, name, options, error
):
    result = preview(tmp_path / name, *options)
    with pytest.raises(ConfigError, match=error):
        raise result.exception
    assert not recorder.scenes and not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def scene_and_geometry():
    (place,) = colour_grid(Wanted(styles=("hatch5",), colours=("gray",)), "style").places[0]
    (scene,) = show(place, 0, Showing(90.0, 5.0, width=160), [0.0])
    return scene, build_geometry(scene)


def test_parts_and_segments_are_coloured_where_they_are_seen(scene_and_geometry):
    scene, geometry = scene_and_geometry
    parts = geometry.vehicle.parts
    blank = np.full((scene.camera.height, scene.camera.width, 3), 128, dtype=np.uint8)
    seen = part_image(scene.camera, parts)
    hub = geometry.vehicle.keypoints[:2]  # left wheels
    pixels, _ = camera.project(hub, scene.camera.pose, scene.camera.intrinsics)
    for (x, y), end in zip(np.floor(pixels).astype(int), ("rear", "front"), strict=True):
        assert parts[seen[y, x]].name.startswith(f"left_{end}_")
    tinted = overlay_parts(blank, scene, geometry)
    np.testing.assert_array_equal((tinted != blank).any(axis=2), seen >= 0)
    colours: dict[str, set] = {}
    for index in np.unique(seen[seen >= 0]):
        shades = np.unique(tinted[seen == index], axis=0)
        assert len(shades) == 1
        colours.setdefault(parts[index].name, set()).add(tuple(shades[0]))
    assert all(len(shades) == 1 for shades in colours.values())
    assert len(set.union(*colours.values())) > 0.8 * len(colours)
    segmented = (overlay_segments(blank, scene, geometry) != blank).any(axis=2)
    has_segment = np.array([p.segment is not None for p in parts])
    np.testing.assert_array_equal(segmented, np.where(seen >= 0, has_segment[seen], False))


def test_visible_keypoints_are_drawn_green(scene_and_geometry):
    scene, geometry = scene_and_geometry
    blank = np.full((scene.camera.height, scene.camera.width, 3), 128, dtype=np.uint8)
    drawn = overlay_keypoints(blank, scene, geometry)
    pixels, _ = camera.project(
        geometry.vehicle.keypoints[[1, 19]], scene.camera.pose, scene.camera.intrinsics
    )
    left, right = (drawn[int(y), int(x)] for x, y in pixels)
    assert left[1] > 180 and left[0] < 120  # the front wheel on the near side
    assert right[0] > 200 and right[1] > 180 and right[2] < 90  # its partner behind the vehicle


def test_the_raster_renderer_shows_the_colours_that_were_asked_for(tmp_path):
    pytest.importorskip("synth.raster")
    output = tmp_path / "sheet.png"
    asked = ("--style", "hatch3", "--colour", "red", "--colour", "blue", "--view", "side")
    assert preview(output, *asked).exit_code == 0
    sheet = np.asarray(PIL.Image.open(output)).astype(int)
    picture = round(64 * ASPECT)
    pictures = sheet[-picture - 4 : -4]
    red, blue = pictures[:, -136:-72], pictures[:, -68:-4]  # in VeRi's order
    assert (red[..., 0] > red[..., 2] + 40).sum() > 0.1 * picture * 64
    assert (blue[..., 2] > blue[..., 0] + 40).sum() > 0.1 * picture * 64


def test_several_processes_draw_the_same_sheet(tmp_path, monkeypatch):
    pytest.importorskip("synth.raster")
    asked = ("--style", "hatch3", "--style", "tipper_truck", "--colour", "red", "--parts")
    monkeypatch.setattr(assets_preview.os, "sched_getaffinity", lambda _: {0, 1})
    for name, many in (("one.png", 48), ("two.png", 2)):
        monkeypatch.setattr(assets_preview, "_MANY", many)
        assert preview(tmp_path / name, *asked).exit_code == 0
    one, two = (np.asarray(PIL.Image.open(tmp_path / name)) for name in ("one.png", "two.png"))
    np.testing.assert_array_equal(one, two)


def test_export_writes_the_vehicle_and_refuses_other_names(tmp_path):
    output = tmp_path / "new" / "v.glb"
    result = invoke("export", "--glb", output, "--style", "flatbed", "--identity", 9)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"wrote {output}: flatbed 9, ")
    assert output.read_bytes()[:4] == b"glTF"
    result = invoke("export", "--glb", tmp_path / "v.obj")
    with pytest.raises(ConfigError, match=r"--glb: expected a file name that ends in .glb, got 'v"):
        raise result.exception
