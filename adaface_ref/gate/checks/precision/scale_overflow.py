"""At a large scale, and in float16, logits, loss and gradient are finite.

Why: exp(89) is infinite in float32, exp(12) in float16. The head is built anew with s =
256 and 512 where it takes a scale.

Breaks: A softmax written out by hand, which works at s = 64 until a sample is easy
enough.

Mend: Use cross_entropy, logsumexp or log_softmax, which take the row's maximum off
first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adaface_ref.errors import DomainError
from adaface_ref.gate.checks.precision.training_step import (
    SIZE,
    Case,
    not_finite,
    ordinary_rows,
    train,
)
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.adapters import open_door
from adaface_ref.gate.head.door import Door, Request
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.session import Session
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, SKIPPED
from adaface_ref.report.result import Result

SCALES = (256.0, 512.0)
"""Scales at which exp overflows in float32, unless the maximum is taken off."""

OVERFLOW = (
    "exp of a logit without taking off the row's maximum: use cross_entropy, logsumexp "
    "or log_softmax"
)


def judge(evidence: Evidence, claim: str) -> Result:
    """The head at s = 256 and 512, and in float16 at its own scale."""
    session, own = evidence.session, evidence.session.fixed["scale"]
    doors = {scale: _scaled(session, scale) for scale in SCALES}
    cases = [(s, d, door) for s, door in doors.items() if door for d in session.dtypes]
    compared = []
    left = ["the head takes no scale"] * (not cases)
    for scale, dtype, door in [*cases, (own, "float16", session.door)]:
        fresh, rows = ordinary_rows(session, dtype)
        case = Case(fresh, rows, scale, door)
        try:
            trained = train(case)
        except SubjectError as error:
            if dtype in session.dtypes:
                raise
            left.append(f"{dtype}: {error}")
            continue
        told = f"{scale:g} in {dtype}"
        finding = not_finite(case, trained, claim, OVERFLOW)
        if finding is not None:
            detail = f"not finite at s = {told}"
            return Result(FAILED, detail, SIZE, findings=(finding,))
        compared.append(told)
    if not compared:
        return Result(SKIPPED, f"skipped: {'; '.join(left)}")
    detail = f"finite at s = {', '.join(compared)}"
    detail += f"; not run: {'; '.join(left)}" * bool(left)
    return Result(OK, detail, SIZE * len(compared))


def _scaled(session: Session, scale: float) -> Door | None:
    """The head's door at another scale, or None if it has a scale of its own."""
    if scale == session.fixed["scale"]:
        return session.door
    request = session.request
    changed = replace(request, parameters={**request.parameters, "scale": scale})
    # A head of **settings gets its scale by that name, unless it has another for it.
    by_name = replace(changed, chosen=request.chosen | {"scale"})
    door = _opened(session, by_name) or _opened(session, changed)
    if door is None:
        return None
    fresh, rows = ordinary_rows(session, session.dtypes[-1])
    before, after = (
        train(Case(fresh, rows, scale, d)).logits for d in (session.door, door)
    )
    with np.errstate(all="ignore"):
        moved = np.nanmedian(np.abs(after)) / np.nanmedian(np.abs(before))
    return door if moved > (1 + scale / session.fixed["scale"]) / 2 else None


def _opened(session: Session, request: Request) -> Door | None:
    """The door for a request, or None for a head that refuses it."""
    try:
        return open_door(session.target, request, session.door.adapter)
    except (DomainError, SubjectError):
        return None


ROW = Row(
    judge,
    severity={
        "error": "",
        "warning": "in float16 alone, unless --dtype float16 asks for it",
    },
)
