"""What an implementation with certain values answers when it is asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adaface_ref.evidence.truth.agreement import parameters_of
from adaface_ref.faults.parts import Values, parts_of
from adaface_ref.faults.rows import Fault
from adaface_ref.numpy_reference.arguments import Array


def answers_of(values: Values, scale: Array, rival: Array) -> dict[str, Array]:
    """Every quantity that follows from logits and their derivatives.

    Args:
        values: logits and derivatives, (N,).
        scale: s.
        rival: the logit against which the target's is held.

    Returns:
        Arrays (N,) by quantity.
    """
    against = values.logit - rival
    odds = 1 / (1 + np.exp(against))
    weight = -odds if values.weight is None else values.weight
    share = np.exp(values.other_logit - rival)
    return {
        "logit": values.logit,
        "slope": values.slope / scale,
        "probability": 1 / (1 + np.exp(-against)),
        "gst": weight * values.slope,
        "other_logit": values.other_logit,
        "other_gst": odds * share * values.other_slope,
    }


def faulty_answers(
    fault: Fault, loss: str, columns: Mapping[str, Array]
) -> dict[str, Array]:
    """What an implementation with a fault answers.

    Args:
        fault: a row of FAULTS.
        loss: a loss id.
        columns: arrays (N,) by name.

    Returns:
        Arrays (N,) by quantity.
    """
    own = {name: columns[name] for name in parameters_of(loss)}
    scale = columns["scale"]
    with np.errstate(all="ignore"):
        parts = parts_of(loss, own, columns["target_cosine"], columns["other_cosine"])
        values = fault.values(parts)
        return answers_of(values, scale, scale * columns["rival_cosine"])
