"""Runs the steps of a comparison, each in a process of its own: one after another, or some at once.

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
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from evaluate.config import Kind
from evaluate.plan import Step
from evaluate.timing import duration, seconds_until_done, step_seconds
from pamtri.errors import UserError
from pamtri.run_folder import write_atomic

PAMTRI = (sys.executable, "-m", "pamtri")
_QUIET_SECONDS = 15.0
_LIVE_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0
_LINE_ENDS = re.compile(rb"[\r\n]+")


class _StoppedError(Exception):
    """A step was ended because another failed, or the whole run is interrupted."""


class Runner:
    """Runs the steps of ``plan`` in ``folder`` and says where it is and how long is left.

    ``expected`` is the seconds that a kind of step may take, until one has been timed. ``jobs``
    steps run at once, on the GPUs by turns, with a share of the processors each; what each of them
    does is the same as one by one, but for what rounding owes to the number of threads.
    """

    def __init__(
        self,
        folder: Path,
        plan: Sequence[Step],
        expected: Mapping[Kind, float],
        command: Sequence[str] = PAMTRI,
        jobs: int = 1,
    ) -> None:
        self.folder = folder
        self.plan = tuple(plan)
        self.jobs = jobs
        self._expected = expected
        self._command = tuple(command)
        self._gpus = gpus() if jobs > 1 else []
        self._since: dict[str, float] = {}
        self._line = _Line()
        self._stop: str | None = None

    def run(self, steps: Sequence[Step]) -> None:
        """Run those of ``steps`` (a part of the plan) that are not finished.

        They are taken up in order, each as soon as those that it needs are done. Raises UserError,
        with the log's path and its last line, when one fails, after it has ended the others; and
        when another process works in the folder.
        """
        with self._locked() as lock, ThreadPoolExecutor(self.jobs) as pool:
            waiting = [step for step in steps if not self._done_before(step)]
            try:
                self._work_off(waiting, pool, lock)
            except BaseException as error:
                # Whoever pressed Ctrl-C stopped the other steps with it.
                self._stop = "failed" if isinstance(error, Exception) else "interrupted"
                raise

    def seconds(self, step: Step) -> float | None:
        """How long a finished step took; None where it is not finished."""
        note = self._note(step)
        return float(note["seconds"]) if note.get("finished") else None

    def shell_line(self, step: Step, go_on: bool = False) -> str:
        """The step as a person would type it, to ``go_on`` with what an unfinished try left."""
        resume = self._resume(step) if go_on else ()
        return shlex.join(("pamtri", *step.arguments, *resume))

    def log(self, step: Step) -> Path:
        """Where the output of ``step`` goes."""
        return self.folder / "logs" / f"{step.name}.log"

    def estimates(self) -> dict[Kind, float | None]:
        """Seconds that a step of each kind of the plan takes; None where nothing tells."""
        timed: dict[Kind, list[float]] = {}
        for path in sorted((self.folder / "steps").glob("*.json")):
            note = _read_note(path)
            if note.get("finished"):
                timed.setdefault(note["kind"], []).append(float(note["seconds"]))
        kinds = dict.fromkeys(step.kind for step in self.plan)
        return {kind: step_seconds(kind, timed, self._expected) for kind in kinds}

    def time_left(self) -> str:
        """As in ``about 3 min left in all``."""
        now, each, left = time.monotonic(), self.estimates(), {}
        for step in self.plan:
            if self.seconds(step) is None:
                seconds = each[step.kind]
                if seconds is None:
                    return "time left unknown yet"
                left[step.name] = max(0.0, seconds - (now - self._since.get(step.name, now)))
        needs = {step.name: step.needs for step in self.plan}
        return f"about {duration(seconds_until_done(left, needs, self.jobs))} left in all"

    def _done_before(self, step: Step) -> bool:
        done = self.seconds(step) is not None
        if done:
            say(f"{self._place(step)}: done before")
        return done

    def _place(self, step: Step) -> str:
        return f"[{self.plan.index(step) + 1}/{len(self.plan)}] {step.title}"

    def _work_off(self, waiting: list[Step], pool: ThreadPoolExecutor, lock: int) -> None:
        """Run all of ``waiting``, as many at a time as there are places."""
        places = list(range(self.jobs))
        running: dict[Future[None], tuple[Step, int]] = {}
        while waiting or running:
            unfinished = {step.name for step in [*waiting, *(s for s, _ in running.values())]}
            ready = [step for step in waiting if unfinished.isdisjoint(step.needs)]
            for step in ready[: len(places)]:
                waiting.remove(step)
                place = places.pop(0)
                self._line.say(f"{self._place(step)} ({self.time_left()})")
                self._since[step.name] = time.monotonic()
                running[pool.submit(self._run, step, lock, place)] = (step, place)
            for ended in wait(running, return_when=FIRST_COMPLETED).done:
                places = sorted([*places, running.pop(ended)[1]])
                ended.result()

    def _run(self, step: Step, lock: int, place: int) -> None:
        log = self.log(step)
        log.parent.mkdir(parents=True, exist_ok=True)
        if step.replaces is not None:
            shutil.rmtree(step.replaces, ignore_errors=True)
        arguments = (*step.arguments, *self._resume(step))
        before = float(self._note(step).get("seconds", 0.0))
        start = time.monotonic()
        status = -1
        try:
            with log.open("ab") as file:
                status = self._follow(step, arguments, file, lock, place)
        finally:
            seconds = before + time.monotonic() - start
            self._write_note(step, seconds, finished=status == 0)
        if status != 0:
            raise UserError(
                f"'{step.title}' failed (exit status {status}): {_last_line(log)}; its log is "
                f"{log}, and the same command with --resume goes on from here"
            )
        what = f"{self._place(step)}: " if self.jobs > 1 else "    "
        self._line.say(f"{what}done in {duration(seconds)}")

    def _follow(
        self, step: Step, arguments: Sequence[str], log: IO[bytes], lock: int, place: int
    ) -> int:
        """Run one command to its end, its output into ``log`` and its last line on show."""
        log.write(f"$ {shlex.join(('pamtri', *arguments))}\n".encode())
        log.flush()
        process = subprocess.Popen(
            (*self._command, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            env={
                **self._threads(),
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                **self._device(step, place),
            },
        )
        assert process.stdout is not None
        try:
            for line in _lines_as_they_come(process.stdout, log):
                if self._stop is not None:
                    raise _StoppedError
                self._line.show(partial(self._shown, step, line))
            self._line.clear()
            return process.wait()
        except BaseException:
            _end(process, at_once=self._stop != "interrupted")
            raise

    def _shown(self, step: Step, line: str) -> str:
        told = " | ".join(filter(None, (line, self.time_left())))
        return f"{step.title}: {told}" if self.jobs > 1 else f"    {told}"

    def _threads(self) -> dict[str, str]:
        """A share of the processors: threads that wait for each other's cost several times that."""
        share = max(1, len(os.sched_getaffinity(0)) // self.jobs)
        return {"OMP_NUM_THREADS": str(share)} if self.jobs > 1 else {}

    def _device(self, step: Step, place: int) -> dict[str, str]:
        """The GPU of a place; a rendering shares all of them out by itself."""
        if not self._gpus or step.kind == "render":
            return {}
        return {"CUDA_VISIBLE_DEVICES": self._gpus[place % len(self._gpus)]}

    def _resume(self, step: Step) -> tuple[str, ...]:
        return ("--resume",) if step.resumes is not None and step.resumes.exists() else ()

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


def gpus() -> list[str]:
    """The GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout
    except OSError:
        return []
    return [str(i) for i in range(sum(line.startswith("GPU ") for line in listed.splitlines()))]


class _Line:
    """One line that is written over: live on a terminal, now and then elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = time.monotonic()
        self._alone = threading.Lock()

    def show(self, text: Callable[[], str]) -> None:
        """Show ``text``, which is made only if its turn has come."""
        with self._alone:
            now = time.monotonic()
            if now - self._last < (_LIVE_SECONDS if self._live else _QUIET_SECONDS):
                return
            self._last = now
            if self._live:
                width = shutil.get_terminal_size().columns - 1
                sys.stderr.write(f"\r\x1b[K{text()[:width]}")
                sys.stderr.flush()
            else:
                say(text())

    def say(self, text: str) -> None:
        """Say ``text`` in its place, to stay."""
        with self._alone:
            self.clear()
            say(text)

    def clear(self) -> None:
        """Leave nothing of it."""
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


def _end(process: subprocess.Popen[bytes], at_once: bool) -> None:
    """End a child. A terminal's Ctrl-C reaches it too: let it tidy up, then insist."""
    asks = (process.terminate, process.kill)
    for ask in asks if at_once else (lambda: None, *asks):
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
