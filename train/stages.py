"""The stages of a run: when each begins and ends, its learning rate, and what is frozen in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from pamtri.config import nearest
from pamtri.errors import ConfigError
from train.config import TrainConfig, TrainingConfig
from train.mixing_config import RatioSchedule, Stage


@dataclass(frozen=True)
class Phase:
    """One stage of a run, in steps."""

    start: int
    stop: int
    ratio: float | str | RatioSchedule
    learning_rate: float
    frozen: tuple[str, ...]

    def progress(self, step: int) -> float:
        """How far the stage has come, 0..1."""
        return min(1.0, (step - self.start) / max(1, self.stop - self.start))


def phases_of(config: TrainConfig) -> tuple[Phase, ...]:
    """The stages of a run of ``config``, in order; one where it names none."""
    stages: Sequence[Stage] = config.stages or [Stage(share=1)]
    ends = [
        round(math.fsum(s.share for s in stages[: i + 1]) * config.training.steps)
        for i in range(len(stages))
    ]
    return tuple(
        Phase(
            start, stop, ratio, stage.learning_rate or config.training.learning_rate, stage.frozen
        )
        for start, stop, ratio, stage in zip(
            [0, *ends[:-1]], ends, config.ratios, stages, strict=True
        )
    )


def phase_at(phases: Sequence[Phase], step: int) -> Phase:
    """The stage that ``step`` falls in; the last one's for later steps."""
    return next((phase for phase in phases if step < phase.stop), phases[-1])


def learning_rate(step: int, config: TrainConfig) -> float:
    """The learning rate of a step: its stage's, warmed up and decayed over that stage."""
    phase = phase_at(phases_of(config), step)
    length = max(1, phase.stop - phase.start)
    of_stage = config.training.model_copy(update={"steps": length})
    return phase.learning_rate * learning_rate_factor(step - phase.start, of_stage)


def learning_rate_factor(step: int, training: TrainingConfig) -> float:
    """What the learning rate is multiplied by in ``step`` of a stage of ``training``, 0..1."""
    schedule = training.schedule
    if step < schedule.warmup_steps:
        return (step + 1) / (schedule.warmup_steps + 1)
    if schedule.kind == "steps":
        passed = sum(step >= share * training.steps for share in schedule.milestones)
        return float(0.1**passed)
    left = max(1, training.steps - schedule.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - schedule.warmup_steps) / left)))


def check_frozen(config: TrainConfig, network: nn.Module) -> None:
    """Raise ConfigError where a stage freezes what the network does not have."""
    names = [name for name, _ in network.named_modules() if name]
    for number, stage in enumerate(config.stages):
        for part in stage.frozen:
            if part not in names:
                raise ConfigError(
                    f"stages.{number}.frozen: the network has no part '{part}'"
                    f"{nearest(part, names)}"
                )


class Freezer:
    """Lets parts of a network rest."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._learning = [p for p in network.parameters() if p.requires_grad]

    def rest(self, parts: Sequence[str]) -> None:
        """Let all that could learn at first learn but ``parts``: their weights and statistics.

        After each call of ``train()``, which statistics would change by.
        """
        for parameter in self._learning:
            parameter.requires_grad_(True)
        for part in parts:
            self._network.get_submodule(part).requires_grad_(False).eval()
