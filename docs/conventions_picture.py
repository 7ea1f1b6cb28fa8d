"""Draws ``conventions.png``: run ``python docs/conventions_picture.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from pamtri import camera

INK, FRONT, LEFT, UP = "#30343b", "#c8452f", "#2a7f62", "#2f5fa8"
SIDE = (  # a saloon's outline from its right: x, z
    *((2.25, 0.4), (2.1, 0.72), (0.9, 1.0), (0.2, 1.4), (-0.9, 1.4), (-1.5, 1.02), (-2.1, 0.95)),
    *((-2.2, 0.4), (-1.65, 0.25), (1.65, 0.25), (2.25, 0.4)),
)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    """An axis."""
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2}, zorder=5
    )


def plain(axes: Axes, title: str) -> None:
    """No frame, equal scales, a title."""
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(title, color=INK, fontsize=11, loc="left")


def draw_azimuth(axes: Axes) -> None:
    """The vehicle from above with the cameras around it."""
    axes.add_patch(
        FancyBboxPatch((-2.1, -0.7), 4.2, 1.4, "round,pad=0.1", fc="#e9e6df", ec=INK, lw=1.2)
    )
    axes.plot([0.2, 0.9, 0.9, 0.2, 0.2], [0.55, 0.7, -0.7, -0.55, 0.55], color=INK, lw=1)
    arrow(axes, (0, 0), (1.7, 0), FRONT)
    arrow(axes, (0, 0), (0, 1.35), LEFT)
    axes.text(0.75, -0.45, "x forward", color=FRONT, fontsize=9)
    axes.text(0.12, 1.15, "y left", color=LEFT, fontsize=9)
    turn = np.linspace(0, np.pi / 2, 40)
    axes.plot(2.9 * np.cos(turn), 2.9 * np.sin(turn), color=INK, lw=1, ls=":")
    sees = {
        0: "sees the front",
        90: "sees the left side",
        180: "sees the rear",
        270: "sees the right side",
    }
    for azimuth, text in sees.items():
        view = camera.Viewpoint(np.radians(azimuth), 0.0, 0.0, 3.5)
        x, y, _ = camera.pose_from_viewpoint(view).centre
        toward = np.array([x, y]) * 0.83
        arrow(axes, (x, y), tuple(toward), UP)
        axes.text(
            x * 1.08,
            y * 1.14,
            f"{azimuth}°\n{text}",
            color=UP,
            fontsize=9,
            ha="center",
            va="center",
        )
    axes.set(xlim=(-6, 6), ylim=(-4.8, 4.8))
    plain(axes, "Azimuth (from above)")


def draw_elevation(axes: Axes) -> None:
    """The vehicle from its right, with a camera in front of it and above."""
    x, z = np.array(SIDE).T
    axes.fill(x, z, fc="#e9e6df", ec=INK, lw=1.2)
    for wheel in (-1.3, 1.3):
        axes.add_patch(plt.Circle((wheel, 0.31), 0.31, fc="#8d9096", ec=INK))
    axes.plot([-2.8, 5], [0, 0], color=INK, lw=1)
    arrow(axes, (0, 0), (1.1, 0), FRONT)
    arrow(axes, (0, 0), (0, 1.1), UP)
    axes.text(0.7, -0.45, "x", color=FRONT, fontsize=9)
    axes.text(-0.3, 0.85, "z up", color=UP, fontsize=9, ha="center")
    axes.text(
        -2.8, -0.85, "origin: on the ground,\nmidway between the axles", color=INK, fontsize=9
    )
    elevation = np.radians(30)
    arrow(axes, (4.2 * np.cos(elevation), 4.2 * np.sin(elevation)), (0.2, 0.11), INK)
    turn = np.linspace(0, elevation, 20)
    axes.plot(3 * np.cos(turn), 3 * np.sin(turn), color=INK, lw=1, ls=":")
    axes.text(3.05, 0.65, "elevation", color=INK, fontsize=9)
    axes.text(3.75, 2.25, "camera", color=INK, fontsize=9)
    axes.set(xlim=(-3, 5.2), ylim=(-1.4, 3.4))
    plain(axes, "Elevation (from its right)")


def draw_pixels(axes: Axes) -> None:
    """The corner of an image, its first pixel and the camera's axes."""
    for row in range(4):
        for column in range(5):
            shade = "#f6d9a8" if row == column == 0 else "white"
            axes.add_patch(Rectangle((column, row), 1, 1, fc=shade, ec="#b9bcc2", lw=1))
    axes.plot([0], [0], "o", color=FRONT, ms=6, zorder=6)
    axes.text(-0.15, -0.2, "(0, 0) corner", color=FRONT, fontsize=9, ha="left", va="bottom")
    axes.plot([0.5], [0.5], "+", color=INK, ms=9, mew=2)
    axes.text(
        1.1,
        0.62,
        "(0.5, 0.5): centre of pixel\nwith index (0, 0)",
        color=INK,
        fontsize=9,
        bbox={"fc": "white", "ec": "none", "pad": 1},
    )
    arrow(axes, (0, 4.6), (2, 4.6), FRONT)
    axes.text(2.1, 4.7, "camera x, right", color=FRONT, fontsize=9)
    arrow(axes, (0, 4.6), (0, 6.2), LEFT)
    axes.text(0.15, 6.2, "camera y, down", color=LEFT, fontsize=9)
    axes.plot([0], [4.6], "o", ms=9, mfc="none", mec=UP, mew=2)
    axes.plot([0], [4.6], "x", ms=6, color=UP)
    axes.text(0.3, 5.25, "camera z, into the picture", color=UP, fontsize=9)
    axes.set(xlim=(-0.6, 5.6), ylim=(6.6, -0.9))
    plain(axes, "Pixels and the camera frame")


def main() -> None:
    """Draw the three panels."""
    figure, panels = plt.subplots(1, 3, figsize=(13, 5), width_ratios=(1.1, 1.2, 0.9))
    for draw, axes in zip((draw_azimuth, draw_elevation, draw_pixels), panels, strict=True):
        draw(axes)
    figure.tight_layout()
    figure.savefig(
        Path(__file__).with_name("conventions.png"), dpi=110, facecolor="white", bbox_inches="tight"
    )


if __name__ == "__main__":
    main()
