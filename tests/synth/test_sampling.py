"""Scenes are pure functions of configuration, seed and index; factors leave each other alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri import camera
from pamtri.config import parse_config
from synth.config import FixedCamera, SynthConfig
from synth.geometry import build_geometry, vehicle_vertices
from synth.labels import label_scene
from synth.placement import TOLERANCE
from synth.sampling import azimuth_sector, black_body, plan_shot, sample_scene
from synth.streams import Streams
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


def test_an_identity_that_is_a_model_shows_another_vehicle_of_it_in_every_image():
    model = configure(vehicle={**WIDE["vehicle"], "identity_is": "model"}, images_per_identity=8)
    plain = configure(images_per_identity=8)
    vehicles = defaultdict(list)
    for scene, same in zip(scenes(model), scenes(plain), strict=True):
        # What is on the roof is a mark as well: the camera and who stands before it mind it.
        assert differing(scene, same) <= {"vehicle", "camera", "occluders"}
        own = differing(scene.vehicle, same.vehicle)
        assert own <= {"colour", "paint", "marks"}
        assert bool(own) == bool(scene.index % 8), "the first is the identity's own"
        vehicles[scene.vehicle.identity].append(scene.vehicle)
    for seen in vehicles.values():
        assert len({v.paint for v in seen}) == len({v.marks for v in seen}) == 8
        assert len({v.colour for v in seen}) >= 4
    others = [v.paint for v in vehicles[0]], [v.paint for v in vehicles[1]]
    assert not set(others[0]) & set(others[1])


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


@settings(max_examples=40, deadline=None)
@given(
    identities=st.integers(2, 40),
    images=st.integers(3, 25),
    cameras=st.integers(2, 9),
    sectors=st.integers(2, 12),
    test=st.sampled_from([0, 0.25, 0.5, 1]),
    offset=st.integers(0, 500),
)
def test_coverage_is_exact_for_any_size(identities, images, cameras, sectors, test, offset):
    shares = {"train": 1 - test, "test": test}
    if test and round(identities * (1 - test)) in (0, identities) and test < 1:
        return
    config = SynthConfig(
        name="any",
        identities=identities,
        images_per_identity=images,
        identity_offset=offset,
        splits={split: share for split, share in shares.items() if share},
        fixed_cameras=tuple(FixedCamera(id=number) for number in range(cameras)),
    )
    shots = [plan_shot(config, 3, index) for index in range(config.count)]
    assert Counter(s.identity for s in shots) == {offset + i: images for i in range(identities)}
    for identity in range(offset, offset + identities):
        mine = [s for s in shots if s.identity == identity]
        seen = Counter(s.fixed_camera.id for s in mine)
        met = Counter(azimuth_sector(sectors, cameras, 3, identity, s.turn) for s in mine)
        for counts, of in ((seen, cameras), (met, sectors)):
            each = [counts[n] for n in range(of)]
            assert max(each) - min(each) <= 1 and sum(each) == images
        splits = {"test" if s.split in ("query", "gallery") else s.split for s in mine}
        assert len(splits) == 1
        if splits == {"test"}:
            assert [s.split for s in mine] == ["query"] + ["gallery"] * (images - 1)
    tested = {s.identity for s in shots if s.split == "query"}
    assert len(tested) == identities - round(identities * (1 - test))


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


def test_apparent_size_is_the_vehicle_s_share_of_the_larger_view():
    lens = {"apparent_size": {"kind": "uniform", "low": 0.03, "high": 0.3}, "roll_deg": 4,
            "focal_mm": {"kind": "choice", "values": [28, 85]}, "height_m": 5}  # fmt: skip
    shares, far = [], []
    for scene in scenes(configure(camera=lens)):
        points = vehicle_vertices(build_geometry(scene).vehicle)
        pixels, _ = camera.project(points, scene.camera.pose, camera.Intrinsics(1, 1, 0, 0))
        shares.append(np.ptp(pixels, axis=0).max() / 36)
        far.append(np.linalg.norm(scene.camera.pose.centre))
        assert scene.camera.pose.centre[2] == pytest.approx(5)
    factors = configure(camera=lens).camera
    asked = []
    for streams in (Streams((0, index)) for index in range(12)):
        size = streams.number("camera.apparent_size", factors.apparent_size)
        asked.append(size / streams.number("camera.focal_mm", factors.focal_mm))
    assert shares == pytest.approx(asked, rel=1e-3)
    assert max(far) < 300


def test_apparent_sizes_that_no_distance_gives_end_at_the_nearest_and_farthest():
    for size, distance in ((1, None), (0.005, 300)):
        (scene, *_) = scenes(configure(camera={"apparent_size": size, "focal_mm": 300}))
        points = vehicle_vertices(build_geometry(scene).vehicle)
        radius = np.linalg.norm(points, axis=1).max()
        nearest = radius / np.sin(np.radians(WIDEST_VIEW_DEG / 2))
        found = np.linalg.norm(scene.camera.pose.centre)
        if size == 1:  # 300 mm see a car fill the view from farther than the nearest place
            assert found > nearest
            (wide, *_) = scenes(configure(camera={"apparent_size": size, "focal_mm": 10}))
            assert np.linalg.norm(wide.camera.pose.centre) == pytest.approx(nearest, rel=1e-3)
        else:
            assert found == pytest.approx(distance)


def test_distance_in_lengths_of_the_vehicle():
    config = configure(
        vehicle={"type": {"kind": "choice", "values": ["sedan", "bus"]}},
        camera={"distance_lengths": 4, "distance_m": 2},
    )
    lengths = set()
    for scene in scenes(config):
        x = vehicle_vertices(build_geometry(scene).vehicle)[:, 0]
        assert np.linalg.norm(scene.camera.pose.centre) == pytest.approx(4 * np.ptp(x), rel=1e-4)
        lengths.add(round(float(np.ptp(x)), 3))
    assert len(lengths) == 4


def test_rows_of_the_prior_stay_together():
    path = Path(__file__).parents[3] / "shared/data/veri_pose_prior.npz"
    if not path.exists():
        pytest.skip("no ../shared")
    row = {"kind": "table", "file": str(path), "array": "camera"}
    columns = {"azimuth_deg": "azimuth_deg", "elevation_deg": "elevation_deg",
               "roll_deg": "roll_deg", "distance_lengths": "distance_vehicle_lengths"}  # fmt: skip
    config = configure(camera={key: row | {"column": c} for key, c in columns.items()})
    table = np.load(path)["camera"]
    for scene in scenes(config):
        view = camera.viewpoint_from_pose(scene.camera.pose)
        x = vehicle_vertices(build_geometry(scene).vehicle)[:, 0]
        angles = np.degrees([view.azimuth, view.elevation, view.roll])
        found = np.array([*angles, view.distance / np.ptp(x)])
        assert np.abs(table[:, :4] - found).max(axis=1).min() < 1e-2


def test_any_lens_can_be_undone_over_its_image():
    either = {"kind": "uniform", "low": -0.5, "high": 0.5}
    config = configure(
        images_per_identity=40,
        camera={
            "distance_m": {"kind": "log_uniform", "low": 3, "high": 30},
            "off_axis_deg": {"kind": "uniform", "low": 0, "high": 30},
            "distortion_k1": either,
            "distortion_k2": either,
            "framing": {"margin": {"kind": "uniform", "low": 0, "high": 0.6}},
        },
    )
    kept = 0
    for scene in scenes(config):
        view = scene.camera
        grid = np.stack(np.meshgrid(np.linspace(0, view.width, 9), np.linspace(0, view.height, 9)))
        rays = camera.rays(grid.reshape(2, -1).T, view.intrinsics)  # raises where it cannot
        k1, k2 = view.distortion[:2]
        square = (rays[:, :2] ** 2).sum(axis=1)
        assert (1 + 3 * k1 * square + 5 * k2 * square**2).min() > 0.49
        streams, lens = Streams((0, scene.index)), config.camera
        drawn = (
            streams.number("camera.distortion_k1", lens.distortion_k1),
            streams.number("camera.distortion_k2", lens.distortion_k2),
        )
        assert k1 * drawn[1] == pytest.approx(k2 * drawn[0])
        assert abs(k1) <= abs(drawn[0])
        kept += k1 == drawn[0]
    assert kept > 80


def test_balanced_azimuths_spread_every_identity_over_all_sectors():
    config = configure(
        identities=6, images_per_identity=11, camera={"balanced_azimuths": 4, "roll_deg": 0}
    )
    orders = set()
    for identity in range(6):
        drawn = [sample_scene(config, 0, 11 * identity + turn) for turn in range(11)]
        azimuths = [np.degrees(camera.viewpoint_from_pose(s.camera.pose).azimuth) for s in drawn]
        sectors = [int((a + 45) % 360 // 90) for a in azimuths]
        assert sorted(Counter(sectors).values()) == [2, 3, 3, 3]
        assert sorted(sectors[:4]) == sorted(sectors[4:8]) == [0, 1, 2, 3]
        assert len({round(a, 3) for a in azimuths}) == 11
        orders.add(tuple(sectors[:4]))
    assert len(orders) > 2


@pytest.mark.parametrize(("sectors", "cameras"), [(4, 4), (4, 6), (8, 3), (6, 4), (2, 1)])
def test_every_fixed_camera_sees_every_sector_in_the_end(sectors, cameras):
    config = configure(
        images_per_identity=sectors * cameras,
        fixed_cameras=[{"id": number} for number in range(cameras)],
        camera={"balanced_azimuths": sectors},
    )
    for identity in range(2):
        met = Counter()
        for turn in range(sectors * cameras):
            shot = plan_shot(config, 0, identity * sectors * cameras + turn)
            met[shot.fixed_camera.id, azimuth_sector(sectors, cameras, 0, identity, turn)] += 1
        assert len(met) == sectors * cameras


def test_factors_depend_on_the_vehicle_and_on_the_fixed_camera():
    elevation = {"kind": "by_type", "cases": {"van": 30, "default": 10}}
    noise = {"kind": "by_camera", "cases": {2: 0.2, "default": 0}}
    colour = {"kind": "by_camera", "cases": {3: 0.9, "default": 0.1}}
    sun = {"kind": "by_type", "cases": {"van": 0, "default": 1}}
    markings = {"kind": "by_camera", "cases": {2: 1, "default": 0}}
    config = configure(
        images_per_identity=6,
        identities=8,
        camera={"elevation_deg": elevation},
        sensor={"noise": noise},
        light={"sun": {"probability": sun}},
        ground={"colour": {"value": colour}, "markings_probability": markings},
        fixed_cameras=[{"id": number} for number in (1, 2, 3)],
    )
    seen = set()
    for scene in scenes(config):
        view = camera.viewpoint_from_pose(scene.camera.pose)
        expected = 30 if scene.vehicle.type == "van" else 10
        assert np.degrees(view.elevation) == pytest.approx(expected)
        assert scene.sensor.noise == (0.2 if scene.camera.id == 2 else 0)
        assert (scene.ground.colour[0] > 0.5) == (scene.camera.id == 3)
        assert (scene.light.sun is None) == (scene.vehicle.type == "van")
        assert scene.ground.markings == (scene.camera.id == 2)
        seen.add((scene.vehicle.type, scene.camera.id))
    assert len(seen) == 6


def test_colour_may_depend_on_type_and_leaves_the_vehicle_as_it_is():
    both = {"kind": "choice", "values": ["sedan", "bus"]}
    by_type = {"kind": "by_type", "cases": {"bus": "yellow", "default": "black"}}
    config = configure(vehicle={"type": both, "colour": by_type})
    plain = configure(vehicle={"type": both})
    types = set()
    for identity in range(8):
        vehicle = config.vehicle.sample(0, identity)
        assert vehicle.colour == ("yellow" if vehicle.type == "bus" else "black")
        assert vehicle.shape == plain.vehicle.sample(0, identity).shape
        types.add(vehicle.type)
    assert types == {"bus", "sedan"}


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
