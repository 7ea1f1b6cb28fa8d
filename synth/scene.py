"""What is to be rendered: plain frozen data from which any renderer makes the same picture.

``sample_scene`` draws a ``SceneSpec``; both renderers consume it; every record stores it. The world
frame is the vehicle frame of the labelled vehicle. Lengths in metres, angles in degrees, colours
linear RGB in 0..1.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pamtri.record import Calibration
from render_assets.spec import AnyVehicleSpec

Rgb = tuple[
    Annotated[float, Field(ge=0, le=1)],
    Annotated[float, Field(ge=0, le=1)],
    Annotated[float, Field(ge=0, le=1)],
]
Point = tuple[float, float, float]


class Spec(BaseModel):
    """Base of every part of a scene's description."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CameraSpec(Calibration):
    """The camera of the final image: a crop of a larger view is expressed by ``cx`` and ``cy``.

    Its pose maps the world, which is the vehicle frame, to the camera.
    """

    id: int | None = None
    """Number of the fixed camera, where the scene has one."""
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    fx: Annotated[float, Field(gt=0)]
    fy: Annotated[float, Field(gt=0)]


class SunSpec(Spec):
    """A distant light."""

    azimuth_deg: float
    """Direction it comes from, measured like the camera's azimuth."""
    elevation_deg: Annotated[float, Field(gt=0, le=90)]
    strength: Annotated[float, Field(ge=0)]
    """Irradiance, W/m2."""
    angle_deg: Annotated[float, Field(gt=0, le=90)]
    """Apparent diameter: 0.5 casts sharp shadows, 20 those of a bright cloud."""
    colour: Rgb


class SkySpec(Spec):
    """A made sky (``render_assets.skies``); its sun is the light's."""

    clouds: Annotated[float, Field(ge=0, le=1)]
    """Share of the sky; without a sun it is all."""
    seed: int


class TimeSpec(Spec):
    """When and where the sun is as it is."""

    hour: float
    """Of local solar time: at 12 the sun is highest."""
    day_of_year: float
    latitude_deg: float
    heading_deg: float
    """Of the vehicle, clockwise from north."""
    sun_elevation_deg: float
    """Below 0 the sun has set."""


class LampSpec(Spec):
    """A street lamp that shines straight down; it is not seen itself."""

    position: Point
    strength: Annotated[float, Field(ge=0)]
    """Irradiance on the ground right under it, W/m2."""
    colour: Rgb


class ShadowSpec(Spec):
    """Something outside the image whose shadow falls towards the vehicle."""

    kind: Literal["tree", "building", "pole"]
    offset: tuple[float, float]
    """Where the middle (of a building: the edge) of its shadow lies, across and along the sun's
    light, metres from the vehicle's middle."""
    seed: int = 0
    """Of its leaves."""


class LightSpec(Spec):
    """An environment map that lights the scene, a sun, lamps."""

    hdri: str
    """Name of one of Blender's own world maps, as in ``city.exr``, or ``sky``."""
    sky: SkySpec | None = None
    """In place of a map."""
    rotation_deg: float
    strength: Annotated[float, Field(ge=0)]
    sun: SunSpec | None = None
    time: TimeSpec | None = None
    dusk: Rgb = (1.0, 1.0, 1.0)
    """Factor on the light of the map or sky: less with a low sun, next to none at night."""
    overcast: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the sun's light that clouds spread over the sky, and how even they make it."""
    lamps: tuple[LampSpec, ...] = ()
    shadow: ShadowSpec | None = None
    """Cast by the sun, where there is one."""


class GroundSpec(Spec):
    """The plane that the vehicle stands on."""

    kind: Literal["asphalt", "concrete", "flat"]
    colour: Rgb
    roughness: Annotated[float, Field(ge=0, le=1)]
    markings: bool = False
    """Lane markings along the vehicle's direction."""
    seed: int = 0
    """Of its texture."""


class WeatherSpec(Spec):
    """What falls, lies and hangs in the air."""

    kind: Literal["dry", "wet", "rain", "fog", "snow", "dust"] = "dry"
    wetness: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Of the ground: darker and glossier."""
    puddles: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the ground that water stands on."""
    spray: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Opacity of the water that the wheels throw up."""
    rain_mm_h: Annotated[float, Field(ge=0)] = 0.0
    visibility_m: Annotated[float, Field(gt=0)] | None = None
    """Distance at which a contrast is down to 2 %; None in clear air."""
    haze: Rgb = (1.0, 1.0, 1.0)
    """Tint of what the air scatters."""
    snow: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the ground, and of what faces up on the vehicle, that snow covers."""
    dirt: Annotated[float, Field(ge=0, le=1)] = 0.0
    """On the vehicle, at least; its identity may have more."""
    cloud: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the sun's light that clouds spread over the sky."""
    seed: int = 0
    """Of puddles, streaks and drops."""


class PlateSpec(Spec):
    """A photograph that stands behind the scene."""

    file: str
    digest: str
    """Of the file's bytes."""


class BackdropSpec(Spec):
    """What is behind the vehicle: the environment map, scenery blocks, a photograph, a flat colour
    or noise."""

    kind: Literal["hdri", "street", "plate", "flat", "noise"]
    colour: Rgb = (0.5, 0.5, 0.5)
    seed: int = 0
    """Of the street's blocks or of the noise."""
    plate: PlateSpec | None = None
    """Of the kind ``plate``."""


class StateSpec(Spec):
    """How the vehicle stands and shines in this image; what is left at its default is as its
    identity has it."""

    steer_deg: Annotated[float, Field(ge=-45, le=45)] = 0.0
    """Of the front wheels, to the left; the inner one turns more (Ackermann)."""
    pitch_deg: Annotated[float, Field(ge=-10, le=10)] = 0.0
    """Of the body on its springs, nose down, as in braking."""
    roll_deg: Annotated[float, Field(ge=-10, le=10)] = 0.0
    """To the right, as in a left turn."""
    head_lights: bool | None = None
    """And tail lights with them."""
    brake_lights: bool | None = None


class OccluderSpec(Spec):
    """Something that stands between the camera and the vehicle, or beside it."""

    kind: Literal["pole", "bar", "panel", "person", "bush", "car"]
    position: Point
    """Of its foot, or of the centre of a bar or panel."""
    yaw_deg: float = 0.0
    size: Point
    """Its extent along its own axes."""
    colour: Rgb
    seed: int = 0
    """Of its shape where it has one (bush, car)."""


class SensorSpec(Spec):
    """What the camera does to the ideal picture; ``synth.sensor`` says in which order."""

    exposure_ev: float = 0.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gains of red, green and blue."""
    blur_px: Annotated[float, Field(ge=0)] = 0.0
    """Standard deviation of the defocus blur."""
    motion_px: Annotated[float, Field(ge=0)] = 0.0
    """Length of the motion blur."""
    motion_angle_deg: float = 0.0
    downscale: Annotated[float, Field(ge=1)] = 1.0
    """The picture is taken this much smaller and enlarged again."""
    noise: Annotated[float, Field(ge=0)] = 0.0
    """Standard deviation of the grain at mid grey, in 0..1."""
    contrast: Annotated[float, Field(gt=0)] = 1.0
    saturation: Annotated[float, Field(ge=0)] = 1.0
    vignetting: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Loss of light at the corners."""
    glare: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the brightest light that the lens scatters around its place."""
    aberration_px: Annotated[float, Field(ge=0)] = 0.0
    """How far red lies outside of green, and blue inside, at the corners."""
    gamma: Annotated[float, Field(gt=0)] = 1.0
    """Exponent on the sRGB values: above 1 darkens the middle tones."""
    sharpening: Annotated[float, Field(ge=0)] = 0.0
    """How much of its difference from a blurred copy is added to the picture."""
    interlacing_px: Annotated[float, Field(ge=0)] = 0.0
    """How far apart the two fields show what moves; each lies half of it to one side."""
    timestamp: str | None = None
    """Burnt into a corner."""
    video_qp: Annotated[int, Field(ge=0, le=51)] = 0
    """Quantiser of the video codec as H.264 counts it, 0 for none."""
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 95
    seed: int = 0
    """Of the grain."""


class SceneSpec(Spec):
    """One image before it is rendered."""

    schema_version: Literal[1] = 1
    seed: int
    """Of the data set."""
    index: int
    split: str
    vehicle: AnyVehicleSpec
    camera: CameraSpec
    light: LightSpec
    ground: GroundSpec
    backdrop: BackdropSpec
    weather: WeatherSpec = WeatherSpec()
    occluders: tuple[OccluderSpec, ...] = ()
    state: StateSpec = StateSpec()
    sensor: SensorSpec = SensorSpec()
    samples: Annotated[int, Field(gt=0)] = 4
    """Cycles samples a pixel."""
