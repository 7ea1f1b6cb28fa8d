"""Steering, springs and lamps: against geometry worked out here, and the identity left alone."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import VEHICLE, make_scene

from pamtri import camera
from pamtri.config import parse_config
from pamtri.errors import ConfigError
from pamtri.keypoints import INDEX
from render_assets.spec import sample_vehicle
from render_assets.vehicle import build_vehicle
from synth.config import SynthConfig
from synth.geometry import build_geometry
from synth.labels import label_scene
from synth.sampling import sample_scene
from synth.scene import StateSpec
from synth.state import KINGPIN_INSET, Mount, in_state, mounts, moves

REST = build_vehicle(VEHICLE)


def named(vehicle, name):
    return next(p for p in vehicle.parts if p.name == name)


def test_no_state_is_the_vehicle_itself():
    assert in_state(REST, StateSpec()) is REST
    assert moves(REST, StateSpec()) == {}


@pytest.mark.parametrize("type", ["sedan", "truck", "bus", "pickup"])
def test_wheels_are_found_at_all_four_corners_and_nothing_else_is(type):
    vehicle = build_vehicle(sample_vehicle(0, 3, types={type: 1.0}))
    mount = mounts(vehicle)
    spec = vehicle.spec
    for group, x, sign in (
        (Mount.LEFT_WHEEL, 0.5, 1),
        (Mount.RIGHT_WHEEL, 0.5, -1),
        (Mount.AXLE, -0.5, 0),
    ):
        points = np.concatenate(
            [p.vertices for p, m in zip(vehicle.parts, mount, strict=True) if m == group]
        )
        assert np.abs(points[:, 0] - x * spec.shape.wheelbase).max() < 1.02 * spec.wheels.radius
        assert points[:, 2].max() < 2.02 * spec.wheels.radius
        assert points[:, 2].min() == pytest.approx(0, abs=0.01)
        assert (np.sign(points[:, 1]) == sign).all() or sign == 0
    tyres = {p.name for p in vehicle.parts if p.name.endswith("tyre")}
    assert len(tyres) >= 4
    assert all(mount[i] for i, p in enumerate(vehicle.parts) if p.name in tyres)


@pytest.mark.parametrize("steer", [25.0, -32.0])
def test_steered_wheels_turn_about_one_point_on_the_rear_axles_line(steer):
    turned = in_state(REST, StateSpec(steer_deg=steer))
    shape = VEHICLE.shape
    centres = []
    for side, sign in (("left", 1), ("right", -1)):
        before = named(REST, f"{side}_front_hub").vertices.astype(float)
        after = named(turned, f"{side}_front_hub").vertices.astype(float)
        # The axle runs along y before; the rotation that maps the hub (Kabsch) tells where after.
        u, _, vt = np.linalg.svd((before - before.mean(0)).T @ (after - after.mean(0)))
        turn = vt.T @ np.diag([1, 1, np.linalg.det(vt.T @ u.T)]) @ u.T
        along = turn @ np.array([0.0, 1.0, 0.0])
        point = after.mean(0)
        share = (-shape.wheelbase / 2 - point[0]) / along[0]
        centres.append(point[1] + share * along[1])
        # The kingpin, which stays, is inboard of the tyre.
        tyre = named(REST, f"{side}_front_tyre").vertices
        pin = sign * (np.abs(tyre[:, 1]).min() - KINGPIN_INSET)
        fixed = np.array([shape.wheelbase / 2, pin])
        assert np.linalg.norm((before - [*fixed, 0])[:, :2], axis=1) == pytest.approx(
            np.linalg.norm((after - [*fixed, 0])[:, :2], axis=1), abs=1e-3
        )
    assert centres[0] == pytest.approx(centres[1], abs=1e-3)
    assert centres[0] == pytest.approx(shape.wheelbase / np.tan(np.radians(steer)), abs=1e-3)


def test_hub_keypoints_follow_their_wheels_exactly_and_others_stay():
    turned = in_state(REST, StateSpec(steer_deg=28.0))
    for side in ("left", "right"):
        number = INDEX[f"{side}_front_wheel"]
        before = named(REST, f"{side}_front_hub").vertices - REST.keypoints[number]
        after = named(turned, f"{side}_front_hub").vertices - turned.keypoints[number]
        # Distances from the keypoint to the hub's vertices are a rigid motion's invariants.
        assert np.linalg.norm(after, axis=1) == pytest.approx(
            np.linalg.norm(before, axis=1), abs=1e-5
        )
        assert np.linalg.norm(turned.keypoints[number] - REST.keypoints[number]) > 0.02
    steered = [INDEX["left_front_wheel"], INDEX["right_front_wheel"]]
    others = np.setdiff1d(np.arange(36), steered)
    assert np.array_equal(turned.keypoints[others], REST.keypoints[others])
    assert named(turned, "left_rear_tyre") is named(REST, "left_rear_tyre")


def test_the_body_leans_on_wheels_that_stay_and_takes_its_keypoints_along():
    leaning = in_state(REST, StateSpec(pitch_deg=2.0, roll_deg=3.0))
    wheels = [INDEX[f"{s}_{e}_wheel"] for s in ("left", "right") for e in ("front", "rear")]
    body = np.setdiff1d(np.arange(36), wheels)
    assert np.array_equal(leaning.keypoints[wheels], REST.keypoints[wheels])
    shift = leaning.keypoints - REST.keypoints
    assert shift[INDEX["left_headlight"], 2] < 0 < shift[INDEX["left_tail_light"], 2]  # nose down
    left, right = INDEX["left_roof_front"], INDEX["right_roof_front"]
    assert shift[left, 2] > shift[right, 2] and shift[left, 1] < 0  # leaning to the right
    lengths = [
        np.linalg.norm(p[body][:, None] - p[body][None], axis=2)
        for p in (REST.keypoints, leaning.keypoints)
    ]
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-9)
    # By hand: 2 degrees lower a point 2 m ahead of the axis by 7 cm.
    mount = moves(REST, StateSpec(pitch_deg=2.0))[Mount.BODY]
    moved = mount @ np.array([2.0, 0.0, VEHICLE.wheels.radius, 1.0])
    assert moved[2] - VEHICLE.wheels.radius == pytest.approx(-2.0 * np.sin(np.radians(2)))
    for part, was, on in zip(leaning.parts, REST.parts, mounts(REST), strict=True):
        assert (part is was) == (on != Mount.BODY)


def test_labels_are_those_of_the_state():
    state = StateSpec(steer_deg=-30.0, pitch_deg=1.5, roll_deg=-2.0)
    scene = make_scene(azimuth_deg=60.0).model_copy(update={"state": state})
    geometry = build_geometry(scene)
    labels = label_scene(scene, geometry)
    expected, _ = camera.project(
        in_state(REST, state).keypoints, scene.camera.pose, scene.camera.intrinsics
    )
    assert labels.keypoints.xy_array() == pytest.approx(expected)
    assert geometry.rest is build_vehicle(VEHICLE)
    plain = label_scene(make_scene(azimuth_deg=60.0), build_geometry(make_scene(azimuth_deg=60.0)))
    assert (labels.mask != plain.mask).sum() > 20
    visible = labels.keypoints.visible_array()
    assert visible[INDEX["left_front_wheel"]]


def test_lamps_shine_as_asked_and_nothing_else_changes():
    vehicle = build_vehicle(sample_vehicle(0, 0, types={"suv": 1.0}))
    assert "lamp_brake" in vehicle.materials and "lamp_brake" not in REST.materials

    def glow(name, vehicle=vehicle, **state):
        return max(in_state(vehicle, StateSpec(**state)).materials[name].emission)

    assert glow("lamp_beam", head_lights=True) > 1 and glow("lamp_beam", head_lights=False) == 0
    assert glow("lamp_brake", head_lights=True, brake_lights=True) > 1
    assert 0 < glow("lamp_brake", head_lights=True, brake_lights=False) < 0.5
    assert glow("lamp_brake", brake_lights=False) == 0
    # One lamp for both, where the rear has but one.
    assert glow("lamp_red", REST, brake_lights=True) > 1
    assert 0 < glow("lamp_red", REST, head_lights=True) < 0.5
    lit = in_state(REST, StateSpec(head_lights=True, brake_lights=True))
    changed = {n for n in REST.materials if lit.materials[n] != REST.materials[n]}
    assert changed and all(name.startswith("lamp_") for name in changed)
    assert lit.parts == REST.parts and np.array_equal(lit.keypoints, REST.keypoints)


def test_a_state_is_drawn_image_by_image_and_leaves_the_identity_and_the_view():
    def scenes(**state):
        config = {"name": "t", "identities": 2, "images_per_identity": 4, "state": state}
        config = parse_config(config, SynthConfig, source="test")
        return [sample_scene(config, 0, i) for i in range(8)]

    plain = scenes()
    moved = scenes(
        steer_deg={"kind": "uniform", "low": -30, "high": 30}, head_lights=1, brake_lights=0.5
    )
    assert all(s.state == StateSpec() for s in plain)
    assert len({s.state.steer_deg for s in moved}) == 8
    assert {s.state.head_lights for s in moved} == {True}
    assert {s.state.brake_lights for s in moved} == {True, False}
    for a, b in zip(plain, moved, strict=True):
        assert a == b.model_copy(update={"state": a.state})
    with pytest.raises(ConfigError, match="steer_deg"):
        scenes(steer_deg=60)
