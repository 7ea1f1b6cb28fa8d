"""The quickstart's order of steps, its layouts, resuming and beginning anew."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluate.quickstart import CONFIG, STAND_IN, remove_run, run_quickstart
from pamtri.config import read_plain
from pamtri.errors import UserError
from pamtri.formats import open_dataset

ROOT = Path(__file__).parents[2]


def test_stand_in_goes_through_the_layouts_of_real_data(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    bench.in_process()
    folder = bench.root / "quick"
    comparison = run_quickstart(folder)
    calls = [" ".join(c) for c in bench.calls()]
    assert calls[:4] == [
        f"synth render {STAND_IN} --output {folder}/data/stand_in --workers 2",
        f"dataset convert {folder}/data/stand_in --to veri --output {folder}/data/veri",
        f"dataset convert {folder}/data/stand_in --to pamtri_pose --output {folder}/data/veri_pose",
        f"synth render configs/synth/quickstart.yaml --output {folder}/data/synthetic --workers 2",
    ]
    assert len(calls) == 4 + 2 * 2 + 2 * 3
    veri = open_dataset(folder / "data/veri")
    assert veri.format == "veri"
    assert all(r.keypoints is None for r in veri)
    assert open_dataset(folder / "data/veri_pose").format == "pamtri_pose"
    trained = [c for c in calls if c.startswith("train reid")]
    assert all('"format": "veri"' in c and "keypoints.csv" in c for c in trained)
    page = comparison.report.read_text(encoding="utf-8")
    assert "a rendered stand-in, not photographs" in page
    assert (
        "pamtri compare configs/compare/veri.yaml --output runs/veri --set real.root=VeRi" in page
    )
    assert f"pamtri quickstart --output {folder} --fresh" in page

    run_quickstart(folder)
    assert bench.calls() == []
    run_quickstart(folder, fresh=True)
    assert len(bench.calls()) == len(calls)


def test_half_a_conversion_is_done_again(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    bench.in_process()
    bench.steer(fail="--to veri")  # fails after it has written
    with pytest.raises(UserError, match="'Convert it to the layout 'veri'' failed"):
        run_quickstart(bench.root / "quick")
    assert (bench.root / "quick/data/veri").exists()
    bench.steer(fail=None)
    run_quickstart(bench.root / "quick")


def test_only_a_comparison_is_removed(tmp_path: Path) -> None:
    remove_run(tmp_path / "nothing")
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="holds no quickstart, so it is not removed"):
        remove_run(tmp_path)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"stage": "train pose"}))
    (tmp_path / "config.yaml").write_text("{}")
    with pytest.raises(UserError, match="holds no quickstart"):
        remove_run(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_shipped_configurations_name_files_that_exist() -> None:
    for path in sorted((ROOT / CONFIG.parent).glob("*.yaml")):
        data = read_plain(path)
        named = [data["synthetic"]["render"], *(t["config"] for t in data["tasks"].values())]
        for name in [*named, str(STAND_IN)]:
            assert (ROOT / name).exists(), f"{path.name} names {name}"
