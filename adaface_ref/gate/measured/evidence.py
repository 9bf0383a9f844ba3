"""What the checks look at, each part found out once, and how they report a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from adaface_ref.gate.measured import invariant_grid as invariants
from adaface_ref.gate.measured.cause import likely_cause
from adaface_ref.gate.measured.identity import (
    Identity,
    Probes,
    as_another,
    identify,
    probe,
)
from adaface_ref.gate.measured.values import (
    Tally,
    conforms_at_first,
    ending_for,
    measure,
)
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.gate.session.snippets import snippet
from adaface_ref.report.report import Finding


@dataclass
class Evidence:
    """What the checks look at, found out once when first asked for.

    Args:
        unsettled: the head, whose profile is yet to be found where none is pinned.
        progress: called with the number of points done.
    """

    unsettled: Session
    progress: Callable[[int], None]

    @cached_property
    def probes(self) -> Probes:
        """The head's answers at the probe points."""
        return probe(self.unsettled)

    @cached_property
    def identity(self) -> Identity:
        """What the head is; sets the profile that is judged."""
        found, session = identify(self.probes), self.unsettled
        if session.request.profile:
            return found
        for profile in (found.profile, *found.alike):
            session.profile = profile
            if not found.alike or conforms_at_first(session):
                break
        else:
            session.profile = found.profile
        if session.profile == found.profile:
            return found
        return as_another(self.probes, found, session.profile)

    @cached_property
    def session(self) -> Session:
        """The head in the profile that is judged: no check sees it in another."""
        _ = self.identity
        return self.unsettled

    @cached_property
    def cause(self) -> str:
        """The likely cause of wrong values."""
        return likely_cause(self.probes)

    @cached_property
    def tallies(self) -> dict[str, Tally]:
        """The value checks' results."""
        return measure(self.session, self.progress)

    @cached_property
    def grid(self) -> invariants.Grid:
        """The head on the invariants' grid."""
        return invariants.grid(self.session)

    @property
    def values_done(self) -> bool:
        """Whether the values have been compared, which takes most of the time."""
        return "tallies" in vars(self)


class Result(NamedTuple):
    """What a check found, as the fields of an Outcome."""

    status: str
    detail: str
    compared: int = 0
    ratio: float | None = None
    findings: tuple[Finding, ...] = ()
    shown: int = 1


def probe_finding(
    evidence: Evidence, claim: str, index: int, profile: str | None = None
) -> Finding:
    """The first quantity in which a probe departs from a profile."""
    probes, session = evidence.probes, evidence.session
    profile = profile or session.profile
    columns = dict(probes.rows.columns)
    others = probes.rows.cosines[:, 1:]
    columns["rival_cosine"] = session.rival(columns, others, profile)
    for name in ("logit", "other_logit", "gst", "other_gst"):
        if name not in probes.measured:
            continue
        want = session.predict(name, columns, profile)
        if not probes.close(name, probes.measured[name], want)[index]:
            break
    row, due = probes.rows.take(index), float(want[index])
    allowed = float(probes.allowed(name, want)[index])
    return finding_at(session, claim, row, name, due, allowed, evidence.cause)


def finding_at(
    session: Session,
    claim: str,
    row: Rows,
    name: str,
    want: float,
    allowed: float,
    cause: str,
) -> Finding:
    """A violation at one row, run again by itself."""
    reading = session.read(row)
    place = int(name.startswith("other"))
    table = reading.logits if name.endswith("logit") else reading.gst
    got = float(table[0, place])
    inputs = {name: float(column[0]) for name, column in row.columns.items()}
    return Finding(
        f"{claim} [{name}]",
        inputs | {k: float(v[0]) for k, v in row.given.items()},
        row.dtype,
        got,
        want,
        abs(got - want),
        allowed,
        cause,
        snippet(session, row, ending_for(name, reading), place),
    )
