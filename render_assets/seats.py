"""Seats of cars and buses. A seat's origin is its hip point: where a sitting person's hips are."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from render_assets.mesh import Part, ellipsoid, loft, tube

RECLINE = np.radians(20.0)
"""Lean of a seat's back."""
_UP = np.array([-np.sin(RECLINE), 0.0, np.cos(RECLINE)])
_FORWARD = np.array([np.cos(RECLINE), 0.0, np.sin(RECLINE)])
_ACROSS = np.array([1.0, 0.82, 0.55, 0.0, -0.55, -0.82, -1.0])
_BOLSTER = np.array([0.35, 1.0, 0.25, 0.0, 0.25, 1.0, 0.35])
_BACK_ROOT = np.array([-0.12, 0.0, -0.06])


@lru_cache(maxsize=16)
def bucket_seat(half_width: float, bolster: float = 0.05) -> tuple[Part, ...]:
    """A front seat of a car: cushion and back with side bolsters, head rest on two posts."""
    posts = [
        tube("head_rest_post", "steel", _on_back(np.array([[0.58, y, -0.05], [0.68, y, -0.05]])),
             0.007, 5, capped=False)
        for y in (-0.06, 0.06)
    ]  # fmt: skip
    at = _on_back(np.array([[0.74, 0.0, -0.05]]))[0]
    rest = ellipsoid("head_rest", "seat", tuple(at), (0.11, 0.26, 0.18), 3, 5)
    return (*_shell(half_width, bolster), rest, *posts)


@lru_cache(maxsize=16)
def bench_place(half_width: float) -> tuple[Part, ...]:
    """One outer place of a rear bench, with a low head rest."""
    at = _on_back(np.array([[0.66, 0.0, -0.05]]))[0]
    rest = ellipsoid("head_rest", "seat", tuple(at), (0.10, 0.25, 0.13), 3, 4)
    return (*_shell(half_width, 0.015), rest)


@lru_cache(maxsize=16)
def bus_seat(half_width: float) -> tuple[Part, ...]:
    """A thin shell for two: many of them are seen at once."""
    rows = np.array([(0.0, 0.95), (0.35, 1.0), (0.62, 1.0), (0.70, 0.8)])
    flat = np.array([(1, 0.02), (-1, 0.02), (-1, -0.05), (1, -0.05)])[::-1]
    back = np.stack([_on_back(np.stack([np.full(4, h), flat[:, 0] * w * half_width, flat[:, 1]],
                                       axis=1)) for h, w in rows])  # fmt: skip
    y = half_width * np.array([1, -1, -1, 1])
    z = np.array([-0.09, -0.09, -0.17, -0.17])
    cushion = np.stack(
        [np.stack([np.full(4, x), y, z], axis=1) for x in (-0.14, 0.30)]
    )  # fmt: skip
    return loft("seat_back", "seat", back), loft("seat_cushion", "seat", cushion)


def _on_back(points: np.ndarray) -> np.ndarray:
    """(n, 3) places of (up along the back, y, forward of it)."""
    return (
        _BACK_ROOT
        + points[:, :1] * _UP
        + points[:, 1:2] * np.array([0.0, 1.0, 0.0])
        + points[:, 2:] * _FORWARD
    )


def _shell(half_width: float, bolster: float) -> tuple[Part, Part]:
    """Back and cushion: rings over height and over length."""
    back = []
    for up, wide, thick in (
        (-0.06, 0.80, 0.7), (0.06, 0.92, 1.0), (0.20, 1.0, 1.0), (0.40, 0.98, 0.9),
        (0.54, 0.84, 0.75), (0.60, 0.66, 0.4),
    ):  # fmt: skip
        y = np.concatenate([_ACROSS[::-1], 0.9 * _ACROSS[[1, 3, 5]]]) * half_width * wide
        deep = np.concatenate([bolster * _BOLSTER, [-0.10] * 3]) * thick
        back.append(_on_back(np.stack([np.full(len(y), up), y, deep], axis=1)))
    cushion = []
    for x, wide, top in (
        (-0.16, 0.9, -0.12), (-0.05, 1.0, -0.09), (0.20, 1.0, -0.085), (0.36, 0.96, -0.08),
        (0.42, 0.9, -0.12),
    ):  # fmt: skip
        y = np.concatenate([_ACROSS, 0.9 * _ACROSS[[5, 3, 1]]]) * half_width * wide
        z = np.concatenate([top + 0.7 * bolster * _BOLSTER, [-0.21] * 3])
        cushion.append(np.stack([np.full(len(y), x), y, z], axis=1))
    return (
        loft("seat_back", "seat", np.stack(back)),
        loft("seat_cushion", "seat", np.stack(cushion)),
    )
