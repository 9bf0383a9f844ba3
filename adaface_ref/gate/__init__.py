"""The gate: judges somebody's loss head. Importing it costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adaface_ref.report.report import Report

__all__ = ["check_head"]


def check_head(
    target: object,
    *,
    loss: str,
    profile: str = "auto",
    adapter: str | None = None,
    device: str = "cpu",
    seed: int = 0,
    effort: str = "normal",
    arguments: Mapping[str, object] | None = None,
) -> Report:
    """Judge a loss head inside a test of your own.

    Args:
        target: the head, or `package.module:name`, or `path/file.py:name`.
        loss: a loss id, such as `arcface`.
        profile: `auto`, or the profile that the head must have.
        adapter: `callable`, `cosine`, `embedding`, `loss`, `adaface`,
            `pytorch-metric-learning`, `transformers` or `catalyst`; recognised from
            the head's signature when left out.
        device: a torch device.
        seed: draws the points; the same seed gives the same report.
        effort: `quick`, `normal` or `thorough`: points a check.
        arguments: values for the head's own arguments. One that names a quantity
            (scale, margin, ...) is the value judged, too.

    Returns:
        The report of a head that conforms.

    Raises:
        AssertionError: the head does not conform, or could not be judged.
        ValueError: the target, the loss, the profile or an argument is not valid.
    """
    from adaface_ref.gate.checks.runner import run_gate
    from adaface_ref.gate.head.settings import Head

    report = run_gate(
        Head(
            target,
            loss,
            profile=profile,
            adapter=adapter,
            device=device,
            seed=seed,
            effort=effort,
            arguments=arguments or {},
        )
    )
    if report.exit_code != 0:
        raise AssertionError(report.text())
    return report
