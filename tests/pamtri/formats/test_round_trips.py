"""What is written and read again is equal, on the fields that the layout holds."""

from __future__ import annotations

import math
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pamtri.attributes import COLOURS, TYPES
from pamtri.camera import NO_DISTORTION
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.formats import open_dataset, write_dataset
from pamtri.formats.pose_csv import read_predictions, write_predictions
from pamtri.record import FILE_FIELDS, Calibration, Keypoints, Record, Viewpoint

numbers = st.floats(-1e4, 1e4, allow_nan=False)
fractions = st.floats(0, 1)
points3 = st.tuples(numbers, numbers, numbers)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | st.text(),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(), below, max_size=2),
    max_leaves=5,
)


def optional(strategy):
    return st.none() | strategy


def of_36(strategy):
    return st.lists(strategy, min_size=36, max_size=36)


keypoints = st.builds(
    Keypoints,
    xy=of_36(st.tuples(numbers, numbers)),
    visibility=st.text("vsoth", min_size=36, max_size=36),
    confidence=optional(of_36(fractions)),
    xyz=optional(of_36(points3)),
)
boxes = st.tuples(numbers, numbers, st.floats(0.5, 900), st.floats(0.5, 900)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def records(splits, **fixed):
    """Lists of records of different image names; ``fixed`` fields come from their strategies."""
    fields = {
        "domain": st.sampled_from(["real", "synthetic"]),
        "width": st.integers(1, 4000),
        "height": st.integers(1, 4000),
        "split": st.sampled_from(splits),
        "identity": optional(st.integers(0, 3) | st.integers(0, 99999)),
        "camera": optional(st.integers(0, 3) | st.integers(0, 1200)),
        "frame": optional(st.integers(0, 3) | st.integers(0, 10**9)),
        "colour": optional(st.sampled_from(COLOURS)),
        "type": optional(st.sampled_from(TYPES)),
        "style": optional(st.text()),
        "box": optional(boxes),
        "keypoints": optional(keypoints),
        "box_amodal": optional(boxes),
        **{f: optional(st.just(f"labels/{f}.png")) for f in FILE_FIELDS if f != "image"},
        "depth_step_m": optional(st.floats(1e-4, 1)),
        "occlusion": optional(fractions),
        "truncation": optional(fractions),
        "viewpoint": optional(
            st.builds(
                Viewpoint,
                azimuth_deg=st.floats(0, 360, exclude_max=True),
                elevation_deg=st.floats(-90, 90),
                roll_deg=numbers,
                distance_m=optional(st.floats(0.1, 100)),
            )
        ),
        "calibration": optional(
            st.builds(
                Calibration,
                **dict.fromkeys(("fx", "fy", "cx", "cy"), numbers),
                distortion=st.just(NO_DISTORTION),
                rotation=st.tuples(points3, points3, points3),
                translation=points3,
            )
        ),
        "scene": optional(st.dictionaries(st.text(), json_values, max_size=3)),
    }
    names = st.sampled_from(["images/{:03d}.jpg", "b/{:03d}.png", "0001_c002_{:08d}_0.jpg"])
    drawn = st.lists(
        st.tuples(names, st.fixed_dictionaries(fields | fixed)), min_size=1, max_size=5
    )
    return drawn.map(
        lambda rows: [Record(image=name.format(i), **row) for i, (name, row) in enumerate(rows)]
    )


def known(strategy):
    """For fields that a layout cannot do without."""
    return strategy.filter(lambda v: v is not None)


REID = ["train", "query", "gallery"]
IDS = {"identity": st.integers(0, 3), "camera": st.integers(0, 2), "frame": st.integers(0, 2)}
# Shrinking a record of 36 points takes minutes, and what fails is told without.
short = settings(max_examples=25, phases=(Phase.explicit, Phase.generate))


def make(folder: Path, made: list[Record]) -> Dataset:
    for number, record in enumerate(made):
        path = folder / record.image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture %d" % number)
        for label in record.files[1:]:
            (folder / label).parent.mkdir(exist_ok=True)
            (folder / label).write_bytes(label.encode())
    return Dataset(folder, tuple(made), DatasetInfo(name="made", splits=("train",)))


def there_and_back(tmp_path_factory, made: list[Record], format: str) -> list[Record]:
    """Write, read, write again; both folders must be byte for byte the same.

    Returns what was read, in the order of ``made`` (told by the images' bytes), with the name of
    the image in ``made`` so that the rest compares.
    """
    folder = tmp_path_factory.mktemp("set")
    original = make(folder / "original", made)
    write_dataset(original, folder / "first", format, "link")
    first = open_dataset(folder / "first", format)
    write_dataset(first, folder / "second", format, "link")
    assert content(folder / "first") == content(folder / "second")
    by_bytes = {first.image_path(r).read_bytes(): r for r in first}
    assert len(by_bytes) == len(made)
    ordered = [by_bytes[b"picture %d" % i] for i in range(len(made))]
    return [
        read.model_copy(update={"image": m.image}) for read, m in zip(ordered, made, strict=True)
    ]


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@short
@given(records([*REID, "val", "any name", None]))
def test_native_holds_everything(tmp_path_factory, made):
    made = sorted(made, key=lambda r: r.image)  # the order that reading gives
    assert there_and_back(tmp_path_factory, made, "native") == made


def test_native_takes_the_label_images_along(tmp_path):
    labels = {name: f"{name}/0.png" for name in FILE_FIELDS if name != "image"}
    original = make(tmp_path / "a", [Record(image="0.jpg", domain="synthetic", **labels)])
    write_dataset(original, tmp_path / "b", "native")
    for path in labels.values():
        assert (tmp_path / "b" / path).read_bytes() == path.encode()


@short
@given(records([*REID, "val", "any name", None]))
def test_webdataset_holds_everything(tmp_path_factory, made):
    assert there_and_back(tmp_path_factory, made, "webdataset") == made


@short
@given(records(REID, **IDS))
def test_veri(tmp_path_factory, made):
    fields = ("split", "identity", "camera", "frame", "colour", "type")
    expected = [
        Record(image=r.image, domain="real", **{f: getattr(r, f) for f in fields}) for r in made
    ]
    assert there_and_back(tmp_path_factory, made, "veri") == expected


@short
@given(records(["train", "val", "test"], keypoints=keypoints, **IDS))
def test_pamtri_pose(tmp_path_factory, made):
    fields = ("split", "identity", "camera", "frame", "width", "height")
    expected = [
        Record(
            image=r.image,
            domain="real",
            **{f: getattr(r, f) for f in fields},
            keypoints=Keypoints(
                xy=[(math.floor(x) + 0.5, math.floor(y) + 0.5) for x, y in r.keypoints.xy],
                visibility="".join("v" if v == "v" else "h" for v in r.keypoints.visibility),
            ),
        )
        for r in made
    ]
    assert there_and_back(tmp_path_factory, made, "pamtri_pose") == expected


@short
@given(records(REID, keypoints=keypoints, **IDS))
def test_pamtri_multitask(tmp_path_factory, made):
    read = there_and_back(tmp_path_factory, made, "pamtri_multitask")
    for found, r in zip(read, made, strict=True):
        fields = ("split", "identity", "camera", "frame", "colour", "type")
        assert [getattr(found, f) for f in fields] == [getattr(r, f) for f in fields]
        confidence = r.keypoints.confidence or [float(v == "v") for v in r.keypoints.visibility]
        for (x, y), (fx, fy) in zip(r.keypoints.xy, found.keypoints.xy, strict=True):
            assert abs(x - fx) <= 0.0005001 and abs(y - fy) <= 0.0005001
        for c, fc, v in zip(
            confidence, found.keypoints.confidence, found.keypoints.visibility, strict=True
        ):
            assert abs(c - fc) <= 0.0005001
            assert v == ("v" if fc >= 0.5 else "h")


@short
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), min_size=1).filter(
            lambda name: name == name.strip()
        ),
        of_36(st.tuples(numbers, numbers, st.floats(-1, 2))),
        max_size=3,
    )
)
def test_pose_predictions(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("predictions")
    write_predictions(folder / "a.csv", made)
    read = read_predictions(folder / "a.csv")
    write_predictions(folder / "b.csv", read)
    assert (folder / "a.csv").read_bytes() == (folder / "b.csv").read_bytes()
    assert list(read) == list(made)
    for name, points in made.items():
        assert abs(read[name] - points).max() <= 0.0005001
