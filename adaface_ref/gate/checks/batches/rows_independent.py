"""A row's logits and GST do not depend on the other rows of its batch.

Why: The loss of a sample is a function of that sample alone, statistics apart, which
are held still here.

Breaks: A mean, a maximum or a norm is taken over the batch, or a margin of shape (B,)
is broadcast against (B, C): with as many rows as classes, samples then get each other's
margin without a word.

Mend: Reduce over dim=1, and give margins the shape (B, 1).
"""

from __future__ import annotations

from adaface_ref.gate.checks.batches.rows import SIZE, row_finding, rows_of
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.reading.reading import joined
from adaface_ref.gate.session.fresh_head import CLASSES, fresh_head_of, ordinary, part
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Each row alone, and in batches of C, against the whole batch."""
    fresh = fresh_head_of(evidence.session)
    rows = ordinary(fresh, SIZE)
    whole = fresh.read(rows)
    for size in (1, CLASSES):
        starts = range(0, SIZE - size + 1, size)
        pieces = [part(rows, slice(start, start + size)) for start in starts]
        alone = joined([fresh.read(piece) for piece in pieces])
        together = rows_of(whole, slice(0, size * len(pieces)))
        found = fresh.difference(alone, together)
        if found is not None:
            start = found.row // size * size
            piece, shown = (
                pieces[found.row // size],
                found._replace(row=found.row - start),
            )
            cause = (
                "something is taken over the whole batch, or broadcast against it: a "
                "mean, a maximum, a margin of shape (B,) where (B, 1) is meant"
            )
            finding = row_finding(fresh, claim, piece, shown, cause, whole_batch=SIZE)
            detail = f"a row in a batch of {size} differs from the same in {SIZE}"
            return Result(FAILED, detail, SIZE, findings=(finding,))
    return Result(OK, f"{SIZE} rows, alone, by {CLASSES} and together", 2 * SIZE)


ROW = Row(judge)
