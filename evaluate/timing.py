"""How long steps of a comparison take, and how long until all of them are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluate.config import Kind


def step_seconds(
    kind: Kind, timed: Mapping[Kind, Sequence[float]], expected: Mapping[Kind, float]
) -> float | None:
    """Seconds that a step of ``kind`` takes; None where nothing tells.

    Kinds that were timed take their mean; others their expectation times how much slower this
    machine was than expected so far.
    """
    if kind in timed:
        return sum(timed[kind]) / len(timed[kind])
    if kind not in expected:
        return None
    known = [other for other in timed if other in expected]
    took = sum(sum(timed[other]) for other in known)
    planned = sum(expected[other] * len(timed[other]) for other in known)
    return expected[kind] * (took / planned if planned else 1.0)


def seconds_until_done(
    left: Mapping[str, float], needs: Mapping[str, Sequence[str]], jobs: int
) -> float:
    """Seconds until all steps are done, ``jobs`` at a time, each when those it needs are done.

    ``left`` has each unfinished step's own seconds, in the order in which they are taken up.
    """
    now, waiting, ends = 0.0, list(left), dict[str, float]()
    while waiting or ends:
        unfinished = {*waiting, *ends}
        ready = [name for name in waiting if unfinished.isdisjoint(needs[name])]
        for name in ready[: jobs - len(ends)]:
            waiting.remove(name)
            ends[name] = now + left[name]
        first = min(ends, key=lambda name: ends[name])
        now = ends.pop(first)
    return now


def duration(seconds: float) -> str:
    """As in ``45 s``, ``4 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
