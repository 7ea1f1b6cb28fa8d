"""Flipping an image with its labels is rendering the mirrored scene."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import LENS, POLE, make_scene, mirrored, view_camera

from pamtri import keypoints, parts, segments
from render_assets.spec import sample_vehicle
from render_assets.vehicle import build_vehicle
from synth.geometry import build_geometry, vehicle_vertices
from synth.labels import label_scene
from synth.scene import SunSpec

SUN = SunSpec(azimuth_deg=70, elevation_deg=40, strength=3, angle_deg=2, colour=(1, 0.95, 0.9))
TAXI = sample_vehicle(2, 3, styles={"taxi": 1.0})
"""Not symmetric: lettering, plates, dents, a driver."""
SEGMENT_CODES = np.array([0, *(1 + i for i in segments.FLIP)])
PART_CODES = np.array([0, *(1 + i for i in parts.FLIP)])


def scene(azimuth_deg, vehicle=TAXI, size=160, **options):
    """A vehicle that the image cuts and a pole hides in part."""
    vertices = vehicle_vertices(build_vehicle(vehicle))
    view = view_camera(
        vertices, azimuth_deg, roll_deg=5.0, distance=16.0, size=size, margin=0.95, **options
    )
    beside = np.deg2rad(azimuth_deg + 2)
    pole = POLE.model_copy(update={"position": (8 * np.cos(beside), 8 * np.sin(beside), 0.0)})
    spec = make_scene(view, (pole,))
    light = spec.light.model_copy(update={"sun": SUN})
    spec = spec.model_copy(update={"vehicle": vehicle, "light": light})
    return spec, build_geometry(spec)


def differing(one, two, codes=None):
    """Share of the pixels that differ from those of the flipped image, by a code's partner."""
    flipped = two[:, ::-1]
    return (one != (flipped if codes is None else codes[flipped])).mean()


@pytest.mark.parametrize("azimuth_deg", [25.0, 140.0, 260.0])
@pytest.mark.parametrize("style", ["taxi", "box_truck", "city_bus"])
def test_labels(azimuth_deg, style):
    """To the ray: of some 10,000 pixels a few are decided by the last digits of a coordinate."""
    vehicle = sample_vehicle(2, 3, styles={style: 1.0})
    spec, geometry = scene(azimuth_deg, vehicle, distortion=LENS)
    labels = label_scene(spec, geometry, normals=True)
    twin = label_scene(*mirrored(spec, geometry), normals=True)
    width = spec.camera.width
    assert 0 < labels.truncation < 0.2 and labels.occlusion > 0

    assert differing(labels.mask, twin.mask) < 1e-3
    assert differing(labels.mask_amodal, twin.mask_amodal) < 1e-3
    assert differing(labels.segment_mask, twin.segment_mask, SEGMENT_CODES) < 2e-3
    assert differing(labels.part_mask, twin.part_mask, PART_CODES) < 2e-3
    assert (np.abs(labels.depth - twin.depth[:, ::-1]) > 0.001).mean() < 3e-3
    normals = twin.normals[:, ::-1] * [-1, 1, 1]
    assert (np.abs(labels.normals - normals).max(axis=2) > 0.01).mean() < 5e-3

    letters = np.array(list(twin.keypoints.visibility))[keypoints.FLIP]
    assert "".join(letters) == labels.keypoints.visibility
    xy = twin.keypoints.xy_array()[keypoints.FLIP]
    flipped = np.stack([width - xy[:, 0], xy[:, 1]], axis=1)
    np.testing.assert_allclose(labels.keypoints.xy_array(), flipped, atol=1e-9)
    left, top, right, bottom = twin.box_amodal
    np.testing.assert_allclose(
        labels.box_amodal, (width - right, top, width - left, bottom), atol=1e-3
    )
    assert labels.occlusion == pytest.approx(twin.occlusion, abs=1e-3)
    assert labels.truncation == pytest.approx(twin.truncation, abs=1e-3)


def test_the_raster_renderers_pixels():
    renderer = pytest.importorskip("synth.raster").RasterRenderer()
    spec, geometry = scene(35.0)
    picture = renderer.render(spec, geometry).astype(int)
    twin = renderer.render(*mirrored(spec, geometry))[:, ::-1].astype(int)
    renderer.close()
    off = np.abs(picture - twin).max(axis=2)
    assert (off > 8).mean() < 0.1  # edges, at which samples within a pixel lie otherwise
    assert off.mean() < 4 < 15 < np.abs(picture - twin[:, ::-1]).max(axis=2).mean()


@pytest.mark.blender
@pytest.mark.parametrize("azimuth_deg", [40.0, 215.0])
def test_cycles_pixels_to_its_noise(azimuth_deg):
    """The mirrored scene differs from the flipped image by little more than another seed does."""
    pytest.importorskip("bpy")
    from synth.blender.renderer import BlenderRenderer

    renderer = BlenderRenderer(device="cpu", threads=2)
    spec, geometry = scene(azimuth_deg, size=80)
    spec = spec.model_copy(update={"samples": 32})
    picture, other_seed = (
        renderer.render(s, geometry).astype(float)
        for s in (spec, spec.model_copy(update={"index": 7}))
    )
    turn = next(n for n in renderer.scene.world.node_tree.nodes if n.type == "MAPPING")
    turn.inputs["Scale"].default_value = (1, -1, 1)  # the environment map, too
    twin = renderer.render(*mirrored(spec, geometry))[:, ::-1].astype(float)
    noise, off = np.abs(picture - other_seed).mean(), np.abs(picture - twin).mean()
    assert off < 1.4 * noise
    assert abs((picture - twin).mean()) < 1
    assert np.abs(picture - twin[:, ::-1]).mean() > 4 * noise
