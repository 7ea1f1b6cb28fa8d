"""Shards as a plain tar reader sees them, and what is said of damaged ones."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pamtri.dataset import Dataset, DatasetInfo
from pamtri.errors import DataError
from pamtri.formats import open_dataset, webdataset, write_dataset
from pamtri.record import Record

IMAGE = b"\xff\xd8 the picture of "


def make(root: Path, splits=("train", "query", "train", None, "train")) -> Dataset:
    records = []
    for i, split in enumerate(splits):
        record = Record(
            image=f"images/{9 - i}.v2.JPG",
            domain="synthetic",
            split=split,
            identity=i,
            mask=f"masks/{9 - i}.png",
            segment_mask=f"segments/{9 - i}.png" if i % 2 else None,
        )
        for path in record.files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(IMAGE + path.encode())
        records.append(record)
    return Dataset(
        root, tuple(records), DatasetInfo(name="made", splits=("train", "query"), seed=3)
    )


@pytest.fixture
def made(tmp_path):
    return make(tmp_path / "made")


@pytest.fixture
def written(made, tmp_path):
    write_dataset(made, tmp_path / "shards", "webdataset")
    return tmp_path / "shards"


def members(path: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(path) as tar:
        return [(m.name, tar.extractfile(m).read()) for m in tar]


def test_a_plain_tar_reader_finds_consecutive_samples_in_shards_of_a_split(
    made, tmp_path, monkeypatch
):
    monkeypatch.setattr(webdataset, "SAMPLES_PER_SHARD", 2)
    write_dataset(made, tmp_path / "shards", "webdataset")
    root = tmp_path / "shards"
    assert {path.name: [name for name, _ in members(path)] for path in root.glob("*.tar")} == {
        "train-000000.tar": [
            *("00000000.json", "00000000.jpg", "00000000.mask.png"),
            *("00000002.json", "00000002.jpg", "00000002.mask.png"),
        ],
        "train-000001.tar": ["00000004.json", "00000004.jpg", "00000004.mask.png"],
        "query-000000.tar": [
            *("00000001.json", "00000001.jpg", "00000001.mask.png", "00000001.segment_mask.png"),
        ],
        "all-000000.tar": [
            *("00000003.json", "00000003.jpg", "00000003.mask.png", "00000003.segment_mask.png"),
        ],
    }
    content = dict(members(root / "query-000000.tar"))
    assert content["00000001.jpg"] == IMAGE + b"images/8.v2.JPG"
    assert content["00000001.segment_mask.png"] == IMAGE + b"segments/8.png"
    told = json.loads(content["00000001.json"])
    assert (told["image"], told["split"], told["identity"]) == ("images/8.v2.JPG", "query", 1)
    info = json.loads((root / "info.json").read_text())
    assert (info["name"], info["seed"]) == ("made", 3)


def test_reading_gives_every_file_and_record_back_in_order(made, written):
    read = open_dataset(written)
    assert (read.format, read.records, read.info) == ("webdataset", made.records, made.info)
    for record in made:
        for path in record.files:
            assert (read.root / path).read_bytes() == IMAGE + path.encode()


def test_the_order_of_a_samples_files_does_not_matter_nor_do_folders(made, tmp_path):
    write_dataset(made, tmp_path / "shards", "webdataset")
    shard = tmp_path / "shards" / "train-000000.tar"
    parts = members(shard)
    with tarfile.open(shard, "w") as tar:
        for name, data in [*reversed(parts[:3]), *parts[3:]]:
            entry = tarfile.TarInfo(f"../outside/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    read = open_dataset(tmp_path / "shards")
    assert sorted(r.image for r in read) == sorted(r.image for r in made)
    assert not (tmp_path / "outside").exists() and not (tmp_path / "shards" / "outside").exists()


def test_equal_sets_give_equal_bytes(made, written, tmp_path):
    write_dataset(made, tmp_path / "again", "webdataset")
    for path in written.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def rewrite(shard: Path, change) -> None:
    parts = change(members(shard))
    with tarfile.open(shard, "w") as tar:
        for name, data in parts:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[1:], "sample 00000000: has no .json among jpg, mask.png"),
        (lambda p: [p[0], *p[2:]], "sample 00000000: has no .jpg, the image of its record"),
        (lambda p: p[:2] + p[3:], "sample 00000000: has no .mask.png, the mask of its record"),
        (
            lambda p: [(p[0][0], b'{"image": "/etc/a.jpg", "domain": "real"}'), *p[1:]],
            "sample 00000000: image: expected a path inside the data set's folder",
        ),
        (lambda p: [(p[0][0], b"{"), *p[1:]], "sample 00000000: is not valid JSON"),
    ],
)
def test_a_damaged_sample_is_named_or_skipped(written, change, message):
    rewrite(written / "train-000000.tar", change)
    with pytest.raises(DataError, match=f"train-000000.tar, {message}"):
        open_dataset(written)
    with pytest.warns(UserWarning, match="skipped"):
        read = open_dataset(written, skip_damaged=True)
    assert [r.identity for r in read] == [1, 2, 3, 4]
    assert len(read.skipped) == 1


def test_a_cut_shard_is_named(written):
    shard = written / "train-000000.tar"
    whole = shard.read_bytes()
    for length in (512 * 4 + 5, 512 * 6, 512 * 7):  # in a file, after a sample, after a header
        shard.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"/train-000000.tar: the tar file is cut short$"):
            open_dataset(written)
    shard.write_bytes(b"no tar at all")
    with pytest.raises(DataError, match=r"train-000000.tar: cannot be read as tar: "):
        open_dataset(written)


def test_what_cannot_be_written_is_said(made, tmp_path):
    (made.root / "masks/9.png").unlink()
    with pytest.raises(DataError, match=r"masks/9.png: cannot be read \(No such file"):
        write_dataset(made, tmp_path / "a", "webdataset")
    nameless = Record(image="picture", domain="real")
    with pytest.raises(DataError, match=r"picture: a name that ends in .jpg"):
        write_dataset(Dataset(tmp_path, (nameless,), made.info), tmp_path / "b", "webdataset")
    far = make(tmp_path / "far", splits=("a/b",))
    with pytest.raises(DataError, match=r"split 'a/b' cannot be a file's name"):
        write_dataset(far, tmp_path / "c", "webdataset")


def test_what_was_unpacked_goes_when_the_process_ends(written):
    program = (
        "import sys; from pathlib import Path; from pamtri.formats import open_dataset\n"
        "print(open_dataset(Path(sys.argv[1])).root)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, written], capture_output=True, text=True, check=True
    )
    folder = Path(ran.stdout.strip())
    assert folder.name.startswith("pamtri-webdataset-") and not folder.exists()
