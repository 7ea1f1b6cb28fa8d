"""The raster renderer as witness of the labels, and as a preview."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes import LENS, POLE, VEHICLE, cube_geometry, cube_part, make_scene, view_camera

from pamtri import camera
from pamtri.errors import DataError
from render_assets.materials import Material
from render_assets.vehicle import build_vehicle
from synth.geometry import SceneGeometry, build_geometry, vehicle_vertices
from synth.labels import label_scene
from synth.scene import StateSpec, WeatherSpec

raster = pytest.importorskip("synth.raster")

NOTHING = cube_geometry(cube_part((0, 0, -9), (1, 1, -8)))
"""A cube below the ground."""


@pytest.fixture(scope="module")
def renderer():
    made = raster.RasterRenderer()
    yield made
    made.close()


@pytest.mark.parametrize("azimuth_deg", [10.0, 75.0, 160.0, 250.0, 340.0])
def test_masks_and_depths_are_those_of_the_labels(renderer, azimuth_deg):
    spec = make_scene(occluders=(POLE,), azimuth_deg=azimuth_deg, size=128)
    geometry = build_geometry(spec)
    labels = label_scene(spec, geometry)
    mask, depth = renderer.mask_and_depth(spec, geometry)
    both = mask & labels.mask
    assert both.sum() / (mask | labels.mask).sum() > 0.995
    off = np.abs(depth[both] / labels.depth[both] - 1)
    assert np.quantile(off, 0.99) < 0.005
    assert (depth[~mask] == 0).all()


@pytest.mark.parametrize("distortion", [camera.NO_DISTORTION, LENS])
def test_known_squares_land_on_their_pixels(renderer, distortion):
    """By the centroid of the share of every pixel that they cover."""
    centres = np.array([[0.0, 0.0, 0.6], [0.0, 1.6, 1.3], [0.0, -1.7, 0.1], [0.0, -1.2, 1.5]])
    half = np.array([0.0005, 0.06, 0.06])
    frame = np.array([[0.0, y, z] for y in (-2, 2) for z in (-0.2, 1.7)])
    view = view_camera(frame, 0.0, 0.0, 20.0, size=700, distortion=distortion)
    empty = renderer.render(make_scene(view), NOTHING).astype(float)
    for point in centres:
        geometry = cube_geometry(cube_part(tuple(point - half), tuple(point + half)))
        picture = renderer.render(make_scene(view), geometry)
        change = ((picture - empty) / (255 - empty)).sum(axis=2)  # the squares are white
        rows, columns = np.mgrid[: view.height, : view.width] + 0.5
        found = [(places * change).sum() / change.sum() for places in (columns, rows)]
        expected, _ = camera.project(point[None], view.pose, view.intrinsics)
        assert change.sum() > 3 * 100
        np.testing.assert_allclose(found, expected[0], atol=0.05)


def test_the_picture_shows_the_vehicle_where_the_mask_is(renderer):
    vertices = vehicle_vertices(build_vehicle(VEHICLE))
    spec = make_scene(view_camera(vertices, 90.0, 3.0, size=128))
    geometry = build_geometry(spec)
    labels = label_scene(spec, geometry)
    picture = renderer.render(spec, geometry)
    assert picture.shape == (spec.camera.height, spec.camera.width, 3)
    assert picture.dtype == np.uint8
    black, white = (_glowing(renderer, spec, geometry.vehicle, level) for level in (0.0, 1.0))
    changed = np.abs(white.astype(int) - black).max(axis=2) > 128  # the shadow does not
    assert (changed & labels.mask).sum() / (changed | labels.mask).sum() > 0.97


def _glowing(renderer, spec, vehicle, level):
    """The picture of a vehicle that gives off the same light everywhere."""
    plain = Material((0.0, 0.0, 0.0), roughness=1.0, emission=(level,) * 3)
    materials = dict.fromkeys(vehicle.materials, plain)
    return renderer.render(spec, SceneGeometry(replace(vehicle, materials=materials)))


def test_a_vehicle_darkens_the_ground_it_stands_on_and_no_other(renderer):
    vertices = vehicle_vertices(build_vehicle(VEHICLE))
    spec = make_scene(view_camera(vertices, 90.0, 25.0, size=128, margin=2.0))
    geometry = build_geometry(spec)
    around = cv2.dilate(label_scene(spec, geometry).mask.astype(np.uint8), np.ones((3, 3)))
    outside = around == 0  # of the smoothed outline too
    empty = renderer.render(spec, NOTHING).astype(int)
    loss = (empty - renderer.render(spec, geometry)).max(axis=2)
    edge = camera.project(np.array([[0.0, 1.0, 0.0]]), spec.camera.pose, spec.camera.intrinsics)[0]
    x, y = np.floor(edge[0]).astype(int)
    assert outside[y, x] and loss[y, x] > 8
    assert (loss[outside] >= 0).all() and (loss[-3:] == 0).all() and (loss[:3] == 0).all()


def test_masks_follow_the_lens(renderer):
    spec = make_scene(occluders=(POLE,), distortion=LENS, size=128)
    geometry = build_geometry(spec)
    mask, _ = renderer.mask_and_depth(spec, geometry)
    expected = label_scene(spec, geometry).mask
    assert (mask & expected).sum() / (mask | expected).sum() > 0.98


def test_the_picture_is_the_same_again_after_another(renderer):
    first, other = make_scene(), make_scene(azimuth_deg=200.0, occluders=(POLE,))
    before = renderer.render(first, build_geometry(first))
    renderer.render(other, build_geometry(other))
    np.testing.assert_array_equal(renderer.render(first, build_geometry(first)), before)


def test_a_lens_that_folds_the_image_is_refused(renderer):
    view = make_scene().camera.model_copy(update={"distortion": (-9.0, 0.0, 0.0, 0.0, 0.0)})
    with pytest.raises(DataError, match="cannot be inverted over the whole image"):
        spec = make_scene(view)
        renderer.render(spec, build_geometry(spec))


def test_the_vehicles_state_and_the_weather_show(renderer):
    plain = make_scene(azimuth_deg=60.0, elevation_deg=25.0, size=96)
    masks, grounds = [], []
    for changes in (
        {},
        {"state": StateSpec(steer_deg=30.0, roll_deg=4.0)},
        {"weather": WeatherSpec(kind="wet", wetness=1.0)},
        {"weather": WeatherSpec(kind="snow", snow=1.0)},
    ):
        spec = plain.model_copy(update=changes)
        geometry = build_geometry(spec)
        mask, _ = renderer.mask_and_depth(spec, geometry)
        expected = label_scene(spec, geometry).mask
        assert (mask & expected).sum() / (mask | expected).sum() > 0.99
        masks.append(mask)
        picture = renderer.render(spec, geometry).astype(float)
        grounds.append(picture[-2:, -12:].mean())  # a corner that shows ground
    assert (masks[0] != masks[1]).sum() > 10 and np.array_equal(masks[0], masks[3])
    assert grounds[2] < 0.9 * grounds[0] and grounds[3] > 2 * grounds[0]
