import numpy as np
import PIL.Image
import pytest

from pamtri.errors import DataError
from pamtri.images import damage_of, read_image


def test_a_picture_too_large_to_be_one_is_refused_in_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "huge.png"
    PIL.Image.new("RGB", (40, 40)).save(path)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match=rf"^{path}: is no image that can be decoded whole: "):
        read_image(path)


def test_a_photograph_taken_sideways_stands_upright(tmp_path):
    stored = PIL.Image.new("RGB", (30, 20), (200, 0, 0))
    turned = PIL.Image.Exif()
    turned[0x0112] = 6  # orientation: to be turned a quarter to the right
    stored.save(tmp_path / "phone.png", exif=turned)
    assert read_image(tmp_path / "phone.png").shape == (30, 20, 3)


def test_sixteen_bits_are_read_as_their_upper_eight(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    path = tmp_path / "deep.png"
    PIL.Image.fromarray(grey.astype(np.uint16) * 257).save(path)
    assert PIL.Image.open(path).mode.startswith("I")
    assert np.array_equal(read_image(path), np.stack([grey] * 3, axis=2))


def test_damage_is_found_where_it_is_and_nowhere_else(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    whole = [tmp_path / f"whole.{kind}" for kind in ("jpg", "png", "bmp", "webp")]
    for path in whole:
        PIL.Image.fromarray(noise).save(path)
    trailed = tmp_path / "motion.jpg"
    trailed.write_bytes(whole[0].read_bytes() + b"a film, as some telephones append" * 100)
    assert [damage_of(path) for path in (*whole, trailed)] == [None] * 5
    for path in whole:
        path.write_bytes(path.read_bytes()[:-300])
        assert damage_of(path).startswith(f"{path}: is no image that can be decoded whole")
    page = tmp_path / "page.jpg"
    for content in (b"", b"<html>not found</html>"):
        page.write_bytes(content)
        assert damage_of(page).startswith(f"{page}: ")
    assert "gone.jpg" in damage_of(tmp_path / "gone.jpg")
