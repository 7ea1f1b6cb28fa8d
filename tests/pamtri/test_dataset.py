import gc

import pytest

from pamtri.dataset import Dataset, DatasetInfo, RecordWriter, read_info, read_native, write_native
from pamtri.errors import ConfigError, DataError
from pamtri.record import Record

INFO = DatasetInfo(name="test", splits=("train",), seed=0, config={"a": [1, {"b": None}]})


def records(count, start=0):
    return [
        Record(image=f"images/{i:06d}.jpg", domain="synthetic", identity=i, split="train")
        for i in range(start, start + count)
    ]


def test_what_is_written_is_read_equal(small, tmp_path):
    write_native(tmp_path / "copy", small.records, INFO)
    again = read_native(tmp_path / "copy")
    assert (again.records, again.info) == (small.records, INFO)


def test_records_are_split_into_shards_and_come_in_the_order_of_their_images(tmp_path):
    made = records(2500)
    write_native(tmp_path, made[::-1], INFO)
    shards = sorted((tmp_path / "records").iterdir())
    assert [s.name for s in shards] == ["00000.jsonl", "00001.jsonl", "00002.jsonl"]
    assert [len(s.read_bytes().splitlines()) for s in shards] == [1000, 1000, 500]
    assert list(read_native(tmp_path)) == made


def test_a_writer_appends_to_what_is_there(tmp_path):
    write_native(tmp_path, records(1000), INFO)
    write_native(tmp_path, records(3, start=1000), INFO)
    assert list(read_native(tmp_path)) == records(1003)
    assert len(list((tmp_path / "records").iterdir())) == 2


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_a_killed_writer_left_unfinished_is_dropped(tmp_path, cut):
    write_native(tmp_path, records(3), INFO)
    shard = tmp_path / "records/00000.jsonl"
    shard.write_bytes(shard.read_bytes()[:-cut])
    write_native(tmp_path, records(1, start=2), INFO)
    assert list(read_native(tmp_path)) == records(3)


def test_every_record_is_in_the_file_when_append_returns(tmp_path):
    with RecordWriter(tmp_path, INFO) as writer:
        for done, record in enumerate(records(3), start=1):
            writer.append(record)
            assert len(read_native(tmp_path)) == done


def test_a_damaged_line_is_named_and_skipped_only_when_asked(tmp_path):
    write_native(tmp_path, records(3), INFO)
    shard = tmp_path / "records/00000.jsonl"
    lines = shard.read_text().splitlines()
    lines[1] = lines[1].replace('"identity":1', '"identity":"one"')
    shard.write_text("\n".join([*lines, '{"image": ']) + "\n")
    first = (
        f"{shard}, line 2: identity: expected a valid integer, unable to parse string as an "
        "integer, got 'one'"
    )
    with pytest.raises(DataError) as caught:
        read_native(tmp_path)
    assert str(caught.value) == first
    with pytest.warns(UserWarning, match="skipped .*, line [24]: ") as warned:
        read = read_native(tmp_path, skip_damaged=True)
    assert [r.identity for r in read] == [0, 2]
    assert len(warned) == 2
    assert read.skipped[0] == first
    assert read.skipped[1].startswith(f"{shard}, line 4: is not valid JSON (")


def test_folders_that_are_no_data_set(tmp_path):
    none = tmp_path / "none"
    with pytest.raises(DataError, match=f"^{none}: no such data set folder$"):
        read_native(none)
    with pytest.raises(DataError, match=r"has no dataset.yaml, so it is no native data set$"):
        read_native(tmp_path)
    (tmp_path / "dataset.yaml").write_text("name: x\nschema_version: 9\n")
    with pytest.raises(ConfigError, match=r"dataset.yaml: schema_version: expected 1, got 9$"):
        read_info(tmp_path)
    (tmp_path / "dataset.yaml").write_text("name: [x")
    with pytest.raises(ConfigError, match=r"dataset.yaml: is not valid YAML"):
        read_info(tmp_path)


@pytest.mark.parametrize("enabled", [True, False])
def test_reading_leaves_the_garbage_collector_as_it_was(tmp_path, enabled):
    write_native(tmp_path, records(50), INFO)
    (tmp_path / "records/00001.jsonl").write_text("{}\n")
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(DataError):
            read_native(tmp_path)
        assert gc.isenabled() == enabled
        assert gc.get_freeze_count() == 0
    finally:
        gc.enable()


def test_the_garbage_collector_does_not_go_through_the_records_at_once(tmp_path):
    write_native(tmp_path, records(50), INFO)
    read = read_native(tmp_path)
    young = {id(o) for generation in (0, 1) for o in gc.get_objects(generation)}
    assert not any(id(r) in young for r in read)


def test_splits_are_chosen_in_order(small):
    assert small.split_names == ("train", "query", "gallery")
    assert [r.split for r in small.only("gallery", "query")] == ["query", "gallery", "gallery"]
    with pytest.raises(DataError) as caught:
        small.only("val")
    assert str(caught.value) == (
        f"{small.root}: no image in split 'val' (splits there: train, query, gallery)"
    )


def test_images_are_found_by_their_path(small):
    assert small.by_image["images/000003.jpg"] is small.records[3]
    assert small.image_path(small.records[3]).is_file()
    assert isinstance(small, Dataset) and len(small) == 6
