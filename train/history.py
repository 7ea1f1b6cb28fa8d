"""What happened during a run: ``history.jsonl`` for programs, TensorBoard for people."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from pamtri.run_folder import write_atomic

HISTORY = "history.jsonl"


class History:
    """Writes the lines of one run; only the main process's history writes anything.

    A line is ``{"step", "kind": "train" | "val", ...values}``; training lines hold means since the
    line before and, in ``drawn``, the images drawn from each source since the start.
    """

    def __init__(self, folder: Path, is_main: bool) -> None:
        self._folder, self._is_main = folder, is_main
        self._collected: dict[str, list[float]] = defaultdict(list)
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

    def collect(self, values: Mapping[str, float]) -> None:
        """Remember one step's values for the next ``write_mean``."""
        for name, value in values.items():
            self._collected[name].append(value)

    def write_mean(self, step: int, extra: Mapping[str, float], drawn: Mapping[str, int]) -> None:
        """Write a training line: the means of what was collected."""
        means = {name: sum(values) / len(values) for name, values in self._collected.items()}
        self._collected.clear()
        self.write("train", step, {**means, **extra, "drawn": dict(drawn)})

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
