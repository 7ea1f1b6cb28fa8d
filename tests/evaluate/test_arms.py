"""What an arm may change, which trainings arms share, and that all cost the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from evaluate.budget import spent
from evaluate.config import Arm, CompareConfig
from pamtri.config import parse_config
from pamtri.errors import ConfigError, DataError

SCHEDULE = "mixing.synthetic_ratio={kind: linear, start: 1, end: 0}"
HEATMAPS = "model.embedding=[heatmaps]"


def trained(bench: Any) -> dict[str, list[str]]:
    """The ``--set`` values of each training, by its place below ``arms``."""
    return {
        "/".join(Path(call[call.index("--output") + 1]).parts[-4:-1]): [
            call[i + 1] for i, word in enumerate(call) if word == "--set"
        ]
        for call in bench.calls()
        if call[0] == "train"
    }


def test_overrides_of_an_arm_come_last(bench: Any) -> None:
    bench.data["seeds"] = [0]
    bench.data["tasks"]["pose"]["overrides"] = ["training.steps=100", "model.width=8"]
    wide = ["model.width=16"]
    bench.data["arms"] += [{"name": "wide", "synthetic_ratio": 0.5, "overrides": wide}]
    bench.run()
    calls = trained(bench)
    assert calls["pose/augmented/seed0"][:2] == ["training.steps=100", "model.width=8"]
    assert calls["pose/wide/seed0"][:-1] == calls["pose/augmented/seed0"]
    assert calls["pose/wide/seed0"][-1] == calls["reid/wide/seed0"][-1] == "model.width=16"
    summary = json.loads((bench.root / "out/results.json").read_text())
    assert summary["arms"]["wide"]["overrides"] == dict.fromkeys(("pose", "reid"), wide)
    assert summary["arms"]["augmented"]["overrides"] == {"pose": [], "reid": []}


def test_what_arms_have_in_common_is_trained_once(bench: Any) -> None:
    """An embedding changes re-ID alone: its pose network is that of the arm without it."""
    bench.data["tasks"]["reid"]["keypoints_from_pose"] = True
    bench.data["arms"] += [
        {"name": "heatmaps", "synthetic_ratio": 0.5, "overrides": {"reid": [HEATMAPS]}},
    ]
    bench.run()
    calls = trained(bench)
    assert sorted(calls) == [
        *(f"pose/{arm}/seed{seed}" for arm in ("augmented", "real-only") for seed in (0, 1)),
        *(f"reid/{a}/seed{s}" for a in ("augmented", "heatmaps", "real-only") for s in (0, 1)),
    ]
    assert calls["reid/heatmaps/seed1"][-1] == HEATMAPS
    log = (bench.root / "out/logs/reid-heatmaps-seed1-keypoints.log").read_text()
    assert "arms/pose/augmented/seed1/train/best.pt" in log
    tasks = json.loads((bench.root / "out/results.json").read_text())["tasks"]
    pose = tasks["pose"]
    assert pose["arms"]["heatmaps"] == pose["arms"]["augmented"]
    assert pose["differences"]["heatmaps"] == pose["differences"]["augmented"]
    for difference in pose["differences"]["heatmaps"].values():
        assert difference["p_corrected"] is None, "one training is compared, not two"
    reid = tasks["reid"]["differences"]
    assert all(reid[arm]["mAP"]["p_corrected"] is not None for arm in ("augmented", "heatmaps"))
    assert len(tasks["reid"]["steps"]) == 6 and len(pose["steps"]) == 4


def test_an_arm_that_mixes_by_itself_gets_both_data_sets(bench: Any) -> None:
    del bench.data["tasks"]["reid"]
    bench.data["seeds"] = [0]
    bench.data["real"]["images_per_identity"] = [1, "all"]
    bench.data["arms"] += [
        {"name": "fading", "synthetic_ratio": 1.0, "overrides": [SCHEDULE]},
        {"name": "stages", "synthetic_ratio": 0.0, "overrides": ["stages=[{steps: 50}]"]},
        {"name": "easy-first", "synthetic_ratio": 0.5, "overrides": ["curriculum={by: [size]}"]},
    ]
    page = bench.run().report.read_text(encoding="utf-8")
    calls = trained(bench)
    for name in ("fading/1-each/seed0", "arms", "stages/1-each/seed0"):
        given = [sets for place, sets in calls.items() if name in place]
        for sets in given:
            plain = dict(item.split("=", 1) for item in sets if item.startswith("data."))
            assert None not in [json.loads(value) for value in plain.values()]
            assert "real-1-each" in plain["data.real"]
    assert len(calls) == 5 * 2
    assert calls["pose/fading/seed0"][-1] == SCHEDULE
    assert "With 50\xa0% synthetic images in every training batch" in page
    assert "difficulty of what is drawn, %" in page


def test_the_answer_names_arms_that_differ_in_more_than_a_share(bench: Any) -> None:
    del bench.data["tasks"]["reid"]
    bench.data["arms"][1]["overrides"] = ["augment.flip=0"]
    bench.run()
    summary = json.loads((bench.root / "out/results.json").read_text())
    assert summary["answer"].startswith("With 'augmented' in place of 'real-only', keypoint")


def test_a_task_that_two_arms_share_is_not_compared(bench: Any) -> None:
    bench.data["arms"][1] = {
        "name": "heatmaps", "synthetic_ratio": 0.0, "overrides": {"reid": [HEATMAPS]},
    }  # fmt: skip
    page = bench.run().report.read_text(encoding="utf-8")
    summary = json.loads((bench.root / "out/results.json").read_text())
    assert summary["tasks"]["pose"]["differences"] == {"heatmaps": {}}
    assert re.fullmatch(
        r"With 'heatmaps' in place of 'real-only', [^;]*re-identification \(mAP[^;]*\.",
        summary["answer"],
    )
    assert summary["answer"] in page.replace("&#39;", "'")


def test_a_second_arm_like_the_first_is_refused(bench: Any) -> None:
    """Others may come to be alike where a task is left out: they share what is trained."""
    arm = {"synthetic_ratio": 0.0, "overrides": {"pose": ["model.width=8"]}}
    bench.data["arms"][1:] = [{"name": name} | arm for name in ("wide", "too")]
    parse_config(bench.data, CompareConfig, "bench.yaml")
    del bench.data["tasks"]["pose"]
    with pytest.raises(ConfigError, match="trains otherwise than 'real-only', got the same in 'w"):
        parse_config(bench.data, CompareConfig, "bench.yaml")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["seed=1"], "arms.1: overrides: 'seed=1' is set by the comparison, the same for all arms"),
        (["data.real.path=x"], "'data.real.path=x' is set by the comparison"),
        ({"reid": ["data.validation=null"]}, "'data.validation=null' is set by the comparison"),
        ({"red": ["model.x=1"]}, "unknown key 'arms.1.overrides.red'.*'reid'"),
        ("model.x=1", "arms.1.overrides: expected an object, got 'model.x=1'"),
    ],
)
def test_overrides_that_an_arm_may_not_have(bench: Any, overrides: Any, message: str) -> None:
    bench.data["arms"][1]["overrides"] = overrides
    with pytest.raises(ConfigError, match=message):
        parse_config(bench.data, CompareConfig, "bench.yaml")


def test_a_garbled_override_is_told_before_anything_is_written(bench: Any) -> None:
    bench.data["arms"][1]["overrides"] = ["model.width"]
    with pytest.raises(ConfigError, match=r"--set model.width: expected a.b.c=value"):
        bench.run()
    assert not (bench.root / "out").exists()


def test_unequal_budgets_are_refused_before_anything_is_written(bench: Any) -> None:
    bench.data["arms"][1]["overrides"] = {"reid": ["training.steps=150"]}
    with pytest.raises(DataError) as failure:
        bench.run()
    assert str(failure.value) == (
        "the trainings do not get the same number of optimisation steps (reid, real-only: 100; "
        "reid, augmented: 150)"
    )
    assert not (bench.root / "out").exists()


def test_a_budget_of_images_lets_steps_differ(bench: Any) -> None:
    for name, size in (("pose", {"batch_size": 8}),
                       ("reid", {"identities": 4, "images_per_identity": 2})):  # fmt: skip
        text = json.dumps({"training": {"steps": 100} | size})
        (bench.root / f"{name}.yaml").write_text(text)
    overrides = ["training.steps=50", "training.batch_size=16"]
    bench.data |= {"budget": "images", "seeds": [0]}
    bench.data["arms"][1]["overrides"] = {"pose": overrides}
    bench.run()
    task = json.loads((bench.root / "out/results.json").read_text())["tasks"]["pose"]
    assert list(task["steps"].values()) == [100, 50]
    assert list(task["images"].values()) == [800, 800]
    bench.data["name"] = "other"
    bench.data["arms"][1]["overrides"]["reid"] = ["training.images_per_identity=4"]
    with pytest.raises(DataError, match=r"number of images to learn from \(reid, real-only: 800; "):
        bench.run()
    bench.data["budget"] = "steps"
    with pytest.raises(DataError, match=r"number of optimisation steps \(pose, real-only: 100; "):
        bench.run()


def test_what_a_budget_is_made_of() -> None:
    assert spent({"steps": 7}, "steps") == 7
    assert spent({"steps": 7, "batch_size": 5}, "images") == 35
    assert spent({"steps": 7, "identities": 3, "images_per_identity": 4}, "images") == 84
    assert spent({"steps": 7}, "images") is None
    assert spent({}, "steps") is None


def test_arms_tell_what_they_are_trained_with() -> None:
    plain, fading, only = (
        parse_config({"name": "a"} | settings, Arm, "arm")
        for settings in (
            {"synthetic_ratio": 1.0},
            {"synthetic_ratio": 1.0, "overrides": [SCHEDULE]},
            {"synthetic_ratio": 0.0, "overrides": {"reid": [SCHEDULE]}},
        )
    )
    assert (plain.uses_real("pose"), plain.uses_synthetic("pose")) == (False, True)
    assert fading.uses_real("pose")
    assert (only.uses_synthetic("pose"), only.uses_synthetic("reid")) == (False, True)
