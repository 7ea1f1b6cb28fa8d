"""Features of images from a network, made by ``pamtri predict features`` in its own process."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluate.runner import PAMTRI
from pamtri.errors import UserError
from pamtri.features import Features, read_features


def network_features(
    network: str,
    backbone: str | None,
    data: Path,
    layout: str | None,
    splits: Sequence[str],
    command: Sequence[str] = PAMTRI,
) -> Features:
    """Run ``network`` over the images of ``data``; see ``pamtri predict features --help``.

    Raises UserError when that fails; its own sentence stands on the terminal by then.
    """
    with TemporaryDirectory(prefix="pamtri-gap-") as folder:
        output = Path(folder) / "features.npz"
        arguments = ["predict", "features", network, str(data), "--output", str(output)]
        arguments += ["--backbone", backbone] if backbone else []
        arguments += ["--format", layout] if layout else []
        for split in splits:
            arguments += ["--split", split]
        done = subprocess.run([*command, *arguments], stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            raise UserError(f"{data}: no features could be made of its images with {network}")
        return read_features(output)
