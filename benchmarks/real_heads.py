"""The gate's verdicts on heads of other packages, as the table of the README.

python benchmarks/real_heads.py
"""

from __future__ import annotations

import sys
import warnings

from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.report.report import FAILED, WARNING, Report

METRIC_LEARNING = "pytorch_metric_learning.losses"
WAV2VEC2 = "transformers.models.wav2vec2.modeling_wav2vec2"
CATALYST = "catalyst.contrib.layers"


HEADS = (
    Head(f"{METRIC_LEARNING}:CosFaceLoss", "cosface", effort="quick"),
    Head(f"{METRIC_LEARNING}:ArcFaceLoss", "arcface", effort="quick"),
    Head(f"{METRIC_LEARNING}:SphereFaceLoss", "sphereface", effort="quick"),
    Head(f"{METRIC_LEARNING}:NormalizedSoftmaxLoss", "normface", effort="quick"),
    Head(f"{WAV2VEC2}:AMSoftmaxLoss", "cosface", effort="quick"),
    Head(f"{CATALYST}:AMSoftmax", "cosface", effort="quick"),
    Head(f"{CATALYST}:CosFace", "cosface", effort="quick"),
    Head(f"{CATALYST}:ArcFace", "arcface", effort="quick"),
    Head(f"{CATALYST}:SubCenterArcFace", "arcface", effort="quick"),
    Head(f"{CATALYST}:CurricularFace", "curricularface", effort="quick"),
)
"""Heads of other packages, and the losses that they say they are."""


def judge(head: Head) -> Report:
    """The gate's report at quick effort.

    Args:
        head: a row of HEADS.

    Returns:
        The report.
    """
    with warnings.catch_warnings():
        # What a package warns of when it is imported is not the gate's to judge.
        warnings.simplefilter("ignore")
        return run_gate(head)


def table_row(head: Head, report: Report) -> str:
    """A line of the table.

    Args:
        head: a row of HEADS.
        report: the verdict on it.

    Returns:
        Head, identity, exit code, and the checks that failed or warn.
    """
    package, _, name = head.target.partition(":")
    told = [
        f"{outcome.check} {outcome.status}"
        for outcome in report.outcomes
        if outcome.status in (FAILED, WARNING, "error")
    ]
    cells = (
        f"{package.partition('.')[0]} {name}",
        report.identity or "not judged",
        str(report.exit_code),
        ", ".join(told) or "conforms",
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Print the table."""
    print("| head | what it is | exit code | checks |\n| --- | --- | --- | --- |")
    for head in HEADS:
        print(table_row(head, judge(head)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
