"""Random changes of a training image, and of its keypoints alike.

One affine map takes a box of the image to the network's input; scale, shift, turn and mirroring
are part of it, so the pixels are resampled once and the keypoints follow exactly. All randomness
comes from the generator that is passed in.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torchvision.transforms.v2 import functional as F

from pamtri.keypoints import FLIP
from train.config import AugmentConfig
from train.images import Affine, Box, Crop, Image

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""ImageNet's RGB statistics, for values in 0..1."""
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
    scale = rng.uniform(1 - config.scale, 1 + config.scale)
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

    Outside the image lies ImageNet's mean colour, which is zero to the network.
    """
    matrix = compose(affine, inverse(crop.to_crop))
    # OpenCV counts from the centre of the first pixel, which is (0.5, 0.5) here.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    warped = cv2.warpAffine(
        crop.image,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_BORDER,
    )
    return np.asarray(warped, dtype=np.uint8)


def change_colours(rng: np.random.Generator, config: AugmentConfig, image: Image) -> Image:
    """Occlusion patch, colour jitter, blur, noise and JPEG compression of (h, w, 3) RGB."""
    if rng.random() < config.occlusion:
        image = _cover(rng, image)
    pixels = torch.from_numpy(image).permute(2, 0, 1)
    if config.brightness:
        pixels = F.adjust_brightness(pixels, _factor(rng, config.brightness))
    if config.contrast:
        pixels = F.adjust_contrast(pixels, _factor(rng, config.contrast))
    if config.saturation:
        pixels = F.adjust_saturation(pixels, _factor(rng, config.saturation))
    if config.hue:
        pixels = F.adjust_hue(pixels, rng.uniform(-config.hue, config.hue))
    if rng.random() < config.blur:
        pixels = F.gaussian_blur(pixels, [7, 7], [rng.uniform(0.3, 1.5)])
    if rng.random() < config.noise:
        spread = np.float32(rng.uniform(0.0, 0.06) * 255)
        noise = rng.standard_normal(pixels.shape, dtype=np.float32) * spread
        pixels = (pixels + torch.from_numpy(noise)).round().clamp(0, 255).to(torch.uint8)
    image = pixels.permute(1, 2, 0).contiguous().numpy()
    return _compress(image, int(rng.integers(20, 71))) if rng.random() < config.jpeg else image


def normalise(image: Image) -> NDArray[np.float32]:
    """(h, w, 3) RGB 0..255 to the network's (3, h, w), ImageNet's mean 0 and deviation 1."""
    scaled = (image.astype(np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _factor(rng: np.random.Generator, spread: float) -> float:
    return float(rng.uniform(1 - spread, 1 + spread))


def _compress(image: Image, quality: int) -> Image:
    """The image after JPEG compression."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(decoded, dtype=np.uint8)


def _cover(rng: np.random.Generator, image: Image) -> Image:
    """A copy with a rectangle of one colour somewhere."""
    height, width = image.shape[:2]
    w, h = (max(1, int(rng.uniform(0.1, 0.4) * side)) for side in (width, height))
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    covered = image.copy()
    covered[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return covered
