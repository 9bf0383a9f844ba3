"""Compares a head of cosines with the reference, shape by shape.

The values are judged at two to five classes elsewhere, at many points; here it is the
numbers of classes and rows, and the labels, that are those of training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.reading.reading import Batch, Evaluation, gradient_by
from adaface_ref.gate.session.as_trained import training_call
from adaface_ref.gate.session.fresh_head import FreshHead, by_class, ordinary
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.gate.twin.drawn_inputs import (
    NEAREST,
    SHAPES,
    Shape,
    draw_cosines,
    draw_labels,
    draw_upstream,
)
from adaface_ref.gate.twin.gradients import pushes
from adaface_ref.gate.twin.noting import (
    Steps,
    departs,
    is_left_out,
    note,
    settled,
    upstream_of,
)
from adaface_ref.gate.twin.records import COSINES, LOGITS, MEAN, VALUES, Case, Compared
from adaface_ref.gate.twin.whole_head import Bounded, Given, TableTwin
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.points import in_dtype

ROWS_ALONE = 24
"""Rows of a batch whose losses are told one by one."""

NARROWEST = {"uint8": 256, "uint16": 65_536}
"""Integers in which labels have been held, and where they begin anew."""


def compare_cosines(session: Session) -> Compared:
    """Compare a head that is given cosines with its twin.

    Args:
        session: the head in the profile that is judged.

    Returns:
        What was compared; nothing where its statistics cannot be held still.

    Raises:
        SubjectError: the head raised.
    """
    found = Compared()
    told = [dtype for dtype in session.dtypes if dtype in NEAREST]
    if not told:
        found.lacking = "no bound is derived for half precision: see narrow-dtypes"
        return found
    if session.policy is not None and session.policy.moves_in_eval:
        found.lacking = "the head's statistics move in eval mode"
        return found
    for dtype in told:
        for shape in SHAPES:
            if {VALUES, COSINES} <= found.departures.keys():
                break
            if shape.classes < session.door.form.classes:
                continue
            if dtype == "float32" and shape.classes > 5000:
                continue
            if is_left_out(found, shape):
                continue
            _compare_shape(session.in_dtype(dtype), shape, dtype, found)
        if not found.departures:
            _compare_rows(session.in_dtype(dtype), dtype, found)
    return found


def _compare_shape(session: Session, shape: Shape, dtype: str, found: Compared) -> None:
    shape = replace(shape, size=0)
    rows = _draw_rows(session, shape, dtype)
    table = by_class(rows.cosines, rows.labels)
    own = session.definition.row_quantity_name
    columns = {own: rows.columns[own]} if own else {}
    none = np.zeros((shape.rows, 0))
    given = Given(none, none[None], rows.labels, columns)
    twin = TableTwin(session.loss, session.profile, session.fixed, dtype, given, table)
    evaluate, batch = session.batch(rows)
    try:
        with Steps() as steps:
            evaluation = evaluate(_copied(batch))
        value, want = wanted_of(twin, evaluation)
    except SubjectError as error:
        where = f"with {shape.classes} classes and {shape.rows} rows"
        raise SubjectError(f"{where}: {error}") from error
    found.shapes.append((shape, dtype))
    found.steps = steps.count
    found.gives = LOGITS if want.value.ndim == 2 else MEAN
    got = value.detach().to("cpu", torch.float64).numpy().reshape(want.value.shape)
    sides = settled(twin)
    if dtype == "float64" and departs(want, got, sides):
        single = replace(twin, dtype="float32")
        loose = wanted_of(single, evaluation)[1]
        if not departs(loose, got, sides):
            found.single = True
            twin, want = single, loose
    upstream, onto = upstream_of(session, twin, got, found.gives)
    at = Case(shape, dtype, False, given, {}, upstream, "", rows)
    if not note(found, VALUES, at, got, want, sides, lambda: _cause(twin, got)):
        return  # the gradient follows from that
    with calling(backward=True):
        above = torch.tensor(upstream, dtype=value.dtype, device=value.device)
        (back,) = torch.autograd.grad(
            value, [batch.cosine], above.reshape(value.shape), allow_unused=True
        )
    if back is None:
        back = torch.zeros_like(batch.cosine)
    due = pushes(twin, onto)
    gradient = back.detach().to("cpu", torch.float64).numpy()
    if twin.dtype == "float64" and departs(due, gradient, sides):
        loose = pushes(replace(twin, dtype="float32"), onto)
        if not departs(loose, gradient, sides):
            found.single, due = True, loose
    note(found, COSINES, at, gradient, due, sides, lambda: "")


def _compare_rows(session: Session, dtype: str, found: Compared) -> None:
    """Compare the gradient of a loss for each row, by an upstream one of its own."""
    fresh = FreshHead(session, max(5, session.door.form.classes), dtype, session.device)
    case = training_call(fresh, ROWS_ALONE)
    fresh.restore()
    value = case.run(cosine=case.given["cosine"] * 1)
    if tuple(value.shape) != (ROWS_ALONE,) or session.door.form.loss_at is None:
        return
    rows = ordinary(fresh, ROWS_ALONE)
    own = session.definition.row_quantity_name
    columns = {own: rows.columns[own]} if own else {}
    none = np.zeros((ROWS_ALONE, 0))
    given = Given(none, none[None], rows.labels, columns)
    table = by_class(rows.cosines, rows.labels)
    twin = TableTwin(session.loss, session.profile, session.fixed, dtype, given, table)
    upstream = draw_upstream(session.seed, (ROWS_ALONE,), dtype)
    above = torch.tensor(upstream, dtype=value.dtype, device=value.device)
    gradient = gradient_by(case.given["cosine"], value * above)
    shape = Shape(ROWS_ALONE, fresh.classes, 0)
    at = Case(shape, dtype, False, given, {}, upstream, "", rows)
    back = gradient.to("cpu", torch.float64).numpy()

    def cause() -> str:
        for words, other in (
            ("the first row's upstream gradient is taken for all rows", upstream[:1]),
            ("the mean of the upstream gradients is taken for all", upstream.mean()),
            ("the upstream gradient is not multiplied in", 1.0),
        ):
            made = pushes(twin, np.broadcast_to(other, upstream.shape).copy())
            if not departs(made, back, settled(twin)):
                return words
        return ""

    due = pushes(twin, upstream)
    note(found, COSINES, at, back, due, settled(twin), cause)


def _draw_rows(session: Session, shape: Shape, dtype: str) -> Rows:
    random = np.random.default_rng([session.seed, shape.rows, shape.classes])
    cosines = session.reachable(draw_cosines(random, shape, dtype), dtype)
    extra = {}
    own = session.definition.row_quantity_name
    if own == "margin_scaler":
        extra[own] = random.uniform(-1, 1, shape.rows)
    if own == "feature_norm":
        ends = session.fixed["norm_lower"] / 2, 1.1 * session.fixed["norm_upper"]
        extra[own] = random.uniform(*ends, shape.rows)
    extra = {name: in_dtype(value, dtype) for name, value in extra.items()}
    rows = session.rows(cosines, extra, dtype)
    return replace(rows, labels=draw_labels(random, shape))


def _copied(batch: Batch) -> Batch:
    """What a head may write into."""
    rows: Mapping[str, torch.Tensor] = {k: v.clone() for k, v in batch.rows.items()}
    return Batch(batch.cosine * 1, batch.labels.clone(), rows)


def wanted_of(twin: TableTwin, evaluation: Evaluation) -> tuple[torch.Tensor, Bounded]:
    """The loss that a head gives, else its logits, and what they must be.

    Args:
        twin: the head's twin.
        evaluation: what it gave.

    Raises:
        SubjectError: logits of another shape.
    """
    if evaluation.loss is None:
        logits = evaluation.shown
        if logits.shape != twin.table.shape:
            must = f"but must be {twin.table.shape}"
            raise SubjectError(f"logits.shape={tuple(logits.shape)}, {must}")
        return logits, twin.logits
    rows = twin.row_losses
    mean = Bounded(np.asarray([rows.value.sum()]), np.asarray([rows.allowed.sum()]))
    return evaluation.loss, mean.times(1 / len(rows.value))


def _cause(twin: TableTwin, got: Array) -> str:
    """The fault that explains logits (B, C), or ""."""
    if got.ndim != 2:
        return ""
    labels, classes = twin.given.labels, twin.classes
    for kind, most in NARROWEST.items():
        if classes > most and _explains(twin, got, labels % most):
            return f"labels are held in {kind}: class {most} is taken for class 0"
    wrong = np.asarray((twin.logits.shares(got) > 1).any(axis=1))
    bare = np.where(twin.own, twin.scale * twin.table, twin.logits.value)
    loose = Bounded(bare, 4 * twin.logits.allowed)
    if wrong.any() and (loose.shares(got)[wrong] <= 1).all():
        least = int(labels[wrong].min())
        if least and np.array_equal(wrong, labels >= least):
            return f"rows with label {least} and more get no margin, the others do"
        return "some rows get no margin"
    ratio = got / np.where(twin.logits.value == 0, np.nan, twin.logits.value)
    factor = float(np.nanmedian(ratio))
    if np.nanmax(np.abs(ratio - factor)) <= 1e-3 * abs(factor):
        return f"with {classes} classes the logits are {factor:.6g} times the loss's"
    return ""


def _explains(twin: TableTwin, got: Array, labels: NDArray[np.int64]) -> bool:
    """Whether the loss with other labels gives what the head gave."""
    made = reference.batch(
        twin.loss, twin.table, labels, profile=twin.profile, **twin.row_columns
    )
    loose = Bounded(made.logits, 4 * twin.logits.allowed)
    return bool((loose.shares(got) <= 1).all())
