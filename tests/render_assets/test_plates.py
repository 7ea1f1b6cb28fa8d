"""Plates, letters and flat figures, held against independent renderings."""

from __future__ import annotations

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from render_assets.decals import facing
from render_assets.lettering import text_figure
from render_assets.marks import Plate
from render_assets.mesh import Part
from render_assets.outlines import Flat, band, disc, polygon, rectangle, rounded
from render_assets.plates import PLATE_STYLES, plate_parts, plate_rows, sample_plate

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SCALE = 2000.0
"""Pixels a metre."""


def raster(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(h, w) bool picture of triangles, cropped to them."""
    pixels = (points - points.min(axis=0)) * SCALE
    high = int(np.ceil(pixels[:, 1].max())) + 1
    image = np.zeros((high, int(np.ceil(pixels[:, 0].max())) + 1), dtype=np.uint8)
    corners = np.stack([pixels[:, 0], high - 1 - pixels[:, 1]], axis=1)
    for triangle in np.round(corners[faces] * 16).astype(np.int32):
        cv2.fillConvexPoly(image, triangle, 255, cv2.LINE_8, 4)
    return image > 127


def drawn(text: str, file: str, shape: tuple[int, ...]) -> np.ndarray:
    """The same text by Pillow, cropped and stretched to ``shape``."""
    font = ImageFont.truetype(str(FONTS / file), 300)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), text, 255, font)
    ink = np.asarray(image)
    rows, columns = np.flatnonzero(ink.max(axis=1)), np.flatnonzero(ink.max(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cv2.resize(ink, shape[::-1], interpolation=cv2.INTER_AREA) > 127


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize(
    ("text", "font", "file"),
    [
        ("AB 80 QRS", "mono", "DejaVuSansMono-Bold.ttf"),
        ("B&W 964 gj", "bold", "DejaVuSans-Bold.ttf"),
        ("Removals", "serif", "DejaVuSerif-Bold.ttf"),
        ("Express 8", "italic", "DejaVuSans-BoldOblique.ttf"),
        ("%@ÄÖÜ", "sans", "DejaVuSans.ttf"),
    ],
)
def test_letters_look_as_pillow_draws_them(text: str, font: str, file: str) -> None:
    figure = text_figure(text, font, 0.1)  # type: ignore[arg-type]
    ink = raster(figure.points, figure.faces)
    assert overlap(ink, drawn(text, file, ink.shape)) > 0.88
    other = drawn(text[::-1], file, ink.shape)
    assert overlap(ink, other) < 0.7


def test_text_is_as_tall_as_asked_and_squeezed_into_its_width() -> None:
    free = text_figure("HEL", "bold", 0.08)
    assert free.size()[1] == pytest.approx(0.08, rel=1e-6)
    assert free.points.mean(axis=0) == pytest.approx([0, 0], abs=0.02)
    tight = text_figure("HEL", "bold", 0.08, 0.05)
    assert tight.size() == pytest.approx([0.05, 0.08], rel=1e-6)


def readable(parts: list[Part], name: str, sign: float) -> Flat:
    """A part of a plate as someone sees it who stands before it."""
    chosen = next(p for p in parts if p.name == name)
    points = chosen.vertices[:, 1:] * np.array([sign, 1])
    return Flat(points.astype(np.float64), chosen.faces)


@pytest.mark.parametrize("name", PLATE_STYLES)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_plate_can_be_read_from_where_it_faces(name: str, sign: float) -> None:
    """What someone before the plate sees is its number, not its mirror image; real size."""
    style = PLATE_STYLES[name]
    plate = plate_of(name)
    parts = plate_parts("p", plate, facing("x", sign, (2.0, 0.0, 0.5)), rear=sign < 0)
    assert sum(len(p.faces) for p in parts) <= 750
    face = next(p for p in parts if p.name == "p")
    assert np.ptp(face.vertices, axis=0)[1:] == pytest.approx(style.size, abs=1e-5)
    assert face.material == (style.rear_ground or style.ground if sign < 0 else style.ground)
    ink = readable(parts, "p_text", sign)
    rows = plate_rows(plate)
    flat = np.concatenate([r.points for r in rows])
    assert np.allclose(ink.points[: len(flat)] - [0, 0.5], flat, atol=1e-5)
    assert (np.abs(flat) < np.array(style.size) / 2 - 0.006).all()
    if "\n" not in plate.text and plate.text.isascii():
        ink_only = raster(rows[0].points, rows[0].faces)
        file = {"mono": "DejaVuSansMono-Bold.ttf", "bold": "DejaVuSans-Bold.ttf"}[style.font]
        assert overlap(ink_only, drawn(plate.text, file, ink_only.shape)) > 0.9
    back = (face.vertices[:, 0] - 2.0) * sign
    text = next(p for p in parts if p.name == "p_text")
    ahead = (text.vertices[:, 0] - 2.0) * sign
    assert 0.0 < ahead.min() - back.max() < 0.002
    for made in parts:
        a, b, c = (made.vertices[made.faces[:, k]].astype(float) for k in range(3))
        assert ((np.cross(b - a, c - a) * made.normals[made.faces[:, 0]]).sum(axis=1) > -1e-9).all()


def plate_of(name: str) -> Plate:
    """The first plate of that style that chance draws."""
    rng = np.random.default_rng(0)
    while True:
        for kind in ("sedan", "bus"):
            plate = Plate(**sample_plate(rng, kind))
            if plate.style == name:
                return plate


def test_numbers_follow_their_countrys_pattern() -> None:
    rng = np.random.default_rng(1)
    plates = [Plate(**sample_plate(rng, "sedan")) for _ in range(2000)]
    assert len({p.text for p in plates}) > 1950
    assert {p.style for p in plates} == {n for n, s in PLATE_STYLES.items() if s.work is not True}
    for plate in plates:
        patterns = PLATE_STYLES[plate.style].patterns
        assert any(_fits(plate.text, pattern) for pattern in patterns)
    work = [Plate(**sample_plate(rng, "truck")).style for _ in range(500)]
    assert "china_yellow" in work and "china_blue" not in work


def _fits(text: str, pattern: str) -> bool:
    kinds = {"@": str.isupper, "#": str.isdigit}
    return len(text) == len(pattern) and all(
        kinds[p](c) if p in kinds else p == c for c, p in zip(text, pattern, strict=True)
    )


def area(figure: Flat) -> float:
    a, b, c = (figure.points[figure.faces[:, k]] for k in range(3))
    cross = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (cross > -1e-12).all()
    return float(cross.sum() / 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.6, 1.4), min_size=5, max_size=24),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_polygons_triangles_cover_its_area_without_its_holes(
    radii: list[float], holes: int, clockwise: bool
) -> None:
    """Star-shaped outlines with square holes: the area is that of the rings."""
    angle = np.arange(len(radii)) * 2 * np.pi / len(radii)
    ring = np.array(radii)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    side = 0.08
    square = side * np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)])
    inner = [square + 0.2 * np.array([np.cos(k * 2.1), np.sin(k * 2.1)]) for k in range(holes)]
    rings = [ring, *inner]
    nxt = np.roll(ring, -1, axis=0)
    whole = (ring[:, 0] * nxt[:, 1] - ring[:, 1] * nxt[:, 0]).sum() / 2
    figure = polygon([r[::-1] for r in rings] if clockwise else rings)
    assert area(figure) == pytest.approx(whole - holes * (2 * side) ** 2, rel=1e-9)


def test_simple_figures_have_their_areas() -> None:
    assert area(rectangle(3, 2)) == pytest.approx(6)
    assert area(disc(1.0, 400)) == pytest.approx(np.pi, rel=1e-3)
    star = disc(1.0, points=5, depth=0.5)
    assert area(star) == pytest.approx(10 * 0.5 * np.sin(np.pi / 5) / 2)
    assert area(band(np.array([(0, 0), (1, 0), (2, 0.0)]), 0.1)) == pytest.approx(0.2)
    corners = polygon([rounded(2, 1, 0.2, 40)])
    assert area(corners) == pytest.approx(2 - (4 - np.pi) * 0.04, rel=1e-3)
    assert area(rectangle(1, 1).turned(30).moved(2, 1).scaled(2, 3)) == pytest.approx(6)


def test_dividing_keeps_the_figure_and_shortens_its_edges() -> None:
    figure = text_figure("B8", "bold", 0.5)
    fine = figure.divided(0.05)
    assert area(fine) == pytest.approx(area(figure), rel=1e-9)
    corners = fine.points[fine.faces]
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max() <= 0.05
