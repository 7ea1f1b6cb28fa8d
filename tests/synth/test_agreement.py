"""Cycles, the raster renderer, the labels and Blender's rays see the same vehicle.

``benchmarks/labels.py`` does this for hundreds of scenes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scenes import cube_geometry, cube_part, make_scene

from pamtri import keypoints
from pamtri.config import load_config
from render_assets.occluders import Body
from synth.config import SynthConfig
from synth.geometry import SceneGeometry, build_geometry
from synth.labels import label_scene
from synth.sampling import sample_scene

pytest.importorskip("bpy")
pytestmark = pytest.mark.blender

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs" / "synth").glob("*.yaml"))
SIZES = ("image.size_px=160", "image.size_px=40")


@pytest.fixture(scope="module")
def renderer():
    from synth.blender.renderer import BlenderRenderer

    return BlenderRenderer(device="cpu", threads=2)


@pytest.fixture(scope="module")
def cycles(renderer):
    from synth.blender.witness import CyclesWitness

    return CyclesWitness(renderer)


@pytest.fixture(scope="module")
def witnesses(cycles):
    raster = pytest.importorskip("synth.raster").RasterRenderer()
    yield {"cycles": cycles, "raster": raster}
    raster.close()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_all_see_the_same(witnesses, path):
    """One vehicle a preset, large and small."""
    from synth.blender.agreement import compare

    for size in SIZES:
        config = load_config(path, SynthConfig, [size])
        spec = sample_scene(config, config.seed, CONFIGS.index(path) + 2)
        found = compare(spec, build_geometry(spec), witnesses)
        assert found.faults() == []
        assert sorted(found.pairs) == [
            ("cycles", "labels"),
            ("cycles", "raster"),
            ("raster", "labels"),
        ]
        assert found.pairs["cycles", "raster"].iou > 0.99
        assert (found.size < 48) == (size == SIZES[1])


def test_what_differs_is_said():
    """Labels of one scene against witnesses of others, half a metre to the side and behind."""
    from synth.blender.agreement import compare

    class Elsewhere:
        def __init__(self, offset):
            self.offset = np.array(offset, dtype=np.float32)

        def mask_and_depth(self, spec, geometry):
            vehicle = geometry.vehicle
            parts = tuple(replace(p, vertices=p.vertices + self.offset) for p in vehicle.parts)
            labels = label_scene(spec, replace(geometry, vehicle=replace(vehicle, parts=parts)))
            return labels.mask, labels.depth

    spec = make_scene(size=120)
    geometry = build_geometry(spec)
    away = -spec.camera.pose.rotation[2]
    aside = Elsewhere(0.5 * spec.camera.pose.rotation[0])
    found = compare(spec, geometry, {"aside": aside, "nearer": Elsewhere(0.06 * away)})
    said = found.faults()
    assert any(text.startswith("masks of aside and labels: IoU 0.") for text in said)
    assert any(text.startswith("depths of nearer and labels agree on 0.") for text in said)
    assert not any("masks of nearer and labels" in text for text in said)


def test_keypoints_in_dispute_are_named():
    """A cube whose labels do not know of the wall that Blender's rays meet, and back."""
    from synth.blender import agreement

    spec = make_scene(azimuth_deg=0.0, elevation_deg=5.0)
    cube = cube_part((-1, -1, 0), (1, 1, 1))
    points = np.tile([1.0, 0.0, 0.5], (36, 1))
    points[3] = (-1.0, 0.0, 0.5)  # behind the cube
    points[4] = (1.0, 0.0, 0.996)  # a centimetre below its upper edge, where its wall ends
    plain = cube_geometry(cube, keypoints=points)
    labels = label_scene(spec, plain)
    assert set(labels.keypoints.visibility) == {"v", "s"}
    assert agreement._disputes(spec, plain, labels) == []
    wall = cube_part((1.5, -2, -1), (1.6, 2, 0.9))
    hidden = SceneGeometry(plain.vehicle, (Body((wall,), {}),))
    disputes = agreement._disputes(spec, hidden, labels)
    named = {d.keypoint: d for d in disputes}
    assert set(named) == {n for i, n in enumerate(keypoints.NAMES) if i not in (3, 4)}
    assert {(d.letter, d.witness, d.grazing) for d in disputes} == {("v", "o", False)}
    assert str(disputes[0]) == ("left_rear_wheel is 'v', Blender's ray says 'o' in the clear")


@pytest.mark.parametrize("azimuth_deg", [30.0, 210.0])
def test_normals_are_those_of_cycles(cycles, azimuth_deg):
    spec = make_scene(azimuth_deg=azimuth_deg, size=160)
    geometry = build_geometry(spec)
    labels = label_scene(spec, geometry, normals=True)
    mask, _ = cycles.mask_and_depth(spec, geometry)
    both = mask & labels.mask
    seen = cycles.normals(spec, geometry)[both]
    cosine = np.clip((seen * labels.normals[both]).sum(axis=1), -1, 1)
    angle = np.degrees(np.arccos(cosine))
    assert np.median(angle) < 0.1
    assert (angle < 2).mean() > 0.99


def test_the_renderer_goes_on_as_before(renderer, cycles):
    spec = make_scene(size=48)
    geometry = build_geometry(spec)
    before = renderer.render(spec, geometry)
    cycles.mask_and_depth(spec, geometry)
    cycles.normals(spec, geometry)
    np.testing.assert_array_equal(renderer.render(spec, geometry), before)
