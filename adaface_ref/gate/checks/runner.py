"""Judges one head: opens it, runs every check, writes the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch

from adaface_ref.errors import DomainError
from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.execution import could_not_run, run_check
from adaface_ref.gate.guarding.guard import run_of_its_own
from adaface_ref.gate.head.location import location_of
from adaface_ref.gate.head.target import Target, resolve
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.invariant_grid import curves_of
from adaface_ref.gate.reading.reading import DTYPES
from adaface_ref.gate.session.opening import open_session
from adaface_ref.gate.session.session import EFFORTS
from adaface_ref.report.curve import Curve
from adaface_ref.report.report import ERROR, Location, Outcome, Report

Progress = Callable[[str, float], None]


@run_of_its_own()
def run_gate(
    target: object,
    *,
    loss: str,
    profile: str = "auto",
    adapter: str | None = None,
    device: str = "cpu",
    dtypes: Iterable[str] = ("float32", "float64"),
    seed: int = 0,
    effort: str = "normal",
    arguments: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    strict: bool = False,
    accept: Iterable[str] = (),
    only: str | None = None,
) -> Report:
    """Judge a loss head.

    Args:
        target: the head, or `package.module:name`, or `path/file.py:name`.
        loss: a loss id.
        profile: `auto`, or the profile that the head must have.
        adapter: how to call the head; recognised when left out.
        device: a torch device.
        dtypes: the dtypes in which it is judged.
        seed: draws the points; the same seed gives the same report.
        effort: `quick`, `normal` or `thorough`.
        arguments: the head's own arguments, and values of the loss's parameters.
        progress: called with the running check's id and the share done.
        strict: whether warnings are errors.
        accept: departures that are meant: `detached`, `jump`, `sign-change`.
        only: the id of the one check to run; all when left out.

    Returns:
        The report.

    Raises:
        DomainError: a setting or a value outside its domain.
        TargetError: the target is not there, or has no shape known here.
    """
    dtypes = tuple(dict.fromkeys(dtypes))
    _checked("effort", effort, EFFORTS)
    for dtype in dtypes or ("",):
        _checked("dtype", dtype, DTYPES)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DomainError(f"seed={seed}, but must be an integer, 0 or more [gate]")
    require_device(device)
    accept = tuple(accept)
    for word in accept:
        _checked("accept", word, (c.row.accept for c in CHECKS if c.row.accept))
    checks = [check for check in CHECKS if only in (None, check.id)]
    settings: dict[str, object] = {
        "seed": seed,
        "effort": effort,
        "device": device,
        "dtypes": "+".join(dtypes),
        "torch": str(torch.__version__),
    }
    name, location = target if isinstance(target, str) else "target", None
    try:
        found = resolve(target)
        name, location = found.name, location_of(found.object)
        evidence = open_evidence(
            found,
            loss=loss,
            profile=profile,
            adapter=adapter,
            device=device,
            dtypes=dtypes,
            seed=seed,
            effort=effort,
            arguments=arguments or {},
            progress=progress,
        )
    except DomainError:
        raise
    except Exception as error:
        why = could_not_run(error, "opening the head")
        return _stuck(name, loss, settings, why, location)
    try:
        identity = evidence.identity.sentence
        if evidence.session.policy is not None:
            identity += f"; {evidence.session.policy.sentence()}"
    except Exception as error:
        return _stuck(name, loss, settings, could_not_run(error), location)
    outcomes = []
    for check in checks:
        if progress is not None:
            progress(check.id, 0.9 if evidence.values_done else 0.1)
        outcome = run_check(
            check, evidence, effort=effort, strict=strict, accept=accept
        )
        outcomes.append(outcome)
    session = evidence.session
    door = session.door
    return Report(
        name,
        loss,
        identity,
        session.profile,
        door.how,
        door.mapping,
        settings,
        tuple(outcomes),
        location,
        _curves(evidence) if only is None else (),
    )


def _curves(evidence: Evidence) -> tuple[Curve, ...]:
    """What a picture shows: none if the head could not be read on the grid.

    The checks of the invariants read the same grid, and say why.
    """
    try:
        grid = evidence.grid
    except Exception:
        return ()
    return curves_of(grid)


def open_evidence(
    target: Target,
    *,
    loss: str,
    profile: str,
    adapter: str | None,
    device: str,
    dtypes: tuple[str, ...],
    seed: int,
    effort: str,
    arguments: Mapping[str, object],
    progress: Progress | None = None,
) -> Evidence:
    """Open a head for checks that are run one by one.

    Args:
        target: a resolved target.
        loss, profile, adapter, device, dtypes, seed, effort, arguments, progress: as in
            `run_gate`.

    Returns:
        What the rows of CHECKS look at.

    Raises:
        SubjectError: the head could not be built.
    """
    session = open_session(
        target,
        loss=loss,
        profile=profile,
        adapter=adapter,
        device=device,
        dtypes=dtypes,
        seed=seed,
        effort=effort,
        arguments=arguments,
    )
    done = 0

    def advance(points: int) -> None:
        nonlocal done
        done += points
        if progress is not None:
            progress("values", min(1.0, 0.1 + 0.8 * done / session.points))

    return Evidence(session, advance)


def _stuck(
    name: str,
    loss: str,
    settings: dict[str, object],
    why: str,
    location: Location | None,
) -> Report:
    claim = "The head can be imported, built and run."
    outcome = Outcome("run", claim, ERROR, why)
    return Report(name, loss, "", "", "", (), settings, (outcome,), location)


def _checked(argument: str, value: object, known: Iterable[str]) -> None:
    known = tuple(known)
    if value not in known:
        text = ", ".join(known)
        raise DomainError(f"{argument}={value}, but must be one of {text} [gate]")


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
