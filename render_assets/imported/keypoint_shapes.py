"""The keypoints' part of the learned shapes, for who may not import vehicles: viewpoint by PnP.

``python -m render_assets.imported.keypoint_shapes`` writes ``pamtri/viewpoint_shapes.npz`` from
``shape_model.npz`` in a moment; ``learn`` does so at its end.
"""

from __future__ import annotations

import numpy as np

from pamtri.keypoints import FLIP, INDEX, NUM_KEYPOINTS
from pamtri.viewpoint_shapes import FILE
from render_assets.imported.shape_model import TARGETS, load_models

MODES = 6
"""Directions of variation that are kept; the rest counts as noise of the points."""
_WHEELS = [INDEX["left_front_wheel"], INDEX["left_rear_wheel"]]


def keypoint_shapes() -> dict[str, np.ndarray]:
    """The arrays of ``viewpoint_shapes.npz``, described in ``pamtri.viewpoint_shapes``."""
    shapes = [
        _shape(m.mean[:TARGETS], m.spread[:TARGETS], m.noise[:TARGETS]) for m in load_models()
    ]
    return {name: np.stack([s[name] for s in shapes]).astype(np.float16) for name in shapes[0]}


def _shape(mean: np.ndarray, spread: np.ndarray, noise: np.ndarray) -> dict[str, np.ndarray]:
    """One type: principal axes of its keypoints, and what they tell of the length in metres."""
    covariance = spread @ spread.T + np.diag(noise**2)
    variance, axes = np.linalg.eigh(covariance[1:, 1:])
    variance, axes = variance[::-1][:MODES], axes[:, ::-1][:, :MODES]
    left = covariance[1:, 1:].diagonal() - (axes**2 * variance).sum(axis=1)
    return {
        "length_mean": mean[0],
        "length_modes": covariance[0, 1:] @ axes / np.sqrt(variance),
        "mean": _both_sides(mean[1:]),
        "modes": np.stack([_both_sides(axis) for axis in (axes * np.sqrt(variance)).T]),
        "noise": np.tile(np.sqrt(left.reshape(-1, 3).mean(axis=1)), 2),
    }


def _both_sides(vector: np.ndarray) -> np.ndarray:
    """(36, 3) points of the left half's, moved so that x is 0 midway between the axles."""
    left = vector.reshape(-1, 3).copy()
    left[:, 0] -= left[_WHEELS, 0].mean()
    points = np.zeros((NUM_KEYPOINTS, 3))
    points[: len(left)] = left
    points[FLIP[: len(left)]] = left * [1, -1, 1]
    return points


def write_keypoint_shapes() -> None:
    """Write the file."""
    np.savez_compressed(FILE, **keypoint_shapes())


if __name__ == "__main__":
    write_keypoint_shapes()
