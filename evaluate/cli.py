"""``pamtri evaluate``, ``compare``, ``ablate`` and ``quickstart``."""

from __future__ import annotations

import contextlib
import itertools
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
    from evaluate.config import CompareConfig

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
    from pamtri.formats.pose_pack import open_predictions

    dataset = open_dataset(data, layout)
    records = dataset.only(*splits).records if splits else dataset.records
    summary = score_pose(open_predictions(predictions), records, str(predictions)).summary()
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
      pamtri evaluate viewpoint viewpoint.csv photos/ --rose rose.png
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
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also show queries and what was found for them in this HTML file.",
)
@click.option(
    "--keypoints",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Pose prediction CSV to draw on that page; labels by default.",
)
@click.option("--rerank", is_flag=True, help="Re-rank by k-reciprocal neighbours.")
@click.option(
    "--expand",
    type=click.IntRange(min=0),
    default=0,
    help="Mix so many of its nearest gallery images into each query.",
)
@click.option(
    "--tracks",
    is_flag=True,
    help="Search tracks instead of images; the nearest image of a track counts.",
)
@click.option(
    "--track-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Tracks, a line of image names each (test_track.txt); else by vehicle and camera.",
)
@click.option("--pool", is_flag=True, help="Compare with the mean feature of each track.")
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    help="VehicleID's protocol: so many galleries of one image drawn for each vehicle.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of --draws.")
@click.option(
    "--submission",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the first 100 of each query for CityFlow-ReID's server.",
)
@json_option
def evaluate_reid(
    features: Path,
    data: Path,
    layout: str | None,
    splits: tuple[str, ...],
    page: Path | None,
    keypoints: Path | None,
    rerank: bool,
    expand: int,
    tracks: bool,
    track_file: Path | None,
    pool: bool,
    draws: int | None,
    seed: int,
    submission: Path | None,
    target: Path | None,
) -> None:
    """CMC, mAP and mINP of a feature file (.npz: names, features), colour and type accuracy.

    Gallery images of the query's identity and camera are left out of its ranking.

    \b
    Examples:
      pamtri evaluate reid features.npz VeRi
      pamtri evaluate reid features.npz VeRi --rerank --json reid.json
      pamtri evaluate reid features.npz cars --split test --page ranks.html
      pamtri evaluate reid features.npz VeRi --tracks --track-file VeRi/test_track.txt
      pamtri evaluate reid features.npz VehicleID --split test_800 --draws 10
      pamtri evaluate reid features.npz CityFlow --submission track2.txt
    """
    from evaluate.ranks.build import Images, write_rank_page
    from evaluate.reid import score_reid
    from evaluate.reid_repeats import score_repeats
    from evaluate.reid_search import Search
    from evaluate.reid_tracks import score_tracks
    from evaluate.submission import has_labels, write_submission
    from evaluate.text import reid_text, repeats_text
    from pamtri.features import read_features
    from pamtri.formats import open_dataset
    from pamtri.formats.pose_pack import open_predictions

    tracks = tracks or pool or track_file is not None
    _one_protocol(**{"--tracks": tracks, "--draws": bool(draws)})
    _one_protocol(**{"--draws": bool(draws), "--page": page is not None})
    _one_protocol(**{"--tracks": tracks, "--split": bool(splits)})
    found, dataset = read_features(features), open_dataset(data, layout)
    search = Search(expand, rerank)
    if submission is not None:
        lines = write_submission(submission, found, dataset, search)
        click.echo(f"{submission}: the first 100 for each of {lines} queries")
        if not has_labels(dataset):
            click.echo("no query has an identity: nothing is scored")
            return
    if draws:
        repeated = score_repeats(found, dataset, splits, draws, seed, search).summary()
        click.echo(repeats_text(repeated))
        _write_json(target, repeated)
        return
    if tracks:
        scores = score_tracks(found, dataset, track_file, pool, search)
    else:
        scores = score_reid(found, dataset, splits, search)
    summary = scores.summary()
    click.echo(reid_text(summary))
    _write_json(target, summary)
    if page is not None:
        images = Images(dataset, open_predictions(keypoints) if keypoints else None)
        write_rank_page(page, scores, found, images, f"{features.name} on {dataset.root.name}")
        click.echo(f"{page}: queries and what was found for them")


def _one_protocol(**given: bool) -> None:
    """Raise a usage error where all of these options are given."""
    if all(given.values()):
        raise click.UsageError(" and ".join(given) + " do not go together")


jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Commands that run at once, each on a GPU of its own as far as there are.",
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Only show what would be done, for how long, and each command."
)


@click.command()
@config_argument
@output_option
@resume_option
@set_option
@jobs_option
@dry_run_option
def compare(
    config: Path, output: Path, resume: bool, overrides: tuple[str, ...], jobs: int, dry_run: bool
) -> None:
    """Train with and without synthetic images on the same budget, test on real ones, report.

    Shows the plan with its time, renders (if CONFIG says so), trains every arm with every amount of
    real images and every seed, predicts, scores, and writes OUTPUT/report/index.html. A finished
    step never runs again.

    \b
    Examples:
      pamtri compare configs/compare/veri.yaml --output runs/veri --set real.root=VeRi --dry-run
      pamtri compare configs/compare/veri.yaml --output runs/veri --set real.root=VeRi --jobs 4
      pamtri compare configs/compare/veri.yaml --output runs/veri --set real.root=VeRi --resume
      pamtri compare configs/compare/real_vehicles.yaml --output runs/photos \\
          --set real.root=photos/ --set 'real.images_per_identity=[5,10]'
    """
    from evaluate.config import CompareConfig
    from pamtri.config import load_config

    settings = load_config(config, CompareConfig, overrides)
    given = ["compare", str(config), "--output", str(output)]
    comparison = _compare(settings, output, given, overrides, resume, jobs, dry_run)
    if comparison is not None:
        _show(comparison)


@click.command()
@config_argument
@output_option
@click.option(
    "--factor",
    "factors",
    multiple=True,
    help="Freeze this one of CONFIG's factors only. Repeatable; all by default.",
)
@click.option("--arm", help="The arm that is trained; CONFIG's second by default.")
@resume_option
@set_option
@jobs_option
@dry_run_option
def ablate(
    config: Path,
    output: Path,
    factors: tuple[str, ...],
    arm: str | None,
    resume: bool,
    overrides: tuple[str, ...],
    jobs: int,
    dry_run: bool,
) -> None:
    """Tell what each factor of randomisation is worth: freeze it, render, train, test on real ones.

    CONFIG is one of `pamtri compare` that renders. Its arm is trained on the synthetic set as it is
    and, for each factor, on one of the same vehicles and scenes with that factor frozen. CONFIG's
    `factors` say what is frozen and how; light, weather, ground, backdrop, occluders, framing,
    colour, state and sensor where it names none.

    \b
    Examples:
      pamtri ablate configs/compare/veri.yaml --output runs/factors --set real.root=VeRi --dry-run
      pamtri ablate configs/compare/veri.yaml --output runs/factors --set real.root=VeRi \\
          --factor light --factor sensor --jobs 2
    """
    from evaluate.config import CompareConfig
    from evaluate.factors import ablation
    from evaluate.results import answer, worth_rows
    from pamtri.config import load_config
    from pamtri.table import text_table

    settings = ablation(load_config(config, CompareConfig, overrides), arm, factors)
    options = [("--factor", name) for name in factors] + ([("--arm", arm)] if arm else [])
    given = ["ablate", str(config), "--output", str(output), *itertools.chain(*options)]
    comparison = _compare(settings, output, given, overrides, resume, jobs, dry_run)
    if comparison is None:
        return
    click.echo(f"\n{answer(comparison.results)}")
    for task in settings.tasks.named:
        click.echo(f"\n{text_table(worth_rows(comparison.results, task))}")
    click.echo(f"\nReport: {comparison.report}")


def _compare(
    settings: CompareConfig,
    output: Path,
    given: list[str],
    overrides: tuple[str, ...],
    resume: bool,
    jobs: int,
    dry_run: bool,
) -> Comparison | None:
    """Do what a configuration says, or tell it for ``dry_run``; ``given`` repeats the command."""
    from evaluate import compare as work

    if dry_run:
        click.echo(work.dry_run(settings, output, jobs))
        return None
    sets = [part for override in overrides for part in ("--set", override)]
    line = shlex.join(["pamtri", *given, *sets])
    with _stoppable(f"{line} --resume"):
        return work.run_comparison(settings, output, line, resume, jobs=jobs)


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
