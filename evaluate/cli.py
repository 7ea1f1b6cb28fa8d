"""``pamtri evaluate``, ``pamtri compare`` and ``pamtri quickstart``."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evaluate.gap.cli import gap
from pamtri.options import config_argument, output_option, resume_option, set_option

if TYPE_CHECKING:
    from evaluate.compare import Comparison

data_argument = click.argument("data", type=click.Path(path_type=Path))
format_option = click.option("--format", "layout", help="Layout of DATA; detected by default.")
json_option = click.option(
    "--json",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write every number to this JSON file.",
)


@click.group()
def evaluate() -> None:
    """Score prediction files, whoever made them, against a data set's labels."""


evaluate.add_command(gap)


@evaluate.command("pose")
@click.argument("predictions", type=click.Path(path_type=Path))
@data_argument
@format_option
@click.option(
    "--split",
    "splits",
    multiple=True,
    help="Score only images of this split. Repeatable; all labelled images by default.",
)
@json_option
def evaluate_pose(
    predictions: Path,
    data: Path,
    layout: str | None,
    splits: tuple[str, ...],
    target: Path | None,
) -> None:
    """PCK of a pose prediction CSV (PAMTRI's: name, then 36 times x, y, confidence).

    \b
    Examples:
      pamtri evaluate pose pose_test.csv VeRi-pose --split test
      pamtri evaluate pose pose_test.csv runs/synthetic --json pose.json
    """
    from evaluate.pose import score_pose
    from evaluate.text import pose_text
    from pamtri.formats import open_dataset
    from pamtri.formats.pose_csv import read_predictions

    dataset = open_dataset(data, layout)
    records = dataset.only(*splits).records if splits else dataset.records
    summary = score_pose(read_predictions(predictions), records, str(predictions)).summary()
    click.echo(pose_text(summary))
    _write_json(target, summary)


@evaluate.command("viewpoint")
@click.argument("predictions", type=click.Path(path_type=Path))
@data_argument
@format_option
@click.option(
    "--split",
    "splits",
    multiple=True,
    help="Score only images of this split. Repeatable; all images with a viewpoint by default.",
)
@click.option(
    "--rose",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw images and errors around the vehicle into this PNG.",
)
@json_option
def evaluate_viewpoint(
    predictions: Path,
    data: Path,
    layout: str | None,
    splits: tuple[str, ...],
    rose: Path | None,
    target: Path | None,
) -> None:
    """Azimuth errors of a viewpoint CSV (name, azimuth_deg, elevation_deg, perhaps roll_deg).

    Front and rear taken for each other are counted apart from other errors.

    \b
    Examples:
      pamtri evaluate viewpoint viewpoint.csv ../shared/data/real_vehicles --rose rose.png
      pamtri evaluate viewpoint viewpoint.csv runs/synthetic --split test --json viewpoint.json
    """
    from evaluate.text import viewpoint_text
    from evaluate.viewpoint import score_viewpoint
    from evaluate.viewpoint_rose import write_rose
    from pamtri.formats import open_dataset
    from pamtri.viewpoint_csv import read_viewpoints

    dataset = open_dataset(data, layout)
    records = dataset.only(*splits).records if splits else dataset.records
    scores = score_viewpoint(read_viewpoints(predictions), records, str(predictions))
    summary = scores.summary()
    click.echo(viewpoint_text(summary))
    _write_json(target, summary)
    if rose is not None:
        write_rose(rose, scores)
        click.echo(f"{rose}: errors around the vehicle")


@evaluate.command("reid")
@click.argument("features", type=click.Path(path_type=Path))
@data_argument
@format_option
@click.option(
    "--split",
    "splits",
    multiple=True,
    help="Search each image of this split among its others, instead of query in gallery.",
)
@json_option
def evaluate_reid(
    features: Path, data: Path, layout: str | None, splits: tuple[str, ...], target: Path | None
) -> None:
    """CMC, mAP and mINP of a feature file (.npz: names, features), colour and type accuracy.

    Gallery images of the query's identity and camera are left out of its ranking.

    \b
    Examples:
      pamtri evaluate reid features.npz VeRi
      pamtri evaluate reid features.npz cars --split test --json reid.json
    """
    from evaluate.features import read_features
    from evaluate.reid import score_reid
    from evaluate.text import reid_text
    from pamtri.formats import open_dataset

    scores = score_reid(read_features(features), open_dataset(data, layout), splits)
    summary = scores.summary()
    click.echo(reid_text(summary))
    _write_json(target, summary)


@click.command()
@config_argument
@output_option
@resume_option
@set_option
def compare(config: Path, output: Path, resume: bool, overrides: tuple[str, ...]) -> None:
    """Train with and without synthetic images on the same budget, test on real ones, report.

    Renders (if CONFIG says so), trains every arm with every seed, predicts, scores, and writes
    OUTPUT/report/index.html. A finished step never runs again.

    \b
    Examples:
      pamtri compare configs/compare/veri.yaml --output runs/veri --set real.root=VeRi
      pamtri compare configs/compare/veri.yaml --output runs/veri --set real.root=VeRi --resume
      pamtri compare configs/compare/photographs_small.yaml --output runs/photographs \\
          --set real.root=../shared/data/real_vehicles
    """
    from evaluate.compare import run_comparison
    from evaluate.config import CompareConfig
    from pamtri.config import load_config

    settings = load_config(config, CompareConfig, overrides)
    sets = [part for override in overrides for part in ("--set", override)]
    line = shlex.join(["pamtri", "compare", str(config), "--output", str(output), *sets])
    with _stoppable(f"{line} --resume"):
        comparison = run_comparison(settings, output, line, resume)
    _show(comparison)


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/quickstart"),
    show_default=True,
    help="Folder to write to; it is created.",
)
@click.option("--fresh", is_flag=True, help="Remove an earlier quickstart there and begin anew.")
def quickstart(output: Path, fresh: bool) -> None:
    """The whole road in about ten minutes: render, convert, train, compare, report.

    What was interrupted goes on where it stopped.

    \b
    Examples:
      pamtri quickstart
      pamtri quickstart --output runs/again --fresh
    """
    from evaluate.quickstart import run_quickstart

    with _stoppable(f"pamtri quickstart --output {shlex.quote(str(output))}"):
        comparison = run_quickstart(output, fresh)
    _show(comparison)


def _show(comparison: Comparison) -> None:
    """The three numbers that say most, and where the report is."""
    from evaluate.results import answer, highlights

    results = comparison.results
    click.echo(f"\n{answer(results)}\n")
    for line in highlights(results):
        click.echo(f"  {line}")
    click.echo(f"\nReport: {comparison.report}")


def _write_json(target: Path | None, summary: dict[str, Any]) -> None:
    from pamtri.run_folder import write_json

    if target is not None:
        write_json(target, summary)


@contextlib.contextmanager
def _stoppable(go_on: str) -> Iterator[None]:
    """End in a sentence when the user stops the run, by Ctrl-C or by ``kill``."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\npamtri: stopped; what is finished stays. Go on with: {go_on}", err=True)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)
