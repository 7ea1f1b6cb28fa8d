"""Plane outlines: what lies inside, and whether they are convex."""

from __future__ import annotations

import numpy as np


def inside(points: np.ndarray, outline: np.ndarray, inset: float = 0.0) -> np.ndarray:
    """(n,) bool: points (n, 2) inside a convex ``outline`` (k, 2) by more than ``inset``."""
    edge = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([-edge[:, 1], edge[:, 0]], axis=1) * np.sign(signed_area(outline))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    depth = ((points[:, None] - outline[None]) * normal[None]).sum(axis=2)
    within: np.ndarray = depth.min(axis=1) > inset
    return within


def signed_area(outline: np.ndarray) -> float:
    """Of an outline (k, 2); positive where it runs counter-clockwise."""
    following = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * following[:, 1] - following[:, 0] * outline[:, 1]
    return float(cross.sum() / 2)


def is_convex(outline: np.ndarray) -> bool:
    """Whether an outline (k, 2) turns the same way at every corner."""
    before = outline - np.roll(outline, 1, axis=0)
    after = np.roll(outline, -1, axis=0) - outline
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return bool((turn > 0).all() or (turn < 0).all())


def flattened(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A spatial quadrilateral (4, 3) in its own plane.

    Returns its outline (4, 2), the plane's axes (2, 3) and its unit normal (3,), which looks to
    where the corners run counter-clockwise.
    """
    across, along = corners[2] - corners[0], corners[3] - corners[1]
    normal = np.cross(across, along)
    normal /= max(float(np.linalg.norm(normal)), 1e-12)
    first = across / max(float(np.linalg.norm(across)), 1e-12)
    axes = np.stack([first, np.cross(normal, first)])
    return (corners - corners.mean(axis=0)) @ axes.T, axes, normal
