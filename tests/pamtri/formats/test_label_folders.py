"""VeRi-776, CityFlow-ReID and VehicleX, from label files as their makers write them."""

import pytest

from pamtri.errors import DataError
from pamtri.formats import open_dataset, write_dataset
from pamtri.record import Record

HEAD = '<?xml version="1.0" encoding="{encoding}"?>\n<TrainingImages Version="1.0">\n<Items>\n'
VERI_TRAIN = [
    'imageName="0001_c001_00016450_0.jpg" vehicleID="0001" cameraID="c001" colorID="1" typeID="4"',
    'imageName="0003_c020_00000007_1.jpg" vehicleID="0003" cameraID="c020" colorID="10" typeID="9"',
]
VERI_TEST = [
    'imageName="0002_c002_00030600_0.jpg" vehicleID="0002" cameraID="c002" colorID="5" typeID="1"',
    'imageName="0002_c003_00084280_0.jpg" vehicleID="0002" cameraID="c003"',
]


def label_text(items, encoding="gb2312", comment=""):
    body = "".join(f"<Item {item} />\n" for item in items)
    text = HEAD.format(encoding=encoding) + comment + body + "</Items>\n</TrainingImages>\n"
    return text.encode("gb18030" if encoding == "gb2312" else encoding)


def name_of(item):
    return item.split('"')[1]


@pytest.fixture
def veri(tmp_path):
    """A VeRi folder of 2 training images, and 2 test images of which the first is a query too."""
    root = tmp_path / "VeRi"
    sets = {"train": VERI_TRAIN, "query": VERI_TEST[:1], "test": VERI_TEST}
    for name, items in sets.items():
        (root / f"image_{name}").mkdir(parents=True)
        (root / f"name_{name}.txt").write_text("".join(name_of(i) + "\r\n" for i in items))
        for item in items:
            (root / f"image_{name}" / name_of(item)).write_bytes(b"picture")
    (root / "train_label.xml").write_bytes(label_text(VERI_TRAIN, comment="<!-- 车辆 (車輛) -->\n"))
    (root / "test_label.xml").write_bytes(label_text(VERI_TEST, "utf-8"))
    return root


def refused(root, **options):
    with pytest.raises(DataError) as caught:
        open_dataset(root, **options)
    return str(caught.value)


def test_veri_by_hand(veri):
    read = open_dataset(veri)
    assert (read.format, read.info.name) == ("veri", "VeRi")
    common = {"domain": "real", "identity": 2}
    query = {"camera": 2, "frame": 30600, "colour": "red", "type": "sedan"}
    assert list(read) == [
        Record(
            image="image_train/0001_c001_00016450_0.jpg", domain="real", split="train",
            identity=1, camera=1, frame=16450, colour="yellow", type="hatchback",
        ),
        Record(
            image="image_train/0003_c020_00000007_1.jpg", domain="real", split="train",
            identity=3, camera=20, frame=7, colour="black", type="estate",
        ),
        Record(image="image_query/0002_c002_00030600_0.jpg", split="query", **common, **query),
        Record(image="image_test/0002_c002_00030600_0.jpg", split="gallery", **common, **query),
        Record(
            image="image_test/0002_c003_00084280_0.jpg", split="gallery", camera=3, frame=84280,
            **common,
        ),
    ]  # fmt: skip


def test_veri_is_written_as_its_makers_do(veri, tmp_path):
    read = open_dataset(veri)
    write_dataset(read, tmp_path / "out", "veri")
    out = tmp_path / "out"
    assert open_dataset(out).records == read.records
    assert (out / "name_test.txt").read_text().split() == [name_of(i) for i in VERI_TEST]
    text = (out / "test_label.xml").read_text()
    assert text.count(VERI_TEST[0]) == 1 and '<Items number="2">' in text


def test_names_say_what_the_records_say(small, tmp_path):
    write_dataset(small, tmp_path / "out", "veri")
    names = [path.name for path in sorted((tmp_path / "out").glob("image_*/*"))]
    assert names == [
        "0003_c001_00000103_0.jpg",
        "0003_c002_00000104_0.jpg",
        "0004_c002_00000105_0.jpg",
        "0001_c001_00000100_0.jpg",
        "0001_c002_00000101_0.jpg",
        "0002_c001_00000102_0.jpg",
    ]
    assert (tmp_path / "out/image_train/0002_c001_00000102_0.jpg").read_bytes() == (
        small.root / "images/000002.jpg"
    ).read_bytes()


@pytest.mark.parametrize(("frame", "kept"), [(9, True), (None, True), (8, False)])
def test_a_name_is_kept_when_it_says_what_the_record_says(make_dataset, tmp_path, frame, kept):
    name = "0001_c002_00000009_0.jpg"
    fields = {"domain": "real", "split": "train", "identity": 1, "camera": 2, "frame": frame}
    write_dataset(make_dataset([Record(image=name, **fields)]), tmp_path / "out", "veri")
    assert (tmp_path / "out/image_train" / name).exists() == kept


def test_a_misleading_name_is_not_kept_and_no_name_comes_twice(make_dataset, tmp_path):
    fields = {"domain": "real", "split": "train", "identity": 5, "camera": 2}
    images = ["0001_c002_00000009_0.jpg", "0005_c002_00000009_0.jpg", "b/0005_c002_00000009_0.jpg"]
    made = make_dataset([Record(image=i, frame=9, **fields) for i in images])
    write_dataset(made, tmp_path / "out", "veri")
    assert sorted(path.name for path in (tmp_path / "out/image_train").iterdir()) == [
        "0005_c002_00000009_0.jpg",
        "0005_c002_00000009_1.jpg",
        "0005_c002_00000009_2.jpg",
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"split": "val", "identity": 1, "camera": 1}, "is in split 'val', but VeRi has train"),
        ({"split": "train", "camera": 1}, "its identity is None, but VeRi's names need one"),
        ({"split": "train", "identity": 1}, "its camera is None, but VeRi's names need one"),
    ],
)
def test_what_veri_cannot_hold_is_refused_and_leaves_nothing(
    make_dataset, tmp_path, record, expected
):
    made = make_dataset([Record(image="a.jpg", domain="real", **record)])
    with pytest.raises(DataError) as caught:
        write_dataset(made, tmp_path / "out", "veri")
    assert f"a.jpg: {expected}" in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["native"]


def test_damaged_veri_is_told_in_one_sentence(veri):
    labels = veri / "train_label.xml"

    def with_item(text):
        labels.write_bytes(label_text([VERI_TRAIN[0], text], "utf-8"))
        return refused(veri)

    second = f"{labels}, line 5"
    assert with_item(VERI_TRAIN[1].replace('"10"', '"11"')) == (
        f"{second}: colorID of 0003_c020_00000007_1.jpg is 11, expected 1 to 10"
    )
    assert with_item(VERI_TRAIN[1].replace('"9"', '"0"')) == (
        f"{second}: typeID of 0003_c020_00000007_1.jpg is 0, expected 1 to 9"
    )
    assert with_item(VERI_TRAIN[1].replace('"c020"', '"cam"')) == (
        f"{second}: cameraID is 'cam', expected a number"
    )
    assert with_item('vehicleID="3"') == f"{second}: the Item has no imageName"
    assert with_item(VERI_TRAIN[0]) == (
        f"{veri / 'name_train.txt'}, line 2: 0003_c020_00000007_1.jpg has no label in "
        "train_label.xml"
    )


def test_damaged_rows_are_skipped_when_asked(veri):
    (veri / "train_label.xml").write_bytes(label_text(VERI_TRAIN[:1]))
    with pytest.warns(UserWarning, match="has no label in train_label.xml"):
        read = open_dataset(veri, skip_damaged=True)
    assert len(read) == 4 and len(read.skipped) == 1


def test_broken_xml_is_told_in_one_sentence(veri):
    labels = veri / "train_label.xml"
    labels.write_bytes(label_text(VERI_TRAIN)[:-30])
    assert refused(veri) == f"{labels}, line 5: is not valid XML (unclosed token)"
    labels.write_bytes(b"\xff\xfe\xfa not text")
    assert refused(veri) == f"{labels}: is not in utf-8 as it says (invalid start byte)"
    labels.write_bytes(b'<?xml version="1.0" encoding="klingon"?><Items/>')
    assert refused(veri) == f"{labels}: is in the unknown encoding 'klingon'"
    labels.write_bytes(b"<Items></Items>")
    assert refused(veri) == f"{labels}: holds no Item"


def test_xml_entities_are_refused(veri):
    labels = veri / "train_label.xml"
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    labels.write_text(f'<?xml version="1.0"?>\n{bomb}<Items><Item imageName="&b;"/></Items>')
    assert refused(veri, format="veri") == f"{labels}, line 2: declares an XML entity"
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    labels.write_text(f'<?xml version="1.0"?>\n{outside}<Items><Item imageName="a"/></Items>')
    assert refused(veri, format="veri") == f"{labels}, line 2: declares an XML entity"


def test_names_that_lead_out_of_the_folder_are_refused(veri):
    (veri / "name_query.txt").write_text("../../etc/passwd\n")
    (veri / "test_label.xml").write_bytes(
        label_text(['imageName="../../etc/passwd" vehicleID="1" cameraID="c001"'])
    )
    assert "image: expected a path inside the data set's folder" in refused(veri)


def test_missing_parts_of_veri(veri):
    (veri / "image_query" / "0002_c002_00030600_0.jpg").unlink()
    (veri / "image_query").rmdir()
    assert refused(veri) == f"{veri}: has no folder image_query, where the query images lie"
    (veri / "name_query.txt").unlink()
    assert open_dataset(veri).split_names == ("train", "gallery")
    (veri / "name_test.txt").unlink()  # then the folder tells
    assert len(open_dataset(veri).only("gallery")) == 2
    (veri / "test_label.xml").unlink()
    assert refused(veri) == (
        f"{veri / 'test_label.xml'}: is missing, so the gallery images have no labels"
    )


def test_an_empty_veri(veri):
    (veri / "name_train.txt").write_text("\n")
    (veri / "name_query.txt").write_text("")
    (veri / "name_test.txt").write_text("")
    assert refused(veri) == f"{veri}: the veri data set is empty"


def test_cityflow_by_hand(tmp_path):
    for folder in ("image_train", "image_query", "image_test"):
        (tmp_path / folder).mkdir()
    train = ['imageName="000001.jpg" vehicleID="0269" cameraID="c026"']
    attributes = ' colorID="11" typeID="10"'
    train.append(train[0].replace("000001", "000002") + attributes)
    (tmp_path / "train_label.xml").write_bytes(label_text(train))
    (tmp_path / "query_label.xml").write_bytes(
        label_text(['imageName="000001.jpg" cameraID="c017"'])
    )
    (tmp_path / "image_test/000009.jpg").write_bytes(b"")
    read = open_dataset(tmp_path)
    assert read.format == "cityflow"
    one = {"domain": "real", "split": "train", "identity": 269, "camera": 26}
    assert list(read) == [
        Record(image="image_train/000001.jpg", **one),
        Record(image="image_train/000002.jpg", style="rv", **one),  # pink, which VeRi lacks
        Record(image="image_query/000001.jpg", domain="real", split="query", camera=17),
        Record(image="image_test/000009.jpg", domain="real", split="gallery"),
    ]


@pytest.mark.parametrize("folder", ["sys_image_train", "image_train"])
def test_vehiclex_by_hand(tmp_path, folder):
    (tmp_path / folder).mkdir()
    item = (
        'imageName="00001_c006_1.jpg" vehicleID="0001" cameraID="c006" colorID="4" typeID="9" '
        'orientation="266.1" lightInt="0.5"'
    )
    (tmp_path / "train_label.xml").write_bytes(label_text([item], "utf-8"))
    read = open_dataset(tmp_path)
    assert read.format == "vehiclex"
    assert list(read) == [
        Record(
            image=f"{folder}/00001_c006_1.jpg", domain="synthetic", split="train", identity=1,
            camera=6, colour="red", type="sedan", style="sportscar",
        )
    ]  # fmt: skip
    bad = item.replace('"4"', '"12"')
    (tmp_path / "train_label.xml").write_bytes(label_text([bad], "utf-8"))
    assert refused(tmp_path) == (
        f"{tmp_path / 'train_label.xml'}, line 4: colorID of 00001_c006_1.jpg is 12, "
        "expected 0 to 11"
    )
