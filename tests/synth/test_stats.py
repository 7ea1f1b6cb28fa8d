"""Numbers of the page by hand, and a page that needs nothing but itself."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rendered_sets import read_lines, render_set, write_lines

from pamtri.column_difference import association, bin_edges, difference, shares, word_shares
from pamtri.columns import Column, factor_columns, label_columns
from pamtri.dataset import Dataset, DatasetInfo, read_native, write_native
from pamtri.record import Keypoints, Record, Viewpoint
from synth.cli import synth
from synth.stats import page


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("stats") / "set"
    render_set(root)
    return root


@pytest.fixture
def photographs(tmp_path):
    """Three real images with few labels, in the same kind of folder, under an awkward name."""
    root = tmp_path / "photographs"
    records = []
    for i, colour in enumerate(("red", "red", "blue")):
        (root / "images").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (90 + i, 40), (200, 10 * i, 10)).save(root / f"images/{i}.jpg")
        view = Viewpoint(azimuth_deg=100.0 + i, elevation_deg=5.0) if i else None
        records.append(
            Record(
                image=f"images/{i}.jpg", domain="real", colour=colour, type="suv", viewpoint=view
            )
        )
    write_native(root, records, DatasetInfo(name="<b>photographs</b>"))
    return root


def records_of(rows):
    made = [Record(image=f"{i}.jpg", domain="synthetic", **row) for i, row in enumerate(rows)]
    return Dataset(None, tuple(made), DatasetInfo(name="made"))


def test_labels_become_columns_with_gaps():
    keypoints = Keypoints(xy=[(1, 1)] * 36, visibility="v" * 30 + "sothvv")
    size = {"width": 80, "height": 40}
    data = records_of(
        [
            {**size, "camera": 3, "box": (10, 5, 50, 25), "keypoints": keypoints},
            {**size, "colour": "red", "occlusion": 0.25},
        ]
    )
    columns = label_columns(data)
    assert columns["camera"] == Column("camera", ("3", None))
    assert columns["vehicle's longer side, px"].values == (40.0, None)
    assert columns["box's share of the image"].values == (40 * 20 / 3200, None)
    assert columns["visible keypoints"].values == (32.0, None)
    assert columns["width / height"].values == (2.0, 2.0)
    assert columns["occlusion"].values == (None, 0.25)
    assert columns["colour"].values == (None, "red")
    assert "azimuth, degrees" not in columns


def test_scenes_become_factors_by_dotted_key():
    scene = {
        "seed": 1, "light": {"strength": 1, "sun": {"on": True}, "seed": 4}, "flat": 3.0,
        "gain": [1.0, 2.0], "things": [{"kind": "pole"}, {"kind": "car"}], "dents": [{"a": 1}],
    }  # fmt: skip
    other = {
        "seed": 2, "light": {"strength": 2.5, "sun": None, "seed": 5}, "flat": 3.0,
        "gain": [1.0, 4.0], "things": [], "dents": [],
    }  # fmt: skip
    columns = factor_columns(records_of([{"scene": scene}, {"scene": other}, {}]))
    assert {name: column.values for name, column in columns.items()} == {
        "light.strength": (1.0, 2.5, None),
        "light.sun.on": ("yes", None, None),
        "flat": (3.0, 3.0, None),
        "gain.0": (1.0, 1.0, None),
        "gain.1": (2.0, 4.0, None),
        "things": ("car and pole", None, None),
        "things, number": (None, 0.0, None),
        "dents, number": (1.0, 0.0, None),
    }
    assert factor_columns(records_of([{"scene": scene}, {"scene": scene}])) == {}


def test_all_factors_of_a_rendered_set_are_told(root):
    columns = factor_columns(read_native(root))
    lines = read_lines(root)
    expected = tuple(line["scene"]["light"]["rotation_deg"] for line in lines)
    assert columns["light.rotation_deg"].values == expected
    assert {"vehicle.paint.rgb.0", "camera.fx", "occluders"} <= set(columns)
    assert not any(name.endswith("seed") or "rotation." in name for name in columns)


def numeric(*values):
    return Column("n", tuple(None if v is None else float(v) for v in values))


def worded(*values):
    return Column("w", values)


def test_whole_numbers_get_bins_of_their_own():
    edges = bin_edges([numeric(3, 5, None), numeric(6)])
    assert edges.tolist() == [2.5, 3.5, 4.5, 5.5, 6.5]
    assert shares(numeric(3, 3, None, 5, 6), edges).tolist() == [0.5, 0, 0.25, 0.25]
    assert bin_edges([numeric(0.5, 0.5)]).tolist()[0] == 0.5
    uneven = bin_edges([numeric(0, 2.5)])
    assert (len(uneven), uneven[0], uneven[-1]) == (25, 0, 2.5)


def test_differences_worked_by_hand():
    assert word_shares([worded("a", "a", None, "b"), worded("c", "a")]) == {
        "a": [2 / 3, 1 / 2],
        "c": [0, 1 / 2],
        "b": [1 / 3, 0],
    }
    # Of a, b and c the shares differ by 1/6, 1/2 and 1/3: half of their sum must move.
    assert difference(worded("a", "a", "b"), worded("c", "a")) == pytest.approx(0.5)
    assert difference(numeric(1, 1, 2, 9), numeric(9, 2, 1, 1)) == 0
    assert difference(numeric(1, 1, 2, 2), numeric(2, 2, 3, 3)) == pytest.approx(0.5)
    assert difference(numeric(0.1, 0.2), numeric(5.5, 6.5)) == 1


def test_associations_worked_by_hand():
    a = worded(*"xxyyxxyyxxyy")
    assert association(a, worded(*"ppqqppqqppqq")) == pytest.approx(1)
    assert association(a, worded(*"pqpqpqpqpqpq")) == 0
    # Pairs xp, xq, yp and yq occur 5, 1, 1 and 5 times, where 3 of each would be expected.
    b = worded(*"ppqqppqqpqqp")
    phi = 4 * (2**2 / 3) / 12 - 1 / 11
    assert association(a, b) == pytest.approx(np.sqrt(phi / (1 - 1 / 11)))
    assert association(a, worded(*[None] * 11, "p")) == 0
    steps = numeric(*np.repeat(np.arange(6), 20))
    assert association(steps, worded(*np.repeat(list("abcdef"), 20).tolist())) == pytest.approx(1)


@pytest.fixture(scope="module")
def few(root, tmp_path_factory):
    """The same set with fewer factors, each of which is a chart to draw."""
    few = shutil.copytree(root, tmp_path_factory.mktemp("few") / "set")
    lines = read_lines(root)
    for line in lines:
        line["scene"] = {"light": line["scene"]["light"], "occluders": line["scene"]["occluders"]}
    write_lines(few, lines)
    return few


def test_a_page_is_one_file_that_tells_its_numbers(few, tmp_path):
    path = tmp_path / "new" / "stats.html"
    result = CliRunner().invoke(synth, ["stats", str(few), "--output", str(path)])
    assert result.exit_code == 0 and result.stdout == f"wrote {path}\n"
    text = path.read_text()
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    lines = read_lines(few)
    colour, type_ = lines[0]["colour"], lines[0]["type"]
    assert text.count('class="shot"') == 8 and text.count('class="box"') == 8
    assert re.search(rf'<th scope="row">{colour}</th>.*?>4</td>', text)
    assert f"<th>{type_}</th>" in text
    assert 'aria-label="light.rotation_deg"' in text
    assert "Where the two differ" not in text
    assert "#0a0b0" not in text and "#123456" not in text  # all colours are the page's


def test_photographs_beside_a_rendered_set(few, photographs, tmp_path):
    path = tmp_path / "two.html"
    page.write_stats([few, photographs], path)
    text = path.read_text()
    assert "&lt;b&gt;photographs&lt;/b&gt;" in text and "<b>photographs" not in text
    assert "Where the two differ" in text
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th><td class="value">(\d+) %</td>', text))
    assert rows["type"] in ("100", "0") and "distance, m" not in rows
    assert text.count('class="shot"') == 8 + 3
    assert text.count("where the cameras of") == 2
    both = re.search(r'aria-label="colour">?.*?</svg>', text, flags=re.DOTALL)[0]
    assert "var(--arm-0)" in both and "var(--arm-1)" in both


def test_photographs_alone(photographs, tmp_path):
    page.write_stats([photographs], tmp_path / "one.html")
    text = (tmp_path / "one.html").read_text()
    assert "not known" in text
    for heading in ("Keypoints", "Factors of the scenes"):
        assert f"<h2>{heading}</h2>" not in text


def test_sets_of_one_name_are_told_apart(photographs, tmp_path):
    page.write_stats([photographs, photographs], tmp_path / "twice.html")
    text = (tmp_path / "twice.html").read_text()
    assert "photographs&lt;/b&gt; (1) and &lt;b&gt;photographs&lt;/b&gt; (2)" in text
    assert set(re.findall(r'<td class="value">(\d+) %</td>', text)) == {"0"}
