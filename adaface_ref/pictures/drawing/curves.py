"""Draws curves: one frame a quantity, over one axis of cosines."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from adaface_ref.pictures.curves import Curve, height
from adaface_ref.pictures.drawing.style import COLUMN, DASHES, LINES, Look, use_style
from adaface_ref.pictures.heads import MEASURES

POINTS: dict[str, Look] = {
    "B1": {"marker": "s", "markersize": 3.6},
    "peak": {"marker": "^", "markersize": 5},
    "sign change": {"marker": "D", "markersize": 3.6},
}
"""How places on a curve are marked."""

ZONE: Look = {"lw": 4, "alpha": 0.35, "solid_capstyle": "butt"}
"""And intervals of it."""

NAMES = {
    "B0": "B0: cos θ = {rival}, no margin",
    "B1": "B1: P = 1/2, with margin",
    "peak": "peak of |g|",
    "sign change": "sign change of g",
    "dead zone": "dead zone: g = 0",
}
"""What the legend calls each kind of mark."""

WITH_PEAK = ("abs-gst", "gst")


def draw_curves(curves: Sequence[Curve], quantities: Sequence[str]) -> Figure:
    """Draws every curve in one frame a quantity, marks and legend included.

    Args:
        curves: what to draw.
        quantities: keys of MEASURES, each a frame, from the top.

    Returns:
        The figure, one column wide.
    """
    with use_style():
        legend = 0.75 + 0.1 * len(curves)
        tall = 0.35 + (1.9 if len(quantities) == 1 else 1.3) * len(quantities)
        figure = Figure(figsize=(COLUMN, tall + legend), layout="constrained")
        frames = figure.subplots(len(quantities), sharex=True, squeeze=False)[:, 0]
        kinds: dict[str, Line2D] = {}
        for frame, quantity in zip(frames, quantities, strict=True):
            _draw_frame(frame, curves, quantity, kinds)
        frames[-1].set_xlabel("cos θ")
        keys = [*_keys_of_curves(curves), *_keys_of_marks(kinds, curves)]
        wide = max(len(str(key.get_label())) for key in keys) > LETTERS
        look: Look = {
            "handlelength": 2.0,
            "columnspacing": 1.0,
            "ncols": 1 if wide else 2,
        }
        figure.legend(handles=keys, loc="outside lower left", **look)
    return figure


LETTERS = 26
"""A longer entry does not fit half a column."""


def _draw_frame(
    frame: Axes, curves: Sequence[Curve], quantity: str, kinds: dict[str, Line2D]
) -> None:
    for number, curve in enumerate(curves):
        look: Look = {"color": LINES[curve.style[0]], "ls": DASHES[curve.style[1]]}
        # Each thinner than those before it, so that none hides another.
        look["lw"] = 0.9 + 1.3 * (1 - (number + 1) / len(curves))
        values = curve.values[quantity]
        frame.plot(curve.cosines, values, label=curve.title, zorder=3, **look)
    low, high = height(curves, quantity)
    room = 0.07 * ((high - low) or 1.0)
    frame.set_ylim(low - room if low < 0 else -room / 2, high + room)
    frame.set_xlim(-1, 1)
    frame.set_xticks([-1, -0.5, 0, 0.5, 1])
    frame.set_ylabel(MEASURES[quantity].printed)
    if low < 0:
        frame.axhline(0, color="0.6", lw=0.5, zorder=1)
    frame.spines[["top", "right"]].set_visible(False)
    for curve in curves:
        _draw_marks(frame, curve, quantity, kinds)


def _draw_marks(
    frame: Axes, curve: Curve, quantity: str, kinds: dict[str, Line2D]
) -> None:
    colour = LINES[curve.style[0]]
    for c in curve.marks.unmargined:
        line = frame.axvline(c, color="0.45", ls=(0, (2, 2)), lw=0.8, gid="B0")
        kinds["B0"] = line
    places = {
        "B1": curve.marks.margined,
        "peak": curve.marks.peaks if quantity in WITH_PEAK else (),
        "sign change": curve.marks.sign_changes,
    }
    for kind, cosines in places.items():
        if cosines:
            values = curve.head.measure(quantity, cosines, curve.rival)
            look: Look = {**POINTS[kind], "color": colour, "mec": "white", "mew": 0.5}
            (line,) = frame.plot(cosines, values, **look, ls="", zorder=5, gid=kind)
            kinds[kind] = line
    for low, high in curve.marks.dead:
        inside = (curve.cosines > low) & (curve.cosines < high)
        x, y = curve.cosines[inside], curve.values[quantity][inside]
        (line,) = frame.plot(x, y, color=colour, **ZONE, zorder=2, gid="dead zone")
        kinds["dead zone"] = line


def _keys_of_curves(curves: Sequence[Curve]) -> list[Line2D]:
    """One entry a colour, and one a kind of dashes where there are several."""
    keys = {
        curve.name: Line2D([], [], color=LINES[curve.style[0]], label=curve.name)
        for curve in curves
    }
    dashes = {
        curve.head.profile: Line2D(
            *([], []),
            color="0.35",
            ls=DASHES[curve.style[1]],
            label=f"profile {curve.head.profile}",
        )
        for curve in curves
    }
    return [*keys.values(), *(dashes.values() if len(dashes) > 1 else ())]


def _keys_of_marks(kinds: dict[str, Line2D], curves: Sequence[Curve]) -> list[Line2D]:
    """Legend entries for the kinds of marks that occur, in grey."""
    rivals = {curve.rival for curve in curves}
    rival = f"{rivals.pop():g}" if len(rivals) == 1 else "j"
    keys = []
    for kind, name in NAMES.items():
        if kind in kinds:
            key = Line2D([], [])
            key.update_from(kinds[kind])
            key.set_label(name.format(rival=rival).replace("-", "−"))
            key.set_color("0.35")
            keys.append(key)
    return keys
