"""Dusk and night in the scene: what time decides, lamps, clouds, and shadows of unseen things."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri.config import parse_config
from synth.config import SynthConfig
from synth.labels import RayTarget
from synth.night import lamp_irradiance
from synth.sampling import sample_scene
from synth.scene import LampSpec, LightSpec, ShadowSpec, SkySpec, SunSpec, WeatherSpec
from synth.shadows import build_shade
from synth.weather import clouded

MARCH = {"probability": 1, "day_of_year": 80, "latitude_deg": 38.0}


def scenes(count=4, **changes):
    config = {"name": "t", "identities": count, "images_per_identity": 1, **changes}
    config = parse_config(config, SynthConfig, source="test")
    return [sample_scene(config, 0, i) for i in range(count)]


def at(hour, heading=0, **light):
    time = {"hour": hour, "heading_deg": heading, **MARCH}
    return scenes(1, light={"time": time, **light})[0]


@pytest.mark.parametrize(("heading", "azimuth"), [(180, 0), (90, 270), (270, 90), (0, 180)])
def test_the_noon_sun_stands_in_the_south_however_the_vehicle_heads(heading, azimuth):
    """Heading east, the south is on the right: 270 degrees, as cameras count."""
    sun = at(12, heading).light.sun
    assert (sun.azimuth_deg - azimuth + 180) % 360 == pytest.approx(180, abs=0.2)
    assert sun.elevation_deg == pytest.approx(52, abs=0.5)


def test_the_low_sun_is_red_and_weak_and_the_set_sun_is_none():
    noon, low, night = (at(h).light for h in (12, 17.6, 21))
    assert low.sun.strength < 0.3 * noon.sun.strength
    assert low.sun.colour[2] < 0.6 < noon.sun.colour[2]
    assert night.sun is None and max(night.dusk) < 0.03
    assert noon.dusk == (1, 1, 1) and night.time.sun_elevation_deg < -20


def test_lights_go_on_in_the_dark_unless_the_state_says_otherwise():
    lamps = {"street_lamps": {"probability": 1}}
    day, night = at(12, **lamps), at(21, **lamps)
    assert day.state.head_lights is None and not day.light.lamps
    assert night.state.head_lights is True and night.light.lamps
    time = {"hour": 21, **MARCH}
    unlit = scenes(1, light={"time": time}, state={"head_lights": 0})[0]
    assert unlit.state.head_lights is False
    without_time = scenes(1, light=lamps)[0]
    assert without_time.light.lamps and without_time.state.head_lights is None


def test_by_default_there_is_neither_hour_nor_lamp_nor_cloud():
    for scene in scenes():
        light = scene.light
        assert light.time is None and light.lamps == () and light.shadow is None
        assert light.dusk == (1, 1, 1) and light.overcast == 0


def test_the_hour_leaves_all_but_the_light_as_it_was():
    plain = scenes()
    timed = scenes(light={"time": {"hour": 10, **MARCH}, "shadow": {"probability": 1}})
    for a, b in zip(plain, timed, strict=True):
        assert b == a.model_copy(update={"light": b.light})
        kept = ("hdri", "rotation_deg", "strength")
        assert all(getattr(a.light, name) == getattr(b.light, name) for name in kept)


def test_more_lamps_leave_the_first_where_they_are():
    def lamps(count):
        return scenes(1, light={"street_lamps": {"probability": 1, "count": count}})[0].light.lamps

    assert len(lamps(1)) == 1 and len(lamps(4)) == 4
    assert lamps(4)[:2] == lamps(2)
    assert len({lamp.position for lamp in lamps(4)}) == 4
    assert all(abs(lamp.position[1]) > 2 for lamp in lamps(4))


def test_lamp_irradiance_is_that_of_a_matt_disc_summed_up():
    """A disc of radius 0.1 m and radiance L: the sum of L cos cos / d^2 over its pieces."""
    lamp = LampSpec(position=(4.0, -2.0, 7.0), strength=0.5, colour=(1, 1, 1))
    area = np.pi * 0.1**2
    radiance = 0.5 * 7.0**2 / area  # so that 0.5 W/m2 fall right below
    r = 0.1 * np.sqrt((np.arange(50) + 0.5) / 50)
    a = 2.4 * np.arange(50)
    pieces = np.stack([4.0 + r * np.cos(a), -2.0 + r * np.sin(a), np.full(50, 7.0)], axis=1)
    distance = np.linalg.norm(pieces, axis=1)
    cosine = 7.0 / distance
    expected = (radiance * cosine**2 / distance**2 * area / 50).sum()
    assert lamp_irradiance((lamp,)) == pytest.approx(expected, rel=1e-3)
    assert lamp_irradiance((lamp, lamp)) == pytest.approx(2 * expected, rel=1e-3)
    assert lamp_irradiance(()) == 0


def test_clouds_take_the_sun_by_their_share_and_close_a_made_sky():
    sun = SunSpec(azimuth_deg=10, elevation_deg=40, strength=4, angle_deg=0.5, colour=(1, 1, 1))
    sky = SkySpec(clouds=0.2, seed=1)
    light = LightSpec(hdri="sky", rotation_deg=0, strength=1, sun=sun, sky=sky)
    assert clouded(light, WeatherSpec()) is light
    half = clouded(light.model_copy(update={"overcast": 0.5}), WeatherSpec(cloud=0.3))
    assert half.sun.strength == pytest.approx(2) and half.sun.angle_deg > 5
    assert half.sky.clouds == 0.5
    closed = clouded(light, WeatherSpec(kind="rain", cloud=0.95))
    assert closed.sun is None and closed.sky.clouds == 0.95


SUN = SunSpec(azimuth_deg=70, elevation_deg=35, strength=4, angle_deg=0.5, colour=(1, 1, 1))


def towards(sun):
    a, e = np.radians([sun.azimuth_deg, sun.elevation_deg])
    return np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])


@pytest.mark.parametrize("seed", range(6))
def test_a_house_shades_one_side_of_its_edge(seed):
    """Rays from points across the light to the sun: shaded on one side, free on the other."""
    shade = RayTarget(
        build_shade(ShadowSpec(kind="building", offset=(1.0, 0.0), seed=seed), SUN).parts
    )
    azimuth = np.radians(SUN.azimuth_deg)
    across = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    hit = []
    for place in (0.9, 1.1):  # the edge leans, but passes through the offset's height
        start = np.array([0.0, 0.0, 0.7]) + place * across
        hit.append(np.isfinite(shade.cast(start, 100 * towards(SUN)[None])[0][0]))
    assert hit in ([True, False], [False, True])


@pytest.mark.parametrize("kind", ["tree", "pole"])
def test_trees_and_poles_shade_some_of_the_light_about_their_offset(kind):
    shade = RayTarget(build_shade(ShadowSpec(kind=kind, offset=(0.5, 0.3), seed=4), SUN).parts)
    azimuth = np.radians(SUN.azimuth_deg)
    across = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    up = np.cross(towards(SUN), across)

    def shaded(middle):
        u, v = np.meshgrid(np.linspace(-1.5, 1.5, 40), np.linspace(-1.5, 1.5, 40))
        starts = np.array([0.0, 0.0, 0.7]) + (middle[0] + u.ravel())[:, None] * across
        starts = starts + (middle[1] + v.ravel())[:, None] * up
        return np.mean([np.isfinite(shade.cast(s, 100 * towards(SUN)[None])[0][0]) for s in starts])

    assert 0.02 < shaded((0.5, 0.3)) < 0.85
    assert shaded((0.5, 0.3)) > 3 * shaded((9.0, 0.3))


def test_a_shade_is_its_seeds_own():
    first, again, other = (
        build_shade(ShadowSpec(kind="tree", offset=(0, 0), seed=s), SUN).parts[0].vertices
        for s in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
