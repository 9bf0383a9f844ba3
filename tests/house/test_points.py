"""Blocks of points, scalar points, and the shrinking of a failure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational

from adaface_ref.choices import DTYPES
from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.agreement import (
    Columns,
    Floats,
    Question,
    parameters_of,
)
from adaface_ref.evidence.truth.evaluate import evaluate_numpy
from adaface_ref.evidence.truth.forms import Cell, compare, numpy_values
from adaface_ref.evidence.truth.shrink import simplest
from adaface_ref.points import (
    COSINES,
    Box,
    block,
    corner_count,
    describe,
    in_dtype,
    recommended,
    scalars,
    seeds,
)
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.symbols import QUANTITIES

losses = pytest.mark.parametrize("loss", LOSSES)


@losses
@given(seed=seeds())
def test_a_seed_gives_ten_thousand_points_inside_every_domain(
    loss: str, seed: int
) -> None:
    columns = block(loss, seed, profile="pure")
    assert set(columns) == {*COSINES, *parameters_of(loss)}
    for name, column in columns.items():
        domain = QUANTITIES[name].domain
        assert column.size >= 10_000 and np.all(np.isfinite(column))
        assert column.min() >= domain.start and column.max() <= domain.end


@losses
def test_same_seed_same_points(loss: str) -> None:
    first, second, third = (block(loss, seed, size=100) for seed in (4, 4, 5))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["target_cosine"], third["target_cosine"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosines_are_values_of_the_dtype(dtype: str) -> None:
    columns = block("adaface", 0, size=1_000, dtype=dtype)
    for name in COSINES:
        assert np.array_equal(in_dtype(columns[name], dtype), columns[name])


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounding_to_a_dtype_is_what_torch_does(dtype: str) -> None:
    import torch

    # From float32: torch rounds float64 to a half by way of float32, so twice.
    drawn = np.random.default_rng(0).uniform(-2, 2, 10_000).astype(np.float32)
    values = drawn.astype(np.float64)
    rounded = torch.from_numpy(values).to(getattr(torch, dtype)).double().numpy()
    assert np.array_equal(in_dtype(values, dtype), rounded)


@losses
@given(seed=seeds())
def test_no_rival_lies_below_another_class(loss: str, seed: int) -> None:
    columns = block(loss, seed, size=500)
    other = evaluate_numpy("other_logit", loss, "pure", columns) / columns["scale"]
    assert np.all(other <= columns["rival_cosine"] + 1e-12)


def test_poles_and_their_neighbours_come_first() -> None:
    corners = block("arcface", 0)["target_cosine"][: corner_count("arcface")]
    assert {1.0, -1.0, 1 - 2.0**-53, 0.0, 15 / 16} <= set(corners.tolist())


def test_edges_of_a_clamp_are_visited() -> None:
    corners = block("adaface", 0, profile="clip")["target_cosine"]
    assert np.any(corners == 1 - 1e-3) and np.any(corners == 1 - 1e-3 - 2.0**-53)


def test_blocks_visit_where_these_losses_go_wrong() -> None:
    columns = block("adaface", 0)
    complement = evaluate_numpy("complement", "adaface", "pure", columns)
    slope = evaluate_numpy("slope", "adaface", "pure", columns)
    gst = evaluate_numpy("gst", "adaface", "pure", columns)
    assert np.mean(complement < 1e-16) > 0.05 and np.mean(complement > 0.99) > 0.05
    assert np.mean((complement > 0.01) & (complement < 0.99)) > 0.02
    assert np.sum(np.abs(slope) < 1e-6) > 20
    assert np.sum((np.abs(gst) < 1e-307) & (gst != 0)) > 5
    assert np.sum(np.abs(np.abs(columns["target_cosine"]) - 1) < 1e-15) > 100


def test_a_box_fixes_and_narrows() -> None:
    box: Box = {"scale": 64.0, "margin": (0.3, 0.5), "target_cosine": 0.25}
    columns = block("arcface", 0, size=100, box=box)
    assert np.all(columns["scale"] == 64) and np.all(columns["target_cosine"] == 0.25)
    assert columns["margin"].min() >= 0.3 and columns["margin"].max() <= 0.5


@losses
@given(data=st.data())
def test_scalar_points_lie_in_their_domains(loss: str, data: st.DataObject) -> None:
    point = data.draw(scalars(loss))
    assert set(point) == {*COSINES, *parameters_of(loss)}
    for name, value in point.items():
        assert QUANTITIES[name].domain.contains(Rational(value)) == True  # noqa: E712
    assert point["rival_cosine"] >= point["other_cosine"]


def test_recommended_values_are_those_of_the_papers() -> None:
    assert recommended("adaface") == {"scale": 64.0, "margin": 0.4}
    assert recommended("arcface") == {"scale": 64.0, "margin": 0.5}


def test_a_failing_block_is_reported_as_a_minimal_point_in_decimal_and_hex() -> None:
    def flipped(columns: Columns) -> Floats:
        margin = {**columns, "margin_scaler": -columns["margin_scaler"]}
        return numpy_values("slope", Cell("adaface", "pure"), margin)

    question = Question("slope", "adaface", "pure")
    columns = block("adaface", 0, size=500)
    (worst, *_) = compare(question, columns, flipped).failures
    assert worst.point == {
        "target_cosine": 0.5,
        "scale": 64.0,
        "margin": 0.4,
        "margin_scaler": 1.0,
    }
    assert "margin_scaler = 1.0 (0x1.0000000000000p+0)" in str(worst)


def test_shrinking_keeps_the_failure_and_prefers_recommended_values() -> None:
    start = {"target_cosine": 0.8371, "scale": 81.3, "margin": 0.8123}
    small = simplest(start, lambda point: point["target_cosine"] > 0.6, "arcface")
    assert small == {"target_cosine": 0.75, "scale": 64.0, "margin": 0.5}


def test_shrinking_treats_a_refused_point_as_not_failing() -> None:
    def fails(point: dict[str, float]) -> bool:
        if point["target_cosine"] == 0:
            raise DomainError("refused")
        return True

    small = simplest({"target_cosine": 0.8371}, fails, "arcface")
    assert small == {"target_cosine": 0.5}


def test_a_point_is_described_in_decimal_and_hex() -> None:
    assert describe({"margin": 0.4}) == "margin = 0.4 (0x1.999999999999ap-2)"


@pytest.mark.parametrize("dtype", DTYPES)
def test_shrinking_keeps_cosines_values_of_the_dtype(dtype: str) -> None:
    start = {"target_cosine": float(in_dtype(np.asarray([0.8371]), dtype)[0])}
    small = simplest(
        start, lambda p: 0.82 < p["target_cosine"] < 0.86, "arcface", dtype
    )
    found = np.asarray([small["target_cosine"]])
    assert np.array_equal(in_dtype(found, dtype), found)
