"""pamtri doctor: each finding's words, and that a crash is a line of the table."""

from __future__ import annotations

import importlib.util
import re
from collections import namedtuple
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from pamtri import checkout, doctor
from pamtri.checkout import ROOT, strangers
from pamtri.cli import main
from pamtri.doctor import Finding, try_out


def test_python_other_than_3_11_is_a_problem():
    assert doctor.check_python((3, 11, 9)).state == "OK"
    finding = doctor.check_python((3, 12, 1))
    assert finding.state == "PROBLEM"
    assert finding.found.startswith("3.12.1 at ")
    assert finding.advice.startswith("Python 3.11 is needed")


def test_packages_of_this_checkout_are_no_strangers():
    assert strangers() == {}
    assert Path(__file__).resolve().parents[2] == ROOT


def test_a_package_of_the_same_name_from_elsewhere_is_a_stranger(monkeypatch, capsys):
    real = importlib.util.find_spec
    elsewhere = SimpleNamespace(origin="/usr/lib/python3/dist-packages/train/__init__.py")
    fakes = {"train": elsewhere, "evaluate": None}
    monkeypatch.setattr(
        checkout.importlib.util,
        "find_spec",
        lambda name: fakes[name] if name in fakes else real(name),
    )
    strange = strangers()
    assert strange == {"train": Path("/usr/lib/python3/dist-packages"), "evaluate": None}
    finding = doctor.check_checkout(strange)
    assert finding.state == "PROBLEM"
    assert "train comes from /usr/lib/python3/dist-packages" in finding.found
    assert finding.advice == "use the project's own .venv/bin/pamtri"

    with pytest.raises(SystemExit, match="1"):
        main()
    assert capsys.readouterr().err == (
        f"pamtri: package 'train' comes from /usr/lib/python3/dist-packages, expected {ROOT}; "
        "use the project's own environment (.venv/bin/pamtri)\n"
    )


def test_packages_are_held_against_the_pins(tmp_path):
    numpy = metadata.version("numpy")
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(f"# a comment\nnumpy=={numpy}\n")
    assert doctor.check_packages(constraints).found == "1 at the versions that constraints.txt pins"
    constraints.write_text(f"numpy=={numpy}\npyyaml==0.1\nno-such-package==2.0\n")
    finding = doctor.check_packages(constraints)
    assert finding.state == "NOTE"
    assert finding.found == (
        f"pyyaml {metadata.version('pyyaml')} (pinned: 0.1), no-such-package missing (pinned: 2.0)"
    )


def test_missing_libraries_pass_on_the_line_to_copy(monkeypatch):
    line = "sudo apt-get install -y libxt6"
    run = SimpleNamespace(returncode=1, stderr=f"bootstrap: system packages are missing\n{line}\n")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: run)
    assert doctor.check_libraries().advice == f"run: {line}"


def test_small_disk_is_a_problem(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage(9e9, 8e9, 1.26e9))
    finding = doctor.check_disk(tmp_path)
    assert finding == Finding(
        "PROBLEM", "Disk", f"1.3 GB free in {tmp_path}", "make room: a run needs 2 GB"
    )


@pytest.mark.parametrize(
    ("program", "state", "found"),
    [
        ("print('noise'); print('it works')", "OK", "it works"),
        ("import no_such_module", "PROBLEM", "No module named 'no_such_module'"),
        ("raise SystemExit('three words only')", "PROBLEM", "three words only"),
        ("raise SystemExit(3)", "PROBLEM", "failed without a word"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "PROBLEM", "crashed (SIGSEGV)"),
        ("import time; time.sleep(9)", "PROBLEM", "did not answer in 2 s"),
    ],
)
def test_what_a_program_of_its_own_does_is_one_line(program, state, found):
    finding = try_out("Thing", program, "mend it", seconds=2)
    assert finding.state == state
    assert found in finding.found
    assert finding.advice == ("" if state == "OK" else "mend it")


def test_programs_take_nothing_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "yaml.py").write_text("raise SystemExit('taken from the current folder')")
    monkeypatch.chdir(tmp_path)
    assert try_out("YAML", "import yaml; print('ok')", "").state == "OK"


def test_a_gpu_that_torch_cannot_use_gets_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "TRY_TORCH", "print('torch 2; no GPU, 2 CPU threads')")
    assert doctor.check_torch(driver=False).state == "OK"
    finding = doctor.check_torch(driver=True)
    assert (finding.state, "too old" in finding.advice) == ("NOTE", True)


@pytest.mark.parametrize(
    ("states", "status", "last_line"),
    [
        (["OK", "NOTE"], 0, "Everything that is needed works."),
        (["OK", "PROBLEM"], 1, "1 problem to mend."),
        (["PROBLEM", "NOTE", "PROBLEM"], 1, "2 problems to mend."),
    ],
)
def test_only_problems_make_the_command_fail(monkeypatch, states, status, last_line):
    findings = [Finding(s, "Thing", "as found", "" if s == "OK" else "mend it") for s in states]
    monkeypatch.setattr(doctor, "examine", lambda: iter(findings))
    result = CliRunner().invoke(doctor.doctor)
    assert result.exit_code == status
    lines = result.output.splitlines()
    assert lines[-1] == last_line
    assert lines.count(" " * 27 + "-> mend it") == len(states) - states.count("OK")


@pytest.mark.blender
def test_blender_is_tried_by_rendering():
    finding = try_out("Blender", doctor.TRY_BLENDER, "")
    assert finding.state == "OK", finding.found
    assert re.fullmatch(r"bpy 4\.5\.\d+.*, Cycles renders; devices: .+", finding.found)


def test_torch_is_tried_with_a_product():
    finding = try_out("Torch", doctor.TRY_TORCH, "")
    assert finding.state == "OK", finding.found
    assert finding.found.startswith(f"torch {metadata.version('torch').partition('+')[0]}")


def test_egl_is_tried_by_drawing_a_triangle():
    assert try_out("EGL", doctor.TRY_EGL, "").found == "pyrender draws without a screen"
    smaller = doctor.TRY_EGL.replace("[0, 1, -2]]", "[0, 0, -2]]")
    finding = try_out("EGL", smaller, "mend it")
    assert finding.state == "PROBLEM"
    assert re.search(r"a triangle that fills 12 % of the picture came out at [67]%", finding.found)


def test_doctor_itself_loads_neither_blender_nor_torch():
    kept_out = "{'bpy', 'torch', 'pyrender'}"
    program = f"import sys, pamtri.doctor; print(sorted({kept_out} & set(sys.modules)))"
    assert try_out("Doctor", program, "").found == "[]"
