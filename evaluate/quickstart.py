"""The whole road in minutes: render both data sets, convert, read, train, compare, report.

The "real" data set of the quickstart is a rendered stand-in (other vehicles, fixed traffic cameras,
low resolution). It is converted to VeRi's layout and read from there, as a user's own VeRi is; its
keypoints, which VeRi's layout does not hold, lie beside it in PAMTRI's pose CSV.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from evaluate.compare import Comparison, run_comparison
from evaluate.config import CompareConfig
from evaluate.plan import Step, render_arguments
from evaluate.runner import PAMTRI
from pamtri.config import load_config
from pamtri.errors import UserError
from pamtri.run_folder import CONFIG_FILE, RUN_FILE

CONFIG = Path("configs/compare/quickstart.yaml")
STAND_IN = Path("configs/synth/quickstart_real.yaml")


def run_quickstart(
    folder: Path, fresh: bool = False, command: Sequence[str] = PAMTRI, config: Path = CONFIG
) -> Comparison:
    """Do, or finish, the quickstart in ``folder``; ``fresh`` removes an earlier one first."""
    if fresh:
        remove_run(folder)
    veri, pose = folder / "data" / "veri", folder / "data" / "veri_pose"
    overrides = [f"real.root={json.dumps(str(veri))}", f"real.pose.root={json.dumps(str(pose))}"]
    settings = load_config(config, CompareConfig, overrides)
    return run_comparison(
        settings,
        folder,
        f"pamtri quickstart --output {folder} --fresh",
        resume=True,
        preparation=_preparation(folder, settings.synthetic.workers),
        command=command,
    )


def remove_run(folder: Path) -> None:
    """Remove a comparison's folder. Raises UserError when it holds anything else."""
    if not folder.exists():
        return
    run = folder / RUN_FILE
    stage = yaml.safe_load(run.read_text(encoding="utf-8")).get("stage") if run.exists() else None
    if stage != "compare" or not (folder / CONFIG_FILE).exists():
        raise UserError(f"{folder}: holds no quickstart, so it is not removed")
    shutil.rmtree(folder)


def _preparation(folder: Path, workers: int) -> tuple[Step, ...]:
    """The steps that make the stand-in and bring it into the layouts that real data has."""
    stand_in = folder / "data" / "stand_in"
    render = Step(
        "stand-in",
        "render",
        "Render the stand-in for real images",
        render_arguments(STAND_IN, stand_in, workers),
        resumes=stand_in,
    )
    return (
        render,
        _convert(stand_in, folder / "data" / "veri", "veri"),
        _convert(stand_in, folder / "data" / "veri_pose", "pamtri_pose"),
    )


def _convert(source: Path, target: Path, layout: str) -> Step:
    return Step(
        f"convert-{layout.replace('_', '-')}",
        "convert",
        f"Convert it to the layout '{layout}'",
        ("dataset", "convert", str(source), "--to", layout, "--output", str(target)),
        replaces=target,
    )
