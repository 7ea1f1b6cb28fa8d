import pytest
from click.testing import CliRunner

from pamtri.dataset_cli import dataset
from pamtri.errors import DataError


def run(*args):
    return CliRunner().invoke(dataset, [str(a) for a in args])


def test_info_counts_by_split_and_label(small):
    result = run("info", small.root)
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert ["split", "images", "identities", "cameras", "domain"] in lines
    assert ["train", "3", "2", "2", "synthetic"] in lines
    assert ["gallery", "2", "2", "1", "synthetic"] in lines
    assert ["all", "6", "4", "2", "synthetic"] in lines
    assert ["colour", "5", "83%"] in lines and ["mask", "0", "0%"] in lines
    assert "colours: red 2, black 1, white 1, golden 1" in result.output


def test_check_lists_and_fails(small):
    assert run("check", small.root).exit_code == 0
    missing = small.image_path(small.records[0])
    missing.unlink()
    result = run("check", small.root)
    assert result.exit_code == 1
    assert f"missing image: {missing}: no such file\n" in result.output
    assert result.stdout.endswith(f"{small.root}: 6 images, 1 problems (missing image 1)\n")


def test_check_goes_on_after_damaged_labels(small):
    shard = small.root / "records/00000.jsonl"
    shard.write_text(shard.read_text().replace('"identity":4', '"identity":null,"x":1'))
    result = run("check", small.root)
    assert result.exit_code == 1
    assert f"damaged label: {shard}, line 6: unknown key 'x'" in result.output


def test_convert_and_back(small, tmp_path):
    out, back = tmp_path / "veri", tmp_path / "back"
    assert run("convert", small.root, "--to", "veri", "--output", out).exit_code == 0
    assert run("info", out).output.startswith(f"{out}: veri, layout veri, 6 images")
    result = run("convert", out, "--format", "veri", "--to", "native", "--output", back)
    assert result.exit_code == 0
    assert result.stdout.endswith(f"{back}: 6 images in layout native\n")


def test_damaged_rows_end_the_command_or_are_told(small, tmp_path):
    shard = small.root / "records/00000.jsonl"
    shard.write_text(shard.read_text() + "{}\n")
    result = run("info", small.root)
    assert isinstance(result.exception, DataError)
    result = run("info", small.root, "--skip-damaged")
    assert result.exit_code == 0
    assert f"skipped {shard}, line 7: missing key 'image'" in result.stderr


@pytest.mark.parametrize("command", ["info", "check", "convert"])
def test_every_command_shows_examples(command):
    assert f"pamtri dataset {command} " in run(command, "--help").output
