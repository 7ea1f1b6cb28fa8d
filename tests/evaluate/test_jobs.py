"""Several steps at once: what waits for what, on which GPU, and how they end together."""

import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluate.compare import run_comparison
from evaluate.plan import Step, steps
from evaluate.runner import Runner, gpus
from pamtri.errors import UserError


class Watch:
    """Notes when steps begin and end; lets trainings go on in pairs only, if told so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pairs: bool = False) -> None:
        self.events: list[tuple[str, tuple[str, ...]]] = []
        self.most = self._now = 0
        self._meeting = threading.Barrier(2) if pairs else None
        self._alone = threading.Lock()
        inner = Runner._follow

        def follow(runner: Runner, step: Step, arguments: Sequence[str], *rest: Any) -> int:
            self._note("begin", step, 1)
            if self._meeting is not None and arguments[0] == "train":
                self._meeting.wait(timeout=120)  # breaks where trainings come one by one
            status = inner(runner, step, arguments, *rest)
            self._note("end", step, -1)
            return status

        monkeypatch.setattr(Runner, "_follow", follow)

    def _note(self, what: str, step: Step, more: int) -> None:
        with self._alone:
            self.events.append((what, step.arguments))
            self._now += more
            self.most = max(self.most, self._now)


def output(arguments: Sequence[str]) -> str:
    return arguments[arguments.index("--output") + 1]


def test_nothing_reads_what_is_not_written_yet(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found from the commands themselves: an output that another command names is done before."""
    bench.data["tasks"]["reid"]["keypoints_from_pose"] = True
    bench.in_process()
    watch = Watch(monkeypatch)
    monkeypatch.setattr(bench, "in_process", lambda: None)
    bench.run(jobs=4)
    assert watch.most <= 4
    begun = {args: i for i, (what, args) in enumerate(watch.events) if what == "begin"}
    ended = {args: i for i, (what, args) in enumerate(watch.events) if what == "end"}
    assert len(begun) == len(ended) == 17 + 4
    pairs = [
        (reader, writer)
        for reader in begun
        for writer in begun
        if reader != writer and any(output(writer) in a for a in reader if a != output(reader))
    ]
    assert len(pairs) == 4 + 4 + 4 + 8 + 4  # render to train; train to predict, find; find to both
    assert all(ended[writer] < begun[reader] for reader, writer in pairs)


def test_trainings_run_at_once_and_no_more_than_asked(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.in_process()
    watch = Watch(monkeypatch, pairs=True)
    monkeypatch.setattr(bench, "in_process", lambda: None)
    bench.run(jobs=2)
    assert watch.most == 2


def test_one_by_one_is_in_the_order_of_the_plan(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.in_process()
    watch = Watch(monkeypatch)
    monkeypatch.setattr(bench, "in_process", lambda: None)
    bench.run()
    assert watch.most == 1
    begun = [arguments for what, arguments in watch.events if what == "begin"]
    assert begun == [step.arguments for step in steps(bench.config, bench.root / "out")]


def test_results_do_not_depend_on_how_many_run_at_once(bench: Any) -> None:
    bench.run()
    bench.run(jobs=3, out="three")
    one, three = (
        json.loads((bench.root / n / "results.json").read_text()) for n in ("out", "three")
    )
    assert one == three
    bench.calls()
    bench.run(jobs=2, resume=True)
    assert bench.calls() == []


def test_a_failure_ends_the_steps_beside_it(bench: Any) -> None:
    """In processes: the rendering fails while a training would go on for minutes."""
    del bench.data["tasks"]["reid"]
    bench.steer(fail="synth render", hang="train pose")
    with pytest.raises(UserError, match="'Render synthetic images' failed"):
        run_comparison(bench.config, bench.root / "out", "", jobs=2, command=bench.command)
    notes = {
        path.stem: json.loads(path.read_text())["finished"]
        for path in (bench.root / "out/steps").iterdir()
    }
    assert notes == {"render": False, "pose-real-only-seed0-train": False}
    Runner(bench.root / "out", (), {}).run(())  # refused while a step is alive
    bench.steer(fail=None, hang=None)
    bench.calls()
    bench.run(resume=True, jobs=2)
    assert len(bench.calls()) == 9


SAY = (sys.executable, "-c", "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES', 'any'))")


@pytest.mark.parametrize(
    ("jobs", "seen"),
    [(1, {"a": "4,7", "b": "4,7", "render": "4,7"}), (2, {"a": "4", "b": "7", "render": "4,7"})],
)
def test_each_step_has_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, seen: dict[str, str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    plan = [
        Step("a", "pose", "A", ()), Step("b", "reid", "B", ()),
        Step("render", "render", "Render", (), needs=("a", "b")),
    ]  # fmt: skip
    runner = Runner(tmp_path, plan, {}, SAY, jobs)
    runner.run(plan)
    assert {s.name: runner.log(s).read_text().splitlines()[-1] for s in plan} == seen


def test_more_jobs_than_gpus_share_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    runner = Runner(tmp_path, (), {}, jobs=3)
    step = Step("a", "pose", "A", ())
    assert [runner._device(step, place)["CUDA_VISIBLE_DEVICES"] for place in range(3)] == [
        "4", "7", "4",
    ]  # fmt: skip


def test_gpus_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus() == []
    listing = tmp_path / "nvidia-smi"
    listing.write_text(
        "#!/bin/sh\necho 'GPU 0: H100 (UUID: GPU-1)'\necho '  MIG 1g'\necho 'GPU 1: H100'\n"
    )
    listing.chmod(0o755)
    assert gpus() == ["0", "1"]


def test_a_step_that_cannot_be_started_leaves_no_lock(bench: Any, tmp_path: Path) -> None:
    step = Step("a", "pose", "A", ())
    with pytest.raises(FileNotFoundError):
        Runner(tmp_path, [step], {}, ("/no/such/program",)).run([step])
    Runner(tmp_path, [step], {}, SAY).run([step])


def test_live_line_is_made_only_in_its_turn(tmp_path: Path, monkeypatch: Any) -> None:
    made: list[str] = []
    line = Runner(tmp_path, (), {})._line

    def text() -> str:
        made.append("once")
        return "step 3/100"

    line.show(text)
    assert made == []
    monkeypatch.setattr(line, "_last", -1e9)
    line.show(text)
    line.show(text)
    assert made == ["once"]


@pytest.mark.parametrize(("jobs", "told"), [(1, None), (2, "4"), (3, "2"), (9, "1")])
def test_processors_are_shared_out(
    jobs: int, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight; what the user set stays."""
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    script = "import os, sys; open(sys.argv[1], 'w').write(str(os.environ.get('OMP_NUM_THREADS')))"
    for number, expected in enumerate((str(told), "7")):
        step = Step("a", "predict", "A", (str(tmp_path / "threads"),))
        Runner(tmp_path / str(number), [step], {}, (sys.executable, "-c", script), jobs).run([step])
        assert (tmp_path / "threads").read_text() == expected
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
