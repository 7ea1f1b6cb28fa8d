"""Rendered images in the style of real ones, by their low frequencies.

After "FDA: Fourier Domain Adaptation for Semantic Segmentation" (Yang & Soatto, CVPR 2020): the
slow changes of light and colour are a real image's, the edges stay where labels say they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from train.augment import MEAN, OUTSIDE, STD
from train.batches import Blend, Item
from train.mixing_config import REAL, FourierConfig, MixingConfig

_MEAN, _STD = MEAN[:, None, None], STD[:, None, None]


def in_real_style(
    items: Sequence[Item], generators: Sequence[np.random.Generator], config: FourierConfig
) -> list[Item]:
    """A batch's items; rendered ones take the style of a real one of them, by chance.

    ``generators`` has one an item. Without a real image among them nothing changes.
    """
    real = [item["image"] for item in items if item["domain"] == REAL]
    styled = []
    for item, rng in zip(items, generators, strict=True):
        if real and item["domain"] != REAL and rng.random() < config.probability:
            style = real[int(rng.integers(len(real)))]
            image = with_amplitude_of(item["image"], style, config.reach)
            # What lies outside keeps its colour, or else it would tell the domains apart.
            outside = (item["image"] == OUTSIDE).all(axis=0)
            item = {**item, "image": np.where(outside, item["image"], image)}
        styled.append(item)
    return styled


def with_amplitude_of(
    image: NDArray[np.float32], style: NDArray[np.float32], reach: float
) -> NDArray[np.float32]:
    """A normalised image (3, h, w) whose low frequencies have the amplitude that ``style``'s have.

    Low is up to ``reach`` times the side in waves across the image, in each direction; phases stay.
    What leaves the range of pixels is cut off.
    """
    # Of pixels as they are, since the sign of their mean is a phase.
    spectrum, other = (np.fft.rfft2(x * _STD + _MEAN) for x in (image, style))
    height, width = image.shape[-2:]
    down = np.abs(np.fft.fftfreq(height))[:, None] <= reach
    low = down & (np.fft.rfftfreq(width)[None] <= reach)
    amplitude = np.abs(np.where(low, other, spectrum))
    mixed = np.fft.irfft2(amplitude * np.exp(1j * np.angle(spectrum)), s=(height, width))
    return ((np.clip(mixed, 0, 1) - _MEAN) / _STD).astype(np.float32)


def blend_of(config: MixingConfig) -> Blend | None:
    """What ``mixing.fourier`` asks to be done to each batch, if anything."""
    return partial(in_real_style, config=config.fourier) if config.fourier else None
