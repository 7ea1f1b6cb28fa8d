"""What share of each batch comes from which source, and how many images exactly, step by step.

After any number of steps the draws of each source are its share of all draws so far, to within one
draw (half of one where there are two sources): every batch is as near to its shares as can be.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from train.config import TrainConfig
from train.mixing_config import BY_SIZE, DOMAINS, REAL, SYNTHETIC, RatioSchedule
from train.stages import phase_at, phases_of

_FINE = 1001
"""Points of a schedule that are looked at for its largest share."""


class Mix:
    """The sources of a run, and the share of each in every step; shares of a step add up to 1."""

    def __init__(
        self,
        sources: Sequence[str],
        shares: Callable[[int], Sequence[float]],
        most: Sequence[float],
    ) -> None:
        """``most`` is the largest share that each source ever has."""
        self.sources, self.shares, self.most = tuple(sources), shares, tuple(most)

    @classmethod
    def constant(cls, ratio: float) -> Mix:
        """One real and one synthetic source, or one of both where the synthetic ratio is 0 or 1."""
        shares = {REAL: 1 - ratio, SYNTHETIC: ratio}
        used = {name: share for name, share in shares.items() if share > 0}
        values = tuple(used.values())
        return cls(tuple(used), lambda step: values, values)


def mix_of(config: TrainConfig, sizes: Mapping[str, int]) -> Mix:
    """The mix that ``config`` asks for, of sources with ``sizes`` images."""
    names = [name for name in config.data.sources if domain_of(name) in config.domains]
    phases = phases_of(config)
    weights = {name: config.data.sources[name].weight for name in names}

    def at(ratio: float | str | RatioSchedule, progress: float) -> tuple[float, ...]:
        if ratio == BY_SIZE:
            parts = [weights[name] * sizes[name] for name in names]
        else:
            share = ratio.at(progress) if isinstance(ratio, RatioSchedule) else float(ratio)
            of_domain = {REAL: 1 - share, SYNTHETIC: share}
            among = {d: sum(w for n, w in weights.items() if domain_of(n) == d) for d in DOMAINS}
            parts = [
                of_domain[domain_of(name)] * weights[name] / among[domain_of(name)]
                for name in names
            ]
        total = sum(parts)
        return tuple(part / total for part in parts)

    @cache
    def shares(step: int) -> tuple[float, ...]:
        phase = phase_at(phases, step)
        return at(phase.ratio, phase.progress(step))

    seen = [at(ratio, i / (_FINE - 1)) for ratio in config.ratios for i in range(_FINE)]
    return Mix(names, shares, [max(column) for column in zip(*seen, strict=True)])


def domain_of(source: str) -> str:
    """``real`` or ``synthetic``, of a source's name."""
    return source.partition(".")[0]


class Apportioned:
    """Whole draws of each source of a mix, ``draws`` a step in all.

    Each draw goes to the source that is owed most: the last of them where several are.
    """

    def __init__(self, mix: Mix, draws: int) -> None:
        self._mix, self._draws = mix, draws
        self._owed = [0.0] * len(mix.sources)
        self._until = [(0,) * len(mix.sources)]

    def until(self, step: int) -> tuple[int, ...]:
        """The draws of each source in all steps before ``step``."""
        while len(self._until) <= step:
            self._extend()
        return self._until[step]

    def step_of(self, source: int, position: int) -> int:
        """The step in which the draw of a source (its place in the mix) with this number falls."""
        while self._until[-1][source] <= position:
            self._extend()
        return bisect.bisect_right(self._until, position, key=lambda draws: draws[source]) - 1

    def _extend(self) -> None:
        shares = self._mix.shares(len(self._until) - 1)
        owed = self._owed
        for i, share in enumerate(shares):
            owed[i] += share * self._draws
        counts = list(self._until[-1])
        for _ in range(self._draws):
            most = max(owed)
            chosen = len(owed) - 1 - owed[::-1].index(most)
            owed[chosen] -= 1
            counts[chosen] += 1
        self._until.append(tuple(counts))
