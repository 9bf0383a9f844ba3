"""Compares whole heads with their twins, shape by shape, before and after a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from adaface_ref.gate.reading.class_weights import layouts
from adaface_ref.gate.reading.results import Found
from adaface_ref.gate.session.session import Session
from adaface_ref.gate.twin import causes
from adaface_ref.gate.twin.drawn_inputs import (
    NEAREST,
    SHAPES,
    Shape,
)
from adaface_ref.gate.twin.gradients import Gradients, gradients
from adaface_ref.gate.twin.noting import (
    Mask,
    Steps,
    departs,
    is_left_out,
    note,
    settled,
    upstream_of,
)
from adaface_ref.gate.twin.preparation import (
    draw_given,
    prepare,
    wants_column,
    why_not_compared,
)
from adaface_ref.gate.twin.records import (
    EMBEDDINGS,
    LOGITS,
    MEAN,
    ROWS,
    SUM,
    VALUES,
    WEIGHTS,
    Case,
    Compared,
)
from adaface_ref.gate.twin.whole_head import Bounded, Given, Twin
from adaface_ref.gate.twin.whole_run import Back, Whole
from adaface_ref.numpy_reference.arguments import Array

STEP_RATE = 0.5
"""Of the class weights' length a step of training moves them."""

TRIAL = Shape(6, 5, 7)
"""At which a layout is told: no product of K and C is D."""


def compare(session: Session) -> Compared:
    """Compare a head that makes its own cosines with its twin.

    Args:
        session: the head in the profile that is judged.

    Returns:
        What was compared; nothing where its class weights are not found.

    Raises:
        SubjectError: the head raised.
    """
    found = Compared()
    lacking = why_not_compared(session)
    if lacking:
        found.lacking = lacking
        return found
    told = [dtype for dtype in session.dtypes if dtype in NEAREST]
    if not told:
        found.lacking = "no bound is derived for half precision: see narrow-dtypes"
        return found
    found.layout = _layout_of(session, told[-1])
    if not found.layout:
        found.lacking = "no class weights were found among the head's parameters"
        return found
    for dtype in told:
        for shape in SHAPES:
            if shape.classes < session.door.form.classes:
                continue
            if {VALUES, EMBEDDINGS, WEIGHTS} <= found.departures.keys():
                break
            if dtype == "float32" and shape.classes > 5000:
                continue
            if is_left_out(found, shape):
                continue
            _compare_shape(session.in_dtype(dtype), shape, dtype, found)
            if found.lacking:
                return found
    return found


def _compare_shape(session: Session, shape: Shape, dtype: str, found: Compared) -> None:
    assert session.door.whole is not None
    head = session.door.whole.build(shape.classes, shape.size, dtype, session.device)
    options = layouts(head, shape.classes, shape.size)
    option = next((o for o in options if o.words == found.layout), None)
    if option is None:
        found.lacking = f"class weights of {shape.classes} classes were not found"
        return
    given = draw_given(session, shape, dtype, option.centres)
    whole = prepare(session, head, option, shape, dtype)
    found.shapes.append((shape, dtype))
    found.besides = ()
    for after_step in (False, True):
        back = _compare_once(session, whole, given, shape, after_step, found)
        if back is None:
            return
        length = float(np.linalg.norm(given.weights))
        found.besides = whole.step(back, given.labels, length, STEP_RATE)
        given = replace(given, weights=option.read(head, shape.classes, shape.size))


def _layout_of(session: Session, dtype: str) -> str:
    """The words of the layout in which a head keeps its class weights, or "".

    Where its shape allows several, the first in which the head's values are the twin's.
    """
    door, shape = session.door.whole, TRIAL
    assert door is not None
    options = layouts(
        door.build(shape.classes, shape.size, dtype, session.device),
        shape.classes, shape.size,
    )  # fmt: skip
    for option in options[1:] and options:
        head = door.build(shape.classes, shape.size, dtype, session.device)
        whole = prepare(session, head, option, shape, dtype)
        tried = Compared()
        given = draw_given(session, shape, dtype, option.centres)
        _compare_once(session, whole, given, shape, False, tried)
        if VALUES not in tried.departures:
            return option.words
    return options[0].words if options else ""


def _compare_once(
    session: Session,
    whole: Whole,
    given: Given,
    shape: Shape,
    after_step: bool,
    found: Compared,
) -> Back | None:
    """Compare values and gradients; what came back, to go on by, or None."""
    if not after_step:
        whole.layout.write(whole.head, given.weights)
        weights = whole.layout.read(whole.head, shape.classes, shape.size)
        given = replace(given, weights=weights)
    named = given.norms is not None
    tensors = whole.given(given)
    if named and wants_column(session):
        tensors["norms"] = tensors["norms"].reshape(-1, 1)
    if whole.call.has("margin_scaler"):
        kind = tensors["embeddings"].dtype
        tensors["margin_scaler"] = torch.tensor(
            given.columns["margin_scaler"], dtype=kind
        )
        exact = tensors["margin_scaler"].double().numpy()
        given = replace(given, columns={"margin_scaler": exact})
    twin = Twin(session.loss, session.profile, session.fixed, whole.dtype, given)
    with Steps() as steps:
        parts = whole.forward(tensors)
    found.steps = steps.count
    value = parts.loss if parts.loss is not None else parts.logits
    assert value is not None
    want = _wanted(twin, parts, found)
    got = value.detach().to("cpu", torch.float64).numpy().reshape(want.value.shape)
    rows = settled(twin)
    if whole.dtype == "float64" and departs(want, got, rows):
        single = replace(twin, dtype="float32")
        if not departs(_wanted(single, parts, found), got, rows):
            found.single = True
            twin, want = single, _wanted(single, parts, found)
    upstream, onto = upstream_of(session, twin, got, found.gives)
    at = Case(
        shape, whole.dtype, after_step, given, whole.parameters(), upstream,
        parts.judged,
    )  # fmt: skip
    if not note(found, VALUES, at, got, want, rows,
                 lambda: causes.cause_of_values(twin, got, found.besides)):  # fmt: skip
        return None  # its gradients follow from that
    back = whole.gradients(value, upstream, tensors)
    if named:  # what lies along a unit vector is the caller's normalising to take off
        unit = twin.units[0]
        along = (back[0] * unit).sum(axis=1, keepdims=True)
        back = back._replace(embeddings=back[0] - along * unit)
    sound = gradients(twin, onto, length_is_norm=not named)
    if twin.dtype == "float64" and _gradients_depart(sound, back, rows):
        single = replace(twin, dtype="float32")
        loose = gradients(single, onto, length_is_norm=not named)
        if not _gradients_depart(loose, back, rows):
            found.single = True
            sound = loose

    def cause() -> str:
        others = _faults_of_upstream(twin, onto, named)
        return causes.cause_of_gradients(twin, onto, sound, back[:2], others)

    fits = note(found, EMBEDDINGS, at, back[0], sound.embeddings, rows, cause)
    if rows.all():
        fits &= note(found, WEIGHTS, at, back[1], sound.weights, None, cause)
    told = found.departures.get(WEIGHTS)
    if told is not None and told.case is at:
        kept = whole.layout.index_of(whole.head, told.place, shape.classes, shape.size)
        found.departures[WEIGHTS] = told._replace(kept=kept)
    return back if fits and back.weights.any() else None


def _wanted(twin: Twin, parts: Found, found: Compared) -> Bounded:
    """The twin's logits, or its losses as the head reduces them."""
    if parts.loss is not None:
        return _reduced(twin, parts.loss, found)
    found.gives = LOGITS
    return twin.logits


def _gradients_depart(sound: Gradients, back: Back, rows: Mask) -> bool:
    """Whether a gradient is off by more than it may be."""
    pairs = zip((sound.embeddings, sound.weights), back[:2], strict=True)
    return any(departs(part, got, rows) for part, got in pairs)


def _reduced(twin: Twin, loss: torch.Tensor, found: Compared) -> Bounded:
    """The twin's losses as the head reduces them."""
    rows = twin.row_losses
    size = len(rows.value)
    if loss.numel() == size and (loss.ndim or size > 1):
        found.gives = ROWS
        return rows
    total = Bounded(np.asarray([rows.value.sum()]), np.asarray([rows.allowed.sum()]))
    mean = total.times(1 / size)
    if size == 1:
        return total
    if not found.gives:
        got = np.asarray([float(loss.detach())])
        found.gives = SUM if total.shares(got) < mean.shares(got) else MEAN
    return total if found.gives == SUM else mean


def _faults_of_upstream(
    twin: Twin, onto: Array, named: bool
) -> Mapping[str, Gradients]:
    """What the gradients would be, were the upstream gradient not heeded."""
    if len(onto) < 2 and onto.ndim == 2:
        return {}
    made = {
        "the first row's upstream gradient is taken for all rows": onto[:1] + 0 * onto,
        "the upstream gradient is not multiplied in": np.sign(onto[:1]) * 0
        + 1
        + 0 * onto
        if onto.ndim == 1
        else onto,
    }
    return {
        words: gradients(twin, other, length_is_norm=not named)
        for words, other in made.items()
        if not np.array_equal(other, onto)
    }
