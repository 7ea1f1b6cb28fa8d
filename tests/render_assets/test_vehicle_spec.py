"""Drawing vehicles: seeds, weights, JSON, colours."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri.attributes import COLOURS, TYPES
from pamtri.errors import ConfigError
from render_assets.colours import REGIONS, lab_to_rgb, rgb_to_lab
from render_assets.spec import VehicleSpec, sample_vehicle
from render_assets.styles import STYLES


def test_every_type_has_a_style_and_every_style_is_drawn_as_asked() -> None:
    assert {s.type for s in STYLES.values()} == set(TYPES)
    assert len(STYLES) >= 12
    for style in STYLES:
        for colour in COLOURS:
            spec = sample_vehicle(0, 5, styles={style: 1.0}, colours={colour: 2.0})
            assert (spec.style, spec.colour, spec.type) == (style, colour, STYLES[style].type)


def test_spec_is_a_pure_function_and_survives_json() -> None:
    for identity in range(50):
        spec = sample_vehicle(0, identity)
        assert spec == sample_vehicle(0, identity)
        assert VehicleSpec.model_validate_json(spec.model_dump_json()) == spec
        assert hash(spec) == hash(VehicleSpec.model_validate_json(spec.model_dump_json()))
    drawn = [sample_vehicle(s, i).shape.length for s in (0, 1) for i in range(40)]
    assert len(set(drawn)) == 80


def test_global_generator_is_neither_used_nor_moved() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = sample_vehicle(0, 3)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert sample_vehicle(0, 3) == first


def test_another_colour_choice_leaves_the_model_as_it_was() -> None:
    for identity in range(20):
        free = sample_vehicle(0, identity)
        red = sample_vehicle(0, identity, colours={"red": 1.0})
        assert (red.shape, red.trim, red.wheels) == (free.shape, free.trim, free.wheels)
        assert red.colour == "red"


def test_weights_are_the_shares_drawn() -> None:
    types = {"sedan": 3.0, "bus": 1.0}
    drawn = [sample_vehicle(0, i, types=types).type for i in range(400)]
    assert set(drawn) == {"sedan", "bus"}
    assert drawn.count("sedan") / 400 == pytest.approx(0.75, abs=0.06)
    uniform = [sample_vehicle(0, i).type for i in range(900)]
    assert all(65 <= uniform.count(t) <= 135 for t in TYPES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"types": {"sedna": 1.0}}, "unknown vehicle type 'sedna'; did you mean 'sedan'?"),
        ({"colours": {"grey": 1.0}}, "unknown vehicle colour 'grey'; did you mean 'gray'?"),
        ({"styles": {"hatch": 1.0}}, "unknown vehicle style 'hatch'; did you mean 'hatch"),
        ({"types": {"sedan": -1.0}}, "weight of vehicle type 'sedan' must be >= 0, got -1.0"),
        ({"colours": {"red": 0.0}}, "every vehicle colour has weight 0"),
        ({"types": {"bus": 1.0}, "styles": {"coupe": 1.0}}, "no vehicle in common"),
    ],
)
def test_bad_weights_end_in_one_sentence(arguments: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        sample_vehicle(0, 0, **arguments)


def test_cielab_of_known_colours() -> None:
    rgb = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0.2140411, 0.2140411, 0.2140411]])
    lab = np.array([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [53.39, 0, 0]])
    assert np.allclose(rgb_to_lab(rgb), lab, atol=0.02)
    inside = np.array([[50.0, 20, -30], [5, 1, 1], [80, -20, 60]])
    assert np.allclose(rgb_to_lab(lab_to_rgb(inside)), inside, atol=1e-6)


def test_a_thousand_paints_lie_in_their_colours_region_and_in_no_other() -> None:
    for k, colour in enumerate(COLOURS):
        rgb = np.array([sample_vehicle(k, i, colours={colour: 1.0}).paint.rgb for i in range(100)])
        assert rgb.min() >= 0 and rgb.max() <= 1
        lab = rgb_to_lab(rgb)
        for name, region in REGIONS.items():
            assert region.contains(lab).all() == (name == colour)
            assert region.contains(lab).any() == (name == colour)


def test_shades_are_those_of_traffic() -> None:
    """Light silver is the commonest gray, whites are nearly pure, reds muted, matte is rare."""
    paints = {
        colour: [sample_vehicle(3, i, colours={colour: 1.0}).paint for i in range(300)]
        for colour in ("gray", "white", "red")
    }
    lab = {c: rgb_to_lab(np.array([p.rgb for p in drawn])) for c, drawn in paints.items()}
    assert 0.45 < (lab["gray"][:, 0] > 63).mean() < 0.65
    assert lab["white"][:, 0].mean() > 92
    assert np.hypot(*lab["red"].T[1:]).mean() < 60
    finishes = [p.finish for p in paints["gray"]]
    assert 0.75 < finishes.count("metallic") / 300 < 0.95
    assert 0 < finishes.count("matte") < 25
    for paint in (p for drawn in paints.values() for p in drawn):
        assert (paint.coat == 0) == (paint.finish == "matte")
        assert (paint.flake > 0) == (paint.finish in ("metallic", "pearl"))
