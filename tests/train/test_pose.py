"""Pose from configuration to predictions, with a small network and few steps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from click.testing import CliRunner
from torch import Tensor, nn

from pamtri.config import load_config, parse_config
from pamtri.errors import ConfigError, DataError, UserError
from pamtri.formats import open_dataset
from pamtri.formats.pose_csv import read_predictions
from pamtri.keypoints import FLIP
from pamtri.record import Keypoints, Record
from train.augment import inverse, move
from train.batches import InOrder
from train.checkpoint import load_checkpoint, save_checkpoint
from train.cli import predict, train
from train.config import AugmentConfig
from train.draws import ImagePlan
from train.images import CropCache
from train.mixing import Mix
from train.pose.codec import encode
from train.pose.config import PoseConfig, PoseModelConfig
from train.pose.data import augmented_item, plain_item, pose_view, supervised
from train.pose.network import PoseNetwork
from train.pose.predict import PosePredictor, predict_points
from train.pose.task import PoseTask
from train.sheet import SHEET
from train.sources import Sample, open_for_prediction
from train.view import View

CONFIG = """
data: {real: {path: REAL}, synthetic: {path: SYNTHETIC, splits: null}, validation_fraction: 0.2}
mixing: {synthetic_ratio: 0.25}
model: {backbone: hrnet_w18_small, input_size: 64, loss: softmax, sigma: 1.5}
training: {steps: 3, batch_size: 4, validate_every: 2}
"""


def invoke(group: object, *arguments: object) -> str:
    result = CliRunner().invoke(group, [str(a) for a in arguments], catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, real: Path, synthetic: Path) -> Path:
    path = tmp_path_factory.mktemp("config") / "pose.yaml"
    path.write_text(CONFIG.replace("REAL", str(real)).replace("SYNTHETIC", str(synthetic)))
    return path


@pytest.fixture(scope="module")
def trained(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "pose"
    output = invoke(train, "pose", config, "--output", folder)
    assert "pose: 12 real + 20 synthetic images, 3 to validate" in output
    return folder


def test_a_run_leaves_its_configuration_history_and_best(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    assert [(line["step"], line["kind"]) for line in lines] == [
        (2, "val"),
        (3, "train"),
        (3, "val"),
    ]
    assert lines[1]["drawn"] == {"real": 9, "synthetic": 3}
    of_domain = lines[1]["loss_by_domain"]
    mean = (9 * of_domain["real"] + 3 * of_domain["synthetic"]) / 12
    assert lines[1]["loss"] == pytest.approx(mean, rel=1e-5)
    checkpoint = load_checkpoint(trained / "best.pt", "pose")
    assert checkpoint.metric == max(line["pck"] for line in lines if line["kind"] == "val")
    assert checkpoint.config["training"]["steps"] == 3
    assert (trained / "config.yaml").exists()
    assert list((trained / "tensorboard").iterdir())


@pytest.fixture
def other_precision() -> Iterator[None]:
    """Accelerate keeps one precision a process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("other_precision")
def test_bf16_learns_what_fp32_does(config: Path, trained: Path, tmp_path: Path) -> None:
    precision = ("--set", "training.mixed_precision=bf16")
    invoke(train, "pose", config, "--output", tmp_path / "bf16", *precision)
    plain, rounded = (
        [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()][1]
        for folder in (trained, tmp_path / "bf16")
    )
    assert rounded["loss"] == pytest.approx(plain["loss"], rel=5e-3)
    assert rounded["loss"] != plain["loss"]  # it did round
    first, second = (
        load_checkpoint(folder / "best.pt", "pose").state_dict
        for folder in (trained, tmp_path / "bf16")
    )
    assert {v.dtype for v in second.values()} == {v.dtype for v in first.values()}
    apart = (first["head.weight"] - second["head.weight"]).abs().mean()
    assert apart < 0.2 * first["head.weight"].abs().mean()


def test_validation_of_two_domains_tells_them_apart(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerator = Accelerator(cpu=True)
    task = PoseTask(load_config(config, PoseConfig, ()), accelerator)
    real, made = task._training["real"][:2], task._training["synthetic"][:3]
    task._validation = [*real, *made]

    def points(*_: object) -> list[np.ndarray]:
        rows = [np.array(s.record.keypoints.xy) for s in task._validation]  # type: ignore[union-attr]
        rows[0] = rows[0] + 1000  # one real image all wrong
        return [np.stack(rows), np.ones((5, 36))]

    monkeypatch.setattr("train.pose.task.predict_points", points)
    metrics = task.validate(task.network, accelerator)
    assert metrics["pck"] == pytest.approx(4 / 5)
    assert metrics["pck_by_domain"] == pytest.approx({"real": 1 / 2, "synthetic": 1})
    task._validation = real
    assert "pck_by_domain" not in task.validate(task.network, accelerator)


def test_a_finished_run_is_continued_only_when_asked_and_unchanged(
    config: Path, trained: Path
) -> None:
    with pytest.raises(UserError, match="already holds this run; continue it with --resume"):
        invoke(train, "pose", config, "--output", trained)
    expected = (
        f"{trained}: holds a run with another configuration (model.sigma is 1.5 there, 2.0 now); "
        "choose another --output"
    )
    with pytest.raises(UserError, match=f"^{re.escape(expected)}$"):
        invoke(train, "pose", config, "--output", trained, "--resume", "--set", "model.sigma=2")
    before = (trained / "best.pt").read_bytes()
    invoke(train, "pose", config, "--output", trained, "--resume")
    assert (trained / "best.pt").read_bytes() == before


def test_predictions_of_a_data_set_and_of_a_plain_folder_agree(
    trained: Path, real: Path, tmp_path: Path
) -> None:
    invoke(
        predict, "pose", trained / "best.pt", real, "--split", "test", "--output", tmp_path / "a"
    )
    invoke(predict, "pose", trained / "best.pt", real / "images", "--output", tmp_path / "b")
    split, folder = read_predictions(tmp_path / "a"), read_predictions(tmp_path / "b")
    assert list(split) == ["05_00.png", "05_01.png", "05_02.png"]
    assert len(folder) == 18
    assert all(folder[name] == pytest.approx(split[name], abs=2e-3) for name in split)
    confidence = np.stack(list(folder.values()))[..., 2]
    assert (confidence >= 0).all()
    assert (confidence <= 1).all()


def test_checkpoints_of_another_kind_or_architecture_are_refused(
    trained: Path, tmp_path: Path
) -> None:
    good = load_checkpoint(trained / "best.pt", "pose")
    path = tmp_path / "other.pt"
    save_checkpoint(path, replace(good, kind="reid"))
    with pytest.raises(DataError, match="expected a checkpoint of kind 'pose', got 'reid'"):
        PosePredictor(path, torch.device("cpu"))
    model = {**good.config["model"], "backbone": "hrnet_w18_small_v2"}
    save_checkpoint(path, replace(good, config={**good.config, "model": model}))
    with pytest.raises(DataError, match="holds another architecture than its configuration"):
        PosePredictor(path, torch.device("cpu"))
    head = {k: v[:20] for k, v in good.state_dict.items() if k.startswith("head.")}
    save_checkpoint(path, replace(good, state_dict={**good.state_dict, **head}))
    expected = (
        f"{path}: holds another architecture than its configuration describes: 2 tensors do not "
        "fit, first 'head.weight' (shape [20, 16, 1, 1], expected shape [36, 16, 1, 1])"
    )
    with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
        PosePredictor(path, torch.device("cpu"))
    beheaded = {k: v for k, v in good.state_dict.items() if k != "head.bias"}
    save_checkpoint(path, replace(good, state_dict=beheaded))
    with pytest.raises(DataError, match=r"first 'head.bias' \(not there, expected shape \[36\]\)$"):
        PosePredictor(path, torch.device("cpu"))
    save_checkpoint(path, replace(good, config={**good.config, "colour": 3}))
    with pytest.raises(ConfigError, match="unknown key 'colour'"):
        PosePredictor(path, torch.device("cpu"))


def test_a_trained_backbone_can_be_started_from(trained: Path) -> None:
    model = PoseModelConfig(backbone="hrnet_w18_small", weights=str(trained / "best.pt"))
    state = load_checkpoint(trained / "best.pt", "pose").state_dict
    assert torch.equal(PoseNetwork(model).backbone.conv1.weight, state["backbone.conv1.weight"])
    with pytest.raises(DataError, match=r"does not hold this backbone: .* first 'layer1.0.conv1"):
        PoseNetwork(PoseModelConfig(backbone="hrnet_w32", weights=str(trained / "best.pt")))


def test_data_without_keypoints_and_ratios_without_data_are_refused(
    tmp_path: Path, real: Path, write_dataset: Callable[..., Path]
) -> None:
    bare = write_dataset(tmp_path / "bare", 2, 2, "real")
    shard = bare / "records" / "00000.jsonl"
    records = [
        Record.model_validate_json(line).model_copy(update={"keypoints": None})
        for line in shard.read_text().splitlines()
    ]
    shard.write_text("".join(r.model_dump_json(exclude_none=True) + "\n" for r in records))
    data = {"real": {"path": str(bare)}}
    config = {"data": data, "training": {"steps": 1}, "mixing": {"synthetic_ratio": 0.0}}
    with pytest.raises(
        DataError, match=f"^data.real: none of the 2 images of {bare} has a visible keypoint$"
    ):
        PoseTask(parse_config(config, PoseConfig, "c"), Accelerator(cpu=True))
    config["data"] = {"real": {"path": str(real)}, "validation": {"path": str(bare)}}
    with pytest.raises(
        DataError, match=f"^data.validation: none of the 2 images of {bare} has a visible keypoint$"
    ):
        PoseTask(parse_config(config, PoseConfig, "c"), Accelerator(cpu=True))
    with pytest.raises(
        ConfigError, match=r"mixing.synthetic_ratio 0.5 needs data.synthetic, got none"
    ):
        parse_config({"data": data, "training": {"steps": 1}}, PoseConfig, "c")


@pytest.mark.parametrize("loss", ["mse", "softmax"])
def test_a_batch_without_a_keypoint_in_view_is_told_once_and_teaches_no_places(
    config: Path, loss: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = (f"model.loss={loss}", "model.visibility=true")
    task = PoseTask(load_config(config, PoseConfig, changes), Accelerator(cpu=True))
    batch = task.batches[0]
    network = task.network.train()
    assert torch.isfinite(task.losses(network, batch)["loss"])
    assert capsys.readouterr().err == ""
    batch["weight"] = torch.zeros_like(batch["weight"])
    for _ in range(2):
        losses = task.losses(network, batch)
    assert float(losses["heatmap"].detach()) == 0
    assert losses["loss"] == losses["visibility"]  # which labels tell all the same
    losses["loss"].backward()
    gradients = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
    assert all(torch.isfinite(g).all() for g in gradients.values())
    assert all(n.startswith("visibility.") for n, g in gradients.items() if g.any())
    assert capsys.readouterr().err == (
        f"no keypoint that teaches is in view in the images {', '.join(batch['name'])}: their "
        "batch teaches no places (said once)\n"
    )


def test_points_outside_of_every_view_train_to_nothing_without_nan(
    tmp_path: Path, write_dataset: Callable[..., Path]
) -> None:
    astray = write_dataset(tmp_path / "astray", 3, 2, "real")
    shard = astray / "records" / "00000.jsonl"
    records = [Record.model_validate_json(line) for line in shard.read_text().splitlines()]
    shard.write_text(
        "".join(
            r.model_copy(update={"box": (-90.0, -90.0, -50.0, -50.0)}).model_dump_json(
                exclude_none=True
            )
            + "\n"
            for r in records
        )
    )
    path = tmp_path / "pose.yaml"
    path.write_text(
        f"data: {{real: {{path: {astray}, splits: null}}, validation_fraction: 0.4}}\n"
        "mixing: {synthetic_ratio: 0}\n"
        "model: {backbone: hrnet_w18_small, input_size: 64}\n"
        "training: {steps: 2, batch_size: 2, validate_every: 2}\n"
    )
    output = invoke(train, "pose", path, "--output", tmp_path / "run")
    assert output.count("no keypoint that teaches is in view in the images") == 1
    history = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    assert json.loads(history[0])["loss"] == 0


def test_a_loss_that_explodes_names_the_images_of_its_batch(config: Path, tmp_path: Path) -> None:
    explode = ("--set", "training.learning_rate=1.0e+30", "--set", "training.optimiser=adam")
    parsed = load_config(config, PoseConfig, ())
    draws = ImagePlan({"real": 12, "synthetic": 20}, 4, Mix.constant(0.25), 0).batch(1)
    task = PoseTask(parsed, Accelerator(cpu=True))
    names = [task.split.training[draw.source][draw.index].name for draw in draws]
    expected = (
        f"the loss is nan at step 2, on the images {', '.join(names)}; no checkpoint yet; a "
        "lower training.learning_rate may help"
    )
    with pytest.raises(UserError, match=f"^{re.escape(expected)}$"):
        invoke(train, "pose", config, "--output", tmp_path / "run", *explode)
    assert not (tmp_path / "run" / "best.pt").exists()


def test_the_head_sees_a_quarter_of_the_input_and_starts_near_zero() -> None:
    network = PoseNetwork(PoseModelConfig(backbone="hrnet_w18_small"))
    output = network(torch.rand(2, 3, 64, 96))
    assert output.shape == (2, 36, 16, 24)
    assert output.abs().max() < 0.5


class Oracle(nn.Module):
    """Answers with the heatmaps of known points: those of the mirrored images come after."""

    def __init__(self, points: Tensor, size: int) -> None:
        super().__init__()
        mirrored = torch.stack([size - points[..., 0], points[..., 1]], dim=-1)[:, FLIP.copy()]
        self._maps = encode(torch.cat([points, mirrored]), size // 4, 1.5)

    def forward(self, images: Tensor) -> Tensor:
        return self._maps


def test_predicted_points_come_back_in_image_pixels(real: Path) -> None:
    config = parse_config(
        {"data": {"real": {"path": str(real)}}, "mixing": {"synthetic_ratio": 0.0},
         "training": {"steps": 1}, "model": {"input_size": 64, "sigma": 1.5}},
        PoseConfig, "c",
    )  # fmt: skip
    view = pose_view(64, 1.25, CropCache(0))
    dataset = open_dataset(real)
    samples = []
    for record in dataset.records[:3]:
        boxed = record.model_copy(update={"box": (3.0, 10.0, 40.0, 31.0)})
        samples.append(Sample(dataset.image_path(record), boxed, "real"))
    batch = InOrder(samples, lambda s: plain_item(view, s), 3)[0]
    inside = torch.rand(3, 36, 2, generator=torch.Generator().manual_seed(0)) * 64
    points, confidence, *_ = predict_points(Oracle(inside, 64), config.model, [batch])
    # The input shows a square of 1.25 times the box's longer side, 37, about (21.5, 20.5).
    expected = (inside.numpy() / 64 - 0.5) * 37 * 1.25 + [21.5, 20.5]
    assert points == pytest.approx(expected, abs=0.01)
    assert confidence.min() > 0.75


def test_training_points_follow_the_mask_and_the_frame(real: Path) -> None:
    sample = open_for_prediction(real)[0]
    view = pose_view(64, 1.25, CropCache(2**20))
    still = AugmentConfig(flip=0)
    item = augmented_item(view, sample, "visible", still, np.random.default_rng(0))
    assert item["weight"].tolist() == [1.0] * 20 + [0.0] * 16
    keypoints = sample.record.keypoints
    assert keypoints is not None
    expected = (keypoints.xy_array() - 24) * 64 / (48 * 1.25) + 32
    assert item["points"] == pytest.approx(expected, abs=1e-4)
    everything = augmented_item(view, sample, "all", still, np.random.default_rng(0))
    assert everything["weight"].tolist() == [1.0] * 36
    zoomed = augmented_item(
        view, sample, "all", AugmentConfig(flip=0, shift=0.5), np.random.default_rng(0)
    )
    inside = ((zoomed["points"] >= 0) & (zoomed["points"] <= 64)).all(axis=1)
    assert (zoomed["weight"] == inside).all()
    assert 0 < inside.sum() < 36


def test_a_record_without_a_box_is_looked_at_where_its_mask_is(tmp_path: Path) -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[20:30, 10:40], mask[0, 0] = 255, 90  # the dim pixel does not count
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    cv2.imwrite(str(tmp_path / "empty.png"), np.zeros_like(mask))
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((48, 64, 3), np.uint8))
    view = View(32, True, 1.0, 1.4, CropCache(0))

    def centre_and_side(**labels: object) -> tuple[float, float, float]:
        record = Record(image="images/a.png", domain="real", **labels)  # type: ignore[arg-type]
        _, to_input = view.plain(Sample(tmp_path / "images" / "a.png", record, "real"))
        x, y = move([[16.0, 16.0]], inverse(to_input))[0]
        return x, y, 32 / to_input[0, 0]

    assert centre_and_side(mask="mask.png") == pytest.approx((25, 25, 30))
    assert centre_and_side(mask="empty.png") == pytest.approx((32, 24, 64))
    assert centre_and_side() == pytest.approx((32, 24, 64))
    assert centre_and_side(mask="mask.png", box=(2, 4, 6, 10)) == pytest.approx((4, 7, 6))
    with pytest.raises(DataError, match=f"^{tmp_path / 'none.png'}: no such image$"):
        centre_and_side(mask="none.png")


def test_the_sheet_shows_what_the_network_sees_and_is_taught(
    trained: Path, config: Path, tmp_path: Path
) -> None:
    sheet = cv2.imread(str(trained / SHEET))
    assert sheet.shape == (2 * 192, 8 * 192, 3)  # 3 steps of 4 images
    task = PoseTask(load_config(config, PoseConfig), Accelerator(cpu=True))
    batch = task.batches[1]
    cell = sheet[:192, 4 * 192 : 5 * 192, ::-1].astype(int)  # the second step's first image
    states = batch["possible"][0].numpy()
    close_to = {"visible": (60, 220, 60), "occluded": (250, 210, 40)}
    for row, name in ((0, "visible"), (1, "occluded")):
        alone = [
            i for i in np.flatnonzero(states[:, row])
            if np.sort(np.linalg.norm(batch["points"][0] - batch["points"][0, i], axis=1))[1] > 4
        ]  # fmt: skip
        assert alone
        for i in alone:
            x, y = (batch["points"][0, i].numpy() * 3).astype(int).clip(0, 191)
            assert np.abs(cell[y, x] - close_to[name]).max() < 60


def test_hidden_points_of_unknown_place_never_teach() -> None:
    keypoints = Keypoints(xy=[(1.0, 1.0)] * 36, visibility="v" + "s" + "o" + "t" + "h" * 32)
    assert np.flatnonzero(supervised(keypoints, "visible")).tolist() == [0]
    assert np.flatnonzero(supervised(keypoints, "all")).tolist() == [0, 1, 2]
