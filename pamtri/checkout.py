"""Where this project lives on disk, and whether its packages are the ones that get imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pamtri

ROOT = Path(pamtri.__file__).resolve().parent.parent
PACKAGES = ("pamtri", "render_assets", "synth", "train", "evaluate")


def strangers() -> dict[str, Path | None]:
    """The packages that Python would not take from this checkout, and where it finds them.

    ``train`` and ``evaluate`` are also names on PyPI; None stands for a package that is missing.
    """
    found = {name: _folder_of(name) for name in PACKAGES}
    return {name: folder for name, folder in found.items() if folder != ROOT}


def _folder_of(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
