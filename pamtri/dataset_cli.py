"""``pamtri dataset``: inspect, check, convert and browse data sets of every known layout."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pamtri.options import output_option
from pamtri.table import text_table

if TYPE_CHECKING:
    from pamtri.dataset import Dataset
    from pamtri.formats.images import Images
    from pamtri.record import Record

_LABELS = (
    *("identity", "camera", "frame", "colour", "type", "style", "box", "keypoints", "mask"),
    *("mask_amodal", "segment_mask", "part_mask", "depth", "normals"),
    *("occlusion", "viewpoint", "calibration", "scene"),
)
_folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
_format_option = click.option(
    "--format", help="Its layout, as in veri; told by its files when left out."
)
_skip_option = click.option(
    "--skip-damaged", is_flag=True, help="Leave damaged rows out and list them, instead of ending."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def dataset() -> None:
    """Inspect, check, convert and browse data sets.

    \b
    Layouts read:    native, veri, pamtri_pose, pamtri_multitask, cityflow, vehiclex,
                     vehicleid, stanford_cars, webdataset
    Layouts written: native, veri, pamtri_pose, pamtri_multitask, pamtri_full, coco, webdataset

    \b
    Examples:
      pamtri dataset info VeRi
      pamtri dataset check runs/synthetic
      pamtri dataset convert runs/synthetic --to veri --output runs/synthetic_veri
      pamtri dataset browse runs/synthetic --output runs/synthetic_page
    """


@dataset.command()
@_folder_argument
@_format_option
@_skip_option
def info(folder: Path, format: str | None, skip_damaged: bool) -> None:
    """Count images, identities and cameras, and show which labels there are.

    \b
    Examples:
      pamtri dataset info VeRi
      pamtri dataset info VeRi --format pamtri_multitask
    """
    opened = _open(folder, format, skip_damaged)
    click.echo(f"{folder}: {opened.info.name}, layout {opened.format}, {len(opened)} images")
    click.echo("\n" + text_table(_split_rows(opened)))
    click.echo("\n" + text_table(_coverage_rows(opened.records)))
    for name in ("colour", "type"):
        counts = Counter(v for r in opened if (v := getattr(r, name)) is not None)
        if counts:
            click.echo(f"\n{name}s: " + ", ".join(f"{k} {n}" for k, n in counts.most_common()))


@dataset.command()
@_folder_argument
@_format_option
def check(folder: Path, format: str | None) -> None:
    """List everything that is wrong with a data set; exit status 1 when something is.

    Damaged label rows; missing, truncated and wrongly sized images and masks (every one is
    decoded); keypoints outside the picture though marked visible; duplicate names; identities
    shared by training and test; queries that no gallery image can answer.

    \b
    Example:
      pamtri dataset check VeRi
    """
    from pamtri.check import check_dataset

    opened = _open(folder, format, skip_damaged=True, tell=False)
    problems = check_dataset(opened)
    for problem in problems:
        click.echo(f"{problem.kind}: {problem.subject}: {problem.text}")
    if not problems:
        click.echo(f"{folder}: {len(opened)} images, nothing wrong")
        return
    kinds = Counter(p.kind for p in problems)
    summary = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    click.echo(f"{folder}: {len(opened)} images, {len(problems)} problems ({summary})")
    sys.exit(1)


@dataset.command()
@_folder_argument
@click.option("--to", "target_format", required=True, help="The layout to write, as in veri.")
@output_option
@_format_option
@_skip_option
@click.option(
    "--images",
    type=click.Choice(["copy", "link"]),
    default="copy",
    show_default=True,
    help="Copy image files, or hard-link them, which takes no space.",
)
def convert(
    folder: Path,
    target_format: str,
    output: Path,
    format: str | None,
    skip_damaged: bool,
    images: Images,
) -> None:
    """Write a data set in another layout. What that layout cannot hold is left out.

    \b
    Examples:
      pamtri dataset convert runs/synthetic --to veri --output runs/synthetic_veri
      pamtri dataset convert runs/synthetic --to coco --output runs/coco --images link
    """
    from pamtri.formats import write_dataset

    opened = _open(folder, format, skip_damaged)
    write_dataset(opened, output, target_format, images)
    click.echo(f"{output}: {len(opened)} images in layout {target_format}")


@dataset.command()
@_folder_argument
@output_option
@_format_option
@_skip_option
@click.option(
    "--copy", is_flag=True, help="Copy the images in, so that the page can be moved or published."
)
def browse(folder: Path, output: Path, format: str | None, skip_damaged: bool, copy: bool) -> None:
    """Write a page that shows a data set in the web browser; it needs no server.

    Filter by split, type, colour, camera, identity, azimuth and occlusion; lay keypoints, boxes,
    segments and masks over the images; see an identity's images side by side, and all labels and
    factors of one. Images stay where they are unless copied; a page of an earlier call is replaced.

    \b
    Examples:
      pamtri dataset browse runs/synthetic --output runs/synthetic_page
      pamtri dataset browse VeRi --output runs/veri_page
      pamtri dataset browse runs/synthetic --output page_to_send --copy
    """
    from pamtri.browse import write_page

    page = write_page(_open(folder, format, skip_damaged), output, copy)
    if page.unreadable:
        first, *others = page.unreadable
        more = f" and {len(others)} more" if others else ""
        click.echo(
            f"missing or damaged: {first}{more}; see: pamtri dataset check {folder}", err=True
        )
    click.echo(f"open in a web browser: {page.path.resolve().as_uri()}")


def _open(folder: Path, format: str | None, skip_damaged: bool, tell: bool = True) -> Dataset:
    from pamtri.formats import open_dataset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what was skipped is told below, a line each
        opened = open_dataset(folder, format, skip_damaged)
    for reason in opened.skipped if tell else ():
        click.echo(f"skipped {reason}", err=True)
    return opened


def _split_rows(opened: Dataset) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("split", "images", "identities", "cameras", "domain")]
    splits: dict[str | None, list[Record]] = {}
    for record in opened:
        splits.setdefault(record.split, []).append(record)
    for split, records in [*splits.items(), ("all", list(opened))]:
        domains = " and ".join(sorted({r.domain for r in records}))
        count = [str(len(records)), _distinct(records, "identity"), _distinct(records, "camera")]
        rows.append((split or "-", *count, domains))
    return rows


def _distinct(records: Sequence[Record], name: str) -> str:
    return str(len({v for r in records if (v := getattr(r, name)) is not None}))


def _coverage_rows(records: Sequence[Record]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("label", "images", "share")]
    for name in _LABELS:
        count = sum(getattr(r, name) is not None for r in records)
        rows.append((name, str(count), f"{count / len(records):.0%}"))
    return rows
