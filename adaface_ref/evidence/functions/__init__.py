"""Claims that no formula states: running statistics, and recipes as programs in floats.

Each function takes a seed and says what it found. Where it can it compares exactly, in
fractions or in sixty digits; a tolerance is named where it cannot.
"""

from __future__ import annotations

from collections.abc import Callable

from adaface_ref.evidence.functions.finding import Finding
from adaface_ref.evidence.functions.recipe import (
    recipe_is_accurate_in_float64,
    recipe_is_finite_in_float32,
    recipe_is_zero_in_float32,
    recipe_is_zero_in_float64,
    recipe_overflows_in_float16,
    recipe_overflows_in_float32,
)
from adaface_ref.evidence.functions.rivals import (
    splitting_a_hard_rival_of_curricularface_changes_nothing,
    splitting_a_rival_changes_nothing,
)
from adaface_ref.evidence.functions.statistics import (
    batch_of_two_knows_only_the_order,
    printed_alpha_smooths,
    scaler_is_affine_invariant,
    scaler_is_invariant_to_reflection,
    scaler_with_clip_is_affine_invariant,
    scaler_with_eps_is_affine_invariant,
    smoothing_leaves_alpha_over_two_less_alpha,
    two_thirds_of_any_norms_lie_within_h,
    two_thirds_of_gaussian_norms_lie_within_h,
)

Function = Callable[[int], Finding]

FUNCTIONS: dict[str, Function] = {
    function.__name__: function
    for function in (
        recipe_is_zero_in_float64,
        recipe_is_zero_in_float32,
        recipe_is_accurate_in_float64,
        recipe_overflows_in_float32,
        recipe_overflows_in_float16,
        recipe_is_finite_in_float32,
        scaler_is_affine_invariant,
        scaler_is_invariant_to_reflection,
        scaler_with_eps_is_affine_invariant,
        scaler_with_clip_is_affine_invariant,
        printed_alpha_smooths,
        smoothing_leaves_alpha_over_two_less_alpha,
        two_thirds_of_gaussian_norms_lie_within_h,
        two_thirds_of_any_norms_lie_within_h,
        batch_of_two_knows_only_the_order,
        splitting_a_rival_changes_nothing,
        splitting_a_hard_rival_of_curricularface_changes_nothing,
    )
}
"""Functions that decide a claim, by the name that its row gives."""


def domain_of(name: str) -> str:
    """Where a function tries its claim, as its docstring says.

    Args:
        name: a key of FUNCTIONS.

    Returns:
        The words after "Domain:", in one line.
    """
    words = " ".join((FUNCTIONS[name].__doc__ or "").split())
    return words.partition("Domain: ")[2].partition(" Source:")[0].rstrip(".")
