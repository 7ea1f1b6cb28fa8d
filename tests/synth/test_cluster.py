"""Two Ray nodes on this machine render a set together; one of them is killed half-way."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from pamtri.config import parse_config
from pamtri.dataset import read_native
from pamtri.errors import UserError
from synth import cluster as module
from synth.cli import synth
from synth.cluster import render_on_cluster
from synth.config import SynthConfig
from synth.run import Outcome, render_dataset

HERE = Path(__file__).parent
EACH = 12
CONFIG = parse_config(
    {
        "name": "small",
        "seed": 3,
        "identities": 4,
        "images_per_identity": EACH,
        "vehicle": {"style": "notchback"},
        "image": {"size_px": 24},
    },
    SynthConfig,
    source="test",
)


@pytest.mark.parametrize(
    ("resources", "device", "needs", "places"),
    [
        ({"CPU": 12.0}, "auto", {"num_cpus": 1}, 12),
        ({"CPU": 12.0, "GPU": 3.0}, "auto", {"num_cpus": 1, "num_gpus": 1}, 3),
        ({"CPU": 12.0, "GPU": 3.0}, "gpu", {"num_cpus": 1, "num_gpus": 1}, 3),
        ({"CPU": 12.0, "GPU": 3.0}, "cpu", {"num_cpus": 1}, 12),
        ({}, "auto", {"num_cpus": 1}, 1),
    ],
)
def test_a_shard_takes_a_gpu_or_else_a_cpu(resources, device, needs, places):
    config = CONFIG.model_copy(update={"device": device})
    assert module._places(config, resources) == (needs, places)
    raster = config.model_copy(update={"renderer": "raster"})
    assert module._places(raster, resources)[0] == {"num_cpus": 1}


def test_records_are_counted_as_they_appear(tmp_path):
    tally = module._Tally(tmp_path)
    assert tally.new_lines() == 0
    (tmp_path / "records").mkdir()
    one, two = (tmp_path / "records" / f"{name}.jsonl" for name in "ab")
    one.write_text("1\n2\n3")
    assert tally.new_lines() == 2
    one.write_text("1\n2\n")  # a writer that was killed, and its successor's clean-up
    two.write_text("1\n")
    assert tally.new_lines() == 1
    one.write_text("1\n2\n3333\n4\n")
    assert (tally.new_lines(), tally.new_lines()) == (2, 0)


def test_a_node_that_does_not_see_the_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent: node .+ does not see this folder; --cluster"):
        module._render_here(CONFIG, tmp_path / "absent", module.Shard(1, 2), None)


def test_the_command_hands_over_to_the_cluster(tmp_path, monkeypatch):
    seen = []

    def render(config, root, address, resume):
        seen.append((root, address, resume))
        return Outcome(total=6, done=5, failed=1)

    monkeypatch.setattr(module, "render_on_cluster", render)
    start = ["render", "configs/synth/quickstart.yaml", "--output", str(tmp_path / "set")]
    result = CliRunner().invoke(synth, [*start, "--cluster", "head:6379", "--resume"])
    assert str(result.exception).startswith("1 of 6 scenes failed twice and are left out; see ")
    CliRunner().invoke(synth, [*start, "--cluster", "auto"])
    root = tmp_path / "set"
    assert seen == [(root, "head:6379", True), (root, "auto", False)]
    result = CliRunner().invoke(synth, [*start, "--cluster", "auto", "--shard", "1/2"])
    assert "--cluster makes shards itself; leave --shard out" in str(result.exception)


@pytest.fixture(scope="module")
def two_nodes(tmp_path_factory):
    """A head that only coordinates, and two nodes of two CPUs; this process is connected."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    workers = [nodes.add_node(num_cpus=2) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        places = f"{HERE}:{Path.cwd()}"
        log = tmp_path_factory.mktemp("log") / "rendered"
        ray.init(
            address=nodes.address,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": places, "TEST_MEMORY": str(log)}},
        )
        try:
            yield nodes, workers, log
        finally:
            ray.shutdown()
            nodes.shutdown()


def records(root):
    return [
        (path.name, json.loads(line)["frame"])
        for path in (root / "records").glob("*.jsonl")
        for line in path.read_bytes().splitlines()
    ]


@pytest.mark.slow
def test_a_node_killed_half_way_costs_nothing(two_nodes, tmp_path):
    import renderers_for_tests

    nodes, workers, log = two_nodes
    root = tmp_path / "set"
    outcomes = []

    def render():
        outcomes.append(render_on_cluster(CONFIG, root, open_renderer=renderers_for_tests.Logged))

    thread = threading.Thread(target=render)
    thread.start()
    # Four shards on four places: where three are half-way, the first node has one of them.
    while sum(2 <= n < EACH - 1 for n in Counter(name for name, _ in records(root)).values()) < 3:
        assert thread.is_alive()
        time.sleep(0.05)
    nodes.remove_node(workers[0], allow_graceful=False)
    thread.join(240)
    assert outcomes == [Outcome(CONFIG.count, CONFIG.count, 0)]

    there = records(root)
    assert sorted(frame for _, frame in there) == list(range(CONFIG.count))
    assert {name for name, _ in there} == {f"shard-{n}-of-4-00000.jsonl" for n in range(1, 5)}
    # What was recorded stays; only what the dead node had under way was begun again.
    begun = Counter(int(line) for line in log.read_text().splitlines())
    assert sorted(begun) == list(range(CONFIG.count))
    assert 0 < sum(begun.values()) - CONFIG.count <= 2
    alone = tmp_path / "alone"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_MEMORY", str(tmp_path / "log"))
        render_dataset(CONFIG, alone, 1, open_renderer=renderers_for_tests.Logged)
    assert read_native(root).records == read_native(alone).records
    for record in read_native(alone).records:
        for name in (record.image, record.mask, record.segment_mask):
            assert (root / name).read_bytes() == (alone / name).read_bytes()


@pytest.mark.slow
def test_what_ends_a_run_on_a_node_ends_it_here_in_the_same_sentence(two_nodes, tmp_path):
    import renderers_for_tests

    with pytest.raises(
        UserError, match=r"the blender renderer cannot start: libEGL.so.1 is missing"
    ):
        render_on_cluster(CONFIG, tmp_path / "set", open_renderer=renderers_for_tests.Absent)


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"needs Ray, .* pip install 'pamtri-workbench\[cluster\]'"):
        render_on_cluster(CONFIG, tmp_path / "set")
    assert not (tmp_path / "set").exists()
