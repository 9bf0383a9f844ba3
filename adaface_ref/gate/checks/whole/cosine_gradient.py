"""The gradient by every cosine is the chain rule's, for any upstream gradient.

Why: A head of cosines hands dL/dc_j to the product that made them. It is checked here
for 2 to 70,000 classes and 1 to 300 rows, with an upstream gradient that differs by row
and class, mixed in sign, as focal weights, masks and scalers have it.

Breaks: A backward written by hand that takes the first row's upstream gradient for all,
or forgets it; chunks of classes of which the last is dropped.

Mend: Let autograd differentiate the forward, or multiply what a hand-written backward
returns by the gradient that comes in, element by element.
"""

from __future__ import annotations

from adaface_ref.gate.checks.needs import GIVEN_COSINES
from adaface_ref.gate.checks.whole.departures import judge_whole
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.twin.records import COSINES
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the gradient by the cosines."""
    return judge_whole(evidence, claim, COSINES)


ROW = Row(judge, needs=(GIVEN_COSINES,))
