"""Easy images first: how hard each is by what its labels tell, and which take part when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pamtri.errors import DataError
from pamtri.record import Record
from train.config import TrainConfig
from train.mixing_config import Difficulty
from train.sources import Sample

WEATHERS = ("dry", "wet", "dust", "snow", "rain", "fog")
"""From clear to hard to see through."""
_DARK_MAP = "night.exr"


class Curriculum:
    """Which images of each source take part at a step: its easiest ones, more and more of them."""

    def __init__(
        self, order: Mapping[str, NDArray[np.intp]], share: Callable[[int], float]
    ) -> None:
        """``order`` has the images of each source from easy to hard; one without has no order.

        ``share`` is the share that takes part in each step, 0..1.
        """
        self._order, self._share = order, share
        self._place = {source: np.argsort(order[source]) for source in order}

    def count(self, source: str, size: int, step: int) -> int:
        """How many of a source's ``size`` images take part."""
        if source not in self._order:
            return size
        return max(1, round(self._share(step) * size))

    def easiest(self, source: str, count: int) -> NDArray[np.intp]:
        """The ``count`` easiest images of a source."""
        return self._order[source][:count] if source in self._order else np.arange(count)

    def difficulty(self, drawn: Mapping[str, Sequence[int]]) -> float | None:
        """How hard images of sources are, in the mean: 0 the easiest of a source, 1 the hardest.

        None where none of them has an order.
        """
        places = [
            self._place[source][list(images)] / max(1, len(self._place[source]) - 1)
            for source, images in drawn.items()
            if source in self._place
        ]
        return float(np.concatenate(places).mean()) if places else None

    def easiest_of(
        self, source: str, images: Sequence[int], least: int, step: int
    ) -> Sequence[int]:
        """Those of ``images`` that take part: the easiest of them, ``least`` where there are."""
        if source not in self._order:
            return images
        count = max(least, round(self._share(step) * len(images)))
        place = self._place[source]
        return sorted(images, key=lambda image: place[image])[:count]


NO_CURRICULUM = Curriculum({}, lambda step: 1.0)


def curriculum_of(config: TrainConfig, training: Mapping[str, Sequence[Sample]]) -> Curriculum:
    """The curriculum that ``config`` asks for, of the images of each source.

    One by the loss lets all images take part. Raises DataError where labels do not tell enough.
    """
    asked = config.curriculum
    if asked is None or asked.by == "loss":
        return NO_CURRICULUM
    records = {name: [sample.record for sample in samples] for name, samples in training.items()}
    share, steps = asked.share, config.training.steps
    return Curriculum(from_easy_to_hard(records, asked.by), lambda step: share(step / steps))


def from_easy_to_hard(
    sources: Mapping[str, Sequence[Record]], by: Sequence[Difficulty]
) -> dict[str, NDArray[np.intp]]:
    """The images of each source in order: by the mean of their ranks in each of ``by``.

    A source that tells nothing of any keeps no order, and an image that does not tell stands in the
    middle. Raises DataError where no source tells of a kind.
    """
    orders, told = {}, set()
    for source, records in sources.items():
        ranks = []
        for kind in by:
            values = np.array([difficulty(record, kind) for record in records], dtype=float)
            if np.isfinite(values).any():
                told.add(kind)
                ranks.append(_ranks(values))
        if ranks:
            orders[source] = np.argsort(np.mean(ranks, axis=0), kind="stable")
    for kind in by:
        if kind not in told:
            raise DataError(f"curriculum.by: no image to train on tells of its '{kind}'")
    return orders


def difficulty(record: Record, kind: Difficulty) -> float:
    """How hard an image is in one respect, larger for harder; NaN where its labels do not tell."""
    scene = record.scene or {}
    match kind:
        case "occlusion":
            return np.nan if record.occlusion is None else record.occlusion
        case "truncation":
            return np.nan if record.truncation is None else record.truncation
        case "size":
            if record.box is None:
                return np.nan
            left, top, right, bottom = record.box
            return -float(np.hypot(right - left, bottom - top))
        case "weather":
            return _weather(scene.get("weather"))
        case "light":
            return _darkness(scene.get("light"))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks over 0..1, equals alike; 0.5 where a value is unknown."""
    ranks = np.full(len(values), 0.5)
    known = np.isfinite(values)
    ranks[known] = (rankdata(values[known]) - 0.5) / known.sum()
    return ranks


def _weather(weather: Mapping[str, Any] | None) -> float:
    """By what falls or hangs in the air, and the thicker the harder."""
    if weather is None:
        return np.nan
    kind = WEATHERS.index(weather["kind"])
    visibility = weather.get("visibility_m")
    return kind + (0.0 if visibility is None else 1 / (1 + visibility))


def _darkness(light: Mapping[str, Any] | None) -> float:
    """By how much of daylight is gone."""
    if light is None:
        return np.nan
    return 1.0 if light["hdri"] == _DARK_MAP else 1.0 - float(np.mean(light["dusk"]))
