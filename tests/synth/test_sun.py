"""The sun against spherical geometry worked by hand, and how its light and the sky's fall off."""

from __future__ import annotations

import numpy as np
import pytest

from synth.sun import black_body, skylight, solar_position, sunlight

JUNE, DECEMBER, MARCH = 172, 355, 80


@pytest.mark.parametrize(
    ("day", "latitude", "elevation", "azimuth"),
    [
        (MARCH, 38.0, 52.0, 180.0),
        (JUNE, 40.0, 73.44, 180.0),
        (DECEMBER, 40.0, 26.56, 180.0),
        (DECEMBER, -35.0, 78.44, 0.0),
        (JUNE, 10.0, 76.56, 0.0),
    ],
)
def test_noon_is_as_high_as_latitude_and_tilt_make_it(day, latitude, elevation, azimuth):
    found = solar_position(12.0, day, latitude)
    assert found[0] == pytest.approx(elevation, abs=0.5)
    assert (found[1] - azimuth + 180) % 360 == pytest.approx(180, abs=0.1)


def test_the_longest_day_in_the_morning_by_the_textbooks_formula():
    """sin h = sin(lat) sin(dec) + cos(lat) cos(dec) cos(45 deg) with dec 23.44 deg: 48.8 deg."""
    lat, dec = np.radians([40.0, 23.44])
    high = np.sin(lat) * np.sin(dec) + np.cos(lat) * np.cos(dec) * np.cos(np.pi / 4)
    elevation, azimuth = solar_position(9.0, JUNE, 40.0)
    assert elevation == pytest.approx(np.degrees(np.arcsin(high)), abs=0.1)
    # sin(azimuth) = cos(dec) sin(45 deg) / cos(h), to the east.
    east = np.cos(dec) * np.sin(np.pi / 4) / np.cos(np.arcsin(high))
    assert np.sin(np.radians(azimuth)) == pytest.approx(east, abs=0.005)
    evening, west = solar_position(15.0, JUNE, 40.0)
    assert evening == pytest.approx(elevation, abs=0.05)
    assert west == pytest.approx(360 - azimuth, abs=0.1)


@pytest.mark.parametrize(("day", "tilt"), [(JUNE, 23.44), (DECEMBER, -23.44), (MARCH, -0.4)])
def test_the_sun_sets_where_the_sunset_equation_says(day, tilt):
    hour = np.degrees(np.arccos(-np.tan(np.radians(45)) * np.tan(np.radians(tilt)))) / 15
    assert solar_position(12 + hour, day, 45.0)[0] == pytest.approx(0, abs=0.4)
    assert solar_position(12 + hour + 0.5, day, 45.0)[0] < -2


def test_sunlight_gets_weaker_and_redder_towards_the_horizon():
    shares, colours = zip(*(sunlight(e) for e in (1, 3, 8, 20, 60)), strict=True)
    assert list(shares) == sorted(shares)
    blues = [colour[2] for colour in colours]
    assert blues == sorted(blues) and colours[-1] == pytest.approx((1, 1, 1))
    assert colours[0][0] == 1 > colours[0][1] > colours[0][2]
    # Straight up: Rayleigh 0.0973 and haze 0.08 * 0.55^-1.3 = 0.174 at 550 nm.
    assert sunlight(90)[0] == pytest.approx(np.exp(-0.0973 - 0.174), rel=0.02)
    assert sunlight(0)[0] == sunlight(-5)[0] == 0


def test_the_sky_dims_and_turns_blue_at_dusk():
    levels = [np.mean(skylight(e)) for e in (-18, -9, -6, -3, 0, 5, 12, 40)]
    assert levels == sorted(levels) and levels[-1] == 1
    assert levels[1] < 0.04
    red, _, blue = skylight(-5)
    assert blue > 1.5 * red
    assert all(0 <= channel <= 1 for e in range(-90, 91, 3) for channel in skylight(e))


def test_lamps_have_the_colour_of_their_temperature():
    sodium, diode = black_body(2000), black_body(4000)
    assert sodium[0] == diode[0] == 1
    assert sodium[2] < 0.1 < diode[2]
