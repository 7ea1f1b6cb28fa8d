"""The configuration of a comparison: which data, which trainings, which arms.

Paths are taken from the working directory, as on the command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, JsonValue, model_validator

from evaluate.amounts import Amount
from evaluate.budget import Budget
from evaluate.metrics import METRICS
from pamtri.config import Config

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Splits = Annotated[tuple[str, ...], Field(min_length=1)]
Task = Literal["pose", "reid"]
Kind = Literal["render", "convert", "pose", "reid", "keypoints", "predict"]
"""What a step does; steps of a kind take about as long. ``pose`` and ``reid`` are trainings."""


class IdentitySplit(Config):
    """How a data set without splits is parted: every identity is either for training or testing."""

    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.5
    seed: Annotated[int, Field(ge=0)] = 0


class SourceData(Config):
    """Images of one data set, and the splits of them that train and test."""

    root: Path
    format: str | None = None
    """The layout's name as in ``pamtri dataset info --format``; detected where null."""
    train: Splits = ("train",)
    test: Splits = ("query", "gallery")


class RealData(SourceData):
    """The real data set, which is what every arm is tested on."""

    label: str = "Real"
    """What the report calls it."""
    split_by: IdentitySplit | None = None
    """For data sets without splits; takes the place of ``train`` and ``test``."""
    pose: SourceData | None = None
    """Where the keypoint labels lie, when not in the data set itself (VeRi's have their own
    files)."""
    fractions: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    """Shares of each identity's training images that every arm is trained with, for a learning
    curve; all images where empty."""
    images_per_identity: tuple[Annotated[int, Field(ge=1)] | Literal["all"], ...] = ()
    """The same in whole numbers, as in ``[5, 10, 20, all]``; in place of ``fractions``."""

    @model_validator(mode="after")
    def _amounts_are_plain(self) -> RealData:
        if self.fractions and self.images_per_identity:
            raise ValueError("expected 'fractions' or 'images_per_identity', got both")
        if len({a.slug for a in self.amounts}) < len(self.fractions or self.images_per_identity):
            raise ValueError("fractions and images_per_identity must differ from each other")
        return self

    @property
    def amounts(self) -> tuple[Amount, ...]:
        """What arms are trained with, the least first; the last is what the tables show."""
        shares = [Amount(share=f) if f < 1 else Amount() for f in sorted(self.fractions)]
        numbers = sorted(n for n in self.images_per_identity if n != "all")
        counts = [Amount(images=n) for n in numbers]
        everything = [Amount()] if "all" in self.images_per_identity else []
        return (*shares, *counts, *everything) or (Amount(),)


class SyntheticData(Config):
    """The synthetic data set: a folder that exists, or what is to be rendered."""

    path: Path | None = None
    render: Path | None = None
    """A configuration of ``pamtri synth render``."""
    overrides: tuple[str, ...] = ()
    """``--set`` values for the rendering."""
    workers: Annotated[int, Field(ge=1)] = 2
    train: Splits = ("train",)

    @model_validator(mode="after")
    def _one_of_both(self) -> SyntheticData:
        if (self.path is None) == (self.render is None):
            raise ValueError("expected either 'path' or 'render', one of both")
        return self


class TaskConfig(Config):
    """What is trained in a task; every arm gets the same."""

    config: Path
    """A configuration of ``pamtri train``."""
    overrides: tuple[str, ...] = ()
    """``--set`` values for every arm's training."""


class ReidTaskConfig(TaskConfig):
    """Re-identification, with or without what a pose network sees."""

    keypoints_from_pose: bool = False
    """Each arm's network gets the keypoints that the same arm's pose network finds in the real
    images, as in PAMTRI; the training's ``model.embedding`` must ask for them. Synthetic images
    have theirs from their labels."""


class TasksConfig(Config):
    """The tasks that are compared."""

    pose: TaskConfig | None = None
    reid: ReidTaskConfig | None = None

    @model_validator(mode="after")
    def _something_to_do(self) -> TasksConfig:
        if not self.named:
            raise ValueError("expected 'pose' or 'reid' or both, got neither")
        if self.pose is None and self.reid is not None and self.reid.keypoints_from_pose:
            raise ValueError("reid.keypoints_from_pose needs the task 'pose', got none")
        return self

    @property
    def named(self) -> dict[Task, TaskConfig]:
        """The tasks that are asked for, by name."""
        both: dict[Task, TaskConfig | None] = {"pose": self.pose, "reid": self.reid}
        return {name: task for name, task in both.items() if task is not None}


class Overrides(Config):
    """``--set`` values by task; written as one list, they are for all tasks."""

    pose: tuple[str, ...] = ()
    reid: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_list_for_all(cls, written: Any) -> Any:
        by_task = dict.fromkeys(get_args(Task), written) if isinstance(written, list) else written
        if not isinstance(by_task, dict):
            return by_task
        return {k: tuple(v) if isinstance(v, list) else v for k, v in by_task.items()}

    def of(self, task: Task) -> tuple[str, ...]:
        """Those of one task."""
        return self.pose if task == "pose" else self.reid


class ArmSyntheticData(Config):
    """Synthetic images of an arm's own, in place of the comparison's."""

    path: Path | None = None
    render: Path | None = None
    """Another configuration of ``pamtri synth render``; the comparison's where there is neither."""
    overrides: tuple[str, ...] = ()
    """``--set`` values for the rendering, after the comparison's where its configuration is."""

    @model_validator(mode="after")
    def _finished_or_rendered(self) -> ArmSyntheticData:
        if self.path is not None and (self.render is not None or self.overrides):
            raise ValueError("expected 'path', or what is to be rendered, got both")
        return self


class Arm(Config):
    """One way to train: the share of synthetic images in every batch, and what else differs."""

    name: Name
    synthetic_ratio: Annotated[float, Field(ge=0, le=1)]
    """Of the whole run, where ``overrides`` give it a schedule or stages."""
    overrides: Overrides = Overrides()
    """``--set`` values for this arm's trainings, after the task's: a list for all tasks, or a list
    for each, as in ``{reid: ["model.embedding=[heatmaps]"]}``. May set the mix, too."""
    synthetic: ArmSyntheticData | None = None
    """Where its synthetic images are others than the comparison's."""

    @model_validator(mode="after")
    def _keeps_to_the_comparison(self) -> Arm:
        for override in (*self.overrides.pose, *self.overrides.reid):
            if _section(override) in ("seed", "data"):
                raise ValueError(
                    f"overrides: '{override}' is set by the comparison, the same for all arms"
                )
        return self

    def differs_in(self, task: Task) -> tuple[object, ...]:
        """What a training of ``task`` has from this arm: arms that are equal in it share it."""
        synthetic = self.synthetic if self.uses_synthetic(task) else None
        return (self.synthetic_ratio, self.overrides.of(task), synthetic)

    def uses_real(self, task: Task) -> bool:
        """Whether the task is trained with real images."""
        return self.synthetic_ratio < 1 or self._mixes_itself(task)

    def uses_synthetic(self, task: Task) -> bool:
        """Whether the task is trained with synthetic images."""
        return self.synthetic_ratio > 0 or self._mixes_itself(task)

    def _mixes_itself(self, task: Task) -> bool:
        """Whether overrides say how real and synthetic images mix: then both are at hand."""
        return any(_section(o) in ("mixing", "stages") for o in self.overrides.of(task))


def _section(override: str) -> str:
    """The section of a configuration that ``a.b=value`` is in."""
    return override.partition("=")[0].split(".")[0]


class CompareConfig(Config):
    """Real-only against augmented training on the same budget."""

    name: Name
    title: str
    note: str = ""
    """What a reader must know of the data before the result; shown first in the report, what
    stands between backticks as code."""
    try_next: str = ""
    """What the report recommends after the command that repeats it; backticks as in ``note``."""
    real: RealData
    synthetic: SyntheticData
    tasks: TasksConfig
    arms: Annotated[tuple[Arm, ...], Field(min_length=2)]
    """The first is the baseline; the second is what the report's first sentence is about."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 1, 2)
    """Each arm is trained once with each; fewer than three tell little of chance in training."""
    budget: Budget = "steps"
    """What all trainings of a task must have alike: optimisation steps, or images seen (steps times
    images a step)."""
    factors: dict[Name, dict[str, JsonValue]] = Field(default_factory=dict)
    """What ``pamtri ablate`` freezes, one after another: by a name of yours, the keys and values of
    ``freeze``; a list that comes along where there are none."""
    about: Literal["arms", "factors"] = "arms"
    """``factors`` where every arm after the first is the first with a factor frozen, as ``pamtri
    ablate`` makes them: then the report's first sentence is about all of them."""
    answer_metrics: tuple[str, ...] = ()
    """Measures that the report's first sentence is about, as in ``[rank1, type_accuracy]``; the
    first of each task where empty."""
    expected_seconds: dict[Kind, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """What a step of a kind is expected to take, until one has been timed."""

    @model_validator(mode="after")
    def _arms_and_seeds_differ(self) -> CompareConfig:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"arms must have different names, got {', '.join(names)}")
        first, second = self.arms[:2]
        if all(first.differs_in(task) == second.differs_in(task) for task in self.tasks.named):
            raise ValueError(
                f"arms: expected a second one that trains otherwise than '{first.name}', got the "
                f"same in '{second.name}'"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must differ, got {list(self.seeds)}")
        for arm in self.arms:
            synthetic = self.synthetic_of(arm)
            if synthetic.path is not None and synthetic.overrides:
                raise ValueError(
                    f"arms.{arm.name}.synthetic: overrides need synthetic.render, got a set that "
                    "is rendered already"
                )
        for task, settings in self.tasks.named.items():
            for override in settings.overrides:
                if override.partition("=")[0] in _SET_BY_ARMS:
                    raise ValueError(f"tasks.{task}.overrides: '{override}' is set by the arms")
        return self

    @model_validator(mode="after")
    def _answers_are_measured(self) -> CompareConfig:
        measured = [metric.key for task in self.tasks.named for metric in METRICS[task]]
        for name in self.answer_metrics:
            if name not in measured:
                raise ValueError(
                    f"answer_metrics: expected some of {', '.join(measured)}, got '{name}'"
                )
        return self

    def synthetic_of(self, arm: Arm) -> SyntheticData:
        """The synthetic images of an arm; equal for arms that share them."""
        own = arm.synthetic
        if own is None:
            return self.synthetic
        if own.path is None and own.render is None:
            overrides = (*self.synthetic.overrides, *own.overrides)
            return self.synthetic.model_copy(update={"overrides": overrides})
        changed = {"path": own.path, "render": own.render, "overrides": own.overrides}
        return self.synthetic.model_copy(update=changed)


_SET_BY_ARMS = ("seed", "mixing.synthetic_ratio", "data", "data.real", "data.synthetic")
