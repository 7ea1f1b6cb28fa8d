"""What every part of a vehicle's description is: plain frozen data, checked when it is made."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(gt=0)]


class Spec(BaseModel):
    """Base of every part of a vehicle's description."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
