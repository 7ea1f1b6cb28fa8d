"""Parametric vehicles: geometry that labels and pictures rely on, on every style."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from pamtri import keypoints, segments
from render_assets.body import Body
from render_assets.mesh import Part
from render_assets.panels import cut_skin
from render_assets.part_kinds import kind_of
from render_assets.spec import VehicleSpec, sample_vehicle
from render_assets.styles import STYLES
from render_assets.vehicle import Vehicle, _model, build_vehicle

LENGTHS = {
    "sedan": (4.0, 5.1), "hatchback": (3.4, 4.5), "estate": (4.3, 5.1), "suv": (4.0, 5.3),
    "mpv": (4.2, 5.3), "van": (3.65, 6.2), "pickup": (4.7, 6.0), "bus": (6.2, 13.2),
    "truck": (5.0, 9.8),
}  # fmt: skip
HEIGHTS = {
    "sedan": (1.28, 1.56), "hatchback": (1.4, 1.6), "estate": (1.4, 1.65), "suv": (1.6, 2.05),
    "mpv": (1.59, 1.97), "van": (1.58, 2.75), "pickup": (1.65, 2.0), "bus": (2.6, 4.1),
    "truck": (2.0, 4.0),
}  # fmt: skip
WIDTHS = {
    "sedan": (1.7, 1.95), "hatchback": (1.58, 1.85), "estate": (1.7, 1.95), "suv": (1.75, 2.1),
    "mpv": (1.72, 2.0), "van": (1.48, 2.1), "pickup": (1.7, 2.1), "bus": (2.0, 2.6),
    "truck": (1.8, 2.58),
}  # fmt: skip
FRONT_SIDE = (
    "fender",
    "bumper",
    "apron",
    "doors",
    "cladding",
    "arch_liner",
    "moulding",
    "shut_lines",
    "mudguard",
)
PART_OF = {
    "front_arch": (*FRONT_SIDE, "cab_bumper"),
    "rear_arch": (*FRONT_SIDE, "quarter"),
    "front_bumper": ("bumper", "fender", "apron", "cladding", "fog_lamp"),
    "rear_bumper": ("bumper", "quarter", "apron", "cladding", "reflector", "box_rail", "bed_frame"),
    "tail_light": (
        "tail_lamp",
        "tail_indicator",
        "bumper",
        "quarter",
        "boot",
        "frame",
        "box_rail",
        "board",
    ),
    "rear_glass_base": ("frame", "boot", "quarter", "shelf", "box_rail", "tail_lamp", "tank_end"),
    "roof": (
        "roof",
        "window_frame",
        "windscreen_frame",
        "rear_glass_frame",
        "box_rail",
        "tank_end",
    ),
    "windscreen_base": ("window_frame", "windscreen_frame", "shelf", "fender", "bonnet"),
    "headlight": (
        "head_lamp",
        "lamp_beam",
        "bonnet",
        "fender",
        "bumper",
        "shut_lines",
        "indicator",
    ),
}
"""Which parts a keypoint may lie on: the start of its name -> ends of part names."""


def vehicle(style: str, identity: int = 3) -> Vehicle:
    return build_vehicle(sample_vehicle(0, identity, styles={style: 1.0}))


def unmarked(style: str, identity: int = 3) -> Vehicle:
    """The same vehicle without dents or a lost hubcap, which one side has alone."""
    spec = sample_vehicle(0, identity, styles={style: 1.0})
    marks = spec.marks.model_copy(update={"dents": (), "bare_wheel": None})
    return build_vehicle(spec.model_copy(update={"marks": marks}))


every_style = pytest.mark.parametrize("style", STYLES)


def triangles(parts: list[Part]) -> np.ndarray:
    return np.concatenate([p.vertices[p.faces] for p in parts]).astype(np.float64)


def distance_to_triangles(point: np.ndarray, tri: np.ndarray) -> float:
    """Distance from a point to the nearest of triangles (m, 3, 3), by brute force."""
    a, b, c = tri[:, 0], tri[:, 1], tri[:, 2]
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    tri, normal = tri[length > 1e-12], (normal / np.maximum(length, 1e-12)[:, None])[length > 1e-12]
    height = ((point - tri[:, 0]) * normal).sum(axis=1)
    foot = point - height[:, None] * normal
    inside = np.ones(len(tri), dtype=bool)
    best = np.inf
    for k in range(3):
        p, q = tri[:, k], tri[:, (k + 1) % 3]
        inside &= (np.cross(q - p, foot - p) * normal).sum(axis=1) >= 0
        along = ((point - p) * (q - p)).sum(1) / np.maximum(((q - p) ** 2).sum(1), 1e-18)
        nearest = p + np.clip(along, 0, 1)[:, None] * (q - p)
        best = min(best, float(np.linalg.norm(nearest - point, axis=1).min()))
    return min(best, float(np.abs(height[inside]).min())) if inside.any() else best


@every_style
def test_left_parts_and_keypoints_are_mirrored_exactly(style: str) -> None:
    built = unmarked(style)
    flip = np.array([1, -1, 1])
    left = [p for p in built.parts if p.name.startswith("left_")]
    right = [p for p in built.parts if p.name.startswith("right_")]
    assert len(left) == len(right) > 30
    for a, b in zip(left, right, strict=True):
        assert b.name == a.name.replace("left_", "right_")
        assert np.array_equal(a.vertices * flip, b.vertices)
        assert np.array_equal(a.normals * flip, b.normals)
        assert np.array_equal(a.faces[:, ::-1], b.faces)
        assert b.segment == (a.segment and a.segment.replace("left_", "right_"))
    assert np.array_equal(built.keypoints[keypoints.FLIP], built.keypoints * flip)
    assert (built.keypoints[: keypoints.NUM_KEYPOINTS // 2, 1] > 0.2).all()


@every_style
def test_skin_is_closed_after_all_cuts(style: str) -> None:
    """Every edge of the skin's half is shared by two faces, or lies on the mirror plane."""
    spec = sample_vehicle(0, 3, styles={style: 1.0})
    skin = cut_skin(spec, Body(spec.shape, spec.layout))
    faces, vertices = skin.faces, skin.vertices
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert len(np.unique(directed, axis=0)) == len(directed)
    _, inverse, count = np.unique(
        np.sort(directed, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    lonely = directed[count[inverse.reshape(-1)] == 1]
    assert np.all(vertices[lonely, 1] == 0)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    volume = 2 * (a * np.cross(b, c)).sum() / 6
    assert volume > 0.25 * np.prod([2, 2, 1] * np.ptp(vertices, axis=0)) / 2
    assert len(set(skin.labels.tolist())) > 15


@every_style
def test_parts_are_seen_from_outside(style: str) -> None:
    """Rays from all around meet the front of nearly every surface first: a part that is inside out
    would be lost where backs are not drawn. A few look into wheels and through the grille."""
    built = vehicle(style)
    parts = [p for p in built.parts if built.materials[p.material].transmission < 0.95]
    corners = triangles(parts)
    solid = trimesh.Trimesh(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3))
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    rng = np.random.default_rng(0)
    targets = rng.uniform(low, high, (8000, 3))
    aside = rng.normal(size=(8000, 3)) * [1, 1, 0.3]
    eyes = targets + 20 * aside / np.linalg.norm(aside, axis=1, keepdims=True)
    hit = solid.ray.intersects_first(eyes, targets - eyes)
    seen, rays = hit[hit >= 0], (targets - eyes)[hit >= 0]
    a, b, c = (corners[seen, k] for k in range(3))
    behind = (np.cross(b - a, c - a) * rays).sum(axis=1) > 0
    assert len(seen) > 3000 and behind.mean() < 0.015
    owner = np.repeat(np.arange(len(parts)), [len(p.faces) for p in parts])[seen]
    for k, p in enumerate(parts):
        if (owner == k).sum() >= 12:
            assert behind[owner == k].mean() < 0.7, p.name


@every_style
def test_parts_are_well_formed_and_face_outward(style: str) -> None:
    built = vehicle(style)
    names = set(segments.NAMES)
    count, total, inward = 0, 0.0, 0.0
    for p in built.parts:
        assert p.vertices.dtype == np.float32 and p.normals.dtype == np.float32
        assert p.faces.dtype == np.int32
        assert p.vertices.shape == p.normals.shape and np.isfinite(p.vertices).all()
        assert p.faces.min() >= 0 and p.faces.max() < len(p.vertices)
        assert np.allclose(np.linalg.norm(p.normals, axis=1), 1, atol=1e-4), p.name
        assert p.segment is None or p.segment in names
        assert p.material in built.materials
        assert kind_of(p.name, p.segment) != "other", p.name
        corners = p.vertices[p.faces].astype(np.float64)
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area = np.linalg.norm(cross, axis=1)
        agree = (cross * p.normals[p.faces].mean(axis=1)).sum(axis=1)
        total += area.sum()
        inward += area[agree <= 0].sum()
        count += len(p.faces)
    assert inward < 1e-3 * total
    assert 5_000 <= count <= 80_000
    assert len({p.name.removeprefix("left_").removeprefix("right_") for p in built.parts}) >= 30
    outside = {p.segment for p in built.parts}
    assert names <= outside or style == "convertible"


@every_style
def test_wheels_stand_on_the_ground_and_turn_free(style: str) -> None:
    built = vehicle(style)
    tyres = [p for p in built.parts if p.name.endswith("_tyre")]
    assert len(tyres) == (6 if built.spec.wheels.twin else 4)
    for tyre in tyres:
        assert tyre.vertices[:, 2].min() == pytest.approx(0, abs=2e-3)
    low = min(p.vertices[:, 2].min() for p in built.parts)
    assert low > -2e-3
    arch, radius = built.spec.shape.arch_radius, built.spec.wheels.radius
    assert arch - radius - abs(arch * 0.86 - radius) > 0.015


@every_style
@pytest.mark.parametrize("identity", [3, 7])
def test_keypoints_lie_on_the_parts_they_name(style: str, identity: int) -> None:
    built = vehicle(style, identity)
    left = [p for p in built.parts if not p.name.startswith("right_")]
    for i in range(keypoints.NUM_KEYPOINTS // 2):
        name = keypoints.NAMES[i].removeprefix("left_")
        if name.endswith("_wheel"):
            chosen = [p for p in left if p.name == f"left_{name.removesuffix('_wheel')}_hub"]
            tolerance = 1e-6
        else:
            wanted = next(v for k, v in PART_OF.items() if name.startswith(k))
            if name == "roof_rear" and built.spec.shape.open_top:
                wanted = ("frame", "boot", "shelf", "quarter", "cabin_tub")
            chosen = [p for p in left if any(w in p.name for w in wanted)]
            tolerance = 0.01
        assert chosen, name
        assert distance_to_triangles(built.keypoints[i], triangles(chosen)) <= tolerance, name


@every_style
def test_keypoints_follow_each_other_along_the_vehicle(style: str) -> None:
    k = {
        n.removeprefix("left_"): p
        for n, p in zip(keypoints.NAMES, vehicle(style).keypoints, strict=True)
    }
    x = {n: p[0] for n, p in k.items()}
    z = {n: p[2] for n, p in k.items()}
    for end in ("front", "rear"):
        assert x[f"{end}_arch_front_low"] > x[f"{end}_arch_front_high"] > x[f"{end}_wheel"]
        assert x[f"{end}_wheel"] > x[f"{end}_arch_rear_high"] > x[f"{end}_arch_rear_low"]
        assert z[f"{end}_arch_front_high"] > z[f"{end}_arch_front_low"]
    assert x["front_wheel"] == -x["rear_wheel"] > 0
    assert x["headlight"] > x["windscreen_base"] > x["roof_front"] > x["roof_rear"]
    assert x["rear_glass_base"] >= x["tail_light"] - 0.1
    assert z["roof_front"] > z["windscreen_base"] > z["front_bumper"]
    assert z["roof_rear"] > z["rear_glass_base"] - 1e-9 > z["rear_bumper"]
    assert z["headlight"] > z["front_bumper"]


@every_style
def test_sizes_are_real(style: str) -> None:
    for identity in (3, 7):
        built = vehicle(style, identity)
        kind = built.spec.type
        skip = ("mirror", "wiper", "plate", "exhaust", "antenna", "rail", "badge")
        skip += ("roof_b", "roof_rack", "taxi_sign")
        points = np.concatenate(
            [p.vertices for p in built.parts if not any(s in p.name for s in skip)]
        )
        length, width, height = points.max(axis=0) - points.min(axis=0)
        assert LENGTHS[kind][0] <= length <= LENGTHS[kind][1]
        assert WIDTHS[kind][0] <= width <= WIDTHS[kind][1]
        assert HEIGHTS[kind][0] <= height <= HEIGHTS[kind][1] + 0.1
        assert length == pytest.approx(built.spec.shape.length, abs=0.15)


def anew(spec: VehicleSpec) -> Vehicle:
    """Built from nothing."""
    build_vehicle.cache_clear()
    _model.cache_clear()
    return build_vehicle(spec)


def assert_same(first: Vehicle, second: Vehicle) -> None:
    assert first is not second and first.materials == second.materials
    assert np.array_equal(first.keypoints, second.keypoints)
    for a, b in zip(first.parts, second.parts, strict=True):
        assert (a.name, a.material, a.segment) == (b.name, b.material, b.segment)
        assert np.array_equal(a.vertices, b.vertices) and np.array_equal(a.faces, b.faces)


@pytest.mark.parametrize("style", ["notchback", "crew_cab", "box_truck"])
def test_same_spec_same_arrays(style: str) -> None:
    first = vehicle(style)
    assert_same(first, anew(first.spec))


@pytest.mark.parametrize("style", ["notchback", "delivery_van", "box_truck"])
def test_another_colour_builds_no_more_than_what_it_colours(style: str) -> None:
    """It shares the model's parts, and is what it would be alone."""
    red, white = (
        build_vehicle(sample_vehicle(0, 2, None, {colour: 1.0}, {style: 1.0}))
        for colour in ("red", "white")
    )
    assert red.materials["paint"].base_colour != white.materials["paint"].base_colour
    shared = [p for p in white.parts if any(p is other for other in red.parts)]
    assert len(shared) > 0.7 * len(white.parts)
    assert_same(white, anew(white.spec))
    assert_same(red, anew(red.spec))


def test_glass_is_set_into_the_skin_and_arches_are_holes() -> None:
    spec = sample_vehicle(0, 3, styles={"notchback": 1.0})
    built, body = build_vehicle(spec), Body(spec.shape, spec.layout)
    glass = [p for p in built.parts if p.material in ("glass", "tinted_glass")]
    assert len(glass) >= 6
    for pane in glass:
        depth = body(pane.vertices.astype(np.float64))
        assert depth.min() > -0.012 and depth.max() < -0.003
    skin = [p for p in built.parts if p.segment or p.name.endswith(("sill_cladding", "underbody"))]
    z = spec.wheels.radius
    for axle in (spec.shape.wheelbase / 2, -spec.shape.wheelbase / 2):
        at = triangles(skin)
        near = np.hypot(at[..., 0] - axle, at[..., 2] - z).max(axis=1) < spec.wheels.radius - 0.02
        outer = np.abs(at[..., 1]).min(axis=1) > body.half - 0.3
        assert not (near & outer).any()
