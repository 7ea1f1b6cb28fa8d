"""From a comparison's configuration to its steps: one ``pamtri`` command each, in order.

Everything lies in the comparison's folder: ``data/`` (what was rendered or parted),
``arms/<task>/<arm>/seed<k>/`` (``train/`` and the predictions on the test images), ``logs/`` and
``steps/`` (see ``evaluate.runner``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate.amounts import Amount
from evaluate.config import Arm, CompareConfig, Kind, SourceData, SyntheticData, Task

PREDICTIONS: dict[Task, str] = {"pose": "pose_test.csv", "reid": "features.npz"}
"""What the prediction step of a task writes into its arm's folder."""


@dataclass(frozen=True)
class Step:
    """One ``pamtri`` command."""

    name: str
    """Unique; names its log and its note of being finished."""
    kind: Kind
    title: str
    """What a person reads while it runs."""
    arguments: tuple[str, ...]
    """After ``pamtri``."""
    resumes: Path | None = None
    """Folder that the step continues with ``--resume`` when it exists."""
    replaces: Path | None = None
    """Folder that is removed before the step runs: what an unfinished try left."""
    needs: tuple[str, ...] = ()
    """Names of the steps whose files it reads; they stand before it in the plan."""


@dataclass(frozen=True)
class Trial:
    """One training: a task, an arm, an amount of real images and a seed."""

    task: Task
    arm: Arm
    amount: Amount
    seed: int
    folder: Path

    @property
    def label(self) -> str:
        """As in ``pose, augmented, seed 0`` or ``pose, augmented, 5 % of the real images, ...``."""
        part = "" if self.amount.is_all else f" {self.amount.label} of the real images,"
        return f"{self.task}, {self.arm.name},{part} seed {self.seed}"

    @property
    def slug(self) -> str:
        """As in ``pose-augmented-seed0`` or ``pose-augmented-5-percent-seed0``."""
        part = "" if self.amount.is_all else f"{self.amount.slug}-"
        return f"{self.task}-{self.arm.name}-{part}seed{self.seed}"

    @property
    def checkpoint(self) -> Path:
        """The best network of its training step."""
        return self.folder / "train" / "best.pt"

    @property
    def keypoints(self) -> Path:
        """What the same arm's pose network finds in the real images, for re-identification."""
        return self.folder / "keypoints.csv"

    @property
    def predictions(self) -> Path:
        """The file that its prediction step writes."""
        return self.folder / PREDICTIONS[self.task]


def trials(config: CompareConfig, folder: Path) -> tuple[Trial, ...]:
    """Every training of the comparison; arms alternate, so that an early stop is still fair."""
    return tuple(
        dict.fromkeys(
            trial_of(config, folder, task, arm, amount, seed)
            for task in config.tasks.named
            for seed in config.seeds
            for amount in config.real.amounts
            for arm in config.arms
        )
    )


def trial_of(
    config: CompareConfig, folder: Path, task: Task, arm: Arm, amount: Amount, seed: int
) -> Trial:
    """The training of ``arm`` with ``amount`` of the real images, or the one that is the same."""
    arm, amount = trained_as(config, task, arm, amount)
    part = Path(task, arm.name) if amount.is_all else Path(task, arm.name, amount.slug)
    return Trial(task, arm, amount, seed, folder / "arms" / part / f"seed{seed}")


def trained_as(config: CompareConfig, task: Task, arm: Arm, amount: Amount) -> tuple[Arm, Amount]:
    """The arm and amount whose training serves for these: none is done twice.

    Arms that do not differ in a task share its training. An arm of synthetic images only has one
    for all amounts; its checkpoint is chosen on real vehicles that are held out, as every arm's is:
    of the largest amount.
    """
    first = next(a for a in config.arms if a.differs_in(task) == arm.differs_in(task))
    return first, amount if first.uses_real(task) else config.real.amounts[-1]


def steps(config: CompareConfig, folder: Path) -> tuple[Step, ...]:
    """The commands that a comparison in ``folder`` runs, in order."""
    return tuple(_steps(config, folder))


def real_source(config: CompareConfig, folder: Path, task: Task) -> SourceData:
    """Where ``task`` finds the real images: parted by identity if that is asked for."""
    if task == "pose" and config.real.pose is not None:
        return config.real.pose
    if is_parted(config, task):
        return SourceData(root=folder / "data" / "real", train=("train",), test=("test",))
    return config.real


def is_parted(config: CompareConfig, task: Task) -> bool:
    """Whether the real images of ``task`` are parted into training and test by identity."""
    own = task == "pose" and config.real.pose is not None
    return config.real.split_by is not None and not own


def training_source(config: CompareConfig, folder: Path, task: Task, amount: Amount) -> SourceData:
    """Where a training of ``task`` finds its part of the real images."""
    source = real_source(config, folder, task)
    if amount.is_all:
        return source
    own = task == "pose" and config.real.pose is not None
    root = folder / "data" / f"real-{amount.slug}{'-pose' if own else ''}"
    return SourceData(root=root, train=source.train, test=source.test)


def synthetic_sets(config: CompareConfig) -> dict[SyntheticData, str]:
    """The synthetic data sets that arms are trained with, and what each is called."""
    sets: dict[SyntheticData, str] = {}
    for arm in config.arms:
        if any(arm.uses_synthetic(task) for task in config.tasks.named):
            own = config.synthetic_of(arm)
            sets.setdefault(
                own, "synthetic" if own == config.synthetic else f"synthetic-{arm.name}"
            )
    return sets or {config.synthetic: "synthetic"}


def synthetic_root(config: CompareConfig, folder: Path, arm: Arm | None = None) -> Path:
    """Where the synthetic images of ``arm``, or of the first that has any, are or will be."""
    sets = synthetic_sets(config)
    own = next(iter(sets)) if arm is None else config.synthetic_of(arm)
    return own.path or folder / "data" / sets[own]


def _steps(config: CompareConfig, folder: Path) -> Iterator[Step]:
    yield from _render_steps(config, folder)
    for trial in trials(config, folder):
        yield from _trial_steps(config, folder, trial)


def _render_steps(config: CompareConfig, folder: Path) -> Iterator[Step]:
    """One after another: each keeps ``workers`` processes busy."""
    before: tuple[str, ...] = ()
    for synthetic, name in synthetic_sets(config).items():
        if synthetic.render is None:
            continue
        root, arm = folder / "data" / name, name.removeprefix("synthetic").removeprefix("-")
        step = Step(
            _render_step(name),
            "render",
            f"Render synthetic images for {arm}" if arm else "Render synthetic images",
            render_arguments(synthetic.render, root, synthetic.workers)
            + _set_options(synthetic.overrides),
            resumes=root,
            needs=before,
        )
        before = (step.name,)
        yield step


def _render_step(name: str) -> str:
    """The step that makes the synthetic data set of this name."""
    return name.replace("synthetic", "render", 1)


def _trial_steps(config: CompareConfig, folder: Path, trial: Trial) -> Iterator[Step]:
    real = real_source(config, folder, trial.task)
    keypoints: tuple[str, ...] = ()
    needs = []
    if trial.arm.uses_synthetic(trial.task):
        synthetic = config.synthetic_of(trial.arm)
        needs += [_render_step(synthetic_sets(config)[synthetic])] if synthetic.render else []
    if _needs_pose(config, trial):
        pose = trial_of(config, folder, "pose", trial.arm, trial.amount, trial.seed)
        keypoints = ("--keypoints", str(trial.keypoints))
        needs += [f"{trial.slug}-keypoints"]
        yield Step(
            f"{trial.slug}-keypoints",
            "keypoints",
            f"Find keypoints for {trial.label}",
            _predict_arguments(pose, real, (*real.train, *real.test), trial.keypoints),
            needs=(f"{pose.slug}-train",),
        )
    yield Step(
        f"{trial.slug}-train",
        trial.task,
        f"Train {trial.label}",
        _train_arguments(config, folder, trial),
        resumes=trial.folder / "train",
        needs=tuple(needs),
    )
    yield Step(
        f"{trial.slug}-predict",
        "predict",
        f"Predict {trial.label}",
        (*_predict_arguments(trial, real, real.test, trial.predictions), *keypoints),
        needs=(f"{trial.slug}-train",),
    )


def _needs_pose(config: CompareConfig, trial: Trial) -> bool:
    reid = config.tasks.reid
    return trial.task == "reid" and reid is not None and reid.keypoints_from_pose


def _predict_arguments(
    trial: Trial, source: SourceData, splits: Sequence[str], output: Path
) -> tuple[str, ...]:
    layout = () if source.format is None else ("--format", source.format)
    return (
        *("predict", trial.task, str(trial.checkpoint), str(source.root), *layout),
        *(part for split in splits for part in ("--split", split)),
        *("--output", str(output)),
    )


def render_arguments(config: Path, output: Path, workers: int) -> tuple[str, ...]:
    """The arguments that render ``config`` into ``output``."""
    return ("synth", "render", str(config), "--output", str(output), "--workers", str(workers))


def _train_arguments(config: CompareConfig, folder: Path, trial: Trial) -> tuple[str, ...]:
    real = training_source(config, folder, trial.task, trial.amount)
    sources: dict[str, Any] = {"data.real": _source(real.root, real.format, real.train)}
    if _needs_pose(config, trial):
        sources["data.real"]["keypoints"] = str(trial.keypoints)
    sources["data.synthetic"] = None
    if trial.arm.uses_synthetic(trial.task):
        root = synthetic_root(config, folder, trial.arm)
        sources["data.synthetic"] = _source(root, None, config.synthetic.train)
    settings = sources | {
        "mixing.synthetic_ratio": trial.arm.synthetic_ratio,
        "seed": trial.seed,
    }
    task = config.tasks.named[trial.task]
    return (
        *("train", trial.task, str(task.config), "--output", str(trial.folder / "train")),
        *_set_options(task.overrides),
        *_set_options(tuple(f"{key}={json.dumps(value)}" for key, value in settings.items())),
        *_set_options(trial.arm.overrides.of(trial.task)),
    )


def _source(root: Path, layout: str | None, splits: tuple[str, ...]) -> dict[str, Any]:
    """A ``data`` source of a training configuration."""
    return {"path": str(root), "format": layout, "splits": list(splits)}


def _set_options(overrides: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for override in overrides for part in ("--set", override))
