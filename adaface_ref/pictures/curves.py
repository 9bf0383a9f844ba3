"""Curves over the target cosine: what is drawn, without drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adaface_ref.errors import DomainError, domain_error
from adaface_ref.pictures.heads import WHERE, Floats, Head, head_of
from adaface_ref.pictures.marks import ANGLES, Marks, marks_of

COLOURS, DASHES = 7, 4
"""How many curves and profiles one frame can tell apart."""


@dataclass(frozen=True)
class Curve:
    """One head against one rival.

    Args:
        head: whose values.
        rival: the rival's cosine j.
        name: what the legend calls it.
        title: the same with the profile, where there are several.
        style: (which colour, which dashes).
        cosines: where values were taken, rising.
        values: for each quantity an array like `cosines`.
        marks: what is marked.
    """

    head: Head
    rival: float
    name: str
    title: str
    style: tuple[int, int]
    cosines: Floats
    values: dict[str, Floats]
    marks: Marks


def heads_of(
    losses: Sequence[str],
    profiles: Sequence[str],
    choices: Sequence[dict[str, float]],
) -> tuple[list[Head], list[str]]:
    """Every loss under every profile that it defines, with every choice of values.

    Args:
        losses: loss ids.
        profiles: profile strings.
        choices: parameters by name; each loss takes those that are its own.

    Returns:
        The heads, each once, and the pairs that are not defined.

    Raises:
        DomainError: where a loss defines none of the profiles, or a value is wrong.
    """
    heads: dict[object, Head] = {}
    missing: list[str] = []
    for loss in losses:
        found, refused = _heads_of_one_loss(loss, profiles, choices)
        if not found:
            raise DomainError(refused[0])
        heads.update(found)
        missing += refused
    return list(heads.values()), missing


def _heads_of_one_loss(
    loss: str, profiles: Sequence[str], choices: Sequence[dict[str, float]]
) -> tuple[dict[object, Head], list[str]]:
    found: dict[object, Head] = {}
    refused = []
    for choice in choices:
        for profile in profiles:
            try:
                head = head_of(loss, profile, choice)
            except DomainError as error:
                if f"but {loss} defines" not in str(error):
                    raise
                refused.append(str(error))
            else:
                found[loss, head.profile, tuple(head.parameters.values())] = head
    return found, list(dict.fromkeys(refused))


def curves_of(
    heads: Sequence[Head], rivals: Sequence[float], quantities: Sequence[str]
) -> list[Curve]:
    """The curves of heads against rivals.

    Args:
        heads: of `heads_of`.
        rivals: cosines j.
        quantities: keys of MEASURES.

    Returns:
        One curve a head and rival.

    Raises:
        DomainError: for more curves than can be told apart.
    """
    pairs = [(head, rival) for rival in rivals for head in heads]
    several = len({head.scale for head in heads}) > 1
    titles = [_title(h, j, several, len(rivals) > 1) for h, j in pairs]
    colours = list(dict.fromkeys(titles))
    profiles = list(dict.fromkeys(head.profile for head in heads))
    if len(colours) > COLOURS or len(profiles) > DASHES:
        shown = f"{len(colours)} in {len(profiles)} profiles"
        must = f"at most {COLOURS} in {DASHES} profiles"
        raise domain_error("curves", shown, must, WHERE)
    return [
        _curve(head, rival, title, quantities, colours, profiles)
        for (head, rival), title in zip(pairs, titles, strict=True)
    ]


def _title(head: Head, rival: float, scales: bool, rivals: bool) -> str:
    parts = [head.title]
    parts += [f"s = {head.scale:g}"] if scales else []
    parts += [f"j = {rival:g}"] if rivals else []
    return ", ".join(parts).replace("-", "−")


def _curve(
    head: Head,
    rival: float,
    title: str,
    quantities: Sequence[str],
    colours: list[str],
    profiles: list[str],
) -> Curve:
    marks = marks_of(head, rival)
    cosines = _cosines(marks)
    style = colours.index(title), profiles.index(head.profile)
    full = f"{title} · {head.profile}" if len(profiles) > 1 else title
    values = {name: head.measure(name, cosines, rival) for name in quantities}
    return Curve(head, rival, title, full, style, cosines, values, marks)


def _cosines(marks: Marks) -> Floats:
    """Even in the angle, and both sides of every place that is marked."""
    places = [*marks.margined, *marks.peaks, *marks.sign_changes]
    places += [end for zone in marks.dead for end in zone]
    around = [c + step for c in places for step in (-1e-9, 0.0, 1e-9)]
    found = np.unique(np.concatenate([np.cos(ANGLES), around]))
    return np.asarray(found[np.abs(found) < 1])


def height(curves: Sequence[Curve], quantity: str) -> tuple[float, float]:
    """What a frame shows of a quantity, which may be infinite at the poles.

    Args:
        curves: all in the frame.
        quantity: a key of MEASURES.

    Returns:
        (lowest, highest) value outside the last 2 % at either pole, and every peak.
    """
    low, high = 0.0, 0.0
    for curve in curves:
        shown = curve.values[quantity][np.abs(curve.cosines) <= 0.98]
        peaks = np.asarray(curve.marks.peaks)
        tops = curve.head.measure(quantity, peaks[np.abs(peaks) < 0.999], curve.rival)
        both = np.concatenate([shown, tops])
        low, high = min(low, float(both.min())), max(high, float(both.max()))
    return low, high


def lines_of(curves: Sequence[Curve]) -> list[str]:
    """The marks as text, one line a curve.

    Args:
        curves: what was drawn.

    Returns:
        Such as `ArcFace m = 0.5: B1 at 0.85399, peak |g| = 97.554 at 0.81379`.
    """
    return [
        f"{curve.title}: {', '.join(_words(curve)) or 'no mark'}" for curve in curves
    ]


def _words(curve: Curve) -> list[str]:
    marks = curve.marks
    words = [f"B1 at {c:.5f}" for c in marks.margined]
    for c in marks.peaks:
        top = float(curve.head.measure("abs-gst", c, curve.rival))
        words.append(f"peak |g| = {top:.5g} at {c:.5f}")
    words += [f"sign change at {c:.5f}" for c in marks.sign_changes]
    words += [f"dead from {low:.5f} to {high:.5f}" for low, high in marks.dead]
    return words
