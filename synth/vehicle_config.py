"""What a configuration says of the vehicles of a data set."""

from __future__ import annotations

import fractions
from math import ceil
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pamtri.attributes import COLOURS, TYPES
from pamtri.config import Config
from pamtri.errors import ConfigError, DataError
from render_assets.imported.build import sample_imported
from render_assets.imported.entry import load_entry
from render_assets.spec import AnyVehicleSpec, sample_vehicle
from synth.distributions import Fraction, Name, NameByCase, one_of


class TwinConfig(Config):
    """Near twins: how many identities share model, paint and trim with others and differ in their
    marks (plate, stickers, dents, dirt, ...) alone.

    Groups lie evenly among the identities: group k is the ``group`` consecutive identities from
    ceil(k * group / share) on. Which vehicle an identity is thus depends on nothing but its number,
    the seed and this section. A split never ends inside a group (``SynthConfig.split_ends``); a
    data set that ends inside one, or begins there with ``identity_offset``, holds a part of it.
    """

    share: Fraction = 0.0
    """Of the identities that have twins; exact to one group in any block of identities."""
    group: Annotated[int, Field(ge=2, le=1000)] = 3
    """Identities that are alike."""

    def model_of(self, identity: int) -> int:
        """The first identity of the group that ``identity`` is in, or its own number."""
        if not self.share:
            return identity
        spacing = self.group / fractions.Fraction(self.share).limit_denominator(1_000_000)
        start = ceil(identity // spacing * spacing)
        return start if identity - start < self.group else identity


class VehicleConfig(Config):
    """Which vehicles there are; a factor left out is as the catalogue of vehicles weighs it."""

    type: Annotated[Name, one_of(TYPES)] | None = None
    """VeRi's nine types, by weight."""
    colour: Annotated[Name, one_of(COLOURS)] | None = None
    """VeRi's ten colours, by weight; may be ``by_type`` or ``by_style``."""
    style: Name | None = None
    """Sub-style, such as ``coupe``."""
    identity_is: Literal["vehicle", "model"] = "vehicle"
    """What an identity is: one ``vehicle``, or a ``model`` of which each image shows another
    vehicle, with a paint and marks of its own, as in Stanford Cars and CompCars."""
    twins: TwinConfig = TwinConfig()
    imported: dict[str, Fraction] = Field(default={})
    """Share of the identities that show the imported vehicle in each folder; the others are
    parametric ones, of which ``type`` and ``style`` are. ``colour`` is of both, but an imported
    vehicle without a painted part keeps its own."""

    @model_validator(mode="after")
    def _imported_vehicles_exist(self) -> VehicleConfig:
        total = sum(self.imported.values())
        if total > 1 + 1e-9:
            raise ValueError(f"imported: expected shares that add up to at most 1, got {total:g}")
        for folder in self.imported:
            try:
                load_entry(Path(folder))
            except DataError as error:
                raise ValueError(f"imported: {error}") from None
        return self

    @model_validator(mode="after")
    def _identities_know_their_cases(self) -> VehicleConfig:
        for key in ("type", "style", "colour"):
            factor = getattr(self, key)
            if isinstance(factor, NameByCase) and (key != "colour" or factor.fact == "camera"):
                raise ValueError(
                    f"{key}: cannot be {factor.kind}, as an identity is one vehicle; "
                    "only colour can be by_type or by_style"
                )
        return self

    @model_validator(mode="after")
    def _only_vehicles_have_twins(self) -> VehicleConfig:
        if self.identity_is == "model" and self.twins.share:
            raise ValueError("twins: identities have none where `identity_is` is model")
        return self

    @model_validator(mode="after")
    def _such_vehicles_exist(self) -> VehicleConfig:
        if self.style is not None:
            try:
                self.sample(seed=0, identity=0)
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return self

    def sample(self, seed: int, identity: int, turn: int = 0) -> AnyVehicleSpec:
        """The vehicle that image ``turn`` of ``identity`` shows in a data set with ``seed``: the
        same in all of them, unless identities are models."""
        individual = turn if self.identity_is == "model" else 0
        drawn = self._draw(seed, identity, individual, self.colour)
        if isinstance(self.colour, NameByCase):
            # Colours have streams of their own: the same vehicle comes out, in its case's colour.
            facts = {"type": drawn.type, "style": drawn.style}
            drawn = self._draw(seed, identity, individual, self.colour.case(facts))
        return drawn

    def _draw(
        self, seed: int, identity: int, individual: int, colour_factor: Name | None
    ) -> AnyVehicleSpec:
        type, colour, style = (
            None if factor is None else factor.weights_by_value()
            for factor in (self.type, colour_factor, self.style)
        )
        imported = sample_imported(seed, identity, self.imported, colour, individual)
        if imported is not None:
            return imported
        model = self.twins.model_of(identity)
        return sample_vehicle(seed, identity, type, colour, style, model, individual)
