"""Sweeps: every cosine once, bounds that bound, and nothing lost by a kill."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, Expr, Rational, cos, exp, log, sin, sqrt
from sympy import sign as sign_of

from adaface_ref.compiler import compile_tree
from adaface_ref.errors import DomainError
from adaface_ref.evidence.sweep import counting
from adaface_ref.evidence.sweep.cosines import FORMATS, cosine_at, cosine_count
from adaface_ref.evidence.sweep.error_nodes import LIBRARY, Inputs
from adaface_ref.evidence.sweep.running_error import Program, values_by_symbol
from adaface_ref.evidence.sweep.sweep import Sweep, sweep
from adaface_ref.evidence.truth.evaluate import BALLS, formula
from adaface_ref.evidence.truth.oracle import piece_at
from adaface_ref.spec.gst import cases
from adaface_ref.spec.language.cases import All, Atom, ClaimCase, Relation, Some
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.spec.symbols import (
    angle,
    log_logistic,
    logistic,
    margin,
    multiplier,
    target_cosine,
)

ALWAYS = All(())
FLOAT32 = Inputs(-1 + 2.0**-24, 1 - 2.0**-24, 2.0**-149)
SINGLE = st.integers(1 - 0x3F800000, 0x3F800000 - 1)
"""Numbers of float32 cosines: half of them lie within 2^-64 of 0."""

NEAR_ONE = st.integers(0x3F800000 - 2**23, 0x3F800000 - 1)
COSINES = st.one_of(SINGLE, NEAR_ONE, NEAR_ONE.map(lambda index: -index))
FRACTIONS = st.fractions(0, 1, max_denominator=50)


def claim(
    expression: Expr, relation: Relation = ">", *where: Expr
) -> tuple[ClaimCase, ...]:
    return (ClaimCase(where, Atom(expression, relation), ALWAYS, "core"),)


def unasked(_: float) -> bool:
    raise AssertionError("the oracle was asked")


def by_balls(expression: Expr) -> Callable[[float], bool | None]:
    """Whether an expression is positive, at 256 bits."""
    compiled = compile_tree((expression,), ("target_cosine",), BALLS)

    def holds_at(cosine: float) -> bool | None:
        before = ctx.prec
        try:
            ctx.prec = 256
            ball = compiled(arb(cosine))[0]
            return True if ball > 0 else False if ball < 0 else None
        finally:
            ctx.prec = before

    return holds_at


def swept(listed: tuple[ClaimCase, ...], dtype: str = "float16", **more: Any) -> Sweep:
    more = {"values": {}, "holds_at": lambda _: None, **more}
    return sweep(listed, more.pop("values"), dtype, at_pole=lambda _: None, **more)


@pytest.fixture
def _small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "TASK", 1000)
    monkeypatch.setattr(counting, "CHUNK", {"cpu": 300, "cuda": 300})


@cache
def halves() -> np.ndarray:
    bits = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float64)
    return np.unique(bits[np.abs(bits) <= 1])


@cache
def brain_halves() -> np.ndarray:
    bits = torch.arange(-(2**15), 2**15).to(torch.int16).view(torch.bfloat16)
    values = bits.double().numpy()
    return np.unique(values[np.abs(values) <= 1])


def test_float32_has_2130706433_cosines() -> None:
    assert cosine_count("float32") == 2_130_706_433


@pytest.mark.parametrize(
    ("dtype", "every"), [("float16", halves()), ("bfloat16", brain_halves())]
)
def test_numbered_cosines_are_all_of_the_dtype(dtype: str, every: np.ndarray) -> None:
    one = FORMATS[dtype].one
    listed = [cosine_at(dtype, index) for index in range(-one, one + 1)]
    assert cosine_count(dtype) == every.size
    assert np.array_equal(listed, every)


@given(FRACTIONS, FRACTIONS, st.booleans(), st.booleans())
def test_count_of_a_range_is_exact(
    low: Any, high: Any, above: bool, below: bool
) -> None:
    every, ends = halves(), (2 * low - 1, 2 * high - 1)
    near = [float(end) for end in ends]  # in order with every float16
    lows = every > near[0] if above else every >= near[0]
    highs = every < near[1] if below else every <= near[1]
    first, last = (Rational(end.numerator, end.denominator) for end in ends)
    assert cosine_count("float16", first, last, above, below) == np.sum(lows & highs)


def test_an_irrational_end_of_a_range_is_exact() -> None:
    found = cosine_count("float16", cos(Rational(2, 5)))
    assert found == np.sum(halves() > np.cos(0.4))


@pytest.mark.usefixtures("_small_tasks")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_zero_counts_once(dtype: str, device: str) -> None:
    found = swept(claim(target_cosine, "!="), dtype, device=device)
    assert (found.fails, found.failing, found.open) == (1, (0.0,), 2)
    assert found.holds + found.fails + found.open == found.total == cosine_count(dtype)


@given(index=st.one_of(SINGLE, NEAR_ONE))
def test_one_failing_float32_is_found(index: int) -> None:
    one = FORMATS["float32"].one
    low, value, high = (
        exactly(cosine_at("float32", at))
        for at in (max(index - 2000, -one), index, min(index + 2000, one))
    )
    found = swept(claim(target_cosine - value, "!="), "float32", low=low, high=high)
    assert (found.fails, found.failing) == (1, (float(value),))


GRID = [
    (loss, quantity)
    for loss in LOSSES
    for quantity in ("slope", "gst", "gst_rate", "loss_value")
]

FEW = settings(max_examples=8)
"""An example compiles an expression, which takes a tenth of a second."""


@pytest.mark.parametrize(("loss", "quantity"), GRID)
@FEW
@given(data=st.data())
def test_error_bound_bounds_the_error(loss: str, quantity: str, data: Any) -> None:
    fixed = data.draw(parameters(loss))
    indices = data.draw(st.lists(COSINES, min_size=1, max_size=20))
    cosines = [cosine_at("float32", index) for index in indices]
    arcs = int(fixed["multiplier"]) if loss == "sphereface" else None
    balls = formula(quantity, loss, "pure", arcs, "value", "balls")
    exact = {name: exactly(value) for name, value in fixed.items()}
    for row, case in enumerate(cases(quantity, LOSSES[loss], parse("pure"), arcs)):
        points = [{**fixed, "target_cosine": cosine} for cosine in cosines]
        truths = [piece_at(balls, row, point) for point in points]
        assert violations(case.terms[0], exact, cosines, truths) == []


def compile_with_error(
    tree: Expr, values: dict[str, Expr], coarse: bool = False
) -> Callable[[torch.Tensor], tuple[Any, ...]]:
    """A function of cosines that returns the tree's value and its bound."""
    program = Program(coarse, inputs=FLOAT32, values=values_by_symbol(values))
    node = program.node_of(tree)
    return program.function(node.value, program.error(node))


def violations(
    tree: Expr, exact: dict[str, Expr], cosines: list[float], truths: list[arb]
) -> list[tuple[bool, float]]:
    """Where an error exceeds its bound, and whether the bound is the coarse one."""
    found = []
    for coarse in (False, True):
        compiled = compile_with_error(tree, exact, coarse)
        points = torch.tensor(cosines, dtype=torch.float64)
        parts = [part + torch.zeros_like(points) for part in compiled(points)]
        rows = zip(cosines, truths, *(part.tolist() for part in parts), strict=True)
        found += [
            (coarse, cosine)
            for cosine, truth, value, bound in rows
            if np.isfinite(bound) and abs(truth - value) > bound
        ]
    return found


def exactly(value: float) -> Expr:
    return Rational(*value.as_integer_ratio())


@st.composite
def parameters(draw: Any, loss: str) -> dict[str, float]:
    limits = {
        "scale": (1.0, 512.0),
        "margin": (0.0, 1.5),
        "margin_scaler": (-1.0, 1.0),
        "feature_norm": (10.0, 110.0),
        "angular_offset": (0.0, 1.5),
        "additive_offset": (0.0, 2.0),
        "curriculum": (-1.0, 1.0),
    }
    fixed = {
        "norm_lower": 10.0,
        "norm_upper": 110.0,
        "margin_lower": 0.45,
        "margin_upper": 0.8,
        "regulariser_weight": 35.0,
    }
    names = [symbol.name for symbol in LOSSES[loss].parameters]
    drawn = {n: draw(st.floats(*limits[n])) for n in names if n in limits}
    if multiplier.name in names:
        drawn["multiplier"] = float(draw(st.integers(1, 5)))
    others = {n: fixed[n] for n in names if n in fixed}
    return {**drawn, **others, "rival_cosine": draw(st.floats(-1.0, 1.2))}


ODD = (
    Abs(target_cosine - Rational(1, 3)),
    1 / (target_cosine - Rational(1, 3)),
    sqrt(target_cosine + Rational(1, 2)),
    log(target_cosine**2 + sin(angle)),
    log(2 + target_cosine),
    exp(40 * target_cosine - 3),
    cos(4 * angle) * sin(3 * angle),
    target_cosine**7 * (1 - target_cosine) ** 3,
    logistic(700 * target_cosine) * logistic(-700 * target_cosine),
    log_logistic(300 * cos(angle + 1)),
    (target_cosine - Rational(1, 7)) / (angle - 1),
)


@pytest.mark.parametrize("tree", ODD, ids=str)
@given(indices=st.lists(COSINES, min_size=1, max_size=20))
def test_error_bound_of_every_operation_bounds(tree: Expr, indices: list[int]) -> None:
    cosines = [cosine_at("float32", index) for index in indices]
    balls = compile_tree((tree,), ("target_cosine",), BALLS)
    before, ctx.prec = ctx.prec, 512
    try:
        truths = [arb(balls(arb(cosine))[0]) for cosine in cosines]
        assert violations(tree, {}, cosines, truths) == []
    finally:
        ctx.prec = before


@pytest.mark.parametrize("tree", ODD, ids=str)
def test_error_bound_is_small_almost_everywhere(tree: Expr) -> None:
    cosines = torch.linspace(-0.4, 0.99, 1001, dtype=torch.float64)
    value, bound = compile_with_error(tree, {})(cosines)
    assert torch.mean((bound <= 1e-10 * (value.abs() + 1e-3)).double()) > 0.98


LIBRARY_FUNCTIONS: dict[str, tuple[Any, Any, float, float]] = {
    "exp": (torch.exp, arb.exp, -700.0, 700.0),
    "log": (torch.log, arb.log, 1e-300, 1e300),
    "sin": (torch.sin, arb.sin, -50.0, 50.0),
    "cos": (torch.cos, arb.cos, -50.0, 50.0),
    "sigmoid": (torch.sigmoid, lambda x: 1 / (1 + (-x).exp()), -700.0, 700.0),
    "logsigmoid": (
        torch.nn.functional.logsigmoid,
        lambda x: -((-x).exp().log1p()),
        -700.0,
        700.0,
    ),
}


@pytest.mark.parametrize("name", LIBRARY_FUNCTIONS)
@given(seed=st.integers(0, 2**32))
def test_library_functions_are_as_good_as_they_are_taken(
    name: str, seed: int, device: str
) -> None:
    function, exact, low, high = LIBRARY_FUNCTIONS[name]
    drawn = np.random.default_rng(seed).uniform(-1, 1, 200) ** 5
    points = torch.from_numpy(np.clip(high * drawn, low, high)).to(device)
    before, ctx.prec = ctx.prec, 1200
    try:
        for point, got in zip(points.tolist(), function(points).tolist(), strict=True):
            truth = exact(arb(point))
            assert abs(truth - got) <= abs(truth) * LIBRARY
    finally:
        ctx.prec = before


@given(seed=st.integers(0, 2**32))
def test_arctangents_are_as_good_as_they_are_taken(seed: int, device: str) -> None:
    drawn = np.random.default_rng(seed).uniform(-1, 1, (2, 200)) ** 5
    sine, cosine = torch.from_numpy(np.abs(drawn[0])), torch.from_numpy(drawn[1])
    angles = torch.atan2(sine.to(device), cosine.to(device)).tolist()
    before, ctx.prec = ctx.prec, 200
    try:
        for y, x, got in zip(sine.tolist(), cosine.tolist(), angles, strict=True):
            truth = arb.atan2(arb(y), arb(x))
            assert abs(truth - got) <= abs(truth) * LIBRARY
    finally:
        ctx.prec = before


NULL = target_cosine**2 + sin(angle) ** 2 - 1
"""Zero everywhere, which no error bound can tell."""


@pytest.mark.usefixtures("_small_tasks")
def test_doubtful_cosines_go_to_the_oracle(device: str) -> None:
    found = swept(
        claim(NULL, ">="),
        holds_at=lambda cosine: None if cosine < 0 else cosine != 0.5,
        device=device,
    )
    assert found.oracle == found.total - 2
    assert (found.fails, found.failing) == (1, (0.5,))
    assert found.open == found.total // 2 + 1


@FEW
@given(share=st.fractions(-1, 1, max_denominator=1000), turned=FRACTIONS)
def test_counts_of_a_half_plane_are_exact(share: Any, turned: Any) -> None:
    tree = cos(angle + Rational(str(turned))) - Rational(str(share))
    holds_at = by_balls(tree)
    tried = brain_halves()[1:-1:370].tolist()
    truths = [holds_at(cosine) for cosine in tried]
    found = swept(claim(tree), "bfloat16", holds_at=holds_at)
    failing = [c for c, held in zip(tried, truths, strict=True) if held is False]
    assert found.holds + found.fails + 2 == found.total
    assert not failing or found.failing[0] <= failing[0] <= failing[-1]
    assert not failing or failing[-1] <= found.failing[-1]


def test_the_first_case_that_applies_decides() -> None:
    third = target_cosine - Rational(1, 3)
    listed = (
        *claim(-target_cosine, ">", third),
        *claim(target_cosine, ">", -third),
    )
    found = swept(listed)
    assert (
        found.fails
        == 2 * FORMATS["float16"].one - np.sum((halves() > 0) & (halves() <= 1 / 3)) - 1
    )


@pytest.mark.usefixtures("_small_tasks")
def test_a_border_too_close_for_the_coarse_bound_is_decided_by_the_fine() -> None:
    border = target_cosine + target_cosine**2  # 2^-130 in chunks of their own
    listed = claim(2 + target_cosine, ">", border) + claim(-target_cosine, ">=")
    found = swept(listed, "bfloat16", holds_at=lambda _: True)
    assert (found.holds, found.fails, found.oracle) == (found.total - 2, 0, 1)


def test_a_statement_is_a_tree() -> None:
    inside = All((Atom(target_cosine, ">"), Atom(Rational(1, 2) - target_cosine, ">=")))
    outside = Some((Atom(-target_cosine, ">"), inside))
    found = swept((ClaimCase((), outside, ALWAYS, "core"),))
    assert found.failing[:2] == (0.0, 0.50048828125)


def test_a_kink_that_even_the_oracle_cannot_tell_is_open() -> None:
    found = swept(claim(sign_of(target_cosine - Rational(1, 2)), ">="), low=0)
    assert (found.oracle, found.open) == (1, 2)


def test_an_oracle_that_contradicts_what_is_certain_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="the error bound is wrong"):
        swept(claim(2 + target_cosine), holds_at=lambda _: False)


@pytest.mark.parametrize("pole", [-1, 1])
def test_poles_have_their_own_oracle(pole: int) -> None:
    found = sweep(
        claim(2 + target_cosine),
        {},
        "float16",
        holds_at=lambda _: True,
        at_pole=lambda at: at != pole,
    )
    assert (found.fails, found.failing, found.open) == (1, (float(pole),), 0)


def test_an_empty_range_has_no_cosines() -> None:
    found = swept(claim(target_cosine), low=Rational(1, 3), high=Rational(1, 3))
    assert (found.total, found.holds, found.fails, found.open) == (0, 0, 0, 0)


def test_too_many_doubtful_cosines_are_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_DOUBTFUL", 100)
    found = swept(claim(NULL, ">="), holds_at=unasked)
    assert found.stopped.startswith("more than 100 float16 cosines are too close")
    assert (found.holds, found.open) == (0, found.total)


KILLED = """
import os, signal, sys
from pathlib import Path
from sympy import Rational
from adaface_ref.evidence.sweep import counting, saved_state, sweep as sweeps
from adaface_ref.spec.language.cases import All, Atom, ClaimCase
from adaface_ref.spec.symbols import target_cosine

state, die_at, die_before_replace = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
counting.TASK, counting.CHUNK, sweeps.SAVE_EVERY = 1000, {"cpu": 300}, 0.0
replace, share = os.replace, 0.0

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def progress(_, done):
    global share
    share = done
    if done >= die_at and not int(die_before_replace):
        die()

def replacing(*names):
    if share >= die_at:
        die()
    replace(*names)

if int(die_before_replace):
    os.replace = replacing
atom = Atom(target_cosine - Rational(1, 3), ">")
sweeps.sweep([ClaimCase((), atom, All(()), "core")], {}, "float16",
    holds_at=lambda _: None, at_pole=lambda _: None, progress=progress, state=state)
"""


def test_a_killed_sweep_goes_on_without_counting_twice(tmp_path: Path) -> None:
    state, listed = tmp_path / "sweep.json", claim(target_cosine - Rational(1, 3))
    fronts = []
    for die_at, in_save in (("0.3", "0"), ("0.6", "1")):
        command = [sys.executable, "-P", "-c", KILLED, str(state), die_at, in_save]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        fronts.append(json.loads(state.read_text())["tally"]["next"])
    resumed = swept(listed, state=state)
    again, afresh = swept(listed, state=state), swept(listed)
    assert -15359 < fronts[0] < fronts[1] < 15360
    # Tasks began elsewhere, so other samples were checked.
    assert resumed._replace(seconds=0, checked=0) == afresh._replace(
        seconds=0, checked=0
    )
    assert again == resumed


def _other(content: dict[str, Any]) -> str:
    return json.dumps({**content, "claim": "another"})


def _more(content: dict[str, Any]) -> str:
    content["tally"]["holds"] += 1
    return json.dumps(content)


@pytest.mark.parametrize(
    "damage", [_other, _more, lambda _: "", lambda _: "[]", lambda c: str(c)[:100]]
)
def test_a_tampered_state_is_refused(tmp_path: Path, damage: Any) -> None:
    state = tmp_path / "sweep.json"
    swept(claim(target_cosine), state=state)
    state.write_text(damage(json.loads(state.read_text())))
    with pytest.raises(DomainError, match=r"^state=.*, but must be .* \[sweep\]$"):
        swept(claim(target_cosine), state=state)


def test_a_state_of_another_claim_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "sweep.json"
    swept(claim(target_cosine), state=state)
    with pytest.raises(DomainError, match="of this claim and range"):
        swept(claim(target_cosine, ">="), state=state)


def test_an_input_without_a_value_is_refused() -> None:
    with pytest.raises(DomainError, match="margin=None, but must be an exact number"):
        swept(claim(cos(angle + margin)))


def test_memory_is_bounded() -> None:
    swept(claim(target_cosine + 2), "float32", low=Rational(3, 4))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    swept(claim(cos(angle + 1) + 2), "float32", low=Rational(1, 4))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50 * 1024  # KiB; 2^24 float64 alone would be 128 MiB
