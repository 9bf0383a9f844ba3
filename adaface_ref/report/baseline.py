"""Findings that somebody accepted for a while, each with a reason and a last day."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from adaface_ref.errors import DomainError
from adaface_ref.files import read_text
from adaface_ref.report.report import (
    ACCEPTED,
    ERROR,
    FAILED,
    OK,
    SKIPPED,
    Finding,
    Outcome,
    Report,
)
from adaface_ref.report.user_tables import Field, read_fields, word

DAYS = 90
"""How long a new entry is good for."""

VERSION = 1

CLAIM = "Every accepted finding is still found, has a reason and has not expired."


@dataclass(frozen=True)
class Entry:
    """One accepted violation.

    A head's, by one check, in some dtypes, of one likely cause: what is found with
    another cause, in another profile or twice as bad is not accepted by it.

    Args:
        target: as the report prints it.
        loss: a loss id.
        profile: the profile judged.
        check: the check's id.
        dtypes: of the findings; empty for a violation without a point.
        cause: the likely cause.
        size: the largest error as a share of the allowed one; None where there is no
            such share, or where an older baseline does not say.
        reason: why it is accepted; an empty one accepts nothing.
        expires: the last day on which it is.
    """

    target: str
    loss: str
    profile: str
    check: str
    dtypes: tuple[str, ...]
    cause: str
    size: float | None
    reason: str
    expires: str

    @property
    def key(self) -> tuple[str, ...]:
        """What it accepts, but for dtypes."""
        return (self.target, self.loss, self.profile, self.check, self.cause)


def _is_day(value: object) -> bool:
    try:
        return bool(datetime.date.fromisoformat(str(value)))
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_size(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


FIELDS: dict[str, Field] = {
    "target": word("a head", required=True),
    "loss": word("a loss", required=True),
    "profile": Field("a profile", _is_text, True),
    "check": word("the id of a check", required=True),
    "dtypes": Field(
        "a list of dtypes",
        lambda value: isinstance(value, list) and all(map(_is_text, value)),
        True,
    ),
    "cause": Field("the likely cause", _is_text, True),
    "size": Field("a number above 0", _is_size),
    "reason": Field("a text", _is_text, True),
    "expires": Field("a day, such as 2027-01-31", _is_day, True),
}


def read_baseline(file: Path) -> tuple[Entry, ...]:
    """Read accepted findings.

    Args:
        file: as `--update-baseline` wrote it, with reasons filled in.

    Returns:
        Its entries.

    Raises:
        DomainError: it cannot be read, or holds a mistake.
    """
    if not file.exists():
        must = "a file that is there: --update-baseline writes it"
        raise DomainError(f"--baseline={file}, but must be {must}")
    try:
        data = json.loads(read_text(file, "--baseline"))
    except json.JSONDecodeError as error:
        raise DomainError(f"{file}: not valid JSON: {error}") from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise DomainError(f"{file}: must be an object with version {VERSION}")
    rows = data.get("accepted")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DomainError(f"{file}: accepted must be a list of objects")
    found = []
    for number, row in enumerate(rows, 1):
        fields = read_fields(row, FIELDS, f"{file}: entry {number}")
        made = {"size": None, **fields, "dtypes": tuple(fields["dtypes"])}
        found.append(Entry(**made))
    return tuple(found)


def baseline_text(entries: Iterable[Entry]) -> str:
    """The text of a baseline, in an order that does not depend on the run."""
    rows = [asdict(entry) for entry in sorted(entries, key=lambda entry: entry.key)]
    return json.dumps({"version": VERSION, "accepted": rows}, indent=2) + "\n"


def entries_of(report: Report, reason: str, today: datetime.date) -> list[Entry]:
    """What would accept all failures of a report.

    Args:
        report: a head's, without a baseline.
        reason: for each of them; "" leaves it to be written by hand.
        today: from when they count.

    Returns:
        New entries.
    """
    until = (today + datetime.timedelta(days=DAYS)).isoformat()
    found: dict[tuple[str, ...], Entry] = {}
    for outcome in report.outcomes:
        if outcome.status != FAILED:
            continue
        for finding in outcome.findings or (None,):
            dtypes, cause = _marks(finding)
            name = (report.target, report.loss, report.profile, outcome.check)
            new = Entry(*name, dtypes, cause, _size(finding), reason, until)
            old = found.get(new.key, new)
            both = tuple(sorted({*old.dtypes, *new.dtypes}))
            sizes = [size for size in (old.size, new.size) if size is not None]
            found[new.key] = replace(new, dtypes=both, size=max(sizes, default=None))
    return list(found.values())


def head_key(item: Entry | Report) -> tuple[str, ...]:
    """What an entry and the report that can tell whether it is stale have in common."""
    return (item.target, item.loss)


def cell_key(item: Entry | Report) -> tuple[str, ...]:
    """The same, where one target is judged in several profiles."""
    return (item.target, item.loss, item.profile)


Key = Callable[[Entry | Report], tuple[str, ...]]


def update_entries(
    old: Sequence[Entry],
    reports: Sequence[Report],
    reason: str,
    today: datetime.date,
    key: Key = head_key,
) -> list[Entry]:
    """A baseline that accepts what is found now.

    Reasons and days of entries that are still found are kept; entries of these heads
    that are no longer found go, unless their check could not run.

    Args:
        old: its entries so far.
        reports: the heads judged, without a baseline.
        reason: for new entries.
        today: from when new entries count.
        key: which report an entry belongs to.

    Returns:
        The entries.
    """
    known = {entry.key: entry for entry in old}
    judged = {key(report): report for report in reports}
    kept = [entry for entry in old if not _was_run(entry, judged, key)]
    for report in reports:
        for entry in entries_of(report, reason, today):
            before = known.get(entry.key)
            if before is not None:
                told = before.reason or reason
                entry = replace(entry, reason=told, expires=before.expires)
            kept.append(entry)
    return kept


def settle(
    report: Report, entries: Sequence[Entry], today: datetime.date, key: Key = head_key
) -> Report:
    """A report, with what the baseline accepts as notes.

    Args:
        report: a head's.
        entries: the whole baseline.
        today: to tell what has expired.
        key: which report an entry belongs to.

    Returns:
        The report; an outcome `baseline` fails where an entry is stale, has expired or
        has no reason.
    """
    judged = {key(report): report}
    mine = [entry for entry in entries if _was_run(entry, judged, key)]
    used: set[Entry] = set()
    outcomes = []
    for outcome in report.outcomes:
        own = [e for e in mine if e.check == outcome.check]
        outcomes.append(_settle(outcome, report.profile, own, used, today))
    problems = [told for e in mine for told in _problems(e, e in used, today)]
    if problems:
        detail = "; ".join(problems)
        outcomes.append(Outcome("baseline", CLAIM, FAILED, detail))
    return replace(report, outcomes=tuple(outcomes))


def _settle(
    outcome: Outcome,
    profile: str,
    entries: Sequence[Entry],
    used: set[Entry],
    today: datetime.date,
) -> Outcome:
    if outcome.status != FAILED:
        return outcome
    accepted: dict[Entry, None] = {}
    for finding in outcome.findings or (None,):
        dtypes, cause = _marks(finding)
        match = [
            e
            for e in entries
            if (e.profile, e.cause) == (profile, cause)
            and {*dtypes} <= {*e.dtypes}
            and not _has_grown(e.size, _size(finding))
        ]
        used.update(match)
        valid = [e for e in match if e.reason.strip() and not _is_expired(e, today)]
        if not valid:
            return outcome
        accepted.update(dict.fromkeys(valid))
    why = "; ".join(f"until {e.expires}: {e.reason.strip()}" for e in accepted)
    return replace(
        outcome, status=ACCEPTED, detail=f"accepted {why} ({outcome.detail})"
    )


def _marks(finding: Finding | None) -> tuple[tuple[str, ...], str]:
    return ((), "") if finding is None else ((finding.dtype,), finding.cause)


def _size(finding: Finding | None) -> float | None:
    """An error as a share of the allowed one, to three digits."""
    if finding is None or not finding.allowed > 0 or not finding.error > 0:
        return None
    share = finding.error / finding.allowed
    return float(f"{share:.3g}") if math.isfinite(share) else None


def _has_grown(accepted: float | None, found: float | None) -> bool:
    """Whether a violation is twice as bad as what was accepted."""
    return accepted is not None and found is not None and found >= 2 * accepted


def _was_run(entry: Entry, judged: Mapping[tuple[str, ...], Report], key: Key) -> bool:
    """Whether a report can tell if an entry is stale."""
    report = judged.get(key(entry))
    if report is None:
        return False
    status = {outcome.check: outcome.status for outcome in report.outcomes}
    if "run" in status:
        return False
    return status.get(entry.check, OK) not in (SKIPPED, ERROR)


def _problems(entry: Entry, used: bool, today: datetime.date) -> list[str]:
    found = []
    if not used:
        found.append(
            f"{entry.check} is accepted, but no longer found: remove the entry"
        )
    elif not entry.reason.strip():
        found.append(f"{entry.check} is accepted without a reason: write one")
    elif _is_expired(entry, today):
        found.append(f"{entry.check} was accepted until {entry.expires} only")
    return found


def _is_expired(entry: Entry, today: datetime.date) -> bool:
    return datetime.date.fromisoformat(entry.expires) < today
