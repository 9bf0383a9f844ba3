"""Measures a head's clamps by bisection: how near to +-1 cosines may come, and more.

A clamp shows where the head no longer answers to its cosine: its slope is 0 there, or,
where a slope tells nothing (a detached margin, a black box), its logit stays the same.
What is found is a span, between two floats of the dtype at best; the plainest number
in it is taken for the clamp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adaface_ref.gate.session.row_levels import LEVELS
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.margins import margins_of
from adaface_ref.numpy_reference import DEFINED, parse_profile
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.points import in_dtype
from adaface_ref.tolerance import EPSILON, ROUNDINGS

POINTS = 64
"""Points of one step of a bisection, which leaves the part between two of them."""

STEPS = 12
"""Steps at most: 12 of them part 0.5 into less than the spacing of float64."""

WIDEST = 1.5e-3
"""The largest clamp that is a dialect's: AdaFace's own is 1e-3, and 2e-3 is a fault."""

WIDEST_ANGLE = 0.1
"""The largest clip of an angle, likewise."""

COMMON = (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
"""Clamps of public heads: tried where none can be measured, else first."""

BLURRED = 4
"""Neighbouring floats whose logits may be one by rounding alone."""

STEERED = 24
"""The same where cosines are given through embeddings: 8 for the cosine, and 16 for
logits that are one to within 8 eps of the scale."""

RIVAL = {"target": 0.9375, "other": 0.0}
"""The cosine of the class that is not looked at: P is far from 1 and from 0."""


class Span(NamedTuple):
    """Where a number lies, ends included."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value may be the number."""
        return self.low <= value <= self.high

    def shared(self, other: Span) -> Span | None:
        """What both hold, if anything."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Span(low, high) if low <= high else None

    def plainest(self, dtype: str, *usual: float) -> float:
        """The first of what is usual, the dtype's eps, or the fewest digits inside."""
        for value in (*usual, *COMMON, EPSILON[dtype]):
            if self.holds(value):
                return value
        middle = (self.low + self.high) / 2
        for digits in range(17):
            short = float(f"{middle:.{digits}e}")
            if self.holds(short):
                return short
        return middle


NONE = Span(0.0, 0.0)


class Clamps(NamedTuple):
    """What was measured in one dtype.

    Args:
        dtype: the cosines were values of it.
        seen: whether the head shows them: the loss of a black box alone does not.
        target: eps of the clamp of the target's cosine to 1 - eps.
        lower: the same at -1 + eps, where a rule may leave the formula.
        other: the same for another class, at 1 - eps.
        angle: eps of the clip of the margined angle to pi - eps; None where there is
            no such clip, or none can be seen.
        floor: what 1 - c^2 is kept from falling below in the sine.
    """

    dtype: str
    seen: bool
    target: Span
    lower: Span
    other: Span
    angle: Span | None
    floor: Span

    def fields(self, rule: str) -> list[dict[str, Any]]:
        """The fields that a profile with a rule may have, by what was measured."""
        default = parse_profile(rule)
        angle = default.angle
        if self.angle is not None:
            angle = self.angle.plainest(self.dtype, angle)
        clip: dict[str, Any] = {"angle": angle} if rule == "clip" else {}
        if not self.seen:
            angles = dict.fromkeys((angle, 1e-4, 0.0)) if clip else (0.0,)
            fields = [{"cosine": eps, "angle": end} for eps in COMMON for end in angles]
            of_target = [{**each, "of": "target"} for each in fields if each["cosine"]]
            return fields + of_target
        floor = 0.0 if clip else self.floor.plainest(self.dtype)
        rest = {**clip, "floor": floor}
        both = self.target.shared(self.other)
        if both is not None:
            return [{**rest, "cosine": both.plainest(self.dtype, default.cosine)}]
        own = {**rest, "cosine": self.target.plainest(self.dtype)}
        if self.other.holds(0.0):
            of_acos = not clip and self.lower.holds(0.0)
            return [{**own, "of": "acos" if of_acos else "target"}]
        if clip and self.other.holds(1 - np.cos(angle)):
            return [{**own, "angle_of": "all"}]
        return [own, {**own, "of": "target"}]

    def fitted(self, profile: str) -> str:
        """A wider dtype's profile with the sizes that its clamps have in this one."""
        parsed = parse_profile(profile)
        spans = {"cosine": self.target, "floor": self.floor, "angle": self.angle}
        sizes: dict[str, Any] = {
            name: span.plainest(self.dtype)
            for name, span in spans.items()
            if span is not None
            and not span.holds(getattr(parsed, name))
            and (name != "angle" or parsed.rule == "clip")
            and (name != "floor" or parsed.rule != "clip")
        }
        return str(parsed._replace(**sizes)) if self.seen else profile


def measure_clamps(session: Session, dtype: str) -> Clamps:
    """Measure a head's clamps.

    Args:
        session: the head.
        dtype: the cosines are values of it.

    Returns:
        The spans, each 0 alone where the head shows nothing.

    Raises:
        SubjectError: the head raised.
    """
    reader = _Reader(session, dtype)
    target = reader.clamp("target")
    return Clamps(
        dtype,
        session.door.shows_logits or not session.door.black_box,
        target,
        reader.clamp("target", -1.0),
        reader.clamp("other"),
        reader.angle(),
        reader.floor(target),
    )


class _Reader:
    """The head, at one margin, as a function of one cosine."""

    def __init__(self, session: Session, dtype: str) -> None:
        self.session, self.dtype = session, dtype
        # Half the spacing of the floats above 1: that of those just below it.
        self.unit = EPSILON[dtype] / 2
        self.steered = session.door.black_box
        # What logits may differ by that are one, as a share of the scale.
        self.same = 8 * EPSILON[dtype] * self.steered
        rows = self._rows("target", np.zeros(1))
        margins = margins_of(session.loss, rows.columns)
        self.angular = 0.0 if margins is None else float(margins.angular[0])
        self.additive = 0.0 if margins is None else float(margins.additive[0])
        self.turns = session.definition.shifts_angle and self.angular > 0

    def clamp(self, which: str, pole: float = 1.0) -> Span:
        """The span of a cosine clamp, next to the pole 1 or -1."""

        def cosines(gaps: Array) -> Array:
            return pole * (1 - gaps)

        def gaps(cosine: Array) -> Array:
            return 1 - np.abs(cosine)

        return self._bisected(which, cosines, gaps, self.unit, WIDEST)[0]

    def angle(self) -> Span | None:
        """The span of an angle clip, from where it holds next to theta = pi."""
        if not self.turns or "clip" not in DEFINED[self.session.loss]:
            return None

        def cosines(places: Array) -> Array:
            return -np.cos(places)  # a place is pi - theta

        def place(cosine: Array) -> Array:
            return np.arccos(-cosine)

        ends = 1e-3 * self.angular, self.angular + WIDEST_ANGLE
        found, by_value = self._bisected("target", cosines, place, *ends)
        if found.high < self.angular * (1 - 1e-3):
            return None
        doubt = self.unit / np.sin(self.angular)
        low, high = found.low - self.angular - doubt, found.high - self.angular + doubt
        if by_value:  # cos is so flat at pi that its values tell the end less well
            low = np.sqrt(max(low**2 - 4 * self.same, 0.0))
        return Span(max(float(low), 0.0), float(high)) if high >= 0 else None

    def floor(self, target: Span) -> Span:
        """The span of the floor, from the sine that the nearest logit is made of."""
        if not self.turns or not self.session.door.shows_logits:
            return NONE
        # The formula's own sine must be back where it is twice as large as the floor's.
        sine, due, off = self._sine_near(0.0, target)
        if not due + off < sine < np.sqrt(2 * WIDEST):
            return NONE
        gap = max(2 * sine**2, 4 * self.unit)
        beyond, due_beyond, _ = self._sine_near(gap, target)
        if abs(beyond - due_beyond) > off + 0.1 * sine:
            return NONE
        return Span(max(sine - off, 0.0) ** 2, (sine + off) ** 2)

    def _sine_near(self, gap: float, target: Span) -> tuple[float, float, float]:
        """The sine in the logit as near to the pole as can be, but not nearer than gap.

        Returns:
            It, what it is without a floor, and what it may be off.
        """
        rows = self._rows("target", 1 - np.maximum(2.0 ** np.arange(-60.0, -20), gap))
        first = int(np.argmax(self.session.reached(rows)))
        rows = rows.part(first, first + 2)  # statistics may want two rows
        given = float(rows.cosines[0, 0])
        cosine = given if target.holds(0.0) else min(given, 1 - target.high)
        scale = self.session.fixed["scale"]
        got = float(self.session.read(rows).logits[0, 0]) / scale + self.additive
        sine = (cosine * np.cos(self.angular) - got) / np.sin(self.angular)
        off = ROUNDINGS * EPSILON[self.dtype] * np.pi / np.sin(self.angular)
        loose = STEERED * self.unit * self.steered
        due = np.sqrt((1 - cosine + loose) * (1 + cosine))
        return float(sine), float(due), float(off)

    def _bisected(
        self,
        which: str,
        cosines: Callable[[Array], Array],
        place: Callable[[Array], Array],
        least: float,
        most: float,
    ) -> tuple[Span, bool]:
        """The place up to which the head does not answer, and if its value says so.

        Places are distances from a pole, from `least` to `most`; `cosines` and `place`
        turn one into the other.
        """
        if least >= most:  # of a dtype that holds no such cosine
            return Span(0.0, least), False
        wide = np.geomspace(least, most, POINTS)
        low, high, blur, by_value = 0.0, most, 0, False
        for step in range(STEPS):
            spread = wide if step == 0 else np.linspace(low, high, POINTS)
            floats = in_dtype(cosines(spread), self.dtype)
            chosen = np.asarray(sorted({*floats.tolist()}))
            rows = self._rows(which, chosen)
            rows = rows.where(self.session.reached(rows) & (np.abs(chosen) < 1))
            if not len(rows.cosines):
                return NONE, False
            found = rows.cosines[:, 0 if which == "target" else 1]
            order = np.argsort(place(found), kind="stable")
            silent, by_value = self._silent(which, rows, order)
            ends = place(found)[order]
            count = int(np.argmin(silent)) if not silent.all() else len(silent)
            if count == 0 and step == 0:
                return Span(0.0, float(ends[0])), by_value
            if count == len(silent) and step == 0:
                return NONE, by_value  # what is clamped as far as this is no dialect
            if count == len(silent):
                break
            blur = (STEERED if self.steered else BLURRED) * by_value
            before = (low, high)
            low = float(ends[count - 1]) if count else low
            high = float(ends[count])
            if (low, high) == before:
                break
        low = low if low > blur * self.unit else 0.0
        loose = self.unit * (STEERED if self.steered else 0.5)
        return Span(max(low - loose, 0.0), high + loose), by_value

    def _silent(
        self, which: str, rows: Rows, order: NDArray[np.intp]
    ) -> tuple[NDArray[np.bool_], bool]:
        """Where the head does not answer to a cosine, and whether its value says so."""
        reading, place = self.session.read(rows), 0 if which == "target" else 1
        if not self.steered:
            slope = reading.gst[:, place]
            if reading.observed:
                slope = reading.jacobian[:, place, place]
            still = np.asarray(slope == 0)[order]
            if still.any() or not reading.observed:
                return still, False
        if not reading.observed:
            return np.zeros(len(order), dtype=bool), False
        logit = reading.logits[order, place]
        with np.errstate(invalid="ignore"):
            off = np.abs(logit - logit[0])
        same = np.asarray(off <= self.same * self.session.fixed["scale"])
        same[0] = same[:2].all()
        return same, True

    def _rows(self, which: str, cosines: Array) -> Rows:
        """Rows of two classes, one at the cosines given."""
        session = self.session
        still = np.full(len(cosines), RIVAL[which])
        pair = (cosines, still) if which == "target" else (still, cosines)
        name = session.definition.row_quantity_name
        extra = {name: np.full(len(cosines), LEVELS[name].turning)} if name else {}
        chosen = in_dtype(np.stack(pair, axis=1), self.dtype)
        return session.rows(session.reachable(chosen, self.dtype), extra, self.dtype)
