"""The oracle: narrower than half an ULP, or an honest "undecided"."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given

from adaface_ref import numpy_reference
from adaface_ref.compiler import Backend, compile_tree
from adaface_ref.evidence.truth import oracle
from adaface_ref.evidence.truth.agreement import quantities_of
from adaface_ref.evidence.truth.evaluate import BACKENDS, BALLS, evaluate_numpy, formula
from adaface_ref.evidence.truth.forms import defined_cells
from adaface_ref.evidence.truth.oracle import (
    CERTIFIED,
    POLE,
    UNDECIDED,
    certify,
    enclosure,
)
from adaface_ref.points import block, scalars
from adaface_ref.spec.symbols import QUANTITIES

ARC = {"scale": 64.0, "margin": 0.5, "rival_cosine": 0.5}
ADA = {"scale": 64.0, "margin": 0.4, "margin_scaler": 1.0, "rival_cosine": 0.5}


@given(point=scalars("arcface"))
def test_oracle_agrees_with_fifty_digits_of_mpmath(point: dict[str, float]) -> None:
    cosine = point["target_cosine"]
    truth = certify("gst", "arcface", "pure", point)
    if abs(cosine) == 1:
        return
    with mpmath.workdps(400):
        s, m, n = (mpmath.mpf(point[k]) for k in ("scale", "margin", "rival_cosine"))
        theta = mpmath.acos(mpmath.mpf(cosine))
        rest = 1 / (1 + mpmath.exp(s * (mpmath.cos(theta + m) - n)))
        expected = -s * rest * mpmath.sin(theta + m) / mpmath.sin(theta)
        error = abs(mpmath.mpf(float(truth.value[0])) - expected)
        assert error <= mpmath.mpf(math.ulp(float(truth.value[0])))


@pytest.mark.parametrize("cell", defined_cells(), ids="-".join)
def test_every_point_of_a_block_is_certified_or_a_pole(cell: tuple[str, str]) -> None:
    columns = block(cell[0], 11, profile=cell[1], size=300)
    for quantity in quantities_of(cell[0]):
        truth = certify(quantity, *cell, columns)
        poles = truth.status == POLE
        assert np.all((truth.status == CERTIFIED) | poles)
        assert np.all(np.abs(columns["target_cosine"][poles]) == 1)


@pytest.mark.parametrize("cell", defined_cells(), ids="-".join)
def test_working_precision_of_the_same_tree_lies_near_the_certified_value(
    cell: tuple[str, str],
) -> None:
    columns = block(cell[0], 5, profile=cell[1], size=100)
    columns["target_cosine"] = np.clip(columns["target_cosine"], -0.9, 0.9)
    truth = certify("gst", *cell, columns)
    close = evaluate_numpy("gst", *cell, columns)
    size = evaluate_numpy("gst", *cell, columns, "magnitude")
    assert np.all(np.abs(close - truth.value) <= 1e-12 * size + 1e-300)


def test_a_slope_at_a_pole_is_left_out() -> None:
    truth = certify("slope", "arcface", "pure", {**ARC, "target_cosine": 1.0})
    assert truth.status[0] == POLE and math.isnan(truth.value[0])


def test_a_logit_at_a_pole_is_certified() -> None:
    truth = certify("logit", "arcface", "pure", {**ARC, "target_cosine": 1.0})
    assert truth.value[0] == pytest.approx(64 * math.cos(0.5))


def test_where_two_arcs_of_sphereface_meet_both_give_the_value() -> None:
    point = {"scale": 64.0, "multiplier": 4.0, "target_cosine": 0.0}
    truth = certify("logit", "sphereface", "pure", point)
    assert truth.status[0] == CERTIFIED and truth.value[0] == 64.0 * -3


def test_the_dead_zone_of_clip_is_exactly_zero() -> None:
    truth = certify("gst", "adaface", "clip", {**ADA, "target_cosine": 0.95})
    assert truth.status[0] == CERTIFIED and truth.value[0] == 0.0


def test_a_subnormal_result_is_certified() -> None:
    point = {"scale": 512.0, "target_cosine": 0.45, "rival_cosine": -1.0}
    truth = certify("gst", "normface", "pure", point)
    assert truth.status[0] == CERTIFIED and -2.3e-308 < truth.value[0] < 0


def test_a_half_ulp_of_float32_needs_less_than_one_of_float64() -> None:
    columns = block("adaface", 1, size=100)
    wide = certify("gst", "adaface", "pure", columns, "float32")
    narrow = certify("gst", "adaface", "pure", columns)
    inside = narrow.status == CERTIFIED
    with np.errstate(over="ignore"):
        assert np.all(
            wide.value[inside].astype(np.float32)
            == narrow.value[inside].astype(np.float32)
        )


def test_more_bits_narrow_the_enclosure() -> None:
    point = {**ADA, "target_cosine": 15 / 16}
    wide = enclosure("gst", "adaface", "pure", point, bits=64)
    narrow = enclosure("gst", "adaface", "pure", point, bits=512)
    assert wide.contains(narrow) and narrow.rad() < wide.rad()


TORCH: Backend = {
    **{name: getattr(torch, name) for name in ("sin", "cos", "sqrt", "exp", "log")},
    "Abs": torch.abs,
    "logistic": torch.sigmoid,
    "log_logistic": torch.nn.functional.logsigmoid,
    "pi": lambda: float(np.pi),
    "rational": lambda p, q: p / q,
}


@pytest.mark.parametrize("quantity", ["gst", "loss_value", "other_gst"])
def test_the_same_tree_compiles_to_another_backend(
    quantity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS, "torch", TORCH)
    columns = block("adaface", 3, size=200)
    columns["target_cosine"] = np.clip(columns["target_cosine"], -0.9, 0.9)
    compiled = formula(quantity, "adaface", "pure", None, "value", "torch")
    inputs = [torch.from_numpy(columns[name]) for name in compiled.arguments]
    got = compiled.value[-1](*inputs)[0].numpy()
    size = evaluate_numpy(quantity, "adaface", "pure", columns, "magnitude")
    expected = evaluate_numpy(quantity, "adaface", "pure", columns)
    assert np.all(np.abs(got - expected) <= 1e-12 * size + 1e-300)


def test_a_node_that_no_backend_knows_is_refused() -> None:
    from sympy import gamma

    with pytest.raises(TypeError, match="no backend knows gamma"):
        compile_tree([gamma(QUANTITIES["margin"].symbol)], ["margin"], BALLS)


def test_without_precision_the_oracle_says_undecided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oracle, "PRECISIONS", (16,))
    columns = block("adaface", 3, size=100)
    truth = certify("gst", "adaface", "pure", columns)
    assert np.any(truth.status == UNDECIDED)
    assert np.all(np.isnan(truth.value[truth.status == UNDECIDED]))


@pytest.mark.parametrize("multiplier", [0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("offset", [0.0, 0.3])
@pytest.mark.parametrize("end", [1.0, -1.0])
def test_the_slope_of_combined_at_a_pole_is_its_limit(
    end: float, offset: float, multiplier: float
) -> None:
    given = {"scale": 64.0, "multiplier": multiplier, "angular_offset": offset}
    given["additive_offset"] = 0.2
    limit = numpy_reference.slope("combined", end, **given)
    near = {**given, "target_cosine": end * (1 - 2.0**-53)}
    slope = float(enclosure("slope", "combined", "pure", near))
    assert np.sign(limit) == np.sign(slope)
    assert np.isinf(limit) == (abs(slope) > 1e3)


@pytest.mark.parametrize("loss", ["normface", "adaface"])
def test_starting_with_fewer_bits_certifies_the_same_values(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = block(loss, 1, size=2_000)
    expected = certify("gst", loss, "pure", columns).value
    monkeypatch.setattr(oracle, "PRECISIONS", (48, 53, 64, 96, *oracle.PRECISIONS))
    got = certify("gst", loss, "pure", columns).value
    inside = np.isfinite(expected)
    assert np.sum(np.abs(expected[inside]) < 2.0**-1000) > 5
    off = np.abs(got[inside] - expected[inside])
    assert np.all(off <= np.spacing(np.abs(expected[inside])))
