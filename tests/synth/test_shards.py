"""Shards share a folder: together they make the set, each image once, whatever is cut off."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from renderers_for_tests import Plain

from pamtri.config import parse_config
from pamtri.dataset import read_native
from pamtri.errors import DataError, UserError
from synth import workers
from synth.cli import synth
from synth.config import SynthConfig
from synth.images import FOLDERS
from synth.run import FAILURES_FILE, Outcome, render_dataset
from synth.sampling import sample_scene
from synth.shards import WHOLE, Shard, recorded_images

CONFIG = parse_config(
    {
        "name": "small",
        "seed": 3,
        "identities": 3,
        "images_per_identity": 2,
        "vehicle": {"style": "notchback"},
        "image": {"size_px": 24},
    },
    SynthConfig,
    source="test",
)


@pytest.fixture(autouse=True, scope="module")
def rendered():
    """Renders in this process, which is quick; lists the images in the order they were made."""
    made = []

    def render_here(groups, job, count):
        renderer = job.open_renderer(job.config.renderer, job.threads, job.config.device, 0)
        for index in (i for group in groups for i in group):
            made.append(index)
            message = workers._render(index, renderer, job)
            if isinstance(message, workers.Unable):
                raise UserError(message.error)
            yield message

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synth.run.render_in_workers", render_here)
        yield made


def run(root, resume=False, shard=WHOLE, renderer=Plain, config=CONFIG):
    return render_dataset(config, root, 1, resume, renderer, shard)


def content(root):
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for folder in FOLDERS
        for path in sorted((root / folder).iterdir())
    }
    return files, read_native(root).records


@pytest.fixture(scope="module")
def expected(tmp_path_factory, rendered):
    root = tmp_path_factory.mktemp("whole") / "set"
    run(root)
    return content(root)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 60))
def test_shards_are_whole_identities_and_miss_nothing(identities, each, of):
    config = CONFIG.model_copy(update={"identities": identities, "images_per_identity": each})
    shards = [Shard(n, of) for n in range(1, of + 1)]
    assert [i for s in shards for i in s.images(config)] == list(range(config.count))
    sizes = [len(s.identities(config)) for s in shards]
    assert max(sizes) - min(sizes) <= 1
    assert [len(s.images(config)) for s in shards] == [each * size for size in sizes]
    assert WHOLE.images(config) == range(config.count)


def test_shards_are_read_from_words():
    assert Shard.parse("3/10") == Shard(3, 10)
    assert Shard.parse("1/1") == WHOLE
    for text in ("0/10", "11/10", "3", "3/", "a/b", "-1/3", "1/2/3"):
        with pytest.raises(UserError) as caught:
            Shard.parse(text)
        assert str(caught.value) == (f"shard: expected NUMBER/OF as in 1/10 to 10/10, got '{text}'")


@pytest.mark.parametrize("of", [2, 3, 5])
def test_shards_together_are_the_set(expected, rendered, tmp_path, of):
    rendered.clear()
    for number in reversed(range(1, of + 1)):
        shard = Shard(number, of)
        size = len(shard.images(CONFIG))
        assert run(tmp_path, shard=shard) == Outcome(size, size, 0)
        assert run(tmp_path, shard=shard) == Outcome(size, size, 0)  # as when requeued
    assert sorted(rendered) == list(range(6))
    assert content(tmp_path) == expected
    assert run(tmp_path, resume=True) == Outcome(6, 6, 0)
    assert len(rendered) == 6


def test_a_run_of_all_makes_what_shards_lack_and_other_divisions_keep_what_is_there(
    expected, rendered, tmp_path
):
    rendered.clear()
    run(tmp_path, shard=Shard(2, 3))
    run(tmp_path, shard=Shard(1, 2))
    run(tmp_path, resume=True)
    run(tmp_path, shard=Shard(3, 3))
    assert rendered == [2, 3, 0, 1, 4, 5]
    assert content(tmp_path) == expected


class FailsAtThree(Plain):
    def render(self, spec, geometry):
        if spec.index == 3:
            raise RuntimeError("a mesh without faces")
        return super().render(spec, geometry)


def test_a_shard_lists_its_own_failures(expected, tmp_path):
    for number in (1, 2, 3):
        run(tmp_path, shard=Shard(number, 3), renderer=FailsAtThree)
    assert [p.name for p in tmp_path.glob("*failures*")] == ["shard-2-of-3-failures.jsonl"]
    listed = json.loads((tmp_path / "shard-2-of-3-failures.jsonl").read_text())
    assert (listed["index"], listed["error"]) == (3, "RuntimeError: a mesh without faces")
    assert run(tmp_path, resume=True, renderer=FailsAtThree) == Outcome(6, 5, 1)
    assert [p.name for p in tmp_path.glob("*failures*")] == [FAILURES_FILE]
    run(tmp_path, shard=Shard(2, 3))
    assert content(tmp_path) == expected


def test_a_shard_leaves_alone_what_another_is_writing(expected, tmp_path):
    run(tmp_path, shard=Shard(1, 3))
    other = tmp_path / "records" / "shard-1-of-3-00000.jsonl"
    whole = other.read_bytes()
    other.write_bytes(whole[:-30])
    theirs, mine = (tmp_path / "images" / f"{i:06d}.jpg.77.part" for i in (1, 2))
    for half in (theirs, mine):
        half.write_bytes(b"half")
    run(tmp_path, shard=Shard(2, 3))
    assert (theirs.exists(), mine.exists()) == (True, False)
    assert other.read_bytes() == whole[:-30]
    run(tmp_path, shard=Shard(1, 3))
    run(tmp_path, shard=Shard(3, 3))
    assert content(tmp_path) == expected


@contextmanager
def held(root, identities):
    """Another process that writes these identities."""
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


def test_writers_exclude_each_other_just_where_they_overlap(expected, tmp_path):
    run(tmp_path, shard=Shard(1, 3))
    with held(tmp_path, range(1, 2)):
        for shard in (Shard(2, 3), Shard(2, 2), WHOLE):
            with pytest.raises(UserError, match="another run is writing there"):
                run(tmp_path, resume=True, shard=shard)
        run(tmp_path, shard=Shard(3, 3))
    run(tmp_path, shard=Shard(2, 3))
    assert content(tmp_path) == expected


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_wherever_the_record_files_were_cut_off_resuming_makes_the_rest(
    expected, rendered, tmp_path_factory, data
):
    """What a kill leaves: each record file a prefix of what it would have become."""
    root = tmp_path_factory.mktemp("cut")
    shards = [WHOLE] if data.draw(st.booleans()) else [Shard(1, 2), Shard(2, 2)]
    for shard in shards:
        run(root, shard=shard)
    kept = set()
    for path in sorted((root / "records").iterdir()):
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        ends = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]
        near = st.sampled_from(ends).flatmap(lambda end: st.integers(end - 2, end + 2))
        cut = data.draw(st.one_of(near, st.integers(0, len(whole)))) % (len(whole) + 1)
        path.write_bytes(whole[:cut])
        kept |= {
            json.loads(line)["frame"] for line in whole[:cut].splitlines(True) if line[-1] == 10
        }
    assert recorded_images(root) == kept
    rendered.clear()
    for shard in data.draw(st.sampled_from([[WHOLE], shards])):
        run(root, resume=True, shard=shard)
    assert sorted(rendered) == sorted(set(range(6)) - kept)
    assert content(root) == expected


def test_a_line_that_is_no_record_is_named(tmp_path):
    run(tmp_path)
    path = tmp_path / "records" / "00000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for damaged in (b"{}\n", b"[]\n", b'{"frame": null}\n', lines[1][:20] + b"\n"):
        path.write_bytes(lines[0] + damaged + lines[2])
        with pytest.raises(DataError) as caught:
            run(tmp_path, resume=True)
        assert str(caught.value) == f"{path}, line 2: expected the record of a rendered image"


@contextmanager
def disk_that_takes(most):
    """No file grows beyond ``most`` bytes: the system cuts a write short, then refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("share", [0, 0.2, 0.45, 0.7, 1])
def test_a_disk_that_fills_up_keeps_what_is_recorded(expected, rendered, tmp_path, share):
    """Up to the last record, of which all but its end fits."""
    root = tmp_path / "set"
    size = sum(len(r.model_dump_json(exclude_none=True)) + 1 for r in expected[1])
    full = rf"^{root}: cannot be written: (No space left on device|File too large); continue with"
    with disk_that_takes(max(100, int(share * size) - 20)), pytest.raises(UserError, match=full):
        run(root)
    rendered.clear()
    there = (root / "records").exists()
    done = recorded_images(root) if there else set()
    assert len(done) <= 6 * share and (share < 1 or len(done) == 5)
    assert run(root, resume=there) == Outcome(6, 6, 0)
    assert sorted(rendered) == sorted(set(range(6)) - done)
    assert content(root) == expected


def test_the_command_takes_a_shard(tmp_path, monkeypatch):
    seen = {}

    def render(config, root, workers, resume, shard):
        seen.update(shard=shard, workers=workers)
        return Outcome(2, 1, 1)

    monkeypatch.setattr("synth.run.render_dataset", render)
    arguments = ["render", "configs/synth/quickstart.yaml", "--output", str(tmp_path / "set")]
    result = CliRunner().invoke(synth, [*arguments, "--shard", "2/3", "--workers", "5"])
    assert seen == {"shard": Shard(2, 3), "workers": 5}
    assert f"{tmp_path}/set/shard-2-of-3-failures.jsonl" in str(result.exception)
    result = CliRunner().invoke(synth, [*arguments, "--shard", "3/2"])
    assert "got '3/2'" in str(result.exception)


def test_a_claim_of_many_at_once_is_one_claim(tmp_path):
    """Processes that start together on new folders, as those of a Slurm array do."""
    root = tmp_path / "set"
    program = (
        "import sys; from pathlib import Path; from pamtri.config import Config\n"
        "from pamtri import run_folder; run_folder.provenance = dict\n"
        "class C(Config): seed: int = 0\n"
        "input()\n"
        "for n in range(100): run_folder.open_run_folder(Path(f'{sys.argv[1]}{n}'), 's', C(), True)"
    )
    command = [sys.executable, "-c", program, str(root)]
    crowd = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)
    ]
    for process in crowd:
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in crowd:
        assert process.communicate()[1] == b""
    for n in range(100):
        assert sorted(p.name for p in Path(f"{root}{n}").iterdir()) == ["config.yaml", "run.yaml"]


def test_the_scenes_of_a_shard_are_those_of_the_set(tmp_path):
    run(tmp_path, shard=Shard(2, 3))
    for record, index in zip(read_native(tmp_path).records, (2, 3), strict=True):
        assert record.scene == sample_scene(CONFIG, 3, index).model_dump(mode="json")
