"""From planned draws to batches of tensors, in the training process or in workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from pamtri.errors import ConfigError
from train.draws import Draw, Plan
from train.mixing import domain_of

Item = dict[str, Any]
"""One image's arrays, by name."""
T = TypeVar("T")
Blend = Callable[[list[Item], list[np.random.Generator]], list[Item]]
"""Changes the items of a batch, with a generator for each."""
_AUGMENT, _BLEND = 5, 6  # streams of random numbers


class TrainingBatches(Dataset[Item]):
    """Item ``step`` is the batch of that step, or this process's share of it.

    ``load(draw, rng)`` makes one image's arrays. The generator depends on (seed, step, place in
    the batch) alone. Every batch also has ``domain``, that of each image as the configuration has
    it, whatever its record says; ``drawn``, the images that all processes draw of each
    source, by their index in it, and, where a curriculum orders them, their mean ``difficulty``.
    """

    def __init__(
        self,
        plan: Plan,
        load: Callable[[Draw, np.random.Generator], Item],
        seed: int,
        rank: int = 0,
        processes: int = 1,
        blend: Blend | None = None,
    ) -> None:
        """``blend`` changes what was loaded of a batch, this process's share of it, as a whole."""
        self._plan, self._load, self._seed = plan, load, seed
        self._rank, self._processes, self._blend = rank, processes, blend

    def __getitem__(self, step: int) -> Item:
        draws = self._plan.batch(step)
        groups = len(draws) // self._plan.group
        if groups % self._processes:
            raise ConfigError(
                f"training: a batch of {groups} cannot be shared by {self._processes} processes"
            )
        mine = {
            place: draw
            for place, draw in enumerate(draws)
            if place // (len(draws) // self._processes) == self._rank
        }
        items = [
            {
                **self._load(draw, np.random.default_rng([self._seed, _AUGMENT, step, place])),
                "domain": domain_of(draw.source),
            }
            for place, draw in mine.items()
        ]
        if self._blend is not None:
            generators = [np.random.default_rng([self._seed, _BLEND, step, p]) for p in mine]
            items = self._blend(items, generators)
        drawn = drawn_of(draws)
        hard = self._plan.curriculum.difficulty(drawn)
        return {
            **default_collate(items),
            "drawn": drawn,
            **({} if hard is None else {"difficulty": hard}),
        }

    def drawn(self, step: int) -> dict[str, list[int]]:
        """What ``drawn`` of the batch of a step is, without loading it."""
        return drawn_of(self._plan.batch(step))

    def loader(self, start: int, stop: int, workers: int) -> DataLoader[Item]:
        """The batches of steps ``start`` to ``stop``, in order."""
        return _loader(self, range(start, stop), workers)


def drawn_of(draws: Sequence[Draw]) -> dict[str, list[int]]:
    """The indices of the images that are drawn of each source."""
    drawn: dict[str, list[int]] = defaultdict(list)
    for draw in draws:
        drawn[draw.source].append(draw.index)
    return dict(drawn)


class InOrder(Dataset[Item], Generic[T]):
    """Item ``i`` is the ``i``-th batch of consecutive ``samples``."""

    def __init__(self, samples: Sequence[T], load: Callable[[T], Item], batch_size: int) -> None:
        self._samples, self._load, self._batch_size = samples, load, batch_size

    def __len__(self) -> int:
        return -(-len(self._samples) // self._batch_size)

    def __getitem__(self, index: int) -> Item:
        start = index * self._batch_size
        samples = self._samples[start : start + self._batch_size]
        batch: Item = default_collate([self._load(s) for s in samples])
        return batch

    def loader(self, workers: int = 0) -> DataLoader[Item]:
        """All batches, in order."""
        return _loader(self, range(len(self)), workers)


def to_device(batches: DataLoader[Item], device: torch.device) -> Iterator[Item]:
    """The batches with their tensors on ``device``, images with their channels last."""
    for batch in batches:
        moved = {
            name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
            for name, value in batch.items()
        }
        moved["image"] = moved["image"].contiguous(memory_format=torch.channels_last)
        yield moved


def _loader(dataset: Dataset[Item], order: range, workers: int) -> DataLoader[Item]:
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=order,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        # The loader draws a base seed: from here, so that nobody's generator is touched.
        generator=torch.Generator(),
    )
