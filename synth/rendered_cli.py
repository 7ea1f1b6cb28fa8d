"""What ``pamtri synth`` does with a rendered data set: once more, check, export, stats."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pamtri.errors import UserError
from pamtri.options import output_option

if TYPE_CHECKING:
    from pamtri.formats.images import Images

_folder_argument = click.argument("folder", type=click.Path(path_type=Path))


@click.command()
@_folder_argument
@click.option("--index", type=click.IntRange(min=0), required=True, help="Number of the image.")
@click.option(
    "--size", type=click.IntRange(16, 8192), help="Longer side, pixels; the original's if left out."
)
@click.option(
    "--samples",
    type=click.IntRange(1, 4096),
    help="Cycles samples a pixel; the original's if left out.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="JPEG file to write.",
)
def again(folder: Path, index: int, size: int | None, samples: int | None, output: Path) -> None:
    """Render one image of the data set in FOLDER again, from its record.

    At its own size and samples it is the original, byte for byte. A scene that failed twice can be
    rendered too: its description is in the list of failures.

    \b
    Examples:
      pamtri synth again runs/traffic --index 17 --output 17.jpg
      pamtri synth again runs/traffic --index 17 --size 1024 --samples 64 --output large.jpg
    """
    from synth.again import render_again
    from synth.stored import stored_config, stored_scene

    if output.suffix.lower() not in (".jpg", ".jpeg"):
        raise UserError(f"{output}: expected a name that ends in .jpg, as images are JPEG files")
    renderer = stored_config(folder).renderer
    render_again(stored_scene(folder, index), renderer, output, size, samples)
    click.echo(f"wrote {output}")


@click.command()
@_folder_argument
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes."
)
def check(folder: Path, workers: int) -> None:
    """Check the rendered data set in FOLDER; exit status 1 when something is wrong.

    Nothing is missing, twice or unreadable; identities, images and cameras are as many as
    configured and splits share no identity; masks, boxes, segments and keypoints agree with one
    another and with the camera; and each scene sampled again, and each label computed again from
    it, is the stored one. A line for each kind of violation, with examples.

    \b
    Examples:
      pamtri synth check runs/traffic
      pamtri synth check runs/traffic --workers 8
    """
    from synth.verify.report import code_note, summary_lines, verify_dataset

    count, problems = verify_dataset(folder, workers)
    for line in summary_lines(problems, folder):
        click.echo(line)
    if problems:
        note = code_note(folder)
        if note is not None:
            click.echo(note)
        kinds = {p.kind for p in problems}
        if kinds & {"missing record", "failed image"}:
            click.echo(f"what is missing is rendered by: pamtri synth resume {folder}")
        click.echo(f"{folder}: {count} images, {len(problems)} violations of {len(kinds)} kinds")
        sys.exit(1)
    click.echo(f"{folder}: {count} images, nothing wrong")


@click.command()
@_folder_argument
@click.option(
    "--to",
    "layout",
    type=click.Choice(["veri", "pamtri_pose", "pamtri_full", "coco", "webdataset"]),
    required=True,
)
@output_option
@click.option(
    "--images",
    type=click.Choice(["copy", "link"]),
    default="copy",
    show_default=True,
    help="Copy image files, or hard-link them, which takes no space.",
)
def export(folder: Path, layout: str, output: Path, images: Images) -> None:
    """Write the rendered data set in FOLDER in a layout that other tools read.

    \b
    veri         VeRi-776: images, identities, cameras, colours, types
    pamtri_pose  PAMTRI's pose labels: the 36 keypoints as CSV
    pamtri_full  PAMTRI's multi-task labels as CSV, with heatmap and segment folders
    coco         COCO keypoints, with masks as run lengths
    webdataset   tar shards of images, masks and whole records

    `pamtri dataset convert` writes more layouts, from any that is read.

    \b
    Examples:
      pamtri synth export runs/traffic --to coco --output runs/traffic_coco --images link
      pamtri synth export runs/traffic --to webdataset --output runs/traffic_shards
    """
    from pamtri.dataset import read_native
    from pamtri.formats import write_dataset

    dataset = read_native(folder)
    write_dataset(dataset, output, layout, images)
    click.echo(f"{output}: {len(dataset)} images in layout {layout}")


@click.command()
@_folder_argument
@click.argument("other", required=False, type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="HTML file to write.",
)
def stats(folder: Path, other: Path | None, output: Path) -> None:
    """Write a page of what the data set in FOLDER holds; beside OTHER, where one is named.

    Distributions of every label and factor, viewpoints, keypoints, colour by type, what occurs
    together, sizes and samples, in one HTML file. Either may be a rendered data set or photographs,
    in any layout that `pamtri dataset info` reads.

    \b
    Examples:
      pamtri synth stats runs/traffic --output stats.html
      pamtri synth stats runs/traffic VeRi --output beside_veri.html
    """
    from synth.stats.page import write_stats

    write_stats([folder] if other is None else [folder, other], output)
    click.echo(f"wrote {output}")
