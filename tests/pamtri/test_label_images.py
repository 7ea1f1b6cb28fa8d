import cv2
import numpy as np
import pytest

from pamtri.errors import DataError
from pamtri.label_images import (
    encode_depth,
    encode_normals,
    encode_png,
    read_depth,
    read_normals,
)


@pytest.mark.parametrize(("furthest", "step"), [(40.0, 0.001), (65.5, 0.001), (66.0, 0.01)])
def test_depth_comes_back_to_half_a_step(tmp_path, furthest, step):
    depth = np.random.default_rng(0).uniform(2, furthest, (40, 30)).astype(np.float32)
    depth[0, 0], depth[5:9] = furthest, 0
    codes, stored_step = encode_depth(depth)
    assert stored_step == step and codes.dtype == np.uint16
    path = tmp_path / "0.png"
    path.write_bytes(encode_png(codes))
    again = read_depth(path, stored_step)
    assert np.abs(again - depth).max() <= step / 2 + 1e-5
    assert (again[5:9] == 0).all() and (again[9:] > 0).all()


def test_nothing_visible_has_no_depth():
    codes, step = encode_depth(np.zeros((4, 5), dtype=np.float32))
    assert not codes.any() and step == 0.001


def test_normals_come_back_with_their_axes(tmp_path):
    rng = np.random.default_rng(1)
    normals = rng.normal(size=(20, 30, 3))
    normals = (normals / np.linalg.norm(normals, axis=2, keepdims=True)).astype(np.float32)
    normals[0, 0], normals[0, 1], normals[3] = (1, 0, 0), (0, 0, -1), 0
    path = tmp_path / "0.png"
    path.write_bytes(encode_png(encode_normals(normals)))
    again = read_normals(path)
    assert np.abs(again - normals).max() < 2e-5
    assert again[0, 0].tolist() == [1, 0, 0] and (again[3] == 0).all()
    # Red is x: another program's reader sees it so.
    assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[0, 0].tolist() == [32768, 32768, 65535]


def test_what_is_no_depth_is_refused(tmp_path):
    path = tmp_path / "0.png"
    with pytest.raises(DataError, match=r"0\.png: is missing or unreadable"):
        read_depth(path, 0.001)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"0\.png: is missing or unreadable"):
        read_depth(path, 0.001)
    path.write_bytes(encode_png(np.zeros((4, 4), np.uint8)))
    with pytest.raises(DataError, match=r"0\.png: expected a 16-bit PNG of 1 channel"):
        read_depth(path, 0.001)
    with pytest.raises(DataError, match=r"0\.png: expected a 16-bit PNG of 3 channel"):
        read_normals(path)
