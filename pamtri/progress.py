"""The progress bar of every loop that a person waits for: count, rate and time left."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

_FORMAT = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}{postfix}]"
"""tqdm's own, but always images a second, also where they take longer than one."""


def say(text: str) -> None:
    """Print a line for the user without tearing a bar that is shown."""
    tqdm.write(text, file=sys.stderr)


def progress(
    total: int, label: str, unit: str = "image", initial: int = 0, disable: bool = False
) -> tqdm[Any]:
    """A bar for ``total`` steps; quiet (a line every ten seconds) where nobody watches.

    ``disable`` shows none, for all processes of a run but one.
    Use it as a context manager and call ``update(n)``.
    """
    watched = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=initial,
        desc=label,
        unit=unit,
        dynamic_ncols=watched,
        mininterval=0.2 if watched else 10.0,
        smoothing=0.1,
        bar_format=_FORMAT,
        disable=disable,
    )
