"""Light by the hour: the sun by time and latitude, street lamps, shadows of what is not seen."""

from __future__ import annotations

from typing import Annotated, get_args

from synth.distributions import Name, Number, Probability, Uniform, always, named, one_of, within
from synth.freeze import Effect
from synth.scene import LampSpec, ShadowSpec, TimeSpec
from synth.streams import Streams
from synth.sun import black_body, solar_position

LIGHTS_ON_DEG = 3.0
"""Elevation of the sun below which vehicles have their lights on and street lamps shine."""


class TimeConfig(Effect):
    """The sun by time and latitude, in place of ``sun.azimuth_deg``, ``sun.elevation_deg``,
    ``sun.temperature_k`` and ``sun.probability``; ``sun.strength`` is that outside the air. The sky
    dims as the sun sets, and vehicles turn their lights on."""

    probability: Probability = 0.0
    """How often there is a time of day."""

    hour: Annotated[Number, within(0, 24)] = Uniform(kind="uniform", low=7, high=18)
    """Of local solar time: at 12 the sun is highest."""
    day_of_year: Annotated[Number, within(1, 366)] = Uniform(kind="uniform", low=1, high=365)
    """1 is the first of January."""
    latitude_deg: Annotated[Number, within(-90, 90)] = always(38.0)
    """North is positive."""
    heading_deg: Annotated[Number, within(0, 360)] = Uniform(kind="uniform", low=0, high=360)
    """Of the vehicle, clockwise from north."""


class StreetLampConfig(Effect):
    """Lamps over the street, outside the image. Where ``time`` says the hour, they shine in the
    dark only."""

    probability: Probability = 0.0
    """How often there are any."""
    count: Annotated[Number, within(1, 6)] = Uniform(kind="uniform", low=1, high=4)
    """Of lamps near the vehicle."""
    height_m: Annotated[Number, within(3, 20)] = Uniform(kind="uniform", low=6, high=10)
    """Above the ground."""
    strength: Annotated[Number, within(0, 5)] = Uniform(kind="uniform", low=0.2, high=0.6)
    """Irradiance on the ground under each, W/m2."""
    temperature_k: Annotated[Number, within(1500, 8000)] = Uniform(
        kind="uniform", low=2000, high=4500
    )
    """Sodium lamps are near 2000, white diodes near 4000."""


class ShadowConfig(Effect):
    """The shadow, in sunlight, of something that is not in the image."""

    probability: Probability = 0.0
    """How often there is one."""
    kind: Annotated[Name, one_of(get_args(ShadowSpec.model_fields["kind"].annotation))] = named(
        "tree"
    )
    """What casts it."""
    across_m: Annotated[Number, within(-20, 20)] = Uniform(kind="uniform", low=-2.5, high=2.5)
    """Of its middle from the vehicle's, across the light."""
    along_m: Annotated[Number, within(-20, 20)] = Uniform(kind="uniform", low=-1.5, high=1.5)
    """The same along it."""


def sample_time(config: TimeConfig, streams: Streams) -> tuple[TimeSpec, float] | None:
    """Draw a time, or none; also the azimuth of its sun about the vehicle, degrees, as cameras
    count it."""
    if not streams.happens("light.time.probability", config.probability):
        return None
    hour, day, latitude, heading = (
        streams.number(f"light.time.{name}", getattr(config, name))
        for name in ("hour", "day_of_year", "latitude_deg", "heading_deg")
    )
    elevation, compass = solar_position(hour, day, latitude)
    time = TimeSpec(
        hour=hour,
        day_of_year=day,
        latitude_deg=latitude,
        heading_deg=heading,
        sun_elevation_deg=elevation,
    )
    return time, (heading - compass) % 360


def is_dark(time: TimeSpec | None) -> bool:
    """Whether one drives with lights on."""
    return time is not None and time.sun_elevation_deg < LIGHTS_ON_DEG


def sample_lamps(config: StreetLampConfig, streams: Streams) -> tuple[LampSpec, ...]:
    """Draw street lamps in a row beside the vehicle's lane."""
    key = "light.street_lamps"
    if not streams.happens(f"{key}.probability", config.probability):
        return ()
    count, height, strength, temperature = (
        streams.number(f"{key}.{name}", getattr(config, name))
        for name in ("count", "height_m", "strength", "temperature_k")
    )
    rng = streams.rng(f"{key}.place")
    side, first, spacing = rng.choice([-1.0, 1.0]), rng.uniform(-8, 8), rng.uniform(2.2, 3.5)
    lamps = []
    for number in range(round(count)):
        # Before and behind by turns, so that more lamps leave the first where they are.
        step = (number + 1) // 2 * (1 if number % 2 else -1)
        x, y = first + step * spacing * height, side * (2.5 + abs(rng.normal(0, 1.0)))
        lamps.append(
            LampSpec(
                position=(float(x), float(y), height),
                strength=strength,
                colour=black_body(temperature),
            )
        )
    return tuple(lamps)


def sample_shadow(config: ShadowConfig, streams: Streams) -> ShadowSpec | None:
    """Draw what stands between the sun and the vehicle, if anything does."""
    key = "light.shadow"
    if not streams.happens(f"{key}.probability", config.probability):
        return None
    return ShadowSpec(
        kind=streams.name(f"{key}.kind", config.kind),  # type: ignore[arg-type]
        offset=(
            streams.number(f"{key}.across_m", config.across_m),
            streams.number(f"{key}.along_m", config.along_m),
        ),
        seed=streams.seed(f"{key}.seed"),
    )


def lamp_irradiance(lamps: tuple[LampSpec, ...]) -> float:
    """W/m2 on level ground at the vehicle's middle from matt discs that face down."""
    total = 0.0
    for lamp in lamps:
        x, y, height = lamp.position
        total += lamp.strength * (height**2 / (x**2 + y**2 + height**2)) ** 2
    return total
