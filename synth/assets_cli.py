"""``pamtri assets``: look at the vehicles, bring them in and give them out."""

from __future__ import annotations

import click


@click.group()
def assets() -> None:
    """Preview, export, import and check vehicles."""
