"""The shipped comparisons of full scale, dry-run on folders of their layouts with a few images."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluate.compare import dry_run
from evaluate.config import CompareConfig
from evaluate.data import parted
from pamtri.config import load_config
from pamtri.formats import open_dataset, write_dataset
from synth.config import SynthConfig
from train.pose.config import PoseConfig
from train.reid.config import ReidConfig

ROOT = Path(__file__).parents[2]
MODELS = {("synth", "render"): SynthConfig, ("train", "pose"): PoseConfig,
          ("train", "reid"): ReidConfig}  # fmt: skip


@pytest.fixture
def folders(bench: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A VeRi folder, its pose labels and a CityFlow folder, of the bench's 24 images."""
    monkeypatch.chdir(ROOT)
    real = open_dataset(bench.root / "real")
    split = {"train": "train", "query": "test", "gallery": "test"}
    labelled = tuple(r.model_copy(update={"split": split[r.split]}) for r in real)
    named = {name: bench.root / name for name in ("VeRi", "VeRi-pose", "CityFlow")}
    write_dataset(real, named["VeRi"], "veri")
    write_dataset(replace(real, records=labelled), named["VeRi-pose"], "pamtri_pose")
    cityflow(named["CityFlow"], [(r.identity, r.camera) for r in real if r.split == "train"])
    return named


def cityflow(root: Path, vehicles: list[tuple[int, int]]) -> None:
    """Labelled training images; queries and gallery without any label, as in the challenge."""
    names = {"train": range(1, len(vehicles) + 1), "query": [1], "test": [1, 2]}
    for name, numbers in names.items():
        (root / f"image_{name}").mkdir(parents=True)
        for number in numbers:
            (root / f"image_{name}/{number:06d}.jpg").write_bytes(b"picture")
    items = "".join(
        f'<Item imageName="{i:06d}.jpg" vehicleID="{v:04d}" cameraID="c{c:03d}" />'
        for i, (v, c) in enumerate(vehicles, start=1)
    )
    text = f'<?xml version="1.0"?><TrainingImages><Items>{items}</Items></TrainingImages>'
    (root / "train_label.xml").write_text(text)


def told(name: str, root: Path, pose: Path, output: Path) -> tuple[str, list[list[str]]]:
    """The plan, and the commands after ``pamtri``."""
    overrides = [f"real.root={root}", f"real.pose.root={pose}"]
    config = load_config(ROOT / f"configs/compare/{name}.yaml", CompareConfig, overrides)
    plan, _, listed = dry_run(config, output).partition("\n\npamtri ")
    return plan, [shlex.split(line)[1:] for line in f"pamtri {listed}".splitlines()]


def check_commands(calls: list[list[str]]) -> None:
    """Each command's configuration, with its overrides, is one that the command takes."""
    checked = set()
    for call in calls:
        model = MODELS.get((call[0], call[1]))
        overrides = tuple(call[i + 1] for i, word in enumerate(call) if word == "--set")
        if model is not None:
            assert load_config(Path(call[2]), model, overrides)
            checked.add(call[1])
    assert checked == {"render", "pose", "reid"}


def test_veri(folders: dict[str, Path], tmp_path: Path) -> None:
    plan, calls = told("veri", folders["VeRi"], folders["VeRi-pose"], tmp_path / "out")
    pose = 3 * (12 - 4)  # four arms share the pose network of another
    reid = 3 * 12
    assert f"veri: {pose + reid} trainings, with seeds 0, 1, 2;" in plan
    assert [line.split()[2:] for line in plan.splitlines() if line.startswith("pose  seg")] == [
        ["as", "augmented"]
    ]
    assert len(calls) == 1 + 2 * pose + 3 * reid
    assert "h left in all" in plan
    check_commands(calls)
    assert not (tmp_path / "out").exists()


def test_veri_in_parts(folders: dict[str, Path], tmp_path: Path) -> None:
    plan, calls = told("veri_curve", folders["VeRi"], folders["VeRi-pose"], tmp_path / "out")
    assert f"veri_curve: {2 * 3 * (5 + 5 + 1)} trainings" in plan
    amounts = next(line for line in plan.splitlines() if line.startswith("task"))
    assert amounts.split()[2:] == ["5", "%", "10", "%", "25", "%", "50", "%", "all"]
    check_commands(calls)


def test_cityflow(folders: dict[str, Path], tmp_path: Path) -> None:
    plan, calls = told("cityflow", folders["CityFlow"], folders["VeRi-pose"], tmp_path / "out")
    assert f"cityflow: {3 * 3 * 2 + 3 * 3 * 5} trainings" in plan
    check_commands(calls)
    data = tmp_path / "out/data"
    looked = [c for c in calls if c[:2] == ["predict", "pose"]]
    assert {c[3] for c in looked} == {str(folders["VeRi-pose"]), str(data / "real")}
    tested = [c for c in calls if c[:2] == ["predict", "reid"]]
    assert {tuple(c[i + 1] for i, w in enumerate(c) if w == "--split") for c in tested} == {
        ("test",)
    }
    trained = {v for c in calls if c[0] == "train" for v in c if v.startswith("data.real=")}
    for name in ("real-10-percent", "real-25-percent-pose", "VeRi-pose", "real"):
        assert any(f'/{name}"' in value for value in trained), name
    config = load_config(ROOT / "configs/compare/cityflow.yaml", CompareConfig,
                         [f"real.root={folders['CityFlow']}"])  # fmt: skip
    assert config.real.split_by is not None
    halves = parted(config.real, config.real.split_by)
    assert {len({r.identity for r in halves.only(s)}) for s in ("train", "test")} == {2}
