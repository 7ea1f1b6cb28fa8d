"""A network against which features hide their domain."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from train.adversary import Adversary, adversary_terms, strength_at

DOMAINS = ["real", "synthetic", "synthetic"]


def test_features_get_minus_the_gradient_and_the_head_its_own() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2))
    adversary = Adversary(network, "1", 0)
    x, labels = torch.randn(3, 4), torch.tensor([0.0, 1.0, 1.0])
    network(x)
    adversary_terms(adversary(0.7), DOMAINS)["adversary"].backward()
    got = [p.grad.clone() for p in (*network[0].parameters(), *adversary.parameters())]
    network.zero_grad()
    adversary.zero_grad()
    plain = F.binary_cross_entropy_with_logits(adversary.head(network[0](x))[:, 0], labels)
    plain.backward()
    for mine, parameter in zip(got[:2], network[0].parameters(), strict=True):
        assert torch.allclose(mine, -0.7 * parameter.grad, atol=1e-7)
        assert mine.abs().sum() > 0
    for mine, parameter in zip(got[2:], adversary.parameters(), strict=True):
        assert torch.allclose(mine, parameter.grad, atol=1e-7)


def test_maps_are_pooled() -> None:
    network = nn.Sequential(nn.Conv2d(3, 6, 1))
    adversary = Adversary(network, "0", 0)
    x = torch.randn(2, 3, 4, 4)
    network(x)
    assert torch.allclose(adversary(1.0), adversary.head(x.mean((2, 3)))[:, 0])


def test_terms_by_hand() -> None:
    terms = adversary_terms(torch.tensor([0.0, 2.0, -1.0]), DOMAINS)
    expected = (math.log(2) + math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))) / 3
    assert terms["adversary"].item() == pytest.approx(expected)
    assert terms["adversary_accuracy"].item() == pytest.approx(2 / 3)


def test_the_strength_grows() -> None:
    assert strength_at(0) == 0
    assert strength_at(0.1) == pytest.approx(math.tanh(0.5))
    assert 0.999 < strength_at(1) < 1
