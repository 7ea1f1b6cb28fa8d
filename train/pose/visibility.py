"""Whether each keypoint is visible, occluded or absent: what labels tell, and the head that learns.

Data sets know different things: some why a point cannot be seen, some only that it cannot. A
label is therefore the set of states that it leaves possible, and the head is taught that one of
them is true.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from pamtri.keypoints import FLIP, NUM_KEYPOINTS, Visibility

STATES = ("visible", "occluded", "absent")
"""Seen; behind a part of the vehicle or something else; outside the image or the input."""
_POSSIBLE: dict[str, tuple[bool, bool, bool]] = {
    Visibility.VISIBLE: (True, False, False),
    Visibility.SELF_OCCLUDED: (False, True, False),
    Visibility.OCCLUDED: (False, True, False),
    Visibility.TRUNCATED: (False, False, True),
    Visibility.HIDDEN: (False, True, True),
}
_HIDDEN_WIDTH = 128


def possible_states(letters: str) -> NDArray[np.bool_]:
    """(36, 3) which of ``STATES`` a record's visibility letters leave possible."""
    return np.array([_POSSIBLE[letter] for letter in letters])


def outside_is_absent(possible: ArrayLike, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The possible states (36, 3) after points that are not ``inside`` (36,) left the input.

    A point that was hidden may lie anywhere, whatever its coordinates say: it stays as it was.
    """
    before = np.asarray(possible, dtype=bool)
    leaves = ~inside & (before.sum(axis=1) == 1)
    return np.where(leaves[:, None], [False, False, True], before)


class VisibilityHead(nn.Module):
    """Scores (n, 36, 3) of ``STATES`` from where the network sees the points.

    It looks at the features at every heatmap's peak, at the peaks' height and at their place: a
    vehicle's far side is told by where all the others are. It learns without changing the
    features and heatmaps, which are the same with it and without.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(NUM_KEYPOINTS * (channels + 3), _HIDDEN_WIDTH)
        self.scores = nn.Linear(_HIDDEN_WIDTH, NUM_KEYPOINTS * len(STATES))

    def forward(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Features (n, c, h, w) and heatmaps (n, 36, h, w) with values 0..1."""
        width, height = features.shape[-1], features.shape[-2]
        peak, place = heatmaps.detach().flatten(-2).max(dim=-1)
        index = place[:, None].expand(-1, features.shape[1], -1)
        local = features.detach().flatten(-2).gather(-1, index)
        row = torch.div(place, width, rounding_mode="floor")
        seen = torch.stack([peak, (place % width) / width - 0.5, row / height - 0.5], dim=1)
        evidence = torch.cat([local.to(seen.dtype), seen], dim=1).flatten(1)
        scores: Tensor = self.scores(torch.relu(self.hidden(evidence)))
        return scores.unflatten(-1, (NUM_KEYPOINTS, len(STATES)))


def visibility_losses(scores: Tensor, possible: Tensor) -> Tensor:
    """Means (n,) of -log(share of the possible states) over points; inputs are (n, 36, 3).

    Cross-entropy where one state is possible, and 0 where all are.
    """
    shares = torch.log_softmax(scores, dim=-1)
    return -torch.logsumexp(shares.masked_fill(~possible, -torch.inf), dim=-1).mean(dim=-1)


def mean_shares(scores: Tensor) -> Tensor:
    """Probabilities (n, 36, 3) of ``STATES``, averaged over each image and its mirror image.

    Scores (2 n, 36, 3) of the images, then of their mirror images.
    """
    straight, mirrored = torch.softmax(scores.float(), dim=-1).chunk(2)
    return (straight + mirrored[:, torch.from_numpy(FLIP.copy()).to(scores.device)]) / 2


def count_right(shares: NDArray[np.float64], possible: NDArray[np.bool_]) -> tuple[int, int]:
    """How many points' likeliest state is a possible one, and of how many something is known.

    Probabilities and labels (n, 36, 3).
    """
    likeliest = shares.argmax(axis=-1)[..., None]
    right = np.take_along_axis(possible, likeliest, axis=-1)[..., 0]
    known = ~possible.all(axis=-1)
    return int((right & known).sum()), int(known.sum())
