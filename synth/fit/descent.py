"""Rounds of rendering, measuring and moving, until renders look like the photographs.

After attribute descent (Yao et al., "Simulating content consistent vehicle datasets with attribute
descent", ECCV 2020), which tries values of one attribute after the other. Renders know what they
were made of, so here every round tells how all measurements follow all factors, and moves all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pamtri.attributes import COLOURS
from pamtri.config import load_config
from pamtri.errors import UserError
from pamtri.formats import open_dataset
from pamtri.record import Record
from synth.config import SynthConfig
from synth.fit import estimate
from synth.fit.factors import FACTORS, OVERRULING, Factor
from synth.fit.looks import SCALARS, Looks, look_at
from synth.run import render_dataset

Values = dict[str, Any]
"""Keys of a configuration and what they are set to, as plain data."""
_LEAST_SHARE = 0.002
"""Of a sector or colour, below which it is left out."""
_QUANTILES = np.arange(0.05, 1, 0.1)


@dataclass
class Round:
    """One set of renders, and how far it is from the photographs."""

    values: Values
    """What it sets on top of the preset."""
    looks: Looks
    records: list[Record]
    distances: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Mean of the distances."""
        return float(np.mean(list(self.distances.values())))


@dataclass(frozen=True)
class Fit:
    """The path, the photographs' measurements, and which round came closest."""

    target: Looks
    rounds: list[Round]
    untold: list[str]
    """Factors that the measurements do not tell, which stay as the preset has them."""

    @property
    def best(self) -> Round:
        """The closest."""
        return min(self.rounds, key=lambda r: r.score)


def fit(
    preset: Path,
    target: Looks,
    folder: Path,
    rounds: int,
    count: int,
    workers: int,
    overrides: tuple[str, ...] = (),
    network: Path | None = None,
    say: Callable[[str], object] = print,
) -> Fit:
    """Move the factors of ``preset`` in ``rounds`` steps, with ``count`` renders in each.

    Renders lie in ``folder`` and are not made twice. Raises UserError where the preset leaves no
    room to move.
    """
    refuse_overruling(load_config(preset, SynthConfig, overrides), preset)
    values: Values = direct_values(target)
    path: list[Round] = []
    untold: list[str] = []
    for number in range(rounds + 1):
        path.append(
            _round(
                preset,
                values,
                overrides,
                folder / f"round{number}",
                number,
                count,
                workers,
                network,
            )
        )
        path[-1].distances = _distances(path, target)
        say(f"round {number}: distance {path[-1].score:.3f}")
        if number < rounds:
            values, untold = moved(path, target)
    for done in path:  # colours are told best by all renders together
        done.distances = _distances(path, target, done)
    return Fit(target, path, untold)


def refuse_overruling(config: SynthConfig, preset: Path) -> None:
    """Raise UserError where keys of the preset would leave a fitted factor without effect."""
    if config.fixed_cameras:
        raise UserError(f"{preset}: has fixed_cameras, whose places no fit can move")
    for key, factor in OVERRULING.items():
        section, name = key.split(".")
        if getattr(getattr(config, section), name) is not None:
            raise UserError(f"{preset}: sets {key}, beside which {factor} has no effect")


def direct_values(target: Looks) -> Values:
    """What files tell by themselves: sizes, and JPEG qualities where most are JPEG files."""
    sizes = np.clip(np.round(np.quantile(target.size, _QUANTILES)), 16, 4096)
    values: Values = {"image.size_px": _choice(sizes)}
    known = target.quality[np.isfinite(target.quality)]
    if len(known) > len(target.quality) / 2:
        qualities = np.clip(np.round(np.quantile(known, _QUANTILES)), 1, 100)
        values["sensor.jpeg_quality"] = _choice(qualities)
    return values


def moved(path: list[Round], target: Looks) -> tuple[Values, list[str]]:
    """The next round's values, and the keys of factors that could not be told."""
    records = [record for done in path for record in done.records]
    latest = np.concatenate([np.full(len(d.records), d is path[-1]) for d in path])
    columns = [SCALARS.index(factor.measure) for factor in FACTORS]
    drawn = np.array([[factor.drawn(record) for factor in FACTORS] for record in records])
    measured = np.concatenate([done.looks.scalars for done in path])[:, columns]
    moves = estimate.fit_factors(drawn, measured, latest, target.scalars[:, columns])
    values = dict(path[-1].values)
    for factor, mean, std, told in zip(FACTORS, moves.mean, moves.std, moves.told, strict=True):
        if told:
            values[factor.key] = _spread(factor, float(mean), float(std))
    true = np.array([record.viewpoint.azimuth_deg for record in records if record.viewpoint])
    read = np.concatenate([done.looks.azimuth for done in path])
    values["camera.azimuth_deg"] = _sectors(estimate.unfold_azimuths(true, read, target.azimuth))
    shares = _colour_shares(path, target)
    values["vehicle.colour"] = {
        "kind": "choice",
        "values": list(shares),
        "weights": [round(share, 4) for share in shares.values()],
    }
    untold = [f.key for f, told in zip(FACTORS, moves.told, strict=True) if not told]
    return values, untold


def _round(
    preset: Path,
    values: Values,
    overrides: tuple[str, ...],
    folder: Path,
    number: int,
    count: int,
    workers: int,
    network: Path | None,
) -> Round:
    """Render and measure a configuration; other rounds show other vehicles."""
    sets = {
        **values,
        "identities": count,
        "images_per_identity": 1,
        "identity_offset": number * count,
        "splits": {"train": 1.0},
    }
    settings = (*overrides, *(f"{key}={json.dumps(value)}" for key, value in sets.items()))
    config = load_config(preset, SynthConfig, settings)
    render_dataset(config, folder, workers, resume=True)
    dataset = open_dataset(folder)
    records = sorted(dataset.records, key=lambda record: record.image)
    files = [dataset.image_path(record) for record in records]
    looks = look_at(files, folder.with_name(folder.name + "_looks"), network, f"measure {number}")
    return Round(values, looks, records)


def _distances(path: list[Round], target: Looks, done: Round | None = None) -> dict[str, float]:
    """How far a round (the latest by default) is from the photographs, by measurement."""
    looks = (done or path[-1]).looks
    scalars = estimate.scalar_distances(looks.scalars, target.scalars)
    wanted = _colour_shares(path, target)
    shown = _colour_shares(path, looks)
    return {
        "azimuth": estimate.azimuth_distance(looks.azimuth, target.azimuth),
        **dict(zip(SCALARS, scalars.tolist(), strict=True)),
        "colour": sum(abs(wanted[name] - shown[name]) for name in wanted) / 2,
        "pose": estimate.feature_distance(looks.pose, target.pose),
    }


def _colour_shares(path: list[Round], looks: Looks) -> dict[str, float]:
    """Shares of colours, told by the paint of all renders so far."""
    paint = np.concatenate([done.looks.paint for done in path])
    names = np.array([record.colour for done in path for record in done.records])
    shares, _ = estimate.unmix_classes(paint, names, looks.paint)
    kept = {name: shares[name] for name in COLOURS if shares.get(name, 0) >= _LEAST_SHARE}
    total = sum(kept.values())
    return {name: kept.get(name, 0) / total for name in COLOURS if name in shares}


def _spread(factor: Factor, mean: float, std: float) -> Values:
    """A distribution of the key: log-uniform for logarithms, else a normal one cut at two and a
    half deviations."""
    if factor.logarithm:
        ends = np.exp(mean + np.sqrt(3) * std * np.array([-1, 1]))
        low, high = np.clip(ends, factor.low, factor.high).round(2).tolist()
        return {"kind": "log_uniform", "low": low, "high": high}
    low, high = np.clip(mean + 2.5 * std * np.array([-1, 1]), factor.low, factor.high)
    middle = float(np.clip(mean, factor.low, factor.high))
    return {
        "kind": "normal",
        "mean": round(middle, 4),
        "std": round(max(std, 1e-4), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def _sectors(weights: estimate.Floats) -> Values:
    width = 360 / estimate.SECTORS
    kept = [(i, w) for i, w in enumerate(weights.tolist()) if w >= _LEAST_SHARE]
    parts = [
        {"kind": "uniform", "low": (i - 0.5) * width, "high": (i + 0.5) * width} for i, _ in kept
    ]
    return {"kind": "mixture", "weights": [round(w, 4) for _, w in kept], "parts": parts}


def _choice(values: estimate.Floats) -> Values:
    """Each value as often as it is there."""
    kept, counts = np.unique(values, return_counts=True)
    return {"kind": "choice", "values": kept.tolist(), "weights": counts.tolist()}
