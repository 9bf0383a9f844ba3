"""Checks what the user asked for, and opens the head's door."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeGuard

from adaface_ref import numpy_reference as reference
from adaface_ref.choices import EFFORTS
from adaface_ref.errors import DomainError
from adaface_ref.gate.head.adapters import open_door
from adaface_ref.gate.head.door import Request
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.head.target import Target
from adaface_ref.gate.head.weighted_function import with_weights
from adaface_ref.gate.reading.argument_meanings import MEANT, SYNONYMS
from adaface_ref.gate.session.own_values import with_own_values
from adaface_ref.gate.session.row_levels import LEVELS
from adaface_ref.gate.session.session import Session
from adaface_ref.gate.statistics.policy_search import identify_policy
from adaface_ref.spec.losses import LOSSES

NEW_BATCH_WEIGHT = 0.01
"""What a constructor that asks for the weight of the new batch is given, as in training
with the official heads."""


def open_session(target: Target, head: Head) -> Session:
    """Validate what the user asked for, open the head's door, find its policy.

    Args:
        target: a resolved target.
        head: how it is judged.

    Returns:
        The head in the pinned profile, or in `pure`.

    Raises:
        DomainError: an unknown loss or profile, or a value outside its domain.
        TargetError: the target has no shape that is known here.
        SubjectError: the head raised when it was built or its statistics were moved.
    """
    target, loss = with_weights(target), head.loss
    if loss not in reference.LOSSES:
        known = ", ".join(reference.LOSSES)
        raise DomainError(f"loss={loss!r}, but must be one of {known} [gate]")
    parameters, given = _parameters(loss, head.arguments)
    pinned = "" if head.profile == "auto" else head.profile
    checked = {k: v for k, v in parameters.items() if k in reference.PARAMETERS[loss]}
    own = LOSSES[loss].row_quantity_name
    row = {own: LEVELS[own].usual} if own else {}
    try:
        reference.logit(loss, 0.5, profile=pinned or "pure", **{**row, **checked})
    except DomainError as error:
        raise DomainError(str(error).replace("[logit]", "[gate]")) from None
    chosen = frozenset(head.arguments) - frozenset(given)
    request = Request(loss, pinned, parameters, chosen, given)
    subject = Subject(
        target,
        request,
        open_door(target, request, head.adapter),
        head.device,
        tuple(dict.fromkeys(head.dtypes)),
        head.seed,
        EFFORTS[head.effort],
    )
    subject = with_own_values(subject)
    policy = identify_policy(subject)
    return Session(**vars(subject), policy=policy, profile=pinned or "pure")


def _is_positive(value: object) -> TypeGuard[float]:
    """Whether a value is a number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value > 0


def _parameters(
    loss: str, arguments: Mapping[str, object]
) -> tuple[dict[str, float], dict[str, object]]:
    parameters = dict(reference.RECOMMENDED[loss])
    row = LOSSES[loss]
    parameters.pop(row.row_quantity_name, None)
    if row.statistics_of == "norms":
        parameters["concentration"] = 0.333
    if row.statistics_of:
        parameters["new_batch_weight"] = NEW_BATCH_WEIGHT
    given: dict[str, object] = {}
    for given_name, value in arguments.items():
        name = MEANT.get(given_name, given_name)
        name = SYNONYMS.get((loss, name), name)
        if name == "temperature" and _is_positive(value):
            parameters["scale"] = 1 / value
        elif name not in parameters:
            given[given_name] = value
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise DomainError(f"{name}={value!r}, but must be a number [gate]")
        elif not math.isfinite(value):
            raise DomainError(f"{name}={value!r}, but must be finite [gate]")
        else:
            whole = float(value).is_integer() and name == "multiplier"
            parameters[name] = int(value) if whole else float(value)
    return parameters, given
