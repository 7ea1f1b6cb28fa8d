"""``pamtri evaluate gap``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pamtri.dataset import Dataset
    from pamtri.features import Features


@click.command("gap")
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--network",
    help="What makes the features: a checkpoint, a file of weights, or 'random'; as for "
    "'pamtri predict features'.",
)
@click.option("--backbone", help="The timm network that a file of weights is of.")
@click.option(
    "--features",
    "files",
    nargs=2,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Two .npz files made before, of A and of B, in place of --network.",
)
@click.option(
    "--match",
    multiple=True,
    type=click.Choice(["azimuth", "type", "colour"]),
    help="Compare equally many images of each: azimuth in twelfths of the circle, type, colour. "
    "Repeatable.",
)
@click.option("--split-a", multiple=True, help="Only images of this split of A. Repeatable.")
@click.option("--split-b", multiple=True, help="Only images of this split of B. Repeatable.")
@click.option("--format-a", help="Layout of A; detected by default.")
@click.option("--format-b", help="Layout of B; detected by default.")
@click.option(
    "--chart",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw the labels of both side by side into this PNG.",
)
@click.option(
    "--json",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write every number to this JSON file.",
)
def gap(
    first: Path,
    second: Path,
    network: str | None,
    backbone: str | None,
    files: tuple[Path, Path] | None,
    match: tuple[str, ...],
    split_a: tuple[str, ...],
    split_b: tuple[str, ...],
    format_a: str | None,
    format_b: str | None,
    chart: Path | None,
    target: Path | None,
) -> None:
    """How far two data sets, or folders of images, are apart: A from B.

    The Fréchet distance and the kernel distance (KID) of their features, how well a classifier
    tells them apart by these, and their labels side by side.

    \b
    Examples:
      pamtri evaluate gap runs/synthetic VeRi --split-b train --network runs/reid/best.pt
      pamtri evaluate gap runs/synthetic photos --network resnet50.safetensors --backbone resnet50
      pamtri evaluate gap runs/synthetic photos/ --network runs/pose/best.pt \\
          --match azimuth --match type --chart labels.png --json gap.json
    """
    from evaluate.gap.labels import write_chart
    from evaluate.gap.measure import measure_gap
    from evaluate.gap.network import network_features
    from evaluate.gap.text import gap_text
    from pamtri.errors import UserError
    from pamtri.run_folder import write_json

    if (network is None) == (files is None):
        raise UserError("expected either --network or --features, one of both")
    sets = _open(first, format_a, split_a), _open(second, format_b, split_b)
    features: tuple[Features, Features]
    if files is not None:
        from pamtri.features import read_features

        features = read_features(files[0]), read_features(files[1])
    else:
        assert network is not None
        features = (
            network_features(network, backbone, first, format_a, split_a),
            network_features(network, backbone, second, format_b, split_b),
        )
    found = measure_gap(sets, features, match)  # type: ignore[arg-type]  # click.Choice holds them
    click.echo(gap_text(found))
    if target is not None:
        write_json(target, found.summary())
    if chart is not None:
        write_chart(chart, found.labels, (f"A: {first}", f"B: {second}"))
        click.echo(f"{chart}: labels side by side")


def _open(path: Path, layout: str | None, splits: tuple[str, ...]) -> Dataset:
    from pamtri.formats import open_dataset
    from pamtri.pictures import open_images

    return open_dataset(path, layout).only(*splits) if splits else open_images(path, layout)
