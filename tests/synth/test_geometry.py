"""Geometry puts every mesh where the spec says."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import POLE, make_scene, view_camera

from pamtri import camera
from render_assets.vehicle import build_vehicle
from synth.geometry import build_geometry, vehicle_vertices


def body_points(body):
    return np.concatenate([p.vertices for p in body.parts])


def test_the_vehicle_is_the_one_that_renderers_may_keep():
    first, second = build_geometry(make_scene()), build_geometry(make_scene(azimuth_deg=200.0))
    assert first.vehicle is second.vehicle is build_vehicle(make_scene().vehicle)


def test_an_occluder_stands_turned_at_its_place():
    panel = POLE.model_copy(
        update={"kind": "panel", "position": (2.0, 3.0, 1.0), "yaw_deg": 90.0, "size": (2, 0.1, 1)}
    )
    points = body_points(build_geometry(make_scene(occluders=(panel,))).occluders[0])
    np.testing.assert_allclose(points.min(axis=0), [1.95, 2.0, 0.5], atol=1e-5)
    np.testing.assert_allclose(points.max(axis=0), [2.05, 4.0, 1.5], atol=1e-5)


def test_a_turn_of_30_degrees_is_counter_clockwise_from_above():
    bar = POLE.model_copy(
        update={"kind": "bar", "position": (0, 0, 0), "yaw_deg": 30.0, "size": (10, 0.01, 0.01)}
    )
    points = body_points(build_geometry(make_scene(occluders=(bar,))).occluders[0])
    tip = points[points[:, 0].argmax()]
    np.testing.assert_allclose(tip, [5 * np.cos(np.pi / 6), 2.5, 0.0], atol=0.01)


@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 190.0, 300.0])
def test_scenery_stands_beyond_the_vehicle(azimuth_deg):
    spec = make_scene(backdrop="street", azimuth_deg=azimuth_deg)
    geometry = build_geometry(spec)
    view = spec.camera
    vertices = vehicle_vertices(geometry.vehicle)
    _, vehicle_depth = camera.project(vertices, view.pose, view.intrinsics)
    pixels, depth = camera.project(body_points(geometry.scenery), view.pose, view.intrinsics)
    inside = ((pixels > 0) & (pixels < [view.width, view.height])).all(axis=1)
    assert inside.sum() > 30
    assert depth[inside].min() > vehicle_depth.max()


def test_other_backdrops_have_no_scenery():
    assert build_geometry(make_scene()).scenery is None


def test_the_same_spec_gives_the_same_meshes():
    spec = make_scene(backdrop="street", occluders=(POLE,))
    first, second = build_geometry(spec), build_geometry(spec)
    for a, b in zip(first.scenery.parts, second.scenery.parts, strict=True):
        np.testing.assert_array_equal(a.vertices, b.vertices)
        assert a.material == b.material
    assert first.scenery.materials == second.scenery.materials


def test_the_test_camera_holds_the_whole_vehicle():
    vertices = vehicle_vertices(build_geometry(make_scene()).vehicle)
    view = view_camera(vertices, size=64)
    pixels, _ = camera.project(vertices, view.pose, view.intrinsics)
    assert (pixels > 0).all() and (pixels < [view.width, view.height]).all()
    assert max(view.width, view.height) == 64
