"""The feature space of the AdaFace paper's Fig. 3: what is drawn, without drawing.

A panel is the sector between the direction of the rival's class, W_j, and that of the
own class, W_y. A sample stands at its angle theta from W_y and at its feature norm; its
colour is |g|. The paper does not say how the rival's cosine j follows the sample, so
there are three recipes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from adaface_ref import numpy_reference as reference
from adaface_ref.numpy_reference import parse_profile
from adaface_ref.pictures.contours import zero_lines
from adaface_ref.pictures.heads import WHERE, Floats, Head, head_of
from adaface_ref.pictures.heatmap import top_of_scale
from adaface_ref.pictures.marks import crossings
from adaface_ref.pictures.recipes import Plan, check_plan


class Example(NamedTuple):
    """A marker: an easy or hard sample of high or low norm.

    Args:
        hard: whether it lies far from its own class.
        high: whether its norm is high.
        angle: to the own class.
        radius: where it is drawn.
        magnitude: |g| there.
    """

    hard: bool
    high: bool
    angle: float
    radius: float
    magnitude: float


class Boundary(NamedTuple):
    """A boundary as points of a line; NaN where it is interrupted."""

    angles: Floats
    radii: Floats


@dataclass(frozen=True)
class Panel:
    """One sector.

    Args:
        title: of two lines, the loss and its parameters.
        profile: a profile string.
        refused: why it is empty, where the loss does not define the profile.
        angles: edges of cells, rising from the own class.
        radii: edges of cells, rising.
        magnitudes: |g| in the middle of each cell, (radii - 1, angles - 1).
        unmargined: B0.
        margined: B1.
        examples: the markers, where the norm counts.
        norm: what the radius stands for, if the loss sees it.
    """

    title: str
    profile: str
    refused: str
    angles: Floats
    radii: Floats
    magnitudes: Floats
    unmargined: Boundary
    margined: Boundary
    examples: tuple[Example, ...]
    norm: str


class Row(NamedTuple):
    """A panel before it is computed.

    Args:
        title: of the panel.
        loss: a loss id.
        given: parameters by name.
        by_norm: the parameter that the norm sets, its value at the inner and outer
            radius, and how they are printed; empty if none.
        given_back: as in Head.
    """

    title: str
    loss: str
    given: dict[str, float]
    by_norm: tuple[str, float, float, str] | None = None
    given_back: float = 0.0


ROWS = (
    Row("CosFace\nm = 0.35", "cosface", {}),
    Row("ArcFace\nm = 0.5", "arcface", {}),
    # cos(theta - m) is AdaFace's target at z-hat = 1 without its additive margin 2m.
    Row(
        "Negative angular margin\nm = −0.5",
        "adaface",
        {"margin": 0.5, "margin_scaler": 1.0},
        given_back=1.0,
    ),
    Row("CurricularFace, early\nm = 0.5, t = 0", "curricularface", {"curriculum": 0.0}),
    Row(
        "CurricularFace, late\nm = 0.5, t = 0.9", "curricularface", {"curriculum": 0.9}
    ),
    Row(
        "MagFace\nm = 0.45 to 0.8",
        "magface",
        {},
        ("feature_norm", 10.0, 110.0, "radius: ‖x‖ from 10 to 110"),
    ),
    Row(
        "AdaFace\nm = 0.4",
        "adaface",
        {},
        ("margin_scaler", -1.0, 1.0, "radius: ẑ from −1 to 1"),
    ),
)
"""The seven panels of the figure, at recommended parameters."""

INNER = 0.4
"""The inner radius; the outer one is 1."""

_ANGLES, _RADII = 300, 80
_LINE = 241
_EXAMPLES = (0.22, 0.78)
"""Where examples stand between the own class and the rival's: easy, hard."""
_NORMS = (0.15, 0.85)
"""And between the inner and the outer radius: low, high."""


def panels_of(
    plan: Plan, profiles: Sequence[str], scale: float, margin: float | None = None
) -> list[Panel]:
    """The seven panels under each profile, the profiles one after the other.

    Args:
        plan: how the rival follows the sample.
        profiles: profile strings; one that is given twice counts once.
        scale: s, the same in all panels.
        margin: m of every loss that has one; else each its own.

    Returns:
        7 panels a profile.

    Raises:
        DomainError: in one line, for a value outside its domain.
    """
    check_plan(plan)
    rows = ROWS if margin is None else tuple(_set_margin(row, margin) for row in ROWS)
    names = list(dict.fromkeys(str(parse_profile(p, WHERE)) for p in profiles))
    return [_panel(row, plan, profile, scale) for profile in names for row in rows]


def _set_margin(row: Row, margin: float) -> Row:
    if "margin" not in reference.PARAMETERS[row.loss]:
        return row
    first, _, rest = row.title.partition("\n")
    sign = "−" if row.given_back else ""
    tail = rest.partition(",")[2]
    title = f"{first}\nm = {sign}{margin:g}" + (f",{tail}" if tail else "")
    given_back = 2 * margin if row.given_back else 0.0
    given = {**row.given, "margin": margin}
    return row._replace(title=title, given=given, given_back=given_back)


def _panel(row: Row, plan: Plan, profile: str, scale: float) -> Panel:
    rule = parse_profile(profile, WHERE).rule
    angles = np.linspace(0.0, plan.between, _ANGLES + 1)
    radii = np.linspace(INNER, 1.0, _RADII + 1)
    defined = reference.DEFINED[row.loss]
    norm = row.by_norm[3] if row.by_norm else ""
    if rule not in defined:
        none = Boundary(np.empty(0), np.empty(0))
        refused = f"{rule} is not\ndefined"
        empty = np.full((_RADII, _ANGLES), np.nan)
        return Panel(
            *(row.title, profile, refused, angles, radii, empty, none, none, (), norm)
        )
    head = replace(
        head_of(row.loss, profile, {**row.given, "scale": scale}),
        given_back=row.given_back,
    )
    middles, heights = _middles(angles), _middles(radii)
    at = middles[None, :], heights[:, None]
    return Panel(
        row.title,
        profile,
        "",
        angles,
        radii,
        _measure("abs-gst", head, row, plan, at),
        _boundary_without_margin(plan, radii, middles),
        _boundary_with_margin(head, row, plan, middles),
        _examples(head, row, plan),
        norm,
    )


def _middles(edges: Floats) -> Floats:
    return np.asarray((edges[1:] + edges[:-1]) / 2)


def head_at_radius(head: Head, row: Row, radius: ArrayLike) -> Head:
    """The head of samples whose norms are drawn at radii."""
    if row.by_norm is None:
        return head
    name, low, high, _ = row.by_norm
    share = (np.asarray(radius, float) - INNER) / (1 - INNER)
    value = np.clip(low + (high - low) * share, low, high)
    return replace(head, parameters={**head.parameters, name: value})


def _measure(
    quantity: str, head: Head, row: Row, plan: Plan, at: tuple[Floats, Floats]
) -> Floats:
    """A quantity at angles and radii, which broadcast."""
    angles, radii = np.broadcast_arrays(*at)
    sample = head_at_radius(head, row, radii)
    return sample.measure(quantity, np.cos(angles), plan.rival(angles))


def _boundary_without_margin(plan: Plan, radii: Floats, angles: Floats) -> Boundary:
    found = crossings(lambda t: np.cos(t) - plan.rival(t), angles)
    return _line(found, radii)


def _line(angles: Floats, radii: Floats) -> Boundary:
    """One arc across the sector at each angle."""
    across = np.append(radii, np.nan)
    return Boundary(np.repeat(angles, across.size), np.tile(across, angles.size))


def _boundary_with_margin(head: Head, row: Row, plan: Plan, angles: Floats) -> Boundary:
    """B1, where P is 1/2."""

    def excess(angle: Floats, radius: Floats) -> Floats:
        angle, radius = np.broadcast_arrays(angle, radius)
        sample = head_at_radius(head, row, radius)
        return sample.excess(np.cos(angle), plan.rival(angle))

    radii = np.linspace(INNER, 1.0, _LINE if row.by_norm else 2)
    return Boundary(*zero_lines(excess, angles, radii))


def _examples(head: Head, row: Row, plan: Plan) -> tuple[Example, ...]:
    if row.by_norm is None:
        return ()
    done = []
    for hard, share in enumerate(_EXAMPLES):
        for high, level in enumerate(_NORMS):
            angle = share * plan.between
            radius = INNER + level * (1 - INNER)
            at = np.asarray(angle), np.asarray(radius)
            value = float(_measure("abs-gst", head, row, plan, at))
            done.append(Example(bool(hard), bool(high), angle, radius, value))
    return tuple(done)


SHARE_SHOWN = 0.995
"""The share of cells that the colours resolve."""

LEAST_SINE = 0.2
"""Of the cells that count for it: next to the poles |g| is out of all proportion."""


def top_of(panels: Sequence[Panel]) -> float:
    """The value at which the one colour scale of all panels ends.

    Args:
        panels: all that are drawn together.

    Returns:
        As `top_of_scale` of the cells away from the poles.
    """
    sines = np.sin(_middles(panels[0].angles))
    away = sines > LEAST_SINE * min(1.0, sines.max())
    cells = np.concatenate([p.magnitudes[:, away].ravel() for p in panels])
    return top_of_scale(cells, SHARE_SHOWN)
