"""What is inside: nothing comes through the skin, people sit on seats, hands on the wheel."""

from __future__ import annotations

import numpy as np
import pytest

from render_assets.body import Body
from render_assets.cabin import cabin_parts
from render_assets.materials import CLOTHS, FIXED, HAIRS, SKINS
from render_assets.mesh import Part, loft
from render_assets.people import HEAD_TOP, person, sample_occupants
from render_assets.seats import bench_place, bucket_seat, bus_seat
from render_assets.spec import Cabin, Occupant, VehicleSpec, sample_vehicle
from render_assets.styles import STYLES
from render_assets.underside import underside_parts

SOMEBODY = Occupant(seat=0, cloth="red", skin="light", hair="brown")
every_style = pytest.mark.parametrize("style", STYLES)


def full(spec: VehicleSpec, right_hand: bool = False) -> VehicleSpec:
    """The vehicle with somebody on every seat."""
    people = tuple(SOMEBODY.model_copy(update={"seat": k}) for k in range(30))
    cabin = Cabin(right_hand=right_hand, colour="tan", occupants=people)
    return spec.model_copy(update={"cabin": cabin})


def cabin(spec: VehicleSpec) -> list[Part]:
    half, single = cabin_parts(spec, Body(spec.shape, spec.layout))
    return [*half, *single]


def closed_edges(p: Part) -> bool:
    """Whether every edge between places is shared by as many faces one way as the other."""
    _, label = np.unique(np.round(p.vertices / 1e-5), axis=0, return_inverse=True)
    faces = label.ravel()[p.faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, count = np.unique(edges, axis=0, return_counts=True)
    back, count_back = np.unique(edges[:, ::-1], axis=0, return_counts=True)
    return np.array_equal(there, back) and np.array_equal(count, count_back)


def volume(p: Part) -> float:
    a, b, c = (p.vertices[p.faces[:, k]].astype(np.float64) for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


@every_style
@pytest.mark.parametrize("identity", range(5))
def test_nothing_comes_through_the_skin(style: str, identity: int) -> None:
    spec = full(sample_vehicle(0, identity, styles={style: 1.0}))
    shape = spec.shape.model_copy(update={"open_top": False})
    body = Body(shape, spec.layout)
    for p in cabin(spec):
        points = p.vertices.astype(np.float64)
        if spec.shape.open_top:  # what stands out of an open car does so on purpose
            points = points[points[:, 2] < shape.belt_z - 0.03]
        if len(points):
            assert body(points).max() < 0, p.name


@every_style
@pytest.mark.parametrize("identity", [0, 30, 31])
def test_rear_seats_keep_out_of_the_wheel_arches(style: str, identity: int) -> None:
    spec = full(sample_vehicle(0, identity, styles={style: 1.0}))
    body, s = Body(spec.shape, spec.layout), spec.shape
    if spec.layout == "bus":  # has its seats above
        return
    points = np.concatenate([p.vertices for p in cabin(spec) if p.name.startswith("seat_")])
    outside = np.abs(points[:, 1]) > body.half - 0.42
    away = np.hypot(points[:, 0] + s.wheelbase / 2, points[:, 2] - body.arch_z)
    assert away[outside].min(initial=9.0) > s.arch_radius


@every_style
def test_a_cabin_has_what_one_looks_for(style: str) -> None:
    spec = full(sample_vehicle(0, 3, styles={style: 1.0}))
    names = {p.name for p in cabin(spec)}
    wanted = {"seat_back", "seat_cushion", "dashboard", "steering_wheel", "instruments", "torso",
              "head", "hair", "hand"}  # fmt: skip
    assert wanted <= names
    assert spec.shape.open_top or {"headliner", "door_trim", "floor"} <= names
    assert ("handrails" in names) == (spec.layout == "bus")
    for p in cabin(spec):
        assert p.material in FIXED or p.material in ("seat", "door_trim"), p.name


@every_style
def test_the_driver_holds_the_wheel_on_the_chosen_side(style: str) -> None:
    spec = sample_vehicle(0, 3, styles={style: 1.0})
    spec = spec.model_copy(update={"cabin": Cabin(occupants=(SOMEBODY,))})
    body = Body(spec.shape, spec.layout)
    left = {p.name: p for p in cabin_parts(spec, body)[1]}
    wheel, head, hand = (left[n].vertices for n in ("steering_wheel", "head", "hand"))
    assert 0.15 < wheel[:, 1].mean() < body.half
    assert head[:, 1].mean() == pytest.approx(wheel[:, 1].mean(), abs=0.03)
    nearest = np.linalg.norm(hand[:, None] - wheel[None], axis=2).min(axis=1)
    assert nearest.min() < 0.04
    assert wheel[:, 0].min() > head[:, 0].max()
    assert head[:, 2].max() > spec.shape.belt_z + 0.2
    other = spec.cabin.model_copy(update={"right_hand": True})
    right = cabin_parts(spec.model_copy(update={"cabin": other}), body)[1]
    for p in right:
        assert np.allclose(p.vertices * [1, -1, 1], left[p.name].vertices)


@pytest.mark.parametrize("style", ["notchback", "hatch5", "people_carrier", "city_bus"])
def test_everybody_has_a_seat_of_their_own(style: str) -> None:
    spec = full(sample_vehicle(0, 3, styles={style: 1.0}))
    parts = cabin(spec)
    heads = next(p for p in parts if p.name == "head")
    one = len(next(p for p in person(SOMEBODY) if p.name == "head").vertices)
    centres = heads.vertices.reshape(-1, one, 3).mean(axis=1)
    least = {"notchback": 4, "hatch5": 4, "people_carrier": 6, "city_bus": 20}[style]
    assert len(centres) >= least
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2) + 9 * np.eye(len(centres))
    assert apart.min() > 0.35
    seats = np.concatenate([p.vertices for p in parts if p.name == "seat_cushion"])
    seats = np.concatenate([seats, seats * [1, -1, 1]])
    below = np.linalg.norm(seats[None, :, :2] - centres[:, None, :2], axis=2).min(axis=1)
    assert below.max() < 0.25


@pytest.mark.parametrize("shape", [bucket_seat(0.26), bench_place(0.3), bus_seat(0.42)])
def test_seats_are_closed_and_face_outward(shape: tuple[Part, ...]) -> None:
    for p in shape:
        if p.name != "head_rest_post":
            assert closed_edges(p), p.name
            assert volume(p) > 0, p.name
    points = np.concatenate([p.vertices for p in shape])
    assert -0.25 < points[:, 2].min() < -0.15 and 0.5 < points[:, 2].max() < 0.85


def test_a_person_has_human_measures() -> None:
    parts = person(SOMEBODY)
    points = np.concatenate([p.vertices for p in parts])
    assert points[:, 2].max() == pytest.approx(HEAD_TOP, abs=0.02)
    shoulders = next(p for p in parts if p.name == "torso").vertices
    assert 0.36 < np.ptp(shoulders[:, 1]) < 0.44
    assert {p.material for p in parts} == {"cloth_red", "skin_light", "hair_brown"}
    for p in parts:
        if p.name in ("torso", "head", "hair", "hand"):
            assert closed_edges(p) and volume(p) > 0, p.name
    hair = sum(p.name == "hair" for p in person(SOMEBODY.model_copy(update={"long_hair": True})))
    assert hair == 2


def test_a_loft_of_squares_is_a_box() -> None:
    square = np.array([(0, 0), (2, 0), (2, 3), (0, 3)], dtype=np.float64)
    made = loft("box", "seat", np.stack([np.insert(square, 2, z, axis=1) for z in (0.0, 1.0, 4.0)]))
    assert volume(made) == pytest.approx(24.0)
    assert closed_edges(made)


def test_who_sits_where_is_drawn_by_chance() -> None:
    rng = np.random.default_rng(3)
    cars = [sample_occupants("car", rng) for _ in range(1500)]
    assert 0.56 < np.mean([bool(c) for c in cars]) < 0.64
    assert all(c[0]["seat"] == 0 for c in cars if c)
    assert 0.13 < np.mean([any(o["seat"] == 1 for o in c) for c in cars]) < 0.23
    for c in cars:
        for o in c:
            assert o["cloth"] in CLOTHS and o["skin"] in SKINS and o["hair"] in HAIRS
    buses = [sample_occupants("bus", rng) for _ in range(300)]
    assert np.mean([len(b) for b in buses]) > 1.5
    sides = [sample_vehicle(0, i).cabin.right_hand for i in range(600)]
    assert 0.02 < np.mean(sides) < 0.12


@every_style
@pytest.mark.parametrize("identity", [0, 3, 5])
def test_what_hangs_below_clears_the_ground_and_hides_in_the_body(
    style: str, identity: int
) -> None:
    spec = sample_vehicle(0, identity, styles={style: 1.0})
    body = Body(spec.shape, spec.layout)
    half, whole = underside_parts(spec, body)
    points = np.concatenate([p.vertices for p in (*half, *whole)]).astype(np.float64)
    assert points[:, 2].min() > 0.07
    assert np.abs(points[:, 1]).max() < body.half - 0.05
    assert points[:, 0].min() > spec.shape.rear_x + 0.02
    assert points[:, 0].max() < spec.shape.front_x - 0.1
    if spec.load is None:
        assert points[:, 2].min() < spec.shape.clearance
    assert {p.name for p in half} >= {"front_arm", "front_strut"}
    assert all(p.material in FIXED for p in (*half, *whole))
