"""Distributions draw what they say, and refuse what they cannot draw."""

from __future__ import annotations

import hashlib
from typing import Annotated

import numpy as np
import pytest
import scipy.stats

from pamtri.config import Config, dump_config, load_config, parse_config
from pamtri.errors import ConfigError
from synth.distributions import Name, Number, always, named, one_of, within
from synth.streams import Streams
from synth.tables import digest_of

DRAWS = 4000
UNIFORM = {"kind": "uniform", "low": 0}


class Factors(Config):
    """A section like those of a data set."""

    angle_deg: Number = always(1.0)
    share: Annotated[Number, within(0, 1)] = always(0.5)
    ground: Annotated[Name, one_of(("asphalt", "concrete"))] = named("asphalt")


def parse(**data):
    return parse_config(data, Factors, source="f.yaml")


def draw(factor, **facts):
    """One value an image."""
    return np.array([Streams((0, i), facts).number("a", factor) for i in range(DRAWS)])


@pytest.mark.parametrize(
    ("section", "cdf"),
    [
        ({"kind": "uniform", "low": -2, "high": 6}, scipy.stats.uniform(-2, 8).cdf),
        (
            {"kind": "normal", "mean": 1, "std": 2, "low": 0, "high": 2.5},
            scipy.stats.truncnorm(-0.5, 0.75, loc=1, scale=2).cdf,
        ),
        ({"kind": "log_uniform", "low": 2, "high": 50}, scipy.stats.loguniform(2, 50).cdf),
    ],
    ids=lambda v: v["kind"] if isinstance(v, dict) else "",
)
def test_continuous_distributions_follow_their_law_within_their_bounds(section, cdf):
    factor = parse(angle_deg=section).angle_deg
    values = draw(factor)
    low, high = factor.bounds()
    assert low <= values.min() and values.max() <= high
    assert scipy.stats.kstest(values, cdf).pvalue > 0.01


def test_a_normal_without_ends_is_cut_at_what_the_key_allows():
    section = {"kind": "normal", "mean": 0.9, "std": 0.5}
    nested = {"kind": "mixture", "parts": [section, 0.2]}
    by_type = {"kind": "by_type", "cases": {"default": nested}}
    for factor in (parse(share=s).share for s in (section, nested, by_type)):
        values = draw(factor)
        assert values.min() >= 0 and 0.95 < values.max() <= 1
        assert factor.bounds() == (0, 1)
    whole = draw(parse(angle_deg={"kind": "normal", "mean": 5, "std": 3}).angle_deg)
    assert scipy.stats.kstest(whole, scipy.stats.norm(5, 3).cdf).pvalue > 0.01


def test_a_mixture_draws_its_parts_by_weight():
    parts = [{"kind": "uniform", "low": 0, "high": 2}, {"kind": "normal", "mean": 50, "std": 1}, 7]
    factor = parse(angle_deg={"kind": "mixture", "parts": parts, "weights": [1, 2, 1]}).angle_deg
    values = draw(factor)
    low, middle, high = values[values < 5], values[values == 7], values[values > 20]
    assert len(low) + len(middle) + len(high) == DRAWS
    assert len(high) / DRAWS == pytest.approx(0.5, abs=0.03)
    assert len(middle) / DRAWS == pytest.approx(0.25, abs=0.03)
    # The part and the value within it are drawn apart from each other.
    assert scipy.stats.kstest(low, scipy.stats.uniform(0, 2).cdf).pvalue > 0.01
    assert scipy.stats.kstest(high, scipy.stats.norm(50, 1).cdf).pvalue > 0.01
    assert factor.bounds() == (-np.inf, np.inf)


def test_mixtures_that_go_together_use_the_same_part_and_others_do_not():
    def pairs(together):
        a, b = (
            parse(angle_deg={"kind": "mixture", "parts": [0, 1], "together": name}).angle_deg
            for name in (together, "night")
        )
        streams = [Streams((0, i)) for i in range(100)]
        return {(s.number("a", a), s.number("b", b)) for s in streams}

    assert pairs("night") == {(0, 0), (1, 1)}
    assert pairs(None) == pairs("day") == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize(
    ("kind", "fact", "case"),
    [("by_type", "type", "bus"), ("by_style", "style", "coupe"), ("by_camera", "camera", "3")],
)
def test_cases_are_told_by_what_is_known_of_the_image(kind, fact, case):
    cases = {case: {"kind": "choice", "values": [1, 2]}, "default": 7}
    factor = parse(angle_deg={"kind": kind, "cases": cases}).angle_deg
    assert set(draw(factor, **{fact: case})) == {1, 2}
    assert set(draw(factor, **{fact: "other"})) == set(draw(factor)) == {7}
    assert factor.bounds() == (1, 7)
    named = parse(ground={"kind": kind, "cases": {case: "concrete", "default": "asphalt"}}).ground
    drawn = [Streams((0, 0), facts).name("g", named) for facts in ({fact: case}, {})]
    assert drawn == ["concrete", "asphalt"]


def test_a_case_draws_as_it_would_alone():
    alone = parse(angle_deg={"kind": "uniform", "low": 0, "high": 9}).angle_deg
    section = {"kind": "by_type", "cases": {"default": {"kind": "uniform", "low": 0, "high": 9}}}
    assert (draw(parse(angle_deg=section).angle_deg) == draw(alone)).all()


def test_what_is_written_of_nested_distributions_is_read_back_equal(tmp_path):
    section = {
        "kind": "by_camera",
        "cases": {
            1: {"kind": "mixture", "parts": [{"kind": "normal", "mean": 0.2, "std": 0.1}, 0.5]},
            "default": 0.1,
        },
    }
    config = parse(share=section)
    path = tmp_path / "f.yaml"
    path.write_text(dump_config(config))
    assert load_config(path, Factors) == config


def test_a_normal_far_out_in_its_tail_stays_within_its_bounds():
    section = {"kind": "normal", "mean": 0, "std": 1, "low": 12, "high": 13}
    values = draw(parse(angle_deg=section).angle_deg)
    assert values.min() >= 12 and values.max() <= 13


def test_choice_draws_by_weight_and_never_what_weighs_nothing():
    section = {"kind": "choice", "values": [1, 2, 5], "weights": [3, 0, 1]}
    factor = parse(angle_deg=section).angle_deg
    values, counts = np.unique(draw(factor), return_counts=True)
    assert values.tolist() == [1, 5]
    assert counts[0] / DRAWS == pytest.approx(0.75, abs=0.03)
    assert factor.bounds() == (1, 5)


def test_bare_values_are_constants_and_are_written_bare():
    config = parse(angle_deg=30, ground="concrete")
    assert set(draw(config.angle_deg)) == {30.0}
    assert "angle_deg: 30.0\n" in dump_config(config)
    assert config.ground.weights_by_value() == {"concrete": 1.0}


def test_tables_draw_their_rows_scaled_and_share_a_row_within_an_image(tmp_path):
    file = tmp_path / "cameras.csv"
    file.write_text("elevation_deg,distance\n10,1\n20,2\n30,3\n")
    config = parse(
        angle_deg={"kind": "table", "file": str(file), "column": "elevation_deg"},
        share={"kind": "table", "file": str(file), "column": "distance", "scale": 0.1},
    )
    drawn = set()
    for index in range(40):
        streams = Streams((0, index))
        drawn.add((streams.number("a", config.angle_deg), streams.number("b", config.share)))
    assert (
        sorted(drawn) == pytest.approx(np.array([(10, 0.1), (20, 0.2), (30, 3 * 0.1)]))
        and len(drawn) == 3
    )


def test_damaged_tables_are_refused_in_one_sentence(tmp_path):
    def refused(name, array=None):
        section = {"kind": "table", "file": str(tmp_path / name), "column": "a", "array": array}
        with pytest.raises(ConfigError) as error:
            parse(angle_deg=section)
        return str(error.value).removeprefix(f"f.yaml: angle_deg: {tmp_path}/")

    (tmp_path / "a.npz").write_text("no archive")
    assert refused("a.npz", "x").startswith("a.npz: is no archive of arrays: ")
    (tmp_path / "b.csv").write_bytes(b"a\n\xff\n")
    assert refused("b.csv").startswith("b.csv: is no table of text: ")
    np.savez(tmp_path / "c.npz", x=np.zeros((2, 3)), x_columns=np.array(["a", "b"]))
    assert refused("c.npz", "x") == (
        "c.npz: array 'x': expected 2 columns as x_columns names, got the shape (2, 3)"
    )
    (tmp_path / "d.csv").write_text("a\nnan\n")
    assert refused("d.csv") == "d.csv: column 'a' must hold finite numbers in at least one row"


def test_a_table_that_has_changed_is_another_configuration(tmp_path):
    file = tmp_path / "cameras.csv"
    file.write_text("roll\n1\n")
    config = parse(angle_deg={"kind": "table", "file": str(file), "column": "roll"})
    digest = hashlib.sha256(b"roll\n1\n").hexdigest()[:16]
    path = tmp_path / "f.yaml"
    path.write_text(dump_config(config))
    assert f"digest: {digest}" in path.read_text()
    assert load_config(path, Factors) == config
    file.write_text("roll\n2\n")
    digest_of.cache_clear()
    with pytest.raises(ConfigError, match=f"cameras.csv: expected the digest {digest}, got"):
        load_config(path, Factors)


def test_rows_stay_together_inside_mixtures_and_cases(tmp_path):
    file = tmp_path / "cameras.csv"
    file.write_text("a,b,surface\n1,10,asphalt\n2,20,asphalt\n3,30,concrete\n")
    table = {"kind": "table", "file": str(file)}
    nested = {
        "kind": "by_type",
        "cases": {"default": {"kind": "mixture", "parts": [table | {"column": "a"}]}},
    }
    config = parse(angle_deg=nested, ground=table | {"column": "surface"})
    other = parse(angle_deg=table | {"column": "b"}).angle_deg
    rows = set()
    for index in range(40):
        streams = Streams((0, index))
        rows.add(
            (streams.number("x", config.angle_deg), streams.number("y", other),
             streams.name("z", config.ground))
        )  # fmt: skip
    assert rows == {(1, 10, "asphalt"), (2, 20, "asphalt"), (3, 30, "concrete")}
    assert config.ground.weights_by_value() == {"asphalt": 2, "concrete": 1}
    file.write_text("surface\nasphlt\n")
    again = tmp_path / "again.csv"
    again.write_text(file.read_text())
    with pytest.raises(ConfigError, match=r"ground: expected one of .* got 'asphlt' \(did you"):
        parse(ground={"kind": "table", "file": str(again), "column": "surface"})


def test_npz_tables_are_read_by_column_name(tmp_path):
    file = tmp_path / "prior.npz"
    np.savez(file, camera=np.array([[1.0, 7.0], [2.0, 9.0]]), camera_columns=np.array(["a", "b"]))
    section = {"kind": "table", "file": str(file), "array": "camera", "column": "b"}
    assert set(draw(parse(angle_deg=section).angle_deg)) == {7.0, 9.0}
    section["column"] = "bb"
    with pytest.raises(ConfigError, match=r"prior.npz: has no column 'bb' \(did you mean 'b'\?\)"):
        parse(angle_deg=section)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"angle_deg": "wide"}, "f.yaml: angle_deg: expected a valid number, got 'wide'"),
        (
            {"angle_deg": {"kind": "unifrm", "low": 0, "high": 1}},
            r"f.yaml: angle_deg.kind: .*, got 'unifrm' \(did you mean 'uniform'\?\)",
        ),
        (
            {"angle_deg": {"kind": "uniform", "low": 0, "high": 1, "men": 3}},
            "f.yaml: unknown key 'angle_deg.men'",
        ),
        (
            {"angle_deg": {"kind": "uniform", "low": 2, "high": 1}},
            "f.yaml: angle_deg: expected low <= high, got 2.0 and 1.0",
        ),
        (
            {"angle_deg": {"kind": "choice", "values": [1, 2], "weights": [1]}},
            "f.yaml: angle_deg: expected 2 weights, one a value, got 1",
        ),
        (
            {"angle_deg": {"kind": "choice", "values": [1, 2], "weights": [0, 0]}},
            "f.yaml: angle_deg: expected at least one weight above 0",
        ),
        ({"share": 1.5}, "f.yaml: share: expected at least 0 and at most 1, got 1.5"),
        (
            {"share": {"kind": "uniform", "low": 0, "high": 3}},
            "f.yaml: share: expected at least 0 and at most 1, got values from 0 to 3",
        ),
        (
            {"ground": "asphlt"},
            r"f.yaml: ground: expected one of asphalt, concrete, got 'asphlt' "
            r"\(did you mean 'asphalt'\?\)",
        ),
        (
            {"angle_deg": {"kind": "table", "file": "no.csv", "column": "a"}},
            "f.yaml: angle_deg: no.csv: no such table file",
        ),
        (
            {
                "angle_deg": {
                    "kind": "mixture",
                    "parts": [1, {"kind": "uniform", "low": 0, "hi": 1}],
                }
            },
            r"f.yaml: missing key 'angle_deg.parts.1.high'; unknown key 'angle_deg.parts.1.hi' "
            r"\(did you mean 'high'\?\)",
        ),
        (
            {"angle_deg": {"kind": "mixture", "parts": [1, 2], "weights": [1]}},
            "f.yaml: angle_deg: expected 2 weights, one a part, got 1",
        ),
        (
            {
                "share": {
                    "kind": "mixture",
                    "parts": [0.5, {"kind": "uniform", "low": 0, "high": 3}],
                }
            },
            "f.yaml: share: expected at least 0 and at most 1, got values from 0 to 3",
        ),
        (
            {"share": {"kind": "normal", "mean": 0, "std": 1, "low": 2}},
            "f.yaml: share: expected at least 0 and at most 1, got values from 2 to 1",
        ),
        (
            {"angle_deg": {"kind": "by_type", "cases": {"bus": 1}}},
            "f.yaml: angle_deg: cases: expected a 'default' for all that no other case names",
        ),
        (
            {"angle_deg": {"kind": "by_style", "cases": {"coup": 1, "default": 1}}},
            r"f.yaml: angle_deg: cases: expected vehicle styles, got 'coup' "
            r"\(did you mean 'coupe'\?\)",
        ),
        (
            {"angle_deg": {"kind": "by_camera", "cases": {"left": 1, "default": 1}}},
            "f.yaml: angle_deg: cases: expected ids of fixed cameras, got 'left'",
        ),
        (
            {"angle_deg": {"kind": "by_type", "cases": {"bus": {"kind": "nrmal"}, "default": 1}}},
            r"f.yaml: angle_deg.cases.bus.kind: .*, got 'nrmal' \(did you mean 'normal'\?\)",
        ),
    ],
)
def test_a_factor_that_cannot_be_drawn_is_refused_in_one_sentence(data, message):
    with pytest.raises(ConfigError, match=message):
        parse(**data)


def test_a_table_that_holds_no_number_names_file_row_and_column(tmp_path):
    file = tmp_path / "cameras.csv"
    file.write_text("roll\n1\nhigh\n")
    section = {"kind": "table", "file": str(file), "column": "roll"}
    message = "cameras.csv: row 2, column 'roll': expected a number, got 'high'"
    with pytest.raises(ConfigError, match=message):
        parse(angle_deg=section)
