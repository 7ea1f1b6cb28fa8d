"""``freeze``: the same scenes with some factors fixed or swapped, so that their worth can be told.

::

    freeze:
      light.hdri: studio.exr                # a factor, or several keys of a section
      camera: {roll_deg: 0, distance_m: {kind: uniform, low: 8, high: 12}}
      sensor: off                           # a section that can be without effect

What is frozen lies over the general sections and over those of all fixed cameras. As every factor
draws from a stream named by its key, nothing else moves that does not depend on what is frozen: the
sensor, light, ground and backdrop leave vehicle, camera, masks and labels as they were; the sensor
leaves the renderer's picture as it was, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import JsonValue, ValidationError

from pamtri.config import Config, explain_error, nearest

SectionT = TypeVar("SectionT", bound=Config)
Path = tuple[str, ...]
OFF = (False, "off")
"""What a person may write; YAML reads a bare ``off`` as false."""


class Effect(Config):
    """A section whose defaults leave the picture as it is: ``freeze`` can turn it off."""


class Frozen(NamedTuple):
    """One key that is frozen."""

    section: str
    path: Path
    """Below the section; empty for all of it."""
    value: JsonValue
    off: bool
    """It is a section that is turned off."""


def frozen_keys(
    model: type[Config], frozen: Mapping[str, JsonValue], above: Path = ()
) -> Iterator[Frozen]:
    """Each single key that is frozen.

    Raises ValueError for what is no factor or section of ``model``.
    """
    for key, value in frozen.items():
        path = (*above, *key.split("."))
        section = _section_at(model, path)
        if section is None:
            yield Frozen(path[0], path[1:], value, off=False)
        elif value in OFF:
            if not issubclass(section, Effect):
                raise ValueError(f"freeze.{'.'.join(path)}: cannot be off; name keys and values")
            yield Frozen(path[0], path[1:], value, off=True)
        elif isinstance(value, dict):
            yield from frozen_keys(model, value, path)
        else:
            raise ValueError(
                f"freeze.{'.'.join(path)}: expected off, or keys and values, got {value!r}"
            )


def with_key(section: SectionT, key: Frozen) -> SectionT:
    """The section as ``key`` has it."""
    data = _plain(section)
    if key.off:
        data = _without(data, key.path)
    else:
        *above, last = key.path
        place = data
        for part in above:
            place = place.setdefault(part, {})
        place[last] = key.value
    return _checked(type(section), key.section, data)


def without_key(section: SectionT, path: Path) -> SectionT:
    """The section as if the key at ``path`` had never been written."""
    return type(section).model_validate_json(json.dumps(_without(_plain(section), path)))


def _section_at(model: type[Config], path: Path) -> type[Config] | None:
    """The section that a path leads to; None where it leads to a factor or another value."""
    here: type[Config] | None = model
    for part in path:
        fields = {} if here is None else here.model_fields
        # Of the whole configuration, only what is within a section is a factor.
        known = [k for k, f in fields.items() if here is not model or _is_section(f.annotation)]
        if part not in known:
            whole = ".".join(path)
            raise ValueError(f"freeze.{whole}: no such factor or section{nearest(part, known)}")
        annotation: Any = fields[part].annotation
        here = annotation if _is_section(annotation) else None
    return here


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Config)


def _plain(section: Config) -> dict[str, Any]:
    """What was written in the section; defaults stay out."""
    return section.model_dump(mode="json", exclude_unset=True)


def _without(data: dict[str, Any], path: Path) -> dict[str, Any]:
    if not path:
        return {}
    head, *rest = path
    if rest and head in data:
        return {**data, head: _without(data[head], tuple(rest))}
    return {key: value for key, value in data.items() if key != head}


def _checked(section: type[SectionT], name: str, data: dict[str, Any]) -> SectionT:
    try:
        return section.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        separator = "." if first["loc"] else ": "
        raise ValueError(f"freeze.{name}{separator}{explain_error(first, section)}") from None
