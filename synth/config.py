"""The configuration of a synthetic data set: what is rendered, and how each factor is drawn.

Every field of type ``Number`` or ``Name`` takes a value or a distribution
(``synth.distributions``). Degrees, metres, pixels and stops as the names say; shares are 0..1.
All keys with their limits and defaults are listed in ``docs/factors.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar, get_args

import numpy as np
from pydantic import Field, JsonValue, field_serializer, model_validator

from pamtri.config import Config
from pamtri.errors import DataError
from synth.camera_config import OVERRULED_BY, CameraConfig, ImageConfig
from synth.distributions import (
    Angle,
    Name,
    Number,
    Probability,
    Share,
    Uniform,
    always,
    is_factor,
    named,
    one_of,
    within,
)
from synth.factor_checks import check_cases, check_mixtures
from synth.freeze import Effect, frozen_keys, with_key, without_key
from synth.night import ShadowConfig, StreetLampConfig, TimeConfig
from synth.plates import list_plates
from synth.scene import BackdropSpec, GroundSpec, OccluderSpec
from synth.state import StateConfig
from synth.vehicle_config import VehicleConfig
from synth.weather import WeatherConfig

HDRIS = (
    *("city.exr", "courtyard.exr", "forest.exr", "interior.exr"),
    *("night.exr", "studio.exr", "sunrise.exr", "sunset.exr"),
)
"""The world maps that come with Blender."""
SKY = "sky"
"""In place of a world map: a sky that is made for each image."""

OF_PLACES = ("ground", "backdrop")
"""Sections that are drawn once for each fixed camera, where there are any."""

SectionT = TypeVar("SectionT", bound=Config)


class ColourConfig(Config):
    """A colour by hue, saturation and value, as people pick them (sRGB)."""

    hue_deg: Annotated[Number, within(0, 360)] = Uniform(kind="uniform", low=0, high=360)
    """0 is red, 120 green, 240 blue."""
    saturation: Share = always(0.0)
    """0 is grey, 1 the purest colour."""
    value: Share = always(0.5)
    """0 is black, 1 the brightest."""


class SunConfig(Effect):
    """A sun beside the environment map."""

    probability: Probability = 0.0
    """How often there is one."""
    azimuth_deg: Angle = Uniform(kind="uniform", low=0, high=360)
    """Direction it comes from, measured like the camera's."""
    elevation_deg: Annotated[Number, within(3, 90)] = Uniform(kind="uniform", low=15, high=70)
    """Above the horizon."""
    strength: Annotated[Number, within(0, 20)] = always(3.0)
    """Irradiance, W/m2."""
    angle_deg: Annotated[Number, within(0.1, 90)] = always(0.5)
    """Apparent diameter: how soft the shadows are."""
    temperature_k: Annotated[Number, within(1500, 20000)] = always(5800.0)
    """Of the black body that has its colour; 6500 is white."""


class LightConfig(Config):
    """The light on the scene."""

    hdri: Annotated[Name, one_of((*HDRIS, SKY))] = named("city.exr")
    """Environment map."""
    clouds: Share = always(0.3)
    """Share of a made sky that clouds cover; it is all without a sun."""
    rotation_deg: Angle = Uniform(kind="uniform", low=0, high=360)
    """Of the environment map about the vertical."""
    strength: Annotated[Number, within(0, 20)] = always(1.0)
    """Factor on the environment map's light."""
    sun: SunConfig = SunConfig()
    time: TimeConfig = TimeConfig()
    overcast: Share = always(0.0)
    """Share of the sun's light that clouds spread over the sky."""
    street_lamps: StreetLampConfig = StreetLampConfig()
    shadow: ShadowConfig = ShadowConfig()


class GroundConfig(Config):
    """What the vehicle stands on."""

    kind: Annotated[Name, one_of(get_args(GroundSpec.model_fields["kind"].annotation))] = named(
        "asphalt"
    )
    """What its surface looks like."""
    colour: ColourConfig = ColourConfig(value=always(0.3))
    roughness: Share = always(0.85)
    """0 mirrors, 1 is matt."""
    markings_probability: Probability = 0.0
    """How often there are lane markings along the vehicle."""


class BackdropConfig(Config):
    """What is behind the vehicle."""

    kind: Annotated[Name, one_of(get_args(BackdropSpec.model_fields["kind"].annotation))] = named(
        "hdri"
    )
    """The environment map, scenery, a photograph, or what leaves no scene at all."""
    colour: ColourConfig = ColourConfig()
    """Of the kind ``flat``, and of houses."""
    plates: str | None = None
    """Folder of photographs (JPEG or PNG) for the kind ``plate``, relative to where the command
    runs. They fill the picture above the ground; the raster renderer shows the colour instead."""

    @model_validator(mode="after")
    def _plates_exist(self) -> BackdropConfig:
        if self.plates is not None:
            try:
                list_plates(self.plates)
            except DataError as error:
                raise ValueError(f"plates: {error}") from None
        elif self.kind.weights_by_value().get("plate"):
            raise ValueError("plates: expected a folder of photographs for the kind 'plate'")
        return self


class OccluderConfig(Effect):
    """Something between the camera and the vehicle."""

    probability: Probability = 0.0
    """How often there is one."""
    kind: Annotated[Name, one_of(get_args(OccluderSpec.model_fields["kind"].annotation))] = named(
        "pole"
    )
    """What it is."""
    share: Share = Uniform(kind="uniform", low=0.05, high=0.3)
    """Of the vehicle's outline that it aims to hide; the record holds what it does hide."""
    colour: ColourConfig = ColourConfig()


class SensorConfig(Effect):
    """What the camera does to the ideal picture; see ``synth.sensor``."""

    exposure_ev: Annotated[Number, within(-5, 5)] = always(0.0)
    """Brighter by so many stops; below 0 darker."""
    warmth_ev: Annotated[Number, within(-2, 2)] = always(0.0)
    """Gain of red over blue, in stops."""
    tint_ev: Annotated[Number, within(-2, 2)] = always(0.0)
    """Gain of green over the mean of red and blue, in stops."""
    blur_px: Annotated[Number, within(0, 20)] = always(0.0)
    """Standard deviation of the defocus blur."""
    motion_px: Annotated[Number, within(0, 50)] = always(0.0)
    """Length of the motion blur."""
    motion_angle_deg: Angle = Uniform(kind="uniform", low=0, high=180)
    """Its direction: 0 along the rows."""
    downscale: Annotated[Number, within(1, 16)] = always(1.0)
    """The picture is taken this much smaller and enlarged again."""
    noise: Annotated[Number, within(0, 0.5)] = always(0.0)
    """Standard deviation of the grain at mid grey."""
    contrast: Annotated[Number, within(0.1, 4)] = always(1.0)
    """Factor on the distance from mid grey."""
    saturation: Annotated[Number, within(0, 4)] = always(1.0)
    """Factor on the distance from grey of the same brightness."""
    vignetting: Share = always(0.0)
    """Share of the light that is lost at the corners."""
    glare: Share = always(0.0)
    """Share of the brightest light that the lens scatters around its place."""
    aberration_px: Annotated[Number, within(0, 5)] = always(0.0)
    """Red outward and blue inward of green, at the corners."""
    gamma: Annotated[Number, within(0.3, 3)] = always(1.0)
    """Exponent on the picture's values: above 1 darkens the middle tones."""
    sharpening: Annotated[Number, within(0, 5)] = always(0.0)
    """How much of its difference from a blurred copy is added to the picture."""
    interlacing_px: Annotated[Number, within(0, 20)] = always(0.0)
    """How far apart the picture's two fields show what moves."""
    video_qp: Annotated[Number, within(0, 51)] = always(0.0)
    """Quantiser of H.264-like compression, 0 for none; traffic cameras use 25 to 40."""
    jpeg_quality: Annotated[Number, within(1, 100)] = always(95.0)
    """Of the file that is written."""
    iso: Annotated[Number, within(0, 102400)] = always(0.0)
    """Sensitivity; it adds the noise of a small sensor to ``noise``. 0 adds none."""
    speed_kmh: Annotated[Number, within(0, 300)] = always(0.0)
    """Of the vehicle. Where it is above 0, the motion blur follows from it, not from
    ``motion_px``."""
    exposure_ms: Annotated[Number, within(0.01, 100)] = always(2.0)
    """How long the shutter is open."""
    timestamp_probability: Probability = 0.0
    """How often there are a date and time in the upper left corner."""


class FixedCamera(Config):
    """A camera that always stands at the same place: what it sets replaces the general sections.

    Its ground and backdrop are the same in all of its images.
    """

    id: Annotated[int, Field(ge=0)]
    camera: CameraConfig = CameraConfig()
    light: LightConfig = LightConfig()
    sensor: SensorConfig = SensorConfig()

    @field_serializer("camera", "light", "sensor")
    def _what_it_sets(self, section: Config) -> dict[str, object]:
        """Defaults stay out, or they would override the general sections when read again."""
        return section.model_dump(mode="json", exclude_unset=True)


class LabelConfig(Config):
    """Labels that are written only on request, for they take more room than the image."""

    depth: bool = False
    """A 16-bit PNG of depths, see ``pamtri.record``."""
    normals: bool = False
    """A 16-bit RGB PNG of surface normals."""


class SynthConfig(Config):
    """One data set: ``identities`` vehicles with ``images_per_identity`` images each."""

    name: Annotated[str, Field(min_length=1)]
    """Of the data set."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Another one gives other vehicles and scenes; the same one the same, whatever else runs."""
    renderer: Literal["blender", "raster"] = "blender"
    """``raster`` is quick and plain: no glass, shadows or environment."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """What Cycles renders on: ``auto`` takes a GPU where it finds one (OptiX, CUDA, HIP, Metal,
    oneAPI), and each worker another where there are several."""
    samples: Annotated[int, Field(gt=0, le=4096)] = 8
    """Cycles samples a pixel."""
    identities: Annotated[int, Field(gt=0)]
    """Individual vehicles."""
    images_per_identity: Annotated[int, Field(gt=0)]
    """An identity's images go round the fixed cameras, in an order of its own, so that each camera
    sees it equally often, to one image."""
    identity_offset: Annotated[int, Field(ge=0)] = 0
    """Number of the first identity: sets with other numbers show other vehicles."""
    splits: dict[Literal["train", "val", "test"], Annotated[float, Field(ge=0, le=1)]] = Field(
        default={"train": 1.0}
    )
    """Share of the identities in each; those in ``test`` are divided into query and gallery."""
    queries_per_identity: Annotated[int, Field(gt=0)] = 1
    """An identity's first images in ``test``; the others are in the gallery."""
    image: ImageConfig = ImageConfig()
    labels: LabelConfig = LabelConfig()
    vehicle: VehicleConfig = VehicleConfig()
    camera: CameraConfig = CameraConfig()
    fixed_cameras: tuple[FixedCamera, ...] = ()
    """Each with an ``id`` and what its ``camera``, ``light`` and ``sensor`` have other than the
    general sections."""
    light: LightConfig = LightConfig()
    ground: GroundConfig = GroundConfig()
    backdrop: BackdropConfig = BackdropConfig()
    weather: WeatherConfig = WeatherConfig()
    occluders: OccluderConfig = OccluderConfig()
    state: StateConfig = StateConfig()
    sensor: SensorConfig = SensorConfig()
    freeze: dict[str, JsonValue] = Field(default={})
    """Factors that are fixed or swapped, whatever the sections say; see ``synth.freeze``."""

    @property
    def count(self) -> int:
        """Number of images."""
        return self.identities * self.images_per_identity

    @property
    def split_ends(self) -> tuple[int, ...]:
        """Where each split's block of identities ends, in the order of ``splits``: at its share,
        or up to a group earlier where that would part twins."""
        shares = np.cumsum(list(self.splits.values()))
        ends = np.round(shares * self.identities).astype(int).tolist()
        return tuple(self._before_twins(end) if end < self.identities else end for end in ends)

    def _before_twins(self, end: int) -> int:
        """The last place up to ``end`` where no group of twins is parted."""
        first = self.identity_offset + end
        start = self.vehicle.twins.model_of(first)
        return max(start - self.identity_offset, 0)

    def seen_by(self, fixed: FixedCamera) -> SynthConfig:
        """This configuration with the general sections as ``fixed`` has them."""
        return self.model_copy(
            update={
                "camera": _overlay(self.camera, fixed.camera),
                "light": _overlay(self.light, fixed.light),
                "sensor": _overlay(self.sensor, fixed.sensor),
            }
        )

    @property
    def sections(self) -> dict[str, Config]:
        """The general sections, by key."""
        values = ((key, getattr(self, key)) for key in type(self).model_fields)
        return {key: value for key, value in values if isinstance(value, Config)}

    def factors(self) -> Iterator[tuple[str, Any]]:
        """Every factor with its key, those of the fixed cameras too."""
        for name, section in self.sections.items():
            yield from _factors(section, name)
        for fixed in self.fixed_cameras:
            yield from _factors(fixed, f"fixed_cameras.{fixed.id}")

    @model_validator(mode="after")
    def _freeze_factors(self) -> SynthConfig:
        """First of all checks, so that the others see what is used."""
        for key in frozen_keys(type(self), self.freeze):
            name = key.section
            section = with_key(getattr(self, name), key)
            cameras = tuple(
                fixed.model_copy(update={name: without_key(getattr(fixed, name), key.path)})
                if name in FixedCamera.model_fields
                else fixed
                for fixed in self.fixed_cameras
            )
            # A frozen model's own validator is where it may still change.
            object.__setattr__(self, name, section)
            object.__setattr__(self, "fixed_cameras", cameras)
        return self

    @model_validator(mode="after")
    def _what_is_set_is_used(self) -> SynthConfig:
        """A frozen key or a fixed camera's must not be overruled by another one."""
        keys = frozen_keys(type(self), self.freeze)
        frozen = {key.path[0] for key in keys if key.section == "camera"}
        views = [("freeze.", frozen, self.camera)]
        for fixed in self.fixed_cameras:
            seen = self.seen_by(fixed).camera
            views.append((f"fixed_cameras.{fixed.id}.", fixed.camera.model_fields_set, seen))
            views.append(("freeze.", frozen, seen))
        for where, written, camera in views:
            for key in sorted(written & OVERRULED_BY.keys()):
                for other in OVERRULED_BY[key]:
                    if getattr(camera, key) is not None and getattr(camera, other) is not None:
                        raise ValueError(
                            f"{where}camera.{key}: has no effect, as camera.{other} is set; "
                            f"set camera.{other} to null there"
                        )
        return self

    @model_validator(mode="after")
    def _factors_fit_one_another(self) -> SynthConfig:
        check_cases(self.factors(), {str(fixed.id) for fixed in self.fixed_cameras}, OF_PLACES)
        check_mixtures(self.factors())
        return self

    @model_validator(mode="after")
    def _splits_add_up(self) -> SynthConfig:
        if abs(sum(self.splits.values()) - 1) > 1e-6:
            raise ValueError(
                f"splits: expected shares that add up to 1, got {sum(self.splits.values()):g}"
            )
        sizes = np.diff(self.split_ends, prepend=0)
        for (split, share), size in zip(self.splits.items(), sizes, strict=True):
            if share and not size:
                why = " without parting twins" if self.vehicle.twins.share else ""
                raise ValueError(
                    f"splits.{split}: {share:g} of {self.identities} identities is none{why}"
                )
        return self

    @model_validator(mode="after")
    def _queries_find_something(self) -> SynthConfig:
        """A query must have a match from another camera: same-camera matches do not count."""
        if not self.splits.get("test"):
            return self
        if len(self.fixed_cameras) < 2:
            raise ValueError("splits.test: needs at least two fixed_cameras")
        least = self.queries_per_identity + 2
        if self.images_per_identity < least:
            raise ValueError(
                f"images_per_identity: expected at least {least} (queries_per_identity and two "
                f"in the gallery), got {self.images_per_identity}"
            )
        return self

    @model_validator(mode="after")
    def _cameras_differ(self) -> SynthConfig:
        ids = [c.id for c in self.fixed_cameras]
        if len(set(ids)) < len(ids):
            raise ValueError(f"fixed_cameras: expected different ids, got {ids}")
        return self


def _factors(section: Config, key: str) -> Iterator[tuple[str, Any]]:
    for field in type(section).model_fields:
        value = getattr(section, field)
        if is_factor(value):
            yield f"{key}.{field}", value
        elif isinstance(value, Config):
            yield from _factors(value, f"{key}.{field}")


def _overlay(base: SectionT, over: SectionT) -> SectionT:
    """``base`` with every key that ``over`` sets, section by section."""
    update = {}
    for key in over.model_fields_set:
        value = getattr(over, key)
        is_section = isinstance(value, Config) and not is_factor(value)
        update[key] = _overlay(getattr(base, key), value) if is_section else value
    return base.model_copy(update=update)
