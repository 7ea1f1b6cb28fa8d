"""``pamtri assets``: look at the vehicles that data sets are rendered from, bring in and give out."""

from __future__ import annotations

import click


@click.group()
def assets() -> None:
    """Preview, export, import and check vehicles."""
