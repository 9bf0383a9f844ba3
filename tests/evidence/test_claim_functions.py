"""Claims that a function decides: each finds what its row expects, and can fail."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from importlib.resources import files
from typing import Any

import pytest

from adaface_ref.evidence.functions import FUNCTIONS, recipe, rivals, statistics
from adaface_ref.evidence.functions.finding import Finding


def rows() -> Iterator[dict[str, Any]]:
    """Every row of our files of claims that names a function."""
    for file in files("adaface_ref.spec").joinpath("claims").iterdir():
        if file.name.endswith(".toml"):
            claims = tomllib.loads(file.read_text(encoding="utf-8"))["claim"]
            yield from (row for row in claims if "function" in row)


ROWS = {row["function"]: row for row in rows()}


def test_every_function_decides_a_claim() -> None:
    assert sorted(ROWS) == sorted(FUNCTIONS)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_finding_is_the_one_expected(name: str, seed: int) -> None:
    finding = FUNCTIONS[name].function(seed)
    assert finding.holds == (ROWS[name]["expected"] == "TESTED"), finding


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_refutation_has_a_witness(name: str) -> None:
    finding = FUNCTIONS[name].function(0)
    assert bool(finding.witness) != finding.holds


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_same_seed_finds_the_same(name: str) -> None:
    assert FUNCTIONS[name].function(7) == FUNCTIONS[name].function(7)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_points_are_tried(name: str) -> None:
    assert FUNCTIONS[name].function(0).points >= 200


FAILING = {
    "a float64 recipe that vanishes from 36 on": partial(
        recipe.recipe_is_zero_in_float64, always_after=36.5
    ),
    "a float64 recipe that stays up to 37.5": partial(
        recipe.recipe_is_zero_in_float64, never_before=37.5
    ),
    "a float32 recipe that vanishes from 16 on": partial(
        recipe.recipe_is_zero_in_float32, always_after=16.5
    ),
    "a float32 recipe that overflows at 80": partial(
        recipe.recipe_overflows_in_float32, always_after=80.0
    ),
    "a float32 recipe that stands 89": partial(
        recipe.recipe_overflows_in_float32, never_before=90.0
    ),
    "a float16 recipe that stands 12": partial(
        recipe.recipe_overflows_in_float16, never_before=12.0
    ),
    "a batch of two with a large eps": partial(
        statistics.batch_of_two_knows_only_the_order, eps=1.0
    ),
}

HOLDING = {
    "a recipe allowed to lose everything": partial(
        recipe.recipe_is_accurate_in_float64, relative=1e9
    ),
    "a recipe at small scales": partial(
        recipe.recipe_is_finite_in_float32, most_scale=64.0
    ),
    "statistics without eps": partial(
        statistics.scaler_with_eps_is_affine_invariant, eps=1e-15
    ),
    "statistics without clip": partial(
        statistics.scaler_with_clip_is_affine_invariant, highest=1e6
    ),
    "smoothing by the weight of the code": partial(
        statistics.printed_alpha_smooths, weight=statistics.CODE_ALPHA
    ),
}


@pytest.mark.parametrize("planted", FAILING.values(), ids=FAILING.keys())
def test_a_planted_fault_is_found(planted: Callable[[int], Finding]) -> None:
    assert not planted(0).holds


@pytest.mark.parametrize("mended", HOLDING.values(), ids=HOLDING.keys())
def test_what_refutes_a_claim_is_what_its_words_say(
    mended: Callable[[int], Finding],
) -> None:
    finding = mended(0)
    assert finding.holds, finding


def test_a_wrong_ratio_of_variances_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_ratio_by_answers", lambda alpha: alpha)
    assert not statistics.smoothing_leaves_alpha_over_two_less_alpha(0).holds


def test_a_wrong_share_of_gaussian_norms_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statistics, "SHARE", 0.6826)
    assert not statistics.two_thirds_of_gaussian_norms_lie_within_h(0).holds


def test_norms_of_twice_the_spread_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    share = statistics._share_within
    monkeypatch.setattr(
        statistics, "_share_within", lambda norms, h: share(norms, h, std=2.5)
    )
    assert not statistics.two_thirds_of_gaussian_norms_lie_within_h(0).holds


def test_a_split_that_is_not_exact_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from mpmath import mpf

    monkeypatch.setattr(rivals, "log", lambda _: mpf(0.6931471805599453))
    assert not rivals.splitting_a_rival_changes_nothing(0).holds


def test_statistics_see_another_spread() -> None:
    norms = [Fraction(n) for n in (1, 2, 4)]
    bent = [norm**2 for norm in norms]
    assert statistics._signed_square(norms) != statistics._signed_square(bent)
