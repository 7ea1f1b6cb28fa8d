"""``pamtri synth``: render data sets, and look at what would be or has been rendered.

What works on a rendered data set is in ``synth.rendered_cli``.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pamtri.errors import UserError
from pamtri.options import (
    config_argument,
    output_option,
    resume_option,
    set_option,
    workers_option,
)
from synth import fit_cli, rendered_cli

if TYPE_CHECKING:
    from synth.config import SynthConfig

_renderer_option = click.option(
    "--renderer",
    type=click.Choice(["blender", "raster"]),
    help="Instead of the configuration's: raster is quick, without glass, shadows or scenery.",
)
_shard_option = click.option(
    "--shard",
    metavar="NUMBER/OF",
    help="Render only this part, as 3/10: whole identities, for machines that share the folder.",
)
_cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Render on the Ray cluster there, as head:6379 or auto; its nodes share the folder.",
)


@click.group()
def synth() -> None:
    """Render labelled vehicles, preview and check what is rendered.

    \b
    Examples:
      pamtri synth preview configs/synth/traffic_camera.yaml --output sheet.png
      pamtri synth render configs/synth/traffic_camera.yaml --output runs/traffic --workers 4
      pamtri synth resume runs/traffic --workers 4
      pamtri synth check runs/traffic
    """


for command in (rendered_cli.again, rendered_cli.check, rendered_cli.export, rendered_cli.stats):
    synth.add_command(command)
synth.add_command(fit_cli.fit)


@synth.command()
@config_argument
@workers_option
@_renderer_option
@set_option
def plan(config: Path, workers: int, renderer: str | None, overrides: tuple[str, ...]) -> None:
    """Tell what CONFIG would render, in what time and space, and its first scenes.

    A few scenes, spread over the data set, are rendered and timed; nothing is kept.

    \b
    Examples:
      pamtri synth plan configs/synth/traffic_camera.yaml --workers 8
      pamtri synth plan configs/synth/dealer_photo.yaml --set image.size_px=512
    """
    from synth.plan import plan_text

    click.echo(plan_text(_load(config, renderer, overrides), workers))


@synth.command()
@config_argument
@output_option
@workers_option
@resume_option
@_shard_option
@_cluster_option
@_renderer_option
@set_option
def render(
    config: Path,
    output: Path,
    workers: int,
    resume: bool,
    shard: str | None,
    cluster: str | None,
    renderer: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Render the data set that CONFIG describes.

    An image depends on the configuration, its seed and the image's number alone: not on the number
    of workers, nor on what was interrupted and resumed.

    \b
    Examples:
      pamtri synth render configs/synth/quickstart.yaml --output runs/synthetic
      pamtri synth render configs/synth/dealer_photo.yaml --output runs/dealer \\
          --workers 4 --set identities=200 --set vehicle.type=suv
      pamtri synth render configs/synth/dealer_photo.yaml --output runs/dealer --resume
      pamtri synth render configs/synth/dealer_photo.yaml --output /shared/dealer --shard 3/10
      pamtri synth render configs/synth/dealer_photo.yaml --output /shared/dealer --cluster auto
    """
    _render(_load(config, renderer, overrides), output, workers, resume, shard, cluster)


@synth.command()
@click.argument("folder", type=click.Path(path_type=Path))
@workers_option
@_shard_option
@_cluster_option
def resume(folder: Path, workers: int, shard: str | None, cluster: str | None) -> None:
    """Complete the data set in FOLDER with the configuration that it was started with.

    Finished images are kept; scenes that failed are tried again.

    \b
    Example:
      pamtri synth resume runs/traffic --workers 4
    """
    from synth.stored import stored_config

    _render(stored_config(folder), folder, workers, True, shard, cluster)


def _render(
    config: SynthConfig,
    output: Path,
    workers: int,
    resume: bool,
    shard: str | None,
    cluster: str | None,
) -> None:
    from pamtri.run_folder import CONFIG_FILE
    from synth.cluster import render_on_cluster
    from synth.run import FAILURES_FILE, render_dataset
    from synth.shards import WHOLE, Shard

    if shard and cluster:
        raise UserError("--cluster makes shards itself; leave --shard out")
    part = Shard.parse(shard) if shard else WHOLE
    words = ["pamtri", "synth", "resume", str(output), "--workers", str(workers)]
    words += ["--shard", shard] if shard else []
    words += ["--cluster", cluster] if cluster else []
    again = shlex.join(words)
    try:
        if cluster:
            outcome = render_on_cluster(config, output, cluster, resume)
        else:
            outcome = render_dataset(config, output, workers, resume, shard=part)
    except KeyboardInterrupt:
        begun = (output / CONFIG_FILE).exists()
        end = f"continue with: {again}" if begun else "nothing was written yet"
        click.echo(f"\nstopped; {end}", err=True)
        sys.exit(130)
    if outcome.failed:
        raise UserError(
            f"{outcome.failed} of {outcome.total} scenes failed twice and are left out; "
            f"see {output / (part.prefix + FAILURES_FILE)}, and try them again with: {again}"
        )
    click.echo(f"{outcome.done} images in {output}")


@synth.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="PNG file to write.",
)
@click.option("--count", type=click.IntRange(min=1), default=12, show_default=True)
@click.option("--columns", type=click.IntRange(min=1), default=4, show_default=True)
@_renderer_option
@set_option
def preview(
    source: Path,
    output: Path,
    count: int,
    columns: int,
    renderer: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Draw labelled images of SOURCE, a configuration or a data set, on one sheet.

    Of a configuration, --count scenes are rendered, spread over its images. Keypoints are green
    where visible, yellow behind the vehicle itself, red behind something else.

    \b
    Examples:
      pamtri synth preview configs/synth/quickstart.yaml --output sheet.png --renderer raster
      pamtri synth preview runs/synthetic --output sheet.png --count 24 --columns 6
    """
    from synth.preview import preview_config, preview_dataset

    if source.is_dir():
        if renderer or overrides:
            raise UserError(f"{source}: --renderer and --set need a configuration, not a data set")
        preview_dataset(source, output, count, columns)
    else:
        preview_config(_load(source, renderer, overrides), output, count, columns)
    click.echo(f"wrote {output}")


def _load(config: Path, renderer: str | None, overrides: tuple[str, ...]) -> SynthConfig:
    from pamtri.config import load_config
    from synth.config import SynthConfig

    chosen = (*overrides, f"renderer={renderer}") if renderer else overrides
    return load_config(config, SynthConfig, chosen)
