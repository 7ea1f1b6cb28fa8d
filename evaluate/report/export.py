"""Tables as files: CSV for programs, LaTeX (booktabs) for papers."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pamtri.run_folder import write_atomic

FOLDER = "tables"
_PUT = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "[": "{[}", "*": "{*}",  # either would be taken for an argument of the row's end before it
    "\N{MINUS SIGN}": "$-$", "\N{EN DASH}": "--", "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{DEGREE SIGN}": r"$^\circ$", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _PUT)))

Cell = str | float | None


@dataclass(frozen=True)
class Column:
    """A heading, and with how many digits after the point a paper shows its numbers."""

    heading: str
    digits: int = 0
    signed: bool = False
    """Whether numbers above zero have a plus."""


@dataclass(frozen=True)
class Table:
    """A table to take along; ``name`` is that of its files."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    paper: Table | None = None
    """The same in fewer columns, which is what LaTeX gets."""

    @property
    def csv(self) -> str:
        """Numbers with a point and six digits after it at most, empty where there is none."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.heading for column in self.columns])
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return text.getvalue()

    @property
    def latex(self) -> str:
        """A table environment that needs no package but booktabs (and textcomp before 2020)."""
        if self.paper is not None:
            return self.paper.latex
        places = range(len(self.columns))
        kinds = "".join("l" if self.has_text(place) else "r" for place in places)
        body = [_latex_row(map(latex_text, row)) for row in self.shown]
        lines = [
            r"% \usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{latex_text(self.title)}}}",
            rf"  \label{{tab:{self.name}}}",
            rf"  \begin{{tabular}}{{{kinds}}}",
            r"    \toprule",
            _latex_row(latex_text(column.heading) for column in self.columns),
            r"    \midrule",
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    @property
    def csv_link(self) -> str:
        """The CSV as an address that needs no file."""
        return _data_link("text/csv", self.csv)

    @property
    def latex_link(self) -> str:
        """The LaTeX as an address that needs no file."""
        return _data_link("application/x-tex", self.latex)

    def has_text(self, place: int) -> bool:
        """Whether the column at ``place`` holds words."""
        return any(isinstance(row[place], str) for row in self.rows)

    @property
    def shown(self) -> list[list[str]]:
        """The cells as a reader sees them."""
        return [
            [_shown(cell, column) for cell, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write ``NAME.csv`` and ``NAME.tex`` of each into ``folder``; no two may share a name."""
    folder.mkdir(parents=True, exist_ok=True)
    assert len({table.name for table in tables}) == len(tables)
    for table in tables:
        write_atomic(folder / f"{table.name}.csv", table.csv)
        write_atomic(folder / f"{table.name}.tex", table.latex)


def latex_text(text: str) -> str:
    """Text that LaTeX sets as it stands: nothing in it is a command."""
    return _SPECIAL.sub(lambda found: _PUT[found[0]], text.replace("\n", " "))


def _latex_row(cells: Iterable[str]) -> str:
    return rf"    {' & '.join(cells)} \\"


def _plain(cell: Cell) -> Cell:
    return (
        f"{round(cell, 6) + 0.0:.6f}".rstrip("0").rstrip(".") if isinstance(cell, float) else cell
    )


def _shown(cell: Cell, column: Column) -> str:
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, str):
        return cell
    number = round(cell, column.digits) + 0.0  # no negative zero
    text = f"{number:{'+' if column.signed else ''},.{column.digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _data_link(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
