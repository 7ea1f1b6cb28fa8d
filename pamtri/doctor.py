"""``pamtri doctor``: what works on this machine, and what to do about what does not.

Blender, OpenGL and torch are tried in processes of their own: nothing here imports them, and a
crash in one of them is a line of the table.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import click

from pamtri.checkout import ROOT, strangers

ADVICE_REINSTALL = "run: rm -r .venv && python3.11 bootstrap.py"
FREE_GB_NEEDED = 2.0  # the quickstart's renders, checkpoints and report, with room to spare
PROBE_SECONDS = 120

TRY_BLENDER = """
import bpy
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.render.resolution_x = scene.render.resolution_y = 16
bpy.ops.render.render()
cycles = bpy.context.preferences.addons["cycles"].preferences
cycles.refresh_devices()
devices = sorted({f"{device.name} ({device.type})" for device in cycles.devices})
print(f"bpy {bpy.app.version_string}, Cycles renders; devices: {', '.join(devices) or 'CPU'}")
"""

TRY_EGL = """
import numpy as np, pyrender, trimesh
triangle = trimesh.Trimesh([[-1, -1, -2], [1, -1, -2], [0, 1, -2]], [[0, 1, 2]])
scene = pyrender.Scene()
scene.add(pyrender.Mesh.from_trimesh(triangle))
scene.add(pyrender.PerspectiveCamera(np.pi / 2))
depth = pyrender.OffscreenRenderer(32, 32).render(scene, pyrender.RenderFlags.DEPTH_ONLY)
covered = np.mean(np.isclose(depth, 2, atol=1e-2))
if not 0.1 < covered < 0.15:  # the triangle fills an eighth of the picture
    raise SystemExit(f"a triangle that fills 12 % of the picture came out at {covered:.0%}")
print("pyrender draws without a screen")
"""

TRY_TORCH = """
import torch, torchvision
gpu = torch.cuda.is_available()
a = torch.eye(8, device="cuda" if gpu else "cpu")
assert torch.equal(a @ a, a)
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if gpu else []
print(f"torch {torch.__version__}, torchvision {torchvision.__version__};",
      "GPU: " + ", ".join(names) if gpu else f"no GPU, {torch.get_num_threads()} CPU threads")
"""


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was looked at, what was found, what to do about it."""

    state: Literal["OK", "NOTE", "PROBLEM"]
    subject: str
    found: str
    advice: str = ""


@click.command()
def doctor() -> None:
    """What works on this machine, and what to do about what does not.

    Ends with status 1 when something that the project needs does not work; takes about ten seconds.

    \b
    Examples:
      pamtri doctor
      pamtri doctor && make quickstart
    """
    broken = 0
    for finding in examine():
        broken += finding.state == "PROBLEM"
        colour = {"OK": "green", "NOTE": "yellow", "PROBLEM": "red"}[finding.state]
        state = click.style(f"{finding.state:<8}", fg=colour)
        click.echo(f"{state} {finding.subject:<17} {finding.found}")
        if finding.advice:
            click.echo(f"{'':<26} -> {finding.advice}")
    if broken:
        click.echo(f"{broken} problem{'s' * (broken > 1)} to mend.")
        sys.exit(1)
    click.echo("Everything that is needed works.")


def examine() -> Iterator[Finding]:
    """Look at one thing after another; every finding is given as soon as it is known."""
    yield check_python(sys.version_info[:3])
    yield check_checkout(strangers())
    yield check_packages(ROOT / "constraints.txt")
    yield check_libraries()
    yield try_out("Blender", TRY_BLENDER, ADVICE_REINSTALL)
    yield try_out("EGL", TRY_EGL, "install the GPU's driver, or: apt-get install libegl-mesa0")
    yield check_torch(driver=Path("/proc/driver/nvidia/version").exists())
    yield check_disk(Path.cwd())


def check_python(version: tuple[int, ...]) -> Finding:
    """Blender's bpy is built for one Python alone."""
    found = f"{'.'.join(map(str, version))} at {sys.executable}"
    if version[:2] == (3, 11):
        return Finding("OK", "Python", found)
    return Finding("PROBLEM", "Python", found, "Python 3.11 is needed; " + ADVICE_REINSTALL)


def check_checkout(strange: dict[str, Path | None]) -> Finding:
    """Every package of the project is imported from this checkout."""
    if not strange:
        return Finding("OK", "Checkout", f"all packages come from {ROOT}")
    found = "; ".join(f"{name} comes from {folder}" for name, folder in strange.items())
    return Finding("PROBLEM", "Checkout", found, "use the project's own .venv/bin/pamtri")


def check_packages(constraints: Path) -> Finding:
    """The installed packages are the pinned ones."""
    pins = re.findall(r"^([\w.-]+)==(\S+)$", constraints.read_text(), flags=re.MULTILINE)
    other = [
        f"{name} {_installed(name)} (pinned: {pinned})"
        for name, pinned in pins
        if _installed(name).partition("+")[0] != pinned
    ]
    if other:
        return Finding("NOTE", "Packages", ", ".join(other), "run: python3.11 bootstrap.py")
    return Finding("OK", "Packages", f"{len(pins)} at the versions that {constraints.name} pins")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def check_libraries() -> Finding:
    """The shared libraries that bootstrap.py looks for."""
    command = [sys.executable, str(ROOT / "bootstrap.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode == 0:
        return Finding("OK", "Shared libraries", "all found")
    *_, advice = run.stderr.strip().splitlines() or ["see bootstrap.py --check"]
    return Finding("PROBLEM", "Shared libraries", "some are missing", f"run: {advice}")


def check_torch(driver: bool) -> Finding:
    """Torch works; a GPU with a ``driver`` on this machine that torch cannot use gets a note."""
    finding = try_out("Torch", TRY_TORCH, ADVICE_REINSTALL)
    if driver and finding.state == "OK" and "no GPU" in finding.found:
        advice = "there is an NVIDIA driver, but torch cannot use it: it may be too old"
        return Finding("NOTE", "Torch", finding.found, advice)
    return finding


def check_disk(folder: Path) -> Finding:
    """There is room for a run in ``folder``."""
    free = shutil.disk_usage(folder).free / 1e9
    found = f"{free:.1f} GB free in {folder}"
    if free >= FREE_GB_NEEDED:
        return Finding("OK", "Disk", found)
    return Finding("PROBLEM", "Disk", found, f"make room: a run needs {FREE_GB_NEEDED:.0f} GB")


def try_out(subject: str, program: str, advice: str, seconds: float = PROBE_SECONDS) -> Finding:
    """Run a small Python program by itself; its last line of output is what was found."""
    environment = {**os.environ, "PYOPENGL_PLATFORM": "egl"}
    command = [sys.executable, "-P", "-c", program]  # -P: nothing from the current folder
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=environment
        )
    except subprocess.TimeoutExpired:
        return Finding("PROBLEM", subject, f"did not answer in {seconds:g} s", advice)
    lines = (run.stdout if run.returncode == 0 else run.stderr).strip().splitlines()
    if run.returncode == 0:
        return Finding("OK", subject, lines[-1])
    if run.returncode < 0:
        lines.append(f"crashed ({signal.Signals(-run.returncode).name})")
    return Finding("PROBLEM", subject, lines[-1] if lines else "failed without a word", advice)
