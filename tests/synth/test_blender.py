"""Cycles against hand-computed pixels, the labels, and an independent ray cast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scenes import LENS, POLE, VEHICLE, cube_geometry, cube_part, make_scene, view_camera

from pamtri import camera
from pamtri.errors import ConfigError
from render_assets.materials import Material
from render_assets.occluders import Body
from render_assets.spec import sample_vehicle
from render_assets.vehicle import build_vehicle
from synth.geometry import build_geometry, vehicle_vertices
from synth.labels import SKIN_TOLERANCE, label_scene
from synth.scene import (
    LampSpec,
    LightSpec,
    ShadowSpec,
    SkySpec,
    StateSpec,
    SunSpec,
    WeatherSpec,
)

pytest.importorskip("bpy")
pytestmark = pytest.mark.blender

DARK = LightSpec(hdri="forest.exr", rotation_deg=0.0, strength=0.0)
BLACK = Material((0.0, 0.0, 0.0), roughness=1.0)


@pytest.fixture(scope="module")
def renderer():
    from synth.blender.renderer import BlenderRenderer

    return BlenderRenderer(device="cpu", threads=2)


@pytest.fixture
def witness(renderer):
    """Renders scenes whose vehicle glows before black: linear coverage (h, w) in 0..1."""
    from synth.blender.world import metered_exposure

    glow = 1 / metered_exposure(DARK)
    white = Material((0.0, 0.0, 0.0), roughness=1.0, emission=(glow, glow, glow))
    scene = renderer._scene
    transform = scene.view_settings.view_transform

    def coverage(spec, geometry, samples=16):
        black = {
            "light": DARK,
            "backdrop": spec.backdrop.model_copy(update={"colour": (0.0, 0.0, 0.0)}),
            "ground": spec.ground.model_copy(update={"colour": (0.0, 0.0, 0.0), "roughness": 1.0}),
            "samples": samples,
        }
        vehicle = geometry.vehicle
        vehicle = replace(vehicle, materials=dict.fromkeys(vehicle.materials, white))
        others = tuple(Body(b.parts, dict.fromkeys(b.materials, BLACK)) for b in geometry.occluders)
        geometry = replace(geometry, vehicle=vehicle, occluders=others)
        image = renderer.render(spec.model_copy(update=black), geometry)
        return image[..., 0] / 255

    scene.view_settings.look = "None"
    scene.view_settings.view_transform = "Raw"
    scene.cycles.use_denoising = False
    pixel_filter = scene.cycles.pixel_filter_type, scene.cycles.filter_width
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 1.0
    yield coverage
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = pixel_filter
    scene.cycles.use_denoising = True
    scene.view_settings.view_transform = transform
    scene.view_settings.look = "Medium High Contrast"


@pytest.mark.parametrize("distortion", [camera.NO_DISTORTION, LENS])
@pytest.mark.parametrize(("fx", "fy", "cx", "cy"), [(300, 300, 60, 50), (280, 350, 20.3, 111.7)])
def test_known_cubes_land_on_their_pixels(witness, distortion, fx, fy, cx, cy):
    """Five small cubes; the expected pixels are those of the lens formula written out here."""
    rotation = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])  # looks along -x
    translation = -rotation @ np.array([10.0, 0.0, 3.0])
    view = make_scene().camera.model_copy(
        update={
            "width": 120,
            "height": 100,
            "fx": fx,
            "fy": fy,
            "cx": cx,
            "cy": cy,
            "distortion": distortion,
            "rotation": rotation.tolist(),
            "translation": translation.tolist(),
        }
    )
    k1, k2, p1, p2, k3 = distortion
    for u, v in ((12, 10), (108, 14), (55, 47), (15, 86), (106, 90)):
        a, b = (u - cx) / fx, (v - cy) / fy
        middle = np.array([0.0, 10 * a, 3.0 - 10 * b])
        half = np.array([0.05, 0.05, 0.05])
        cube = cube_geometry(cube_part(tuple(middle - half), tuple(middle + half)))
        image = witness(make_scene(view), cube, samples=128)
        corners = middle + half * np.array(
            [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
        )
        x, y, z = rotation @ corners.T + translation[:, None]
        x, y = x / z, y / z
        r = x**2 + y**2
        radial = 1 + k1 * r + k2 * r**2 + k3 * r**3
        px = fx * (x * radial + 2 * p1 * x * y + p2 * (r + 2 * x**2)) + cx
        py = fy * (y * radial + p1 * (r + 2 * y**2) + 2 * p2 * x * y) + cy
        area = image.sum()
        yy, xx = np.mgrid[:100, :120] + 0.5
        found = (xx * image).sum() / area, (yy * image).sum() / area
        centroid, expected = _outline(np.stack([px, py], axis=1))
        np.testing.assert_allclose(found, centroid, atol=0.05)
        # What resampling through the lens makes darker than black is cut off.
        assert area == pytest.approx(expected, rel=0.1 if any(distortion) else 0.02)


def _outline(points):
    """Centroid and area of the convex hull of pixels (n, 2)."""
    from scipy.spatial import Delaunay

    corners = points[Delaunay(points).simplices]
    a, b = (corners[:, k] - corners[:, 0] for k in (1, 2))
    areas = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    centroid = (corners.mean(axis=1) * areas[:, None]).sum(axis=0) / areas.sum()
    return centroid, areas.sum() / 2


@pytest.mark.parametrize(
    ("azimuth_deg", "distortion"),
    [(20.0, camera.NO_DISTORTION), (115.0, LENS), (200.0, camera.NO_DISTORTION), (310.0, LENS)],
)
def test_masks_are_those_of_the_labels(witness, azimuth_deg, distortion):
    spec = make_scene(
        occluders=(POLE,), azimuth_deg=azimuth_deg, distortion=distortion, roll_deg=4.0, size=128
    )
    geometry = build_geometry(spec)
    seen = witness(spec, geometry) > 0.5
    mask = label_scene(spec, geometry).mask
    assert (seen & mask).sum() / (seen | mask).sum() > 0.98


def test_masks_follow_the_vehicles_state_and_it_leaves_no_trace(witness):
    plain = make_scene(azimuth_deg=35.0, size=128)
    state = StateSpec(steer_deg=30.0, pitch_deg=3.0, roll_deg=-4.0)
    leaning = plain.model_copy(update={"state": state})
    masks = []
    for spec in (plain, leaning, plain):
        geometry = build_geometry(spec)
        seen = witness(spec, geometry) > 0.5
        mask = label_scene(spec, geometry).mask
        assert (seen & mask).sum() / (seen | mask).sum() > 0.98
        masks.append(seen)
    assert np.array_equal(masks[0], masks[2])
    assert (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum() < 0.97


def test_wet_ground_is_darker_snow_is_white_and_a_dry_day_leaves_no_trace(renderer):
    scene = make_scene(azimuth_deg=60.0, elevation_deg=35.0, size=64)
    ground = scene.ground.model_copy(update={"colour": (0.2, 0.2, 0.2)})
    scene = scene.model_copy(update={"ground": ground, "samples": 8})
    mask = label_scene(scene, build_geometry(scene)).mask_amodal

    def seen(**weather):
        spec = scene.model_copy(update={"weather": WeatherSpec(**weather)})
        return renderer.render(spec, build_geometry(spec)).astype(int)

    dry = seen()
    off = ~mask
    off[: len(off) // 2] = False  # the sky's reflection is strongest far away
    assert seen(kind="wet", wetness=1.0)[off].mean() < 0.9 * dry[off].mean()
    snow = seen(kind="snow", snow=1.0)
    assert snow[off].mean() > 1.4 * dry[off].mean()
    assert np.array_equal(seen(), dry)


@pytest.fixture
def linear(renderer):
    """Renders scenes as scene-linear light, W/m2 a steradian, without the denoiser."""
    from synth.blender.world import metered_exposure

    scene = renderer._scene
    transform, look = scene.view_settings.view_transform, scene.view_settings.look
    scene.view_settings.look, scene.view_settings.view_transform = "None", "Raw"
    scene.cycles.use_denoising = False

    def radiance(spec):
        image = renderer.render(spec, build_geometry(spec)) / 255
        return image / metered_exposure(spec.light)

    yield radiance
    scene.cycles.use_denoising = True
    scene.view_settings.view_transform, scene.view_settings.look = transform, look


def test_a_street_lamp_casts_its_strength_on_the_ground_below(linear):
    """Matt ground of albedo 0.5 sends back E / 2 pi; the camera sees it beside the car."""
    lamp = LampSpec(position=(3.5, -3.5, 8.0), strength=0.4, colour=(1.0, 1.0, 1.0))
    scene = make_scene(azimuth_deg=45.0, elevation_deg=35.0, distance=30.0, size=64, margin=4.0)
    light = DARK.model_copy(update={"lamps": (lamp,)})
    ground = scene.ground.model_copy(update={"colour": (0.5, 0.5, 0.5), "roughness": 1.0})
    scene = scene.model_copy(update={"light": light, "ground": ground, "samples": 64})
    seen = linear(scene)[..., 1]
    pixel, _ = camera.project(
        np.array([[3.5, -3.5, 0.0]]), scene.camera.pose, scene.camera.intrinsics
    )
    x, y = pixel[0].astype(int)
    found = seen[y - 1 : y + 2, x - 1 : x + 2].mean()
    assert found == pytest.approx(0.4 * 0.5 / np.pi, rel=0.12)  # a shine comes on top
    assert not linear(scene.model_copy(update={"light": DARK})).any()


def test_head_lights_light_the_road_ahead_and_a_shade_takes_the_sun(linear):
    scene = make_scene(azimuth_deg=90.0, elevation_deg=30.0, size=96, margin=3.0)
    ground = scene.ground.model_copy(update={"colour": (0.2, 0.2, 0.2), "roughness": 1.0})
    scene = scene.model_copy(update={"ground": ground, "samples": 16})
    places = np.array([[5.0, 0.0, 0.0], [-5.0, 0.0, 0.0]])
    pixels, _ = camera.project(places, scene.camera.pose, scene.camera.intrinsics)
    plain = linear(scene)
    lit = linear(scene.model_copy(update={"state": StateSpec(head_lights=True)}))
    gain = (lit - plain)[..., 1]
    ahead, behind = (gain[y - 4 : y + 5, x - 4 : x + 5].mean() for x, y in pixels.astype(int))
    assert ahead > 0.05 and abs(behind) < 0.01
    assert np.abs(linear(scene) - plain).max() < 0.01  # and they go out again

    sun = SunSpec(azimuth_deg=90, elevation_deg=50, strength=3, angle_deg=0.5, colour=(1, 1, 1))
    sunny = scene.model_copy(update={"light": scene.light.model_copy(update={"sun": sun})})
    shade = ShadowSpec(kind="tree", offset=(0.0, 0.0), seed=1)
    shady = sunny.light.model_copy(update={"shadow": shade})
    open_air, shaded = linear(sunny), linear(sunny.model_copy(update={"light": shady}))
    change = open_air.mean(axis=2) - shaded.mean(axis=2)
    assert (change > 0.05).mean() > 0.02 and (np.abs(change) < 0.02).mean() > 0.3


def test_visibility_is_that_of_an_independent_ray_cast():
    """Blender's own tree of triangles, double precision origins, 20 viewpoints."""
    from mathutils.bvhtree import BVHTree

    vehicle = build_vehicle(VEHICLE)
    starts = np.cumsum([0] + [len(p.vertices) for p in vehicle.parts[:-1]])
    faces = np.concatenate([p.faces + s for p, s in zip(vehicle.parts, starts, strict=True)])
    tree = BVHTree.FromPolygons(vehicle_vertices(vehicle).tolist(), faces.tolist())
    agree = []
    for azimuth_deg in np.arange(7.0, 360.0, 18.0):
        spec = make_scene(azimuth_deg=azimuth_deg, elevation_deg=5 + azimuth_deg / 10)
        labels = label_scene(spec, build_geometry(spec))
        eye = spec.camera.pose.centre
        for point, letter in zip(vehicle.keypoints, labels.keypoints.visibility, strict=True):
            line = point - eye
            length = np.linalg.norm(line)
            hit = tree.ray_cast(eye.tolist(), (line / length).tolist())[3]
            hidden = hit is not None and hit < length - SKIN_TOLERANCE
            agree.append(hidden == (letter == "s"))
    assert np.mean(agree) >= 0.995


def test_the_same_spec_gives_the_same_pixels_whatever_came_before(renderer):
    first = make_scene(size=64)
    other = make_scene(
        occluders=(POLE,), backdrop="street", azimuth_deg=200.0, size=48, distortion=LENS, index=1
    )
    other = other.model_copy(
        update={"light": LightSpec(hdri="sunset.exr", rotation_deg=80.0, strength=2.0)}
    )
    before = renderer.render(first, build_geometry(first))
    between = renderer.render(other, build_geometry(other))
    np.testing.assert_array_equal(renderer.render(first, build_geometry(first)), before)
    np.testing.assert_array_equal(renderer.render(other, build_geometry(other)), between)
    assert before.shape == (first.camera.height, first.camera.width, 3)


def test_another_index_has_other_noise(renderer):
    one, two = make_scene(size=48, index=0), make_scene(size=48, index=1)
    first, second = (renderer.render(s, build_geometry(s)) for s in (one, two))
    assert not np.array_equal(first, second)
    assert first.mean() == pytest.approx(second.mean(), abs=3)


def test_nothing_is_left_behind(renderer):
    import bpy

    from synth.blender import renderer as module

    def count():
        kinds = (bpy.data.meshes, bpy.data.objects, bpy.data.materials, bpy.data.images)
        return [len(kind) for kind in kinds]

    spec = make_scene(occluders=(POLE,), backdrop="street", size=32)
    renderer.render(spec, build_geometry(spec))
    before = count()
    for seed in range(1, 4):
        pole = POLE.model_copy(update={"colour": (0.1 * seed, 0.2, 0.3)})
        backdrop = spec.backdrop.model_copy(update={"seed": seed})
        again = spec.model_copy(update={"occluders": (pole,), "backdrop": backdrop})
        renderer.render(again, build_geometry(again))
    assert count() == before
    for _ in range(module._KEPT_VEHICLES + 2):
        renderer.render(make_scene(size=16), cube_geometry(cube_part((0, 0, 0), (1, 1, 1))))
    assert len(renderer._vehicles) == module._KEPT_VEHICLES


def test_the_vehicle_darkens_the_ground_beneath(renderer):
    spec = make_scene(azimuth_deg=90.0, elevation_deg=12.0, size=96, margin=1.5)
    geometry = build_geometry(spec)
    picture = renderer.render(spec, geometry).astype(float).mean(axis=2)
    near, _ = camera.project(
        [[0.0, 0.6, 0.0], [0.0, 4.0, 0.0]], spec.camera.pose, spec.camera.intrinsics
    )
    near = near.astype(int)
    near[1, 1] = min(near[1, 1], picture.shape[0] - 3)
    under, beside = (picture[y - 1 : y + 2, x - 3 : x + 4].mean() for x, y in near)
    assert under < 0.6 * beside


def test_metering_follows_the_light_but_not_all_the_way(renderer):
    from synth.blender.world import metered_exposure

    light = make_scene().light
    brighter = light.model_copy(update={"strength": 4.0})
    ratio = metered_exposure(light) / metered_exposure(brighter)
    assert 2 < ratio < 4


def test_an_unknown_map_is_named(renderer):
    spec = make_scene()
    spec = spec.model_copy(update={"light": spec.light.model_copy(update={"hdri": "moon.exr"})})
    with pytest.raises(ConfigError, match=r"unknown environment map 'moon.exr' \(known: city.exr"):
        renderer.render(spec, build_geometry(spec))


def test_an_unknown_device_is_named(renderer):
    from synth.blender.devices import choose_device

    with pytest.raises(ConfigError, match=r"unknown render device 'tpu' \(known: auto, cpu, gpu\)"):
        choose_device("tpu")
    assert choose_device("cpu") == "CPU"


def test_the_lens_picture_is_the_straight_one_resampled(renderer):
    """With a lens too weak to move anything by 0.01 pixels the picture is the pinhole's."""
    view = view_camera(vehicle_vertices(build_vehicle(VEHICLE)), size=64)
    weak = view.model_copy(update={"distortion": (1e-7, 0.0, 0.0, 0.0, 0.0)})
    straight, bent = (make_scene(v).model_copy(update={"samples": 64}) for v in (view, weak))
    a, b = (renderer.render(s, build_geometry(s)).astype(int) for s in (straight, bent))
    assert a.shape == b.shape
    assert np.abs(a - b).mean() < 4


def test_dirt_shows_low_down(renderer) -> None:
    """White paint seen from the left: dirt darkens a door's lower edge, and its upper far less."""
    white = sample_vehicle(0, 3, styles={"notchback": 1.0}, colours={"white": 1.0})
    pictures = {}
    for dirt in (0.0, 0.9):
        marks = white.marks.model_copy(update={"dirt": dirt, "dirt_seed": 4})
        vehicle = white.model_copy(update={"marks": marks})
        view = view_camera(vehicle_vertices(build_vehicle(vehicle)), 90.0, 5.0, size=160)
        spec = make_scene(view).model_copy(update={"vehicle": vehicle, "samples": 32})
        geometry = build_geometry(spec)
        pictures[dirt] = renderer.render(spec, geometry).mean(axis=2)
    parts = {p.name: p for p in geometry.vehicle.parts}
    change = pictures[0.9] - pictures[0.0]

    def around(point: np.ndarray) -> float:
        pixels, _ = camera.project(point[None], spec.camera.pose, spec.camera.intrinsics)
        u, v = pixels[0].astype(int).tolist()
        return float(change[v - 2 : v + 3, u - 2 : u + 3].mean())

    door = parts["left_doors"].vertices
    low = door[np.argmin(door[:, 2])] + np.array([0, 0, 0.06])
    high = door[np.argmax(door[:, 2])] - np.array([0, 0, 0.08])
    assert around(low) < -20
    assert around(low) < around(high) - 10


@pytest.mark.parametrize("sun_azimuth", [0.0, 110.0, 250.0])
def test_a_made_sky_stands_where_its_sun_does(renderer, sun_azimuth: float) -> None:
    """A camera that looks 25 degrees to the right of the sun sees the brighter sky on its left."""
    sun = SunSpec(
        azimuth_deg=sun_azimuth, elevation_deg=12, strength=0, angle_deg=1, colour=(1, 1, 1)
    )
    sky = SkySpec(clouds=0.0, seed=4)
    light = LightSpec(hdri="sky", sky=sky, rotation_deg=77.0, strength=1.0, sun=sun)
    for turn, brighter in ((-25.0, "left"), (25.0, "right")):
        # It looks away from where it stands.
        view = view_camera(
            vehicle_vertices(build_vehicle(VEHICLE)), sun_azimuth + turn + 180, 1.0, margin=4.0
        )
        spec = make_scene(view, backdrop="hdri").model_copy(update={"light": light})
        image = renderer.render(spec, build_geometry(spec))[: view.height // 8].astype(float)
        left, right = (half.mean() for half in np.split(image[:, : view.width // 2 * 2], 2, axis=1))
        assert (left > right + 3) == (brighter == "left"), (left, right)
        assert (right > left + 3) == (brighter == "right"), (left, right)
