"""``pamtri train`` and ``pamtri predict``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pamtri.options import config_argument, output_option, resume_option, set_option

checkpoint_argument = click.argument("checkpoint", type=click.Path(path_type=Path))
data_argument = click.argument("data", type=click.Path(path_type=Path))
format_option = click.option("--format", "layout", help="Layout of DATA; detected by default.")
split_option = click.option(
    "--split",
    "splits",
    multiple=True,
    help="Only images of this split. Repeatable; all images by default.",
)


def file_option(example: str) -> Callable[[Any], Any]:
    """``--output`` for a command that writes one file."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        required=True,
        help=f"File to write, such as {example}.",
    )


@click.group()
def train() -> None:
    """Train a pose or a re-identification network."""


@train.command("pose")
@config_argument
@output_option
@resume_option
@set_option
def train_pose(config: Path, output: Path, resume: bool, overrides: tuple[str, ...]) -> None:
    """Train a network that finds 36 keypoints of a vehicle, as CONFIG says.

    \b
    Examples:
      pamtri train pose configs/pose/small_cpu.yaml --output runs/pose \\
          --set data.synthetic.path=runs/synthetic
      pamtri train pose configs/pose/small_cpu.yaml --output runs/pose --resume
      accelerate launch -m pamtri train pose configs/pose/pamtri_hrnet_w32.yaml --output runs/w32
    """
    from train.pose.config import PoseConfig
    from train.run import train_from

    train_from(config, PoseConfig, output, resume, overrides)


@train.command("reid")
@config_argument
@output_option
@resume_option
@set_option
def train_reid(config: Path, output: Path, resume: bool, overrides: tuple[str, ...]) -> None:
    """Train a network that tells vehicles apart, with colour and type, as CONFIG says.

    \b
    Examples:
      pamtri train reid configs/reid/small_cpu.yaml --output runs/reid \\
          --set data.real.path=VeRi --set data.synthetic.path=runs/synthetic
      pamtri train reid configs/reid/small_cpu.yaml --output runs/reid --resume
    """
    from train.reid.config import ReidConfig
    from train.run import train_from

    train_from(config, ReidConfig, output, resume, overrides)


@click.group()
def predict() -> None:
    """Run a trained network over a data set or a folder of images."""


@predict.command("pose")
@checkpoint_argument
@data_argument
@file_option("pose_test.csv")
@format_option
@split_option
def predict_pose(
    checkpoint: Path, data: Path, output: Path, layout: str | None, splits: tuple[str, ...]
) -> None:
    """Write the keypoints that CHECKPOINT finds in the images of DATA, as PAMTRI's CSV.

    A line is the image's name, then x, y and confidence of each of the 36 keypoints.

    \b
    Examples:
      pamtri predict pose runs/pose/best.pt VeRi --split test --output pose_test.csv
      pamtri predict pose runs/pose/best.pt holiday_photos --output keypoints.csv
    """
    from pamtri.formats.pose_csv import write_predictions
    from train.pose.predict import PosePredictor
    from train.run import inference_device
    from train.sources import open_for_prediction

    samples = open_for_prediction(data, layout, splits)
    predictions = PosePredictor(checkpoint, inference_device()).predict(samples)
    write_predictions(output, predictions)
    click.echo(f"{output}: keypoints of {len(predictions)} images")


@predict.command("viewpoint")
@click.argument("keypoints", type=click.Path(path_type=Path))
@click.argument("data", metavar="[DATASET]", required=False, type=click.Path(path_type=Path))
@file_option("viewpoint.csv")
@format_option
def predict_viewpoint(keypoints: Path, data: Path | None, output: Path, layout: str | None) -> None:
    """Write where the camera stands in each image of a pose prediction CSV, by PnP.

    Azimuth, elevation, roll, distance in vehicle lengths and the error that remains, from the 36
    keypoints and what vehicles look like in 3-D. Lenses are taken from DATASET where its records
    have them; without, distances are rough (angles hardly suffer).

    \b
    Examples:
      pamtri predict viewpoint pose_test.csv --output viewpoint.csv
      pamtri predict viewpoint pose_synthetic.csv runs/synthetic --output viewpoint.csv
    """
    import numpy as np

    from pamtri.formats import open_dataset
    from pamtri.formats.pose_csv import read_predictions
    from pamtri.viewpoint import estimate_viewpoints, lenses_of
    from pamtri.viewpoint_csv import write_viewpoints

    rows = read_predictions(keypoints)
    records = open_dataset(data, layout).records if data is not None else ()
    lenses = lenses_of(list(rows), records, f"{keypoints} and {data}")
    points = np.array(list(rows.values())).reshape(-1, 36, 3)
    found = estimate_viewpoints(points, lenses)
    write_viewpoints(output, list(rows), found, [lens is not None for lens in lenses])
    without = int(np.isnan(found.azimuth).sum())
    note = f" ({without} with too few sure keypoints)" if without else ""
    click.echo(f"{output}: viewpoints of {len(rows)} images{note}")


@predict.command("reid")
@checkpoint_argument
@data_argument
@file_option("features.npz")
@format_option
@split_option
@click.option(
    "--keypoints",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Pose prediction CSV for a network with keypoint embedding; labels by default.",
)
def predict_reid(
    checkpoint: Path,
    data: Path,
    output: Path,
    layout: str | None,
    splits: tuple[str, ...],
    keypoints: Path | None,
) -> None:
    """Write the features that CHECKPOINT gives the images of DATA, one row an image.

    The .npz file holds names and features, and colour and type scores of a multi-task network.

    \b
    Examples:
      pamtri predict reid runs/reid/best.pt VeRi --split query --split gallery \\
          --keypoints pose_test.csv --output features.npz
    """
    from train.reid.predict import ReidPredictor, write_features
    from train.run import inference_device
    from train.sources import open_for_prediction

    samples = open_for_prediction(data, layout, splits)
    predictor = ReidPredictor(checkpoint, inference_device())
    write_features(output, predictor.predict(samples, keypoints or "labels"))
    click.echo(f"{output}: features of {len(samples)} images")


@predict.command("features")
@click.argument("network")
@data_argument
@file_option("features.npz")
@click.option("--backbone", help="The timm network that NETWORK, a file of weights, is of.")
@format_option
@split_option
def predict_features(
    network: str,
    data: Path,
    output: Path,
    backbone: str | None,
    layout: str | None,
    splits: tuple[str, ...],
) -> None:
    """Write what NETWORK sees in the images of DATA, one row an image, to compare data sets by.

    NETWORK is a checkpoint of a pose or re-ID network, a file of weights of any timm network
    (with --backbone), or, as a last resort where there is no trained network, 'random': a network
    with fixed random weights, which sees colours and textures but knows no vehicles.

    \b
    Examples:
      pamtri predict features runs/reid/best.pt runs/synthetic --output synthetic.npz
      pamtri predict features resnet50.safetensors photos --backbone resnet50 --output photos.npz
      pamtri evaluate gap runs/synthetic photos --features synthetic.npz photos.npz
    """
    from train.features import image_features
    from train.reid.predict import Features, write_features
    from train.run import inference_device
    from train.sources import open_for_prediction

    samples = open_for_prediction(data, layout, splits)
    values = image_features(network, backbone, samples, inference_device())
    write_features(output, Features([s.name for s in samples], values, None, None))
    click.echo(f"{output}: {values.shape[1]} features of {len(samples)} images")


@click.command("import-checkpoint")
@click.argument("file", type=click.Path(path_type=Path))
@file_option("pamtri_w32.pt")
def import_checkpoint(file: Path, output: Path) -> None:
    """Turn FILE, a checkpoint of PAMTRI's or HRNet's own code, into one of this program.

    Recognised are pose_hrnet (any width) and pose_resnet with 36 keypoints, the re-ID network
    (DenseNet-121 or ResNet-50, every variant), and HRNet's ImageNet files: bare, or as the
    checkpoint.pth that holds an optimiser as well. Nothing in FILE is executed. A file with a key
    too many, too few or of another shape is refused with the list.

    \b
    Examples:
      pamtri import-checkpoint model_best.pth --output pamtri_w32.pt
      pamtri predict pose pamtri_w32.pt VeRi --split test --output pose_test.csv
      pamtri import-checkpoint reid_model_best.pth.tar --output pamtri_reid.pt
      pamtri import-checkpoint hrnet_w32-36af842e.pth --output w32_imagenet.pt
    """
    from train import import_checkpoint as importing

    imported = importing.import_checkpoint(file, output)
    found = f"{output}: {imported.kind} on {imported.backbone}, {imported.tensors} tensors"
    use = f"model.weights: {output}"
    if imported.is_pose or imported.is_reid:
        use = f"pamtri predict {'pose' if imported.is_pose else 'reid'} {output} IMAGES"
    click.echo(f"{found}; use it with: {use}")
