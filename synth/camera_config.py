"""What a configuration says of the camera, and of how the image is cut from its view."""

from __future__ import annotations

from typing import Annotated, Literal

from pamtri.config import Config
from synth.distributions import Angle, Number, Probability, Uniform, always, within


class FramingConfig(Config):
    """How the image is cut around the vehicle, as a detector would."""

    margin: Annotated[Number, within(-0.3, 3)] = always(0.05)
    """Room between the vehicle's box and the image's edge, as a share of the box's longer side;
    drawn for each of the four sides."""
    truncation_probability: Probability = 0.0
    truncation: Annotated[Number, within(0, 0.8)] = always(0.2)
    """Share of the box's width (or height) that one side of the image cuts off."""


class CameraConfig(Config):
    """Where the camera stands about the vehicle and what its lens does.

    The focal length follows from the image's size, as the image is cut around the vehicle; how
    strong the perspective is depends on the distance alone.
    """

    azimuth_deg: Angle = Uniform(kind="uniform", low=0, high=360)
    elevation_deg: Annotated[Number, within(0, 89)] = always(10.0)
    height_m: Annotated[Number, within(0.3, 100)] | None = None
    """Of the camera above the ground; where given, the elevation follows from it."""
    distance_m: Annotated[Number, within(2, 300)] = always(12.0)
    """To the vehicle's origin. A camera too near to see all of a long vehicle steps back."""
    roll_deg: Annotated[Number, within(-90, 90)] = always(0.0)
    off_axis_deg: Annotated[Number, within(0, 30)] = always(0.0)
    """Angle between the optical axis and the vehicle: more at the edge of the larger view."""
    distortion_k1: Annotated[Number, within(-0.5, 0.5)] = always(0.0)
    """First radial coefficient of the larger view: barrel below 0, pincushion above."""
    framing: FramingConfig = FramingConfig()


class ImageConfig(Config):
    """The image that is written."""

    size_px: Annotated[Number, within(16, 4096)] = always(256.0)
    """Of its longer side."""
    aspect: Literal["box", "square"] = "box"
    """``box`` follows the vehicle's outline, ``square`` adds room on the shorter side."""
