"""Runs the steps of a comparison one after another, each in a process of its own.

A finished step leaves ``steps/<name>.json`` and never runs again; what a step prints goes to
``logs/<name>.log``. The folder is locked while a step runs, by the step itself too: a step that
outlives its killed parent keeps a second run away from its files.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import selectors
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from evaluate.config import Kind
from evaluate.plan import Step
from pamtri.errors import UserError
from pamtri.run_folder import write_atomic

PAMTRI = (sys.executable, "-m", "pamtri")
_QUIET_SECONDS = 15.0
_PATIENCE_SECONDS = 20.0
_LINE_ENDS = re.compile(rb"[\r\n]+")


class Runner:
    """Runs the steps of ``plan`` in ``folder`` and says where it is and how long is left.

    ``expected`` is the seconds that a kind of step may take, until one has been timed.
    """

    def __init__(
        self,
        folder: Path,
        plan: Sequence[Step],
        expected: Mapping[Kind, float],
        command: Sequence[str] = PAMTRI,
    ) -> None:
        self.folder = folder
        self.plan = tuple(plan)
        self._expected = expected
        self._command = tuple(command)

    def run(self, steps: Sequence[Step]) -> None:
        """Run those of ``steps`` (a part of the plan) that are not finished, in order.

        Raises UserError, with the log's path and its last line, when one fails; and when another
        process works in the folder.
        """
        with self._locked() as lock:
            for step in steps:
                number = self.plan.index(step) + 1
                place = f"[{number}/{len(self.plan)}] {step.title}"
                if self.seconds(step) is not None:
                    say(f"{place}: done before")
                    continue
                say(f"{place} ({self.time_left()})")
                self._run(step, lock)

    def seconds(self, step: Step) -> float | None:
        """How long a finished step took; None where it is not finished."""
        note = self._note(step)
        return float(note["seconds"]) if note.get("finished") else None

    def shell_line(self, step: Step) -> str:
        """The step as a person would type it."""
        return shlex.join(("pamtri", *step.arguments))

    def log(self, step: Step) -> Path:
        """Where the output of ``step`` goes."""
        return self.folder / "logs" / f"{step.name}.log"

    def time_left(self, spent: float = 0.0) -> str:
        """As in ``about 3 min left in all``; ``spent`` are seconds of the step that runs."""
        timed: dict[Kind, list[float]] = {}
        for path in sorted((self.folder / "steps").glob("*.json")):
            note = _read_note(path)
            if note.get("finished"):
                timed.setdefault(note["kind"], []).append(float(note["seconds"]))
        todo = [step.kind for step in self.plan if self.seconds(step) is None]
        left = seconds_left(todo, timed, self._expected, spent)
        return "time left unknown yet" if left is None else f"about {duration(left)} left in all"

    def _run(self, step: Step, lock: int) -> None:
        log = self.log(step)
        log.parent.mkdir(parents=True, exist_ok=True)
        if step.replaces is not None:
            shutil.rmtree(step.replaces, ignore_errors=True)
        resume = ("--resume",) if step.resumes is not None and step.resumes.exists() else ()
        before = float(self._note(step).get("seconds", 0.0))
        start = time.monotonic()
        status = -1
        try:
            with log.open("ab") as file:
                status = self._follow((*step.arguments, *resume), file, lock)
        finally:
            seconds = before + time.monotonic() - start
            self._write_note(step, seconds, finished=status == 0)
        if status != 0:
            raise UserError(
                f"'{step.title}' failed (exit status {status}): {_last_line(log)}; its log is "
                f"{log}, and the same command with --resume goes on from here"
            )
        say(f"    done in {duration(seconds)}")

    def _follow(self, arguments: Sequence[str], log: IO[bytes], lock: int) -> int:
        """Run one command to its end, its output into ``log`` and its last line on show."""
        log.write(f"$ {shlex.join(('pamtri', *arguments))}\n".encode())
        log.flush()
        process = subprocess.Popen(
            (*self._command, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        try:
            start, shown = time.monotonic(), _Line()
            for line in _lines_as_they_come(process.stdout, log):
                spent = time.monotonic() - start
                shown.show("    " + " | ".join(filter(None, (line, self.time_left(spent)))))
            shown.clear()
            return process.wait()
        except BaseException:
            _end(process)
            raise

    def _note(self, step: Step) -> dict[str, Any]:
        note = _read_note(self.folder / "steps" / f"{step.name}.json")
        if note and note["command"] != list(step.arguments):
            raise UserError(
                f"{self.folder}: '{step.title}' was begun there as another command; choose "
                "another --output"
            )
        return note

    def _write_note(self, step: Step, seconds: float, finished: bool) -> None:
        note = {
            "kind": step.kind,
            "command": list(step.arguments),
            "seconds": round(seconds, 2),
            "finished": finished,
        }
        path = self.folder / "steps" / f"{step.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(note, indent=1))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Hold the folder's lock; children inherit it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UserError(
                    f"{self.folder}: another run is at work there, or a step of a run that was "
                    "killed has not ended yet; wait for it or end it"
                ) from None
            yield file.fileno()


def seconds_left(
    todo: Sequence[Kind],
    timed: Mapping[Kind, Sequence[float]],
    expected: Mapping[Kind, float],
    spent: float = 0.0,
) -> float | None:
    """Seconds that steps of the kinds ``todo`` will take, ``spent`` of the first gone already.

    Kinds that were timed take their mean; others their expectation times how much slower this
    machine was than expected so far. None where a kind has neither.
    """
    known = [kind for kind in timed if kind in expected]
    took = sum(sum(timed[kind]) for kind in known)
    planned = sum(expected[kind] * len(timed[kind]) for kind in known)
    slowness = took / planned if planned else 1.0
    total = 0.0
    for number, kind in enumerate(todo):
        if kind in timed:
            seconds = sum(timed[kind]) / len(timed[kind])
        elif kind in expected:
            seconds = expected[kind] * slowness
        else:
            return None
        total += max(seconds - spent, 0.0) if number == 0 else seconds
    return total


def duration(seconds: float) -> str:
    """As in ``45 s``, ``4 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class _Line:
    """One line that is written over: live on a terminal, now and then elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = time.monotonic()

    def show(self, text: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()
        elif time.monotonic() - self._last > _QUIET_SECONDS:
            self._last = time.monotonic()
            say(text)

    def clear(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _lines_as_they_come(pipe: IO[bytes], log: IO[bytes]) -> Iterator[str]:
    """Copy ``pipe`` to ``log``; yield the newest line as it comes and once a second."""
    tail, newest = b"", ""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if selector.select(timeout=1.0):
                chunk = os.read(pipe.fileno(), 65536)
                if not chunk:
                    return
                log.write(chunk)
                log.flush()
                pieces = _LINE_ENDS.split(tail + chunk)
                tail = pieces[-1]
                whole = [piece for piece in pieces if piece.strip()]
                newest = whole[-1].decode(errors="replace").strip() if whole else newest
            yield newest


def _end(process: subprocess.Popen[bytes]) -> None:
    """A terminal's Ctrl-C reaches the child too: let it tidy up, then insist."""
    for ask in (lambda: None, process.terminate, process.kill):
        ask()
        try:
            process.wait(timeout=_PATIENCE_SECONDS)
            return
        except subprocess.TimeoutExpired:
            continue


def _last_line(log: Path) -> str:
    """The last thing that a failed command said, as a clause."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return "it said nothing" if last.startswith("$ ") else last.removeprefix("pamtri: ").rstrip(".")


def _read_note(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return note


def say(text: str) -> None:
    """A line for the person who waits, apart from what the command returns."""
    print(text, file=sys.stderr, flush=True)
