"""Damaged rows and lines: the first one ends the reading, or each is skipped and told."""

from __future__ import annotations

import warnings
from types import TracebackType

from pydantic import ValidationError

from pamtri.config import explain_error
from pamtri.errors import DataError, UserError
from pamtri.record import Record


class Damage:
    """What a reader does with a row that cannot become a record.

    ``with damage.at("labels.csv, line 3"):`` around the making of one record turns its errors into
    one sentence. With ``skip`` the sentence is kept in ``skipped`` and warned of, and reading goes
    on; without, it is raised as a DataError.
    """

    def __init__(self, skip: bool = False) -> None:
        self.skipped: list[str] = []
        self._skip = skip
        self._where = ""

    def at(self, where: str) -> Damage:
        """Name the file and line of the row that comes next."""
        self._where = where
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, ValidationError):
            reason = f"{self._where}: {explain_error(error.errors()[0], Record)}"
        elif isinstance(error, UserError):
            reason = f"{self._where}: {error}"
        else:
            return False
        if not self._skip:
            raise DataError(reason) from None
        warnings.warn(f"skipped {reason}", stacklevel=3)
        self.skipped.append(reason)
        return True
