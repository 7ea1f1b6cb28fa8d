"""Marks of an individual: where they lie, what they move, how often they are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import trimesh

from render_assets.lettering import text_figure
from render_assets.marks import Marks
from render_assets.mesh import Part, merge
from render_assets.spec import VehicleSpec, sample_vehicle
from render_assets.styles import STYLES
from render_assets.vehicle import Vehicle, build_vehicle

DENT = {"side": "left", "along": 0.5, "up": 0.4, "radius": 0.18, "depth": 0.02}
SCRATCH = {"side": "right", "along": 0.45, "up": 0.5, "length": 0.4, "tilt_deg": 5, "lines": 3}
STICKER = {"across": 0.6, "up": 0.7, "form": "disc", "size": 0.07, "ground": "red",
           "ink": "white", "text": "", "tilt_deg": 3}  # fmt: skip
FULL: dict[str, Any] = {
    "stickers": [
        {**STICKER, "place": "windscreen"},
        {**STICKER, "place": "tail", "across": -0.45, "form": "bar", "text": "TEAM"},
    ],
    "scratches": [SCRATCH, {**SCRATCH, "side": "left", "along": 0.2}],
    "rust": [{"side": "left", "along": 0.3, "size": 0.1, "seed": 5}],
    "taxi": {"sign": "white", "text": "TAXI", "band": "green"},
}
LIVERY = {"pattern": "wave", "first": "red", "second": "blue", "ink": "black", "name": "NORVIA B",
          "line": "Cargo", "logo": "ring", "font": "bold"}  # fmt: skip


def spec_of(style: str, identity: int = 3, **marks: Any) -> VehicleSpec:
    """A vehicle with these marks and a plate, and no others."""
    spec = sample_vehicle(0, identity, styles={style: 1.0})
    made = Marks.model_validate({"plate": spec.marks.plate, **marks})
    return spec.model_copy(update={"marks": made})


def solid(parts: list[Part]) -> trimesh.Trimesh:
    starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    return trimesh.Trimesh(np.concatenate([p.vertices for p in parts]), faces, process=False)


IN_FRONT = (
    *("lock_rod", "rod_bracket", "door_lever", "hinge", "rub_strip", "rear_bumper_step"),
    *("passenger_door", "engine_vent", "engine_grille", "side_strip", "side_marker", "flap_grip"),
)
"""Fittings that stand before what is painted or stuck on the body."""


def bare_name(part: Part) -> str:
    return part.name.removeprefix("left_").removeprefix("right_")


def heights(built: Vehicle, names: tuple[str, ...]) -> np.ndarray:
    """(n,) metres from the decals' vertices straight in to what is next; inf for nothing."""
    decals = [p for p in built.parts if p.name.startswith(names)]
    mesh = solid([p for p in built.parts if not bare_name(p).startswith((*names, *IN_FRONT))])
    points = np.concatenate([p.vertices for p in decals]).astype(np.float64)
    inward = -np.concatenate([p.normals for p in decals]).astype(np.float64)
    start = points - 0.02 * inward
    hits, rays, _ = mesh.ray.intersects_location(start, inward, multiple_hits=False)
    height = np.full(len(points), np.inf)
    height[rays] = np.linalg.norm(hits - start[rays], axis=1) - 0.02
    return height


@pytest.mark.parametrize("style", ["notchback", "hatch5", "city_bus", "panel_van", "crew_cab"])
def test_decals_lie_a_few_millimetres_off_the_surface(style: str) -> None:
    """Recomputed with rays against the meshes, which the decals do not know."""
    height = heights(
        build_vehicle(spec_of(style, **FULL)), ("sticker", "scratch", "rust", "taxi_band")
    )
    assert len(height) > 300
    sunk = (height < 0).mean()
    assert sunk < 0.02, sunk
    assert (height < 0.013).mean() > 0.97


@pytest.mark.parametrize("style", ["box_truck", "panel_van", "city_bus", "midi_bus"])
@pytest.mark.parametrize("pattern", ["stripe", "wave", "slash", "block"])
def test_livery_lies_on_the_sides(style: str, pattern: str) -> None:
    built = build_vehicle(spec_of(style, livery={**LIVERY, "pattern": pattern}))
    lettered = [p.vertices[:, 1].mean() for p in built.parts if p.name == "livery_name"]
    assert min(lettered) < -0.5 and max(lettered) > 0.5
    assert any(abs(y) < 0.5 for y in lettered) == (style == "box_truck")  # on its doors, too
    height = heights(built, ("livery",))
    assert (height < -0.0015).mean() < 0.02
    assert (height < 0.02).mean() > 0.93
    assert sum(len(p.faces) for p in built.parts if p.name.startswith("livery")) < 6000


@pytest.mark.parametrize("style", ["box_truck", "panel_van", "city_bus"])
def test_names_are_read_from_left_to_right_on_both_sides(style: str) -> None:
    """The letters as each side's reader sees them, against the flat text."""
    built = build_vehicle(spec_of(style, livery=LIVERY))
    text = text_figure("NORVIA B", "bold", 1.0)
    sides: dict[float, list[Part]] = {}
    for p in built.parts:
        if p.name == "livery_name":  # in pieces, one for each segment under it
            sides.setdefault(np.sign(np.round(p.normals[:, 1].mean())), []).append(p)
    assert {-1.0, 1.0} <= set(sides)
    for name in [merge("name", pieces) for pieces in sides.values()]:
        out = name.normals.mean(axis=0)
        right = np.cross([0, 0, 1], out)
        seen = np.stack([name.vertices @ right, name.vertices[:, 2]], axis=1)
        middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
        corners = seen[name.faces]
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
        got = (corners.mean(axis=1) * area[:, None]).sum(axis=0) / area.sum() - middle
        flat = text.points[text.faces]
        a, b, c = flat[:, 0], flat[:, 1], flat[:, 2]
        weight = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
        low, high = text.points.min(axis=0), text.points.max(axis=0)
        want = (flat.mean(axis=1) * weight[:, None]).sum(axis=0) / weight.sum() - (low + high) / 2
        assert got / np.ptp(seen, axis=0) == pytest.approx(want / (high - low), abs=4e-3)
        mirrored = want * np.array([-1, 1]) / (high - low)
        assert np.abs(got / np.ptp(seen, axis=0) - mirrored).max() > 0.01


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_dent_moves_nothing_but_its_spot(side: str) -> None:
    plain = build_vehicle(spec_of("notchback"))
    dented = build_vehicle(spec_of("notchback", dents=[{**DENT, "side": side}]))
    assert np.array_equal(plain.keypoints, dented.keypoints)
    before = {p.name: p for p in plain.parts}
    after = {p.name: p for p in dented.parts}
    assert before.keys() == after.keys()
    changed = [n for n in before if not np.array_equal(before[n].vertices, after[n].vertices)]
    assert f"{side}_doors" in changed
    assert set(changed) <= {f"{side}_{n}" for n in ("doors", "shut_lines", "front_fender",
                                                    "rear_quarter")}  # fmt: skip
    sign = 1.0 if side == "left" else -1.0
    deepest = 0.0
    for name in changed:
        old, new = before[name], after[name]
        kept = len(old.vertices)
        moved = sign * (old.vertices[:, 1] - new.vertices[:kept, 1])
        assert np.array_equal(old.vertices[:, [0, 2]], new.vertices[:kept, [0, 2]])
        assert moved.min() > -1e-6 and moved.max() <= DENT["depth"] + 1e-6
        deepest = max(deepest, _depth(new, old, sign))
        assert np.allclose(np.linalg.norm(new.normals, axis=1), 1, atol=1e-5)
        assert _least_agreement(new) > _least_agreement(old) - 0.02
    assert 0.6 * DENT["depth"] < deepest <= DENT["depth"] * 1.05


def _least_agreement(chosen: Part) -> float:
    """The least cosine between a face's own normal and those of its corners."""
    corners = chosen.vertices[chosen.faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(cross, axis=1)
    lean = np.einsum("ij,ij->i", cross, chosen.normals[chosen.faces].mean(axis=1))
    return float((lean[size > 1e-6] / size[size > 1e-6]).min())


def _depth(new: Part, old: Part, sign: float) -> float:
    """How far the new surface lies behind the old one at its deepest vertex."""
    mesh = solid([old])
    start = new.vertices.astype(np.float64) + np.array([0, sign * 0.05, 0])
    inward = np.tile([0.0, -sign, 0.0], (len(start), 1))
    hits, rays, _ = mesh.ray.intersects_location(start, inward, multiple_hits=False)
    return float((sign * (hits[:, 1] - new.vertices[rays, 1])).max()) if len(rays) else 0.0


def test_a_dent_near_a_keypoint_shrinks_away_from_it() -> None:
    near = {**DENT, "along": 0.78, "up": 0.65, "radius": 0.22}
    plain = build_vehicle(spec_of("notchback"))
    dented = build_vehicle(spec_of("notchback", dents=[near]))
    for a, b in zip(plain.parts, dented.parts, strict=True):
        moved = np.abs(a.vertices - b.vertices[: len(a.vertices)]).max(axis=1) > 1e-6
        if moved.any():
            away = a.vertices[moved][:, None, [0, 2]] - plain.keypoints[None, :, [0, 2]]
            assert np.linalg.norm(away, axis=2).min() > 0.01


@pytest.mark.parametrize("wheel", ["left_front", "right_rear"])
def test_a_bare_wheel_changes_that_wheel_alone(wheel: str) -> None:
    spec = spec_of("notchback")
    spec = spec.model_copy(update={"wheels": spec.wheels.model_copy(update={"design": "hubcap"})})
    marks = spec.marks.model_copy(update={"bare_wheel": wheel})
    plain, bare = build_vehicle(spec), build_vehicle(spec.model_copy(update={"marks": marks}))
    assert np.array_equal(plain.keypoints, bare.keypoints)

    def prints(built: Vehicle) -> set[tuple[str, str, bytes]]:
        return {(p.name, p.material, p.vertices.tobytes()) for p in built.parts}

    assert {n for n, _, _ in prints(plain) ^ prints(bare)} != set()
    assert all(n.startswith(wheel) for n, _, _ in prints(plain) ^ prints(bare))
    tyres = [p.vertices for p in bare.parts if p.name == f"{wheel}_tyre"]
    assert len(tyres) == 1 and tyres[0][:, 2].min() == pytest.approx(0, abs=2e-3)


def test_a_roof_in_another_colour() -> None:
    built = build_vehicle(spec_of("hatch5", roof_colour="black"))
    roof = {p.material for p in built.parts if p.name.endswith("_roof")}
    assert roof == {"roof_paint"}
    assert max(built.materials["roof_paint"].base_colour) < 0.02
    assert built.materials["paint"].base_colour == built.spec.paint.rgb


@pytest.mark.parametrize("style", STYLES)
def test_every_kind_of_mark_fits_every_style(style: str) -> None:
    """Built without error, nothing below the ground or far from the vehicle."""
    spec = spec_of(
        style, **FULL, livery=LIVERY, dents=[DENT], roof_load="box", curtains="navy",
        blind="windscreen", ornament="red", bare_wheel="right_front", roof_colour="white",
        things=[{"place": p, "form": f, "across": 0.5, "size": (0.1, 0.2, 0.1), "colour": "lime"}
                for p, f in (("dashboard", "box"), ("shelf", "ball"))],
    )  # fmt: skip
    built = build_vehicle(spec)
    plain = build_vehicle(spec_of(style))
    body = np.concatenate([p.vertices for p in plain.parts])
    low, high = body.min(axis=0) - 0.05, body.max(axis=0) + np.array([0.05, 0.05, 0.5])
    for p in built.parts:
        assert np.isfinite(p.vertices).all() and p.material in built.materials
        assert (p.vertices > low).all() and (p.vertices < high).all(), p.name
    assert np.array_equal(built.keypoints, plain.keypoints)


def test_marks_are_as_frequent_as_in_traffic() -> None:
    drawn = [sample_vehicle(0, i).marks for i in range(1500)]
    assert all(m.plate is not None for m in drawn)
    assert 0.03 < np.mean([bool(m.dents) for m in drawn]) < 0.2
    assert 0.05 < np.mean([bool(m.scratches) for m in drawn]) < 0.3
    assert 0.6 < np.mean([bool(m.stickers) for m in drawn]) < 0.95
    assert 0.08 < np.mean([m.dirt for m in drawn]) < 0.25
    assert 0.03 < np.mean([m.livery is not None for m in drawn]) < 0.3
    assert len({m.plate.text for m in drawn if m.plate}) > 1490
    buses = [sample_vehicle(0, i, types={"bus": 1.0}).marks for i in range(300)]
    assert 0.78 < np.mean([m.livery is not None for m in buses]) < 0.92
    cars = [sample_vehicle(0, i, types={"sedan": 1.0}).marks for i in range(300)]
    assert not any(m.livery for m in cars)


def test_twins_differ_in_their_marks_and_lights_alone() -> None:
    first, second = sample_vehicle(0, 40), sample_vehicle(0, 41, model=40)
    apart = first.model_dump(exclude={"marks", "lights", "identity"})
    assert apart == second.model_dump(exclude={"marks", "lights", "identity"})
    assert first.model == second.model == 40
    assert first.marks.plate != second.marks.plate and first.marks != second.marks
    assert second.marks.plate == sample_vehicle(0, 41).marks.plate or (
        sample_vehicle(0, 41).type != second.type
    )
