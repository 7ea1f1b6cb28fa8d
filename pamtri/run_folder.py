"""The folder of one run: its resolved configuration, seed and commit, guarded against mix-ups."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

import pamtri
from pamtri.config import Config, dump_config, read_yaml
from pamtri.errors import UserError

CONFIG_FILE = "config.yaml"
RUN_FILE = "run.yaml"
_PART_SUFFIX = ".part"
_VERSIONED = ("numpy", "bpy", "torch", "torchvision", "timm", "trimesh")


def open_run_folder(folder: Path, stage: str, config: Config, resume: bool = False) -> None:
    """Claim ``folder`` for a run of ``stage``: write config.yaml and run.yaml there.

    Raises UserError when the folder holds a run with another configuration, or holds this one and
    ``resume`` is not asked for, or holds files that are no run's.
    """
    path = folder / CONFIG_FILE
    # Listed first: whoever claims the folder meanwhile writes the configuration before all else.
    foreign = folder.is_dir() and any(not _left_by_a_claim(f.name) for f in folder.iterdir())
    if path.exists():
        _refuse_other_config(folder, stage, config)
        if not resume:
            raise UserError(
                f"{folder}: already holds this run; continue it with --resume, or choose another "
                "--output"
            )
        return
    if folder.is_file():
        raise UserError(f"{folder}: is a file; choose another --output")
    if foreign:
        raise UserError(f"{folder}: is not empty and holds no run; choose another --output")
    folder.mkdir(parents=True, exist_ok=True)
    run = {"stage": stage, "seed": getattr(config, "seed", None), **provenance()}
    write_atomic(folder / RUN_FILE, yaml.safe_dump(run, sort_keys=False))
    write_atomic(path, dump_config(config))


def provenance() -> dict[str, Any]:
    """The commit and the versions of the packages that decide a result."""
    installed = {d.name.lower() for d in metadata.distributions()}
    return {
        "commit": _commit(),
        "versions": {
            "pamtri": pamtri.__version__,
            **{name: metadata.version(name) for name in _VERSIONED if name in installed},
        },
    }


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a crash leaves the old content or the new, never half.

    Nor do several processes, on several machines, that write it at once.
    """
    temporary = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}{_PART_SUFFIX}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def write_json(path: Path, content: Any) -> None:
    """Write plain data, whole or not at all; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(content, indent=1) + "\n")


def _left_by_a_claim(name: str) -> bool:
    """Whether a run that was stopped while it claimed its folder leaves a file of this name."""
    part = name.startswith((RUN_FILE, CONFIG_FILE)) and name.endswith(_PART_SUFFIX)
    return name == RUN_FILE or part


def _refuse_other_config(folder: Path, stage: str, config: Config) -> None:
    there = read_yaml(folder / CONFIG_FILE)
    run = read_yaml(folder / RUN_FILE) if (folder / RUN_FILE).exists() else {}
    if run.get("stage") != stage:
        raise UserError(f"{folder}: holds a run of '{run.get('stage')}', expected '{stage}'")
    key, old, new = _first_difference(there, yaml.safe_load(dump_config(config))) or ("", 0, 0)
    if key:
        raise UserError(
            f"{folder}: holds a run with another configuration ({key} is {old!r} there, {new!r} "
            "now); choose another --output"
        )


def _first_difference(old: Any, new: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The first key path at which two plain structures differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(n for n in new if n not in old)]:
            below = f"{key}.{name}" if key else str(name)
            found = _first_difference(old.get(name), new.get(name), below)
            if found:
                return found
        return None
    return None if old == new else (key or "the file", old, new)


def _commit() -> str | None:
    """The checkout's commit, with ``+`` when files differ from it; None outside a repository."""
    root = Path(pamtri.__file__).parent.parent
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "") or None
