"""``pamtri embed`` and ``pamtri search``: what a re-identification network is for."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from train.cli import (
    checkpoint_argument,
    data_argument,
    file_option,
    format_option,
    keypoints_option,
    split_option,
)


@click.command()
@checkpoint_argument
@data_argument
@file_option("features.npz")
@format_option
@split_option
@keypoints_option
def embed(
    checkpoint: Path,
    data: Path,
    output: Path,
    layout: str | None,
    splits: tuple[str, ...],
    keypoints: Path | None,
) -> None:
    """Write what CHECKPOINT, a re-identification network, makes of the images of DATA.

    DATA is a data set of any layout, a folder of pictures or one picture. The file has a row an
    image; .npz opens with NumPy alone, .parquet with pandas, Polars, DuckDB or R:

    \b
      names, paths               base names; where the images lie, from the file's folder
      features                   (n, d) float32, compared by Euclidean distance
      colour, type               words, of a multi-task network, with
      colour_probability, ...    how probable each is, and
      colour_scores, ...         (n, 10) and (n, 9) probabilities of all colours and types
      azimuth_deg                which side is seen, of a network that learned it
      label_identity, ...        what the data set says: identity, camera (-1: nothing), colour,
                                 type, split, domain (words or empty), azimuth_deg, box (or NaN)
      checkpoint                 SHA-256 of the network's file

    \b
    Examples:
      pamtri embed runs/reid/best.pt VeRi --split gallery --output gallery.npz
      pamtri embed runs/reid/best.pt holiday_photos --output photos.npz
      pamtri embed runs/reid/best.pt holiday_photos --output photos.parquet
      python -c 'import numpy; print(numpy.load("photos.npz")["features"].shape)'
    """
    from pamtri.features import write_features
    from train.reid.predict import ReidPredictor
    from train.run import inference_device
    from train.sources import open_for_prediction

    samples = open_for_prediction(data, layout, splits)
    features = ReidPredictor(checkpoint, inference_device()).predict(samples, keypoints or "labels")
    write_features(output, features)
    count, width = features.features.shape
    click.echo(f"{output}: features of {count} images, {width} values each")


@click.command()
@checkpoint_argument
@click.option(
    "--query", type=click.Path(path_type=Path), required=True, help="The image to look for."
)
@click.option(
    "--gallery",
    type=click.Path(path_type=Path),
    required=True,
    help="Where to look: a data set, a folder of images, or a .npz of pamtri embed.",
)
@click.option("--top", type=click.IntRange(min=1), default=11, show_default=True, help="Matches.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("search.png"),
    show_default=True,
    help="Picture of the matches to write.",
)
@click.option(
    "--attention",
    is_flag=True,
    help="Colour in the picture what makes each match like the query, and the query like its first "
    "match, by Grad-CAM.",
)
@click.option("--format", "layout", help="Layout of the gallery; detected by default.")
@split_option
@keypoints_option
def search(
    checkpoint: Path,
    query: Path,
    gallery: Path,
    top: int,
    output: Path,
    attention: bool,
    layout: str | None,
    splits: tuple[str, ...],
    keypoints: Path | None,
) -> None:
    """Find the images of a gallery that look most like one image, to CHECKPOINT's network.

    Prints the nearest images with their distances, colours and types, and draws them. A query that
    is an image of the gallery is looked at as the gallery has it (its box, its keypoints), and is
    not found itself. Where identities are known, matches are marked right or wrong.

    \b
    Examples:
      pamtri search runs/reid/best.pt --query car.jpg --gallery holiday_photos
      pamtri search runs/reid/best.pt --query VeRi/image_query/0002_c002_00030600_0.jpg \\
          --gallery VeRi --split gallery --top 20 --output matches.png --attention
      pamtri embed runs/reid/best.pt VeRi --split gallery --output gallery.npz
      pamtri search runs/reid/best.pt --query car.jpg --gallery gallery.npz
    """
    from pamtri.errors import DataError
    from pamtri.features import read_features
    from pamtri.search import check_network, match_table, nearest, row_of
    from pamtri.search_picture import draw_matches
    from train.reid.attention import ReidAttention
    from train.reid.predict import ReidPredictor
    from train.run import inference_device
    from train.sources import Sample, open_for_prediction

    if not query.is_file():
        raise DataError(f"{query}: no such image")
    predictor = ReidPredictor(checkpoint, inference_device())
    poses: Literal["labels"] | Path = keypoints or "labels"
    samples: list[Sample] | None = None
    if gallery.suffix == ".npz":
        there = read_features(gallery)
        check_network(there, checkpoint, predictor.digest)
    else:
        samples = open_for_prediction(gallery, layout, splits)
        there = predictor.predict(samples, poses, "--gallery")
    found_at = row_of(there, query)
    if found_at is None:
        wanted, row = predictor.predict(open_for_prediction(query), poses, "--query"), 0
    else:
        wanted, row = there, found_at
    matches = nearest(wanted, row, there, top)
    click.echo(match_table(wanted, row, there, matches))
    if there.paths is not None:
        heat = None
        if attention:
            looker = ReidAttention(checkpoint, inference_device())
            heat = looker.of_search(wanted, row, there, matches, samples, poses)
        draw_matches(output, wanted, row, there, matches, heat)
        click.echo(f"{output}: the picture of it")
