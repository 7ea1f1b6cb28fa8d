"""Mesh files of every format, read in a process that may crash, hang or run out of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pamtri.checkout import ROOT
from pamtri.errors import DataError
from render_assets.imported.raw import RawMesh, load_raw

SUFFIXES = (".glb", ".gltf", ".obj", ".fbx", ".dae", ".blend", ".ply", ".stl")
LARGEST = 500_000_000
"""Bytes."""
TIME_LIMIT = 300.0
"""Seconds."""


def read_mesh_file(path: Path, time_limit: float = TIME_LIMIT) -> RawMesh:
    """The triangles and materials of a mesh file; nothing in it is executed.

    Raises DataError, in one sentence, for a file that is missing, too large, of another format,
    damaged, empty, or that takes longer than ``time_limit`` seconds.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path}: expected one of {', '.join(SUFFIXES)}, got '{path.suffix}'")
    size = path.stat().st_size
    if size > LARGEST:
        raise DataError(
            f"{path}: has {size / 1e6:,.0f} MB, expected at most {LARGEST / 1e6:,.0f} MB"
        )
    if not size:
        raise DataError(f"{path}: is empty")
    with tempfile.TemporaryDirectory(prefix="pamtri-mesh-") as name:
        folder = Path(name)
        _run_reader(path, folder, time_limit)
        return load_raw(folder, str(path))


def _run_reader(path: Path, folder: Path, time_limit: float) -> None:
    command = [sys.executable, "-m", "synth.blender.read_mesh", str(path.resolve()), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            timeout=time_limit,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"{path}: cannot be read within {time_limit:g} seconds") from None
    error = folder / "error.txt"
    if error.is_file():
        raise DataError(f"{path}: {error.read_text(encoding='utf-8')}")
    if not (folder / "mesh.json").is_file():
        raise DataError(
            f"{path}: is damaged: Blender's reader ended with exit code {done.returncode}"
        )
