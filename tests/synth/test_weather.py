"""Weather: which amounts take part, exact distances for the fog, and what stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import POLE, VEHICLE, make_scene

from pamtri import camera
from pamtri.config import parse_config
from render_assets.materials import Material
from render_assets.vehicle import build_vehicle
from synth.air import add_air, scene_distance
from synth.config import SynthConfig
from synth.daylight import dusk_level, shade
from synth.geometry import build_geometry
from synth.labels import label_scene
from synth.sampling import sample_scene
from synth.scene import WeatherSpec
from synth.weather import in_weather, rain_visibility

REST = build_vehicle(VEHICLE)
KINDS = ("dry", "wet", "rain", "fog", "snow", "dust")


def sampled(count=1, **weather):
    config = {"name": "t", "identities": count, "images_per_identity": 2, "weather": weather}
    config = parse_config(config, SynthConfig, source="test")
    return [sample_scene(config, 0, i) for i in range(2 * count)]


def grey(scene, value=90):
    return np.full((scene.camera.height, scene.camera.width, 3), value, np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_own_amounts_and_changes_nothing_else(kind):
    has = {
        "dry": set(),
        "wet": {"wetness", "puddles"},
        "rain": {"wetness", "puddles", "rain_mm_h", "haze", "visibility_m", "cloud"},
        "fog": {"visibility_m", "haze", "wetness", "cloud"},
        "snow": {"snow", "wetness", "visibility_m", "cloud"},
        "dust": {"visibility_m", "haze", "dirt"},
    }[kind]
    plain = sampled()
    for before, after in zip(plain, sampled(kind=kind), strict=True):
        weather, clear = after.weather, WeatherSpec()
        differing = {
            n for n in type(clear).model_fields if getattr(weather, n) != getattr(clear, n)
        }
        assert differing - {"kind", "seed"} == has
        assert after.model_copy(update={"weather": before.weather}) == before


def test_freezing_the_fogs_density_leaves_the_days_that_have_fog():
    kinds = {"kind": "choice", "values": list(KINDS)}
    a, b = sampled(12, kind=kinds), sampled(12, kind=kinds, visibility_m=77)
    assert [s.weather.kind for s in a] == [s.weather.kind for s in b]
    assert len({s.weather.kind for s in a}) > 3
    assert {s.weather.visibility_m for s in b if s.weather.kind == "fog"} == {77}
    clear = {"visibility_m": None}
    for x, y in zip(a, b, strict=True):
        assert x.weather.model_copy(update=clear) == y.weather.model_copy(update=clear)


def test_rain_dims_as_atlas_measured():
    """0.25 R^0.63 a kilometre: 10 mm an hour leave 34 % of a contrast over a kilometre."""
    assert np.exp(-3.912 * 1000 / rain_visibility(10.0)) == pytest.approx(0.344, abs=0.002)
    assert rain_visibility(0.0) is None


def test_distances_are_those_of_the_labels_and_of_the_plane():
    scene = make_scene(azimuth_deg=23.0, elevation_deg=20.0, occluders=(POLE,))
    geometry = build_geometry(scene)
    found = scene_distance(scene, geometry)
    labels, view = label_scene(scene, geometry), scene.camera
    y, x = np.indices(found.shape) + 0.5
    rays = camera.rays(np.stack([x.ravel(), y.ravel()], 1), view.intrinsics)
    length = np.linalg.norm(rays, axis=1).reshape(found.shape)
    own = labels.mask
    assert found[own] == pytest.approx((labels.depth * length)[own], rel=1e-5)
    # The lowest row shows ground: those points have height 0.
    row = np.stack([x[-1], y[-1]], 1)[:30]
    depth = (found[-1] / length[-1])[:30]
    assert camera.unproject(row, depth, view.pose, view.intrinsics)[:, 2] == pytest.approx(
        np.zeros(len(row)), abs=1e-6
    )
    assert not own[-1].any()
    hidden = labels.mask_amodal & ~labels.mask
    assert hidden.any() and (found[hidden] < found[own].max()).all()


def test_clear_air_returns_the_picture_itself():
    scene = make_scene()
    picture = grey(scene)
    assert add_air(picture, scene, build_geometry(scene)) is picture


def test_fog_follows_koschmieders_law():
    """Black shows the air's light times the share that is lost, whatever the air's light is."""
    scene = make_scene(azimuth_deg=50.0, elevation_deg=20.0)
    scene = scene.model_copy(update={"weather": WeatherSpec(kind="fog", visibility_m=30.0)})
    geometry = build_geometry(scene)
    picture = grey(scene, 0)
    picture[:, ::2] = 150
    seen = add_air(picture, scene, geometry)[..., 1] / 255
    linear = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
    lost = 1 - np.exp(-3.912 * scene_distance(scene, geometry) / 30.0)
    black = np.zeros(seen.shape, bool)
    black[:, 1::2] = True
    air = linear[black] / lost[black]
    assert air == pytest.approx(np.full(air.shape, np.median(air)), rel=0.04)
    bright = linear[:, ::2]
    light = (150 / 255 + 0.055) ** 2.4 / 1.055**2.4
    expected = light * (1 - lost[:, ::2]) + np.median(air) * lost[:, ::2]
    assert bright == pytest.approx(expected, rel=0.04)
    assert 0.3 < lost[black].mean() < 0.9


def test_rain_is_faint_its_seeds_own_and_everywhere():
    scene = make_scene(size=160)
    geometry = build_geometry(scene)

    def rain(seed, amount=12.0):
        weather = WeatherSpec(kind="rain", rain_mm_h=amount, seed=seed)
        wet = scene.model_copy(update={"weather": weather})
        return add_air(grey(scene), wet, geometry).astype(int)

    first = rain(0)
    assert np.array_equal(first, rain(0)) and not np.array_equal(first, rain(1))
    change = np.abs(first - 90).max(axis=2)
    assert 0.5 < change.mean() < 12
    half = change.shape[1] // 2
    assert (change[:, :half] > 2).any() and (change[:, half:] > 2).any()
    assert np.abs(rain(0, 2.0) - 90).mean() < np.abs(first - 90).mean()


def test_spray_is_behind_the_wheels_and_not_before_the_windows():
    scene = make_scene(azimuth_deg=90.0, elevation_deg=5.0, size=160)
    geometry = build_geometry(scene)
    wet = scene.model_copy(update={"weather": WeatherSpec(kind="wet", spray=1.0)})
    picture = grey(scene, 30)
    picture[: len(picture) // 4] = 200  # the sky
    change = np.abs(add_air(picture, wet, geometry).astype(int) - picture).max(axis=2)
    points = np.array([[-VEHICLE.shape.wheelbase / 2 - 0.6, 0.8, 0.2], [0.6, 0.0, 1.2]])
    pixels, _ = camera.project(points, scene.camera.pose, scene.camera.intrinsics)
    (bx, by), (wx, wy) = pixels.astype(int)
    assert change[by, bx] > 15 > 3 >= change[wy, wx]


def test_snow_and_dust_lie_on_the_outside_only():
    snowy = in_weather(REST, WeatherSpec(kind="snow", snow=0.8))
    white = {n for n, m in snowy.materials.items() if m.snow}
    assert {"paint", "glass"} <= white
    assert not white & {"seat", "door_trim", "tyre", "interior", "headliner", "alloy"}
    assert snowy.parts is REST.parts and np.array_equal(snowy.keypoints, REST.keypoints)
    dusty = in_weather(REST, WeatherSpec(kind="dust", dirt=0.9))
    assert dusty.materials["paint"].dirt.amount == pytest.approx(0.9)
    assert dusty.materials["tyre"].dirt.amount == pytest.approx(0.4 * 0.9)
    assert dusty.materials["seat"].dirt is None
    assert in_weather(REST, WeatherSpec()) is REST
    own = REST.spec.marks.dirt
    kept = in_weather(REST, WeatherSpec(kind="dust", dirt=own / 2)).materials["paint"].dirt
    assert kept == REST.materials["paint"].dirt


def test_the_preview_whitens_what_faces_up():
    normals = np.array([[0.0, 0, 1], [0, 1, 0]])
    points, eye, sun = np.ones((2, 3)), np.array([5.0, 5, 9]), np.array([0.0, 0, 1])
    paint = Material((0.05, 0.05, 0.05), roughness=1.0)
    white = Material((0.05, 0.05, 0.05), roughness=1.0, snow=1.0)
    before, after = (shade(points, normals, [(m, 2)], eye, sun) for m in (paint, white))
    assert after[0].min() > 5 * before[0].max()
    assert after[1] == pytest.approx(before[1])


def test_the_preview_dims_at_night_but_for_lamps():
    normals, points = np.array([[0.0, 0, 1]]), np.ones((1, 3))
    eye, sun = np.array([5.0, 5, 9]), np.array([0.0, 0, 1])
    paint = Material((0.3, 0.3, 0.3), roughness=1.0)
    lamp = Material((0.0, 0.0, 0.0), roughness=1.0, emission=(0.9, 0.0, 0.0))
    day, night = dusk_level((1.0, 1.0, 1.0)), dusk_level((0.01, 0.01, 0.02))
    assert day == pytest.approx([1, 1, 1])
    assert shade(points, normals, [(paint, 1)], eye, sun, night) == pytest.approx(
        night * shade(points, normals, [(paint, 1)], eye, sun, day)
    )
    assert night.max() < 0.4 and night[2] > night[0]
    assert shade(points, normals, [(lamp, 1)], eye, sun, night)[0, 0] >= 0.9
