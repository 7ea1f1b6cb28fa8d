"""The plan tells what the data set will hold and, from a clock it reads, how long it takes."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml
from click.testing import CliRunner
from rendered_sets import SMALL, Noise, read_lines, render_set

from pamtri.config import parse_config
from synth import plan
from synth.cli import synth
from synth.config import SynthConfig
from synth.plan import Cost, duration_text, measure, size_text, spec_rows, split_rows


def configure(**changes):
    return parse_config({**SMALL, **changes}, SynthConfig, source="test")


class Timed(Noise):
    """Takes 100 s to start, 10 s for a vehicle it has not just seen, 2 s for the same again."""

    def __init__(self):
        self.now, self.vehicle, self.rendered = 0.0, None, []

    def render(self, spec, geometry):
        self.now += 100 if self.vehicle is None else 2 if self.vehicle == spec.vehicle else 10
        self.vehicle = spec.vehicle
        self.rendered.append(spec.index)
        return super().render(spec, geometry)


@pytest.fixture
def timed(monkeypatch):
    renderer = Timed()
    monkeypatch.setattr(plan, "open_renderer", lambda name, threads, device: renderer)
    monkeypatch.setattr(plan.time, "perf_counter", lambda: renderer.now)
    return renderer


def test_the_start_is_not_counted_and_first_images_are_told_from_others(timed):
    cost = measure(configure(identities=6), threads=1)
    assert timed.rendered == [0, 4, 5, 12, 13, 20, 21]
    assert (cost.first_seconds, cost.next_seconds) == (10, 2)
    assert cost.seconds(configure(identities=6), workers=1) == 6 * (10 + 3 * 2)
    assert cost.seconds(configure(identities=6), workers=3) == 2 * (10 + 3 * 2)


def test_sets_of_one_image_or_one_identity_are_planned_too(timed):
    config = configure(identities=3, images_per_identity=1, splits={"train": 1}, fixed_cameras=[])
    cost = measure(config, threads=1)
    assert (cost.first_seconds, cost.next_seconds) == pytest.approx((22 / 3, 22 / 3), abs=3)
    one = configure(identities=1, splits={"train": 1})
    assert Cost(5, 1, 10).seconds(one, workers=4) == 5 + 3


def test_bytes_are_those_that_a_run_writes(timed, tmp_path):
    config = render_set(tmp_path / "set", identities=3)
    files = [p for p in (tmp_path / "set").rglob("*") if p.suffix in (".jpg", ".png", ".jsonl")]
    written = sum(p.stat().st_size for p in files) / config.count
    assert measure(config, threads=1).bytes == pytest.approx(written, rel=0.05)


def test_rows_say_what_the_records_will(tmp_path):
    config = render_set(tmp_path / "set")
    lines = read_lines(tmp_path / "set")
    images = Counter(line["split"] for line in lines)
    identities = {s: {r["identity"] for r in lines if r["split"] == s} for s in images}
    assert split_rows(config) == [
        ("split", "images", "identities"),
        *((s, str(n), str(len(identities[s]))) for s, n in images.items()),
    ]
    head, *rows = spec_rows(config)
    assert len(rows) == 2
    for row, line in zip(rows, (lines[0], lines[4]), strict=True):
        told = dict(zip(head, row, strict=True))
        view = line["viewpoint"]
        assert told["image"] == str(line["frame"])
        assert told["identity"] == str(line["identity"])
        assert told["vehicle"] == f"{line['colour']} {line['style']} ({line['type']})"
        assert told["camera"] == str(line["camera"])
        assert told["azimuth"] == f"{view['azimuth_deg']:.0f}°"
        assert told["elevation"] == f"{view['elevation_deg']:.0f}°"
        assert told["distance"] == f"{view['distance_m']:.1f} m"
        assert told["pixels"] == f"{line['width']} x {line['height']}"
        kinds = [o["kind"] for o in line["scene"]["occluders"]]
        assert told["occluders"] == (", ".join(kinds) or "-")


def test_the_command_says_it_all(timed, tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    result = CliRunner().invoke(synth, ["plan", str(path), "--set", "identities=60"])
    text = " ".join(result.stdout.split())
    assert "small: 240 images: 60 identities x 4, by 2 fixed cameras; seed 3, renderer" in text
    assert "about 8 min with 2 workers here (10.00 s for a vehicle's first image, 2.00 s" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h"),
     (129599, "36.0 h"), (181440, "2.1 days")],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(3, "1 kB"), (51_200, "51 kB"), (5.1e6, "5.1 MB"), (2.04e9, "2.0 GB"), (3e12, "3.0 TB")],
)
def test_sizes(count, text):
    assert size_text(count) == text
