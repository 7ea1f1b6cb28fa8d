"""``pamtri synth``: render data sets, and look at what would be or has been rendered."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from pamtri.errors import UserError
from pamtri.options import config_argument, output_option, resume_option, set_option

_renderer_option = click.option(
    "--renderer",
    type=click.Choice(["blender", "raster"]),
    help="Instead of the configuration's: raster is quick, without glass, shadows or scenery.",
)


@click.group()
def synth() -> None:
    """Render labelled vehicles, preview what is rendered.

    \b
    Examples:
      pamtri synth preview configs/synth/traffic_camera.yaml --output sheet.png
      pamtri synth render configs/synth/traffic_camera.yaml --output runs/traffic --workers 4
      pamtri synth preview runs/traffic --output sheet.png
    """


@synth.command()
@config_argument
@output_option
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@resume_option
@_renderer_option
@set_option
def render(
    config: Path,
    output: Path,
    workers: int,
    resume: bool,
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
    """
    from pamtri.config import load_config
    from synth.config import SynthConfig
    from synth.run import FAILURES_FILE, render_dataset

    chosen = (*overrides, f"renderer={renderer}") if renderer else overrides
    loaded = load_config(config, SynthConfig, chosen)
    try:
        outcome = render_dataset(loaded, output, workers, resume)
    except KeyboardInterrupt:
        again = ["pamtri", "synth", "render", str(config), "--output", str(output)]
        again += ["--workers", str(workers), "--resume"]
        again += [word for override in chosen for word in ("--set", override)]
        click.echo(f"\nstopped; continue with: {shlex.join(again)}", err=True)
        sys.exit(130)
    if outcome.failed:
        raise UserError(
            f"{outcome.failed} of {outcome.total} scenes failed twice and are left out; "
            f"see {output / FAILURES_FILE}, and try them again with --resume"
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
    from pamtri.config import load_config
    from synth.config import SynthConfig
    from synth.preview import preview_config, preview_dataset

    if source.is_dir():
        if renderer or overrides:
            raise UserError(f"{source}: --renderer and --set need a configuration, not a data set")
        preview_dataset(source, output, count, columns)
    else:
        chosen = (*overrides, f"renderer={renderer}") if renderer else overrides
        preview_config(load_config(source, SynthConfig, chosen), output, count, columns)
    click.echo(f"wrote {output}")
