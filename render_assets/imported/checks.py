"""What is wrong with an entry of a catalogue: symmetry, order, placement, segments."""

from __future__ import annotations

import itertools

import numpy as np

from pamtri.attributes import VehicleType
from pamtri.keypoints import FLIP, INDEX, NAMES, NUM_KEYPOINTS
from pamtri.segments import SEGMENTS
from render_assets.imported import outline
from render_assets.imported.entry import Entry
from render_assets.imported.surface import Surface

MIRROR_M = 0.002
"""Left and right partners of a symmetric vehicle."""
LOPSIDED = 0.05
"""The same of any other, as a share of the length."""
SURFACE_M = 0.03
"""From the surface; wheels' centres, which may lie in a hub's recess, have twice that."""
GROUND_M = 0.03

_FRONT_TO_REAR = (
    ("front_bumper", "front_arch_front_low", "front_wheel", "front_arch_rear_low",
     "rear_arch_front_low", "rear_wheel", "rear_arch_rear_low", "rear_bumper"),
    ("front_arch_front_high", "front_arch_rear_high", "rear_arch_front_high",
     "rear_arch_rear_high"),
    ("headlight", "windscreen_base", "rear_glass_base"),
    ("windscreen_base", "roof_rear"),
    ("headlight", "tail_light"),
    ("roof_front", "roof_rear"),
)  # fmt: skip
_HIGH_TO_LOW = (
    ("roof_front", "windscreen_base", "front_wheel"),
    ("roof_rear", "rear_glass_base", "rear_bumper"),
    ("headlight", "front_bumper"),
    ("tail_light", "rear_bumper"),
    ("front_arch_front_high", "front_arch_front_low"),
    ("front_arch_rear_high", "front_arch_rear_low"),
    ("rear_arch_front_high", "rear_arch_front_low"),
    ("rear_arch_rear_high", "rear_arch_rear_low"),
)


def findings(entry: Entry) -> list[str]:
    """A sentence for everything that is wrong with an entry; empty when nothing is."""
    mesh = entry.placed_mesh()
    points = entry.asset.keypoint_array()
    surface = Surface(mesh.vertices, mesh.faces)
    length = float(np.ptp(mesh.vertices[:, 0]))
    return [
        *_sides(points, entry.asset.symmetric, length),
        *_order(points),
        *_on_surface(points, surface),
        *_wheels(points, mesh.vertices),
        *_segments(points, entry.asset.type),
    ]


def _sides(points: np.ndarray, symmetric: bool, length: float) -> list[str]:
    found = []
    most = MIRROR_M if symmetric else LOPSIDED * length
    for left in range(NUM_KEYPOINTS // 2):
        right = FLIP[left]
        if points[left, 1] <= 0 or points[right, 1] >= 0:
            wrong = NAMES[left] if points[left, 1] <= 0 else NAMES[right]
            y = points[INDEX[wrong], 1]
            found.append(f"{wrong} is on the other side (y = {y:.3f} m; left is positive)")
            continue
        off = float(np.linalg.norm(points[left] * [1, -1, 1] - points[right]))
        if off > most:
            found.append(
                f"{NAMES[left]} and {NAMES[right]} are {off:.3f} m from mirroring each other, "
                f"expected at most {most:.3f} m"
            )
    return found


def _order(points: np.ndarray) -> list[str]:
    found = []
    for side in ("left", "right"):
        for chains, axis, word in ((_FRONT_TO_REAR, 0, "before"), (_HIGH_TO_LOW, 2, "above")):
            for chain in chains:
                for a, b in itertools.pairwise(chain):
                    more, less = (points[INDEX[f"{side}_{n}"], axis] for n in (a, b))
                    if more <= less:
                        found.append(
                            f"{side}_{a} is not {word} {side}_{b} ({'xyz'[axis]} = {more:.3f} m, "
                            f"not more than {less:.3f} m)"
                        )
    return found


def _on_surface(points: np.ndarray, surface: Surface) -> list[str]:
    away = np.linalg.norm(surface.nearest(points) - points, axis=1)
    found = []
    for name, distance in zip(NAMES, away, strict=True):
        most = SURFACE_M * (2 if name.endswith("wheel") else 1)
        if distance > most:
            found.append(
                f"{name} is {distance:.3f} m from the surface, expected at most {most:.3f} m"
            )
    return found


def _wheels(points: np.ndarray, vertices: np.ndarray) -> list[str]:
    """The vehicle's lowest point is the ground, and under every wheel the tyre reaches it."""
    found = []
    low = float(vertices[:, 2].min())
    if abs(low) > GROUND_M:
        found.append(f"the lowest point is at z = {low:.3f} m, expected the ground, 0 m")
    middle = float(points[[INDEX["left_front_wheel"], INDEX["left_rear_wheel"]], 0].mean())
    if abs(middle) > 0.05:
        found.append(f"the middle between the axles is at x = {middle:.3f} m, expected 0 m")
    for end, side in itertools.product(("front", "rear"), ("left", "right")):
        name = f"{side}_{end}_wheel"
        x, y, z = points[INDEX[name]]
        if not 0.2 < z < 0.75:
            found.append(f"{name} is {z:.3f} m above the ground, expected 0.2 to 0.75 m")
            continue
        near = (np.hypot(vertices[:, 0] - x, vertices[:, 2] - z) < 1.1 * z) & (
            np.abs(vertices[:, 1] - y) < 0.45
        )
        lowest = float(vertices[near, 2].min()) if near.any() else np.inf
        if not lowest < GROUND_M + 0.1 * z:
            found.append(f"{name}: nothing of the vehicle stands on the ground below it")
    return found


def _segments(points: np.ndarray, type: VehicleType) -> list[str]:
    """Every outline is convex, but for a truck's rear quarter, which takes in its load."""
    found = []
    for segment in SEGMENTS:
        if type == "truck" and segment.name.endswith("rear_quarter"):
            continue
        flat, _, _ = outline.flattened(points[list(segment.corners)])
        if not outline.is_convex(flat):
            found.append(f"segment {segment.name} is not convex")
    return found
