"""The map of an embedding: which images, where, how alike neighbours are, and its page."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from evaluate.map.layout import (
    agreement,
    attribute_words,
    chosen_rows,
    identity_words,
    map_places,
    nearest_others,
)
from pamtri.cli import cli
from pamtri.errors import DataError
from pamtri.features import Features, Labels, write_features
from pamtri.record import Record, Viewpoint

CHROMIUM = shutil.which("chromium")


def some(folder: Path, domain: str = "real", count: int = 12) -> Features:
    """``count`` images of identities 0, 1 and 2 in turn, each identity in a place of its own."""
    rng = np.random.default_rng(2)
    (folder / domain).mkdir(parents=True)
    records = []
    for i in range(count):
        name = f"{i:02d}.png"
        Image.new("RGB", (60, 40), (90 * (i % 3), 40, 40)).save(folder / domain / name)
        viewpoint = Viewpoint(azimuth_deg=30.0 * i % 360, elevation_deg=0) if i else None
        records.append(
            Record(image=name, domain=domain, identity=i % 3, colour=("red", "blue", "blue")[i % 3],
                   viewpoint=viewpoint, box=(10, 0, 50, 40))
        )  # fmt: skip
    centres = 20 * np.eye(4)[[i % 3 for i in range(count)]]
    return Features(
        folder / f"{domain}.npz",
        tuple(r.image for r in records),
        (centres + rng.normal(size=(count, 4))).astype(np.float32),
        type_scores=np.eye(9, dtype=np.float32)[[i % 2 for i in range(count)]],
        paths=tuple(folder / domain / r.image for r in records),
        labels=Labels.of(records),
    )


def test_whole_identities_are_chosen() -> None:
    identities = ["a"] * 4 + ["b"] * 3 + ["c"] * 5 + [""] * 6
    for limit in (5, 9, 18):
        rows = chosen_rows(identities, limit)
        assert len(rows) == len(set(rows)) <= limit
        counts = Counter(identities[row] for row in rows)
        assert all(counts[name] in (0, identities.count(name)) for name in "abc")
        assert rows == chosen_rows(identities, limit)
    assert chosen_rows(identities, 18) == list(range(18))
    assert len(chosen_rows([""] * 6, 4)) == 4


def test_like_lies_by_like(tmp_path: Path) -> None:
    features = some(tmp_path, count=30)
    places = map_places(features.features)
    assert places.min() == 0 and places.max() == 1
    nearest = nearest_others(places.astype(np.float32))
    assert all(i % 3 == j % 3 for i, j in enumerate(nearest))
    with pytest.raises(DataError, match="a map needs at least 5 images, got 4"):
        map_places(features.features[:4])


def test_nearest_others_by_brute_force() -> None:
    features = np.random.default_rng(0).normal(100, 1, (40, 6)).astype(np.float32)
    for i, found in enumerate(nearest_others(features)):
        others = [(float(np.linalg.norm(features[i] - f)), j) for j, f in enumerate(features)]
        assert found == min(pair for pair in others if pair[1] != i)[1]


def test_agreement_by_hand() -> None:
    found = agreement(["a", "a", "b", "b", ""], np.array([1, 2, 3, 4, 0]))
    assert found is not None
    assert found.share == pytest.approx(2 / 3)  # a-a and b-b, not a-b; b-unknown does not count
    assert found.chance == pytest.approx(4 / 12)
    assert agreement(["", ""], np.array([1, 0])) is None


def test_words(tmp_path: Path) -> None:
    features = some(tmp_path)
    assert identity_words(features)[:4] == ["0", "1", "2", "0"]
    assert attribute_words(features, "colour")[:3] == ["red", "blue", "blue"]
    assert attribute_words(features, "type")[:3] == ["sedan", "suv", "sedan"]  # the network's
    assert attribute_words(features, "domain")[:2] == ["real", "real"]
    unknown = replace(features, labels=None)
    assert set(identity_words(unknown)) == set(attribute_words(unknown, "domain")) == {""}
    assert features.labels is not None
    domains = np.array(["real", "synthetic"] * 6)
    mixed = replace(features, labels=replace(features.labels, domain=domains))
    assert identity_words(mixed)[:4] == ["real 0", "synthetic 1", "real 2", "synthetic 0"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("map")
    for domain in ("real", "synthetic"):
        features = some(folder, domain)
        write_features(features.path, features)
    command = ["map", folder / "real.npz", folder / "synthetic.npz", "--output", folder / "m.html"]
    result = CliRunner().invoke(cli, [str(part) for part in command], catch_exceptions=False)
    assert f"{folder / 'm.html'}: 24 images" in result.output
    return folder / "m.html"


def test_page_holds_what_is_known(page: Path) -> None:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page.read_text())
    assert found is not None
    data = json.loads(found[1])
    views = {view["name"]: view for view in data["views"]}
    assert list(views) == ["identity", "colour", "type", "domain", "azimuth"]
    assert data["names"][13] == "01.png"
    assert views["identity"]["words"][13] == "identity synthetic 1"
    assert views["identity"]["note"].startswith("6 identities. The nearest other image has")
    assert views["domain"]["legend"] == [
        [views["domain"]["paints"][0], "real", 12], [views["domain"]["paints"][12], "synthetic", 12]
    ]  # fmt: skip
    azimuth = views["azimuth"]
    assert (azimuth["words"][0], azimuth["paints"][0]) == ("", "transparent")
    assert (azimuth["words"][2], azimuth["paints"][2]) == ("azimuth 60°", "hsl(60 75% 50%)")
    assert len(data["pictures"]) == 24


def test_page_in_a_browser(page: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    wrong: list[str] = []
    with playwright.sync_playwright() as starter:
        browser = starter.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        shown = browser.new_page(viewport={"width": 360, "height": 800})
        shown.on("console", lambda message: wrong.append(message.text))
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on("request", lambda request: wrong.append(request.url))
        shown.goto(page.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") <= 360
        shown.set_viewport_size({"width": 1200, "height": 900})
        shown.get_by_label("colour").check()
        assert shown.locator("#legend li").all_inner_texts() == ["red (8)", "blue (16)"]
        fills = [c.get_attribute("fill") for c in shown.locator("circle").all()]
        assert len(set(fills)) == 2 and fills[0] == fills[3] != fills[1]
        assert "has the same colour for" in shown.locator("#note").inner_text()
        shown.locator("circle").nth(13).dispatch_event("pointerenter")
        words = "01.png, identity synthetic 1, blue, suv, synthetic, azimuth 30°"
        assert shown.locator("#pointed figcaption").inner_text() == words
        assert shown.locator("#pointed img").evaluate("i => [i.naturalWidth, i.naturalHeight]") == [
            40, 40,
        ]  # fmt: skip
        kin = shown.evaluate(
            "[...document.querySelectorAll('circle')].flatMap((c, i) => "
            "c.classList.contains('kin') ? [i] : [])"
        )
        assert kin == [13, 16, 19, 22]
        browser.close()
    assert [url for url in wrong if not url.startswith(("file://", "data:"))] == []


def test_images_that_are_gone_are_named(page: Path, tmp_path: Path) -> None:
    features = some(tmp_path)
    gone = replace(features, paths=tuple(tmp_path / "gone" / name for name in features.names))
    write_features(tmp_path / "f.npz", gone)
    with pytest.raises(DataError, match=r"f.npz: .*gone/00.png is not there any more"):
        CliRunner().invoke(
            cli, ["map", str(tmp_path / "f.npz"), "--output", str(tmp_path / "m.html")],
            catch_exceptions=False,
        )  # fmt: skip
