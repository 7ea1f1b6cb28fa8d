"""The terms of the re-identification loss against slow loops and sums worked by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from train.reid.config import ReidLossConfig
from train.reid.loss import (
    UNKNOWN,
    LearnedLoss,
    ReidLoss,
    azimuth_bin,
    azimuth_losses,
    centre_losses,
    margin_scores,
    masked_cross_entropies,
    move_centres,
)

IDENTITY = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 3, UNKNOWN])
KNOWN = range(9)
SILENT = {"triplet": 0, "circle": 0, "centre": 0}


def rand(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def features() -> Tensor:
    """Of the images of ``IDENTITY``; those of one identity are partly close, partly not."""
    spread = torch.tensor([[0.0], [1], [2], [4], [4], [0], [1], [2], [9], [0]], dtype=torch.float64)
    return 2 * rand(10, 5) + 0.4 * spread


def metric_term(name: str, feature: Tensor, identity: Tensor = IDENTITY, **loss: object) -> Tensor:
    config = ReidLossConfig(**{**SILENT, name: 1.0, **loss})  # type: ignore[arg-type]
    output = {"metric": feature, "identity": torch.zeros(len(feature), 4)}
    return ReidLoss(config)(output, {"identity": identity})[name]


def hardest(feature: Tensor) -> list[float]:
    """Distance of the farthest of the same less that of the nearest other, of each anchor."""
    points = feature.numpy()
    gaps = []
    for a in KNOWN:
        same = [math.dist(points[a], points[b]) for b in KNOWN if b != a and alike(a, b)]
        other = [math.dist(points[a], points[b]) for b in KNOWN if not alike(a, b)]
        if same:  # an identity's only image has nothing to be near to
            gaps.append(max(same) - min(other))
    return gaps


def alike(a: int, b: int) -> bool:
    return bool(IDENTITY[a] == IDENTITY[b])


def test_batch_hard_triplets() -> None:
    each = [max(0.0, gap + 0.3) for gap in hardest(features())]
    assert len(each) == 8
    assert 0 < sum(e == 0 for e in each) < 8  # solved triplets count in the mean
    assert float(metric_term("triplet", features())) == pytest.approx(np.mean(each))


def test_soft_margin_triplets() -> None:
    each = [math.log(1 + math.exp(gap)) for gap in hardest(features())]
    soft = metric_term("triplet", features(), triplet_margin="soft")
    assert float(soft) == pytest.approx(np.mean(each))


def slow_circle(feature: Tensor, weighted_as: Tensor, margin: float, scale: float) -> float:
    """Equation 6 of Sun et al., whose weights are those of the features ``weighted_as``."""

    def cosine(points: Tensor, a: int, b: int) -> float:
        return float(points[a] @ points[b] / points[a].norm() / points[b].norm())

    total = 0.0
    for a in KNOWN:
        positive = negative = 0.0
        for b in KNOWN:
            here, weighted = cosine(feature, a, b), cosine(weighted_as, a, b)
            if a != b and alike(a, b):
                weight = max(0.0, 1 + margin - weighted)
                positive += math.exp(-scale * weight * (here - (1 - margin)))
            elif not alike(a, b):
                weight = max(0.0, weighted + margin)
                negative += math.exp(scale * weight * (here - margin))
        total += math.log(1 + positive * negative)
    return total / len(KNOWN)


@pytest.mark.parametrize(("margin", "scale"), [(0.25, 8.0), (0.4, 3.0)])
def test_circle_loss_and_its_gradient(margin: float, scale: float) -> None:
    feature = (features() - 2).requires_grad_()
    term = metric_term("circle", feature, circle_margin=margin, circle_scale=scale)
    fixed = feature.detach()
    assert float(term.detach()) == pytest.approx(slow_circle(fixed, fixed, margin, scale))
    term.backward()
    assert feature.grad is not None
    # The weights pace the loss; no gradient goes through them.
    for row, column in itertools.product(range(10), (0, 3)):
        up, down = fixed.clone(), fixed.clone()
        up[row, column] += 1e-5
        down[row, column] -= 1e-5
        values = [slow_circle(moved, fixed, margin, scale) for moved in (up, down)]
        assert float(feature.grad[row, column]) == pytest.approx(
            (values[0] - values[1]) / 2e-5, abs=1e-7
        )


@pytest.mark.parametrize("name", ["triplet", "circle"])
@pytest.mark.parametrize("identity", [[2, 2, 2, 2], [0, 1, 2, 3], [UNKNOWN] * 4])
def test_images_that_cannot_be_compared_teach_nothing(name: str, identity: list[int]) -> None:
    feature = rand(4, 5).requires_grad_()
    term = metric_term(name, feature, torch.tensor(identity))
    term.backward()
    assert float(term.detach()) == 0
    assert feature.grad is not None
    assert (feature.grad == 0).all()


@pytest.mark.parametrize("margin", [0.3, "soft"])
def test_gradient_of_triplets(margin: float | str) -> None:
    assert torch.autograd.gradcheck(
        lambda feature: metric_term("triplet", feature, triplet_margin=margin),
        features().requires_grad_(),
    )


COSINES = torch.tensor([[0.5, -0.2, 0.9], [0.1, -0.99, 0.3], [0.4, 0.5, 0.6]], dtype=torch.float64)
CLASSES = torch.tensor([0, 1, UNKNOWN])


def test_arcface_turns_the_angle_of_the_true_class() -> None:
    scores = margin_scores(COSINES, CLASSES, "arcface", 0.35, 30.0)
    expected = COSINES.clone()
    expected[0, 0] = math.cos(math.acos(0.5) + 0.35)
    # 172 degrees and the margin are past 180: taken off what the margin costs there instead.
    expected[1, 1] = -0.99 - 0.35 * math.sin(0.35)
    torch.testing.assert_close(scores, 30 * expected)


def test_arcface_falls_with_the_angle_all_the_way() -> None:
    angle = torch.linspace(0, math.pi, 200, dtype=torch.float64)
    cosines = torch.stack([angle.cos(), torch.zeros_like(angle)], dim=1)
    harder = margin_scores(cosines, torch.zeros(200, dtype=torch.long), "arcface", 0.5, 1.0)[:, 0]
    assert (harder[1:] < harder[:-1]).all()
    assert (harder <= cosines[:, 0]).all()


def test_cosface_takes_the_margin_off_the_cosine() -> None:
    scores = margin_scores(COSINES, CLASSES, "cosface", 0.35, 10.0)
    expected = 10 * COSINES
    expected[0, 0] -= 3.5
    expected[1, 1] -= 3.5
    torch.testing.assert_close(scores, expected)


@pytest.mark.parametrize("kind", ["softmax", "arcface", "cosface"])
def test_identity_with_smoothed_labels_by_hand(kind: str) -> None:
    config = ReidLossConfig(
        triplet=0,
        label_smoothing=0.1,
        identity_kind=kind,  # type: ignore[arg-type]
        identity_margin=0.3,
        identity_scale=5,
    )
    total = 0.0
    for row, true in ((0, 0), (1, 1)):
        scores = [float(c) for c in COSINES[row]]
        if kind == "arcface":
            turned = math.acos(scores[true]) + 0.3
            lowest = scores[true] - 0.3 * math.sin(0.3)
            scores[true] = math.cos(turned) if turned < math.pi else lowest
        if kind == "cosface":
            scores[true] -= 0.3
        if kind != "softmax":
            scores = [5 * s for s in scores]
        share = math.log(sum(math.exp(s) for s in scores))
        targets = [0.1 / 3 + 0.9 * (i == true) for i in range(3)]
        total += sum(t * (share - s) for t, s in zip(targets, scores, strict=True))
    terms = ReidLoss(config)({"metric": rand(3, 4), "identity": COSINES}, {"identity": CLASSES})
    assert float(terms["identity"]) == pytest.approx(total / 2)
    assert float(terms["loss"]) == pytest.approx(total / 2)


@pytest.mark.parametrize("kind", ["softmax", "arcface", "cosface"])
def test_gradient_of_identity(kind: str) -> None:
    config = ReidLossConfig(triplet=0, label_smoothing=0.1, identity_kind=kind)  # type: ignore[arg-type]

    def term(scores: Tensor) -> Tensor:
        output = {"metric": rand(3, 4), "identity": scores}
        return ReidLoss(config)(output, {"identity": CLASSES})["loss"]

    assert torch.autograd.gradcheck(term, COSINES.clone().requires_grad_())


def test_centres_by_hand() -> None:
    centres = torch.tensor([[1.0, 1.0], [0.0, 0.0], [5.0, 5.0]])
    feature = torch.tensor([[1.0, 3.0], [3.0, 1.0], [0.0, 4.0]])
    identity = torch.tensor([0, 0, 1])
    assert centre_losses(feature, identity, centres).tolist() == pytest.approx([2, 2, 8])
    move_centres(centres, feature, identity, 0.5)
    # Half of (0, 2) + (2, 0) over 1 + 2; half of (0, 4) over 1 + 1; no image, no move.
    expected = torch.tensor([[1 + 1 / 3, 1 + 1 / 3], [0, 1], [5, 5]])
    torch.testing.assert_close(centres, expected)
    assert centre_losses(feature[:0], identity[:0], centres).shape == (0,)


def test_gradient_of_centres() -> None:
    identity = torch.tensor([0, 2, 2])
    assert torch.autograd.gradcheck(
        lambda feature: centre_losses(feature, identity, rand(3, 4, seed=1)),
        rand(3, 4).requires_grad_(),
    )


def test_centres_move_after_they_have_been_compared() -> None:
    config = ReidLossConfig(triplet=0, identity=0, centre=0.5, centre_rate=1.0)
    learned = LearnedLoss(config, 4, 5, ())
    feature = features().float()
    output = {"metric": feature, "identity": torch.zeros(10, 4)}
    terms = ReidLoss(config, learned)(output, {"identity": IDENTITY})
    squares = sum(float(feature[i].square().sum()) for i in KNOWN)
    assert float(terms["centre"]) == pytest.approx(squares / 2 / 9, rel=1e-5)
    assert float(terms["loss"]) == pytest.approx(float(terms["centre"]) / 2)
    assert learned.centres is not None
    for identity, rows in ((0, [0, 1, 2]), (1, [3, 4]), (2, [5, 6, 7]), (3, [8])):
        moved = feature[rows].sum(dim=0) / (1 + len(rows))
        torch.testing.assert_close(learned.centres[identity], moved)
    assert "centres" in learned.state_dict()  # saved, so that a resumed run goes on with them


def attribute_case() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    output = {
        "metric": rand(4, 3),
        "identity": rand(4, 2),
        "colour": rand(4, 10, seed=1),
        "type": rand(4, 9, seed=2),
        "azimuth": rand(4, 2, seed=3),
    }
    labels = {
        "identity": torch.tensor([0, 0, 1, 1]),
        "colour": torch.tensor([3, UNKNOWN, UNKNOWN, 7]),
        "type": torch.full((4,), UNKNOWN),
        "azimuth": torch.tensor([math.nan, 0.5, math.nan, 4.0], dtype=torch.float64),
    }
    return output, labels


def attribute_terms() -> dict[str, float]:
    """Of ``attribute_case``, over what is known alone."""
    output, _ = attribute_case()
    colour = -np.mean([output["colour"].log_softmax(1)[i, c] for i, c in ((0, 3), (3, 7))])
    there = {1: (math.sin(0.5), math.cos(0.5)), 3: (math.sin(4.0), math.cos(4.0))}
    squared = [math.dist(output["azimuth"][i].numpy(), point) ** 2 for i, point in there.items()]
    return {"colour": float(colour), "type": 0.0, "azimuth": sum(squared) / 2}


def test_the_loss_is_the_weighted_sum_and_attributes_are_masked() -> None:
    config = ReidLossConfig(identity=2.0, triplet=0.5, colour=0.25, type=0.125, azimuth=3.0)
    terms = ReidLoss(config)(*attribute_case())
    expected = attribute_terms()
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(value)
    total = 2 * terms["identity"] + 0.5 * terms["triplet"]
    total += 0.25 * expected["colour"] + 3 * expected["azimuth"]
    assert float(terms["loss"]) == pytest.approx(float(total))


def test_weights_learned_from_uncertainty_by_hand() -> None:
    config = ReidLossConfig(
        identity=0, triplet=0, colour=0.125, type=0.5, azimuth=2.0, attribute_weights="learned"
    )
    learned = LearnedLoss(config, 2, 3, ("colour", "type", "azimuth"))
    terms = ReidLoss(config, learned)(*attribute_case())
    value = attribute_terms()
    # exp(-s) L + s / 2, where exp(-s) starts as the weight given: s is ln 8, and -ln 2. Types are
    # not known in this batch, and neither their loss nor their weight counts.
    expected = value["colour"] / 8 + math.log(8) / 2 + 2 * value["azimuth"] - math.log(2) / 2
    assert float(terms["loss"].detach()) == pytest.approx(expected)
    assert float(terms["colour_weight"]) == pytest.approx(0.125)
    terms["loss"].backward()
    slopes = {name: float(p.grad) for name, p in learned.log_variances.items()}  # type: ignore[arg-type]
    assert slopes["colour_log_variance"] == pytest.approx(0.5 - value["colour"] / 8)
    assert slopes["azimuth_log_variance"] == pytest.approx(0.5 - 2 * value["azimuth"])
    assert slopes["type_log_variance"] == 0


def test_a_learned_weight_comes_to_rest_at_half_of_one_over_the_loss() -> None:
    config = ReidLossConfig(identity=0, triplet=0, attribute_weights="learned")
    learned = LearnedLoss(config, 2, 3, ("colour",))
    output, labels = attribute_case()
    output = {name: output[name] for name in ("metric", "identity", "colour")}
    optimiser = torch.optim.SGD(learned.parameters(), lr=0.5)
    for _ in range(200):
        optimiser.zero_grad()
        terms = ReidLoss(config, learned)(output, labels)
        terms["loss"].backward()
        optimiser.step()
    assert float(terms["colour_weight"]) == pytest.approx(0.5 / attribute_terms()["colour"])


def test_gradient_of_attributes() -> None:
    output, labels = attribute_case()
    config = ReidLossConfig(identity=0, triplet=0)

    def total(colour: Tensor, azimuth: Tensor) -> Tensor:
        values = {**output, "colour": colour, "azimuth": azimuth}
        return ReidLoss(config)(values, labels)["loss"]

    inputs = (output["colour"].requires_grad_(), output["azimuth"].requires_grad_())
    assert torch.autograd.gradcheck(total, inputs)


def test_sectors_of_azimuth() -> None:
    degrees = [0, 22, 23, 67, 68, 180, 337, 338, 359]
    azimuth = torch.tensor([*(math.radians(d) for d in degrees), math.nan])
    expected = [0, 0, 1, 1, 2, 4, 7, 0, 0, UNKNOWN]
    assert azimuth_bin(azimuth, 8).tolist() == expected
    assert azimuth_bin(azimuth, 3).tolist() == [0, 0, 0, 1, 1, 2, 0, 0, 0, UNKNOWN]
    scores = rand(10, 8)
    each = [-scores.log_softmax(1)[i, bin] for i, bin in enumerate(expected[:9])]
    assert float(azimuth_losses(scores, azimuth).mean()) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("width", [2, 8])
def test_unknown_azimuths_teach_nothing(width: int) -> None:
    output = rand(3, width).requires_grad_()
    value = azimuth_losses(output, torch.full((3,), math.nan)).mean()
    value.backward()
    assert float(value.detach()) == 0
    assert output.grad is not None
    assert (output.grad == 0).all()


def test_masked_cross_entropy_has_the_right_gradient() -> None:
    labels = torch.tensor([1, UNKNOWN, 0])
    assert torch.autograd.gradcheck(
        lambda scores: masked_cross_entropies(scores, labels), rand(3, 4).requires_grad_()
    )


def test_half_precision_is_summed_in_single() -> None:
    feature = features().to(torch.bfloat16)
    config = ReidLossConfig(circle=1.0)
    output = {"metric": feature, "identity": torch.zeros(10, 4, dtype=torch.bfloat16)}
    terms = ReidLoss(config)(output, {"identity": IDENTITY})
    assert all(term.dtype == torch.float32 for term in terms.values())
    exact = ReidLoss(config)({**output, "metric": feature.float()}, {"identity": IDENTITY})
    assert torch.equal(terms["loss"], exact["loss"])
