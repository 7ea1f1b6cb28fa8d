"""Shards of one data set on the nodes of a Ray cluster, all of which see the data set's folder.

Ray decides where a shard runs and starts it again elsewhere when its node dies; what is done and
what is not is written in the folder, as it is without Ray, so a repeated shard makes only the rest.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pamtri.dataset import RECORDS_FOLDER
from pamtri.errors import UserError
from pamtri.progress import progress
from pamtri.run_folder import CONFIG_FILE, open_run_folder
from synth.config import SynthConfig
from synth.images import OpenRenderer, open_renderer
from synth.run import Outcome, disk_errors, render_shard
from synth.sampling import sample_scene
from synth.shards import Shard, recorded_images

_SHARDS_PER_PLACE = 4
"""So many shards for every one that runs at a time: the last to end do not keep the rest waiting
long, and starting renderers costs little."""
_RESTARTS = 3
"""How often a shard may lose its node."""
_SECONDS_BETWEEN_LOOKS = 1.0


def render_on_cluster(
    config: SynthConfig,
    root: Path,
    address: str = "auto",
    resume: bool = False,
    open_renderer: OpenRenderer = open_renderer,
) -> Outcome:
    """Render the data set of ``config`` into ``root`` on the Ray cluster at ``address``.

    ``auto`` is the cluster that this machine belongs to. As many shards run at a time as the
    cluster has GPUs, or CPUs where it has no GPU or the configuration wants none. Raises UserError
    where Ray is missing or has no cluster there, where a node does not see ``root``, for a shard
    that loses its node again and again, and as ``render_dataset`` does.
    """
    ray = _import_ray()
    root = root.resolve()
    sample_scene(config, config.seed, 0)  # what cannot be sampled claims no folder
    with disk_errors(root), _connected(ray, address):
        open_run_folder(root, "synth", config, resume)
        needs, places = _places(config, ray.cluster_resources())
        of = min(config.identities, _SHARDS_PER_PLACE * places)
        task = ray.remote(max_retries=_RESTARTS, **needs)(_render_here)
        running = {
            task.remote(config, root, shard, open_renderer): shard
            for shard in (Shard(number, of) for number in range(1, of + 1))
        }
        try:
            failed = _follow(ray, config, root, running)
        finally:
            for reference in running:
                ray.cancel(reference)
    return Outcome(config.count, len(recorded_images(root)), failed)


def _follow(ray: Any, config: SynthConfig, root: Path, running: dict[Any, Shard]) -> int:
    """Wait for all of ``running``, taking out what has ended; return how many scenes failed."""
    failed, tally = 0, _Tally(root)
    with progress(config.count, config.name, initial=tally.new_lines()) as bar:
        while running:
            ended, _ = ray.wait(list(running), timeout=_SECONDS_BETWEEN_LOOKS)
            for reference in ended:
                failed += _result(ray, reference, running.pop(reference)).failed
                bar.set_postfix(failed=failed)
            bar.update(tally.new_lines())
    return failed


def _result(ray: Any, reference: Any, shard: Shard) -> Outcome:
    """What became of an ended shard. Raises UserError where it could not be rendered."""
    try:
        outcome: Outcome = ray.get(reference)
    except ray.exceptions.RayTaskError as error:  # raised by our own code over there
        if isinstance(error.cause, UserError):
            raise UserError(str(error.cause)) from None
        raise
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"shard {shard.number}/{shard.of} lost its node {_RESTARTS + 1} times ({reason}); "
            "continue with --resume"
        ) from error
    return outcome


def _render_here(
    config: SynthConfig, root: Path, shard: Shard, open_renderer: OpenRenderer
) -> Outcome:
    """Render one shard on the node that runs this.

    A node that only seems dead may still be at it: waiting for it costs time, and nothing twice.
    """
    if not (root / CONFIG_FILE).exists():
        raise UserError(
            f"{root}: node {socket.gethostname()} does not see this folder; --cluster needs one "
            "that all nodes share"
        )
    with disk_errors(root):
        return render_shard(config, root, shard, 1, open_renderer, wait=True)


def _places(config: SynthConfig, resources: dict[str, float]) -> tuple[dict[str, int], int]:
    """What a shard asks of Ray, and how many run at a time."""
    gpus = int(resources.get("GPU", 0))
    if gpus and config.renderer == "blender" and config.device != "cpu":
        return {"num_cpus": 1, "num_gpus": 1}, gpus
    return {"num_cpus": 1}, max(1, int(resources.get("CPU", 1)))


class _Tally:
    """Counts records as they appear, without reading any byte twice."""

    def __init__(self, root: Path) -> None:
        self._folder = root / RECORDS_FOLDER
        self._read: dict[Path, int] = {}

    def new_lines(self) -> int:
        """Number of lines that ended since it was last asked."""
        count = 0
        for path in self._folder.glob("*.jsonl"):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                data = file.read()
            whole = data.rfind(b"\n") + 1  # what is unfinished may be cut off again
            self._read[path] = self._read.get(path, 0) + whole
            count += data.count(b"\n")
        return count


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UserError(
            "--cluster needs Ray, which is not installed: pip install 'pamtri-workbench[cluster]'"
        ) from None
    return ray


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Be connected to a cluster, and part from it if this connected."""
    if ray.is_initialized():
        yield
        return
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"no Ray cluster at '{address}' ({reason}); start one with `ray start --head`"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()
