"""Labels against scenes that are worked out by hand, and against symmetry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scenes import LENS, VEHICLE, cube_geometry, cube_part, make_scene, view_camera

from pamtri import camera, keypoints, parts, segments
from pamtri.errors import DataError
from render_assets.mesh import part
from render_assets.occluders import Body
from render_assets.spec import sample_vehicle
from render_assets.vehicle import build_vehicle
from synth.geometry import SceneGeometry, build_geometry, vehicle_vertices
from synth.labels import SKIN_TOLERANCE, label_scene
from synth.scene import CameraSpec

CUBE = cube_part((-1, -1, 0), (1, 1, 2), segment="front")


def front_camera(cx=50.0, cy=50.0, width=100, height=100):
    """At (10, 0, 1), looking along -x, so +y is to the right: 100 pixels a unit of y / depth."""
    pose = camera.look_at((10, 0, 1), (0, 0, 1))
    return CameraSpec(
        width=width,
        height=height,
        fx=100,
        fy=100,
        cx=cx,
        cy=cy,
        rotation=pose.rotation.tolist(),
        translation=pose.translation.tolist(),
    )


def label_cube(view, keypoint=None, occluders=()):
    points = np.zeros((36, 3))
    points[:] = (1, 0, 1) if keypoint is None else keypoint
    base = cube_geometry(CUBE, keypoints=points)
    geometry = SceneGeometry(base.vehicle, tuple(Body((p,), {}) for p in occluders))
    return label_scene(make_scene(view), geometry)


def test_a_cube_by_hand():
    """Its near face is 2 m wide at 9 m: 22.2 pixels about the middle; centres 39.5 to 60.5."""
    labels = label_cube(front_camera())
    expected = np.zeros((100, 100), dtype=bool)
    expected[39:61, 39:61] = True
    np.testing.assert_array_equal(labels.mask, expected)
    np.testing.assert_array_equal(labels.mask_amodal, expected)
    assert labels.box == (39, 39, 61, 61)
    near = 100 / 9
    np.testing.assert_allclose(
        labels.box_amodal, (50 - near, 50 - near, 50 + near, 50 + near), atol=1e-4
    )
    np.testing.assert_allclose(labels.depth[expected], 9, atol=1e-5)
    assert (labels.depth[~expected] == 0).all()
    assert (labels.segment_mask == np.where(expected, 1 + segments.INDEX["front"], 0)).all()
    assert (labels.part_mask == np.where(expected, 1 + parts.INDEX["front_bumper"], 0)).all()
    assert labels.normals is None
    assert (labels.occlusion, labels.truncation) == (0.0, 0.0)


def test_each_piece_has_its_own_segment_and_part():
    """Three boxes side by side, 0.2 m apart; the one in the middle is of no segment."""
    pieces = (
        ("right_doors", "right_doors", (-1.0, -0.4)),
        ("sunroof", None, (-0.2, 0.2)),
        ("left_mirror", "left_front_fender", (0.4, 1.0)),
    )
    boxes = [cube_part((-1, low, 0), (1, high, 2), seg, name) for name, seg, (low, high) in pieces]
    labels = label_scene(make_scene(front_camera()), cube_geometry(*boxes))
    for name, segment, (low, high) in pieces:
        column = int(50 + 100 / 9 * (low + high) / 2)
        assert labels.part_mask[50, column] == 1 + parts.INDEX[name]
        code = 0 if segment is None else 1 + segments.INDEX[segment]
        assert labels.segment_mask[50, column] == code
        assert labels.mask[50, column]
    assert not labels.part_mask[50, 46] and not labels.mask[50, 46]


def test_part_masks_tell_the_sides_of_one_piece_apart():
    lamps = cube_part((-1, -1, 0), (1, 1, 2), name="headlights")
    labels = label_scene(make_scene(front_camera()), cube_geometry(lamps))
    codes = {1 + parts.INDEX[f"{side}_head_lamp"] for side in ("left", "right")}
    assert set(np.unique(labels.part_mask)) == {0, *codes}
    # The face's two triangles meet in its diagonal, and a triangle is of one side.
    assert labels.part_mask[50, 40] == 1 + parts.INDEX["right_head_lamp"]
    assert labels.part_mask[50, 60] == 1 + parts.INDEX["left_head_lamp"]


def test_normals_by_hand():
    """Seen from a corner: the camera looks along (-1, -1, 0), so right is (-1, 1, 0)."""
    pose = camera.look_at((10, 10, 1), (0, 0, 1))
    view = front_camera().model_copy(
        update={"rotation": pose.rotation.tolist(), "translation": pose.translation.tolist()}
    )
    labels = label_scene(make_scene(view), cube_geometry(CUBE), normals=True)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(labels.normals[50, 45], (-half, 0, -half), atol=1e-6)
    np.testing.assert_allclose(labels.normals[50, 54], (half, 0, -half), atol=1e-6)
    assert (labels.normals.any(axis=2) == labels.mask).all()


def test_normals_are_the_smooth_surfaces_and_look_at_the_camera():
    ball = trimesh.creation.icosphere(4, 1.0)
    centre = np.array([0.0, 0.0, 1.0])
    inside_out = ball.faces[:, ::-1]
    for faces, sign in ((ball.faces, 1), (inside_out, -1)):
        piece = part("ball", "white", ball.vertices + centre, faces, sign * ball.vertices)
        view = front_camera()
        labels = label_scene(make_scene(view), cube_geometry(piece), normals=True)
        y, x = np.nonzero(labels.mask)
        where = np.stack([x, y], axis=1) + 0.5
        found = camera.unproject(where, labels.depth[y, x], view.pose, view.intrinsics) - centre
        expected = found @ view.pose.rotation.T
        np.testing.assert_allclose(labels.normals[y, x], expected, atol=0.01)


def test_half_behind_a_panel():
    panel = cube_part((3, 0, -5), (3.1, 5, 5))
    labels = label_cube(front_camera(), occluders=(panel,))
    assert labels.mask.sum() == 11 * 22 and labels.mask[:, 50:].sum() == 0
    assert labels.mask_amodal.sum() == 22 * 22
    assert (labels.part_mask > 0).sum() == 11 * 22
    assert labels.occlusion == 0.5
    assert labels.box == (39, 39, 50, 61)
    assert (labels.segment_mask > 0).sum() == (labels.depth > 0).sum() == 11 * 22


def test_an_occluder_behind_the_vehicle_hides_nothing():
    labels = label_cube(front_camera(), occluders=(cube_part((-3, -5, -5), (-2, 5, 5)),))
    assert labels.occlusion == 0 and labels.mask.sum() == 22 * 22


@pytest.mark.parametrize(
    ("cx", "cy", "outside"), [(0, 50, 0.5), (100, 50, 0.5), (100, 100, 0.75), (105.5555, 50, 0.75)]
)
def test_truncation_by_hand(cx, cy, outside):
    labels = label_cube(front_camera(cx, cy))
    assert labels.truncation == pytest.approx(outside, abs=0.01)
    assert labels.occlusion == 0


def test_a_vehicle_outside_the_image():
    labels = label_cube(front_camera(cx=300))
    assert labels.box is None and not labels.mask.any()
    assert (labels.truncation, labels.occlusion) == (1.0, 0.0)
    assert set(labels.keypoints.visibility) == {"t"}
    np.testing.assert_allclose(labels.box_amodal[0], 300 - 100 / 9, atol=1e-4)


def test_a_hidden_vehicle():
    labels = label_cube(front_camera(), occluders=(cube_part((3, -5, -5), (3.1, 5, 5)),))
    assert labels.box is None and labels.occlusion == 1.0


@pytest.mark.parametrize(
    ("point", "letter"),
    [
        ((1, 0, 1), "v"),
        ((1, 0.99, 1.99), "v"),
        ((1 - SKIN_TOLERANCE + 0.005, 0, 1), "v"),
        ((1 - SKIN_TOLERANCE - 0.005, 0, 1), "s"),
        ((-1, 0, 1), "s"),
        ((1, 30, 1), "t"),
    ],
)
def test_visibility_by_hand(point, letter):
    assert set(label_cube(front_camera(), point).keypoints.visibility) == {letter}


def test_what_hides_a_point_the_vehicle_before_the_rest():
    panel = cube_part((3, 0.1, -5), (3.1, 5, 5))
    by_point = {(1, -0.5, 1): "v", (1, 0.5, 1): "o", (-1, 0.5, 1): "s", (1, 60, 1): "t"}
    for point, letter in by_point.items():
        labels = label_cube(front_camera(), point, occluders=(panel,))
        assert set(labels.keypoints.visibility) == {letter}, point


def test_keypoints_are_projected_with_the_lens():
    spec = make_scene(distortion=LENS)
    labels = label_scene(spec, build_geometry(spec))
    points = build_vehicle(VEHICLE).keypoints
    view = spec.camera
    k1, k2, p1, p2, k3 = LENS
    x, y, z = np.array(view.rotation) @ points.T + np.array(view.translation)[:, None]
    a, b = x / z, y / z
    r = a**2 + b**2
    radial = 1 + k1 * r + k2 * r**2 + k3 * r**3
    u = a * radial + 2 * p1 * a * b + p2 * (r + 2 * a**2)
    v = b * radial + p1 * (r + 2 * b**2) + 2 * p2 * a * b
    expected = np.stack([u * view.fx + view.cx, v * view.fy + view.cy], axis=1)
    np.testing.assert_allclose(labels.keypoints.xy_array(), expected, atol=1e-9)
    np.testing.assert_array_equal(labels.keypoints.xyz, points)


@pytest.mark.parametrize(
    ("azimuth_deg", "left", "right"),
    [(90, "v", "s"), (270, "s", "v"), (60, "v", "s"), (0, "s", "s"), (180, "s", "s")],
)
def test_a_wheel_centre_is_seen_from_its_side_only(azimuth_deg, left, right):
    spec = make_scene(azimuth_deg=azimuth_deg, elevation_deg=5)
    seen = label_scene(spec, build_geometry(spec)).keypoints.visibility
    for end in ("front", "rear"):
        assert seen[keypoints.INDEX[f"left_{end}_wheel"]] == left
        assert seen[keypoints.INDEX[f"right_{end}_wheel"]] == right


@pytest.mark.parametrize("style", ["notchback", "crew_cab", "box_truck", "city_bus"])
@pytest.mark.parametrize("elevation_deg", [3, 25, 60])
@pytest.mark.parametrize("azimuth_deg", [20, 60, 90, 130, 165])
def test_a_wheel_centre_is_visible_where_the_picture_shows_its_rim(
    style, azimuth_deg, elevation_deg
):
    """As a person sees it, under the arch or past the tyre: by the part at its pixel."""
    vehicle = build_vehicle(sample_vehicle(1, 4, styles={style: 1.0}))
    view = view_camera(vehicle_vertices(vehicle), azimuth_deg, elevation_deg, distance=25, size=600)
    labels = label_scene(make_scene(view), SceneGeometry(vehicle))
    for side in ("left", "right"):
        for end in ("front", "rear"):
            i = keypoints.INDEX[f"{side}_{end}_wheel"]
            x, y = np.floor(labels.keypoints.xy[i]).astype(int)
            code = labels.part_mask[y, x]
            shows_rim = code == 1 + parts.INDEX[f"{side}_{end}_rim"]
            assert labels.keypoints.visibility[i] == ("v" if shows_rim else "s"), (side, end)


def test_no_wheel_centre_is_seen_from_straight_above():
    spec = make_scene(azimuth_deg=90, elevation_deg=88)
    seen = label_scene(spec, build_geometry(spec)).keypoints.visibility
    assert {seen[i] for i in keypoints.GROUPS["wheel"]} == {"s"}


def test_a_point_behind_the_vehicles_own_glass_is_hidden_by_the_vehicle():
    spec = make_scene(azimuth_deg=0, elevation_deg=8)
    vehicle = build_vehicle(VEHICLE)
    # Right in the plane where the windscreen's two halves meet, too.
    cabin = np.tile([-0.3, 0.0, 1.0], (36, 1))  # the middle of the cabin, behind the windscreen
    labels = label_scene(spec, SceneGeometry(replace(vehicle, keypoints=cabin)))
    assert set(labels.keypoints.visibility) == {"s"}


def test_a_camera_inside_the_vehicle_is_refused():
    pose = camera.look_at((0, 0, 1), (10, 0, 1))
    view = front_camera().model_copy(
        update={"rotation": pose.rotation.tolist(), "translation": pose.translation.tolist()}
    )
    with pytest.raises(DataError, match="scene 0: the camera stands inside the vehicle's extent"):
        label_cube(view)
