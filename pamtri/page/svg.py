"""Charts as SVG whose colours are the page's own, in light and dark."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

INK = "#123456"
"""Stands for the page's text colour until the SVG is written."""
ARMS = ("#0a0b00", "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04", "#0a0b05")
"""Stand for the page's colours of what is compared, in order."""


def inline_svg(title: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> Markup:
    """What ``draw`` puts on a figure of ``size`` inches, as SVG that grows to its place's width.

    The same drawing gives the same text.
    """
    with matplotlib.rc_context(_settings(title)), warnings.catch_warnings():
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        warnings.filterwarnings("ignore", "Glyph")  # the page's own fonts have it
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return Markup(_on_the_page(buffer.getvalue(), title))


def _settings(title: str) -> dict[Any, Any]:
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": title,
        "font.family": "sans-serif",
        "font.size": 10.5,
        "text.color": INK,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": INK,
    }


def _on_the_page(svg: str, title: str) -> str:
    """Strip the file's header and size, and let the page decide on colours and font."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    for arm, colour in enumerate(ARMS):
        svg = svg.replace(colour, f"var(--arm-{arm})")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", svg)
    return svg.replace("<svg", f'<svg class="chart" role="img" aria-label="{escape(title)}"', 1)
