"""What a network reads of a vehicle's pose in one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri.keypoints import Visibility
from pamtri.record import Keypoints

SURE = 0.5
"""Least confidence of a segment's corners, as in PAMTRI."""
_LETTERS = (Visibility.VISIBLE, Visibility.SELF_OCCLUDED, Visibility.TRUNCATED)


@dataclass(frozen=True)
class Pose:
    """36 keypoints in an image of ``size`` (width, height) pixels."""

    size: tuple[int, int]
    points: NDArray[np.float64]
    """(36, 2) continuous pixels; (0, 0) is the image's top-left corner."""
    peak: NDArray[np.float64]
    """(36,) 0..1: how sure each point's place is, whether it can be seen or not."""
    visibility: NDArray[np.float64] | None = None
    """(36, 3) probabilities of visible, occluded and absent, of a network that learns them."""

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(36,) 0..1: how sure it is that the point is seen there.

        The peak, multiplied by the probability that the point can be seen where that is known.
        """
        return self.peak if self.visibility is None else self.peak * self.visibility[:, 0]

    @property
    def rows(self) -> NDArray[np.float64]:
        """(36, 3): x, y and confidence."""
        return np.column_stack([self.points, self.confidence])

    @property
    def places(self) -> NDArray[np.float64]:
        """(36, 3): x, y and peak, how sure the place is, seen or not."""
        return np.column_stack([self.points, self.peak])

    @property
    def sure(self) -> NDArray[np.bool_]:
        """(36,) which points are sure enough to draw a segment from."""
        return np.asarray(self.confidence >= SURE)

    def keypoints(self) -> Keypoints:
        """As the keypoints of a record: each point in its likeliest state.

        Of a network that does not learn visibility a point that is not ``sure`` counts as hidden.
        """
        if self.visibility is not None:
            letters = [_LETTERS[state] for state in self.visibility.argmax(axis=1)]
        else:
            letters = [Visibility.VISIBLE if sure else Visibility.HIDDEN for sure in self.sure]
        return Keypoints(
            xy=tuple((float(x), float(y)) for x, y in self.points),
            visibility="".join(letters),
            confidence=tuple(np.clip(self.confidence, 0, 1).tolist()),
        )
