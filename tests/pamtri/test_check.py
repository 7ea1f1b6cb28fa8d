from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pamtri.check import check_dataset
from pamtri.formats import open_dataset
from pamtri.record import Keypoints, Record


def found(dataset):
    """(kind, base name or subject, text) of each problem."""
    return [(p.kind, Path(p.subject).name, p.text) for p in check_dataset(dataset)]


def test_nothing_is_wrong_with_a_sound_data_set(small):
    assert found(small) == []


def test_missing_truncated_and_wrongly_sized_images_are_all_found(small):
    noise = np.random.default_rng(0).integers(0, 255, (40, 64, 3), dtype=np.uint8)
    paths = [small.image_path(r) for r in small]
    Image.fromarray(noise).save(paths[0])
    paths[0].write_bytes(paths[0].read_bytes()[:-200])
    paths[1].unlink()
    paths[2].write_bytes(b"not an image")
    Image.new("RGB", (32, 40)).save(paths[3])
    problems = {name: (kind, text) for kind, name, text in found(small) if "image" in kind}
    assert problems["000000.jpg"][0] == "damaged image" and "truncated" in problems["000000.jpg"][1]
    assert problems["000001.jpg"] == ("missing image", "no such file")
    assert problems["000002.jpg"][0] == "damaged image"
    assert ("wrong size", "000003.jpg", "is 32 x 40, its record says 64 x 40") in found(small)
    assert len(problems) == 3


def test_masks_are_looked_at_too(make_dataset):
    masks = {"mask": "masks/0.png", "segment_mask": "segments/0.png"}
    made = make_dataset([Record(image="0.jpg", domain="real", width=64, height=40, **masks)])
    (made.root / "masks").mkdir()
    Image.new("L", (64, 41)).save(made.root / "masks/0.png")
    assert [(kind, text) for kind, _, text in found(made)] == [
        ("wrong size", "is 64 x 41, its record says 64 x 40"),
        ("missing image", "no such file"),
    ]


def test_visible_keypoints_outside_the_picture_are_found(make_dataset):
    inside = [(0.0, 0.0), (64.0, 40.0), (-1.0, 5.0)] + [(5.0, 5.0)] * 33
    outside = [(5.0, 40.01), (64.5, 1.0), (9.0, 9.0), (5.0, -0.01)] + [(5.0, 5.0)] * 32
    made = make_dataset(
        [
            Record(
                image=f"{i}.jpg", domain="real",
                keypoints=Keypoints(xy=xy, visibility="vvt" + "v" * 33),
            )
            for i, xy in enumerate([inside, outside])
        ]
    )  # fmt: skip
    assert found(made) == [
        (
            "keypoint outside the picture",
            "1.jpg",
            "keypoints 0, 1, 3 are marked visible but lie outside 64 x 40",
        )
    ]


def record(image, split, identity=None, camera=None):
    return Record(image=image, domain="real", split=split, identity=identity, camera=camera)


def test_duplicate_names_are_found(make_dataset):
    made = make_dataset(
        [
            record("a/1.jpg", "train"),
            record("b/1.jpg", "train"),
            record("q/2.jpg", "query"),
            record("g/2.jpg", "gallery"),  # a query may be in the gallery
            record("g/3.jpg", "gallery"),
            record("g/3.jpg", "gallery"),
        ]
    )
    assert found(made) == [
        ("duplicate name", "3.jpg", "has 2 records"),
        ("duplicate name", "1.jpg", "names 2 images of split 'train'"),
    ]


def test_identities_shared_by_training_and_test_are_found(make_dataset):
    made = make_dataset(
        [
            record("0.jpg", "train", 1, 1),
            record("1.jpg", "query", 1, 1),
            record("2.jpg", "gallery", 1, 2),
            record("3.jpg", "train", 2, 1),
            record("4.jpg", "val", 2, 1),
            record("5.jpg", "test", 3, 1),
            record("6.jpg", "train", 3, 1),
        ]
    )
    assert found(made) == [
        ("identity shared", "identity 1", "is in train and query and gallery"),
        ("identity shared", "identity 3", "is in train and test"),
    ]


@pytest.mark.parametrize(
    ("gallery", "answered"),
    [
        ([("g.jpg", 1, 2)], True),
        ([("g.jpg", 1, 1)], False),  # the same camera does not count
        ([("g.jpg", 2, 2)], False),
        ([("q.jpg", 1, None)], False),  # the query itself
        ([("g.jpg", 1, None)], True),
        ([("q.jpg", 1, 1), ("g.jpg", 1, 3)], True),
    ],
)
def test_queries_without_a_match_are_found(make_dataset, gallery, answered):
    rows = [record(f"gallery/{name}", "gallery", i, c) for name, i, c in gallery]
    problems = found(make_dataset([record("query/q.jpg", "query", 1, 1), *rows]))
    expected = (
        "query without a match",
        "q.jpg",
        "no gallery image of identity 1 from another camera",
    )
    assert problems == ([] if answered else [expected])


def test_damaged_labels_are_problems_too(small):
    shard = small.root / "records/00000.jsonl"
    shard.write_text(shard.read_text() + '{"image": "x.jpg"}\n')
    with pytest.warns(UserWarning):
        opened = open_dataset(small.root, skip_damaged=True)
    assert [(p.kind, p.subject, p.text) for p in check_dataset(opened)] == [
        ("damaged label", f"{shard}, line 7", "missing key 'domain'")
    ]
