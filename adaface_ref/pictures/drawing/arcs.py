"""Draws the arcs: a row of four sectors, then three and the legend, a profile."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from adaface_ref.pictures.arcs import INNER, Panel, top_of
from adaface_ref.pictures.drawing.style import COLOURS, PAGE, Look, use_style
from adaface_ref.pictures.heads import Floats
from adaface_ref.pictures.recipes import Plan

ACROSS = 4
B0: Look = {"color": "#0072B2", "ls": (0, (2, 1.2)), "lw": 1.3}
B1: Look = {"color": "black", "ls": "-", "lw": 1.3}
SHAPES = {False: "o", True: "^"}
FILLS = {False: "white", True: "black"}
EASE = {False: "easy", True: "hard"}
NORM = {False: "low", True: "high"}


def draw_arcs(panels: Sequence[Panel], plan: Plan) -> Figure:
    """Draws the panels on one colour scale.

    Args:
        panels: of `panels_of`, 7 a profile.
        plan: what they were made with, for the caption.

    Returns:
        The figure, two columns wide.
    """
    profiles = list(dict.fromkeys(panel.profile for panel in panels))
    count = 2 * len(profiles)
    with use_style():
        size = (PAGE, 1.25 * count + 0.45)
        figure = Figure(figsize=size, layout="constrained")
        frames = figure.subplots(count, ACROSS, squeeze=False)
        scale = Normalize(0, top_of(panels))
        for number, profile in enumerate(profiles):
            cells = frames[2 * number : 2 * number + 2].ravel()
            mine = [panel for panel in panels if panel.profile == profile]
            for frame, panel in zip(cells, mine, strict=False):
                _draw_panel(frame, panel, plan, scale)
            _draw_key(cells[-1], profile, number == 0)
        colours = ScalarMappable(scale, COLOURS)
        bar = figure.colorbar(colours, ax=frames, extend="max", aspect=40, pad=0.01)
        bar.set_label("|g|")
        figure.supxlabel(caption(plan, panels), fontsize=6.5, x=0.01, ha="left")
    return figure


def caption(plan: Plan, panels: Sequence[Panel]) -> str:
    """What stands below the panels: the recipe, and what the lines mean."""
    text = (
        f"Angle: θ from $W_y$; radius: feature norm, where the loss sees it. Rival: "
        f"{plan.words} (--rival {plan.recipe}). "
        f"B0: cos θ = j, no margin; B1: P = 1/2, with the margin. One colour scale; "
        f"above {top_of(panels):g} the colour stays."
    )
    return "\n".join(textwrap.wrap(text.replace("-0", "−0"), 140))


def _place(angles: Any, radii: Any, between: float) -> tuple[Floats, Floats]:
    """x and y: the own class on the right, the rival's on the left."""
    turn = np.pi / 2 - between / 2 + np.asarray(angles)
    return np.asarray(radii * np.cos(turn)), np.asarray(radii * np.sin(turn))


def _draw_panel(frame: Axes, panel: Panel, plan: Plan, scale: Normalize) -> None:
    wide = plan.between
    frame.set_title(panel.title, pad=2)
    frame.set_aspect("equal")
    frame.axis("off")
    _draw_outline(frame, wide)
    if panel.refused:
        x, y = _place(wide / 2, (1 + INNER) / 2, wide)
        frame.text(float(x), float(y), panel.refused, ha="center", va="center")
        return
    angles, radii = np.meshgrid(panel.angles, panel.radii)
    x, y = _place(angles, radii, wide)
    mesh = frame.pcolormesh(x, y, panel.magnitudes, cmap=COLOURS, norm=scale)
    mesh.set(rasterized=True, gid="|g|")
    below: Look = {"textcoords": "offset points", "ha": "center", "va": "top"}
    away = -2 if wide < np.radians(150) else -11  # below the names of the classes
    frame.annotate(panel.norm, (0, min(0, y.min())), (0, away), **below, fontsize=6)
    for name, look, line in (("B0", B0, panel.unmargined), ("B1", B1, panel.margined)):
        x, y = _place(line.angles, line.radii, wide)
        halo = [withStroke(linewidth=2.3, foreground="white")]
        frame.plot(x, y, **look, gid=name, path_effects=halo)
    for example in panel.examples:
        x, y = _place(example.angle, example.radius, wide)
        name, look = marker(example.hard, example.high)
        frame.plot(x, y, **look, mec=FILLS[not example.high], gid=name)


def marker(hard: bool, high: bool) -> tuple[str, Look]:
    """What an example is called, and how it looks.

    Args:
        hard: whether the sample is far from its class.
        high: whether its norm is high.

    Returns:
        The words of the legend, and the properties of its marker.
    """
    look: Look = {"marker": SHAPES[hard], "mfc": FILLS[high], "mew": 0.7, "ms": 5}
    return f"{EASE[hard]}, {NORM[high]} norm", {**look, "ls": ""}


def _draw_outline(frame: Axes, wide: float) -> None:
    """The sector's edge, and the two class directions as arrows."""
    around = np.linspace(0, wide, 100)
    angles = np.concatenate([around, around[::-1], [0.0]])
    radii = np.concatenate([np.ones(100), np.full(100, INNER), [1.0]])
    x, y = _place(angles, radii, wide)
    frame.plot(x, y, color="0.4", lw=0.6, zorder=4)
    room = {"left": -0.12, "right": 0.12, "bottom": -0.12, "top": 0.04}
    frame.set_xlim(min(0.0, x.min()) + room["left"], max(0.0, x.max()) + room["right"])
    frame.set_ylim(min(0.0, y.min()) + room["bottom"], y.max() + room["top"])
    look: Look = {
        "arrowstyle": "-|>",
        "lw": 0.7,
        "shrinkA": 0,
        "shrinkB": 0,
        "color": "0.3",
    }
    near: Look = {"textcoords": "offset points", "ha": "center", "va": "center"}
    for angle, name, side in ((0.0, "$W_y$", 6), (wide, "$W_j$", -6)):
        x, y = _place(np.full(3, angle), [0.0, 1.1, 0.8], wide)
        ends = (x[1], y[1]), (0.0, 0.0)
        frame.annotate("", *ends, arrowprops=look, zorder=1)
        frame.annotate(name, (x[2], y[2]), (side, -6), **near)


def _draw_key(frame: Axes, profile: str, whole: bool) -> None:
    """The last cell: which profile, and what lines and markers mean."""
    frame.axis("off")
    title = textwrap.fill(f"profile {profile}".replace(",", ", "), 22)
    frame.set_title(title, pad=2, fontweight="bold")
    if not whole:
        return
    keys = [
        Line2D([], [], **B0, label="B0: no margin"),
        Line2D([], [], **B1, label="B1: with margin"),
    ]
    for hard, high in product((False, True), (True, False)):
        name, look = marker(hard, high)
        keys.append(Line2D([], [], **look, mec="black", label=name))
    frame.legend(handles=keys, loc="center", borderaxespad=0)
