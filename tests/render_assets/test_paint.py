"""Materials of an individual: paint by finish, dirt where it collects."""

from __future__ import annotations

import numpy as np
import pytest

from render_assets.materials import Dirt, dirt_cover
from render_assets.spec import Paint, sample_vehicle
from render_assets.vehicle import build_vehicle, paint_material

PAINT = Paint(rgb=(0.4, 0.1, 0.2), finish="metallic", metallic=0.5, roughness=0.4, flake=0.5,
              coat=1.0, coat_roughness=0.03)  # fmt: skip


def test_metallic_gets_darker_aslant_and_pearl_paler() -> None:
    metallic = paint_material(PAINT)
    assert metallic.grazing == pytest.approx((0.18, 0.045, 0.09))
    pearl = paint_material(PAINT.model_copy(update={"finish": "pearl"}))
    assert pearl.grazing is not None
    spread = max(pearl.grazing) - min(pearl.grazing)
    assert spread < max(PAINT.rgb) - min(PAINT.rgb)
    solid = paint_material(PAINT.model_copy(update={"finish": "solid"}))
    assert solid.grazing is None and solid.base_colour == PAINT.rgb


def test_dirt_is_the_individuals_and_outside_only() -> None:
    spec = sample_vehicle(0, 5, styles={"notchback": 1.0})
    dirty = spec.model_copy(
        update={"marks": spec.marks.model_copy(update={"dirt": 0.5, "dirt_seed": 9})}
    )
    clean = spec.model_copy(update={"marks": spec.marks.model_copy(update={"dirt": 0.0})})
    materials = build_vehicle(dirty).materials
    assert materials["paint"].dirt == Dirt(0.5, 9, spec.shape.wheelbase, spec.shape.rear_x)
    tyre = materials["tyre"].dirt
    assert tyre is not None and 0 < tyre.amount < 0.5
    assert materials["interior"].dirt is None and materials["seat"].dirt is None
    assert all(m.dirt is None for m in build_vehicle(clean).materials.values())


def test_dirt_lies_low_behind_wheels_and_at_the_rear() -> None:
    """Worked by hand for a wheelbase of 2.6 m and a rear end at x = -2.2 m."""
    dirt = Dirt(0.5, 1, 2.6, -2.2)
    door, roof = (0.0, 0.9, 0.95), (0.0, 0.0, 1.4)
    behind = (1.3 - 0.55, 0.9, 0.25)
    tail = (-2.15, 0.0, 0.95)
    cover = dirt_cover(dirt, np.array([door, roof, behind, tail, (0.0, 0.9, 0.55)]))
    low = (0.7 / 0.8) ** 2
    assert cover == pytest.approx(
        [0.08, 0.08, 0.5 * (0.16 + 0.75 * low + 0.55), 0.5 * 0.46, 0.5 * (0.16 + 0.75 * 0.25)]
    )
    assert dirt_cover(Dirt(1.0, 1, 2.6, -2.2), np.array([(-1.85, 0.9, 0.1)])) == [0.85]
