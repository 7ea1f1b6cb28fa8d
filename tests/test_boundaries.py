"""Who imports what: read from the source by import-linter, and seen when the code is run.

The linter sees imports that a run does not reach; a run sees what a third party's package drags in.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = {"synth", "train", "evaluate"}

# Package: what must stay out of the process when every module of it has been imported.
KEPT_OUT = {
    "pamtri": {"bpy", "torch", "pyrender", "render_assets"} | STAGES,
    "render_assets": {"bpy", "torch", "pyrender"} | STAGES,
    "synth": {"bpy", "torch", "pyrender", "train", "evaluate"},
    "train": {"bpy", "pyrender", "render_assets", "synth", "evaluate"},
    "evaluate": {"bpy", "torch", "pyrender", "render_assets", "synth", "train"},
}
# The modules that are there to import Blender or OpenGL.
LEFT_OUT = ("synth.blender", "synth.raster")

IMPORT_ALL = """
import importlib, json, pkgutil, sys
package, left_out = sys.argv[1], tuple(sys.argv[2:])
names = [package]
for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
    names.append(module.name)
names = [name for name in names if not name.startswith(left_out)]
for name in names:
    importlib.import_module(name)
print(json.dumps([names, sorted(sys.modules)]))
"""


def import_all(package: str, folder: Path = ROOT) -> tuple[list[str], set[str]]:
    """The package's modules, and every module in a process of its own that imported them."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, package, *LEFT_OUT],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    imported, loaded = json.loads(run.stdout.splitlines()[-1])
    return imported, set(loaded)


@pytest.mark.parametrize("package", KEPT_OUT)
def test_importing_every_module_loads_nothing_that_is_kept_out(package):
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / package).rglob("*.py")
    }
    imported, loaded = import_all(package)
    assert {name for name in modules if not name.startswith(LEFT_OUT)} <= set(imported)
    assert loaded & KEPT_OUT[package] == set()


def test_a_leak_through_another_package_is_seen(tmp_path):
    (tmp_path / "leaky").mkdir()
    (tmp_path / "leaky/__init__.py").touch()
    (tmp_path / "leaky/deep.py").write_text("import third_party\n")
    (tmp_path / "third_party.py").write_text("import bpy\n")
    (tmp_path / "bpy.py").touch()
    imported, loaded = import_all("leaky", tmp_path)
    assert imported == ["leaky", "leaky.deep"]
    assert "bpy" in loaded


def lint_imports(folder: Path) -> str:
    """What import-linter says of the packages in ``folder``, on lines that are not wrapped."""
    command = Path(sys.executable).with_name("lint-imports")
    environment = {"PYTHONPATH": str(folder), "COLUMNS": "200", "PATH": ""}
    run = subprocess.run(
        [command, "--no-cache"], capture_output=True, text=True, cwd=folder, env=environment
    )
    return run.stdout + run.stderr


OFFENCES = {
    "pamtri/low.py": "import render_assets",
    "render_assets/colour.py": "import torchvision",
    "synth/scene.py": "def later():\n    import torch",
    "synth/sampling.py": "import pyrender",
    "synth/blender/worker.py": "import bpy",  # allowed
    "synth/raster.py": "import pyrender",  # allowed
    "train/loop.py": "import bpy",
    "train/data.py": "import synth",
    "evaluate/report.py": "import render_assets.colour",
}


def test_the_linter_refuses_each_kind_of_offence(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in [*KEPT_OUT, "synth/blender"]:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    assert "5 kept, 0 broken" in lint_imports(tmp_path)

    for name, line in OFFENCES.items():
        (tmp_path / name).write_text(line + "\n")
    report = lint_imports(tmp_path)
    assert "0 kept, 5 broken" in report
    for chain in [
        "pamtri.low -> render_assets",
        "render_assets.colour -> torchvision",
        "synth.scene -> torch",
        "synth.sampling -> pyrender",
        "train.loop -> bpy",
        "train.data -> synth",
        "evaluate.report -> render_assets.colour",
    ]:
        assert chain in report
    assert "synth.blender.worker" not in report
    assert "synth.raster" not in report


def test_the_linter_keeps_this_checkout():
    assert ", 0 broken" in lint_imports(ROOT)
