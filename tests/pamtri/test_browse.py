"""The browsing page: its files, and what a headless Chromium shows (skipped where none is)."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pamtri import parts
from pamtri.attributes import COLOURS, TYPES
from pamtri.browse import write_page
from pamtri.browse.layers import SEGMENT_COLOURS
from pamtri.dataset import Dataset, DatasetInfo
from pamtri.dataset_cli import dataset as command
from pamtri.errors import DataError
from pamtri.formats import write_dataset
from pamtri.keypoints import SKELETON
from pamtri.label_images import encode_png
from pamtri.record import Keypoints, Record, Viewpoint
from pamtri.segments import SEGMENTS

SIZE = (64, 40)
MANY = 5000


def draw_record(rng: np.random.Generator, number: int) -> Record:
    """A record with random labels, some of them unknown."""
    known = rng.random(5) < 0.9
    return Record(
        image=f"images/{number:06d}.png",
        domain="synthetic",
        width=SIZE[0],
        height=SIZE[1],
        split=("train", "query", "gallery")[int(rng.choice(3, p=[0.6, 0.1, 0.3]))],
        identity=number // 10,
        camera=int(rng.integers(1, 21)) if known[0] else None,
        colour=str(rng.choice(COLOURS)) if known[1] else None,
        type=str(rng.choice(TYPES)) if known[2] else None,
        keypoints=Keypoints(
            xy=rng.uniform((0, 0), SIZE, (36, 2)).tolist(),
            visibility="".join(rng.choice(list("vsot"), 36)),
        ),
        occlusion=float(rng.choice([0, rng.random()])) if known[3] else None,
        viewpoint=Viewpoint(azimuth_deg=rng.uniform(0, 360), elevation_deg=10)
        if known[4]
        else None,
    )


def place_image(path: Path, source: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, path)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Path]:
    """5,000 records, and their page."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(7)
    records = tuple(draw_record(rng, number) for number in range(MANY))
    picture = folder / "picture.png"
    Image.new("RGB", SIZE, (90, 100, 110)).save(picture)
    for record in records:
        place_image(folder / "set" / record.image, picture)
    dataset = Dataset(folder / "set", records, DatasetInfo(name="many"))
    return dataset, write_page(dataset, folder / "page").path


def content(script: Path) -> object:
    """What a data script hands over, read without the page's code."""
    text = script.read_text(encoding="ascii")
    found = re.fullmatch(r'\w+\(JSON\.parse\(("(?:[^"\\]|\\.)*")\)\);\n', text)
    assert found, text[:200]
    return json.loads(json.loads(found[1]))


def test_columns_and_details_hold_the_records(many):
    dataset, page = many
    columns = content(page.parent / "data.js")["columns"]
    assert columns["identity"] == [r.identity for r in dataset]
    assert columns["colour"] == [r.colour for r in dataset]
    assert columns["azimuth"][17] == pytest.approx(
        dataset.records[17].viewpoint.azimuth_deg, abs=6e-3
    )
    assert "mask" not in columns and "box" not in columns
    number, part = content(page.parent / "details/3.js")
    assert number == 3 and len(part) == 50 and len(list((page.parent / "details").iterdir())) == 100
    original = json.loads(dataset.records[150].model_dump_json(exclude_none=True))
    assert part[0].keys() == original.keys()
    assert part[0]["image"] == "images/000150.png"
    np.testing.assert_allclose(part[0]["keypoints"]["xy"], original["keypoints"]["xy"], rtol=1e-5)


def test_links_lead_to_the_images(many):
    dataset, page = many
    links = content(page.parent / "data.js")["columns"]["link"]
    assert all(not Path(link).is_absolute() for link in links)
    assert (page.parent / links[4321]).samefile(dataset.image_path(dataset.records[4321]))


def test_masks_are_painted_pixel_by_pixel(tmp_path):
    values = np.arange(14, dtype=np.uint8).repeat(3).reshape(2, 21)
    (tmp_path / "set").mkdir()
    Image.fromarray(values).save(tmp_path / "set/s.png")
    Image.fromarray(np.where(values > 5, 255, 0).astype(np.uint8)).save(tmp_path / "set/m.png")
    Image.new("RGB", (21, 2)).save(tmp_path / "set/i.png")
    record = Record(image="i.png", domain="real", mask="m.png", segment_mask="s.png")
    dataset = Dataset(tmp_path / "set", (record,), DatasetInfo(name="one"))
    folder = write_page(dataset, tmp_path / "page").path.parent
    columns = content(folder / "data.js")["columns"]
    assert columns["size"] == [[21, 2]]
    painted = np.asarray(Image.open(folder / columns["segment_mask"][0]).convert("RGBA"))
    for y, x in np.ndindex(values.shape):
        value = int(values[y, x])
        if value:
            assert tuple(painted[y, x, :3]) == SEGMENT_COLOURS[value - 1]
        assert (painted[y, x, 3] > 0) == (value > 0)
    assert columns["segment_mask:seen"] == [list(range(13))]
    mask = np.asarray(Image.open(folder / columns["mask"][0]).convert("RGBA"))
    assert ((mask[..., 3] > 0) == (values > 5)).all()


def test_segment_colours_are_told_apart(many):
    facts = content(many[1].parent / "data.js")
    layer = next(layer for layer in facts["layers"] if layer["field"] == "segment_mask")
    assert layer["names"] == [s.name for s in SEGMENTS]
    assert facts["corners"] == [list(s.corners) for s in SEGMENTS]
    assert len(set(SEGMENT_COLOURS)) == len(SEGMENTS)
    assert facts["skeleton"] == [list(bone) for bone in SKELETON]


def test_depth_normals_parts_and_the_whole_vehicle_are_painted(tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    depth = np.array([[0, 5000, 7000, 9000]], np.uint16)
    rng = np.random.default_rng(3)
    normals = rng.integers(1, 2**16, (1, 4, 3)).astype(np.uint16)
    normals[0, 0] = 0
    files = {
        "depth.png": depth,
        "normals.png": normals,
        "part.png": np.array([[0, 1, len(parts.NAMES), 3]], np.uint8),
        "whole.png": np.array([[0, 0, 255, 255]], np.uint8),
        "i.png": np.zeros((1, 4), np.uint8),
    }
    for name, values in files.items():
        (root / name).write_bytes(encode_png(values))
    record = Record(
        image="i.png",
        domain="synthetic",
        depth="depth.png",
        depth_step_m=0.001,
        normals="normals.png",
        part_mask="part.png",
        mask_amodal="whole.png",
    )
    folder = write_page(
        Dataset(root, (record,), DatasetInfo(name="one")), tmp_path / "page"
    ).path.parent
    columns = content(folder / "data.js")["columns"]

    def painted(field: str) -> np.ndarray:
        return np.asarray(Image.open(folder / columns[field][0]).convert("RGBA")).astype(int)[0]

    assert (painted("depth")[:, 3] > 0).tolist() == [False, True, True, True]
    near, middle, far = painted("depth")[1:, :3]
    assert near.sum() > middle.sum() > far.sum() and near[0] > near[2] and far[2] > far[0]
    assert (painted("normals")[1:, :3] == normals[0, 1:] // 256).all()
    assert (painted("normals")[:, 3] > 0).tolist() == [False, True, True, True]
    assert columns["part_mask:seen"] == [[0, 2, len(parts.NAMES) - 1]]
    assert (painted("mask_amodal")[:, 3] > 0).tolist() == [False, False, True, True]


def test_only_a_page_is_replaced(small, tmp_path):
    folder = tmp_path / "page"
    write_page(small, folder)
    assert write_page(small, folder).path.is_file()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="page: holds something else than such a page"):
        write_page(small, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(DataError, match="native: holds something else"):
        write_page(small, small.root)
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "index.html").write_text("<p>somebody's</p>")
    with pytest.raises(DataError, match="lone: holds something else"):
        write_page(small, lone)
    assert not list(tmp_path.glob("*.part"))


def test_the_command_says_where_the_page_is_and_what_is_missing(small, tmp_path):
    missing = small.image_path(small.records[2])
    missing.unlink()
    page = tmp_path / "a page"
    result = CliRunner().invoke(command, ["browse", str(small.root), "--output", str(page)])
    assert result.exit_code == 0
    assert result.stdout == f"open in a web browser: file://{tmp_path}/a%20page/index.html\n"
    told = f"missing or damaged: {missing}; see: pamtri dataset check {small.root}\n"
    assert result.stderr.endswith(told)
    assert content(page / "data.js")["columns"]["link"][2] is None


def test_a_copy_needs_nothing_outside(small, tmp_path):
    page = write_page(small, tmp_path / "page", copy=True).path
    moved = tmp_path / "elsewhere/page"
    moved.parent.mkdir()
    shutil.move(page.parent, moved)
    shutil.rmtree(small.root)
    for link in content(moved / "data.js")["columns"]["link"]:
        assert ".." not in link and (moved / link).is_file()


def test_other_layouts_are_shown(small, tmp_path):
    write_dataset(small, tmp_path / "veri", "veri")
    result = CliRunner().invoke(
        command, ["browse", str(tmp_path / "veri"), "--output", str(tmp_path / "page")]
    )
    assert result.exit_code == 0, result.output
    facts = content(tmp_path / "page/data.js")
    assert facts["count"] == 6 and facts["format"] == "veri"
    assert facts["columns"]["size"] == [list(SIZE)] * 6  # VeRi tells no sizes: from the files
    assert facts["columns"]["colour"].count("red") == 2 and "points" not in facts["columns"]


def luminance(colour: str) -> float:
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_stands_out_in_light_and_dark(many):
    style = (many[1].parent / "style.css").read_text()
    themes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(themes) == 2
    for theme in themes:
        colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for text in ("ink", "quiet", "accent"):
            for ground in ("page", "card", "track"):
                assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
        assert contrast(colour["ink"], colour["tint"]) >= 4.5
        assert contrast(colour["on-accent"], colour["accent"]) >= 4.5
        assert contrast(colour["edge"], colour["card"]) >= 3  # frames of what can be pressed


# What follows is looked at in a browser.

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as starter:
        browser = starter.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def show(browser) -> Iterator[Callable[..., object]]:
    """Open a page; at the end nothing may have gone wrong or been asked of a network."""
    contexts, wrong = [], []

    def open_page(path: Path, address: str = "", **options):
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(("file://", "data:")) else wrong.append(request.url)
            ),
        )
        page.goto(f"{path.as_uri()}{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def until(page, condition: str) -> None:
    """Wait for a condition; Playwright's own waiting needs eval, which the page forbids."""
    for _ in range(300):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"never came true: {condition}")


def shown_count(page) -> int:
    text = page.inner_text("#count")
    found = re.match(r"(?:All )?([\d,]+)", text)
    return int(found[1].replace(",", ""))


def shown_order(page) -> list[int]:
    return page.evaluate("order")


def facet(page, name: str) -> dict[str, int]:
    rows = page.locator(f"input[name={name}]").evaluate_all(
        "all => all.map(b => [b.value, b.closest('label').querySelector('.number').innerText])"
    )
    return {value: int(count.replace(",", "")) for value, count in rows}


def in_arc(record: Record, start: float, end: float) -> bool:
    """Azimuths are kept to a hundredth of a degree."""
    if record.viewpoint is None:
        return False
    azimuth = round(record.viewpoint.azimuth_deg, 2)
    if start <= end:
        return start <= azimuth <= end
    return azimuth >= start or azimuth <= end


def test_filters_agree_with_the_records(many, show):
    dataset, path = many
    page = show(path)
    assert page.inner_text("#count") == "All 5,000 images"
    assert facet(page, "colour") == {
        **{c: sum(r.colour == c for r in dataset) for c in COLOURS},
        "unknown": sum(r.colour is None for r in dataset),
    }
    page.get_by_label("red", exact=False).first.check()
    page.check("input[name=colour][value=unknown]")
    page.check("input[name=split][value=train]")
    page.check("input[name=camera][value='7']")
    page.check("input[name=camera][value='8']")
    chosen = [
        i
        for i, r in enumerate(dataset)
        if r.colour in ("red", None) and r.split == "train" and r.camera in (7, 8)
    ]
    assert len(chosen) > 20 and shown_order(page) == chosen
    assert shown_count(page) == len(chosen)
    # A facet counts with all filters but its own.
    by_split = Counter(r.split for r in dataset if r.colour in ("red", None) and r.camera in (7, 8))
    assert facet(page, "split") == by_split
    types = Counter(dataset.records[i].type or "unknown" for i in chosen)
    assert {k: v for k, v in facet(page, "type").items() if v} == types
    page.click("#clear")
    assert shown_count(page) == MANY and page.locator(".chip").count() == 0


def test_identities_and_occlusion_are_filtered(many, show):
    dataset, path = many
    page = show(path)
    page.fill("#identity", "3, 17 40-60")
    wanted = {3, 17, *range(40, 61)}
    assert shown_order(page) == [i for i, r in enumerate(dataset) if r.identity in wanted]
    assert page.inner_text("#identity-hint") == "500 identities, from 0 to 499"
    page.fill("#identity", "3, x")
    assert page.get_attribute("#identity", "aria-invalid") == "true"
    assert shown_count(page) == MANY
    page.fill("#identity", "")
    low, high = page.get_by_label("Occlusion, at least"), page.get_by_label("Occlusion, at most")
    low.fill("20")
    high.fill("35")
    chosen = [
        i
        for i, r in enumerate(dataset)
        if r.occlusion is not None and 0.2 <= round(r.occlusion, 4) <= 0.35
    ]
    assert shown_order(page) == chosen and 100 < len(chosen) < 1000
    high.fill("10")  # the other end gives way
    assert page.inner_text("legend output") == "10 to 10 %"


@pytest.mark.parametrize(("start", "end"), [(30, 75), (330, 20), (200, 100)])
def test_azimuths_are_filtered_by_number(many, show, start, end):
    dataset, path = many
    page = show(path)
    page.get_by_role("spinbutton", name="from").fill(str(start))
    page.get_by_role("spinbutton", name="to").fill(str(end))
    page.keyboard.press("Tab")
    assert shown_order(page) == [i for i, r in enumerate(dataset) if in_arc(r, start, end)]


def rose_point(page, azimuth: float, share: float) -> tuple[float, float]:
    """Where on the screen an azimuth lies: the front is up, the left side on the left."""
    page.locator(".rose").scroll_into_view_if_needed()
    box = page.locator(".rose").bounding_box()
    radius = share * box["width"] / 2
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return x - radius * math.sin(math.radians(azimuth)), y - radius * math.cos(
        math.radians(azimuth)
    )


def drag_rose(page, *azimuths: float, share: float = 0.5) -> tuple[int, int]:
    page.mouse.move(*rose_point(page, azimuths[0], share))
    page.mouse.down()
    for azimuth in azimuths[1:]:
        page.mouse.move(*rose_point(page, azimuth, share))
    page.mouse.up()
    return tuple(page.evaluate("filters.azimuth"))


def test_the_rose_is_dragged_tapped_and_moved_by_keys(many, show):
    dataset, path = many
    page = show(path)
    start, end = drag_rose(page, 300, 340, 20, 50)
    assert abs(start - 300) <= 1 and abs(end - 50) <= 1
    assert shown_order(page) == [i for i, r in enumerate(dataset) if in_arc(r, start, end)]
    start, end = drag_rose(page, 100, 70, 40)  # backwards, the same arc
    assert abs(start - 40) <= 1 and abs(end - 100) <= 1
    assert drag_rose(page, 127) == (120, 135)  # a tap takes one direction
    start, end = drag_rose(page, 135, 160, 200, share=88 / 112)  # the arc's end alone
    assert start == 120 and abs(end - 200) <= 1
    page.get_by_label("Azimuth from, degrees").press("ArrowDown")
    assert page.evaluate("filters.azimuth")[0] == 119
    page.get_by_role("button", name="Left", exact=True).click()
    assert page.evaluate("filters.azimuth") == [45, 135]
    page.get_by_role("button", name="All", exact=True).click()
    assert shown_count(page) == MANY


def test_the_rose_counts_what_it_draws(many, show):
    dataset, path = many
    page = show(path, "#split=query")
    titles = page.locator(".petal title").evaluate_all("all => all.map(t => t.textContent)")
    for bin, title in enumerate(titles):
        count = sum(
            r.split == "query"
            and r.viewpoint is not None
            and 15 * bin <= round(r.viewpoint.azimuth_deg, 2) < 15 * bin + 15
            for r in dataset
        )
        assert title == f"{15 * bin}° to {15 * bin + 15}°: {count} image{'s' * (count != 1)}"


def test_few_of_many_images_are_in_the_page(many, show):
    _, path = many
    page = show(path)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert 10 < page.locator(".tile").count() < 100
    page.locator(".tile").first.focus()
    page.keyboard.press("End")
    page.wait_for_selector(f"[data-index='{MANY - 1}'] img")
    assert page.evaluate("document.activeElement.dataset.index") == str(MANY - 1)
    assert page.locator(".tile").count() < 100
    assert len(asked) < 200
    places = page.locator(".tile").evaluate_all("all => all.map(t => Number(t.dataset.place))")
    assert places == sorted(places)  # read aloud in order


def test_what_is_in_sight_stays_when_its_size_changes(many, show):
    page = show(many[1])
    page.evaluate("byId('images').scrollTop = 40000")
    first = "grid.rows[grid.rowAt(byId('images').scrollTop - grid.list.offsetTop)]"
    before = page.evaluate(f"{first}.place")
    page.keyboard.press("k")
    assert page.evaluate("byId('images').scrollTop") == pytest.approx(40000, abs=1)
    page.locator("#tile").fill("100")
    after = page.evaluate(f"[{first}.place, grid.columns]")
    assert before > 200 and after[0] <= before < after[0] + after[1]
    page.check("input[name=type][value=bus]")
    assert page.evaluate("byId('images').scrollTop") == 0


def test_orders_and_groups(many, show):
    dataset, path = many
    page = show(path, "#identity=40-44")
    page.select_option("#arrange", "azimuth")
    page.check("#together")

    def azimuth(index: int) -> float:
        view = dataset.records[index].viewpoint
        return math.inf if view is None else round(view.azimuth_deg, 2)

    wanted = [i for k in range(40, 45) for i in sorted(range(10 * k, 10 * k + 10), key=azimuth)]
    assert shown_order(page) == wanted
    headings = page.locator(".heading h2").all_inner_texts()
    assert headings[:2] == ["Identity 40", "Identity 41"]
    page.select_option("#arrange", "occlusion")
    first = dataset.records[shown_order(page)[0]].occlusion
    assert first == max(r.occlusion or 0 for r in dataset.records[400:410])


def test_the_address_keeps_the_view(many, show):
    _, path = many
    page = show(path)
    page.check("input[name=type][value=bus]")
    page.get_by_role("button", name="Rear", exact=True).click()
    page.keyboard.press("l")
    before = shown_order(page)
    page.locator(".tile").nth(3).click()
    until(page, "location.hash.includes('image=')")
    other = show(path, "#" + page.url.partition("#")[2])
    assert shown_order(other) == before
    assert other.locator("#detail").is_visible()
    assert other.inner_text("#detail-name") == page.inner_text("#detail-name")
    assert other.get_attribute("#detail-toggles [data-overlay=skeleton]", "aria-pressed") == "true"


def test_nonsense_in_the_address_is_passed_over(many, show):
    page = show(
        many[1], "#type=nothing&azimuth=a-b&occlusion=7&order=toString&tile=x&labels=&image=y"
    )
    assert shown_count(page) == MANY
    assert page.evaluate("view.order") == "dataset"


def test_keys_go_from_image_to_image(many, show):
    _, path = many
    page = show(path)
    page.locator(".tile").first.focus()
    columns = page.evaluate("grid.columns")
    for key, index in (("ArrowRight", 1), ("ArrowDown", columns + 1), ("ArrowLeft", columns)):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.index") == str(index)
    page.keyboard.press("Enter")
    assert page.inner_text("#position") == f"{columns + 1} of 5,000"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#detail-name") == f"images/{columns + 1:06d}.png"
    points = page.locator(".stage .point")
    assert points.count() == 36
    page.keyboard.press("k")
    assert points.count() == 0
    page.keyboard.press("Escape")
    until(page, f"document.activeElement.dataset.index === '{columns + 1}'")
    assert not page.locator("#detail").is_visible()
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()


def test_an_identity_is_shown_side_by_side(many, show):
    dataset, path = many
    page = show(path, "#split=query")
    index = shown_order(page)[0]
    page.locator(f"[data-index='{index}']").click()
    members = [i for i, r in enumerate(dataset) if r.identity == dataset.records[index].identity]

    def strip() -> list[str]:
        return page.locator("#strip-images button").evaluate_all(
            "all => all.map(b => b.getAttribute('aria-label').split(', ').pop())"
        )

    def names(key) -> list[str]:
        return [dataset.records[i].image for i in sorted(members, key=key)]

    def azimuth(i: int) -> float:
        view = dataset.records[i].viewpoint
        return view.azimuth_deg if view else math.inf

    assert strip() == names(azimuth)
    page.get_by_role("button", name="by camera").click()
    assert strip() == names(lambda i: dataset.records[i].camera or math.inf)
    assert page.locator("#strip-images [aria-current]").count() == 1
    page.click("#only-identity")
    assert sorted(shown_order(page)) == members


@pytest.fixture
def labelled(tmp_path: Path) -> tuple[Dataset, Path]:
    """A black 120 x 80 image with one keypoint of each visibility, a box, a mask and a segment."""
    xy = np.full((36, 2), 60.0)
    xy[:4] = [(30.5, 20.25), (90, 20), (30, 60), (90, 60)]
    mask = np.zeros((80, 120), np.uint8)
    mask[30:50, 40:70] = 255
    parts = np.zeros((80, 120), np.uint8)
    parts[30:40, 80:110] = 3
    parts[40:50, 80:110] = 4
    root = tmp_path / "set"
    root.mkdir()
    Image.new("RGB", (120, 80)).save(root / "i.png")
    Image.fromarray(mask).save(root / "m.png")
    Image.fromarray(parts).save(root / "s.png")
    record = Record(
        image="i.png",
        domain="real",
        keypoints=Keypoints(xy=xy.tolist(), visibility="vsot" + "h" * 32),
        box=(10, 5, 100, 70),
        mask="m.png",
        segment_mask="s.png",
    )
    dataset = Dataset(root, (record,), DatasetInfo(name="labelled"))
    return dataset, write_page(dataset, tmp_path / "page").path


def screen(page) -> np.ndarray:
    until(page, "[...document.images].every(i => i.complete)")
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)


def centre(pixels: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """(x, y) of the middle of the pixels of about this colour."""
    ys, xs = np.nonzero(np.abs(pixels - colour).max(axis=-1) < 24)
    assert len(xs) > 10
    return xs.mean() + 0.5, ys.mean() + 0.5


@pytest.mark.parametrize("place", [".stage", ".tile"])
def test_keypoints_lie_on_their_pixels(labelled, show, place):
    dataset, path = labelled
    page = show(path, "#labels=keypoints&tile=400")
    if place == ".stage":
        page.locator(".tile").click()
    image = page.locator(f"{place} .frame").bounding_box()
    scale = image["width"] / 120
    assert scale == pytest.approx(image["height"] / 80, rel=1e-3) and scale > 2
    for point, (x, y) in enumerate(dataset.records[0].keypoints.xy[:4]):
        if place == ".stage":  # each has an element of its own there
            sign = page.locator(f"{place} [data-point='{point}']").bounding_box()
            at = sign["x"] + sign["width"] / 2, sign["y"] + sign["height"] / 2
            near = 0.9 if point == 3 else 0.05  # a triangle's middle is not its box's
            assert at == pytest.approx((image["x"] + x * scale, image["y"] + y * scale), abs=near)
    # What is drawn, not only what was asked for: the visible point is a filled disc.
    drawn = centre(screen(page), (0x45, 0xC4, 0xFF))
    x, y = dataset.records[0].keypoints.xy[0]
    assert drawn == pytest.approx((image["x"] + x * scale, image["y"] + y * scale), abs=0.6)


def test_masks_and_boxes_lie_on_their_pixels(labelled, show):
    _, path = labelled
    page = show(path, "#labels=mask,segment_mask,box")
    page.locator(".tile").click()
    frame = page.locator(".stage .frame").bounding_box()
    scale = frame["width"] / 120
    pixels = screen(page)

    def at(x: float, y: float) -> np.ndarray:
        return pixels[int(frame["y"] + y * scale), int(frame["x"] + x * scale)]

    def brightest(x: float, y: float) -> int:
        """Of the pixels about, as a line may lie across two."""
        row, column = int(frame["y"] + y * scale), int(frame["x"] + x * scale)
        return pixels[row - 1 : row + 2, column - 1 : column + 2].min(axis=-1).max()

    for x, y, lit in [(40.2, 30.2, 1), (69.8, 49.8, 1), (39.8, 30.2, 0), (70.2, 49.8, 0)]:
        assert (at(x, y).sum() > 60) == lit, (x, y)
    third, fourth = at(95, 39.7), at(95, 40.3)
    for seen, value in ((third, 3), (fourth, 4)):  # over black, 150 / 255 of the colour
        assert seen == pytest.approx(np.array(SEGMENT_COLOURS[value - 1]) * 150 / 255, abs=3)
    for x, y in [(10, 40), (100, 60), (50, 5), (50, 70)]:
        assert brightest(x, y) > 200 > 40 > brightest(x + 2, y + 2), (x, y)


def test_overlays_are_turned_off(labelled, show):
    _, path = labelled
    page = show(path, "#labels=")
    assert page.locator(".tile .labels > *").count() == 0
    assert page.locator(".tile .mask").count() == 0
    page.get_by_role("button", name="Mask").first.click()
    assert page.locator(".tile .mask").count() == 1
    page.get_by_role("button", name="Lines").first.click()
    assert page.locator(".tile .bone").count() > 0
    assert page.evaluate("document.activeElement.textContent") == "Lines"


def test_the_large_view_tells_everything(small, tmp_path, show):
    scene = {
        "schema_version": 1,
        "light": {"sun": None, "colour": [0.25, 0.5, 1.0]},
        "haze_m": 12.3456789,
    }
    records = [small.records[0].model_copy(update={"scene": scene, "occlusion": 0.25})]
    dataset = Dataset(small.root, tuple(records), DatasetInfo(name="one"))
    page = show(write_page(dataset, tmp_path / "page").path)
    page.locator(".tile").click()
    page.wait_for_selector("#panel summary")
    page.locator("#panel").evaluate(
        "p => p.querySelectorAll('details').forEach(d => d.open = true)"
    )
    text = page.inner_text("#panel")
    for line in (
        *("images/000000.jpg", "64 \u00d7 40 px", "synthetic", "train", "red", "suv", "25 %"),
        *("Keypoints: 32 of 36 visible", "haze m\n12.3457", "sun\nnone", "colour\n0.25, 0.5, 1"),
    ):
        assert line in text, line
    rows = page.locator("#panel tbody tr").all_inner_texts()
    x, y = records[0].keypoints.xy[35]
    assert len(rows) == 36 and rows[35].split("\t")[-2:] == [
        f"{x:.1f}".removesuffix(".0"),
        f"{y:.1f}".removesuffix(".0"),
    ]
    assert "right headlight" in rows[34]


HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><img src=x onerror=window.hacked=1>",
    "\"'`;window.hacked=1;//",
    "javascript:window.hacked=1",
    "\u2028\u2029\\u0000 é 漢 {{7*7}} &lt;",
    "__proto__",
)


def test_hostile_words_are_shown_and_not_run(tmp_path, show):
    root = tmp_path / "set <b>#1?%41"
    picture = tmp_path / "i.png"
    Image.new("RGB", SIZE).save(picture)
    records = []
    for number, word in enumerate(HOSTILE):
        name = f"{word.replace('/', '_')} #{number}?a=%41&b.png".replace("\\", "_")
        place_image(root / name, picture)
        scene = {word: {word: word, "__proto__": {"hacked": 1}, "constructor": word}}
        records.append(
            Record(
                image=name, domain="real", split=word, style=word, scene=scene, width=64, height=40
            )
        )
    dataset = Dataset(root, tuple(records), DatasetInfo(name=HOSTILE[1]))
    page = show(write_page(dataset, tmp_path / "page").path)
    assert page.inner_text("h1") == HOSTILE[1]
    assert sorted(facet(page, "split")) == sorted(HOSTILE)
    for number, word in enumerate(HOSTILE):
        page.locator(f"[data-index='{number}']").click()
        page.wait_for_selector("#panel summary")
        assert page.locator("#detail-name").evaluate("e => e.textContent") == records[number].image
        text = page.locator("#panel").evaluate("e => e.textContent")
        assert text.count(word) >= 2
        until(page, "document.querySelector('.stage img').naturalWidth === 64")
        page.keyboard.press("Escape")
    page.locator("input[name=split]").first.check()
    assert shown_count(page) == 1
    assert page.evaluate("window.hacked") is None and page.evaluate("({}).hacked") is None
    assert page.locator("img[src=x], script:not([src])").count() == 0


def test_scripts_in_the_page_itself_are_refused(small, tmp_path, browser):
    path = write_page(small, tmp_path / "page").path
    html = path.read_text().replace("</body>", "<script>window.hacked = 1</script></body>")
    path.write_text(html)
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.inner_text("#count") == "All 6 images"
    assert page.evaluate("window.hacked") is None
    page.close()


def test_missing_images_are_told(small, tmp_path, show):
    small.image_path(small.records[1]).unlink()
    path = write_page(small, tmp_path / "page").path
    page = show(path)
    assert page.locator("[data-index='1']").inner_text().startswith("image missing")
    assert page.locator("[data-index='2'] img").count() == 1


def test_labels_that_no_record_has_are_not_offered(tmp_path, show):
    Image.new("RGB", SIZE).save(tmp_path / "i.png")
    record = Record(image="i.png", domain="real")
    dataset = Dataset(tmp_path, (record,), DatasetInfo(name="bare"))
    page = show(write_page(dataset, tmp_path / "page").path)
    assert page.locator("fieldset, .toggle").count() == 0
    assert page.inner_text("#facts") == "1 image"
    page.locator(".tile").click()
    assert not page.locator("#strip").is_visible()


def test_a_phone_has_the_filters_behind_a_button(many, show):
    page = show(many[1], viewport={"width": 360, "height": 700}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not page.locator("#facets").is_visible()
    page.tap("#open-filters")
    page.get_by_label("bus").check()
    count = shown_count(page)
    assert page.inner_text("#close-filters") == f"Show {count} images"
    page.tap("#close-filters")
    assert page.inner_text("#open-filters") == "Filters (1)"
    page.locator(".tile").first.tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.locator(".stage .frame").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360
