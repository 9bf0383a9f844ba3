"""Claims decided at every cosine of a dtype, now or in an earlier run that was kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sympy import Integer, Rational, pi

from adaface_ref.errors import DomainError
from adaface_ref.evidence.problem.pointwise import holds_at
from adaface_ref.evidence.problem.problem import POLES, Problem, box_of_problem
from adaface_ref.evidence.proof.branch_and_bound import prove
from adaface_ref.evidence.proof.clauses import cases_to_sweep
from adaface_ref.evidence.proof.reduce import opposite
from adaface_ref.evidence.sweep.cosines import cosine_count
from adaface_ref.evidence.sweep.records import SweepRecord, find_record, keep_record
from adaface_ref.evidence.sweep.running_error import NoBound
from adaface_ref.evidence.sweep.sweep import Sweep, sweep
from adaface_ref.spec.language.box import Range, describe
from adaface_ref.spec.language.cases import ClaimCase
from adaface_ref.spec.language.files import Claim

Progress = Callable[[str, float], None]

SHORT = ("float16", "bfloat16")
"""Swept at every effort: some thirty thousand cosines each."""


def sweep_problems(
    claim: Claim,
    parts: Sequence[Problem],
    effort: str,
    device: str,
    folder: Path | None,
    progress: Progress,
) -> tuple[SweepRecord, ...]:
    """Sweeps a claim, or finds an earlier sweep of it.

    Args:
        claim: as it stands in a file.
        parts: the claim, once for each choice of its values.
        effort: at thorough float32 is swept now, but for what the folder has; else
            an earlier sweep is looked up.
        device: where to compute.
        folder: that keeps float32 sweeps and their unfinished states.
        progress: called with what is under way and the share done.

    Returns:
        One row a part and dtype.

    Raises:
        DomainError: if another input than the target cosine is free.
    """
    found = []
    for place, part in enumerate(parts):
        if set(part.free) != {"target_cosine"}:
            free = ", ".join(part.free) or "nothing"
            must = "target_cosine alone, or the claim cannot be swept"
            raise DomainError(f"free={free}, but must be {must} [{claim.id}]")
        found += [_sweep_now(part, dtype, device, None, progress) for dtype in SHORT]
        now = effort == "thorough"
        earlier = find_record(part, folder, packaged=not now)
        if earlier is None and now:
            state = None if folder is None else folder / f"{claim.id}-{place}.state"
            found.append(_sweep_now(part, "float32", device, state, progress))
            if folder is not None and state is not None:
                keep_record(folder, part, found[-1])
                state.unlink(missing_ok=True)
        elif earlier is not None:
            found.append(earlier)
    return tuple(found)


def _sweep_now(
    part: Problem, dtype: str, device: str, state: Path | None, progress: Progress
) -> SweepRecord:
    side = part.free["target_cosine"]
    low_pole, high_pole = POLES["target_cosine"]
    ends: dict[str, Any] = {
        "low": side.low,
        "high": side.high,
        "low_open": side.low_open and side.low != low_pole,
        "high_open": side.high_open and side.high != high_pole,
    }
    try:
        done = sweep(
            cases_to_sweep(part),
            {},
            dtype,
            holds_at=lambda cosine: holds_at(part, {"target_cosine": cosine}),
            at_pole=lambda pole: holds_near_pole(part, pole),
            device=device,
            progress=progress,
            state=state,
            **ends,
        )
    except NoBound as error:
        count, none = cosine_count(dtype, **ends), float("nan")
        done = Sweep(dtype, none, none, count, 0, 0, count, 0, 0, (), 0.0, str(error))
    return SweepRecord(
        describe(box_of_problem(part)),
        dtype,
        done.total,
        done.holds,
        done.fails,
        done.open,
        done.oracle,
        done.failing,
        done.seconds,
        device,
        version("adaface-ref"),
        False,
    )


def holds_near_pole(part: Problem, pole: int) -> bool | None:
    """Whether a claim holds on a neighbourhood of a pole, which is what a limit needs.

    Args:
        part: a claim on one box whose target cosine is free.
        pole: 1 or -1.

    Returns:
        None if neither it nor its opposite can be proved there.
    """
    least = Rational(1, 2**40)
    ends = (Integer(0), least) if pole > 0 else (pi - least, pi)
    free = {"angle": Range(*ends, low_open=True, high_open=True)}
    near = part._replace(free=free)
    if prove(near).is_complete:
        return True
    cases = tuple(_deny(case) for case in part.cases)
    return False if prove(near._replace(cases=cases)).is_complete else None


def _deny(case: ClaimCase) -> ClaimCase:
    return case._replace(statement=opposite(case.statement))
