"""What happened during a run: ``history.jsonl`` for programs, TensorBoard for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from pamtri.run_folder import write_atomic

HISTORY = "history.jsonl"


class Means:
    """Means of values that come with weights, by name."""

    def __init__(self, sums: Mapping[str, Sequence[float]] | None = None) -> None:
        """From pairs of a weighted sum and the sum of the weights."""
        self._sums = {name: np.array(pair) for name, pair in (sums or {}).items()}

    def add(self, other: Means, weight: float = 1.0) -> None:
        """Take in the values of ``other``, their weights times ``weight``."""
        for name, pair in other._sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + weight * pair

    def __getitem__(self, name: str) -> float:
        total, weight = self._sums[name]
        return float(total / weight)

    def nested(self) -> dict[str, Any]:
        """Every mean that has a weight; ``a/b`` as ``b`` of a dictionary ``a``."""
        means: dict[str, Any] = {}
        for name, (_, weight) in self._sums.items():
            if weight > 0:
                outer, _, inner = name.partition("/")
                if inner:
                    means.setdefault(outer, {})[inner] = self[name]
                else:
                    means[name] = self[name]
        return means


class Drawn:
    """Which images of each source a run has trained on."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Images drawn, repetitions included."""
        self._images: dict[str, set[int]] = {}

    def add(self, drawn: Mapping[str, Sequence[int]]) -> None:
        """Take in the images of a step: their indices in their source."""
        for source, images in drawn.items():
            self.counts[source] = self.counts.get(source, 0) + len(images)
            self._images.setdefault(source, set()).update(images)

    @property
    def unique(self) -> dict[str, int]:
        """How many different images that were."""
        return {source: len(images) for source, images in self._images.items()}


class History:
    """Writes the lines of one run; only the main process's history writes anything.

    A line is ``{"step", "kind": "train" | "val", ...values}``; training lines hold means since the
    line before (``loss_by_domain`` has the loss of real and of synthetic images, where the task
    tells; ``difficulty`` is that of the images drawn, 0..1, where a curriculum orders them) and, in
    ``drawn`` and ``unique``, how many images were drawn from each source since the start, and how
    many different ones.
    """

    def __init__(self, folder: Path, is_main: bool) -> None:
        self._folder, self._is_main = folder, is_main
        self._collected = Means()
        self._board: SummaryWriter | None = None

    def open(self, step: int) -> None:
        """Continue after ``step``: forget what was written of later steps."""
        if not self._is_main:
            return
        path = self._folder / HISTORY
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [
                line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step
            ]
            write_atomic(path, "".join(kept))
        self._board = SummaryWriter(str(self._folder / "tensorboard"), purge_step=step + 1)

    def collect(self, means: Means) -> None:
        """Remember one step's values for the next ``write_mean``."""
        self._collected.add(means)

    def write_mean(self, step: int, extra: Mapping[str, float], drawn: Drawn) -> None:
        """Write a training line: the means of what was collected."""
        means, self._collected = self._collected.nested(), Means()
        self.write(
            "train", step, {**means, **extra, "drawn": dict(drawn.counts), "unique": drawn.unique}
        )

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Write one line."""
        if self._board is None:
            return
        line = json.dumps({"step": step, "kind": kind, **values})
        with (self._folder / HISTORY).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for name, value in values.items():
            if isinstance(value, dict):
                for part, number in value.items():
                    self._board.add_scalar(f"{kind}/{name}/{part}", number, step)
            else:
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Flush what TensorBoard has not written yet."""
        if self._board is not None:
            self._board.close()
