"""Any implementation against the spec, point by point.

The NumPy reference, with its own error bound added, is a fast predictor; doubtful
points, the corners, the worst and a fixed share of the rest go to the oracle, and only
the oracle condemns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np

from adaface_ref import numpy_reference
from adaface_ref.compiler import NUMPY, Compiled, compile_tree
from adaface_ref.evidence.truth.evaluate import (
    arcs_of,
    evaluate_numpy,
    formula,
    inputs_of,
    total_of_terms,
)
from adaface_ref.evidence.truth.oracle import CERTIFIED, POLE, certify, piece_at
from adaface_ref.points import describe
from adaface_ref.spec.gst import cases, magnitude
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.tolerance import (
    LARGEST,
    allowed_of_embedded,
    allowed_of_ours,
    allowed_of_theirs,
    near_zero,
)

Floats = np.ndarray[Any, np.dtype[np.float64]]
Columns = Mapping[str, Floats]
Allowance = Literal["ours", "theirs", "embedded"]

INPUTS: dict[str, tuple[str, ...]] = {
    "logit": ("target_cosine",),
    "slope": ("target_cosine",),
    "probability": ("target_cosine", "rival_cosine"),
    "gst": ("target_cosine", "rival_cosine"),
    "other_logit": ("other_cosine", "target_cosine"),
    "other_gst": ("target_cosine", "rival_cosine", "other_cosine"),
    "loss_value": ("target_cosine", "rival_cosine"),
    "norm_gradient": ("target_cosine", "rival_cosine"),
}
"""The cosines that each quantity takes besides the loss's parameters."""

FIXED_SHARE = 100
"""One point in so many goes to the oracle whatever the prediction."""

CLOSE = 0.6
"""A share beyond the half ULP of a rounding: the point may lie on a border."""

WORST = 64
"""So many of the worst predictions go to the oracle, and so many failures are kept."""


class Comparison(NamedTuple):
    """One certified disagreement.

    Args:
        quantity: what was compared.
        point: the inputs by name.
        got: what the implementation gave.
        expected: the true value, rounded to float64.
        error: their distance.
        allowed: what the distance may be.
    """

    quantity: str
    point: dict[str, float]
    got: float
    expected: float
    error: float
    allowed: float

    def __str__(self) -> str:
        return (
            f"{self.quantity}: got {self.got!r}, expected {self.expected!r}, "
            f"error {self.error:.3g}, allowed {self.allowed:.3g}\n"
            f"{describe(self.point)}"
        )


@dataclass(frozen=True)
class Question:
    """What is compared, how it was computed, and by whose tolerance.

    Args:
        quantity: a key of the spec's QUANTITIES.
        loss: a loss id.
        profile: a profile string.
        dtype: the dtype that the values were computed in.
        allowance: "ours", "theirs" or "embedded" (see `tolerance`).
    """

    quantity: str
    loss: str
    profile: str
    dtype: str = "float64"
    allowance: Allowance = "ours"

    @property
    def form(self) -> str:
        """The magnitude that the tolerance is made of."""
        return "magnitude" if self.allowance == "ours" else "textbook"

    def allowed(self, columns: Columns, expected: Floats) -> Floats:
        """What each value may be off, array (N,)."""
        ask = (self.quantity, self.loss, self.profile)
        return self.allowed_for(expected, evaluate_numpy(*ask, columns, self.form))

    def allowed_for(self, expected: Floats, size: Floats) -> Floats:
        """The same, from the magnitude."""
        if self.allowance == "ours":
            return allowed_of_ours(self.dtype, expected, size)
        if self.allowance == "embedded":
            return allowed_of_embedded(self.dtype, size)
        return allowed_of_theirs(self.dtype, size)

    def ratio(
        self, columns: Columns, got: Floats, expected: Floats, beyond: Floats
    ) -> Floats:
        """Error as a share of the allowed one, array (N,); inf for NaN."""
        return self._share(got, expected, self.allowed(columns, expected) + beyond)

    def _share(self, got: Floats, expected: Floats, allowed: Floats) -> Floats:
        """The same; infinity is right where the true value overflows the dtype."""
        with np.errstate(all="ignore"):
            share = np.abs(got - expected) / allowed
            fits = np.abs(expected) + allowed >= LARGEST[self.dtype]
        overflowed = fits & (got == np.copysign(np.inf, expected))
        share = np.where(overflowed | (got == expected), 0.0, share)
        return np.nan_to_num(share, nan=np.inf, posinf=np.inf)

    def predict(
        self, columns: Columns, got: Floats, beyond: Floats
    ) -> tuple[Floats, Floats]:
        """The ratio against the reference, and what its own error may add to it.

        A textbook magnitude is no less than ours, so it bounds the reference's error.
        """
        function = getattr(numpy_reference, self.quantity)
        with np.errstate(all="ignore"):
            expected = function(self.loss, profile=self.profile, **columns)
        expected = np.broadcast_to(expected, got.shape)
        ask = (self.quantity, self.loss, self.profile)
        size = evaluate_numpy(*ask, columns, self.form)
        allowed = self.allowed_for(expected, size) + beyond
        with np.errstate(all="ignore"):
            slack = allowed_of_ours("float64", expected, size) / allowed
        share = self._share(got, expected, allowed)
        return share, np.nan_to_num(slack, nan=np.inf)


class Judgement(NamedTuple):
    """The result of comparing many points.

    Args:
        question: what was compared.
        compared: points compared.
        certified: of these, points that the oracle decided.
        poles: points left out because the value is singular there.
        undecided: points that the oracle could not decide.
        ratio: the largest error as a share of the allowed one.
        failures: certified disagreements, the worst first.
    """

    question: Question
    compared: int
    certified: int
    poles: int
    undecided: int
    ratio: float
    failures: tuple[Comparison, ...]


def judge(
    question: Question,
    columns: Mapping[str, Any],
    got: Any,
    *,
    corners: int = 0,
    certify_all: bool = False,
    beyond: Floats | float = 0.0,
) -> Judgement:
    """Compares an implementation's values with the truth.

    Args:
        question: what is compared.
        columns: inputs by name, arrays (N,) or numbers, taken as exact.
        got: array (N,), the implementation's values, widened to float64.
        corners: so many of the first points go to the oracle.
        certify_all: send every point to the oracle.
        beyond: what each value may be off besides, array (N,) or a number.

    Returns:
        The judgement. A NaN where a value is due is a failure.
    """
    got = np.atleast_1d(np.asarray(got, dtype=np.float64))
    table = _table(question, columns, got.shape)
    more = np.broadcast_to(np.asarray(beyond, dtype=np.float64), got.shape)
    ratio, chosen = np.zeros(got.size), np.arange(got.size)
    if not certify_all:
        ratio, slack = question.predict(table, got, more)
        chosen = _doubtful(ratio, slack, corners)
    subset = {name: column[chosen] for name, column in table.items()}
    truth = certify(question.quantity, question.loss, question.profile, subset)
    decided = truth.status == CERTIFIED
    exact = question.ratio(subset, got[chosen], truth.value, more[chosen])
    ratio[chosen] = np.where(decided, exact, 0.0)
    failures: list[Comparison] = []
    bad = np.flatnonzero(decided & (exact > CLOSE))
    for index in bad[np.argsort(-exact[bad])].tolist():
        if len(failures) == WORST or (exact[index] <= 1 and failures):
            break
        point = {name: float(column[index]) for name, column in subset.items()}
        value = float(got[chosen[index]])
        extra = float(more[chosen[index]])
        beside = _share_of_the_best_side(question, point, value, extra)
        if beside < exact[index]:
            ratio[chosen[index]] = beside
        if min(beside, exact[index]) > 1:
            true = truth.value[index]
            failures.append(_comparison_of(question, point, value, true, extra))
    poles = int(np.sum(truth.status == POLE))
    undecided = int(np.sum(~decided)) - poles
    return Judgement(
        question,
        got.size - poles - undecided,
        int(decided.sum()),
        poles,
        undecided,
        float(np.max(ratio, initial=0.0)),
        tuple(failures),
    )


def parameters_of(loss: str) -> tuple[str, ...]:
    """The names of a loss's parameters."""
    return tuple(symbol.name for symbol in LOSSES[loss].parameters)


def quantities_of(loss: str) -> tuple[str, ...]:
    """What can be asked of a loss: a norm gradient where the norm has one."""
    without = () if LOSSES[loss].norm_has_gradient else ("norm_gradient",)
    return tuple(quantity for quantity in INPUTS if quantity not in without)


def _table(question: Question, columns: Mapping[str, Any], shape: Any) -> Columns:
    """The columns that matter to the question, as arrays."""
    wanted = (*INPUTS[question.quantity], *parameters_of(question.loss))
    return {
        name: np.broadcast_to(np.asarray(columns[name], dtype=np.float64), shape)
        for name in wanted
    }


def _doubtful(ratio: Floats, slack: Floats, corners: int) -> Any:
    """Indices for the oracle: doubtful, corners, worst, and a fixed share."""
    chosen = ratio + slack > 1
    chosen[:corners] = True
    chosen[::FIXED_SHARE] = True
    chosen[np.argpartition(ratio, -min(WORST, ratio.size))[-WORST:]] = True
    return np.flatnonzero(chosen)


def _comparison_of(
    question: Question,
    point: dict[str, float],
    got: float,
    expected: float,
    beyond: float,
) -> Comparison:
    columns = {name: np.asarray([value]) for name, value in point.items()}
    allowed = float(question.allowed(columns, np.asarray([expected]))[0]) + beyond
    error = abs(got - float(expected))
    return Comparison(question.quantity, point, got, float(expected), error, allowed)


DERIVATIVES = ("slope", "gst", "other_gst", "norm_gradient")
"""Quantities that may lie between the two sides of a kink."""


def _share_of_the_best_side(
    question: Question, point: dict[str, float], got: float, beyond: float
) -> float:
    """The least share among the pieces that meet at a point; inf where none meet.

    Where a derivative jumps, all between its two sides are subgradients, and right: a
    framework's minimum of two equal numbers passes half of the gradient to each.
    """
    sides = sides_of(question, point)
    values = [side.value for side in sides]
    if sides and question.quantity in DERIVATIVES and min(values) <= got <= max(values):
        return 0.0
    shares = (abs(got - side.value) / (side.allowed + beyond) for side in sides)
    return min((share for share in shares if share == share), default=np.inf)


class Side(NamedTuple):
    """One of the pieces that meet at a point: its value, and what it may be off."""

    value: float
    allowed: float


def sides_of(question: Question, point: Mapping[str, float]) -> list[Side]:
    """The pieces that meet within rounding of a point.

    Args:
        question: what is compared, and in which dtype borders are told.
        point: values by name.

    Returns:
        One side a piece, none where no border is near.
    """
    ask = (question.quantity, question.loss, question.profile)
    arcs = arcs_of(question.loss, point)
    compiled = formula(*ask, arcs, "value", "numpy")
    inputs = inputs_of(point, question.profile)
    arguments = [np.float64(inputs[name]) for name in compiled.arguments]
    found, near_any = [], False
    for row, where in enumerate(compiled.where):
        with np.errstate(all="ignore"):
            signs = [float(sign) for sign in where(*arguments)]
            near = [
                _is_near(question.dtype, sign, width(*arguments))
                for sign, width in zip(signs, _widths(*ask, arcs)[row], strict=True)
            ]
        if any(s <= 0 and not close for s, close in zip(signs, near, strict=True)):
            continue
        found.append(_side(question, arcs, row, inputs))
        near_any |= any(near)
        if not any(near):
            break
    return found if near_any else []


def _side(
    question: Question, arcs: int | None, row: int, inputs: Mapping[str, float]
) -> Side:
    ask = (question.quantity, question.loss, question.profile, arcs)
    value = float(piece_at(formula(*ask, "value", "balls"), row, inputs))
    compiled = formula(*ask, question.form, "numpy")
    with np.errstate(all="ignore"):
        terms = compiled.value[row](
            *(np.float64(inputs[n]) for n in compiled.arguments)
        )
    size = total_of_terms(terms, ())
    allowed = question.allowed_for(np.asarray(value), np.asarray(size))
    return Side(value, float(allowed))


def _is_near(dtype: str, sign: float, terms: tuple[float, ...]) -> bool:
    """Whether a condition cannot be told from zero; pi stands for the angle itself."""
    size = np.pi + sum(abs(term) for term in terms if np.isfinite(term))
    return bool(near_zero(dtype, np.asarray(sign), np.asarray(size)))


@cache
def _widths(
    quantity: str, loss: str, profile: str, arcs: int | None
) -> tuple[tuple[Compiled, ...], ...]:
    """For each case, what one rounding of each input moves its conditions."""
    arguments = formula(quantity, loss, profile, arcs, "value", "numpy").arguments
    listed = cases(quantity, LOSSES[loss], parse(profile), arcs)
    return tuple(
        tuple(compile_tree(magnitude(w), arguments, NUMPY) for w in case.where)
        for case in listed
    )
