from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pamtri.keypoints import FLIP
from train.pose.codec import STRIDE, decode, encode
from train.pose.network import mirrored_heatmaps


@given(
    x=st.floats(0, 1), y=st.floats(0, 1), sigma=st.floats(1, 3), size=st.sampled_from([24, 32, 64])
)
def test_round_trip_is_exact_to_a_twentieth_of_a_heatmap_pixel(
    x: float, y: float, sigma: float, size: int
) -> None:
    point = torch.tensor([[x, y]]) * size * STRIDE
    found, peak = decode(encode(point, size, sigma))
    assert (found - point).abs().max() <= 0.05 * STRIDE
    off_centre = math.exp(-((0.5**2 + 0.5**2) / (2 * sigma**2)))
    assert off_centre - 1e-5 <= float(peak) <= 1


def test_encode_is_the_formula_in_a_loop() -> None:
    points = np.array([[3.7, 9.2], [-5.0, 40.0]])
    maps = encode(torch.from_numpy(points), 8, 1.5).numpy()
    for k, (x, y) in enumerate(points):
        for i in range(8):
            for j in range(8):
                centre = ((j + 0.5) * 4, (i + 0.5) * 4)
                squared = ((centre[0] - x) ** 2 + (centre[1] - y) ** 2) / 16
                assert maps[k, i, j] == pytest.approx(math.exp(-squared / (2 * 1.5**2)), abs=1e-12)


def slow_decode(heatmap: np.ndarray) -> tuple[float, float]:
    """One map: a quadratic fitted to the logarithm about the peak, solved as two equations."""
    height, width = heatmap.shape
    i, j = divmod(int(heatmap.argmax()), width)
    i, j = min(max(i, 1), height - 2), min(max(j, 1), width - 2)
    logs = np.log(np.maximum(heatmap[i - 1 : i + 2, j - 1 : j + 2], heatmap.max() * 1e-3))
    gradient = np.array([logs[1, 2] - logs[1, 0], logs[2, 1] - logs[0, 1]]) / 2
    cross = (logs[2, 2] + logs[0, 0] - logs[2, 0] - logs[0, 2]) / 4
    hessian = np.array(
        [
            [logs[1, 2] - 2 * logs[1, 1] + logs[1, 0], cross],
            [cross, logs[2, 1] - 2 * logs[1, 1] + logs[0, 1]],
        ]
    )
    if np.linalg.det(hessian) <= 1e-9 or hessian[0, 0] >= 0:
        return (j + 0.5) * 4, (i + 0.5) * 4
    x, y = np.clip(-np.linalg.solve(hessian, gradient), -1.5, 1.5)
    return (j + x + 0.5) * 4, (i + y + 0.5) * 4


def test_decode_equals_a_slow_loop_on_noisy_maps() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(40, 2, generator=generator, dtype=torch.float64) * 64
    maps = encode(points, 16, 1.5)
    maps = maps + 0.05 * torch.rand(maps.shape, generator=generator, dtype=torch.float64)
    found, peaks = decode(maps)
    for one, point, peak in zip(maps.numpy(), found.numpy(), peaks.numpy(), strict=True):
        assert point == pytest.approx(slow_decode(one), abs=1e-9)
        assert peak == one.max()


def test_flat_maps_decode_to_finite_points_without_confidence() -> None:
    points, peaks = decode(torch.zeros(2, 36, 8, 8))
    assert torch.isfinite(points).all()
    assert (peaks == 0).all()


def test_mirrored_points_have_the_mirrored_maps() -> None:
    points = torch.rand(2, 36, 2, generator=torch.Generator().manual_seed(1)) * 64
    mirrored = torch.stack([64 - points[..., 0], points[..., 1]], dim=-1)[:, FLIP.copy()]
    assert torch.allclose(
        encode(mirrored, 16, 2.0), mirrored_heatmaps(encode(points, 16, 2.0)), atol=1e-6
    )
