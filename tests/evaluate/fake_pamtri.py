"""Stands in for the ``pamtri`` command: writes in moments what each stage's files would hold.

The environment steers it: FAKE_CALLS is a file that gets a line a call, FAKE_FAIL and FAKE_HANG
are words of a call that is to fail or to hang, FAKE_STEPS changes an arm's budget.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from pamtri.dataset import DatasetInfo, write_native
from pamtri.formats import open_dataset, write_dataset
from pamtri.formats.pose_csv import write_predictions
from pamtri.record import Keypoints, Record

SIZE = (64, 48)


def main(arguments: list[str]) -> None:
    line = " ".join(arguments)
    if "FAKE_CALLS" in os.environ:
        with Path(os.environ["FAKE_CALLS"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(arguments) + "\n")
    if os.environ.get("FAKE_HANG", "\0") in line:
        print("step 1/100", flush=True)
        time.sleep(3600)  # longer than any machine is held up
    match arguments[:2]:
        case ["synth", "render"]:
            render(output(arguments), identities=6, images=3)
        case ["dataset", "convert"]:
            write_dataset(open_dataset(Path(arguments[2])), output(arguments), arguments[4])
        case ["train", _]:
            train(arguments)
        case ["predict", "pose"]:
            predict_pose(arguments)
        case ["predict", "reid"]:
            predict_reid(arguments)
    if os.environ.get("FAKE_FAIL", "\0") in line:
        sys.exit("pamtri: images/000001.jpg: is truncated.")


def output(arguments: list[str]) -> Path:
    return Path(arguments[arguments.index("--output") + 1])


def settings(arguments: list[str]) -> dict[str, object]:
    pairs = [arguments[i + 1] for i, word in enumerate(arguments) if word == "--set"]
    return {key: yaml.safe_load(value) for key, _, value in (p.partition("=") for p in pairs)}


def render(root: Path, identities: int, images: int) -> None:
    """A data set in train, query and gallery; two cameras see every identity."""
    rng = np.random.default_rng(0)
    (root / "images").mkdir(parents=True, exist_ok=True)
    records = []
    for index in range(identities * images):
        identity = index % identities
        split = "train" if identity < identities // 2 else "query" if index < identities else None
        pixels = np.full((SIZE[1], SIZE[0], 3), 40 * (identity + 1) % 256, dtype=np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{index:06d}.jpg")
        points = Keypoints(
            xy=tuple(map(tuple, rng.uniform(4, 44, (36, 2)).tolist())),
            visibility="v" * 24 + "s" * 12,
        )
        records.append(
            Record(
                image=f"images/{index:06d}.jpg", domain="synthetic", width=SIZE[0], height=SIZE[1],
                split=split or "gallery", identity=identity, camera=1 + index // identities,
                frame=index, colour="red", type="suv", keypoints=points,
            )
        )  # fmt: skip
    write_native(root, records, DatasetInfo(name="fake", splits=("train", "query", "gallery")))


def train(arguments: list[str]) -> None:
    folder, chosen = output(arguments), settings(arguments)
    folder.mkdir(parents=True, exist_ok=True)
    ratio = chosen["mixing.synthetic_ratio"]
    if "stages" not in chosen:
        assert (chosen["data.synthetic"] is None) == (ratio == 0)
    training = yaml.safe_load(Path(arguments[2]).read_text())["training"]
    training |= {k[9:]: value for k, value in chosen.items() if k.startswith("training.")}
    if os.environ.get("FAKE_STEPS", "\0") in str(folder):
        training["steps"] += 1
    real = chosen["data.real"]
    images = len(open_dataset(Path(real["path"])).only(*real["splits"]))
    config = {"seed": chosen["seed"], "mixing": {"synthetic_ratio": ratio}, "images": images,
              "training": training, "synthetic": (chosen["data.synthetic"] or {}).get("path"),
              }  # fmt: skip
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    share = ratio if isinstance(ratio, float | int) else 0.5
    lines = []
    for step in range(0, 100, 5):
        counts = {"real": step - int(share * step), "synthetic": int(share * step)}
        lines.append({
            "step": step, "kind": "train", "loss": 1 / (step + 1),
            "drawn": {source: count for source, count in counts.items() if count},
            "unique": {source: min(count, images) for source, count in counts.items() if count},
            **({"difficulty": step / 200} if "curriculum" in chosen else {}),
        })  # fmt: skip
    lines += [{"step": s, "kind": "val", "pck": s / 200, "mAP": s / 300} for s in (50, 100)]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "best.pt").write_text(json.dumps(config))


def seen(arguments: list[str]) -> tuple[dict, list[Record]]:
    """What the checkpoint was trained with, and the records to predict."""
    config = json.loads(Path(arguments[2]).read_text())
    splits = [arguments[i + 1] for i, word in enumerate(arguments) if word == "--split"]
    return config, list(open_dataset(Path(arguments[3])).only(*splits))


def luck(config: dict) -> np.random.Generator:
    """Different for every seed, ratio and number of real images."""
    ratio = json.dumps(config["mixing"]["synthetic_ratio"]).encode()
    return np.random.default_rng([config["seed"], config["images"], *ratio])


def predict_pose(arguments: list[str]) -> None:
    config, records = seen(arguments)
    rng = luck(config)
    spread = 72 / config["images"] if config["mixing"]["synthetic_ratio"] == 0 else 2
    if "light-frozen" in str(config["synthetic"]):
        spread = 5
    predictions = {}
    for record in records:
        xy = record.keypoints.xy_array() if record.keypoints else np.full((36, 2), 20.0)
        xy = xy + rng.normal(0, spread, xy.shape)
        predictions[Path(record.image).name] = np.concatenate([xy, np.ones((36, 1))], axis=1)
    write_predictions(output(arguments), predictions)


def predict_reid(arguments: list[str]) -> None:
    config, records = seen(arguments)
    ratio = config["mixing"]["synthetic_ratio"]
    rng = luck(config)
    features = np.eye(200)[[(r.identity or 0) % 200 for r in records]]
    features = features + rng.normal(0, 0.4 if ratio == 0 else 0.2, features.shape)
    np.savez(
        output(arguments),
        names=np.array([Path(r.image).name for r in records]),
        features=features.astype(np.float32),
        colour_scores=np.eye(10, dtype=np.float32)[[4] * len(records)],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
