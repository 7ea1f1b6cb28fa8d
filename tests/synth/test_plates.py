"""Photographs behind scenes: which one, the same one, and where in the picture it is."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import make_scene

from pamtri.config import load_config
from pamtri.errors import ConfigError, DataError
from synth.config import SynthConfig
from synth.geometry import build_geometry
from synth.plates import plate_digest
from synth.sampling import sample_scene
from synth.scene import BackdropSpec, PlateSpec

QUICK = Path(__file__).parents[2] / "configs/synth/quickstart.yaml"


@pytest.fixture
def folder(tmp_path):
    """A wide picture, red at its left, green in its middle, blue at its right; and two others."""
    wide = np.zeros((100, 600, 3), np.uint8)
    wide[:, :250, 2], wide[:, 250:350, 1], wide[:, 350:, 0] = 255, 255, 255
    for name in ("a.png", "b.PNG", "c.jpg"):
        cv2.imwrite(str(tmp_path / name), wide)
        wide = wide // 2
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def config_with(folder):
    return load_config(QUICK, SynthConfig, ["backdrop.kind=plate", f"backdrop.plates={folder}"])


def test_every_photograph_of_the_folder_has_its_turn(folder):
    config = config_with(folder)
    plates = [sample_scene(config, 0, index).backdrop.plate for index in range(60)]
    counts = Counter(Path(plate.file).name for plate in plates)
    assert counts.keys() == {"a.png", "b.PNG", "c.jpg"} and min(counts.values()) > 8
    assert all(plate.digest == plate_digest(plate.file) for plate in plates)
    assert plates == [sample_scene(config, 0, index).backdrop.plate for index in range(60)]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"plates: .*expected a folder with JPEG or PNG files"):
        config_with(tmp_path)
    with pytest.raises(ConfigError, match="plates: expected a folder of photographs"):
        load_config(QUICK, SynthConfig, ["backdrop.kind=plate"])


@pytest.mark.blender
def test_the_photograph_covers_the_picture_its_middle_in_the_middle(folder):
    pytest.importorskip("bpy")
    from synth.blender.renderer import BlenderRenderer

    renderer = BlenderRenderer(device="cpu", threads=2)
    file = str(folder / "a.png")
    scene = make_scene(elevation_deg=0.5, margin=2.5)
    plate = PlateSpec(file=file, digest=plate_digest(file))
    scene = scene.model_copy(update={"backdrop": BackdropSpec(kind="plate", plate=plate)})
    image = renderer.render(scene, build_geometry(scene))
    height, width = image.shape[:2]
    seen = image[2].astype(int).argmax(axis=1)
    # As high as the picture, the photograph is wider by 6 / aspect; its green part is a sixth.
    half = min(height / 2, width / 2)
    middle = np.arange(width) + 0.5 - width / 2
    expected = np.where(np.abs(middle) < half, 1, np.where(middle < 0, 0, 2))
    clear = np.abs(np.abs(middle) - half) > 2
    assert (seen == expected)[clear].all()

    other = PlateSpec(file=file, digest="0" * 16)
    scene = scene.model_copy(update={"backdrop": BackdropSpec(kind="plate", plate=other)})
    with pytest.raises(DataError, match="is not the file that the scene was drawn with"):
        renderer.render(scene, build_geometry(scene))
    (folder / "d.png").write_bytes(b"broken")
    broken = PlateSpec(file=str(folder / "d.png"), digest=plate_digest(str(folder / "d.png")))
    scene = scene.model_copy(update={"backdrop": BackdropSpec(kind="plate", plate=broken)})
    with pytest.raises(DataError, match="is not a picture"):
        renderer.render(scene, build_geometry(scene))
