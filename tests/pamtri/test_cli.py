import subprocess
import sys

import pytest
from click.testing import CliRunner

from pamtri import cli as module
from pamtri.cli import COMMANDS, cli, main


def run_main(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["pamtri", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_the_overview_lists_every_command_without_loading_it():
    code = (
        "import sys; from click.testing import CliRunner; from pamtri.cli import cli\n"
        "print(CliRunner().invoke(cli, ['--help']).output)\n"
        "print(sorted({'bpy', 'torch', 'numpy'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert output.endswith("[]\n")
    for name, (_, line) in COMMANDS.items():
        assert f"{name} " in output and line.split(",")[0] in output


def test_a_users_error_is_one_sentence_and_exit_status_1(monkeypatch, capsys, tmp_path):
    none = tmp_path / "none"
    assert run_main(monkeypatch, "dataset", "info", str(none)) == 1
    captured = capsys.readouterr()
    assert captured.err == f"pamtri: {none}: no such data set folder\n"
    assert captured.out == ""


def test_a_stranger_of_the_same_name_is_refused(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(module, "strangers", lambda: {"train": tmp_path})
    assert run_main(monkeypatch, "--help") == 1
    assert f"package 'train' comes from {tmp_path}, expected " in capsys.readouterr().err


def test_an_unknown_command_is_refused():
    result = CliRunner().invoke(cli, ["rendr"])
    assert result.exit_code == 2 and "No such command 'rendr'" in result.output
