"""``pamtri assets``: look at the vehicles, bring them in and give them out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click

from synth.import_cli import check_vehicles, import_vehicle

_wanted_options = (
    click.option("--style", "styles", multiple=True, help="Only this sub-style. Repeatable."),
    click.option("--type", "types", multiple=True, help="Only this type. Repeatable."),
    click.option("--colour", "colours", multiple=True, help="Only this colour. Repeatable."),
    click.option(
        "--identity",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Number of the individual, or of the first of them.",
    ),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True),
)


def _wanted(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options by which vehicles are chosen."""
    for option in reversed(_wanted_options):
        command = option(command)
    return command


@click.group()
def assets() -> None:
    """Preview, export, import and check vehicles.

    \b
    Examples:
      pamtri assets preview --output sheet.png
      pamtri assets preview --style coupe --colour red --turntable --output coupe.gif
      pamtri assets export --style coupe --colour red --glb coupe.glb
    """


@assets.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write: .png or .jpg, with --turntable .gif or .mp4.",
)
@click.option(
    "--rows",
    type=click.Choice(["style", "type"]),
    default="style",
    show_default=True,
    help="What each row shows.",
)
@click.option(
    "--individuals",
    type=click.IntRange(min=1),
    metavar="N",
    help="N individuals a row, of the row's styles and all colours, instead of one in each colour.",
)
@click.option(
    "--view",
    default="front-left",
    show_default=True,
    metavar="NAME|AZ:EL",
    help="front-left, side, rear-right, high, front, rear, or degrees as in 215:10.",
)
@_wanted
@click.option("--keypoints", is_flag=True, help="Draw the keypoints.")
@click.option("--parts", is_flag=True, help="Give each part a colour of its own.")
@click.option("--segments", is_flag=True, help="Give each of the 13 segments its colour.")
@click.option("--turntable", is_flag=True, help="Turn once around, starting at --view.")
@click.option(
    "--renderer",
    type=click.Choice(["raster", "blender"]),
    default="raster",
    show_default=True,
    help="raster takes seconds; blender is what data sets are rendered with.",
)
@click.option(
    "--samples", type=click.IntRange(1, 4096), default=8, show_default=True, help="Of Blender."
)
@click.option(
    "--cell",
    type=click.IntRange(48, 2048),
    default=224,
    show_default=True,
    help="Width of each picture in pixels.",
)
def preview(
    output: Path,
    rows: Literal["style", "type"],
    individuals: int | None,
    view: str,
    turntable: bool,
    renderer: str,
    samples: int,
    cell: int,
    styles: tuple[str, ...],
    types: tuple[str, ...],
    colours: tuple[str, ...],
    identity: int,
    seed: int,
    **overlays: bool,
) -> None:
    """Show vehicles on one sheet: a row for each style or type, a column for each colour.

    Every colour of a row is the same individual; with --individuals each picture is another one,
    and its caption says by which --style, --identity and --colour to see it alone.

    \b
    Examples:
      pamtri assets preview --output sheet.png
      pamtri assets preview --type truck --colour white --view side --parts --output parts.png
      pamtri assets preview --rows type --individuals 8 --renderer blender --output types.jpg
      pamtri assets preview --style coupe --colour red --cell 480 --turntable --output coupe.mp4
    """
    from synth.assets_preview import Look, preview_grid
    from synth.assortment import Wanted, colour_grid, individual_grid
    from synth.showroom import Showing, parse_view

    wanted = Wanted(styles, types, colours, identity, seed)
    grid = individual_grid(wanted, rows, individuals) if individuals else colour_grid(wanted, rows)
    showing = Showing(*parse_view(view), cell, samples)
    chosen = tuple(name for name, asked in overlays.items() if asked)
    preview_grid(grid, Look(renderer, seed, showing, chosen), output, turntable)
    click.echo(f"wrote {output}")


@assets.command()
@click.option(
    "--glb",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write, binary glTF 2.0.",
)
@_wanted
def export(
    glb: Path,
    styles: tuple[str, ...],
    types: tuple[str, ...],
    colours: tuple[str, ...],
    identity: int,
    seed: int,
) -> None:
    """Write one vehicle as a file for other 3-D programs.

    It holds a node for each part, named as the part is, the materials, an empty node for each
    keypoint, and in the extras of the node 'vehicle' all that the vehicle is made from.

    \b
    Examples:
      pamtri assets export --glb vehicle.glb
      pamtri assets export --style crew_cab --colour white --identity 12 --glb pickup.glb
    """
    from pamtri.errors import ConfigError, UserError
    from render_assets.glb import glb_bytes
    from render_assets.vehicle import build_vehicle
    from synth.assortment import Wanted

    if glb.suffix.lower() != ".glb":
        raise ConfigError(f"--glb: expected a file name that ends in .glb, got '{glb.name}'")
    vehicle = build_vehicle(Wanted(styles, types, colours, identity, seed).sample())
    try:
        glb.parent.mkdir(parents=True, exist_ok=True)
        glb.write_bytes(glb_bytes(vehicle))
    except OSError as error:
        raise UserError(f"{glb}: cannot be written: {error.strerror}") from None
    spec = vehicle.spec
    click.echo(f"wrote {glb}: {spec.style} {spec.identity}, {spec.colour}")


assets.add_command(import_vehicle)
assets.add_command(check_vehicles)
