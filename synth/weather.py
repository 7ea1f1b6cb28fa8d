"""Weather: how it is drawn, and what it does to the vehicle.

``synth.air`` adds what hangs and falls in the air to the picture; the ground is the renderers'.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, get_args

from render_assets.materials import Material
from render_assets.spec import VehicleSpec
from render_assets.vehicle import Vehicle, dirtied, outside
from synth.distributions import LogUniform, Name, Number, Uniform, always, named, one_of, within
from synth.freeze import Effect
from synth.scene import LightSpec, Rgb, WeatherSpec
from synth.streams import Streams

_MIST: Rgb = (0.96, 0.98, 1.0)
_DUST: Rgb = (1.0, 0.84, 0.62)
_CLOSED = 0.9
"""Clouds from which on there is no sun to be seen."""
_SNOWY_AIR_M = 900.0
"""Visibility while snow lies and some of it falls."""


class WeatherConfig(Effect):
    """The weather. ``kind`` says which of the amounts below take part: a dry scene has none."""

    kind: Annotated[Name, one_of(get_args(WeatherSpec.model_fields["kind"].annotation))] = named(
        "dry"
    )
    """``rain`` is wet too; ``rain``, ``fog`` and ``snow`` are cloudy."""
    puddles: Annotated[Number, within(0, 1)] = Uniform(kind="uniform", low=0.0, high=0.4)
    """Share of wet ground that water stands on."""
    spray: Annotated[Number, within(0, 1)] = always(0.0)
    """Opacity of the water behind the wheels, in rain and on wet ground."""
    rain_mm_h: Annotated[Number, within(0, 100)] = Uniform(kind="uniform", low=2, high=20)
    """2 is light rain, 10 is heavy."""
    visibility_m: Annotated[Number, within(5, 20000)] = LogUniform(
        kind="log_uniform", low=60, high=400
    )
    """In fog and dust."""
    snow: Annotated[Number, within(0, 1)] = Uniform(kind="uniform", low=0.4, high=1.0)
    """Share that is covered."""
    dirt: Annotated[Number, within(0, 1)] = Uniform(kind="uniform", low=0.4, high=0.9)
    """On the vehicle in dust."""
    cloud: Annotated[Number, within(0, 1)] = Uniform(kind="uniform", low=0.7, high=1.0)
    """Share of the sun's light that clouds spread over the sky."""


def sample_weather(config: WeatherConfig, streams: Streams) -> WeatherSpec:
    """Draw the weather."""

    def draw(name: str) -> float:
        return streams.number(f"weather.{name}", getattr(config, name))

    kind = streams.name("weather.kind", config.kind)
    amounts: dict[str, object] = {}
    if kind in ("wet", "rain"):
        amounts = {"wetness": 1.0, "puddles": draw("puddles"), "spray": draw("spray")}
    if kind == "rain":
        rain = draw("rain_mm_h")
        amounts |= {"rain_mm_h": rain, "haze": _MIST, "visibility_m": rain_visibility(rain)}
    elif kind == "fog":
        amounts = {"visibility_m": draw("visibility_m"), "haze": _MIST, "wetness": 0.4}
    elif kind == "snow":
        amounts = {"snow": draw("snow"), "wetness": 0.6, "visibility_m": _SNOWY_AIR_M}
    elif kind == "dust":
        amounts = {"visibility_m": draw("visibility_m"), "haze": _DUST, "dirt": draw("dirt")}
    if kind in ("rain", "fog", "snow"):
        amounts["cloud"] = draw("cloud")
    return WeatherSpec.model_validate(
        {"kind": kind, "seed": streams.seed("weather.seed"), **amounts}
    )


def rain_visibility(rain_mm_h: float) -> float | None:
    """Metres at which rain alone lets 2 % of a contrast through: extinction 0.25 R^0.63 a
    kilometre (D. Atlas, "Optical extinction by rainfall", J. Meteorology 10, 1953)."""
    return 3912.0 / (0.25 * rain_mm_h**0.63) if rain_mm_h > 0 else None


def clouded(light: LightSpec, weather: WeatherSpec) -> LightSpec:
    """The light under the clouds: they take from the sun, soften its shadows, close the sky."""
    cloud = max(light.overcast, weather.cloud)
    if not cloud:
        return light
    sun = light.sun
    if sun is not None:
        softer = min(sun.angle_deg + 25 * cloud**2, 90.0)
        left = {"strength": sun.strength * (1 - cloud), "angle_deg": softer}
        sun = sun.model_copy(update=left) if cloud < _CLOSED else None
    sky = light.sky
    if sky is not None:
        sky = sky.model_copy(update={"clouds": max(sky.clouds, cloud)})
    return light.model_copy(update={"sun": sun, "sky": sky})


def in_weather(vehicle: Vehicle, weather: WeatherSpec) -> Vehicle:
    """The vehicle with the dirt and snow of the weather on it; itself where there is none.

    Imported vehicles, of which it is not known what is outside, stay as they are.
    """
    spec = vehicle.spec
    if not isinstance(spec, VehicleSpec) or not (weather.snow or weather.dirt):
        return vehicle
    known = vehicle.materials
    if weather.dirt > spec.marks.dirt:
        known = dirtied(known, spec, weather.dirt)
    if weather.snow:
        white = {name: replace(known[name], snow=weather.snow) for name in _snowed_on(known)}
        known = known | white
    return replace(vehicle, materials=known)


def _snowed_on(known: dict[str, Material]) -> list[str]:
    """Wheels turn, and plates stand upright."""
    wheels = ("tyre", "alloy", "steel", "polished_steel", "plate", "rubber")
    return [name for name in outside(known) if not name.startswith(wheels)]
