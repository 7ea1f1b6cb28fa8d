"""``pamtri assets import`` and ``pamtri assets check``: other people's meshes as vehicles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import click

from pamtri.attributes import TYPES, VehicleType
from pamtri.errors import DataError, UserError
from pamtri.options import output_option
from render_assets.imported import entry as catalogue
from render_assets.imported.bring_in import Options, bring_in, type_in_name
from render_assets.imported.build import own_paint, specify
from render_assets.imported.checks import findings
from render_assets.imported.entry import Entry
from render_assets.imported.orient import AXES, Hints
from synth.mesh_file import read_mesh_file

_LICENCE_NAMES = ("license", "licence", "copying")
_LONGEST_LICENCE = 4000
"""Characters of a licence file that are taken over."""


class _Place(click.ParamType):
    """X,Y,Z."""

    name = "x,y,z"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float]:
        try:
            x, y, z = (float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"expected three numbers X,Y,Z, got '{value}'", param, ctx)
        return x, y, z


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@output_option
@click.option("--name", help="Of the vehicle; the file's by default.")
@click.option("--source", help="Where the file came from; its name by default.")
@click.option("--licence", help="By default what a LICENSE file beside it says.")
@click.option(
    "--type",
    "vehicle_type",
    type=click.Choice(TYPES),
    help="Found from the file's name or the shape.",
)
@click.option("--style", help="Sub-style that records name; the vehicle's name by default.")
@click.option("--up", type=click.Choice(AXES), help="Axis of the file that points up.")
@click.option("--forward", type=click.Choice(AXES), help="Axis of the file that the front faces.")
@click.option("--length-m", type=click.FloatRange(1, 30), help="Real length, metres.")
@click.option("--ground", type=float, help="Height of the ground along the up axis, file's units.")
@click.option(
    "--wheel", type=click.Path(path_type=Path), help="A mesh of one wheel, to be put in four times."
)
@click.option(
    "--wheel-at",
    type=_Place(),
    multiple=True,
    help="Centre of one of the four wheels in the file's axes and units; give four.",
)
@click.option("--overwrite", is_flag=True, help="Replace the entry that --output holds.")
def import_vehicle(
    file: Path,
    output: Path,
    name: str | None,
    source: str | None,
    licence: str | None,
    vehicle_type: str | None,
    style: str | None,
    up: str | None,
    forward: str | None,
    length_m: float | None,
    ground: float | None,
    wheel: Path | None,
    wheel_at: tuple[tuple[float, float, float], ...],
    overwrite: bool,
) -> None:
    """Make a vehicle of a mesh FILE: .glb, .gltf, .obj, .fbx, .dae, .blend, .ply or .stl.

    Writes asset.json, to be edited, mesh.npz, and overlay.png, to be looked at. Axes are those
    of the file as Blender shows it. Nothing in the file is executed.

    \b
    Examples:
      pamtri assets import suv.fbx --output vehicles/suv
      pamtri assets import chassis.glb --wheel wheel.glb --output vehicles/coupe
      pamtri assets import scan.ply --up +y --forward -x --length-m 4.6 --output vehicles/scan
    """
    if len(wheel_at) not in (0, 4):
        raise UserError(f"--wheel-at: expected four places, got {len(wheel_at)}")
    if wheel_at and wheel is None:
        raise UserError("--wheel-at: expected --wheel with it")
    if (output / catalogue.JSON_FILE).exists() and not overwrite:
        raise UserError(f"{output}: holds a vehicle; --overwrite replaces it, and what was edited")
    kind = cast("VehicleType | None", vehicle_type) or type_in_name(file.stem)
    hints = Hints(up, forward, length_m, kind)
    options = Options(
        name=name or file.stem,
        source=source or file.name,
        licence=licence or _licence_beside(file),
        style=style,
        wheel_at=wheel_at or None,
        ground=ground,
    )
    mesh = read_mesh_file(file)
    turning = None if wheel is None else read_mesh_file(wheel)
    try:
        asset, mesh, unit = bring_in(mesh, hints, options, turning)
    except DataError as error:
        raise DataError(f"{file}: {error}") from None
    catalogue.save_entry(output, asset, mesh)
    entry = catalogue.load_entry(output)
    _tell(entry, unit)
    _draw(entry)


@click.command("check")
@click.argument("folders", metavar="DIR...", type=click.Path(path_type=Path), nargs=-1)
def check_vehicles(folders: tuple[Path, ...]) -> None:
    """Check imported vehicles: symmetry, order, placement; draw their overlays anew.

    Ends with exit status 1 when something is wrong.
    """
    if not folders:
        raise UserError("assets check: expected at least one folder of an imported vehicle")
    wrong = 0
    for folder in folders:
        entry = catalogue.load_entry(folder)
        found = findings(entry)
        wrong += len(found)
        click.echo(f"{folder}: {'in order' if not found else f'{len(found)} findings'}")
        for sentence in found:
            click.echo(f"  {sentence}")
        _draw(entry)
    if wrong:
        sys.exit(1)


def _tell(entry: Entry, unit: str) -> None:
    """Print what was found out."""
    asset, mesh = entry.asset, entry.placed_mesh()
    length, width, height = mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)
    ahead, _, up = asset.transform.rotation
    scale = {
        "given": "as given",
        "shape": "from its shape, as its units fit no real size",
    }.get(unit, f"its unit is {unit}")
    click.echo(
        f"{entry.folder}: {asset.type}, {length:.2f} x {width:.2f} x {height:.2f} m ({scale}), "
        f"up {_axis(up)}, forward {_axis(ahead)}, "
        f"{'symmetric' if asset.symmetric else 'not symmetric'}, {len(mesh.faces):,} triangles"
    )
    for name, material in asset.materials.items():
        click.echo(f"  {name}: {material.role}")
    if not asset.paintable:
        click.echo(f"  no material is paint: it is always {asset.colour}")
    for sentence in findings(entry):
        click.echo(f"  look at {catalogue.OVERLAY_FILE}: {sentence}")


def _axis(row: tuple[float, float, float]) -> str:
    index = max(range(3), key=lambda i: abs(row[i]))
    return ("+" if row[index] > 0 else "-") + "xyz"[index]


def _draw(entry: Entry) -> None:
    from synth.overlay import write_overlay

    spec = specify(entry, None, own_paint(entry.asset), entry.asset.colour)
    write_overlay(spec, entry.folder / catalogue.OVERLAY_FILE)


def _licence_beside(file: Path) -> str | None:
    """The beginning of a licence file in the mesh's folder."""
    if not file.parent.is_dir():
        return None
    for path in sorted(file.parent.iterdir()):
        if path.stem.lower() in _LICENCE_NAMES and path.suffix.lower() in ("", ".txt", ".md"):
            return path.read_text(encoding="utf-8", errors="replace")[:_LONGEST_LICENCE].strip()
    return None
