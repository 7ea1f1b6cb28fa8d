"""Wheels: their faces, their fit in the tyre and in the arch."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from render_assets.body import Body, arch_wall_y
from render_assets.keypoints import wheel_track
from render_assets.mesh import Part
from render_assets.rim_face import turning
from render_assets.rims import RIMS, openness, sample_rolling, sample_wheels
from render_assets.spec import RimDesign, RimFinish, Wheels, sample_vehicle
from render_assets.styles import STYLES
from render_assets.vehicle import build_vehicle
from render_assets.wheels import bare_wheel, build_wheel, hub_face

SIZES = ((0.29, 0.185, 0.195), (0.328, 0.215, 0.22), (0.39, 0.255, 0.271))
every_design = pytest.mark.parametrize("design", RIMS)
every_size = pytest.mark.parametrize("size", SIZES)


def wheels(design: str, size: tuple[float, float, float] = SIZES[1], **more: object) -> Wheels:
    radius, width, rim = size
    values = {"design": design, "finish": "silver", "twin": False, **more}
    return Wheels.model_validate({"radius": radius, "width": width, "rim_radius": rim, **values})


def by_name(parts: tuple[Part, ...]) -> dict[str, Part]:
    return {p.name: p for p in parts}


def face_of(parts: tuple[Part, ...]) -> Part:
    return next(p for p in parts if p.name in ("spokes", "wheel_cover"))


def pieces(face: Part) -> int:
    """Number of pieces that hang together by edges, by flooding over shared corners' places."""
    places = np.round(face.vertices / 2e-5).astype(np.int64)
    _, label = np.unique(places, axis=0, return_inverse=True)
    faces = label.ravel()[face.faces]
    owner = np.arange(label.max() + 1)
    while True:
        lowest = owner[faces].min(axis=1)
        before = owner.copy()
        for corner in faces.T:
            np.minimum.at(owner, corner, lowest)
        if np.array_equal(owner, before):
            return len(np.unique(owner[np.unique(faces)]))


def test_every_design_is_described_and_drawn() -> None:
    assert set(RIMS) == set(get_args(RimDesign)) and len(RIMS) >= 10
    drawn = {sample_vehicle(0, i).wheels.design for i in range(600)}
    assert drawn == set(RIMS)
    finishes = {sample_vehicle(0, i).wheels.finish for i in range(400)}
    assert finishes == set(get_args(RimFinish))


@every_design
@every_size
def test_a_face_is_one_piece_that_looks_outward(
    design: str, size: tuple[float, float, float]
) -> None:
    face = face_of(build_wheel(wheels(design, size), "front"))
    assert pieces(face) == 1
    corners = face.vertices[face.faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (cross[:, 1] > -1e-9).all()
    radius = np.hypot(face.vertices[:, 0], face.vertices[:, 2])
    assert radius.max() < size[2] - 0.005
    assert radius.max() > size[2] - 0.02 and radius.min() < 0.3 * size[2]  # from hub to lip


@every_design
def test_the_face_is_where_its_design_has_metal_and_open_elsewhere(design: str) -> None:
    """Area of the mesh against the share of random places that the design calls metal."""
    w, rim = wheels(design), RIMS[design]
    rng = np.random.default_rng(1)
    inner, outer = 0.9 * rim.cap, 1 - 0.01 / w.rim_radius
    r = np.sqrt(rng.uniform(inner**2, outer**2, 40_000))
    a = rng.uniform(0, 2 * np.pi, 40_000)
    at = np.stack([r * np.cos(a), r * np.sin(a)], axis=1)
    folded = np.mod(a + np.pi / rim.count, 2 * np.pi / rim.count) - np.pi / rim.count
    sector = np.stack([r * np.cos(folded), r * np.sin(folded)], axis=1)
    metal = (openness(rim, sector) < -rim.edge / w.rim_radius).mean()
    face = face_of(build_wheel(w, "front"))
    flat = face.vertices[face.faces][..., [0, 2]].astype(np.float64)
    (ax, ay), (bx, by) = (flat[:, 1] - flat[:, 0]).T, (flat[:, 2] - flat[:, 0]).T
    area = np.abs(ax * by - ay * bx).sum() / 2 / w.rim_radius**2
    assert area / (np.pi * (outer**2 - inner**2)) == pytest.approx(metal, abs=0.06)
    assert 0.15 < metal < 0.95
    assert len(at) == len(sector)


def test_designs_differ_at_a_glance() -> None:
    """No two designs' openings agree on more than 93 % of the face."""
    r, a = np.meshgrid(np.linspace(0.35, 0.95, 60), np.linspace(0, 2 * np.pi, 720)[:-1])
    masks = {}
    for name, rim in RIMS.items():
        folded = np.mod(a + np.pi / rim.count, 2 * np.pi / rim.count) - np.pi / rim.count
        at = np.stack([r * np.cos(folded), r * np.sin(folded)], axis=-1).reshape(-1, 2)
        masks[name] = openness(rim, at) < 0
    names = [n for n in RIMS if n not in ("truck_steel", "bus_cover", "steel", "hubcap")]
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            assert (masks[first] == masks[second]).mean() < 0.93, (first, second)


@every_design
@pytest.mark.parametrize("end", ["front", "rear"])
def test_parts_stay_inside_the_tyre_and_before_the_brake(design: str, end: str) -> None:
    for twin in (False, True):
        w = wheels(design, SIZES[2], twin=twin)
        parts = build_wheel(w, end)
        named = by_name(parts)
        half = w.width / 2
        for p in parts:
            reach = 0.035 if p.name in ("hub", "wheel_nuts") else 0.002
            assert p.vertices[:, 1].max() <= half + reach, p.name
            assert p.vertices[:, 1].min() >= -half - 1e-6, p.name
            assert np.hypot(p.vertices[:, 0], p.vertices[:, 2]).max() <= w.radius + 1e-6
        hub = named["hub"].vertices
        assert hub[:, 1].max() == pytest.approx(hub_face(w, end), abs=1e-6)
        if "brake_disc" in named and not twin:
            walls = named[f"{face_of(parts).name}_sides"].vertices
            radius = np.hypot(walls[:, 0], walls[:, 2])
            disc = named["brake_disc"].vertices
            outer = disc[np.hypot(disc[:, 0], disc[:, 2]) > 0.56 * 0.76 * w.rim_radius]
            assert walls[radius > 0.45 * w.rim_radius, 1].min() > outer[:, 1].max()
        tyre = named["tyre"].vertices
        assert tyre[:, 2].min() == pytest.approx(-w.radius, abs=1e-6)
        inner = np.hypot(tyre[:, 0], tyre[:, 2]).min()
        assert w.rim_radius - 0.006 < inner < w.rim_radius


def test_twin_wheels_are_dished_behind_and_stand_out_in_front() -> None:
    w = wheels("truck_steel", SIZES[2], twin=True)
    front, rear = (face_of(build_wheel(w, end)).vertices for end in ("front", "rear"))
    middle = [v[np.hypot(v[:, 0], v[:, 2]) < 0.5 * w.rim_radius, 1].mean() for v in (front, rear)]
    assert middle[0] > w.width / 2 - 0.03
    assert middle[1] < w.width / 2 - 0.12
    assert hub_face(w, "front") > w.width / 2
    assert w.width / 2 - 0.09 < hub_face(w, "rear") < w.width / 2 - 0.03
    single = w.model_copy(update={"twin": False})
    assert hub_face(single, "rear") == hub_face(w, "front")


def test_a_rolled_wheel_turns_its_face_and_not_its_calliper() -> None:
    still = by_name(build_wheel(wheels("five_spoke"), "front"))
    rolled = by_name(build_wheel(wheels("five_spoke", phases=(0.1, 0.6)), "front"))
    angle = 0.2 * np.pi
    want = still["spokes"].vertices.astype(np.float64)
    x, z = want[:, 0], want[:, 2]
    want = np.stack(
        [x * np.cos(angle) - z * np.sin(angle), want[:, 1],
         x * np.sin(angle) + z * np.cos(angle)], axis=1
    )  # fmt: skip
    assert np.allclose(rolled["spokes"].vertices, want, atol=1e-6)
    assert np.array_equal(rolled["brake_calliper"].vertices, still["brake_calliper"].vertices)
    assert np.array_equal(rolled["tyre"].vertices, still["tyre"].vertices)
    quarter = turning(np.array([np.pi / 2]))[0]
    assert np.allclose([1, 2, 0] @ quarter, [0, 2, 1])


@every_design
@every_size
def test_a_set_of_wheels_is_within_its_budget(
    design: str, size: tuple[float, float, float]
) -> None:
    count = sum(len(p.faces) for end in ("front", "rear") for p in build_wheel(
        wheels(design, size), end))  # fmt: skip
    assert 2 * count <= 22_500


def test_a_bare_wheel_keeps_the_hubs_face() -> None:
    w = wheels("hubcap")
    bare = {p.name: p for p in bare_wheel(w, "rear")}
    assert bare["hub"].vertices[:, 1].max() == pytest.approx(hub_face(w, "rear"), abs=1e-6)
    assert "wheel_nuts" in bare and "wheel_nuts" not in by_name(build_wheel(w, "rear"))


def test_rims_have_whole_inches_and_real_proportions() -> None:
    for i in range(300):
        spec = sample_vehicle(0, i)
        inches = (spec.wheels.rim_radius - 0.017) / 0.0127
        rest = 0.5 if spec.wheels.twin or spec.layout == "bus" else 0.0
        assert (inches - rest) == pytest.approx(round(inches - rest), abs=1e-6)
        assert 0.59 < spec.wheels.rim_radius / spec.wheels.radius < 0.77
        assert 12.9 < inches < 22.6
        assert spec.wheels.radius - spec.wheels.rim_radius > 0.06


def test_rolling_has_a_stream_of_its_own() -> None:
    rng = np.random.default_rng(0)
    drawn = [sample_rolling(rng) for _ in range(400)]
    phases = np.array([d["phases"] for d in drawn])
    assert phases.min() >= 0 and phases.max() < 1 and abs(phases.mean() - 0.5) < 0.05
    assert 0.7 < np.mean([d["calliper"] == "iron" for d in drawn]) < 0.95
    style = STYLES["hatch5"]
    first, second = (sample_wheels(style, 0.31, 0.2, np.random.default_rng(4)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("identity", [3, 7])
def test_wheels_fit_their_arches(style: str, identity: int) -> None:
    spec = sample_vehicle(0, identity, styles={style: 1.0})
    body = Body(spec.shape, spec.layout)
    parts = [p for p in build_vehicle(spec).parts if p.name.startswith("left_")]
    for end, axle in (("front", body.front_axle), ("rear", body.rear_axle)):
        if axle < spec.shape.body_rear_x:
            continue
        names = {f"left_{end}_{p.name}" for p in build_wheel(spec.wheels, end)}
        points = np.concatenate([p.vertices for p in parts if p.name in names])
        away = np.hypot(points[:, 0] - axle, points[:, 2] - body.arch_z)
        assert away.max() < spec.shape.arch_radius - 0.01
        assert points[:, 1].min() > arch_wall_y(body)
        assert points[:, 1].max() < spec.shape.width / 2 + 0.03
        assert points[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert wheel_track(spec) + spec.wheels.width / 2 < spec.shape.width / 2
