"""Random changes of where a training image's pixels lie, and of its keypoints alike.

One affine map takes a box of the image to the network's input; scale, shift, turn and mirroring
are part of it, so the pixels are resampled once and the keypoints follow exactly. All randomness
comes from the generator that is passed in.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri.keypoints import FLIP
from train.config import AugmentConfig
from train.images import Affine, Box, Crop, Image

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""ImageNet's RGB statistics, for values in 0..1."""
_FEW = 6
"""Fewer points than this do not tell where the vehicle's parts are."""
_COARSE = 1.5
"""Reductions by more than this are made in two steps, since bilinear sampling skips pixels."""
_BORDER = tuple(float(v) for v in np.round(255 * MEAN))


def box_to_input(box: Box, size: int) -> Affine:
    """The map that stretches ``box`` over a square input of ``size`` pixels."""
    sx, sy = size / box.width, size / box.height
    return np.array([[sx, 0.0, -box.left * sx], [0.0, sy, -box.top * sy]])


def compose(after: Affine, before: Affine) -> Affine:
    """The map that applies ``before``, then ``after``."""
    return after[:, :2] @ before + np.array([[0.0, 0.0, 1.0]]) * after[:, 2:]


def inverse(affine: Affine) -> Affine:
    """The map back."""
    linear = np.linalg.inv(affine[:, :2])
    return np.concatenate([linear, -linear @ affine[:, 2:]], axis=1)


def move(points: ArrayLike, affine: Affine) -> NDArray[np.float64]:
    """Map points (..., 2)."""
    return np.asarray(points, dtype=float) @ affine[:, :2].T + affine[:, 2]


def draw_affine(rng: np.random.Generator, config: AugmentConfig, size: int) -> tuple[Affine, bool]:
    """A random map of an input of ``size`` pixels onto itself, and whether it mirrors."""
    scale = (1 + config.scale) ** rng.uniform(-1.0, 1.0)
    turns = rng.random() < config.rotation_probability
    turn = np.clip(rng.normal(0.0, config.rotation_deg), *(config.rotation_deg * np.array([-2, 2])))
    angle = np.deg2rad(turn) if turns else 0.0
    shift = rng.uniform(-config.shift, config.shift, 2) * size
    mirrored = bool(rng.random() < config.flip)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    about_centre = np.array([[c, -s], [s, c]])
    centre = np.full(2, size / 2)
    affine = np.column_stack([about_centre, centre + shift - about_centre @ centre])
    return (compose(mirror(size), affine) if mirrored else affine), mirrored


def draw_part(
    rng: np.random.Generator, config: AugmentConfig, view: Box, box: Box, seen: NDArray[np.float64]
) -> Box:
    """The view, or, as often as ``config.half`` says, a smaller one onto a part of the vehicle.

    The part is the half of the points ``seen`` (n, 2) that lies furthest left, right, up or down,
    as half-body augmentation takes in human pose; with few points, that half of ``box``. The
    smaller view has the proportions of ``view`` and at least a third of its size.
    """
    if not config.half or rng.random() >= config.half:
        return view
    axis, sign = int(rng.integers(2)), rng.choice([-1.0, 1.0])
    room = rng.uniform(1.1, 1.5)
    if len(seen) < _FEW:
        seen = _half_box(box, axis, sign)
    else:
        order = np.argsort(sign * seen[:, axis], kind="stable")
        seen = seen[order[len(seen) // 2 :]]
    low, high = seen.min(axis=0), seen.max(axis=0)
    share = np.max((high - low) * room / [view.width, view.height])
    half = np.array([view.width, view.height]) * np.clip(share, 1 / 3, 1) / 2
    (left, top), (right, bottom) = (low + high) / 2 - half, (low + high) / 2 + half
    return Box(left, top, right, bottom)


def _half_box(box: Box, axis: int, sign: float) -> NDArray[np.float64]:
    """Two corners of the half of ``box`` on the side ``sign`` of ``axis``."""
    corners = np.array([[box.left, box.top], [box.right, box.bottom]])
    corners[0 if sign > 0 else 1, axis] = corners[:, axis].mean()
    return corners


def mirror(size: int) -> Affine:
    """The left-right mirror image of an input of ``size`` pixels."""
    return np.array([[-1.0, 0.0, size], [0.0, 1.0, 0.0]])


def move_keypoints(points: ArrayLike, affine: Affine, mirrored: bool) -> NDArray[np.float64]:
    """Map keypoints (36, c): the first two columns are coordinates, the others go along.

    In a mirrored image each point takes its partner's name.
    """
    points = np.asarray(points, dtype=float)
    moved = np.concatenate([move(points[:, :2], affine), points[:, 2:]], axis=1)
    return moved[FLIP] if mirrored else moved


def warp(crop: Crop, affine: Affine, size: int) -> Image:
    """Resample a crop to (size, size, 3); ``affine`` maps the whole image to that input.

    Outside the image lies ImageNet's mean colour, which is zero to the network. Strong reduction
    averages, so that fine detail does not turn into noise.
    """
    matrix = compose(affine, inverse(crop.to_crop))
    image, matrix = _reduced(crop.image, matrix)
    return _resample(image, matrix, size, _BORDER)


def within(crop: Crop, affine: Affine, size: int) -> Image:
    """(size, size) 1 where ``warp`` takes all from the crop, 0 where it makes up anything."""
    whole = np.full(crop.image.shape[:2], 255, dtype=np.uint8)
    share = _resample(whole, compose(affine, inverse(crop.to_crop)), size, (0.0,))
    return (share == 255).astype(np.uint8)


def normalise(image: Image) -> NDArray[np.float32]:
    """(h, w, 3) RGB 0..255 to the network's (3, h, w), ImageNet's mean 0 and deviation 1."""
    scaled = np.empty((3, *image.shape[:2]), dtype=np.float32)
    for channel, mean, std, out in zip(image.transpose(2, 0, 1), MEAN, STD, scaled, strict=True):
        np.multiply(channel, 1 / (255 * std), out=out)  # by channel: five times as fast
        out -= mean / std
    return scaled


OUTSIDE = normalise(np.array(_BORDER, dtype=np.uint8).reshape(1, 1, 3))
"""(3, 1, 1) what ``warp`` puts where there is no image, once it is normalised."""


def denormalise(image: NDArray[np.float32]) -> Image:
    """What ``normalise`` was given, from what it made."""
    values = image.transpose(1, 2, 0) * STD + MEAN
    return np.round(255 * values).clip(0, 255).astype(np.uint8)


def _resample(image: Image, matrix: Affine, size: int, border: tuple[float, ...]) -> Image:
    """The square of ``size`` to which ``matrix`` maps the image, ``border`` about it."""
    # OpenCV counts from the centre of the first pixel, which is (0.5, 0.5) here.
    shift = matrix[:, :2] @ [0.5, 0.5] - 0.5
    warped = cv2.warpAffine(
        image,
        np.column_stack([matrix[:, :2], matrix[:, 2] + shift]),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=border,
    )
    return np.asarray(warped, dtype=np.uint8)


def _reduced(image: Image, matrix: Affine) -> tuple[Image, Affine]:
    """The image with each side that ``matrix`` reduces much reduced before, and the rest to do."""
    wanted = np.linalg.norm(matrix[:, :2], axis=0)
    if (wanted * _COARSE >= 1).all():
        return image, matrix
    old = np.array(image.shape[1::-1])
    new = np.where(wanted * _COARSE < 1, np.maximum(1, np.round(old * wanted)), old).astype(int)
    small = cv2.resize(image, (int(new[0]), int(new[1])), interpolation=cv2.INTER_AREA)
    enlarge = np.diag(old / new)
    return small.astype(np.uint8), np.column_stack([matrix[:, :2] @ enlarge, matrix[:, 2]])
