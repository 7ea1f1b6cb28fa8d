"""Identities x images x cameras as the configuration counts them, and splits that part identities.

Counted here from the records, without ``synth.sampling``, which plans them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from pamtri.check import Problem
from pamtri.record import Record
from synth.config import SynthConfig


def check_coverage(config: SynthConfig, records: Sequence[Record]) -> Iterator[Problem]:
    """Identities with too few images, unevenly seen by the fixed cameras, or in two splits."""
    by_identity: dict[int | None, list[Record]] = defaultdict(list)
    for record in records:
        by_identity[record.identity].append(record)
    wanted = range(config.identity_offset, config.identity_offset + config.identities)
    for identity in [*wanted, *(i for i in by_identity if i is None or i not in wanted)]:
        found = by_identity.get(identity, [])
        name = f"identity {identity}"
        expected = config.images_per_identity if identity in wanted else 0
        if len(found) != expected:
            yield Problem("coverage", name, f"has {len(found)} images, expected {expected}")
        elif identity in wanted:
            yield from _cameras(config, name, found)
        parts = sorted({"test" if r.split in ("query", "gallery") else str(r.split) for r in found})
        if len(parts) > 1:
            yield Problem("identity in two splits", name, f"is in {' and '.join(parts)}")


def _cameras(config: SynthConfig, name: str, records: Sequence[Record]) -> Iterator[Problem]:
    """Every camera has its turn before one has another."""
    ids: list[int | None] = [camera.id for camera in config.fixed_cameras] or [None]
    seen = Counter(record.camera for record in records)
    least, left_over = divmod(len(records), len(ids))
    most = least + bool(left_over)
    for id in [*ids, *(i for i in seen if i not in ids)]:
        low, high = (least, most) if id in ids else (0, 0)
        if not low <= seen[id] <= high:
            expected = f"{low}" if low == high else f"{low} or {high}"
            text = f"is seen {seen[id]} times by camera {id}, expected {expected}"
            yield Problem("camera coverage", name, text)
