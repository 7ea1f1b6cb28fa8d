"""The keys of the configuration's models, for ``docs/factors.py`` and its pictures."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from pamtri.config import Config


def is_section(field: FieldInfo) -> bool:
    """Whether a field holds keys of its own."""
    return inspect.isclass(field.annotation) and issubclass(field.annotation, Config)


def sections(
    model: type[Config], key: str = "", defaults: Any = None
) -> Iterator[tuple[str, type[Config], Any]]:
    """Each section with its dotted key and what it is by default, outer ones first."""
    for name, field in model.model_fields.items():
        if is_section(field):
            full = f"{key}.{name}" if key else name
            below = field.default if defaults is None else getattr(defaults, name)
            assert field.annotation is not None
            yield full, field.annotation, below
            yield from sections(field.annotation, full, below)


def keys(model: type[Config]) -> dict[str, FieldInfo]:
    """Every key within a section that is none itself."""
    return {
        f"{key}.{name}": field
        for key, section, _ in sections(model)
        for name, field in section.model_fields.items()
        if not is_section(field)
    }


def rules(field: FieldInfo) -> list[Any]:
    """The checks of a field, also where it may be null as well."""
    found = list(field.metadata)
    for option in get_args(field.annotation):
        found += getattr(option, "__metadata__", ())
    found += [rule for item in found if isinstance(item, FieldInfo) for rule in item.metadata]
    return [item.func if isinstance(item, AfterValidator) else item for item in found]
