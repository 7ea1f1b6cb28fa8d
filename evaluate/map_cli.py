"""``pamtri map``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("map")
@click.argument("features", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="HTML file to write, such as map.html.",
)
@click.option(
    "--images",
    type=click.IntRange(min=5),
    default=2000,
    show_default=True,
    help="Most images to show: whole identities by chance. 2,000 take half a minute.",
)
def draw_map(features: tuple[Path, ...], output: Path, images: int) -> None:
    """Draw FEATURES as a map on which images that are alike lie together.

    FEATURES are .npz files of pamtri embed, of the same network. By t-SNE, coloured by identity,
    colour, type, azimuth or domain, as far as they are labelled.

    \b
    Examples:
      pamtri embed runs/reid/best.pt VeRi --split gallery --output gallery.npz
      pamtri map gallery.npz --output map.html
      pamtri embed runs/reid/best.pt runs/synthetic --output synthetic.npz
      pamtri map gallery.npz synthetic.npz --output domains.html
    """
    from evaluate.map.build import write_map
    from pamtri.features import join_features, read_features

    count = write_map(output, join_features([read_features(path) for path in features]), images)
    click.echo(f"{output}: {count} images")
