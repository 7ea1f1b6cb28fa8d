"""Exported pose networks, against the checkpoints that they come from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner

from pamtri.config import parse_config
from pamtri.errors import DataError
from pamtri.formats.pose_csv import read_predictions
from pamtri.formats.pose_pack import open_pack
from pamtri.keypoints import FLIP, NAMES
from pamtri.pose import Pose
from train.augment import normalise
from train.checkpoint import Checkpoint, save_checkpoint
from train.cli import export, predict
from train.pose.config import PoseConfig
from train.pose.network import PoseNetwork, heatmaps_from
from train.pose.onnx_file import OnnxPose
from train.pose.outputs import write_channel_folders
from train.pose.predict import DEFAULT_NETWORK, PosePredictor, load_reader
from train.reid.azimuth import directions
from train.reid.config import ReidConfig
from train.reid.network import ReidNetwork
from train.sources import open_for_prediction

CPU = torch.device("cpu")


def invoke(command: object, *arguments: object) -> str:
    result = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("pose") / "best.pt", "softmax", True)


def write_checkpoint(path: Path, loss: str, visibility: bool, pixel: str = "middle") -> Path:
    """A network that was never trained, whose answers differ from pixel to pixel."""
    model = {
        "backbone": "hrnet_w18_small", "input_size": 64, "loss": loss, "visibility": visibility,
        "heatmap_pixel": pixel,
    }  # fmt: skip
    config = parse_config(
        {"data": {"synthetic": {"path": "x"}}, "mixing": {"synthetic_ratio": 1.0},
         "training": {"steps": 1}, "model": model, "box_scale": 1.1},
        PoseConfig, "c",
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = PoseNetwork(config.model)
        network.head.weight.data.normal_(std=1.0)
    state = network.state_dict()
    save_checkpoint(path, Checkpoint("pose", config.model_dump(mode="json"), None, state, 0.0, 1))
    return path


@pytest.mark.parametrize(
    ("loss", "visibility", "pixel"),
    [("softmax", True, "middle"), ("mse", False, "middle"), ("mse", False, "first")],
)
def test_the_file_answers_as_the_checkpoint_for_any_number_of_pictures(
    tmp_path: Path, loss: str, visibility: bool, pixel: str
) -> None:
    checkpoint = write_checkpoint(tmp_path / "best.pt", loss, visibility, pixel)
    invoke(export, checkpoint, "--output", tmp_path / "pose.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "pose.onnx")
    _, reader = load_reader(checkpoint)
    names = ["points", "peak", "visibility"] if visibility else ["points", "peak"]
    assert [output.name for output in session.get_outputs()] == names
    rng = np.random.default_rng(0)
    for count in (1, 2, 5):
        pictures = rng.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
        with torch.no_grad():
            expected = reader(torch.from_numpy(pictures))
        for name, answer, right in zip(
            names, session.run(None, {"pictures": pictures}), expected, strict=True
        ):
            scale = 64 if name == "points" else 1
            assert answer / scale == pytest.approx(right.numpy() / scale, abs=1e-4), name
    assert onnx.load(tmp_path / "pose.onnx").opset_import[0].version == 18


def test_the_file_sees_a_picture_and_its_mirror_image(checkpoint: Path) -> None:
    """Step by step, with one picture at a time and without the reader."""
    config, reader = load_reader(checkpoint)
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    network, shares, maps = reader.network, [], []
    for seen in (picture, picture[:, ::-1]):
        with torch.no_grad():
            output, scores = network(torch.from_numpy(normalise(seen))[None], True)
            maps.append(heatmaps_from(output, config.model)[0].numpy())
            shares.append(scores.softmax(-1)[0].numpy())
    heatmaps = (maps[0] + maps[1][:, :, ::-1][FLIP]) / 2
    with torch.no_grad():
        points, peak, visibility = reader(torch.from_numpy(picture)[None])
    assert visibility[0].numpy() == pytest.approx((shares[0] + shares[1][FLIP]) / 2, abs=1e-5)
    assert peak[0].numpy() == pytest.approx(heatmaps.max(axis=(1, 2)), abs=1e-5)
    for point, heatmap in zip(points[0].numpy(), heatmaps, strict=True):
        row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
        # Off by 1.5 heatmap pixels at most, and by one more where the peak is at the border.
        assert np.abs(point / 4 - 0.5 - [column, row]).max() <= 2.5 + 1e-4


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ({}, ()),
        ({"multitask": False, "normalise": True, "neck": "bnneck", "pooling": "gem"}, ()),
        ({"embedding": ["keypoints"], "azimuth": "sin_cos"}, ("pose",)),
        ({"embedding": ["segments"], "azimuth": "bins"}, ("maps",)),
        ({"embedding": ["keypoints", "heatmaps", "segments"]}, ("pose", "maps")),
    ],
)
def test_a_reid_file_answers_as_the_checkpoint(
    tmp_path: Path, model: dict[str, object], kinds: tuple[str, ...]
) -> None:
    config = parse_config(
        {"data": {"synthetic": {"path": "x"}}, "mixing": {"synthetic_ratio": 1.0},
         "training": {"steps": 1}, "model": {"backbone": "resnet18", "input_size": 64, **model}},
        ReidConfig, "c",
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = ReidNetwork(config.model, 7, config.loss).eval()
    content = Checkpoint(
        "reid", config.model_dump(mode="json"), {"synthetic": list(range(7))},
        network.state_dict(), 0.0, 1,
    )  # fmt: skip
    save_checkpoint(tmp_path / "best.pt", content)
    invoke(export, tmp_path / "best.pt", "--output", tmp_path / "reid.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "reid.onnx")
    assert [i.name for i in session.get_inputs()] == ["pictures", *kinds]
    rng = np.random.default_rng(2)
    channels = 36 * ("heatmaps" in config.model.embedding) + 13 * (
        "segments" in config.model.embedding
    )
    for count in (1, 3):
        given = {
            "pictures": rng.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8),
            "pose": rng.normal(size=(count, 108)).astype(np.float32),
            "maps": rng.integers(0, 256, (count, channels, 16, 16), dtype=np.uint8),
        }
        given = {name: given[name] for name in ("pictures", *kinds)}
        images = torch.stack([torch.from_numpy(normalise(p)) for p in given["pictures"]])
        pose, maps = (
            torch.from_numpy(given[name]) if name in given else None for name in ("pose", "maps")
        )
        with torch.no_grad():
            expected = network(images, pose, maps)
        answers = dict(
            zip([o.name for o in session.get_outputs()], session.run(None, given), strict=True)
        )
        expected_names = {"feature", "colour", "type", "azimuth"}
        expected_names -= {"colour", "type"} if "multitask" in model else set()
        assert set(answers) == expected_names - ({"azimuth"} if "azimuth" not in model else set())
        scale = float(expected["feature"].abs().max())
        assert answers["feature"] / scale == pytest.approx(
            expected["feature"].numpy() / scale, abs=1e-4
        )
        if "azimuth" in answers:
            assert answers["azimuth"] == pytest.approx(
                directions(expected["azimuth"]).numpy(), abs=1e-4
            )
        for name in set(answers) - {"feature", "azimuth"}:
            assert answers[name] == pytest.approx(expected[name].softmax(-1).numpy(), abs=1e-4)
    with pytest.raises(DataError, match=r"of kind 'pose' .* got one of kind 'reid'"):
        OnnxPose(tmp_path / "reid.onnx", CPU)


def test_predictions_from_the_file_are_the_checkpoints(
    checkpoint: Path, real: Path, tmp_path: Path
) -> None:
    invoke(export, checkpoint, "--output", tmp_path / "pose.onnx")
    for network, name in ((checkpoint, "a.npy"), (tmp_path / "pose.onnx", "b.npy")):
        invoke(predict, "pose", network, real, "--output", tmp_path / name)
    a, b = open_pack(tmp_path / "a.npy"), open_pack(tmp_path / "b.npy")
    assert list(a) == list(b) and len(a) == 18
    for name in a:
        one, other = a.pose(name), b.pose(name)
        assert one.size == other.size == (48, 48)
        assert other.points == pytest.approx(one.points, abs=5e-3)
        assert other.peak == pytest.approx(one.peak, abs=1e-4)
        assert one.visibility is not None and other.visibility is not None
        assert other.visibility == pytest.approx(one.visibility, abs=1e-4)


def test_files_that_are_no_pose_network_are_refused(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(DataError, match=r"none\.onnx: no such file"):
        OnnxPose(tmp_path / "none.onnx", CPU)
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(DataError, match=r"text\.onnx: is no ONNX file that can be run"):
        OnnxPose(tmp_path / "text.onnx", CPU)
    foreign = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Identity", ["x"], ["y"])], "g",
            [onnx.helper.make_tensor_value_info("x", 1, ["n"])],
            [onnx.helper.make_tensor_value_info("y", 1, ["n"])],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10,
    )  # fmt: skip
    onnx.save(foreign, tmp_path / "foreign.onnx")
    with pytest.raises(
        DataError,
        match=r"foreign\.onnx: expected an ONNX .* got one of kind 'unknown'",
    ):
        OnnxPose(tmp_path / "foreign.onnx", CPU)
    named = {"kind": "pose", "keypoints": json.dumps(["nose", "tail"])}
    onnx.helper.set_model_props(foreign, named)
    onnx.save(foreign, tmp_path / "birds.onnx")
    expected = f"{tmp_path}/birds.onnx: finds other keypoints than the 36 of this program"
    with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
        OnnxPose(tmp_path / "birds.onnx", CPU)
    with pytest.raises(DataError, match="is no plain file of weights"):
        invoke(export, tmp_path / "text.onnx", "--output", tmp_path / "new.onnx")
    assert not (tmp_path / "new.onnx").exists()


def test_the_network_that_comes_along_is_small_complete_and_runs(tmp_path: Path) -> None:
    assert DEFAULT_NETWORK.stat().st_size <= 8e6
    assert DEFAULT_NETWORK.with_name("README.md").is_file()
    told = {p.key: p.value for p in onnx.load(DEFAULT_NETWORK).metadata_props}
    assert json.loads(told["keypoints"]) == list(NAMES)
    network = OnnxPose(DEFAULT_NETWORK, CPU)
    side = network.view.size
    readings = network.read(np.full((1, side, side, 3), 120, np.uint8))
    assert [r.shape for r in readings] == [(1, 36, 2), (1, 36), (1, 36, 3)]


def test_one_photograph_without_a_network_named(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    picture = real / "images" / "00_00.png"
    output = invoke(predict, "pose", picture, "--draw", "--channels")
    assert "00_00_pose/pose.csv: keypoints of 1 images" in output
    folder = tmp_path / "00_00_pose"
    pose = open_pack(folder / "pose.npy").pose("00_00.png")
    (row,) = read_predictions(folder / "pose.csv").values()
    assert row == pytest.approx(pose.rows, abs=1e-3)
    assert (folder / "drawn" / "00_00.jpg").stat().st_size > 5000
    for kind, count in (("heatmap", 36), ("segment", 13)):
        assert len(list((folder / f"{kind}_pictures" / "00_00").iterdir())) == count
    (sample,) = open_for_prediction(picture)
    expected = PosePredictor(DEFAULT_NETWORK, CPU).predict([sample])["00_00.png"]
    assert pose.points == pytest.approx(expected.points, abs=1e-4)
    result = CliRunner().invoke(predict, ["pose", "a", "b", "c"])
    assert result.exit_code == 2 and "expected [NETWORK] DATA, got 3 paths" in result.output


def test_channel_folders_lie_where_the_prediction_does(real: Path, tmp_path: Path) -> None:
    """The peaks of the 64 x 64 heatmaps, stretched over the image, are the predicted points."""
    samples = open_for_prediction(real, splits=("test",))
    rng = np.random.default_rng(0)
    poses = {
        s.name: Pose((48, 48), rng.uniform(2, 46, (36, 2)), rng.uniform(0.3, 1, 36))
        for s in samples
    }
    write_channel_folders(tmp_path, samples, poses)
    for name, pose in poses.items():
        for i, ((x, y), sure) in enumerate(zip(pose.points, pose.confidence, strict=True)):
            path = tmp_path / "heatmap_test" / Path(name).stem / f"{i:02d}.jpg"
            heatmap = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            assert heatmap.shape == (64, 64)
            assert abs(int(heatmap.max()) - 255 * sure) < 24
            row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
            assert np.hypot((column + 0.5) * 48 / 64 - x, (row + 0.5) * 48 / 64 - y) < 1.5
        assert len(list((tmp_path / "segment_test" / Path(name).stem).iterdir())) == 13
