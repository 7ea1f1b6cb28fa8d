"""Batch norms of each domain's own: taught apart, folded into an ordinary network."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import nn

from pamtri.config import parse_config
from pamtri.errors import ConfigError
from train.checkpoint import load_checkpoint
from train.domain_norm import domains_told, folded, with_domain_norms
from train.reid.config import ReidConfig
from train.reid.predict import load_network
from train.run import train_run

DOMAINS = ["synthetic", "real", "real", "synthetic", "synthetic"]


def rows(domain: str) -> list[int]:
    return [i for i, d in enumerate(DOMAINS) if d == domain]


def test_a_mixed_batch_is_two_batches_to_it() -> None:
    """Outputs, gradients and statistics are those of two ordinary norms, each shown its own."""
    torch.manual_seed(0)
    start = nn.BatchNorm2d(3)
    nn.init.normal_(start.weight)
    start.running_mean.normal_()
    apart = {d: copy.deepcopy(start) for d in ("real", "synthetic")}
    network = nn.Sequential(copy.deepcopy(start))
    with_domain_norms(network, "real")
    x = torch.randn(5, 3, 4, 4, requires_grad=True)
    with domains_told(network, DOMAINS):
        got = network(x)
    expected = torch.empty_like(got)
    for domain, norm in apart.items():
        expected[rows(domain)] = norm(x[rows(domain)])
    assert torch.equal(got, expected)
    factors = torch.randn_like(got)
    (mine,) = torch.autograd.grad((got * factors).sum(), x, retain_graph=True)
    (theirs,) = torch.autograd.grad((expected * factors).sum(), x)
    assert torch.allclose(mine, theirs)
    for domain, norm in apart.items():
        kept = network.get_submodule(f"0.norms.{domain}").state_dict()
        for key, value in norm.state_dict().items():
            assert torch.equal(kept[key], value), (domain, key)


def test_a_batch_of_one_domain_leaves_the_other_alone() -> None:
    network = nn.Sequential(nn.BatchNorm1d(2))
    with_domain_norms(network, "real")
    with domains_told(network, ["synthetic"] * 4):
        network(torch.randn(4, 2))
    counted = {d: int(network[0].norms[d].num_batches_tracked) for d in ("real", "synthetic")}
    assert counted == {"real": 0, "synthetic": 1}


@pytest.mark.parametrize("name", ["resnet10t", "densenet121", "hrnet_w18_small"])
def test_the_folded_network_is_the_one_that_is_tested(name: str) -> None:
    torch.manual_seed(1)
    network = timm.create_model(name, num_classes=3)
    plain = copy.deepcopy(network)
    with_domain_norms(network, "real")
    with domains_told(network, DOMAINS), torch.no_grad():
        network(
            torch.randn(5, 3, 64, 64) * torch.tensor([1.0, 3.0, 3.0, 1.0, 1.0]).view(5, 1, 1, 1)
        )
    plain.load_state_dict(folded(network.state_dict(), "real"))
    other = copy.deepcopy(plain)
    other.load_state_dict(folded(network.state_dict(), "synthetic"))
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        tested = network.eval()(x)
        assert torch.allclose(plain.eval()(x), tested, rtol=1e-5, atol=1e-6)
        assert not torch.allclose(other.eval()(x), tested, rtol=1e-2, atol=1e-3)


def test_what_it_cannot_do() -> None:
    with pytest.raises(ConfigError, match=r"the network has no batch norm; set it to false$"):
        with_domain_norms(nn.Linear(2, 2), "real")
    with pytest.raises(ConfigError, match=r"expected training in one process, got 2$"):
        with_domain_norms(nn.BatchNorm1d(2), "real", processes=2)


def test_a_training_keeps_an_ordinary_network(real: Path, synthetic: Path, tmp_path: Path) -> None:
    config = parse_config(
        {
            "data": {
                "real": {"path": str(real)}, "synthetic": {"path": str(synthetic), "splits": None},
                "validation_fraction": 0.4,
            },
            "mixing": {"domain_batch_norm": True},
            "model": {"backbone": "resnet10t", "input_size": 32, "neck": "bnneck"},
            "training": {"steps": 2, "identities": 4, "images_per_identity": 2},
        },
        ReidConfig,
        "c",
    )  # fmt: skip
    train_run(config, tmp_path)
    _, network = load_network(tmp_path / "best.pt")
    saved = load_checkpoint(tmp_path / "best.pt", "reid").state_dict
    assert set(saved) == set(network.state_dict())
    assert np.isfinite(network(torch.zeros(1, 3, 32, 32))["feature"].detach().numpy()).all()
    with pytest.raises(
        ConfigError, match=r"mixing.domain_batch_norm needs real and synthetic images, got real"
    ):
        parse_config(
            {**config.model_dump(mode="json"), "mixing": {
                "domain_batch_norm": True, "synthetic_ratio": 0.0,
            }},
            ReidConfig,
            "c",
        )  # fmt: skip
