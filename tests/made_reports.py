"""Reports made by hand, for tests of how they are told, kept and accepted."""

from __future__ import annotations

import math

from adaface_ref.evidence.truth import forms
from adaface_ref.evidence.verdict import decide
from adaface_ref.evidence.verify import Verification
from adaface_ref.report.report import Finding, Location, Outcome, Report
from adaface_ref.spec.language.files import our_claims

POLE = Finding(
    "Gradients are finite.",
    {"target_cosine": 1.0, "scale": 64.0},
    "float32",
    math.nan,
    "a finite gradient",
    math.inf,
    math.nan,
    "acos at 1",
    "print(1)\n",
)
VALUE = Finding(
    "The logit is right.",
    {"target_cosine": 0.1},
    "float64",
    1 / 3,
    0.25,
    1 / 12,
    1e-15,
    "a wrong sign",
    "print(2)\n",
)


def outcome(status: str, check: str = "poles-target", *found: Finding) -> Outcome:
    """What a check came to."""
    ratio = 0.1 + 0.2 if check.endswith("logit") else None
    return Outcome(check, "It holds.", status, "a detail", 7, ratio, found)


def report(*outcomes: Outcome, target: str = "heads.py:arcface") -> Report:
    """A report with a known place."""
    settings = {"seed": 0, "effort": "quick", "device": "cpu", "dtypes": "float32"}
    return Report(
        target,
        "arcface",
        "ArcFace, scale 64, margin 0.5, `pure`, cosine clamp 0, true gradient",
        "pure",
        "read directly: cosines in, logits out",
        ("scale=64.0", "margin=0.5"),
        settings,
        outcomes,
        Location("heads.py", 12),
    )


FAILING = report(
    outcome("failed", "poles-target", POLE),
    outcome("failed", "target-logit", VALUE),
    outcome("warning", "continuity"),
    outcome("note", "own-gradient"),
    outcome("skipped", "invariant-2"),
    outcome("ok", "profile"),
)
STUCK = report(outcome("error", "run"), target="package.heads:stuck")
PASSING = report(outcome("ok", "profile"), target="heads.py:cosface")


def small_verification() -> Verification:
    """One cell of the agreement and one stated invariant, in a second or two."""
    found = tuple(forms.agreements(forms.Cell("adaface", "clip"), seed=0, size=50))
    chosen = [claim for claim in our_claims() if claim.id.startswith("I3-pure")]
    verdicts = tuple(decide(claim, effort="quick") for claim in chosen)
    return Verification(found, verdicts, 0, "quick")
