"""The statistical shape of vehicles: keypoints and measurements together, one Gaussian a type.

A vehicle is a vector: its length in metres, the left half's keypoints and the measurements of
``features``, in the unit frame. Each type's vectors are a mean plus a few directions of variation
plus noise; what is measured then tells what is not (probabilistic PCA with missing values).
Learned from the parametric vehicles by ``python -m render_assets.imported.learn``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pamtri.attributes import TYPES, VehicleType
from pamtri.keypoints import NUM_KEYPOINTS

FILE = Path(__file__).with_name("shape_model.npz")
TARGETS = 1 + 3 * (NUM_KEYPOINTS // 2)
"""How many leading numbers of the vector are not measured."""
_FLOOR = 0.006
"""Least noise of any number: meshes differ from ours everywhere, lengths as shares of the whole."""
_ROUNDS = 6
_HUBER = 2.5


@dataclass(frozen=True, eq=False)
class TypeModel:
    """One type's Gaussian: ``mean`` (d,), ``spread`` (d, k) for unit latents, ``noise`` (d,)."""

    type: VehicleType
    mean: np.ndarray
    spread: np.ndarray
    noise: np.ndarray

    def fit(self, measured: np.ndarray) -> tuple[np.ndarray, float]:
        """The most likely vector (d,) and how unlikely it is a measured number (lower is better).

        ``measured`` (d - TARGETS,) may have NaN. Numbers far off count less and less (Huber).
        """
        seen = np.flatnonzero(np.isfinite(measured)) + TARGETS
        spread, noise = self.spread[seen], self.noise[seen]
        off = measured[seen - TARGETS] - self.mean[seen]
        weight = np.ones(len(seen))
        for _ in range(_ROUNDS):
            scaled = spread * (weight / noise**2)[:, None]
            latent = np.linalg.solve(spread.T @ scaled + np.eye(spread.shape[1]), scaled.T @ off)
            size = np.abs(off - spread @ latent) / noise
            weight = np.minimum(1.0, _HUBER / np.maximum(size, 1e-9))
        cost = np.where(size < _HUBER, size**2 / 2, _HUBER * (size - _HUBER / 2))
        energy = (cost.sum() + latent @ latent / 2) / len(seen) + np.log(noise).mean()
        return self.mean + self.spread @ latent, float(energy)


def keypoints_of(vector: np.ndarray) -> np.ndarray:
    """(18, 3) the left half's keypoints of a vector."""
    return vector[1:TARGETS].reshape(-1, 3)


def learn(vectors: np.ndarray, latents: int = 14) -> dict[str, np.ndarray]:
    """Mean, spread and noise of one type's vectors (n, d); NaN where nothing was measured."""
    known = np.isfinite(vectors)
    mean = np.where(known.any(0), np.nanmean(np.where(known, vectors, np.nan), axis=0), 0.0)
    centred = np.where(known, vectors - mean, 0.0)
    scale = np.maximum(centred.std(axis=0), 0.003)
    _, size, axes = np.linalg.svd(centred / scale, full_matrices=False)
    k = min(latents, len(vectors) // 4)
    spread = (axes[:k] * (size[:k] / np.sqrt(len(vectors)))[:, None]).T * scale[:, None]
    latent, *_ = np.linalg.lstsq(spread, centred.T, rcond=None)
    left = np.where(known, centred - (spread @ latent).T, np.nan)
    noise = np.sqrt(np.nan_to_num(np.nanvar(left, axis=0), nan=1.0) + _FLOOR**2)
    # What is seldom there (a rear window on vans) says little when it is.
    noise = np.where(known.mean(axis=0) < 0.3, 1.0, noise)
    return {"mean": mean, "spread": spread, "noise": noise}


@lru_cache(maxsize=1)
def load_models() -> tuple[TypeModel, ...]:
    """The model of every type, in the order of ``TYPES``."""
    with np.load(FILE, allow_pickle=False) as archive:
        return tuple(
            TypeModel(t, *(archive[f"{t}_{n}"].astype(float) for n in ("mean", "spread", "noise")))
            for t in TYPES
        )
