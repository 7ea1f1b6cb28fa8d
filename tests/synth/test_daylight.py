"""The raster preview's light at single points, where it can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from render_assets.materials import Material
from synth.daylight import ground_shade, shade, sky

UP = np.array([0.0, 0.0, 1.0])
BLACK = (0.0, 0.0, 0.0)


def lit(material, normal=UP, eye=(0.0, 0.0, 9.0), sun=UP, z=1.0):
    """The light of one point at height ``z``."""
    point = np.array([[0.0, 0.0, z]])
    up, materials = np.array([normal], dtype=float), [(material, 1)]
    return shade(point, up, materials, np.array(eye), np.array(sun))[0]


def test_the_sky_is_blue_above_bright_over_a_dark_rim_and_the_road_below():
    zenith, haze, rim, road = sky(np.array([[0, 0, 1.0], [1, 0, 0.3], [1, 0, 0.05], [0, 0, -1]]), 0)
    assert zenith[2] > zenith[1] > zenith[0]
    assert haze.min() > zenith.min() and haze.mean() > 2 * rim.mean()
    np.testing.assert_allclose(road, [0.16, 0.155, 0.15])
    rough = sky(np.array([[1, 0, 0.3], [1, 0, 0.05]]), 1.0)  # which does not see the rim as such
    assert 0 < rough[0].mean() - rough[1].mean() < 0.3 * (haze.mean() - rim.mean())


def test_what_gives_light_is_as_bright_as_it_says():
    np.testing.assert_array_equal(lit(Material(BLACK, roughness=1.0, emission=(1.0, 1.0, 1.0))), 1)
    dim = lit(Material(BLACK, roughness=1.0, emission=(0.2, 0.1, 0.0)))
    np.testing.assert_allclose(dim - lit(Material(BLACK, roughness=1.0)), [0.2, 0.1, 0.0])


def test_matt_surfaces_follow_the_sun_and_both_sides_are_the_same():
    paint = Material((0.3, 0.2, 0.1), roughness=1.0)
    towards, away = lit(paint), lit(paint, sun=(0.0, 0.0, -1.0))
    sunlight = np.array([1.25, 1.18, 1.05])
    # Full roughness leaves 4 % at the surface, mirrored without a sun's spot.
    np.testing.assert_allclose(towards - away, np.array([0.3, 0.2, 0.1]) * sunlight, atol=1e-9)
    np.testing.assert_allclose(lit(paint, normal=-UP), towards)


def test_varnish_and_glass_mirror_the_horizon_most_at_grazing_angles():
    varnished = Material(BLACK, roughness=1.0, coat=1.0)
    steep, grazing = (
        lit(varnished, eye=eye, sun=(0, 1, 0)).mean() for eye in ((0, 0, 9.0), (9.0, 0, 2.2))
    )
    assert 0.04 * 0.7 < steep < 0.05 and grazing > 3 * steep
    clear = Material((0.5, 0.5, 0.5), roughness=0.02, transmission=1.0)
    solid = Material((0.5, 0.5, 0.5), roughness=0.02)
    assert lit(clear).mean() < 0.5 * lit(solid).mean()


def test_little_of_the_sky_reaches_low_parts():
    paint = Material((0.5, 0.5, 0.5), roughness=1.0)
    side = np.array([0.0, 1.0, 0.0])
    eye = (0.0, 9.0, 0.5)
    low, high = (lit(paint, side, eye, sun=-side, z=z).mean() for z in (0.0, 0.6))
    assert low == pytest.approx(0.3 * high, rel=0.01)


def test_the_soft_shadow_is_dark_in_the_footprint_and_gone_at_the_edge():
    corners = np.array([[x, y, z] for x in (-2, 2) for y in (-0.8, 0.8) for z in (0.0, 1.5)])
    points, share, faces = ground_shade(corners)
    middle = np.linalg.norm(points[:, :2], axis=1).argmin()
    assert share[middle] < 0.25
    rim = (np.abs(points[:, 0]) > 2.9) | (np.abs(points[:, 1]) > 1.7)
    assert share[rim].min() > 0.97
    ends = (points[:, :2].min(axis=0), points[:, :2].max(axis=0))
    edge = (points[:, :2] == ends[0]) | (points[:, :2] == ends[1])
    assert (share[edge.any(axis=1)] == 1).all()
    a, b, c = (points[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    assert (normals[:, 2] > 0).all()
    assert normals[:, 2].sum() / 2 == pytest.approx((ends[1] - ends[0]).prod())
    assert not len(ground_shade(corners + np.array([0, 0, 0.1]))[0])
