"""What each factor of randomisation is worth: the same training on renders that lack it.

One arm is trained on the synthetic set as it is, and once more for each factor on the same vehicles
and scenes with that factor frozen (``freeze`` of ``pamtri synth render``). What a factor is worth
is what the unfrozen arm has over the frozen one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from evaluate.amounts import Amount
from evaluate.config import Arm, ArmSyntheticData, CompareConfig, RealData
from evaluate.statistics import Difference
from pamtri.config import nearest
from pamtri.errors import ConfigError

FACTORS: dict[str, dict[str, JsonValue]] = {
    "light": {
        "light.hdri": "city.exr",
        "light.rotation_deg": 0,
        "light.strength": 1,
        "light.overcast": 0,
        "light.sun": "off",
        "light.time": "off",
        "light.street_lamps": "off",
        "light.shadow": "off",
    },
    "weather": {"weather": "off"},
    "ground": {
        "ground.kind": "asphalt",
        "ground.roughness": 0.85,
        "ground.markings_probability": 0,
        "ground.colour.saturation": 0,
        "ground.colour.value": 0.3,
    },
    "backdrop": {"backdrop.kind": "hdri"},
    "occluders": {"occluders": "off"},
    "framing": {
        "camera.roll_deg": 0,
        "camera.off_axis_deg": 0,
        "camera.framing.margin": 0.05,
        "camera.framing.truncation_probability": 0,
    },
    "colour": {"vehicle.colour": "gray"},
    "state": {"state": "off"},
    "sensor": {"sensor": "off"},
}
"""What is frozen where a comparison names no ``factors``: each at a plain value, or off."""
_FROZEN = "-frozen"


def ablation(
    config: CompareConfig, arm: str | None = None, names: Sequence[str] = ()
) -> CompareConfig:
    """The comparison of ``arm`` (the second where None) with itself, each factor frozen in turn.

    ``names`` are the factors, all where there are none. It is done with the most real images of
    the comparison. Raises ConfigError for a factor or arm that there is not, or where the arm's
    synthetic images are not rendered.
    """
    factors = config.factors or FACTORS
    arms = {each.name: each for each in config.arms}
    _check_known("factor", names, factors)
    _check_known("arm", [] if arm is None else [arm], arms)
    whole = config.arms[1] if arm is None else arms[arm]
    if config.synthetic_of(whole).render is None or whole.synthetic_ratio == 0:
        raise ConfigError(
            f"arm '{whole.name}': expected synthetic images that are rendered, of which factors "
            "can be frozen, got "
            + ("none" if whole.synthetic_ratio == 0 else "a finished set in 'path'")
        )
    frozen = tuple(_frozen(whole, name, factors[name]) for name in names or factors)
    return config.model_copy(
        update={
            "name": f"{config.name}-factors",
            "title": "What is each factor of randomisation worth?",
            "real": _most(config.real),
            "arms": (whole, *frozen),
            "about": "factors",
        }
    )


def worths(differences: Mapping[str, Mapping[str, Difference]]) -> dict[str, dict[str, Difference]]:
    """By factor and metric, what the factor adds: the frozen arms' differences turned round."""
    return {
        arm.removesuffix(_FROZEN): {
            key: replace(d, value=-d.value, low=-d.high, high=-d.low)
            for key, d in by_metric.items()
        }
        for arm, by_metric in differences.items()
    }


def _frozen(arm: Arm, name: str, keys: Mapping[str, JsonValue]) -> Arm:
    own = arm.synthetic or ArmSyntheticData()
    overrides = tuple(f"freeze.{key}={json.dumps(value)}" for key, value in keys.items())
    synthetic = own.model_copy(update={"overrides": (*own.overrides, *overrides)})
    return arm.model_copy(update={"name": f"{name}{_FROZEN}", "synthetic": synthetic})


def _most(real: RealData) -> RealData:
    """The same data set with its largest amount only."""
    most: Amount = real.amounts[-1]
    return real.model_copy(
        update={
            "fractions": () if most.share is None else (most.share,),
            "images_per_identity": () if most.images is None else (most.images,),
        }
    )


def _check_known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in (listed := list(known)):
            raise ConfigError(
                f"no {what} '{name}'{nearest(name, listed)}; expected one of {', '.join(listed)}"
            )
