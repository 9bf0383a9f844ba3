"""At every size of batch and of classes the logits, or the loss, are the twin's.

Why: Cosines that the gate hands over by itself say nothing of how a head makes its own,
and two to five classes nothing of what it does with thousands. Weights that are
normalised along the wrong axis, lengths that are clipped, classes past the first five
hundred, a batch of three hundred rows show only where embeddings, weights, classes and
rows are drawn as training has them: 2 to 70,000 classes, 1 to 300 rows, weights of
length 0.1 to 10, before and after a step of training. The twin is the reference in
float64 in the dialect that the head was found to speak.

Breaks: normalize with the wrong dim, or missing; an eps or a clip on the length; labels
in a narrow integer; a special path for large batches or many classes; weights that are
cached across a step; a reduction that is neither mean nor sum.

Mend: Compare the first departing element with the formula; the likely cause is named
where one known fault explains every value.
"""

from __future__ import annotations

from adaface_ref.gate.checks.whole.departures import judge_whole
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.twin.records import VALUES
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare logits or losses."""
    return judge_whole(evidence, claim, VALUES)


ROW = Row(
    judge,
    severity={"error": "", "warning": "where float32 in a float64 call explains it"},
)
