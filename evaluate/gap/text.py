"""The gap between two data sets as text for the terminal."""

from __future__ import annotations

from evaluate.gap.labels import words
from evaluate.gap.measure import Gap
from pamtri.dataset import Dataset
from pamtri.table import text_table


def gap_text(gap: Gap) -> str:
    """Sizes, the three distances with what they mean, and the labels side by side."""
    kernel = gap.kernel
    how = f"matched by {', '.join(gap.match)}" if gap.match else "not matched"
    distances = [
        ("Fréchet distance", f"{gap.frechet:.4g}", "0 alike; grows where there are few images"),
        (
            "kernel distance (KID)",
            f"{kernel.value:.4g}",
            f"95 % interval {kernel.low:.4g} to {kernel.high:.4g}; {_verdict(gap)}",
        ),
        ("domain classifier, AUC", f"{gap.auc:.3f}", "0.5 cannot tell them apart, 1 always can"),
    ]
    labels = [("label", "A", "B", "differ")]
    labels += [
        (pair.name, words(pair.first), words(pair.second), _share(pair.difference))
        for pair in gap.labels
    ]
    return "\n".join(
        [
            f"A: {_set(gap.first, gap.left_out[0])}",
            f"B: {_set(gap.second, gap.left_out[1])}",
            f"{gap.width} features an image; {how}",
            text_table(distances),
            "Labels: the commonest, or the median and where four in five lie",
            text_table(labels),
        ]
    )


def _verdict(gap: Gap) -> str:
    return "it shows no gap" if gap.kernel.low <= 0 else "it shows a gap"


def _set(dataset: Dataset, left_out: int) -> str:
    note = f" ({left_out} without a like are left out)" if left_out else ""
    return f"{dataset.root}, {len(dataset)} images{note}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"  # noqa: RUF001
