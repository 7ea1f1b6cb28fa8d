from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from pamtri.config import Config, dump_config, load_config
from pamtri.errors import ConfigError


class Uniform(Config):
    kind: Literal["uniform"]
    low: float
    high: float


class Constant(Config):
    kind: Literal["constant"]
    value: float


class Camera(Config):
    elevation_deg: Annotated[float, Field(ge=-90, le=90)] = 10.0
    size: tuple[int, int] = (224, 224)
    distance: Annotated[Uniform | Constant, Field(discriminator="kind")] = Constant(
        kind="constant", value=8
    )


class Run(Config):
    seed: int = 0
    types: tuple[Literal["sedan", "suv", "bus"], ...] = ("sedan",)
    camera: Camera = Camera()
    real: Camera | None = None


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "run.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def message(path, overrides=()):
    with pytest.raises(ConfigError) as caught:
        load_config(path, Run, overrides)
    return str(caught.value)


def test_a_file_is_read_and_dumped_back_equal(write):
    text = "seed: 3\ntypes: [suv, bus]\ncamera:\n  elevation_deg: 5\n  size: [64, 48]\n"
    config = load_config(write(text), Run)
    assert config == Run(
        seed=3, types=("suv", "bus"), camera=Camera(elevation_deg=5, size=(64, 48))
    )
    assert load_config(write(dump_config(config), "again.yaml"), Run) == config


MESSAGES = {
    "sede: 1": "unknown key 'sede' (did you mean 'seed'?)",
    "zzz: 1": "unknown key 'zzz'",
    "camera: {elevation: 1}": "unknown key 'camera.elevation' (did you mean 'elevation_deg'?)",
    "seed: '5'": "seed: expected a valid integer, got '5'",
    "seed: 1.5": "seed: expected a valid integer, got 1.5",
    "camera: {elevation_deg: 91}": (
        "camera.elevation_deg: expected less than or equal to 90, got 91"
    ),
    "camera: {elevation_deg: .nan}": "camera.elevation_deg: expected a finite number, got nan",
    "types: [suvv]": (
        "types.0: expected 'sedan', 'suv' or 'bus', got 'suvv' (did you mean 'suv'?)"
    ),
    "camera: {size: [1]}": "missing key 'camera.size.1'",
    "camera: {distance: {kind: uniform, low: 1, hihg: 2}}": (
        "missing key 'camera.distance.high'; unknown key 'camera.distance.hihg' "
        "(did you mean 'high'?)"
    ),
    "camera: {distance: {kind: unifrom, low: 1}}": (
        "camera.distance.kind: expected one of 'uniform', 'constant', got 'unifrom' "
        "(did you mean 'uniform'?)"
    ),
    "- 1": "expected keys and values, got list",
}


@pytest.mark.parametrize(("text", "expected"), MESSAGES.items())
def test_messages_name_file_key_expected_and_got(write, text, expected):
    path = write(text)
    assert message(path) == f"{path}: {expected}"


def test_no_more_than_three_problems_are_spelled_out(write):
    path = write("a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n")
    assert message(path).endswith("unknown key 'c' (and 2 more)")


def test_files_that_cannot_be_read(write, tmp_path):
    missing = tmp_path / "none.yaml"
    assert message(missing) == f"{missing}: no such configuration file"
    assert f"{tmp_path}: cannot be read" in message(tmp_path)
    broken = write("a: [1")
    assert message(broken).startswith(f"{broken}: is not valid YAML: ")
    assert "\n" not in message(broken)
    harmful = write("seed: !!python/object/apply:os.getcwd []")
    assert "is not valid YAML" in message(harmful)


def test_an_empty_file_is_all_defaults(write):
    assert load_config(write(""), Run) == Run()


def test_extends_lays_sections_over_the_parents(write):
    write("seed: 1\ncamera:\n  elevation_deg: 5\n  size: [64, 48]\n", "base.yaml")
    write("extends: base.yaml\ncamera: {elevation_deg: 7}\n", "middle.yaml")
    config = load_config(write("extends: middle.yaml\nseed: 2\n"), Run)
    assert config == Run(seed=2, camera=Camera(elevation_deg=7, size=(64, 48)))


def test_extends_is_found_from_the_file_that_says_it(write, tmp_path):
    (tmp_path / "sub").mkdir()
    write("seed: 9", "base.yaml")
    write("extends: ../base.yaml", "sub/child.yaml")
    assert load_config(tmp_path / "sub/child.yaml", Run).seed == 9


def test_a_section_of_another_kind_replaces_its_parents_whole(write):
    write("camera: {distance: {kind: uniform, low: 1, high: 2}}", "base.yaml")
    path = write("extends: base.yaml\ncamera: {distance: {kind: constant, value: 3}}")
    assert load_config(path, Run).camera.distance == Constant(kind="constant", value=3)


def test_extends_that_goes_nowhere(write, tmp_path):
    a, b = write("extends: b.yaml", "a.yaml"), write("extends: a.yaml", "b.yaml")
    assert message(a) == f"{a}: extends itself through {b.resolve()}"
    orphan = write("extends: none.yaml", "orphan.yaml")
    assert message(orphan) == f"{tmp_path / 'none.yaml'}: no such configuration file"
    two = write("extends: [a.yaml, b.yaml]", "two.yaml")
    assert message(two) == f"{two}: extends: expected one file name, got ['a.yaml', 'b.yaml']"


def test_overrides_win_and_make_sections(write):
    path = write("seed: 1\nreal: null\n")
    config = load_config(
        path, Run, ["seed=0", "camera.size=[8, 9]", "real.elevation_deg=-4", "types=[bus]"]
    )
    assert config == Run(
        seed=0,
        camera=Camera(size=(8, 9)),
        real=Camera(elevation_deg=-4),
        types=("bus",),
    )


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("seed", "--set seed: expected a.b.c=value"),
        ("=1", "--set =1: expected a.b.c=value"),
        ("seed=[", "--set seed=[: '[' is not a YAML value"),
        ("seed.a=1", "--set seed.a=1: 'seed' holds a value, not a section"),
    ],
)
def test_overrides_that_cannot_be(write, override, expected):
    assert message(write("seed: 1"), [override]) == expected


def test_an_override_is_checked_like_the_file(write):
    path = write("")
    assert message(path, ["camera.elevatoin_deg=1"]) == (
        f"{path}: unknown key 'camera.elevatoin_deg' (did you mean 'elevation_deg'?)"
    )
