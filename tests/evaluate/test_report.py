"""The report's parts: overlays, choices by chance, charts, interval bars."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluate.report.charts import Curve, chart, series, smoothed
from evaluate.report.tables import _bar, data_rows
from evaluate.statistics import Difference
from pamtri.errors import DataError
from pamtri.page.pictures import chosen, labelled_shot, picture, predicted_shot
from pamtri.record import Keypoints, Record


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """400 x 200, black, with a white dot of 20 px at (300, 50)."""
    pixels = np.zeros((200, 400, 3), np.uint8)
    pixels[40:60, 290:310] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def labels() -> Record:
    """Keypoint 0 (left) on the white dot, keypoint 18 (right) elsewhere; the others hidden."""
    points = [(1.0, 1.0)] * 36
    points[0], points[18] = (300.0, 50.0), (100.0, 150.0)
    letters = "".join("v" if i in (0, 18) else "s" for i in range(36))
    keypoints = Keypoints(xy=tuple(points), visibility=letters)
    return Record(image="photo.png", domain="real", keypoints=keypoints)


def test_labels_lie_on_the_embedded_picture(photo: Path) -> None:
    svg = labelled_shot(photo, labels())
    embedded = re.search(r"base64,([^\"]+)", svg)
    assert embedded is not None
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(embedded[1]))))
    assert image.shape == (104, 208, 3)
    scale = float(re.search(r"scale\(([\d.]+)\)", svg)[1])  # type: ignore[index]
    dots = re.findall(r'class="dot (\w+)" d="M([\d.]+) ([\d.]+)h0"', svg)
    assert [side for side, *_ in dots] == ["left", "right"]
    x, y = (float(v) * scale for v in dots[0][1:])
    assert image[int(y), int(x)].min() > 200
    assert f'viewBox="0 0 {image.shape[1]} {image.shape[0]}"' in svg


def test_small_pictures_are_not_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (40, 90)).save(tmp_path / "small.png")
    small = picture(tmp_path / "small.png")
    assert (small.width, small.height, small.scale) == (40, 90, 1.0)


def test_wrong_points_lead_to_their_labels(photo: Path) -> None:
    predicted = np.zeros((36, 2))
    predicted[0], predicted[18] = (300, 50), (140, 120)
    right = np.zeros(36, bool)
    right[0] = True
    svg = predicted_shot(photo, predicted, labels(), right)
    assert 'aria-label="1 of 2 right"' in svg
    assert re.findall(r'class="dot (\w+)"', svg) == ["left", "wrong"]
    assert re.findall(r'class="miss" x1="140.0" y1="120.0" x2="100.0" y2="150.0"', svg)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError, match=r"cut.jpg: is no image that can be decoded whole"):
        picture(tmp_path / "cut.jpg")


def test_choice_takes_many_identities_and_no_row_twice() -> None:
    identities = [0] * 50 + [1, 2, 3]
    rows = chosen(identities, 6)
    assert len(set(rows)) == 6
    assert {identities[row] for row in rows} == {0, 1, 2, 3}
    assert rows == chosen(identities, 6)
    assert len(chosen([None] * 3, 10)) == 3


def test_smoothing_keeps_the_mean_and_the_end() -> None:
    points = [(float(step), float(step % 7)) for step in range(1, 241)]
    short = smoothed(points, 60)
    assert len(short) == 60
    assert short[-1][0] == 240
    assert np.mean([v for _, v in short]) == pytest.approx(np.mean([v for _, v in points]))
    assert smoothed(points[:5], 60) == points[:5]


def test_series_takes_its_kind_and_skips_what_has_no_number() -> None:
    lines = [
        {"step": 1, "kind": "train", "loss": 2.0, "pck": 1.0},
        {"step": 2, "kind": "val", "pck": 0.5},
        {"step": 3, "kind": "val", "pck": None},
    ]
    assert series(lines, "val", "pck") == [(2.0, 0.5)]


def test_charts_take_the_page_s_colours() -> None:
    curves = [
        Curve(0, "real-only", [(0, 0.1), (9, 0.2)]),
        Curve(1, "augmented", [(0, 0.1), (9, 0.3)]),
    ]
    svg = chart("validation PCK", curves, percent=True)
    assert svg == chart("validation PCK", curves, percent=True)
    assert "var(--arm-0)" in svg and "var(--arm-1)" in svg and "currentColor" in svg
    assert not re.search(r"#(123456|0a0b0)", svg)
    assert "validation PCK, %" in svg and "<text" in svg
    assert not re.search(r"<svg[^>]* (width|height)=", svg)


def test_bars_are_placed_on_the_track() -> None:
    bar = _bar(Difference(0.02, -0.01, 0.05, 0.2, True), scale=0.10)
    assert bar is not None
    assert (bar.text, bar.interval, bar.verdict) == ("+2.0", "\N{MINUS SIGN}1.0 to +5.0", "unclear")
    assert bar.dot == pytest.approx(50 + 48 * 0.2)
    assert (bar.start, bar.width) == pytest.approx((50 - 48 * 0.1, 48 * 0.6))
    higher, lower = (
        Difference(0.02, 0.01, 0.03, 0.01, True),
        Difference(-0.02, -0.03, -0.01, 0.01, True),
    )
    assert [b.verdict for b in (_bar(higher, 1.0), _bar(lower, 1.0)) if b] == [
        "higher",
        "lower",
    ]
    assert _bar(None, 1.0) is None


def test_data_rows_read_as_text() -> None:
    facts = {"images": 1234, "identities": 5, "cameras": 0, "with_keypoints": 0,
             "median_size": [144, 90], "colours": {},
             "types": {"suv": 9, "van": 4, "bus": 3, "mpv": 2, "truck": 1}}  # fmt: skip
    rows = {label: values[0] for label, values in data_rows([facts])}
    assert rows["Images"] == "1,234"
    assert rows["Cameras"] == "\N{EN DASH}"
    assert rows["Median size, pixels"] == "144 \N{MULTIPLICATION SIGN} 90"
    assert rows["Body types"] == "suv 9, van 4, bus 3, mpv 2 and 1 more"
