import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri import camera
from pamtri.camera import Intrinsics, Pose, Viewpoint
from pamtri.errors import DataError
from pamtri.keypoints import INDEX


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


distortions = st.tuples(
    floats(-0.2, 0.2),
    floats(-0.05, 0.05),
    floats(-0.01, 0.01),
    floats(-0.01, 0.01),
    floats(0, 0.01),
)
intrinsics = st.builds(
    Intrinsics,
    *(floats(300, 3000), floats(300, 3000), floats(0, 640), floats(0, 480)),
    distortions,
    floats(-200, 200),
)
viewpoints = st.builds(
    Viewpoint, floats(0, 2 * np.pi - 1e-6), floats(-1.5, 1.5), floats(-3.1, 3.1), floats(1, 100)
)
points3 = st.tuples(floats(-5, 5), floats(-5, 5), floats(-5, 5))


@given(
    intrinsics,
    viewpoints,
    points3,
    st.lists(st.tuples(floats(-0.5, 0.5), floats(-0.5, 0.5), floats(0.1, 100)), min_size=1),
)
def test_unproject_inverts_project(lens, viewpoint, target, rays_and_depths):
    pose = camera.pose_from_viewpoint(viewpoint, target)
    plane, depth = np.array(rays_and_depths)[:, :2], np.array(rays_and_depths)[:, 2]
    in_camera = np.column_stack([plane * depth[:, None], depth])
    points = pose.inverse().apply(in_camera)
    pixels, depths = camera.project(points, pose, lens)
    np.testing.assert_allclose(depths, depth, rtol=1e-9, atol=1e-9)
    again = camera.unproject(pixels, depths, pose, lens)
    np.testing.assert_allclose(again, points, rtol=0, atol=1e-9 * max(1, abs(points).max()))
    pixels_again, _ = camera.project(again, pose, lens)
    np.testing.assert_allclose(pixels_again, pixels, rtol=0, atol=1e-9 * max(1, abs(pixels).max()))


@given(viewpoints, points3)
def test_viewpoint_and_pose_are_inverse(viewpoint, target):
    found = camera.viewpoint_from_pose(camera.pose_from_viewpoint(viewpoint, target), target)
    assert 0 <= found.azimuth < 2 * np.pi
    assert np.sin((found.azimuth - viewpoint.azimuth) / 2) == pytest.approx(0, abs=1e-9)
    assert found.elevation == pytest.approx(viewpoint.elevation, abs=1e-9)
    assert found.roll == pytest.approx(viewpoint.roll, abs=1e-9)
    assert found.distance == pytest.approx(viewpoint.distance, rel=1e-9)


@given(viewpoints)
def test_rotation_is_proper(viewpoint):
    rotation = camera.pose_from_viewpoint(viewpoint).rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(intrinsics, viewpoints, floats(-300, 300), floats(-300, 300), floats(0.1, 5), floats(0.1, 5))
def test_crop_and_resize_commute_with_projection(lens, viewpoint, left, top, scale_x, scale_y):
    pose = camera.pose_from_viewpoint(viewpoint)
    points = pose.inverse().apply(np.random.default_rng(0).uniform((-1, -1, 3), (1, 1, 9), (20, 3)))
    pixels, _ = camera.project(points, pose, lens)
    cropped, _ = camera.project(points, pose, lens.crop(left, top))
    resized, _ = camera.project(points, pose, lens.resize(scale_x, scale_y))
    np.testing.assert_allclose(cropped, pixels - [left, top], atol=1e-9)
    np.testing.assert_allclose(resized, pixels * [scale_x, scale_y], rtol=1e-9, atol=1e-9)


@given(intrinsics, viewpoints)
def test_projection_agrees_with_opencv(lens, viewpoint):
    pose = camera.pose_from_viewpoint(viewpoint)
    points = pose.inverse().apply(np.random.default_rng(1).uniform((-1, -1, 3), (1, 1, 9), (20, 3)))
    rotation, _ = cv2.Rodrigues(pose.rotation)
    expected, _ = cv2.projectPoints(
        points, rotation, pose.translation, lens.matrix, np.array(lens.distortion)
    )
    expected = expected[:, 0]  # OpenCV knows no skew
    expected[:, 0] += lens.skew * (expected[:, 1] - lens.cy) / lens.fy
    pixels, _ = camera.project(points, pose, lens)
    np.testing.assert_allclose(pixels, expected, atol=1e-6)


def test_unit_cube_lands_where_worked_out_by_hand():
    # 2.5 m in front of the cube's centre: its near face is 2 m away, its far face 3 m, so its
    # corners appear at 50 +- 100 * 0.5 / 2 and 50 +- 100 * 0.5 / 3. From the front, the
    # vehicle's left (+y) is at the picture's right and up (+z) at its top.
    pose = camera.look_at((2.5, 0, 0), (0, 0, 0))
    corners = [(0.5, 0.5, 0.5), (0.5, -0.5, -0.5), (-0.5, 0.5, -0.5), (-0.5, -0.5, 0.5)]
    pixels, depth = camera.project(corners, pose, Intrinsics(100, 100, 50, 50))
    np.testing.assert_allclose(depth, [2, 2, 3, 3], atol=1e-12)
    third = 50 / 3
    expected = [(75, 25), (25, 75), (50 + third, 50 + third), (50 - third, 50 - third)]
    np.testing.assert_allclose(pixels, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("azimuth_deg", "nearer", "farther"),
    [
        (0, "left_front_bumper", "left_rear_bumper"),
        (90, "left_front_wheel", "right_front_wheel"),
        (180, "right_tail_light", "right_headlight"),
        (270, "right_rear_wheel", "left_rear_wheel"),
    ],
)
def test_azimuth_tells_the_side_that_is_seen(car, azimuth_deg, nearer, farther):
    view = Viewpoint(np.radians(azimuth_deg), 0.1, 0, 12)
    _, depth = camera.project(car, camera.pose_from_viewpoint(view), Intrinsics(1, 1, 0, 0))
    assert depth[INDEX[nearer]] < depth[INDEX[farther]]


def test_from_the_left_the_front_is_at_the_pictures_left(car):
    pose = camera.pose_from_viewpoint(Viewpoint(np.pi / 2, 0.1, 0, 12))
    pixels, _ = camera.project(car, pose, Intrinsics(500, 500, 128, 128))
    assert pixels[INDEX["left_front_wheel"], 0] < pixels[INDEX["left_rear_wheel"], 0]
    assert pixels[INDEX["left_roof_front"], 1] < pixels[INDEX["left_front_wheel"], 1]


def test_positive_elevation_is_above_and_positive_roll_turns_clockwise():
    pose = camera.pose_from_viewpoint(Viewpoint(0.3, 0.5, np.radians(10), 8))
    assert pose.centre[2] == pytest.approx(8 * np.sin(0.5))
    up, _ = camera.project([(0, 0, 1)], pose, Intrinsics(100, 100, 0, 0))
    assert up[0, 0] > 0 > up[0, 1]  # the top of the picture moved to the right


@pytest.mark.parametrize("height", [5, -5])
def test_looking_straight_down_or_up_puts_the_vehicles_front_on_top(height):
    pose = camera.look_at((0, 0, height), (0, 0, 0))
    pixels, _ = camera.project([(1, 0, 0)], pose, Intrinsics(100, 100, 0, 0))
    np.testing.assert_allclose(pixels, [(0, -20)], atol=1e-9)


def test_points_behind_the_camera_have_no_pixel():
    pose = camera.look_at((5, 0, 0), (0, 0, 0))
    pixels, depth = camera.project([(6, 0, 0), (5, 1, 0), (0, 0, 0)], pose, Intrinsics(1, 1, 0, 0))
    assert np.isnan(pixels[:2]).all() and np.isfinite(pixels[2]).all()
    np.testing.assert_allclose(depth, [-1, 0, 5])


def test_poses_compose_and_invert():
    first = camera.pose_from_viewpoint(Viewpoint(1, 0.4, 0.2, 7), (1, 2, 3))
    second = camera.pose_from_viewpoint(Viewpoint(2, -0.3, 1, 3))
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(
        first.then(second).apply(points), second.apply(first.apply(points)), atol=1e-12
    )
    np.testing.assert_allclose(first.inverse().apply(first.apply(points)), points, atol=1e-12)
    np.testing.assert_allclose(first.apply([first.centre]), [(0, 0, 0)], atol=1e-12)
    assert isinstance(first.then(second), Pose)


def test_distortion_jacobian_is_the_derivative():
    coefficients = (0.3, -0.1, 0.02, -0.03, 0.05)
    points = np.random.default_rng(2).uniform(-0.6, 0.6, (10, 2))
    step = 1e-6
    for axis in (0, 1):
        shift = np.eye(2)[axis] * step
        ahead = camera.distort(points + shift, coefficients)
        slope = (ahead - camera.distort(points - shift, coefficients)) / (2 * step)
        found = camera._distortion_jacobian(points, coefficients)[:, :, axis]
        np.testing.assert_allclose(found, slope, atol=1e-8)


@pytest.mark.parametrize("coefficients", [(-1.0, 0, 0, 0, 0), (-0.3, 0, 0, 0, 0)])
def test_distortion_that_folds_the_image_is_refused(coefficients):
    with pytest.raises(DataError, match="cannot be inverted over the whole image"):
        camera.undistort([(1.5, 1.5)], coefficients)


def test_azimuth_just_below_zero_does_not_round_to_the_full_circle():
    pose = camera.look_at((10, -1e-16, 0), (0, 0, 0))
    assert camera.viewpoint_from_pose(pose).azimuth < 2 * np.pi


def test_a_camera_cannot_look_at_itself():
    with pytest.raises(DataError, match="cannot look at the point where it stands"):
        camera.look_at((1, 2, 3), (1, 2, 3))
