"""Logits are no narrower than the cosines.

Why: Logits of 64 have an error of 0.25 in bfloat16, more than what a margin does.

Breaks: A call of .half(), or a table in a fixed dtype.

Mend: Cast to the wider of the cosines' dtype and float32.
"""

from __future__ import annotations

from adaface_ref.gate.checks.precision.training_step import (
    SIZE,
    Case,
    ordinary_rows,
    train,
)
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import TORCH_DTYPES
from adaface_ref.gate.session.fresh_head import inputs_of
from adaface_ref.gate.session.scripts import extra, script
from adaface_ref.report.catalogue import Row
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import FAILED, OK, SKIPPED, WARNING, Finding
from adaface_ref.report.result import Result
from adaface_ref.tolerance import EPSILON


def judge(evidence: Evidence, claim: str) -> Result:
    """Cosines of each dtype, and what the logits come back in."""
    session = evidence.session
    kept, left = [], []
    found: list[tuple[bool, Finding, str]] = []
    kinds = {kind: name for name, kind in TORCH_DTYPES.items()}
    for dtype in TORCH_DTYPES:
        fresh, rows = ordinary_rows(session, dtype)
        case = Case(fresh, rows, session.fixed["scale"], session.door)
        try:
            given = train(case).dtype
        except SubjectError as error:
            if dtype in session.dtypes:
                raise
            left.append(f"{dtype} ({error})")
            continue
        name = kinds[given]
        kept.append(dtype)
        if EPSILON[name] <= EPSILON[dtype]:
            continue
        # float32 is what training expects; less than that loses the margin.
        enough = EPSILON[name] <= EPSILON["float32"]
        eps = EPSILON[name], EPSILON[dtype]
        line = f"print(torch.finfo(run(rows, labels{extra(rows)})[0].dtype).eps)"
        finding = wrong_value(
            f"{claim} [eps of the logits' dtype]",
            inputs_of(rows, 0, rows=SIZE),
            dtype,
            *eps,
            0.0,
            f"a cast to {name}: cast to the wider of the cosines' dtype and float32",
            script(fresh, rows, [line]),
        )
        found.append((enough, finding, f"{dtype} comes back as {name}"))
    if found:
        found.sort(key=lambda item: item[0])
        status = WARNING if all(enough for enough, _, _ in found) else FAILED
        told = ", ".join(words for _, _, words in found)
        return Result(status, told, SIZE, findings=tuple(f for _, f, _ in found))
    if not kept:
        return Result(SKIPPED, f"skipped: does not run in {', '.join(left)}")
    detail = ", ".join(kept) + f"; not run: {', '.join(left)}" * bool(left)
    return Result(OK, detail, SIZE * len(kept))


ROW = Row(
    judge,
    severity={
        "error": "",
        "warning": "where float32 comes back, or in half precision not asked for",
    },
)
