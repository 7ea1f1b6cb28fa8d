"""What the configuration of a data set refuses, and how fixed cameras lie over it."""

from __future__ import annotations

import pytest

from pamtri.config import dump_config, load_config, parse_config
from pamtri.errors import ConfigError
from synth.config import SynthConfig

SMALL = {"name": "small", "identities": 10, "images_per_identity": 4}


def parse(**data):
    return parse_config({**SMALL, **data}, SynthConfig, source="c.yaml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"camera": {"elevation": 3}},
            r"c.yaml: unknown key 'camera.elevation' \(did you mean 'elevation_deg'\?\)",
        ),
        ({"identities": "ten"}, "c.yaml: identities: expected a valid integer, got 'ten'"),
        (
            {"vehicle": {"type": "sedn"}},
            r"c.yaml: vehicle.type: expected one of sedan, .*, got 'sedn' "
            r"\(did you mean 'sedan'\?\)",
        ),
        (
            {"vehicle": {"style": "notchbak"}},
            "c.yaml: vehicle: unknown vehicle style 'notchbak'; did you mean",
        ),
        (
            {"light": {"hdri": "moon.exr"}},
            "c.yaml: light.hdri: expected one of city.exr, .*, got 'moon.exr'",
        ),
        ({"splits": {"train": 0.5}}, "c.yaml: splits: expected shares that add up to 1, got 0.5"),
        (
            {"splits": {"train": 0.96, "val": 0.04}},
            "c.yaml: splits.val: 0.04 of 10 identities is none",
        ),
        (
            {"splits": {"train": 0.5, "test": 0.5}},
            "c.yaml: splits.test: needs at least two fixed_cameras",
        ),
        (
            {
                "splits": {"test": 1},
                "queries_per_identity": 3,
                "fixed_cameras": [{"id": 1}, {"id": 2}],
            },
            "c.yaml: images_per_identity: expected at least 5 .* got 4",
        ),
        (
            {"fixed_cameras": [{"id": 1}, {"id": 1}]},
            r"c.yaml: fixed_cameras: expected different ids, got \[1, 1\]",
        ),
        (
            {"vehicle": {"type": {"kind": "by_camera", "cases": {"default": "bus"}}}},
            "c.yaml: vehicle: type: cannot be by_camera, as an identity is one vehicle",
        ),
        (
            {
                "sensor": {"noise": {"kind": "by_camera", "cases": {4: 0.1, "default": 0}}},
                "fixed_cameras": [{"id": 3}],
            },
            "c.yaml: sensor.noise: cases: no fixed camera has the id 4",
        ),
        (
            {
                "ground": {"roughness": {"kind": "by_type", "cases": {"default": 0.5}}},
                "fixed_cameras": [{"id": 3}],
            },
            "c.yaml: ground.roughness: cannot be by_type, as it is the same in all images of a "
            "fixed camera",
        ),
        (
            {
                "sensor": {
                    key: {
                        "kind": "mixture",
                        "parts": [0, 0.1],
                        "weights": weights,
                        "together": "night",
                    }
                    for key, weights in (("noise", [1, 1]), ("vignetting", [2, 3]))
                }
            },
            "c.yaml: sensor.vignetting: expected the weights of sensor.noise, as both have "
            "together: night",
        ),
        (
            {
                "camera": {"height_m": 5},
                "fixed_cameras": [{"id": 3, "camera": {"elevation_deg": 8}}],
            },
            "c.yaml: fixed_cameras.3.camera.elevation_deg: has no effect, as camera.height_m is "
            "set; set camera.height_m to null there",
        ),
        (
            {
                "light": {
                    "sun": {"probability": {"kind": "by_type", "cases": {"bus": 2, "default": 0}}}
                }
            },
            "c.yaml: light.sun.probability.cases.bus: expected less than or equal to 1, got 2",
        ),
        ({"seed": -1}, "c.yaml: seed: expected greater than or equal to 0, got -1"),
    ],
)
def test_what_cannot_be_rendered_is_refused_in_one_sentence(data, message):
    with pytest.raises(ConfigError, match=message):
        parse(**data)


def test_a_fixed_camera_sets_some_keys_and_leaves_the_others():
    config = parse(
        camera={"distance_m": 20, "roll_deg": 2, "framing": {"margin": 0.2}},
        sensor={"noise": 0.01},
        fixed_cameras=[{"id": 3, "camera": {"roll_deg": 5, "framing": {"truncation": 0.3}}}],
    )
    seen = config.seen_by(config.fixed_cameras[0])
    assert seen.camera.roll_deg.root == 5
    assert seen.camera.distance_m.root == 20
    assert seen.camera.framing.margin.root == 0.2
    assert seen.camera.framing.truncation.root == 0.3
    assert seen.sensor == config.sensor
    assert seen.ground == config.ground


def test_fixed_cameras_keep_leaving_the_others_when_the_resolved_file_is_read(tmp_path):
    config = parse(camera={"distance_m": 20}, fixed_cameras=[{"id": 3, "camera": {"roll_deg": 5}}])
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(config))
    again = load_config(path, SynthConfig)
    assert again.seen_by(again.fixed_cameras[0]).camera.distance_m.root == 20
    assert again == config
