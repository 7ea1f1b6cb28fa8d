"""What a configuration says of the camera, and of how the image is cut from its view."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pamtri.config import Config
from synth.distributions import Angle, Number, Probability, Uniform, always, within

OVERRULED_BY = {
    "elevation_deg": ("height_m",),
    "distance_m": ("distance_lengths", "apparent_size"),
    "distance_lengths": ("apparent_size",),
    "azimuth_deg": ("balanced_azimuths",),
}
"""Keys of the camera that have no effect where one of the others is set."""


class FramingConfig(Config):
    """How the image is cut around the vehicle, as a detector would."""

    margin: Annotated[Number, within(-0.3, 3)] = always(0.05)
    """Room between the vehicle's box and the image's edge, as a share of the box's longer side;
    drawn for each of the four sides."""
    truncation_probability: Probability = 0.0
    """How often one side of the image cuts the vehicle off."""
    truncation: Annotated[Number, within(0, 0.8)] = always(0.2)
    """Share of the box's width (or height) that one side of the image cuts off."""


class CameraConfig(Config):
    """Where the camera stands about the vehicle and what its lens does.

    The image is cut around the vehicle and brought to its size, so how strong the perspective is
    depends on the distance alone, and the recorded focal length follows from both. A zoomed lens
    sees the same size from farther away: ``apparent_size`` with ``focal_mm`` draws the distance so.
    """

    azimuth_deg: Angle = Uniform(kind="uniform", low=0, high=360)
    """0 sees the vehicle's front, 90 its left side."""
    balanced_azimuths: Annotated[int, Field(ge=2, le=72)] | None = None
    """Spreads the images of each identity evenly over so many equal sectors, the first of them
    centred on the front; the azimuth is uniform within its sector, and ``azimuth_deg`` unused."""
    elevation_deg: Annotated[Number, within(0, 89)] = always(10.0)
    """Above the horizon, seen from the vehicle."""
    height_m: Annotated[Number, within(0.3, 100)] | None = None
    """Of the camera above the ground; where given, the elevation follows from it."""
    distance_m: Annotated[Number, within(2, 300)] = always(12.0)
    """To the vehicle's origin. A camera too near to see all of a long vehicle steps back."""
    distance_lengths: Annotated[Number, within(0.5, 100)] | None = None
    """The same in lengths of the vehicle; where given, ``distance_m`` is unused."""
    apparent_size: Annotated[Number, within(0.005, 1)] | None = None
    """Longer side of the vehicle's box over that of the larger view; where given, the distance
    follows from it and ``focal_mm``."""
    focal_mm: Annotated[Number, within(8, 1000)] = always(35.0)
    """Focal length that gives the larger view on a sensor 36 mm wide; used with
    ``apparent_size``."""
    roll_deg: Annotated[Number, within(-90, 90)] = always(0.0)
    """About the optical axis; positive turns the picture's content clockwise."""
    off_axis_deg: Annotated[Number, within(0, 30)] = always(0.0)
    """How far the camera looks past the vehicle, in a random direction: the angle between its
    optical axis and the vehicle, larger at the edge of the larger view."""
    distortion_k1: Annotated[Number, within(-0.5, 0.5)] = always(0.0)
    """First radial coefficient of the larger view: barrel below 0, pincushion above."""
    distortion_k2: Annotated[Number, within(-0.5, 0.5)] = always(0.0)
    """Second radial coefficient. Both are made weaker alike where the image could not be undone."""
    rolling_shutter: Annotated[Number, within(-0.5, 0.5)] = always(0.0)
    """How far the bottom of the image is moved to the right against its top, in image heights, as
    of something that passes by. The labels move with it."""
    framing: FramingConfig = FramingConfig()


class ImageConfig(Config):
    """The image that is written."""

    size_px: Annotated[Number, within(16, 4096)] = always(256.0)
    """Of its longer side."""
    aspect: Literal["box", "square"] = "box"
    """``box`` follows the vehicle's outline, ``square`` adds room on the shorter side."""
