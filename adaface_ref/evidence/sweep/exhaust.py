"""Claims decided at every cosine of a dtype, now or in an earlier run that was kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from sympy import Integer, Rational, pi

from adaface_ref.errors import DomainError
from adaface_ref.evidence.posed.posed import POLES, Posed, box_of_posed, holds_at
from adaface_ref.evidence.proof.branch_and_bound import prove
from adaface_ref.evidence.proof.clauses import cases_to_sweep
from adaface_ref.evidence.proof.reduce import opposite
from adaface_ref.evidence.sweep.cosines import cosine_count
from adaface_ref.evidence.sweep.running_error import NoBound
from adaface_ref.evidence.sweep.sweep import Sweep, sweep
from adaface_ref.spec.language.box import Range, describe
from adaface_ref.spec.language.cases import ClaimCase
from adaface_ref.spec.language.files import Claim

Progress = Callable[[str, float], None]

SHORT = ("float16", "bfloat16")
"""Swept at every effort: some thirty thousand cosines each."""

KEPT = "kept.json"
"""In a folder of sweeps: what is finished."""


class Swept(NamedTuple):
    """Every cosine of a dtype, for one choice of the other inputs.

    Args:
        domain: the inputs, as text.
        dtype: whose cosines.
        total: how many there are in the domain, the poles included as limits.
        holds: where the claim holds.
        fails: where it does not.
        open: where it is not decided.
        oracle: how many were too close to tell and went to the oracle.
        failing: some of the cosines at which it fails.
        seconds: the time it took.
        device: where.
        made_by: the version that made it.
        kept: whether it comes from an earlier run.
    """

    domain: str
    dtype: str
    total: int
    holds: int
    fails: int
    open: int
    oracle: int
    failing: tuple[float, ...]
    seconds: float
    device: str
    made_by: str
    kept: bool


def exhausted(
    claim: Claim,
    parts: Sequence[Posed],
    effort: str,
    device: str,
    folder: Path | None,
    progress: Progress,
) -> tuple[Swept, ...]:
    """Sweeps a claim, or finds an earlier sweep of it.

    Args:
        claim: as it stands in a file.
        parts: the claim, once for each choice of its values.
        effort: at thorough float32 is swept now, but for what the folder has; else
            an earlier sweep is looked up.
        device: where to compute.
        folder: where float32 sweeps are gone on with and kept.
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
        found += [_now(part, dtype, device, None, progress) for dtype in SHORT]
        now = effort == "thorough"
        earlier = kept(part, folder, packaged=not now)
        if earlier is None and now:
            state = None if folder is None else folder / f"{claim.id}-{place}.state"
            found.append(_now(part, "float32", device, state, progress))
            if folder is not None and state is not None:
                _keep(folder, part, found[-1])
                state.unlink(missing_ok=True)
        elif earlier is not None:
            found.append(earlier)
    return tuple(found)


def _now(
    part: Posed, dtype: str, device: str, state: Path | None, progress: Progress
) -> Swept:
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
            at_pole=lambda pole: holds_towards(part, pole),
            device=device,
            progress=progress,
            state=state,
            **ends,
        )
    except NoBound as error:
        count, none = cosine_count(dtype, **ends), float("nan")
        done = Sweep(dtype, none, none, count, 0, 0, count, 0, 0, (), 0.0, str(error))
    return Swept(
        describe(box_of_posed(part)),
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


def holds_towards(part: Posed, pole: int) -> bool | None:
    """Whether a claim holds on a neighbourhood of a pole, which is what a limit needs.

    Args:
        part: a posed claim whose target cosine is free.
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
    cases = tuple(_denied(case) for case in part.cases)
    return False if prove(near._replace(cases=cases)).is_complete else None


def _denied(case: ClaimCase) -> ClaimCase:
    return case._replace(statement=opposite(case.statement))


def kept(part: Posed, folder: Path | None, *, packaged: bool) -> Swept | None:
    """The earlier float32 sweep of a claim, if there is one.

    Args:
        part: a posed claim.
        folder: where to look.
        packaged: whether to look among those that came with the package, too.

    Returns:
        It, marked as kept.
    """
    told = _told(part)
    for row in (*_read(folder), *(_packaged() if packaged else ())):
        if row["claim"] == told:
            fields = {**row["sweep"], "failing": tuple(row["sweep"]["failing"])}
            return Swept(**{**fields, "kept": True})
    return None


def _told(part: Posed) -> dict[str, str]:
    return {
        "formula": " ".join(part.formula.split()),
        "loss": part.loss,
        "profile": part.profile,
        "box": describe(box_of_posed(part)),
    }


def _read(folder: Path | None) -> list[Any]:
    if folder is None or not (folder / KEPT).exists():
        return []
    path = folder / KEPT
    try:
        return _checked(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        must = "a list of sweeps, as `claims --sweeps` writes it"
        raise DomainError(f"{path}: {error!r}, but must be {must}") from None


def _checked(rows: Any) -> list[Any]:
    if not isinstance(rows, list):
        raise TypeError(type(rows).__name__)
    for row in rows:
        if not all(isinstance(text, str) for text in row["claim"].values()):
            raise TypeError("claim")
        fields = Swept(**row["sweep"])
        if fields.holds + fields.fails + fields.open != fields.total:
            raise ValueError("counts")
    return rows


@cache
def _packaged() -> tuple[Any, ...]:
    file = resources.files("adaface_ref.evidence.sweep") / KEPT
    if not file.is_file():
        return ()
    return tuple(json.loads(file.read_text(encoding="utf-8")))


def _keep(folder: Path, part: Posed, row: Swept) -> None:
    if row.holds + row.fails + row.open != row.total:
        return
    entry: Mapping[str, Any] = {"claim": _told(part), "sweep": row._asdict()}
    rows = [old for old in _read(folder) if old["claim"] != entry["claim"]]
    text = json.dumps([*rows, entry], indent=1) + "\n"
    beside = folder / f"{KEPT}.tmp"
    beside.write_text(text, encoding="utf-8")
    beside.replace(folder / KEPT)
