"""Re-identification from configuration to features, with a small network and few steps."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from accelerate import Accelerator
from click.testing import CliRunner
from PIL import Image

from pamtri.config import parse_config
from pamtri.dataset import DatasetInfo, write_native
from pamtri.errors import ConfigError, DataError
from pamtri.features import read_features
from pamtri.formats import open_dataset
from pamtri.formats.pose_csv import write_predictions
from pamtri.record import Keypoints, Record, Viewpoint
from train.augment import denormalise
from train.checkpoint import load_checkpoint, save_checkpoint
from train.cli import predict, train
from train.config import AugmentConfig
from train.images import CropCache
from train.reid.config import ReidConfig, ReidModelConfig
from train.reid.data import augmented_item, labels, reid_view
from train.reid.embedding import NoPose
from train.reid.loss import UNKNOWN
from train.reid.network import ReidNetwork
from train.reid.predict import ReidPredictor
from train.reid.task import ReidTask, camera_notes, check_validation, validation_metrics
from train.retrieval_cli import embed, search
from train.sheet import SHEET
from train.sources import Sample, open_for_prediction

CONFIG = """
data: {real: {path: REAL}, synthetic: {path: SYNTHETIC, splits: null}, validation_fraction: 0.4}
mixing: {synthetic_ratio: 0.5}
model: {backbone: resnet10t, input_size: 32, embedding: [keypoints]}
training: {steps: 3, identities: 4, images_per_identity: 2, validate_every: 2}
"""


def invoke(group: object, *arguments: object) -> str:
    result = CliRunner().invoke(group, [str(a) for a in arguments], catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, real: Path, synthetic: Path) -> Path:
    folder = tmp_path_factory.mktemp("reid")
    path = folder / "reid.yaml"
    path.write_text(CONFIG.replace("REAL", str(real)).replace("SYNTHETIC", str(synthetic)))
    output = invoke(train, "reid", path, "--output", folder / "run")
    expected = (
        "reid: 9 real images of 3 identities + 20 synthetic images of 5 identities, "
        "6 images to validate"
    )
    assert expected in output
    return folder / "run"


def test_without_keypoints_the_sheet_shows_pictures_alone(
    real: Path, synthetic: Path, tmp_path: Path
) -> None:
    text = CONFIG.replace("[keypoints]", "[]").replace("steps: 3", "steps: 1")
    path = tmp_path / "reid.yaml"
    path.write_text(text.replace("REAL", str(real)).replace("SYNTHETIC", str(synthetic)))
    invoke(train, "reid", path, "--output", tmp_path / "run")
    sheet = cv2.imread(str(tmp_path / "run" / SHEET)).astype(int)
    assert sheet.shape == (192, 8 * 192, 3)  # 8 images
    config = ReidConfig.model_validate(yaml.safe_load(path.read_text()))
    first = denormalise(ReidTask(config, Accelerator(cpu=True)).batches[0]["image"][0].numpy())
    cell = cv2.resize(first, (192, 192), interpolation=cv2.INTER_CUBIC)[..., ::-1].astype(int)
    assert np.abs(sheet[:, :192] - cell).mean() < 12  # JPEG; no point is drawn


def test_identities_of_different_sources_are_different_classes(trained: Path) -> None:
    checkpoint = load_checkpoint(trained / "best.pt", "reid")
    assert checkpoint.classes is not None
    assert checkpoint.classes["synthetic"] == [0, 1, 2, 3, 4]
    assert len(checkpoint.classes["real"]) == 3
    assert checkpoint.state_dict["identity_head.weight"].shape == (8, 512)


def test_history_has_every_term_and_what_was_drawn(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    (train_line,) = [line for line in lines if line["kind"] == "train"]
    assert train_line["drawn"] == {"real": 12, "synthetic": 12}
    terms = [train_line[name] for name in ("identity", "triplet", "colour", "type")]
    assert train_line["loss"] == pytest.approx(np.dot([1, 1, 0.125, 0.125], terms), rel=1e-5)
    assert {"mAP", "rank1", "colour_accuracy", "type_accuracy"} < set(lines[0])
    apart = train_line["loss_by_domain"]
    assert (apart["real"] + apart["synthetic"]) / 2 == pytest.approx(train_line["loss"], rel=1e-5)
    assert apart["real"] != apart["synthetic"]


def test_features_of_a_split(trained: Path, real: Path, tmp_path: Path) -> None:
    csv = tmp_path / "pose.csv"
    write_predictions(
        csv, {s.name: np.full((36, 3), 0.5) for s in open_for_prediction(real, None, ["test"])}
    )
    arguments = ("reid", trained / "best.pt", real, "--split", "test", "--output")
    invoke(predict, *arguments, tmp_path / "labels.npz")
    invoke(predict, *arguments, tmp_path / "csv.npz", "--keypoints", csv)
    with np.load(tmp_path / "labels.npz", allow_pickle=False) as file:
        labels = dict(file)
    assert labels["names"].tolist() == ["05_00.png", "05_01.png", "05_02.png"]
    assert labels["features"].shape == (3, 512)
    assert labels["features"].dtype == np.float32
    assert labels["colour_scores"].sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert labels["type_scores"].shape == (3, 9)
    with np.load(tmp_path / "csv.npz", allow_pickle=False) as file:
        assert np.abs(file["features"] - labels["features"]).max() > 1e-4
    with pytest.raises(DataError, match=rf"^{csv}: has no row for 15 of 18 images, first 00_00"):
        invoke(predict, "reid", trained / "best.pt", real, "--output", "x", "--keypoints", csv)


def test_features_that_are_not_finite_are_refused(
    trained: Path, real: Path, tmp_path: Path
) -> None:
    content = load_checkpoint(trained / "best.pt", "reid")
    content.state_dict["identity_layer.weight"][0, 512] = float("nan")  # of a keypoint
    save_checkpoint(tmp_path / "broken.pt", content)
    expected = (
        rf"^{tmp_path}/broken.pt: makes features that are not finite of 3 of 3 images, first "
        rf"{real}/images/05_00.png$"
    )
    with pytest.raises(DataError, match=expected):
        invoke(predict, "reid", tmp_path / "broken.pt", real, "--split", "test", "--output", "x")


def test_batches_that_cannot_be_formed_are_refused(real: Path) -> None:
    data = {"real": {"path": str(real)}, "validation_fraction": 0.4}
    config = {"data": data, "mixing": {"synthetic_ratio": 0.0}, "training": {"steps": 1}}
    with pytest.raises(DataError, match="3 identities to train on, expected at least 8"):
        ReidTask(parse_config(config, ReidConfig, "c"), Accelerator(cpu=True))


def test_identities_with_too_few_images_are_refused(real: Path, tmp_path: Path) -> None:
    """Identities 0 and 3, with three images each, are held out."""
    few = edited(
        real, lambda rs: [r for r in rs if r.identity in (0, 3) or r.camera == 0], tmp_path / "few"
    )
    expected = "data.real: none of its 3 identities to train on has 2 images: expected that many "
    with pytest.raises(DataError, match=f"^{expected}of each, got 1 at most$"):
        reid_task(few)
    with pytest.raises(
        DataError,
        match=r"^data.real: none of its 3 identities to train on has 4 images: expected that many "
        r"of each, got 3 at most; lower training.images_per_identity, or let them be repeated$",
    ):
        reid_task(real, images_per_identity=4, few_images="leave_out")


def test_one_identity_is_too_few(real: Path, tmp_path: Path) -> None:
    alone = edited(real, lambda rs: [r for r in rs if r.identity == 1], tmp_path / "alone")
    with pytest.raises(
        DataError,
        match=rf"^data.real: {alone} has too few identities to hold out validation images; set "
        "data.validation$",
    ):
        reid_task(alone)
    plain = {
        "data": {"real": {"path": str(alone)}, "validation": {"path": str(real)}},
        "mixing": {"synthetic_ratio": 0.0},
        "training": {"steps": 1, "identities": 2, "images_per_identity": 2},
    }
    with pytest.raises(
        DataError, match=r"^data.real: 1 identity to train on, expected at least 2 for batches of 2"
    ):
        ReidTask(parse_config(plain, ReidConfig, "c"), Accelerator(cpu=True))


def reid_task(path: Path, held_out: float = 0.4, **training: object) -> ReidTask:
    """Of the data at ``path``, by default 3 of its 5 identities in ``train`` trained on."""
    plain = {
        "data": {"real": {"path": str(path)}, "validation_fraction": held_out},
        "mixing": {"synthetic_ratio": 0.0},
        "model": {"backbone": "resnet10t", "input_size": 32},
        "training": {"steps": 1, "identities": 2, "images_per_identity": 2, **training},
    }
    return ReidTask(parse_config(plain, ReidConfig, "c"), Accelerator(cpu=True))


def edited(root: Path, records: Callable[[list[Record]], list[Record]], target: Path) -> Path:
    """The data set with other records of the same images."""
    dataset = open_dataset(root)
    shutil.copytree(root / "images", target / "images")
    write_native(target, records(list(dataset)), DatasetInfo(name="edited"))
    return target


def test_identities_with_few_images_repeat_them_or_are_left_out(real: Path, tmp_path: Path) -> None:
    """Identities 0 and 3 are held out; of 1, 2 and 4, 1 keeps one image of three."""
    few = edited(
        real, lambda rs: [r for r in rs if r.identity != 1 or r.camera == 0], tmp_path / "few"
    )
    repeating = reid_task(few)
    assert repeating.describe() == (
        "reid: 7 real images of 3 identities, 6 images to validate\n"
        "data.real: 1 of 3 identities have fewer than 2 images and come with repeated images"
    )
    names = [name for step in range(9) for name in repeating.batches[step]["name"]]
    assert names[names.index("01_00.png") + 1] == "01_00.png"
    leaving = reid_task(few, few_images="leave_out")
    assert leaving.describe() == (
        "reid: 6 real images of 2 identities, 6 images to validate\n"
        "data.real: 1 of 3 identities have fewer than 2 images and are left out"
    )
    assert leaving.classes == {"real": [2, 4]}
    drawn = {name for step in range(9) for name in leaving.batches[step]["name"]}
    assert {name[:2] for name in drawn} == {"02", "04"}
    assert leaving.network.identity_head.out_features == 2  # type: ignore[union-attr]
    assert "\n" not in reid_task(real).describe()


def test_near_twins_share_a_batch(real: Path, tmp_path: Path) -> None:
    def with_models(records: list[Record]) -> list[Record]:
        models = {1: 4, 2: 2, 3: 2, 4: 4}
        return [
            r.model_copy(update={"scene": {"vehicle": {"model": models.get(r.identity or 0)}}})
            for r in records
        ]

    data = edited(real, with_models, tmp_path / "twins")
    twins = reid_task(data, held_out=0.2, twins_together=True)
    assert twins.classes == {"real": [1, 2, 3, 4]}
    assert [set(twins.batches[s]["identity"].tolist()) for s in range(8)].count({0, 3}) == 4
    assert [set(twins.batches[s]["identity"].tolist()) for s in range(8)].count({1, 2}) == 4
    with pytest.raises(DataError, match=r"^training.twins_together: no two identities to train on"):
        reid_task(real, twins_together=True)


def test_images_of_an_identity_come_from_different_cameras(real: Path, tmp_path: Path) -> None:
    def two_cameras(records: list[Record]) -> list[Record]:
        return [r.model_copy(update={"camera": min(r.camera or 0, 1)}) for r in records]

    data = edited(real, two_cameras, tmp_path / "cameras")

    def third_with_second(task: ReidTask) -> bool:
        names = [task.batches[step]["name"] for step in range(12)]
        groups = [{n[3:5] for n in batch[i : i + 2]} for batch in names for i in (0, 2)]
        return {"01", "02"} in groups

    assert not third_with_second(reid_task(data))
    assert third_with_second(reid_task(data, spread_cameras=False))


def with_cameras(samples: list[Sample], camera: Callable[[Record], int | None]) -> list[Sample]:
    return [
        replace(s, record=s.record.model_copy(update={"camera": camera(s.record)})) for s in samples
    ]


def test_validation_without_a_match_is_refused(synthetic: Path) -> None:
    samples = open_for_prediction(synthetic)
    check_validation(samples)
    with pytest.raises(
        DataError,
        match=r"^validation: none of its 5 identities has two images from different cameras; set "
        r"data.validation, or a larger data.validation_fraction$",
    ):
        check_validation(with_cameras(samples, lambda r: r.identity))
    with pytest.raises(DataError, match=r"^validation: none of its 5 identities has two images; "):
        check_validation([s for s in samples if s.record.camera == 0])


def test_nothing_is_left_out_for_a_camera_that_all_or_none_have(synthetic: Path) -> None:
    """Of each identity's four images, features put two of another's camera between."""
    samples = open_for_prediction(synthetic)
    features = np.array([[s.record.camera // 2, s.record.identity] for s in samples], np.float32)  # type: ignore[operator]
    one, lost = with_cameras(samples, lambda _: 3), with_cameras(samples, lambda _: None)
    some = with_cameras(samples, lambda r: r.camera if r.identity else None)
    check_validation(one)
    scores = [validation_metrics(s, {"feature": features})["mAP"] for s in (one, lost)]
    assert scores[0] == scores[1]
    pairs = with_cameras(samples, lambda r: r.camera // 2 if r.camera else 0)
    assert validation_metrics(pairs, {"feature": features})["mAP"] < scores[0]
    assert [camera_notes(s) for s in (one, lost, some, samples)] == [
        ["validation: all images are of one camera: nothing is left out for it"],
        ["validation: no camera is known: nothing is left out for it"],
        ["validation: cameras are not all known: where one is not, nothing is left out"],
        [],
    ]


def test_training_says_that_there_is_one_camera(real: Path, tmp_path: Path) -> None:
    data = edited(
        real, lambda rs: [r.model_copy(update={"camera": 5}) for r in rs], tmp_path / "one"
    )
    assert reid_task(data).describe().splitlines()[1:] == [
        "validation: all images are of one camera: nothing is left out for it"
    ]


def test_unknown_backbone_has_a_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"timm has no network 'resnet5' \(did you mean 'resnet5"):
        ReidNetwork(ReidModelConfig(backbone="resnet5"), 4)


def test_missing_weights_are_an_error() -> None:
    with pytest.raises(DataError, match=r"^nowhere.pth: no such file of weights$"):
        ReidNetwork(ReidModelConfig(backbone="resnet10t", weights="nowhere.pth"), 4)


def test_labels_are_known_or_unknown(real: Path) -> None:
    view = reid_view(ReidModelConfig(input_size=32), CropCache(2**20))
    by_name = {s.name: s for s in open_for_prediction(real)}
    rng = np.random.default_rng(0)
    items = [
        augmented_item(view, by_name[n], NoPose(), AugmentConfig(), rng)
        for n in ("00_00.png", "01_00.png")
    ]
    assert [(i["colour"], i["type"]) for i in items] == [(UNKNOWN, 1), (4, 1)]
    assert all(np.isnan(i["azimuth"]) for i in items)


def test_a_mirrored_vehicle_is_seen_from_the_other_side(real: Path) -> None:
    sample = open_for_prediction(real)[0]
    left = sample.record.model_copy(
        update={"viewpoint": Viewpoint(azimuth_deg=100.0, elevation_deg=5.0)}
    )
    seen = type(sample)(sample.path, left, "real")
    assert labels(seen, False)["azimuth"] == pytest.approx(np.deg2rad(100))
    assert labels(seen, True)["azimuth"] == pytest.approx(np.deg2rad(260))


def test_validation_ranks_each_image_against_the_others(real: Path) -> None:
    samples = [s for s in open_for_prediction(real) if s.record.identity in (0, 1)]
    ids = np.array([s.record.identity for s in samples])
    right = {"feature": ids[:, None].astype(np.float32)}
    assert validation_metrics(samples, right) == {"mAP": 1.0, "rank1": 1.0}
    colour = np.zeros((6, 10), np.float32)
    colour[:, 4] = [1, 1, 1, 1, 1, 0]  # only identity 1 has a colour, red
    assert validation_metrics(samples, {**right, "colour": colour})["colour_accuracy"] == (
        pytest.approx(2 / 3)
    )


def test_embedding_a_data_set_a_folder_and_a_picture(
    trained: Path, real: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    write_predictions(
        tmp_path / "pose.csv", {"05_01.png": np.ones((36, 3)), "05_02.png": np.ones((36, 3))}
    )
    for name in ("05_01.png", "05_02.png"):
        (plain / name).write_bytes((real / "images" / name).read_bytes())
    best = trained / "best.pt"
    said = invoke(embed, best, real, "--split", "test", "--output", tmp_path / "set.npz")
    assert "set.npz: features of 3 images, 512 values each\n" in said
    keypoints = ("--keypoints", tmp_path / "pose.csv")
    invoke(embed, best, plain, "--output", tmp_path / "folder.npz", *keypoints)
    picture = plain / "05_02.png"
    invoke(embed, best, picture, "--output", tmp_path / "one.npz", *keypoints)

    with np.load(tmp_path / "set.npz", allow_pickle=False) as file:
        arrays = dict(file)
    assert arrays["label_identity"].tolist() == [5, 5, 5]
    assert arrays["label_camera"].tolist() == [0, 1, 2]
    assert arrays["label_colour"].tolist() == ["red"] * 3
    assert arrays["checkpoint"] == hashlib.sha256(best.read_bytes()).hexdigest()
    folder, one = read_features(tmp_path / "folder.npz"), read_features(tmp_path / "one.npz")
    assert folder.names == ("05_01.png", "05_02.png")
    assert one.names == ("05_02.png",)
    assert one.paths is not None and one.paths[0].samefile(picture)
    np.testing.assert_allclose(one.features[0], folder.features[1], rtol=1e-4, atol=1e-5)
    with np.load(tmp_path / "one.npz", allow_pickle=False) as file:
        assert not [name for name in file if name.startswith("label_")]  # nothing is known
    with pytest.raises(DataError, match="none of the 2 images has keypoints to embed"):
        invoke(embed, best, plain, "--output", tmp_path / "none.npz")


def test_boxes_in_a_feature_file_are_those_looked_at(trained: Path, tmp_path: Path) -> None:
    Image.new("RGB", (48, 48), "red").save(tmp_path / "a.png")
    mask = np.zeros((48, 48), np.uint8)
    mask[10:20, 8:40] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    points = Keypoints(xy=[(1, 1)] * 36, visibility="v" * 36)
    known = {"domain": "real", "image": "a.png", "keypoints": points}
    predictor = ReidPredictor(trained / "best.pt", torch.device("cpu"))
    for record, box in (
        (Record(**known, mask="m.png"), [8, 10, 40, 20]),
        (Record(**known, mask="m.png", box=(1, 2, 3, 4)), [1, 2, 3, 4]),
        (Record(**known), [np.nan] * 4),
    ):
        labels = predictor.predict([Sample(tmp_path / "a.png", record, "real")], "labels").labels
        assert labels is not None
        np.testing.assert_array_equal(labels.box, [box])


def test_searching_a_folder_a_data_set_and_a_feature_file(
    trained: Path, real: Path, tmp_path: Path
) -> None:
    best, query = trained / "best.pt", real / "images" / "05_02.png"
    picture = ("--output", tmp_path / "search.png")
    invoke(embed, best, real, "--output", tmp_path / "set.npz")
    features = read_features(tmp_path / "set.npz")
    row = features.names.index("05_02.png")
    distances = np.linalg.norm(features.features - features.features[row], axis=1)
    order = [features.names[i] for i in np.argsort(distances, kind="stable") if i != row]

    said = invoke(search, best, "--query", query, "--gallery", real, "--top", 4, *picture)
    lines = said[said.index(f"{query}: identity 5, ") :].splitlines()
    assert [Path(line.split()[-1]).name for line in lines[2:6]] == order[:4]
    assert [("right" in line) for line in lines[2:6]] == [n.startswith("05") for n in order[:4]]
    assert lines[6] == f"{tmp_path / 'search.png'}: the picture of it"
    again = ("--query", query, "--gallery", tmp_path / "set.npz", "--top", 4, *picture)
    from_file = invoke(search, best, *again).splitlines()
    assert [line.split()[1] for line in from_file[2:6]] == [line.split()[1] for line in lines[2:6]]

    drawn = (tmp_path / "search.png").read_bytes()
    plain = ("--query", query, "--gallery", real, "--top", 4, *picture)
    assert "the picture of it" in invoke(search, best, *plain, "--attention")
    assert (tmp_path / "search.png").read_bytes() != drawn
    with pytest.raises(DataError, match="--query: none of the 1 images has keypoints to embed"):
        invoke(search, best, *again, "--attention")  # a feature file does not know them

    copy = tmp_path / "copy.png"
    copy.write_bytes(query.read_bytes())
    with pytest.raises(DataError, match="--query: none of the 1 images has keypoints to embed"):
        invoke(search, best, "--query", copy, "--gallery", tmp_path / "set.npz", *picture)
    other = load_checkpoint(best, "reid")
    save_checkpoint(tmp_path / "other.pt", replace(other, step=99))
    with pytest.raises(DataError, match=r"set.npz: .* of another network than .*other.pt"):
        invoke(search, tmp_path / "other.pt", *again)
    with pytest.raises(DataError, match=r"none.png: no such image"):
        invoke(search, best, "--query", tmp_path / "none.png", "--gallery", real)
