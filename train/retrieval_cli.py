"""``pamtri embed`` and ``pamtri search``: what a re-identification network is for."""

from __future__ import annotations

from pathlib import Path

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
      label_identity, ...        what the data set says: identity, camera (-1: nothing), colour,
                                 type, split, domain (words or empty), azimuth_deg (or NaN)
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
    from train.sources import PICTURES, open_for_prediction

    samples = open_for_prediction(data, layout, splits)
    features = ReidPredictor(checkpoint, inference_device()).predict(samples, keypoints or "labels")
    labelled = samples[0].source != PICTURES
    write_features(output, features, [s.record for s in samples] if labelled else None)
    count, width = features.features.shape
    click.echo(f"{output}: features of {count} images, {width} values each")
