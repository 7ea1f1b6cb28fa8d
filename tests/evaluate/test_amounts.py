"""Learning curves: which real images an arm gets, what is trained anew, what results.json has."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from evaluate.amounts import LINK, Amount, thinned, write_linked
from evaluate.config import CompareConfig, RealData
from pamtri.config import parse_config
from pamtri.dataset import Dataset
from pamtri.errors import ConfigError, UserError
from pamtri.formats import open_dataset, write_dataset
from pamtri.record import Record


def records(counts: dict[int | None, int], split: str = "train", prefix: str = "") -> list[Record]:
    return [
        Record(image=f"images/{prefix}{identity}_{i:03d}.jpg", domain="real", split=split,
               identity=identity)
        for identity, count in counts.items()
        for i in range(count)
    ]  # fmt: skip


def by_identity(kept: list[Record]) -> dict[int | None, set[str]]:
    found: dict[int | None, set[str]] = {}
    for record in kept:
        found.setdefault(record.identity, set()).add(Path(record.image).name)
    return found


@pytest.mark.parametrize(
    ("amount", "counts"),
    [
        (Amount(share=0.1), {1: 10, 2: 4, 3: 1, None: 2}),
        (Amount(share=0.004), {1: 1, 2: 1, 3: 1, None: 1}),
        (Amount(images=5), {1: 5, 2: 5, 3: 2, None: 5}),
        (Amount(), {1: 100, 2: 40, 3: 2, None: 20}),
    ],
)
def test_every_identity_keeps_its_part(amount: Amount, counts: dict[int | None, int]) -> None:
    whole = records({1: 100, 2: 40, 3: 2, None: 20}) + records({1: 30, 9: 5}, "query", "q")
    kept = thinned(whole, ["train"], amount)
    assert {identity: len(names) for identity, names in by_identity(kept).items()} == counts
    assert kept == [r for r in whole if r in kept], "their order stays"


def test_more_keep_what_fewer_do_and_chance_decides_not_the_order() -> None:
    whole = records({1: 50, 2: 50})
    parts = [by_identity(thinned(whole, ["train"], Amount(images=n))) for n in (5, 10, 20)]
    for fewer, more in itertools.pairwise(parts):
        assert all(fewer[identity] < more[identity] for identity in (1, 2))
    assert by_identity(thinned(whole[::-1], ["train"], Amount(images=5))) == parts[0]
    numbers = [int(name[2:5]) for name in parts[2][1]]
    assert max(numbers) > 40 and min(numbers) < 10, "not the first ones: those are of one camera"
    assert {name[2:] for name in parts[0][1]} != {name[2:] for name in parts[0][2]}


def test_linked_images_are_read_and_not_copied(bench: Any) -> None:
    source = open_dataset(bench.root / "real")
    kept = thinned(source.records, ["train"], Amount(images=2))
    write_linked(source, kept, bench.root / "part", "part")
    part = open_dataset(bench.root / "part")
    names = [Path(r.image).name for r in kept]
    assert [Path(r.image).name for r in part] == names and len(names) == 8
    assert [r.keypoints for r in part] == [r.keypoints for r in kept]
    for record in part:
        assert part.image_path(record).resolve() == source.root / "images" / record.image[-10:]
    write_linked(Dataset(source.root, (), source.info, "native"), [], bench.root / "part", "again")
    assert len(open_dataset(bench.root / "part")) == 8, "what is finished is not written again"


def curve_bench(bench: Any) -> None:
    """Pose and re-ID in layouts of their own, an arm of synthetic images alone, 1 of 3 images."""
    for layout in ("veri", "pamtri_pose"):
        write_dataset(open_dataset(bench.root / "real"), bench.root / layout, layout)
    bench.data["real"] = {
        "root": str(bench.root / "veri"),
        "pose": {"root": str(bench.root / "pamtri_pose")},
        "images_per_identity": ["all", 1],
    }
    bench.data["arms"] += [{"name": "synthetic-only", "synthetic_ratio": 1.0}]
    bench.data["tasks"]["reid"]["keypoints_from_pose"] = True


def trained(calls: list[list[str]]) -> list[str]:
    outputs = [Path(c[c.index("--output") + 1]) for c in calls if c[0] == "train"]
    return ["/".join(path.parts[path.parts.index("arms") + 1 : -1]) for path in outputs]


def test_every_arm_is_trained_with_every_amount(bench: Any) -> None:
    curve_bench(bench)
    bench.data["seeds"] = [4]
    bench.run()
    calls = bench.calls()
    assert trained(calls) == [
        f"{task}/{name}/seed4"
        for task in ("pose", "reid")
        for name in ("real-only/1-each", "augmented/1-each", "synthetic-only", "real-only",
                     "augmented")
    ]  # fmt: skip
    parts = {"pose": {}, "reid": {}}
    for call in calls:
        if call[0] == "train":
            settings = dict(w.split("=", 1) for w in call if w.startswith("data."))
            real = json.loads(settings["data.real"])
            arm = call[call.index("--output") + 1]
            parts[call[1]][arm.split("/arms/")[1].split("/")[1:-2][-1]] = real["path"]
            if call[1] == "reid":
                amount = "1-each/" if "1-each" in arm else ""
                assert real["keypoints"].endswith(f"{amount}seed4/keypoints.csv")
    data = bench.root / "out/data"
    assert parts["pose"]["1-each"] == str(data / "real-1-each-pose")
    assert parts["reid"]["1-each"] == str(data / "real-1-each")
    assert parts["reid"]["augmented"] == parts["reid"]["synthetic-only"] == str(bench.root / "veri")
    few = [
        {Path(r.image).name for r in open_dataset(data / name)}
        for name in ("real-1-each", "real-1-each-pose")
    ]
    assert few[0] == few[1] and len(few[0]) == 4, "pose and re-ID see the same images"
    assert all(r.keypoints for r in open_dataset(data / "real-1-each-pose"))
    tested = {c[3] for c in calls if c[:2] == ["predict", "pose"] and "keypoints" not in c[-1]}
    assert tested == {str(bench.root / "pamtri_pose")}, "every amount is tested on all"
    finder = next(c for c in calls if c[-1].endswith("reid/augmented/1-each/seed4/keypoints.csv"))
    assert finder[2].endswith("pose/augmented/1-each/seed4/train/best.pt")
    assert finder[3] == str(bench.root / "veri"), "keypoints are found in every image"


def test_results_hold_the_curve(bench: Any) -> None:
    curve_bench(bench)
    del bench.data["tasks"]["reid"]
    bench.run()
    task = json.loads((bench.root / "out/results.json").read_text())["tasks"]["pose"]
    curve = task["learning_curve"]
    assert list(curve) == ["1 an identity", "all"]
    few, everything = (curve[label] for label in curve)
    key = "pck@0.125"
    for name, arm in everything.items():
        assert arm[key]["mean"]["value"] == task["arms"][name]["mean"][key]
    assert everything["augmented"][key]["difference"] == task["differences"]["augmented"][key]
    assert everything["real-only"][key]["difference"] is None
    assert few["real-only"][key]["mean"]["value"] < everything["real-only"][key]["mean"]["value"]
    gained = few["augmented"][key]["difference"]
    means = [few[name][key]["mean"]["value"] for name in ("real-only", "augmented")]
    assert gained["value"] == pytest.approx(means[1] - means[0])
    assert gained["shown"] is True and gained["low"] > 0
    assert few["synthetic-only"][key]["mean"] == everything["synthetic-only"][key]["mean"]
    assert len(task["steps"]) == 2 * (2 + 2 + 1)


def test_one_amount_has_no_curve(bench: Any) -> None:
    bench.data["real"]["fractions"] = [0.5]
    del bench.data["tasks"]["reid"]
    bench.run()
    task = json.loads((bench.root / "out/results.json").read_text())["tasks"]["pose"]
    assert task["learning_curve"] == {}
    assert len(open_dataset(bench.root / "out/data/real-50-percent")) == 4 * 2
    assert task["arms"]["real-only"]["seeds"].keys() == {"0", "1"}


def test_a_parted_data_set_is_thinned(bench: Any) -> None:
    bench.data["real"] |= {"split_by": {"test_fraction": 0.25}, "fractions": [0.3, 1.0]}
    del bench.data["tasks"]["pose"]
    bench.run()
    whole, part = (open_dataset(bench.root / "out/data" / n) for n in ("real", "real-30-percent"))
    assert len(whole.only("train")) == 18 and len(part) == 6
    assert {r.identity for r in part} == {r.identity for r in whole.only("train")}
    assert all(part.image_path(r).exists() for r in part)


def test_a_curve_goes_on_where_it_stopped(bench: Any) -> None:
    curve_bench(bench)
    bench.data["seeds"] = [0]
    bench.steer(fail="arms/pose/augmented/1-each/seed0/train")
    with pytest.raises(UserError, match="'Train pose, augmented, 1 an identity of the real images"):
        bench.run()
    before = trained(bench.calls())
    link = bench.root / "out/data/real-1-each" / LINK
    made = link.lstat().st_mtime_ns
    bench.steer(fail=None)
    bench.run(resume=True)
    after = trained(bench.calls())
    assert after[0] == before[-1] == "pose/augmented/1-each/seed0"
    assert len(before) + len(after) == 2 * 5 + 1
    assert link.lstat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("real", "message"),
    [
        ({"fractions": [0.1], "images_per_identity": [5]}, "expected 'fractions' or 'images_per"),
        ({"fractions": [0.1, 0.1]}, "fractions and images_per_identity must differ"),
        ({"images_per_identity": ["all", "all"]}, "fractions and images_per_identity must differ"),
        ({"fractions": [0.0]}, "real.fractions.0: expected greater than 0, got 0.0"),
        ({"images_per_identity": [0]}, "real.images_per_identity.0: "),
    ],
)
def test_amounts_that_cannot_be(bench: Any, real: dict[str, Any], message: str) -> None:
    bench.data["real"] |= real
    with pytest.raises(ConfigError, match=message):
        parse_config(bench.data, CompareConfig, "bench.yaml")


def test_amounts_come_in_order() -> None:
    def amounts(**keys: Any) -> list[str]:
        return [a.slug for a in RealData(root=Path("x"), **keys).amounts]

    assert amounts() == ["all"]
    assert amounts(fractions=(1, 0.025, 0.5)) == ["2.5-percent", "50-percent", "all"]
    assert amounts(images_per_identity=(20, "all", 5)) == ["5-each", "20-each", "all"]
    assert [Amount(share=0.07).label, Amount(images=5).label, Amount().label] == [
        "7 %", "5 an identity", "all",
    ]  # fmt: skip
