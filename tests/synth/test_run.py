"""Whatever is killed, and whenever: what is recorded is on disk, and resuming completes the set."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from pamtri.config import parse_config
from pamtri.dataset import read_native
from pamtri.errors import UserError
from pamtri.run_folder import open_run_folder
from synth.cli import synth
from synth.config import SynthConfig
from synth.images import FOLDERS
from synth.run import FAILURES_FILE, Outcome, render_dataset
from synth.sampling import sample_scene
from synth.scene import SceneSpec

HERE = Path(__file__).parent
SMALL = {
    "name": "small",
    "seed": 3,
    "identities": 2,
    "images_per_identity": 3,
    "vehicle": {"style": "notchback"},
    "image": {"size_px": 40},
}

LONGER = {"images_per_identity": 8}


@pytest.fixture(autouse=True)
def _renderers_can_be_imported(monkeypatch, tmp_path):
    """Worker processes get this process's path and environment."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("TEST_MEMORY", str(tmp_path / "memory"))


def renderer(name):
    import renderers_for_tests

    return getattr(renderers_for_tests, name)


def configure(**changes):
    return parse_config({**SMALL, **changes}, SynthConfig, source="test")


def run(root, name="Plain", workers=1, resume=False, **changes):
    return render_dataset(configure(**changes), root, workers, resume, renderer(name))


def content(root):
    """Every image and mask by name, and every record."""
    files = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in FOLDERS
        for path in sorted((root / folder).iterdir())
    }
    return files, read_native(root).records


def made_once(tmp_path_factory, **changes):
    """The folder of a set as one undisturbed worker makes it."""
    root = tmp_path_factory.mktemp("undisturbed") / "set"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        outcome = run(root, **changes)
    assert outcome.done == outcome.total
    return root


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return made_once(tmp_path_factory)


@pytest.fixture(scope="module")
def expected(undisturbed):
    return content(undisturbed)


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A folder of its own that holds the finished run."""
    return Path(shutil.copytree(undisturbed, tmp_path / "set"))


@pytest.fixture(scope="module")
def expected_longer(tmp_path_factory):
    return content(made_once(tmp_path_factory, **LONGER))


def test_a_set_is_complete_and_says_what_it_is(expected, undisturbed):
    files, records = expected
    assert len(files) == 24 and len(records) == 6
    for index, record in enumerate(records):
        scene = sample_scene(configure(), 3, index)
        assert record.image == f"images/{index:06d}.jpg" and record.frame == index
        assert SceneSpec.model_validate_json(json.dumps(record.scene)) == scene
        assert record.identity == scene.vehicle.identity == index // 3
        assert (record.width, record.height) == (scene.camera.width, scene.camera.height)
        assert (record.type, record.split) == (scene.vehicle.type, "train")
    info = read_native(undisturbed).info
    assert (info.name, info.seed, info.splits) == ("small", 3, ("train",))
    assert SynthConfig.model_validate_json(json.dumps(info.config)) == configure()


def test_more_workers_make_the_same_set(expected, tmp_path):
    run(tmp_path / "set", workers=3)
    assert content(tmp_path / "set") == expected


def test_a_process_ends_after_so_many_images_and_another_goes_on(expected, tmp_path, monkeypatch):
    monkeypatch.setattr("synth.workers._IMAGES_A_PROCESS", 2)
    run(tmp_path / "set", "NotesItsStart")
    assert content(tmp_path / "set") == expected
    processes = Path(os.environ["TEST_MEMORY"]).read_text().split()
    assert len(set(processes)) == len(processes) == 2  # six images, a vehicle's three together


@pytest.mark.parametrize("name", ["FailsOnce", "DiesOnce", "DiesAtFirstStart"])
def test_one_accident_costs_nothing(expected, tmp_path, name):
    assert run(tmp_path / "set", name) == Outcome(total=6, done=6, failed=0)
    assert (tmp_path / "memory").exists()
    assert content(tmp_path / "set") == expected
    assert not (tmp_path / "set" / FAILURES_FILE).exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("FailsAlways", "RuntimeError: a mesh without faces"),
        ("DiesAlways", "the render process died with exit code -9"),
    ],
)
def test_a_scene_that_fails_twice_is_listed_with_its_spec_and_tried_again_on_resume(
    expected, tmp_path, name, reason
):
    root = tmp_path / "set"
    assert run(root, name) == Outcome(total=6, done=5, failed=1)
    (line,) = (root / FAILURES_FILE).read_text().splitlines()
    failure = json.loads(line)
    assert (failure["index"], failure["error"]) == (1, reason)
    assert SceneSpec.model_validate_json(json.dumps(failure["spec"])) == sample_scene(
        configure(), 3, 1
    )
    assert [r.frame for r in read_native(root).records] == [0, 2, 3, 4, 5]
    assert run(root, "Plain", resume=True) == Outcome(total=6, done=6, failed=0)
    assert content(root) == expected
    assert not (root / FAILURES_FILE).exists()


def test_resuming_renders_only_what_is_missing_and_drops_what_is_half_written(expected, finished):
    root = finished
    shard = root / "records" / "00000.jsonl"
    lines = shard.read_bytes().splitlines(keepends=True)
    shard.write_bytes(b"".join(lines[:3]) + lines[3][:50])
    (root / "images" / "000005.jpg.77.part").write_bytes(b"half")
    kept = {json.loads(line)["image"] for line in lines[:3]}
    before = {name: (root / name).stat().st_mtime_ns for name in kept}
    assert run(root, resume=True) == Outcome(total=6, done=6, failed=0)
    assert content(root) == expected
    assert {name: (root / name).stat().st_mtime_ns for name in kept} == before


def test_resuming_a_complete_set_starts_no_worker(expected, finished):
    assert run(finished, "Absent", resume=True) == Outcome(total=6, done=6, failed=0)
    assert content(finished) == expected


def start(root, *extra):
    """A run in a process of its own, slow enough to be caught at work."""
    program = (
        "import sys; from pathlib import Path; from pamtri.config import parse_config\n"
        "from synth.config import SynthConfig; from synth.run import render_dataset\n"
        "import renderers_for_tests as r\n"
        f"c = parse_config({ {**SMALL, **LONGER}!r}, SynthConfig, 'test')\n"
        "if __name__ == '__main__':\n"
        "    render_dataset(c, Path(sys.argv[1]), 2, '--resume' in sys.argv, r.Logged)\n"
    )
    script = root.parent / "slow_run.py"
    script.write_text(program)
    places = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    return subprocess.Popen(
        [sys.executable, script, root, *extra], env=environment, stderr=subprocess.PIPE
    )


def wait_for_records(root, count):
    shard = root / "records" / "00000.jsonl"
    for _ in range(600):
        if shard.exists() and shard.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{shard} never had {count} records")


def children_of(process):
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    rows = (map(int, line.split()) for line in table.splitlines())
    return [pid for pid, parent in rows if parent == process.pid]


@pytest.mark.slow
def test_killing_a_worker_costs_nothing(expected_longer, tmp_path):
    process = start(tmp_path / "set")
    wait_for_records(tmp_path / "set", 3)
    os.kill(next(pid for pid in children_of(process) if is_worker(pid)), signal.SIGKILL)
    assert process.wait(60) == 0
    assert content(tmp_path / "set") == expected_longer


@pytest.mark.slow
def test_killing_the_run_again_and_again_loses_nothing_and_renders_little_twice(
    expected_longer, tmp_path
):
    """Killed as it starts, and twice at work: alone, whose workers end by themselves, and all."""
    root, chance, workers = tmp_path / "set", np.random.default_rng(11), []
    process = start(root)
    time.sleep(chance.uniform(0.2, 1.5))
    process.kill()
    for records in (2, 6):
        process = start(root, "--resume")
        wait_for_records(root, records)
        time.sleep(chance.uniform(0, 0.3))
        workers = [pid for pid in children_of(process) if is_worker(pid)]
        process.kill()
        process.wait()
        for pid in workers if records == 6 else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shard = root / "records" / "00000.jsonl"
    left = shard.read_bytes().count(b"\n")
    assert 6 <= left < 16
    assert run(root, "Logged", resume=True, **LONGER) == Outcome(16, 16, 0)
    assert all(ends_soon(pid) for pid in workers)
    assert content(root) == expected_longer
    begun = Counter(Path(os.environ["TEST_MEMORY"]).read_text().split())
    assert len(begun) == 16
    assert sum(begun.values()) <= 16 + 2 * 2  # two kills, two workers


@pytest.mark.slow
@pytest.mark.blender
def test_cycles_makes_the_same_pixels_with_1_2_and_3_workers_and_after_resuming(
    tmp_path, monkeypatch
):
    """Denoised, with 6, 3 and 2 threads a worker; this process has loaded Blender, as a user's may.

    The third run finds half of the records of the second gone.
    """
    pytest.importorskip("bpy")
    monkeypatch.setattr("synth.run._cores", lambda: 6)
    config = configure(identities=3, images_per_identity=2, samples=2, device="cpu")
    one, more = tmp_path / "one", tmp_path / "more"
    assert render_dataset(config, one, 1) == Outcome(6, 6, 0)
    assert render_dataset(config, more, 2) == Outcome(6, 6, 0)
    expected = content(one)
    assert content(more) == expected
    shard = more / "records" / "00000.jsonl"
    shard.write_bytes(b"".join(shard.read_bytes().splitlines(keepends=True)[::2]))
    gone = {f"images/{i:06d}.jpg" for i in range(6)} - {r.image for r in read_native(more).records}
    assert len(gone) == 3
    for name in gone:
        (more / name).write_bytes(b"to be rendered again")
    assert render_dataset(config, more, 3, resume=True) == Outcome(6, 6, 0)
    assert content(more) == expected


def is_worker(pid):
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def ends_soon(pid):
    """Whether a process is gone within ten seconds."""
    for _ in range(100):
        if not Path(f"/proc/{pid}/cmdline").exists() or not is_worker(pid):
            return True
        time.sleep(0.1)
    return False


@contextmanager
def locked(root, shard):
    """Another process that holds a shard of the two identities."""
    identities = {"whole": range(2), "1/2": range(1), "2/2": range(1, 2)}[shard]
    program = (
        "import sys; from pathlib import Path; from synth.shards import sole_writer\n"
        f"with sole_writer(Path(sys.argv[1]), {identities!r}): print('held', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.communicate(b"\n")


def test_another_runs_folder_and_a_folder_in_use_are_refused(expected, finished):
    with pytest.raises(UserError, match=r"already holds this run; continue it with --resume"):
        run(finished)
    message = r"holds a run with another configuration \(seed is 3 there, 4 now\)"
    with pytest.raises(UserError, match=message):
        run(finished, resume=True, seed=4)
    with locked(finished, "whole"), pytest.raises(UserError, match=r"set: another run is writing"):
        run(finished, resume=True)
    assert content(finished) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Absent", "the blender renderer cannot start: libEGL.so.1 is missing"),
        ("DiesAtStart", "a render process ended with exit code -11 before it could start"),
    ],
)
def test_a_renderer_that_cannot_start_ends_the_run_in_one_sentence(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path / "set", name)


def test_a_disk_that_cannot_be_written_ends_the_run_and_keeps_what_is_there(
    expected, tmp_path, monkeypatch
):
    root = tmp_path / "set"
    monkeypatch.setenv("TEST_MEMORY", str(root / "masks"))
    with pytest.raises(UserError, match=r"set: cannot be written: No such file .*--resume"):
        run(root, "FullDisk", workers=1)
    assert [r.frame for r in read_native(root).records] == [0]
    (root / "gone").rename(root / "masks")
    assert run(root, resume=True).done == 6
    assert content(root) == expected


def invoke(*arguments):
    return CliRunner().invoke(synth, [str(a) for a in arguments])


def test_the_command_reports_failures_in_its_last_line_with_status_one(tmp_path, monkeypatch):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    monkeypatch.setattr(
        "synth.run.render_dataset", lambda *a, **k: Outcome(total=6, done=5, failed=1)
    )
    result = invoke("render", path, "--output", tmp_path / "set")
    assert result.exit_code == 1
    assert str(result.exception).startswith("1 of 6 scenes failed twice and are left out; see ")


def test_the_command_tells_how_to_go_on_after_ctrl_c(tmp_path, monkeypatch):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    root = tmp_path / "a b"

    def interrupted(config, root, workers, resume, **options):
        open_run_folder(root, "synth", config, resume)
        raise KeyboardInterrupt

    monkeypatch.setattr("synth.run.render_dataset", interrupted)
    result = invoke("render", path, "--output", root, "--set", "seed=5", "--workers", "3")
    assert result.exit_code == 130
    told = f"pamtri synth resume '{root}' --workers 3"
    assert f"stopped; continue with: {told}\n" in result.output

    called = []
    monkeypatch.setattr(
        "synth.run.render_dataset", lambda *a, **k: called.append(a) or Outcome(6, 6, 0)
    )
    assert invoke(*shlex.split(told)[2:]).exit_code == 0
    assert called == [(configure(seed=5), root, 3, True)]


def test_ctrl_c_before_the_folder_is_claimed_promises_nothing(tmp_path, monkeypatch):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("synth.run.render_dataset", interrupted)
    result = invoke("render", path, "--output", tmp_path / "set")
    assert (result.exit_code, result.output) == (130, "\nstopped; nothing was written yet\n")


def test_what_is_no_run_of_synth_cannot_be_resumed(tmp_path):
    for folder, message in (
        (tmp_path / "absent", "absent: no such folder"),
        (tmp_path, "holds no config.yaml and run.yaml, so `pamtri synth render` did not begin"),
    ):
        assert message in str(invoke("resume", folder).exception)
    (tmp_path / "config.yaml").touch()
    (tmp_path / "run.yaml").write_text("stage: train\n")
    assert "holds a run of 'train', expected 'synth'" in str(invoke("resume", tmp_path).exception)
