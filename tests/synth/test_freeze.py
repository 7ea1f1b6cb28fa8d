"""What ``freeze`` fixes, that nothing else moves with it, and what it refuses."""

from __future__ import annotations

from contextlib import closing

import cv2
import numpy as np
import pytest

from pamtri.config import dump_config, load_config, parse_config
from pamtri.errors import ConfigError
from synth.config import SynthConfig
from synth.geometry import build_geometry
from synth.images import render_image
from synth.sampling import sample_scene

UNIFORM = {"kind": "uniform", "low": 0.1, "high": 0.9}
VARIED = {
    "name": "varied",
    "seed": 5,
    "identities": 3,
    "images_per_identity": 3,
    "image": {"size_px": 48},
    "vehicle": {"type": {"kind": "choice", "values": ["sedan", "hatchback"]}},
    "camera": {
        "elevation_deg": {"kind": "uniform", "low": 2, "high": 40},
        "distance_m": {"kind": "uniform", "low": 8, "high": 30},
        "roll_deg": {"kind": "normal", "mean": 0, "std": 5},
        "off_axis_deg": {"kind": "uniform", "low": 0, "high": 20},
        "distortion_k1": {"kind": "uniform", "low": -0.3, "high": 0.2},
        "framing": {"margin": {"kind": "uniform", "low": 0, "high": 0.2}},
    },
    "light": {
        "hdri": {"kind": "choice", "values": ["city.exr", "night.exr"]},
        "strength": UNIFORM,
        "sun": {"probability": 0.5},
    },
    "ground": {
        "kind": {"kind": "choice", "values": ["asphalt", "concrete"]},
        "colour": {"value": UNIFORM, "saturation": UNIFORM},
        "roughness": UNIFORM,
        "markings_probability": 0.5,
    },
    "backdrop": {
        "kind": {"kind": "choice", "values": ["street", "noise"]},
        "colour": {"value": UNIFORM},
    },
    "occluders": {"probability": 0.7, "colour": {"value": UNIFORM}},
    "sensor": {
        "noise": {"kind": "uniform", "low": 0.02, "high": 0.1},
        "exposure_ev": {"kind": "uniform", "low": -1, "high": 1},
        "blur_px": UNIFORM,
    },
}
CAMERAS = [
    {"id": 1, "light": {"hdri": "forest.exr", "strength": 2}, "sensor": {"noise": 0.3}},
    {"id": 2, "camera": {"height_m": 6}},
]


def configure(freeze=None, **changes):
    return parse_config({**VARIED, **changes, "freeze": freeze or {}}, SynthConfig, source="c.yaml")


def scenes(config):
    return [sample_scene(config, config.seed, index) for index in range(config.count)]


def leaves(value, key=""):
    """Every value in plain data by its dotted key."""
    if not isinstance(value, dict):
        return {key: value}
    below = [leaves(v, f"{key}.{k}" if key else k) for k, v in value.items()]
    return {k: v for part in below for k, v in part.items()}


def touched(freeze, **changes):
    """The keys of the scenes' descriptions that freezing changes in any of them."""
    keys = set()
    for a, b in zip(
        scenes(configure(**changes)), scenes(configure(freeze, **changes)), strict=True
    ):
        before, after = (leaves(s.model_dump(mode="json")) for s in (a, b))
        same = {k for k in before.keys() & after.keys() if before[k] == after[k]}
        keys |= (before.keys() | after.keys()) - same
    return keys


@pytest.mark.parametrize(
    ("freeze", "expected"),
    [
        ({"light.hdri": "studio.exr"}, {"light.hdri"}),
        ({"light.strength": 1, "light.rotation_deg": 0}, {"light.strength", "light.rotation_deg"}),
        ({"ground.kind": "flat"}, {"ground.kind"}),
        ({"ground": {"colour": {"hue_deg": 0}, "roughness": 1}},
         {"ground.colour", "ground.roughness"}),
        ({"ground.markings_probability": 1}, {"ground.markings"}),
        ({"backdrop.kind": "flat"}, {"backdrop.kind"}),
        ({"sensor.noise": 0}, {"sensor.noise"}),
        ({"sensor": False}, {"sensor.noise", "sensor.exposure_ev", "sensor.blur_px"}),
        ({"sensor": "off", "sensor.blur_px": 3},
         {"sensor.noise", "sensor.exposure_ev", "sensor.blur_px"}),
    ],
    ids=lambda value: str(sorted(value)),  # sets differ in their order between processes
)  # fmt: skip
def test_freezing_touches_the_frozen_keys_alone(freeze, expected):
    assert touched(freeze) == expected


def test_freezing_what_others_depend_on_touches_those_and_no_more():
    assert {k.split(".")[0] for k in touched({"vehicle.colour": "white"})} == {"vehicle"}
    sun = touched({"light.sun": "off"})
    assert {k[:9] for k in sun} == {"light.sun"}
    assert {k.split(".")[0] for k in touched({"occluders": "off"})} == {"occluders"}
    # Where an occluder stands depends on the view that it hides the vehicle in.
    roll = touched({"camera.roll_deg": 0})
    assert {k.split(".")[0] for k in roll} == {"camera", "occluders"}
    assert "camera.distortion" not in touched({"camera.azimuth_deg": 90}, camera={
        "distortion_k1": -0.1})  # fmt: skip


def test_what_is_frozen_has_the_frozen_value():
    config = configure({"light.hdri": "studio.exr", "sensor": "off", "camera.roll_deg": 3})
    assert {s.light.hdri for s in scenes(config)} == {"studio.exr"}
    assert {(s.sensor.noise, s.sensor.exposure_ev, s.sensor.blur_px) for s in scenes(config)} == {
        (0, 0, 0)
    }
    swapped = configure({"light.hdri": {"kind": "choice", "values": ["forest.exr", "sunset.exr"]}})
    assert {s.light.hdri for s in scenes(swapped)} == {"forest.exr", "sunset.exr"}


def test_a_frozen_key_holds_for_fixed_cameras_and_their_other_keys_stay():
    config = configure({"light.hdri": "studio.exr", "sensor": "off"}, fixed_cameras=CAMERAS)
    for scene in scenes(config):
        assert scene.light.hdri == "studio.exr" and scene.sensor.noise == 0
        if scene.camera.id == 1:
            assert scene.light.strength == 2
    assert touched({"light.hdri": "studio.exr"}, fixed_cameras=CAMERAS) == {"light.hdri"}


def test_a_frozen_configuration_is_written_with_what_is_used_and_read_back_equal(tmp_path):
    config = configure({"light.hdri": "studio.exr", "sensor": False}, fixed_cameras=CAMERAS)
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(config))
    again = load_config(path, SynthConfig)
    assert again == config
    assert again.freeze == {"light.hdri": "studio.exr", "sensor": False}
    assert scenes(again) == scenes(config)
    short = load_config(path, SynthConfig, ["freeze.light.hdri=night.exr"])
    assert short.light.hdri.root == "night.exr"


@pytest.mark.parametrize(
    ("freeze", "changes", "message"),
    [
        ({"light.hdr": 1}, {}, r"freeze.light.hdr: no such factor or section \(did you mean 'hdri"),
        ({"lite.hdri": 1}, {}, r"freeze.lite.hdri: no such factor .* \(did you mean 'light'\?\)"),
        ({"seed": 1}, {}, "freeze.seed: no such factor or section"),
        ({"light.strength.low": 1}, {}, "freeze.light.strength.low: no such factor or section"),
        (
            {"light.hdri": "moon.exr"},
            {},
            "freeze.light.hdri: expected one of city.exr, .*, got 'moon.exr'",
        ),
        ({"light": False}, {}, "freeze.light: cannot be off; name keys and values"),
        ({"sensor": 3}, {}, "freeze.sensor: expected off, or keys and values, got 3"),
        (
            {"vehicle": {"style": "coupe", "type": "bus"}},
            {},
            "freeze.vehicle: the chosen styles and types have no vehicle in common",
        ),
        (
            {"camera.elevation_deg": 5},
            {"fixed_cameras": CAMERAS},
            "freeze.camera.elevation_deg: has no effect, as camera.height_m is set",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_frozen_is_refused_in_one_sentence(freeze, changes, message):
    with pytest.raises(ConfigError, match=f"^c.yaml: {message}"):
        configure(freeze, **changes)


def labels(image):
    """What is recorded of an image but how it was made."""
    return image.record.model_dump(exclude={"scene"})


@pytest.fixture(scope="module")
def raster():
    from synth.raster import RasterRenderer

    with closing(RasterRenderer()) as renderer:
        yield renderer


def pairs(freeze, indices=(0, 4, 8)):
    """Scenes as they are and with something frozen."""
    plain, frozen = configure(), configure(freeze)
    return [
        (sample_scene(plain, plain.seed, i), sample_scene(frozen, frozen.seed, i)) for i in indices
    ]


def test_without_sensor_the_picture_that_the_renderer_makes_is_the_same(raster):
    for before, after in pairs({"sensor": "off"}):
        a, b = (raster.render(s, build_geometry(s)) for s in (before, after))
        assert (a == b).all()
        noisy, clean = (render_image(s, raster) for s in (before, after))
        assert noisy.jpeg != clean.jpeg
        assert labels(noisy) == labels(clean)


@pytest.mark.parametrize(
    "freeze",
    [
        {"backdrop": {"kind": "flat", "colour": {"value": 1}}},
        {"ground": {"kind": "flat", "colour": {"value": 1, "saturation": 0}}},
        {"light": {"sun": {"probability": 1, "strength": 9, "azimuth_deg": 90}}},
        {"vehicle.colour": "white"},
    ],
    ids=str,
)
def test_what_surrounds_the_vehicle_leaves_its_mask_and_labels(freeze, raster):
    changed = 0
    for before, after in pairs(freeze):
        a, b = (render_image(s, raster) for s in (before, after))
        assert a.pictures.keys() == b.pictures.keys()
        assert all((a.pictures[name] == b.pictures[name]).all() for name in a.pictures)
        assert labels(a) | {"colour": None} == labels(b) | {"colour": None}
        changed += a.jpeg != b.jpeg
    assert changed


def test_a_frozen_backdrop_leaves_the_vehicle_s_own_pixels(raster):
    around = 0
    for before, after in pairs({"backdrop": {"kind": "flat", "colour": {"value": 1}}}):
        a, b = (raster.render(s, build_geometry(s)) for s in (before, after))
        mask, _ = raster.mask_and_depth(before, build_geometry(before))
        different = (a != b).any(axis=-1)
        around += different[~mask].sum()
        # Edges are blended with what is behind them, and the lens reaches two pixels around.
        inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5))).astype(bool)
        assert inner.any() and not (different & inner).any()
    assert around


@pytest.mark.blender
def test_in_blender_the_picture_before_the_sensor_is_the_same_too():
    from synth.blender.renderer import BlenderRenderer

    renderer = BlenderRenderer(threads=1)
    small = {"image": {"size_px": 32}, "samples": 1}
    plain, frozen = configure(**small), configure({"sensor": "off"}, **small)
    a, b = (sample_scene(c, c.seed, 4) for c in (plain, frozen))
    assert a.sensor != b.sensor
    first, second = (renderer.render(s, build_geometry(s)) for s in (a, b))
    assert (first == second).all()
