from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri.errors import DataError
from pamtri.pictures import pictures_in
from train.config import DataConfig, SourceConfig
from train.mixing_config import DOMAINS
from train.pose.data import has_keypoints
from train.reid.data import has_identity
from train.sources import hold_out, open_for_prediction, open_split


def identities(samples: list) -> set[int]:
    return {s.record.identity for s in samples}


def test_identities_are_held_out_whole(real: Path, synthetic: Path) -> None:
    data = DataConfig(
        real=SourceConfig(path=real),
        synthetic=SourceConfig(path=synthetic),
        validation_fraction=0.4,
    )
    split = open_split(data, DOMAINS, has_identity, "an identity")
    assert {s.source for s in split.validation} == {"real"}
    assert len(identities(split.validation)) == 2
    assert not identities(split.validation) & identities(split.training["real"])
    assert identities(split.validation) | identities(split.training["real"]) == set(range(5))
    assert len(split.training["synthetic"]) == 16


def test_every_ratio_is_validated_on_the_same_images(real: Path, synthetic: Path) -> None:
    data = DataConfig(real=SourceConfig(path=real), synthetic=SourceConfig(path=synthetic))
    splits = [open_split(data, d, has_keypoints, "") for d in (("real",), DOMAINS, ("synthetic",))]
    assert [set(s.training) for s in splits] == [{"real"}, {"real", "synthetic"}, {"synthetic"}]
    assert splits[0].validation == splits[1].validation == splits[2].validation


def test_a_validation_set_is_used_whole_and_holds_nothing_out(real: Path) -> None:
    test = SourceConfig(path=real, splits=("test",))
    data = DataConfig(real=SourceConfig(path=real), validation=test)
    split = open_split(data, ("real",), has_identity, "an identity")
    assert len(split.training["real"]) == 15
    assert [s.record.split for s in split.validation] == ["test"] * 3


def test_images_without_identity_are_held_out_one_by_one(real: Path) -> None:
    samples = open_for_prediction(real)
    anonymous = [
        type(s)(s.path, s.record.model_copy(update={"identity": None}), s.source) for s in samples
    ]
    kept, held = hold_out(anonymous, 0.5)
    assert len(held) == 9
    assert not {s.path for s in kept} & {s.path for s in held}


def test_unusable_and_empty_splits_are_refused(
    tmp_path: Path, real: Path, write_dataset: Callable[..., Path]
) -> None:
    with pytest.raises(DataError, match="no image in split 'nowhere'"):
        data = DataConfig(real=SourceConfig(path=real, splits=("nowhere",)))
        open_split(data, ("real",), has_identity, "an identity")
    with pytest.raises(
        DataError, match=rf"^data.real: none of the 15 images of {real} has a spare wheel$"
    ):
        data = DataConfig(real=SourceConfig(path=real))
        open_split(data, ("real",), lambda s: False, "a spare wheel")
    lone = write_dataset(tmp_path / "lone", 2, 3, "real")
    with pytest.raises(DataError, match=rf"^data.real: {lone} has too few identities to hold out"):
        open_split(DataConfig(real=SourceConfig(path=lone)), ("real",), has_identity, "an identity")
    with pytest.raises(DataError, match=r"missing: no such data set folder$"):
        data = DataConfig(real=SourceConfig(path=tmp_path / "missing"))
        open_split(data, ("real",), has_identity, "an identity")


def test_plain_folders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.jpg", "b/a.PNG"):
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    assert [s.name for s in open_for_prediction(tmp_path)] == ["a.PNG", "z.jpg"]
    (one,) = open_for_prediction(tmp_path / "b" / "a.PNG")
    assert (one.path, one.record.image) == (tmp_path / "b" / "a.PNG", "a.PNG")
    with pytest.raises(DataError, match=r"nothing\.jpg: no such file or folder$"):
        open_for_prediction(tmp_path / "nothing.jpg")
    with pytest.raises(DataError, match=r"holds no image .* and no data set$"):
        (tmp_path / "empty").mkdir()
        pictures_in(tmp_path / "empty")


def test_a_damaged_picture_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "b.jpg").write_bytes((tmp_path / "b.jpg").read_bytes()[:-40])
    assert [s.name for s in open_for_prediction(tmp_path)] == ["a.jpg", "c.jpg"]
    told = capsys.readouterr().err
    assert told.startswith(f"{tmp_path}: 1 of 3 images left out, first {tmp_path}/b.jpg: is no")
    for name in ("a.jpg", "c.jpg"):
        (tmp_path / name).write_text("nothing")
    with pytest.raises(DataError, match="none of its 3 images can be read, first "):
        open_for_prediction(tmp_path)


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "1.jpg"), np.zeros((4, 4, 3), np.uint8))
    expected = f"^{tmp_path}/b/1.jpg: has the same name as {tmp_path}/a/1.jpg"
    with pytest.raises(DataError, match=expected):
        open_for_prediction(tmp_path)
