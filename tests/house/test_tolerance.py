"""The tolerances: what they are made of, and that they are not too wide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaface_ref import tolerance
from adaface_ref.choices import DTYPES
from adaface_ref.tolerance import unit_in_last_place


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_ulp_of_float64_is_the_spacing(value: float) -> None:
    if abs(value) < np.finfo(np.float64).max:
        got = unit_in_last_place(np.asarray([value]), "float64")[0]
        assert got == np.spacing(abs(value))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_ulp_of_float32_is_the_spacing(value: float) -> None:
    if abs(value) < np.finfo(np.float32).max:
        got = unit_in_last_place(np.asarray([value]), "float32")[0]
        assert got == np.spacing(np.float32(abs(value)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_tables_are_those_of_torch(dtype: str) -> None:
    import torch

    info = torch.finfo(getattr(torch, dtype))
    assert tolerance.EPSILON[dtype] == info.eps
    assert tolerance.LARGEST[dtype] == info.max
    assert tolerance.SMALLEST_NORMAL[dtype] == info.smallest_normal
    assert tolerance.SMALLEST_SUBNORMAL[dtype] == info.smallest_normal * info.eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_ours_may_be_off_by_about_one_ulp_where_the_problem_is_tame(dtype: str) -> None:
    one = np.asarray([1.0])
    allowed = tolerance.allowed_of_ours(dtype, one, one)[0]
    assert allowed <= 4.01 * tolerance.EPSILON[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
def test_theirs_may_be_off_by_four_roundings(dtype: str) -> None:
    allowed = tolerance.allowed_of_theirs(dtype, np.asarray([1.0]))[0]
    smallest = tolerance.SMALLEST_NORMAL[dtype]
    assert allowed == 4 * tolerance.EPSILON[dtype] + smallest


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_border_is_four_roundings_wide(dtype: str) -> None:
    conditions = tolerance.EPSILON[dtype] * np.asarray([-5.0, -4.0, 0.0, 4.0, 5.0])
    near = tolerance.near_zero(dtype, conditions, np.asarray(1.0))
    assert near.tolist() == [False, True, True, True, False]
