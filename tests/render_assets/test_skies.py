"""Made skies: where the sun is, how much is cloud, how bright."""

import numpy as np
import pytest

from render_assets import skies
from render_assets.skies import HEIGHT, build_sky

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def elevation_of(row):
    return 90 - (row + 0.5) / HEIGHT * 180


def azimuth_of(column):
    return 180 - (column + 0.5) / (2 * HEIGHT) * 360


def test_a_sky_is_a_function_of_its_arguments():
    first = build_sky(3, 0.4, 20.0, 40.0)
    skies.build_sky.cache_clear()
    assert np.array_equal(first, build_sky(3, 0.4, 20.0, 40.0))
    assert not np.array_equal(first, build_sky(4, 0.4, 20.0, 40.0))
    assert first.shape == (HEIGHT, 2 * HEIGHT, 3) and first.dtype == np.float32
    assert np.isfinite(first).all() and (first > 0).all()


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 30), (90, 45), (-120, 60), (170, 35)])
def test_a_clear_sky_is_brightest_around_the_sun(azimuth, elevation):
    bright = build_sky(0, 0.0, azimuth, elevation)[: HEIGHT // 2] @ LUMINANCE
    row, column = np.unravel_index(bright.argmax(), bright.shape)
    assert abs(elevation_of(row) - elevation) < 4
    assert abs((azimuth_of(column) - azimuth + 180) % 360 - 180) < 4


def test_a_clear_sky_has_the_standard_gradation():
    """ISO 15469's type 12 by hand, in a column across from the sun, where there is no glare."""
    sky = build_sky(0, 0.0, 0.0, 20.0)
    column = 0  # azimuth 180
    rows = [int((90 - e) / 180 * HEIGHT) for e in (80, 50)]

    def standard(row):
        height = np.radians(elevation_of(row))
        away = np.radians(180 - 20 - elevation_of(row))
        gradation = 1 - np.exp(-0.32 / np.sin(height))
        indicatrix = 1 + 10 * (np.exp(-3 * away) - np.exp(-1.5 * np.pi)) + 0.45 * np.cos(away) ** 2
        blue = skies._HORIZON + (skies._ZENITH - skies._HORIZON) * np.sin(height) ** 0.45
        glare = 1.5 * np.exp(-4 * away) * skies._GLARE * LUMINANCE
        return gradation * indicatrix, (blue * LUMINANCE).sum(), glare.sum()

    seen = [float(sky[row, column] @ LUMINANCE) for row in rows]
    shares = [standard(row) for row in rows]
    scale = (seen[0] / skies._BRIGHTNESS - shares[0][2]) / (shares[0][0] * shares[0][1])
    expected = skies._BRIGHTNESS * (scale * shares[1][0] * shares[1][1] + shares[1][2])
    assert seen[1] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("clouds", [0.2, 0.5, 0.8])
def test_clouds_cover_their_share(clouds):
    """Cloud is grey where clear sky is blue."""
    sky = build_sky(5, clouds, 0.0, 45.0)[: HEIGHT // 3]
    blueness = sky[..., 2] / sky[..., 0]
    clear = build_sky(5, 0.0, 0.0, 45.0)[: HEIGHT // 3]
    share = (blueness < 1 + 0.5 * (clear[..., 2] / clear[..., 0] - 1)).mean()
    assert abs(share - clouds) < 0.2


def test_skies_are_of_one_brightness():
    """So that a sun's strength means the same under each: 1 to 2 W/m2 on level ground."""
    elevation = np.radians([elevation_of(row) for row in range(HEIGHT // 2)])
    weight = np.sin(elevation) * np.cos(elevation) * (np.pi / HEIGHT) ** 2
    for seed, clouds in ((0, 0.0), (1, 0.3), (2, 0.7), (3, 1.0)):
        bright = build_sky(seed, clouds, 30.0, 40.0)[: HEIGHT // 2] @ LUMINANCE
        assert 1.0 < float((bright * weight[:, None]).sum()) < 2.0
