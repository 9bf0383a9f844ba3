"""What the checks look at, each part found out once, and how they report a point."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from adaface_ref.faults.naming import UNNAMED
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.head.door import through_softmax
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.measured import invariant_grid as invariants
from adaface_ref.gate.measured.cause import likely_cause
from adaface_ref.gate.measured.clamps import measure_clamps
from adaface_ref.gate.measured.identity import (
    Identity,
    Probes,
    as_another,
    identify,
    probe,
)
from adaface_ref.gate.measured.loss_shape import shape_of_loss
from adaface_ref.gate.measured.settings_tried import Tried, try_settings
from adaface_ref.gate.measured.values import (
    HeadTally,
    conforms_at_first,
    ending_for,
    measure,
)
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.gate.session.snippets import snippet
from adaface_ref.gate.twin.comparison import compare
from adaface_ref.gate.twin.given_cosines import compare_cosines
from adaface_ref.gate.twin.records import Compared
from adaface_ref.report.findings import wrong_value
from adaface_ref.report.report import Finding


@dataclass(frozen=True)
class Evidence:
    """What the checks look at: the head in the profile that is judged.

    The values, the grid and the cause are found out once, when first asked for.

    Args:
        head: what was asked for.
        session: the head, in the profile that is judged.
        probes: its answers at the probe points.
        identity: what it turned out to be.
        progress: called with the number of points done.
    """

    head: Head
    session: Session
    probes: Probes
    identity: Identity
    progress: Callable[[int], None]

    @property
    def sentence(self) -> str:
        """What the head is, in each dtype, and the policy of its statistics."""
        session = self.session
        others = [
            f"; in {dtype} `{profile}`"
            for dtype, profile in session.narrower.items()
            if profile != session.profile
        ]
        policy = session.policy
        kept = "" if policy is None else f"; {policy.sentence()}"
        return self.identity.sentence + "".join(others) + kept

    @cached_property
    def cause(self) -> str:
        """The likely cause of wrong values."""
        found = likely_cause(self.probes)
        if found == UNNAMED and self.probes.reading.loss_gradient is not None:
            # A head that refuses a batch of one is wrong all the same.
            with contextlib.suppress(SubjectError):
                return shape_of_loss(self.session) or found
        return found

    @cached_property
    def tallies(self) -> dict[str, HeadTally]:
        """The value checks' results."""
        return measure(self.session, self.progress)

    @cached_property
    def grid(self) -> invariants.Grid:
        """The head on the invariants' grid."""
        return invariants.grid(self.session)

    @cached_property
    def whole(self) -> Compared:
        """The head beside its twin, at every size: what it is given, gradients back."""
        if self.session.door.owns_cosines:
            return compare(self.session)
        return compare_cosines(self.session)

    @cached_property
    def tried(self) -> Tried:
        """The head at other settings of its own arguments."""
        return try_settings(self.session, self.head.adapter)

    @property
    def compared(self) -> Compared | None:
        """What came of the comparison with the twin, where one was made."""
        found = vars(self).get("whole")
        return found if isinstance(found, Compared) else None

    @property
    def values_done(self) -> bool:
        """Whether the values have been compared, which takes most of the time."""
        return "tallies" in vars(self)


def gather(session: Session, head: Head, progress: Callable[[int], None]) -> Evidence:
    """Probe a head, and settle the profile in which it is judged.

    Args:
        session: the head, in the pinned profile or in `pure`.
        head: what was asked for.
        progress: called with the number of points done.

    Returns:
        What the checks look at.

    Raises:
        SubjectError: the head raised.
    """
    probes = probe(session)
    if not session.request.profile and session.door.shows_logits:
        session, probes = _up_to_a_shift(session, probes)
    clamps = {dtype: measure_clamps(session, dtype) for dtype in session.dtypes}
    identity = identify(probes, clamps[probes.rows.dtype])
    if session.request.profile:
        return Evidence(head, session, probes, identity, progress)

    def judged_in(profile: str) -> Session:
        fitted = {dtype: found.fitted(profile) for dtype, found in clamps.items()}
        fitted[probes.rows.dtype] = profile
        return session.judged_in(profile, fitted)

    profile = identity.profile
    for tried in (identity.profile, *identity.alike):
        if not identity.alike or conforms_at_first(judged_in(tried)):
            profile = tried
            break
    if profile != identity.profile:
        identity = as_another(probes, clamps[probes.rows.dtype], identity, profile)
    judged = judged_in(profile)
    return Evidence(head, judged, replace(probes, session=judged), identity, progress)


def _up_to_a_shift(session: Session, probes: Probes) -> tuple[Session, Probes]:
    """The head through its softmax, where its logits fit no profile and that does."""
    dtype = probes.rows.dtype
    if identify(probes, measure_clamps(session, dtype)).fits:
        return session, probes
    shifted = replace(session, door=through_softmax(session.door), _heads={})
    found = probe(shifted)
    identity = identify(found, measure_clamps(shifted, dtype))
    if identity.fits and probes.differ_by_rows(identity.profile):
        return shifted, found
    return session, probes


def probe_finding(
    evidence: Evidence, claim: str, index: int, profile: str | None = None
) -> Finding:
    """The first quantity in which a probe departs from a profile, or another one does.

    A slope may be wrong where P is so near to 1 that no gradient shows it.
    """
    probes, session = evidence.probes, evidence.session
    profile = profile or session.profile
    columns = dict(probes.rows.columns)
    others = probes.rows.cosines[:, 1:]
    columns["rival_cosine"] = session.rival(columns, others, profile)
    off = {}
    for name in ("logit", "other_logit", "gst", "other_gst"):
        if name in probes.measured:
            want = session.predict(name, columns, profile)
            close = probes.close(name, probes.measured[name], want)
            off[name] = ~close & probes.off(profile), want
    here = [name for name, (wrong, _) in off.items() if wrong[index]]
    elsewhere = [name for name, (wrong, _) in off.items() if wrong.any()]
    name = (here or elsewhere or list(off))[0]
    wrong, want = off[name]
    index = index if here or not wrong.any() else int(np.argmax(wrong))
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
    return wrong_value(
        f"{claim} [{name}]",
        inputs | {k: float(v[0]) for k, v in row.given.items()},
        row.dtype,
        got,
        want,
        allowed,
        cause,
        snippet(session, row, ending_for(name, reading), place),
    )
