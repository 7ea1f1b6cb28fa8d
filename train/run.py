"""From a configuration file to a finished training."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs

from pamtri.config import load_config
from pamtri.run_folder import open_run_folder
from train.card import write_card
from train.config import TrainConfig
from train.draws_picture import write_draws
from train.loop import BEST, Task, train_network
from train.mixing import mix_of
from train.sheet import write_sheet


def train_from(
    path: Path, model: type[TrainConfig], folder: Path, resume: bool, overrides: tuple[str, ...]
) -> None:
    """Run the training of the configuration at ``path`` in ``folder``."""
    train_run(load_config(path, model, overrides), folder, resume)


def train_run(config: TrainConfig, folder: Path, resume: bool = False) -> None:
    """Train as ``config`` says, in ``folder``; print the outcome."""
    accelerator = Accelerator(
        mixed_precision=config.training.mixed_precision,
        step_scheduler_with_optimizer=False,
        # Accelerate lets several processes share a training on CPUs only when it is told to.
        cpu=not torch.accelerator.is_available(),
        # What a stage freezes gets no gradients, which other processes would wait for.
        kwargs_handlers=[
            DistributedDataParallelKwargs(
                find_unused_parameters=any(stage.frozen for stage in config.stages)
            )
        ],
    )
    # The network's first weights come from torch's generator: here it is the seed's, and nobody
    # else's is touched.
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        task = _task(config, accelerator)
    if accelerator.is_main_process:
        open_run_folder(folder, task.kind, config, resume)
        click.echo(task.describe())
        write_sheet(folder, task.batches, config.training.steps)
    accelerator.wait_for_everyone()
    card = partial(write_card, folder / BEST, config, task.split)
    position = train_network(task, folder, accelerator, card)
    if accelerator.is_main_process:
        sizes = {source: len(samples) for source, samples in task.split.training.items()}
        write_draws(folder, mix_of(config, sizes), sizes)
        click.echo(f"{folder / BEST}: {task.metric} {position.best:.3f} on validation images")


def inference_device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _task(config: TrainConfig, accelerator: Accelerator) -> Task:
    from train.pose.config import PoseConfig
    from train.pose.task import PoseTask
    from train.reid.config import ReidConfig
    from train.reid.task import ReidTask

    match config:
        case PoseConfig():
            return PoseTask(config, accelerator)
        case ReidConfig():
            return ReidTask(config, accelerator)
        case _:
            raise TypeError(type(config))
