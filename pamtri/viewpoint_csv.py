"""Viewpoint files: CSV with a header, a row an image, degrees as in ``pamtri.camera``.

``name,azimuth_deg,elevation_deg,roll_deg,distance_lengths,distance_m,error_px,error_lengths,type``.
Names are base names. ``distance_m`` is there where the lens was known. A row with nothing but a
name says that the image gave no viewpoint. Who reads needs name, azimuth_deg and elevation_deg
alone, so that anyone's viewpoints can be scored.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pamtri.attributes import TYPES
from pamtri.errors import DataError
from pamtri.record import Viewpoint
from pamtri.run_folder import write_atomic
from pamtri.viewpoint import Viewpoints

COLUMNS = (
    *("name", "azimuth_deg", "elevation_deg", "roll_deg", "distance_lengths", "distance_m"),
    *("error_px", "error_lengths", "type"),
)
_REQUIRED = COLUMNS[:3]


def write_viewpoints(
    path: Path, names: Sequence[str], found: Viewpoints, calibrated: Sequence[bool]
) -> None:
    """Write a row an image; metres only where its lens is known (``calibrated``)."""
    lines = [",".join(COLUMNS)]
    for i, name in enumerate(names):
        if np.isnan(found.azimuth[i]):
            lines.append(_line([name] + [""] * (len(COLUMNS) - 1)))
            continue
        azimuth = round(float(np.degrees(found.azimuth[i])), 2) % 360
        metres = f"{found.distance[i] * found.length[i]:.2f}" if calibrated[i] else ""
        lines.append(
            _line(
                [
                    name,
                    f"{azimuth:.2f}",
                    f"{np.degrees(found.elevation[i]):.2f}",
                    f"{np.degrees(found.roll[i]):.2f}",
                    f"{found.distance[i]:.3f}",
                    metres,
                    f"{found.error[i]:.2f}",
                    f"{found.relative_error[i]:.4f}",
                    TYPES[found.type[i]],
                ]
            )
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, "\n".join(lines) + "\n")


def read_viewpoints(path: Path) -> dict[str, Viewpoint | None]:
    """Read base name -> viewpoint, None where the row has none.

    Raises DataError naming file and line of a value that is no number, or a name that comes twice.
    """
    found: dict[str, Viewpoint | None] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [c for c in _REQUIRED if c not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: has no column '{missing[0]}'")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                if row["name"] in found:
                    raise DataError(f"{where}: {row['name']} comes a second time")
                found[row["name"]] = _viewpoint(row, where)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from None
    return found


def _viewpoint(row: dict[str, Any], where: str) -> Viewpoint | None:
    if not row["azimuth_deg"]:
        return None
    elevation = _number(row, "elevation_deg", where)
    if abs(elevation) > 90:
        raise DataError(f"{where}: elevation_deg is {elevation:g}, expected -90 to 90")
    return Viewpoint(
        azimuth_deg=_number(row, "azimuth_deg", where) % 360 % 360,  # -1e-20 % 360 is 360
        elevation_deg=elevation,
        roll_deg=_number(row, "roll_deg", where) if row.get("roll_deg") else 0.0,
    )


def _number(row: dict[str, Any], column: str, where: str) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise DataError(f"{where}: {column} is '{row[column]}', expected a number")
    return value


def _line(cells: Sequence[str]) -> str:
    """Cells as CSV; a name may have a comma."""
    return ",".join(
        '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n') else cell for cell in cells
    )
