"""From a mesh as its file has it to an entry of a catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from pamtri.attributes import TYPES, Colour, VehicleType
from pamtri.errors import DataError
from pamtri.keypoints import INDEX, NAMES
from render_assets import colours
from render_assets.imported import outline, roles
from render_assets.imported.entry import Asset, Surfacing, Transform
from render_assets.imported.fit import Axles, fit_keypoints
from render_assets.imported.orient import Hints, Standing, asymmetry, real_length, stand
from render_assets.imported.raw import RawMesh
from render_assets.imported.shape_model import keypoints_of
from render_assets.imported.surface import Surface
from render_assets.imported.wheel_places import single_wheel, with_wheels

SYMMETRY = 0.006
"""Asymmetry, as a share of the length, up to which a vehicle counts as symmetric."""
_WINDOW_INSET = 0.06
_TYPE_WORDS = {
    "saloon": "sedan", "coupe": "sedan", "convertible": "sedan", "cabriolet": "sedan",
    "taxi": "sedan", "hatch": "hatchback", "wagon": "estate", "minivan": "mpv", "lorry": "truck",
    "tipper": "truck", "tanker": "truck", "coach": "bus", "minibus": "van",
}  # fmt: skip
"""Words that mean a type beside its own name."""


@dataclass(frozen=True)
class Options:
    """What the user says of a mesh beside ``Hints``."""

    name: str
    source: str
    licence: str | None = None
    style: str | None = None
    wheel_at: tuple[tuple[float, float, float], ...] | None = None
    """Centres of four wheels in the file's axes and units."""
    ground: float | None = None
    """Height of the ground along the file's up axis, in its units."""


def bring_in(
    mesh: RawMesh, hints: Hints, options: Options, wheel: RawMesh | None = None
) -> tuple[Asset, RawMesh, str]:
    """The asset, its mesh with a material for each group, and how the scale was found.

    ``wheel`` is put into the body's arches. Raises DataError for what is no vehicle.
    """
    mesh = roles.divide(welded(mesh))
    wheel = None if wheel is None else roles.divide(welded(wheel))
    standing = _stand(mesh, hints)
    if wheel is None and standing.wheels is None:
        alone = single_wheel(mesh)
        if alone is not None:
            wheel, mesh = mesh.subset(alone), mesh.subset(~alone)
            standing = _stand(mesh, hints)
    if wheel is not None:
        places = None if options.wheel_at is None else np.array(options.wheel_at)
        mesh = with_wheels(mesh, wheel, standing, places)
        ahead, _, up = (_axis_name(row) for row in standing.rotation)
        standing = _stand(mesh, replace(hints, up=up, forward=ahead))
    if options.ground is not None:
        shift = np.array([*standing.shift[:2], options.ground])
        standing = replace(standing, shift=shift)
    return _describe(mesh, standing, hints, options)


def type_in_name(name: str) -> VehicleType | None:
    """The one vehicle type that words of a file's name tell, as in ``quaternius_suv``."""
    words = re.split(r"[^a-z]+", name.lower())
    told = {_TYPE_WORDS.get(word, word) for word in words} & set(TYPES)
    return TYPES[TYPES.index(told.pop())] if len(told) == 1 else None


def welded(mesh: RawMesh) -> RawMesh:
    """The mesh with corners of equal place, normal, texture and colour as one vertex.

    Faces without area are left out.
    """
    columns = [mesh.vertices, np.round(mesh.normals, 3), mesh.uv]
    if mesh.colours is not None:
        columns.append(mesh.colours)
    rows = np.ascontiguousarray(np.concatenate(columns, axis=1).astype(np.float32) + 0.0)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, index = np.unique(keys, return_index=True, return_inverse=True)
    faces = index.reshape(-1)[mesh.faces].astype(np.int32)
    merged = replace(
        mesh,
        vertices=mesh.vertices[first],
        normals=mesh.normals[first],
        uv=mesh.uv[first],
        colours=None if mesh.colours is None else mesh.colours[first],
        faces=faces,
    )
    a, b, c = (merged.vertices[faces[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    keep = area > 1e-14 * np.ptp(mesh.vertices, axis=0).max() ** 2
    if not keep.any():
        raise DataError("expected a vehicle, got a mesh whose triangles have no area")
    return merged.subset(keep)


def _stand(mesh: RawMesh, hints: Hints) -> Standing:
    glass = roles.named_faces(mesh, "glass")
    ends = roles.named_faces(mesh, "head_lamp"), roles.named_faces(mesh, "tail_lamp")
    return stand(mesh, hints, glass if glass.any() else None, ends)


def _axis_name(row: np.ndarray) -> str:
    index = int(np.abs(row).argmax())
    return ("+" if row[index] > 0 else "-") + "xyz"[index]


def _describe(
    mesh: RawMesh, standing: Standing, hints: Hints, options: Options
) -> tuple[Asset, RawMesh, str]:
    length, found_by = real_length(standing, hints)
    expected = keypoints_of(standing.vector) * length
    axles = _axles(standing, expected, length)
    middle = (axles.front + axles.rear) / 2
    scale = length / standing.length
    offset = -scale * standing.shift - [middle, 0.0, 0.0]
    placed = mesh.transformed(scale * standing.rotation, offset)
    surface = Surface(placed.vertices, placed.faces)
    symmetric = asymmetry(surface) < SYMMETRY * length
    expected[:, 0] -= middle
    axles = Axles(axles.front - middle, axles.rear - middle, axles.radius)
    points = fit_keypoints(surface, expected, axles, symmetric)
    divided = _divide_places(placed, points, axles)
    given = roles.assign_roles(divided, _places(divided, surface, points, axles))
    materials = {
        name: Surfacing(
            role=given[i], rgb=m.rgb, metallic=m.metallic, roughness=m.roughness,
            alpha=m.alpha, emission=m.emission, texture=m.texture,
        )
        for i, (name, m) in enumerate(zip(_names(divided), divided.materials, strict=True))
    }  # fmt: skip
    ahead, left, up = _rows(standing.rotation)
    asset = Asset(
        name=options.name,
        source=options.source,
        licence=options.licence,
        type=standing.type,
        style=options.style or options.name,
        colour=_colour(divided, surface, given),
        symmetric=symmetric,
        transform=Transform(rotation=(ahead, left, up), scale=scale, offset=_rows(offset[None])[0]),
        materials=materials,
        keypoints=dict(zip(NAMES, _rows(np.round(points, 4)), strict=True)),
    )
    return asset, replace(mesh, material=divided.material, materials=divided.materials), found_by


def _rows(values: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(a), float(b), float(c)) for a, b, c in values)


def _names(mesh: RawMesh) -> list[str]:
    """A different name for every material."""
    names: list[str] = []
    for material in mesh.materials:
        name = base = material.name or "material"
        number = 2
        while name in names:
            name, number = f"{base} {number}", number + 1
        names.append(name)
    return names


def _axles(standing: Standing, expected: np.ndarray, length: float) -> Axles:
    """Where the wheels were found; where none were, where the shape has them."""
    if standing.wheels is not None:
        w = standing.wheels
        return Axles(w.front * length, w.rear * length, w.radius * length)
    front, rear = (expected[INDEX[f"left_{end}_wheel"]] for end in ("front", "rear"))
    return Axles(float(front[0]), float(rear[0]), float((front[2] + rear[2]) / 2))


def _divide_places(mesh: RawMesh, points: np.ndarray, axles: Axles) -> RawMesh:
    """Wheels, and windows of meshes that tell none apart, as groups of their own."""
    wheel, rim = _wheel_faces(mesh, points, axles)
    inside = np.array([roles.role_by_name(m.name) not in ("tyre", "rim") for m in mesh.materials])[
        mesh.material
    ]
    several = len(np.unique(mesh.material[wheel])) > 1
    if several or not wheel.any():
        mesh = roles.split_off(mesh, wheel & inside, "in arches")
    else:
        mesh = roles.split_off(mesh, wheel & ~rim & inside, "tyres")
        mesh = roles.split_off(mesh, rim & inside, "rims")
    plain = len({m.rgb for m in mesh.materials}) == 1 and not mesh.textures
    if plain and not roles.named_faces(mesh, "glass").any():
        window = _window_faces(mesh, points) & _fine(mesh)
        mesh = roles.split_off(mesh, window, "windows")
    return mesh


def _wheel_faces(mesh: RawMesh, points: np.ndarray, axles: Axles) -> tuple[np.ndarray, np.ndarray]:
    """(m,) faces within the wheels' cylinders, and those of them that are near the hub."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    centre = corners.mean(axis=1)
    half = float(np.abs(points[[INDEX["left_rear_wheel"], INDEX["right_rear_wheel"]], 1]).mean())
    wheel = np.zeros(len(mesh.faces), dtype=bool)
    rim = wheel.copy()
    for x in (axles.front, axles.rear):
        away = np.hypot(corners[..., 0] - x, corners[..., 2] - axles.radius).max(axis=1)
        near = (away < 1.03 * axles.radius) & (np.abs(centre[:, 1]) > half - 0.35)
        wheel |= near
        rim |= near & (away < 0.68 * axles.radius)
    return wheel, rim


def _window_faces(mesh: RawMesh, points: np.ndarray) -> np.ndarray:
    """(m,) faces that lie where windows are: within the pillars, above the belt line."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    centre = corners.mean(axis=1)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    window = np.zeros(len(centre), dtype=bool)
    left = {name: points[INDEX[f"left_{name}"]] for name in (
        "windscreen_base", "roof_front", "roof_rear", "rear_glass_base")}  # fmt: skip
    for low, high in (("windscreen_base", "roof_front"), ("rear_glass_base", "roof_rear")):
        half = np.array([left[low][1:], left[high][1:]])
        quad = np.concatenate([half, half[::-1] * [-1, 1]])
        across = outline.inside(np.stack([centre[:, 1], centre[:, 2]], 1), quad, _WINDOW_INSET)
        near = np.abs(centre[:, 0] - (left[low][0] + left[high][0]) / 2)
        reach = abs(left[low][0] - left[high][0]) / 2 + 0.25
        window |= across & (near < reach) & (np.abs(normal[:, 0]) > 0.25)
    side = np.array([left[n][[0, 2]] for n in left])
    along = outline.inside(centre[:, [0, 2]], side, _WINDOW_INSET)
    return window | (along & (np.abs(normal[:, 1]) > 0.6) & (np.abs(centre[:, 1]) > 0.35))


def _fine(mesh: RawMesh) -> np.ndarray:
    """(m,) faces no longer than 0.4 m: larger ones are walls, not windows."""
    corners = mesh.vertices[mesh.faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    fine: np.ndarray = edges.max(axis=1) < 0.4
    return fine


def _places(mesh: RawMesh, surface: Surface, points: np.ndarray, axles: Axles) -> roles.Places:
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    outer = np.zeros(len(mesh.faces))
    outer[np.unique(surface.shell()[1])] = 1.0
    low, high = mesh.vertices[:, 0].min(), mesh.vertices[:, 0].max()
    x = (corners.mean(axis=1)[:, 0] - (low + high) / 2) / (high - low)
    wheel, _ = _wheel_faces(mesh, points, axles)
    return roles.Places(area / 2, outer, x, wheel, _window_faces(mesh, points))


def _colour(mesh: RawMesh, surface: Surface, given: dict[int, roles.Role]) -> Colour:
    """The name of the colour that the file's body has: of its paint, else of what covers most."""
    faces = surface.shell()[1]
    painted = np.array([given[i] == "paint" for i in range(len(mesh.materials))])[mesh.material]
    seen = faces[painted[faces]] if painted[faces].any() else faces
    number = int(np.bincount(mesh.material[seen]).argmax())
    material = mesh.materials[number]
    rgb = np.array(material.rgb)
    if material.texture is not None:
        own = seen[mesh.material[seen] == number]
        rgb = roles.commonest_colour(mesh, own)
    return colours.nearest_colour(rgb)
