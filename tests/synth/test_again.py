"""One image again: the original's bytes at its own size, the same view at another."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rendered_sets import Noise, read_lines, render_set, write_lines

from pamtri.errors import DataError, UserError
from synth import again
from synth.again import enlarged, render_again
from synth.cli import synth
from synth.geometry import build_geometry
from synth.images import open_renderer, render_image
from synth.labels import label_scene
from synth.stored import parse_scene, stored_scene


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("again") / "set"
    render_set(root, sensor={"blur_px": 1.5, "noise": 0.03, "downscale": 2})
    return root


class Shades(Noise):
    """Noise that tells the samples and says what it was asked for."""

    asked: list = []  # noqa: RUF012

    def render(self, spec, geometry):
        self.asked.append((spec.camera.width, spec.camera.height, spec.samples))
        return super().render(spec, geometry)


def invoke(*arguments):
    return CliRunner().invoke(synth, ["again", *(str(a) for a in arguments)])


def test_the_same_bytes_from_the_record_alone(root, tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(again, "open_renderer", lambda name, n: used.append(name) or Noise())
    path = tmp_path / "new" / "3.jpg"
    assert invoke(root, "--index", 3, "--output", path).exit_code == 0
    assert path.read_bytes() == (root / "images/000003.jpg").read_bytes()
    assert used == ["blender"]


def test_size_and_samples_reach_the_renderer(root, tmp_path, monkeypatch):
    shades = Shades()
    monkeypatch.setattr(again, "open_renderer", lambda *a: shades)
    path = tmp_path / "large.jpg"
    line = read_lines(root)[0]
    arguments = ("--size", 2 * max(line["width"], line["height"]), "--samples", 32)
    assert invoke(root, "--index", 0, *arguments, "--output", path).exit_code == 0
    assert shades.asked == [(2 * line["width"], 2 * line["height"], 32)]
    assert Image.open(path).size == (2 * line["width"], 2 * line["height"])


def test_a_larger_view_shows_the_same(root):
    for index in range(4):
        spec = stored_scene(root, index)
        large = enlarged(spec, 3 * max(spec.camera.width, spec.camera.height))
        small_labels, labels = (label_scene(s, build_geometry(s)) for s in (spec, large))
        points, small_points = labels.keypoints.xy_array(), small_labels.keypoints.xy_array()
        assert np.allclose(points, 3 * small_points, atol=1e-9)
        assert labels.keypoints.visibility == small_labels.keypoints.visibility
        assert np.allclose(labels.box, 3 * np.array(small_labels.box), atol=3)
        assert large.sensor.blur_px == 4.5
        assert (large.sensor.noise, large.sensor.downscale) == (0.03, 2)
        untouched = {"camera", "sensor"}
        assert large.model_dump(exclude=untouched) == spec.model_dump(exclude=untouched)


def test_a_failed_scene_is_found_in_the_list_of_failures(root, tmp_path):
    lines = read_lines(root)
    (tmp_path / "records").mkdir()
    (tmp_path / "dataset.yaml").write_bytes((root / "dataset.yaml").read_bytes())
    write_lines(tmp_path, lines[1:])
    failure = {"index": 0, "error": "no", "spec": lines[0]["scene"]}
    (tmp_path / "failures.jsonl").write_text(json.dumps(failure) + "\n")
    assert stored_scene(tmp_path, 0) == stored_scene(root, 0)
    with pytest.raises(DataError, match="has neither a record nor a failure of image 8"):
        stored_scene(tmp_path, 8)


def test_what_cannot_be_rendered_again_is_said(root, tmp_path):
    result = invoke(root, "--index", 0, "--output", tmp_path / "a.png")
    assert isinstance(result.exception, UserError)
    assert "a.png: expected a name that ends in .jpg, as images are" in str(result.exception)
    scene = read_lines(root)[0]["scene"]
    scene["camera"]["width"] = -1
    message = r"here: scene: camera.width: expected greater than 0, got -1"
    with pytest.raises(DataError, match=message):
        parse_scene(scene, "here")


def test_a_scene_that_fails_again_is_said_in_a_sentence(root, tmp_path, monkeypatch):
    class Fails(Noise):
        def render(self, spec, geometry):
            raise RuntimeError("a mesh without faces")

    monkeypatch.setattr(again, "open_renderer", lambda *a: Fails())
    with pytest.raises(DataError, match="image 2 cannot be rendered: RuntimeError: a mesh without"):
        render_again(stored_scene(root, 2), "blender", tmp_path / "a.jpg", None, None)
    assert not (tmp_path / "a.jpg").exists()


@pytest.mark.blender
def test_blender_makes_the_same_bytes_again(root, tmp_path):
    spec = stored_scene(root, 1)
    made = render_image(spec, open_renderer("blender", 1))
    render_again(spec, "blender", tmp_path / "same.jpg", None, None)
    assert (tmp_path / "same.jpg").read_bytes() == made.jpeg
    render_again(spec, "blender", tmp_path / "more.jpg", None, spec.samples * 8)
    more = np.asarray(Image.open(tmp_path / "more.jpg"), dtype=float)
    first = np.asarray(Image.open(io.BytesIO(made.jpeg)), dtype=float)
    assert 0 < np.abs(more - first).mean() < 20
