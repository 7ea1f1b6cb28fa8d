"""Command-line options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

config_argument = click.argument("config", type=click.Path(path_type=Path))

set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override one configuration value, as in --set camera.elevation_deg=10. Repeatable.",
)

output_option = click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write to; it is created.",
)

workers_option = click.option(
    "--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes."
)

resume_option = click.option("--resume", is_flag=True, help="Continue the run that --output holds.")
