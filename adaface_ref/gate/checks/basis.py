"""What a verdict rests on, and what could not be looked at, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adaface_ref.gate.checks.calling.ways import SIZE
from adaface_ref.gate.checks.needs import (
    HOLDS_STATISTICS,
    NOT_COMPILED,
    REACHES_POLES,
    SHOWS_LOGITS,
)
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.report import ERROR, SKIPPED, Outcome

WAYS = (
    "without-gradients",
    "labels-dtype",
    "memory-layout",
    "copies",
    "modes-return",
    "results-apart",
)
"""Checks that try ways of calling, each on a batch of its own."""

GRADIENTS = {
    "target-gst": "cosines",
    "embedding-gradient": "embeddings",
    "weight-gradient": "class weights",
    "norm-held-constant": "norms",
}
"""By what a gradient was compared."""

LIMITS = (SHOWS_LOGITS, REACHES_POLES, HOLDS_STATISTICS, NOT_COMPILED)
"""What keeps the gate from looking at something that the head has."""


def rests_on(evidence: Evidence, outcomes: Sequence[Outcome]) -> str:
    """What was compared.

    Args:
        evidence: what the checks have looked at.
        outcomes: what they came to.

    Returns:
        Such as "2 to 70,000 classes, 1 to 300 rows, ..."; "" where nothing was.
    """
    ran = {o.check: o for o in outcomes if o.status not in (SKIPPED, ERROR)}
    told = []
    if evidence.compared is not None and evidence.compared.shapes:
        shapes = [shape for shape, _ in evidence.compared.shapes]
        for words, sizes in (("classes", {s.classes for s in shapes}),
                             ("rows", {s.rows for s in shapes})):  # fmt: skip
            told.append(f"{min(sizes):,} to {max(sizes):,} {words}")
    if "target-logit" in ran or "target-gst" in ran:
        counts = (tally.compared for tally in evidence.tallies.values())
        told.append(f"{max(counts):,} points")
    if "every-setting" in ran:
        told.append(f"{evidence.tried.settings} other settings")
    ways = sum(ran[name].compared // SIZE for name in WAYS if name in ran)
    if ways:
        told.append(f"{ways} ways of calling")
    if "many-calls" in ran:
        told.append("hundreds of calls")
    gradients = [words for name, words in GRADIENTS.items() if name in ran]
    if gradients:
        told.append(f"gradients by {_listed(gradients)}")
    dtypes = " and ".join(evidence.session.dtypes)
    return ", ".join([*told, dtypes]) if told else ""


def unseen(evidence: Evidence, outcomes: Sequence[Outcome]) -> str:
    """What could not be looked at, and why.

    Args:
        evidence: what the checks have looked at.
        outcomes: what they came to.

    Returns:
        Ids of checks with the reason, or "".
    """
    reasons = [need.lacking for need in LIMITS]
    if evidence.compared is not None and evidence.compared.lacking:
        reasons.append(evidence.compared.lacking)
    told = []
    for reason in dict.fromkeys(reasons):
        names = [o.check for o in outcomes if _is_for(o, reason)]
        if names:
            told.append(f"{_listed(names)}: {reason}")
    return "; ".join(told)


def _is_for(outcome: Outcome, reason: str) -> bool:
    return outcome.status == SKIPPED and outcome.detail == f"skipped: {reason}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
