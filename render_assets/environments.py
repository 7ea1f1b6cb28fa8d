"""A street to stand behind the vehicle: pavement, houses, hedges, fences, trees, lamp posts, signs,
parked cars.

Its frame: x leads away from the vehicle, the kerb lies along y at x = 0, z is up; metres. It is
seen small and out of focus: its shapes are plain, its rhythm (storeys, windows) does the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from render_assets.materials import Material, Rgb
from render_assets.mesh import Part, merge, moved, part, tube
from render_assets.occluders import Body, build_occluder

_HALF_LENGTH = 70.0
_PAVEMENT = 4.0
_FACADES: tuple[Rgb, ...] = (
    (0.30, 0.27, 0.22),
    (0.21, 0.085, 0.055),
    (0.36, 0.33, 0.28),
    (0.17, 0.17, 0.18),
    (0.27, 0.21, 0.14),
    (0.45, 0.43, 0.40),
)
_CAR_PAINTS: tuple[Rgb, ...] = (
    (0.55, 0.55, 0.55),
    (0.02, 0.02, 0.025),
    (0.12, 0.13, 0.14),
    (0.28, 0.02, 0.02),
    (0.02, 0.05, 0.18),
)


def build_street(seed: int, colour: Rgb) -> Body:
    """A street of ``seed``'s choosing; ``colour`` tints its houses. A pure function."""
    rng = np.random.default_rng([seed, 4])
    found: dict[str, list[Part]] = {}
    materials: dict[str, Material] = {}

    def add(prefix: str, body: Body, at: tuple[float, float, float], yaw: float = 0.0) -> None:
        for piece in body.placed(at, yaw).parts:
            name = f"{prefix}_{piece.material}"
            materials[name] = body.materials[piece.material]
            found.setdefault(name, []).append(replace(piece, material=name))

    add("pavement", _pavement(), (0.0, 0.0, 0.0))
    for number, (y, width) in enumerate(_plots(rng)):
        built = rng.random()
        if built < 0.36:
            if built < 0.25:
                add("green", _hedge(rng, width), (_PAVEMENT + 1.5, y, 0.0))
            else:
                add("fence", _fence(rng, width), (_PAVEMENT, y, 0.0))
            continue
        facade = _FACADES[rng.integers(len(_FACADES))]
        r, g, b = (float(0.7 * f + 0.18 * c) for f, c in zip(facade, colour, strict=True))
        add(f"house{number}", _house(rng, width, (r, g, b)), (_PAVEMENT, y, 0.0))
    for y in np.arange(-_HALF_LENGTH, _HALF_LENGTH, rng.uniform(9, 16)):
        at = (rng.uniform(0.8, 1.6), float(y + rng.uniform(-2, 2)), 0.0)
        stands = rng.random()
        if stands < 0.5:
            add("tree", _tree(rng), at)
        elif stands < 0.65:
            add(f"sign{rng.integers(4)}", _sign(rng), at)
        else:
            add("lamp", build_occluder("pole", (0.14, 0.14, 7.0), 0, (0.1, 0.1, 0.1)), at)
    for number, y in enumerate(np.arange(-_HALF_LENGTH / 2, _HALF_LENGTH / 2, 6.5)):
        if rng.random() < 0.45:
            facing = np.pi / 2 * (1 if rng.random() < 0.5 else -1)
            add(f"car{number}", _parked_car(rng), (-1.3, float(y), 0.0), facing)
    parts = tuple(merge(name, pieces) for name, pieces in found.items())
    return Body(parts, materials)


def _plots(rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Middle and width of the plots along the street."""
    y = -_HALF_LENGTH
    while y < _HALF_LENGTH:
        width = float(rng.uniform(8, 20))
        yield y + width / 2, width
        y += width


def _pavement() -> Body:
    centres = np.array([[_PAVEMENT / 2, 0.0, 0.02], [0.0, 0.0, 0.03]])
    sizes = np.array([[_PAVEMENT, 2 * _HALF_LENGTH, 0.2], [0.18, 2 * _HALF_LENGTH, 0.22]])
    return Body(
        (_boxes("slab", centres[:1], sizes[:1]), _boxes("kerb", centres[1:], sizes[1:])),
        {
            "slab": Material((0.24, 0.235, 0.225), roughness=0.9),
            "kerb": Material((0.33, 0.325, 0.31), roughness=0.85),
        },
    )


def _house(rng: np.random.Generator, width: float, facade: Rgb) -> Body:
    """A flat-roofed block with rows of windows and a ground floor of doors or shop fronts."""
    storeys = int(rng.integers(1, 7))
    storey = float(rng.uniform(2.9, 3.6))
    height = storeys * storey + 0.6
    depth = 10.0
    bays = max(2, int(width // rng.uniform(2.4, 3.6)))
    pitch = width / bays
    opening = float(rng.uniform(0.4, 0.7)) * pitch
    shop = rng.random() < 0.4
    panes, sills = [], []
    for floor in range(storeys):
        front = shop and floor == 0
        tall, span = (0.75 * storey, 0.9 * pitch) if front else (0.5 * storey, opening)
        z = (floor + (0.45 if front else 0.58)) * storey
        for bay in range(bays):
            y = (bay + 0.5) * pitch - width / 2
            panes.append([0.0, y, z, 0.06, span, tall])
            sills.append([0.0, y, z - tall / 2 - 0.05, 0.22, span + 0.2, 0.1])
    sills.append([depth / 2 - 0.15, 0.0, height, depth + 0.3, width + 0.2, 0.3])
    wall = np.array([[depth / 2, 0.0, height / 2, depth, width, height]])
    return Body(
        tuple(
            _boxes(name, np.array(rows)[:, :3], np.array(rows)[:, 3:])
            for name, rows in (("wall", wall), ("pane", panes), ("trim", sills))
        ),
        {
            "wall": Material(facade, roughness=0.9),
            "trim": Material((0.4, 0.39, 0.37), roughness=0.8),
            "pane": Material((0.015, 0.02, 0.025), roughness=0.05, coat=1.0),
        },
    )


def _parked_car(rng: np.random.Generator) -> Body:
    """A car as one sees it down the road: an outline with glass, lamps and wheels; x forward."""
    length, width, height = rng.uniform(4.0, 4.7), rng.uniform(1.7, 1.85), rng.uniform(1.42, 1.65)
    hatch = rng.random() < 0.5
    low = [(-0.5, 0.16), (-0.5, 0.52), (-0.46, 0.62), (0.22, 0.66), (0.46, 0.52), (0.5, 0.4)]
    low.append((0.5, 0.16))
    rear = -0.46 if hatch else -0.33
    cabin = [(rear, 0.62), (rear + 0.07, 0.97), (-0.05, 1.0), (0.06, 0.97), (0.22, 0.65)]
    parts = [
        _extruded("paint", np.array(low) * [length, height], width / 2, width / 2),
        _extruded("glass", np.array(cabin) * [length, height], width / 2 - 0.06, width / 2 - 0.22),
        _extruded(
            "paint",
            np.array([(rear + 0.06, 0.95), (-0.05, 1.01), (0.08, 0.95)]) * [length, height],
            width / 2 - 0.2,
            width / 2 - 0.22,
        ),
    ]
    for x in (-0.29, 0.31):
        axle = np.array(
            [[x * length, -width / 2 - 0.01, 0.31], [x * length, width / 2 + 0.01, 0.31]]
        )
        parts.append(tube("wheel", "tyre", axle, 0.31, sides=14))
        parts.append(tube("rim", "rim", axle * [1.0, 1.005, 1.0], 0.2, sides=10))
    paint = _CAR_PAINTS[rng.integers(len(_CAR_PAINTS))]
    return Body(
        tuple(parts),
        {
            "paint": Material(paint, metallic=0.3, roughness=0.3, coat=1.0),
            "glass": Material((0.01, 0.012, 0.014), roughness=0.05, coat=1.0),
            "tyre": Material((0.012, 0.012, 0.012), roughness=0.9),
            "rim": Material((0.4, 0.4, 0.4), metallic=0.8, roughness=0.3),
        },
    )


def _extruded(material: str, outline: np.ndarray, low: float, high: float) -> Part:
    """The x-z outline (n, 2), clockwise, between its two copies left and right of the middle.

    Half the width goes from ``low`` at the outline's lowest point to ``high`` at its highest.
    """
    count = len(outline)
    z = outline[:, 1]
    half = low + (high - low) * (z - z.min()) / (z.max() - z.min())
    left = np.stack([outline[:, 0], half, z], axis=1)
    right = left * [1.0, -1.0, 1.0]
    follow = np.roll(np.arange(count), -1)
    walls = np.stack([left, right, right[follow], left[follow]], axis=1).reshape(-1, 3)
    first = 4 * np.arange(count)[:, None]
    fan = np.array([(0, i, i + 1) for i in range(1, count - 1)])
    points = np.concatenate([walls, left, right])
    faces = np.concatenate(
        [
            first + np.array([0, 1, 2]),
            first + np.array([0, 2, 3]),
            fan + len(walls),
            fan[:, ::-1] + len(walls) + count,
        ]
    )
    return part(material, material, points, faces)


_CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
_CUBE_SIDES = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)


def _boxes(material: str, centres: np.ndarray, sizes: np.ndarray) -> Part:
    """Plain boxes at ``centres`` (n, 3) of full extents ``sizes`` (n, 3) as one part."""
    corners = centres[:, None] + _CUBE[_CUBE_SIDES.ravel()][None] * sizes[:, None]
    points = corners.reshape(-1, 3)
    first = np.arange(0, len(points), 4)[:, None]
    faces = np.concatenate([first + np.array([0, 1, 2]), first + np.array([0, 2, 3])])
    return part(material, material, points, faces)


def _fence(rng: np.random.Generator, width: float) -> Body:
    """Pales between posts, of wood or metal."""
    height, pitch = float(rng.uniform(1.0, 1.9)), float(rng.uniform(0.14, 0.3))
    y = np.arange(-width / 2, width / 2, pitch)
    pales = np.stack([0 * y, y, 0 * y + height / 2], axis=1)
    sizes = np.tile([0.025, 0.55 * pitch, height], (len(y), 1))
    rails = np.array([[0.03, 0.0, share * height] for share in (0.25, 0.8)])
    tone = float(rng.uniform(0.03, 0.4))
    paint = Material((tone, 0.85 * tone, 0.7 * tone), roughness=0.75)
    return Body(
        (
            _boxes("pale", pales, sizes),
            _boxes("pale", rails, np.tile([0.05, width, 0.08], (2, 1))),
        ),
        {"pale": paint},
    )


def _sign(rng: np.random.Generator) -> Body:
    """A traffic sign's disc or board, which faces along the street, on its post."""
    tones: tuple[Rgb, ...] = ((0.42, 0.02, 0.02), (0.02, 0.08, 0.4), (0.6, 0.4, 0.02))
    face = Material(tones[rng.integers(len(tones))], roughness=0.4)
    post = tube("post", "post", np.array([[0, 0, 0], [0, 0, 2.7]]), 0.03, sides=8)
    place = np.array([[0, 0.02, 2.45], [0, 0.05, 2.45]])
    board = tube("face", "face", place, 0.33, sides=24)
    return Body((post, board), {"post": Material((0.3, 0.3, 0.31), metallic=0.6), "face": face})


def _hedge(rng: np.random.Generator, width: float) -> Body:
    green = (float(rng.uniform(0.03, 0.07)), float(rng.uniform(0.08, 0.13)), 0.02)
    count = int(width // 3) + 1
    parts: list[Part] = []
    materials: dict[str, Material] = {}
    for k in range(count):
        size = (3.0, 4.2, float(rng.uniform(1.6, 4.5)))
        bush = build_occluder("bush", size, int(rng.integers(5)), green)
        y = (k + 0.5) * width / count - width / 2
        parts += [moved(p, (0.0, y, 0.0)) for p in bush.parts]
        materials = bush.materials
    return Body(tuple(parts), materials)


def _tree(rng: np.random.Generator) -> Body:
    green = (float(rng.uniform(0.03, 0.08)), float(rng.uniform(0.08, 0.14)), 0.02)
    crown_size = (float(rng.uniform(3, 5)), float(rng.uniform(3, 5)), float(rng.uniform(3, 5)))
    crown = build_occluder("bush", crown_size, int(rng.integers(5)), green)
    trunk = tube("trunk", "trunk", np.array([[0, 0, 0], [0, 0, 3.0]]), 0.16)
    leaves = [moved(p, (0.0, 0.0, 2.2)) for p in crown.parts]
    materials = {**crown.materials, "trunk": Material((0.09, 0.065, 0.045), roughness=0.9)}
    return Body((trunk, *leaves), materials)
