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
keypoints_option = click.option(
    "--keypoints",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Pose prediction file, or pose network (.pt, .onnx), for a network with a pose "
    "embedding; labels by default.",
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
      torchrun --nproc_per_node 2 -m pamtri train pose CONFIG --output runs/pose  # CPUs too
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
      pamtri train reid configs/reid/small_cpu.yaml --output runs/tuned --set data.real.path=VeRi \\
          --set mixing.synthetic_ratio=0 --set model.weights=runs/reid/best.pt \\
          --set model.new_identities=true  # begin with a network that knows other vehicles
    """
    from train.reid.config import ReidConfig
    from train.run import train_from

    train_from(config, ReidConfig, output, resume, overrides)


@click.group()
def predict() -> None:
    """Run a trained network over a data set or a folder of images."""


@predict.command("pose")
@click.argument(
    "paths", metavar="[NETWORK] DATA", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write: PAMTRI's CSV, or with the ending .npy a packed file that also holds "
    "visibility. By default both, pose.csv and pose.npy in the folder DATA_pose.",
)
@format_option
@split_option
@click.option(
    "--draw", is_flag=True, help="Also draw what was found over each image, in drawn/ beside it."
)
@click.option(
    "--channels",
    is_flag=True,
    help="Also write PAMTRI's folders heatmap_SET and segment_SET beside it.",
)
def predict_pose(
    paths: tuple[Path, ...],
    output: Path | None,
    layout: str | None,
    splits: tuple[str, ...],
    draw: bool,
    channels: bool,
) -> None:
    """Find the 36 keypoints of the vehicle in each image of DATA: a data set, a folder or one file.

    NETWORK is a checkpoint (.pt) or an exported file (.onnx); without, it is the network that comes
    with the program, which has seen renders alone. An image should show one vehicle that fills it,
    as a detector cuts it out, unless DATA's labels have boxes.

    A line of the CSV is the image's name, then x, y and confidence of each keypoint.

    \b
    Examples:
      pamtri predict pose car.jpg --draw
      pamtri predict pose camera_crops --output keypoints.csv
      pamtri predict pose runs/pose/best.pt VeRi --split test --output pose_test.npy
    """
    from train.pose import outputs
    from train.pose.predict import DEFAULT_NETWORK, PosePredictor
    from train.run import inference_device
    from train.sources import open_for_prediction

    if len(paths) > 2:
        raise click.UsageError(f"expected [NETWORK] DATA, got {len(paths)} paths")
    network, data = paths if len(paths) == 2 else (DEFAULT_NETWORK, paths[0])
    samples = open_for_prediction(data, layout, splits)
    poses = PosePredictor(network, inference_device()).predict(samples)
    folder = Path(f"{data.resolve().stem}_pose")
    files = [output] if output else [folder / "pose.csv", folder / "pose.npy"]
    for file in files:
        outputs.write_poses(file, poses)
        click.echo(f"{file}: keypoints of {len(poses)} images")
    beside = files[0].parent
    if channels:
        outputs.write_channel_folders(beside, samples, poses)
    if draw:
        outputs.draw_poses(beside / "drawn", samples, poses)
        click.echo(f"{beside / 'drawn'}: pictures, green where a point can be seen")


@predict.command("viewpoint")
@click.argument("keypoints", type=click.Path(path_type=Path))
@click.argument("data", metavar="[DATASET]", required=False, type=click.Path(path_type=Path))
@file_option("viewpoint.csv")
@format_option
def predict_viewpoint(keypoints: Path, data: Path | None, output: Path, layout: str | None) -> None:
    """Write where the camera stands in each image of a pose prediction file, by PnP.

    Azimuth, elevation, roll, distance in vehicle lengths and the error that remains, from the 36
    keypoints and what vehicles look like in 3-D. Lenses are taken from DATASET where its records
    have them; without, distances are rough (angles hardly suffer). Give the packed .npy file where
    there is one: from it hidden points, whose place is often sure, help as well.

    \b
    Examples:
      pamtri predict viewpoint pose_test.npy --output viewpoint.csv
      pamtri predict viewpoint pose_synthetic.csv runs/synthetic --output viewpoint.csv
    """
    import numpy as np

    from pamtri.formats import open_dataset
    from pamtri.formats.pose_pack import read_places
    from pamtri.viewpoint import estimate_viewpoints, lenses_of
    from pamtri.viewpoint_csv import write_viewpoints

    rows = read_places(keypoints)
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
@keypoints_option
@click.option("--flip", is_flag=True, help="Take the mean with each image's mirror image.")
def predict_reid(
    checkpoint: Path,
    data: Path,
    output: Path,
    layout: str | None,
    splits: tuple[str, ...],
    keypoints: Path | None,
    flip: bool,
) -> None:
    """Write the features that CHECKPOINT gives the images of DATA, one row an image.

    The .npz file holds names and features, colour and type scores of a multi-task network, and
    azimuths of one that learned them.

    \b
    Examples:
      pamtri predict reid runs/reid/best.pt VeRi --split query --split gallery \\
          --keypoints pose_test.csv --output features.npz
    """
    from pamtri.features import write_features
    from train.reid.predict import ReidPredictor
    from train.run import inference_device
    from train.sources import open_for_prediction

    samples = open_for_prediction(data, layout, splits)
    predictor = ReidPredictor(checkpoint, inference_device())
    write_features(output, predictor.predict(samples, keypoints or "labels", flip=flip))
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
    from pamtri.features import Features, write_features
    from train.features import image_features
    from train.run import inference_device
    from train.sources import open_for_prediction

    samples = open_for_prediction(data, layout, splits)
    values = image_features(network, backbone, samples, inference_device())
    write_features(output, Features(output, tuple(s.name for s in samples), values))
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


@click.command("export")
@checkpoint_argument
@file_option("pose.onnx")
def export(checkpoint: Path, output: Path) -> None:
    """Write the network of CHECKPOINT as one ONNX file, which runs without this program.

    `pictures` (n, s, s, 3) bytes go in, for any n. Of a pose network `points` in pixels, `peak` and
    `visibility` come out: normalisation, the average with the mirrored picture and decoding are
    inside. Of a re-identification network come `feature`, the probabilities of `colour` and `type`,
    and `azimuth` as sine and cosine, where it learned them; what is known of the pose goes in
    beside the pictures where it is embedded.

    \b
    Examples:
      pamtri export runs/pose/best.pt --output pose.onnx
      pamtri predict pose pose.onnx camera_crops --output keypoints.csv
      pamtri export runs/reid/best.pt --output reid.onnx
    """
    from train.checkpoint import kind_of
    from train.pose.onnx_file import write_pose
    from train.pose.predict import load_reader
    from train.reid.onnx_file import write_reid
    from train.reid.predict import load_network

    if kind_of(checkpoint) == "pose":
        config, reader = load_reader(checkpoint)
        write_pose(output, reader, config.model.input_size, config.box_scale)
    else:
        model, network = load_network(checkpoint)
        write_reid(output, network, model)
    click.echo(f"{output}: {output.stat().st_size / 2**20:.1f} MB")
