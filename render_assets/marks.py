"""What tells an individual from others of its model and paint: plain frozen data.

Metres in the vehicle frame where nothing else is said. Colours are names of ``materials.DECALS``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from render_assets.frozen import Fraction, Metres, Spec

Side = Literal["left", "right"]
Signed = Annotated[float, Field(ge=-1, le=1)]
Wheel = Literal["left_front", "right_front", "left_rear", "right_rear"]


class Plate(Spec):
    """A registration plate; the styles are in ``render_assets.plates``."""

    style: str
    text: str
    """The number; a line feed starts its second row."""
    mark: str
    """Country or state, where the style shows it."""
    holder: bool
    dealer: str
    """On the holder, or empty."""
    front: bool
    """Also at the front."""


class Sticker(Spec):
    """Something stuck to glass or paint."""

    place: Literal["windscreen", "rear_glass", "tail", "bumper"]
    across: Signed
    """Position from the vehicle's right, -1, to its left, 1."""
    up: Fraction
    """Position between its lower and upper edge."""
    form: Literal["disc", "square", "oval", "bar", "star"]
    size: Metres
    """Its height."""
    ground: str
    ink: str
    text: str
    """On it, or empty."""
    tilt_deg: float


class Dent(Spec):
    """Where something hit the side."""

    side: Side
    along: Fraction
    """Position from the rear end to the front end."""
    up: Fraction
    """Position between the sill and the belt line."""
    radius: Metres
    depth: Metres


class Scratch(Spec):
    """Parallel lines down to the primer; placed like a ``Dent``."""

    side: Side
    along: Fraction
    up: Fraction
    length: Metres
    tilt_deg: float
    lines: Annotated[int, Field(ge=1, le=5)]


class Rust(Spec):
    """A patch of rust by the sill or a wheel arch."""

    side: Side
    along: Fraction
    size: Metres
    seed: int
    """Of its outline."""


class Thing(Spec):
    """Something on the dashboard or the parcel shelf."""

    place: Literal["dashboard", "shelf"]
    form: Literal["box", "ball"]
    across: Signed
    size: tuple[Metres, Metres, Metres]
    colour: str


class Taxi(Spec):
    """A taxi's roof sign and the band along its sides."""

    sign: str
    """Colour of the sign."""
    text: str
    band: str | None
    """Colour of the band; None for none."""


class Livery(Spec):
    """A company's paintwork and lettering."""

    pattern: Literal["plain", "stripe", "wave", "slash", "block"]
    first: str
    second: str
    """Colours of the pattern."""
    ink: str
    """Colour of the letters."""
    name: str
    line: str
    """What the company does, or its number."""
    logo: Literal["none", "disc", "ring", "star", "chevron"]
    font: Literal["bold", "italic", "serif", "sans"]


class Marks(Spec):
    """All marks of one individual; none by default."""

    plate: Plate | None = None
    stickers: tuple[Sticker, ...] = ()
    roof_load: Literal["none", "bars", "rack", "box"] = "none"
    roof_box: str = "black"
    """Colour of the box on the roof."""
    roof_colour: str | None = None
    """Of a roof in another colour than the body."""
    taxi: Taxi | None = None
    livery: Livery | None = None
    dents: tuple[Dent, ...] = ()
    scratches: tuple[Scratch, ...] = ()
    rust: tuple[Rust, ...] = ()
    dirt: Fraction = 0.0
    """From none to as much as traffic police let pass."""
    dirt_seed: int = 0
    """Of its pattern."""
    bare_wheel: Wheel | None = None
    """A wheel that has lost its hubcap."""
    ornament: str | None = None
    """Colour of something that hangs at the inner mirror."""
    things: tuple[Thing, ...] = ()
    blind: Literal["none", "windscreen", "sides"] = "none"
    curtains: str | None = None
    """Colour of curtains at the side windows."""
