"""Training on several processes as if it were one: batch norm that sees the whole batch.

Gradients are averaged by torch's DistributedDataParallel; batch norm's statistics would be each
process's own. On GPUs torch's SyncBatchNorm takes them over all; it refuses the CPU, for which
``shared_statistics`` does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from timm.layers import convert_sync_batchnorm
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.overrides import TorchFunctionMode


def share_batch_norm(network: nn.Module, accelerator: Accelerator) -> nn.Module:
    """The network with batch norms that see the batches of all processes, on GPUs.

    Weights and their names stay.
    """
    if accelerator.num_processes == 1 or accelerator.device.type == "cpu":
        return network
    synced: nn.Module = convert_sync_batchnorm(network)
    return synced


def shared_statistics(accelerator: Accelerator) -> AbstractContextManager[Any]:
    """While it is entered, batch norm on the CPU sees the batches of all processes.

    Their parts of the batch have to be of equal size, as those of ``TrainingBatches`` are.
    """
    if accelerator.num_processes == 1 or accelerator.device.type != "cpu":
        return nullcontext()
    return _SharedStatistics(accelerator.num_processes)


class _SharedStatistics(TorchFunctionMode):
    """Calls ``_batch_norm`` for every ``torch.nn.functional.batch_norm`` that is trained."""

    def __init__(self, processes: int) -> None:
        super().__init__()
        self._processes = processes

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is not F.batch_norm:
            return func(*args, **(kwargs or {}))
        return _batch_norm(self._processes, *args, **(kwargs or {}))


def _batch_norm(
    processes: int,
    input: Tensor,  # the names of torch.nn.functional.batch_norm
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch norm of (n, c, ...) with the mean and variance of all processes' inputs."""
    if not training:
        return F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    values = input.float()
    others = [d for d in range(values.dim()) if d != 1]
    column = (1, -1, *[1] * (values.dim() - 2))
    mean = all_reduce(values.mean(others)) / processes
    centred = values - mean.view(column)
    variance = all_reduce(centred.square().mean(others)) / processes
    if running_mean is not None and running_var is not None:
        count = processes * values.numel() / values.shape[1]
        with torch.no_grad():
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * (count / (count - 1)), momentum)
    normal = centred * torch.rsqrt(variance + eps).view(column)
    if weight is not None:
        normal = normal * weight.view(column)
    if bias is not None:
        normal = normal + bias.view(column)
    return normal.to(input.dtype)
