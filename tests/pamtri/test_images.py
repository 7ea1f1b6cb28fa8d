import PIL.Image
import pytest

from pamtri.errors import DataError
from pamtri.images import read_image


def test_a_picture_too_large_to_be_one_is_refused_in_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "huge.png"
    PIL.Image.new("RGB", (40, 40)).save(path)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match=rf"^{path}: is no image that can be decoded whole: "):
        read_image(path)
