"""What a render run left in its folder: its configuration, and the scene of each image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pamtri.config import explain_error, load_config, read_yaml
from pamtri.dataset import read_native
from pamtri.errors import DataError
from pamtri.run_folder import CONFIG_FILE, RUN_FILE
from synth.config import SynthConfig
from synth.run import FAILURES_FILE
from synth.scene import SceneSpec


def stored_config(root: Path) -> SynthConfig:
    """The configuration that the run in ``root`` was started with.

    Raises DataError when ``root`` holds no run of ``pamtri synth render``.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    if not (root / CONFIG_FILE).is_file() or not (root / RUN_FILE).is_file():
        raise DataError(
            f"{root}: holds no {CONFIG_FILE} and {RUN_FILE}, so `pamtri synth render` did not "
            "begin a data set there"
        )
    stage = read_yaml(root / RUN_FILE).get("stage")
    if stage != "synth":
        raise DataError(f"{root}: holds a run of '{stage}', expected 'synth'")
    return load_config(root / CONFIG_FILE, SynthConfig)


def stored_scene(root: Path, index: int) -> SceneSpec:
    """The scene of image ``index`` as its record has it, or the list of failures.

    Raises DataError when neither has it, or what they have is no scene of this version.
    """
    scene = next((r.scene for r in read_native(root).records if r.frame == index), None)
    if scene is None:
        scene = next((f["spec"] for f in stored_failures(root) if f["index"] == index), None)
    if scene is None:
        raise DataError(f"{root}: has neither a record nor a failure of image {index}")
    return parse_scene(scene, f"{root}, image {index}")


def stored_failures(root: Path) -> list[dict[str, Any]]:
    """The lines of all lists of failures in ``root``, each with ``index``, ``error``, ``spec``."""
    return [
        json.loads(line)
        for path in sorted(root.glob(f"*{FAILURES_FILE}"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def parse_scene(scene: dict[str, Any], where: str) -> SceneSpec:
    """The description in a record. Raises DataError naming ``where`` and what is wrong with it."""
    try:
        return SceneSpec.model_validate_json(json.dumps(scene))
    except ValidationError as error:
        raise DataError(f"{where}: scene: {explain_error(error.errors()[0], SceneSpec)}") from None
