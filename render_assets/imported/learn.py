"""Learn the statistical shape anew: ``python -m render_assets.imported.learn [vehicles a type]``.

To be run when the parametric vehicles have changed; takes some minutes.
"""

from __future__ import annotations

import sys

import numpy as np

from pamtri.attributes import TYPES
from pamtri.keypoints import NUM_KEYPOINTS
from render_assets.imported.features import measure
from render_assets.imported.keypoint_shapes import write_keypoint_shapes
from render_assets.imported.shape_model import FILE, learn
from render_assets.imported.surface import Surface
from render_assets.spec import sample_vehicle
from render_assets.vehicle import Vehicle, build_vehicle

SEED = 36
"""Of the vehicles that are learned from."""


def vehicle_vector(vehicle: Vehicle) -> np.ndarray:
    """The vector of a vehicle whose keypoints are known."""
    vertices = np.concatenate([p.vertices for p in vehicle.parts])
    starts = np.cumsum([0] + [len(p.vertices) for p in vehicle.parts[:-1]])
    faces = np.concatenate([p.faces + s for p, s in zip(vehicle.parts, starts, strict=True)])
    glass = np.concatenate([np.full(len(p.faces), "glass" in p.material) for p in vehicle.parts])
    low, high = float(vertices[:, 0].min()), float(vertices[:, 0].max())
    length, shift = high - low, np.array([(low + high) / 2, 0.0, 0.0])
    surface = Surface((vertices - shift) / length, faces)
    points = (vehicle.keypoints[: NUM_KEYPOINTS // 2] - shift) / length
    return np.concatenate([[length], points.ravel(), measure(surface, glass)])


def main(count: int) -> None:
    """Draw ``count`` vehicles of every type, measure them, and write the model."""
    arrays = {}
    for vehicle_type in TYPES:
        specs = (sample_vehicle(SEED, i, types={vehicle_type: 1.0}) for i in range(count))
        vectors = np.stack([vehicle_vector(build_vehicle(spec)) for spec in specs])
        for name, values in learn(vectors).items():
            arrays[f"{vehicle_type}_{name}"] = values.astype(np.float16)
    np.savez_compressed(FILE, **arrays)
    write_keypoint_shapes()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
