"""What is told before a comparison starts, and that a dry run tells it and writes nothing."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from evaluate.cli import compare
from evaluate.compare import dry_run
from pamtri.errors import DataError, UserError


def test_the_plan_in_words(bench: Any) -> None:
    bench.data["real"]["images_per_identity"] = [1, "all"]
    bench.data["tasks"]["reid"]["keypoints_from_pose"] = True
    bench.data["arms"] += [
        {"name": "synthetic-only", "synthetic_ratio": 1.0},
        {"name": "heatmaps", "synthetic_ratio": 0.5,
         "overrides": {"reid": ["model.embedding=[heatmaps]"]}},
    ]  # fmt: skip
    bench.data["expected_seconds"] = {"render": 200, "pose": 50, "reid": 100, "keypoints": 5}
    told = dry_run(bench.config, bench.root / "out")
    plan, _, listed = told.partition("\n\npamtri ")
    assert [line.split() for line in plan.splitlines()] == [
        line.split()
        for line in (
            "bench: 24 trainings, with seeds 0, 1; finished of them, by real images:",
            "",
            "task  arm             1 an identity  all",
            "pose  real-only       0 of 2         0 of 2",
            "pose  augmented       0 of 2         0 of 2",
            "pose  synthetic-only  as all         0 of 2",
            "pose  heatmaps        as augmented   as augmented",
            "reid  real-only       0 of 2         0 of 2",
            "reid  augmented       0 of 2         0 of 2",
            "reid  synthetic-only  as all         0 of 2",
            "reid  heatmaps        0 of 2         0 of 2",
            "",
            "63 commands, 0 of them finished; time left unknown yet:",
            "",
            "step       commands  finished  each",
            "render            1         0  about 3 min",
            "pose             10         0  about 50 s",
            "predict          24         0  unknown yet",
            "keypoints        14         0  about 5 s",
            "reid             14         0  about 2 min",
        )
    ]
    assert len(listed.splitlines()) == 63


def test_a_dry_run_shows_the_very_commands_and_writes_nothing(bench: Any) -> None:
    told = dry_run(bench.config, bench.root / "out")
    before = sorted(bench.root.rglob("*"))
    lines = [shlex.split(line) for line in told.splitlines() if line.startswith("pamtri ")]
    assert sorted(bench.root.rglob("*")) == before
    assert not (bench.root / "out").exists()
    bench.run()
    assert lines == [["pamtri", *call] for call in bench.calls()]


def test_what_is_finished_is_left_out(bench: Any) -> None:
    bench.data["expected_seconds"] = dict.fromkeys(("render", "pose", "reid", "predict"), 60)
    bench.steer(fail="arms/reid/augmented/seed0/train")
    with pytest.raises(UserError):
        bench.run()
    calls = bench.calls()
    told = dry_run(bench.config, bench.root / "out")
    assert "pose  augmented  2 of 2" in told and "reid  augmented  0 of 2" in told
    assert f"17 commands, {len(calls) - 1} of them finished; about " in told
    lines = [line for line in told.splitlines() if line.startswith("pamtri ")]
    assert len(lines) == 17 - (len(calls) - 1)
    assert shlex.split(lines[0])[1:] == [*calls[-1], "--resume"]


def test_time_of_several_at_once(bench: Any) -> None:
    del bench.data["tasks"]["reid"]
    bench.data["arms"] = [
        {"name": name, "synthetic_ratio": ratio} for name, ratio in (("a", 0.5), ("b", 0.7))
    ]
    bench.data["expected_seconds"] = {"render": 600, "pose": 1200, "predict": 60}
    one = dry_run(bench.config, bench.root / "out")
    assert "0 of them finished; about 1.6 h left in all:" in one  # 600 + 4 (1200 + 60) = 5640 s
    two = dry_run(bench.config, bench.root / "out", jobs=2)
    assert "about 52 min left in all, 2 at once:" in two  # 600 + 2 (1200 + 60) = 3120 s


def test_before_a_run_the_plan_is_told(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run()
    said = capsys.readouterr().err
    assert said.startswith("bench: 8 trainings, with seeds 0, 1; finished of them, by real images:")
    assert said.index("17 commands, 0 of them finished") < said.index("[1/17] Render")


def test_the_command_tells_what_is_wrong_with_the_data(bench: Any, tmp_path: Path) -> None:
    config = tmp_path / "bench.yaml"
    config.write_text(yaml.safe_dump(bench.data))
    arguments = [str(config), "--output", str(tmp_path / "out"), "--dry-run", "--jobs", "2"]
    result = CliRunner().invoke(compare, arguments, catch_exceptions=False)
    assert result.exit_code == 0 and result.output.startswith("bench: 8 trainings")
    assert not (tmp_path / "out").exists()
    with pytest.raises(
        DataError, match=r"no such data set folder; name yours with --set real\.root"
    ):
        CliRunner().invoke(compare, [*arguments, "--set", "real.root=gone"], catch_exceptions=False)


def test_a_data_set_that_cannot_be_parted_is_told_in_a_dry_run(bench: Any) -> None:
    del bench.data["tasks"]["pose"]
    bench.data["real"]["split_by"] = {"test_fraction": 0.01}
    with pytest.raises(DataError, match="8 identities cannot be parted"):
        dry_run(bench.config, bench.root / "out")
