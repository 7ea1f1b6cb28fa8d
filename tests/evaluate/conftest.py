"""A comparison that runs in seconds: the stages' files come from ``fake_pamtri.py``."""

import functools
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import pytest
import yaml

from evaluate.compare import Comparison, run_comparison
from evaluate.config import CompareConfig
from evaluate.plan import Step
from evaluate.runner import Runner
from pamtri.config import parse_config

CHROMIUM = shutil.which("chromium")
FAKE = Path(__file__).with_name("fake_pamtri.py")


class Bench:
    """A folder with a real data set, training configurations and a comparison of them."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self._patch = root, monkeypatch
        self.command = (sys.executable, str(FAKE))
        self.calls_file = root / "calls.jsonl"
        monkeypatch.setenv("FAKE_CALLS", str(self.calls_file))
        load_fake().render(root / "real", identities=8, images=3)
        for name in ("pose", "reid", "synth"):
            (root / f"{name}.yaml").write_text(yaml.safe_dump({"training": {"steps": 100}}))
        self.data = {
            "name": "bench",
            "title": "A bench comparison",
            "note": "The real set is `made up` for a test.",
            "real": {"root": str(root / "real")},
            "synthetic": {"render": str(root / "synth.yaml")},
            "tasks": {
                "pose": {"config": str(root / "pose.yaml")},
                "reid": {"config": str(root / "reid.yaml")},
            },
            "arms": [
                {"name": "real-only", "synthetic_ratio": 0.0},
                {"name": "augmented", "synthetic_ratio": 0.5},
            ],
            "seeds": [0, 1],
        }

    @property
    def config(self) -> CompareConfig:
        return parse_config(self.data, CompareConfig, "bench.yaml")

    def steer(self, **words: str | None) -> None:
        """Set (or, with None, clear) the fake's FAIL, HANG or STEPS."""
        for name, word in words.items():
            if word is None:
                self._patch.delenv(f"FAKE_{name.upper()}", raising=False)
            else:
                self._patch.setenv(f"FAKE_{name.upper()}", word)

    def run(self, resume: bool = False, jobs: int = 1, out: str = "out") -> Comparison:
        """Run the comparison, its steps within this process."""
        self.in_process()
        line = "pamtri compare bench.yaml"
        return run_comparison(self.config, self.root / out, line, resume, jobs=jobs)

    def in_process(self) -> None:
        """Let every runner call the fake within this process."""
        self._patch.setattr(Runner, "_follow", follow_here)

    def calls(self) -> list[list[str]]:
        """The commands that ran since the last look."""
        if not self.calls_file.exists():
            return []
        lines = self.calls_file.read_text(encoding="utf-8").splitlines()
        self.calls_file.unlink()
        return [json.loads(line) for line in lines]


def follow_here(
    self: Runner, step: Step, arguments: Sequence[str], log: IO[bytes], lock: int, place: int
) -> int:
    """In place of a process: the fake is called, what it dies of goes to the log."""
    log.write(f"$ pamtri {' '.join(arguments)}\n".encode())
    try:
        load_fake().main(list(arguments))
    except SystemExit as exit:
        log.write(f"{exit.code}\n".encode())
        return 1
    return 0


@functools.cache
def load_fake() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fake_pamtri", FAKE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fake() -> ModuleType:
    """The fake's functions."""
    return load_fake()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def make_bench() -> type[Bench]:
    """For a test that keeps its bench longer."""
    return Bench


@pytest.fixture
def show() -> Iterator[Callable[[Path, int], Any]]:
    """Open a page; at the end nothing may have gone wrong or been asked of a network."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    wrong: list[str] = []
    with playwright.sync_playwright() as starter:
        browser = starter.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )

        def open_page(path: Path, width: int) -> Any:
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.on("console", lambda message: wrong.append(message.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("request", lambda request: wrong.append(request.url))
            page.goto(path.as_uri())
            wrong[:] = [url for url in wrong if not url.startswith(("file://", "data:"))]
            return page

        yield open_page
        browser.close()
    assert wrong == []
