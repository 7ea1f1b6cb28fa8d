"""Set up this checkout: ``.venv`` with the pinned packages, and a look at the system's libraries.

    python3 bootstrap.py                  # set up; does nothing when nothing changed
    python3 bootstrap.py --check          # look only: Python and shared libraries
    python3 bootstrap.py --apt-packages   # the Debian packages that Blender and EGL need

``make quickstart`` and ``make test`` run it first. It needs the standard library alone, and reads
on older Pythons too, so that those get a sentence instead of a traceback.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PYTHON = (3, 11)
DISK_GB = 15.0  # 7.5 installed; while installing also 3.6 of downloads, and as much in pip's cache

# Shared libraries that pip cannot bring, and the Debian package of each: what ldd does not find
# for Blender's bpy on a bare Debian 12, then what EGL needs to draw without a screen.
# Of several names any one will do: a GPU's own driver takes the place of Mesa's.
LIBRARIES = {
    ("libX11.so.6",): "libx11-6",
    ("libXext.so.6",): "libxext6",
    ("libXfixes.so.3",): "libxfixes3",
    ("libXi.so.6",): "libxi6",
    ("libXrender.so.1",): "libxrender1",
    ("libXt.so.6",): "libxt6",
    ("libSM.so.6",): "libsm6",
    ("libICE.so.6",): "libice6",
    ("libxkbcommon.so.0",): "libxkbcommon0",
    ("libGL.so.1",): "libgl1",
    ("libGLX.so.0",): "libglx0",
    ("libOpenGL.so.0",): "libopengl0",
    ("libEGL.so.1",): "libegl1",
    ("libEGL_mesa.so.0", "libEGL_nvidia.so.0"): "libegl-mesa0",
}

# What a failed pip says (tried in this order) and what it means to a person.
PIP_FAILURES = (
    (r"No space left on device", "the disk is full"),
    # pip takes a full disk for a broken connection, too.
    (r"incomplete-download", "a download broke off: check the network and the room on the disk"),
    (
        r"(command|directory:) '\S*(gcc|g\+\+|cc|c\+\+)'",
        "a package had to be compiled and there is no compiler "
        "(Debian: sudo apt-get install -y build-essential python3-dev)",
    ),
    (r"CERTIFICATE_VERIFY_FAILED", "the package index's certificate is not trusted here"),
    (
        r"NewConnectionError|NameResolutionError|ProxyError|ConnectTimeout|Read timed out"
        r"|Connection (refused|reset)",
        "the package index cannot be reached: check the network and pip's proxy settings",
    ),
    (
        r"No matching distribution|ResolutionImpossible",
        "the package index does not offer a pinned version for this machine "
        "(they are pinned for Linux on x86-64)",
    ),
)


class SetupError(Exception):
    """Something the user has to mend; the message is one plain sentence."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Set up the project's .venv.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="look only, install nothing")
    action.add_argument("--apt-packages", action="store_true", help="print the Debian packages")
    options = parser.parse_args(arguments)
    try:
        if options.apt_packages:
            print("\n".join(apt_packages()))
            return 0
        check_python()
        check_system()
        if not options.check:
            set_up(ROOT)
    except SetupError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: interrupted; run it again to finish", file=sys.stderr)
        return 130
    return 0


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Raise SetupError unless ``version`` is the one that bpy is made for."""
    if version[:2] != PYTHON:
        raise SetupError(
            f"Python {PYTHON[0]}.{PYTHON[1]} is needed (Blender's bpy is built for it alone), "
            f"this is Python {version[0]}.{version[1]} at {sys.executable}; "
            "install 3.11 and run: make PYTHON=/path/to/python3.11"
        )


def check_system() -> None:
    """Raise SetupError with one line to copy when Debian packages are missing."""
    missing = missing_packages()
    if missing:
        sudo = "" if os.geteuid() == 0 else "sudo "
        raise SetupError(
            "system packages are missing; install them and run the same command again:\n"
            f"{sudo}apt-get install -y {' '.join(missing)}"
        )


def missing_packages() -> list[str]:
    """The Debian packages whose library cannot be loaded, plus venv where Python lacks it."""
    missing = [package for names, package in LIBRARIES.items() if not any(map(_loads, names))]
    return _venv_package() + missing


def apt_packages() -> list[str]:
    """Every Debian package the project can need, plus venv where this Python lacks it."""
    return _venv_package() + list(LIBRARIES.values())


def _venv_package() -> list[str]:
    # Debian keeps ensurepip, without which venv fails, in a package of its own.
    missing = importlib.util.find_spec("ensurepip") is None
    return [f"python{PYTHON[0]}.{PYTHON[1]}-venv"] if missing else []


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def set_up(root: Path) -> None:
    """Make ``root/.venv`` hold what pyproject.toml and constraints.txt say.

    ``.venv/bootstrap-stamp`` tells what is installed: a place line and a content line once all is
    done, "installing" while it is not, so that a broken-off install starts afresh.
    A ``.venv`` made by hand has none and is installed into, not deleted.
    """
    venv, wanted = root / ".venv", stamp(root)
    file = venv / "bootstrap-stamp"
    found = file.read_text() if file.exists() else None
    python = venv / "bin" / "python"
    if found == wanted and python.exists():
        return
    if found is not None and found.split("\n")[0] != wanted.split("\n")[0]:
        shutil.rmtree(venv)
    if not python.exists():
        check_disk(root)
    venv.mkdir(exist_ok=True)
    file.write_text("installing\n")
    install(venv)
    file.write_text(wanted)


def stamp(root: Path) -> str:
    """What an install depends on: a line for Python and place, a line for the packages."""
    version = ".".join(map(str, sys.version_info[:3]))
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes() + b"\0")
    return f"Python {version} from {sys.base_prefix} in {root}\n{digest.hexdigest()}\n"


def check_disk(folder: Path) -> None:
    """Raise SetupError when ``folder``'s disk has less room than an install takes."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < DISK_GB:
        raise SetupError(
            f"{folder} has {free:.1f} GB of free disk and installing the packages takes "
            f"{DISK_GB:.0f} GB; make room or move the checkout"
        )


def install(venv: Path) -> None:
    """Create the environment and install the pinned packages into it."""
    log = venv / "bootstrap.log"
    print(f"Installing packages into {venv} (once, some minutes; log: {log})", flush=True)
    python = os.path.realpath(sys.executable)  # not the very .venv that may be active
    with log.open("w") as stream:
        created = subprocess.run([python, "-m", "venv", venv], stdout=stream, stderr=stream)
    if created.returncode:
        raise SetupError(f"the environment {venv} could not be created; see {log}")
    # The installer and the build tool are pinned too, so that next year's install is today's.
    run_pip(venv, log, "pip", "setuptools")
    run_pip(venv, log, "--no-build-isolation", "--editable", f"{venv.parent}[dev]")


def run_pip(venv: Path, log: Path, *arguments: str) -> None:
    """``pip install`` under the constraints; a failure is explained from what pip says."""
    scratch = venv / "tmp"  # gigabytes pass through here: not through a small /tmp
    scratch.mkdir(exist_ok=True)
    command = [str(venv / "bin" / "python"), "-m", "pip", "install"]
    command += ["--disable-pip-version-check", "--constraint", f"{venv.parent}/constraints.txt"]
    if not sys.stdout.isatty():
        command += ["--quiet", "--progress-bar=off"]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with log.open("a") as stream:
        pip = subprocess.run([*command, *arguments], stderr=stream, env=environment)
    shutil.rmtree(scratch, ignore_errors=True)
    if pip.returncode:
        reason = explain(log.read_text(errors="replace"))
        raise SetupError(f"pip could not install the packages: {reason}; see {log}")


def explain(log: str) -> str:
    """What a failed pip's log means, in words."""
    for pattern, meaning in PIP_FAILURES:
        if re.search(pattern, log):
            return meaning
    errors = re.findall(r"ERROR: (.+)", log)
    return errors[-1].strip().rstrip(".") if errors else "it does not say why"


if __name__ == "__main__":
    sys.exit(main())
