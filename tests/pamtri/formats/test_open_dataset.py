"""The one door: detection, naming a layout, and writing whole or not at all."""

import pytest

from pamtri.dataset import DatasetInfo, write_native
from pamtri.errors import DataError
from pamtri.formats import FORMATS, WRITABLE, open_dataset, write_dataset


def refused(action, *args, **options):
    with pytest.raises(DataError) as caught:
        action(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize("format", [f for f in WRITABLE if FORMATS[f].read])
@pytest.mark.parametrize("images", ["copy", "link"])
def test_what_is_written_is_detected(small, tmp_path, format, images):
    write_dataset(small, tmp_path / "out", format, images)
    read = open_dataset(tmp_path / "out")
    assert read.format == format and len(read) == len(small)
    originals = sorted(small.image_path(r).read_bytes() for r in small)
    assert sorted(read.image_path(r).read_bytes() for r in read) == originals
    links = read.image_path(read.records[0]).stat().st_nlink
    assert links == (2 if images == "link" and format != "webdataset" else 1)


def test_folders_without_a_data_set(tmp_path):
    none = tmp_path / "none"
    assert refused(open_dataset, none) == f"{none}: no such data set folder"
    assert refused(open_dataset, tmp_path).startswith(
        f"{tmp_path}: holds no data set of a known layout (native: dataset.yaml; veri: train_label"
    )


def test_an_empty_data_set(tmp_path):
    write_native(tmp_path, [], DatasetInfo(name="empty"))
    assert refused(open_dataset, tmp_path) == f"{tmp_path}: the native data set is empty"
    (tmp_path / "records/00000.jsonl").write_text("{}\n")
    with pytest.warns(UserWarning):
        message = refused(open_dataset, tmp_path, skip_damaged=True)
    assert "is empty; all rows are damaged, first " in message
    assert message.endswith("00000.jsonl, line 1: missing key 'image'")


def test_a_folder_of_two_layouts_asks_which(small, tmp_path):
    both = tmp_path / "both"
    write_dataset(small, both, "veri")
    write_dataset(small, tmp_path / "pose", "pamtri_pose")
    (tmp_path / "pose/label_train.csv").rename(both / "label_train.csv")
    assert refused(open_dataset, both) == (
        f"{both}: could be veri or pamtri_pose; name one as the format"
    )
    veri, pose = open_dataset(both, "veri"), open_dataset(both, "pamtri_pose")
    assert [r.image for r in veri.only("train")] == [r.image for r in pose]


def test_unknown_layouts(small, tmp_path):
    assert refused(open_dataset, small.root, "very") == (
        "no data set format 'very' can be read (did you mean 'veri'?)"
    )
    assert refused(open_dataset, small.root, "coco").startswith(
        "no data set format 'coco' can be read (there are: native, veri, "
    )
    assert refused(write_dataset, small, tmp_path / "out", "cityflow").startswith(
        "no data set format 'cityflow' can be written (there are: native, veri, "
    )
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(small, tmp_path):
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter").write_text("years of work")
    assert refused(write_dataset, small, target, "veri") == (
        f"{target}: is not empty; choose another folder"
    )
    assert (target / "chapter").read_text() == "years of work"


def test_a_missing_image_leaves_nothing_behind(small, tmp_path):
    missing = small.image_path(small.records[2])
    missing.unlink()
    message = refused(write_dataset, small, tmp_path / "out", "veri")
    assert message == f"{missing}: cannot be copied (No such file or directory)"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["native"]
