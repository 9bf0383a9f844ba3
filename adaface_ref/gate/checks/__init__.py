"""The checks of the gate, in the order of the report."""

from __future__ import annotations

from adaface_ref.gate.checks.batches import (
    batch_permutation,
    class_permutation,
    deterministic,
    eval_pure,
    label_ignored,
    rows_independent,
)
from adaface_ref.gate.checks.calling import (
    copies,
    labels_dtype,
    many_calls,
    memory_layout,
    modes_return,
    results_apart,
    without_gradients,
)
from adaface_ref.gate.checks.formula import (
    compared_something,
    every_setting,
    margin_has_effect,
    other_gst,
    other_logit,
    own_gradient,
    profile,
    target_gst,
    target_logit,
)
from adaface_ref.gate.checks.limits import (
    continuity,
    invariant_1,
    invariant_2,
    invariant_3,
    poles_other,
    poles_target,
)
from adaface_ref.gate.checks.machines import (
    autocast,
    cpu_against_cuda,
    torch_compile,
)
from adaface_ref.gate.checks.precision import (
    dtype_kept,
    half_values,
    narrow_dtypes,
    scale_overflow,
)
from adaface_ref.gate.checks.side_effects import (
    global_state,
    inputs_untouched,
)
from adaface_ref.gate.checks.statistics import (
    norms_shape,
    running_statistics,
    statistics_policy,
)
from adaface_ref.gate.checks.training import (
    norm_held_constant,
    reduction,
    weights_normalised,
)
from adaface_ref.gate.checks.whole import (
    cosine_gradient,
    embedding_gradient,
    weight_gradient,
    whole_values,
)
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Check, join_checks
from adaface_ref.report.result import Result

CHECKS: tuple[Check[Evidence, Result], ...] = join_checks(
    profile,
    own_gradient,
    target_logit,
    other_logit,
    target_gst,
    other_gst,
    every_setting,
    poles_target,
    poles_other,
    inputs_untouched,
    margin_has_effect,
    invariant_1,
    invariant_2,
    invariant_3,
    continuity,
    statistics_policy,
    running_statistics,
    norms_shape,
    rows_independent,
    batch_permutation,
    class_permutation,
    deterministic,
    eval_pure,
    label_ignored,
    without_gradients,
    labels_dtype,
    memory_layout,
    copies,
    modes_return,
    results_apart,
    many_calls,
    whole_values,
    cosine_gradient,
    embedding_gradient,
    weight_gradient,
    weights_normalised,
    reduction,
    scale_overflow,
    narrow_dtypes,
    half_values,
    dtype_kept,
    norm_held_constant,
    cpu_against_cuda,
    torch_compile,
    autocast,
    compared_something,
    global_state,
)
