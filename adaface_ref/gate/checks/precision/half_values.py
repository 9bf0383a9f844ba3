"""In half precision and under autocast the values are the loss's, as far as it goes.

Why: Mixed precision is how heads are trained. What a narrow dtype loses is known, and
is far less than a margin; a head that takes another path for it trains another loss.

Breaks: A branch on the dtype, or on autocast, that leaves out the margin or the scale;
a table in another dtype.

Mend: Take one path for all dtypes; where half precision is not enough, compute in
float32 and cast back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from adaface_ref.gate.checks.needs import FITS_A_PROFILE
from adaface_ref.gate.checks.precision.training_step import SIZE, ordinary_rows
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import Evaluation
from adaface_ref.gate.session.fresh_head import by_class, inputs_of
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.gate.twin.given_cosines import wanted_of
from adaface_ref.gate.twin.whole_head import Bounded, Given, TableTwin
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import EPSILON, ROUNDINGS

AUTOCAST = "bfloat16"
"""What autocast computes in, on a CPU too."""

RUNS = (("float16", False), ("bfloat16", False), ("float32", True))
"""The dtype of the cosines, and whether autocast is on."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare values in half precision with the reference."""
    if any(tally.failed for tally in evidence.tallies.values()):
        return Result(SKIPPED, "skipped: wrong in float32 or float64 already")
    session, compared, worst = evidence.session, 0, 0.0
    left, kept = [], []
    findings: list[Finding] = []
    for dtype, autocast in RUNS:
        name = f"{dtype} under autocast" if autocast else dtype
        try:
            got, want, rows = _compared(session, dtype, autocast=autocast)
        except SubjectError:
            left.append(name)
            continue
        told = np.isfinite(got)  # what is not, is told by narrow-dtypes
        share = np.where(told, want.shares(got), 0.0)
        compared += int(told.sum())
        kept.append(name)
        worst = max(worst, float(share.max(initial=0.0)))
        if share.max(initial=0.0) > 1:
            place = np.unravel_index(int(share.argmax()), share.shape)
            findings.append(_finding(session, claim, rows, name, got, want, place))
    out = f"; refused: {', '.join(left)}" * bool(left)
    if findings:
        names = ", ".join(f.claim.rpartition("[")[2][:-1] for f in findings)
        detail = f"another value in {names}"
        return Result(FAILED, detail, compared, worst, tuple(findings))
    if not compared:
        return Result(SKIPPED, f"skipped: nothing to compare{out}")
    return Result(OK, f"{', '.join(kept)}: {compared} values{out}", compared, worst)


def _compared(
    session: Session, dtype: str, *, autocast: bool
) -> tuple[np.ndarray, Bounded, Rows]:
    """What the head gives on ordinary rows, and what it must."""
    _, rows = ordinary_rows(session, dtype)
    own = session.definition.row_quantity_name
    columns = {own: rows.columns[own]} if own else {}
    none = np.zeros((len(rows.labels), 0))
    given = Given(none, none[None], rows.labels, columns)
    table = by_class(rows.cosines, rows.labels)
    works_in = AUTOCAST if autocast else dtype
    twin = TableTwin(
        session.loss, session.profile, session.fixed, works_in, given, table
    )
    evaluate, batch = session.batch(rows)
    with _autocast(session.device) if autocast else contextlib.nullcontext():
        evaluation: Evaluation = evaluate(batch)
    value, want = wanted_of(twin, evaluation)
    want = _with_rounded_scalers(session, twin, evaluation, rows, want)
    got = value.detach().to("cpu", torch.float64).numpy().reshape(want.value.shape)
    return got, want, rows


@contextlib.contextmanager
def _autocast(device: str) -> Iterator[None]:
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        yield


def _with_rounded_scalers(
    session: Session, twin: TableTwin, evaluation: Evaluation, rows: Rows, want: Bounded
) -> Bounded:
    """What values may be off besides where margin scalers are made from norms."""
    scaled = session.definition.row_quantity_name == "margin_scaler"
    if session.hold is None or not scaled or "norms" not in rows.given:
        return want
    size = rows.given["norms"] + session.hold.mean
    spread = session.hold.deviation / session.request.parameters["concentration"]
    off = ROUNDINGS * EPSILON[twin.dtype] * size / spread
    moved = [np.zeros(want.value.shape)]
    for side in (-1, 1):
        scaler = (twin.given.columns["margin_scaler"] + side * off).clip(-1, 1)
        given = replace(twin.given, columns={"margin_scaler": scaler})
        end = wanted_of(replace(twin, given=given), evaluation)[1]
        moved.append(np.abs(end.value - want.value))
    return Bounded(want.value, want.allowed + np.max(moved, axis=0))


def _finding(
    session: Session,
    claim: str,
    rows: Rows,
    name: str,
    got: np.ndarray,
    want: Bounded,
    place: tuple[np.intp, ...],
) -> Finding:
    fresh, _ = ordinary_rows(session, rows.dtype)
    at = ", ".join(str(int(i)) for i in place)
    shown = f"logits[{at}]" if len(place) == 2 else "given.mean()"
    run = f"logits, given = run(rows, labels{extra(rows)})"
    if "autocast" in name:
        kind = torch.device(session.device).type
        run = f"with torch.autocast({kind!r}, torch.bfloat16):\n    {run}"
    row = int(place[0]) if len(place) == 2 else 0
    return wrong_value(
        f"{claim} [{name}]",
        inputs_of(rows, row, rows=SIZE),
        rows.dtype,
        float(got[place]),
        float(want.value[place]),
        float(want.allowed[place]),
        f"another path is taken in {name}",
        script(fresh, rows, [run, f"print({shown}.item())"]),
    )


ROW = Row(judge, needs=(FITS_A_PROFILE,), of_values=True)
