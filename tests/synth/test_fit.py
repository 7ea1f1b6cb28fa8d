"""Fitting a preset to photographs: measurements, estimates, and the whole descent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
import yaml
from click.testing import CliRunner

from pamtri.config import load_config
from pamtri.errors import DataError, UserError
from pamtri.record import Record, Viewpoint
from synth.cli import synth
from synth.config import SynthConfig
from synth.distributions import Source
from synth.fit import descent, estimate
from synth.fit.descent import Round, direct_values, refuse_overruling
from synth.fit.factors import FACTORS
from synth.fit.looks import SCALARS, Looks, appearance, jpeg_quality, pictures_of
from synth.fit.report import write_config, write_page

ROOT = Path(__file__).resolve().parents[2]
PRESET = ROOT / "configs/synth/traffic_camera.yaml"


def test_factors_are_found_through_what_else_moves_their_measurements():
    rng = np.random.default_rng(0)
    mixing = np.array([[2.0, 0.0, 0.0], [0.7, -1.0, 0.0], [0.0, 0.0, 0.0]])

    def measure(factors):
        return factors @ mixing.T + rng.normal(0, 0.3, factors.shape)

    drawn = rng.normal([0, 0, 5], [1, 0.5, 1], (300, 3))
    target = measure(rng.normal([0.8, -0.6, 9], [0.9, 0.6, 1], (300, 3)))
    latest = np.arange(300) >= 100
    moves = estimate.fit_factors(drawn, measure(drawn), latest, target)
    assert moves.told.tolist() == [True, True, False]
    assert moves.mean == pytest.approx([0.8, -0.6, drawn[latest, 2].mean()], abs=0.15)
    assert moves.std[:2] == pytest.approx([0.9, 0.6], abs=0.2)
    gone = measure(drawn)
    gone[:50] = np.nan
    assert estimate.fit_factors(drawn, gone, latest, target).mean == pytest.approx(
        moves.mean, abs=0.2
    )


def test_a_constant_factor_cannot_be_told():
    drawn = np.column_stack([np.random.default_rng(0).normal(size=90), np.full(90, 3.0)])
    moves = estimate.fit_factors(drawn, drawn.copy(), np.ones(90, bool), drawn + 1)
    assert moves.told.tolist() == [True, False]
    assert moves.mean[1] == 3


def test_azimuths_are_told_apart_from_their_mirror_readings():
    """A fifth of all readings is turned round; the photographs look from two places alone."""
    rng = np.random.default_rng(1)

    def read(true):
        turned = np.where(rng.random(len(true)) < 0.2, 180, 0)
        return (true + turned + rng.normal(0, 4, len(true))) % 360

    true = rng.uniform(0, 360, 800)
    places = rng.choice([30.0, 285.0], 500, p=[0.7, 0.3])
    weights = estimate.unfold_azimuths(true, read(true), read(places))
    assert weights.sum() == pytest.approx(1)
    near = [sum(weights[(s + d) % 24] for d in (-1, 0, 1)) for s in (2, 19)]
    assert near == pytest.approx([0.7, 0.3], abs=0.06)
    assert weights[14] + weights[7] < 0.05  # where the readings that are turned round lie


def test_shares_of_colours_are_not_those_that_the_renders_have():
    rng = np.random.default_rng(2)
    centres = {"red": [0, 0], "white": [2, 0], "blue": [0, 2]}
    labels = rng.choice(list(centres), 600)
    points = np.array([centres[c] for c in labels]) + rng.normal(0, 0.8, (600, 2))
    wanted = rng.choice(list(centres), 600, p=[0.1, 0.75, 0.15])
    target = np.array([centres[c] for c in wanted]) + rng.normal(0, 0.8, (600, 2))
    shares, accuracy = estimate.unmix_classes(points, labels, target)
    assert shares["white"] == pytest.approx(0.75, abs=0.06)
    assert sum(shares.values()) == pytest.approx(1)
    assert 0.75 < accuracy < 0.95
    alike = np.repeat(["red"], 600)
    assert estimate.unmix_classes(points, alike, target) == ({"red": 1.0}, 1.0)


def test_distances_are_nothing_among_equals_and_grow_apart():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(400, 2))
    assert estimate.scalar_distances(values, values).tolist() == [0, 0]
    assert estimate.scalar_distances(values + np.array([1, 0]), values)[0] == pytest.approx(
        1, rel=0.1
    )
    angles = rng.uniform(0, 90, 300)
    assert estimate.azimuth_distance(angles, angles) == 0
    assert estimate.azimuth_distance(angles + 180, angles) > 0.9
    features = rng.normal(size=(400, 20))
    assert estimate.feature_distance(features, features) == pytest.approx(0, abs=1e-4)
    assert estimate.feature_distance(features + 3, features) > 5


def test_appearance_follows_light_colour_and_blur():
    rng = np.random.default_rng(4)
    image = rng.integers(60, 180, (60, 80, 3)).astype(np.uint8)
    names = SCALARS[4:]
    plain = dict(zip(names, appearance(image), strict=True))
    darker = (255 * ((image / 255) ** 2.2 / 2) ** (1 / 2.2)).astype(np.uint8)
    assert dict(zip(names, appearance(darker), strict=True))["brightness"] == pytest.approx(
        plain["brightness"] - 1, abs=0.1
    )
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert appearance(grey)[2] == 0
    warm = image.copy()
    warm[..., 2] //= 2
    assert dict(zip(names, appearance(warm), strict=True))["warmth"] > plain["warmth"] + 1
    blurred = dict(zip(names, appearance(cv2.GaussianBlur(image, (0, 0), 1.5)), strict=True))
    assert blurred["sharpness"] < plain["sharpness"] - 1
    assert blurred["grain"] < plain["grain"] - 0.5


@pytest.mark.parametrize("quality", [20, 35, 50, 75, 92])
def test_jpeg_quality_is_read_from_the_file(tmp_path, quality):
    image = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8))
    image.save(tmp_path / "a.jpg", quality=quality)
    assert jpeg_quality(tmp_path / "a.jpg") == pytest.approx(quality, abs=1.5)
    image.save(tmp_path / "a.png")
    assert np.isnan(jpeg_quality(tmp_path / "a.png"))


def test_pictures_are_taken_evenly(tmp_path):
    for i in range(10):
        PIL.Image.new("RGB", (4, 4)).save(tmp_path / f"{i}.png")
    assert [p.stem for p in pictures_of(tmp_path, 5)] == ["0", "2", "4", "6", "8"]
    assert len(pictures_of(tmp_path, 99)) == 10
    with pytest.raises(DataError, match="holds no image"):
        (tmp_path / "none").mkdir()
        pictures_of(tmp_path / "none", 5)
    with pytest.raises(DataError, match="no such file or folder"):
        pictures_of(tmp_path / "away", 5)


def test_presets_that_leave_no_room_are_refused():
    cameras = ROOT / "configs/synth/quickstart_real.yaml"
    with pytest.raises(UserError, match="has fixed_cameras"):
        refuse_overruling(load_config(cameras, SynthConfig), cameras)
    high = load_config(PRESET, SynthConfig, ["camera.height_m=4"])
    with pytest.raises(UserError, match=r"sets camera\.height_m, beside which camera\.elevation"):
        refuse_overruling(high, PRESET)


def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Renders and measurements without pictures: what is measured is the factor, and noise.

    Returns a function from a configuration and a seed to (records, looks).
    """
    picture = tmp_path / "picture.jpg"
    PIL.Image.new("RGB", (40, 30)).save(picture)

    def show(config: SynthConfig, seed: int) -> tuple[list[Record], Looks]:
        rng = np.random.default_rng(seed)
        records = [record_of(config, np.random.default_rng([seed, i])) for i in range(config.count)]
        drawn = np.array([[factor.drawn(r) for factor in FACTORS] for r in records])
        spread = np.array([3.0, 1, 0.2, 0.01, 0.2, 0.05, 0.1, 0.1, 0.1, 0.005])
        paint = np.array([np.eye(10)[descent.COLOURS.index(r.colour)] for r in records])
        count = len(records)
        azimuths = np.array([r.viewpoint.azimuth_deg for r in records if r.viewpoint])
        looks = Looks(
            paths=(picture,) * count,
            azimuth=(azimuths + rng.normal(0, 5, count)) % 360,
            scalars=drawn + rng.normal(0, spread, drawn.shape),
            size=np.array([float(r.width or 0) for r in records]),
            quality=np.array([r.scene["sensor"]["jpeg_quality"] for r in records if r.scene]),
            paint=paint + rng.normal(0, 0.2, paint.shape),
            pose=drawn[:, :2] / 10 + rng.normal(0, 0.1, (count, 2)),
        )
        return records, looks

    def make_round(preset, values, overrides, folder, number, count, workers, network):
        sets = [f"{key}={json.dumps(value)}" for key, value in values.items()]
        sets += [
            f"identities={count}",
            "images_per_identity=1",
            f"identity_offset={number * count}",
        ]
        records, looks = show(load_config(preset, SynthConfig, [*overrides, *sets]), number)
        return Round(dict(values), looks, records)

    monkeypatch.setattr(descent, "_round", make_round)
    return show


def record_of(config: SynthConfig, rng: np.random.Generator) -> Record:
    """What a render of this configuration would draw, of all that a fit looks at."""
    source = Source(rng, lambda name: rng, {"type": "sedan", "style": "notchback"})

    def draw(section: str, name: str) -> float:
        return getattr(getattr(config, section), name).sample(source)

    names = ("exposure_ev", "contrast", "saturation", "blur_px", "noise", "jpeg_quality")
    sensor = {name: draw("sensor", name) for name in names}
    warmth = draw("sensor", "warmth_ev")
    size = draw("image", "size_px")
    room = config.camera.framing.margin.sample(source)
    edge = size * room / (1 + 2 * room)
    view = Viewpoint(
        azimuth_deg=draw("camera", "azimuth_deg") % 360,
        elevation_deg=draw("camera", "elevation_deg"),
        roll_deg=draw("camera", "roll_deg"),
        distance_m=draw("camera", "distance_m"),
    )
    colours = config.vehicle.colour
    colour = colours.sample(source) if colours else str(rng.choice(descent.COLOURS))
    return Record(
        image="a.jpg", domain="synthetic", width=round(size), height=round(size), colour=colour,
        viewpoint=view, box_amodal=(edge, edge, round(size) - edge, round(size) - edge),
        scene={"sensor": {**sensor, "white_balance": (2 ** (warmth / 2), 1, 2 ** (-warmth / 2))}},
    )  # fmt: skip


HIDDEN = {
    "azimuth": "{kind: mixture, weights: [2, 1], parts: [{kind: normal, mean: 45, std: 8}, "
    "{kind: normal, mean: 210, std: 8}]}",
    "elevation": "{kind: normal, mean: 27, std: 3, low: 15, high: 40}",
    "colour": "{kind: choice, values: [white, red], weights: [3, 1]}",
}


def test_hidden_parameters_are_recovered_and_written(monkeypatch, tmp_path):
    show = world(monkeypatch, tmp_path)
    hidden = load_config(
        PRESET,
        SynthConfig,
        [
            "identities=150", "images_per_identity=1",
            f"camera.azimuth_deg={HIDDEN['azimuth']}",
            f"camera.elevation_deg={HIDDEN['elevation']}",
            f"vehicle.colour={HIDDEN['colour']}", "sensor.saturation=0.4", "sensor.exposure_ev=0.9",
            "image.size_px={kind: uniform, low: 60, high: 90}",
        ],
    )  # fmt: skip
    _, target = show(hidden, 99)
    said: list[str] = []
    found = descent.fit(PRESET, target, tmp_path, 3, 100, 1, say=said.append)
    assert [line.split(":")[0] for line in said] == [f"round {i}" for i in range(4)]
    assert found.best.score < 0.5 * found.rounds[0].score
    write_config(found, PRESET, tmp_path / "out" / "fitted.yaml")
    fitted = load_config(tmp_path / "out" / "fitted.yaml", SynthConfig)
    rest = load_config(PRESET, SynthConfig)
    assert fitted.ground == rest.ground and fitted.occluders == rest.occluders
    shown = yaml.safe_load((tmp_path / "out" / "fitted.yaml").read_text())
    assert shown["camera"]["elevation_deg"]["mean"] == pytest.approx(27, abs=2)
    assert shown["sensor"]["saturation"]["mean"] == pytest.approx(0.4, abs=0.1)
    assert shown["sensor"]["exposure_ev"]["mean"] == pytest.approx(0.9, abs=0.15)
    colours = dict(
        zip(
            shown["vehicle"]["colour"]["values"], shown["vehicle"]["colour"]["weights"], strict=True
        )
    )
    assert colours["white"] == pytest.approx(0.75, abs=0.1)
    azimuth = shown["camera"]["azimuth_deg"]
    weights = {
        (part["low"] + 7.5) % 360: weight
        for part, weight in zip(azimuth["parts"], azimuth["weights"], strict=True)
    }
    assert sum(w for a, w in weights.items() if abs(a - 45) <= 15) == pytest.approx(2 / 3, abs=0.12)
    assert sum(w for a, w in weights.items() if abs(a - 210) <= 15) == pytest.approx(1 / 3, abs=0.1)
    assert np.mean(shown["image"]["size_px"]["values"]) == pytest.approx(75, rel=0.05)
    write_page(found, PRESET, tmp_path / "out" / "fitted.yaml", tmp_path / "out" / "fit.html")
    page = (tmp_path / "out" / "fit.html").read_text()
    assert "traffic_camera.yaml fitted to 150 images" in page
    assert f"{found.best.score:.2f}" in page and "http" not in page.replace("http://www.w3.org", "")


def test_files_tell_sizes_and_qualities_by_themselves(monkeypatch, tmp_path):
    show = world(monkeypatch, tmp_path)
    config = load_config(PRESET, SynthConfig, ["identities=40", "images_per_identity=1"])
    _, looks = show(config, 0)
    looks = replace(looks, size=np.repeat([100.0, 200.0], 20), quality=np.full(40, 70.0))
    values = direct_values(looks)
    assert values["image.size_px"] == {
        "kind": "choice", "values": [100.0, 200.0], "weights": [5, 5],
    }  # fmt: skip
    assert values["sensor.jpeg_quality"] == {"kind": "choice", "values": [70.0], "weights": [10]}
    assert "sensor.jpeg_quality" not in direct_values(
        replace(looks, quality=np.where(np.arange(40) < 19, 70.0, np.nan))
    )


@pytest.mark.slow
def test_the_command_fits_the_quick_renderer_to_its_own_pictures(tmp_path):
    """From files to files: a target from steeper above than the preset has."""
    target = ["renderer=raster", "image.size_px=96"]
    sets = [part for value in target for part in ("--set", value)]
    run = CliRunner().invoke(
        synth,
        ["render", str(PRESET), "--output", str(tmp_path / "target"), *sets,
         "--set", "identities=40", "--set", "images_per_identity=1", "--set", "seed=4",
         "--set", "camera.elevation_deg={kind: normal, mean: 32, std: 2}"],
        catch_exceptions=False,
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    run = CliRunner().invoke(
        synth,
        ["fit", str(PRESET), "--target", str(tmp_path / "target" / "images"), "--output",
         str(tmp_path / "fit"), "--images", "40", "--rounds", "1", "--workers", "1", *sets],
        catch_exceptions=False,
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    shown = yaml.safe_load((tmp_path / "fit" / "fitted.yaml").read_text())
    assert 20 < shown["camera"]["elevation_deg"]["mean"] < 38  # from 15, in one round
    assert (tmp_path / "fit" / "fit.html").stat().st_size > 20_000
