"""The pose loss against slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from train.pose.codec import encode
from train.pose.config import PoseModelConfig
from train.pose.network import heatmap_losses, heatmaps_from

GENERATOR = torch.Generator().manual_seed(0)


def rand(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=GENERATOR, dtype=torch.float64)


def test_heatmap_mse_is_masked_half_squared_error_over_all_keypoints() -> None:
    output, target = rand(2, 3, 4, 4), rand(2, 3, 4, 4)
    weight = torch.tensor([[1.0, 0, 1], [0, 0, 1]], dtype=torch.float64)
    total = 0.0
    for n in range(2):
        for k in range(3):
            if weight[n, k]:
                squared = ((output[n, k] - target[n, k]) ** 2).numpy()
                total += 0.5 * squared.sum() / 16
    assert float(heatmap_losses(output, target, weight, "mse").mean()) == pytest.approx(total / 6)


def test_heatmap_softmax_is_masked_cross_entropy() -> None:
    output, target = rand(1, 2, 3, 3), rand(1, 2, 3, 3)
    weight = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    scores, wanted = output[0, 1].numpy().ravel(), target[0, 1].numpy().ravel()
    total = -sum(
        w / wanted.sum() * math.log(math.exp(s) / np.exp(scores).sum())
        for s, w in zip(scores, wanted, strict=True)
    )
    (loss,) = heatmap_losses(output, target, weight, "softmax")
    assert float(loss) == pytest.approx(total / 2)


@pytest.mark.parametrize("loss", ["mse", "softmax"])
def test_a_batch_without_visible_keypoints_teaches_nothing(loss: str) -> None:
    output = rand(2, 3, 4, 4).requires_grad_()
    value = heatmap_losses(output, torch.zeros(2, 3, 4, 4), torch.zeros(2, 3), loss).mean()
    value.backward()
    assert float(value.detach()) == 0
    assert output.grad is not None
    assert (output.grad == 0).all()


def test_the_taught_softmax_has_confidence_one() -> None:
    taught = encode(torch.tensor([[[34.0, 34.0]]]), 16, 1.5).clamp(min=1e-9).log()
    config = PoseModelConfig(sigma=1.5, loss="softmax")
    assert float(heatmaps_from(taught, config).max()) == pytest.approx(1, abs=0.01)
    flat = heatmaps_from(torch.zeros(1, 1, 16, 16), config)
    assert float(flat.max()) < 0.06
