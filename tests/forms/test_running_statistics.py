"""The running statistics: what an update moves, and that nothing makes it NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from adaface_ref.errors import DomainError, ShapeError
from adaface_ref.running_statistics import Curriculum, NormStatistics

NORMS = st.lists(st.floats(0, allow_infinity=False), min_size=1, max_size=9)
# Numbers that float64 holds and whose arithmetic is exact: no tolerance is needed.
NO_SMOOTHING = NormStatistics(new_batch_weight=1.0)
QUARTER = NormStatistics(mean=20.0, std=4.0, new_batch_weight=0.25)


def test_the_start_is_that_of_the_official_head() -> None:
    start = NormStatistics()
    assert (start.mean, start.std) == (20.0, 100.0)
    assert (start.new_batch_weight, start.eps, start.ddof) == (0.01, 1e-3, 1)


def test_the_weight_is_that_of_the_new_batch() -> None:
    after = QUARTER.update([8.0, 8.0, 8.0])
    assert (after.mean, after.std) == (17.0, 3.0)


def test_without_smoothing_the_batch_replaces_the_past() -> None:
    after = NO_SMOOTHING.update([1.0, 2.0, 3.0])
    assert after.mean == 2.0


def test_the_std_is_unbiased() -> None:
    assert NO_SMOOTHING.update([1.0, 2.0, 3.0]).std == 1.0


def test_a_biased_std_can_be_asked_for() -> None:
    biased = NormStatistics(new_batch_weight=1.0, ddof=0)
    assert biased.update([1.0, 3.0]).std == 1.0


def test_norms_are_clipped_before_their_statistics() -> None:
    beyond, edge = [0.0, 1e300], [1e-3, 100.0]
    assert NO_SMOOTHING.update(beyond) == NO_SMOOTHING.update(edge)


def test_norms_are_clipped_before_their_margin_scaler() -> None:
    steep = NormStatistics(std=500.0)
    assert steep.margin_scaler([1e300]) == steep.margin_scaler([100.0])


def test_a_batch_of_one_moves_the_mean_only() -> None:
    after = QUARTER.update([8.0])
    assert (after.mean, after.std) == (17.0, 4.0)


def test_constant_norms_have_margin_scaler_zero() -> None:
    after = NO_SMOOTHING.update([7.0] * 5)
    assert after.std == 0.0
    np.testing.assert_array_equal(after.margin_scaler([7.0] * 5), np.zeros(5))


def test_the_margin_scaler_takes_mean_std_eps_concentration() -> None:
    state = NormStatistics(mean=10.0, std=3.0, eps=1.0, concentration=0.5)
    got = state.margin_scaler([10.0, 12.0, 8.0, 99.0, 0.5])
    np.testing.assert_array_equal(got, [0.0, 0.25, -0.25, 1.0, -1.0])


@given(NORMS, st.sampled_from([0.0, 0.01, 1.0]), st.sampled_from([0, 1]))
@example([5.0], 1.0, 1)  # no unbiased std
@example([0.1] * 3, 1.0, 0)  # a mean that float64 does not hold
def test_no_batch_leads_to_nan(norms: list[float], weight: float, ddof: int) -> None:
    state = NormStatistics(new_batch_weight=weight, ddof=ddof).update(norms)
    assert np.isfinite([state.mean, state.std]).all()
    assert (np.abs(state.margin_scaler(norms)) <= 1).all()


@given(NORMS)
def test_a_column_of_norms_is_a_row_of_norms(norms: list[float]) -> None:
    state, column = NormStatistics().update(norms), np.reshape(norms, (-1, 1))
    assert NormStatistics().update(column) == state
    got = state.margin_scaler(column)
    np.testing.assert_array_equal(got, state.margin_scaler(norms), strict=True)


def test_evaluation_leaves_the_statistics_alone() -> None:
    state = NormStatistics()
    state.margin_scaler([1.0, 2.0])
    assert state == NormStatistics()


def test_an_update_leaves_the_norms_alone() -> None:
    norms = np.array([0.0, 500.0])
    NormStatistics().update(norms)
    np.testing.assert_array_equal(norms, [0.0, 500.0])


@pytest.mark.parametrize("norm", [-1.0, np.nan, np.inf])
def test_a_norm_that_is_none_is_named(norm: float) -> None:
    with pytest.raises(DomainError) as caught:
        NormStatistics().update([1.0, norm])
    message = f"norms[1]={norm}, but must be in [0, inf) [update]"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("norms", "message"),
    [
        ([[1.0], [1.0, 2.0]], "norms=[[1.0], [1.0, 2.0]], but must be in [0, inf)"),
        (
            torch.ones(2, requires_grad=True),
            "norms=tensor([1., 1.], requires_grad=True), but must be detached",
        ),
        (np.full((2, 1), "a"), "norms=array([['a'], ['a']], dtype='<U1'), but must be"),
    ],
)
def test_norms_that_are_no_numbers_get_one_line(norms: Any, message: str) -> None:
    with pytest.raises(DomainError) as caught:
        NormStatistics().update(norms)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(" [update]")


@pytest.mark.parametrize("shape", [(), (0,), (2, 2), (1, 2)])
def test_norms_have_one_dimension_or_one_column(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as caught:
        NormStatistics().margin_scaler(np.ones(shape))
    must = "(B,) or (B, 1) with B >= 1 [margin_scaler]"
    assert str(caught.value) == f"norms.shape={shape}, but must be {must}"


@pytest.mark.parametrize("kind", [bool, np.int64, np.uint8, np.float32])
def test_norms_of_any_real_dtype_are_taken(kind: type) -> None:
    assert QUARTER.update(np.ones(3, kind)) == QUARTER.update([1.0, 1.0, 1.0])


def test_complex_norms_are_refused() -> None:
    with pytest.raises(DomainError, match=r"must be in \[0, inf\) \[margin_scaler\]$"):
        NormStatistics().margin_scaler(np.ones(2, complex))


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        ("std", -1.0, "in [0, inf)"),
        ("mean", "20", "in [0, inf)"),
        ("std", np.nan, "in [0, inf)"),  # the poisoned buffer of a batch of one
        ("new_batch_weight", 1.5, "in [0, 1]"),
        ("eps", 0.0, "in (0, inf)"),
        ("norm_upper", 1e-4, "above norm_lower"),
        ("norm_upper", 1e-3, "above norm_lower"),
        ("ddof", 2, "0 (biased) or 1 (unbiased)"),
        ("concentration", 0.0, "in (0, inf)"),
        ("mean", None, "in [0, inf)"),
    ],
)
def test_a_setting_outside_its_domain_is_named(
    name: str, value: Any, must: str
) -> None:
    with pytest.raises(DomainError) as caught:
        NormStatistics(**{name: value})
    assert str(caught.value) == f"{name}={value}, but must be {must} [NormStatistics]"


def test_a_setting_past_every_float_is_clipped_in_print() -> None:
    with pytest.raises(DomainError, match=r"^mean=10{76}\.\.\., but must be"):
        NormStatistics(mean=10**400)


def test_the_curriculum_is_a_running_mean_of_target_cosines() -> None:
    after = Curriculum(value=0.5, new_batch_weight=0.25).update([0.0, 1.0, -1.0])
    assert after.value == 0.375


def test_the_curriculum_starts_at_zero() -> None:
    assert Curriculum() == Curriculum(value=0.0, new_batch_weight=0.01)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.floats(0, 1))
def test_the_curriculum_stays_a_cosine(cosines: list[float], weight: float) -> None:
    state = Curriculum(value=1.0, new_batch_weight=weight).update(cosines)
    assert abs(state.value) <= 1


def test_a_cosine_beyond_one_does_not_enter_the_curriculum() -> None:
    with pytest.raises(DomainError) as caught:
        Curriculum().update([0.5, 1.5])
    message = "target_cosines[1]=1.5, but must be in [-1, 1] [update]"
    assert str(caught.value) == message


def test_a_norm_that_has_no_margin_scaler_is_named() -> None:
    with pytest.raises(DomainError, match=r"in \[0, inf\) \[margin_scaler\]$"):
        NormStatistics().margin_scaler([-1.0])
