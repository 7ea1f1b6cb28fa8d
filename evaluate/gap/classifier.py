"""How well a classifier tells two data sets apart by their features: 0.5 not at all, 1 always."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5
_STRENGTH = 0.1
"""Inverse strength of the regularisation: there are often more features than images."""

Array = NDArray[np.float64]


def domain_auc(
    first: Array,
    second: Array,
    groups: tuple[Sequence[Hashable], Sequence[Hashable]],
    seed: int = 0,
) -> float:
    """Area under the ROC curve of a logistic regression on images that it was not fitted to.

    The mean over ``FOLDS`` folds (fewer where a set has fewer groups; two at least) of features
    (n, d) and (m, d). Images of one group, as of one vehicle, are in one fold: a classifier that
    knows the vehicle by heart gains nothing.
    """
    features = np.concatenate([first, second])
    is_second = np.repeat([False, True], [len(first), len(second)])
    folds = min(FOLDS, *(len(set(g)) for g in groups))
    fold = np.concatenate([folds_of(g, folds, seed) for g in groups])
    areas = []
    for number in range(folds):
        held_out = fold == number
        model = make_pipeline(StandardScaler(), LogisticRegression(C=_STRENGTH, max_iter=1000))
        model.fit(features[~held_out], is_second[~held_out])
        scores = model.decision_function(features[held_out])
        areas.append(area_under_curve(scores, is_second[held_out]))
    return float(np.mean(areas))


def folds_of(groups: Sequence[Hashable], folds: int, seed: int) -> NDArray[np.int64]:
    """(n,) the fold of each image: groups dealt out in a random order, like cards."""
    names = list(dict.fromkeys(groups))
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    dealt = {names[i]: place % folds for place, i in enumerate(order)}
    return np.array([dealt[group] for group in groups])


def area_under_curve(scores: Array, positive: NDArray[np.bool_]) -> float:
    """The chance that a positive scores above a negative; ties count half (Mann and Whitney)."""
    ups = int(positive.sum())
    downs = len(positive) - ups
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - ups * (ups + 1) / 2) / (ups * downs))
