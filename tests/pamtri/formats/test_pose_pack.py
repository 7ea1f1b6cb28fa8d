"""Packed pose files: what is written is read, a row at a time, and nothing else is taken."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri.errors import DataError
from pamtri.formats.pose_csv import write_predictions
from pamtri.formats.pose_pack import open_pack, open_predictions, read_places, write_pack
from pamtri.pose import Pose


def make(seed: int, learnt: bool) -> Pose:
    rng = np.random.default_rng(seed)
    return Pose(
        (100 + seed, 80), rng.uniform(-5, 105, (36, 2)), rng.random(36),
        rng.dirichlet([1, 1, 1], 36) if learnt else None,
    )  # fmt: skip


@pytest.mark.parametrize("learnt", [True, False])
def test_poses_come_back(tmp_path, learnt):
    poses = {name: make(i, learnt) for i, name in enumerate(("a.jpg", "über lang.jpg", "c"))}
    write_pack(tmp_path / "p.npy", poses)
    assert [p.name for p in tmp_path.iterdir()] == ["p.npy"]
    pack = open_pack(tmp_path / "p.npy")
    assert list(pack) == list(poses) and len(pack) == 3
    assert isinstance(pack._rows, np.memmap)
    for name, pose in poses.items():
        read = pack.pose(name)
        assert read.size == pose.size
        assert read.points == pytest.approx(pose.points, abs=1e-4)
        assert read.peak == pytest.approx(pose.peak, abs=1e-6)
        assert pack[name] == pytest.approx(pose.rows, abs=1e-4)
        if learnt:
            assert read.visibility == pytest.approx(pose.visibility, abs=1e-6)
        else:
            assert read.visibility is None
    with pytest.raises(KeyError):
        pack["b.jpg"]


def test_either_file_gives_confidences_and_only_the_packed_one_sure_places(tmp_path):
    poses = {"a.jpg": make(0, True)}
    write_pack(tmp_path / "p.npy", poses)
    write_predictions(tmp_path / "p.csv", {"a.jpg": poses["a.jpg"].rows})
    for name in ("p.npy", "p.csv"):
        read = open_predictions(tmp_path / name)["a.jpg"]
        assert read == pytest.approx(poses["a.jpg"].rows, abs=1e-3)
    packed, csv = (read_places(tmp_path / name)["a.jpg"] for name in ("p.npy", "p.csv"))
    assert packed[:, 2] == pytest.approx(poses["a.jpg"].peak, abs=1e-6)
    assert csv[:, 2] == pytest.approx(poses["a.jpg"].confidence, abs=1e-3)


def test_no_images_make_a_file_too(tmp_path):
    write_pack(tmp_path / "p.npy", {})
    assert len(open_pack(tmp_path / "p.npy")) == 0


def test_other_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"none\.npy: no such file"):
        open_pack(tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("name,x,y")
    with pytest.raises(DataError, match=r"text\.npy: is no packed pose file"):
        open_pack(tmp_path / "text.npy")
    np.save(tmp_path / "floats.npy", np.zeros((2, 36, 3)))
    with pytest.raises(
        DataError, match=r"expected rows of name, size, points, peak, got .* shape \(2, 36, 3\)"
    ):
        open_pack(tmp_path / "floats.npy")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(DataError, match="is no packed pose file"):
        open_pack(tmp_path / "objects.npy")
    write_pack(tmp_path / "cut.npy", {"a.jpg": make(0, True), "b.jpg": make(1, True)})
    cut = (tmp_path / "cut.npy").read_bytes()[:-40]
    (tmp_path / "cut.npy").write_bytes(cut)
    with pytest.raises(DataError, match=r"cut\.npy: is no packed pose file"):
        open_pack(tmp_path / "cut.npy")
