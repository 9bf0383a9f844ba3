"""The closed forms as printed against the forms that the spec derives."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx
from sympy import Expr, exp, simplify

from adaface_ref.compiler import compile_tree
from adaface_ref.evidence.truth.evaluate import BALLS, arguments_of
from adaface_ref.points import block
from adaface_ref.spec.gst import Case, cases, rising_criterion
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.printed import (
    EQ18_AS_PRINTED,
    EQ18_CORRECTED,
    EQ19,
    PRINTED,
    Printed,
)
from adaface_ref.spec.profiles import Profile
from adaface_ref.spec.symbols import (
    log_logistic,
    logistic,
    margin,
    margin_scaler,
    multiplier,
    scale,
    segment,
)

PURE = Profile("pure")
POINTS = 1_000

rows = pytest.mark.parametrize("row", PRINTED, ids=lambda row: row.id)


ARCS = 4


def pairs(row: Printed) -> list[tuple[Expr, Expr]]:
    """The derived form and the printed one; for SphereFace a pair an arc."""
    loss = LOSSES[row.loss]
    if row.quantity == "rising":
        return [(rising_criterion(loss.target), row.value)]
    if row.loss != "sphereface":
        return [(cases(row.quantity, loss, PURE)[-1].terms[0], row.value)]
    arcs = cases(row.quantity, loss, PURE, ARCS)
    return [
        (case.terms[0], row.value.subs({segment: ARCS - 1 - place, multiplier: ARCS}))
        for place, case in enumerate(arcs)
    ]


@rows
def test_printed_form_equals_the_derived_one_symbolically(row: Printed) -> None:
    for derived, printed in pairs(row):
        plain = (derived - printed).replace(logistic, lambda x: 1 / (1 + exp(-x)))
        assert simplify(plain) == 0


@rows
def test_printed_form_equals_the_derived_one_in_balls(row: Printed) -> None:
    columns = block(row.loss, 7, size=POINTS)
    inside = np.flatnonzero(np.abs(columns["target_cosine"]) < 1)[-POINTS:]
    for both in pairs(row):
        arguments = arguments_of([Case((), both, "both")])
        ours, theirs = (compile_tree([tree], arguments, BALLS) for tree in both)
        ctx.prec = 600
        try:
            for index in inside.tolist():
                point = [arb(columns[name][index]) for name in arguments]
                difference = arb(ours(*point)[0]) - arb(theirs(*point)[0])
                assert difference.contains(0) and difference.rad() < arb(2) ** -60
        finally:
            ctx.prec = 53


def test_every_loss_with_an_angular_margin_of_its_own_is_printed() -> None:
    assert {"normface", "cosface", "arcface", "adaface", "combined"} <= {
        row.loss for row in PRINTED
    }


def test_eq18_as_printed_at_mean_norm_is_cosface_with_margin_over_scale() -> None:
    at_mean_norm = EQ18_AS_PRINTED.subs(EQ19).subs(margin_scaler, 0)
    cosface = scale * LOSSES["cosface"].target.subs(margin, margin / scale)
    assert simplify(at_mean_norm - cosface) == 0


def test_eq18_corrected_is_the_table_and_as_printed_is_not() -> None:
    table = scale * LOSSES["adaface"].target
    assert simplify(EQ18_CORRECTED.subs(EQ19) - table) == 0
    assert simplify(EQ18_AS_PRINTED.subs(EQ19) - table) != 0


@pytest.mark.parametrize("x", ["x", "-x"])
def test_logistic_derivatives_are_those_of_the_exponential_form(x: str) -> None:
    from sympy import Symbol, sympify

    symbol = Symbol("x", real=True)
    argument = sympify(x, {"x": symbol})
    for function in (logistic, log_logistic):
        opaque = function(argument).diff(symbol)
        plain = function(argument).rewrite(exp).diff(symbol)
        assert simplify(opaque.rewrite(exp) - plain) == 0
