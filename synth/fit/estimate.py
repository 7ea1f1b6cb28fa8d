"""From measurements of photographs, and of renders whose factors are known, to factors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.stats import wasserstein_distance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

Floats = NDArray[np.float64]
SECTORS = 24
"""Of the azimuth, the first centred on the front."""
_WIDTH = 360 / SECTORS
_UNFOLDINGS = 40
_LEAST_EFFECT = 0.2
"""Of a standard deviation of the factor on its measurement, in standard deviations of what else
moves that; below, the measurement does not tell the factor."""
_STIFFNESS = 0.05
"""How much of a factor's own spread its move costs, against what it explains."""
_COMPONENTS = 12


@dataclass(frozen=True)
class Moves:
    """New means and standard deviations (k,) of factors; ``told`` (k,) where they could be told."""

    mean: Floats
    std: Floats
    told: NDArray[np.bool_]


def fit_factors(
    drawn: Floats, measured: Floats, latest: NDArray[np.bool_], target: Floats
) -> Moves:
    """One step of Newton's method from renders to photographs.

    ``drawn`` (n, k) are the factors of renders and ``measured`` (n, k) what each is told by, NaN
    where it could not be measured; ``target`` (m, k) is that of the photographs. ``latest`` (n,)
    are the renders of the distribution that moves. How measurements follow factors is a linear fit
    to all renders; factors move together, each no further than its measurement asks for, and the
    spread of each accounts for the spread of its measurement that renders do not have.
    """
    rows = np.isfinite(measured).all(axis=1)
    drawn, latest, measured = drawn[rows], latest[rows], _trimmed(measured[rows])
    target = _trimmed(target[np.isfinite(target).all(axis=1)])
    mean, std, spread = drawn[latest].mean(axis=0), drawn[latest].std(axis=0), drawn.std(axis=0)
    moves = spread > 1e-6
    design = np.column_stack([np.ones(len(drawn)), drawn[:, moves]])
    slopes = np.linalg.lstsq(design, measured, rcond=None)[0]
    noise = np.maximum((measured - design @ slopes).std(axis=0), 1e-9)
    follows = np.zeros((drawn.shape[1], drawn.shape[1]))  # [measurement, factor]
    follows[:, moves] = slopes[1:].T
    own = np.diag(follows)
    told = moves & (np.abs(own) * spread / noise >= _LEAST_EFFECT)
    change = target.mean(axis=0) - measured[latest].mean(axis=0)
    system = follows[np.ix_(told, told)] * spread[told] / noise[told, None]
    damped = system.T @ system + _STIFFNESS**2 * np.eye(int(told.sum()))
    step = np.linalg.solve(damped, system.T @ (change[told] / noise[told]))
    new_mean, new_std = mean.copy(), std.copy()
    new_mean[told] += step * spread[told]
    excess = target.var(axis=0) - measured[latest].var(axis=0)
    variance = std[told] ** 2 + excess[told] / own[told] ** 2
    # Noise in the variances must not take all spread away in one round.
    new_std[told] = np.sqrt(np.clip(variance, (0.7 * std[told]) ** 2, (1.5 * std[told]) ** 2))
    return Moves(new_mean, new_std, told)


def unfold_azimuths(true: Floats, read: Floats, target: Floats) -> Floats:
    """Weights (``SECTORS``,) of the azimuths of which ``target`` (m,) are readings, degrees.

    How readings err is told by renders, ``true`` (n,) and ``read`` (n,) of them: by how much, and
    how often front is taken for rear. The weights follow by Richardson's and Lucy's iteration.
    """
    known = np.isfinite(read)
    error = _histogram((read - true)[known], smooth=0.5)
    responses = np.array([np.roll(error, sector) for sector in range(SECTORS)])  # [true, read]
    seen = _histogram(target[np.isfinite(target)], smooth=0.3)
    weights = np.full(SECTORS, 1 / SECTORS)
    for _ in range(_UNFOLDINGS):
        weights = weights * (responses @ (seen / np.maximum(weights @ responses, 1e-9)))
        weights /= weights.sum()
    return weights


def unmix_classes(
    features: Floats, labels: NDArray[np.str_], target: Floats
) -> tuple[dict[str, float], float]:
    """Shares of classes among ``target`` (m, d), from labelled ``features`` (n, d).

    And the accuracy of telling them on the labelled ones. A linear discriminant's posteriors, with
    the shares found by expectation maximisation (Saerens, Latinne & Decaestecker, 2002).
    """
    if len(set(labels)) == 1:
        return {str(labels[0]): 1.0}, 1.0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Only one sample")  # of a rare class: it is shrunk
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features, labels)
    before = np.maximum(model.priors_, 1e-9)
    posterior = model.predict_proba(target)
    shares = before
    for _ in range(100):
        weighted = posterior * shares / before
        weighted /= weighted.sum(axis=1, keepdims=True)
        shares = weighted.mean(axis=0)
    accuracy = float((model.predict(features) == labels).mean())
    return dict(zip(map(str, model.classes_), shares.tolist(), strict=True)), accuracy


def scalar_distances(renders: Floats, target: Floats) -> Floats:
    """(k,) earth mover's distance of each measurement, in standard deviations of the target's."""
    distances = []
    for a, b in zip(renders.T, target.T, strict=True):
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        distances.append(wasserstein_distance(a, b) / max(b.std(), 1e-9))
    return np.array(distances)


def azimuth_distance(renders: Floats, target: Floats) -> float:
    """Share of readings that would have to move between (smoothed) sectors."""
    a, b = (_histogram(v[np.isfinite(v)], smooth=1.0) for v in (renders, target))
    return float(np.abs(a - b).sum() / 2)


def feature_distance(renders: Floats, target: Floats) -> float:
    """Fréchet distance of Gaussians, in the target's first principal components, scaled to 1."""
    centre = target.mean(axis=0)
    _, scale, axes = np.linalg.svd(target - centre, full_matrices=False)
    count = min(_COMPONENTS, len(axes))
    basis = axes[:count] / np.maximum(scale[:count, None] / np.sqrt(len(target)), 1e-6)
    there = (renders - centre) @ basis.T
    # The target's mean is 0 here and its covariance 1, whose product with the renders' has the
    # same root as theirs alone.
    values = np.clip(np.linalg.eigvalsh(np.cov(there.T, bias=True)), 0, None)
    gap = float(np.square(there.mean(axis=0)).sum() + np.square(np.sqrt(values) - 1).sum())
    return gap / count


def _histogram(angles: Floats, smooth: float) -> Floats:
    """Shares (``SECTORS``,) of degrees; ``smooth`` in sectors."""
    sectors = np.floor((angles + _WIDTH / 2) % 360 / _WIDTH).astype(int) % SECTORS
    counts = np.bincount(sectors, minlength=SECTORS).astype(float)
    smoothed: Floats = gaussian_filter1d(counts, smooth, mode="wrap")
    return smoothed / max(smoothed.sum(), 1e-9)


def _trimmed(values: Floats) -> Floats:
    """(n, k) with what lies beyond the 2nd and 98th percentile moved there."""
    low, high = np.quantile(values, [0.02, 0.98], axis=0)
    return np.clip(values, low, high)
