"""Renderers that worker processes can import: quick ones, and ones with accidents."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np


class Plain:
    """A picture that depends on the scene alone."""

    def __init__(self, name, threads, device, slot):
        self.threads = threads

    def render(self, spec, geometry):
        rng = np.random.default_rng([spec.seed, spec.index])
        return rng.integers(0, 256, (spec.camera.height, spec.camera.width, 3), dtype=np.uint8)


class FailsOnce(Plain):
    """Raises the first time it meets scene 1; the file that it is told by remembers."""

    def render(self, spec, geometry):
        memory = Path(os.environ["TEST_MEMORY"])
        if spec.index == 1 and not memory.exists():
            memory.touch()
            raise RuntimeError("a passing fault")
        return super().render(spec, geometry)


class FailsAlways(Plain):
    """Cannot render scene 1."""

    def render(self, spec, geometry):
        if spec.index == 1:
            raise RuntimeError("a mesh without faces")
        return super().render(spec, geometry)


class DiesOnce(Plain):
    """Is killed the first time it meets scene 1, as by the system when memory is short."""

    def render(self, spec, geometry):
        memory = Path(os.environ["TEST_MEMORY"])
        if spec.index == 1 and not memory.exists():
            memory.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().render(spec, geometry)


class DiesAlways(Plain):
    """Scene 1 kills its process."""

    def render(self, spec, geometry):
        if spec.index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().render(spec, geometry)


class NotesItsStart(Plain):
    """Writes down its process."""

    def __init__(self, *arguments):
        with Path(os.environ["TEST_MEMORY"]).open("a") as log:
            log.write(f"{os.getpid()}\n")
        super().__init__(*arguments)


class Logged(Plain):
    """Notes every scene that it begins, and leaves time to be interrupted."""

    def render(self, spec, geometry):
        with Path(os.environ["TEST_MEMORY"]).open("a") as log:
            log.write(f"{spec.index}\n")
        time.sleep(0.3)
        return super().render(spec, geometry)


class Absent(Plain):
    """Has no library to render with."""

    def __init__(self, *arguments):
        raise ImportError("libEGL.so.1 is missing")


class DiesAtStart(Plain):
    """Its library takes the process down."""

    def __init__(self, *arguments):
        os.kill(os.getpid(), signal.SIGSEGV)


class DiesAtFirstStart(Plain):
    """Is killed once before it can work."""

    def __init__(self, *arguments):
        memory = Path(os.environ["TEST_MEMORY"])
        if not memory.exists():
            memory.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        super().__init__(*arguments)


class FullDisk(Plain):
    """Renders for a folder that has meanwhile gone."""

    def render(self, spec, geometry):
        folder = Path(os.environ["TEST_MEMORY"])
        if spec.index == 1 and folder.exists():
            folder.rename(folder.with_name("gone"))
        return super().render(spec, geometry)
