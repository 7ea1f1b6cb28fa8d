"""One labelled image, rendered or real. Every reader makes these, every stage consumes them.

A field that a data set does not know is ``None``, and losses and metrics leave it out. Coordinates
follow ``pamtri.camera``; visibility letters are those of ``pamtri.keypoints.Visibility``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pamtri import camera
from pamtri.attributes import Colour, VehicleType
from pamtri.keypoints import NUM_KEYPOINTS, Visibility

_LETTERS = "".join(v.value for v in Visibility)
_Pixel = tuple[float, float]
_Point = tuple[float, float, float]
_Fraction = Annotated[float, Field(ge=0, le=1)]
_Positive = Annotated[int, Field(gt=0)]
_Path = Annotated[str, Field(min_length=1)]
FILE_FIELDS = ("image", "mask", "mask_amodal", "segment_mask", "part_mask", "depth", "normals")
"""The fields of a record that name files."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Keypoints(_Model):
    """The 36 points of one vehicle in ``pamtri.keypoints`` order."""

    xy: Annotated[tuple[_Pixel, ...], Field(min_length=NUM_KEYPOINTS, max_length=NUM_KEYPOINTS)]
    """Pixels; (0, 0) is the image's top-left corner."""
    visibility: Annotated[str, Field(pattern=f"^[{_LETTERS}]{{{NUM_KEYPOINTS}}}$")]
    """A letter a point."""
    confidence: (
        Annotated[tuple[_Fraction, ...], Field(min_length=NUM_KEYPOINTS, max_length=NUM_KEYPOINTS)]
        | None
    ) = None
    """0..1 a point, where the points are a network's."""
    xyz: (
        Annotated[tuple[_Point, ...], Field(min_length=NUM_KEYPOINTS, max_length=NUM_KEYPOINTS)]
        | None
    ) = None
    """Metres in the vehicle frame."""

    def xy_array(self) -> NDArray[np.float64]:
        """(36, 2) pixels."""
        return np.array(self.xy)

    def visible_array(self) -> NDArray[np.bool_]:
        """(36,) True where a point can be seen."""
        return np.array([letter == Visibility.VISIBLE for letter in self.visibility])


class Viewpoint(_Model):
    """Where the camera stands about the vehicle; see ``pamtri.camera``."""

    azimuth_deg: Annotated[float, Field(ge=0, lt=360)]
    elevation_deg: Annotated[float, Field(ge=-90, le=90)]
    roll_deg: float = 0.0
    distance_m: Annotated[float, Field(gt=0)] | None = None


class Calibration(_Model):
    """The exact camera of a rendered image."""

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float] = camera.NO_DISTORTION
    skew: float = 0.0
    rotation: tuple[_Point, _Point, _Point]
    """Rows of the 3x3 rotation from the vehicle frame to the camera frame."""
    translation: _Point
    """Metres."""

    @classmethod
    def of(cls, intrinsics: camera.Intrinsics, pose: camera.Pose) -> Calibration:
        """Store ``intrinsics`` and the vehicle-to-camera ``pose``."""
        return cls(
            fx=intrinsics.fx,
            fy=intrinsics.fy,
            cx=intrinsics.cx,
            cy=intrinsics.cy,
            distortion=intrinsics.distortion,
            skew=intrinsics.skew,
            rotation=pose.rotation.tolist(),
            translation=pose.translation.tolist(),
        )

    @property
    def intrinsics(self) -> camera.Intrinsics:
        """The pinhole, its distortion and skew."""
        return camera.Intrinsics(self.fx, self.fy, self.cx, self.cy, self.distortion, self.skew)

    @property
    def pose(self) -> camera.Pose:
        """The vehicle-to-camera map."""
        return camera.Pose(np.array(self.rotation), np.array(self.translation))


class Record(_Model):
    """One image of one vehicle and everything that is known of it."""

    schema_version: Literal[1] = 1
    image: _Path
    """Path relative to the data set's folder, with forward slashes."""
    domain: Literal["real", "synthetic"]
    width: _Positive | None = None
    height: _Positive | None = None
    split: str | None = None
    """``train``, ``val``, ``query``, ``gallery``, or a data set's own name."""
    identity: int | None = None
    camera: int | None = None
    frame: int | None = None
    """Video frame or time stamp of the image, where its name tells."""
    colour: Colour | None = None
    type: VehicleType | None = None
    style: str | None = None
    """Sub-style (``coupe``, ``flatbed``) or model name, in the data set's words."""
    box: tuple[float, float, float, float] | None = None
    """Tight box (left, top, right, bottom) of what is visible of the vehicle, pixels."""
    box_amodal: tuple[float, float, float, float] | None = None
    """Tight box of the whole vehicle, hidden and outside parts included."""
    keypoints: Keypoints | None = None
    mask: _Path | None = None
    """Path of an 8-bit PNG: 255 where the vehicle is visible."""
    mask_amodal: _Path | None = None
    """Path of an 8-bit PNG: 255 where the vehicle is, hidden or not; the path of ``mask`` where
    nothing hides any of it."""
    segment_mask: _Path | None = None
    """Path of an 8-bit PNG: 1 + segment index where that segment is visible, else 0."""
    part_mask: _Path | None = None
    """Path of an 8-bit PNG: 1 + the position in ``pamtri.parts.NAMES`` of the part that is visible,
    else 0."""
    depth: _Path | None = None
    """Path of a 16-bit PNG: depth along the optical axis in steps of ``depth_step_m`` where the
    vehicle is visible, else 0."""
    depth_step_m: Annotated[float, Field(gt=0)] | None = None
    """Metres."""
    normals: _Path | None = None
    """Path of a 16-bit RGB PNG: 32768 + 32767 times the x, y and z of the visible surface's outward
    normal in the camera's frame, else 0."""
    occlusion: _Fraction | None = None
    """Share of the vehicle inside the image that something else hides."""
    truncation: _Fraction | None = None
    """Share of the vehicle's projected area that lies outside the image."""
    viewpoint: Viewpoint | None = None
    calibration: Calibration | None = None
    scene: dict[str, Any] | None = None
    """The scene's full description, from which the image can be rendered again."""

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the image and of the label images that there are."""
        paths = (getattr(self, name) for name in FILE_FIELDS)
        return tuple(path for path in paths if path is not None)

    @property
    def vehicle_model(self) -> Any:
        """The model of a rendered vehicle: near twins, identities that share it, differ in plate,
        stickers, dents and the like alone. None where nothing tells."""
        vehicle = (self.scene or {}).get("vehicle")
        return vehicle.get("model") if isinstance(vehicle, dict) else None

    @field_validator(*FILE_FIELDS)
    @classmethod
    def _paths_stay_inside(cls, path: str | None) -> str | None:
        if path is not None and (path[0] == "/" or "\\" in path or ".." in path.split("/")):
            raise ValueError(f"expected a path inside the data set's folder, got {path!r}")
        return path

    @model_validator(mode="after")
    def _boxes_are_ordered(self) -> Record:
        for name in ("box", "box_amodal"):
            box = getattr(self, name)
            if box is not None and not (box[0] < box[2] and box[1] < box[3]):
                raise ValueError(f"{name} must be (left, top, right, bottom), got {box}")
        return self
