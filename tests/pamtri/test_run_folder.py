import pytest
import yaml

from pamtri.config import Config
from pamtri.errors import ConfigError, UserError
from pamtri.run_folder import open_run_folder


class Nested(Config):
    sizes: tuple[int, ...] = (1, 2)


class Run(Config):
    seed: int = 0
    nested: Nested = Nested()


def refused(*args, **kwargs):
    with pytest.raises(UserError) as caught:
        open_run_folder(*args, **kwargs)
    return str(caught.value)


def test_a_run_records_its_config_seed_and_versions(tmp_path):
    folder = tmp_path / "a/b"
    open_run_folder(folder, "render", Run(seed=0))
    assert yaml.safe_load((folder / "config.yaml").read_text()) == {
        "seed": 0,
        "nested": {"sizes": [1, 2]},
    }
    run = yaml.safe_load((folder / "run.yaml").read_text())
    assert (run["stage"], run["seed"]) == ("render", 0)
    assert "commit" in run and "numpy" in run["versions"]


def test_the_same_run_goes_on_only_when_asked(tmp_path):
    open_run_folder(tmp_path, "render", Run())
    (tmp_path / "result").write_text("kept")
    expected = "already holds this run; continue it with --resume, or choose another --output"
    assert refused(tmp_path, "render", Run()) == f"{tmp_path}: {expected}"
    open_run_folder(tmp_path, "render", Run(), resume=True)
    assert (tmp_path / "result").read_text() == "kept"


@pytest.mark.parametrize("resume", [True, False])
def test_another_config_is_refused_naming_the_first_difference(tmp_path, resume):
    open_run_folder(tmp_path, "render", Run())
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    other = Run(nested=Nested(sizes=(1, 3)))
    assert refused(tmp_path, "render", other, resume) == (
        f"{tmp_path}: holds a run with another configuration (nested.sizes is [1, 2] there, "
        "[1, 3] now); choose another --output"
    )
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before


def test_another_stage_is_refused(tmp_path):
    open_run_folder(tmp_path, "render", Run())
    assert refused(tmp_path, "pose", Run(), resume=True) == (
        f"{tmp_path}: holds a run of 'render', expected 'pose'"
    )


def test_folders_that_are_no_run(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert refused(tmp_path, "render", Run()) == (
        f"{tmp_path}: is not empty and holds no run; choose another --output"
    )
    file = tmp_path / "thesis.tex"
    assert refused(file, "render", Run()) == f"{file}: is a file; choose another --output"
    assert file.read_text() == "years of work"


def test_a_run_stopped_while_it_claimed_its_folder_can_start_again(tmp_path):
    open_run_folder(tmp_path, "render", Run())
    (tmp_path / "config.yaml").rename(tmp_path / "config.yaml.part")
    open_run_folder(tmp_path, "render", Run())
    assert (tmp_path / "config.yaml").exists()


def test_a_damaged_config_ends_in_a_sentence(tmp_path):
    open_run_folder(tmp_path, "render", Run())
    (tmp_path / "config.yaml").write_text("seed: [")
    with pytest.raises(ConfigError, match=r"config.yaml: is not valid YAML"):
        open_run_folder(tmp_path, "render", Run(), resume=True)
