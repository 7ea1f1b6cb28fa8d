"""Occluders fill the size they are asked for and stand where they should."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from pamtri.errors import ConfigError
from render_assets.environments import build_street
from render_assets.occluders import Kind, build_occluder

KINDS = get_args(Kind)
SIZE = (0.6, 0.8, 1.9)


def points_of(body):
    return np.concatenate([p.vertices for p in body.parts])


@pytest.mark.parametrize("kind", KINDS)
def test_the_extent_is_the_size(kind):
    size = (4.4, 1.8, 1.5) if kind == "car" else SIZE
    points = points_of(build_occluder(kind, size, 3, (0.2, 0.3, 0.1)))
    extent = points.max(axis=0) - points.min(axis=0)
    # A walking person's depth is that of a stride, which is theirs to choose.
    axes = [1, 2] if kind == "person" else [0, 1, 2]
    np.testing.assert_allclose(extent[axes], np.array(size)[axes], rtol=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_origin_is_the_foot_or_the_centre(kind):
    points = points_of(build_occluder(kind, SIZE, 3, (0.2, 0.3, 0.1)))
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose((low + high)[:2], 0, atol=2e-3)
    assert low[2] == pytest.approx(-SIZE[2] / 2 if kind in ("bar", "panel") else 0.0, abs=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_meshes_are_sound(kind):
    body = build_occluder(kind, SIZE, 3, (0.2, 0.3, 0.1))
    for part in body.parts:
        assert part.material in body.materials
        assert part.faces.min() >= 0 and part.faces.max() < len(part.vertices)
        np.testing.assert_allclose(np.linalg.norm(part.normals, axis=1), 1, atol=1e-4)
        assert part.vertices.dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_can_be_seen_through(kind):
    for material in build_occluder(kind, SIZE, 3, (0.2, 0.3, 0.1)).materials.values():
        assert material.transmission == 0


@pytest.mark.parametrize("kind", ["person", "bush", "car"])
def test_the_seed_shapes_it_and_zero_is_a_seed(kind):
    def shape(seed):
        body = build_occluder(kind, SIZE, seed, (0.2, 0.3, 0.1))
        return points_of(body), body.materials

    first, again, other = shape(0), shape(0), shape(1)
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert first[0].shape != other[0].shape or not np.array_equal(first[0], other[0])


def test_the_colour_is_used():
    for kind in KINDS:
        materials = build_occluder(kind, SIZE, 0, (0.11, 0.22, 0.33)).materials.values()
        assert any(m.base_colour == (0.11, 0.22, 0.33) for m in materials), kind


def test_an_unknown_kind_is_named():
    with pytest.raises(ConfigError, match=r"unknown occluder 'tree' \(known: pole, bar"):
        build_occluder("tree", SIZE, 0, (0.1, 0.1, 0.1))


@pytest.mark.parametrize("size", [(1, 0, 1), (1, -1, 1), (1, float("nan"), 1)])
def test_a_size_without_extent_is_refused(size):
    with pytest.raises(ConfigError, match="size of occluder 'bar' must be three positive metres"):
        build_occluder("bar", size, 0, (0.1, 0.1, 0.1))


def test_streets_stay_on_their_side_and_differ():
    streets = [build_street(seed, (0.4, 0.4, 0.4)) for seed in (0, 1)]
    for street in streets:
        points = points_of(street)
        assert points[:, 0].min() > -3.0
        assert np.ptp(points[:, 1]) > 100
        assert all(p.material in street.materials for p in street.parts)
    assert points_of(streets[0]).shape != points_of(streets[1]).shape
