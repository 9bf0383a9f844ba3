"""Finds the margin of a head that takes it by a name that means nothing here."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.subject import Subject
from adaface_ref.gate.reading.argument_meanings import MEANT, parameters_of
from adaface_ref.gate.reading.reading import make_batch, read
from adaface_ref.spec.losses import LOSSES

SEARCHED = ("margin", "scale", "angular_offset", "additive_offset", "multiplier")
"""Parameters that a head may hold by a name of its own."""

CORE = np.array([[0.6, 0.5], [0.3, 0.2], [-0.1, 0.2], [0.05, -0.4]])
"""Cosines at which all outside rules are the formula."""

CLOSE = 1e-3
"""How near a head's values must be, as a share of the scale: margins differ more."""


def with_own_values(subject: Subject) -> Subject:
    """Judge a head at the margin that it has, where no known argument sets it.

    Args:
        subject: the head, at the recommended values.

    Returns:
        The same, at one of the head's own numbers where that explains its values and
        the recommended value does not.
    """
    loss, request = subject.loss, subject.request
    if LOSSES[loss].row_quantity_name or request.profile:
        return subject
    free = [name for name in SEARCHED if name in reference.PARAMETERS[loss]
            and name not in subject.door.mapped | request.chosen]  # fmt: skip
    numbers = _own_numbers(subject)
    if not free or not numbers:
        return subject
    try:
        got = _values(subject)
    except SubjectError:
        return subject  # told where it is judged
    if _explains(subject, request.parameters, got):
        return subject
    for name in free:
        for value in numbers:
            parameters = {**request.parameters, name: value}
            if _explains(subject, parameters, got):
                return replace(subject, request=replace(request, parameters=parameters))
    return subject


def _own_numbers(subject: Subject) -> list[float]:
    """The defaults of arguments whose names mean nothing here."""
    target = subject.target.object
    assert callable(target)
    found = []
    for parameter in parameters_of(target):
        value = parameter.default
        unknown = parameter.name not in MEANT and value is not inspect.Parameter.empty
        if unknown and isinstance(value, int | float) and not isinstance(value, bool):
            found.append(float(value))
    return found


def _values(subject: Subject) -> np.ndarray:
    """What a head gives at CORE: target logits, or GSTs where no logits are seen."""
    classes = subject.door.form.classes
    cosines = np.concatenate(
        [CORE, np.full((len(CORE), max(classes - 2, 0)), -0.2)], axis=1
    )
    dtype = subject.dtypes[0]
    opened = subject.build(cosines.shape[1], dtype)
    labels = np.arange(len(CORE)) % cosines.shape[1]
    reading = read(
        opened.evaluate, make_batch(cosines, labels, {}, dtype, subject.device)
    )
    table = reading.logits if reading.observed else reading.gst
    return np.column_stack([cosines[:, 0], _rival(subject, cosines), table[:, 0],
                            np.full(len(CORE), float(reading.observed))])  # fmt: skip


def _rival(subject: Subject, cosines: np.ndarray) -> np.ndarray:
    scale = np.full(len(cosines), subject.request.parameters["scale"])
    return np.asarray(reference.rival_cosine(cosines[:, 1:], scale))


def _explains(
    subject: Subject, parameters: Mapping[str, float], got: np.ndarray
) -> bool:
    target, rival, value, observed = got.T
    names: Iterable[str] = reference.PARAMETERS[subject.loss]
    fixed = {name: parameters[name] for name in names}
    try:
        if observed.all():
            want = reference.logit(subject.loss, target, **fixed)
        else:
            want = reference.gst(subject.loss, target, rival, **fixed)
    except ValueError:
        return False
    return bool((np.abs(value - want) <= CLOSE * (1 + parameters["scale"])).all())
