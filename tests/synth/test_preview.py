"""Preview sheets: of a configuration and of a data set they are the same pictures."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import yaml
from click.testing import CliRunner

from pamtri.dataset import DatasetInfo, write_native
from pamtri.errors import DataError, UserError
from synth import preview
from synth.cli import synth
from synth.config import SynthConfig
from synth.images import FOLDERS, render_image, write_image
from synth.sampling import sample_scene

SMALL = {
    "name": "small",
    "identities": 3,
    "images_per_identity": 2,
    "vehicle": {"style": "notchback"},
    "image": {"size_px": 48},
}


class Plain:
    """One grey for a scene."""

    def render(self, spec, geometry):
        shade = 40 + 30 * spec.index
        return np.full((spec.camera.height, spec.camera.width, 3), shade, dtype=np.uint8)


@pytest.fixture(autouse=True)
def _renders_plainly(monkeypatch):
    monkeypatch.setattr(preview, "open_renderer", lambda name, threads, device: Plain())


def invoke(*arguments):
    return CliRunner().invoke(synth, ["preview", *(str(a) for a in arguments)])


@pytest.fixture
def dataset(tmp_path):
    """The whole set of ``SMALL`` on disk."""
    config = SynthConfig(**SMALL)
    root = tmp_path / "set"
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    images = [render_image(sample_scene(config, 0, i), Plain()) for i in range(config.count)]
    for image in images:
        write_image(root, image)
    write_native(root, [image.record for image in images], DatasetInfo(name="small"))
    return root


def test_a_configuration_and_its_data_set_give_the_same_sheet(dataset, tmp_path):
    config = tmp_path / "small.yaml"
    config.write_text(yaml.safe_dump(SMALL))
    options = ("--count", "3", "--columns", "2")
    assert invoke(config, "--output", tmp_path / "a" / "config.png", *options).exit_code == 0
    assert invoke(dataset, "--output", tmp_path / "dataset.png", *options).exit_code == 0
    sheet = np.asarray(PIL.Image.open(tmp_path / "a" / "config.png"))
    assert np.array_equal(sheet, np.asarray(PIL.Image.open(tmp_path / "dataset.png")))
    cell = preview.CELL
    assert sheet.shape == (2 * cell, 2 * cell, 3)
    # Scenes 0, 2 and 4 of 6: the greys say which, the visible keypoints that labels are drawn.
    for (row, column), shade in {(0, 0): 40, (0, 1): 100, (1, 0): 160}.items():
        part = sheet[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
        greys = part[(part == part[..., :1]).all(axis=2)][:, 0]
        assert np.bincount(greys[greys != 32]).argmax() == pytest.approx(shade, abs=2)
        assert ((part[..., 1] > 180) & (part[..., 0] < 120)).any()


def test_a_sheet_of_more_images_than_there_are_shows_each_once(dataset, tmp_path):
    assert invoke(dataset, "--output", tmp_path / "s.png", "--count", "99").exit_code == 0
    assert PIL.Image.open(tmp_path / "s.png").size == (4 * preview.CELL, 2 * preview.CELL)


def test_what_cannot_be_shown_is_said_in_one_sentence(dataset, tmp_path):
    result = invoke(dataset, "--output", tmp_path / "s.png", "--set", "seed=3")
    assert isinstance(result.exception, UserError)
    assert "--renderer and --set need a configuration, not a data set" in str(result.exception)
    image = dataset / "images" / "000000.jpg"
    image.write_bytes(image.read_bytes()[:200])
    with pytest.raises(DataError, match=r"000000.jpg: is no image that can be decoded whole: "):
        preview.preview_dataset(dataset, tmp_path / "s.png", 6, 3)
    image.unlink()
    with pytest.raises(DataError, match=r"000000.jpg: no such image"):
        preview.preview_dataset(dataset, tmp_path / "s.png", 6, 3)
