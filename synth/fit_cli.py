"""``pamtri synth fit``."""

from __future__ import annotations

from pathlib import Path

import click

from pamtri.options import config_argument, output_option, set_option, workers_option


@click.command()
@config_argument
@click.option(
    "--target",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of photographs, each cut to one vehicle; no labels are needed.",
)
@output_option
@click.option("--rounds", type=click.IntRange(min=1), default=4, show_default=True)
@click.option(
    "--images",
    type=click.IntRange(min=40),
    default=200,
    show_default=True,
    help="Renders in each round.",
)
@click.option(
    "--photographs",
    type=click.IntRange(min=40),
    default=500,
    show_default=True,
    help="How many of the target's are looked at, at most.",
)
@workers_option
@click.option(
    "--network",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A pose network (.pt or .onnx); the one that comes with the program by default.",
)
@set_option
def fit(
    config: Path,
    target: Path,
    output: Path,
    rounds: int,
    images: int,
    photographs: int,
    workers: int,
    network: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Move the distributions of CONFIG until its renders look like the photographs in --target.

    Azimuths, elevation, roll, distance, framing, sizes, exposure, contrast, saturation, warmth,
    blur, noise, compression and colours are fitted: what a pose network and simple measurements
    tell of the photographs is compared with what they tell of renders, whose factors are known.
    The folder gets fitted.yaml, which extends CONFIG, fit.html, which shows the path, and the
    renders; what is there is not rendered again.

    \b
    Examples:
      pamtri synth fit configs/synth/traffic_camera.yaml --target camera_crops --output runs/fit
      pamtri synth render runs/fit/fitted.yaml --output runs/like_my_cameras
    """
    from synth.fit.descent import fit as descend
    from synth.fit.looks import look_at, pictures_of
    from synth.fit.report import write_config, write_page

    files = pictures_of(target, photographs)
    seen = look_at(files, output / "target_looks", network, "measure photographs")
    found = descend(
        config, seen, output, rounds, images, workers, overrides, network, say=click.echo
    )
    fitted = output / "fitted.yaml"
    write_config(found, config, fitted)
    write_page(found, config, fitted, output / "fit.html")
    before, after = found.rounds[0].score, found.best.score
    click.echo(f"{fitted}: distance {after:.2f}, {before:.2f} before; see {output / 'fit.html'}")
