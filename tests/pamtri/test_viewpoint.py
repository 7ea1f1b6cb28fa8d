"""Viewpoints of exactly projected vehicles, from the generator and from VeRi."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pamtri import camera, viewpoint_fit
from pamtri.attributes import TYPES
from pamtri.errors import DataError
from pamtri.keypoints import FLIP, GROUPS, NAMES
from pamtri.viewpoint import Viewpoints, estimate_viewpoints
from pamtri.viewpoint_shapes import FILE
from render_assets.imported.keypoint_shapes import keypoint_shapes
from render_assets.spec import sample_vehicle
from render_assets.vehicle import build_vehicle

VERI = Path(__file__).parents[3] / "shared/data/veri_pose_prior.npz"
SIDE_POINTS = [NAMES[i].partition("_")[2] for g in ("wheel", "fender") for i in GROUPS[g]]
ASIDE = (
    camera.look_at((0, 0, 0), (1, 0.25, 0.1), roll=0.03).rotation
    @ camera.look_at((0, 0, 0), (1, 0, 0)).rotation.T
)
"""Turns a camera so that what was in the middle is at the right, below."""
LENS = (-0.25, 0.08, 0.004, -0.003, 0.01)


def shown_points(points: np.ndarray, pose: camera.Pose) -> np.ndarray:
    """(36,) True for what a camera sees of a vehicle as of a box: sides, ends and roof."""
    beyond = (pose.centre - points) * np.sign(points) > 0  # of the planes that a point lies in
    side, end, roof = beyond[:, 1], beyond[:, 0], beyond[:, 2]
    names = np.array(NAMES)
    at_end = ~np.isin(np.char.partition(names, "_")[:, 2], SIDE_POINTS)
    on_roof = np.char.find(names, "roof") >= 0
    return side | (at_end & end) | (on_roof & roof)


def shot(
    points: np.ndarray,
    pose: camera.Pose,
    rng: np.random.Generator,
    noise: float,
    lens: camera.Intrinsics,
) -> np.ndarray:
    """(36, 3) keypoints as a network gives them: hidden ones are unsure and somewhere."""
    pixels, _ = camera.project(points, pose, lens)
    shown = shown_points(points, pose)
    extent = np.ptp(pixels[shown], axis=0).max()
    pixels += rng.normal(0, noise * extent, pixels.shape)
    pixels[~shown] = rng.uniform(0, 200, ((~shown).sum(), 2))
    return np.c_[pixels, np.where(shown, rng.uniform(0.6, 1, 36), rng.uniform(0, 0.1, 36))]


def degrees_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs((np.degrees(a - b) + 180) % 360 - 180)


@pytest.fixture(scope="module")
def vehicles() -> list[tuple[str, np.ndarray, float]]:
    """Type, keypoints in metres and length of vehicles that the prior was not learned from."""
    drawn = []
    for kind in TYPES:
        for i in range(2):
            vehicle = build_vehicle(sample_vehicle(500, i, types={kind: 1.0}))
            x = np.concatenate([part.vertices[:, 0] for part in vehicle.parts])
            drawn.append((kind, vehicle.keypoints, float(np.ptp(x))))
    return drawn


def shoot_around(
    vehicles: list[tuple[str, np.ndarray, float]], noise: float, calibrated: bool = False
) -> tuple[np.ndarray, list[camera.Viewpoint], list[float], list[camera.Intrinsics | None]]:
    rng = np.random.default_rng(8)
    shots, views, lengths, lenses = [], [], [], []
    for _, points, length in vehicles:
        for azimuth in np.arange(12) * 30 + rng.uniform(0, 30):
            angles = np.radians([azimuth % 360, rng.uniform(2, 30), rng.uniform(-5, 5)])
            view = camera.Viewpoint(*angles, length * rng.uniform(2.5, 7))
            pose = camera.pose_from_viewpoint(view, (0, 0, 0.6))
            lens = camera.Intrinsics(900, 900, 600, 300)
            if calibrated:  # the vehicle is far from the middle of a wide, bent picture
                lens = camera.Intrinsics(900, 850, 600, 300, LENS, skew=20)
                pose = pose.then(camera.Pose(ASIDE, np.zeros(3)))
            shots.append(shot(points, pose, rng, noise, lens))
            views.append(camera.viewpoint_from_pose(pose))
            lengths.append(length)
            lenses.append(lens if calibrated else None)
    return np.array(shots), views, lengths, lenses


def azimuth_errors(found: Viewpoints, views: list[camera.Viewpoint]) -> np.ndarray:
    return degrees_apart(found.azimuth, np.array([v.azimuth for v in views]))


def test_every_type_is_seen_from_the_right_side(vehicles: list) -> None:
    shots, views, _, _ = shoot_around(vehicles, noise=0.01)
    found = estimate_viewpoints(shots)
    errors = azimuth_errors(found, views).reshape(len(TYPES), -1)
    limits = [5.0 if kind == "truck" else 2.5 for kind in TYPES]  # no truck is like another
    assert (np.median(errors, axis=1) < limits).all(), np.median(errors, axis=1).round(2)
    assert np.median(errors) < 1.5
    assert (errors < 15).mean() > 0.99
    elevations = np.array([v.elevation for v in views])
    assert np.median(degrees_apart(found.elevation, elevations)) < 2
    assert np.median(degrees_apart(found.roll, np.array([v.roll for v in views]))) < 1.5


def test_strays_do_not_turn_the_vehicle(vehicles: list) -> None:
    shots, views, _, _ = shoot_around(vehicles, noise=0.02)
    rng = np.random.default_rng(1)
    for points in shots:
        stray = rng.choice(np.flatnonzero(points[:, 2] > 0.5), 3, replace=False)
        points[stray, :2] = points[rng.permutation(stray), :2] + rng.normal(0, 60, (3, 2))
    errors = azimuth_errors(estimate_viewpoints(shots), views)
    assert np.median(errors) < 2.5
    assert (errors < 30).mean() > 0.97


def test_a_known_lens_gives_the_distance(vehicles: list) -> None:
    shots, views, lengths, lenses = shoot_around(vehicles, noise=0.002, calibrated=True)
    found = estimate_viewpoints(shots, lenses)
    ratio = found.distance * lengths / [v.distance for v in views]
    assert np.percentile(ratio, [10, 90]) == pytest.approx([1, 1], abs=0.1)
    assert np.median(ratio) == pytest.approx(1, abs=0.02)
    assert np.median(azimuth_errors(found, views)) < 0.9
    assert np.median(degrees_apart(found.roll, np.array([v.roll for v in views]))) < 0.6
    assert np.median(np.abs(found.length / lengths - 1)) < 0.1


def test_the_mirrored_image_has_the_mirrored_viewpoint(vehicles: list) -> None:
    shots, _, _, _ = shoot_around(vehicles[:4], noise=0.01)
    mirrored = shots[:, FLIP] * [-1, 1, 1] + [1200, 0, 0]
    a, b = estimate_viewpoints(shots), estimate_viewpoints(mirrored)
    assert degrees_apart(a.azimuth, -b.azimuth).max() < 0.5
    assert degrees_apart(a.roll, -b.roll).max() < 0.5


def test_the_error_is_the_distance_to_the_points(vehicles: list) -> None:
    shots, _, _, _ = shoot_around(vehicles[:1], noise=0.001)
    clean = estimate_viewpoints(shots)
    moved = shots.copy()
    sure = np.flatnonzero(shots[0, :, 2] > 0.5)
    weights = shots[0, :, 2] ** 2
    moved[0, sure[0], 0] += 300  # a stray moves nothing else, so the mean grows by its share
    found = estimate_viewpoints(moved)
    grown = (found.error[0] - clean.error[0]) * weights.sum() / weights[sure[0]]
    assert grown == pytest.approx(300, rel=0.05)
    twice = estimate_viewpoints(shots * [2, 2, 1])
    assert twice.error == pytest.approx(2 * clean.error, rel=1e-3)
    assert twice.relative_error == pytest.approx(clean.relative_error, rel=1e-3)
    assert twice.azimuth == pytest.approx(clean.azimuth, abs=1e-3)


def test_images_do_not_depend_on_their_neighbours(vehicles: list) -> None:
    shots, _, _, _ = shoot_around(vehicles[:2], noise=0.01)
    together = estimate_viewpoints(np.tile(shots, (12, 1, 1)))  # over one batch
    alone = np.array([estimate_viewpoints(one[None]).azimuth[0] for one in shots])
    assert together.azimuth == pytest.approx(np.tile(alone, 12), abs=1e-6)


def test_too_few_points_have_no_viewpoint(vehicles: list) -> None:
    shots, _, _, _ = shoot_around(vehicles[:1], noise=0.01)
    three = shots[:2].copy()
    three[0, :, 2] = 0
    three[0, np.flatnonzero(shots[0, :, 2] > 0.5)[:3], 2] = 0.9
    found = estimate_viewpoints(three)
    assert np.isnan([found.azimuth[0], found.distance[0], found.error[0]]).all()
    assert found.type.tolist()[0] == -1
    assert not np.isnan(found.azimuth[1])
    assert len(estimate_viewpoints(np.zeros((0, 36, 3))).azimuth) == 0
    assert np.isnan(estimate_viewpoints(np.zeros((1, 36, 3))).azimuth).all()
    with pytest.raises(DataError, match=r"expected keypoints \(n, 36, 3\), got \(2, 36, 2\)"):
        estimate_viewpoints(three[..., :2])


def test_derivatives_equal_differences() -> None:
    rng = np.random.default_rng(3)
    m, k = 5, 6
    views = viewpoint_fit.Views(
        rotation=viewpoint_fit._rotations(rng.normal(0, 1, (m, 3))),
        shift=rng.normal(0, 0.1, (m, 2)),
        size=rng.uniform(0.5, 2, m),
        nearness=rng.uniform(0.1, 0.3, m),
        latents=rng.normal(0, 1, (m, k)),
        type=rng.integers(0, 9, m),
        energy=np.zeros(m),
    )
    turned = viewpoint_fit._turned(views)
    image, depth = viewpoint_fit._project(views, turned)
    slopes = viewpoint_fit._slopes(views, turned, image, depth)
    focal = np.array([np.nan, 3.0, 5.0, np.nan, 4.0])
    problem = viewpoint_fit._Problem(image, np.ones((m, 36)), np.ones((m, 36)), focal)
    _, priors = viewpoint_fit._priors(problem, views)
    for i in range(7 + k):
        step = np.zeros((m, 7 + k))
        step[:, i] = 1e-6
        ends = [viewpoint_fit._moved(views, sign * step) for sign in (1, -1)]
        seen = [viewpoint_fit.seen(end) for end in ends]
        np.testing.assert_allclose((seen[0] - seen[1]) / 2e-6, slopes[..., i], atol=1e-6)
        prior = [viewpoint_fit._priors(problem, end)[0] for end in ends]
        np.testing.assert_allclose((prior[0] - prior[1]) / 2e-6, priors[..., i], atol=1e-5)


def test_fitted_views_are_the_camera_model_of_the_project() -> None:
    """``camera.project`` of the fitted shape equals what the fit says that it sees."""
    rng = np.random.default_rng(4)
    views = viewpoint_fit.Views(
        rotation=viewpoint_fit._rotations(rng.normal(0, 1, (1, 3))),
        shift=np.array([[0.2, -0.1]]),
        size=np.array([1.3]),
        nearness=np.array([0.25]),
        latents=np.zeros((1, 6)),
        type=np.array([2]),
        energy=np.zeros(1),
    )
    centre = viewpoint_fit.camera_centres(views)[0]
    pose = camera.Pose(views.rotation[0], -views.rotation[0] @ centre)
    shape = viewpoint_fit._turned(replace(views, rotation=np.eye(3)[None]))[0]
    pixels, _ = camera.project(shape, pose, camera.Intrinsics(1.3 / 0.25, 1.3 / 0.25, 0, 0))
    np.testing.assert_allclose(pixels, viewpoint_fit.seen(views)[0], atol=1e-9)


def test_shapes_are_those_of_the_learned_model() -> None:
    """Fails when ``shape_model.npz`` was learned anew and this excerpt was not."""
    with np.load(FILE) as archive:
        for name, values in keypoint_shapes().items():
            np.testing.assert_allclose(
                np.abs(archive[name].astype(float)), np.abs(values.astype(float)), atol=2e-3
            )  # the sign of a principal axis is anyone's


@pytest.mark.skipif(not VERI.exists(), reason="shared/data is absent")
def test_real_vehicles_and_cameras_of_veri() -> None:
    with np.load(VERI) as archive:
        rows = archive["camera"][::45].astype(float)
        shapes = archive["vehicle_keypoints"][archive["camera_vehicle"][::45]].astype(float)
    rng = np.random.default_rng(2)
    shots, true = [], []
    for (azimuth, elevation, roll, distance, focal, *_), points in zip(rows, shapes, strict=True):
        view = camera.Viewpoint(*np.radians([azimuth, elevation, roll]), distance)
        lens = camera.Intrinsics(200 * focal, 200 * focal, 100, 100)
        pose = camera.pose_from_viewpoint(view)
        pixels, _ = camera.project(points, pose, lens)
        pixels += rng.normal(0, 4, pixels.shape)
        shots.append(np.c_[pixels, shown_points(points, pose)])
        true.append(view)
    errors = azimuth_errors(estimate_viewpoints(np.array(shots)), true)
    assert np.median(errors) < 2.5
    assert (errors < 15).mean() > 0.98
