"""How many cosines a second a sweep decides, by claim.

Run from the checkout:
pytest benchmarks/test_sweep_speed.py --benchmark-json=benchmarks/results/sweep.json
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sympy import Expr, Integer, Rational, cos, sin

from adaface_ref.evidence.sweep.cosines import cosine_count
from adaface_ref.evidence.sweep.sweep import Sweep, sweep
from adaface_ref.spec.gst import cases
from adaface_ref.spec.language.cases import All, Atom, ClaimCase, Some
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.spec.symbols import (
    angle,
    logistic,
    margin,
    margin_scaler,
    rival_cosine,
    scale,
    target_cosine,
)

LOW = Rational(1, 2**24)
"""From here to 1 there are 2.0e8 float32, a tenth of all."""

ADAFACE = {
    "scale": Integer(64),
    "margin": Rational(2, 5),
    "margin_scaler": Integer(1),
    "rival_cosine": Rational(1, 2),
}
ARCFACE = {
    "scale": Integer(64),
    "margin": Rational(1, 2),
    "rival_cosine": Rational(1, 2),
}
PEAK = Rational(8137916811, 10**10)


def iff(left: Expr, right: Expr) -> ClaimCase:
    both = All((Atom(left, ">"), Atom(right, ">")))
    neither = All((Atom(-left, ">="), Atom(-right, ">=")))
    return ClaimCase((), Some((both, neither)), All(()), "core")


def sign_change() -> tuple[ClaimCase, dict[str, Expr]]:
    turned = sin(angle - margin * margin_scaler)
    return iff(turned, cos(margin * margin_scaler) - target_cosine), ADAFACE


def rising() -> tuple[ClaimCase, dict[str, Expr]]:
    pull = scale * logistic(scale * (cos(angle + margin) - rival_cosine))
    criterion = sin(margin) - pull * sin(angle) * sin(angle + margin) ** 2
    return iff(criterion, PEAK - target_cosine), ARCFACE


def rate_of_the_gst() -> tuple[ClaimCase, dict[str, Expr]]:
    rate = cases("gst_rate", LOSSES["arcface"], parse("pure"))[0].terms[0]
    return iff(-rate, PEAK - target_cosine), ARCFACE


def sweep_upper_part(claim: ClaimCase, values: dict[str, Expr]) -> Sweep:
    return sweep(
        [claim],
        values,
        "float32",
        holds_at=lambda _: None,
        at_pole=lambda _: None,
        low=LOW,
    )


@pytest.mark.parametrize(
    "case", [sign_change, rising, rate_of_the_gst], ids=lambda case: case.__name__
)
@pytest.mark.benchmark(group="float32 sweep")
def test_sweep(
    benchmark: BenchmarkFixture,
    keep_speed: Callable[[str, int], float],
    case: Callable[[], tuple[ClaimCase, dict[str, Expr]]],
) -> None:
    claim, values = case()
    found = benchmark.pedantic(sweep_upper_part, (claim, values), rounds=1)
    assert not found.stopped and found.total == cosine_count("float32", LOW)
    keep_speed("points", found.total)
    benchmark.extra_info["doubtful"] = found.oracle
