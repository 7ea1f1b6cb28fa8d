"""``sample_scene``: configuration, seed and index become the description of one image.

A pure function: no clock, no global generator. Each factor draws from a stream of its own that is
named by its key in the configuration, so changing one leaves all others as they were.
"""

from __future__ import annotations

import colorsys
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import lcm

import numpy as np

from pamtri.config import Config
from synth.camera_config import CameraConfig
from synth.config import (
    SKY,
    BackdropConfig,
    ColourConfig,
    FixedCamera,
    GroundConfig,
    LightConfig,
    SensorConfig,
    SunConfig,
    SynthConfig,
)
from synth.distributions import Uniform
from synth.motion import sheared, speed_blur
from synth.night import is_dark, sample_lamps, sample_shadow, sample_time
from synth.placement import sample_occluders
from synth.plates import list_plates, plate_digest
from synth.scene import (
    BackdropSpec,
    CameraSpec,
    GroundSpec,
    LightSpec,
    PlateSpec,
    Rgb,
    SceneSpec,
    SensorSpec,
    SkySpec,
    SunSpec,
    TimeSpec,
)
from synth.state import sample_state
from synth.streams import Streams
from synth.sun import black_body, skylight, sunlight
from synth.viewing import outline_points, sample_camera
from synth.weather import sample_weather

_CAMERA_STREAM, _IDENTITY_STREAM = 1, 2
"""Set the streams of fixed cameras and identities apart from those of images."""


NOISE_AT_ISO_100 = 0.007
"""Standard deviation at mid grey (sRGB values 0..1) of a small sensor's picture: some 1,000
electrons of signal make shot noise of 3 %, which the tone curve reduces. It grows with the square
root of the sensitivity, as the electrons get fewer."""


@dataclass(frozen=True)
class Shot:
    """Which vehicle an image shows, by which fixed camera, for which split."""

    identity: int
    split: str
    fixed_camera: FixedCamera | None
    turn: int = 0
    """Which of the identity's images it is."""


def plan_shot(config: SynthConfig, seed: int, index: int) -> Shot:
    """The coverage of the data set: identity after identity, each going round the fixed cameras.

    Raises ValueError for an index outside 0..count - 1.
    """
    if not 0 <= index < config.count:
        raise ValueError(f"index {index} is outside the data set's 0..{config.count - 1}")
    place, turn = divmod(index, config.images_per_identity)
    identity = config.identity_offset + place
    split = _split_of(config, place)
    if split == "test":
        split = "query" if turn < config.queries_per_identity else "gallery"
    if not config.fixed_cameras:
        return Shot(identity, split, None, turn)
    order = Streams((seed, identity, _IDENTITY_STREAM)).rng("camera order")
    round_trip = order.permutation(len(config.fixed_cameras))
    fixed = config.fixed_cameras[round_trip[turn % len(round_trip)]]
    return Shot(identity, split, fixed, turn)


def azimuth_sector(sectors: int, cameras: int, seed: int, identity: int, turn: int) -> int:
    """The sector of ``sectors`` in which image ``turn`` of an identity sees it; 0 is the front.

    Every ``sectors`` turns in a row from a multiple of it on see each sector once, in an order of
    the identity's own. Where that would always pair the same sectors with the same of ``cameras``
    fixed cameras, the order moves on by one after each common round.
    """
    order = Streams((seed, identity, _IDENTITY_STREAM)).rng("camera.balanced_azimuths")
    rounds = turn // lcm(sectors, max(cameras, 1))
    return int(order.permutation(sectors)[(turn + rounds) % sectors])


def sample_scene(config: SynthConfig, seed: int, index: int) -> SceneSpec:
    """Image ``index`` of the data set that ``config`` and ``seed`` make, before it is rendered."""
    shot = plan_shot(config, seed, index)
    vehicle = config.vehicle.sample(seed, shot.identity, shot.turn)
    facts = {"type": vehicle.type, "style": vehicle.style}
    number = None
    if shot.fixed_camera is not None:
        config = config.seen_by(shot.fixed_camera)
        number = shot.fixed_camera.id
        facts["camera"] = str(number)
    streams = place = Streams((seed, index), facts)
    if number is not None:
        place = Streams((seed, number, _CAMERA_STREAM), {"camera": str(number)})
    camera = _balanced(config, seed, shot)
    view = sample_camera(camera, config.image, streams, vehicle, number)
    view = sheared(view, streams.number("camera.rolling_shutter", camera.rolling_shutter))
    light = _light(config.light, streams)
    return SceneSpec(
        seed=seed,
        index=index,
        split=shot.split,
        vehicle=vehicle,
        camera=view,
        light=light,
        ground=_ground(config.ground, place),
        backdrop=_backdrop(config.backdrop, place),
        weather=sample_weather(config.weather, streams),
        occluders=sample_occluders(
            config.occluders,
            streams,
            view,
            outline_points(vehicle),
            _colour("occluders.colour", config.occluders.colour, streams),
        ),
        state=sample_state(config.state, streams, is_dark(light.time)),
        sensor=_sensor(config.sensor, streams, view),
        samples=config.samples,
    )


def _split_of(config: SynthConfig, place: int) -> str:
    """The split of the identity at ``place``: the splits are consecutive blocks of identities."""
    return list(config.splits)[bisect_right(config.split_ends, place)]


def _balanced(config: SynthConfig, seed: int, shot: Shot) -> CameraConfig:
    """The camera's section with the azimuths of the sector that is the shot's turn."""
    camera, sectors = config.camera, config.camera.balanced_azimuths
    if sectors is None:
        return camera
    sector = azimuth_sector(sectors, len(config.fixed_cameras), seed, shot.identity, shot.turn)
    low, high = ((sector + side) * 360 / sectors for side in (-0.5, 0.5))
    azimuth = Uniform(kind="uniform", low=low, high=high)
    return camera.model_copy(update={"azimuth_deg": azimuth})


def _light(config: LightConfig, streams: Streams) -> LightSpec:
    hdri = streams.name("light.hdri", config.hdri)
    clouds = streams.number("light.clouds", config.clouds)
    lamps = sample_lamps(config.street_lamps, streams)
    timed = sample_time(config.time, streams)
    if timed is None:
        time, dusk = None, (1.0, 1.0, 1.0)
        sun = _sun(config.sun, streams)
    else:
        time, azimuth = timed
        sun, dusk = _sun_at(time, azimuth, config.sun, streams), skylight(time.sun_elevation_deg)
        lamps = lamps if is_dark(time) else ()
    return LightSpec(
        hdri=hdri,
        sky=SkySpec(clouds=clouds, seed=streams.seed("light.sky")) if hdri == SKY else None,
        rotation_deg=streams.number("light.rotation_deg", config.rotation_deg),
        strength=streams.number("light.strength", config.strength),
        sun=sun,
        time=time,
        dusk=dusk,
        overcast=streams.number("light.overcast", config.overcast),
        lamps=lamps,
        shadow=sample_shadow(config.shadow, streams),
    )


def _sun(config: SunConfig, streams: Streams) -> SunSpec | None:
    if not streams.happens("light.sun.probability", config.probability):
        return None
    draw = _numbers("light.sun", config, streams)
    return SunSpec(colour=black_body(draw.pop("temperature_k")), **draw)


def _sun_at(
    time: TimeSpec, azimuth_deg: float, config: SunConfig, streams: Streams
) -> SunSpec | None:
    """The sun where it stands at a time, None below the horizon."""
    share, colour = sunlight(time.sun_elevation_deg)
    if not share:
        return None
    draw = _numbers("light.sun", config, streams)
    return SunSpec(
        azimuth_deg=azimuth_deg,
        elevation_deg=time.sun_elevation_deg,
        strength=draw["strength"] * share,
        angle_deg=draw["angle_deg"],
        colour=colour,
    )


def _ground(config: GroundConfig, streams: Streams) -> GroundSpec:
    return GroundSpec(
        kind=streams.name("ground.kind", config.kind),  # type: ignore[arg-type]
        colour=_colour("ground.colour", config.colour, streams),
        roughness=streams.number("ground.roughness", config.roughness),
        markings=streams.happens("ground.markings_probability", config.markings_probability),
        seed=streams.seed("ground.seed"),
    )


def _backdrop(config: BackdropConfig, streams: Streams) -> BackdropSpec:
    kind = streams.name("backdrop.kind", config.kind)
    plate = None
    if kind == "plate" and config.plates is not None:
        plates = list_plates(config.plates)
        file = plates[streams.seed("backdrop.plates") % len(plates)]
        plate = PlateSpec(file=file, digest=plate_digest(file))
    return BackdropSpec(
        kind=kind,  # type: ignore[arg-type]
        plate=plate,
        colour=_colour("backdrop.colour", config.colour, streams),
        seed=streams.seed("backdrop.seed"),
    )


def _sensor(config: SensorConfig, streams: Streams, view: CameraSpec) -> SensorSpec:
    draw = _numbers("sensor", config, streams)
    warmth, tint = draw.pop("warmth_ev"), draw.pop("tint_ev")
    draw["noise"] = float(
        np.hypot(draw["noise"], NOISE_AT_ISO_100 * (draw.pop("iso") / 100) ** 0.5)
    )
    speed, exposure = draw.pop("speed_kmh"), draw.pop("exposure_ms")
    if speed > 0:
        draw["motion_px"], draw["motion_angle_deg"] = speed_blur(view, speed, exposure)
    return SensorSpec(
        white_balance=(2 ** (warmth / 2), 2**tint, 2 ** (-warmth / 2)),
        jpeg_quality=round(draw.pop("jpeg_quality")),
        video_qp=round(draw.pop("video_qp")),
        timestamp=_timestamp(config, streams),
        seed=streams.seed("sensor.seed"),
        **draw,
    )


def _timestamp(config: SensorConfig, streams: Streams) -> str | None:
    """A moment of some year, as cameras burn it in."""
    if not streams.happens("sensor.timestamp_probability", config.timestamp_probability):
        return None
    start = datetime(2015, 1, 1)
    seconds = int(streams.rng("sensor.timestamp").integers(10 * 365 * 24 * 3600))
    return str(start + timedelta(seconds=seconds))


def _numbers(section: str, config: Config, streams: Streams) -> dict[str, float]:
    """Draw every ``Number`` of a section, by field name."""
    return {
        field: streams.number(f"{section}.{field}", factor)
        for field in type(config).model_fields
        if hasattr(factor := getattr(config, field), "bounds")
    }


def _colour(key: str, config: ColourConfig, streams: Streams) -> Rgb:
    """Draw a colour and make it linear."""
    draw = _numbers(key, config, streams)
    srgb = np.array(
        colorsys.hsv_to_rgb(draw["hue_deg"] % 360 / 360, draw["saturation"], draw["value"])
    )
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    red, green, blue = np.clip(linear, 0, 1).tolist()
    return red, green, blue
