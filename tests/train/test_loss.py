"""Losses against slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from train.pose.codec import encode
from train.pose.config import PoseModelConfig
from train.pose.network import heatmap_losses, heatmaps_from
from train.reid.config import ReidLossConfig
from train.reid.loss import UNKNOWN, ReidLoss, masked_cross_entropy

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


def test_batch_hard_triplet_is_the_slow_loop() -> None:
    feature = rand(12, 5).float() * 2
    feature[9:] += 3
    identity = torch.arange(4).repeat_interleave(3)
    distance = np.linalg.norm(feature.numpy()[:, None] - feature.numpy()[None], axis=-1)
    each = []
    for a in range(12):
        same = [distance[a, b] for b in range(12) if b != a and identity[a] == identity[b]]
        other = [distance[a, b] for b in range(12) if identity[a] != identity[b]]
        each.append(max(0.0, max(same) - min(other) + 0.3))
    terms = ReidLoss(ReidLossConfig())(
        {"metric": feature, "identity": torch.zeros(12, 4)}, {"identity": identity}
    )
    assert float(terms["triplet"]) == pytest.approx(np.mean(each), rel=1e-5)
    assert 0 < sum(e == 0 for e in each) < 12  # solved triplets count in the mean
    assert float(terms["identity"]) == pytest.approx(math.log(4))


def test_the_loss_is_the_weighted_sum_and_attributes_are_masked() -> None:
    config = ReidLossConfig(identity=2.0, triplet=0.5, colour=0.25, type=0.125)
    output = {
        "metric": rand(4, 3),
        "identity": rand(4, 2),
        "colour": rand(4, 10),
        "type": rand(4, 9),
    }
    labels = {
        "identity": torch.tensor([0, 0, 1, 1]),
        "colour": torch.tensor([3, UNKNOWN, UNKNOWN, 7]),
        "type": torch.full((4,), UNKNOWN),
    }
    terms = ReidLoss(config)(output, labels)
    rows = [(0, 3), (3, 7)]
    colour = -np.mean([output["colour"].float().log_softmax(1)[i, c] for i, c in rows])
    assert float(terms["colour"]) == pytest.approx(colour)
    assert float(terms["type"]) == 0
    expected = 2 * terms["identity"] + 0.5 * terms["triplet"] + 0.25 * colour
    assert float(terms["loss"]) == pytest.approx(float(expected))


def test_masked_cross_entropy_has_the_right_gradient() -> None:
    labels = torch.tensor([1, UNKNOWN, 0])
    assert torch.autograd.gradcheck(
        lambda scores: masked_cross_entropy(scores, labels), rand(3, 4).requires_grad_()
    )
