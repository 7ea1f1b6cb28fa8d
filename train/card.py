"""The model card of a trained network: ``model_card.md`` beside its ``best.pt``.

Mitchell et al., Model cards for model reporting, 2019, cut down to what a run knows of itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pamtri.config import dump_config
from pamtri.run_folder import provenance, write_atomic
from train.checkpoint import Checkpoint
from train.config import SourceConfig, TrainConfig
from train.mixing import domain_of
from train.mixing_config import REAL, RatioSchedule
from train.sources import Sample, Split

CARD = "model_card.md"
_KINDS = {
    "pose": (
        "a pose network: it finds 36 keypoints of the one vehicle that fills its picture",
        "pamtri predict pose {file} IMAGES --output pose.csv",
    ),
    "reid": (
        "a re-identification network: pictures of the same vehicle get features that are close",
        "pamtri embed {file} IMAGES --output features.npz",
    ),
}
"""What a network is, and the command that uses it."""


def write_card(
    file: Path,
    config: TrainConfig,
    split: Split,
    checkpoint: Checkpoint,
    metrics: Mapping[str, Any],
    drawn: Mapping[str, int],
) -> None:
    """Write the card of ``checkpoint``, which is in ``file``, beside it.

    ``metrics`` is what validation found, and ``drawn`` how many images of each source it was
    trained on, repetitions included.
    """
    what, command = _KINDS[checkpoint.kind]
    model = getattr(config, "model")  # noqa: B009 -- every kind has its own
    parameters = sum(v.numel() for v in checkpoint.state_dict.values() if v.is_floating_point())
    parts = {
        "Use": [
            f"`{command.format(file=file.name)}`",
            "",
            "It is made for research on pictures of vehicles. It is not made to find or follow "
            "people, and its answers are no evidence of anything.",
        ],
        "Data": [*_data(config, split), "", *_validation_note(config)],
        "Mix": _mix(config, drawn),
        "Recipe": ["```yaml", dump_config(config).rstrip(), "```"],
        "Metrics": [
            "Of the validation images, which also chose this checkpoint: on other images, expect "
            "less.",
            "",
            *_table([("metric", "value"), *_metrics(metrics)]),
        ],
        "Limits": [f"- {line}" for line in _limits(split)],
        "Made with": [f"- {line}" for line in _versions()],
    }
    lines = [
        f"# {checkpoint.kind}: {model.backbone}, {model.input_size} pixels",
        "",
        f"`{file.name}` is {what}.",
        "",
        f"- {parameters / 1e6:.2f} million values, after step {checkpoint.step} of "
        f"{config.training.steps}",
        f"- SHA-256 of the file: `{_digest(file)}`",
    ]
    for title, body in parts.items():
        lines += ["", f"## {title}", "", *body]
    write_atomic(file.with_name(CARD), "\n".join(lines) + "\n")


def _data(config: TrainConfig, split: Split) -> list[str]:
    head = ("", "folder", "splits", "images", "identities", "cameras", "with keypoints", "domains")
    sources = {**split.training, "validation": split.validation}
    rows = [(name, *_facts(_source(config, name), samples)) for name, samples in sources.items()]
    return _table([head, *rows])


def _source(config: TrainConfig, name: str) -> SourceConfig:
    """The data set that images come from; held-out ones come from that which they are held from."""
    if name == "validation" and config.data.validation is not None:
        return config.data.validation
    return config.data.sources.get(name) or next(iter(config.data.sources.values()))


def _facts(source: SourceConfig, samples: Sequence[Sample]) -> tuple[str, ...]:
    records = [sample.record for sample in samples]
    domains = Counter(record.domain for record in records)
    return (
        f"`{source.path}`",
        "all" if source.splits is None else ", ".join(source.splits),
        str(len(records)),
        _count({record.identity for record in records}),
        _count({record.camera for record in records}),
        str(sum(record.keypoints is not None for record in records)),
        ", ".join(f"{name} {count}" for name, count in sorted(domains.items())),
    )


def _count(values: set[int | None]) -> str:
    return str(len(values - {None})) if values - {None} else "not known"


def _validation_note(config: TrainConfig) -> list[str]:
    if config.data.validation is not None:
        return []
    share = config.data.validation_fraction
    return [f"Validation images are held out: about {share:.0%} of the identities, whole ones."]


def _mix(config: TrainConfig, drawn: Mapping[str, int]) -> list[str]:
    total = max(1, sum(drawn.values()))
    shares = [f"{count} {name} ({count / total:.1%})" for name, count in sorted(drawn.items())]
    asked = ", then ".join(_ratio(ratio) for ratio in config.ratios)
    return [
        f"Configured: {asked}. Seen until this checkpoint, repetitions included: "
        f"{', '.join(shares) or 'no'} images."
    ]


def _ratio(ratio: float | str | RatioSchedule) -> str:
    if isinstance(ratio, RatioSchedule):
        points = ", ".join(f"{share:.0%} at {progress:.0%}" for progress, share in ratio.points)
        return f"{points} of the way synthetic ({ratio.between} between)"
    if isinstance(ratio, float):
        return f"{ratio:.0%} of each batch synthetic"
    return "sources by their number of images"


def _metrics(metrics: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Names and values, those of a dictionary under its name."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _metrics(value, f"{above}{name}, ")
        else:
            yield above + name, "not known" if value is None else f"{value:.4f}"


def _limits(split: Split) -> list[str]:
    lines = []
    if not any(domain_of(name) == REAL for name in split.training):
        lines.append("It was trained on synthetic images alone.")
    if all(sample.record.domain == "synthetic" for sample in split.validation):
        lines.append("Its metrics are of synthetic images; they do not tell how it does on photos.")
    lines += [
        "It sees one vehicle in a picture, cut out; it finds none by itself.",
        "Colours, types, cameras and countries that are rare in its data may be told apart worse.",
    ]
    return lines


def _versions() -> list[str]:
    made = provenance()
    commit = [f"commit {made['commit']}"] if made["commit"] else []
    return [*commit, *(f"{name} {version}" for name, version in made["versions"].items())]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *body]


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
