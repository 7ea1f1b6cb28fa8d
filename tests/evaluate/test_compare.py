"""Comparisons end to end: order, budgets, failure, interruption, resume, and what is written."""

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluate.compare import run_comparison
from evaluate.config import CompareConfig
from evaluate.results import outcome, points
from evaluate.runner import Runner
from evaluate.statistics import Difference
from pamtri.config import parse_config
from pamtri.errors import ConfigError, DataError, UserError


def option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1]


def test_every_arm_gets_the_same_but_its_ratio(bench: Any) -> None:
    bench.run()
    calls = bench.calls()
    assert [c[:2] for c in calls[:1]] == [["synth", "render"]]
    assert len(calls) == 1 + 2 * 2 * 2 * 2  # render; (train, predict) x tasks x arms x seeds
    trained = [c for c in calls if c[0] == "train"]
    assert [option(c, "--output").split("/")[-4:-1] for c in trained[:4]] == [
        ["pose", "real-only", "seed0"], ["pose", "augmented", "seed0"],
        ["pose", "real-only", "seed1"], ["pose", "augmented", "seed1"],
    ]  # fmt: skip
    for call in trained:
        settings = dict(call[i + 1].split("=", 1) for i, w in enumerate(call) if w == "--set")
        augmented = "/augmented/" in option(call, "--output")
        assert json.loads(settings["mixing.synthetic_ratio"]) == (0.5 if augmented else 0.0)
        assert json.loads(settings["seed"]) == int(option(call, "--output").split("seed")[1][0])
        real = {"path": str(bench.root / "real"), "format": None, "splits": ["train"]}
        assert json.loads(settings["data.real"]) == real
        synthetic = {"path": str(bench.root / "out/data/synthetic"), "format": None,
                     "splits": ["train"]}  # fmt: skip
        assert json.loads(settings["data.synthetic"]) == (synthetic if augmented else None)
    tested = [c for c in calls if c[0] == "predict"]
    assert all(c[3] == str(bench.root / "real") for c in tested)
    assert all([c[i + 1] for i, w in enumerate(c) if w == "--split"] == ["query", "gallery"]
               for c in tested)  # fmt: skip


def test_results_file_and_report_agree(bench: Any) -> None:
    comparison = bench.run()
    summary = json.loads((bench.root / "out/results.json").read_text())
    page = comparison.report.read_text(encoding="utf-8")
    assert comparison.report == bench.root / "out/report/index.html"
    assert summary["answer"] in page
    page = page[page.index('<section id="result">') : page.index('<section id="parts">')]
    cells = re.findall(r'data-arm="([^"]+)">([^<]+?)\s*<small>\(([^)]+)\)</small></td>', page)
    expected = [
        (
            arm,
            points(by_arm["mean"][metric], signed=False),
            " to ".join(points(v, signed=False) for v in by_arm["interval"][metric]),
        )
        for task in summary["tasks"].values()
        for metric in task["arms"]["real-only"]["mean"]
        for arm, by_arm in task["arms"].items()
    ]
    assert cells == expected
    shown = re.findall(r"<b>([^<]+)</b> <small>\(([^)]+)\)</small>", page)
    differences = [
        (points(d["value"]), f"{points(d['low'])} to {points(d['high'])}")
        for task in summary["tasks"].values()
        for d in task["differences"]["augmented"].values()
    ]
    assert shown == differences
    for task in summary["tasks"].values():
        for metric, d in task["differences"]["augmented"].items():
            means = {arm: by_arm["mean"][metric] for arm, by_arm in task["arms"].items()}
            assert d["value"] == pytest.approx(means["augmented"] - means["real-only"])
            assert d["low"] <= d["value"] <= d["high"]


def test_better_predictions_are_told_as_such(bench: Any) -> None:
    bench.run()
    summary = json.loads((bench.root / "out/results.json").read_text())
    pose = summary["tasks"]["pose"]
    assert pose["differences"]["augmented"]["pck@0.125"]["shown"] is True
    assert re.search(r"keypoint accuracy \(PCK\) rose by \d+\.\d points \(95\xa0% interval \+",
                     summary["answer"])  # fmt: skip
    assert "With 50\xa0% synthetic images in every training batch" in summary["answer"]
    assert list(pose["steps"].values()) == [100] * 4


def test_several_arms_are_corrected_for_their_number(bench: Any) -> None:
    bench.data["arms"] += [{"name": "more", "synthetic_ratio": 0.7}]
    del bench.data["tasks"]["reid"]
    page = bench.run().report.read_text(encoding="utf-8")
    summary = json.loads((bench.root / "out/results.json").read_text())
    both = summary["tasks"]["pose"]["differences"]
    for key, first in both["augmented"].items():
        second = both["more"][key]
        smaller, larger = sorted((first["p"], second["p"]))
        found = sorted((first["p_corrected"], second["p_corrected"]))
        assert found == pytest.approx([min(1, 2 * smaller), min(1, max(2 * smaller, larger))])
    assert "corrected for their number (Holm)" in page


def test_a_difference_that_only_one_arm_alone_would_show_is_told_plainly() -> None:
    clear = Difference(0.02, 0.001, 0.04, 0.03, covers_seeds=True)
    assert outcome(clear, "re-identification", "mAP").startswith("re-identification (mAP) rose by")
    told = outcome(dataclasses.replace(clear, p_corrected=0.09), "re-identification", "mAP")
    assert told == (
        "no difference was shown in re-identification (mAP +2.0 points, 95\xa0% interval +0.1 to "
        "+4.0, which does not hold for so many arms at once)"
    )


def test_report_stands_alone(bench: Any) -> None:
    page = bench.run().report.read_text(encoding="utf-8")
    outside = re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"|url\((?!#)([^)]*)\)', page)
    assert outside == []
    assert "<script" not in page
    assert 'The real set is <code class="short">made up</code> for a test.' in page
    assert "pamtri train reid" in page and "--set seed=1" in page
    assert len(page.encode()) < 8e6


def test_identities_on_both_sides_are_told(bench: Any) -> None:
    assert "in both the training and the test" not in bench.run().report.read_text()
    bench.data["real"]["test"] = ["train", "query"]
    bench.data["name"] = "mixed"
    page = run_comparison(bench.config, bench.root / "mixed", "").report.read_text()
    assert "4 identities are in both the training and the test images" in page


def test_text_from_outside_is_escaped(bench: Any) -> None:
    bench.data["title"] = "<script>alert(1)</script>"
    bench.data["note"] = "`<b>` & <i>"
    page = bench.run().report.read_text(encoding="utf-8")
    assert "<script" not in page
    assert '<code class="short">&lt;b&gt;</code> &amp; &lt;i&gt;' in page


def test_failed_step_ends_in_a_sentence_and_resume_runs_the_rest_only(bench: Any) -> None:
    bench.steer(fail="predict reid")
    with pytest.raises(UserError) as failure:
        bench.run()
    log = bench.root / "out/logs/reid-real-only-seed0-predict.log"
    assert str(failure.value) == (
        "'Predict reid, real-only, seed 0' failed (exit status 1): images/000001.jpg: is "
        "truncated; "
        f"its log is {log}, and the same command with --resume goes on from here"
    )
    assert log.read_text().startswith("$ pamtri predict reid ")
    before = bench.calls()
    bench.steer(fail=None)
    with pytest.raises(UserError, match="already holds this run; continue it with --resume"):
        bench.run()
    bench.run(resume=True)
    after = bench.calls()
    assert after[0] == before[-1]
    ran_twice = [c for c in after if c in before]
    assert ran_twice == [before[-1]]
    assert len(before) + len(after) == 17 + 1
    bench.run(resume=True)
    assert bench.calls() == []


def test_unfinished_training_is_continued(bench: Any) -> None:
    bench.steer(fail="arms/pose/augmented/seed0/train")
    with pytest.raises(UserError):
        bench.run()
    bench.calls()
    bench.steer(fail=None)
    bench.run(resume=True)
    assert bench.calls()[0][-1] == "--resume"


def test_other_configuration_is_refused(bench: Any) -> None:
    bench.run()
    bench.data["seeds"] = [0, 2]
    with pytest.raises(UserError, match=r"holds a run with another configuration \(seeds is"):
        bench.run(resume=True)
    bench.data["seeds"] = [0, 1]
    (bench.root / "pose.yaml").write_text("training: {steps: 99}\n")
    with pytest.raises(UserError, match="the 'pose' configuration has changed since"):
        bench.run(resume=True)


def test_unequal_budgets_are_refused(bench: Any) -> None:
    bench.steer(steps="reid/augmented/seed1")
    told = r"do not get the same number of optimisation steps \(.*augmented, seed 1: 101\)"
    with pytest.raises(DataError, match=told):
        bench.run()


@pytest.mark.slow
def test_interrupted_run_ends_its_child_and_goes_on(bench: Any, tmp_path: Path) -> None:
    """The whole parent process, stopped by a signal in the middle of a step."""
    del bench.data["tasks"]["reid"]
    bench.data["seeds"] = [0]
    config = tmp_path / "bench.yaml"
    config.write_text(yaml.safe_dump(bench.data))
    program = (
        "import sys; from evaluate import cli, compare\n"
        f"compare.run_comparison.__defaults__ = (False, (), 1, {bench.command!r})\n"
        "from pamtri.cli import main; main()\n"
    )
    arguments = [sys.executable, "-c", program, "compare", str(config),
                 "--output", str(tmp_path / "out")]  # fmt: skip
    bench.steer(hang="train pose")
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True)
    log = tmp_path / "out/logs/pose-real-only-seed0-train.log"
    try:
        while not (log.exists() and "step 1/100" in log.read_text()):
            assert process.poll() is None, "it ended before anything was to be interrupted"
            time.sleep(0.1)
        other = subprocess.run([*arguments, "--resume"], capture_output=True, text=True)
        assert other.returncode == 1
        assert "another run is at work there" in other.stderr
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert "pamtri: stopped; what is finished stays. Go on with: pamtri compare" in said
    assert said.rstrip().endswith("--resume")
    assert "[1/5] Render synthetic images" in said
    note = json.loads((tmp_path / "out/steps/pose-real-only-seed0-train.json").read_text())
    assert note["finished"] is False
    bench.steer(hang=None)
    done = subprocess.run([*arguments, "--resume"], capture_output=True, text=True, check=True)
    assert "[1/5] Render synthetic images: done before" in done.stderr
    assert f"Report: {tmp_path / 'out/report/index.html'}" in done.stdout
    assert re.search(r"PCK: \d+\.\d % real-only, \d+\.\d % augmented \(\+", done.stdout)


def test_orphaned_step_keeps_the_folder(bench: Any) -> None:
    """A parent that is killed leaves its child at work: nobody else may start."""
    runner = Runner(bench.root / "out", (), {}, bench.command)
    with runner._locked() as lock:
        orphan = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    try:
        with pytest.raises(UserError, match="another run is at work there"):
            bench_runner = Runner(bench.root / "out", (), {}, bench.command)
            bench_runner.run(())
    finally:
        orphan.kill()
        orphan.wait()
    Runner(bench.root / "out", (), {}, bench.command).run(())


def test_missing_data_is_told_before_anything_is_written(bench: Any) -> None:
    bench.data["real"]["root"] = str(bench.root / "nowhere")
    with pytest.raises(DataError, match=r"nowhere: no such data set folder; name yours with --set"):
        bench.run()
    bench.data["real"]["root"] = str(bench.root / "real")
    bench.data["tasks"]["pose"]["config"] = str(bench.root / "gone.yaml")
    with pytest.raises(ConfigError, match=r"gone.yaml: no such configuration file"):
        bench.run()
    assert not (bench.root / "out").exists()
    assert bench.calls() == []


def test_pose_needs_keypoints(bench: Any, fake: Any) -> None:
    from pamtri.formats import open_dataset, write_dataset

    write_dataset(open_dataset(bench.root / "real"), bench.root / "veri", "veri")
    bench.data["real"]["root"] = str(bench.root / "veri")
    with pytest.raises(DataError, match="no image in split 'train' has keypoints, which the task"):
        bench.run()


def test_pose_labels_beside_veri(bench: Any) -> None:
    from pamtri.formats import open_dataset, write_dataset

    for layout in ("veri", "pamtri_pose"):
        write_dataset(open_dataset(bench.root / "real"), bench.root / layout, layout)
    bench.data["real"] = {
        "root": str(bench.root / "veri"), "label": "Stand-in",
        "pose": {"root": str(bench.root / "pamtri_pose")},
    }  # fmt: skip
    bench.data["tasks"]["reid"]["keypoints_from_pose"] = True
    page = bench.run().report.read_text(encoding="utf-8")
    calls = bench.calls()
    assert len(calls) == 17 + 4
    find = next(c for c in calls if option(c, "--output").endswith("keypoints.csv"))
    assert find[2] == str(bench.root / "out/arms/pose/real-only/seed0/train/best.pt")
    assert find[3] == str(bench.root / "veri")
    assert [find[i + 1] for i, w in enumerate(find) if w == "--split"] == [
        "train",
        "query",
        "gallery",
    ]
    train = next(c for c in calls if c[:2] == ["train", "reid"])
    real = next(w for w in train if w.startswith("data.real="))
    assert json.loads(real.partition("=")[2])["keypoints"] == option(find, "--output")
    predict = next(c for c in calls if c[:2] == ["predict", "reid"])
    assert option(predict, "--keypoints") == option(find, "--output")
    row = re.search(r"Images with keypoints</th>(.*?)</tr>", page, re.DOTALL)
    assert row is not None
    # 4 identities of 3 images are trained on, 4 tested; 3 of 6 synthetic identities are trained on.
    assert re.findall(r"<td[^>]*>(.*?)</td>", row[1]) == ["12", "12", "9"]


def test_parting_by_identity_keeps_test_identities_unseen(bench: Any) -> None:
    from pamtri.formats import open_dataset

    bench.data["real"]["split_by"] = {"test_fraction": 0.25, "seed": 3}
    del bench.data["tasks"]["pose"]
    comparison = bench.run()
    parted = open_dataset(bench.root / "out/data/real")
    train, test = parted.only("train").records, parted.only("test").records
    assert len({r.identity for r in test}) == 2
    assert len({r.identity for r in train}) == 6
    assert not {r.identity for r in test} & {r.identity for r in train}
    assert len(train) + len(test) == 24
    assert all(parted.image_path(r).exists() for r in parted)
    summary = json.loads((bench.root / "out/results.json").read_text())
    seed0 = summary["tasks"]["reid"]["arms"]["real-only"]["seeds"]["0"]
    assert seed0["leave_one_out"] is True
    assert seed0["queries"] == seed0["gallery"] == 6
    assert "none of them trained on" in comparison.report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"arms": [{"name": "a", "synthetic_ratio": 0.0}]},
            "arms: expected at least 2 items, got 1",
        ),
        ({"seeds": [1, 1]}, r"seeds must differ, got \[1, 1\]"),
        ({"seed": 3}, r"unknown key 'seed' \(did you mean 'seeds'\?\)"),
        ({"synthetic": {}}, "synthetic: expected either 'path' or 'render', one of both"),
        ({"tasks": {}}, "tasks: expected 'pose' or 'reid' or both, got neither"),
        (
            {"tasks": {"reid": {"config": "x", "keypoints_from_pose": True}}},
            "reid.keypoints_from_pose needs the task 'pose'",
        ),
        (
            {"tasks": {"pose": {"config": "x", "overrides": ["mixing.synthetic_ratio=1"]}}},
            "tasks.pose.overrides: 'mixing.synthetic_ratio=1' is set by the arms",
        ),
        (
            {
                "arms": [
                    {"name": "a", "synthetic_ratio": 0.0},
                    {"name": "a", "synthetic_ratio": 1.0},
                ]
            },
            "arms must have different names, got a, a",
        ),
        (
            {
                "arms": [
                    {"name": "a/b", "synthetic_ratio": 0.0},
                    {"name": "a", "synthetic_ratio": 1.0},
                ]
            },
            "arms.0.name: ",
        ),
        (
            {
                "arms": [
                    {"name": "b", "synthetic_ratio": 0.0},
                    {"name": "a", "synthetic_ratio": 1.5},
                ]
            },
            "arms.1.synthetic_ratio: expected less than or equal to 1, got 1.5",
        ),
    ],
)
def test_config_errors(bench: Any, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(bench.data | change, CompareConfig, "bench.yaml")


def test_run_comparison_is_what_the_command_runs() -> None:
    """The interruption test replaces this function's defaults: they must stay in this order."""
    assert run_comparison.__defaults__ is not None
    assert len(run_comparison.__defaults__) == 4
