"""The sentence that a learning curve's report opens with."""

import json
import re
from typing import Any

import pytest

from evaluate.amounts import Amount
from evaluate.config import CompareConfig
from evaluate.results import curve_outcome
from evaluate.statistics import Difference, corrected
from pamtri.config import parse_config
from pamtri.errors import ConfigError

FIVE, TEN, ALL = Amount(images=5), Amount(images=10), Amount()


def difference(value: float, low: float, high: float, p: float) -> Difference:
    return Difference(value, low, high, p, True)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


def test_amounts_are_told_by_what_became_of_them() -> None:
    found = {
        FIVE: difference(0.021, 0.003, 0.04, 0.01),
        TEN: difference(0.002, -0.01, 0.014, 0.7),
        ALL: difference(0.01, 0.004, 0.016, 0.001),
    }
    assert plain(curve_outcome(found, "mAP of re-identification")) == (
        "mAP of re-identification rose with 5 an identity by 2.1 points (95 % interval +0.3 to "
        "+4.0) and with all by 1.0 points (95 % interval +0.4 to +1.6); no difference was shown "
        "with 10 an identity (+0.2 points, 95 % interval -1.0 to +1.4)"
    )


def test_what_falls_and_what_has_no_score() -> None:
    found = {FIVE: difference(-0.03, -0.05, -0.01, 0.001), TEN: None}
    assert plain(curve_outcome(found, "PCK")) == (
        "PCK fell with 5 an identity by 3.0 points (95 % interval -5.0 to -1.0); could not be "
        "scored with 10 an identity"
    )
    nothing = {ALL: difference(0.0, -0.01, 0.01, 0.9)}
    assert plain(curve_outcome(nothing, "PCK")) == (
        "in PCK, no difference was shown with all (+0.0 points, 95 % interval -1.0 to +1.0)"
    )


def test_what_does_not_hold_among_so_many_is_not_shown() -> None:
    """Each of two excludes zero; of 0.03 and 0.04 neither is below 0.05 when there are two."""
    alone = {FIVE: difference(0.02, 0.001, 0.04, 0.03), TEN: difference(0.02, 0.001, 0.04, 0.04)}
    assert " rose " in curve_outcome(alone, "mAP")
    both = curve_outcome(corrected(alone), "mAP")
    assert "rose" not in both and both.count("which does not hold among so many") == 2


def test_a_learning_curve_answers_for_every_amount_and_metric(bench: Any) -> None:
    del bench.data["tasks"]["pose"]
    bench.data["real"]["images_per_identity"] = [2, "all"]
    bench.data["answer_metrics"] = ["rank1", "mAP"]
    bench.run()
    summary = json.loads((bench.root / "out/results.json").read_text())
    assert plain(summary["answer"]).count("95 % interval") == 1
    first, second = plain(summary["answer"]).removesuffix(".").split(". ")
    for sentence, metric in ((first, "mAP"), (second, "Rank-1")):
        assert f"{metric} of re-identification" in sentence
        assert len(re.findall(r"with (2 an identity|all)\b", sentence)) == 2
    assert second[0].isupper()
    curve = summary["tasks"]["reid"]["learning_curve"]
    for amount in ("2 an identity", "all"):
        value = abs(100 * curve[amount]["augmented"]["mAP"]["difference"]["value"])
        assert re.search(rf"with {amount} (by |\([+-]?){value:.1f} points", first)


def test_an_unknown_metric_is_refused(bench: Any) -> None:
    bench.data["answer_metrics"] = ["recall"]
    with pytest.raises(ConfigError, match=r"answer_metrics: expected some of pck@0.125, .*mAP, "):
        parse_config(bench.data, CompareConfig, "c")
