"""Scenes are pure functions of configuration, seed and index; factors leave each other alone."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from pamtri import camera
from pamtri.config import parse_config
from synth.config import SynthConfig
from synth.geometry import build_geometry, vehicle_vertices
from synth.labels import label_scene
from synth.placement import TOLERANCE
from synth.sampling import black_body, plan_shot, sample_scene
from synth.viewing import WIDEST_VIEW_DEG

WIDE = {
    "name": "wide",
    "identities": 4,
    "images_per_identity": 3,
    "vehicle": {"type": {"kind": "choice", "values": ["sedan", "van"]}},
    "camera": {
        "elevation_deg": {"kind": "uniform", "low": 2, "high": 40},
        "distance_m": {"kind": "uniform", "low": 8, "high": 30},
        "roll_deg": {"kind": "uniform", "low": -10, "high": 10},
        "off_axis_deg": {"kind": "uniform", "low": 0, "high": 20},
        "distortion_k1": {"kind": "uniform", "low": -0.3, "high": 0.2},
    },
    "light": {
        "hdri": {"kind": "choice", "values": ["city.exr", "night.exr"]},
        "sun": {"probability": 0.5},
    },
    "ground": {"kind": {"kind": "choice", "values": ["asphalt", "flat"]}},
    "occluders": {"probability": 1, "kind": {"kind": "choice", "values": ["pole", "panel"]}},
    "sensor": {"noise": {"kind": "uniform", "low": 0, "high": 0.1}},
}
CAMERAS = [{"id": number, "camera": {"height_m": 3 + number}} for number in (1, 2, 3)]


def configure(**changes):
    return parse_config({**WIDE, **changes}, SynthConfig, source="test")


def scenes(config, seed=0):
    return [sample_scene(config, seed, index) for index in range(config.count)]


def differing(a, b):
    """Names of the parts in which two scenes differ."""
    return {name for name in type(a).model_fields if getattr(a, name) != getattr(b, name)}


def test_the_same_arguments_give_the_same_scene_whatever_was_sampled_before():
    config = configure()
    forward = scenes(config)
    backward = [sample_scene(config, 0, index) for index in reversed(range(config.count))]
    assert forward == backward[::-1]
    assert type(forward[0]).model_validate_json(forward[0].model_dump_json()) == forward[0]


def test_seeds_and_indices_make_other_scenes_and_zero_is_a_seed():
    config = configure()
    all_scenes = scenes(config, seed=0) + scenes(config, seed=1)
    assert len({s.camera for s in all_scenes}) == len(all_scenes)
    assert scenes(config, seed=0) == scenes(config, seed=0)


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"light": {"hdri": "city.exr", "sun": {"probability": 1}}}, {"light"}),
        ({"ground": {"kind": "concrete"}}, {"ground"}),
        ({"backdrop": {"kind": "street"}}, {"backdrop"}),
        ({"sensor": {"noise": 0}}, {"sensor"}),
        ({"occluders": {"probability": 0}}, {"occluders"}),
        ({"vehicle": {"type": "bus"}}, {"vehicle", "camera", "occluders"}),
    ],
    ids=lambda v: "+".join(sorted(v)),
)
def test_changing_one_factor_leaves_all_others_as_they_were(changes, changed):
    before, after = scenes(configure()), scenes(configure(**changes))
    touched = set().union(*(differing(a, b) for a, b in zip(before, after, strict=True)))
    assert touched == changed


def test_freezing_one_number_of_a_section_leaves_its_neighbours():
    frozen = {**WIDE["camera"], "roll_deg": 0}
    for a, b in zip(scenes(configure()), scenes(configure(camera=frozen)), strict=True):
        views = [camera.viewpoint_from_pose(s.camera.pose) for s in (a, b)]
        assert views[0].azimuth == pytest.approx(views[1].azimuth)
        assert views[0].elevation == pytest.approx(views[1].elevation)
        assert views[0].distance == pytest.approx(views[1].distance)


def test_an_identity_is_the_same_vehicle_in_every_image_and_offsets_make_others():
    vehicles = defaultdict(set)
    for scene in scenes(configure()):
        vehicles[scene.vehicle.identity].add(scene.vehicle)
    assert sorted(vehicles) == [0, 1, 2, 3]
    assert all(len(seen) == 1 for seen in vehicles.values())
    others = scenes(configure(identity_offset=100))
    assert {s.vehicle.identity for s in others} == {100, 101, 102, 103}
    same = configure(identities=10).vehicle.sample(0, 3)
    assert vehicles[3] == {same}


def test_identities_meet_the_cameras_evenly_and_splits_hold_whole_identities():
    config = configure(
        identities=20,
        images_per_identity=6,
        fixed_cameras=CAMERAS,
        splits={"train": 0.5, "val": 0.2, "test": 0.3},
        queries_per_identity=2,
    )
    shots = [plan_shot(config, 0, index) for index in range(config.count)]
    meetings = Counter((s.identity, s.fixed_camera.id) for s in shots)
    assert set(meetings.values()) == {2} and len(meetings) == 60
    splits = defaultdict(set)
    for shot in shots:
        splits[shot.split].add(shot.identity)
    assert {split: len(members) for split, members in splits.items()} == {
        "train": 10, "val": 4, "query": 6, "gallery": 6,
    }  # fmt: skip
    assert splits["query"] == splits["gallery"]
    assert not splits["train"] & (splits["val"] | splits["query"])
    gallery = {(s.identity, s.fixed_camera.id) for s in shots if s.split == "gallery"}
    for shot in (s for s in shots if s.split == "query"):
        matches = {number for identity, number in gallery if identity == shot.identity}
        assert matches - {shot.fixed_camera.id}
    assert len({tuple(s.fixed_camera.id for s in shots[i : i + 3]) for i in range(0, 120, 6)}) > 3


def test_an_index_outside_the_data_set_is_refused():
    with pytest.raises(ValueError, match=r"index 12 is outside the data set's 0\.\.11"):
        sample_scene(configure(), 0, 12)


def test_a_fixed_camera_has_its_height_its_scenery_and_its_number():
    config = configure(fixed_cameras=CAMERAS, images_per_identity=6)
    grounds = defaultdict(set)
    for scene in scenes(config):
        assert scene.camera.pose.centre[2] == pytest.approx(3 + scene.camera.id)
        grounds[scene.camera.id].add((scene.ground, scene.backdrop))
    assert sorted(grounds) == [1, 2, 3]
    assert all(len(seen) == 1 for seen in grounds.values())
    assert len(set().union(*grounds.values())) == 3


def test_the_viewpoint_is_the_one_that_was_asked_for():
    asked = {"azimuth_deg": 250, "elevation_deg": 20, "distance_m": 25, "roll_deg": 7}
    for scene in scenes(configure(camera=asked)):
        view = camera.viewpoint_from_pose(scene.camera.pose)
        found = [*np.degrees([view.azimuth, view.elevation, view.roll]), view.distance]
        assert found == pytest.approx([250, 20, 7, 25])


def test_off_axis_is_the_angle_between_optical_axis_and_vehicle():
    for scene in scenes(configure(camera={"off_axis_deg": 12})):
        origin = scene.camera.pose.apply(np.zeros((1, 3)))[0]
        angle = np.degrees(np.arccos(origin[2] / np.linalg.norm(origin)))
        assert angle == pytest.approx(12)


def test_a_camera_inside_a_bus_steps_back_until_it_sees_all_of_it():
    config = configure(vehicle={"type": "bus"}, camera={"distance_m": 3, "elevation_deg": 0})
    for scene in scenes(config):
        points = vehicle_vertices(build_geometry(scene).vehicle)
        radius = np.linalg.norm(points, axis=1).max()
        distance = np.linalg.norm(scene.camera.pose.centre)
        assert distance == pytest.approx(radius / np.sin(np.radians(WIDEST_VIEW_DEG / 2)), rel=1e-3)
        assert scene.camera.pose.centre[2] == pytest.approx(0.3)


@pytest.mark.parametrize("k1", [-0.3, 0.0, 0.2])
@pytest.mark.parametrize("aspect", ["box", "square"])
def test_the_image_has_the_asked_room_around_the_vehicle(k1, aspect):
    lens = {**WIDE["camera"], "distortion_k1": k1, "framing": {"margin": 0.1}}
    config = configure(camera=lens, image={"size_px": 200, "aspect": aspect})
    for scene in scenes(config):
        view = scene.camera
        points = vehicle_vertices(build_geometry(scene).vehicle)
        pixels, depth = camera.project(points, view.pose, view.intrinsics)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        longer = (high - low).max()
        assert depth.min() > 0
        assert max(view.width, view.height) == 200
        assert longer == pytest.approx(200 / 1.2, abs=1)
        room = np.array([*low, *(np.array([view.width, view.height]) - high)])
        if aspect == "box":
            assert room == pytest.approx(0.1 * longer, abs=1)
        else:
            assert view.width == view.height
            assert room[:2] == pytest.approx(room[2:], abs=1)
        corners = [[0, 0], [view.width, 0], [0, view.height], [view.width, view.height]]
        camera.rays(corners, view.intrinsics)  # raises where the lens could not be inverted


def test_truncation_cuts_one_side_by_the_asked_share():
    lens = {"framing": {"margin": 0.1, "truncation_probability": 1, "truncation": 0.25}}
    cut_sides = set()
    for scene in scenes(configure(camera=lens)):
        view = scene.camera
        points = vehicle_vertices(build_geometry(scene).vehicle)
        pixels, _ = camera.project(points, view.pose, view.intrinsics)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        beyond = np.array([*-low, *(high - [view.width, view.height])])
        (side,) = np.flatnonzero(beyond > 0)
        assert beyond[side] == pytest.approx(0.25 * (high - low)[side % 2], abs=1)
        cut_sides.add(side)
    assert len(cut_sides) > 2


@pytest.mark.parametrize("kind", ["pole", "bar", "panel", "person", "bush", "car"])
def test_an_occluder_hides_about_the_asked_share_and_touches_nothing(kind):
    config = configure(
        identities=2,
        camera={"distance_m": 15, "elevation_deg": 12},
        image={"size_px": 96},
        occluders={"probability": 1, "kind": kind, "share": 0.2},
    )
    hidden = []
    for scene in scenes(config):
        if not scene.occluders:
            continue
        geometry = build_geometry(scene)
        (body,) = geometry.occluders
        points = np.concatenate([part.vertices for part in body.parts])
        vehicle = vehicle_vertices(geometry.vehicle)
        apart = (points.min(axis=0) > vehicle.max(axis=0)) | (
            points.max(axis=0) < vehicle.min(axis=0)
        )
        assert apart.any()
        assert scene.camera.pose.apply(points)[:, 2].min() > 0.2
        hidden.append(label_scene(scene, geometry).occlusion)
    assert len(hidden) >= 3
    assert np.mean(hidden) == pytest.approx(0.2, abs=TOLERANCE)
    assert min(hidden) > 0


def test_occluders_are_as_frequent_as_asked():
    config = configure(
        identities=1, images_per_identity=60, occluders={"probability": 0.3, "kind": "panel"}
    )
    assert sum(bool(s.occluders) for s in scenes(config)) == pytest.approx(18, abs=8)


def test_a_black_body_reddens_as_it_cools_and_is_white_in_daylight():
    assert black_body(6500) == pytest.approx((1, 1, 1))
    red, green, blue = black_body(2800)
    assert red == 1 and red > green > blue
    red, green, blue = black_body(12000)
    assert blue == 1 and blue > green > red


def test_white_balance_gains_are_stops_between_the_channels():
    config = configure(sensor={"warmth_ev": 1, "tint_ev": -0.5, "jpeg_quality": 60.4})
    sensor = sample_scene(config, 0, 0).sensor
    red, green, blue = sensor.white_balance
    assert np.log2([red / blue, green / np.sqrt(red * blue)]) == pytest.approx([1, -0.5])
    assert sensor.jpeg_quality == 60
