"""What can be measured of any vehicle's mesh: profiles, widths, wheels, glass.

Measured in the *unit frame*: x forward, y left, z up; the length is 1, x = 0 its middle, y = 0 the
plane of symmetry, z = 0 the ground. NaN where there is nothing to measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from render_assets.imported.surface import Surface

STATIONS = (np.arange(48) + 0.5) / 48 - 0.5
"""x of the cross-sections."""
HEIGHTS = np.array([0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
"""Shares of the vehicle's height."""
WIDTHS = np.array([0.004, 0.45, 0.8])
"""Shares of its half width."""
_FINE = 480
_RADII = np.linspace(0.035, 0.13, 39)
_FAR = 3.0
_WHEEL_WIDTHS = (0.66, 0.74, 0.80, 0.86, 0.91, 0.95)
WHEEL_MISFIT = 0.09
"""Mean distance of a wheel's lower half from a circle, as a share of the radius."""


@dataclass(frozen=True)
class FoundWheels:
    """Axles in the unit frame, front first; the wheels' radius and how ill they fit a circle."""

    front: float
    rear: float
    radius: float
    misfit: float


def measure(surface: Surface, glass: np.ndarray | None) -> np.ndarray:
    """(n,) all features; ``glass`` (m,) bool tells which faces are windows, None if unknown."""
    top = np.stack([_down(surface, share) for share in WIDTHS[:2]])
    height = _height(top)
    half = _half_width(surface, height)
    side = _side(surface, height)
    wheels = find_wheels(surface, half)
    axles = np.full(3, np.nan)
    if wheels is not None:
        axles = np.array([wheels.front, wheels.rear, wheels.radius])
    return np.concatenate(
        [
            [height, half],
            axles,
            top.ravel(),
            side.ravel(),
            _end(surface, height, half, 1).ravel(),
            _end(surface, height, half, -1).ravel(),
            _glass(surface, glass, height, 1),
            _glass(surface, glass, height, -1),
        ]
    )


def half_width(surface: Surface) -> float:
    """Half the body's width, mirrors left out."""
    return _half_width(surface, _height(np.stack([_down(surface, s) for s in WIDTHS[:2]])))


def body_height(surface: Surface) -> float:
    """The roof's height; antennas count little."""
    return _height(np.stack([_down(surface, s) for s in WIDTHS[:2]]))


def _down(surface: Surface, share: float) -> np.ndarray:
    """(stations,) height of the surface at a share of the half width of the bounding box."""
    reach = float(surface.vertices[:, 1].max())
    origins = np.stack(
        [STATIONS, np.full(STATIONS.shape, share * 0.9 * reach), np.full(STATIONS.shape, _FAR)], 1
    )
    distance, _ = surface.cast(origins, np.array([0.0, 0.0, -1.0]))
    return np.where(np.isfinite(distance), _FAR - distance, np.nan)


def _height(top: np.ndarray) -> float:
    found = top[np.isfinite(top)]
    return float(np.quantile(found, 0.95)) if len(found) else 0.3


def _side(surface: Surface, height: float) -> np.ndarray:
    """(heights, stations) half width, the mean of both sides; NaN past the outline."""
    x, z = np.meshgrid(STATIONS, HEIGHTS * height)
    half = []
    for sign in (1.0, -1.0):
        origins = np.stack([x, np.full(x.shape, sign * _FAR), z], axis=-1).reshape(-1, 3)
        distance, _ = surface.cast(origins, np.array([0.0, -sign, 0.0]))
        half.append(np.where(np.isfinite(distance), _FAR - distance, np.nan))
    return np.mean(half, axis=0).reshape(x.shape)


def _half_width(surface: Surface, height: float) -> float:
    side = _side(surface, height)[1:6, 8:-8]
    found = side[np.isfinite(side)]
    return float(np.quantile(found, 0.9)) if len(found) else 0.2


def _end(surface: Surface, height: float, half: float, sign: int) -> np.ndarray:
    """(heights, widths) x of the surface seen from the front (``sign`` 1) or from behind."""
    y, z = np.meshgrid(WIDTHS * half, HEIGHTS * height)
    origins = np.stack([np.full(y.shape, sign * _FAR), y, z], axis=-1).reshape(-1, 3)
    distance, _ = surface.cast(origins, np.array([-float(sign), 0.0, 0.0]))
    return np.where(np.isfinite(distance), sign * (_FAR - distance), np.nan)


def _glass(surface: Surface, glass: np.ndarray | None, height: float, sign: int) -> np.ndarray:
    """(4,) x and z of the lower, then of the upper edge of the windscreen or rear glass."""
    edges = np.full(4, np.nan)
    if glass is None or not glass.any():
        return edges
    z = np.linspace(0.2, 1.0, 81) * height
    origins = np.stack([np.full(z.shape, sign * _FAR), np.full(z.shape, 0.004), z], axis=1)
    distance, face = surface.cast(origins, np.array([-float(sign), 0.0, 0.0]))
    seen = np.flatnonzero((face >= 0) & glass[face])
    if len(seen) < 4:
        return edges
    x = sign * (_FAR - distance)
    low, high = seen[0], seen[-1]
    return np.array([x[low], z[low], x[high], z[high]])


def underside(surface: Surface, half: float) -> tuple[np.ndarray, np.ndarray]:
    """x (n,) of fine stations and the lowest height (n,) where the wheels are, NaN for none."""
    x = (np.arange(_FINE) + 0.5) / _FINE - 0.5
    lowest = np.full(_FINE, np.nan)
    for share in _WHEEL_WIDTHS:
        for sign in (1.0, -1.0):
            origins = np.stack([x, np.full(_FINE, sign * share * half), np.full(_FINE, -1.0)], 1)
            distance, _ = surface.cast(origins, np.array([0.0, 0.0, 1.0]))
            lowest = np.fmin(lowest, np.where(np.isfinite(distance), distance - 1.0, np.nan))
    return x, lowest


def find_wheels(surface: Surface, half: float) -> FoundWheels | None:
    """The foremost and the rearmost round thing that stands on the ground; None without two."""
    x, lowest = underside(surface, half)
    lowest = np.where(np.isfinite(lowest), lowest, 0.5)
    misfit = np.stack([_misfit(x, lowest, radius) for radius in _RADII])
    best = misfit.argmin(axis=0)
    fit = misfit[best, np.arange(_FINE)]
    good = np.flatnonzero(fit < WHEEL_MISFIT)
    groups = [g for g in np.split(good, np.flatnonzero(np.diff(good) > 6) + 1) if len(g)]
    found = [g[fit[g].argmin()] for g in groups]
    if len(found) < 2:
        return None
    rear, front = found[0], found[-1]
    if x[front] - x[rear] < 0.3:
        return None
    sharp = [_refine(x, lowest, x[i], _RADII[best[i]]) for i in (front, rear)]
    radius = float(np.mean([r for _, r in sharp]))
    return FoundWheels(sharp[0][0], sharp[1][0], radius, float(fit[[front, rear]].mean()))


def _misfit(x: np.ndarray, lowest: np.ndarray, radius: float) -> np.ndarray:
    """(n,) how ill a wheel of ``radius`` fits about each station."""
    step = x[1] - x[0]
    reach = int(0.75 * radius / step)
    offset = np.arange(-reach, reach + 1) * step
    arc = radius - np.sqrt(radius**2 - offset**2)
    padded = np.pad(lowest, reach + int(0.6 * radius / step) + 2, constant_values=0.5)
    margin = (len(padded) - len(lowest)) // 2
    centre = np.arange(len(lowest))[:, None] + margin
    under = padded[centre + np.arange(-reach, reach + 1)]
    error = np.minimum(np.abs(under - arc), radius).mean(axis=1) / radius
    # Beside a wheel there is air: without it any low flat floor would do.
    beside = int(1.15 * radius / step)
    free = np.minimum(padded[centre[:, 0] - beside], padded[centre[:, 0] + beside])
    return error + np.where(free > 0.25 * radius, 0.0, 0.2)


def _refine(x: np.ndarray, lowest: np.ndarray, centre: float, radius: float) -> tuple[float, float]:
    """Centre and radius of the circle through a wheel's lower half, by least squares."""
    near = np.abs(x - centre) < 0.8 * radius
    a, z = x[near] - centre, lowest[near]
    fits = z < 0.5 * radius
    a, z = a[fits], z[fits]
    # The circle rests on z = 0: a^2 - 2 a c + z^2 - 2 z r + c^2 = 0.
    system = np.stack([2 * a, 2 * z, np.ones(len(a))], axis=1)
    (shift, found, _), *_ = np.linalg.lstsq(system, a**2 + z**2, rcond=None)
    if abs(found - radius) > 0.25 * radius or abs(shift) > 0.3 * radius:
        return float(centre), float(radius)
    return float(centre + shift), float(found)
