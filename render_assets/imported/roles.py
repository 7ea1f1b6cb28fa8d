"""What each material of an imported vehicle is: by its name, then by its colour and place.

A *group* is the faces that share a material, and, where the file uses one material for many things,
a colour of its palette, a kind of object, or a place on the vehicle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from render_assets import materials
from render_assets.colours import linear_to_srgb, rgb_to_lab, srgb_to_linear
from render_assets.imported.raw import RawMaterial, RawMesh
from render_assets.materials import Material, Texture

Role = Literal[
    "paint", "glass", "head_lamp", "tail_lamp", "indicator", "tyre", "rim", "chrome", "plate",
    "interior", "plastic", "underbody", "own",
]  # fmt: skip
"""``paint`` takes the vehicle's colour; ``own`` keeps what the file says."""
ROLES: tuple[Role, ...] = get_args(Role)

_LAMP = r"[ _.-]*(light|lamp)"
_NAMES: tuple[tuple[Role, str], ...] = (
    ("indicator", r"indicator|turn[ _.-]*(signal|light|lamp)|blinker"),
    ("tail_lamp", rf"(tail|brake|rear|back|stop|reverse|parking){_LAMP}|(light|lamp)s?[ _.-]*rear"),
    ("head_lamp", rf"(head|front|fog|day\w*){_LAMP}|(light|lamp)s?[ _.-]*front"),
    ("glass", r"glass|window|windscreen|windshield|fenster|scheibe"),
    ("tyre", r"tyre|\btires?\b|reifen|pneu"),
    ("interior", r"interior|seat|dashboard|steering|cockpit|leather|fabric|carpet"),
    ("rim", r"\brims?\b|alloy|felge|hub_?cap|wheel|caliper|brake_?dis[ck]"),
    ("plate", r"licen[sc]e|number_?plate|kennzeichen"),
    ("chrome", r"chrom"),
    ("underbody", r"under_?(body|carriage|side)|exhaust|suspension|axle"),
    ("plastic", r"plastic|grill|rubber|moulding|wiper|mud_?flap"),
    ("paint", r"paint|body|\black\b|carros|coachwork|exterior"),
)
_SMALL = 0.04
"""Share of the outer surface below which something may be a lamp."""
_SEVERAL = 12
"""Most colours that a palette is divided into."""
_ALIKE = 9.0
"""CIELAB distance of colours that count as one."""


def role_by_name(name: str) -> Role | None:
    """The role that a material's or object's name tells, if any."""
    lower = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return next((role for role, pattern in _NAMES if re.search(pattern, lower)), None)


def divide(mesh: RawMesh) -> RawMesh:
    """The mesh with a material for every group that names, objects and palettes tell."""
    mesh = _divide_palettes(mesh)
    return _divide_objects(mesh)


def _divide_palettes(mesh: RawMesh) -> RawMesh:
    """Where every face has one colour (of a palette, or of its vertices), a material a colour."""
    for number, material in enumerate(mesh.materials):
        own = np.flatnonzero(mesh.material == number)
        colours = _flat_colours(mesh, own, material)
        if colours is None:
            continue
        label, centres = _cluster(colours, _areas(mesh)[own])
        made, index = [], mesh.material.copy()
        for k, centre in enumerate(centres):
            red, green, blue = (float(c) for c in np.clip(centre, 0, 1))
            code = "".join(f"{c:02x}" for c in linear_to_srgb(np.array([red, green, blue])))
            made.append(
                replace(
                    material,
                    name=f"{material.name} #{code}".strip(),
                    rgb=(red, green, blue),
                    texture=None,
                )
            )
            index[own[label == k]] = len(mesh.materials) + k
        mesh = replace(mesh, material=index, materials=(*mesh.materials, *made))
    return _without_unused(mesh)


def _flat_colours(mesh: RawMesh, own: np.ndarray, material: RawMaterial) -> np.ndarray | None:
    """(k, 3) linear colour of each of the faces ``own``; None where faces have pictures or none."""
    faces = mesh.faces[own]
    if material.texture is not None:
        picture = mesh.textures[material.texture]
        uv = mesh.uv[faces].astype(np.float64)
        spots = np.concatenate([uv, uv.mean(axis=1, keepdims=True)], axis=1)
        spots = spots.mean(axis=1, keepdims=True) + 0.9 * (spots - spots.mean(1, keepdims=True))
        height, width = picture.shape[:2]
        column = (np.mod(spots[..., 0], 1) * width).astype(int) % width
        row = (np.mod(1 - spots[..., 1], 1) * height).astype(int) % height
        seen = srgb_to_linear(picture[row, column])
        area = _areas(mesh)[own]
        uneven = np.ptp(seen, axis=1).max(axis=1) > 0.06
        return seen.mean(axis=1) if area[uneven].sum() < 0.03 * area.sum() else None
    if mesh.colours is None:
        return None
    seen = mesh.colours[faces].mean(axis=1).astype(np.float64)
    return seen * np.array(material.rgb) if np.ptp(seen, axis=0).max() > 0.02 else None


def _cluster(colours: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """(n,) labels, and the colours that cover most: each takes what looks like it."""
    lab = rgb_to_lab(np.clip(colours, 0, 1))
    label = np.full(len(lab), -1)
    centres: list[np.ndarray] = []
    places: list[np.ndarray] = []
    while (label < 0).any() and len(centres) < _SEVERAL:
        free = np.flatnonzero(label < 0)
        keys, inverse = np.unique(np.round(lab[free] / 4), axis=0, return_inverse=True)
        weight = np.bincount(inverse.reshape(-1), weights=area[free], minlength=len(keys))
        near = np.linalg.norm(lab[free] - keys[weight.argmax()] * 4, axis=1) < _ALIKE
        chosen = free[near]
        label[chosen] = len(centres)
        centres.append(np.average(colours[chosen], axis=0, weights=area[chosen] + 1e-12))
        places.append(lab[chosen].mean(axis=0))
    rest = np.flatnonzero(label < 0)
    if len(rest):
        distance = np.linalg.norm(lab[rest][:, None] - np.array(places), axis=2)
        label[rest] = distance.argmin(axis=1)
    return label, centres


def _divide_objects(mesh: RawMesh) -> RawMesh:
    """Where a material's name tells nothing, the names of the objects that it is on may."""
    told = [role_by_name(name) for name in mesh.objects]
    index, made = mesh.material.copy(), list(mesh.materials)
    for number, material in enumerate(mesh.materials):
        if role_by_name(material.name) is not None:
            continue
        for role in dict.fromkeys(r for r in told if r not in (None, "paint", "rim", "tyre")):
            objects = [i for i, r in enumerate(told) if r == role]
            faces = (mesh.material == number) & np.isin(mesh.object, objects)
            if faces.any():
                index[faces] = len(made)
                made.append(replace(material, name=f"{material.name} ({role})".strip()))
    return _without_unused(replace(mesh, material=index, materials=tuple(made)))


def _without_unused(mesh: RawMesh) -> RawMesh:
    used, index = np.unique(mesh.material, return_inverse=True)
    return replace(
        mesh,
        material=index.reshape(-1).astype(np.int32),
        materials=tuple(mesh.materials[i] for i in used),
    )


def split_off(mesh: RawMesh, faces: np.ndarray, suffix: str) -> RawMesh:
    """The faces (m,) bool as groups of their own, named after their material and ``suffix``."""
    index, made = mesh.material.copy(), list(mesh.materials)
    for number in np.unique(mesh.material[faces]):
        index[faces & (mesh.material == number)] = len(made)
        made.append(replace(made[number], name=f"{made[number].name} ({suffix})".strip()))
    return _without_unused(replace(mesh, material=index, materials=tuple(made)))


def named_faces(mesh: RawMesh, role: Role) -> np.ndarray:
    """(m,) bool: faces whose material's name tells ``role``; for glass also see-through ones."""
    fits = [
        role_by_name(m.name) == role
        or (role == "glass" and 0 < m.alpha < 0.9 and role_by_name(m.name) is None)
        for m in mesh.materials
    ]
    return np.array(fits)[mesh.material]


@dataclass(frozen=True, eq=False)
class Places:
    """Where faces lie, all (m,): area in m2, ``outer`` share 0 or 1, ``x`` of their middle as a
    share of the length from the middle, whether in a wheel and whether where windows are."""

    area: np.ndarray
    outer: np.ndarray
    x: np.ndarray
    wheel: np.ndarray
    window: np.ndarray


def assign_roles(mesh: RawMesh, places: Places) -> dict[int, Role]:
    """A role for every material, by name, then by place and colour."""
    roles: dict[int, Role] = {}
    outer = places.area * places.outer
    whole = max(float(outer.sum()), 1e-9)
    share = np.array([outer[mesh.material == i].sum() for i in range(len(mesh.materials))]) / whole
    for number, material in enumerate(mesh.materials):
        role = role_by_name(material.name)
        if role == "rim" and material.texture is not None:
            role = "tyre"  # a picture of the whole wheel
        if role is None or role == "paint":
            role = _role_by_place(material, mesh.material == number, places, share[number])
        if role is not None:
            roles[number] = role
    _choose_paint(mesh, share, roles)
    for number in range(len(mesh.materials)):
        roles.setdefault(number, "own")
    return roles


def _role_by_place(
    material: RawMaterial, faces: np.ndarray, places: Places, share: float
) -> Role | None:
    """What colour and place tell of a material whose name does not."""
    area = places.area[faces]
    total = max(float(area.sum()), 1e-12)
    light, red_green, yellow_blue = rgb_to_lab(np.array(material.rgb))[0]
    chroma = float(np.hypot(red_green, yellow_blue))
    if (area * places.wheel[faces]).sum() > 0.8 * total:
        dark = light < 30 and chroma < 15 and material.metallic < 0.5
        return "tyre" if dark or material.texture is not None else "rim"
    if 0 < material.alpha < 0.9:
        return "glass"
    window = (area * places.window[faces]).sum() > 0.6 * total
    if window and light < 50 and material.texture is None:
        return "glass"
    if share < _SMALL and material.texture is None:
        at = float((area * places.x[faces]).sum() / total)
        hue = float(np.degrees(np.arctan2(yellow_blue, red_green)))
        if chroma > 40 and hue < 45 and at < -0.3:
            return "tail_lamp"
        if light > 70 and at > 0.3:
            return "head_lamp"
        if chroma > 50 and 45 <= hue < 75 and abs(at) > 0.25:
            return "indicator"
    return None


def _choose_paint(mesh: RawMesh, share: np.ndarray, roles: dict[int, Role]) -> None:
    """The material that covers most is the paint, one named so before any other.

    A picture that covers the whole body keeps its colours: its windows and lamps are in it.
    """
    free = [i for i in range(len(mesh.materials)) if i not in roles and share[i] > 0.05]
    if not free:
        return
    named = [i for i in free if role_by_name(mesh.materials[i].name) == "paint"]
    lab = rgb_to_lab(np.array([m.rgb for m in mesh.materials]))
    main = max(named or free, key=lambda i: share[i] * (0.3 if lab[i, 0] < 12 else 1.0))
    if mesh.materials[main].texture is None:
        for i in free:  # shades of the same paint
            if i == main or (np.linalg.norm(lab[i] - lab[main]) < _ALIKE):
                roles[i] = "paint"


def render_material(
    raw: RawMaterial, role: Role, paint: Material, texture: Texture | None, clear: bool
) -> Material:
    """What a group looks like; ``clear`` where there is a cabin to be seen through the glass."""
    own = Material(
        raw.rgb,
        metallic=raw.metallic,
        roughness=max(raw.roughness, 0.05),
        emission=raw.emission if role == "own" else (0.0, 0.0, 0.0),
        texture=texture,
    )
    match role:
        case "own":
            return own
        case "paint":
            return paint if texture is None else replace(paint, texture=repainted(texture, paint))
        case "glass":
            return materials.glass(0.15 if clear else 0.75)
        case "rim":
            return replace(own, metallic=0.8, roughness=0.3)
        case "head_lamp":
            known = materials.FIXED["lamp_clear"]
        case "tail_lamp":
            known = materials.FIXED["lamp_red"]
        case "indicator":
            known = materials.FIXED["lamp_amber"]
        case _:
            known = materials.FIXED[role]
    return known if texture is None else replace(known, texture=texture)


def repainted(texture: Texture, paint: Material) -> Texture:
    """The picture with its commonest colour turned into the paint's, dark lines staying dark."""
    linear = srgb_to_linear(texture.pixels)
    spots = linear[::4, ::4].reshape(-1, 3)
    bright = spots[spots.max(axis=1) > 0.05]
    if not len(bright):
        return texture
    _, centres = _cluster(bright, np.ones(len(bright)))
    tinted = np.clip(linear / np.maximum(centres[0], 0.05) * paint.base_colour, 0, 1)
    return Texture.of(linear_to_srgb(tinted))


def commonest_colour(mesh: RawMesh, faces: np.ndarray) -> np.ndarray:
    """(3,) linear colour met most often on the textured ``faces`` (k,), all of one material."""
    material = mesh.materials[mesh.material[faces[0]]]
    assert material.texture is not None
    picture = mesh.textures[material.texture]
    corners = mesh.uv[mesh.faces[faces]].astype(np.float64)
    weights = np.random.default_rng(0).dirichlet(np.ones(3), size=len(faces))
    uv = (corners * weights[:, :, None]).sum(axis=1)  # anywhere on each triangle
    height, width = picture.shape[:2]
    column = (np.mod(uv[:, 0], 1) * width).astype(int) % width
    row = (np.mod(1 - uv[:, 1], 1) * height).astype(int) % height
    seen = srgb_to_linear(picture[row, column])
    _, centres = _cluster(seen, np.ones(len(seen)))
    return centres[0]


def _areas(mesh: RawMesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    area: np.ndarray = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return area
