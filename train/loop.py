"""The training loop that pose and re-identification share.

A run folder holds ``config.yaml`` and ``run.yaml``, ``best.pt`` (see ``train.checkpoint``) and its
``model_card.md``, ``last/`` (all that is needed to go on), ``history.jsonl`` and ``tensorboard/``.
What is drawn and how it is augmented depends on the step alone, and everything else that changes is
in ``last/``: a run that was stopped and resumed ends with the weights of one that was not.
"""

from __future__ import annotations

import json
import math
import shutil
import signal
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from pamtri.errors import UserError
from pamtri.progress import progress
from pamtri.run_folder import write_atomic
from train.adversary import Adversary, adversary_terms, strength_at
from train.batches import Item, TrainingBatches, to_device
from train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from train.config import TrainConfig, TrainingConfig
from train.domain_norm import domains_told, folded, with_domain_norms
from train.history import Drawn, History, Means
from train.mixing_config import DOMAINS, REAL
from train.processes import share_batch_norm, shared_statistics
from train.sources import Split
from train.stages import Freezer, check_frozen, learning_rate, phase_at, phases_of
from train.weighting import weighted

LOG_EVERY = 10
"""Steps between lines of the history."""
BEST = "best.pt"
_LAST = "last"
_POSITION = "position.json"


class Task(Protocol):
    """What is trained: its data, network, loss and validation."""

    kind: str
    metric: str
    """The name of the validation value that chooses the best checkpoint; larger is better."""
    classes: dict[str, list[int]] | None
    split: Split
    """The images that it is trained and validated on."""
    network: nn.Module
    batches: TrainingBatches
    reads_features: str
    """The layer of the network into which go the features that both domains are to share."""

    @property
    def config(self) -> TrainConfig:
        """The resolved configuration."""

    def describe(self) -> str:
        """The data in a line."""

    def losses(self, network: nn.Module, batch: Item) -> dict[str, Tensor]:
        """The terms of the loss of a batch, scalars; ``loss`` is their weighted sum.

        Where it is a mean over images, ``each`` (n,) has theirs, to be logged by domain.
        """

    def validate(self, network: nn.Module, accelerator: Accelerator) -> dict[str, Any]:
        """Metrics of the validation images, equal in all processes."""


@dataclass
class Position:
    """Where a run is."""

    step: int = 0
    """Steps done."""
    best: float = -math.inf
    """The best validation metric so far."""


Kept = Callable[[Checkpoint, Mapping[str, Any], Mapping[str, int]], object]
"""Told of each best checkpoint once it is saved: itself, its validation's metrics, and how many
images of each source it has seen."""


def train_network(
    task: Task, folder: Path, accelerator: Accelerator, kept: Kept = lambda *_: None
) -> Position:
    """Train until the budget is spent, from where ``folder`` stopped if it holds a state.

    Raises UserError when the loss or a weight is not finite, and when the run is asked to stop.
    """
    run = _Run(task, folder, accelerator, kept)
    run.resume()
    steps = task.config.training.steps
    loader = task.batches.loader(run.position.step, steps, task.config.training.workers)
    main = accelerator.is_main_process
    with (
        _stop_signals() as stop,
        progress(steps, f"train {task.kind}", "step", run.position.step, disable=not main) as bar,
    ):
        for batch in to_device(loader, accelerator.device):
            bar.set_postfix_str(run.step(batch), refresh=False)
            bar.update()
            if not (run.is_due() or stop):
                continue
            run.check_weights(batch["name"])
            if run.is_due():
                run.validate()
            run.save()
            if stop:
                raise UserError(
                    f"stopped at step {run.position.step} of {steps}; continue with --resume"
                )
    run.history.close()
    return run.position


class _Run:
    """A network, its optimiser and where they are, bound to a folder."""

    def __init__(self, task: Task, folder: Path, accelerator: Accelerator, kept: Kept) -> None:
        self._task, self._folder, self._accelerator = task, folder, accelerator
        self._kept = kept
        self._training, self._mixing = task.config.training, task.config.mixing
        network = share_batch_norm(task.network, accelerator).to(memory_format=torch.channels_last)
        check_frozen(task.config, network)
        if self._mixing.domain_batch_norm:
            with_domain_norms(network, REAL, accelerator.num_processes)
        self._phases, self._freezer = phases_of(task.config), Freezer(network)
        learning: list[nn.Module] = [network]
        self._adversary = None
        if self._mixing.adversary:
            adversary = Adversary(network, task.reads_features, task.config.seed)
            learning.append(adversary)
        optimiser = _optimiser(nn.ModuleList(learning), self._training)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser,
            lambda step: learning_rate(step, task.config) / self._training.learning_rate,
        )
        self._average = _average(network, self._training, accelerator)
        if self._training.compile:
            network.compile()
        self._network, self._optimiser, self._schedule = accelerator.prepare(
            network, optimiser, schedule
        )
        if self._mixing.adversary:
            self._adversary = accelerator.prepare(adversary)
        self.position, self._drawn = Position(), Drawn()
        self.history = History(folder, accelerator.is_main_process)

    def resume(self) -> None:
        """Go back to the last saved state, if there is one."""
        last = self._folder / _LAST
        if not last.exists():  # the state that was being replaced when the program was killed
            last = last.with_name(_LAST + ".old")
        if last.exists():
            self._check_classes()
            self.position = self._load(last)
        self.history.open(self.position.step)
        for step in range(self.position.step):
            self._drawn.add(self._task.batches.drawn(step))

    def _load(self, last: Path) -> Position:
        """Fill everything with a saved state. Raises UserError where it is damaged, or of another
        network than the run's."""
        try:
            self._accelerator.load_state(str(last))
            saved = json.loads((last / _POSITION).read_text())
            return Position(**{**saved, "best": float(saved["best"])})
        except Exception as error:  # of many kinds: each part of a state has a reader of its own
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise UserError(
                f"{last}: the run cannot go on from this state, which is damaged or of another "
                f"training ({reason}); {self._kept_best()}; begin anew in another folder"
            ) from None

    def _check_classes(self) -> None:
        """Raise UserError where the run was begun with other identities."""
        best = self._folder / BEST
        if best.exists() and load_checkpoint(best, self._task.kind).classes != self._task.classes:
            raise UserError(
                f"{best}: knows other identities than there are to train on now, so that the run "
                "cannot be continued; has its data changed?"
            )

    def step(self, batch: Item) -> str:
        """One optimisation step; returns what the progress bar says."""
        self._network.train()
        self._freezer.rest(phase_at(self._phases, self.position.step).frozen)
        self._optimiser.zero_grad()
        means = Means()
        for part, share in batch_parts(batch, self._training.accumulate):
            means.add(self._add_gradients(part, share), share)
        if "difficulty" in batch:
            means.add(Means({"difficulty": (batch["difficulty"], 1.0)}))
        rate = self._optimiser.param_groups[0]["lr"]
        self._optimiser.step()
        self._schedule.step()
        position = self.position
        position.step += 1
        if self._average is not None:
            self._average.update(self._accelerator.unwrap_model(self._network), position.step)
        self._drawn.add(batch["drawn"])
        self.history.collect(means)
        if position.step % LOG_EVERY == 0 or position.step == self._training.steps:
            self.history.write_mean(position.step, {"learning_rate": rate}, self._drawn)
        return f"loss {means['loss']:.4g}, best {self._task.metric} {_shown(position.best)}"

    def _add_gradients(self, part: Item, share: float) -> Means:
        """The terms of the loss of a part of a batch, once its gradients are added.

        They are means over all processes, and so the same in all, which stop together.
        """
        domains = part["domain"]
        with (
            self._accelerator.autocast(),
            shared_statistics(self._accelerator),
            domains_told(self._network, domains),
        ):
            losses = self._task.losses(self._network, part)
        progress = self.position.step / self._training.steps
        losses = weighted(losses, domains, self._task.config, progress)
        if self._adversary is not None:
            found = adversary_terms(self._adversary(strength_at(progress)), domains)
            loss = losses["loss"] + self._mixing.adversary * found["adversary"]
            losses = {**losses, "loss": loss, **found}
        sums = weighted_sums(losses, domains)
        shared = self._accelerator.reduce(torch.stack([*sums.values()]), "mean")
        means = Means(dict(zip(sums, shared.tolist(), strict=True)))
        if not math.isfinite(means["loss"]):
            what = f"the loss is {means['loss']} at step {self.position.step + 1}"
            raise UserError(self._not_finite(what, part["name"]))
        self._accelerator.backward(losses["loss"] * share)
        return means

    def is_due(self) -> bool:
        """Whether validation comes after this step."""
        step = self.position.step
        return step % self._training.validate_every == 0 or step == self._training.steps

    def check_weights(self, names: list[str]) -> None:
        """Before anything is kept, raise UserError if the step on the images ``names`` broke it."""
        if not all(bool(value.isfinite().all()) for value in self._network.state_dict().values()):
            what = f"weights are not finite after step {self.position.step}"
            raise UserError(self._not_finite(what, names))

    def validate(self) -> None:
        """Validate, and keep the network if it is the best so far."""
        network = self._network if self._average is None else self._average.module
        with self._accelerator.autocast():
            metrics = self._task.validate(network.eval(), self._accelerator)
        self.history.write("val", self.position.step, metrics)
        if metrics[self._task.metric] > self.position.best:
            self.position.best = float(metrics[self._task.metric])
            self._save_best(metrics)

    def _save_best(self, metrics: dict[str, Any]) -> None:
        if self._accelerator.is_main_process:
            if self._average is None:
                network = self._accelerator.unwrap_model(self._network)
            else:
                network = self._average.module
            state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
            state = folded(state, REAL) if self._mixing.domain_batch_norm else state
            checkpoint = Checkpoint(
                kind=self._task.kind,
                config=self._task.config.model_dump(mode="json"),
                classes=self._task.classes,
                state_dict=state,
                metric=self.position.best,
                step=self.position.step,
            )
            save_checkpoint(self._folder / BEST, checkpoint)
            self._kept(checkpoint, metrics, self._drawn.counts)

    def save(self) -> None:
        """Replace ``last/`` so that a whole state is on disk at every moment."""
        new, last, old = (self._folder / (_LAST + suffix) for suffix in (".new", "", ".old"))
        if self._accelerator.is_main_process:
            shutil.rmtree(new, ignore_errors=True)
        self._accelerator.wait_for_everyone()
        self._accelerator.save_state(str(new))
        self._accelerator.wait_for_everyone()
        if self._accelerator.is_main_process:
            write_atomic(new / _POSITION, json.dumps(asdict(self.position)))
            if last.exists():
                shutil.rmtree(old, ignore_errors=True)
                last.rename(old)
            new.rename(last)
            shutil.rmtree(old, ignore_errors=True)
        self._accelerator.wait_for_everyone()

    def _not_finite(self, what: str, names: list[str]) -> str:
        return (
            f"{what}, on the images {', '.join(names)}; {self._kept_best()}; a lower "
            "training.learning_rate may help"
        )

    def _kept_best(self) -> str:
        best = self._folder / BEST
        return f"{best} is the last good checkpoint" if best.exists() else "no checkpoint yet"


def batch_parts(batch: Item, count: int) -> Iterator[tuple[Item, float]]:
    """``batch`` in at most ``count`` parts, each with its share of the images."""
    images = len(batch["image"])
    size = -(-images // count)
    for start in range(0, images, size):
        part = {
            name: value[start : start + size] if isinstance(value, Tensor | list) else value
            for name, value in batch.items()
        }
        yield part, len(part["image"]) / images


def weighted_sums(losses: Mapping[str, Tensor], domains: list[str]) -> dict[str, Tensor]:
    """The terms of a loss for ``Means``, (2,): each with weight 1, and ``loss`` by domain.

    ``each`` (n,) is divided up by ``domains``, one an image.
    """
    each = losses.get("each", torch.empty(0)).detach().float()
    sums = {
        name: torch.stack([term.detach().float(), torch.ones_like(term, dtype=torch.float)])
        for name, term in losses.items()
        if name != "each"
    }
    for domain in DOMAINS if len(each) else ():
        among = torch.tensor([d == domain for d in domains], device=each.device).float()
        sums[f"loss_by_domain/{domain}"] = torch.stack([(each * among).mean(), among.mean()])
    return sums


def _average(
    network: nn.Module, training: TrainingConfig, accelerator: Accelerator
) -> ModelEmaV3 | None:
    """The moving average of the weights, and of batch norm's statistics, saved with the state."""
    if training.ema == 0:
        return None
    average = ModelEmaV3(network, decay=training.ema, use_warmup=True).to(accelerator.device)
    accelerator.register_for_checkpointing(average)
    return average


def _optimiser(network: nn.Module, training: TrainingConfig) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if training.optimiser == "adamw" else torch.optim.Adam
    return kind(network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay)


def _shown(best: float) -> str:
    return f"{best:.3f}" if math.isfinite(best) else "-"


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in the yielded list, to stop between steps; a second one kills."""
    received: list[int] = []

    def note(number: int, frame: types.FrameType | None) -> None:
        received.append(number)
        signal.signal(number, before[number])

    before: dict[int, Any] = {n: signal.signal(n, note) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
