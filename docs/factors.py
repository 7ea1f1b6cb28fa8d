"""Writes ``docs/factors.md`` from the configuration's models: run ``python docs/factors.py``.

``python docs/factors.py --pictures`` first renders ``docs/factors/*.jpg`` anew with Blender (some
minutes; name keys to render theirs alone): each visual factor at both ends, all else the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from factor_keys import is_section, rules, sections
from factor_pictures import draw, pictured
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pamtri.config import Config
from synth import distributions
from synth.config import SynthConfig
from synth.distributions import Limits, Names

PAGE = Path(__file__).with_suffix(".md")
UNITS = {
    "deg": "degrees",
    "m": "metres",
    "mm": "millimetres",
    "px": "pixels",
    "ev": "stops",
    "k": "kelvin",
    "kmh": "km/h",
    "mps": "m/s",
    "ms": "milliseconds",
    "hours": "hours",
    "lengths": "vehicle lengths",
    "probability": "probability",
}
"""By the last word of a key."""
KINDS: tuple[type[Config], ...] = (
    distributions.Uniform,
    distributions.Normal,
    distributions.LogUniform,
    distributions.Choice,
    distributions.Table,
    distributions.NameTable,
    distributions.Mixture,
    distributions.NumberByCase,
)
INTRODUCTION = """# Factors

Written by `python docs/factors.py` from the models in `synth/config.py`: all keys of a
configuration in `configs/synth/`, with what they may be and what they are where nothing is said.
Pictures show a factor at its ends, all else the same.

What is drawn for one key never depends on another key: adding, fixing or changing a factor leaves
all others as they were, image by image. `freeze` uses that: it lays keys over all sections, those
of fixed cameras too, for the same scenes with something fixed or swapped.

```yaml
extends: traffic_camera.yaml
freeze:
  light.hdri: studio.exr   # a factor
  camera: {roll_deg: 0}    # keys of a section
  sensor: off              # a section that can be without effect
```

## How a factor is drawn

A number or a name stands for itself: `roll_deg: 0`, `kind: asphalt`. Where the tables below say
*number* or *name*, it may also be a section of one of these kinds:

| kind | keys | meaning |
|---|---|---|
"""


def main(arguments: list[str]) -> None:
    """Write the page, after its pictures where they are wanted."""
    if arguments[:1] == ["--pictures"]:
        draw(arguments[1:])
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    rows = [_kind_row(kind) for kind in KINDS]
    parts = [INTRODUCTION + "\n".join(rows) + "\n"]
    parts += _section("", SynthConfig, None)
    for key, section, defaults in sections(SynthConfig):
        parts += _section(key, section, defaults)
    return "\n".join(parts)


def _section(key: str, model: type[Config], defaults: Any) -> Iterator[str]:
    """Heading, table and pictures of a section; what is below it has a section of its own."""
    yield f"## {key or 'The data set'}\n\n{_sentences(model.__doc__)}\n"
    yield "| key | unit | allowed | default | meaning |\n|---|---|---|---|---|"
    shown = pictured()
    pictures = []
    for name, field in model.model_fields.items():
        if is_section(field):
            continue
        full = f"{key}.{name}" if key else name
        default = field.default if defaults is None else getattr(defaults, name)
        unit = UNITS.get(name.rpartition("_")[2], "")
        cells = (f"`{full}`", unit, _allowed(field), _default(default))
        yield f"| {' | '.join(cells)} | {_sentences(field.description)} |"
        if full in shown:
            pictures.append(f"`{full}`: {shown[full]}\n\n![{full}](factors/{full}.jpg)\n")
    yield ""
    yield from pictures


def _kind_row(kind: type[Config]) -> str:
    tags = get_args(kind.model_fields["kind"].annotation)
    names = ", ".join(f"`{tag}`" for tag in tags)
    if kind is distributions.NameTable:
        names += " of names"
    keys = []
    for name, field in kind.model_fields.items():
        if name != "kind":
            text = f"`{name}`" + ("" if field.is_required() else " (optional)")
            keys.append(text + (f": {_sentences(field.description)}" if field.description else ""))
    return f"| {names} | {'<br>'.join(keys)} | {_sentences(kind.__doc__)} |"


def _allowed(field: FieldInfo) -> str:
    """What a key may be, in words."""
    texts = []
    annotation = str(field.annotation)
    for rule in rules(field):
        match rule:
            case Limits(low, high):
                texts.append(f"number, {_span(low, high)}")
            case Names(names):
                texts.append("name: " + ", ".join(names))
            case Ge(ge=low):
                texts.append(f"from {low:g}")
            case Gt(gt=low):
                texts.append(f"above {low:g}")
            case Le(le=high):
                texts.append(f"up to {high:g}")
            case Lt(lt=high):
                texts.append(f"below {high:g}")
    if get_origin(field.annotation) is Literal:
        texts = [" or ".join(str(value) for value in get_args(field.annotation))]
    elif field.annotation is bool:
        texts = ["true or false"]
    elif not texts and "ProbabilityByCase" in annotation:
        texts = ["probability"]
    elif not texts and "Constant[str]" in annotation:
        texts = ["name"]
    elif not texts and "Constant[float]" in annotation:
        texts = ["number"]
    return ", ".join(texts)


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"from {low:g}" if low is not None else f"up to {high:g}"
    return f"{low:g} to {high:g}"


def _default(value: Any) -> str:
    """A default as a person would write it."""
    if value is PydanticUndefined:
        return "*required*"
    if isinstance(value, distributions.Constant):
        value = value.root
    if isinstance(value, distributions.Uniform):
        return f"uniform, {value.low:g} to {value.high:g}"
    if isinstance(value, distributions.LogUniform):
        return f"log_uniform, {value.low:g} to {value.high:g}"
    if isinstance(value, distributions.Distribution):
        return f"`{value.model_dump(mode='json', exclude_unset=True)}`"
    if value is None or value in ({}, ()):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def _sentences(text: str | None) -> str:
    """A docstring on one line, in Markdown."""
    return " ".join((text or "").split()).replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    main(sys.argv[1:])
