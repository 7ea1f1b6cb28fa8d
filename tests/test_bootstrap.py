"""bootstrap.py: what it checks, what it says, and when it leaves everything alone."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import tomllib
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FakeCommands:
    """Stands in for subprocess.run: makes a venv's python, notes each command, fails on request."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.pip_fails_with: str | None = None

    def __call__(self, command, **options):
        command = [str(part) for part in command]
        self.calls.append(command)
        if command[1:3] == ["-m", "venv"]:
            python = Path(command[3]) / "bin" / "python"
            python.parent.mkdir(exist_ok=True)
            python.touch()
        elif self.pip_fails_with is not None:
            options["stderr"].write(self.pip_fails_with)
            return subprocess.CompletedProcess(command, 1)
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def commands(bootstrap, monkeypatch) -> FakeCommands:
    fake = FakeCommands()
    monkeypatch.setattr(bootstrap.subprocess, "run", fake)
    monkeypatch.setattr(bootstrap, "DISK_GB", 0.0)
    return fake


@pytest.fixture
def checkout(tmp_path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("numpy==1.26.4\n")
    return tmp_path


def test_fresh_checkout_is_installed_under_the_constraints(bootstrap, commands, checkout):
    bootstrap.set_up(checkout)
    create, tools, project = commands.calls
    assert create[1:] == ["-m", "venv", str(checkout / ".venv")]
    assert tools[-2:] == ["pip", "setuptools"]
    assert project[-3:] == ["--no-build-isolation", "--editable", f"{checkout}[dev]"]
    for pip in (tools, project):
        assert pip[0] == str(checkout / ".venv/bin/python")
        assert pip[pip.index("--constraint") + 1] == str(checkout / "constraints.txt")
    assert not (checkout / ".venv/tmp").exists()


def test_nothing_runs_when_nothing_changed(bootstrap, commands, checkout):
    bootstrap.set_up(checkout)
    commands.calls.clear()
    bootstrap.set_up(checkout)
    assert commands.calls == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed_into_the_same_venv(bootstrap, commands, checkout, name):
    bootstrap.set_up(checkout)
    commands.calls.clear()
    kept = checkout / ".venv" / "kept"
    kept.touch()
    (checkout / name).write_text("# changed\n")
    bootstrap.set_up(checkout)
    assert len(commands.calls) == 3
    assert kept.exists()


def test_requirements_moved_between_the_two_files_count_as_a_change(bootstrap, checkout):
    before = bootstrap.stamp(checkout)
    (checkout / "pyproject.toml").write_text("[project]\nnumpy==1.26.4\n")
    (checkout / "constraints.txt").write_text("")
    assert bootstrap.stamp(checkout) != before


def test_broken_off_install_is_not_taken_for_complete(bootstrap, commands, checkout):
    commands.pip_fails_with = "OSError: [Errno 28] No space left on device"
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap.set_up(checkout)
    log = checkout / ".venv" / "bootstrap.log"
    assert str(error.value) == f"pip could not install the packages: the disk is full; see {log}"

    half_written = checkout / ".venv" / "half_written"
    half_written.touch()
    commands.pip_fails_with = None
    commands.calls.clear()
    bootstrap.set_up(checkout)
    assert len(commands.calls) == 3
    assert not half_written.exists()


def test_venv_of_a_moved_checkout_is_made_anew(bootstrap, commands, checkout, tmp_path_factory):
    bootstrap.set_up(checkout)
    moved = tmp_path_factory.mktemp("elsewhere") / "checkout"
    shutil.move(checkout, moved)
    (moved / ".venv" / "stale").touch()
    bootstrap.set_up(moved)
    assert not (moved / ".venv" / "stale").exists()


def test_venv_made_by_hand_is_not_deleted(bootstrap, commands, checkout):
    by_hand = checkout / ".venv" / "by_hand"
    by_hand.parent.mkdir()
    by_hand.touch()
    bootstrap.set_up(checkout)
    assert by_hand.exists()
    assert len(commands.calls) == 3


def test_vanished_interpreter_is_replaced(bootstrap, commands, checkout):
    bootstrap.set_up(checkout)
    (checkout / ".venv/bin/python").unlink()
    commands.calls.clear()
    bootstrap.set_up(checkout)
    assert len(commands.calls) == 3


def test_wrong_python_gets_a_sentence(bootstrap):
    bootstrap.check_python((3, 11, 2))
    with pytest.raises(
        bootstrap.SetupError, match=r"Python 3\.11 is needed .* this is Python 3.12"
    ):
        bootstrap.check_python((3, 12, 0))
    with pytest.raises(bootstrap.SetupError, match=r"this is Python 3\.9 at /.*make PYTHON="):
        bootstrap.check_python((3, 9, 2))


def test_older_pythons_can_read_the_file_to_say_so():
    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 7))


def test_small_disk_gets_a_sentence_before_anything_is_written(bootstrap, checkout, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: usage(9e9, 7e9, 2.04e9))
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap.set_up(checkout)
    assert str(error.value) == (
        f"{checkout} has 2.0 GB of free disk and installing the packages takes 15 GB; "
        "make room or move the checkout"
    )
    assert not (checkout / ".venv").exists()


def lacking(*sonames: str):
    return lambda soname: soname not in sonames


@pytest.mark.parametrize(("user", "sudo"), [(0, ""), (1000, "sudo ")])
def test_missing_libraries_are_one_line_to_copy(bootstrap, monkeypatch, capsys, user, sudo):
    missing = ("libXt.so.6", "libEGL_mesa.so.0", "libEGL_nvidia.so.0")
    monkeypatch.setattr(bootstrap, "_loads", lacking(*missing))
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: user)
    assert bootstrap.main(["--check"]) == 1
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line == f"{sudo}apt-get install -y libxt6 libegl-mesa0"


def test_a_gpu_driver_stands_in_for_mesa(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap, "_loads", lacking("libEGL_mesa.so.0"))
    assert bootstrap.missing_packages() == []


def test_a_python_without_venv_asks_for_its_package(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap, "_loads", lacking())
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    assert bootstrap.missing_packages() == ["python3.11-venv"]
    assert bootstrap.apt_packages()[0] == "python3.11-venv"


def test_a_library_that_does_not_exist_is_noticed(bootstrap):
    assert bootstrap._loads("libc.so.6")
    assert not bootstrap._loads("libnothing_of_that_name.so.1")


def test_apt_packages_are_printed_one_a_line(bootstrap, capsys):
    assert bootstrap.main(["--apt-packages"]) == 0
    lines = capsys.readouterr().out.split("\n")[:-1]
    assert set(bootstrap.LIBRARIES.values()) <= set(lines)
    assert all(re.fullmatch(r"[a-z0-9.+-]+", line) for line in lines)


# What pip 23 and 26 wrote in a bare Debian 12 with a cause for failure each.
@pytest.mark.parametrize(
    ("log", "meaning"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("error: incomplete-download\n", "a download broke off"),
        ("error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'", "no compiler"),
        ("error: command 'gcc' failed: No such file or directory", "no compiler"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\n"
            "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io",
            "cannot be reached",
        ),
        ("ERROR: No matching distribution found for bpy==4.5.15", "does not offer a pinned"),
        ("ERROR: Something new.\n", "Something new"),
        ("", "it does not say why"),
    ],
)
def test_failures_of_pip_are_explained(bootstrap, log, meaning):
    assert meaning in bootstrap.explain(log)


def test_every_requirement_has_one_exact_pin_that_satisfies_it():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    versions = {canonicalize_name(name): version for name, version in pins}
    assert len(versions) == len(pins)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])
