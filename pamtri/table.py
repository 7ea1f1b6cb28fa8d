"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns lined up: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligns: list[Callable[[str, int], str]] = [
        str.rjust if rows[-1][i][:1].isdigit() else str.ljust for i in range(len(widths))
    ]
    lines = [
        "  ".join(
            align(cell, width) for cell, width, align in zip(row, widths, aligns, strict=True)
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
