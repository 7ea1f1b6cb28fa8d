"""Processes that render, and the parent's side of them: a dead one is replaced, nothing waits.

A worker renders and writes images one at a time and sends each record to the parent. It ends when
its pipe does, so killing the parent ends the workers too.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import cv2

from pamtri.errors import UserError
from pamtri.record import Record
from synth.config import SynthConfig
from synth.images import OpenRenderer, Renderer, render_image, write_image
from synth.sampling import sample_scene

ATTEMPTS = 2
"""A scene that fails this often is given up."""
_FALSE_STARTS = 2
"""So many processes in a row that die before they can work end the run."""
_IMAGES_A_PROCESS = 1000
"""Then another takes its place: Blender's memory grows by some 50 MB in that time, and a start
takes as long as a few images."""
_SECONDS_TO_FINISH = 5.0
"""What a worker may take to end its image when the run stops."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know; it is sent to each."""

    config: SynthConfig
    root: Path
    threads: int
    open_renderer: OpenRenderer


@dataclass(frozen=True)
class Done:
    """An image is on disk; its record is to be written."""

    index: int
    record: Record


@dataclass(frozen=True)
class Failed:
    """A scene could not be rendered."""

    index: int
    error: str


@dataclass(frozen=True)
class Ready:
    """The worker has started."""


@dataclass(frozen=True)
class Unable:
    """The worker cannot work at all: no renderer, or no place to write."""

    error: str


Message = Ready | Done | Failed | Unable


class _Worker:
    """The parent's side of one process."""

    def __init__(self, job: Job, slot: int) -> None:
        self.slot = slot
        """Its place in the crew, which decides on its GPU."""
        context = multiprocessing.get_context("spawn")  # Blender does not survive a fork
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, job, slot), daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe ends when the process does
        self.ready = False
        self.ended = 0
        """Images that it has made or failed to make."""
        self.indices: deque[int] = deque()
        """What it has to do; the first is under way once it is ready."""

    def receive(self) -> Message | None:
        """The next message; None when the process has died."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return None
        if isinstance(message, Ready):
            self.ready = True
        else:
            self.indices.popleft()
            self.ended += 1
        self.go_on()
        return message

    def go_on(self) -> None:
        """Tell a ready process its next index."""
        if self.ready and self.indices:
            with suppress(OSError):  # a dead process is noticed when its messages are read
                self.connection.send(self.indices[0])


def render_in_workers(
    groups: Iterable[Sequence[int]], job: Job, workers: int
) -> Iterator[Done | Failed]:
    """Render groups of indices, a group by one worker, and yield what became of each index.

    The images of one vehicle belong in a group, as a worker keeps the meshes it built.
    Raises UserError when the workers cannot start or cannot write.
    """
    waiting = deque(groups)
    attempts: Counter[int] = Counter()
    crew: list[_Worker] = []
    false_starts = 0
    try:
        while waiting or any(worker.indices for worker in crew):
            _employ(crew, waiting, job, workers)
            ready = wait([worker.connection for worker in crew])
            for worker in [w for w in crew if w.connection in ready]:
                message = worker.receive()
                if message is None:
                    crew.remove(worker)
                    false_starts += not worker.ready
                    message = _bury(worker, waiting, false_starts)
                if isinstance(message, Ready):
                    false_starts = 0
                if isinstance(message, Unable):
                    raise UserError(message.error)
                if isinstance(message, Failed):
                    attempts[message.index] += 1
                    if attempts[message.index] < ATTEMPTS:
                        waiting.append([message.index])
                        continue
                if isinstance(message, Done | Failed):
                    yield message
    finally:
        _dismiss(crew)


def _employ(crew: list[_Worker], waiting: deque[Sequence[int]], job: Job, workers: int) -> None:
    """Give every worker something to do, as long as there is something; replace the old."""
    for worker in [w for w in crew if w.ended >= _IMAGES_A_PROCESS and not w.indices]:
        crew.remove(worker)
        _dismiss([worker])
    while waiting and len(crew) < workers:
        slot = min(set(range(workers)) - {worker.slot for worker in crew})
        crew.append(_Worker(job, slot))
        crew[-1].indices.extend(waiting.popleft())
    for worker in crew:
        if waiting and not worker.indices:
            worker.indices.extend(waiting.popleft())
            worker.go_on()


def _bury(
    worker: _Worker, waiting: deque[Sequence[int]], false_starts: int
) -> Failed | Unable | None:
    """Take a dead worker's work back; the image it died of has failed."""
    code = worker.process.exitcode
    if not worker.ready:
        if false_starts < _FALSE_STARTS:
            waiting.appendleft(list(worker.indices))
            return None
        return Unable(
            f"a render process ended with exit code {code} before it could start; "
            "`pamtri doctor` tells what is missing"
        )
    if not worker.indices:
        return None
    died_of, *rest = worker.indices
    if rest:
        waiting.appendleft(rest)
    return Failed(died_of, f"the render process died with exit code {code}")


def _dismiss(crew: list[_Worker]) -> None:
    """End all workers, giving each the time to end its image."""
    for worker in crew:
        worker.connection.close()
    for worker in crew:
        worker.process.join(_SECONDS_TO_FINISH)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _work(connection: Connection, job: Job, slot: int) -> None:
    """A worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which decides
    cv2.setNumThreads(job.threads)
    _forget_blender()
    with suppress(EOFError, OSError):  # the parent is gone
        try:
            config = job.config
            renderer = job.open_renderer(config.renderer, job.threads, config.device, slot)
        except Exception as error:
            connection.send(Unable(f"the {job.config.renderer} renderer cannot start: {error}"))
            return
        connection.send(Ready())
        while True:
            connection.send(_render(connection.recv(), renderer, job))


def _forget_blender() -> None:
    """Leave out the folders that Blender has put on the path of a parent that loaded it, too.

    Blender cannot be loaded from there, and every start hands them down.
    """
    sys.path[:] = [folder for folder in sys.path if not Path(folder, "bpy_types.py").exists()]


def _render(index: int, renderer: Renderer, job: Job) -> Done | Failed | Unable:
    try:
        spec = sample_scene(job.config, job.config.seed, index)
        rendered = render_image(spec, renderer, job.config.labels)
    except Exception as error:
        return Failed(index, f"{type(error).__name__}: {error}")
    try:
        write_image(job.root, rendered)
    except OSError as error:
        return Unable(f"{job.root}: cannot be written: {error.strerror}; continue with --resume")
    return Done(index, rendered.record)
