"""Identities and metamorphic laws, in NumPy and in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from budgets import BLOCKS
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st
from sympy import Float, log, simplify, symbols

from adaface_ref import numpy_reference
from adaface_ref.evidence.truth.agreement import Question, judge
from adaface_ref.evidence.truth.forms import Cell, numpy_values, torch_values
from adaface_ref.evidence.truth.oracle import certify, enclosure
from adaface_ref.points import block, recommended, scalars, seeds
from adaface_ref.spec.gst import rival_from
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.symbols import scale

Columns = Mapping[str, np.ndarray]

BITS = 4096
"""Enough for a slope that differs from 1 by the smallest products of floats."""

SHIFTS = [
    loss for loss, row in LOSSES.items() if row.shifts_angle and not row.modifies_others
]


def with_scaler(seed: int, scaler: float) -> dict[str, np.ndarray]:
    return block("adaface", seed, size=300, box={"margin_scaler": scaler})


def values(form: str, quantity: str, loss: str, columns: Columns) -> np.ndarray:
    if form == "numpy":
        return numpy_values(quantity, Cell(loss, "pure"), columns)
    return torch_values(quantity, Cell(loss, "pure"), columns, "float64")


forms = pytest.mark.parametrize("form", ["numpy", "torch"])
quantities = pytest.mark.parametrize(
    "quantity", ["logit", "slope", "probability", "gst", "other_gst", "loss_value"]
)


@forms
@quantities
@pytest.mark.parametrize(("scaler", "loss"), [(-1.0, "arcface"), (0.0, "cosface")])
@BLOCKS
@given(seed=seeds())
def test_adaface_at_an_end_of_its_scaler_is(
    form: str, quantity: str, scaler: float, loss: str, seed: int
) -> None:
    columns = with_scaler(seed, scaler)
    got = values(form, quantity, "adaface", columns)
    assert not judge(Question(quantity, loss, "pure"), columns, got).failures


@forms
@BLOCKS
@given(seed=seeds())
def test_adaface_is_arcface_with_another_margin_and_another_rival(
    form: str, seed: int
) -> None:
    # At z-hat <= 0 the angular margin -m z-hat is a margin ArcFace may have.
    columns = block("adaface", seed, size=300, box={"margin_scaler": (-1.0, 0.0)})
    shift = columns["margin"] * (1 + columns["margin_scaler"])
    moved = {
        **columns,
        "margin": -columns["margin"] * columns["margin_scaler"],
        "rival_cosine": columns["rival_cosine"] + shift,
    }
    ours = values(form, "gst", "adaface", columns)
    other = values(form, "gst", "arcface", moved)
    # The move itself rounds margin and rival: the condition-aware bound covers it.
    both = Question("gst", "adaface", "pure")
    allowed = 2 * both.allowed(columns, ours) + both.allowed(columns, other)
    inside = np.abs(columns["target_cosine"]) < 1
    assert np.all(np.abs(ours[inside] - other[inside]) <= allowed[inside])


def test_high_norm_is_a_negative_angular_margin_with_shift_twice_the_margin() -> None:
    point = {"scale": 64.0, "margin": 0.4, "margin_scaler": 1.0, "target_cosine": 0.25}
    adaface = enclosure("logit", "adaface", "pure", point)
    ctx.prec = 256
    shifted = 64 * ((arb(0.25).acos() - arb(0.4)).cos() - 2 * arb(0.4))
    ctx.prec = 53
    assert adaface.overlaps(shifted)


@pytest.mark.parametrize("loss", LOSSES)
@BLOCKS
@given(data=st.data())
def test_permuting_the_other_classes_changes_nothing(
    loss: str, data: st.DataObject
) -> None:
    cosine, labels, parameters = batch_of(loss, data.draw(seeds()))
    order = np.concatenate([[0], 1 + np.random.default_rng(0).permutation(4)])
    before = numpy_reference.batch(loss, cosine, labels, **parameters)
    after = numpy_reference.batch(loss, cosine[:, order], labels, **parameters)
    close = close_to(before.gst[:, 0])
    assert close(after.gst[:, 0]) and close_to(before.gst)(
        after.gst[:, np.argsort(order)]
    )


@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "curricularface"])
@BLOCKS
@given(seed=seeds())
def test_splitting_a_rival_in_two_changes_nothing(loss: str, seed: int) -> None:
    cosine, labels, parameters = batch_of(loss, seed)
    half = cosine[:, -1:] - np.log(2) / parameters["scale"]
    split = np.concatenate([cosine[:, :-1], half, half], axis=1)
    before = numpy_reference.batch(loss, cosine, labels, **parameters)
    after = numpy_reference.batch(loss, split, labels, **parameters)
    assert close_to(before.gst[:, 0])(after.gst[:, 0])
    merged = after.gst[:, -2] + after.gst[:, -1]
    assert close_to(before.gst[:, -1])(merged)


def test_splitting_a_hard_rival_of_curricularface_changes_something() -> None:
    parameters = {"scale": 64.0, "margin": 0.5, "curriculum": 0.3}
    cosine = np.array([[0.1, 0.6]])
    half = cosine[:, 1:] - np.log(2) / 64
    split = np.concatenate([cosine[:, :1], half, half], axis=1)
    labels = np.array([0])
    before = numpy_reference.batch("curricularface", cosine, labels, **parameters)
    after = numpy_reference.batch("curricularface", split, labels, **parameters)
    assert abs(before.loss[0] - after.loss[0]) > 0.1


def batch_of(loss: str, seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    rng = np.random.default_rng(seed)
    parameters = recommended(loss)
    if loss == "adaface":
        parameters["margin_scaler"] = float(rng.uniform(-1, 1))
    cosine = rng.uniform(-0.9, 0.9, (8, 5))
    return cosine, np.zeros(8, dtype=int), parameters


def close_to(expected: np.ndarray) -> Callable[[np.ndarray], bool]:
    # Rivals add up in another order: a rounding each, times s in the exponent.
    def close(got: np.ndarray) -> bool:
        allowed = 64 * 64 * np.finfo(float).eps * np.abs(expected)
        return bool(np.all(np.abs(got - expected) <= allowed))

    return close


def test_rival_of_a_permuted_list_is_the_same_expression() -> None:
    first, second, third = symbols("first second third", real=True)
    assert rival_from((first, second, third)) == rival_from((third, first, second))


def test_rival_of_a_split_class_is_the_same_expression() -> None:
    one, rest = symbols("one rest", real=True)
    half = one - log(2) / scale
    split, whole = rival_from((half, half, rest)), rival_from((one, rest))
    assert simplify(split - whole) == 0


@given(
    cosines=st.lists(st.floats(-1, 1), min_size=1, max_size=8),
    scaling=st.floats(0.5, 512),
)
def test_rival_lies_within_its_bounds(cosines: list[float], scaling: float) -> None:
    rival = numpy_reference.rival_cosine(np.asarray(cosines), scaling)
    low, high = max(cosines), rival_from((Float(max(cosines)),) * len(cosines))
    slack = 4 * np.finfo(float).eps * (2 + 10 / scaling)
    assert low - slack <= rival <= float(high.subs(scale, scaling)) + slack


def test_rival_may_exceed_1() -> None:
    assert f"{numpy_reference.rival_cosine(np.ones(70721), 64):.4f}" == "1.1745"


@pytest.mark.parametrize("loss", SHIFTS)
@given(data=st.data())
def test_gst_of_target_and_rival_add_up_to_zero_iff_the_slope_is_one(
    loss: str, data: st.DataObject
) -> None:
    point = data.draw(scalars(loss))
    if abs(point["target_cosine"]) == 1:
        return
    alone = {**point, "other_cosine": min(1.0, point["rival_cosine"])}
    alone["rival_cosine"] = alone["other_cosine"]
    gst, other_gst, slope = (
        enclosure(quantity, loss, "pure", alone, BITS)
        for quantity in ("gst", "other_gst", "slope")
    )
    assert (gst + other_gst).contains(0) == slope.contains(1)


@pytest.mark.parametrize("form", ["numpy", "torch"])
def test_a_higher_norm_never_makes_the_task_easier(form: str) -> None:
    scalers = np.linspace(-1, 1, 41)
    columns = {
        "target_cosine": np.full(41, 0.3),
        "margin_scaler": scalers,
        "scale": np.full(41, 64.0),
        "margin": np.full(41, 0.4),
    }
    logits = values(form, "logit", "adaface", columns)
    assert np.all(np.diff(logits) < 0)


def test_certified_values_do_not_depend_on_the_other_points() -> None:
    columns = block("adaface", 2, size=50)
    one = {name: column[7:8] for name, column in columns.items()}
    together = certify("gst", "adaface", "pure", columns).value[7]
    assert certify("gst", "adaface", "pure", one).value[0] == together
