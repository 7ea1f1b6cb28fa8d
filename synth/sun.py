"""Where the sun stands by time and latitude, and what its light and the sky's are like there.

Declination: J. Spencer, "Fourier series representation of the position of the sun", Search 2(5),
1971 (within 0.04 degrees). Air mass: F. Kasten and A. Young, Applied Optics 28, 1989. Rayleigh's
scattering: J. Hansen and L. Travis, Space Science Reviews 16, 1974; haze: A. Angstrom's law with
turbidity 0.08.
"""

from __future__ import annotations

import numpy as np

from synth.scene import Rgb

_WAVELENGTHS = np.array([0.610, 0.550, 0.465])
"""Micrometres, about where sRGB's primaries are."""
_REC709 = np.array([0.2126, 0.7152, 0.0722])
_SKY_BY_ELEVATION = (
    # Sun's elevation, degrees; brightness, a fraction of the day's; red and blue over green. The
    # fall from day to night is that of real skies with its logarithm halved and more: pictures
    # with their exposure made up for look alike, and lamps need not be a thousand times brighter.
    # What is left at night is a town's glow.
    (-18.0, 0.020, 0.95, 1.10),
    (-9.0, 0.025, 0.80, 1.30),
    (-6.0, 0.050, 0.70, 1.45),
    (-3.0, 0.12, 0.78, 1.32),
    (0.0, 0.30, 0.95, 1.12),
    (5.0, 0.60, 1.0, 1.02),
    (12.0, 1.0, 1.0, 1.0),
)


def solar_position(hour: float, day_of_year: float, latitude_deg: float) -> tuple[float, float]:
    """Elevation above the horizon and azimuth clockwise from north, degrees.

    ``hour`` 0..24 of local solar time, ``day_of_year`` 1..366.
    """
    year = 2 * np.pi * (day_of_year - 1 + (hour - 12) / 24) / 365
    waves = np.array([np.cos(year), np.sin(year), np.cos(2 * year), np.sin(2 * year),
                      np.cos(3 * year), np.sin(3 * year)])  # fmt: skip
    terms = np.array([-0.399912, 0.070257, -0.006758, 0.000907, -0.002697, 0.00148])
    declination = 0.006918 + float(terms @ waves)
    angle, latitude = np.radians(15 * (hour - 12)), np.radians(latitude_deg)
    up = np.sin(latitude) * np.sin(declination)
    up += np.cos(latitude) * np.cos(declination) * np.cos(angle)
    east = -np.cos(declination) * np.sin(angle)
    north = np.cos(latitude) * np.sin(declination)
    north -= np.sin(latitude) * np.cos(declination) * np.cos(angle)
    elevation = np.degrees(np.arcsin(np.clip(up, -1, 1)))
    return float(elevation), float(np.degrees(np.arctan2(east, north)) % 360)


def sunlight(elevation_deg: float) -> tuple[float, Rgb]:
    """Share of its strength outside the air that the sun has left, and its colour, linear RGB with
    1 as the largest, relative to the sun high in the sky. None is left below the horizon."""
    if elevation_deg <= 0:
        return 0.0, (1.0, 0.5, 0.2)
    left, noon = _transmission(elevation_deg), _transmission(60.0)
    red, green, blue = (left / noon / (left / noon).max()).tolist()
    return float(_REC709 @ left), (red, green, blue)


def _transmission(elevation_deg: float) -> np.ndarray:
    """(3,) share of red, green and blue light that a clear sky lets through."""
    high = np.sin(np.radians(elevation_deg))
    mass = 1 / (high + 0.50572 * (elevation_deg + 6.07995) ** -1.6364)
    square = _WAVELENGTHS**-2
    air = 0.008569 * square**2 * (1 + 0.0113 * square + 0.00013 * square**2)
    haze = 0.08 * _WAVELENGTHS**-1.3
    return np.asarray(np.exp(-mass * (air + haze)))


def skylight(elevation_deg: float) -> Rgb:
    """Factor on a day's sky with the sun at an elevation: dimmer and bluer at dusk."""
    table = np.array(_SKY_BY_ELEVATION)
    level, red, blue = (np.interp(elevation_deg, table[:, 0], column) for column in table.T[1:])
    level = np.exp(np.interp(elevation_deg, table[:, 0], np.log(table[:, 1])))
    tint = np.array([red, 1.0, blue])
    tint /= max(1.0, float(_REC709 @ tint))
    r, g, b = np.clip(level * tint, 0, 1).tolist()
    return r, g, b


def black_body(temperature_k: float) -> Rgb:
    """Linear RGB of a black body, its largest channel 1; 6500 K is white.

    Planck's law at 610, 550 and 465 nm, about where sRGB's primaries are.
    """
    second_constant = 1.438777e-2  # h c / k, metre kelvin
    x = second_constant / (_WAVELENGTHS * 1e-6)
    radiance = np.expm1(x / 6500.0) / np.expm1(x / temperature_k)
    red, green, blue = (radiance / radiance.max()).tolist()
    return red, green, blue
