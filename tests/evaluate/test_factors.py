"""Synthetic sets of an arm's own, and the ablation of factors that is made of such arms."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from evaluate.cli import ablate
from evaluate.compare import run_comparison
from evaluate.config import CompareConfig
from evaluate.factors import FACTORS, ablation, worths
from evaluate.plan import steps, synthetic_root
from evaluate.results import worth_rows
from evaluate.statistics import Difference
from pamtri.config import load_config, parse_config
from pamtri.errors import ConfigError
from synth.config import SynthConfig

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "configs/synth").glob("*.yaml"))


def settings_of(call: list[str]) -> list[str]:
    return [call[i + 1] for i, word in enumerate(call) if word == "--set"]


def option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1]


def test_arms_may_have_synthetic_images_of_their_own(bench: Any, fake: Any) -> None:
    fake.render(bench.root / "finished", identities=6, images=3)
    bench.data["seeds"] = [0]
    bench.data["synthetic"]["overrides"] = ["samples=4"]
    own = {
        "dark": {"overrides": ["light.hdri=night.exr"]},
        "other": {"render": str(bench.root / "synth.yaml"), "overrides": ["seed=1"]},
        "theirs": {"path": str(bench.root / "finished")},
        "dark-too": {"overrides": ["light.hdri=night.exr"]},
    }
    bench.data["arms"] += [
        {"name": name, "synthetic_ratio": 0.5, "synthetic": synthetic}
        for name, synthetic in own.items()
    ]
    bench.data["arms"][-1]["synthetic_ratio"] = 0.7
    bench.run()
    calls = bench.calls()
    data = bench.root / "out/data"
    rendered = {option(c, "--output"): settings_of(c) for c in calls if c[0] == "synth"}
    assert rendered == {
        str(data / "synthetic"): ["samples=4"],
        str(data / "synthetic-dark"): ["samples=4", "light.hdri=night.exr"],
        str(data / "synthetic-other"): ["seed=1"],
    }
    given = {
        option(c, "--output").split("/")[-3]: json.loads(value.partition("=")[2])["path"]
        for c in calls
        if c[:2] == ["train", "reid"] and "real-only" not in option(c, "--output")
        for value in settings_of(c)
        if value.startswith("data.synthetic=")
    }
    assert given == {
        "augmented": str(data / "synthetic"),
        "dark": str(data / "synthetic-dark"),
        "other": str(data / "synthetic-other"),
        "theirs": str(bench.root / "finished"),
        "dark-too": str(data / "synthetic-dark"),
    }
    kept = {path.name for path in (bench.root / "out/configs").iterdir()}
    assert kept == {"pose.yaml", "reid.yaml", "synthetic.yaml", "synthetic-dark.yaml",
                    "synthetic-other.yaml"}  # fmt: skip
    needs = {step.name: step.needs for step in steps(bench.config, bench.root / "out")}
    assert needs["pose-dark-too-seed0-train"] == ("render-dark",)
    assert needs["pose-theirs-seed0-train"] == ()
    assert needs["render-other"] == ("render-dark",), "each rendering has its workers for itself"


def test_a_set_that_no_arm_uses_is_not_rendered(bench: Any) -> None:
    bench.data["arms"][1]["synthetic"] = {"overrides": ["seed=1"]}
    bench.run()
    rendered = [c for c in bench.calls() if c[0] == "synth"]
    assert [option(c, "--output") for c in rendered] == [
        str(bench.root / "out/data/synthetic-augmented")
    ]
    assert synthetic_root(bench.config, Path()) == Path("data/synthetic-augmented")


@pytest.mark.parametrize(
    ("synthetic", "own", "message"),
    [
        ({"path": "x"}, {"overrides": ["seed=1"]},
         "arms.augmented.synthetic: overrides need synthetic.render, got a set that is rendered"),
        ({"render": "x"}, {"path": "y", "overrides": ["seed=1"]},
         "arms.1.synthetic: expected 'path', or what is to be rendered, got both"),
    ],
)  # fmt: skip
def test_sets_that_cannot_be(bench: Any, synthetic: Any, own: Any, message: str) -> None:
    bench.data["synthetic"] = synthetic
    bench.data["arms"][1]["synthetic"] = own
    with pytest.raises(ConfigError, match=message):
        parse_config(bench.data, CompareConfig, "bench.yaml")


def test_each_factor_is_frozen_in_turn(bench: Any) -> None:
    bench.data["synthetic"]["overrides"] = ["samples=4"]
    bench.data["factors"] = {
        "light": {"light.hdri": "studio.exr", "light.sun": False},
        "sensor": {"sensor": "off"},
    }
    bench.in_process()
    config = ablation(bench.config)
    results = run_comparison(config, bench.root / "out", "pamtri ablate").results
    calls = bench.calls()
    rendered = [c for c in calls if c[0] == "synth"]
    assert [settings_of(c) for c in rendered] == [
        ["samples=4"],
        ["samples=4", 'freeze.light.hdri="studio.exr"', "freeze.light.sun=false"],
        ["samples=4", 'freeze.sensor="off"'],
    ]
    assert len({c[2] for c in rendered}) == 1
    assert {option(c, "--output").split("/")[-3] for c in calls if c[0] == "train"} == {
        "augmented", "light-frozen", "sensor-frozen",
    }  # fmt: skip
    summary = json.loads((bench.root / "out/results.json").read_text())
    pose = summary["tasks"]["pose"]
    means = {name: arm["mean"]["pck@0.125"] for name, arm in pose["arms"].items()}
    light, sensor = (pose["factors"][name]["pck@0.125"] for name in ("light", "sensor"))
    assert light["value"] == pytest.approx(means["augmented"] - means["light-frozen"])
    assert 0 < light["low"] < light["value"] < light["high"] and light["shown"]
    assert sensor["shown"] is False, "the stand-in for a network is as good without it"
    assert light["p_corrected"] == pytest.approx(2 * light["p"])
    assert summary["answer"].startswith(
        "Of 2 factors of randomisation, 1 is shown to matter in keypoint accuracy (PCK): light +"
    )
    assert summary["answer"].endswith(
        "none was shown to be worth anything in re-identification (mAP)."
    )
    rows = worth_rows(results, "pose")
    assert [row[0] for row in rows] == ["pose", "light", "sensor"]
    assert rows[1][-1] == "helps" and rows[2][-1] == "no difference shown"


def test_an_ablation_goes_on_by_its_own_command(bench: Any) -> None:
    bench.in_process()
    config = bench.root / "bench.yaml"
    config.write_text(yaml.safe_dump(bench.data))
    line = [str(config), "--output", str(bench.root / "out"), "--set", "seeds=[3]"]
    line += ["--factor", "sensor", "--factor", "light"]
    dry = CliRunner().invoke(ablate, [*line, "--dry-run"], catch_exceptions=False)
    assert "bench-factors: 6 trainings, with seeds 3;" in dry.output
    assert not (bench.root / "out").exists()
    result = CliRunner().invoke(ablate, line, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "Of 2 factors of randomisation, 1 is shown to matter" in result.stdout
    table = result.stdout.partition("\npose ")[2].splitlines()
    assert table[0].split() == ["PCK,", "points", "95", "%", "interval", "p,", "corrected"]
    assert table[1].startswith("light ") and table[1].endswith("helps")
    assert table[2].startswith("sensor ") and table[2].endswith("no difference shown")
    page = (bench.root / "out/report/index.html").read_text(encoding="utf-8")
    assert f"pamtri ablate {config} --output" in page and "--factor sensor --factor light" in page
    bench.calls()
    CliRunner().invoke(ablate, [*line, "--resume"], catch_exceptions=False)
    assert bench.calls() == []


@pytest.mark.parametrize("path", PRESETS, ids=lambda p: p.stem)
def test_factors_that_come_along_can_be_frozen_in_every_preset(path: Path, bench: Any) -> None:
    bench.data["synthetic"] = {"render": str(path)}
    config = ablation(bench.config)
    assert [arm.name for arm in config.arms[1:]] == [f"{name}-frozen" for name in FACTORS]
    whole = load_config(path, SynthConfig)
    for arm in config.arms[1:]:
        frozen = load_config(path, SynthConfig, config.synthetic_of(arm).overrides)
        assert frozen.freeze != whole.freeze
        assert (frozen.seed, frozen.count) == (whole.seed, whole.count)


def test_an_ablation_takes_the_arm_it_is_told_and_the_most_images(bench: Any) -> None:
    bench.data["real"]["fractions"] = [0.1, 0.5]
    own = {"overrides": ["samples=2"]}
    bench.data["arms"] += [{"name": "much", "synthetic_ratio": 0.8, "synthetic": own}]
    config = ablation(bench.config, "much", ["weather"])
    assert [a.slug for a in config.real.amounts] == ["50-percent"]
    assert [(arm.name, arm.synthetic_ratio) for arm in config.arms] == [
        ("much", 0.8), ("weather-frozen", 0.8),
    ]  # fmt: skip
    assert config.synthetic_of(config.arms[1]).overrides == ("samples=2", 'freeze.weather="off"')


def test_what_cannot_be_ablated_is_told(bench: Any) -> None:
    with pytest.raises(ConfigError, match=r"no factor 'wether' \(did you mean 'weather'\?\); exp"):
        ablation(bench.config, names=["wether"])
    with pytest.raises(ConfigError, match="no arm 'much'; expected one of real-only, augmented"):
        ablation(bench.config, "much")
    with pytest.raises(
        ConfigError, match=r"arm 'real-only': expected .* are rendered, .* got none"
    ):
        ablation(bench.config, "real-only")
    bench.data["synthetic"] = {"path": str(bench.root / "real")}
    with pytest.raises(ConfigError, match=r"arm 'augmented': .* got a finished set in 'path'"):
        ablation(bench.config)


def test_worth_is_the_loss_turned_round() -> None:
    lost = Difference(-0.02, -0.05, 0.01, 0.3, True, 0.6)
    (worth,) = (by["mAP"] for by in worths({"light-frozen": {"mAP": lost}}).values())
    assert worth == Difference(0.02, -0.01, 0.05, 0.3, True, 0.6)
    assert list(worths({"light-frozen": {}})) == ["light"]
