"""The three ways to a pose: labels, files of predictions, and a network in the loop."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from accelerate import Accelerator
from click.testing import CliRunner
from torch import Tensor

from pamtri import segments
from pamtri.config import parse_config
from pamtri.dataset import DatasetInfo, write_native
from pamtri.errors import ConfigError, DataError
from pamtri.formats import open_dataset, write_dataset
from pamtri.formats.pose_csv import write_predictions
from pamtri.formats.pose_pack import write_pack
from pamtri.keypoints import FLIP, NUM_KEYPOINTS
from pamtri.pose import Pose
from pamtri.record import Keypoints, Record
from pamtri.segments import fill_polygons
from train.augment import compose, inverse, mirror
from train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from train.cli import predict
from train.cli import train as train_command
from train.config import AugmentConfig
from train.images import CropCache
from train.pose.config import PoseConfig
from train.pose.network import PoseNetwork
from train.pose.onnx_file import write_pose
from train.pose.predict import PosePredictor, TorchPose, load_reader
from train.reid.config import ReidConfig, ReidModelConfig
from train.reid.data import augmented_item, plain_item, reid_view
from train.reid.embedding import KeypointSource, NoPose, load_poses
from train.reid.reading import PoseReading, embedded, filled_segments, open_reading
from train.reid.task import ReidTask
from train.sources import Sample, open_for_prediction

SIZE = 64
EVERYTHING = ReidModelConfig(input_size=SIZE, embedding=("keypoints", "heatmaps", "segments"))
IDENTITY = np.eye(3)[:2]
CPU = torch.device("cpu")


def some_points(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-4, SIZE + 4, (36, 2)), rng.choice([0, 0.4, 0.5, 1], 36)])


def smooth_picture(path: Path, width: int, height: int, seed: int = 0) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


# From points to what is embedded, on the device


@pytest.mark.parametrize("seed", range(6))
def test_segments_are_filled_as_the_slow_way_fills_them(seed: int) -> None:
    points = np.stack([some_points(seed), some_points(seed + 50)])
    points[..., :2] /= 4
    sure = points[..., 2] > 0.3
    got = filled_segments(torch.from_numpy(points[..., :2]), torch.from_numpy(sure), 16)
    for i in (0, 1):
        assert (got[i].numpy() == fill_polygons(points[i, :, :2], sure[i], 16, 16)).all()
    assert got.any()


@pytest.mark.parametrize("kinds", [("keypoints",), ("segments",), EVERYTHING.embedding])
def test_a_batch_is_embedded_as_the_loader_embeds_each(real: Path, kinds: tuple[str, ...]) -> None:
    sample = open_for_prediction(real)[0]
    model = EVERYTHING.model_copy(update={"embedding": kinds})
    poses = [some_points(seed) for seed in (1, 2)]
    got = embedded(torch.from_numpy(np.stack(poses)), model)
    for i, pose in enumerate(poses):
        source = KeypointSource(model, {(sample.source, sample.path): pose})
        expected = source.embed(sample, IDENTITY, False)
        assert got.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(got[name][i], torch.from_numpy(value))


# Labels, files of predictions, and PAMTRI's folders


def embedded_from(data: Path, origin: Path | None) -> dict[str, np.ndarray]:
    samples = open_for_prediction(data)
    poses = load_poses(samples, origin or "labels", "data.real")
    model = EVERYTHING.model_copy(update={"input_size": 256})
    return plain_item(reid_view(model, CropCache(0)), samples[0], KeypointSource(model, poses))


def labelled(folder: Path) -> Path:
    """One image of 64 x 64, the size of PAMTRI's maps, with segments that show."""
    (folder / "images").mkdir(parents=True)
    name = "images/0001_c001_00000001_0.jpg"
    smooth_picture(folder / name, 64, 64)
    rng = np.random.default_rng(5)
    xy = rng.uniform(6, 58, (NUM_KEYPOINTS, 2)).round(2)
    roof = list(segments.SEGMENTS[9].corners)
    xy[roof] = [[10.3, 12.6], [50.8, 14.1], [47.7, 40.2], [12.4, 44.9]]
    letters = "".join("v" if k in roof or k % 3 else "s" for k in range(36))
    record = Record(
        image=name, domain="real", width=64, height=64, split="train", identity=1, camera=1,
        colour="red", type="suv", keypoints=Keypoints(xy=xy.tolist(), visibility=letters),
    )  # fmt: skip
    write_native(folder, [record], DatasetInfo(name="one"))
    return folder


def as_pamtri_reads(root: Path) -> np.ndarray:
    """49 JPEGs as PAMTRI stacks them: heatmaps, then segments, values 0..255."""
    folders = [next((root / f"{kind}_train").iterdir()) for kind in ("heatmap", "segment")]
    counts = {"heatmap": 36, "segment": 13}
    return np.stack(
        [
            cv2.imread(str(folder / f"{i:02d}.jpg"), cv2.IMREAD_GRAYSCALE)
            for folder, count in zip(folders, counts.values(), strict=True)
            for i in range(count)
        ]
    ).astype(float)


def test_labels_files_and_folders_say_the_same(tmp_path: Path) -> None:
    data = labelled(tmp_path / "data")
    (sample,) = open_for_prediction(data)
    keypoints = sample.record.keypoints
    assert keypoints is not None
    rows = np.column_stack([keypoints.xy_array(), keypoints.visible_array()])
    write_predictions(tmp_path / "pose.csv", {sample.name: rows})
    write_pack(
        tmp_path / "pose.npy",
        {sample.name: Pose((64, 64), keypoints.xy_array(), keypoints.visible_array() * 1.0)},
    )
    labels = embedded_from(data, None)
    assert labels["maps"].shape == (49, 64, 64)
    for name in ("pose.csv", "pose.npy"):
        file = embedded_from(data, tmp_path / name)
        assert np.abs(file["pose"] - labels["pose"]).max() < 1e-4
        assert np.abs(file["maps"].astype(int) - labels["maps"]).max() <= 1
    write_dataset(open_dataset(data), tmp_path / "pamtri", "pamtri_full")
    jpegs = as_pamtri_reads(tmp_path / "pamtri")
    error = np.abs(jpegs - labels["maps"])
    assert error[:36].max() <= 12  # what JPEG loses of a small Gaussian
    assert error[36:].mean() < 1  # and it rings at the edges of a polygon
    assert error.mean(axis=(1, 2)).max() < 4
    assert ((jpegs[36:] > 127) == (labels["maps"][36:] > 127)).all()
    assert labels["maps"][36 + 9].mean() > 60


# A network in the loop


class Dots:
    """Stands for a pose network: it finds the middle of what is bright, and its spread."""

    def __init__(self) -> None:
        self.spreads: list[Tensor] = []
        self.seen: list[Tensor] = []

    def __call__(self, images: Tensor) -> list[Tensor]:
        self.seen.append(images)
        light = (images[:, 0] - 1.5).clamp(min=0)  # the mean colour, outside, is 0
        total = light.sum(dim=(1, 2))
        at = torch.arange(images.shape[-1]) + 0.5
        x = (light.sum(dim=1) * at).sum(dim=1) / total
        y = (light.sum(dim=2) * at).sum(dim=1) / total
        dx = (light.sum(dim=1) * (at - x[:, None]) ** 2).sum(dim=1) / total
        dy = (light.sum(dim=2) * (at - y[:, None]) ** 2).sum(dim=1) / total
        self.spreads.append(torch.stack([dx, dy], dim=1))
        points = torch.stack([x, y], dim=1)[:, None].expand(-1, 36, -1)
        return [points, torch.full(points.shape[:2], 0.75)]


def dotted(folder: Path) -> Sample:
    """A wide picture with one bright bar of 20 x 12 pixels."""
    pixels = np.zeros((64, 96, 3), dtype=np.uint8)
    pixels[22:34, 26:46] = 255
    cv2.imwrite(str(folder / "dot.png"), pixels)
    return open_for_prediction(folder)[0]


def read_by(dots: Dots, size: int = 80, scale: float = 1.25) -> PoseReading:
    return PoseReading(dots, size, scale, EVERYTHING)


def test_what_is_read_lies_on_the_augmented_picture(tmp_path: Path) -> None:
    sample, dots = dotted(tmp_path), Dots()
    reading = read_by(dots)
    source = KeypointSource(EVERYTHING, {}, reading, {sample.source})
    true = KeypointSource(
        EVERYTHING, {(sample.source, sample.path): np.tile([36.0, 28, 1], (36, 1))}
    )
    view = reid_view(EVERYTHING, CropCache(2**20))
    config = AugmentConfig(
        scale=0.1, shift=0.05, rotation_deg=15.0, rotation_probability=1.0, flip=0.5
    )
    for seed in range(12):
        item, truth = (
            augmented_item(view, sample, s, config, np.random.default_rng(seed))
            for s in (source, true)
        )
        batch = {k: torch.from_numpy(item[k])[None] for k in ("image", "reading", "pose", "maps")}
        done = reading.complete(batch)
        assert set(done) == {"image", "pose", "maps"}
        pose = done["pose"].reshape(36, 3).numpy() + 0.5
        assert pose[:, :2] == pytest.approx(truth["pose"].reshape(36, 3)[:, :2] + 0.5, abs=0.01)
        assert pose[:, 2] == pytest.approx(np.full(36, 0.75))
        assert int(done["maps"][0, 0].max()) <= 191
        # The network saw the bar lie as in the image and in its proportions.
        across, down = dots.spreads[-1][0].tolist()
        assert across / down == pytest.approx((20 / 12) ** 2, rel=0.25)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_square_stands_upright_about_a_turned_crop(mirrored: bool) -> None:
    """By hand: of an image of 96 x 64, turned by 45 degrees, a square of 1.25 * 96 in 80 pixels."""
    half = 0.5**0.5
    turn = np.array([[half, -half, 32], [half, half, 32 - 64 * half]])  # about (32, 32)
    to_input = compose(turn, np.array([[64 / 96, 0, 0], [0, 1.0, 0]]))
    to_input = compose(mirror(64), to_input) if mirrored else to_input
    to_image = compose(inverse(to_input), read_by(Dots()).crop(to_input, mirrored))
    sign = -1.0 if mirrored else 1.0
    expected = np.array([[1.5 * sign, 0, 48 - 60 * sign], [0, 1.5, 32 - 60]])
    assert to_image == pytest.approx(expected)


def test_only_what_is_unknown_is_read(tmp_path: Path, real: Path) -> None:
    reading = read_by(Dots())
    dot, labelled_sample = dotted(tmp_path), open_for_prediction(real)[0]
    labelled_sample = type(dot)(labelled_sample.path, labelled_sample.record, "synthetic")
    pose = some_points(0)
    known = {("synthetic", labelled_sample.path): pose}
    source = KeypointSource(EVERYTHING, known, reading, {dot.source})
    view = reid_view(EVERYTHING, CropCache(0))
    items = [plain_item(view, sample, source) for sample in (labelled_sample, dot)]
    names = ("image", "reading", "pose", "maps")
    batch = {k: torch.from_numpy(np.stack([item[k] for item in items])) for k in names}
    done = reading.complete(batch)
    alone = plain_item(view, labelled_sample, KeypointSource(EVERYTHING, known))
    assert (done["pose"][0].numpy() == alone["pose"]).all()
    assert (done["maps"][0].numpy() == alone["maps"]).all()
    assert done["maps"][1].any()
    assert not batch["maps"][1].any()
    assert (
        reading.complete({k: v[:1] for k, v in batch.items()})["pose"] == done["pose"][:1]
    ).all()


@pytest.fixture(scope="module")
def pose_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pose network whose random heatmaps have clear peaks."""
    path = tmp_path_factory.mktemp("pose") / "pose.pt"
    model = {"backbone": "resnet18", "input_size": 64, "visibility": True}
    plain = {
        "data": {"real": {"path": "r"}},
        "mixing": {"synthetic_ratio": 0.0},
        "model": model,
        "training": {"steps": 1},
    }
    config = parse_config(plain, PoseConfig, "pose")
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = PoseNetwork(config.model)
    for name, weight in network.named_parameters():
        if "upsample" in name and weight.ndim == 4:
            weight.data *= 30
    network.head.weight.data *= 40
    network.head.bias.data += 0.5  # type: ignore[union-attr]
    state = network.state_dict()
    save_checkpoint(path, Checkpoint("pose", config.model_dump(mode="json"), None, state, 0.5, 1))
    return path


@pytest.mark.parametrize("size", [(100, 60), (60, 100), (64, 64)])
def test_the_network_sees_what_it_sees_in_prediction(
    tmp_path: Path, pose_checkpoint: Path, size: tuple[int, int]
) -> None:
    """But for one more resampling."""
    smooth_picture(tmp_path / "car.png", *size)
    (sample,) = open_for_prediction(tmp_path)
    prediction = TorchPose(pose_checkpoint, CPU).view.plain(sample)[0]["image"]
    dots = Dots()
    reading = PoseReading(dots, 64, 1.25, EVERYTHING)
    item = plain_item(
        reid_view(EVERYTHING.model_copy(update={"input_size": 64}), CropCache(0)), sample,
        KeypointSource(EVERYTHING, {}, reading, {sample.source}),
    )  # fmt: skip
    reading.points(torch.from_numpy(item["image"])[None], torch.from_numpy(item["reading"])[None])
    gap = (dots.seen[0][0] - torch.from_numpy(prediction)).abs()
    assert gap.mean() < 0.06  # of a deviation of about 1
    assert gap.flatten(1).quantile(0.95) < 0.3


def test_predictions_and_the_loop_say_the_same(tmp_path: Path, pose_checkpoint: Path) -> None:
    """Of the same network, on a picture that both see alike."""
    smooth_picture(tmp_path / "car.png", 60, 60, seed=4)
    (sample,) = open_for_prediction(tmp_path)
    predicted = PosePredictor(pose_checkpoint, CPU).predict([sample])[sample.name].rows
    reading = open_reading(pose_checkpoint, EVERYTHING, CPU)
    source = KeypointSource(EVERYTHING, {}, reading, {sample.source})
    item = plain_item(reid_view(EVERYTHING, CropCache(0)), sample, source)
    points = reading.points(*(torch.from_numpy(item[k])[None] for k in ("image", "reading")))[0]
    near = np.linalg.norm(points[:, :2] * 60 / 64 - predicted[:, :2], axis=1) < 3
    assert near.mean() > 0.7  # the peaks of a random network are less clear than a trained one's
    assert points[near, 2].numpy() == pytest.approx(predicted[near, 2], abs=0.1)


def test_reading_a_flipped_picture_flips_what_is_read(
    tmp_path: Path, pose_checkpoint: Path
) -> None:
    smooth_picture(tmp_path / "car.png", 100, 70)
    (sample,) = open_for_prediction(tmp_path)
    reading = open_reading(pose_checkpoint, EVERYTHING, CPU)
    item = plain_item(reid_view(EVERYTHING, CropCache(0)), sample, NoPose())
    image = torch.from_numpy(item["image"])[None]
    to_input = np.array([[64 / 100, 0, 0], [0, 64 / 70, 0]])
    mirrored = np.array([[-64 / 100, 0, 64.0], [0, 64 / 70, 0]])
    both = {
        "image": torch.cat([image, image.flip(-1)]),
        "reading": torch.from_numpy(
            np.stack([reading.crop(to_input, False), reading.crop(mirrored, True)])
        ).float(),
        "pose": torch.zeros(2, 108),
        "maps": torch.zeros(2, 49, 16, 16, dtype=torch.uint8),
    }
    done = reading.complete(both)
    straight, flipped = (p.reshape(36, 3) for p in done["pose"])
    expected = straight[FLIP.tolist()] * torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(flipped, expected, atol=1e-3, rtol=0)
    maps = done["maps"].int()
    order = [*FLIP.tolist(), *(36 + i for i in segments.FLIP)]
    assert (maps[1] - maps[0][order].flip(-1)).abs()[:36].max() <= 1
    assert maps[0, :36].max() > 20


def test_a_checkpoint_and_its_onnx_file_read_alike(tmp_path: Path, pose_checkpoint: Path) -> None:
    config, reader = load_reader(pose_checkpoint)
    write_pose(tmp_path / "pose.onnx", reader, config.model.input_size, config.box_scale)
    smooth_picture(tmp_path / "car.png", 100, 70)
    (sample,) = open_for_prediction(tmp_path)
    read = []
    for file in (pose_checkpoint, tmp_path / "pose.onnx"):
        reading = open_reading(file, EVERYTHING, CPU)
        source = KeypointSource(EVERYTHING, {}, reading, {sample.source})
        item = plain_item(reid_view(EVERYTHING, CropCache(0)), sample, source)
        inputs = (torch.from_numpy(item[k])[None] for k in ("image", "reading"))
        read.append(reading.points(*inputs)[0])
    near = (read[0] - read[1]).abs()[:, :2].amax(dim=1) < 0.5  # bytes are rounded
    assert near.float().mean() > 0.9
    assert (read[0] - read[1])[near, 2].abs().max() < 0.05


# All of training and prediction


def plain_config(real: Path, synthetic: Path, keypoints: Path | str) -> dict[str, object]:
    return {
        "data": {
            "real": {"path": str(real), "keypoints": str(keypoints)},
            "synthetic": {"path": str(synthetic), "splits": None},
            "validation_fraction": 0.4,
        },
        "model": {"backbone": "resnet10t", "input_size": 32,
                  "embedding": ["keypoints", "heatmaps", "segments"]},
        "training": {"steps": 2, "identities": 4, "images_per_identity": 2},
    }  # fmt: skip


def test_training_with_a_network_in_the_loop(
    tmp_path: Path, real: Path, synthetic: Path, pose_checkpoint: Path
) -> None:
    before = pose_checkpoint.read_bytes()
    config = tmp_path / "reid.yaml"
    config.write_text(json.dumps(plain_config(real, synthetic, pose_checkpoint)))
    runner = CliRunner()
    arguments = ["reid", str(config), "--output", str(tmp_path / "run")]
    result = runner.invoke(train_command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    checkpoint = load_checkpoint(tmp_path / "run" / "best.pt", "reid")
    labels = ReidTask(
        parse_config(plain_config(real, synthetic, "labels"), ReidConfig, "c"),
        Accelerator(cpu=True),
    )
    assert checkpoint.state_dict.keys() == labels.network.state_dict().keys()
    assert pose_checkpoint.read_bytes() == before
    features = {}
    for origin in (pose_checkpoint, None):
        output = tmp_path / "features.npz"
        arguments = ["reid", str(tmp_path / "run" / "best.pt"), str(real), "--output", str(output)]
        arguments += ["--keypoints", str(origin)] if origin else []
        assert runner.invoke(predict, arguments, catch_exceptions=False).exit_code == 0
        with np.load(output) as file:
            features[origin] = file["features"]
    assert np.abs(features[pose_checkpoint] - features[None]).max() > 1e-5


def test_the_first_weights_do_not_depend_on_the_pose_network(
    real: Path, synthetic: Path, pose_checkpoint: Path
) -> None:
    states = []
    for origin in ("labels", pose_checkpoint):
        config = parse_config(plain_config(real, synthetic, origin), ReidConfig, "c")
        with torch.random.fork_rng():
            torch.manual_seed(0)
            states.append(ReidTask(config, Accelerator(cpu=True)).network.state_dict())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


def test_batches_are_completed_before_the_network_sees_them(
    real: Path, synthetic: Path, pose_checkpoint: Path
) -> None:
    config = parse_config(plain_config(real, synthetic, pose_checkpoint), ReidConfig, "c")
    task = ReidTask(config, Accelerator(cpu=True))
    seen: list[tuple[Tensor, Tensor]] = []

    def network(images: Tensor, pose: Tensor, maps: Tensor) -> dict[str, Tensor]:
        seen.append((pose, maps))
        return task.network(images, pose, maps)  # type: ignore[no-any-return]

    batch = task.batches[0]
    losses = task.losses(network, batch)  # type: ignore[arg-type]
    assert torch.isfinite(losses["loss"])
    pose, maps = seen[0]
    is_real = ~batch["reading"].isnan().flatten(1).any(dim=1)
    assert is_real.sum() == 4
    assert (pose[~is_real] == batch["pose"][~is_real]).all()
    assert (batch["pose"][is_real].reshape(-1, 36, 3) == torch.tensor([0, 0, -0.5])).all()
    assert (pose[is_real].reshape(-1, 36, 3)[..., 2] > -0.5).all()
    assert not pose.requires_grad
    assert not maps[is_real].eq(0).all()


def test_what_cannot_be_read_with_is_refused(
    tmp_path: Path, real: Path, synthetic: Path, pose_checkpoint: Path
) -> None:
    plain = plain_config(real, synthetic, pose_checkpoint)
    plain["data"]["synthetic"]["keypoints"] = str(tmp_path / "other.pt")  # type: ignore[index]
    expected = (
        rf"^data.synthetic.keypoints: expected the same pose network as data.real.keypoints, "
        rf"{pose_checkpoint}, got {tmp_path / 'other.pt'}$"
    )
    with pytest.raises(ConfigError, match=expected):
        ReidTask(parse_config(plain, ReidConfig, "c"), Accelerator(cpu=True))
    missing = plain_config(real, synthetic, tmp_path / "none.pt")
    with pytest.raises(DataError, match=rf"^{tmp_path / 'none.pt'}: no such file of weights$"):
        ReidTask(parse_config(missing, ReidConfig, "c"), Accelerator(cpu=True))
