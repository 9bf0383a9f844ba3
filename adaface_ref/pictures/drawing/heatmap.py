"""Draws heat maps: one frame a head, all on one colour scale."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from adaface_ref.pictures.drawing.style import COLOURS, COLUMN, PAGE, Look, use_style
from adaface_ref.pictures.heatmap import Map, top_of_scale

MARKS: dict[str, tuple[str, str, Look]] = {
    "unmargined": ("B0", "B0: cos θ = j, no margin", {"ls": "--", "color": "#0072B2"}),
    "margined": ("B1", "B1: P = 1/2, with margin", {"ls": "-", "color": "black"}),
    "peaks": ("peak", "peak of |g|", {"ls": "-.", "lw": 0.9, "color": "0.25"}),
    "sign_changes": (
        "sign change",
        "sign change of g",
        {"ls": ":", "color": "#009E73", "lw": 1.8},
    ),
}
"""For each field of Marks its name, its legend, and how it looks."""


SHARE_SHOWN = 0.99
"""The share of all cells that the colours resolve."""

LETTERS = 26
"""A longer title does not fit over one map of three."""


def draw_heatmap(maps: Sequence[Map]) -> Figure:
    """Draws the maps.

    Args:
        maps: at least one.

    Returns:
        The figure: one column wide for one map, else two columns.
    """
    across = min(len(maps), 3)
    down = -(-len(maps) // across)
    with use_style():
        size = (COLUMN if across == 1 else PAGE, 0.55 + 2.45 * down)
        figure = Figure(figsize=size, layout="constrained")
        frames = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        cells = np.concatenate([item.magnitudes.ravel() for item in maps])
        scale = Normalize(0, top_of_scale(cells, SHARE_SHOWN))
        kinds: dict[str, Line2D] = {}
        for frame, item in zip(frames.flat, maps, strict=False):
            mesh = _draw_map(frame, item, scale, kinds)
        for frame in frames.flat[len(maps) :]:
            frame.set_visible(False)
        figure.colorbar(mesh, ax=frames, extend="max", pad=0.01).set_label("|g|")
        figure.legend(handles=list(kinds.values()), loc="outside lower left", ncols=2)
        for frame in frames[-1]:
            frame.set_xlabel("cos θ")
        for frame in frames[:, 0]:
            frame.set_ylabel("rival's cosine j")
    return figure


def _draw_map(
    frame: Axes, item: Map, scale: Normalize, kinds: dict[str, Line2D]
) -> QuadMesh:
    title = "\n".join(textwrap.fill(part, LETTERS) for part in item.title.split(" · "))
    frame.set_title(title, pad=3)
    frame.set_aspect("equal")
    cells = (item.targets, item.rivals, item.magnitudes)
    mesh = frame.pcolormesh(*cells, cmap=COLOURS, norm=scale)
    mesh.set(rasterized=True, gid="|g|")
    halo = [withStroke(linewidth=2.2, foreground="white")]
    for field, (name, words, look) in MARKS.items():
        x, y = item.places(field)
        if np.isfinite(x).any():
            style: Look = {"lw": 1.2, **look, "path_effects": halo}
            (line,) = frame.plot(x, y, **style, gid=name)
            line.set_label(words)
            kinds.setdefault(name, line)
    frame.set_xlim(-1, 1)
    frame.set_ylim(-1, 1)
    frame.set_xticks([-1, 0, 1])
    frame.set_yticks([-1, 0, 1])
    return mesh
