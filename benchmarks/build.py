"""How fast vehicles are drawn and built: ``python benchmarks/build.py``.

Prints processor time, which other work on the machine disturbs least, and the ratio to what is
allowed: below 1 is fast enough.
"""

from __future__ import annotations

import time

import click
import numpy as np

from render_assets.spec import sample_vehicle
from render_assets.vehicle import build_vehicle

SPECS_ALLOWED_S, BUILD_ALLOWED_S = 1.0, 0.1
"""Seconds on one core for 1,000 specs, and for the meshes of one vehicle."""


@click.command()
@click.option("--count", default=40, show_default=True, help="Vehicles that are built.")
def main(count: int) -> None:
    """Time 1,000 specs, and the meshes of the first of them. Set OMP_NUM_THREADS=1 for one core."""
    sample_vehicle(1, 0)
    build_vehicle(sample_vehicle(1, 0))  # pays for start-up
    start = time.process_time()
    specs = [sample_vehicle(0, i) for i in range(1000)]
    drawn = time.process_time() - start
    times, triangles = [], []
    for spec in specs[:count]:
        start = time.process_time()
        vehicle = build_vehicle(spec)
        times.append(time.process_time() - start)
        triangles.append(sum(len(part.faces) for part in vehicle.parts))
    click.echo(f"1,000 specs: {drawn:.2f} s, ratio {drawn / SPECS_ALLOWED_S:.2f}")
    mean = float(np.mean(times))
    click.echo(
        f"a vehicle:   {1000 * mean:.0f} ms (median {1000 * np.median(times):.0f}), ratio "
        f"{mean / BUILD_ALLOWED_S:.2f}; {min(triangles)} to {max(triangles)} triangles"
    )


if __name__ == "__main__":
    main()
