"""The head leaves its arguments as they were.

Why: A head that writes into its cosines, labels or norms changes what the caller goes
on to use, for an accuracy or a second loss, and can break autograd.

Breaks: Operations in place on the argument, such as cosine[rows, labels] -= m.

Mend: Write to a clone.
"""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.checks.needs import GIVEN_COSINES
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.snippets import AFTER, snippet
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, Finding
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the arguments with what they were before the probes."""
    probes = evidence.probes
    if probes.reading.untouched:
        return Result(OK, "cosines, labels and norms are as they were")
    changed = np.abs(probes.reading.after - probes.rows.cosines)
    index, place = (int(i) for i in np.unravel_index(changed.argmax(), changed.shape))
    row = probes.rows.take(index)
    finding = Finding(
        claim,
        {name: float(column[0]) for name, column in row.columns.items()},
        row.dtype,
        float(evidence.session.read(row).after[0, place]),
        float(row.cosines[0, place]),
        float(changed[index, place]),
        0.0,
        "an operation in place: write to a clone",
        snippet(evidence.session, row, AFTER, place),
    )
    detail = "the head writes into its arguments"
    return Result(FAILED, detail, len(probes.rows.cosines), findings=(finding,))


ROW = Row(judge, needs=(GIVEN_COSINES,), severity={"warning": ""})
