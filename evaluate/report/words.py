"""The report's sentences: what was scored on what, and what the numbers do not say."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from markupsafe import Markup

from evaluate.budget import Budget
from evaluate.config import Arm, CompareConfig, Task
from evaluate.data import open_source
from evaluate.plan import real_source
from evaluate.results import Results, trained_steps

_BUDGETS: dict[Budget, str] = {"steps": "optimisation steps", "images": "images seen"}


def code_in_ticks(text: str) -> Markup:
    """Plain text with what stands between backticks as code, unbroken where it is short."""

    def code(found: re.Match[str]) -> str:
        short = ' class="short"' if len(found[1]) < 40 else ""
        return f"<code{short}>{found[1]}</code>"

    return Markup(re.sub(r"`([^`]+)`", code, escape(text, quote=False)))


def arm_words(config: CompareConfig, arm: Arm) -> str:
    """What an arm is trained with; overrides between backticks."""
    share = f"{100 * arm.synthetic_ratio:g} %"
    mixes = any(arm.overrides.of(task) for task in config.tasks.named)
    images = {0.0: "real images only", 1.0: "synthetic images only"}.get(
        arm.synthetic_ratio,
        f"{share} of {'all training images' if mixes else 'every batch'} are synthetic, the rest "
        "real",
    )
    overrides = dict.fromkeys(o for task in config.tasks.named for o in arm.overrides.of(task))
    if overrides:
        images += f"; with {', '.join(f'`{override}`' for override in overrides)}"
    if arm.synthetic is not None:
        own = config.synthetic_of(arm)
        images += "; its synthetic images are its own: " + ", ".join(
            f"`{part}`" for part in (own.path or own.render, *own.overrides)
        )
    return f"{images}."


def how(results: Results, task: Task) -> str:
    """What was scored on what, in words."""
    trial, scores = results.of(task, results.config.arms[0].name)[0]
    said = scores.summary()
    budget = ""
    if results.config.budget == "steps":
        budget = f"Every arm was trained for {trained_steps(trial):,} optimisation steps."
    if task == "pose":
        return (
            f"{budget} Scored are {said['keypoints']:,} visible keypoints in {said['images']:,} "
            "test images. A keypoint is right when its error is at most the given share of "
            "the square root of the area of the box around the vehicle's visible keypoints."
        )
    if said["leave_one_out"]:
        ranking = (
            f"Each of the {said['queries']:,} test images ({said['identities']:,} "
            "identities, none of them trained on) is searched among all others."
        )
    else:
        ranking = (
            f"{said['queries']:,} query images of {said['identities']:,} identities are "
            f"searched in a gallery of {said['gallery']:,}."
        )
    cameras = (
        "Images of the same identity from the same camera are left out."
        if said["cameras_known"]
        else "Cameras are not known, so no image is left out for its camera."
    )
    lonely = said["queries_without_match"]
    unmatched = f" {lonely:,} queries have no match and are not scored." if lonely else ""
    return f"{budget} {ranking} {cameras}{unmatched}"


def limits(results: Results, folder: Path) -> list[str]:
    """What the numbers do not say."""
    config = results.config
    shared = _shared_identities(config, folder)
    seeds = len(config.seeds)
    found = [
        "The intervals cover chance in the choice of test images, taken one by one: images of "
        "one vehicle resemble each other, so the true uncertainty is larger.",
        f"Each arm was trained {'once' if seeds == 1 else f'with {seeds} seeds'}: chance in "
        + (
            "training is not covered; train with more seeds (`--set seeds=[0,1,2]`) to see it."
            if seeds == 1
            else "training is covered by the intervals as far as so many seeds can tell it."
        ),
        f"The budget is equal in {_BUDGETS[config.budget]}; an arm with synthetic images sees "
        "fewer real ones for the same price.",
        "Checkpoints were chosen on vehicles held out of training, never on the test images.",
    ]
    if shared:
        found.insert(
            0,
            f"{shared:,} identities are in both the training and the test images, so the test is "
            "easier than it should be.",
        )
    if len(config.arms) > 2:
        found.append(
            "With several arms one may stand out by chance: whether a difference is shown is "
            "corrected for their number (Holm), metric by metric; intervals are not."
        )
    return found


def _shared_identities(config: CompareConfig, folder: Path) -> int:
    """Identities that are trained on and tested on: there should be none."""
    task: Task = "reid" if config.tasks.reid else "pose"
    source = real_source(config, folder, task)
    trained, tested = (
        {r.identity for r in open_source(source, splits).records if r.identity is not None}
        for splits in (source.train, source.test)
    )
    return len(trained & tested)
