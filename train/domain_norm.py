"""Batch norm of each domain for itself: Chang et al., "Domain-Specific Batch Normalization for
Unsupervised Domain Adaptation" (CVPR 2019).

Everything else of the network is shared. What is validated and kept is the network of the domain
that it is for: an ordinary one, which knows nothing of all this.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pamtri.errors import ConfigError
from train.mixing_config import DOMAINS


class DomainNorm(nn.Module):
    """A batch norm for each domain, statistics and affine map; all begin as the one they replace.

    While ``domains`` are told, each image (or row) of the input goes through that of its domain;
    else, as in validation, all go through that of ``tested``.
    """

    def __init__(self, norm: nn.Module, tested: str) -> None:
        super().__init__()
        self.norms = nn.ModuleDict({domain: copy.deepcopy(norm) for domain in DOMAINS})
        self.tested = tested
        self.domains: Sequence[str] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, ...) to the same shape."""
        if self.domains is None:
            out: Tensor = self.norms[self.tested](x)
            return out
        rows = {
            domain: torch.tensor([i for i, d in enumerate(self.domains) if d == domain])
            for domain in dict.fromkeys(self.domains)
        }
        parts = [self.norms[domain](x[where.to(x.device)]) for domain, where in rows.items()]
        order = torch.cat([*rows.values()]).argsort().to(x.device)
        return torch.cat(parts)[order]


def with_domain_norms(network: nn.Module, tested: str, processes: int = 1) -> None:
    """Put a ``DomainNorm`` in place of every batch norm of ``network``.

    Raises ConfigError where it has none, and for several processes, whose shares of a batch may
    differ in their domains.
    """
    if processes > 1:
        raise ConfigError(
            f"mixing.domain_batch_norm: expected training in one process, got {processes}"
        )
    names = [name for name, module in network.named_modules() if isinstance(module, _BatchNorm)]
    if not names:
        raise ConfigError(
            "mixing.domain_batch_norm: the network has no batch norm; set it to false"
        )
    for name in names:
        outer, _, last = name.rpartition(".")
        norm = DomainNorm(network.get_submodule(name), tested)
        setattr(network.get_submodule(outer), last, norm)


@contextmanager
def domains_told(network: nn.Module, domains: Sequence[str]) -> Iterator[None]:
    """While it is entered, the ``DomainNorm``s of ``network`` know the domain of each image."""
    norms = [module for module in network.modules() if isinstance(module, DomainNorm)]
    for norm in norms:
        norm.domains = domains
    try:
        yield
    finally:
        for norm in norms:
            norm.domains = None


def folded(state: Mapping[str, Tensor], tested: str) -> dict[str, Tensor]:
    """Weights of a network with ``DomainNorm``s as those of an ordinary one for ``tested``."""
    found = re.compile(rf"(^|\.)norms\.({'|'.join(DOMAINS)})\.")
    return {
        found.sub(r"\1", name): value
        for name, value in state.items()
        if (match := found.search(name)) is None or match[2] == tested
    }
