"""Vehicles in a neutral daylight scene, all framed alike: what sheets and turntables show.

The scenes come from the same sampling as those of data sets; only the image's edges are moved, so
that every picture has the same size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pamtri.config import nearest
from pamtri.errors import ConfigError
from synth.assortment import Place
from synth.camera_config import CameraConfig, FramingConfig
from synth.config import (
    SKY,
    BackdropConfig,
    ColourConfig,
    GroundConfig,
    LightConfig,
    SunConfig,
    SynthConfig,
)
from synth.distributions import always, named
from synth.sampling import sample_scene
from synth.scene import CameraSpec, SceneSpec

VIEWS: dict[str, tuple[float, float]] = {
    "front-left": (35.0, 8.0),
    "side": (90.0, 6.0),
    "rear-right": (215.0, 10.0),
    "high": (35.0, 32.0),
    "front": (0.0, 7.0),
    "rear": (180.0, 9.0),
}
"""Named viewpoints: azimuth and elevation of the camera, degrees."""
ASPECT = 0.62
"""Height of a picture over its width."""
_MARGIN = 0.04
"""Room around the vehicle, as a share of the picture's width."""
_DISTANCE_M = 11.0


@dataclass(frozen=True)
class Showing:
    """How every vehicle is shown: from which side, how large, in how many Cycles samples."""

    azimuth_deg: float
    elevation_deg: float
    width: int
    samples: int = 8

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a picture, pixels."""
        return self.width, round(ASPECT * self.width)


def parse_view(text: str) -> tuple[float, float]:
    """Azimuth and elevation in degrees of a name in ``VIEWS``, or of ``AZ:EL``.

    Raises ConfigError for anything else, or an elevation outside 0..89.
    """
    if text in VIEWS:
        return VIEWS[text]
    numbers = text.split(":")
    try:
        azimuth, elevation = (float(number) for number in numbers)
    except ValueError:
        raise ConfigError(
            f"--view: expected one of {', '.join(VIEWS)}, or AZIMUTH:ELEVATION in degrees, "
            f"got '{text}'{nearest(text, VIEWS)}"
        ) from None
    if not (abs(azimuth) <= 360 and 0 <= elevation <= 89):
        raise ConfigError(
            f"--view: expected an azimuth in -360..360 and an elevation in 0..89, got '{text}'"
        )
    return azimuth, elevation


def show(place: Place, seed: int, showing: Showing, turns_deg: Sequence[float]) -> list[SceneSpec]:
    """The scenes of one vehicle, the camera turned on by each angle; framed for all of them."""
    scenes = [
        sample_scene(_daylight(place, seed, showing, showing.azimuth_deg + turn), seed, 0)
        for turn in turns_deg
    ]
    cameras = frame_alike([scene.camera for scene in scenes], *showing.size)
    return [
        scene.model_copy(update={"camera": view})
        for scene, view in zip(scenes, cameras, strict=True)
    ]


def frame_alike(cameras: Sequence[CameraSpec], width: int, height: int) -> list[CameraSpec]:
    """The cameras with images of one size and focal length, each holding what any of them holds."""
    edges = np.array(
        [
            (-c.cx / c.fx, -c.cy / c.fy, (c.width - c.cx) / c.fx, (c.height - c.cy) / c.fy)
            for c in cameras
        ]
    )
    low, high = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
    focal = float(np.min((np.array([width, height]) - 2 * _MARGIN * width) / (high - low)))
    cx, cy = (np.array([width, height]) / 2 - focal * (low + high) / 2).tolist()
    update = {"width": width, "height": height, "fx": focal, "fy": focal, "cx": cx, "cy": cy}
    return [c.model_copy(update=update) for c in cameras]


def _daylight(place: Place, seed: int, showing: Showing, azimuth_deg: float) -> SynthConfig:
    """A sunny day on a plain road; the sun stands over the camera's left shoulder."""
    azimuth = azimuth_deg % 360
    return SynthConfig(
        name="showroom",
        seed=seed,
        samples=showing.samples,
        identities=1,
        images_per_identity=1,
        identity_offset=place.identity,
        vehicle=place.config,
        camera=CameraConfig(
            azimuth_deg=always(azimuth),
            elevation_deg=always(showing.elevation_deg),
            distance_m=always(_DISTANCE_M),
            framing=FramingConfig(margin=always(0.0)),
        ),
        light=LightConfig(
            hdri=named(SKY),
            clouds=always(0.4),
            sun=SunConfig(
                probability=1.0,
                azimuth_deg=always((showing.azimuth_deg + 60) % 360),
                elevation_deg=always(42.0),
                strength=always(5.0),
                angle_deg=always(2.0),
            ),
        ),
        ground=GroundConfig(colour=ColourConfig(value=always(0.45))),
        backdrop=BackdropConfig(kind=named("hdri")),
    )
