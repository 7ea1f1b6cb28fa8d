"""What a parametric vehicle is before it is built: plain frozen data, and how it is drawn.

Metres and degrees in the vehicle frame (x forward, y left, z up, origin on the ground midway
between the axles). Heights are above the ground.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag

from pamtri.attributes import COLOUR_INDEX, COLOURS, TYPES, Colour, VehicleType
from pamtri.errors import ConfigError
from render_assets.frozen import Fraction, Metres, Spec
from render_assets.marks import Marks

Layout = Literal["car", "pickup", "van", "bus", "cab_over", "bonneted"]
LoadKind = Literal["box", "reefer", "curtain", "boards", "stakes", "tipper", "tank", "mixer"]
RimDesign = Literal["five_spoke", "six_spoke", "star", "ten_spoke", "multi_spoke", "twin_spoke",
                    "turbine", "mesh", "y_spoke", "split_v", "blade", "hubcap", "wheel_trim",
                    "steel", "offroad_steel", "truck_steel", "bus_cover"]  # fmt: skip
RimFinish = Literal["silver", "bright", "machined", "dark", "black", "chrome"]
Calliper = Literal["iron", "red", "blue", "yellow"]
Grille = Literal["bars", "mesh", "hexagon", "kidney", "slats", "slim", "closed", "split", "grid"]
HeadLamp = Literal["wedge", "angular", "almond", "round", "quad", "block", "slit", "split", "stack"]
TailLamp = Literal["block", "cluster", "slim", "hook", "bar", "column", "round"]
Intake = Literal["wide", "three", "slot"]
FogLamp = Literal["round", "blade", "none"]
Badge = Literal["circle", "oval", "shield", "bars"]
Bumper = Literal["paint", "strip", "black", "chrome"]
ExhaustTip = Literal["round", "oval", "twin", "trapezoid"]


class Shape(Spec):
    """The body's dimensions; positions along x are signed, in the vehicle frame."""

    length: Metres
    width: Metres
    height: Metres
    wheelbase: Metres
    front_x: float
    """Foremost point of the bumper."""
    clearance: Metres
    headlight_x: float
    nose_z: Metres
    """Height of the bonnet's front edge."""
    cowl_x: float
    """Base of the windscreen."""
    cowl_z: Metres
    roof_front_x: float
    roof_rear_x: float
    deck_x: float
    """Base of the rear glass."""
    deck_z: Metres
    tail_z: Metres
    """Height of the boot's rear edge, where the lamps are."""
    belt_z: Metres
    """Height of the windows' lower edge."""
    belt_rise: float
    """How much higher the belt line is at the rear glass than at the windscreen."""
    body_rear_x: float
    """Rear end of the lofted body: the bumper, or the back of a truck's cab."""
    tumblehome: Fraction
    """Lean of the side windows, metres inward per metre up."""
    nose_round: Fraction
    """How far the front corners are set back from the middle."""
    tail_round: Fraction
    screen_round: Fraction
    """The same for the windscreen."""
    plan_taper: Fraction
    """Narrowing of half the body at its front end."""
    shoulder: Fraction
    """Width of the ledge below the side windows."""
    edge: Metres
    """Blend radius of the lower body's upper edges."""
    roof_edge: Metres
    roof_crown: Fraction
    """Height of the roof's middle over its ends."""
    crease_z: Metres
    """Height of the character line along the side, half-way along the vehicle."""
    crease_rise: float
    """How much higher it is at the rear end than at the front."""
    crease_edge: Metres
    """Radius of the bend along it."""
    lean: Fraction
    """Lean of the side above it, metres inward per metre up."""
    scallop: Fraction
    """Depth of the hollow below it, metres."""
    bumper: Fraction
    """How far the bumpers stand out, metres."""
    dome: Fraction
    """Fall of the bonnet outside its two creases, metres per metre across."""
    flare: Fraction
    """How far the wheel arches stand out."""
    c_pillar: Metres
    """Width of the panel between the last side window and the rear glass."""
    arch_radius: Metres
    open_top: bool
    """A cabin without roof and side windows behind the windscreen."""
    cladding: bool
    """Sills, arches and bumper bottoms of bare plastic."""

    @property
    def rear_x(self) -> float:
        """Rearmost point of the whole vehicle."""
        return self.front_x - self.length


class Load(Spec):
    """What a truck carries behind its cab: a closed body, an open one, or a round one."""

    kind: LoadKind
    front_x: float
    floor_z: Metres
    top_z: Metres
    width: Metres
    painted: bool
    """In the cab's colour rather than white or bare metal."""
    ribbed: bool
    """Pressed ribs along a closed body's sides."""
    guard_z: Metres
    """Height of the cab's roof, which a tipper's guard clears."""

    @property
    def closed(self) -> bool:
        """Whether it has flat sides up to a roof."""
        return self.kind in ("box", "reefer", "curtain")


class Cab(Spec):
    """What a truck's cab carries."""

    visor: bool
    """A shade above the windscreen."""
    deflector: bool
    """A shell on the roof before a tall load."""
    stack: bool
    """The engine's air intake behind the cab's corner."""
    markers: bool
    """Amber lamps along the roof's front edge."""
    dark_bumper: bool
    """A bumper of bare plastic instead of paint."""


class Coachwork(Spec):
    """What sets buses apart beside their shape."""

    doors: tuple[tuple[float, float], ...]
    """x of the rear and front edge of each passenger door; they are on the right side."""
    glazed_doors: bool
    """Doors of glass in two leaves rather than one leaf with a window."""
    flaps: bool
    """Luggage flaps between the axles."""
    roof: Literal["unit", "long", "pods"]
    route: str
    """Digits of the route number on the displays; empty without displays."""
    split_screen: bool
    dark_front: bool
    """Black around the windscreen."""
    vents: bool
    """Sliding upper panes."""
    lamps: Literal["round", "column"]
    """Form of the tail lamps."""


class VanTrim(Spec):
    """What sets vans apart beside their shape."""

    dark_bumpers: bool
    """Bumpers of bare plastic."""
    strip: bool
    """A broad rub strip along the sides."""
    rear_panes: bool
    """Glass in the rear doors of a panelled van."""
    roof_rack: bool


class Wheels(Spec):
    """Tyres and rims; ``twin`` puts two on each side of the rear axle."""

    radius: Metres
    width: Metres
    rim_radius: Metres
    design: RimDesign
    finish: RimFinish
    twin: bool
    calliper: Calliper = "iron"
    phases: tuple[Fraction, Fraction] = (0.0, 0.0)
    """How far the front and rear wheels have rolled, in turns."""


class Details(Spec):
    """The small things of a model's face and body, which its family of designs goes together in."""

    family: str
    intake: Intake
    fog_lamp: FogLamp
    badge: Badge
    bumper: Bumper
    exhaust_tip: ExhaustTip
    surround: Literal["chrome", "black", "paint"]
    """Of the grille."""
    dark_lamps: bool
    """Dark bowls in the head lamps, rather than chrome."""
    lip: bool
    """A splitter under the front bumper."""
    diffuser: bool
    window_chrome: bool
    black_mirrors: bool
    flush_handles: bool
    sunroof: Literal["none", "hatch", "panorama"]
    antenna: Literal["fin", "rod", "none"]
    raised_rails: bool
    side_steps: bool
    mud_flaps: bool
    scoop: bool
    fuel_flap: Literal["round", "square"]


class Lights(Spec):
    """Which lamps of an individual shine."""

    day: bool
    head: bool
    brake: bool


class Trim(Spec):
    """What sets models apart beside their shape."""

    side_windows: tuple[float, ...]
    """x of the pillars between side windows, front to rear."""
    doors: tuple[float, ...]
    """x of the rear edge of each side door at the belt, front to rear."""
    head_lamp: HeadLamp
    tail_lamp: TailLamp
    grille: Grille
    chrome: bool
    moulding: bool
    """A plastic strip along the doors."""
    roof_rails: bool
    spoiler: bool
    tint: Fraction
    """Of the rear side windows and the rear glass."""
    exhausts: Annotated[int, Field(ge=0, le=2)]
    panelled: bool
    """Sheet metal instead of glass behind the front doors."""
    details: Details


class Occupant(Spec):
    """A person in the vehicle; cloth, skin and hair are names in ``materials``."""

    seat: Annotated[int, Field(ge=0)]
    """0 the driver's, 1 beside it, 2 and 3 the outer rear ones (left, right), then further back;
    in a bus, the places from 1 on are drawn from all its rows."""
    cloth: str
    skin: str
    hair: str
    long_hair: bool = False


class Cabin(Spec):
    """What is seen through the glass."""

    right_hand: bool = False
    """The driver sits on the right."""
    colour: Literal["black", "grey", "beige", "tan", "red"] = "black"
    occupants: tuple[Occupant, ...] = ()


class Paint(Spec):
    """A car paint: linear base colour under clear varnish."""

    rgb: tuple[Fraction, Fraction, Fraction]
    finish: Literal["solid", "metallic", "pearl", "matte"]
    metallic: Fraction
    roughness: Fraction
    flake: Fraction
    coat: Fraction
    coat_roughness: Fraction


class VehicleSpec(Spec):
    """One individual vehicle."""

    identity: int | None
    model: int | None = None
    """Vehicles of one data set with the same number are alike but for ``marks`` and ``lights``."""
    type: VehicleType
    style: str
    layout: Layout
    colour: Colour
    paint: Paint
    shape: Shape
    wheels: Wheels
    trim: Trim
    lights: Lights
    load: Load | None = None
    cab: Cab | None = None
    coachwork: Coachwork | None = None
    van: VanTrim | None = None
    marks: Marks = Marks()
    cabin: Cabin = Cabin()


class ImportedSpec(Spec):
    """One individual vehicle whose mesh was imported: an entry of a catalogue, and its paint."""

    identity: int | None
    type: VehicleType
    style: str
    colour: Colour
    paint: Paint
    """Of the groups of faces that are painted, if there are any."""
    asset: str
    """The entry's folder."""
    digest: str
    """Of the entry's files: a changed entry is another vehicle."""


def _kind(value: object) -> str:
    given = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return "imported" if "asset" in given else "parametric"


AnyVehicleSpec = Annotated[
    Annotated[VehicleSpec, Tag("parametric")] | Annotated[ImportedSpec, Tag("imported")],
    Discriminator(_kind),
]
"""The description of any vehicle that can be built."""


_STREAM = 0x5645_4849
"""Sets the vehicles' random stream apart from every other that starts from the same seed."""


def sample_vehicle(
    seed: int,
    identity: int,
    types: Mapping[str, float] | None = None,
    colours: Mapping[str, float] | None = None,
    styles: Mapping[str, float] | None = None,
    model: int | None = None,
    individual: int = 0,
) -> VehicleSpec:
    """The vehicle that ``identity`` is under ``seed``: a pure function of its arguments.

    Everything but its marks and lights is drawn for the number ``model``, by default the
    identity's own: two identities of one model are twins that differ in plate, stickers, dents and
    the like alone. Of one identity, vehicles with other ``individual`` numbers differ in paint too.

    The three mappings weigh types, colours and styles by name (unnamed ones get none); by default
    types and colours are equally likely. Shape, paint, trim and marks have streams of their own, so
    that another colour choice leaves the shape as it was. Raises ``ConfigError`` for an unknown
    name, a negative weight, or weights that leave nothing to choose.
    """
    from render_assets import colours as paints
    from render_assets import styles as catalogue
    from render_assets.cabin import sample_cabin
    from render_assets.faces import sample_lights
    from render_assets.mark_draws import sample_marks
    from render_assets.rims import sample_rolling

    model = identity if model is None else model
    seeds = np.random.SeedSequence([seed, model, _STREAM]).spawn(10)
    seeds[1:3] = (of_individual(s, individual) for s in seeds[1:3])
    streams = [np.random.default_rng(s) for s in seeds]
    model_rng, colour_rng, paint_rng, shape_rng, trim_rng = streams[:5]
    wheel_rng, cabin_rng, face_rng, lights_rng = streams[6:]  # the sixth is of the individual
    own = np.random.SeedSequence([seed, identity, _STREAM], spawn_key=(5,))
    marks_rng = np.random.default_rng(of_individual(own, individual))
    style_weights = _weights("style", styles, tuple(catalogue.STYLES))
    type_weights = _weights("type", types, TYPES)
    offered = {s.type for s in catalogue.STYLES.values() if style_weights[s.name] > 0}
    type_weights = {t: w if t in offered else 0.0 for t, w in type_weights.items()}
    if not sum(type_weights.values()):
        raise ConfigError("the chosen styles and types have no vehicle in common")
    vehicle_type = _choose(model_rng, type_weights)
    candidates = {
        s.name: style_weights[s.name] * (s.weight if styles is None else 1.0)
        for s in catalogue.STYLES.values()
        if s.type == vehicle_type
    }
    style = catalogue.STYLES[_choose(model_rng, candidates)]
    names = _weights("colour", colours, COLOURS)
    colour = COLOURS[COLOUR_INDEX[_choose(colour_rng, names)]]
    drawn = catalogue.sample_model(style, shape_rng, trim_rng, face_rng)
    drawn["wheels"] |= sample_rolling(wheel_rng)
    return VehicleSpec.model_validate(
        {
            "identity": identity,
            "model": model,
            "type": style.type,
            "style": style.name,
            "layout": style.layout,
            "colour": colour,
            "paint": paints.sample_paint(paint_rng, colour),
            **drawn,
            "cabin": sample_cabin(style.layout, cabin_rng),
            "lights": sample_lights(lights_rng),
            "marks": sample_marks(marks_rng, style, colour, drawn),
        }
    )


def of_individual(stream: np.random.SeedSequence, individual: int) -> np.random.SeedSequence:
    """The stream of an identity's ``individual``; that of number 0 is the identity's."""
    if not individual:
        return stream
    return np.random.SeedSequence(stream.entropy, spawn_key=(*stream.spawn_key, individual))


def _weights(
    kind: str, given: Mapping[str, float] | None, known: Sequence[str]
) -> dict[str, float]:
    """A weight for every known name; checks the given ones."""
    if given is None:
        return dict.fromkeys(known, 1.0)
    for name, weight in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise ConfigError(f"unknown vehicle {kind} '{name}'; did you mean '{near}'?")
        if not (np.isfinite(weight) and weight >= 0):
            raise ConfigError(f"weight of vehicle {kind} '{name}' must be >= 0, got {weight}")
    if not sum(given.values()):
        raise ConfigError(f"every vehicle {kind} has weight 0: nothing to choose from")
    return {name: float(given.get(name, 0.0)) for name in known}


def _choose(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """One name, drawn by weight from a single uniform number."""
    names = list(weights)
    edges = np.cumsum([weights[n] for n in names])
    return names[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]
