"""Judges one head: opens it, runs every check, writes the report."""

from __future__ import annotations

from collections.abc import Callable

import torch

from adaface_ref.errors import DomainError
from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.basis import rests_on, unseen
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.guarding.errors import what_stopped
from adaface_ref.gate.guarding.guard import run_of_its_own
from adaface_ref.gate.head.location import location_of
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import Target, resolve
from adaface_ref.gate.measured.evidence import Evidence, gather
from adaface_ref.gate.measured.invariant_grid import curves_of
from adaface_ref.gate.session.opening import open_session
from adaface_ref.report.curve import Curve
from adaface_ref.report.report import ERROR, Location, Outcome, Report

Progress = Callable[[str, float], None]


@run_of_its_own()
def run_gate(head: Head, progress: Progress | None = None) -> Report:
    """Judge a loss head.

    Args:
        head: the head, and how it is judged.
        progress: called with the running check's id and the share done.

    Returns:
        The report.

    Raises:
        DomainError: a setting or a value outside its domain.
        TargetError: the target is not there, or has no shape known here.
    """
    require_device(head.device)
    name, location = head.target if isinstance(head.target, str) else "target", None
    try:
        found = resolve(head.target)
        name, location = found.name, location_of(found.object)
        evidence = open_evidence(found, head, progress)
    except DomainError:
        raise
    except Exception as error:
        return _not_judged(name, head, what_stopped(error, "opening the head"),
                           location)  # fmt: skip
    outcomes = []
    for check in CHECKS:
        if check.id in head.ignore or (head.select and check.id not in head.select):
            continue
        if progress is not None:
            progress(check.id, 0.9 if evidence.values_done else 0.1)
        outcomes.append(run_check(check, evidence))
    session = evidence.session
    return Report(
        name,
        head.loss,
        evidence.sentence,
        session.profile,
        session.door.how,
        session.door.mapping,
        _shown(head),
        tuple(outcomes),
        location,
        () if head.select else _curves(evidence),
        rests_on(evidence, outcomes),
        "; ".join(filter(None, [_ignored(head), unseen(evidence, outcomes)])),
    )


def open_evidence(
    target: Target, head: Head, progress: Progress | None = None
) -> Evidence:
    """Open a head for checks that are run one by one.

    Args:
        target: a resolved target.
        head: how it is judged.
        progress: as in `run_gate`.

    Returns:
        What the checks look at.

    Raises:
        SubjectError: the head could not be built, or raised when it was probed.
    """
    session = open_session(target, head)
    done = 0

    def advance(points: int) -> None:
        nonlocal done
        done += points
        if progress is not None:
            progress("values", min(1.0, 0.1 + 0.8 * done / session.points))

    return gather(session, head, advance)


def require_device(device: str, where: str = "gate") -> None:
    """Refuse a device that this torch cannot use.

    Args:
        device: a torch device.
        where: who asks, for the message.

    Raises:
        DomainError: it cannot be used here.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        must = "a device that this torch can use, such as cpu"
        raise DomainError(f"device={device}, but must be {must} [{where}]") from None


def _ignored(head: Head) -> str:
    """Which checks the user left out."""
    names = [check.id for check in CHECKS if check.id in head.ignore]
    return f"{', '.join(names)}: ignored" if names else ""


def _curves(evidence: Evidence) -> tuple[Curve, ...]:
    """What a picture shows: none if the head could not be read on the grid.

    The checks of the invariants read the same grid, and say why.
    """
    try:
        grid = evidence.grid
    except Exception:
        return ()
    return curves_of(grid)


def _shown(head: Head) -> dict[str, object]:
    """The settings that a report shows."""
    return {
        "seed": head.seed,
        "effort": head.effort,
        "device": head.device,
        "dtypes": "+".join(head.dtypes),
        "torch": str(torch.__version__),
    }


def _not_judged(name: str, head: Head, why: str, location: Location | None) -> Report:
    claim = "The head can be imported, built and run."
    outcome = Outcome("run", claim, ERROR, why)
    return Report(name, head.loss, "", "", "", (), _shown(head), (outcome,), location)
