"""What README and CONTRIBUTING tell people to type exists: commands, options, configs, targets."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

import pamtri
from pamtri.cli import cli

ROOT = Path(__file__).resolve().parent.parent
PAPERS = ["README.md", "CONTRIBUTING.md"]


def typed(name: str) -> list[list[str]]:
    """The words of every line in the paper's bash blocks."""
    blocks = re.findall(r"^```bash\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def pamtri_lines() -> list[str]:
    words = [line for name in PAPERS for line in typed(name)]
    return [shlex.join(line) for line in words if line and line[0].endswith("/pamtri")]


@pytest.mark.parametrize("line", pamtri_lines())
def test_commands_options_and_configs_exist(line):
    words = shlex.split(line)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group):
        name = words.pop(0)
        command = command.get_command(click.Context(command), name)
        assert command is not None, f"no command {name!r}"
    known = {option for p in command.params for option in p.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known
    for word in words:
        if word.startswith("configs/"):
            assert (ROOT / word).is_file(), f"no file {word}"


def test_make_targets_exist():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {line[1] for name in PAPERS for line in typed(name) if line[:1] == ["make"]}
    assert {"quickstart", "test"} <= told <= targets


@pytest.mark.parametrize("name", [*PAPERS, "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(name):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text())
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert missing == []


def test_the_citation_is_of_this_version_and_of_pamtri():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == pamtri.__version__
    assert citation["references"][0]["title"].startswith("PAMTRI: Pose-Aware Multi-Task Learning")
    assert f"## {pamtri.__version__}" in (ROOT / "CHANGELOG.md").read_text()
