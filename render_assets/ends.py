"""What is cut into a vehicle's front and rear: grille, intakes, fog lamps, plate recess."""

from __future__ import annotations

from render_assets.fittings import grille_bounds, plate_z
from render_assets.skin import Field, Skin, plane
from render_assets.spec import VehicleSpec


def cut_ends(skin: Skin, spec: VehicleSpec) -> None:
    """Label the graphics of both ends on the skin."""
    _front(skin, spec)
    _rear(skin, spec)


def _rectangle(y: tuple[float, float], z: tuple[float, float]) -> list[Field]:
    """The sides of a rectangle in front view."""
    return [plane("z", z[0], -1), plane("z", z[1]), plane("y", y[0], -1), plane("y", y[1])]


def _front(skin: Skin, spec: VehicleSpec) -> None:
    """Grille with its frame, lower intake, fog lamps."""
    s, half = spec.shape, spec.shape.width / 2
    rise = s.nose_z - s.clearance
    low, high, width = grille_bounds(spec)
    face = ("front", "bonnet", "clad_front")
    if spec.trim.chrome:
        frame = _rectangle((-1, width + 0.018), (low - 0.018, high + 0.018))
        skin.region(frame, "grille_frame", face)
    skin.region(_rectangle((-1, width), (low, high)), "grille", (*face, "grille_frame"))
    z = (s.clearance + 0.10 * rise, s.clearance + 0.30 * rise)
    skin.region(_rectangle((-1, 0.60 * half), z), "intake", ("front", "clad_front"))
    z = (s.clearance + 0.20 * rise, s.clearance + 0.20 * rise + 0.075)
    y = (0.66 * half, 0.66 * half + 0.13)
    skin.region(_rectangle(y, z), "fog_lamp", ("front", "clad_front", "fender"))


def _rear(skin: Skin, spec: VehicleSpec) -> None:
    """Recess for the plate, reflectors, bumper's lower plastic."""
    s, half = spec.shape, spec.shape.width / 2
    if spec.load is not None:
        return
    z = plate_z(spec)
    skin.region(_rectangle((-1, 0.30), (z - 0.08, z + 0.08)), "plate_recess", ("rear", "boot"))
    low = s.clearance + 0.22
    skin.region(
        _rectangle((0.62 * half, 0.62 * half + 0.16), (low, low + 0.04)), "reflector", ("rear",)
    )
