"""Lamps, grilles and fittings: that they lie on the body, in their openings, and go together."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

import numpy as np
import pytest

from render_assets.bands import Band, Drawing, band, disc
from render_assets.body import FLAT_FRONT, Body
from render_assets.chart import FAR, chart
from render_assets.ends import end_parts
from render_assets.faces import FACES, FAMILIES, sample_face, sample_lights
from render_assets.fittings import fitting_parts
from render_assets.lamps import HEAD, TAIL, units
from render_assets.mesh import Part
from render_assets.solid import between
from render_assets.spec import Grille, HeadLamp, TailLamp, VehicleSpec, sample_vehicle
from render_assets.styles import STYLES
from render_assets.vehicle import build_vehicle

every_style = pytest.mark.parametrize("style", STYLES)
ENDS = ("front", "rear")


@lru_cache(maxsize=64)
def model(style: str, identity: int = 3) -> tuple[VehicleSpec, Body]:
    spec = sample_vehicle(0, identity, styles={style: 1.0})
    return spec, Body(spec.shape, spec.layout)


def both(parts: tuple[list[Part], list[Part]]) -> list[Part]:
    return [*parts[0], *parts[1]]


def test_between_finds_a_sphere_to_a_tenth_of_a_millimetre() -> None:
    def sphere(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points, axis=1) - 0.7

    rng = np.random.default_rng(5)
    way = rng.normal(size=(200, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    inside = rng.uniform(-0.3, 0.3, (200, 3))
    found = between(sphere, 2 * way, inside)
    assert np.abs(sphere(found)).max() < 1e-4


@every_style
@pytest.mark.parametrize("end", ENDS)
def test_chart_lies_on_the_body_and_runs_both_ways(style: str, end: str) -> None:
    _, body = model(style)
    on = chart(body, end)  # type: ignore[arg-type]
    u, z = np.meshgrid(np.linspace(0, on.corner(on.z[3]) + 0.1, 30), on.z[1:-1:2])
    flat = np.stack([u.ravel(), z.ravel()], axis=1)
    points, normals = on.at(flat)
    away = np.abs(body.closed(points))
    assert np.percentile(away, 80) < 2e-3 and np.percentile(away, 97) < 0.015
    assert np.abs(points[:, 2] - flat[:, 1]).max() < 1e-6
    back = np.abs(on.u_of(points) - flat[:, 0])
    assert np.percentile(back, 95) < 0.01
    facing = normals[:, 0] * (1 if end == "front" else -1)
    assert (facing[flat[:, 0] < 0.3] > 0).all()
    behind = np.array([[body.shape.front_x - on.sign * 9.0, 0.5, 0.6]])
    assert on.u_of(behind)[0] == FAR


def test_u_is_the_way_along_the_skin() -> None:
    """Against the length of a fine polyline along the front at one height."""
    _, body = model("notchback")
    on = chart(body, "front")
    z = float(on.z[6])
    y = np.linspace(0, 0.55, 400)
    line = body.front_at(y, z)
    way = np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1).sum()
    assert on.u_of(line[-1:])[0] == pytest.approx(way, abs=3e-3)
    flat = np.array([[0.4, z], [-0.4, z]])
    left, right = on.at(flat, 0.02)[0]
    assert np.array_equal(left * [1, -1, 1], right)


def test_inset_of_a_rectangle_is_a_smaller_one() -> None:
    outer = band([(1.0, 1.0), (3.0, 1.0)], [(1.0, 0.0), (3.0, 0.0)], count=21)
    inner = outer.inset(0.1)
    assert inner.ring.min(axis=0) == pytest.approx([1.1, 0.1])
    assert inner.ring.max(axis=0) == pytest.approx([2.9, 0.9])
    half = band([(0.0, 1.0), (2.0, 1.0)], [(0.0, 0.0), (2.0, 0.0)], count=21)
    assert half.inset(0.1).ring.min(axis=0) == pytest.approx([0.0, 0.1])
    probes = np.array([(1.5, 0.5), (3.1, 0.5), (2.0, 1.05), (0.9, 0.2)])
    assert outer.contains(probes).tolist() == [True, False, False, False]
    sides = np.stack([outer.value(k, probes[:, 0], probes[:, 1]) for k in range(4)])
    assert ((sides < 0).all(axis=0) == outer.contains(probes)).all()
    assert sides[2, 1] == pytest.approx(0.1) and sides[3, 3] == pytest.approx(0.1)


def test_relief_stands_where_it_is_told_and_faces_outward() -> None:
    _, body = model("notchback")
    on = chart(body, "front")
    draw = Drawing(on)
    draw.relief("ring", "chrome", [(disc(0.3, 0.4, 0.05), 0.0), (disc(0.3, 0.4, 0.04), 0.01)])
    (made,) = draw.parts()
    corners = made.vertices[made.faces].astype(float)
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    _, normal = on.at(np.array([[0.3, 0.4]]))
    assert (outward @ normal[0] > -1e-12).all()
    depth = body(made.vertices.astype(float))
    assert depth.min() > -2e-3 and depth.max() == pytest.approx(0.01, abs=2e-3)


def test_every_design_that_a_spec_can_name_exists_and_is_drawn() -> None:
    assert set(HEAD) == set(get_args(HeadLamp)) and set(TAIL) == set(get_args(TailLamp))
    assert {g for f in FACES.values() for g in f.grilles} == set(get_args(Grille))
    assert {h for f in FACES.values() for h in f.heads} == set(get_args(HeadLamp))
    assert {t for f in FACES.values() for t in f.tails} == set(get_args(TailLamp))
    assert {f for weights in FAMILIES.values() for f in weights} | {"rugged"} == set(FACES)
    assert len(get_args(Grille)) >= 8


def test_a_face_is_drawn_from_one_family() -> None:
    rng = np.random.default_rng(2)
    for style in STYLES.values():
        for _ in range(20):
            drawn = sample_face(style, rng)
            family = FACES[drawn["details"]["family"]]
            assert drawn["head_lamp"] in family.heads and drawn["grille"] in family.grilles
            assert drawn["tail_lamp"] in (*family.tails, "column")
            assert drawn["details"]["bumper"] in family.bumpers


def test_lights_are_on_as_often_as_stated_and_move_nothing_else() -> None:
    rng = np.random.default_rng(1)
    drawn = [sample_lights(rng) for _ in range(4000)]
    share = {k: np.mean([d[k] for d in drawn]) for k in ("day", "head", "brake")}
    assert share["head"] == pytest.approx(0.15, abs=0.02)
    assert share["brake"] == pytest.approx(0.18, abs=0.02)
    assert share["day"] == pytest.approx(1 - 0.65 * 0.85, abs=0.03)
    assert all(d["day"] for d in drawn if d["head"])
    for identity in range(40):
        spec = sample_vehicle(0, identity, styles={"notchback": 1.0})
        shining = {
            name: any(material.emission)
            for name, material in build_vehicle(spec).materials.items()
            if name in ("lamp_day", "lamp_beam", "lamp_brake")
        }
        lights = spec.lights
        wanted = {"lamp_day": lights.day, "lamp_beam": lights.head, "lamp_brake": lights.brake}
        assert shining == {name: wanted[name] for name in shining}


@every_style
@pytest.mark.parametrize("identity", [3, 8, 21])
def test_what_is_drawn_on_the_ends_stays_at_the_skin(style: str, identity: int) -> None:
    spec, body = model(style, identity)
    for made in both(end_parts(spec, body)):
        depth = body.closed(made.vertices.astype(float))
        assert depth.min() > -0.11 and depth.max() < 0.055, made.name


@every_style
@pytest.mark.parametrize("identity", [3, 8, 21])
def test_no_fitting_floats(style: str, identity: int) -> None:
    """Every fitting meets the body or, as a mirror on its foot, another fitting that does."""
    spec, body = model(style, identity)
    held = {"mirror": "mirror_foot", "mirror_base": "mirror_foot", "mirror_glass": "mirror",
            "mirror_indicator": "mirror", "third_brake_light": "spoiler",
            "side_step_tread": "side_step", "destination_text": "destination_display"}  # fmt: skip
    parts = [p for p in both(fitting_parts(spec, body)) if "plate" not in p.name]
    arms = [p.vertices for p in parts if p.name == "mirror_arm"]
    for made in parts:
        holder = held.get(made.name)
        if made.name == "mirror_glass" and arms:
            holder = "mirror_arm"
        if holder is None:
            depth = body(made.vertices.astype(float))
            assert depth.min() < 0.02 and depth.max() > -0.05, made.name
            continue
        others = np.concatenate([p.vertices for p in parts if p.name == holder])
        gaps = np.linalg.norm(made.vertices[:, None] - others[None], axis=2)
        assert gaps.min() < 0.06, made.name


@every_style
def test_hardly_any_painted_skin_is_left_in_a_lamp(style: str) -> None:
    spec, body = model(style, 8)
    if spec.layout in FLAT_FRONT:  # buses and cab-overs have faces of their own
        pytest.skip("no lamps are cut from this body")
    skin = [p for p in build_vehicle(spec).parts if p.name in (
        "left_front_bumper", "left_rear_bumper", "left_front_fender", "left_rear_quarter",
        "left_bonnet", "left_boot", "left_shut_lines")]  # fmt: skip
    corners = np.concatenate([p.vertices[p.faces] for p in skin]).astype(float)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]),
                          axis=1) / 2  # fmt: skip
    centres = corners.mean(axis=1)
    for end in ENDS:
        on = chart(body, end)  # type: ignore[arg-type]
        here = np.sign(centres[:, 0]) == on.sign
        flat = np.stack([on.u_of(centres[here]), centres[here][:, 2]], axis=1)
        for unit in units(spec, body, end):  # type: ignore[arg-type]
            inner = unit.shape.inset(0.02)
            ring = inner.ring
            whole = abs((ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]).sum()) / 2
            assert area[here][inner.contains(flat)].sum() < 0.04 * whole


@every_style
def test_ends_and_fittings_keep_their_share_of_triangles(style: str) -> None:
    for identity in (3, 11):
        spec, body = model(style, identity)
        count = sum(
            2 * sum(len(p.faces) for p in pairs)
            + sum(len(p.faces) for p in singles if not p.name.endswith("plate_text"))
            for pairs, singles in (end_parts(spec, body), fitting_parts(spec, body))
        )
        assert count < 18_000


def test_bands_are_left_as_they_are() -> None:
    shape = Band(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 0.0]]))
    shape.inset(0.2)
    assert shape.ring.tolist() == [[0, 1], [1, 1], [1, 0], [0, 0], [0, 1]]
