"""Near twins: which identities share a model, and that splits keep them together."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri.errors import ConfigError
from synth.config import SynthConfig
from synth.sampling import plan_shot
from synth.vehicle_config import TwinConfig, VehicleConfig


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 100), st.integers(2, 7), st.integers(0, 10_000), st.integers(1, 400))
def test_share_is_exact_in_any_block(percent: int, group: int, start: int, count: int) -> None:
    twins = TwinConfig(share=percent / 100, group=group)
    models = [twins.model_of(i) for i in range(start, start + count)]
    members = sum(1 for m, i in zip(models, range(start, start + count), strict=True)
                  if twins.model_of(m + 1) == m or m != i)  # fmt: skip
    assert abs(members - Fraction(percent, 100) * count) <= group
    full = Counter(twins.model_of(i) for i in range(start + 1000))
    assert max(full.values()) == group or percent == 0
    assert {n for m, n in full.items() if m + group < start + 1000} <= {1, group}


def test_groups_are_consecutive() -> None:
    twins = TwinConfig(share=0.3, group=3)
    assert [twins.model_of(i) for i in range(13)] == [0, 0, 0, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]
    assert [TwinConfig().model_of(i) for i in range(5)] == [0, 1, 2, 3, 4]
    everyone = TwinConfig(share=1.0, group=2)
    assert [everyone.model_of(i) for i in range(6)] == [0, 0, 2, 2, 4, 4]


def test_twins_share_everything_but_marks_and_stay_the_same_in_every_image() -> None:
    vehicles = VehicleConfig(twins=TwinConfig(share=0.3, group=3))
    a, b, other = (vehicles.sample(5, i) for i in (10, 12, 13))
    marks = {"marks", "identity"}
    assert a.model_dump(exclude=marks) == b.model_dump(exclude=marks)
    assert a.model == b.model == 10 and (a.identity, b.identity) == (10, 12)
    assert a.marks.plate != b.marks.plate
    assert other.shape != a.shape and other.model == 13
    assert vehicles.sample(5, 12) == b
    assert VehicleConfig().sample(5, 10) == a  # the first of a group is as it is without twins
    red = VehicleConfig.model_validate({"twins": {"share": 0.3, "group": 3}, "colour": "red"})
    assert red.sample(5, 12).shape == b.shape and red.sample(5, 12).colour == "red"


@pytest.mark.parametrize("offset", [0, 1, 71])
def test_a_split_does_not_part_twins(offset: int) -> None:
    config = SynthConfig.model_validate(
        {"name": "x", "identities": 100, "images_per_identity": 4, "identity_offset": offset,
         "splits": {"train": 0.515, "val": 0.2, "test": 0.285},
         "fixed_cameras": [{"id": 0}, {"id": 1}],
         "vehicle": {"twins": {"share": 0.6, "group": 4}}}
    )  # fmt: skip
    split_of: dict[int, set[str]] = {}
    for index in range(0, config.count, 4):
        shot = plan_shot(config, 0, index)
        model = config.vehicle.twins.model_of(shot.identity)
        split_of.setdefault(model, set()).add("test" if shot.split in ("query",) else shot.split)
    assert all(len(s) == 1 for s in split_of.values())
    ends = config.split_ends
    assert ends[-1] == 100
    assert all(0 <= want - end < 4 for end, want in zip(ends, (52, 72, 100), strict=True))


def test_bad_twins_end_in_one_sentence() -> None:
    with pytest.raises((ConfigError, ValueError), match=r"twins\.group|greater than or equal to 2"):
        VehicleConfig.model_validate({"twins": {"share": 0.3, "group": 1}})
    with pytest.raises(ValueError, match="twins: identities have none where `identity_is` is mod"):
        VehicleConfig.model_validate({"twins": {"share": 0.3}, "identity_is": "model"})
    with pytest.raises(
        ValueError, match=r"splits\.train: 0\.95 of 20 identities is none without parting twins"
    ):
        SynthConfig.model_validate(
            {"name": "x", "identities": 20, "images_per_identity": 1,
             "splits": {"train": 0.95, "val": 0.05},
             "vehicle": {"twins": {"share": 1.0, "group": 20}}}
        )  # fmt: skip
