"""Whether labels are true: ``python benchmarks/labels.py``.

Random scenes over all presets, every fourth of them small. The masks and depths of the labels,
Cycles and the raster renderer are held against each other, and the keypoints' visibility against
Blender's own ray cast. Prints a row a preset, the keypoints in dispute and every failure; ends with
status 1 if there is one.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from pathlib import Path

import click

from pamtri.config import load_config
from pamtri.keypoints import NUM_KEYPOINTS
from pamtri.progress import progress
from synth.blender.agreement import SMALL_PX, Agreement, compare
from synth.blender.renderer import BlenderRenderer
from synth.blender.witness import CyclesWitness
from synth.config import SynthConfig
from synth.geometry import build_geometry
from synth.raster import RasterRenderer
from synth.sampling import sample_scene

ROOT = Path(__file__).resolve().parent.parent
MOST_DISPUTES = 0.005
PAIRS = (("cycles", "raster"), ("cycles", "labels"), ("raster", "labels"))


@click.command()
@click.option("--scenes", default=300, show_default=True)
@click.option("--first", default=0, show_default=True, help="Number of the first vehicle.")
def main(scenes: int, first: int) -> None:
    """Compare SCENES scenes, in turn of each configuration in configs/synth."""
    configs = {p.stem: p for p in sorted((ROOT / "configs" / "synth").glob("*.yaml"))}
    witnesses = {"cycles": CyclesWitness(BlenderRenderer(threads=1)), "raster": RasterRenderer()}
    results: dict[str, list[Agreement]] = defaultdict(list)
    failures: list[str] = []
    grazing: list[str] = []
    with progress(scenes, "labels") as bar:
        for number, name in zip(range(scenes), itertools.cycle(configs), strict=False):
            size = ["image.size_px=40"] if number // len(configs) % 4 == 3 else []
            config = load_config(configs[name], SynthConfig, size)
            place = (first + number // len(configs)) % config.identities
            index = place * config.images_per_identity + place % config.images_per_identity
            spec = sample_scene(config, config.seed, index)
            found = compare(spec, build_geometry(spec), witnesses)
            results[name].append(found)
            where = f"{name} {index} ({found.size} px)"
            failures += [f"{where}: {text}" for text in found.faults()]
            grazing += [f"{where}: {d}" for d in found.disputes if d.grazing]
            bar.update()
    click.echo(table(results))
    if len(grazing) > MOST_DISPUTES * NUM_KEYPOINTS * scenes:
        failures.append(f"{len(grazing)} keypoints are in dispute, at most {MOST_DISPUTES:.1%} may")
    click.echo("\n".join([*grazing, "", *(failures or ["nothing failed"])]))
    sys.exit(bool(failures))


def table(results: dict[str, list[Agreement]]) -> str:
    """A row a preset: the worst of its scenes, and the share of keypoints that agree."""
    head = "".join(f"{f'{a}-{b}':>26}" for a, b in PAIRS)
    lines = [
        f"worst IoU of large / small vehicles, and of depths\n{'':22}{'scenes':>7}{head} points"
    ]
    for name, found in [*results.items(), ("all", [f for r in results.values() for f in r])]:
        cells = "".join(f"{_cell(found, pair):>26}" for pair in PAIRS)
        agreed = 1 - sum(len(f.disputes) for f in found) / (NUM_KEYPOINTS * len(found))
        lines.append(f"{name:22}{len(found):7}{cells}{agreed:8.2%}")
    return "\n".join(lines)


def _cell(found: list[Agreement], pair: tuple[str, str]) -> str:
    large = [f.pairs[pair].iou for f in found if f.size >= SMALL_PX]
    small = [f.pairs[pair].iou for f in found if f.size < SMALL_PX]
    depth = min(f.pairs[pair].depth for f in found)
    ious = " / ".join(f"{min(v):.4f}" if v else "-" for v in (large, small))
    return f"{ious} ({depth:.1%})"


if __name__ == "__main__":
    main()
