"""Configurations: YAML files checked against pydantic models, with errors a person can act on."""

from __future__ import annotations

import difflib
import json
import re
import types
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from pamtri.errors import ConfigError


class Config(BaseModel):
    """Base of every configuration section: unknown keys are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


ConfigT = TypeVar("ConfigT", bound=Config)


def load_config(path: Path, model: type[ConfigT], overrides: Sequence[str] = ()) -> ConfigT:
    """Read ``path``, lay it over the file that its ``extends`` names, then the overrides.

    An override reads ``a.b=value``.
    Raises ConfigError with the file, the key path, what was expected and what came.
    """
    data = read_plain(path, overrides)
    return parse_config(data, model, source=str(path))


def read_plain(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The plain data of ``path`` over that of its parents, under the overrides; not checked."""
    data = _read_with_parents(path, seen=())
    for override in overrides:
        _apply_override(data, override)
    return data


def parse_config(data: dict[str, Any], model: type[ConfigT], source: str) -> ConfigT:
    """Check plain data against ``model``; ``source`` names it in errors."""
    try:
        # Through JSON, so that types are strict ("5" is no int) while lists may become tuples.
        return model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        lines = [explain_error(e, model) for e in error.errors()]
        more = f" (and {len(lines) - 3} more)" if len(lines) > 3 else ""
        raise ConfigError(f"{source}: " + "; ".join(lines[:3]) + more) from None


def dump_config(config: Config) -> str:
    """The resolved configuration as YAML that ``load_config`` reads back equal."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint like `` (did you mean 'suv'?)``, or nothing where no name is close."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file. Raises ConfigError when it does not hold such."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected keys and values, got {type(data).__name__}")
    return data


def _read_with_parents(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in seen:
        raise ConfigError(f"{path}: extends itself through {seen[-1]}")
    data = read_yaml(path)
    parent = data.pop("extends", None)
    if parent is None:
        return data
    if not isinstance(parent, str):
        raise ConfigError(f"{path}: extends: expected one file name, got {parent!r}")
    base = _read_with_parents(path.parent / parent, (*seen, path.resolve()))
    return _merge(base, data)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``, section by section.

    A section that says what ``kind`` it is replaces its parent whole: another kind's keys would be
    left-overs.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merge(below, value) if both and "kind" not in value else value  # type: ignore[arg-type]
    return merged


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: expected a.b.c=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"--set {override}: '{text}' is not a YAML value") from None
    *sections, last = key.split(".")
    for section in sections:
        below = data.get(section)
        if below is None:
            below = data[section] = {}
        if not isinstance(below, dict):
            raise ConfigError(f"--set {override}: '{section}' holds a value, not a section")
        data = below
    data[last] = value


def explain_error(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One validation error as 'key.path: expected ..., got ...'."""
    location, context = error["loc"], error.get("ctx", {})
    where = ".".join(_written_path(model, location))
    got = repr(error["input"])
    got = got if len(got) <= 60 else got[:57] + "..."
    message = error["msg"]
    match error["type"]:
        case "extra_forbidden":
            hint = nearest(str(location[-1]), _fields_at(model, location[:-1]))
            return f"unknown key '{where}'{hint}"
        case "missing":
            return f"missing key '{where}'"
        case "literal_error" | "enum":
            text = f"expected {context['expected']}, got {got}"
            text += nearest(str(error["input"]), _quoted(context["expected"]))
        case "union_tag_invalid":
            where += ".kind"
            text = f"expected one of {context['expected_tags']}, got '{context['tag']}'"
            text += nearest(context["tag"], _quoted(context["expected_tags"]))
        case "value_error":
            text = str(context["error"])
        case "too_short" | "too_long":
            limit = context.get("min_length", context.get("max_length"))
            bound = "at least" if "min_length" in context else "at most"
            text = f"expected {bound} {limit} items, got {context['actual_length']}"
        case "json_invalid":
            text = f"is not valid JSON ({context['error']})"
        case _ if message.startswith("Input should be "):
            text = f"expected {message.removeprefix('Input should be ')}, got {got}"
        case _:
            text = f"{message[0].lower()}{message[1:]}, got {got}"
    return f"{where}: {text}" if where else text


def _quoted(text: str) -> list[str]:
    """The names that pydantic lists in a message."""
    return re.findall("'([^']*)'", text)


def _written_path(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """``location`` as the file has it: without the tags by which pydantic names union members."""
    here: list[Any] = [model]
    parts = []
    tag_expected = False
    for part in location:
        below = [b for h in here for b in _below(h, part)]
        if tag_expected and isinstance(part, str) and not below:
            tag_expected = False
            continue
        if below:
            here = [option for b in below for option in _options(b)]
            tag_expected = len(here) > 1
        parts.append(str(part))
    return parts


def _below(annotation: Any, part: int | str) -> list[Any]:
    """What may stand at ``part`` of a value that is annotated so: nothing for a union's tag."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return [] if field is None else [field.annotation]
    if origin is dict:
        return [arguments[1]]
    is_item = origin in (list, tuple) and isinstance(part, int)
    return [a for a in arguments if a is not ...] if is_item else []


def _options(annotation: Any) -> list[Any]:
    """The members of a union, or the one thing that an annotation stands for."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _options(arguments[0])
    if origin in (Union, types.UnionType):
        return [option for a in arguments for option in _options(a)]
    return [annotation]


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys that are allowed at ``location`` (union tags in it are stepped over)."""
    here = _models_in(model)
    for part in location:
        below = [m for h in here if part in h.model_fields
                 for m in _models_in(h.model_fields[str(part)].annotation)]  # fmt: skip
        here = below or here
    return [name for m in here for name in m.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Every pydantic model that an annotation mentions, through unions and containers."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType, Annotated, list, tuple, dict):
        return [m for a in typing.get_args(annotation) for m in _models_in(a)]
    return []
